//! Sums of a CloudWatch metric by the hour, for a backend that counts what it fires there.
//! Source: Amazon CloudWatch API reference, GetMetricStatistics.

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_sqs::config::ProvideCredentials;
use jiff::Timestamp;

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
        // In the order that they are signed in.
        query.sort();
        let query: Vec<(&str, &str)> = query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        match endpoint.get("/", &query).await.map_err(|error| error.to_string())? {
            Called::Answered(body) => points(&body).ok_or_else(|| "CloudWatch's answer cannot be read".to_owned()),
            Called::Refused(refused) => Err(refused.to_error("cloudwatch:GetMetricStatistics").to_string()),
        }
    }
}

/// Hours and sums; each data point holds one of each, in any order.
fn points(body: &str) -> Option<Vec<(Timestamp, u64)>> {
    let texts = xml::texts(body, &["Timestamp", "Sum"])?;
    let mut points = Vec::new();
    for pair in texts.chunks(2) {
        let text = |name: &str| pair.iter().find(|(found, _)| found == name).map(|(_, text)| text.as_str());
        let sum: f64 = text("Sum")?.parse().ok()?;
        let whole = (0.0..1e15).contains(&sum).then(|| sum.round() as u64)?;
        points.push((text("Timestamp")?.parse().ok()?, whole));
    }
    points.sort();
    Some(points)
}

#[cfg(test)]
mod tests {
    use super::*;

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
