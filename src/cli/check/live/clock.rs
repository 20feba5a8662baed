//! Is our clock right? Windows and heartbeats go by it, and Track takes no event from the future.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Looked;
use crate::config::Config;
use crate::customerio::app_api::host;
use crate::receivers::http::{self, Client};

/// A clock that is wrong by more than this is a finding: an arrival 2 min late un-covers its minutes (design, Coverage).
const MOST: SignedDuration = SignedDuration::from_secs(60);

const ANSWER_WITHIN: Duration = Duration::from_secs(5);

pub(super) async fn look(config: &Config, looked: &mut Looked) {
    looked.begin("Clock");
    if config.customerio.app_api_key.is_none() {
        return looked.line("not compared: without app_api_key nobody is asked who would say the time");
    }
    let base = config.customerio.app_api_url.as_deref().unwrap_or(host(config.customerio.region));
    let Ok(url) = http::address(base) else { return looked.wrong("app_api_url is no address") };
    match Client::new().date(&url, ANSWER_WITHIN).await {
        Ok(Some(theirs)) => match off(theirs, Timestamp::now()) {
            Ok(said) => looked.line(&said),
            Err(said) => looked.wrong(&said),
        },
        Ok(None) => looked.line("not compared: Customer.io's answer has no date"),
        Err(failure) => looked.line(&format!("not compared: {failure}")),
    }
}

/// How far our clock is from theirs, which is told in whole seconds, some time ago; an error when it is too far.
fn off(theirs: Timestamp, ours: Timestamp) -> Result<String, String> {
    let off = ours.duration_since(theirs);
    let seconds = off.as_secs().abs();
    let way = if off.is_negative() { "behind" } else { "ahead of" };
    match off.abs() > MOST {
        true => Err(format!("our clock is {seconds} s {way} Customer.io's: set it right, by NTP for instance")),
        false => Ok(format!("within {} s of Customer.io's", seconds.max(1))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_a_minute_off_is_a_finding_either_way() {
        let theirs = Timestamp::from_second(1_767_225_600).expect("a time");
        let at = |seconds: i64| off(theirs, theirs + SignedDuration::from_secs(seconds));
        assert_eq!(at(0).expect("fine"), "within 1 s of Customer.io's");
        assert_eq!(at(-60).expect("fine"), "within 60 s of Customer.io's");
        assert!(at(61).expect_err("ahead").starts_with("our clock is 61 s ahead of"));
        assert!(at(-3600).expect_err("behind").starts_with("our clock is 3600 s behind"));
    }
}
