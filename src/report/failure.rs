use std::io;

use super::sheet::Sheet;
use super::step::step_name;
use super::styled::{BAD, BOLD, COMMAND, DIM, PLAIN, Text, WARNING};
use super::units::short_id;
use crate::model::{
    BuildFailure, BuiltBy, Check, CheckOutcome, Diagnosis, Image, Outcome, Remedy, Trial, Verification,
};

/// The lines of a log that are shown: what matters stands at its end.
const TAIL: usize = 12;

/// What failed, with the end of its log.
pub(super) fn failures(sheet: &mut Sheet, outcome: &Outcome) -> io::Result<()> {
    match outcome {
        Outcome::BuildFailed { failure, .. } | Outcome::FileFailed { failure, .. } => failed_step(sheet, failure),
        Outcome::Unproven { verification, .. } | Outcome::Verified { verification, .. } => {
            for trial in &verification.trials {
                let mut failed = trial.checks.iter().filter(|check| check.outcome == CheckOutcome::Fail);
                failed.try_for_each(|check| failed_check(sheet, verification, trial, check))?;
            }
            unexplained(sheet, verification)
        }
        Outcome::Built { .. } => Ok(()),
    }
}

fn failed_step(sheet: &mut Sheet, failure: &BuildFailure) -> io::Result<()> {
    sheet.blank()?;
    sheet.item(0, &Text::new(BAD, "failed  "), &Text::new(BOLD, step_name(&failure.step)))?;
    sheet.log(2, tail(failure.log.iter().map(String::as_str)))?;
    sheet.paragraph(2, &Text::plain(&failure.message))
}

fn failed_check(sheet: &mut Sheet, verification: &Verification, trial: &Trial, check: &Check) -> io::Result<()> {
    sheet.blank()?;
    let title = Text::new(BOLD, &check.id).and(PLAIN, format!(": {}", check.title));
    let way = if std::ptr::eq(trial, verification.as_is()) { String::new() } else { format!("  ({})", trial.id) };
    sheet.item(0, &Text::new(BAD, "failed  "), &title.and(DIM, way))?;
    sheet.log(2, tail(check.error.lines()))?;
    match check.causes.as_slice() {
        [] => Ok(()),
        causes => sheet.paragraph(2, &Text::new(DIM, format!("explained by {}, below", causes.join(" and ")))),
    }
}

/// Where no check says anything, what the smoke test wrote is all there is; unless it is a check's evidence already.
fn unexplained(sheet: &mut Sheet, verification: &Verification) -> io::Result<()> {
    let shown = |line: &String| verification.failed().any(|check| check.evidence.contains(line.trim()));
    let explained = verification.failed().any(|check| !check.error.trim().is_empty());
    let log = &verification.as_is().log;
    if explained || log.iter().all(shown) {
        return Ok(());
    }
    sheet.blank()?;
    sheet.line(0, &Text::new(BOLD, "the smoke test wrote"))?;
    sheet.log(2, tail(log.iter().map(String::as_str)))
}

fn tail<'a>(lines: impl Iterator<Item = &'a str>) -> impl Iterator<Item = &'a str> {
    let lines: Vec<&str> = lines.filter(|line| !line.trim().is_empty()).collect();
    let start = lines.len().saturating_sub(TAIL);
    lines.into_iter().skip(start)
}

/// What the failure means and what to do about it.
pub(super) fn causes(sheet: &mut Sheet, diagnoses: &[Diagnosis]) -> io::Result<()> {
    if diagnoses.is_empty() {
        sheet.blank()?;
        let unknown = "no known cause fits; the lines above are the best clue";
        return sheet.item(0, &Text::new(WARNING, "cause  "), &Text::plain(unknown));
    }
    diagnoses.iter().try_for_each(|diagnosis| cause(sheet, diagnosis))
}

