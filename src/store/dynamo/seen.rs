//! Seen sets: which identities were counted, and as what (design, State).
//!
//! Event time is cut into buckets, and each bucket is a chain of items. An item is a grow-only map of digests to the
//! class of their first acceptance. Each write raises its version, and an item whose version has reached [`FULL`] is
//! sealed: the write's own condition forbids more, so it never changes again, and what is new goes to the next item
//! of the chain. A write bills the whole item, so this bounds the price of a write whatever the rate is, where a
//! tree would spread each batch over all of its leaves. A look-up reads the chain, at an eighth of a write's price a
//! kilobyte or less.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use jiff::Timestamp;

use super::item::{self, EXPIRES, Item, SORT, VERSION, bytes, number, number_of, text_of};
use super::request::{Key, Sorts, Update};
use super::series::{ID_BYTES, SeriesId};
use super::table::Table;
use super::trouble;
use crate::customerio::event::Identity;
use crate::store::StoreError;

/// From which event time on buckets are how wide.
struct Layout {
    /// Event time, in Unix seconds.
    from: i64,
    /// In seconds; a divisor of 60, so that a bucket lies in one minute.
    width: i64,
}

/// The layout schedule. Bucket and place are a pure function of the event and of this, so a row may only be added, and
/// only for event times that are still to come, and later than any event of today claims to be (one that is ahead of us is
/// placed by its own time): else a retry would not find what was counted. 10 s keeps a bucket in
/// one item of less than 8 KB up to 25 events a second, all sources and metrics together; above, the chain grows by
/// an item every [`FULL`] events. One partition takes 1,000 write units a second (DynamoDB developer guide,
/// "Partition-level limits"), which is more than 10,000 events a second in full batches.
const SCHEDULE: &[Layout] = &[Layout { from: i64::MIN, width: 10 }];

/// An item takes no more once this many digests were written to it: with one more batch it has 349 at most, which are
/// less than 8 KB.
const FULL: i64 = 250;

/// Digests that one write adds at most: an update expression may have 4 KB and 300 operators (DynamoDB developer guide,
/// "Expression parameters").
const AT_ONCE: usize = 100;

/// Times that others may seal an item before us in one call.
const TRIES: usize = 50;

/// When an item was made, in Unix seconds: one that is made again after it expired is another one to its registers.
const BORN: &str = "born";

/// An attribute's name for an identity: its first 66 bits in 11 characters. No other attribute has a name so long.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(String);

const DIGEST_CHARS: usize = 11;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

impl Digest {
    pub fn of(identity: &Identity) -> Self {
        let bits = u128::from_be_bytes(identity.0);
        let sextet = |place: usize| (bits >> (128 - 6 * (place + 1))) as usize & 63;
        Self((0..DIGEST_CHARS).filter_map(|place| ALPHABET.get(sextet(place))).map(|c| char::from(*c)).collect())
    }
}

/// What an identity was counted as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    pub series: SeriesId,
    /// In Unix seconds.
    pub at: i64,
}

impl Member {
    /// The series, and the seconds since the bucket's begin in one byte, else the time in eight.
    fn encode(&self, begin: i64) -> AttributeValue {
        let mut code = self.series.0.to_vec();
        match u8::try_from(self.at.saturating_sub(begin)) {
            Ok(after) => code.push(after),
            Err(_) => code.extend(self.at.to_be_bytes()),
        }
        bytes(code)
    }

    fn decode(code: &[u8], begin: i64) -> Option<Self> {
        let (series, at) = code.split_first_chunk::<ID_BYTES>()?;
        let at = match at {
            [after] => begin.saturating_add(i64::from(*after)),
            at => i64::from_be_bytes(at.try_into().ok()?),
        };
        Some(Self { series: SeriesId(*series), at })
    }
}

/// Where an identity's place is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bucket {
    /// Names it among all.
    pub name: String,
    /// In Unix seconds.
    begin: i64,
}

