//! When the trouble of a rate's open incidents ended. A rate goes on failing a little when it is well again, so its last
//! failure tells nothing: what counts is the last window above the limit to close at.

use jiff::Timestamp;

use crate::clock::{Minute, Span, minutes};
use crate::incident::{Group, Incident, Subject};
use crate::rules::Rule;
use crate::rules::judge::{self, Evidence, Trouble};
use crate::store::{Store, StoreError};

/// Minutes between looks at the sends of days.
const LOOK_BACK_EVERY: i64 = 10;

/// An open incident, and how far its trouble went as far as we know.
pub struct Ended<'a> {
    pub incident: &'a Incident,
    /// The last failure of the trouble.
    pub last: Timestamp,
    /// The end of the last window that was above the limit to close at.
    pub at: Timestamp,
}

/// Looks at the newest window, which says of most incidents that they go on; then further back, twice as far each time,
/// until each incident's latest trouble is found. None goes further back than what was known when it opened.
pub async fn ends<'a>(
    store: &dyn Store,
    rule: &Rule,
    incidents: &'a [Incident],
    now: Timestamp,
) -> Result<Vec<Ended<'a>>, StoreError> {
    let mut ended = Vec::with_capacity(incidents.len());
    let mut sought: Vec<(&Incident, &Group)> = incidents.iter().filter_map(|i| Some((i, group_of(i)?))).collect();
    let looks_back = Minute::of(now).0 % LOOK_BACK_EVERY == 0;
    let mut to = Minute::of(now).plus(1);
    let mut reach = 1;
    loop {
        sought.retain(|(incident, _)| {
            let goes_on = known_until(incident) < to;
            if !goes_on {
                ended.push(Ended { incident, last: incident.last, at: incident.last });
            }
            goes_on
        });
        let Some(oldest) = sought.iter().map(|(incident, _)| known_until(incident)).min() else { return Ok(ended) };
        let ends = Span::new(to.plus(-reach).max(oldest), to);
        let groups: Vec<&Group> = sought.iter().map(|(_, group)| *group).collect();
        let troubles = troubles(store, rule, &groups, ends, looks_back).await?;
        let mut calm = Vec::new();
        for ((incident, group), trouble) in sought.into_iter().zip(troubles) {
            match trouble {
                Some(trouble) => ended.push(Ended {
                    incident,
                    last: trouble.last.max(incident.last),
                    at: trouble.ends.plus(1).start().max(incident.last),
                }),
                None => calm.push((incident, group)),
            }
        }
        sought = calm;
        to = ends.from;
        reach = (reach * 2).max(minutes(rule.within()));
    }
}

fn group_of(incident: &Incident) -> Option<&Group> {
    match &incident.subject {
        Subject::Rule { group, .. } => Some(group),
        _ => None,
    }
}

/// Its windows from this minute on are yet to be looked at: the one that ends with its last failure opened it.
fn known_until(incident: &Incident) -> Minute {
    Minute::of(incident.last).plus(1)
}

/// The latest trouble of each group among the windows that end in a span.
async fn troubles(
    store: &dyn Store,
    rule: &Rule,
    groups: &[&Group],
    ends: Span,
    looks_back: bool,
) -> Result<Vec<Option<Trouble>>, StoreError> {
    let failing = store.cells(&rule.events, judge::windows_of(rule, ends)).await?;
    let mut evidence = Evidence::of(rule, &failing);
    let Some((kinds, span)) = judge::denominator(rule, ends).filter(|_| evidence.may_linger()) else {
        return Ok(vec![None; groups.len()]);
    };
    evidence = evidence.with_sends(rule, &store.cells(kinds, span).await?);
    let latest = |evidence: &Evidence| groups.iter().map(|g| evidence.trouble(rule, g, ends)).collect::<Vec<_>>();
    let near = latest(&evidence);
    // Leftovers without sends beside them: of how many they are, only days ago can tell. Days are dear to read, so
    // meanwhile they count as trouble: nothing closes for want of a look.
    let unclear = looks_back && near.iter().flatten().any(|t| t.unclear);
    let Some((kinds, span)) = judge::look_back(rule, ends).filter(|_| unclear) else {
        return Ok(near);
    };
    Ok(latest(&evidence.looking_back(rule, &store.cells(kinds, span).await?)))
}
