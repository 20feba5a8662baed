//! Drift: what somebody changed in Customer.io that the bridge depends on. No event announces it, so it is asked for and
//! compared. Pure: answers and configuration in, differences out.

pub mod subscription;
pub mod wanted;
