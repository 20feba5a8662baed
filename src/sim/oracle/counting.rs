//! Laws 1, 3 and 4: everything answered 2xx is counted exactly once, as what it was when it was first counted.

use std::collections::{BTreeMap, BTreeSet};

use crate::clock::{Minute, Span};
use crate::customerio::cause;
use crate::customerio::event::{Fate, Identity};
use crate::sim::people::hash_of;
use crate::sim::sender::Sender;
use crate::sim::traffic::{Item, Spec, What, text_of};
use crate::sim::truth::{Copy, Truth};
use crate::sim::world::{DAY, MINUTE, instant};
use crate::store::{Store, StoreError};
use crate::tally::Class;

/// What tells registers apart, in words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Counted {
    kind: String,
    source: String,
    action: String,
    cause: String,
    fate: Fate,
    minute: i64,
}

pub async fn registers(store: &dyn Store, last: i64) -> Result<BTreeMap<Counted, u64>, StoreError> {
    let span = Span::new(Minute::of(instant(last - 39 * DAY)), Minute::of(instant(last + DAY)));
    let mut kinds = Vec::new();
    for channel in ["email", "sms"] {
        for metric in ["sent", "failed", "bounced", "delivered"] {
            kinds.push(crate::customerio::event::Kind::known(channel, metric));
        }
    }
    let mut registers = BTreeMap::new();
    for cell in store.cells(&kinds, span).await? {
        let key = Counted {
            kind: cell.series.kind.to_string(),
            source: cell.series.source.to_string(),
            action: cell.series.action.clone().unwrap_or_default(),
            cause: cell.series.cause.as_ref().map_or_else(String::new, |c| c.as_str().to_owned()),
            fate: cell.series.fate,
            minute: cell.minute.0,
        };
        *registers.entry(key).or_insert(0) += cell.count;
    }
    Ok(registers)
}

pub async fn quarantined(store: &dyn Store, last: i64) -> Result<BTreeSet<String>, StoreError> {
    let found = store.quarantined(instant(last - 60 * DAY), instant(last + DAY)).await?;
    Ok(found.into_iter().map(|q| q.id).collect())
}

/// What a copy of an event is to be counted as.
fn class_of(spec: &Spec, copy: &Copy) -> Counted {
    let old = copy.arrived - copy.at > 8 * DAY;
    let fate = match spec.ignored {
        _ if old => Fate::TooLate,
        true => Fate::Ignored,
        false => Fate::Counted,
    };
    let at = if old { copy.arrived } else { copy.at };
    let cause = spec.text.map(|text| cause::classify(&spec.kind, Some(text_of(&spec.kind, text, copy.table))));
    Counted {
        kind: spec.kind.to_string(),
        source: spec.source.to_owned(),
        action: spec.action.to_owned(),
        cause: cause.map_or_else(String::new, |c| c.as_str().to_owned()),
        fate,
        minute: at.div_euclid(MINUTE),
    }
}

fn counted_as(class: &Class) -> Counted {
    Counted {
        kind: class.series.kind.to_string(),
        source: class.series.source.to_string(),
        action: class.series.action.clone().unwrap_or_default(),
        cause: class.series.cause.as_ref().map_or_else(String::new, |c| c.as_str().to_owned()),
        fate: class.series.fate,
        minute: Minute::of(class.at).0,
    }
}

pub fn judge(
    items: &[Item],
    truth: &Truth,
    sender: &Sender,
    registers: &BTreeMap<Counted, u64>,
    quarantined: &BTreeSet<String>,
    wrong: &mut Vec<String>,
) {
    let mut allowed: BTreeMap<Identity, Vec<Counted>> = BTreeMap::new();
    for copy in &truth.copies {
        let What::Event(spec) = &items[copy.item].what else { continue };
        allowed.entry(copy.identity).or_default().push(class_of(spec, copy));
    }
    // In quarantine until somebody sends it, or gives it up.
    let waits = |body: &str| {
        let id = hash_of(body);
        quarantined.contains(&id) || truth.thrown_away.contains(&id)
    };
    for copy in &truth.copies {
        if !truth.arrivals.get(&copy.item).is_some_and(|arrivals| arrivals.contains(&copy.arrived)) {
            wrong.push(format!("law 4: item {} never arrived when it is said to", copy.item));
        }
    }
    for (place, item) in items.iter().enumerate() {
        let promised = sender.accepted.contains_key(&place);
        match &item.what {
            What::Event(spec) if promised && !truth.first.contains_key(&spec.identity) && !waits(&item.body) => {
                wrong.push(format!("law 1: item {place} was answered 200 and is not counted"));
            }
            What::Unreadable if promised && !waits(&item.body) => {
                wrong.push(format!("law 1: item {place} was answered 200 and is not in quarantine"));
            }
            _ => {}
        }
    }
    let mut expected: BTreeMap<Counted, u64> = BTreeMap::new();
    for (identity, first) in &truth.first {
        let counted = counted_as(&first.class);
        if !allowed.get(identity).is_some_and(|allowed| allowed.contains(&counted)) {
            wrong.push(format!("law 3 or 4: {identity} was counted as what it never was: {counted:?}"));
        }
        *expected.entry(counted).or_insert(0) += 1;
    }
    if expected != *registers {
        let keys: BTreeSet<&Counted> = expected.keys().chain(registers.keys()).collect();
        for key in keys {
            let (want, have) = (expected.get(key).unwrap_or(&0), registers.get(key).unwrap_or(&0));
            if want != have {
                wrong.push(format!("law 4: counted {have} instead of {want}: {key:?}"));
            }
        }
    }
}
