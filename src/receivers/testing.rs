//! For tests: a message to say, and a stand-in server whose answer can be flipped between requests.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use proptest::prelude::*;
use tokio::net::TcpListener;

use super::Outcome;
use crate::incident::Severity;
use crate::message::{About, Field, Link, Message, Phase};
use crate::route::{Label, Labels};

/// What somebody did.
pub const ACTED: &str = "Acknowledged by Ada (name not verified; link sent to \"lifecycle\") at 14:04";

pub fn now() -> Timestamp {
    "2026-11-24T13:05:00Z".parse().unwrap()
}

/// Every reason to send.
pub const PHASES: [Phase; 9] = [
    Phase::Opened,
    Phase::Worsened,
    Phase::StillOpen,
    Phase::Updated,
    Phase::Acted,
    Phase::Resolved,
    Phase::OpenedAndResolved,
    Phase::Digest,
    Phase::Test,
];

/// A message as the bridge would compose it.
pub fn message(phase: Phase) -> Message {
    let headline = match phase {
        Phase::Opened | Phase::Test => {
            "Password reset (transactional 2): 12 emails failed since 14:02, cause render_error"
        }
        Phase::Worsened => "Password reset (transactional 2): now critical, 40 emails failed since 14:02",
        Phase::StillOpen | Phase::Updated | Phase::Acted => {
            "Password reset (transactional 2): still failing after 4 h, 212 emails"
        }
        Phase::Resolved => "Password reset (transactional 2): resolved after 35 min, 12 emails had failed",
        Phase::OpenedAndResolved => "Password reset (transactional 2): 12 emails failed 14:02 to 14:09, over now",
        Phase::Digest => "acme on Mon 23 Nov: 2 incidents, 12,040 messages sent",
    };
    let labels = Labels::from([
        (Label::Severity, vec!["critical".into()]),
        (Label::Kind, vec!["rule".into()]),
        (Label::Rule, vec!["transactional-failing".into()]),
        (Label::Source, vec!["transactional:2".into()]),
        (Label::Owner, vec!["platform".into()]),
        (Label::Channel, vec!["email".into()]),
        (Label::Metric, vec!["email_failed".into()]),
        (Label::Cause, vec!["render_error".into()]),
    ]);
    let digest = phase == Phase::Digest;
    let unless_digest = |lines: &[&str]| match digest {
        true => Vec::new(),
        false => lines.iter().map(|l| (*l).to_owned()).collect(),
    };
    Message {
        phase,
        severity: if digest { Severity::Info } else { Severity::Critical },
        workspace: "acme".into(),
        key: "0f3a9c1e77b24d5580aa11bb22cc33dd".into(),
        episode: 1,
        incident: "0f3a9c1e-1".into(),
        ended: phase.is_over().then_some(crate::incident::How::Quiet),
        headline: headline.into(),
        labels: if digest { Labels::from([(Label::Kind, vec!["digest".into()])]) } else { labels },
        about: match digest {
            true => About::default(),
            false => About {
                sources: vec!["transactional:2".into()],
                rule: Some("transactional-failing".into()),
                heartbeat: None,
                metric: Some("email_failed".into()),
                cause: Some("render_error".into()),
                count: 12,
                of: 400,
            },
        },
        fields: match digest {
            true => vec![],
            false => vec![
                Field { name: "Where", value: "Password reset (transactional 2)".into() },
                Field { name: "How many", value: "12 of 400 (3.0 %)".into() },
                Field { name: "Cause", value: "render_error: the template asks for data that is not there".into() },
            ],
        },
        samples: unless_digest(&["liquid error: undefined <plan> & 'tier' for <masked>"]),
        steps: unless_digest(&[
            "Open the message's editor and preview it with a failing person.",
            "Undo the last edit.",
        ]),
        lines: match digest {
            true => vec!["Password reset (transactional 2): 1 incident, 35 min".into(), "Activation: 44 of 40".into()],
            false => vec![],
        },
        runbook: None,
        links: vec![Link {
            text: "Deliveries & drafts".into(),
            href: "https://fly.customer.io/env/12345/deliveries?type=failed&page=1".into(),
        }],
        since: "2026-11-24T13:02:00Z".parse().unwrap(),
        acted: (phase == Phase::Acted).then(|| ACTED.to_owned()),
        note: None,
    }
}

fn text() -> impl Strategy<Value = String> + Clone {
    prop_oneof![
        8 => "\\PC{0,80}",
        4 => "[<>&|`*_~!@#a-z ]{0,60}",
        2 => Just("&amp;&lt;!channel&gt; <!channel> <https://evil.example|ok> ``` ".to_owned()),
        2 => any::<String>(),
        1 => Just("\u{0}\u{1}\u{7f}\r\n\t\u{2028}\u{feff}\u{ffff}".to_owned()),
        1 => ("[<&\"\\\\\u{1}ä🦀a]", 1usize..100_000).prop_map(|(unit, n)| unit.repeat(n)),
    ]
    .boxed()
}

