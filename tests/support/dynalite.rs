//! A fake DynamoDB (dynalite, from .cache/node or where BRIDGE_DYNALITE is). All tests share one, each with a table
//! of its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use hyper::Request;
use serde_json::{Value, json};

use super::http::{Answer, Http};
use super::moto::{REGION, unique};
use super::service::Service;

static SHARED: LazyLock<Service> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new("node");
    command.arg(root.join("tests/support/fake_dynamo.js")).arg(package(root));
    Service::start(command)
});

/// The package's folder. `BRIDGE_DYNALITE` names the package's command, `cli.js`.
fn package(root: &Path) -> PathBuf {
    let command = std::env::var_os("BRIDGE_DYNALITE").map(PathBuf::from);
    let installed = root.join(".cache/node/node_modules/dynalite/cli.js");
    let command = command.unwrap_or(installed).canonicalize().unwrap_or_else(|error| {
        panic!("no dynalite ({error}): run scripts/test, which installs it");
    });
    command.parent().expect("its folder").to_owned()
}

/// A table, and a client of its own for the test.
pub struct Table {
    pub name: String,
    http: Http,
}

impl Table {
    /// Keys as the design says: `pk` and `sk`, both text.
    pub async fn create() -> Self {
        let table = Self { name: unique("bridge"), http: Http::new() };
        let ask = json!({
            "TableName": table.name,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [
                { "AttributeName": "pk", "AttributeType": "S" },
                { "AttributeName": "sk", "AttributeType": "S" },
            ],
            "KeySchema": [
                { "AttributeName": "pk", "KeyType": "HASH" },
                { "AttributeName": "sk", "KeyType": "RANGE" },
            ],
        });
        table.call("CreateTable", ask).await;
        loop {
            let described = table.call("DescribeTable", json!({ "TableName": table.name })).await;
            if described["Table"]["TableStatus"] == "ACTIVE" {
                return table;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    pub fn url(&self) -> &'static str {
        SHARED.url()
    }

    /// The same table through the SDK.
    pub fn client(&self) -> Client {
        let http =
            aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(http)
            .region(Region::new(REGION))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .endpoint_url(self.url())
            .build();
        Client::from_conf(config)
    }

    /// Every item, as DynamoDB's JSON.
    pub async fn items(&self) -> Vec<Value> {
        let mut items = Vec::new();
        let mut from = Value::Null;
        loop {
            let mut ask = json!({ "TableName": self.name, "ConsistentRead": true });
            if !from.is_null() {
                ask["ExclusiveStartKey"] = from;
            }
            let mut page = self.call("Scan", ask).await;
            items.extend(page["Items"].as_array().cloned().unwrap_or_default());
            from = page["LastEvaluatedKey"].take();
            if from.is_null() {
                return items;
            }
        }
    }

    pub async fn call(&self, action: &str, ask: Value) -> Value {
        let scope = format!("Credential=test/20260101/{REGION}/dynamodb/aws4_request");
        let signature = format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host;x-amz-date, Signature=0");
        let request = Request::post(format!("{}/", self.url()))
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", format!("DynamoDB_20120810.{action}"))
            .header("x-amz-date", "20260101T000000Z")
            .header("authorization", signature)
            .body(ask.to_string().into_bytes());
        let answer: Answer = self.http.send(request.expect("a request")).await;
        assert_eq!(answer.status, 200, "{action}: {}", answer.text());
        serde_json::from_slice(&answer.body).expect("JSON")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_keeps_what_is_put_into_it() {
    let table = Table::create().await;
    let item = json!({ "pk": { "S": "a" }, "sk": { "S": "b" }, "n": { "N": "1" } });
    let put = json!({ "TableName": table.name, "Item": item, "ReturnConsumedCapacity": "TOTAL" });
    let put = table.call("PutItem", put).await;
    assert_eq!(put["ConsumedCapacity"]["CapacityUnits"], 1);
    assert_eq!(table.items().await, [item]);
}
