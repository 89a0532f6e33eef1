//! Markdown as GitHub shows it: the summary of a step, a comment, an issue.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::advice::{Advice, is_for_all, language, platform};
use super::error::causes;
use super::facts::facts;
use super::failure::in_order;
use super::literal::pieces;
use super::safe;
use super::step::step_name;
use super::styled::Text;
use super::units::{seconds, short_id};
use super::verdict::{mark, recalled, tally, timing, tried, verdict};
use crate::model::{
    Answer, Answers, Check, CheckOutcome, Diagnosis, Error, Note, Outcome, Remedy, Report, Severity, Trial,
    Verification, plain,
};

/// Writes the answers, of several a table first.
pub fn answers(answers: &Answers, out: &mut dyn Write) -> io::Result<()> {
    let mut text = String::new();
    if answers.list.len() > 1 {
        summary(&mut text, answers);
    }
    for answer in &answers.list {
        match &answer.result {
            Ok(told) => report(&mut text, told),
            Err(why) => unanswered(&mut text, &answer.reference, why),
        }
    }
    out.write_all(text.trim_start().as_bytes())
}

/// Text that shows as it is, with its literals in backticks as code; on one line.
pub(super) fn prose(text: &str) -> String {
    pieces(text).iter().map(|piece| if piece.literal { code(piece.text) } else { escaped(piece.text) }).collect()
}

/// A literal. Between backticks where nothing in it could end them; HTML holds any text, in a table, too.
pub(super) fn code(text: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "_-./:+=".contains(c);
    if text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(harmless) {
        return format!("`{text}`");
    }
    format!("<code>{}</code>", escaped(text))
}

/// Text without a meaning to Markdown or HTML, and without a name that is called (`@name`).
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in safe(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '@' => out.push_str("@<!-- -->"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '#' | '|' | '~' | '!' | '$' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

/// The most of a log that a block has, in bytes: GitHub takes 1 MiB a summary, and what matters stands at the end.
const LONGEST_BLOCK: usize = 16 << 10;

/// Text as it is, in a block with a fence that is longer than any in it.
pub(super) fn fence(text: &str, language: &str) -> String {
    let text = plain(text);
    let text = text.trim_end();
    let start = text.ceil_char_boundary(text.len().saturating_sub(LONGEST_BLOCK));
    let (cut, text) = if start > 0 { ("…", &text[start..]) } else { ("", text) };
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{cut}{text}\n{fence}\n")
}

/// What is collapsed until it is asked for.
fn details(out: &mut String, title: &str, body: &str) {
    let _ = write!(out, "\n<details><summary>{title}</summary>\n\n{}\n\n</details>\n", body.trim_end());
}

pub(super) fn table(out: &mut String, heading: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
    let _ = writeln!(out, "\n| {} |\n|{}", heading.join(" | "), " --- |".repeat(heading.len()));
    for row in rows {
        let _ = writeln!(out, "| {} |", row.join(" | "));
    }
}

/// A mark that is seen in a long page.
fn sign(outcome: CheckOutcome) -> &'static str {
    match outcome {
        CheckOutcome::Pass => "✅",
        CheckOutcome::Fail => "❌",
        CheckOutcome::Skip => "➖",
    }
}

fn answered(ok: bool) -> &'static str {
    sign(if ok { CheckOutcome::Pass } else { CheckOutcome::Fail })
}

fn summary(out: &mut String, answers: &Answers) {
    let proven = answers.list.iter().filter(|answer| answer.ok()).count();
    let _ = writeln!(out, "## {} {proven} of {} images verified", answered(answers.ok()), answers.list.len());
    table(out, &["", "image", "verdict", "torch", "time"], answers.list.iter().map(summarised));
}