/// Any message at all: every text may be empty, huge, or hostile.
pub fn any_message() -> impl Strategy<Value = Message> {
    let texts = |most| proptest::collection::vec(text(), 0..most);
    let head = (0..PHASES.len(), 0usize..3, text(), text(), text(), text());
    let about = (texts(4), proptest::option::of(text()), proptest::option::of(text()), any::<u64>(), any::<u64>());
    let detail = (texts(25), texts(4), texts(12), texts(30), texts(4), proptest::option::of(text()));
    (head, about, detail).prop_map(move |(head, about, detail)| {
        let names = ["Where", "Since", "source", "Cause", "How many"];
        Message {
            phase: PHASES[head.0],
            severity: Severity::ALL[head.1],
            workspace: head.2,
            key: head.3,
            episode: 1,
            incident: head.4,
            headline: head.5,
            ended: None,
            labels: Labels::from([(Label::Owner, about.0.clone()), (Label::Kind, vec!["rule".into()])]),
            about: About {
                sources: about.0,
                rule: about.1.clone(),
                heartbeat: about.2.clone(),
                metric: about.1,
                cause: about.2,
                count: about.3,
                of: about.4,
            },
            fields: detail
                .0
                .into_iter()
                .enumerate()
                .map(|(i, value)| Field { name: names[i % names.len()], value })
                .collect(),
            samples: detail.1,
            steps: detail.2,
            lines: detail.3,
            runbook: None,
            links: detail
                .4
                .into_iter()
                .map(|t| Link { text: t.clone(), href: format!("https://x.example/{t}") })
                .collect(),
            since: now(),
            acted: detail.5.clone(),
            note: detail.5,
        }
    })
}

/// What the stand-in does with the next request.
#[derive(Clone)]
enum Behaviour {
    Answer {
        status: u16,
        headers: Vec<(String, String)>,
        body: String,
    },
    /// Answers like this once, then with the rest.
    Script(Vec<(u16, String)>),
    Hang,
    HangUp,
}

/// A request that the stand-in saw.
#[derive(Clone, Debug)]
pub struct Seen {
    pub path: String,
    pub headers: hyper::HeaderMap,
    pub body: String,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

struct State {
    behaviour: Behaviour,
    seen: Vec<Seen>,
}

/// A local HTTP server that stands in for a receiver.
pub struct StandIn {
    base: String,
    state: Arc<Mutex<State>>,
}

impl StandIn {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let behaviour = Behaviour::Answer { status: 200, headers: vec![], body: String::new() };
        let state = Arc::new(Mutex::new(State { behaviour, seen: vec![] }));
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                let service = service_fn(move |request| reply(Arc::clone(&state), request));
                let connection =
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                tokio::spawn(connection);
            }
        });
        Self { base, state }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub fn answer(&self, status: u16, headers: &[(&str, &str)], body: &str) {
        let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        self.state.lock().unwrap().behaviour = Behaviour::Answer { status, headers, body: body.to_owned() };
    }

    /// Answers in turn, one request each.
    pub fn script(&self, answers: &[(u16, &str)]) {
        let answers = answers.iter().map(|(status, body)| (*status, (*body).to_owned())).collect();
        self.state.lock().unwrap().behaviour = Behaviour::Script(answers);
    }

    pub fn hang(&self) {
        self.state.lock().unwrap().behaviour = Behaviour::Hang;
    }

    pub fn hang_up(&self) {
        self.state.lock().unwrap().behaviour = Behaviour::HangUp;
    }

    /// The requests since the last call.
    pub fn requests(&self) -> Vec<Seen> {
        std::mem::take(&mut self.state.lock().unwrap().seen)
    }
}

async fn reply(state: Arc<Mutex<State>>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, std::io::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(|b| b.to_bytes()).unwrap_or_default();
    let next = {
        let mut state = state.lock().unwrap();
        state.seen.push(Seen {
            path: head.uri.to_string(),
            headers: head.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        });
        match &mut state.behaviour {
            Behaviour::Script(answers) if !answers.is_empty() => {
                let (status, body) = answers.remove(0);
                Behaviour::Answer { status, headers: vec![], body }
            }
            other => other.clone(),
        }
    };
    match next {
        Behaviour::Answer { status, headers, body } => {
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            Ok(response.body(Full::new(Bytes::from(body))).unwrap())
        }
        Behaviour::Script(_) => panic!("the script is over"),
        Behaviour::Hang => {
            tokio::time::sleep(Duration::from_secs(60)).await;
            Err(std::io::Error::other("hung"))
        }
        Behaviour::HangUp => Err(std::io::Error::other("hung up")),
    }
}

/// What an outcome is, in a word.
pub fn kind_of(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Delivered(_) => "delivered",
        Outcome::Retry { .. } | Outcome::Lost(_) => "retry",
        Outcome::BadMessage(_) => "bad message",
        Outcome::BadReceiver(_) => "bad receiver",
    }
}
