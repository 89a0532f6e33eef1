use std::io::{self, Write};

use super::safe;
use super::styled::{DIM, Span, Text};

/// The columns between a table's columns, and to the left of the first.
const GAP: usize = 2;

/// What is written on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Its columns; nothing is wider but a command or a path to copy, and an error's message.
    pub width: usize,
    /// Whether it shows ASCII only.
    pub ascii: bool,
}

/// Lays text out on a [`Page`]. Everything that is written passes [`Sheet::clean`], so that no text from a file, a log
/// or an engine can move the cursor, whichever way it came here.
pub(super) struct Sheet<'a> {
    page: Page,
    out: &'a mut dyn Write,
}

impl<'a> Sheet<'a> {
    pub(super) fn new(page: Page, out: &'a mut dyn Write) -> Self {
        Self { page, out }
    }

    /// An empty line.
    pub(super) fn blank(&mut self) -> io::Result<()> {
        writeln!(self.out)
    }

    /// One line, however long: for what is to be copied or parsed.
    pub(super) fn line(&mut self, indent: usize, text: &Text) -> io::Result<()> {
        let text = self.clean(text);
        self.put(indent, &text)?;
        self.blank()
    }

    /// Wrapped text.
    pub(super) fn paragraph(&mut self, indent: usize, text: &Text) -> io::Result<()> {
        self.item(indent, &Text::default(), text)
    }

    /// Text wrapped behind `lead`, and under itself.
    pub(super) fn item(&mut self, indent: usize, lead: &Text, text: &Text) -> io::Result<()> {
        let blank = Text::plain(" ".repeat(self.clean(lead).width()));
        self.wrapped(indent, lead, &blank, text)
    }

    /// Lines of a log, each behind a rule.
    pub(super) fn log<'l>(&mut self, indent: usize, lines: impl IntoIterator<Item = &'l str>) -> io::Result<()> {
        let rule = Text::new(DIM, "│ ");
        lines.into_iter().try_for_each(|line| self.wrapped(indent, &rule, &rule, &Text::plain(line)))
    }

    /// A table, its columns two apart. Where it would be wider than the page, its widest columns are wrapped. `right`
    /// names the column that is set flush right.
    pub(super) fn table(&mut self, rows: &[Vec<Text>], right: Option<usize>) -> io::Result<()> {
        let rows: Vec<Vec<Text>> = rows.iter().map(|row| row.iter().map(|cell| self.clean(cell)).collect()).collect();
        let widths = column_widths(&rows, self.page.width);
        for row in &rows {
            let cells: Vec<Vec<Text>> = row.iter().zip(&widths).map(|(cell, width)| cell.wrap(*width)).collect();
            for line in 0..cells.iter().map(Vec::len).max().unwrap_or(0) {
                self.row(cells.iter().map(|cell| cell.get(line)).zip(&widths).enumerate(), right)?;
            }
        }
        Ok(())
    }

    /// One line of a table: for each column its text, if it has any on this line, and its width.
    fn row<'t>(
        &mut self,
        columns: impl Iterator<Item = (usize, (Option<&'t Text>, &'t usize))>,
        right: Option<usize>,
    ) -> io::Result<()> {
        // Blanks are written only before text, so that no line ends with them.
        let mut blanks = 0;
        for (column, (text, width)) in columns {
            let used = text.map_or(0, Text::width);
            let slack = width.saturating_sub(used);
            blanks += GAP;
            if let Some(text) = text.filter(|_| used > 0) {
                let lead = if right == Some(column) { slack } else { 0 };
                self.put(blanks + lead, text)?;
                blanks = slack - lead;
            } else {
                blanks += width;
            }
        }
        self.blank()
    }

    fn wrapped(&mut self, indent: usize, first: &Text, rest: &Text, text: &Text) -> io::Result<()> {
        let (first, rest, text) = (self.clean(first), self.clean(rest), self.clean(text));
        let room = self.page.width.saturating_sub(indent + first.width());
        for (index, line) in text.wrap(room).iter().enumerate() {
            self.put(indent, if index == 0 { &first } else { &rest })?;
            self.put(0, line)?;
            self.blank()?;
        }
        Ok(())
    }

    fn clean(&self, text: &Text) -> Text {
        let clean = |span: &Span| {
            let text = safe(&span.text);
            let text = if self.page.ascii { ascii(&text) } else { text };
            Span { style: span.style, text }
        };
        Text { spans: text.spans.iter().map(clean).collect() }
    }

    fn put(&mut self, indent: usize, text: &Text) -> io::Result<()> {
        write!(self.out, "{:indent$}", "")?;
        text.spans.iter().try_for_each(|Span { style, text }| {
            // A blank has no colour: escape sequences around it would only be in the way.
            if text.trim().is_empty() { write!(self.out, "{text}") } else { write!(self.out, "{style}{text}{style:#}") }
        })
    }
}

/// The report's own few symbols for a terminal without them; what others wrote stays as it is.
fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '✓' => out.push('+'),
            '✗' | '×' => out.push('x'),
            '│' => out.push('|'),
            '…' => out.push_str("..."),
            '–' | '·' | '─' => out.push('-'),
            c => out.push(c),
        }
    }
    out
}

/// The widths of the columns: as wide as their widest cells, the widest narrowed until the table fits.
fn column_widths(rows: &[Vec<Text>], page: usize) -> Vec<usize> {
    const NARROWEST: usize = 12;
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widest = |column| rows.iter().filter_map(|row| row.get(column)).map(Text::width).max();
    let mut widths: Vec<usize> = (0..columns).map(|column| widest(column).unwrap_or(0)).collect();
    let room = page.saturating_sub(GAP * columns);
    let mut excess = widths.iter().sum::<usize>().saturating_sub(room);
    while excess > 0 {
        match widths.iter_mut().max() {
            Some(widest) if *widest > NARROWEST => *widest -= 1,
            _ => break,
        }
        excess -= 1;
    }
    widths
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(width: usize, ascii: bool, draw: impl Fn(&mut Sheet) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        draw(&mut Sheet::new(Page { width, ascii }, &mut out)).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_table_fits_the_page_and_ends_no_line_with_blanks() {
        let row = |id: &str, text: &str, time: &str| vec![Text::plain(id), Text::plain(text), Text::plain(time)];
        let rows = [row("compiler", "g++ 14.2.0 ran twelve times", "20.1s"), row("isa", "", "0.4s")];
        assert_eq!(
            drawn(36, false, |sheet| sheet.table(&rows, Some(2))),
            "  compiler  g++ 14.2.0 ran     20.1s\n            twelve times\n  isa                           0.4s\n"
        );
    }

    #[test]
    fn a_log_stays_behind_its_rule() {
        assert_eq!(
            drawn(12, false, |sheet| sheet.log(2, ["one two three"])),
            "  \u{1b}[2m│ \u{1b}[0mone two\n  \u{1b}[2m│ \u{1b}[0mthree\n"
        );
    }

    #[test]
    fn what_is_written_is_safe_and_ascii_where_asked() {
        let text = Text::plain("✓ evil\u{1b}[2J\nname…");
        assert_eq!(drawn(80, false, |sheet| sheet.line(0, &text)), "✓ evil\\nname…\n");
        assert_eq!(drawn(80, true, |sheet| sheet.line(0, &text)), "+ evil\\nname...\n");
    }
}
