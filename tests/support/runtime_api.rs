//! Lambda around one process: starts a built function as Lambda does and speaks the runtime API with it.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>, and for the environment
//! <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>. One server a process, on a port of its
//! own: the last request of a process that was killed cannot reach the next one. Nothing polls while a function
//! works, so that the time of an invocation is the function's.

mod tests;

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::clock::{Clock, Faketime};
use super::moto::{ACCOUNT, REGION};
use super::serve::follow;

/// The function's timeout, unless the test sets one; the process is killed then, as Lambda does it.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How long a function may take to ask for its first event (Lambda: 10 s; here the machine may be busy).
const INIT: Duration = Duration::from_secs(30);

/// How often a process is looked at while it owes an answer: only a crash is found this way.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Why an invocation has no result. On a Function URL each of these is a 502.
#[derive(Clone, Debug)]
pub enum InvocationError {
    /// The function reported it: `errorType` and `errorMessage`.
    Reported {
        kind: String,
        message: String,
    },
    /// The process ended.
    Died(String),
    TimedOut,
}

impl fmt::Display for InvocationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reported { kind, message } => write!(f, "failed with {kind}: {message}"),
            Self::Died(how) => write!(f, "died: {how}"),
            Self::TimedOut => f.write_str("timed out"),
        }
    }
}

/// What is to be started, before it is.
pub struct Function {
    command: Command,
    name: String,
    fake: Option<Faketime>,
    timeout: Duration,
}

impl Function {
    /// A built function, by the path of its program.
    pub fn new(program: &str) -> Self {
        let name = std::path::Path::new(program).file_stem().and_then(|n| n.to_str()).expect("a program").to_owned();
        let mut command = Command::new(program);
        command.env_clear();
        // Customers' variables cannot replace these; TZ and LANG are what Lambda sets.
        for (variable, value) in [
            ("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin"),
            ("LANG", "en_US.UTF-8"),
            ("TZ", ":UTC"),
            ("LAMBDA_TASK_ROOT", "/var/task"),
            ("LAMBDA_RUNTIME_DIR", "/var/runtime"),
            ("_HANDLER", "bootstrap"),
            ("AWS_REGION", REGION),
            ("AWS_DEFAULT_REGION", REGION),
            ("AWS_ACCESS_KEY_ID", "ASIATESTTESTTESTTEST"),
            ("AWS_SECRET_ACCESS_KEY", "test-secret-access-key"),
            ("AWS_SESSION_TOKEN", "test-session-token"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
            ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
            ("AWS_LAMBDA_LOG_LEVEL", "INFO"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "2026/11/24/[$LATEST]0123456789abcdef0123456789abcdef"),
        ] {
            command.env(variable, value);
        }
        command.env("AWS_LAMBDA_FUNCTION_NAME", &name);
        command.env("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{name}"));
        Self { command, name, fake: None, timeout: TIMEOUT }
    }

    pub fn args(mut self, args: &[&str]) -> Self {
        self.command.args(args);
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn envs<'a>(mut self, vars: impl IntoIterator<Item = (&'a String, &'a String)>) -> Self {
        self.command.envs(vars);
        self
    }

    pub fn under(mut self, fake: Faketime) -> Self {
        self.command.env("TZ", "UTC").envs(fake.env());
        self.fake = Some(fake);
        self
    }

    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Starts it and waits until it asks for its first event.
    pub async fn start(self) -> Lambda {
        let name = self.name.clone();
        self.try_start().await.unwrap_or_else(|why| panic!("{name} {why}"))
    }

