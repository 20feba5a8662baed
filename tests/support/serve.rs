//! `bridge serve` as a child process: its configuration and data in a folder of its own, on a free port.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hyper::Request;
use jiff::Timestamp;
use tempfile::TempDir;

use super::clock::{Clock, Faketime};
use super::event::{Event, sent_email};
use super::http::{Answer, Http, signature};

/// The key that the sender signs with.
pub const SIGNING_KEY: &str = "cio-test-signing-key-0001";
pub const WEBHOOK: &str = "/webhooks/customerio";

/// Under a clock of 60 times the speed this is 90 s: less than the 2 min after which an arrival counts as late.
const MOST_UNCERTAIN: Duration = Duration::from_millis(1500);

/// What `serve` is to be started with; the same one twice is a restart on the same data.
#[derive(Clone)]
pub struct Setup {
    dir: Arc<TempDir>,
    env: BTreeMap<String, String>,
    fake: Option<Faketime>,
    /// A port that stays the same; 0 picks one at each start.
    port: u16,
    /// What runs it, instead of the system itself: a program and its arguments.
    within: Vec<String>,
}

impl Setup {
    pub fn new(config: &str) -> Self {
        let dir = TempDir::new().expect("a folder");
        std::fs::write(dir.path().join("bridge.toml"), config).expect("written");
        let env = BTreeMap::from([("CIO_SIGNING_KEY".to_owned(), SIGNING_KEY.to_owned())]);
        Self { dir: Arc::new(dir), env, fake: None, port: 0, within: Vec::new() }
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.env.remove(name);
        self
    }

    pub fn under(mut self, fake: Faketime) -> Self {
        self.fake = Some(fake);
        self
    }

    /// Listens on the same port after each restart, as behind a proxy. Nobody else takes it meanwhile: it is below those
    /// that systems give to clients (Linux: from 32768; RFC 6335: from 49152).
    pub fn on_one_port(mut self) -> Self {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        const PORTS: std::ops::Range<u16> = 20_000..32_000;
        // Two processes of tests begin in different places.
        let first = u16::try_from(std::process::id() % u32::from(PORTS.end - PORTS.start)).expect("fits");
        let all = PORTS.end - PORTS.start;
        loop {
            let next = NEXT.fetch_add(1, Ordering::Relaxed);
            self.port = PORTS.start + (first + next % all) % all;
            if std::net::TcpListener::bind(("127.0.0.1", self.port)).is_ok() {
                return self;
            }
        }
    }

    /// Where it listens after [`Self::on_one_port`].
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Runs as the last arguments of this command, which becomes it (`exec`): `prlimit --fsize=0`.
    pub fn within(mut self, command: &[&str]) -> Self {
        self.within = command.iter().map(|&word| word.to_owned()).collect();
        self
    }

    /// The environment variables that the configuration refers to.
    #[cfg(feature = "aws")]
    pub fn vars(&self) -> &BTreeMap<String, String> {
        &self.env
    }

    pub fn folder(&self) -> &Path {
        self.dir.path()
    }

    pub fn config_file(&self) -> PathBuf {
        self.folder().join("bridge.toml")
    }

    pub fn data(&self) -> PathBuf {
        self.folder().join("data")
    }

    /// Runs another command on the same configuration and data: its exit code, what it printed, and what it complained
    /// of.
    pub async fn bridge(&self, args: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bridge"));
        command.args(args).arg("--config").arg(self.config_file()).arg("--data").arg(self.data());
        command.env_clear().env("HOME", self.folder()).env("TZ", "UTC").env("USER", "ada").envs(&self.env);
        let ran =
            tokio::task::spawn_blocking(move || command.output()).await.expect("ran").expect("the bridge command");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (ran.status.code().expect("an exit code"), text(&ran.stdout), text(&ran.stderr))
    }

    /// Starts it and waits until it says that it listens.
    pub async fn start(&self) -> Serve {
        let mut serve = self.spawn();
        serve.wait_until_it_listens().await;
        serve
    }

    /// Starts it and does not wait.
    pub fn spawn(&self) -> Serve {
        let words = self.within.iter().map(String::as_str).chain([env!("CARGO_BIN_EXE_bridge")]).collect::<Vec<_>>();
        let mut command = Command::new(words[0]);
        command
            .args(&words[1..])
            .args(["serve", "--listen", &format!("127.0.0.1:{}", self.port)])
            .arg("--config")
            .arg(self.config_file())
            .arg("--data")
            .arg(self.data())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder())
            .env("TZ", "UTC")
            .envs(&self.env)
            .envs(self.fake.iter().flat_map(Faketime::env))
            .current_dir(self.folder())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let spawned = Instant::now();
        let mut child = command.spawn().expect("the bridge command");
        let stdout = follow(child.stdout.take().expect("piped"));
        let stderr = follow(child.stderr.take().expect("piped"));
        Serve {
            setup: self.clone(),
            child,
            stdout,
            stderr,
            address: self.url(""),
            clock: Clock { fake: self.fake.clone(), spawned, ready: spawned },
            http: Http::new(),
        }
    }
}

