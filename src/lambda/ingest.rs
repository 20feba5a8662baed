//! The `ingest` function: a Function URL's request in, an answer out, and never anything else: an invocation that
//! fails is a 502, for which the sender holds everything back for an hour (design, law 2).

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use aws_sdk_sqs::error::DisplayErrorContext;
use futures_util::{FutureExt, TryFutureExt};
use hyper::Method;
use jiff::Timestamp;
use lambda_runtime::Error;

use super::bridge::{self, Bridge};
use super::meter::{self, Meter};
use super::url::{Reply, Request};
use super::{Failed, serve};
use crate::clock::{Clock, SystemClock};
use crate::steps::ingest::{Answer, Conclusion, Ingest, KeyRing, Refusals, Seen};

/// What `serve` answers without looking at anything; see there.
const HEALTH_PATH: &str = "/healthz";

/// The function in its environment.
pub struct Function {
    /// Without it every request is answered 503.
    ingest: Result<Ingest, Failed>,
    clock: Arc<dyn Clock>,
    meter: Meter,
}

/// Runs the function until the platform stops it.
pub async fn run() -> Result<(), Error> {
    let ingest = load().await;
    let function = Function { ingest, clock: Arc::new(SystemClock), meter: Meter::of_this_function() };
    serve(async |envelope, _| Ok(function.answer(envelope).await)).await
}

async fn load() -> Result<Ingest, Failed> {
    let bridge = Bridge::load().await?;
    let (sqs, queue) = (bridge.sqs(), bridge::events_queue()?);
    let (store, outbox) = (bridge.store()?, bridge.events(sqs.clone())?);
    let look = sqs.get_queue_attributes().queue_url(queue).send().map_err(DisplayErrorContext);
    let refs = bridge.config.customerio.signing_keys.clone();
    let keys = KeyRing::load(refs, bridge.secrets(), bridge.clock.now());
    let counts = async {
        let counts = bridge.config.counts.as_ref()?;
        Some(KeyRing::load(counts.signing_keys.clone(), bridge.secrets(), bridge.clock.now()).await)
    };
    let ((), keys, counts) = tokio::join!(bridge::warm_up("sqs", look), keys, counts);
    Ok(Ingest { store, outbox, config: bridge.config, keys, counts, refusals: Refusals::default() })
}

impl Function {
    /// Answers a request, in time.
    pub async fn answer(&self, envelope: &str) -> Reply {
        let now = self.clock.now();
        let reply = self.caught(envelope, now).await;
        self.meter.say(now);
        reply
    }

    async fn caught(&self, envelope: &str, now: Timestamp) -> Reply {
        AssertUnwindSafe(self.respond(envelope, now)).catch_unwind().await.unwrap_or_else(|_| {
            tracing::error!(event = "ingest_panicked");
            self.say(Answer::Unavailable)
        })
    }

    async fn respond(&self, envelope: &str, now: Timestamp) -> Reply {
        let request = match Request::read(envelope, now) {
            Ok(request) => request,
            Err(error) => {
                tracing::error!(event = "envelope_not_readable", %error);
                return self.say(Answer::Unavailable);
            }
        };
        let head = request.head();
        if head.path == HEALTH_PATH && request.method == Method::GET && !request.is_signed() {
            return Reply::healthy();
        }
        let Ok(ingest) = &self.ingest else { return self.say(Answer::Unavailable) };
        let concluded = tokio::time::timeout(Ingest::time_left(&head, now), self.webhook(ingest, &request)).await;
        match concluded {
            Ok(Ok(concluded)) => {
                // Before the answer, for nothing runs after it; the answer stands whatever comes of it.
                ingest.note(&concluded, Ingest::time_left(&head, self.clock.now())).await;
                let reply = self.say(concluded.answer);
                match concluded.text {
                    Some(text) => reply.with_json(text),
                    None => reply,
                }
            }
            Ok(Err(answer)) => self.say(answer),
            Err(_) => {
                tracing::error!(event = "deadline", "not stored in time");
                self.say(Answer::Unavailable)
            }
        }
    }

    /// An error is the answer to what was not looked at to its end.
    async fn webhook(&self, ingest: &Ingest, request: &Request<'_>) -> Result<Conclusion, Answer> {
        let head = request.head();
        ingest.mend_keys(head.arrived).await;
        let mut reading = match ingest.begin(&head) {
            Ok(reading) => reading,
            Err(Answer::Unavailable) => {
                self.meter.count(meter::KEYS_UNREADABLE, 1);
                return Err(Answer::Unavailable);
            }
            Err(answer) => return Err(answer),
        };
        if let Err(error) = request.feed(|bytes| reading.update(bytes)) {
            tracing::error!(event = "envelope_not_readable", %error);
            return Err(Answer::Unavailable);
        }
        let concluded = ingest.conclude(reading, &head).await;
        self.note(concluded.seen);
        Ok(concluded)
    }

    fn note(&self, seen: Seen) {
        match seen {
            Seen::Verified { key, quarantined, large } => {
                self.meter.count(meter::VERIFIED, 1);
                self.meter.count(meter::verified_by(key), 1);
                self.meter.count(meter::QUARANTINED, quarantined.into());
                self.meter.count(meter::TOO_LARGE, large.into());
            }
            Seen::NoMatch { from_sender } => {
                self.meter.count(meter::SIGNATURE_FAILURES, 1);
                self.meter.count(meter::SIGNATURE_FAILURES_FROM_SENDER, from_sender.into());
            }
            Seen::Counts => {}
            Seen::NoKey => self.meter.count(meter::KEYS_UNREADABLE, 1),
        }
    }

    fn say(&self, answer: Answer) -> Reply {
        self.meter.count(meter::answered(answer), 1);
        answer.into()
    }
}

#[cfg(test)]
mod tests;
