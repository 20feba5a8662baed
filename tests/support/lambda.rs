//! The bridge on AWS: the built functions, what is between them, and what Lambda does around them: the Function URL
//! and the schedule. A test starts the functions it needs and moves the messages itself ([`super::event_source`]).

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use serde_json::Value;

use super::clock::Faketime;
use super::dynalite::Table;
use super::event::Event;
use super::event_source::Queue;
use super::gate::Gate;
use super::http::{Answer, signature};
use super::moto::Moto;
use super::runtime_api::{Function, InvocationError, Lambda};
use super::serve::{SIGNING_KEY, Setup, WEBHOOK};

/// As in the template: messages of the events queue that one invocation gets at most.
pub const EVENTS_BATCH: usize = 100;
/// The same of the hints queue.
pub const HINTS_BATCH: usize = 10;

/// An address that is not Customer.io's.
const ELSEWHERE: &str = "198.51.100.7";

#[derive(Clone, Copy, Debug)]
pub enum Step {
    Ingest,
    Evaluate,
    Deliver,
    Tick,
}

/// Everything of the bridge but its functions.
pub struct Stack {
    pub setup: Setup,
    pub events: Queue,
    pub hints: Queue,
    pub table: Table,
    /// The doors that the functions reach SQS and DynamoDB through.
    pub sqs: Gate,
    pub dynamo: Gate,
}

impl Stack {
    /// With this configuration and the variables that it refers to.
    pub async fn new(setup: Setup) -> Self {
        let (events, hints) = (Queue::create("events", 10).await, Queue::create("hints", 20).await);
        let (moto, table) = (Moto::shared(), Table::create().await);
        let (sqs, dynamo) = (Gate::to(moto.url()).await, Gate::to(table.url()).await);
        Self { setup, events, hints, table, sqs, dynamo }
    }

    /// The function as the template would set it up; a test may change it before it starts.
    pub fn function(&self, step: Step) -> Function {
        let program = match step {
            Step::Ingest => env!("CARGO_BIN_EXE_ingest"),
            Step::Evaluate => env!("CARGO_BIN_EXE_evaluate"),
            Step::Deliver => env!("CARGO_BIN_EXE_deliver"),
            Step::Tick => env!("CARGO_BIN_EXE_tick"),
        };
        Function::new(program)
            .envs(self.setup.vars())
            .env("BRIDGE_CONFIG", self.setup.config_file().to_str().expect("a path"))
            .env("BRIDGE_TABLE", &self.table.name)
            .env("BRIDGE_EVENTS_QUEUE", &self.events.url)
            .env("BRIDGE_HINTS_QUEUE", &self.hints.url)
            .env("BRIDGE_LOG", "info")
            .env("AWS_ENDPOINT_URL", Moto::shared().url())
            .env("AWS_ENDPOINT_URL_SQS", &self.sqs.url())
            .env("AWS_ENDPOINT_URL_DYNAMODB", &self.dynamo.url())
    }

    pub async fn start(&self, step: Step) -> Lambda {
        self.function(step).start().await
    }

    /// Starts it under a clock that shows `when` now and runs at the usual speed.
    pub async fn start_at(&self, step: Step, fake: &Faketime, when: &str) -> Lambda {
        self.function(step).under(fake.restarted_at(when)).start().await
    }

    /// Moves messages through both functions until neither queue shows any.
    pub async fn settle(&self, evaluate: &Lambda, deliver: &Lambda) {
        loop {
            let events = self.events.pass(evaluate, EVENTS_BATCH).await;
            let hints = self.hints.pass(deliver, HINTS_BATCH).await;
            if events.received + hints.received == 0 {
                return;
            }
        }
    }
}

/// A webhook as it comes through the Function URL, signed by this key at this instant.
pub fn webhook(key: &str, now: Timestamp, body: &[u8]) -> Value {
    let stamp = now.as_second().to_string();
    let signature = signature(key, &stamp, body);
    request("POST", WEBHOOK, &[("x-cio-timestamp", &stamp), ("x-cio-signature", &signature)], body)
}

