//! The failures that are known: a list, one in full, and the whole as a page.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::explanation::advice;
use super::markdown::{self, code, fence, prose};
use super::sheet::{Page, Sheet};
use super::styled::{BOLD, DIM, HINT, PLAIN, Text, WARNING};
use super::units::count;
use crate::model::KnownFailure;

/// Writes their ids and names, stage by stage.
pub fn failures(known: &[KnownFailure], page: Page, out: &mut dyn Write) -> io::Result<()> {
    let sheet = &mut Sheet::new(page, out);
    for rows in known.chunk_by(|a, b| a.stage == b.stage) {
        sheet.line(0, &Text::new(HINT, &rows[0].stage))?;
        let warning = |row: &KnownFailure| if row.warning { "  a warning" } else { "" };
        let row = |row: &KnownFailure| vec![Text::new(BOLD, &row.id), Text::plain(&row.title).and(DIM, warning(row))];
        sheet.table(&rows.iter().map(row).collect::<Vec<_>>(), None)?;
        sheet.blank()?;
    }
    let all = format!("{}; `sconce explain ID` shows one in full", count(known.len(), "failure"));
    sheet.paragraph(0, &Text::new(DIM, all))
}

/// Writes one in full.
pub fn failure(known: &KnownFailure, page: Page, out: &mut dyn Write) -> io::Result<()> {
    let sheet = &mut Sheet::new(page, out);
    sheet.paragraph(0, &Text::new(BOLD, &known.title).and(DIM, format!("  {}", known.id)))?;
    if known.warning {
        sheet.paragraph(2, &Text::new(WARNING, WARNS))?;
    }
    sheet.blank()?;
    let facts = [("stage", Some(&known.stage)), ("befalls", known.versions.as_ref())];
    for (label, fact) in facts {
        let lead = Text::new(BOLD, format!("{label:<9}"));
        fact.map_or(Ok(()), |fact| sheet.item(2, &lead, &Text::plain(fact)))?;
    }
    sheet.blank()?;
    advice(sheet, known.into(), None, true)?;
    sheet.blank()?;
    let checked = format!("{}; checked on {}", known.evidence, known.checked);
    sheet.item(2, &Text::new(BOLD, "basis").and(PLAIN, "  "), &Text::new(DIM, checked))
}

const WARNS: &str = "a warning, not a failure: the program may go on without harm";

/// Writes one in full, as Markdown.
pub fn failure_markdown(known: &KnownFailure, out: &mut dyn Write) -> io::Result<()> {
    let mut text = String::new();
    entry(&mut text, known);
    out.write_all(text.trim_start().as_bytes())
}

/// Writes them all in full, as a page of Markdown.
pub fn failures_markdown(known: &[KnownFailure], out: &mut dyn Write) -> io::Result<()> {
    let mut text = String::from(HEAD);
    for rows in known.chunk_by(|a, b| a.stage == b.stage) {
        let _ = writeln!(text, "\n**{}**\n", prose(&rows[0].stage));
        for row in rows {
            let _ = writeln!(text, "- [{}](#{}): {}", code(&row.id), row.id.to_lowercase(), prose(&row.title));
        }
    }
    for row in known {
        entry(&mut text, row);
    }
    out.write_all(text.as_bytes())
}

const HEAD: &str = "\
# The failures that sconce knows

Written by `sconce explain --catalogue --format markdown` from [`images/failures.toml`](../images/failures.toml). Each is what
`sconce explain ID` shows; values that a log names, such as the version of Python, stand here as they are without one.
";

fn entry(out: &mut String, known: &KnownFailure) {
    let _ = writeln!(out, "\n## {}\n\n**{}**", prose(&known.id), prose(&known.title));
    if known.warning {
        let _ = writeln!(out, "\n_{WARNS}_");
    }
    let versions = known.versions.as_ref().map(|versions| format!("; befalls {}", prose(versions))).unwrap_or_default();
    let _ = writeln!(out, "\nStage: {}{versions}", prose(&known.stage));
    markdown::advice(out, known.into(), true);
    let _ =
        writeln!(out, "\n**Shown by** a line of the log that matches\n\n{}", fence(&known.patterns.join("\n"), "text"));
    let _ = writeln!(out, "<sub>Checked on {}: {}</sub>", prose(&known.checked), prose(&known.evidence));
}
