//! Reconciliation: what the backend fired, what Customer.io received, and what came of it. Pure.

pub mod fired;
pub mod sums;
