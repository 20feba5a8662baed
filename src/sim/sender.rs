//! Customer.io as the sender: one queue per webhook, strictly in order, everything behind a failing call waits.
//! Source of the numbers: the vendor's webhook specification (<https://docs.customer.io/files/journeys-webhooks.json>);
//! the delays of its backoff are not published, those here are ours.

use std::collections::{BTreeMap, VecDeque};

use super::world::{DAY, HOUR, SECOND, State, Todo};

/// The sender waits an hour after these answers, and after connections that are refused or cut.
pub const HOUR_HOLD: [u16; 11] = [400, 401, 402, 403, 404, 405, 410, 429, 500, 502, 521];

/// How long it waits for an answer.
pub const TIMEOUT: i64 = 4 * SECOND;

/// How long it tries.
const TRIES_FOR: i64 = 7 * DAY;

/// How a call went, as the sender sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    Status(u16),
    /// Refused, reset, cut.
    Broken,
    TimedOut,
}

#[derive(Default)]
pub struct Sender {
    queue: VecDeque<usize>,
    /// The call under way: its number and its item.
    calling: Option<(u32, usize)>,
    calls: u32,
    first_try: Option<i64>,
    tries: u32,
    wait_until: i64,
    /// Items that it got a 2xx for, and those that it gave up.
    pub accepted: BTreeMap<usize, i64>,
    pub given_up: Vec<usize>,
}

impl Sender {
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.calling.is_none()
    }
}

impl State {
    /// The item happened, or is sent once more.
    pub fn offer(&mut self, item: usize) {
        self.sender.queue.push_back(item);
        self.after(0, Todo::Send);
    }

    /// The call that is to be made now, if any: its number and its item.
    pub fn call(&mut self) -> Option<(u32, usize)> {
        let now = self.now;
        let sender = &mut self.sender;
        if sender.calling.is_some() {
            return None;
        }
        let item = *sender.queue.front()?;
        if now < sender.wait_until {
            let wait = sender.wait_until;
            self.at(wait, Todo::Send);
            return None;
        }
        sender.calls += 1;
        sender.first_try.get_or_insert(now);
        let call = (sender.calls, item);
        sender.calling = Some(call);
        self.after(TIMEOUT, Todo::GiveUp(call.0));
        Some(call)
    }

    /// A call ended. What comes after the sender stopped waiting it does not hear.
    pub fn called(&mut self, call: u32, heard: Heard) {
        let now = self.now;
        let Some((_, item)) = self.sender.calling.take_if(|(number, _)| *number == call) else { return };
        if heard == Heard::TimedOut || heard != Heard::Status(200) {
            self.say(|| format!("sender hears {heard:?} for item {item}"));
        }
        let sender = &mut self.sender;
        sender.wait_until = now;
        let accepted = matches!(heard, Heard::Status(200..=299));
        let over = accepted || now - sender.first_try.unwrap_or(now) > TRIES_FOR;
        if over {
            sender.queue.pop_front();
            (sender.first_try, sender.tries) = (None, 0);
            match accepted {
                true => _ = sender.accepted.entry(item).or_insert(now),
                false => sender.given_up.push(item),
            }
        } else {
            let held = match heard {
                Heard::Status(status) => HOUR_HOLD.contains(&status),
                Heard::Broken => true,
                Heard::TimedOut => false,
            };
            sender.tries += 1;
            let backoff = 10 * SECOND * (1 << (sender.tries - 1).min(9));
            sender.wait_until = now + if held { HOUR } else { backoff.min(HOUR) };
        }
        self.after(0, Todo::Send);
    }
}
