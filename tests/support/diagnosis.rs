//! Runs `bridge diagnose` against the stand-in of the App API, and sees that what it prints names nobody.

use serde_json::Value;
use std::process::{Command, Output};
use tempfile::TempDir;

use super::AppApi;
use super::app_api::people::World;
use super::app_api::{APP_KEY, Traps};

pub const ADDRESS: &str = "ada+news@example.test";

/// What must not be seen: address, parts of it, phone numbers, ids, tokens and delivery ids of the people of the stand-in.
const PERSONAL: [&str; 9] = [
    "ada+news",
    "example.test",
    "lovelace",
    "d9c106000075",
    "d9c106000076",
    "15550100",
    "dgSYNTH",
    "tokenAAAA1111",
    "tokenCCCC3333",
];

pub fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// A finished run.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// Runs it in a folder whose configuration names this App API.
pub async fn run(url: &str, args: &[&str]) -> Ran {
    let dir = TempDir::new().expect("a folder");
    let config = format!(
        r#"[workspace]
name = "acme"
[customerio]
workspace_id = 12345
signing_keys = ["env:CIO_SIGNING_KEY"]
app_api_key = "env:CIO_APP_API_KEY"
app_api_url = "{url}"
[[receivers]]
name = "console"
type = "console"
[[routes]]
receivers = ["console"]
"#
    );
    std::fs::write(dir.path().join("bridge.toml"), config).expect("written");
    run_in(&dir, args, Some(APP_KEY)).await
}

pub async fn run_in(dir: &TempDir, args: &[&str], key: Option<&str>) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bridge"));
    command.arg("diagnose").args(args).current_dir(dir.path()).env_remove("CIO_APP_API_KEY");
    if let Some(key) = key {
        command.env("CIO_APP_API_KEY", key);
    }
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("ran");
    let Output { status, stdout, stderr } = output.expect("the bridge command");
    let (out, err) = (String::from_utf8(stdout).expect("UTF-8"), String::from_utf8(stderr).expect("UTF-8"));
    let all = format!("{out}{err}");
    assert!(!all.contains(APP_KEY), "{all}");
    if !args.contains(&"--show-personal-data") {
        let shown: Vec<_> = PERSONAL.into_iter().filter(|personal| all.contains(personal)).collect();
        assert!(shown.is_empty(), "{shown:?} in\n{all}");
    }
    Ran { code: status.code().expect("an exit code"), out, err }
}

/// A diagnosis of Ada in this world, as JSON.
pub struct Diagnosis {
    pub code: i32,
    pub json: Value,
    pub asked: Vec<String>,
}

impl Diagnosis {
    pub fn step(&self, check: &str) -> &Value {
        let steps = self.json["steps"].as_array().expect("steps");
        steps.iter().find(|step| step["check"] == check).unwrap_or_else(|| panic!("no {check}: {:#}", self.json))
    }

    /// The steps with this verdict, in order.
    pub fn with(&self, verdict: &str) -> Vec<&str> {
        let steps = self.json["steps"].as_array().expect("steps").iter();
        steps.filter(|step| step["verdict"] == verdict).filter_map(|step| step["check"].as_str()).collect()
    }

    /// Evidence and advice of a step, in one text.
    pub fn says(&self, check: &str) -> String {
        let step = self.step(check);
        let lines = [&step["evidence"], &step["advice"]].into_iter().filter_map(Value::as_array).flatten();
        lines.filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
    }
}

pub async fn diagnose(world: World, traps: Traps, person: &str) -> Diagnosis {
    let api = AppApi::knowing(world, traps).await;
    let ran = run(api.url(), &["--person", person, "--campaign", "5", "--json"]).await;
    let json = serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{e}: {}{}", ran.out, ran.err));
    Diagnosis { code: ran.code, json, asked: api.asked() }
}