fn summarised(answer: &Answer) -> Vec<String> {
    let (said, torch, time) = match &answer.result {
        Ok(report) => {
            let proof = report.outcome.verification();
            let failed = proof.filter(|proof| !proof.proven()).map(|proof| format!(": {}", tally(proof)));
            let torch = proof.map(|proof| prose(&proof.environment().torch)).unwrap_or_default();
            let said = format!("{}{}", verdict(&report.outcome), failed.unwrap_or_default());
            (said, torch, seconds(report.seconds))
        }
        Err(why) => (format!("no answer: {}", prose(&why.message)), String::new(), String::new()),
    };
    vec![answered(answer.ok()).to_owned(), code(&answer.reference), said, torch, time]
}

fn unanswered(out: &mut String, reference: &str, why: &Error) {
    let _ = writeln!(out, "\n## {} no answer: {}\n\n{}", answered(false), code(reference), prose(&why.to_string()));
    for cause in causes(why) {
        let _ = writeln!(out, "\ncaused by: {}", prose(&cause));
    }
    if let Some(hint) = &why.hint {
        let lines: Vec<String> = hint.lines().map(prose).collect();
        let _ = writeln!(out, "\n**hint**: {}", lines.join("<br>"));
    }
    if !why.log.is_empty() {
        details(out, "the end of the log", &fence(&why.log.join("\n"), "text"));
    }
}

fn report(out: &mut String, report: &Report) {
    let outcome = &report.outcome;
    let _ = writeln!(out, "\n## {} {}: {}", answered(outcome.ok()), verdict(outcome), code(outcome.name()));
    if let Some(proof) = outcome.verification().filter(|proof| !proof.proven()) {
        let _ = writeln!(out, "\n**{}**", tally(proof));
    }
    if let Outcome::BuildFailed { failure, .. } | Outcome::FileFailed { failure, .. } = outcome {
        let _ = writeln!(out, "\n**{}**: {}", prose(&step_name(&failure.step)), prose(&failure.message));
        details(out, "the end of the step's log", &fence(&failure.log.join("\n"), "text"));
    }
    report.diagnoses.iter().for_each(|known| cause(out, known));
    let flat = |text: &Text| text.spans.iter().map(|span| span.text.as_str()).collect::<String>();
    let image = outcome.image().map(|image| vec!["image".to_owned(), code(short_id(&image.id))]);
    let rows = facts(outcome).into_iter().map(|row| row.iter().map(|cell| prose(&flat(cell))).collect());
    table(out, &["", ""], image.into_iter().chain(rows));
    if let Some(proof) = outcome.verification() {
        checks(out, proof);
    }
    notes(out, &report.notes);
    let _ = writeln!(out, "\n<sub>{}, by sconce {}</sub>", timing(report), prose(&report.sconce));
}

fn cause(out: &mut String, known: &Diagnosis) {
    let _ = writeln!(out, "\n**Cause** ({}): {}\n", prose(&known.id), prose(&known.cause));
    out.push_str(&fence(&known.evidence.text, "text"));
    for remedy in in_order(&known.remedies) {
        fix(out, "Fix", remedy);
    }
    aftercare(out, known.into());
}

/// Why it is so and what to do: the first fix, or with `all` everything.
pub(super) fn advice(out: &mut String, told: Advice, all: bool) {
    let _ = writeln!(out, "\n{}", prose(told.cause));
    let shown = if all { told.remedies.len() } else { 1 };
    told.remedies.iter().take(shown).for_each(|remedy| fix(out, "Fix", remedy));
    aftercare(out, if all { told } else { Advice { further: &[], references: &[], ..told } });
}

/// A remedy: its note as prose, and its commands alone in a block.
pub(super) fn fix(out: &mut String, label: &str, remedy: &Remedy) {
    let note = remedy.note.as_ref().map(|note| format!(": {}", prose(note))).unwrap_or_default();
    let whom = if is_for_all(remedy) { String::new() } else { format!(" ({})", prose(platform(remedy))) };
    let _ = writeln!(out, "\n**{label}**{whom}{note}");
    if !remedy.commands.is_empty() {
        let _ = write!(out, "\n{}", fence(&remedy.commands.join("\n"), language(remedy)));
    }
}

