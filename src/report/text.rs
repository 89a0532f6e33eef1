use std::io::{self, Write};

use super::facts::{Row, facts};
use super::sheet::{Page, Sheet};
use super::styled::{BAD, BOLD, DIM, GOOD, PLAIN, Text, WARNING};
use super::units::{seconds, short_id};
use super::verdict::{mark, recalled, tally, timing, tried, verdict};
use super::{error, failure, notes};
use crate::model::{Answer, Answers, Check, CheckOutcome, Outcome, Report, Trial, Untried, Verification};

/// Writes the reports one after the other, and of several a summary.
pub fn answers(answers: &Answers, page: Page, out: &mut dyn Write) -> io::Result<()> {
    for (index, answer) in answers.list.iter().enumerate() {
        if index > 0 {
            let rule = "─".repeat(page.width.min(40));
            let sheet = &mut Sheet::new(page, out);
            sheet.blank()?;
            sheet.line(0, &Text::new(DIM, rule))?;
            sheet.blank()?;
        }
        match &answer.result {
            Ok(report) => text(report, page, out)?,
            Err(why) => unanswered(answer, why, page, out)?,
        }
    }
    if answers.list.len() > 1 { summary(answers, page, out) } else { Ok(()) }
}

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
    if let Some(verification) = report.outcome.verification() {
        trials(sheet, verification)?;
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
    let style = if outcome.ok() { GOOD } else { BAD };
    let line = Text::new(style, format!("{} {}", sign(outcome.ok()), verdict(outcome)))
        .and(BOLD, format!("  {}", outcome.name()));
    let Some(image) = outcome.image() else { return line };
    let line = line.and(DIM, format!("  sha256:{}", short_id(&image.id)));
    match outcome.verification() {
        Some(verification) if !verification.proven() => line.and(PLAIN, format!("  {}", tally(verification))),
        // Somebody asked for it, and must not take it for proven.
        Some(verification) if verification.skipped().next().is_some() => {
            let ids: Vec<&str> = verification.skipped().map(|trial| trial.id.as_str()).collect();
            line.and(WARNING, format!("  without {}", ids.join(", ")))
        }
        _ => line,
    }
}

fn sign(ok: bool) -> &'static str {
    mark(if ok { CheckOutcome::Pass } else { CheckOutcome::Fail })
}

/// The checks of the image as it is, then what came of the other ways of running it.
fn trials(sheet: &mut Sheet, verification: &Verification) -> io::Result<()> {
    sheet.blank()?;
    if let Some(earlier) = &verification.recalled {
        sheet.paragraph(2, &Text::new(DIM, recalled(earlier)))?;
    }
    let rows: Vec<Row> = verification.as_is().checks.iter().map(|checked| check(checked, "")).collect();
    sheet.table(&rows, Some(3))?;
    let rows: Vec<Row> = verification.trials.iter().skip(1).flat_map(trial).collect();
    if !rows.is_empty() {
        sheet.blank()?;
        sheet.table(&rows, Some(3))?;
    }
    untried(sheet, &verification.untried)
}

/// One line a trial, and one a check that failed in it.
fn trial(trial: &Trial) -> Vec<Row> {
    let said = Text::plain(format!("{}: {}", trial.title, tried(trial)));
    let said = if trial.outcome() == CheckOutcome::Skip { Text::new(DIM, &said.spans[0].text) } else { said };
    let mut rows = vec![line(trial.outcome(), "", &trial.id, said, trial.seconds)];
    let failed = trial.checks.iter().filter(|check| check.outcome == CheckOutcome::Fail);
    rows.extend(failed.map(|failed| check(failed, "  ")));
    rows
}

