//! `setup.py`: a script, which is read and never run.

use super::super::Format;
use super::super::folder::{Folder, join, parent};
use super::super::python_file::{Unreadable, with_module};
use super::super::text::shown;
use super::requirement::{Entry, What, When};
use super::script::value::{Item, Value};
use super::script::{self, Script};
use super::{SCRIPT, Stated, UNFOLLOWED, read_manifest};
use crate::model::{Error, ManifestKind, Note, Origin, Result};

/// The format.
pub(in crate::inspect) const FORMAT: Format = Format {
    kind: ManifestKind::SetupPy,
    files: &[SCRIPT],
    looked_for: "`setup.py` with `install_requires`",
    recognizes: |name| name == SCRIPT,
    declares,
    read: read_manifest,
};

/// A script that does not parse is one, too: whoever follows it says what is wrong.
fn declares(folder: &Folder, file: &str) -> Result<bool> {
    let text = folder.read_utf8(file)?;
    if !["install_requires", "extras_require", "**"].iter().any(|word| text.contains(word)) {
        return Ok(false);
    }
    Ok(states(folder, file).map_or(true, |stated| stated.asks()))
}

/// What the script states.
pub(super) fn states(folder: &Folder, file: &str) -> Result<Stated> {
    let text = folder.read_utf8(file)?;
    let exists = |path: &str| folder.locate(parent(file), path).is_ok_and(|found| folder.has(&found.path));
    let stated = with_module(&text, |module| stated(&script::follow(module, &text, &exists), file));
    stated.map_err(|Unreadable { message, line }| {
        Error::usage(format!("this is not Python: {}", shown(&message)))
            .at(Origin::file(file, line))
            .with_hint("name a requirements file with `--from`, if there is one")
    })
}

fn stated(script: &Script<'_>, file: &str) -> Stated {
    let keyword = |name: &str| script.keywords.get(name).map(|(value, line)| (value, *line));
    let list = |name| keyword(name).map(|(value, line)| value.entries(line)).unwrap_or_default();
    let mut requires = list("install_requires");
    requires.extend(script.opaque.iter().map(|line| computed(*line)));
    Stated {
        file: file.to_owned(),
        name: keyword("name").and_then(|(value, line)| Some((value.as_text()?.to_owned(), line))),
        python: keyword("python_requires").and_then(|(value, line)| match value {
            Value::Text(text) if text.content.trim().is_empty() => None,
            Value::Text(text) => Some(Entry::text(text.content.trim(), text.line)),
            Value::None => None,
            _ => Some(computed(line)),
        }),
        classifiers: classifiers(keyword("classifiers")),
        requires,
        extras: keyword("extras_require").map(|(value, line)| extras(value, line)).unwrap_or_default(),
        unfollowed: UNFOLLOWED.iter().map(|(key, why)| (*key, *why, list(key))).collect(),
        notes: notes(script, file),
    }
}

fn computed(line: usize) -> Entry {
    Entry { what: What::Computed, line, when: When::default() }
}

fn classifiers(value: Option<(&Value<'_>, usize)>) -> Vec<(String, usize)> {
    let Some((value, line)) = value else { return Vec::new() };
    let known = value.entries(line).into_iter().filter_map(|entry| match entry.what {
        What::Text(text) => Some((text, entry.line)),
        _ => None,
    });
    known.collect()
}

/// The extras, each with the line of the first thing in it.
fn extras(value: &Value<'_>, line: usize) -> Vec<(String, usize, Vec<Entry>)> {
    let Value::Dict(entries) = value else {
        return if *value == Value::None {
            Vec::new()
        } else {
            vec![(script::ANY.to_owned(), line, vec![computed(line)])]
        };
    };
    let extra = |(key, item): &(String, Item<'_>)| {
        let found = item.value.entries(line).into_iter();
        let found: Vec<Entry> = found.map(|entry| Entry { when: entry.when.and(&item.when), ..entry }).collect();
        (key.clone(), found.first().map_or(line, |entry| entry.line), found)
    };
    entries.iter().map(extra).collect()
}

fn notes(script: &Script<'_>, file: &str) -> Vec<Note> {
    let mut notes = Vec::new();
    let at = |line| Origin::file(file, line);
    let called = script.called.unwrap_or(1);
    if let Some(line) = script.torch {
        let message =
            format!("`{}` imports torch, so torch must be installed before the project is built", shown(file));
        notes.push(Note::info(message, at(line)).with_hint("build it without isolation"));
    }
    if !script.variables.is_empty() {
        let names: Vec<String> = script.variables.iter().take(10).map(|name| format!("`{}`", shown(name))).collect();
        let message =
            format!("the environment variables {} are taken to be unset when `{}` runs", names.join(", "), shown(file));
        notes.push(Note::info(message, at(called)));
    }
    for left in &script.filtered {
        let message = format!("`{}` leaves out some lines of `{}`; all of them are read", shown(file), shown(left));
        notes.push(Note::warning(message, at(called)));
    }
    if script.exhausted {
        let message = format!("`{}` is too long to follow to its end", shown(&join(".", file)));
        notes.push(Note::warning(message, at(1)));
    }
    notes
}
