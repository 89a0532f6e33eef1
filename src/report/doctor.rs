use std::io::{self, Write};

use super::sheet::{Page, Sheet};
use super::styled::{BAD, BOLD, COMMAND, DIM, GOOD, PLAIN, Text, WARNING};
use super::units::{count, seconds, short_id};
use crate::model::{Checkup, CheckupSubject, Diagnosis, Finding, FindingOutcome, Fix, Remedy};

/// The lines of an error that are shown where no cause is known.
const TAIL: usize = 6;

/// The lines of a note's label and of a command's platform.
const LABEL: usize = 6;

/// Writes what a look found, for people: the verdict, the findings, and of the bad ones why and what to do.
pub fn checkup(checkup: &Checkup, page: Page, out: &mut dyn Write) -> io::Result<()> {
    let sheet = &mut Sheet::new(page, out);
    sheet.line(0, &headline(checkup))?;
    sheet.blank()?;
    let (engine, own): (Vec<&Finding>, Vec<&Finding>) = checkup
        .findings
        .iter()
        .filter(|finding| !is_consequence(finding))
        .partition(|finding| finding.id.starts_with("engine"));
    let mut rows: Vec<Vec<Text>> = own.iter().map(|finding| row(finding)).collect();
    if !own.is_empty() && !engine.is_empty() {
        rows.push(vec![Text::default(); 3]);
    }
    rows.extend(engine.iter().map(|finding| row(finding)));
    sheet.table(&rows, None)?;
    let bad = |outcome| checkup.findings.iter().filter(move |finding| finding.outcome == outcome);
    for finding in bad(FindingOutcome::Fail).chain(bad(FindingOutcome::Warn)) {
        advice(sheet, finding, &checkup.diagnoses)?;
    }
    sheet.blank()?;
    sheet.paragraph(0, &Text::new(DIM, format!("{}; {}", timing(checkup), proof(&checkup.subject))))
}

fn headline(checkup: &Checkup) -> Text {
    let name = match &checkup.subject {
        CheckupSubject::Machine => "this machine".to_owned(),
        CheckupSubject::Engine => "the engine".to_owned(),
        CheckupSubject::Image { reference, .. } => reference.clone(),
    };
    let (failed, warned) = (checkup.number(FindingOutcome::Fail), checkup.number(FindingOutcome::Warn));
    let line = if failed == 0 { Text::new(GOOD, "✓ fit") } else { Text::new(BAD, "✗ not fit") };
    let mut line = line.and(BOLD, format!("  {name}"));
    if let CheckupSubject::Image { id, .. } = &checkup.subject {
        line = line.and(DIM, format!("  sha256:{}", short_id(id)));
    }
    if failed > 0 {
        line = line.and(PLAIN, format!("  {failed} of {} failed", count(checkup.findings.len(), "check")));
    }
    if warned > 0 { line.and(WARNING, format!("  {}", count(warned, "warning"))) } else { line }
}

/// What was not looked at for the sake of another finding says nothing to people.
fn is_consequence(finding: &Finding) -> bool {
    finding.outcome == FindingOutcome::Skip && finding.evidence.starts_with("needs `")
}

fn row(finding: &Finding) -> Vec<Text> {
    let (style, name) = styles(finding.outcome);
    let evidence = match finding.outcome {
        FindingOutcome::Skip => Text::new(DIM, format!("skipped: {}", finding.evidence)),
        _ => Text::plain(&finding.evidence),
    };
    vec![Text::new(style, mark(finding.outcome)), Text::new(name, &finding.id), evidence]
}

fn styles(outcome: FindingOutcome) -> (anstyle::Style, anstyle::Style) {
    match outcome {
        FindingOutcome::Ok => (GOOD, PLAIN),
        FindingOutcome::Warn => (WARNING, WARNING),
        FindingOutcome::Fail => (BAD, BAD),
        FindingOutcome::Skip => (WARNING, DIM),
    }
}

