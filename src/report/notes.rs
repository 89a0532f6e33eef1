use std::io::{self, Write};

use super::sheet::{Page, Sheet};
use super::styled::{COMMAND, DIM, HINT, PLAIN, Text, WARNING};
use crate::model::{Note, Origin, Severity};

/// Writes notes, the warnings first.
pub fn notes(notes: &[Note], page: Page, out: &mut dyn Write) -> io::Result<()> {
    write(&mut Sheet::new(page, out), notes)
}

/// Notes on a sheet that has something above them, the warnings first.
pub(super) fn write(sheet: &mut Sheet, notes: &[Note]) -> io::Result<()> {
    let mut notes: Vec<&Note> = notes.iter().collect();
    notes.sort_by_key(|note| std::cmp::Reverse(note.severity));
    if !notes.is_empty() {
        sheet.blank()?;
    }
    for note in notes {
        let lead = match note.severity {
            Severity::Info => Text::new(HINT, "note").and(PLAIN, ": "),
            Severity::Warning => Text::new(WARNING, "warning").and(PLAIN, ": "),
        };
        let place = match &note.origin {
            Origin::Default => String::new(),
            origin => format!("  ({origin})"),
        };
        sheet.item(0, &lead, &Text::plain(&note.message).and(DIM, place))?;
        if let Some(hint) = &note.hint {
            sheet.item(2, &Text::new(COMMAND, "hint").and(PLAIN, ": "), &Text::plain(hint))?;
        }
    }
    Ok(())
}
