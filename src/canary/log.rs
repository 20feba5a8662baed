//! What was sent, what came back, and whether too much of it is missing. Pure: `steps/canary.rs` reads and writes it.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::day::Day;
use super::{Leg, Sent};
use crate::tally::journeys;

/// So many in a row must be missing: one event lost on the way is no news.
pub const IN_A_ROW: usize = 3;

/// The first of them was sent this long ago: what passes by itself within minutes wakes nobody. The vendor's delays of
/// 40 min and more do, a few times a quarter; so the message says `late`, and it is a warning.
pub const LATE_AFTER: SignedDuration = SignedDuration::from_mins(15);

/// One that did not come back by then is not waited for any more: longer than the vendor's usual delays.
pub const GIVEN_UP_AFTER: SignedDuration = SignedDuration::from_hours(3);

/// A webhook that arrived so lately may still be on its way through our own queue.
const UNDER_WAY: SignedDuration = SignedDuration::from_mins(1);

/// Event times are whole seconds of another clock: one may lie so much before what caused it.
const EARLY: SignedDuration = SignedDuration::from_secs(2);

/// Arrivals kept for tick, which looks every minute.
const ARRIVALS: usize = 200;

/// Local days kept: the digest asks for the one before.
const DAYS: usize = 3;

/// An event that went out and has not come back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flight {
    pub id: String,
    pub sent_at: Timestamp,
    /// The local day that it counts on.
    day: Date,
    /// What the Track API said; `None` while nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    said: Option<Said>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Said {
    Taken,
    NotTaken(String),
}

/// One that came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Back {
    pub sent_at: Timestamp,
    pub arrived: Timestamp,
}

impl Back {
    /// How long its round trip took; never negative.
    pub fn took(&self) -> SignedDuration {
        self.arrived.duration_since(self.sent_at).max(SignedDuration::ZERO)
    }
}

/// A webhook of the canary's campaign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// The id of the event that started the workflow, where the webhook says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<String>,
    /// The run that it belongs to, where the webhook says so: all webhooks of a round have the same, and a ULID of when
    /// the run began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    pub at: Timestamp,
    pub arrived: Timestamp,
}

impl Arrival {
    /// Whether both are of one round.
    fn is_of_the_round_of(&self, other: &Self) -> bool {
        match (&self.trigger, &self.run) {
            (Some(_), _) => self.trigger == other.trigger,
            (None, Some(_)) => self.run == other.run,
            (None, None) => self == other,
        }
    }

    /// Whether it may answer what was sent then. Nothing arrives before it was sent, by our own clock; and nothing
    /// answers what was sent after its run began, or where no run is named after it happened, by Customer.io's.
    fn may_answer(&self, sent_at: Timestamp) -> bool {
        let begun = self.run.as_deref().and_then(journeys::began).unwrap_or(self.at);
        sent_at <= begun + EARLY && sent_at <= self.arrived
    }
}

/// The latest arrivals, earliest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Arrivals(pub Vec<Arrival>);

impl Arrivals {
    /// Adds those that say something new; says whether any did. The first webhook of a message is its answer: what comes
    /// after it (delivered, opened) is none.
    pub fn add(&mut self, arrivals: impl IntoIterator<Item = Arrival>) -> bool {
        let before = self.0.clone();
        for arrival in arrivals {
            let known = self.0.iter_mut().find(|known| arrival.is_of_the_round_of(known));
            match known {
                Some(known) if known.arrived <= arrival.arrived => {}
                Some(known) => *known = arrival,
                None => self.0.push(arrival),
            }
        }
        self.0.sort_by_key(|arrival| arrival.arrived);
        if let Some(newest) = self.0.last().map(|arrival| arrival.arrived) {
            self.0.retain(|arrival| newest.duration_since(arrival.arrived) < GIVEN_UP_AFTER);
        }
        self.0.drain(..self.0.len().saturating_sub(ARRIVALS));
        self.0 != before
    }
}

