//! Reconciliation: what the backend fired, what Customer.io received, and what came of it. Pure.
//!
//! [`fired`] reads reports of what was fired, [`receive`] counts what was received. [`day`] is one event's day with all
//! its counts, [`compare`] says which leg lost something, [`ratio`] what a workflow usually makes of an event, [`reason`]
//! why it may be, [`ghost`] which names nobody declared or nobody fires.

pub mod compare;
pub mod day;
pub mod fired;
pub mod ghost;
pub mod ratio;
pub mod reason;
pub mod receive;
pub mod sums;