/// What was not tried: one line a reason.
fn untried(sheet: &mut Sheet, untried: &[Untried]) -> io::Result<()> {
    if untried.is_empty() {
        return Ok(());
    }
    sheet.blank()?;
    for group in untried.chunk_by(|one, next| one.reason == next.reason) {
        let ids: Vec<&str> = group.iter().map(|left| left.id.as_str()).collect();
        let said = Text::plain(ids.join(", ")).and(DIM, format!("  {}", group[0].reason));
        sheet.item(2, &Text::new(DIM, "not tried  "), &said)?;
    }
    Ok(())
}

fn check(check: &Check, indent: &str) -> Row {
    let evidence = match check.outcome {
        CheckOutcome::Skip => Text::new(DIM, format!("skipped: {}", check.evidence)),
        _ => Text::plain(&check.evidence),
    };
    line(check.outcome, indent, &check.id, evidence, check.seconds)
}

fn line(outcome: CheckOutcome, indent: &str, id: &str, said: Text, took: f64) -> Row {
    let (style, id_style) = match outcome {
        CheckOutcome::Pass => (GOOD, PLAIN),
        CheckOutcome::Fail => (BAD, BAD),
        CheckOutcome::Skip => (WARNING, DIM),
    };
    // A check that takes no time to speak of would only add noise.
    let time = if took >= 0.05 { seconds(took) } else { String::new() };
    let lead = format!("{indent}{}", mark(outcome));
    if indent.is_empty() {
        return vec![Text::new(style, lead), Text::new(id_style, id), said, Text::new(DIM, time)];
    }
    // Below its trial: the mark stands in the column of the names.
    let name = Text::new(style, lead).and(id_style, format!(" {id}"));
    vec![Text::default(), name, said, Text::new(DIM, time)]
}

/// One of several images could not be put to the proof at all.
fn unanswered(answer: &Answer, why: &crate::model::Error, page: Page, out: &mut dyn Write) -> io::Result<()> {
    let headline = Text::new(BAD, "✗ no answer").and(BOLD, format!("  {}", answer.reference));
    let sheet = &mut Sheet::new(page, out);
    sheet.line(0, &headline)?;
    sheet.blank()?;
    error(why, page, out)
}

/// One line an image.
fn summary(answers: &Answers, page: Page, out: &mut dyn Write) -> io::Result<()> {
    let proven = answers.list.iter().filter(|answer| answer.ok()).count();
    let sheet = &mut Sheet::new(page, out);
    sheet.blank()?;
    sheet.line(0, &Text::new(DIM, "─".repeat(page.width.min(40))))?;
    sheet.blank()?;
    let verdict = format!("{} {proven} of {} images verified", sign(answers.ok()), answers.list.len());
    sheet.line(0, &Text::new(if answers.ok() { GOOD } else { BAD }, verdict))?;
    sheet.blank()?;
    let heading = ["", "image", "verdict", "failed checks", "torch", "time"];
    let mut rows = vec![heading.map(|title| Text::new(DIM, title)).to_vec()];
    rows.extend(answers.list.iter().map(summarised));
    sheet.table(&rows, Some(5))
}

fn summarised(answer: &Answer) -> Row {
    let style = if answer.ok() { GOOD } else { BAD };
    let sign = Text::new(style, sign(answer.ok()));
    let name = Text::new(BOLD, &answer.reference);
    let report = match &answer.result {
        Ok(report) => report,
        Err(why) => return vec![sign, name, Text::new(BAD, "no answer"), Text::plain(&why.message)],
    };
    let (failed, torch) = match report.outcome.verification() {
        Some(proof) => (proof.failed().map(|check| check.id.as_str()).collect(), proof.environment().torch.as_str()),
        None => (Vec::new(), ""),
    };
    vec![
        sign,
        name,
        Text::new(style, verdict(&report.outcome)),
        Text::plain(distinct(failed).join(" ")),
        Text::plain(torch),
        Text::new(DIM, seconds(report.seconds)),
    ]
}

/// The same check may fail in several trials.
fn distinct(mut ids: Vec<&str>) -> Vec<&str> {
    let mut seen = std::collections::HashSet::new();
    ids.retain(|id| seen.insert(*id));
    ids
}
