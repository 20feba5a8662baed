//! A deployed bridge: which table and queues are its own, and which configuration it runs with, from its
//! CloudFormation stack. One call finds them all, the outputs of the stack; `tests/template_test.py` holds the template
//! to them.
//! Source: CloudFormation API reference, DescribeStacks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{anyhow, bail};
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_sqs::config::{Credentials, ProvideCredentials};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

use super::{Opened, layer};
use crate::aws::call::{Called, Endpoint, Refused};
use crate::config::Config;
use crate::config::parse::LoadError;
use crate::queue::dead_letters::Origin;
use crate::queue::sqs::SqsOutbox;
use crate::queue::sqs::dead::{DeadQueue, SqsDeadLetters};
use crate::store::StoreError;
use crate::store::dynamo::DynamoStore;

/// The outputs that are read, as the template names them.
const TABLE: &str = "TableName";
const EVENTS: &str = "EventsQueueUrl";
const EVENTS_DEAD: &str = "EventsDeadLettersUrl";
const HINTS: &str = "HintsQueueUrl";
const HINTS_DEAD: &str = "HintsDeadLettersUrl";
const TICK_DEAD: &str = "TickDeadLettersUrl";
const PAGE: &str = "PageUrl";
const CONFIGURATION: &str = "ConfigurationLayerArn";

/// A person waits, but not for ever: one attempt, and all of a call's attempts.
const ATTEMPT: Duration = Duration::from_secs(10);
const OPERATION: Duration = Duration::from_secs(30);
const CONNECT: Duration = Duration::from_secs(5);

/// How a person gets credentials into the shell that this version cannot find by itself.
const LOGGED_IN: &str = r#"eval "$(aws configure export-credentials --format env)""#;

/// Opens a stack's bridge. `given`: the configuration that the person named, by file, in place of the deployed one.
///
/// # Errors
/// What to show the person; a [`StoreError`] where AWS is at fault, not what was asked for.
pub async fn open(name: &str, given: Option<super::Loaded>) -> anyhow::Result<Opened> {
    let sdk = sdk().await;
    let region = sdk.region().ok_or_else(|| anyhow!("no AWS region: set AWS_REGION, or a profile that has one"))?;
    let region = region.to_string();
    let credentials = credentials(&sdk).await?;
    let outputs = outputs(name, &region, &sdk, &credentials).await?;
    let output = |key: &str| {
        let none = || anyhow!("the stack {name} has no output {key}: is it this bridge's, and deployed since it has?");
        outputs.get(key).cloned().ok_or_else(none)
    };
    let (table, events, hints) = (output(TABLE)?, output(EVENTS)?, output(HINTS)?);
    let dead = |origin, url: &str, source: Option<&str>| {
        let source_url = source.map(str::to_owned);
        Ok::<_, anyhow::Error>(DeadQueue { origin, url: output(url)?, source_url })
    };
    let dead = vec![
        dead(Origin::Events, EVENTS_DEAD, Some(&events))?,
        dead(Origin::Hints, HINTS_DEAD, Some(&hints))?,
        dead(Origin::Tick, TICK_DEAD, None)?,
    ];
    let arn = outputs.get(CONFIGURATION).map(String::as_str);
    let deployed = deployed(name, arn, &region, &sdk, &credentials).await;
    let config = choose(name, given, deployed)?;
    let sqs = aws_sdk_sqs::Client::new(&sdk);
    let store = DynamoStore::new(aws_sdk_dynamodb::Client::new(&sdk), table, &config.workspace.name);
    Ok(Opened {
        config: Arc::new(config),
        store: Arc::new(store),
        outbox: Arc::new(SqsOutbox::new(sqs.clone(), Some(events), Some(hints))),
        dead_letters: Some(Arc::new(SqsDeadLetters::new(sqs, dead))),
        page_url: outputs.get(PAGE).cloned(),
    })
}

/// Region, credentials and endpoints from where the AWS tools look for them, too.
pub async fn sdk() -> SdkConfig {
    let http = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(OPERATION)
        .build();
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard())
        .load()
        .await
}

async fn credentials(sdk: &SdkConfig) -> anyhow::Result<Credentials> {
    // What the SDK says of it may name files and profiles; how to go on is the same for all.
    let none = || {
        anyhow!("no AWS credentials: set AWS_PROFILE to a profile with keys; logged in by SSO, run {LOGGED_IN} first")
    };
    let provider = sdk.credentials_provider().ok_or_else(none)?;
    provider.provide_credentials().await.map_err(|_| none())
}

async fn outputs(
    name: &str,
    region: &str,
    sdk: &SdkConfig,
    credentials: &Credentials,
) -> anyhow::Result<BTreeMap<String, String>> {
    let call = Endpoint { service: "cloudformation", name: "CloudFormation", region, sdk, credentials };
    let query = [("Action", "DescribeStacks"), ("StackName", name), ("Version", "2010-05-15")];
    match call.get("/", &query).await? {
        Called::Answered(xml) => match crate::aws::xml::pairs(&xml, "OutputKey", "OutputValue") {
            Some(outputs) => Ok(outputs),
            None => Err(StoreError::Unavailable("CloudFormation: its answer cannot be read".to_owned()).into()),
        },
        Called::Refused(Refused { code, .. }) if code.as_deref() == Some("ValidationError") => {
            bail!("there is no stack {} in {region}", crate::config::reader::quoted(name))
        }
        Called::Refused(refused) => Err(refused.to_error("cloudformation:DescribeStacks").into()),
    }
}

/// The text of the configuration that the functions run with, or why it could not be read.
async fn deployed(
    stack: &str,
    arn: Option<&str>,
    region: &str,
    sdk: &SdkConfig,
    credentials: &Credentials,
) -> Result<String, String> {
    let arn = arn.ok_or_else(|| format!("the stack {stack} has no output {CONFIGURATION}"))?;
    let call = Endpoint { service: "lambda", name: "Lambda", region, sdk, credentials };
    layer::text(&call, arn).await
}

/// The configuration to go by: the one that was named, else the deployed one. Another workspace's would show nothing,
/// as if all were well, so none is ever guessed.
fn choose(stack: &str, given: Option<super::Loaded>, deployed: Result<String, String>) -> anyhow::Result<Config> {
    match (given, deployed) {
        (Some(given), Err(why)) => {
            eprintln!("note: not compared with what is deployed: {why}");
            Ok(given.config)
        }
        (Some(given), Ok(text)) => {
            if crate::config::parse::hash(&text) != given.config.hash {
                eprintln!("note: {} is not what is deployed in {stack}", given.file);
            }
            Ok(given.config)
        }
        (None, Err(why)) => {
            bail!("the deployed configuration cannot be read ({why}): name the file that was deployed with --config")
        }
        (None, Ok(text)) => {
            let parsed = crate::config::parse::parse(&text);
            let file = format!("{} of the stack {stack}", layer::FILE);
            parsed.config.ok_or_else(|| LoadError::Invalid { file, problems: parsed.problems }.into())
        }
    }
}
