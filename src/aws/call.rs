//! One signed call of an AWS service whose SDK is not worth its build time here.
//! Source: AWS General Reference, "Signature Version 4"; "AWS service endpoints".

use std::fmt;
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_sdk_sqs::config::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use jiff::Timestamp;

use crate::receivers::http::{self, Client};
use crate::store::StoreError;

/// The longest wait for an answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// The longest answer that is read, in bytes: a stack's description takes some ten thousand.
const ANSWER_BYTES: usize = 1024 * 1024;

/// How the query protocol takes its fields in a body.
const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

/// Tries in all, where a server was busy or out of reach; and the wait before the second.
const TRIES: u32 = 3;
const REST: Duration = Duration::from_millis(300);

/// Where a service is called, by whom.
pub struct Endpoint<'a> {
    /// In addresses and signatures.
    pub service: &'static str,
    /// In texts.
    pub name: &'static str,
    pub region: &'a str,
    pub sdk: &'a SdkConfig,
    pub credentials: &'a Credentials,
}

/// What came of a call.
pub enum Called {
    Answered(String),
    Refused(Refused),
}

/// The service said no. Holds its code only: its text may name accounts and people.
#[derive(Clone, Debug)]
pub struct Refused {
    service: &'static str,
    status: u16,
    pub code: Option<String>,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code.as_deref().map(|code| format!(" {code}")).unwrap_or_default();
        write!(f, "{} answered {}{code}", self.service, self.status)
    }
}

impl Refused {
    /// With what would be needed.
    pub fn to_error(&self, permission: &str) -> StoreError {
        StoreError::Unavailable(format!("{self}; this needs {permission}"))
    }
}

impl Endpoint<'_> {
    /// Gets; a call that only reads, so it is repeated.
    ///
    /// # Errors
    /// There is no answer, also after some tries.
    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Called, StoreError> {
        self.call(&format!("{path}?{}", form(query)), None).await
    }

    /// Posts a form by the query protocol; for calls that may be repeated.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn post(&self, fields: &[(&str, &str)]) -> Result<Called, StoreError> {
        self.call("/", Some(form(fields))).await
    }

    async fn call(&self, place: &str, body: Option<String>) -> Result<Called, StoreError> {
        let unavailable = |why: &dyn fmt::Display| StoreError::Unavailable(format!("{}: {why}", self.name));
        let url = format!("{}{place}", self.base().trim_end_matches('/'));
        let uri = http::address(&url).map_err(|why| unavailable(&why))?;
        let client = Client::new();
        let mut tried = 0;
        loop {
            let signed = self.signature(&url, body.as_deref());
            let mut headers = signed.ok_or_else(|| unavailable(&"the request cannot be signed"))?;
            let now = Timestamp::now();
            let answered = match &body {
                None => client.get(&uri, &headers, ANSWER_BYTES, ANSWER_WITHIN, now).await,
                Some(body) => {
                    headers.push((CONTENT_TYPE, HeaderValue::from_static(FORM)));
                    let body = body.clone().into_bytes();
                    client.post_form(&uri, &headers, body, ANSWER_BYTES, ANSWER_WITHIN, now).await
                }
            };
            tried += 1;
            match answered {
                Ok(answer) if (200..300).contains(&answer.status) => return Ok(Called::Answered(answer.body)),
                Ok(answer) if answer.status < 500 && answer.status != 429 || tried == TRIES => {
                    let (service, status) = (self.name, answer.status);
                    return Ok(Called::Refused(Refused { service, status, code: super::xml::code(&answer.body) }));
                }
                Err(why) if tried == TRIES => return Err(unavailable(&why)),
                Ok(_) | Err(_) => tokio::time::sleep(REST * tried).await,
            }
        }
    }

    /// `AWS_ENDPOINT_URL_<SERVICE>`, `AWS_ENDPOINT_URL` or what a profile says, as for the SDK's own clients; else AWS.
    fn base(&self) -> String {
        let own = std::env::var(format!("AWS_ENDPOINT_URL_{}", self.service.to_uppercase()));
        if let Some(url) = own.ok().filter(|url| !url.is_empty()) {
            return url;
        }
        if let Some(url) = self.sdk.endpoint_url() {
            return url.to_owned();
        }
        let domain = if self.region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        format!("https://{}.{}.{domain}", self.service, self.region)
    }

    fn signature(&self, url: &str, body: Option<&str>) -> Option<Vec<(HeaderName, HeaderValue)>> {
        let identity = self.credentials.clone().into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name(self.service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .ok()?;
        let (method, body) = body.map_or(("GET", ""), |body| ("POST", body));
        let body = SignableBody::Bytes(body.as_bytes());
        let request = SignableRequest::new(method, url, std::iter::empty(), body).ok()?;
        let (signed, _) = sign(request, &params.into()).ok()?.into_parts();
        signed.headers().map(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?))).collect()
    }
}

fn form(fields: &[(&str, &str)]) -> String {
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    fields.join("&")
}

/// Percent-encoded but for what RFC 3986 calls unreserved, as the signature wants it.
fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_encoded_as_it_is_signed() {
        assert_eq!(encoded("arn:aws:x/é a_~"), "arn%3Aaws%3Ax%2F%C3%A9%20a_~");
    }

    #[test]
    fn a_refusal_names_the_code_and_what_is_needed_and_no_more() {
        let refused = Refused { service: "CloudFormation", status: 403, code: Some("AccessDenied".into()) };
        let said = refused.to_error("cloudformation:DescribeStacks").to_string();
        assert_eq!(
            said,
            "store unavailable: CloudFormation answered 403 AccessDenied; this needs cloudformation:DescribeStacks"
        );
    }
}
