//! What differs between two environments.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::markdown::{code, prose, table};
use super::sheet::{Page, Sheet};
use super::styled::{BAD, BOLD, DIM, GOOD, PLAIN, Text, WARNING};
use super::units::count;
use crate::model::{Comparison, Difference, Fact, Origin, Relevance};

/// What the two are called beside their facts, as on the command line.
const LETTERS: [&str; 2] = ["A", "B"];

/// Of how much of the minor differences the names are shown where there is nothing else to show.
const FEW: usize = 20;

/// Writes what differs, for people: what decides with its reason, then what matters, as a table; with `all` the minor
/// differences, too, and the reason of each.
pub fn comparison(comparison: &Comparison, all: bool, page: Page, out: &mut dyn Write) -> io::Result<()> {
    let sheet = &mut Sheet::new(page, out);
    sheet.line(0, &headline(comparison))?;
    for (letter, side) in LETTERS.iter().zip([&comparison.left, &comparison.right]) {
        sheet.line(2, &Text::new(DIM, format!("{letter}  ")).and(PLAIN, &side.name))?;
    }
    let of = |relevance| comparison.differences.iter().filter(move |difference| difference.relevance == relevance);
    section(sheet, "these decide whether anything compiles", of(Relevance::Decisive))?;
    for (letter, other, lacks) in lacking(comparison) {
        sheet.blank()?;
        sheet.line(0, &Text::new(BOLD, format!("{letter} lacks, and {other} does not tell whether it has")))?;
        sheet.blank()?;
        lacks.iter().try_for_each(|lack| sheet.item(2, &Text::new(BAD, "✗ "), &Text::plain(lack)))?;
    }
    let relevant: Vec<&Difference> = of(Relevance::Relevant).collect();
    if all {
        section(sheet, "these change what is compiled, or how", relevant.iter().copied())?;
    } else {
        list(sheet, "these change what is compiled, or how", &relevant)?;
    }
    let minor: Vec<&Difference> = of(Relevance::Minor).collect();
    let alone = minor.len() == comparison.differences.len();
    let shown = if all {
        minor.len()
    } else if alone {
        minor.len().min(FEW)
    } else {
        0
    };
    list(sheet, "these are minor", &minor[..shown])?;
    let rest = remainder(comparison, minor.len() - shown, all);
    if rest.is_empty() {
        return Ok(());
    }
    sheet.blank()?;
    sheet.paragraph(0, &Text::new(DIM, rest))
}

fn headline(comparison: &Comparison) -> Text {
    if comparison.differences.is_empty() {
        return Text::new(GOOD, "✓ no difference").and(PLAIN, format!("  {} are the same", facts(comparison.same)));
    }
    let decisive = comparison.differences.iter().filter(|one| one.relevance == Relevance::Decisive).count();
    let text = Text::new(BOLD, count(comparison.differences.len(), "difference"));
    match decisive {
        0 => text.and(PLAIN, "  none decides whether anything compiles"),
        1 => text.and(WARNING, "  1 decides whether anything compiles"),
        some => text.and(WARNING, format!("  {some} decide whether anything compiles")),
    }
}

/// The needs that a side does not meet where the other says nothing of them: that is no difference, and may be why all the
/// same. The side's letter, the other's, and what is missing.
fn lacking(comparison: &Comparison) -> impl Iterator<Item = (&'static str, &'static str, Vec<String>)> {
    let sides = [(&comparison.left, LETTERS[0], LETTERS[1]), (&comparison.right, LETTERS[1], LETTERS[0])];
    sides.into_iter().filter_map(|(side, letter, other)| {
        let unmet = side.environment.needs.iter().filter(|(need, state)| {
            let name = format!("need {}", need.name());
            !state.value.met && comparison.untold.contains(&name)
        });
        let lacks: Vec<String> =
            unmet.map(|(need, state)| format!("{}: {}", need.name().replace('_', " "), state.value.seen)).collect();
        (!lacks.is_empty()).then_some((letter, other, lacks))
    })
}

/// Each difference with the facts of both beneath each other, and its reason.
fn section<'a>(sheet: &mut Sheet, title: &str, differences: impl Iterator<Item = &'a Difference>) -> io::Result<()> {
    for (index, difference) in differences.enumerate() {
        sheet.blank()?;
        if index == 0 {
            sheet.line(0, &Text::new(BOLD, title))?;
            sheet.blank()?;
        }
        sheet.line(2, &Text::new(BOLD, &difference.title))?;
        for (letter, fact) in LETTERS.iter().zip([&difference.left, &difference.right]) {
            let text = shown(difference, fact.as_ref());
            let place = fact.as_ref().and_then(line).map(|line| format!("  line {line}"));
            sheet.item(4, &Text::new(DIM, format!("{letter}  ")), &text.and(DIM, place.unwrap_or_default()))?;
        }
        if !difference.because.is_empty() {
            sheet.paragraph(7, &Text::new(DIM, &difference.because))?;
        }
    }
    Ok(())
}

/// A row a difference.
fn list(sheet: &mut Sheet, title: &str, differences: &[&Difference]) -> io::Result<()> {
    if differences.is_empty() {
        return Ok(());
    }
    sheet.blank()?;
    sheet.line(0, &Text::new(BOLD, title))?;
    sheet.blank()?;
    let head = ["", LETTERS[0], LETTERS[1]].map(|cell| Text::new(DIM, cell)).to_vec();
    let row = |difference: &&Difference| {
        let facts = [&difference.left, &difference.right].map(|fact| shown(difference, fact.as_ref()));
        std::iter::once(Text::plain(&difference.title)).chain(facts).collect()
    };
    let rows: Vec<Vec<Text>> = std::iter::once(head).chain(differences.iter().map(row)).collect();
    sheet.table(&rows, None)
}

