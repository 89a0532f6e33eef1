use std::io::{self, Write};

use super::safe;
use super::sheet::{Page, Sheet};
use super::styled::{BAD, BOLD, COMMAND, DIM, GOOD, HINT, PLAIN, Text};
use crate::model::{CheckedFile, FileState, Refresh};

/// Writes which files are what would be rendered, what differs in the others, and `refresh`, the command that writes them
/// anew.
pub fn freshness(files: &[CheckedFile], refresh: &Refresh, page: Page, out: &mut dyn Write) -> io::Result<()> {
    let sheet = &mut Sheet::new(page, out);
    for file in files {
        let (style, verdict) = match file.state {
            FileState::Fresh => (GOOD, "✓ up to date"),
            FileState::Stale => (BAD, "✗ stale"),
            FileState::Missing => (BAD, "✗ missing"),
        };
        let headline = Text::new(style, verdict).and(BOLD, format!("  {}", file.path));
        sheet.line(0, &headline.and(DIM, remark(file)))?;
        difference(sheet, file)?;
    }
    if files.iter().all(|file| file.state == FileState::Fresh) {
        return Ok(());
    }
    sheet.blank()?;
    let hint = Text::new(HINT, "hint").and(PLAIN, ": ").and(COMMAND, &refresh.command);
    let variables = refresh.variables.join("` and `");
    let set = if variables.is_empty() { String::new() } else { format!("  with `{variables}` set as here") };
    sheet.line(0, &hint.and(PLAIN, set))
}

fn remark(file: &CheckedFile) -> String {
    match (&file.written_by, file.state) {
        (Some(version), FileState::Fresh) => format!("  but for the label of sconce {version}, which wrote it"),
        (Some(version), _) => format!("  written by sconce {version}; this is {}", env!("CARGO_PKG_VERSION")),
        (None, _) => String::new(),
    }
}

fn difference(sheet: &mut Sheet, file: &CheckedFile) -> io::Result<()> {
    if file.diff.is_empty() {
        return Ok(());
    }
    sheet.blank()?;
    // Not `lines`: a line end of another system may be all that differs.
    for line in file.diff.split_terminator('\n') {
        let style = match line.bytes().next() {
            _ if line.starts_with("--- ") || line.starts_with("+++ ") => BOLD,
            Some(b'-') => BAD,
            Some(b'+') => GOOD,
            Some(b'@') => DIM,
            _ => PLAIN,
        };
        sheet.line(0, &Text::new(style, visible(line)))?;
    }
    if file.omitted > 0 {
        sheet.line(0, &Text::new(DIM, format!("… and {} lines more", file.omitted)))?;
    }
    Ok(())
}

/// A line of a diff in which what a terminal would not show is spelt out: it may be all that differs.
fn visible(line: &str) -> String {
    if safe(line) == line { line.to_owned() } else { line.escape_debug().to_string() }
}
