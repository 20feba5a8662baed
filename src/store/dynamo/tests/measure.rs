//! What counting is billed: `scripts/test --lib -- --ignored --nocapture what_counting_is_billed`.

use super::*;
use crate::customerio::event::{Source, SourceKind};
use crate::store::dynamo::Capacity;

/// Events of these many sources and metrics, `rate` a second from 14:02 on.
fn traffic(sources: u32, metrics: &[&'static str], rate: i64, events: u32) -> Vec<Entry> {
    let metric = |id: u32| metrics.get(id as usize / sources as usize % metrics.len()).copied().unwrap_or("sent");
    (0..events)
        .map(|id| {
            let mut entry = sent(id, t("14:02") + SignedDuration::from_millis(i64::from(id) * 1_000 / rate));
            entry.class.series.kind = crate::customerio::event::Kind::known("email", metric(id));
            entry.class.series.source = Source::new(SourceKind::Campaign, (id % sources).to_string());
            entry
        })
        .collect()
}

#[tokio::test]
#[ignore = "a measurement"]
async fn what_counting_is_billed() {
    let three = ["sent", "delivered", "opened"];
    println!("| traffic | events/s | batch | write units an event | read units an event |");
    println!("|---|---|---|---|---|");
    for (name, sources, metrics) in [("1 source, 1 metric", 1, &three[..1]), ("20 sources, 3 metrics", 20, &three[..])]
    {
        for rate in [1, 10, 20, 100, 500] {
            for batch in [1, 3, 10, 100] {
                let Some(fresh) = fresh().await else { return };
                let events = traffic(sources, metrics, rate, 600);
                // Series and kinds are written once in a month and a day.
                let _ = fresh.store.count(&traffic(sources, metrics, 600, 60), t("13:00")).await.expect("counts");
                let before = fresh.store.capacity();
                for batch in events.iter().skip(60).collect::<Vec<_>>().chunks(batch) {
                    let batch: Vec<Entry> = batch.iter().map(|entry| (*entry).clone()).collect();
                    let _ = fresh.store.count(&batch, t("14:10")).await.expect("counts");
                }
                let Capacity { read, write } = fresh.store.capacity();
                let counted = 540.0;
                println!(
                    "| {name} | {rate} | {batch} | {:.3} | {:.3} |",
                    (write - before.write) / counted,
                    (read - before.read) / counted
                );
            }
        }
    }
}
