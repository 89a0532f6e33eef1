use std::io::{self, Write};

use super::facts::{Row, facts};
use super::sheet::{Page, Sheet};
use super::styled::{BAD, BOLD, DIM, GOOD, PLAIN, Text, WARNING};
use super::units::{count, date, seconds, short_id};
use super::{failure, notes};
use crate::model::{Check, CheckOutcome, Outcome, Report, Verification};

/// Writes the report for people: the verdict, what it is about, the evidence, and where the answer is no, why and what to
/// do.
pub fn text(report: &Report, page: Page, out: &mut dyn Write) -> io::Result<()> {
    let sheet = &mut Sheet::new(page, out);
    sheet.line(0, &headline(&report.outcome))?;
    let facts = facts(&report.outcome);
    if !facts.is_empty() {
        sheet.blank()?;
        sheet.table(&facts, None)?;
    }
    if let Some(verification) = verification(&report.outcome) {
        checks(sheet, verification)?;
    }
    if !report.outcome.ok() {
        failure::failures(sheet, &report.outcome)?;
        failure::causes(sheet, &report.diagnoses)?;
    }
    failure::aftermath(sheet, &report.outcome)?;
    notes::write(sheet, &report.notes)?;
    sheet.blank()?;
    sheet.paragraph(0, &Text::new(DIM, timing(report)))
}

/// The verdict, in one line.
fn headline(outcome: &Outcome) -> Text {
    let (name, image) = match outcome {
        Outcome::Built { tag, image, .. } | Outcome::Unproven { tag, image, .. } => (tag, image),
        Outcome::Verified { reference, image, .. } => (reference, image),
        Outcome::BuildFailed { tag, .. } => return Text::new(BAD, "✗ not built").and(BOLD, format!("  {tag}")),
    };
    let verdict = if outcome.ok() { Text::new(GOOD, "✓ verified") } else { Text::new(BAD, "✗ not verified") };
    let line = verdict.and(BOLD, format!("  {name}")).and(DIM, format!("  sha256:{}", short_id(&image.id)));
    match verification(outcome).filter(|verification| !verification.proven()) {
        Some(verification) => line.and(PLAIN, format!("  {}", tally(verification))),
        None => line,
    }
}

fn tally(verification: &Verification) -> String {
    match verification.failed().count() {
        0 => "no check could be made".to_owned(),
        failed => format!("{failed} of {} failed", count(verification.checks.len(), "check")),
    }
}

fn verification(outcome: &Outcome) -> Option<&Verification> {
    match outcome {
        Outcome::Built { verification, .. }
        | Outcome::Unproven { verification, .. }
        | Outcome::Verified { verification, .. } => Some(verification),
        Outcome::BuildFailed { .. } => None,
    }
}

fn checks(sheet: &mut Sheet, verification: &Verification) -> io::Result<()> {
    sheet.blank()?;
    if let Some(time) = verification.made_before {
        let text = format!("proven on {} by an earlier run, on the very same image", date(time));
        sheet.paragraph(2, &Text::new(DIM, text))?;
    }
    let rows: Vec<Row> = verification.checks.iter().map(check).collect();
    sheet.table(&rows, Some(3))
}

fn check(check: &Check) -> Row {
    let (mark, id) = match check.outcome {
        CheckOutcome::Pass => (Text::new(GOOD, "✓"), Text::plain(&check.id)),
        CheckOutcome::Fail => (Text::new(BAD, "✗"), Text::new(BAD, &check.id)),
        CheckOutcome::Skip => (Text::new(WARNING, "–"), Text::new(DIM, &check.id)),
    };
    let evidence = match check.outcome {
        CheckOutcome::Skip => Text::new(DIM, format!("skipped: {}", check.evidence)),
        _ => Text::plain(&check.evidence),
    };
    // A check that takes no time to speak of would only add noise.
    let time = if check.seconds >= 0.05 { seconds(check.seconds) } else { String::new() };
    vec![mark, id, evidence, Text::new(DIM, time)]
}

/// Where the time went.
fn timing(report: &Report) -> String {
    let whole = seconds(report.seconds);
    match &report.outcome {
        Outcome::Built { built_by, .. } | Outcome::Unproven { built_by, .. } => {
            let (cached, steps) = built_by.cached_steps;
            let built = seconds(built_by.seconds);
            format!("built in {built} ({cached} of {} cached), {whole} in all", count(steps, "step"))
        }
        Outcome::BuildFailed { .. } => format!("failed after {whole}"),
        Outcome::Verified { .. } => format!("checked in {whole}"),
    }
}
