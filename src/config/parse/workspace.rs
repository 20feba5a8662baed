//! The sections that are one table each: who we are, who sends, and how loud, what is shown, what is private.

use jiff::SignedDuration;
use jiff::tz::{self, TimeZone};

use super::receivers::HOUR;
use crate::config::reader::{Item, Problem, Table, nearest, quoted};
use crate::config::schema::{
    Counts, CustomerIo, Deadman, DeadmanForm, DeclaredEvent, MetricSum, Page, Privacy, Reconciliation, Region, Storm,
    Workspace,
};
use crate::customerio::event::{Source, SourceKind};
use crate::reconcile::sums::CLOUDWATCH;

/// Regions of the vendor's API. Source: "Customer.io App API", base addresses.
const REGIONS: [Region; 2] = [Region::Us, Region::Eu];

const fn region_name(region: Region) -> &'static str {
    match region {
        Region::Us => "us",
        Region::Eu => "eu",
    }
}

/// `[workspace]`.
pub fn workspace(file: &mut Table<'_>) -> Option<Workspace> {
    let mut table = needed(file, "workspace", "[workspace] with name = \"...\"")?;
    let name = table.need("name", Item::name);
    let unset = !table.has("timezone");
    let zone = table.get("timezone", timezone).or_else(|| unset.then(|| ("UTC".into(), TimeZone::UTC)));
    table.finish();
    let (timezone, zone) = zone?;
    Some(Workspace { name: name?, timezone, zone })
}

fn timezone(item: &Item<'_>) -> Option<(String, TimeZone)> {
    let name = item.text()?;
    match TimeZone::get(name) {
        Ok(zone) => Some((zone.iana_name().unwrap_or(name).to_owned(), zone)),
        Err(_) => {
            let problem = Problem::error(format!("{} is no time zone: {}", item.place(), quoted(name)))
                .allowed("an IANA name such as \"Europe/Berlin\" or \"UTC\"")
                .did_you_mean(nearest_zone(name));
            item.error(problem);
            None
        }
    }
}

/// The zone that was probably meant: `Berlin` and `Europe/Belrin` are `Europe/Berlin`.
fn nearest_zone(name: &str) -> Option<String> {
    let mut zones: Vec<String> = tz::db().available().map(|zone| zone.to_string()).collect();
    zones.sort();
    let wanted = name.trim().to_lowercase().replace(' ', "_");
    let by_city = zones.iter().find(|z| z.rsplit('/').next().is_some_and(|city| city.to_lowercase() == wanted));
    by_city.map(String::as_str).or_else(|| nearest(name, zones.iter().map(String::as_str))).map(str::to_owned)
}

/// `[customerio]`.
pub fn customerio(file: &mut Table<'_>) -> Option<CustomerIo> {
    let mut table = needed(file, "customerio", "[customerio] with signing_keys = [\"env:CIO_SIGNING_KEY\"]")?;
    let region = table.get("region", |item| item.one_of(&REGIONS, region_name)).unwrap_or(Region::Us);
    let workspace_id = table.get("workspace_id", |item| item.integer(1..=u64::MAX));
    let signing_keys = table.some("signing_keys", Item::secret);
    let app_api_key = table.get("app_api_key", Item::secret);
    let app_api_url = table.get("app_api_url", Item::url);
    table.finish();
    Some(CustomerIo { region, workspace_id, signing_keys, app_api_key, app_api_url })
}

/// `[storm]`.
pub fn storm(file: &mut Table<'_>) -> Storm {
    let usual = Storm::default();
    let Some(mut table) = file.table("storm") else { return usual };
    let second = SignedDuration::from_secs(1);
    let day = HOUR * 24;
    let storm = Storm {
        group_wait: table.get("group_wait", |i| i.duration(SignedDuration::ZERO..=HOUR)).unwrap_or(usual.group_wait),
        update_every: table.get("update_every", |i| i.duration(second..=day)).unwrap_or(usual.update_every),
        repeat_every: table.get("repeat_every", |i| i.duration(second..=day * 7)).unwrap_or(usual.repeat_every),
        open_incidents: table.get("open_incidents", |i| i.integer(1..=100_000)).unwrap_or(usual.open_incidents),
    };
    table.finish();
    storm
}