fn cause(sheet: &mut Sheet, diagnosis: &Diagnosis) -> io::Result<()> {
    sheet.blank()?;
    let text = Text::plain(&diagnosis.cause).and(DIM, format!("  ({})", diagnosis.id));
    sheet.item(0, &Text::new(WARNING, "cause  "), &text)?;
    sheet.log(7, [diagnosis.evidence.text.as_str()])?;
    let mut label = "fix";
    for remedy in in_order(&diagnosis.remedies) {
        fix(sheet, label, remedy)?;
        label = "";
    }
    for (index, command) in diagnosis.check.iter().enumerate() {
        let label = if index == 0 { "check" } else { "" };
        sheet.line(0, &Text::new(BOLD, format!("{label:<15}")).and(COMMAND, command))?;
    }
    let more = Text::new(DIM, "more   ");
    diagnosis.further.iter().try_for_each(|text| sheet.item(0, &more, &Text::new(DIM, text)))?;
    diagnosis.references.iter().try_for_each(|url| sheet.line(0, &Text::new(DIM, format!("see    {url}"))))
}

/// A remedy: its note as prose, and each command on a line that can be copied.
fn fix(sheet: &mut Sheet, label: &str, remedy: &Remedy) -> io::Result<()> {
    let mut lead = Text::new(BOLD, format!("{label:<7}")).and(DIM, format!("{:<8.24}", remedy.platform));
    let under = || Text::plain(" ".repeat(15));
    if let Some(note) = &remedy.note {
        sheet.item(0, &lead, &Text::plain(note))?;
        lead = under();
    }
    for command in &remedy.commands {
        sheet.line(0, &lead.and(COMMAND, command))?;
        lead = under();
    }
    Ok(())
}

/// The fix for an image first: it is an image that failed.
pub(super) fn in_order(remedies: &[Remedy]) -> Vec<&Remedy> {
    let mut remedies: Vec<&Remedy> = remedies.iter().collect();
    remedies.sort_by_key(|remedy| match remedy.platform.as_str() {
        "docker" => 0,
        "apt" => 1,
        _ => 2,
    });
    remedies
}

/// What became of the tag, and what to do with what is left.
pub(super) fn aftermath(sheet: &mut Sheet, outcome: &Outcome) -> io::Result<()> {
    match outcome {
        Outcome::Built { tag, image, replaced, built_by, .. } => {
            sheet.blank()?;
            let moved = match replaced.as_deref().filter(|id| *id != image.id) {
                Some(id) => format!("`{tag}` now names this image; before, it named `{}`", short_id(id)),
                None => format!("`{tag}` names this image"),
            };
            sheet.paragraph(0, &Text::plain(moved))?;
            command(sheet, "run it", format!("{} run --rm -it {tag}", program(built_by)))
        }
        Outcome::BuildFailed { tag, unchanged, .. } => {
            sheet.blank()?;
            sheet.paragraph(0, &Text::plain(left_alone(tag, unchanged.as_deref())))
        }
        Outcome::Unproven { tag, unchanged, image, built_by, .. } => {
            sheet.blank()?;
            sheet.paragraph(0, &Text::plain(left_alone(tag, unchanged.as_deref())))?;
            kept(sheet, image, program(built_by))
        }
        Outcome::FileFailed { .. } | Outcome::Verified { .. } => Ok(()),
    }
}

fn left_alone(tag: &str, unchanged: Option<&str>) -> String {
    match unchanged {
        Some(id) => format!("`{tag}` was left alone: it still names `{}`", short_id(id)),
        None => format!("`{tag}` was not created"),
    }
}

fn kept(sheet: &mut Sheet, image: &Image, program: &str) -> io::Result<()> {
    let id = short_id(&image.id);
    sheet.paragraph(0, &Text::plain("the image is kept without a tag:"))?;
    command(sheet, "look at it", format!("{program} run --rm -it --entrypoint sh {id}"))?;
    command(sheet, "remove it", format!("{program} rmi {id}"))
}

fn command(sheet: &mut Sheet, purpose: &str, command: String) -> io::Result<()> {
    sheet.line(2, &Text::new(DIM, format!("{purpose:<10}  ")).and(COMMAND, command))
}

/// The engine's own command.
fn program(built_by: &BuiltBy) -> &'static str {
    if built_by.engine.starts_with("Podman") { "podman" } else { "docker" }
}
