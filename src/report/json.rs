//! The JSON documents, one a kind of answer. Each is one object with the version of its schema ([`SCHEMA`]) and of
//! sconce; `docs/json.md` describes them.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter};

use super::error::causes;
use crate::model::{
    Answer, Answers, BaseCheck, BaseRow, CheckedFile, Checkup, ClaimCheck, Comparison, Environment, Error, ErrorKind,
    Explained, FileState, Fix, Image, KnownFailure, Origin, Plan, Project, Reconstruction, Refresh, Report,
    Reproduction, SCHEMA,
};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Writes what became of one image as its report or its error, and of several as a list of those.
pub fn answers(answers: &Answers, out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Several<'a> {
        ok: bool,
        reports: Vec<Entry<'a>>,
    }
    #[derive(Serialize)]
    #[serde(untagged)]
    enum Entry<'a> {
        Report(Proof<'a>),
        Unanswered { ok: bool, schema: u32, sconce: &'static str, reference: &'a str, error: Fields<'a> },
    }
    fn entry(answer: &Answer) -> Entry<'_> {
        match &answer.result {
            Ok(report) => Entry::Report(Proof::of(report)),
            Err(why) => Entry::Unanswered {
                ok: false,
                schema: SCHEMA,
                sconce: VERSION,
                reference: &answer.reference,
                error: Fields::of(why),
            },
        }
    }
    match answers.list.as_slice() {
        [Answer { result: Ok(only), .. }] => report(only, out),
        [Answer { result: Err(why), .. }] => error(why, out),
        several => answer(Several { ok: answers.ok(), reports: several.iter().map(entry).collect() }, out),
    }
}

/// Writes a report; `ok` says whether the answer is yes.
pub fn report(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    write(&Proof::of(report), out)
}

/// A report with its verdict.
#[derive(Serialize)]
struct Proof<'a> {
    ok: bool,
    #[serde(flatten)]
    report: &'a Report,
}

impl<'a> Proof<'a> {
    fn of(report: &'a Report) -> Self {
        Self { ok: report.outcome.ok(), report }
    }
}

/// Writes what a project asks for.
pub fn project(project: &Project, out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Answer<'a> {
        project: &'a Project,
    }
    answer(Answer { project }, out)
}

/// Writes what would be built.
pub fn rendered(project: &Project, plan: &Plan, dockerfile: &str, out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Answer<'a> {
        project: &'a Project,
        plan: &'a Plan,
        dockerfile: &'a str,
    }
    answer(Answer { project, plan, dockerfile }, out)
}

/// Writes which files are what would be rendered, and the command that makes them so; `ok` says whether all are.
pub fn freshness(files: &[CheckedFile], refresh: &Refresh, out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Answer<'a> {
        ok: bool,
        files: &'a [CheckedFile],
        refresh: &'a Refresh,
    }
    answer(Answer { ok: files.iter().all(|file| file.state == FileState::Fresh), files, refresh }, out)
}

/// Writes an environment file: an environment alone, which can be read back.
pub fn environment(environment: &Environment, out: &mut dyn Write) -> io::Result<()> {
    write(environment, out)
}

/// Writes what was read of a report, and what would be built of it.
pub fn reconstruction(told: &Reconstruction, out: &mut dyn Write) -> io::Result<()> {
    answer(told, out)
}

/// Writes what came of a reproduction; `ok` says whether all that was asked for holds.
pub fn reproduction(told: &Reproduction, out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Answer<'a> {
        ok: bool,
        #[serde(flatten)]
        told: &'a Reproduction,
    }
    answer(Answer { ok: told.ok(), told }, out)
}

/// Writes the bases of the catalogue.
pub fn bases(bases: &[BaseRow], out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Answer<'a> {
        bases: &'a [BaseRow],
    }
    answer(Answer { bases }, out)
}

/// Writes what holds of each base, and what does not; `ok` says whether all does.
pub fn base_checks(checks: &[BaseCheck], out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Answer<'a> {
        ok: bool,
        checks: &'a [BaseCheck],
    }
    answer(Answer { ok: checks.iter().all(|check| check.problems.is_empty()), checks }, out)
}

/// Writes an image that was made.
pub fn image(image: &Image, out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Answer<'a> {
        image: &'a Image,
    }
    answer(Answer { image }, out)
}

/// Writes what the claim of a proof is worth for an image; `ok` says whether it holds.
pub fn claim(check: &ClaimCheck, out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Answer<'a> {
        ok: bool,
        attestation: &'a ClaimCheck,
    }
    answer(Answer { ok: check.ok(), attestation: check }, out)
}

