//! Whose report counts, where a document holds those of several.

use std::collections::BTreeSet;

use pep440_rs::Version;

use super::merge::merge;
use super::span::Span;
use super::{ReportChoice, Section};
use crate::model::{Environment, Error, Note, Part, PartKind, Result, Stated};

/// The facts that one report names once: a second one of them begins another report.
const ONCE: [&str; 6] = ["pytorch version", "os", "python version", "is debug build", "[pip3]", "[pip]"];

/// A report, and the lists that belong to it.
struct Report {
    part: Part,
    section: Section,
    names: BTreeSet<String>,
    lists: Vec<Section>,
}

/// What the report says that `choice` names, or the only one, with the lists that belong to it.
pub(super) fn chosen(
    shown: &str,
    sections: Vec<(Part, Option<Span>, Section)>,
    choice: ReportChoice<'_>,
) -> Result<Section> {
    let (mut reports, before) = grouped(sections);
    let count = reports.len();
    let index = match choice.number {
        None if count > 1 => return Err(several(shown, &reports, choice.by)),
        None => 0,
        // Where there are lists alone, they are one report.
        Some(number) if (1..=count.max(usize::from(!before.is_empty()))).contains(&number) => number - 1,
        Some(number) => return Err(out_of_range(shown, number, count, choice.by)),
    };
    let mut section = Section::default();
    let mut lists = if index == 0 { before } else { Vec::new() };
    if count > 0 {
        let report = reports.swap_remove(index);
        section = report.section;
        lists.extend(report.lists);
    }
    for list in lists {
        merge(&mut section, list);
    }
    Ok(section)
}

/// The reports with the lists behind them, and the lists before the first.
fn grouped(sections: Vec<(Part, Option<Span>, Section)>) -> (Vec<Report>, Vec<Section>) {
    let (mut reports, mut before): (Vec<Report>, Vec<Section>) = (Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for (part, span, section) in sections {
        if span.is_none() && part.kind != PartKind::EnvironmentFile {
            reports.last_mut().map_or(&mut before, |report| &mut report.lists).push(section);
            continue;
        }
        let (begins, names) = span.map_or((true, BTreeSet::new()), |span| (span.begins, span.names));
        if !seen.insert(told(&section.environment)) {
            continue;
        }
        match reports.last_mut().filter(|report| !begins && continues(&report.names, &names)) {
            Some(report) => {
                report.names.extend(names);
                merge(&mut report.section, section);
            }
            None => reports.push(Report { part, section, names, lists: Vec::new() }),
        }
    }
    (reports, before)
}

/// Whether facts with these names belong to the report that names `known`: no fact that a report names once is there again.
fn continues(known: &BTreeSet<String>, names: &BTreeSet<String>) -> bool {
    !known.is_empty() && !ONCE.iter().any(|name| known.contains(*name) && names.contains(*name))
}

/// What a report says, wherever it stands: two with the same are one that somebody quoted.
fn told(environment: &Environment) -> String {
    let version = |version: &Option<Stated<Version>>| version.as_ref().map_or(String::new(), |it| it.value.to_string());
    let text = |text: &Option<Stated<String>>| text.as_ref().map_or(String::new(), |it| it.value.clone());
    let system = environment.system.as_ref().map_or(String::new(), |it| it.value.text.clone());
    let mut told = vec![version(&environment.torch), version(&environment.python), system];
    told.extend([&environment.kernel, &environment.gcc, &environment.cpu, &environment.driver].map(text));
    told.extend(environment.packages.iter().map(|package| format!("{} {}", package.name, package.version)));
    told.join("\n")
}

fn several(shown: &str, reports: &[Report], by: &str) -> Error {
    const MOST: usize = 10;
    let described = reports.iter().take(MOST).map(|report| {
        let environment = &report.section.environment;
        let version = |value: Option<String>| value.unwrap_or_else(|| "unknown".to_owned());
        let torch = version(environment.torch.as_ref().map(|it| it.value.to_string()));
        let python = version(environment.python.as_ref().map(|it| it.value.to_string()));
        format!("line {} (torch {torch}, Python {python})", report.part.line)
    });
    let mut described: Vec<_> = described.collect();
    if reports.len() > MOST {
        described.push("…".to_owned());
    }
    let message = format!("{shown} holds {} reports: {}", reports.len(), described.join(", "));
    let hints = reports
        .iter()
        .enumerate()
        .take(MOST)
        .map(|(index, report)| format!("{by}{} takes the one at line {}", index + 1, report.part.line));
    Error::usage(message).with_hint(hints.collect::<Vec<_>>().join("\n"))
}

fn out_of_range(shown: &str, number: usize, count: usize, by: &str) -> Error {
    let held = match count {
        0 => "no report of an environment".to_owned(),
        1 => "one report".to_owned(),
        count => format!("{count} reports"),
    };
    let error = Error::usage(format!("there is no report {number}: {shown} holds {held}"));
    if count == 0 { error } else { error.with_hint(format!("reports are counted from 1: {by}1 to {by}{count}")) }
}

/// What looks like a part and is none, as a note: other parts count.
pub(super) fn noted(error: Error) -> Option<Note> {
    let origin = error.origin?;
    let note = Note::warning(error.message, origin);
    Some(match error.hint {
        Some(hint) => note.with_hint(hint),
        None => note,
    })
}