/// A request as it comes through the Function URL. Header names are in lower case there, and a body of text is text.
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html>.
pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Value {
    let mut event: Value =
        serde_json::from_str(include_str!("../../events/lambda/function_url.json")).expect("the sample");
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    event["rawPath"] = path.into();
    event["rawQueryString"] = query.into();
    event["requestContext"]["http"]["method"] = method.into();
    event["requestContext"]["http"]["path"] = path.into();
    event["requestContext"]["http"]["sourceIp"] = ELSEWHERE.into();
    let sample = event["headers"].as_object_mut().expect("headers");
    sample.retain(|name, _| !name.starts_with("x-cio-"));
    event["headers"]["x-forwarded-for"] = ELSEWHERE.into();
    event["headers"]["content-length"] = body.len().to_string().into();
    for (name, value) in headers {
        event["headers"][name.to_ascii_lowercase()] = (*value).into();
    }
    event["body"] = std::str::from_utf8(body).expect("text").into();
    event
}

/// The same request with its body in base64, as Lambda sends what it does not take for text.
pub fn in_base64(mut event: Value, body: &[u8]) -> Value {
    use base64::Engine;
    event["body"] = base64::engine::general_purpose::STANDARD.encode(body).into();
    event["isBase64Encoded"] = true.into();
    event
}

/// What the caller of the Function URL sees: a function that fails is a 502.
pub async fn call(ingest: &Lambda, event: &Value) -> Answer {
    let mut event = event.clone();
    event["requestContext"]["timeEpoch"] = ingest.clock.now().as_millisecond().into();
    let answer = match ingest.invoke(&event).await {
        Ok(answer) => answer,
        Err(error) => {
            let (headers, body) = (HeaderMap::new(), error.to_string().into());
            return Answer { status: 502, headers, body };
        }
    };
    let mut headers = HeaderMap::new();
    for (name, value) in answer["headers"].as_object().into_iter().flatten() {
        let name: HeaderName = name.parse().expect("a header name");
        headers.insert(name, HeaderValue::from_str(value.as_str().expect("text")).expect("a header value"));
    }
    let status = answer["statusCode"].as_u64().and_then(|code| u16::try_from(code).ok());
    let status = status.unwrap_or_else(|| panic!("no status code in {answer}"));
    assert!(answer["isBase64Encoded"] != true, "nothing we answer is binary: {answer}");
    Answer { status, headers, body: answer["body"].as_str().unwrap_or_default().to_owned().into() }
}

/// Posts an event as Customer.io does.
pub async fn post(ingest: &Lambda, event: &Event) -> Answer {
    call(ingest, &webhook(SIGNING_KEY, ingest.clock.now(), &event.bytes())).await
}

/// Posts an event, and again after a 503 as the sender does: the fake SQS of a busy machine may answer too late. It must be
/// taken in the end.
pub async fn deliver(ingest: &Lambda, event: &Event) {
    let until = std::time::Instant::now() + super::PATIENCE;
    loop {
        let answer = post(ingest, event).await;
        if answer.status == 200 {
            return;
        }
        let again = answer.status == 503 && std::time::Instant::now() < until;
        assert!(again, "{}: {}\n{}", answer.status, answer.text(), ingest.log());
    }
}

/// The schedule's invocation of tick. Lambda repeats one that fails; a test sees it instead.
pub async fn tick(tick: &Lambda) {
    let ticked = try_tick(tick).await;
    ticked.unwrap_or_else(|error| panic!("{error}\n{}", tick.log()));
}

pub async fn try_tick(tick: &Lambda) -> Result<Value, InvocationError> {
    let mut event: Value = serde_json::from_str(include_str!("../../events/lambda/schedule.json")).expect("the sample");
    event["time"] = tick.clock.now().strftime("%Y-%m-%dT%H:%M:00Z").to_string().into();
    tick.invoke(&event).await
}