/// Writes what a log says of a failure; `ok` says whether a cause is known.
pub fn explanation(explained: &Explained, out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Answer<'a> {
        ok: bool,
        #[serde(flatten)]
        explained: &'a Explained,
    }
    answer(Answer { ok: explained.explanation.known(), explained }, out)
}

/// Writes a failure that is known.
pub fn failure(failure: &KnownFailure, out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Answer<'a> {
        failure: &'a KnownFailure,
    }
    answer(Answer { failure }, out)
}

/// Writes every failure that is known.
pub fn failures(failures: &[KnownFailure], out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Answer<'a> {
        failures: &'a [KnownFailure],
    }
    answer(Answer { failures }, out)
}

/// Writes what a look found and, where they were asked for, the commands that would mend it.
pub fn checkup(checkup: &Checkup, fixes: Option<&[Fix]>, out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Content<'a> {
        ok: bool,
        #[serde(flatten)]
        checkup: &'a Checkup,
        fixes: Option<&'a [Fix]>,
    }
    answer(Content { ok: checkup.ok(), checkup, fixes }, out)
}

/// Writes what differs between two environments; `same` counts the facts that do not.
pub fn comparison(comparison: &Comparison, out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Content<'a> {
        differ: bool,
        #[serde(flatten)]
        comparison: &'a Comparison,
    }
    answer(Content { differ: !comparison.differences.is_empty(), comparison }, out)
}

/// Writes an error.
pub fn error(error: &Error, out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Answer<'a> {
        error: Fields<'a>,
    }
    answer(Answer { error: Fields::of(error) }, out)
}

/// An error, field by field.
#[derive(Serialize)]
struct Fields<'a> {
    kind: &'static str,
    message: &'a str,
    origin: Option<&'a Origin>,
    hint: Option<&'a str>,
    causes: Vec<String>,
    log: &'a [String],
}

impl<'a> Fields<'a> {
    fn of(error: &'a Error) -> Self {
        Self {
            kind: match error.kind {
                ErrorKind::No => "no",
                ErrorKind::Usage => "usage",
                ErrorKind::TryAgain => "try_again",
                ErrorKind::Interrupted => "interrupted",
            },
            message: &error.message,
            origin: error.origin.as_ref(),
            hint: error.hint.as_deref(),
            causes: causes(error),
            log: &error.log,
        }
    }
}

fn answer(content: impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Document<T> {
        schema: u32,
        sconce: &'static str,
        #[serde(flatten)]
        content: T,
    }
    write(&Document { schema: SCHEMA, sconce: VERSION, content }, out)
}

pub(super) fn write(document: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    document.serialize(&mut serde_json::Serializer::with_formatter(&mut *out, Visible::default()))?;
    writeln!(out)
}

/// The layout of `serde_json`'s own pretty documents, with escapes for what a terminal obeys rather than shows.
#[derive(Default)]
struct Visible<'a>(PrettyFormatter<'a>);

/// What else than the controls of ASCII, which JSON itself escapes, does not show: a document is read on terminals, too.
fn is_hidden(c: char) -> bool {
    matches!(c, '\u{7f}'..='\u{9f}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// A JSON text with escapes for what does not show; outside of strings, nothing of the kind stands in one.
pub(super) fn visible(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if is_hidden(c) { out.push_str(&escaped(c)) } else { out.push(c) }
    }
    out
}

fn escaped(c: char) -> String {
    let units = c.encode_utf16(&mut [0; 2]).to_vec();
    units.iter().fold(String::new(), |text, unit| format!("{text}\\u{unit:04x}"))
}

impl Formatter for Visible<'_> {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, hidden)) = rest.char_indices().find(|(_, c)| is_hidden(*c)) {
            out.write_all(&rest.as_bytes()[..at])?;
            out.write_all(escaped(hidden).as_bytes())?;
            rest = &rest[at + hidden.len_utf8()..];
        }
        out.write_all(rest.as_bytes())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_array(out)
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array(out)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array_value(out)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object(out)
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object(out)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_value(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: &serde_json::Value) -> String {
        let mut out = Vec::new();
        write(value, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_a_terminal_obeys_is_escaped() {
        let value = serde_json::json!("a\u{1b}\u{9b}31m\u{202e}é\u{e0041}");
        let text = written(&value);
        assert_eq!(text, "\"a\\u001b\\u009b31m\\u202eé\\udb40\\udc41\"\n");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }

    #[test]
    fn the_layout_is_the_usual_one() {
        let value = serde_json::json!({"a": [1, {"b\u{200b}": null}], "c": [], "d": {}});
        let usual = serde_json::to_string_pretty(&value).unwrap().replace('\u{200b}', "\\u200b") + "\n";
        assert_eq!(written(&value), usual);
    }
}
