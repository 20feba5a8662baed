//! What people look at: the status page, and the signed links that open it.

pub mod frame;
pub mod incident;
pub mod keys;
pub mod link;
pub mod links;
