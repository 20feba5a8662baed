//! Everything that is known about the sender: how it signs ([`signature`]), what it says ([`parse`], [`event`]),
//! what its failure texts mean ([`cause`]), who the mailbox provider is ([`provider`]), and what is personal
//! in its texts ([`mask`]). Facts carry the page they come from. [`app_api`] alone asks it something.

pub mod addresses;
pub mod app_api;
pub mod cause;
pub mod cause_table;
pub mod event;
pub mod mask;
pub mod metric;
pub mod parse;
pub mod provider;
pub mod signature;
pub mod traces;
