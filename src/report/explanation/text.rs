//! The answer on a terminal: what broke, the line that proves it, why, and the fix for this user first, on one screen.

use std::io::{self, Write};

use super::super::advice::{self, Advice, platforms};
use super::super::sheet::{Page, Sheet};
use super::super::styled::{BAD, BOLD, COMMAND, DIM, HINT, PLAIN, Text, WARNING};
use super::super::units::count;
use super::{circumstances, doubt, unknown};
use crate::model::{Confidence, Diagnosis, Doubt, Evidence, Explained, Remedy};

/// What stands to the left of the text, and under it.
const LEAD: usize = 9;

/// The further causes that are told beside the first.
const OTHERS: usize = 3;

/// Writes what a log says of a failure: the first cause with its first fix, or with `all` everything.
pub fn explanation(explained: &Explained, all: bool, page: Page, out: &mut dyn Write) -> io::Result<()> {
    let sheet = &mut Sheet::new(page, out);
    let told = &explained.explanation;
    match told.diagnoses.split_first() {
        None => nothing(sheet, explained)?,
        Some(_) if !told.known() => {
            nothing(sheet, explained)?;
            for (index, other) in told.diagnoses.iter().enumerate() {
                if all || index == 0 {
                    sheet.blank()?;
                }
                if all { whole(sheet, explained, other, all)? } else { brief(sheet, page, other)? }
            }
        }
        Some((first, others)) => {
            whole(sheet, explained, first, all)?;
            for (index, other) in others.iter().take(if all { others.len() } else { OTHERS }).enumerate() {
                if all || index == 0 {
                    sheet.blank()?;
                }
                if all { whole(sheet, explained, other, all)? } else { brief(sheet, page, other)? }
            }
            if !all {
                left_out(sheet, first, others.len().saturating_sub(OTHERS))?;
            }
        }
    }
    if !told.notes.is_empty() {
        sheet.blank()?;
    }
    told.notes.iter().try_for_each(|note| sheet.item(0, &Text::new(HINT, "note").and(PLAIN, ": "), &Text::plain(note)))
}

/// A cause in full.
fn whole(sheet: &mut Sheet, explained: &Explained, known: &Diagnosis, all: bool) -> io::Result<()> {
    sheet.paragraph(0, &headline(known))?;
    if let Some(doubt) = doubt(known) {
        sheet.paragraph(2, &Text::new(WARNING, doubt))?;
    }
    sheet.blank()?;
    line(sheet, &explained.log, &known.evidence)?;
    sheet.blank()?;
    let about = circumstances::line(&explained.explanation.circumstances);
    advice(sheet, known.into(), about.as_deref(), all)
}

fn headline(known: &Diagnosis) -> Text {
    let mark = match known.confidence {
        Confidence::Certain => Text::new(BAD, "✗ "),
        Confidence::Likely | Confidence::Warning => Text::new(WARNING, "! "),
    };
    mark.and(BOLD, &known.title).and(DIM, format!("  {}", known.id))
}

/// A line of the log, with its place.
fn line(sheet: &mut Sheet, log: &str, evidence: &Evidence) -> io::Result<()> {
    sheet.line(2, &Text::new(DIM, format!("{}:{}", log, evidence.line)))?;
    sheet.log(2, [evidence.text.as_str()])
}

/// Why it is so and what to do: the first fix, or with `all` everything. `about` is what the log says of its machine.
pub(in crate::report) fn advice(sheet: &mut Sheet, told: Advice, about: Option<&str>, all: bool) -> io::Result<()> {
    labelled(sheet, "why", &Text::plain(told.cause))?;
    if let Some(about) = about {
        labelled(sheet, "here", &Text::new(DIM, about))?;
    }
    sheet.blank()?;
    let shown = if all { told.remedies.len() } else { 1 };
    for (index, remedy) in told.remedies.iter().take(shown).enumerate() {
        fix(sheet, if index == 0 { "fix" } else { "or" }, remedy)?;
    }
    if !told.check.is_empty() {
        sheet.blank()?;
        commands(sheet, "check", told.check)?;
    }
    if !all {
        return Ok(());
    }
    for paragraph in told.further {
        sheet.blank()?;
        labelled(sheet, "more", &Text::plain(paragraph))?;
    }
    if !told.references.is_empty() {
        sheet.blank()?;
    }
    let label = |index| Text::new(BOLD, format!("{:<7}", if index == 0 { "see" } else { "" }));
    told.references.iter().enumerate().try_for_each(|(index, url)| sheet.line(2, &label(index).and(DIM, url)))
}