/// What one of them has.
fn shown(difference: &Difference, fact: Option<&Fact>) -> Text {
    let Some(fact) = fact else { return Text::new(DIM, absent(difference)) };
    match (difference.name.starts_with("need "), fact.value.strip_prefix("missing: ")) {
        (true, Some(missing)) => Text::new(BAD, "✗ ").and(PLAIN, missing),
        (true, None) => Text::new(GOOD, "✓ ").and(PLAIN, &fact.value),
        (false, _) if fact.value.is_empty() => Text::new(DIM, "(empty)"),
        (false, _) => Text::plain(&fact.value),
    }
}

fn absent(difference: &Difference) -> &'static str {
    match difference.name.split(' ').next() {
        Some("package") => "not installed",
        Some("variable") => "not set",
        _ => "none",
    }
}

/// The line of a file that says so.
fn line(fact: &Fact) -> Option<usize> {
    match &fact.origin {
        Origin::File { line, .. } => Some(*line),
        _ => None,
    }
}

fn facts(number: usize) -> String {
    count(number, "fact")
}

/// What is not shown: what is minor, what is the same, and what only one of them tells.
fn remainder(comparison: &Comparison, hidden: usize, all: bool) -> String {
    let mut parts = Vec::new();
    if hidden > 0 {
        parts.push(format!(
            "{} more that {} minor: `--all` shows them",
            hidden,
            if hidden == 1 { "is" } else { "are" }
        ));
    }
    if !comparison.differences.is_empty() {
        let verb = if comparison.same == 1 { "is" } else { "are" };
        parts.push(format!("{} {verb} the same", facts(comparison.same)));
    }
    if !comparison.untold.is_empty() {
        parts.push(format!("not compared, since only one of them tells: {}", untold(&comparison.untold, all)));
    }
    parts.join("; ")
}

/// The names of what is not compared; needs, packages and variables are counted.
fn untold(names: &[String], all: bool) -> String {
    if all {
        return names.join(", ");
    }
    let mut fields: Vec<String> = names.iter().filter(|name| !name.contains(' ')).cloned().collect();
    for (kind, noun) in [("need ", "need"), ("package ", "package"), ("variable ", "variable")] {
        match names.iter().filter(|name| name.starts_with(kind)).count() {
            0 => {}
            number => fields.push(count(number, noun)),
        }
    }
    fields.join(", ")
}

/// Writes what differs to paste into an issue; the minor differences are folded away, or with `all` shown.
pub fn comparison_markdown(comparison: &Comparison, all: bool, out: &mut dyn Write) -> io::Result<()> {
    let mut text = String::new();
    let (left, right) = (code(&comparison.left.name), code(&comparison.right.name));
    let number = count(comparison.differences.len(), "difference");
    let _ = writeln!(text, "## {number} between {left} and {right}");
    let of = |relevance| comparison.differences.iter().filter(move |difference| difference.relevance == relevance);
    for (title, relevance) in [
        ("Deciding whether anything compiles", Relevance::Decisive),
        ("Changing what is compiled, or how", Relevance::Relevant),
    ] {
        let rows: Vec<Vec<String>> =
            of(relevance).map(|one| row(one).into_iter().chain([prose(&one.because)]).collect()).collect();
        if !rows.is_empty() {
            let _ = writeln!(text, "\n### {title}");
            table(&mut text, &["", &left, &right, "why it matters"], rows);
        }
    }
    for (letter, other, lacks) in lacking(comparison) {
        let name = |of: &str| if of == LETTERS[0] { &left } else { &right };
        let _ = writeln!(text, "\n{} lacks, and {} does not tell whether it has:\n", name(letter), name(other));
        for lack in lacks {
            let _ = writeln!(text, "- ❌ {}", prose(&lack));
        }
    }
    let minor: Vec<Vec<String>> = of(Relevance::Minor).map(row).collect();
    if !minor.is_empty() {
        let title = format!("{} that {} minor", minor.len(), if minor.len() == 1 { "is" } else { "are" });
        let open = if all { " open" } else { "" };
        let _ = write!(text, "\n<details{open}><summary>{title}</summary>\n");
        table(&mut text, &["", &left, &right], minor);
        let _ = write!(text, "\n</details>\n");
    }
    let rest = remainder(comparison, 0, all);
    if !rest.is_empty() {
        let _ = writeln!(text, "\n{}.", prose(&capitalised(&rest)));
    }
    let _ = writeln!(text, "\n<sub>compared by sconce {}</sub>", env!("CARGO_PKG_VERSION"));
    out.write_all(text.as_bytes())
}

fn row(difference: &Difference) -> Vec<String> {
    let cell = |fact: &Option<Fact>| match fact {
        None => format!("_{}_", absent(difference)),
        Some(fact) if difference.name.starts_with("need ") => match fact.value.strip_prefix("missing: ") {
            Some(missing) => format!("❌ {}", prose(missing)),
            None => format!("✅ {}", prose(&fact.value)),
        },
        Some(fact) if fact.value.is_empty() => "_(empty)_".to_owned(),
        Some(fact) => prose(&fact.value),
    };
    vec![prose(&difference.title), cell(&difference.left), cell(&difference.right)]
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