    /// Starts it; an error says why it never asked for an event.
    pub async fn try_start(mut self) -> Result<Lambda, String> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        self.command
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let (events, queue) = mpsc::unbounded_channel();
        let arn = format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{}", self.name);
        let api = Arc::new(Api {
            arn,
            queue: tokio::sync::Mutex::new(queue),
            owed: Mutex::default(),
            first_next: OnceLock::new(),
            init_error: OnceLock::new(),
        });
        let serving = tokio::spawn(accept(listener, api.clone()));
        let spawned = Instant::now();
        let mut child = self.command.spawn().unwrap_or_else(|error| panic!("{}: {error}", self.name));
        let logs = [follow(child.stdout.take().expect("piped")), follow(child.stderr.take().expect("piped"))];
        let mut lambda = Lambda {
            name: self.name,
            child: Mutex::new(child),
            api,
            events,
            one_at_a_time: tokio::sync::Mutex::new(()),
            serving,
            logs,
            timeout: self.timeout,
            clock: Clock { fake: self.fake, spawned, ready: spawned },
        };
        lambda.wait_until_it_is_ready().await?;
        Ok(lambda)
    }
}

/// A running execution environment. It handles one event at a time.
pub struct Lambda {
    pub name: String,
    child: Mutex<Child>,
    api: Arc<Api>,
    events: mpsc::UnboundedSender<Invocation>,
    one_at_a_time: tokio::sync::Mutex<()>,
    serving: JoinHandle<()>,
    logs: [Arc<Mutex<String>>; 2],
    timeout: Duration,
    pub clock: Clock,
}

impl Lambda {
    async fn wait_until_it_is_ready(&mut self) -> Result<(), String> {
        loop {
            if let Some(at) = self.api.first_next.get() {
                self.clock.ready = *at;
                return Ok(());
            }
            if let Some(error) = self.api.init_error.get() {
                return Err(format!("reported that it cannot start: {error}\n{}", self.log()));
            }
            if let Some(ended) = self.ended() {
                return Err(format!("{ended} before it asked for an event\n{}", self.log()));
            }
            if self.clock.spawned.elapsed() > INIT {
                return Err(format!("does not ask for an event after {INIT:?}\n{}", self.log()));
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// From start to the first request for an event.
    pub fn first_next(&self) -> Duration {
        self.clock.ready - self.clock.spawned
    }

    /// The most memory that the process has held so far, in KiB (`VmHWM`); `None` where there is no /proc.
    pub fn peak_rss_kib(&self) -> Option<u64> {
        let id = self.child().id();
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().trim_end_matches("kB").trim().parse().ok()
    }

    /// Everything it has printed.
    pub fn log(&self) -> String {
        self.logs.iter().map(|log| log.lock().expect("no panic while it is held").clone()).collect()
    }

    /// Hands it an event and waits for the answer. An answer that is not JSON is `Value::String`.
    pub async fn invoke(&self, event: &Value) -> Result<Value, InvocationError> {
        let answer = self.invoke_bytes(event.to_string().into()).await?;
        let text = || Value::String(String::from_utf8_lossy(&answer).into_owned());
        Ok(serde_json::from_slice(&answer).unwrap_or_else(|_| text()))
    }

    /// The same without reading or writing JSON.
    pub async fn invoke_bytes(&self, event: Bytes) -> Result<Bytes, InvocationError> {
        let _turn = self.one_at_a_time.lock().await;
        let (answer, mut answered) = oneshot::channel();
        // Read by the function's own clock, or it would believe that its time is up.
        let left = jiff::SignedDuration::try_from(self.timeout).expect("fits");
        let deadline_ms = (self.clock.latest(Instant::now()) + left).as_millisecond();
        let _ = self.events.send(Invocation { event, deadline_ms, answer });
        let until = Instant::now() + self.timeout;
        loop {
            match tokio::time::timeout(LOOK_EVERY, &mut answered).await {
                Ok(Ok(answer)) => return answer,
                Ok(Err(_)) => return Err(InvocationError::Died("it hung up".into())),
                Err(_) => {}
            }
            if let Some(ended) = self.ended() {
                // What it said before it ended still counts.
                let last = tokio::time::timeout(LOOK_EVERY, &mut answered).await;
                return last.ok().and_then(Result::ok).unwrap_or(Err(InvocationError::Died(ended)));
            }
            if Instant::now() >= until {
                self.kill();
                return Err(InvocationError::TimedOut);
            }
        }
    }

    /// SIGKILL.
    pub fn kill(&self) {
        let mut child = self.child();
        let _ = child.kill();
        let _ = child.wait();
    }

    fn ended(&self) -> Option<String> {
        self.child().try_wait().expect("a child").map(|status| format!("ended ({status})"))
    }

    fn child(&self) -> std::sync::MutexGuard<'_, Child> {
        self.child.lock().expect("no panic while it is held")
    }
}

impl Drop for Lambda {
    fn drop(&mut self) {
        self.kill();
        self.serving.abort();
        if std::thread::panicking() {
            eprintln!("--- what {} printed:\n{}", self.name, self.log());
        }
    }
}

struct Invocation {
    event: Bytes,
    deadline_ms: i64,
    answer: Answer,
}

type Answer = oneshot::Sender<Result<Bytes, InvocationError>>;

/// The runtime API's side of one process.
struct Api {
    arn: String,
    queue: tokio::sync::Mutex<mpsc::UnboundedReceiver<Invocation>>,
    /// Invocations that the function works on, by request id.
    owed: Mutex<HashMap<String, Answer>>,
    first_next: OnceLock<Instant>,
    init_error: OnceLock<String>,
}

async fn accept(listener: TcpListener, api: Arc<Api>) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let api = api.clone();
        let service = service_fn(move |request| {
            let api = api.clone();
            async move { Ok::<_, Infallible>(api.answer(request).await) }
        });
        let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        tokio::spawn(async move {
            let _ = connection.await;
        });
    }
}

