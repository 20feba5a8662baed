//! What a bridge that has run for weeks knows of a workflow: written into its store, since nobody waits that long.

use cio_alert_bridge::heartbeat::history::{Day, SLOTS_A_DAY, Slot};
use cio_alert_bridge::store::Store;
use jiff::Timestamp;
use serde_json::json;

/// So many UTC days up to `now`, fully heard, with as many events of what is counted as `of` in each slot of five
/// minutes as `count` says. Of the registers nothing is written: they would be gone but for the last weeks.
pub async fn remember(store: &dyn Store, of: &str, days: i64, now: Timestamp, count: impl Fn(Timestamp) -> u32) {
    let now = Slot::of(now);
    for day in now.day() - days..=now.day() {
        let first = Slot::first_of(day);
        let slots = (first.0..first.0 + SLOTS_A_DAY).map(Slot);
        let (counts, hearing): (Vec<u32>, String) =
            slots.map(|slot| if slot < now { (count(slot.span().from.start()), '1') } else { (0, '-') }).unzip();
        let json = json!({ "day": day, "counts": counts, "hearing": hearing });
        let day: Day = serde_json::from_value(json).expect("a day");
        store.keep_day(of, &day).await.expect("kept");
    }
}
