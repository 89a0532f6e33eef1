use std::path::PathBuf;

use super::{Report, Result};

/// What a run answers: one [`Answer`] an image that was asked for.
#[derive(Debug)]
pub struct Answers {
    /// In the order of the questions, never none.
    pub list: Vec<Answer>,
    /// The folder that the run was started in, which paths in reports are relative to; in CI that is the checkout.
    pub folder: Option<PathBuf>,
}

impl Answers {
    /// Whether every answer is yes.
    pub fn ok(&self) -> bool {
        self.list.iter().all(Answer::ok)
    }

    /// The reports of the questions that could be answered.
    pub fn reports(&self) -> impl Iterator<Item = &Report> {
        self.list.iter().filter_map(|answer| answer.result.as_ref().ok())
    }
}

/// What became of one image.
#[derive(Debug)]
pub struct Answer {
    /// The image, as it was asked for.
    pub reference: String,
    /// The report, or why there is none.
    pub result: Result<Report>,
}

impl Answer {
    /// Whether the answer is yes.
    pub fn ok(&self) -> bool {
        self.result.as_ref().is_ok_and(|report| report.outcome.ok())
    }
}
