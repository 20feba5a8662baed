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

use crate::config::schema::{CustomerIo, Region};

/// The workspace in Customer.io's app; without its id the app's first page. Only this form of deep link is used
/// consistently in public texts, so everything below it is said in words.
pub fn app_page(customerio: &CustomerIo) -> String {
    let host = match customerio.region {
        Region::Us => "fly.customer.io",
        Region::Eu => "eu.fly.customer.io",
    };
    let path = customerio.workspace_id.map_or_else(String::new, |id| format!("/workspaces/{id}"));
    format!("https://{host}{path}")
}
