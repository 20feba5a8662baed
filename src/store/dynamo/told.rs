//! What receivers were told, and who may tell them now: one item a pair (incident, receiver).

use aws_sdk_dynamodb::types::ReturnValue;
use jiff::Timestamp;

use super::incidents;
use super::item::{
    EXPIRES, Item, JSON, SORT, days_after, document, is_expired, json, micros, number, number_of, text, text_of,
};
use super::request::{If, Key, Sorts, Update};
use super::table::Table;
use super::trouble;
use crate::incident::IncidentKey;
use crate::incident::told::Told;
use crate::store::{HISTORY_DAYS, Lease, StoreError, Write};

/// Tries to take a lease that was given back meanwhile.
const TRIES: usize = 5;

/// All leases are of one length: one that ends this much after the one asked for, in microseconds, was taken before the
/// clock was set back, and would last that long.
const FAR_MICROS: i64 = 60_000_000;

const OWNER: &str = "lease_owner";
const UNTIL: &str = "lease_until";
const TOKEN: &str = "lease_token";

pub async fn lease(
    table: &Table,
    incident: &IncidentKey,
    receiver: &str,
    owner: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<Lease, StoreError> {
    let key = pair(table, incident, receiver);
    let token = table.token();
    let far = micros(until).saturating_add(FAR_MICROS);
    for _ in 0..TRIES {
        // A lease is free from the instant that it ends at.
        let mut take = Update::new(
            "SET #o = :o, #u = :u, #k = :k, #x = :x",
            "(attribute_not_exists(#o) OR #u <= :n OR #u > :f) AND (attribute_not_exists(#x) OR #x > :s)",
            [("o", OWNER), ("u", UNTIL), ("k", TOKEN), ("x", EXPIRES)],
            [
                ("o", text(owner)),
                ("u", number(micros(until))),
                ("k", text(token.clone())),
                ("x", number(days_after(now, HISTORY_DAYS))),
                ("n", number(micros(now))),
                ("f", number(far)),
                ("s", number(now.as_second())),
            ],
        );
        take.returns = ReturnValue::AllNew;
        if let Some(item) = table.update(&key, take).await? {
            return granted(&item);
        }
        let Some(item) = table.get_any(&key).await? else { continue };
        if text_of(&item, TOKEN) == Some(&token) {
            return granted(&item);
        }
        if is_expired(&item, now) {
            let expired = number_of(&item, EXPIRES).unwrap_or_default();
            table.delete(&key, If::Is(EXPIRES, number(expired))).await?;
            continue;
        }
        let Some(held) = number_of(&item, UNTIL) else { continue };
        if micros(now) < held && held <= far {
            let until = Timestamp::from_microsecond(held).map_err(|_| trouble::unreadable("a lease"))?;
            return Ok(Lease::HeldUntil(until));
        }
    }
    Err(trouble::contended("a lease"))
}

fn granted(item: &Item) -> Result<Lease, StoreError> {
    Ok(Lease::Granted(if item.contains_key(JSON) { Some(told_of(item)?) } else { None }))
}

pub async fn record(
    table: &Table,
    incident: &IncidentKey,
    receiver: &str,
    owner: &str,
    told: &Told,
) -> Result<Write, StoreError> {
    let update = Update::new(
        "SET #j = :j",
        "#o = :o",
        [("j", JSON), ("o", OWNER)],
        [("j", json(told, "what a receiver was told")?), ("o", text(owner))],
    );
    // A try that timed out and succeeded leaves the lease ours, so the next one succeeds too.
    let written = table.update(&pair(table, incident, receiver), update).await?;
    Ok(if written.is_some() { Write::Done } else { Write::Conflict })
}

pub async fn release(table: &Table, incident: &IncidentKey, receiver: &str, owner: &str) -> Result<(), StoreError> {
    let update =
        Update::new("REMOVE #o, #u, #k", "#o = :o", [("o", OWNER), ("u", UNTIL), ("k", TOKEN)], [("o", text(owner))]);
    table.update(&pair(table, incident, receiver), update).await.map(drop)
}

/// Voids the leases on live incidents: others have nothing to tell, and a lease lasts seconds.
pub async fn void(table: &Table) -> Result<(), StoreError> {
    for incident in incidents::live_keys(table).await? {
        for item in pairs(table, &incident).await? {
            if let (Some(owner), Some(receiver)) = (text_of(&item, OWNER), text_of(&item, SORT)) {
                release(table, &incident, receiver, owner).await?;
            }
        }
    }
    Ok(())
}

pub async fn of(table: &Table, incident: &IncidentKey) -> Result<Vec<(String, Told)>, StoreError> {
    let pairs = pairs(table, incident).await?;
    let told = |item: &Item| Ok((text_of(item, SORT).unwrap_or_default().to_owned(), told_of(item)?));
    pairs.iter().filter(|item| item.contains_key(JSON)).map(told).collect()
}

async fn pairs(table: &Table, incident: &IncidentKey) -> Result<Vec<Item>, StoreError> {
    table.query(&table.partition(&["told", &incident.0]), Sorts::All).await
}

fn pair(table: &Table, incident: &IncidentKey, receiver: &str) -> Key {
    Key { pk: table.partition(&["told", &incident.0]), sk: receiver.to_owned() }
}

fn told_of(item: &Item) -> Result<Told, StoreError> {
    document(item, "what a receiver was told")
}
