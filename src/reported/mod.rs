//! What a reporter pasted, read: a report of `collect_env`, lists of packages, logs and code, alone or all in one issue.
//! Pure; the text is hostile and may be damaged in every way that mail, Markdown and terminals know.
//!
//! `unwrap` takes off what the text was wrapped in, `parts` finds what it holds, `choose` tells whose report counts, and `merge`
//! makes one environment of what the parts say.

mod choose;
mod collect_env;
mod html;
mod lists;
mod log;
mod merge;
mod parts;
mod script;
mod span;
mod unwrap;

use self::parts::{Content, Found, Parts};
use crate::model::{Environment, Error, Excerpt, Explained, Note, Part, PartKind, Reported, Result};

/// The longest document that is read, in bytes.
const LONGEST: usize = 16 << 20;

/// The most lines that are read.
const MOST_LINES: usize = 1 << 20;

/// A line of a document, without what it was wrapped in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    /// Its number in the document, counted from 1.
    pub(crate) number: usize,
    /// Its text, without quotes, markup and the end of the line.
    pub(crate) text: &'a str,
}

/// What a part of a document says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Section {
    /// The environment that it tells of.
    pub(crate) environment: Environment,
    /// What a reader should know of it.
    pub(crate) notes: Vec<Note>,
}

/// Which of the reports in a document counts, where it holds several.
#[derive(Debug, Clone, Copy)]
pub struct ReportChoice<'a> {
    /// Its number, from 1, where one was chosen.
    pub number: Option<usize>,
    /// How one is chosen, as far as the number: `--report `, for the hints.
    pub by: &'a str,
}

/// Reads what somebody pasted: the document `text`, which its reader knows as `name` (a path, or
/// [`STANDARD_INPUT`](crate::model::STANDARD_INPUT)). Where it holds several reports, `choice` says which one counts.
///
/// # Errors
///
/// Of usage: the text is empty, too long, or no text; it holds nothing that tells of an environment or a failure; it holds
/// several reports and `choice` names none of them.
pub fn read(name: &str, text: &str, choice: ReportChoice<'_>) -> Result<Reported> {
    let shown = Explained::quoted(name);
    is_readable(&shown, text)?;
    let alone = is_program(name, text);
    let parts = if alone { script_alone(text) } else { found(name, &shown, text)? };
    let Parts { found, errors } = parts;
    if !found.iter().any(|found| found.part.kind != PartKind::Script) {
        return Err(errors.into_iter().next().unwrap_or_else(|| nothing(&shown, text, &found)));
    }
    let mut notes: Vec<Note> = errors.into_iter().filter_map(choose::noted).collect();
    let mut reported = Reported {
        name: name.to_owned(),
        parts: found.iter().map(|found| found.part).collect(),
        environment: Environment::default(),
        logs: Vec::new(),
        scripts: Vec::new(),
        notes: Vec::new(),
    };
    let mut sections = Vec::new();
    for Found { part, content } in found {
        match content {
            Content::Log(log) => reported.logs.push(log),
            Content::Script(script) => reported.scripts.push(script),
            Content::Report(span, section) => sections.push((part, Some(span), section)),
            Content::List(section) => sections.push((part, None, section)),
        }
    }
    let section = choose::chosen(&shown, sections, choice)?;
    notes.extend(section.notes);
    (reported.environment, reported.notes) = (section.environment, notes);
    Ok(reported)
}

/// Whether it is text at all, and of a length that is read.
fn is_readable(shown: &str, text: &str) -> Result<()> {
    if text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}').is_empty() {
        return Err(Error::usage(format!("{shown} is empty")).with_hint(WHAT));
    }
    if text.len() > LONGEST || text.split('\n').nth(MOST_LINES).is_some() {
        let message = format!("{shown} is too long: more than {} MiB, or than {MOST_LINES} lines", LONGEST >> 20);
        return Err(Error::usage(message).with_hint("cut out the report, and of the log the failure"));
    }
    let odd = text.chars().filter(|c| matches!(c, '\0'..='\u{6}' | '\u{e}'..='\u{1a}' | '\u{fffd}')).count();
    if text.contains('\0') || odd * 20 > text.len() {
        return Err(Error::usage(format!("{shown} is no text, but binary data")).with_hint(WHAT));
    }
    Ok(())
}

fn found(name: &str, shown: &str, text: &str) -> Result<Parts> {
    let document = unwrap::unwrap(text);
    if document.rows.len() > 2 * MOST_LINES {
        return Err(Error::usage(format!("{shown} is too long: more than {MOST_LINES} lines")));
    }
    Ok(parts::find(&document, name))
}

/// Whether the whole document is a program: nothing in it is quoted then, and no HTML.
fn is_program(name: &str, text: &str) -> bool {
    let is_file = name.rsplit_once('.').is_some_and(|(_, ending)| matches!(ending, "py" | "pyw"));
    let is_code = || script::is_program(text.lines()) && text.lines().any(script::imports);
    is_file || (!text.contains("```") && is_code() && !text.lines().any(log::begins))
}

fn script_alone(text: &str) -> Parts {
    let part = Part { kind: PartKind::Script, line: 1, lines: text.lines().count() };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
    Parts { found: vec![Found { part, content: Content::Script(Excerpt { line: 1, text }) }], errors: Vec::new() }
}

/// What can be pasted, and how it is made.
const WHAT: &str = "paste what one of these writes, or the whole issue with it, or the log of the failure:\n\
                    python -m torch.utils.collect_env\npip freeze\nconda list";

/// Why a document without a report is none.
fn nothing(shown: &str, text: &str, found: &[Found]) -> Error {
    let start = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    let is_json = start.starts_with(['{', '[']) && serde_json::from_str::<serde::de::IgnoredAny>(start).is_ok();
    let instead = match () {
        () if !found.is_empty() => "only a program in Python is there, and nothing of where it ran",
        () if is_json => "it is JSON, but no environment file of sconce and no list of packages",
        () => "neither an environment, nor a list of packages, nor a log of a failure is there",
    };
    Error::usage(format!("{shown} is no report: {instead}")).with_hint(WHAT)
}