impl Api {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map(|b| b.to_bytes()).unwrap_or_default();
        let path = head.uri.path().strip_prefix("/2018-06-01/runtime/").unwrap_or_default();
        match (&head.method, path.split('/').collect::<Vec<_>>().as_slice()) {
            (&Method::GET, ["invocation", "next"]) => self.next().await,
            (&Method::POST, ["invocation", id, "response"]) => self.settle(id, Ok(body)),
            (&Method::POST, ["invocation", id, "error"]) => self.settle(id, Err(reported(&body))),
            (&Method::POST, ["init", "error"]) => {
                let _ = self.init_error.set(String::from_utf8_lossy(&body).into_owned());
                status(202)
            }
            _ => status(404),
        }
    }

    async fn next(&self) -> Response<Full<Bytes>> {
        static SERIAL: AtomicU64 = AtomicU64::new(1);
        let _ = self.first_next.set(Instant::now());
        let Some(invocation) = self.queue.lock().await.recv().await else { return status(410) };
        let id = format!("8476a536-e9f4-11e8-9739-{:012x}", SERIAL.fetch_add(1, Ordering::Relaxed));
        let trace = "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0";
        let response = Response::builder()
            .header("content-type", "application/json")
            .header("lambda-runtime-aws-request-id", &id)
            .header("lambda-runtime-deadline-ms", invocation.deadline_ms)
            .header("lambda-runtime-invoked-function-arn", &self.arn)
            .header("lambda-runtime-trace-id", trace)
            .body(Full::new(invocation.event))
            .expect("valid headers");
        self.owed().insert(id, invocation.answer);
        response
    }

    fn settle(&self, id: &str, result: Result<Bytes, InvocationError>) -> Response<Full<Bytes>> {
        match self.owed().remove(id) {
            Some(answer) => {
                // Nobody waits when the invocation timed out.
                let _ = answer.send(result);
                status(202)
            }
            None => status(400),
        }
    }

    fn owed(&self) -> std::sync::MutexGuard<'_, HashMap<String, Answer>> {
        self.owed.lock().expect("no panic while it is held")
    }
}

fn reported(body: &[u8]) -> InvocationError {
    let error: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |field: &str| error[field].as_str().unwrap_or_default().to_owned();
    InvocationError::Reported { kind: text("errorType"), message: text("errorMessage") }
}

fn status(code: u16) -> Response<Full<Bytes>> {
    let body = Full::new(Bytes::from_static(br#"{"status":"OK"}"#));
    Response::builder().status(code).body(body).expect("a valid status")
}
