//! What GitHub's runners read from a step's output: annotations, as workflow commands
//! (<https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>).

use std::io::{self, Write};

use super::error::causes;
use super::place::{self, Place};
use super::step::step_name;
use super::verdict::{tally, verdict};
use crate::model::{Answer, Answers, CheckOutcome, Diagnosis, Error, Note, Outcome, Report, Severity, plain};

/// Writes an annotation for each failed check, each warning, and each verdict that is yes. GitHub shows ten of a kind a
/// step: those of the verdicts come first.
pub fn annotations(answers: &Answers, out: &mut dyn Write) -> io::Result<()> {
    for answer in &answers.list {
        verdict_of(answer, out)?;
    }
    for report in answers.reports() {
        let place = place::of(report, answers.folder.as_deref());
        failed_checks(report, place.as_ref(), out)?;
        for note in report.notes.iter().filter(|note| note.severity == Severity::Warning) {
            warning(note, place::of_origin(report, &note.origin, answers.folder.as_deref()).as_ref(), out)?;
        }
    }
    Ok(())
}

fn verdict_of(answer: &Answer, out: &mut dyn Write) -> io::Result<()> {
    let report = match &answer.result {
        Ok(report) => report,
        Err(why) => {
            let title = format!("sconce: no answer for {}", answer.reference);
            return command("error", &title, None, &unanswered(why), out);
        }
    };
    let outcome = &report.outcome;
    let title = format!("sconce: {} is {}", outcome.name(), verdict(outcome));
    match outcome {
        Outcome::BuildFailed { failure, .. } | Outcome::FileFailed { failure, .. } => {
            let said = format!("{}: {}", step_name(&failure.step), failure.message);
            command("error", &title, None, &[said, explained(report.diagnoses.iter())].join("\n"), out)
        }
        outcome => {
            let Some(proof) = outcome.verification() else { return Ok(()) };
            if outcome.ok() {
                return command("notice", &title, None, &format!("torch {}", proof.environment().torch), out);
            }
            command("error", &title, None, &[tally(proof), explained(report.diagnoses.iter())].join("\n"), out)
        }
    }
}

fn unanswered(why: &Error) -> String {
    let hint = why.hint.as_ref().map(|hint| format!("hint: {hint}"));
    std::iter::once(why.to_string()).chain(causes(why)).chain(hint).collect::<Vec<_>>().join("\n")
}

fn failed_checks(report: &Report, place: Option<&Place>, out: &mut dyn Write) -> io::Result<()> {
    for trial in report.outcome.verification().into_iter().flat_map(|proof| &proof.trials) {
        for check in trial.checks.iter().filter(|check| check.outcome == CheckOutcome::Fail) {
            let title = format!("sconce: {} failed in {} ({})", check.id, report.outcome.name(), trial.id);
            let known = report.diagnoses.iter().filter(|known| check.causes.contains(&known.id));
            let said = format!("{}: {}\n{}", check.title, check.evidence, explained(known));
            command("error", &title, place, &said, out)?;
        }
    }
    Ok(())
}

fn explained<'a>(diagnoses: impl Iterator<Item = &'a Diagnosis>) -> String {
    diagnoses.map(|known| format!("cause ({}): {}", known.id, known.cause)).collect::<Vec<_>>().join("\n")
}

fn warning(note: &Note, place: Option<&Place>, out: &mut dyn Write) -> io::Result<()> {
    let hint = note.hint.as_ref().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
    command("warning", "sconce", place, &format!("{}{hint}", note.message), out)
}

pub(super) fn command(
    name: &str,
    title: &str,
    place: Option<&Place>,
    message: &str,
    out: &mut dyn Write,
) -> io::Result<()> {
    write!(out, "::{name} title={}", property(title))?;
    if let Some(Place { file, line }) = place {
        write!(out, ",file={},line={line}", property(file))?;
    }
    writeln!(out, "::{}", data(plain(message).trim_end()))
}

/// A command ends with its line; `%` escapes.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property also ends with a comma, and all of them with colons.
fn property(text: &str) -> String {
    data(&plain(text)).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_a_command_or_begins_another() {
        let mut out = Vec::new();
        let place = Place { file: "a,line=9::b".to_owned(), line: 2 };
        command("error", "x::y,z\n::warning::w", Some(&place), "100%\r\n::error::e\u{1b}[31m", &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "::error title=x%3A%3Ay%2Cz%0A%3A%3Awarning%3A%3Aw,file=a%2Cline=9%3A%3Ab,line=2::100%25%0A::error::e\n"
        );
    }
}