/// Collects what a child prints, as it comes.
pub fn follow(pipe: impl Read + Send + 'static) -> Arc<Mutex<String>> {
    let text = Arc::new(Mutex::new(String::new()));
    let into = text.clone();
    std::thread::spawn(move || {
        let mut lines = BufReader::new(pipe);
        let mut line = Vec::new();
        while matches!(lines.read_until(b'\n', &mut line), Ok(1..)) {
            into.lock().expect("no panic while it is held").push_str(&String::from_utf8_lossy(&line));
            line.clear();
        }
    });
    text
}

/// A request signed as Customer.io signs, by this key at this instant.
pub fn signed(url: &str, key: &str, now: Timestamp, body: &[u8]) -> Request<Vec<u8>> {
    let stamp = now.as_second().to_string();
    Request::post(url)
        .header("content-type", "application/json")
        .header("user-agent", "Customer.io Web Hooks 1.0")
        .header("x-cio-timestamp", &stamp)
        .header("x-cio-signature", signature(key, &stamp, body))
        .body(body.to_vec())
        .expect("a request")
}

pub struct Serve {
    setup: Setup,
    child: Child,
    stdout: Arc<Mutex<String>>,
    stderr: Arc<Mutex<String>>,
    address: String,
    pub clock: Clock,
    pub http: Http,
}

impl Serve {
    pub async fn wait_until_it_listens(&mut self) {
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            let address = self.stdout().lines().find_map(|line| line.strip_prefix("listening on ").map(str::to_owned));
            if let Some(address) = address {
                self.clock.ready = Instant::now();
                self.address = address.trim().trim_end_matches('/').to_owned();
                assert!(self.address.starts_with("http://127.0.0.1:"), "{}", self.address);
                let start_up = self.clock.ready - self.clock.spawned;
                let known = self.clock.fake.is_none() || start_up < MOST_UNCERTAIN;
                assert!(known, "the fake clock is known no better than to {start_up:?}: is the machine this busy?");
                return;
            }
            let ended = self.ended();
            assert!(ended.is_none(), "serve ended ({ended:?}) before it listened:\n{}", self.stderr());
            assert!(Instant::now() < until, "serve does not listen after 30 s:\n{}", self.stderr());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// What it was started with.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    /// The process's id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child")
    }

    pub fn stdout(&self) -> String {
        self.stdout.lock().expect("no panic while it is held").clone()
    }

    pub fn stderr(&self) -> String {
        self.stderr.lock().expect("no panic while it is held").clone()
    }

    /// A request signed as Customer.io signs, by this key.
    pub fn signed(&self, path: &str, key: &str, body: &[u8]) -> Request<Vec<u8>> {
        signed(&self.url(path), key, self.clock.now(), body)
    }

    pub async fn post(&self, event: &Event) -> Answer {
        self.post_bytes(&event.bytes()).await
    }

    pub async fn post_bytes(&self, body: &[u8]) -> Answer {
        self.http.send(self.signed(WEBHOOK, SIGNING_KEY, body)).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.http.send(Request::get(self.url(path)).body(Vec::new()).expect("a request")).await
    }

    /// Posts, and sends again after a 503 as the sender does. Each event must be taken within 10 s: under a fast
    /// clock the bridge's deadline of 2.5 s is a blink of real time, and a busy machine may miss it.
    pub async fn deliver(&self, event: &Event) {
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            let answer = self.post(event).await;
            if answer.status == 200 {
                return;
            }
            let retry = answer.status == 503 && self.clock.fake.is_some() && Instant::now() < until;
            assert!(retry, "{}: {}\n{}", answer.status, answer.text(), self.stderr());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Posts ordinary traffic of another source until the bridge's clock shows `when`: what makes minutes covered.
    pub async fn carry_traffic_until(&self, when: Timestamp) {
        while self.clock.now() < when {
            self.deliver(&sent_email().of("newsletter:10").at(self.clock.now())).await;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// SIGKILL: no chance to say good-bye.
    pub async fn kill(mut self) -> Setup {
        self.child.kill().expect("killed");
        self.child.wait().expect("ended");
        self.setup.clone()
    }

    /// SIGTERM, and how it ended.
    pub async fn terminate(mut self) -> (ExitStatus, Setup) {
        let sent =
            Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status().expect("the kill command");
        assert!(sent.success());
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return (status, self.setup.clone());
            }
            assert!(Instant::now() < until, "still running 20 s after SIGTERM");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- what serve said on stderr:\n{}", self.stderr());
        }
    }
}