/// How to see that it is mended, and what else to know.
pub(super) fn aftercare(out: &mut String, told: Advice) {
    if !told.check.is_empty() {
        let _ = write!(out, "\n**Check**\n\n{}", fence(&told.check.join("\n"), "sh"));
    }
    for text in told.further {
        let _ = writeln!(out, "\n{}", prose(text));
    }
    for reference in told.references {
        let _ = writeln!(out, "\nSee {}", prose(reference));
    }
}

fn checks(out: &mut String, proof: &Verification) {
    if let Some(earlier) = &proof.recalled {
        let _ = writeln!(out, "\n_{}_", recalled(earlier));
    }
    for trial in &proof.trials {
        let first = std::ptr::eq(trial, proof.as_is());
        let title = format!("{} {}: {}", mark(trial.outcome()), prose(&trial.title), prose(&tried(trial)));
        let mut body = String::new();
        trial_table(&mut body, trial);
        // What passed again in another way of running it is evidence, and no news.
        match trial.outcome() {
            CheckOutcome::Fail => {
                let _ = writeln!(out, "\n### {title}\n{body}");
            }
            CheckOutcome::Pass | CheckOutcome::Skip if first => {
                let _ = writeln!(out, "\n### {title}");
                details(out, "every check", &body);
            }
            CheckOutcome::Pass | CheckOutcome::Skip => details(out, &title, &body),
        }
        let failed = trial.checks.iter().filter(|check| !check.error.trim().is_empty());
        failed.for_each(|check| details(out, &error_of(check), &fence(&check.error, "text")));
        if trial.outcome() != CheckOutcome::Pass && !trial.log.is_empty() {
            details(out, "what the proof wrote", &fence(&trial.log.join("\n"), "text"));
        }
    }
    let rows = proof.untried.iter().map(|left| vec![prose(&left.id), prose(&left.title), prose(&left.reason)]);
    if rows.len() > 0 {
        let _ = writeln!(out, "\n### Not tried");
        table(out, &["", "what", "why"], rows);
    }
}

fn error_of(check: &Check) -> String {
    format!("{}: {}", code(&check.id), prose(&check.title))
}

fn trial_table(out: &mut String, trial: &Trial) {
    let row = |check: &Check| {
        let causes = if check.causes.is_empty() { String::new() } else { format!(" ({})", check.causes.join(", ")) };
        let time = if check.seconds >= 0.05 { seconds(check.seconds) } else { String::new() };
        let evidence = prose(&format!("{}{causes}", check.evidence));
        vec![sign(check.outcome).to_owned(), code(&check.id), prose(&check.title), evidence, time]
    };
    table(out, &["", "check", "asserts", "evidence", "time"], trial.checks.iter().map(row));
}

fn notes(out: &mut String, notes: &[Note]) {
    for note in notes {
        let lead = if note.severity == Severity::Warning { "warning" } else { "note" };
        let hint = note.hint.as_ref().map(|hint| format!(" {}", prose(hint))).unwrap_or_default();
        let _ = writeln!(out, "\n> **{lead}**: {}{hint}", prose(&note.message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_has_no_meaning() {
        assert_eq!(
            prose("**b** [l](u) <img> | @all #1 a_b \u{1b}[1m\nx"),
            "\\*\\*b\\*\\* \\[l\\](u) &lt;img&gt; \\| @<!-- -->all \\#1 a\\_b \\\\nx"
        );
        assert_eq!(prose("use `a_b`, not `c`"), "use `a_b`, not `c`");
        assert_eq!(code("a | `b`"), "<code>a \\| \\`b\\`</code>");
        assert_eq!(prose("one ` alone"), "one \\` alone");
    }

    #[test]
    fn nothing_breaks_out_of_a_block() {
        assert_eq!(fence("a\n````\nb\n", "text"), "`````text\na\n````\nb\n`````\n");
        assert_eq!(fence("", ""), "```\n\n```\n");
        let long = fence(&"é".repeat(LONGEST_BLOCK), "");
        assert_eq!(long, format!("```\n…{}\n```\n", "é".repeat(LONGEST_BLOCK / 2)));
    }
}
