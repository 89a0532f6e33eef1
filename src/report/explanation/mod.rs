//! What a log says of a failure, and what the catalogue knows of one: for people, and for where they write.

mod circumstances;
mod github;
mod markdown;
mod sarif;
mod text;

pub use github::annotations;
pub use markdown::explanation as markdown;
pub use sarif::explanation as sarif;
pub(super) use text::advice;
pub use text::explanation as text;

use crate::model::{Confidence, Diagnosis, Doubt, Explained};

/// What stands before a failure's name where it is not plainly one.
fn doubt(known: &Diagnosis) -> Option<&'static str> {
    match (known.confidence, known.doubt) {
        (Confidence::Certain, _) => None,
        (Confidence::Likely, None | Some(Doubt::Unrelated)) => {
            Some("probably: nothing in the log says that torch.compile is what it befell")
        }
        (Confidence::Likely, Some(Doubt::Survived)) => Some("it failed, but the program went on: this did not end it"),
        (Confidence::Likely, Some(Doubt::Mentioned)) => Some("perhaps: the line may only speak of it"),
        (Confidence::Warning, _) => Some("a warning, not a failure: the program may have gone on without harm"),
    }
}

/// That nothing is known, with what was read.
fn unknown(explained: &Explained) -> String {
    let lines = super::units::count(explained.explanation.lines, "line");
    format!("no known cause fits {} ({lines})", Explained::quoted(&explained.log))
}
