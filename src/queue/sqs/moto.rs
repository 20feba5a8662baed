//! For tests: one moto server for the whole run (an AWS stand-in, from .cache/venv; scripts/test installs it).

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sqs::config::{Credentials, SharedCredentialsProvider, SharedHttpClient};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

struct Moto {
    url: String,
    /// The server ends when its standard input closes: with this process.
    _alive: (Child, Option<ChildStdin>),
}

const SERVER: &str = r#"
import sys
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print("http://%s:%d" % server.get_host_and_port(), flush=True)
sys.stdin.read()
"#;

static MOTO: LazyLock<Moto> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = root.join(".cache/venv/bin/python");
    assert!(python.exists(), "no {}: run scripts/test, which installs it", python.display());
    let mut child = Command::new(python)
        .args(["-c", SERVER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("python starts");
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take().expect("piped"));
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line).expect("its address");
    assert!(line.starts_with("http://"), "moto did not start: {line:?}; run scripts/setup");
    Moto { url: line.trim().to_owned(), _alive: (child, stdin) }
});

/// How to reach moto.
pub(crate) fn sdk() -> SdkConfig {
    at(&MOTO.url)
}

/// How to reach AWS at another address, with made-up credentials, so that no test looks for real ones.
pub(crate) fn at(url: &str) -> SdkConfig {
    let limits = TimeoutConfig::builder().operation_timeout(Duration::from_secs(20)).build();
    let http: SharedHttpClient =
        aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(url)
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("AKIA", "s3cret", None, None, "test")))
        .retry_config(RetryConfig::disabled())
        .timeout_config(limits)
        .http_client(http)
        .build()
}
