//! A serverless bridge that turns Customer.io reporting webhooks into alerts an on-call engineer can trust.
//!
//! The flow, one room each:
//! [`steps::ingest`] authenticates, normalises and enqueues; [`steps::evaluate`] tallies and judges;
//! [`steps::deliver`] tells the receivers; [`steps::tick`] plans what time makes due.
//! Modules that decide ([`tally`], [`rules`], [`heartbeat`], [`incident`], [`route`], [`message`]) do no I/O and are
//! handed `now`; only `src/cli` and [`lambda`] pick adapters. `docs/architecture.md` is the map.

#[cfg(feature = "aws")]
pub mod aws;
pub mod canary;
pub mod cli;
pub mod clock;
pub mod config;
pub mod customerio;
pub mod deadman;
pub mod diagnose;
pub mod digest;
pub mod drift;
pub mod hash;
pub mod heartbeat;
pub mod incident;
#[cfg(feature = "aws")]
pub mod lambda;
pub mod message;
pub mod page;
pub mod queue;
pub mod receivers;
pub mod reconcile;
pub mod route;
pub mod rules;
pub mod runbook;
pub mod silence;
#[cfg(test)]
mod sim;
pub mod steps;
pub mod store;
pub mod summary;
pub mod tally;
