//! The examples of docs/counts.md are run as they stand: each language's file, with its own library alone, against a
//! bridge that first cannot take what it reports.

use std::path::Path;
use std::process::Command;

use cio_alert_bridge::store::Store;
use cio_alert_bridge::store::embedded::{Durability, EmbeddedStore};
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::{PATIENCE, Reply, StandIn, World};

const DOCUMENTATION: &str = include_str!("../docs/counts.md");

const KEY: &str = "counts-key-0001";

/// A language: the mark of its block, its file, a program that uses it, and how that is run.
struct Language {
    block: &'static str,
    file: &'static str,
    driver: (&'static str, &'static str),
    command: &'static [&'static str],
    /// A machine need not have it.
    optional: bool,
}

/// Each fires three and two, reports, reports again, fires one more, and reports that.
const LANGUAGES: [Language; 4] = [
    Language {
        block: "js",
        file: "counts.mjs",
        driver: (
            "main.mjs",
            r#"import { fired, flush } from "./counts.mjs";
for (const n of [1, 2, 3]) fired("Account Created");
for (const n of [1, 2]) fired("Trial Ended");
await flush();
await flush();
fired("Account Created");
await flush();
"#,
        ),
        command: &["node", "main.mjs"],
        optional: false,
    },
    Language {
        block: "python",
        file: "counts.py",
        driver: (
            "main.py",
            r#"import counts
for n in range(3): counts.fired("Account Created")
for n in range(2): counts.fired("Trial Ended")
counts.flush()
counts.flush()
counts.fired("Account Created")
"#,
        ),
        command: &["python3", "main.py"],
        optional: false,
    },
    Language {
        block: "ruby",
        file: "counts.rb",
        driver: (
            "main.rb",
            r#"require_relative "counts"
3.times { Counts.fired("Account Created") }
2.times { Counts.fired("Trial Ended") }
Counts.flush
Counts.flush
Counts.fired("Account Created")
"#,
        ),
        command: &["ruby", "main.rb"],
        optional: true,
    },
    Language {
        block: "go",
        file: "counts/counts.go",
        driver: (
            "main.go",
            r#"package main

import "example.com/app/counts"

func main() {
	for n := 0; n < 3; n++ {
		counts.Fired("Account Created")
	}
	for n := 0; n < 2; n++ {
		counts.Fired("Trial Ended")
	}
	counts.Flush()
	counts.Flush()
	counts.Fired("Account Created")
	counts.Flush()
}
"#,
        ),
        command: &["go", "run", "."],
        optional: true,
    },
];

impl Language {
    fn is_there(&self) -> bool {
        let version = if self.command[0] == "go" { "version" } else { "--version" };
        let found = Command::new(self.command[0]).arg(version).output().is_ok_and(|output| output.status.success());
        assert!(found || self.optional, "{} is missing", self.command[0]);
        if !found {
            eprintln!("{} is not on this machine: its example is SKIPPED", self.command[0]);
        }
        found
    }

    fn write(&self, folder: &Path) {
        let mark = format!("```{}\n", self.block);
        let mut blocks = DOCUMENTATION.split(&mark).skip(1);
        let (Some(block), None) = (blocks.next(), blocks.next()) else { panic!("one block of {}", self.block) };
        let file = folder.join(self.file);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        std::fs::write(file, block.split("```").next().expect("its end")).expect("written");
        std::fs::write(folder.join(self.driver.0), self.driver.1).expect("written");
        std::fs::write(folder.join("go.mod"), "module example.com/app\n\ngo 1.18\n").expect("written");
    }

    /// Runs the program; what it said on standard error.
    async fn run(&self, to: &str) -> String {
        self.run_with(to, Some(KEY)).await
    }

    async fn run_with(&self, to: &str, key: Option<&str>) -> String {
        let folder = TempDir::new().expect("a folder");
        self.write(folder.path());
        let mut command = Command::new(self.command[0]);
        command.args(&self.command[1..]).current_dir(folder.path());
        command.env_remove("COUNTS_KEY").envs(key.map(|key| ("COUNTS_KEY", key)));
        command.env("BRIDGE_URL", to).env("GOFLAGS", "-mod=mod").env("GOPROXY", "off");
        let output = tokio::task::spawn_blocking(move || command.output()).await.expect("ran").expect("started");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{}: {said}", self.block);
        assert!(!said.contains(KEY), "{}: {said}", self.block);
        said
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_languages_example_reports_what_was_fired_once() {
    for language in LANGUAGES.iter().filter(|language| language.is_there()) {
        let world = World::new().await;
        let setup = world.setup("[counts]\nsigning_keys = [\"env:COUNTS_KEY\"]\n").env("COUNTS_KEY", KEY);
        let serve = setup.start().await;
        assert_eq!(language.run(&serve.url("")).await, "", "{}", language.block);
        let store = EmbeddedStore::open(&setup.data(), "acme", Durability::Full).expect("the data folder");
        let now = Timestamp::now();
        let hours = store.fired(now - SignedDuration::from_hours(3), now).await.expect("read");
        let count = |event: &str| hours.iter().filter(|of| of.event == event).map(|of| of.count).sum::<u64>();
        assert_eq!((count("Account Created"), count("Trial Ended")), (4, 2), "{}", language.block);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_taken_is_reported_again() {
    for language in LANGUAGES.iter().filter(|language| language.is_there()) {
        let bridge = StandIn::answering(Reply::status(200, "{\"taken\":2}\n")).await;
        bridge.answer_next([Reply::status(503, "{\"error\":\"not now\"}\n")]);
        let said = language.run(&bridge.url()).await;
        assert!(said.contains("503") && said.contains("again"), "{}: {said}", language.block);
        let mut sums = Vec::new();
        for seen in bridge.wait_for(3, PATIENCE).await {
            assert_eq!(seen.path, "/counts");
            let reports = seen.json();
            sums.push(reports.as_array().expect("a list").iter().filter_map(|r| r["count"].as_u64()).sum::<u64>());
        }
        assert_eq!(sums, [5, 5, 6], "{}", language.block);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_key_the_program_that_reports_goes_on() {
    for language in LANGUAGES.iter().filter(|language| language.is_there()) {
        let bridge = StandIn::answering(Reply::status(401, "")).await;
        let said = language.run_with(&bridge.url(), None).await;
        assert!(said.contains("will try again"), "{}: {said}", language.block);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_no_http_breaks_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let answering = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut some = [0; 4096];
            let _ = stream.read(&mut some).await;
            let _ = stream.write_all(b"no HTTP\r\n\r\n").await;
        }
    });
    for language in LANGUAGES.iter().filter(|language| language.is_there()) {
        let said = language.run(&url).await;
        assert!(said.contains("will try again"), "{}: {said}", language.block);
    }
    answering.abort();
}