impl Bucket {
    /// Of an event's own time stamp; an event without one has a bucket to itself.
    pub fn of(stamp: Option<Timestamp>, identity: &Identity) -> Self {
        let Some(at) = stamp.map(|stamp| stamp.as_second()) else {
            return Self { name: identity.to_string(), begin: 0 };
        };
        let width = SCHEDULE.iter().rev().find(|layout| layout.from <= at).map_or(1, |layout| layout.width);
        let begin = at.div_euclid(width) * width;
        let name = Timestamp::from_second(begin).map_or_else(|_| begin.to_string(), |begin| begin.to_string());
        Self { name, begin }
    }
}

/// One item of a bucket's chain.
#[derive(Clone, Debug)]
pub struct SetItem {
    number: u32,
    born: i64,
    pub version: i64,
    pub members: HashMap<Digest, Member>,
}

impl SetItem {
    fn read(item: &Item, begin: i64) -> Result<Self, StoreError> {
        let unreadable = || trouble::unreadable("a seen set");
        let mut members = HashMap::with_capacity(item.len());
        for (name, value) in item.iter().filter(|(name, _)| name.len() == DIGEST_CHARS) {
            let code = value.as_b().map_err(|_| unreadable())?;
            members.insert(Digest(name.clone()), Member::decode(code.as_ref(), begin).ok_or_else(unreadable)?);
        }
        Ok(Self {
            number: number_of_item(item).ok_or_else(unreadable)?,
            born: number_of(item, BORN).ok_or_else(unreadable)?,
            version: number_of(item, VERSION).ok_or_else(unreadable)?,
            members,
        })
    }

    /// Names it for ever, also after it expired and another one took its place.
    pub fn name(&self, bucket: &Bucket) -> String {
        format!("{}#{}#{}", bucket.name, self.number, self.born)
    }
}

fn number_of_item(item: &Item) -> Option<u32> {
    text_of(item, SORT)?.parse().ok()
}

/// Identities in their place.
pub struct Admitted {
    /// The items that have them.
    pub items: Vec<SetItem>,
    /// Those that this call was the first to write.
    pub first: Vec<Digest>,
}

impl Admitted {
    pub fn member(&self, digest: &Digest) -> Option<&Member> {
        self.items.iter().find_map(|item| item.members.get(digest))
    }
}

/// Puts identities into their bucket, each with its class unless it has one already.
///
/// Whoever writes to an item has read all before it, and those are sealed: so an identity is in one item at most.
pub async fn admit(
    table: &Table,
    bucket: &Bucket,
    wanted: &BTreeMap<Digest, Member>,
    now: Timestamp,
    expires: i64,
) -> Result<Admitted, StoreError> {
    let pk = table.partition(&["seen", &bucket.name]);
    let mut admitted = Admitted { items: Vec::new(), first: Vec::new() };
    for _ in 0..TRIES {
        let found = table.query_any(&pk, Sorts::All, None).await?;
        let mut next = found.iter().filter_map(number_of_item).max().map_or(0, |last| last.saturating_add(1));
        let live = found.iter().filter(|item| !item::is_expired(item, now));
        admitted.items = live.map(|item| SetItem::read(item, bucket.begin)).collect::<Result<_, _>>()?;
        loop {
            let missing: Vec<_> = wanted.iter().filter(|(digest, _)| admitted.member(digest).is_none()).collect();
            if missing.is_empty() {
                let has_wanted = |item: &SetItem| wanted.keys().any(|digest| item.members.contains_key(digest));
                admitted.items.retain(has_wanted);
                return Ok(admitted);
            }
            // One that has expired, or is sealed, is never written again.
            let open = |item: &SetItem| item.version < FULL && item.number.saturating_add(1) == next;
            let target = admitted.items.iter().find(|item| open(item)).map_or(next, |item| item.number);
            let chunk = missing.get(..AT_ONCE).unwrap_or(&missing);
            let Some(written) = write(table, &pk, bucket, target, chunk, now, expires).await? else { break };
            next = target.saturating_add(1);
            admitted.first.extend(written.first);
            admitted.items.retain(|item| item.number != target);
            admitted.items.push(written.item);
        }
    }
    Err(trouble::contended("a seen set"))
}

