use serde::Serialize;

use crate::model::{BaseImage, Choice, Origin};

/// The base, as templates see it.
#[derive(Debug, Serialize)]
pub(super) struct Base {
    id: String,
    reference: String,
    suite: String,
    why: String,
}

impl Base {
    pub(super) fn new(choice: &Choice<BaseImage>) -> Self {
        let base = &choice.value;
        Self {
            id: base.id.clone(),
            reference: base.reference.clone(),
            suite: base.suite.clone().unwrap_or_else(|| base.id.clone()),
            why: why(&choice.because, &choice.requested),
        }
    }
}

/// An environment variable.
#[derive(Debug, Serialize)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) value: String,
}

/// A thing and why it is there.
#[derive(Debug, Serialize)]
pub(super) struct Reason {
    pub(super) name: String,
    pub(super) why: String,
}

impl Reason {
    pub(super) fn new<T>(choice: &Choice<T>, name: &impl ToString) -> Self {
        Self { name: name.to_string(), why: why(&choice.because, &choice.requested) }
    }

    pub(super) fn all(choices: &[Choice<String>]) -> Vec<Self> {
        choices.iter().map(|choice| Self::new(choice, &choice.value)).collect()
    }
}

/// A reason, with the file or flag that gave it; sconce's own defaults and facts need no address.
pub(super) fn why(because: &str, requested: &Origin) -> String {
    match requested {
        Origin::Default | Origin::Catalogue { .. } => because.to_owned(),
        asked => format!("{because} ({asked})"),
    }
}
