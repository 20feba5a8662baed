//! How questions are asked within a budget, and what a refusal means for the person who reads it.

use std::time::Duration;

use crate::customerio::app_api::AppApiError;
use crate::customerio::app_api::ask::{Question, Records};
use crate::diagnose::facts::{Known, NotKnown};

/// Hears what is being asked, a few words at a time; a diagnosis takes seconds.
pub type Progress<'a> = &'a (dyn Fn(&str) + Send + Sync);

/// After so many questions in a row that nobody answered, nothing more is asked.
const UNANSWERED: u32 = 2;

/// How the asking went.
#[derive(Clone, Debug)]
pub struct Asking {
    left: usize,
    /// Questions that were asked.
    pub asked: usize,
    /// Questions that had an answer, a 404 among them.
    pub answered: usize,
    /// Why the first one had none.
    pub refused: Option<NotKnown>,
    in_a_row: u32,
    /// Nothing more is asked, and why.
    over: Option<String>,
}

impl Asking {
    pub(super) const fn new(budget: usize) -> Self {
        Self { left: budget, asked: 0, answered: 0, refused: None, in_a_row: 0, over: None }
    }

    /// The answer's text; `None` when it is 404.
    pub(super) async fn ask(&mut self, records: &dyn Records, question: &Question<'_>) -> Known<Option<String>> {
        if let Some(why) = &self.over {
            return Err(NotKnown::because(format!("Not asked: {why}")));
        }
        let Some(left) = self.left.checked_sub(1) else {
            return Err(NotKnown::because("Not asked: the number of questions for one diagnosis is used up."));
        };
        self.left = left;
        self.asked += 1;
        let error = match records.ask(question).await {
            Ok(body) => {
                (self.answered, self.in_a_row) = (self.answered + 1, 0);
                return Ok(Some(body));
            }
            Err(AppApiError::Status { status: 404, .. }) => {
                (self.answered, self.in_a_row) = (self.answered + 1, 0);
                return Ok(None);
            }
            Err(error) => error,
        };
        self.in_a_row = if matches!(error, AppApiError::NoAnswer(_)) { self.in_a_row + 1 } else { 0 };
        let is_over = self.in_a_row >= UNANSWERED || matches!(error, AppApiError::Key(_) | AppApiError::Address);
        if is_over {
            self.over = Some(format!("{error}."));
        }
        let why = refused(&error, question);
        self.refused.get_or_insert_with(|| why.clone());
        Err(why)
    }
}

/// What a refusal means, and what helps. Holds nothing of the answer.
fn refused(error: &AppApiError, question: &Question<'_>) -> NotKnown {
    let path = question.path();
    let (why, advice) = match error {
        AppApiError::Refused { status: 401, .. } => (
            format!("Customer.io does not take the key (401 to {path})."),
            Some(
                "Is it an App API key (not one of the Track API), of this workspace, for this region (--region \
                 eu), and not revoked?"
                    .into(),
            ),
        ),
        AppApiError::Refused { status, .. } => (
            format!("The key may not read {path} ({status})."),
            Some("Give it that scope: Settings > Account settings > API credentials > App API keys.".into()),
        ),
        AppApiError::Limited { after: Some(after) } => (
            format!(
                "Customer.io takes no more requests now (429 to {path}); it asks for {} of patience.",
                seconds(*after)
            ),
            None,
        ),
        AppApiError::Limited { after: None } => (
            format!("Customer.io takes no more requests now (429 to {path}), and does not say for how long."),
            Some(
                "A day's quota may be used up: ask again later, and look at what else uses the workspace's App \
                 API."
                    .into(),
            ),
        ),
        AppApiError::Status { status: 400, .. } => (
            format!("Customer.io does not take the question (400 to {path})."),
            Some(
                "A workspace that does not identify people by address or phone number refuses those: ask with \
                 --person ID."
                    .into(),
            ),
        ),
        AppApiError::NoAnswer(failure) => (format!("Customer.io did not answer to {path}: {failure}."), None),
        error => (format!("{error}."), None),
    };
    NotKnown { why, advice }
}

fn seconds(after: Duration) -> String {
    format!("{} s", after.as_secs().max(1))
}

/// An answer that is not what the reference shows.
pub(super) fn unreadable(question: &Question<'_>) -> NotKnown {
    NotKnown::because(format!("Customer.io's answer to {} has another form than its reference shows.", question.path()))
}
