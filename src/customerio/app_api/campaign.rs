//! Reads what the App API says of one campaign: its state, and its counts by hour. Loosely: what cannot be read is not
//! known, and nothing is claimed of it.

use serde_json::Value;

/// `running`, `draft` or `stopped`; `active: false` is as good as stopped. Source: App API, `getCampaigns`.
pub fn state(body: &str) -> Option<String> {
    let answer: Value = serde_json::from_str(body).ok()?;
    let campaign = answer.get("campaign").unwrap_or(&answer);
    let state = campaign.get("state").and_then(Value::as_str).map(str::to_ascii_lowercase);
    let inactive = campaign.get("active").and_then(Value::as_bool) == Some(false);
    match state.as_deref() {
        Some("running") | None if inactive => Some("stopped".to_owned()),
        _ => state.filter(|word| word.len() <= 32 && word.chars().all(|c| c.is_ascii_alphabetic())),
    }
}

/// A series by hour, wherever it stands: at the top, or under one other key or two. Source: App API,
/// `campaignJourneyMetrics` and `campaignMetrics`, whose wrapping is not documented.
pub fn series(body: &str, name: &str) -> Option<Vec<u64>> {
    let answer: Value = serde_json::from_str(body).ok()?;
    find(&answer, name, 3)
}

fn find(value: &Value, name: &str, depth: usize) -> Option<Vec<u64>> {
    let object = value.as_object()?;
    if let Some(list) = object.get(name).and_then(Value::as_array) {
        return list.iter().map(count).collect();
    }
    let deeper = depth.checked_sub(1)?;
    object.values().find_map(|inner| find(inner, name, deeper))
}

/// A bucket without a number is none at all: then no sum is right.
fn count(bucket: &Value) -> Option<u64> {
    match bucket {
        Value::Null => Some(0),
        other => other.as_u64().or_else(|| other.as_f64().filter(|n| *n >= 0.0).map(|n| n as u64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_campaign_runs_or_is_what_it_says() {
        let rows = [
            (r#"{"campaign":{"id":5,"state":"running","active":true}}"#, Some("running")),
            (r#"{"campaign":{"state":"Stopped"}}"#, Some("stopped")),
            (r#"{"state":"draft","active":false}"#, Some("draft")),
            (r#"{"campaign":{"state":"running","active":false}}"#, Some("stopped")),
            (r#"{"campaign":{"active":false}}"#, Some("stopped")),
            (r#"{"campaign":{"state":"<script>"}}"#, None),
            (r#"{"campaign":{}}"#, None),
            ("[]", None),
            ("no", None),
        ];
        for (body, expected) in rows {
            assert_eq!(state(body).as_deref(), expected, "{body}");
        }
    }

    #[test]
    fn a_series_is_found_wherever_it_is_wrapped_and_not_guessed() {
        let rows = [
            (r#"{"started":[1,2]}"#, Some(vec![1, 2])),
            (r#"{"journey_metric":{"started":[1,null,2.0]}}"#, Some(vec![1, 0, 2])),
            (r#"{"metric":{"series":{"started":[]}}}"#, Some(vec![])),
            (r#"{"metric":{"series":{"started":["x"]}}}"#, None),
            (r#"{"started":7}"#, None),
            (r#"{"a":{"b":{"c":{"d":{"started":[1]}}}}}"#, None),
            ("", None),
        ];
        for (body, expected) in rows {
            assert_eq!(series(body, "started"), expected, "{body}");
        }
    }
}