/// Those in a row that did not come back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// When the first of them was sent.
    pub since: Timestamp,
    pub count: u64,
    pub leg: Leg,
}

/// How the canary stands, for those who are told of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    pub missing: Option<Missing>,
    pub back: Option<Back>,
}

/// All that is remembered of the canary.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Log {
    /// Sent and not back, oldest first.
    #[serde(default)]
    flights: Vec<Flight>,
    /// When the latest was sent.
    #[serde(default)]
    pub last_sent: Option<Timestamp>,
    /// Of those that came back, the one that was sent last.
    #[serde(default)]
    pub back: Option<Back>,
    /// What arrived last did not name the event that it answers: then one is out at a time.
    #[serde(default)]
    unnamed: bool,
    /// By the local day on which they were sent.
    #[serde(default)]
    days: BTreeMap<Date, Day>,
}

impl Log {
    /// Whether another may go out. Where arrivals do not name what they answer, none does while one is out that is not
    /// late yet: of two that are out together nobody could tell which one is back.
    pub fn may_begin(&self, now: Timestamp) -> bool {
        let is_out = |flight: &Flight| {
            (SignedDuration::ZERO..LATE_AFTER).contains(&now.duration_since(flight.sent_at))
                && self.back.is_none_or(|back| back.sent_at < flight.sent_at)
                && !matches!(flight.said, Some(Said::NotTaken(_)))
        };
        !self.unnamed || !self.flights.iter().any(is_out)
    }

    /// One is about to go out.
    pub fn begin(&mut self, id: &str, at: Timestamp, zone: &TimeZone) {
        self.last_sent = Some(at);
        let day = zone.to_datetime(at).date();
        self.flights.push(Flight { id: id.to_owned(), sent_at: at, day, said: None });
        self.day(day).sent += 1;
        while self.days.len() > DAYS {
            self.days.pop_first();
        }
    }

    /// What became of sending it.
    pub fn went_out(&mut self, id: &str, sent: &Sent) {
        let Some(flight) = self.flights.iter_mut().find(|flight| flight.id == id) else { return };
        let day = flight.day;
        flight.sent_at = sent.at.max(flight.sent_at);
        flight.said = Some(match &sent.taken {
            Ok(()) => Said::Taken,
            Err(why) => Said::NotTaken(why.clone()),
        });
        if sent.taken.is_err() {
            self.day(day).refused += 1;
        }
    }

    /// Takes those for back that these arrivals answer, and gives up what was sent long ago.
    pub fn settle(&mut self, arrivals: &Arrivals, now: Timestamp) {
        self.unnamed = arrivals.0.last().map_or(self.unnamed, |newest| newest.trigger.is_none());
        for arrival in &arrivals.0 {
            let Some(index) = self.answered_by(arrival) else { continue };
            let Flight { sent_at, day, .. } = self.flights.remove(index);
            let back = Back { sent_at, arrived: arrival.arrived };
            self.day(day).back(back.took());
            if self.back.is_none_or(|latest| latest.sent_at <= sent_at) {
                self.back = Some(back);
            }
        }
        self.flights.retain(|flight| now.duration_since(flight.sent_at) < GIVEN_UP_AFTER);
    }

    /// By the id where there is one; else the latest that had been sent when it happened, unless that one is back.
    fn answered_by(&self, arrival: &Arrival) -> Option<usize> {
        if let Some(trigger) = &arrival.trigger {
            return self.flights.iter().position(|flight| flight.id == *trigger);
        }
        let latest = self.flights.iter().rposition(|flight| arrival.may_answer(flight.sent_at))?;
        let is_back = |flight: &Flight| {
            self.back.is_some_and(|back| arrival.may_answer(back.sent_at) && flight.sent_at < back.sent_at)
        };
        self.flights.get(latest).filter(|flight| !is_back(flight)).map(|_| latest)
    }

