//! `setup.py`: a script, which is read and never run.

use std::collections::BTreeSet;

use super::super::Format;
use super::super::folder::{Folder, join, parent};
use super::super::python_file::{Unreadable, with_module};
use super::super::text::shown;
use super::requirement::{Entry, Sure, What, When};
use super::script::value::{Item, Value};
use super::script::{self, Around, Script};
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

/// A script that does not parse is one, too, whatever is in it: whoever follows it says what is wrong.
fn declares(folder: &Folder, file: &str) -> Result<bool> {
    let text = super::text(folder, file)?;
    Ok(told(folder, file, &text).map_or(true, |stated| stated.asks()))
}

/// What the script states.
pub(super) fn states(folder: &Folder, file: &str) -> Result<Stated> {
    told(folder, file, &super::text(folder, file)?)
}

fn told(folder: &Folder, file: &str, text: &str) -> Result<Stated> {
    let exists = |path: &str| folder.locate(parent(file), path).is_ok_and(|found| folder.has(&found.path));
    let refused = |message: String, line| {
        Error::usage(message)
            .at(Origin::file(file, line))
            .with_hint("name a requirements file with `--from`, if there is one")
    };
    let followed = with_module(text, |module| {
        let follow = |around| script::follow(module, text, &exists, around);
        let mut script = follow(Around::BUILD);
        // The variables that only a version or an extension depends on are no news.
        if !script.variables.is_empty() {
            let unknown = follow(Around { unset: false, ..Around::BUILD });
            if stated(&unknown, file).is_as(&stated(&script, file)) {
                script.variables.clear();
            }
        }
        let mut stated = stated(&script, file);
        if !script.probes.is_empty() {
            let other = self::stated(&follow(Around { nvidia: false, ..Around::BUILD }), file);
            stated.notes.extend(chosen(&script, &stated, &other));
        }
        (stated, script.repeated)
    });
    match followed {
        Ok((_, Some((keyword, line)))) => {
            Err(refused(format!("`{}` is given twice, which Python refuses", shown(&keyword)), line))
        }
        Ok((stated, None)) => Ok(stated),
        Err(Unreadable { message, line }) => {
            Err(refused(format!("`{}` cannot be read as Python: {}", shown(file), shown(&message)), line))
        }
    }
}

fn stated(script: &Script<'_>, file: &str) -> Stated {
    let keyword = |name: &str| script.keywords.get(name).map(|(value, line)| (value, *line));
    let list = |name| keyword(name).map(|(value, line)| value.entries(line)).unwrap_or_default();
    let mut requires = list("install_requires");
    requires.extend(script.opaque.iter().map(|line| computed(*line)));
    let extras = keyword("extras_require").map(|(value, line)| extras(value, line)).unwrap_or_default();
    let notes = notes(script, file, requires.iter().chain(extras.iter().flat_map(|(_, _, entries)| entries)));
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
        extras,
        unfollowed: UNFOLLOWED.iter().map(|(key, why)| (*key, *why, list(key))).collect(),
        notes,
    }
}

/// Says what a script asks for on machines without a GPU of NVIDIA, where that is something else.
fn chosen(script: &Script<'_>, here: &Stated, there: &Stated) -> Option<Note> {
    let words = |stated: &Stated| -> BTreeSet<String> {
        let extras = stated.extras.iter().flat_map(|(_, _, entries)| entries);
        stated.requires.iter().chain(extras).map(Entry::words).collect()
    };
    let (here_words, there_words) = (words(here), words(there));
    if here_words == there_words {
        return None;
    }
    let only = |these: &BTreeSet<String>, those: &BTreeSet<String>| match these.difference(those).take(10) {
        more if more.clone().next().is_none() => "nothing more".to_owned(),
        more => more.cloned().collect::<Vec<_>>().join(", "),
    };
    let tools: Vec<String> = script.probes.keys().map(|tool| format!("`{}`", shown(tool))).collect();
    let message = format!(
        "`{}` runs {} to choose: with a GPU of NVIDIA, which is taken to be there, it asks for {}, and else for {}",
        shown(&here.file),
        tools.join(", "),
        only(&here_words, &there_words),
        only(&there_words, &here_words),
    );
    let line = script.probes.values().min().copied().unwrap_or(1);
    Some(Note::warning(message, Origin::file(&here.file, line)))
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

fn notes<'e>(script: &Script<'_>, file: &str, asked: impl Iterator<Item = &'e Entry>) -> Vec<Note> {
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
    // Of several choices none is read, and what a script reads for its version alone bears on nothing.
    let taken: BTreeSet<&str> = asked.filter(|entry| entry.when.sure != Sure::Either).filter_map(Entry::file).collect();
    for left in script.filtered.iter().filter(|file| taken.contains(file.as_str())) {
        let message = format!("`{}` leaves out some lines of `{}`; all of them are read", shown(file), shown(left));
        notes.push(Note::warning(message, at(called)));
    }
    if script.exhausted {
        let message = format!("`{}` is too long to follow to its end", shown(&join(".", file)));
        notes.push(Note::warning(message, at(1)));
    }
    notes
}
