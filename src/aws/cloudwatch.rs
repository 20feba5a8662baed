//! Sums of a CloudWatch metric by the hour, for a backend that counts what it fires there.
//! Source: Amazon CloudWatch API reference, GetMetricStatistics.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_sqs::config::ProvideCredentials;
use jiff::{SignedDuration, Timestamp};

use super::call::{Called, Endpoint};
use super::xml;
use crate::config::schema::MetricSum;
use crate::reconcile::sums::Sums;

const VERSION: &str = "2010-08-01";

/// CloudWatch in the region that the process runs in, or in the one that a metric names.
pub struct CloudWatch {
    sdk: SdkConfig,
}

impl CloudWatch {
    pub fn new(sdk: &SdkConfig) -> Self {
        Self { sdk: sdk.clone() }
    }
}

#[async_trait]
impl Sums for CloudWatch {
    async fn by_hour(&self, of: &MetricSum, from: Timestamp, to: Timestamp) -> Result<Vec<(Timestamp, u64)>, String> {
        let provider = self.sdk.credentials_provider().ok_or("no AWS credentials")?;
        let credentials = provider.provide_credentials().await.map_err(|_| "no AWS credentials")?;
        let region = of.region.clone().or_else(|| self.sdk.region().map(ToString::to_string)).ok_or("no AWS region")?;
        let endpoint = Endpoint {
            service: "monitoring",
            name: "CloudWatch",
            region: &region,
            sdk: &self.sdk,
            credentials: &credentials,
        };
        let mut query = vec![
            ("Action".to_owned(), "GetMetricStatistics".to_owned()),
            ("EndTime".to_owned(), to.to_string()),
            ("MetricName".to_owned(), of.metric.clone()),
            ("Namespace".to_owned(), of.namespace.clone()),
            ("Period".to_owned(), "3600".to_owned()),
            ("StartTime".to_owned(), from.to_string()),
            ("Statistics.member.1".to_owned(), "Sum".to_owned()),
            ("Version".to_owned(), VERSION.to_owned()),
        ];
        for (index, (name, value)) in (1..).zip(&of.dimensions) {
            query.push((format!("Dimensions.member.{index}.Name"), name.clone()));
            query.push((format!("Dimensions.member.{index}.Value"), value.clone()));
        }
        let query: Vec<(&str, &str)> = query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        match endpoint.post(&query).await.map_err(|error| error.to_string())? {
            Called::Answered(body) => points(&body).ok_or_else(|| "CloudWatch's answer cannot be read".to_owned()),
            Called::Refused(refused) => Err(refused.to_error("cloudwatch:GetMetricStatistics").to_string()),
        }
    }
}

/// Hours and sums; each data point holds one of each, in any order. Periods begin with the span that was asked for, which
/// begins an hour; whatever lies within one is that hour's.
fn points(body: &str) -> Option<Vec<(Timestamp, u64)>> {
    let texts = xml::texts(body, &["Timestamp", "Sum"])?;
    let mut points: BTreeMap<Timestamp, u64> = BTreeMap::new();
    for pair in texts.chunks(2) {
        let text = |name: &str| pair.iter().find(|(found, _)| found == name).map(|(_, text)| text.as_str());
        let sum: f64 = text("Sum")?.parse().ok()?;
        let whole = (0.0..1e15).contains(&sum).then(|| sum.round() as u64)?;
        let at: Timestamp = text("Timestamp")?.parse().ok()?;
        *points.entry(at - SignedDuration::from_secs(at.as_second().rem_euclid(3_600))).or_default() += whole;
    }
    Some(points.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::sqs::moto;

    async fn put(metric: &str, service: &str, at: Timestamp, value: &str) {
        let sdk = moto::sdk();
        let provider = sdk.credentials_provider().expect("made up");
        let credentials = provider.provide_credentials().await.expect("made up");
        let name = "CloudWatch";
        let endpoint =
            Endpoint { service: "monitoring", name, region: "us-east-1", sdk: &sdk, credentials: &credentials };
        let at = at.to_string();
        let query = [
            ("Action", "PutMetricData"),
            ("MetricData.member.1.Dimensions.member.1.Name", "Service"),
            ("MetricData.member.1.Dimensions.member.1.Value", service),
            ("MetricData.member.1.MetricName", metric),
            ("MetricData.member.1.Timestamp", at.as_str()),
            ("MetricData.member.1.Value", value),
            ("Namespace", "Billing"),
            ("Version", VERSION),
        ];
        assert!(matches!(endpoint.post(&query).await, Ok(Called::Answered(_))));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_metrics_sums_are_those_of_its_hours_and_dimensions() {
        let hour = Timestamp::now().as_second().div_euclid(3_600) * 3_600;
        let at = |ago: i64| Timestamp::from_second(hour - ago * 3_600 + 60).expect("a time");
        for (service, ago, value) in [("api", 2, "100"), ("api", 2, "20"), ("api", 1, "7"), ("batch", 1, "900")] {
            put("Started", service, at(ago), value).await;
        }
        let of = MetricSum {
            event: "Started".into(),
            origin: "cloudwatch".into(),
            namespace: "Billing".into(),
            metric: "Started".into(),
            dimensions: vec![("Service".into(), "api".into())],
            region: None,
        };
        let begin = |ago: i64| Timestamp::from_second(hour - ago * 3_600).expect("a time");
        let found = CloudWatch::new(&moto::sdk()).by_hour(&of, begin(5), begin(0)).await.expect("sums");
        let some: Vec<_> = found.into_iter().filter(|(_, count)| *count > 0).collect();
        assert_eq!(some, [(begin(2), 120), (begin(1), 7)]);
    }

    #[test]
    fn data_points_are_read_in_whatever_order_they_come() {
        let body = |points: &str| {
            format!(
                "<GetMetricStatisticsResponse><GetMetricStatisticsResult><Datapoints>{points}</Datapoints><Label>x</Label></GetMetricStatisticsResult></GetMetricStatisticsResponse>"
            )
        };
        let two = "<member><Timestamp>2026-11-24T15:00:00Z</Timestamp><Unit>Count</Unit><Sum>12.0</Sum></member>\
                   <member><Sum>7</Sum><Unit>None</Unit><Timestamp>2026-11-24T14:00:00Z</Timestamp></member>";
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        let want = vec![(at("2026-11-24T14:00:00Z"), 7), (at("2026-11-24T15:00:00Z"), 12)];
        assert_eq!(points(&body(two)), Some(want));
        assert_eq!(points(&body("")), Some(Vec::new()));
        for wrong in [
            "<member><Sum>1</Sum></member>",
            "<member><Sum>-1</Sum><Timestamp>2026-11-24T14:00:00Z</Timestamp></member>",
        ] {
            assert_eq!(points(&body(wrong)), None, "{wrong}");
        }
        assert_eq!(points("no XML"), None);
    }
}
