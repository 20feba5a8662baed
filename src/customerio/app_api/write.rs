//! What the bridge changes in a workspace: its reporting webhook, when a person says so. Nothing else is ever written.

use super::ask::{Question, Records};
use super::budget::Urgency;
use super::reporting_webhook::{self, ReportingWebhook, Settings};
use super::{ANSWER_WITHIN, AppApi, AppApiError, PATIENCE, encoded, taken};
use crate::receivers::http;

/// The paths as errors name them.
const ALL: &str = "/v1/reporting_webhooks";
const ONE: &str = "/v1/reporting_webhooks/{id}";

impl AppApi {
    /// The workspace's reporting webhooks.
    ///
    /// # Errors
    /// As [`Records::ask`].
    pub async fn reporting_webhooks(&self) -> Result<Vec<ReportingWebhook>, AppApiError> {
        let body = self.ask(&Question::ReportingWebhooks).await?;
        reporting_webhook::list(&body).ok_or(AppApiError::NoList { path: ALL })
    }

    /// Creates a webhook, or replaces the settings of one: `PUT` takes all of them. Sent again only after a 429, which
    /// says that it was not taken; an answer that did not come may have been a yes.
    ///
    /// # Errors
    /// As [`Records::ask`]; [`AppApiError::NoList`] when the answer shows no webhook.
    pub async fn write_reporting_webhook(
        &self,
        id: Option<&str>,
        settings: &Settings,
    ) -> Result<ReportingWebhook, AppApiError> {
        let (path, place) = match id {
            None => (ALL, ALL.to_owned()),
            Some(id) => (ONE, ONE.replace("{id}", &encoded(id))),
        };
        let url = http::address(&format!("{}{place}", self.base)).map_err(|_| AppApiError::Address)?;
        // Texts, switches and a list: there is nothing in it that could fail to serialise.
        let body = serde_json::to_vec(settings).map_err(|_| AppApiError::NoList { path })?;
        let mut tries = 0;
        loop {
            self.pace(Urgency::Urgent, PATIENCE).await?;
            let (headers, now) = ([self.authorization().await?], self.clock.now());
            let answer = match id {
                None => self.client.post_json(&url, &headers, body.clone(), ANSWER_WITHIN, now).await?,
                Some(_) => self.client.put_json(&url, &headers, body.clone(), ANSWER_WITHIN, now).await?,
            };
            match taken(answer, path) {
                Err(AppApiError::Limited { after }) if self.waited_out(after, tries).await => tries += 1,
                answer => return reporting_webhook::one(&answer?).ok_or(AppApiError::NoList { path }),
            }
        }
    }
}
