//! A fake service as a child process: it prints its address first, and ends with us.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};

pub struct Service {
    child: Child,
    /// The service ends when this is closed; one that lives in a static is closed by the end of our process.
    _stdin: Option<ChildStdin>,
    url: String,
}

impl Service {
    pub fn start(mut command: Command) -> Self {
        let name = format!("{command:?}");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take().expect("piped"));
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("its address");
        let url = line.trim().to_owned();
        assert!(url.starts_with("http://"), "{name} did not start: {line:?}; run scripts/setup");
        Self { child, _stdin: stdin, url }
    }

    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
