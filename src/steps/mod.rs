//! The flow: [`ingest`], [`evaluate`], [`deliver`], [`tick`], each a function of (input, state, now) over the store,
//! queue and receiver traits. Entry points pick the adapters.

pub mod act;
pub mod asking;
pub mod blindness;
pub mod budget;
pub mod canary;
pub mod deadman;
pub mod deliver;
pub mod diagnose;
pub mod diagnosis;
pub mod digest;
pub mod drafts;
pub mod drift;
pub mod erase;
pub mod evaluate;
pub mod explain;
pub mod facts;
pub mod find;
pub mod guardian;
pub mod heartbeats;
pub mod history;
pub mod ingest;
pub mod lag;
pub mod learned;
pub mod names;
pub mod open;
pub mod page;
pub mod reconcile;
pub mod record;
pub mod redrive;
pub mod resolve;
pub mod roll_up;
pub mod silences;
pub mod summary;
pub mod sums;
pub mod sweep;
pub mod tick;
pub mod troubles;
pub mod visit;

/// Panics when a body holds what `BRIDGE_PLANT_PANIC` says: so tests see, on the built programs, that a panic is that
/// one body's trouble. Only in debug builds; a release has nothing of it.
fn planted(body: &[u8]) {
    #[cfg(debug_assertions)]
    if let Ok(part) = std::env::var("BRIDGE_PLANT_PANIC")
        && !part.is_empty()
        && body.windows(part.len()).any(|window| window == part.as_bytes())
    {
        panic!("planted");
    }
    #[cfg(not(debug_assertions))]
    let _ = body;
}
