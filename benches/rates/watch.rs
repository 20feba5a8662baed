//! One source under watch: what `evaluate` and `tick` do each minute, with the crate's own judge.

use std::sync::Arc;

use cio_alert_bridge::clock::{Minute, Span, minutes};
use cio_alert_bridge::customerio::event::{Fate, Kind, Source};
use cio_alert_bridge::customerio::provider::Provider;
use cio_alert_bridge::incident::{Dimension, Group, How, Incident, IncidentKey, Numbers, Severity, State, Subject};
use cio_alert_bridge::rules::judge::{self, Evidence, Finding};
use cio_alert_bridge::rules::rate::BELOW;
use cio_alert_bridge::rules::wilson::{self, MIN_FAILURES};
use cio_alert_bridge::rules::{Condition, Rule};
use cio_alert_bridge::tally::{Cell, Series};
use jiff::SignedDuration;

use super::chance::Chance;
use super::world::Events;

/// The simulated time begins here.
const BEGIN: i64 = 29_000_000;

/// An event arrives up to this many minutes after it happened.
const LATEST: usize = 2;

/// Which rule watches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Opens {
    /// The product's.
    Judge,
    /// 3 failures or more and a plain rate above the limit, of the sends in the same window.
    Naive,
}

/// When an incident is taken to be quiet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Closes {
    /// The product's: from the last window above the lower limit.
    BelowItsOwnLimit,
    /// From the last window that would open it.
    NoLongerOpening,
    /// From the last failure, as for a count.
    NoFailure,
}

/// One episode, in minutes since the beginning.
#[derive(Clone, Copy, Debug)]
pub struct Episode {
    pub opened: usize,
    pub closed: Option<usize>,
}

/// A watched source.
pub struct Watch {
    rule: Rule,
    opens: Opens,
    closes: Closes,
    failed: Counted,
    sent: Counted,
    open: Option<Incident>,
    past: Vec<Incident>,
    /// The end of the last window in trouble, and the last failure in it.
    trouble: (Minute, jiff::Timestamp),
    pub episodes: Vec<Episode>,
}

/// Registers of one series.
struct Counted {
    series: Arc<Series>,
    by_minute: Vec<u32>,
}

/// `email_bounced` of `email_sent` above a limit, by source.
pub fn rule(above: f64, within_hours: i64) -> Rule {
    Rule {
        name: "simulated".into(),
        events: vec![Kind::known("email", "bounced")],
        sources: vec![],
        group_by: vec![Dimension::Source],
        condition: Condition::Rate {
            of: vec![Kind::known("email", "sent")],
            above,
            below: above * BELOW,
            within: SignedDuration::from_hours(within_hours),
            lag: SignedDuration::from_hours(1),
        },
        severity: Severity::Warning,
        quiet_for: None,
    }
}

impl Counted {
    fn of(metric: &'static str, minutes: usize) -> Self {
        let series = Series {
            kind: Kind::known("email", metric),
            source: "campaign:5".parse::<Source>().expect("a source"),
            action: None,
            cause: None,
            fingerprint: 0,
            provider: Provider::none(),
            fate: Fate::Counted,
        };
        Self { series: Arc::new(series), by_minute: vec![0; minutes] }
    }

    fn range(&self, span: Span) -> std::ops::Range<usize> {
        let place = |minute: Minute| (minute.0 - BEGIN).clamp(0, self.by_minute.len() as i64) as usize;
        place(span.from)..place(span.to)
    }

    fn sum(&self, span: Span) -> u64 {
        self.by_minute[self.range(span)].iter().map(|n| u64::from(*n)).sum()
    }

    /// As the store would answer.
    fn cells(&self, span: Span) -> Vec<Cell> {
        let range = self.range(span);
        let cell = |(place, count): (usize, &u32)| {
            let minute = Minute(BEGIN + place as i64);
            let last = minute.start() + SignedDuration::from_secs(30);
            (*count > 0).then(|| Cell { series: self.series.clone(), minute, count: u64::from(*count), last })
        };
        range.clone().zip(&self.by_minute[range]).filter_map(cell).collect()
    }
}

impl Watch {
    pub fn new(rule: Rule, opens: Opens, closes: Closes) -> Self {
        Self {
            rule,
            opens,
            closes,
            failed: Counted::of("bounced", 0),
            sent: Counted::of("sent", 0),
            open: None,
            past: Vec::new(),
            trouble: (Minute(BEGIN), Minute(BEGIN).start()),
            episodes: Vec::new(),
        }
    }

    /// Lives through the events in the order of their arrival, judging from a minute on until `enough`.
    pub fn live(&mut self, events: &Events, from: usize, chance: &mut Chance, enough: impl Fn(&Self) -> bool) {
        let minutes = events.sent.len();
        (self.failed, self.sent) = (Counted::of("bounced", minutes), Counted::of("sent", minutes));
        let (mut sent, mut failed) = (Waiting::default(), Waiting::default());
        for now in 0..minutes {
            sent.arrive(&mut self.sent.by_minute, &events.sent, now, chance);
            let touched = failed.arrive(&mut self.failed.by_minute, &events.failed, now, chance);
            if now >= from {
                self.minute(now, touched);
                if enough(self) {
                    return;
                }
            }
        }
    }

    fn minute(&mut self, now: usize, touched: Option<usize>) {
        let this = Minute(BEGIN + now as i64);
        if self.open.is_some() {
            self.watch_over(this, now, touched.is_some());
        }
        // Judging again what did not change would find the same: only new failures can make a rule true.
        let (Some(first), None) = (touched, &self.open) else { return };
        let first = Minute(BEGIN + first as i64);
        if let Some(found) = self.findings(judge::span_around(&self.rule, first, this), this) {
            self.trouble = (Minute::of(found.last), found.last);
            self.open = Some(self.incident(&found, this));
            self.episodes.push(Episode { opened: now, closed: None });
        }
    }

