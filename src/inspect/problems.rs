//! What is wrong with a file, as one error that fits a screen.

use crate::model::{Error, Result};

/// How many problems after the first are listed.
const LISTED: usize = 8;

/// The problems of one file, in its order.
#[derive(Default)]
pub(super) struct Problems {
    first: Option<Error>,
    others: Vec<Error>,
    /// How many more there are.
    more: usize,
}

impl Problems {
    /// Takes up what is wrong, if it is.
    pub(super) fn note(&mut self, result: Result<()>) {
        match result {
            Ok(()) => {}
            Err(error) if self.first.is_none() => self.first = Some(error),
            Err(error) if self.others.len() < LISTED => self.others.push(error),
            Err(_) => self.more += 1,
        }
    }

    /// The first problem, with the others after its excerpt.
    pub(super) fn finish(self) -> Result<()> {
        let Some(mut first) = self.first else { return Ok(()) };
        for other in self.others {
            first.log.push(other.to_string());
            first.log.extend(other.log);
        }
        if self.more > 0 {
            first.log.push(format!("and {} more", self.more));
        }
        Err(first)
    }
}
