use std::io::{self, Write};

use super::sheet::{Page, Sheet};
use super::styled::{BOLD, DIM, GOOD, Text};
use super::units::{bytes, short_id};
use crate::model::{BaseRow, Image};

/// Writes the bases of the catalogue, and which of them the engine has.
pub fn bases(rows: &[BaseRow], page: Page, out: &mut dyn Write) -> io::Result<()> {
    let heading = ["name", "python", "image", "on the engine"];
    let mut table = vec![heading.iter().map(|title| Text::new(DIM, *title)).collect::<Vec<_>>()];
    table.extend(rows.iter().map(|row| {
        vec![Text::new(BOLD, &row.id), Text::plain(row.pythons.join(", ")), Text::plain(&row.reference), presence(row)]
    }));
    Sheet::new(page, out).table(&table, None)
}

fn presence(row: &BaseRow) -> Text {
    let Some(present) = &row.present else { return Text::new(DIM, "no engine to ask") };
    match (present.contains(&row.reference), present.contains(&row.bootstrapped)) {
        (true, true) => Text::new(GOOD, "✓").and(anstyle::Style::new(), " pulled, and bootstrapped"),
        (true, false) => Text::new(GOOD, "✓").and(anstyle::Style::new(), " pulled"),
        (false, true) => Text::new(GOOD, "✓").and(anstyle::Style::new(), " bootstrapped"),
        (false, false) => Text::new(DIM, "–"),
    }
}

/// Writes that a base was bootstrapped.
pub fn base(image: &Image, page: Page, out: &mut dyn Write) -> io::Result<()> {
    let name = image.tags.first().map_or("untagged", String::as_str);
    let text = Text::new(GOOD, "✓ bootstrapped")
        .and(BOLD, format!("  {name}"))
        .and(DIM, format!("  sha256:{}  {}", short_id(&image.id), bytes(image.size)));
    Sheet::new(page, out).line(0, &text)
}
