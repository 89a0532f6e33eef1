use std::error::Error as _;
use std::io::{self, Write};
use std::iter::successors;

use super::sheet::{Page, Sheet};
use super::styled::{BAD, BOLD, HINT, PLAIN, Text};
use crate::model::Error;

/// Writes an error: where and what, the errors beneath it, the end of the log that explains it, and what to do. Its
/// lines are not wrapped, so that they can be searched for.
pub fn error(error: &Error, page: Page, out: &mut dyn Write) -> io::Result<()> {
    let sheet = &mut Sheet::new(page, out);
    let mut first = Text::new(BAD, "error").and(PLAIN, ": ");
    if let Some(origin) = &error.origin {
        first = first.and(BOLD, origin.to_string()).and(PLAIN, ": ");
    }
    sheet.line(0, &first.and(PLAIN, &error.message))?;
    for cause in causes(error) {
        sheet.line(2, &Text::new(BAD, "caused by").and(PLAIN, ": ").and(PLAIN, cause))?;
    }
    sheet.log(2, error.log.iter().map(String::as_str))?;
    let Some(hint) = &error.hint else { return Ok(()) };
    sheet.blank()?;
    for (index, line) in hint.lines().enumerate() {
        let lead = if index == 0 { Text::new(HINT, "hint").and(PLAIN, ": ") } else { Text::plain("      ") };
        sheet.line(0, &lead.and(PLAIN, line))?;
    }
    Ok(())
}

/// What each error beneath says, from the top down; one that only repeats the one above is left out.
pub(super) fn causes(error: &Error) -> Vec<String> {
    let mut causes: Vec<String> = Vec::new();
    for cause in successors(error.source(), |cause| (*cause).source()).map(ToString::to_string) {
        let above = causes.last().map_or(error.message.as_str(), String::as_str);
        if !above.contains(&cause) {
            causes.push(cause);
        }
    }
    causes
}