struct Written {
    item: SetItem,
    first: Vec<Digest>,
}

/// Adds to an item of the chain; `None` when it is sealed.
async fn write(
    table: &Table,
    pk: &str,
    bucket: &Bucket,
    target: u32,
    chunk: &[(&Digest, &Member)],
    now: Timestamp,
    expires: i64,
) -> Result<Option<Written>, StoreError> {
    let key = Key { pk: pk.to_owned(), sk: format!("{target:06}") };
    let added = i64::try_from(chunk.len()).unwrap_or(i64::MAX);
    let mut update = Update::new(
        "SET #b = if_not_exists(#b, :b), #x = :x",
        "attribute_not_exists(#n) OR (#n < :f AND #x > :t)",
        [("b", BORN), ("x", EXPIRES), ("n", VERSION)],
        [
            ("b", number(now.as_second())),
            ("x", number(expires)),
            ("f", number(FULL)),
            ("t", number(now.as_second())),
            ("a", number(added)),
        ],
    );
    for (place, (digest, member)) in chunk.iter().enumerate() {
        update.expression.push_str(&format!(",#{place:x}_=if_not_exists(#{place:x}_,:{place:x}_)"));
        update.names.insert(format!("#{place:x}_"), digest.0.clone());
        update.values.insert(format!(":{place:x}_"), member.encode(bucket.begin));
    }
    update.expression.push_str(" ADD #n :a");
    update.returns = ReturnValue::AllOld;
    let Some(old) = table.update(&key, update).await? else { return Ok(None) };
    let mut item = if old.is_empty() {
        SetItem { number: target, born: now.as_second(), version: 0, members: HashMap::new() }
    } else {
        SetItem::read(&old, bucket.begin)?
    };
    item.version = item.version.saturating_add(added);
    let mut first = Vec::new();
    for (digest, member) in chunk {
        if !item.members.contains_key(*digest) {
            item.members.insert((*digest).clone(), **member);
            first.push((*digest).clone());
        }
    }
    Ok(Some(Written { item, first }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_function_of_the_events_own_time_and_identity() {
        let identity = |id: &str| Identity::of_event(id, &crate::customerio::event::Kind::known("email", "sent"));
        let bucket =
            |stamp: Option<&str>, id| Bucket::of(stamp.map(|s| s.parse().expect("a time")), &identity(id)).name;
        // Pinned: a retry must find its place after any update of the bridge.
        assert_eq!(bucket(Some("2026-11-24T14:02:09.9Z"), "1"), "2026-11-24T14:02:00Z");
        assert_eq!(bucket(Some("2026-11-24T14:02:10Z"), "2"), "2026-11-24T14:02:10Z");
        assert_eq!(Digest::of(&Identity([255; 16])).0, "___________");
        assert_eq!(Digest::of(&identity("1")).0.len(), DIGEST_CHARS);
        assert_ne!(bucket(None, "1"), bucket(None, "2"));
        assert!(SCHEDULE.iter().all(|layout| 60 % layout.width == 0));
    }

    #[test]
    fn a_member_is_read_as_it_was_written() {
        for (at, length) in [(100, 11), (109, 11), (355, 11), (356, 18), (99, 18), (-5, 18), (i64::MAX, 18)] {
            let member = Member { series: SeriesId([7; ID_BYTES]), at };
            let code = member.encode(100);
            let code = code.as_b().expect("bytes").as_ref();
            assert_eq!((code.len(), Member::decode(code, 100)), (length, Some(member)), "{at}");
        }
        for bad in [0, ID_BYTES, ID_BYTES + 2] {
            assert_eq!(Member::decode(&vec![7; bad], 100), None, "{bad} bytes");
        }
    }
}
