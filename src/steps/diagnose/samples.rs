//! Asks about some failed messages of one incident, and about the campaign that they have in common.

use std::collections::{BTreeMap, BTreeSet};

use super::To;
use super::asking::Asking;
use crate::customerio::app_api::ask::{Question, Records};
use crate::customerio::app_api::message::{self, Delivery};
use crate::customerio::app_api::{campaign, senders};
use crate::diagnose::facts::{Facts, Messages, Subject};

/// What was found of them.
pub struct Samples {
    /// About no person; its messages are those that were found.
    pub facts: Facts,
    /// How many of their addresses are on the suppression list; `None` where nobody asked, or nobody knows.
    pub suppressed: Option<usize>,
}

/// Asks about messages by their delivery ids, with at most `budget` questions. `campaign` is what sent all of them, as far
/// as the incident knows.
pub async fn gather(
    records: &dyn Records,
    delivery_ids: &[String],
    campaign: Option<&str>,
    budget: usize,
) -> (Samples, Asking) {
    let mut asking = Asking::new(budget);
    let mut to = To { records, asking: &mut asking, progress: &|_| {} };
    let mut found: Vec<Delivery> = Vec::new();
    for id in delivery_ids {
        found.extend(to.required(&Question::Message(id), message::delivery).await);
    }
    let campaigns: BTreeSet<Option<&str>> = found.iter().map(|delivery| delivery.campaign.as_deref()).collect();
    let campaign = match campaigns.into_iter().collect::<Vec<_>>().as_slice() {
        [] => campaign,
        [one] => *one,
        _ => None,
    };
    let mut facts = Facts::of(Subject { person: String::new(), campaign: campaign.unwrap_or_default().to_owned() });
    if let Some(campaign) = campaign {
        facts.campaign = to.one(&Question::Campaign(campaign), campaign::detail).await;
        // Without a message nobody asks for its step.
        if !found.is_empty() {
            facts.actions = to.actions(campaign).await;
            facts.senders = Ok(sender_of(&mut to, &facts, &found).await);
        }
    }
    let suppressed = suppressed(&mut to, &found).await;
    facts.messages = Ok(Messages { of_campaign: found, complete: true, ..Messages::default() });
    (Samples { facts, suppressed }, asking)
}

/// The sender of the first message's step, when it has an identity: they mostly share it.
async fn sender_of(to: &mut To<'_>, facts: &Facts, found: &[Delivery]) -> BTreeMap<String, Option<senders::Sender>> {
    let action = found.first().and_then(|delivery| delivery.action.as_deref());
    let step = facts.actions.iter().flatten().find(|known| Some(known.id.as_str()) == action);
    let Some(id) = step.and_then(|step| step.from_id.as_ref()) else { return BTreeMap::new() };
    let sender = to.one(&Question::Sender(id), senders::sender).await;
    sender.map(|sender| (id.clone(), sender)).into_iter().collect()
}

/// Only what was dropped is worth asking for: that is what being on the list does.
async fn suppressed(to: &mut To<'_>, found: &[Delivery]) -> Option<usize> {
    let dropped = |delivery: &&Delivery| delivery.state().is_some_and(|(state, _)| state == "dropped");
    let mut on_the_list = None;
    for delivery in found.iter().filter(|delivery| delivery.channel == "email").filter(dropped) {
        let Some(address) = delivery.recipient.as_deref().or(delivery.person.email.as_deref()) else { continue };
        if let Ok(listed) = to.suppressions(address).await {
            *on_the_list.get_or_insert(0) += usize::from(!listed.is_empty());
        }
    }
    on_the_list
}