    /// What `steps::evaluate::findings` does over a store.
    fn findings(&self, span: Span, this: Minute) -> Option<Finding> {
        if self.opens == Opens::Naive {
            return self.naive(this);
        }
        if self.failed.sum(span) < MIN_FAILURES {
            return None;
        }
        let evidence = Evidence::of(&self.rule, &self.failed.cells(span));
        let (_, near) = judge::denominator(&self.rule, span)?;
        let evidence = evidence.with_sends(&self.rule, &self.sent.cells(near));
        let group = evidence.judge(&self.rule).pop()?.group;
        evidence.judge_news(&self.rule, &group, &self.past)?;
        let (_, far) = judge::look_back(&self.rule, span)?;
        evidence.looking_back(&self.rule, &self.sent.cells(far)).judge_news(&self.rule, &group, &self.past)
    }

    fn naive(&self, this: Minute) -> Option<Finding> {
        let window = Span::new(this.plus(-minutes(self.rule.within())), this.plus(1));
        let (count, of) = (self.failed.sum(window), self.sent.sum(window));
        let Condition::Rate { above, .. } = self.rule.condition else { return None };
        (count >= 3 && count as f64 > above * of as f64).then(|| Finding {
            group: group(),
            count,
            of,
            first: window.from,
            last: this.start() + SignedDuration::from_secs(30),
            series: vec![],
        })
    }

    /// What tick does with an open incident: `steps::troubles::ends`, remembering what was found the minute before.
    fn watch_over(&mut self, this: Minute, now: usize, touched: bool) {
        let ends = Span::new(this.plus(-(LATEST as i64)), this.plus(1));
        match self.closes {
            Closes::BelowItsOwnLimit => {
                if let Some(found) = self.latest_trouble(ends) {
                    self.trouble = (found.0.max(self.trouble.0), found.1.max(self.trouble.1));
                }
            }
            Closes::NoLongerOpening => {
                if self.still_opens(this) {
                    self.trouble = (this, this.start());
                }
            }
            Closes::NoFailure if touched => self.trouble = (this, this.start()),
            Closes::NoFailure => {}
        }
        let quiet = SignedDuration::from_mins(this.0 - self.trouble.0.0 - 1);
        let fixed = self.sent.sum(Span::new(self.trouble.0.plus(1), this.plus(1))) > 0;
        if quiet >= self.rule.quiet_for() && fixed {
            let Some(mut over) = self.open.take() else { return };
            over.last = self.trouble.1;
            over.state = State::Resolved { at: this.start(), how: How::Quiet };
            self.past.push(over);
            if let Some(episode) = self.episodes.last_mut() {
                episode.closed = Some(now);
            }
        }
    }

    fn still_opens(&self, this: Minute) -> bool {
        if self.opens == Opens::Naive {
            return self.naive(this).is_some();
        }
        let window = Span::new(this.plus(-minutes(self.rule.within())), this.plus(1));
        let Condition::Rate { above, .. } = self.rule.condition else { return false };
        let (count, of) = (self.failed.sum(window), self.sent.sum(window));
        wilson::is_above(count, of.max(count), above)
    }

    fn latest_trouble(&self, ends: Span) -> Option<(Minute, jiff::Timestamp)> {
        let evidence = Evidence::of(&self.rule, &self.failed.cells(judge::windows_of(&self.rule, ends)));
        let (_, near) = judge::denominator(&self.rule, ends)?;
        let evidence = evidence.with_sends(&self.rule, &self.sent.cells(near));
        let mut trouble = evidence.trouble(&self.rule, &group(), ends)?;
        if trouble.unclear {
            let (_, far) = judge::look_back(&self.rule, ends)?;
            trouble = evidence.looking_back(&self.rule, &self.sent.cells(far)).trouble(&self.rule, &group(), ends)?;
        }
        Some((trouble.ends, trouble.last))
    }

    fn incident(&self, found: &Finding, now: Minute) -> Incident {
        let subject = Subject::Rule { name: self.rule.name.clone(), group: group() };
        Incident {
            key: IncidentKey::new("simulated", &subject),
            episode: 1,
            version: 0,
            subject,
            severity: Severity::Warning,
            labels: Default::default(),
            receivers: vec![],
            state: State::Open,
            opened_at: now.start(),
            since: found.first.start(),
            last: found.last,
            found_late: false,
            numbers: Numbers { count: found.count, of: found.of },
            samples: vec![],
            lines: vec![],
            acts: vec![],
            diagnosis: None,
            crowded: false,
            settled: false,
        }
    }
}

fn group() -> Group {
    Group::from([(Dimension::Source, "campaign:5".to_owned())])
}

/// Events on their way: four of five arrive in their own minute, the others a minute or two later.
#[derive(Default)]
struct Waiting {
    later: [u32; LATEST],
}

impl Waiting {
    /// Adds what arrives now; the first minute that it belongs to.
    fn arrive(&mut self, seen: &mut [u32], happened: &[u32], now: usize, chance: &mut Chance) -> Option<usize> {
        let [one, two] = self.later;
        let one_late = chance.binomial(one, 0.75);
        let late = chance.binomial(happened[now], 0.2);
        let mut first = None;
        for (ago, count) in [(2, two), (1, one_late), (0, happened[now] - late)] {
            if count > 0 {
                seen[now - ago] += count;
                first = first.or(Some(now - ago));
            }
        }
        self.later = [late, one - one_late];
        first
    }
}
