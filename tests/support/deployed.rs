//! The bridge on AWS as a person at a terminal finds it: by the name of its CloudFormation stack.

use std::process::Command;

use hyper::Request;
use serde_json::json;

use super::Setup;
use super::http::Http;
use super::lambda::Stack;
use super::moto::{Moto, REGION, unique};
use super::stand_in::{Reply, StandIn};

/// A secret that must be in nothing that a command says.
pub const SECRET_ACCESS_KEY: &str = "wJalrXUtnFEMIsSecret";

/// The bridge's parts, and the stack that names them.
pub struct Deployed {
    pub stack: Stack,
    pub name: String,
    /// The queue of failed ticks.
    pub tick_dead: String,
    /// Answers for Lambda: where the layer's archive is.
    pub lambda: StandIn,
}

impl Deployed {
    /// With this configuration deployed.
    pub async fn new(setup: Setup) -> Self {
        let stack = Stack::new(setup).await;
        let lambda = StandIn::answering(Reply::status(200, &layer(&stack.setup).await)).await;
        let tick_dead = queue(&unique("tick-dead")).await;
        let outputs = json!({
            "TableName": stack.table.name,
            "EventsQueueUrl": stack.events.url,
            "EventsDeadLettersUrl": stack.events.dead,
            "HintsQueueUrl": stack.hints.url,
            "HintsDeadLettersUrl": stack.hints.dead,
            "TickDeadLettersUrl": tick_dead,
            "ConfigurationLayerArn": "arn:aws:lambda:us-east-1:123456789012:layer:Configuration:7",
        });
        let name = create(outputs).await;
        Self { stack, name, tick_dead, lambda }
    }

    /// Runs a command on the stack: its exit code, what it printed, and what it complained of.
    pub async fn bridge(&self, args: &[&str]) -> (i32, String, String) {
        let mut command = self.command(args);
        command.args(["--stack", &self.name]);
        run(command).await
    }

    /// The same without naming the stack.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bridge"));
        let home = self.stack.setup.folder();
        // Where no configuration lies that it could take instead of the deployed one.
        command.args(args).current_dir("/").env_clear();
        command.envs([("TZ", "UTC"), ("USER", "ada"), ("AWS_REGION", REGION), ("AWS_EC2_METADATA_DISABLED", "true")]);
        command.envs([("AWS_ACCESS_KEY_ID", "AKIATEST"), ("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY)]);
        command.env("HOME", home).env("AWS_ENDPOINT_URL", Moto::shared().url());
        command.env("AWS_ENDPOINT_URL_DYNAMODB", self.stack.dynamo.url());
        command.env("AWS_ENDPOINT_URL_LAMBDA", self.lambda.url());
        command
    }
}

pub async fn run(mut command: Command) -> (i32, String, String) {
    let ran = tokio::task::spawn_blocking(move || command.output()).await.expect("ran").expect("the bridge command");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (said, complaint) = (text(&ran.stdout), text(&ran.stderr));
    assert!(!format!("{said}{complaint}").contains(SECRET_ACCESS_KEY), "{said}{complaint}");
    (ran.status.code().expect("an exit code"), said, complaint)
}

async fn queue(name: &str) -> String {
    let made = Moto::shared().sqs("CreateQueue", json!({ "QueueName": name })).await;
    made["QueueUrl"].as_str().expect("a queue").to_owned()
}

/// Makes a stack with these outputs, and says its name.
pub async fn create(outputs: serde_json::Value) -> String {
    let name = unique("stack");
    let outputs: serde_json::Map<String, serde_json::Value> = outputs
        .as_object()
        .expect("outputs")
        .iter()
        .map(|(name, value)| (name.clone(), json!({ "Value": value })))
        .collect();
    let resources = json!({ "Nothing": { "Type": "AWS::CloudFormation::WaitConditionHandle" } });
    let template = json!({ "Resources": resources, "Outputs": outputs }).to_string();
    let encoded: String = template.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let form = format!("Action=CreateStack&StackName={name}&TemplateBody={encoded}");
    Moto::shared().query_of("cloudformation", &form, "2010-05-15").await;
    name
}

/// Lambda's answer for the layer that holds this configuration: the archive lies in the fake S3.
async fn layer(setup: &Setup) -> String {
    let archive = setup.folder().join("layer.zip");
    let python = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/venv/bin/python");
    let zipped = Command::new(python)
        .args(["-m", "zipfile", "-c"])
        .arg(&archive)
        .arg(setup.config_file())
        .status()
        .expect("python");
    assert!(zipped.success());
    let (moto, http) = (Moto::shared(), Http::new());
    let bucket = format!("{}/{}", moto.url(), unique("layers"));
    let address = format!("{bucket}/layer.zip");
    let scope = format!("AWS4-HMAC-SHA256 Credential=test/20260101/{REGION}/s3/aws4_request, Signature=0");
    for (url, body) in [(&bucket, Vec::new()), (&address, std::fs::read(&archive).expect("the archive"))] {
        let put = Request::put(url)
            .header("authorization", &scope)
            .header("x-amz-acl", "public-read")
            .body(body)
            .expect("a request");
        let answer = http.send(put).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    json!({ "Content": { "Location": address }, "Version": 7 }).to_string()
}
