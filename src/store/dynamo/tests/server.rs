//! One dynalite for all tests of a process; it goes with the last of them, or with the process. With
//! BRIDGE_DYNAMODB_URL (`http://127.0.0.1:PORT`) another stand-in that is running already.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use tokio::sync::Mutex;

use crate::store::dynamo::create_table;

pub const TABLE: &str = "bridge";

/// A port of the system's choice, said on stdout; the end of stdin is the end of it.
const SCRIPT: &str = "
const server = require(require('path').dirname(process.argv[1]))({ createTableMs: 0, deleteTableMs: 0 })
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
process.stdin.resume().on('end', () => process.exit())";

pub struct Server {
    child: Option<Child>,
    url: String,
}

/// Workspaces named so far. Not a server's own: one that runs already outlives the handles on it, with all that it holds.
static WORKSPACES: AtomicU32 = AtomicU32::new(0);

static SHARED: Mutex<Weak<Server>> = Mutex::const_new(Weak::new());

impl Server {
    /// `None`, said aloud, where there is no dynalite.
    pub async fn shared() -> Option<Arc<Self>> {
        let (running, cli) = (std::env::var("BRIDGE_DYNAMODB_URL").ok(), std::env::var("BRIDGE_DYNALITE").ok());
        if running.is_none() && cli.is_none() {
            eprintln!("SKIPPED: BRIDGE_DYNALITE is not set, so nothing was tried on DynamoDB: use scripts/test");
            return None;
        }
        let mut shared = SHARED.lock().await;
        if let Some(server) = shared.upgrade() {
            return Some(server);
        }
        let (child, url) = match (running, cli) {
            (Some(url), _) => (None, url),
            (None, cli) => Self::start(&cli.unwrap_or_default()),
        };
        let server = Arc::new(Self { child, url });
        create_table(&server.client(), TABLE).await.expect("makes the table");
        *shared = Arc::downgrade(&server);
        Some(server)
    }

    fn start(cli: &str) -> (Option<Child>, String) {
        let mut child = Command::new("node")
            .args(["-e", SCRIPT, "--", cli])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node starts");
        let mut port = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut port).expect("a line");
        (Some(child), format!("http://127.0.0.1:{}", port.trim()))
    }

    pub fn client(&self) -> Client {
        client(&self.url)
    }

    pub fn address(&self) -> SocketAddr {
        self.url.trim_start_matches("http://").parse().expect("an address")
    }

    /// A name that no other test has.
    pub fn workspace(&self) -> String {
        format!("acme-{}-{}", std::process::id(), WORKSPACES.fetch_add(1, Ordering::Relaxed))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

pub fn client(url: &str) -> Client {
    let http = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(http)
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .endpoint_url(url)
        .build();
    Client::from_conf(config)
}