    /// Whether too many in a row are missing; `webhook` is the latest that arrived at all, processed or not.
    pub fn missing(&self, webhook: Option<&Arrival>, now: Timestamp) -> Option<Missing> {
        let after = self.back.map(|back| back.sent_at);
        let gone: Vec<&Flight> = self.flights.iter().filter(|f| after.is_none_or(|after| f.sent_at > after)).collect();
        let first = gone.first().filter(|_| gone.len() >= IN_A_ROW)?;
        if now.duration_since(first.sent_at) < LATE_AFTER {
            return None;
        }
        let answers = |webhook: &&Arrival| match &webhook.trigger {
            Some(trigger) => gone.iter().any(|flight| flight.id == *trigger),
            None => webhook.may_answer(first.sent_at),
        };
        let webhook = webhook.filter(answers);
        let leg = match gone.iter().rev().find_map(|flight| flight.said.as_ref()) {
            Some(Said::NotTaken(why)) => Leg::TrackApi { why: why.clone() },
            _ if webhook.is_some_and(|w| now.duration_since(w.arrived) < UNDER_WAY) => return None,
            _ if webhook.is_some() => Leg::Processing,
            Some(Said::Taken) => Leg::Workflow,
            None => Leg::TrackApi { why: "sending it was cut off".to_owned() },
        };
        Some(Missing { since: first.sent_at, count: gone.len() as u64, leg })
    }

    /// What was sent on a local day.
    pub fn of_day(&self, date: Date) -> Day {
        self.days.get(&date).cloned().unwrap_or_default()
    }

