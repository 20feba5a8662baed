//! Days as reconciliation compared them: one item an event and day, a partition a month.

use jiff::civil::Date;

use super::item::{JSON, attributes, days_after, document, json};
use super::request::{If, Key, Sorts};
use super::table::Table;
use crate::hash::Parts;
use crate::reconcile::day::Compared;
use crate::store::{HISTORY_DAYS, StoreError};

pub async fn keep(table: &Table, compared: &Compared) -> Result<(), StoreError> {
    let named = Parts::of([&compared.event, &compared.campaign]).hex(16);
    let key = Key { pk: partition(table, compared.date), sk: format!("{}#{named}", compared.date) };
    let item = attributes([(JSON, json(compared, "a compared day")?)]);
    let expires = days_after(compared.at, HISTORY_DAYS);
    table.put(&key, item, Some(expires), If::Always).await.map(drop)
}

fn partition(table: &Table, date: Date) -> String {
    table.partition(&["compared", &date.strftime("%Y-%m").to_string()])
}

pub async fn between(table: &Table, from: Date, to: Date) -> Result<Vec<Compared>, StoreError> {
    let mut found: Vec<Compared> = Vec::new();
    let Ok(last) = to.yesterday() else { return Ok(found) };
    // Beyond what is kept there is nothing to ask for.
    let today = table.now().to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
    let days = i32::try_from(HISTORY_DAYS + 1).unwrap_or(i32::MAX);
    let kept = today.saturating_sub(jiff::Span::new().days(days));
    let last = last.min(today.saturating_add(jiff::Span::new().days(2)));
    let (first, end) = (from.max(kept), format!("{last}#~"));
    let mut month = first.first_of_month();
    while month <= last {
        let items = table.query(&partition(table, month), Sorts::Between(&first.to_string(), &end)).await?;
        for item in &items {
            found.push(document(item, "a compared day")?);
        }
        month = month.last_of_month().saturating_add(jiff::Span::new().days(1));
    }
    found.sort_by(|a, b| (a.date, &a.event, &a.campaign).cmp(&(b.date, &b.event, &b.campaign)));
    Ok(found)
}
