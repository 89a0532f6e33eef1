use std::io::{self, Write};

use super::sheet::{Page, Sheet};
use super::styled::{BAD, BOLD, DIM, GOOD, Text};
use super::units::{bytes, count, short_id};
use crate::model::{BaseCheck, BaseRow, Image, PackageManager, PythonProvider};

/// The width from which the images have a column in the table; else they have a table of their own.
const WIDE: usize = 132;

/// Writes the bases of the catalogue, and which of them the engine has.
pub fn bases(rows: &[BaseRow], page: Page, out: &mut dyn Write) -> io::Result<()> {
    let wide = page.width >= WIDE;
    let mut sheet = Sheet::new(page, out);
    let heading = ["name", "python", "by", "glibc", "size", "on the engine"].into_iter().chain(wide.then_some("image"));
    let mut table = vec![heading.map(|title| Text::new(DIM, title)).collect::<Vec<_>>()];
    table.extend(rows.iter().map(|row| facts(row).into_iter().chain(wide.then(|| image(row))).collect()));
    sheet.table(&table, None)?;
    sheet.blank()?;
    if !wide {
        let mut images = vec![["name", "image"].map(|title| Text::new(DIM, title)).to_vec()];
        images.extend(rows.iter().map(|row| vec![Text::new(BOLD, &row.id), image(row)]));
        sheet.table(&images, None)?;
        sheet.blank()?;
    }
    notes(rows).into_iter().try_for_each(|note| sheet.paragraph(2, &Text::new(DIM, note)))
}

fn facts(row: &BaseRow) -> Vec<Text> {
    let name = Text::new(BOLD, &row.id);
    let by = match row.package_manager {
        PackageManager::Apt => "apt",
        PackageManager::Dnf => "dnf",
    };
    vec![
        if row.unverified { name.and(DIM, " *") } else { name },
        Text::plain(pythons(row)),
        Text::plain(by),
        Text::plain(&row.glibc),
        Text::plain(row.size_mb.map_or_else(|| "–".to_owned(), |size| bytes(u64::from(size) * 1_000_000))),
        presence(row),
    ]
}

/// The interpreters; those from deadsnakes in brackets, those that uv brings everywhere untold.
fn pythons(row: &BaseRow) -> String {
    let ways = row.ways.iter().filter(|way| way.provider != PythonProvider::Uv);
    let told = ways.map(|way| match way.provider {
        PythonProvider::Deadsnakes => format!("({})", ranges(&way.versions)),
        _ => ranges(&way.versions),
    });
    told.collect::<Vec<_>>().join(" ")
}

/// Versions in their order, neighbours as a range: `3.10–3.13`.
fn ranges(versions: &[String]) -> String {
    let mut minors: Vec<u32> = versions.iter().filter_map(|text| text.strip_prefix("3.")?.parse().ok()).collect();
    if minors.len() != versions.len() {
        return versions.join(", ");
    }
    minors.sort_unstable();
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for minor in minors {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == minor => *last = minor,
            _ => ranges.push((minor, minor)),
        }
    }
    let told = ranges.iter().map(|(first, last)| match last - first {
        0 => format!("3.{first}"),
        _ => format!("3.{first}–3.{last}"),
    });
    told.collect::<Vec<_>>().join(", ")
}

/// The reference, with what may stand in its place.
fn image(row: &BaseRow) -> Text {
    let releases = match (row.releases.first(), row.releases.last()) {
        (Some(first), Some(last)) => format!("{first} … {last}"),
        _ => String::new(),
    };
    Text::plain(row.reference.replace("{accelerator}", &releases).replace("{python}", "X.Y"))
}

fn notes(rows: &[BaseRow]) -> Vec<String> {
    let mut notes = Vec::new();
    let ways = || rows.iter().flat_map(|row| &row.ways);
    if ways().any(|way| way.provider == PythonProvider::Uv) {
        let mut versions: Vec<String> = ways().flat_map(|way| way.versions.clone()).collect();
        versions.sort();
        versions.dedup();
        notes.push(format!(
            "With uv any of {} can be had on every base that takes its Python from somewhere else than conda-forge.",
            ranges(&versions)
        ));
    }
    if ways().any(|way| way.provider == PythonProvider::Deadsnakes) {
        notes.push("(…) comes from the archive deadsnakes.".to_owned());
    }
    let asked = rows.iter().filter(|row| !row.on_request).map(|row| row.id.as_str()).collect::<Vec<_>>();
    if asked.len() < rows.len() {
        notes.push(format!("Without `--base` it is one of {}, in this order.", asked.join(", ")));
    }
    if rows.iter().any(|row| row.unverified) {
        notes.push("* read about and rendered, but never built by those who wrote sconce.".to_owned());
    }
    notes
}

fn presence(row: &BaseRow) -> Text {
    let Some(present) = &row.present else { return Text::new(DIM, "no engine to ask") };
    let stand_in = row.bootstrapped.as_ref().is_some_and(|reference| present.contains(reference));
    let pulled = present.len() - usize::from(stand_in);
    match (pulled, stand_in) {
        (0, false) => Text::new(DIM, "–"),
        (0, true) => Text::new(GOOD, "✓").and(anstyle::Style::new(), " bootstrapped"),
        (_, false) => Text::new(GOOD, "✓").and(anstyle::Style::new(), " pulled"),
        (_, true) => Text::new(GOOD, "✓").and(anstyle::Style::new(), " pulled, and bootstrapped"),
    }
}

/// Writes what holds of each base, and what does not.
pub fn base_checks(checks: &[BaseCheck], page: Page, out: &mut dyn Write) -> io::Result<()> {
    let mut sheet = Sheet::new(page, out);
    for check in checks {
        if check.problems.is_empty() {
            let facts = [
                count(check.interpreters, "interpreter"),
                count(check.packages, "package"),
                count(check.images, "image"),
                format!("read {}", check.checked),
            ];
            let lead = Text::new(GOOD, "✓").and(BOLD, format!(" {}", check.id));
            sheet.line(2, &lead.and(DIM, format!("  {}", facts.join(", "))))?;
        }
        for problem in &check.problems {
            sheet.line(2, &Text::new(BAD, "✗").and(BOLD, format!(" {}", check.id)).and(BAD, format!("  {problem}")))?;
        }
    }
    Ok(())
}

/// Writes that a base was bootstrapped.
pub fn base(image: &Image, page: Page, out: &mut dyn Write) -> io::Result<()> {
    let name = image.tags.first().map_or("untagged", String::as_str);
    let text = Text::new(GOOD, "✓ bootstrapped")
        .and(BOLD, format!("  {name}"))
        .and(DIM, format!("  sha256:{}  {}", short_id(&image.id), bytes(image.size)));
    Sheet::new(page, out).line(0, &text)
}