    fn day(&mut self, date: Date) -> &mut Day {
        self.days.entry(date).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn t(clock: &str) -> Timestamp {
        format!("2026-11-24T{clock}Z").parse().expect("a time")
    }

    /// Sent at these times, under these times as ids, with this answer.
    fn sent(clocks: &[&str], taken: Result<(), &str>) -> Log {
        let mut log = Log::default();
        for clock in clocks {
            log.begin(clock, t(clock), &TimeZone::UTC);
            let sent = Sent { at: t(clock), taken: taken.map_err(str::to_owned) };
            log.went_out(clock, &sent);
        }
        log
    }

    fn arrival(trigger: Option<&str>, at: &str, arrived: &str) -> Arrival {
        Arrival { trigger: trigger.map(str::to_owned), run: None, at: t(at), arrived: t(arrived) }
    }

    /// Of a run that began then.
    fn of_run(began: &str, at: &str, arrived: &str) -> Arrival {
        let run = crate::canary::event_id("its run", t(began));
        Arrival { run: Some(run), ..arrival(None, at, arrived) }
    }

    fn settled(mut log: Log, arrivals: &[Arrival], now: &str) -> Log {
        let mut heard = Arrivals::default();
        heard.add(arrivals.iter().cloned());
        log.settle(&heard, t(now));
        log
    }

    const FOUR: [&str; 4] = ["10:00:00", "10:05:00", "10:10:00", "10:15:00"];

    #[test]
    fn three_in_a_row_of_which_the_first_went_a_quarter_of_an_hour_ago_are_missing() {
        let leg = |log: &Log, now| log.missing(None, t(now)).map(|m| (m.since, m.count));
        assert_eq!(leg(&sent(&FOUR[..3], Ok(())), "10:14:59"), None);
        assert_eq!(leg(&sent(&FOUR[..3], Ok(())), "10:15:00"), Some((t("10:00:00"), 3)));
        assert_eq!(leg(&sent(&FOUR[..2], Ok(())), "10:59:00"), None, "two may be lost");
        // One that came back in between begins the row anew.
        let back = settled(sent(&FOUR, Ok(())), &[arrival(Some("10:10:00"), "10:10:01", "10:10:03")], "10:40:00");
        assert_eq!(leg(&back, "10:40:00"), None);
    }

    #[test]
    fn the_leg_is_the_last_one_that_was_passed() {
        let leg = |log: &Log, webhook: Option<Arrival>| log.missing(webhook.as_ref(), t("10:20:00")).map(|m| m.leg);
        let taken = sent(&FOUR, Ok(()));
        assert_eq!(leg(&taken, None), Some(Leg::Workflow));
        assert_eq!(
            leg(&sent(&FOUR, Err("it answered 401")), None),
            Some(Leg::TrackApi { why: "it answered 401".into() })
        );
        let ours = |arrived| Some(arrival(Some("10:05:00"), "10:05:01", arrived));
        assert_eq!(leg(&taken, ours("10:06:00")), Some(Leg::Processing));
        assert_eq!(leg(&taken, ours("10:19:30")), None, "it may be on its way");
        assert_eq!(leg(&taken, Some(arrival(Some("other"), "10:05:01", "10:06:00"))), Some(Leg::Workflow));
        assert_eq!(leg(&taken, Some(arrival(None, "10:05:01", "10:06:00"))), Some(Leg::Processing));
        assert_eq!(leg(&taken, Some(arrival(None, "09:55:01", "09:55:02"))), Some(Leg::Workflow));
        let mut cut_off = Log::default();
        FOUR.iter().for_each(|clock| cut_off.begin(clock, t(clock), &TimeZone::UTC));
        assert_eq!(leg(&cut_off, None), Some(Leg::TrackApi { why: "sending it was cut off".into() }));
    }

    #[test]
    fn the_first_webhook_of_an_event_is_its_answer_in_any_order_and_any_number() {
        let first = arrival(Some("10:05:00"), "10:05:01", "10:05:03");
        let second = arrival(Some("10:05:00"), "10:05:02", "10:05:09");
        let mut heard = Arrivals::default();
        assert!(heard.add([second.clone()]) && heard.add([first.clone()]));
        assert!(!heard.add([second, first.clone()]));
        assert_eq!(heard.0, [first]);
        let mut log = sent(&FOUR, Ok(()));
        for _ in 0..2 {
            log.settle(&heard, t("10:20:00"));
            let day = log.of_day(jiff::civil::date(2026, 11, 24));
            assert_eq!((day.sent, day.came_back(), day.median()), (4, 1, Some(SignedDuration::from_secs(3))));
        }
    }

    #[test]
    fn without_an_id_the_latest_that_had_been_sent_is_answered_once() {
        let log = settled(
            sent(&["10:00:00", "10:05:00", "10:10:00"], Ok(())),
            &[
                // Sent, delivered: of one message.
                arrival(None, "10:05:01", "10:05:03"),
                arrival(None, "10:05:04", "10:05:06"),
                arrival(None, "09:59:00", "10:05:07"),
            ],
            "10:12:00",
        );
        assert_eq!(log.back, Some(Back { sent_at: t("10:05:00"), arrived: t("10:05:03") }));
        let left: Vec<&str> = log.flights.iter().map(|flight| flight.id.as_str()).collect();
        assert_eq!(left, ["10:00:00", "10:10:00"]);
    }

    #[test]
    fn without_an_id_no_old_arrival_answers_a_new_round() {
        let out = |log: &Log| log.flights.iter().map(|flight| flight.id.clone()).collect::<Vec<_>>();
        let two = ["10:00:00", "10:05:00"];
        // It arrived before the second was sent, though the sender's clock is ahead by more.
        let early = settled(sent(&two, Ok(())), &[arrival(None, "10:05:30", "10:00:03")], "10:06:00");
        assert_eq!(out(&early), ["10:05:00"]);
        // Its message is opened after the second was sent: of a run that began before.
        let opened = [of_run("10:00:01", "10:00:02", "10:00:03"), of_run("10:00:01", "10:06:00", "10:06:01")];
        assert_eq!(out(&settled(sent(&two, Ok(())), &opened, "10:07:00")), ["10:05:00"]);
        // The first webhook of that run is long forgotten, and its round too.
        let forgotten = settled(sent(&two, Ok(())), &[of_run("06:00:01", "10:06:00", "10:06:01")], "10:07:00");
        assert_eq!(out(&forgotten), two);
        let of_second = settled(sent(&two, Ok(())), &[of_run("10:05:01", "10:06:00", "10:06:01")], "10:07:00");
        assert_eq!(out(&of_second), ["10:00:00"]);
    }

    #[test]
    fn without_an_id_only_one_round_is_out_until_it_is_late() {
        let mut log = settled(sent(&["10:00:00"], Ok(())), &[arrival(None, "10:00:01", "10:00:03")], "10:05:00");
        assert!(log.may_begin(t("10:05:00")), "it is back");
        log.begin("second", t("10:05:00"), &TimeZone::UTC);
        log.settle(&Arrivals::default(), t("10:06:00"));
        assert_eq!(["10:10:00", "10:19:59", "10:20:00"].map(|now| log.may_begin(t(now))), [false, false, true]);
        let refused = Sent { at: t("10:05:00"), taken: Err("it answered 503".to_owned()) };
        log.went_out("second", &refused);
        assert!(log.may_begin(t("10:10:00")), "what was not taken is not out");
        // Where arrivals name what they answer, the next need not wait.
        let named = settled(sent(&FOUR, Ok(())), &[arrival(Some("10:00:00"), "10:00:01", "10:00:03")], "10:15:00");
        assert!(named.may_begin(t("10:15:00")));
    }

    #[test]
    fn without_an_id_an_answer_that_is_late_is_that_of_the_round_it_happened_in() {
        // The first was late at 10:15, so the second went out; then the first one's answer comes.
        let late = |answer| {
            let mut log = settled(sent(&["09:55:00"], Ok(())), &[arrival(None, "09:55:01", "09:55:03")], "09:56:00");
            for clock in ["10:00:00", "10:15:00"] {
                assert!(log.may_begin(t(clock)));
                log.begin(clock, t(clock), &TimeZone::UTC);
                log.went_out(clock, &Sent { at: t(clock), taken: Ok(()) });
            }
            let log = settled(log, &[answer], "10:18:00");
            (log.back.map(|back| back.took()), log.flights.into_iter().map(|flight| flight.id).collect::<Vec<_>>())
        };
        let first = (Some(SignedDuration::from_mins(17)), vec!["10:15:00".to_owned()]);
        assert_eq!(late(arrival(None, "10:00:01", "10:17:00")), first, "held back by the sender");
        assert_eq!(late(of_run("10:00:01", "10:16:50", "10:17:00")), first, "sent late by the workflow");
        // Neither its run nor its time says so: it may as well be the second's, and is taken for it.
        let second = (Some(SignedDuration::from_mins(2)), vec!["10:00:00".to_owned()]);
        assert_eq!(late(arrival(None, "10:16:50", "10:17:00")), second);
    }

    #[test]
    fn one_that_comes_hours_later_is_still_back_and_then_it_is_given_up() {
        let log = settled(sent(&FOUR, Ok(())), &[arrival(Some("10:00:00"), "12:40:00", "12:41:00")], "12:41:00");
        assert_eq!(log.back.map(|back| back.took()), Some(SignedDuration::from_mins(161)));
        assert_eq!(log.missing(None, t("12:41:00")).map(|m| m.since), Some(t("10:05:00")), "the others are missing");
        assert_eq!(settled(log, &[], "13:20:00").flights, []);
    }

    #[test]
    fn a_log_is_read_as_it_was_written() {
        let log = settled(sent(&FOUR, Err("x")), &[arrival(Some("10:00:00"), "10:00:01", "10:00:02")], "10:20:00");
        let json = serde_json::to_string(&log).expect("JSON");
        assert_eq!(serde_json::from_str::<Log>(&json).expect("a log"), log);
        assert_eq!(serde_json::from_str::<Log>("{}").expect("a log"), Log::default());
    }
}