/// `[page]`.
pub fn page(file: &mut Table<'_>) -> Option<Page> {
    let mut table = file.table("page")?;
    let base_url = table.get("base_url", Item::url);
    let runbook_url = table.get("runbook_url", Item::url);
    let link_keys = table.list("link_keys", Item::secret).unwrap_or_default();
    table.finish();
    Some(Page { base_url, runbook_url, link_keys })
}

/// `[deadman]`.
pub fn deadman(file: &mut Table<'_>) -> Option<Deadman> {
    let mut table = file.table("deadman")?;
    let url = table.need("url", Item::secret);
    let form = table.get("type", |item| item.one_of(&DeadmanForm::ALL, DeadmanForm::name)).unwrap_or_default();
    table.finish();
    Some(Deadman { url: url?, form })
}

/// `[privacy]`.
pub fn privacy(file: &mut Table<'_>) -> Privacy {
    let Some(mut table) = file.table("privacy") else { return Privacy::default() };
    let show_personal_data = table.get("show_personal_data", Item::boolean).unwrap_or(false);
    table.finish();
    Privacy { show_personal_data }
}

fn dimension(item: &Item<'_>) -> Option<(String, String)> {
    let text = item.text()?;
    let parts = text.split_once('=').filter(|(name, value)| !name.trim().is_empty() && !value.trim().is_empty());
    if parts.is_none() {
        let problem = Problem::error(format!("{} is no dimension: {}", item.place(), quoted(text)));
        item.error(problem.allowed("name=value, for example \"Service=billing\""));
    }
    parts.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
}

/// `[counts]`.
pub fn counts(file: &mut Table<'_>) -> Option<Counts> {
    let mut table = file.table("counts")?;
    let signing_keys = table.some("signing_keys", Item::secret);
    table.finish();
    Some(Counts { signing_keys })
}

/// More than this fraction is too much, where nothing else is said (design, The problem).
const DIVERGENCE: f64 = 0.05;

/// `[reconciliation]`.
pub fn reconciliation(file: &mut Table<'_>) -> Option<Reconciliation> {
    let mut table = file.table("reconciliation")?;
    let divergence = table.get("divergence", Item::fraction).unwrap_or(DIVERGENCE);
    let settle = table.get("settle", |item| item.duration(SignedDuration::ZERO..=HOUR * 24 * 7)).unwrap_or(HOUR * 6);
    let mut events = Vec::new();
    for mut event in table.tables("events") {
        let name = event.need("name", Item::name);
        let campaign = event.need("campaign", |item| item.integer(1..=u64::MAX));
        event.finish();
        if let (Some(name), Some(campaign)) = (name, campaign) {
            events.push(DeclaredEvent { name, campaign: Source::new(SourceKind::Campaign, campaign.to_string()) });
        }
    }
    let mut metrics = Vec::new();
    for mut sum in table.tables("metrics") {
        let [event, namespace, metric] = ["event", "namespace", "metric"].map(|key| sum.need(key, Item::name));
        let origin = sum.get("origin", Item::name).unwrap_or_else(|| CLOUDWATCH.to_owned());
        let region = sum.get("region", Item::name);
        let mut dimensions = sum.list("dimensions", dimension).unwrap_or_default();
        dimensions.sort();
        sum.finish();
        if let (Some(event), Some(namespace), Some(metric)) = (event, namespace, metric) {
            metrics.push(MetricSum { event, origin, namespace, metric, dimensions, region });
        }
    }
    table.finish();
    Some(Reconciliation { divergence, settle, events, metrics })
}

fn needed<'a>(file: &mut Table<'a>, key: &'static str, example: &str) -> Option<Table<'a>> {
    if !file.has(key) {
        file.error(Problem::error(format!("[{key}] is missing")).allowed(example));
    }
    file.table(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_city_or_a_slip_leads_to_its_zone() {
        for (typed, meant) in [
            ("Berlin", "Europe/Berlin"),
            ("Europe/Belrin", "Europe/Berlin"),
            ("new york", "America/New_York"),
            ("US/Pacfic", "US/Pacific"),
        ] {
            assert_eq!(nearest_zone(typed).as_deref(), Some(meant), "{typed}");
        }
        assert_eq!(nearest_zone("Middle-earth/Shire"), None);
    }
}
