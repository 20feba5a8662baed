//! The flow: [`ingest`], [`evaluate`], [`deliver`], [`tick`], each a function of (input, state, now) over the store,
//! queue and receiver traits. Entry points pick the adapters.

pub mod deliver;
pub mod digest;
pub mod evaluate;
pub mod facts;
pub mod heartbeats;
pub mod ingest;
pub mod open;
pub mod resolve;
pub mod sweep;
pub mod tick;