fn mark(outcome: FindingOutcome) -> &'static str {
    match outcome {
        FindingOutcome::Ok => "✓",
        FindingOutcome::Warn => "!",
        FindingOutcome::Fail => "✗",
        FindingOutcome::Skip => "–",
    }
}

/// Why a finding is no good, and what to do about it here.
fn advice(sheet: &mut Sheet, finding: &Finding, diagnoses: &[Diagnosis]) -> io::Result<()> {
    sheet.blank()?;
    let (style, _) = styles(finding.outcome);
    let title = Text::new(BOLD, &finding.id).and(PLAIN, format!(": {}", finding.title));
    sheet.item(
        0,
        &Text::new(style, format!("{}  ", if finding.outcome == FindingOutcome::Fail { "failed" } else { "warning" })),
        &title,
    )?;
    let causes = || diagnoses.iter().filter(|diagnosis| finding.causes.contains(&diagnosis.id));
    let own_words = finding.id == "python" && finding.error.lines().count() > 1;
    if causes().next().is_none() || own_words {
        let lines: Vec<&str> = finding.error.lines().filter(|line| !line.trim().is_empty()).collect();
        sheet.log(2, lines[lines.len().saturating_sub(TAIL)..].iter().copied())?;
    }
    for diagnosis in causes() {
        let text = Text::plain(&diagnosis.cause).and(DIM, format!("  ({})", diagnosis.id));
        sheet.item(2, &Text::new(WARNING, format!("{:<LABEL$}", "cause")), &text)?;
    }
    for group in finding.remedies.chunk_by(|one, next| one.platform == next.platform).take(1) {
        group.iter().try_for_each(|remedy| fix(sheet, remedy))?;
    }
    Ok(())
}

fn fix(sheet: &mut Sheet, remedy: &Remedy) -> io::Result<()> {
    let mut label = "fix";
    if let Some(note) = &remedy.note {
        sheet.item(2, &Text::new(BOLD, format!("{label:<LABEL$}")), &Text::plain(note))?;
        label = "";
    }
    for command in &remedy.commands {
        sheet.line(2, &Text::new(BOLD, format!("{label:<LABEL$}")).and(COMMAND, command))?;
        label = "";
    }
    Ok(())
}

fn timing(checkup: &Checkup) -> String {
    format!("looked in {}", seconds(checkup.seconds))
}

/// A look is no proof.
fn proof(subject: &CheckupSubject) -> String {
    match subject {
        CheckupSubject::Image { reference, .. } => {
            format!("nothing was compiled by torch: `sconce verify {reference}` is the proof")
        }
        CheckupSubject::Machine => {
            "nothing was compiled by torch: `sconce build` and `sconce verify` are the proof, for images".to_owned()
        }
        CheckupSubject::Engine => "nothing was run on it".to_owned(),
    }
}

/// Writes the commands that would mend what is no good, in order, each with why it is not run where it is not.
pub fn fixes(fixes: &[Fix], page: Page, out: &mut dyn Write) -> io::Result<()> {
    let sheet = &mut Sheet::new(page, out);
    sheet.blank()?;
    if fixes.is_empty() {
        return sheet.paragraph(0, &Text::plain("there is no command that would mend anything here"));
    }
    sheet.line(0, &Text::new(BOLD, "to mend it"))?;
    for (index, fix) in fixes.iter().enumerate() {
        let lead = Text::new(DIM, format!("{:>2}  ", index + 1));
        sheet.line(2, &lead.and(COMMAND, &fix.command))?;
        let why = fix.left.map(|why| format!("for you: {why}"));
        let notes: Vec<String> =
            [Some(format!("for `{}`", fix.finding)), why, fix.note.clone()].into_iter().flatten().collect();
        sheet.paragraph(6, &Text::new(DIM, notes.join("; ")))?;
    }
    Ok(())
}