fn labelled(sheet: &mut Sheet, label: &str, text: &Text) -> io::Result<()> {
    sheet.item(2, &Text::new(BOLD, format!("{label:<7}")), text)
}

fn fix(sheet: &mut Sheet, label: &str, remedy: &Remedy) -> io::Result<()> {
    let platform = Text::new(DIM, advice::platform(remedy));
    let text = match &remedy.note {
        Some(note) if advice::is_for_all(remedy) => Text::plain(note),
        Some(note) => platform.and(DIM, ": ").and(PLAIN, note),
        None => platform,
    };
    labelled(sheet, label, &text)?;
    remedy.commands.iter().try_for_each(|command| sheet.line(LEAD, &Text::new(COMMAND, command)))
}

/// Commands that stand for themselves, the first beside its label.
fn commands(sheet: &mut Sheet, label: &str, commands: &[String]) -> io::Result<()> {
    for (index, command) in commands.iter().enumerate() {
        let label = Text::new(BOLD, format!("{:<7}", if index == 0 { label } else { "" }));
        sheet.line(2, &label.and(COMMAND, command))?;
    }
    Ok(())
}

/// A further cause, in two lines: its name with the line that shows it, and the first thing to do.
fn brief(sheet: &mut Sheet, page: Page, known: &Diagnosis) -> io::Result<()> {
    let place = format!("  {}, line {}: ", known.id, known.evidence.line);
    let how = match known.confidence {
        Confidence::Certain => "",
        Confidence::Likely if known.doubt == Some(Doubt::Survived) => "survived: ",
        Confidence::Likely => "probably: ",
        Confidence::Warning => "a warning: ",
    };
    let first = Text::new(WARNING, "also   ").and(WARNING, how).and(BOLD, &known.title).and(DIM, place);
    sheet.line(2, &first.and(PLAIN, &known.evidence.text).truncated(page.width.saturating_sub(2)))?;
    let Some(remedy) = known.remedies.first() else { return Ok(()) };
    match (remedy.commands.first(), &remedy.note) {
        (Some(command), _) => sheet.line(LEAD, &Text::new(COMMAND, command)),
        (None, Some(note)) => sheet.line(LEAD, &Text::plain(note).truncated(page.width.saturating_sub(LEAD))),
        (None, None) => Ok(()),
    }
}

/// What else there is to know; `causes` were left out whole.
fn left_out(sheet: &mut Sheet, first: &Diagnosis, causes: usize) -> io::Result<()> {
    let causes = (causes > 0).then(|| count(causes, "more cause"));
    let others = platforms(first.remedies.get(1..).unwrap_or_default());
    let fixes = (!others.is_empty()).then(|| format!("other fixes ({})", others.join("; ")));
    let further = (!first.further.is_empty()).then(|| "what else to know".to_owned());
    let references = (!first.references.is_empty()).then(|| count(first.references.len(), "reference"));
    let parts: Vec<String> = [causes, fixes, further, references].into_iter().flatten().collect();
    if parts.is_empty() {
        return Ok(());
    }
    sheet.blank()?;
    sheet.paragraph(2, &Text::new(DIM, format!("`--all` shows more: {}", parts.join(", "))))
}

/// No row fits: said so, with the lines to look at and how to get more.
fn nothing(sheet: &mut Sheet, explained: &Explained) -> io::Result<()> {
    sheet.paragraph(0, &Text::new(WARNING, "? ").and(BOLD, unknown(explained)))?;
    let told = &explained.explanation;
    if !told.decisive.is_empty() {
        sheet.blank()?;
        sheet.paragraph(2, &Text::plain("These lines look decisive:"))?;
    }
    told.decisive.iter().try_for_each(|evidence| line(sheet, &explained.log, evidence))?;
    if let Some(about) = circumstances::line(&told.circumstances) {
        sheet.blank()?;
        labelled(sheet, "here", &Text::new(DIM, about))?;
    }
    for (index, remedy) in explained.more.iter().enumerate() {
        sheet.blank()?;
        let lead = if index == 0 { "next" } else { "" };
        labelled(sheet, lead, &Text::plain(remedy.note.as_deref().unwrap_or_default()))?;
        remedy.commands.iter().try_for_each(|command| sheet.line(LEAD, &Text::new(COMMAND, command)))?;
    }
    Ok(())
}
