//! setuptools before `pyproject.toml`: `setup.py`, a script, and `setup.cfg`, which completes it.

pub(in crate::inspect) mod cfg;
pub(in crate::inspect) mod py;
mod requirement;
mod script;

use std::str::FromStr;

use pep440_rs::VersionSpecifiers;

use self::requirement::{Entry, List, Sure, Unsure, What, When};
use super::draft::Draft;
use super::folder::{Folder, join, parent};
use super::pep508;
use super::problems::Problems;
use super::text::shown;
use crate::model::{Error, Note, Origin, Package, PythonConstraint, Result, Selectable, SelectableKind, Strength};

const SCRIPT: &str = "setup.py";
const CONFIGURATION: &str = "setup.cfg";

/// What pip builds a `setup.py` with, where no file names a back end (<https://peps.python.org/pep-0517/#source-trees>).
const BACKEND: &str = "setuptools.build_meta:__legacy__";

/// More folders of a project do not install each other.
const MOST_FOLLOWED: usize = 100;

/// What one of the two files states.
#[derive(Debug, Default)]
struct Stated {
    /// Relative to the root.
    file: String,
    name: Option<(String, usize)>,
    python: Option<Entry>,
    classifiers: Vec<(String, usize)>,
    /// `install_requires`.
    requires: Vec<Entry>,
    /// `extras_require`, by key, each with the line of the key.
    extras: Vec<(String, usize, Vec<Entry>)>,
    /// Lists that no installation asks for, or that pip does not follow: key, why, entries.
    unfollowed: Vec<(&'static str, &'static str, Vec<Entry>)>,
    notes: Vec<Note>,
}

impl Stated {
    /// Whether the other one states the same.
    fn is_as(&self, other: &Self) -> bool {
        self.requires == other.requires
            && self.extras == other.extras
            && self.python == other.python
            && self.unfollowed == other.unfollowed
    }

    fn asks(&self) -> bool {
        !self.requires.is_empty() || !self.extras.is_empty()
    }
}

/// Why some lists are not followed.
const UNFOLLOWED: [(&str, &str); 3] = [
    ("setup_requires", "is needed to build the project only, and setuptools fetches it then"),
    ("tests_require", "is not installed with the project"),
    ("dependency_links", "is not followed by pip, since version 19"),
];

/// Takes up what setuptools would compute for a `pyproject.toml` in `folder` that leaves its dependencies to it; false
/// where neither file says any.
pub(in crate::inspect) fn take(draft: &mut Draft<'_>, folder: &str) -> Result<bool> {
    read(draft, folder, None)
}

/// Takes up what installing the folder `folder` with `extras` asks for, by its `setup.py` and `setup.cfg`; false where
/// they say nothing, or a `pyproject.toml` with a `[project]` table says it all.
pub(in crate::inspect) fn follow(draft: &mut Draft<'_>, folder: &str, extras: &[String]) -> Result<bool> {
    if super::pyproject::declared_name(draft.folder, &join(folder, "pyproject.toml"))?.is_some() {
        return Ok(false);
    }
    read(draft, folder, Some(extras))
}

/// Reads the files of `folder`: with all extras as such, or with those asked for as if they were its own.
fn read(draft: &mut Draft<'_>, folder: &str, asked: Option<&[String]>) -> Result<bool> {
    let key = (join(folder, SCRIPT), asked.unwrap_or_default().to_vec());
    if draft.followed.len() >= MOST_FOLLOWED {
        let message = format!("more than {MOST_FOLLOWED} folders install each other");
        return Err(Error::usage(message).at(Origin::file(join(folder, SCRIPT), 1)));
    }
    if !draft.followed.insert(key) {
        return Ok(false);
    }
    let mut stated = Vec::new();
    for (file, states) in [(SCRIPT, py::states as fn(&Folder, &str) -> Result<Stated>), (CONFIGURATION, cfg::states)] {
        let file = join(folder, file);
        if draft.folder.has(&file) {
            let located = draft.folder.locate(".", &file).map_err(|error| error.at(Origin::file(&file, 1)))?;
            draft.file(&located);
            stated.push(states(draft.folder, &located.path)?);
        }
    }
    let found = stated.iter().any(Stated::asks);
    if asked.is_none() {
        package(draft, folder);
    }
    give(draft, stated, asked)?;
    Ok(found)
}

/// A folder is a package where pip finds a `setup.py` in it; a `setup.cfg` alone is none.
fn package(draft: &mut Draft<'_>, folder: &str) {
    let script = join(folder, SCRIPT);
    if draft.project.package.is_none() && draft.folder.has(&script) {
        draft.project.package = Some(Package { backend: BACKEND.to_owned(), origin: Origin::file(script, 1) });
    }
}

/// What the script states counts, and what the configuration states besides (`ConfigHandler.__setitem__`,
/// <https://github.com/pypa/setuptools/blob/main/setuptools/config/setupcfg.py>).
fn give(draft: &mut Draft<'_>, stated: Vec<Stated>, asked: Option<&[String]>) -> Result<()> {
    let mut problems = Problems::default();
    let mut before: Option<Stated> = None;
    for stated in stated {
        let given = |field: fn(&Stated) -> bool| before.as_ref().is_some_and(field);
        let (python, requires) = (given(|s| s.python.is_some()), given(|s| !s.requires.is_empty()));
        let extras = given(|s| !s.extras.is_empty());
        if asked.is_none() && draft.name.is_none() {
            draft.name = stated.name.as_ref().map(|(name, _)| name.clone());
        }
        stated.notes.iter().for_each(|note| draft.note(note.clone()));
        if !python {
            problems.note(constrain(draft, &stated));
            classify(draft, &stated);
        }
        problems.note(base(draft, &stated, requires));
        problems.note(each_extra(draft, &stated, asked, extras));
        for (field, why, entries) in &stated.unfollowed {
            unfollowed(draft, &stated.file, field, why, entries);
        }
        before = Some(stated);
    }
    problems.finish()
}

fn base(draft: &mut Draft<'_>, stated: &Stated, outdone: bool) -> Result<()> {
    let field = "install_requires";
    if outdone {
        unfollowed(draft, &stated.file, field, "gives way to the one in `setup.py`", &stated.requires);
        return Ok(());
    }
    let mut unsure = Unsure::default();
    let taken =
        requirement::take(draft, &List { file: &stated.file, field, extra: None }, &stated.requires, &mut unsure);
    unsure.tell(draft, &stated.file, field);
    taken
}

fn each_extra(draft: &mut Draft<'_>, stated: &Stated, asked: Option<&[String]>, outdone: bool) -> Result<()> {
    let mut problems = Problems::default();
    let mut unsure = Unsure::default();
    for (key, line, entries) in &stated.extras {
        if outdone {
            unfollowed(draft, &stated.file, "extras_require", "gives way to the one in `setup.py`", entries);
        } else {
            problems.note(extra(draft, stated, (key, *line, entries), asked, &mut unsure));
        }
    }
    unsure.tell(draft, &stated.file, "extras_require");
    problems.finish()
}

/// The entries of a key: `extra`, `extra:marker`, or `:marker` for requirements of no extra
/// (<https://setuptools.pypa.io/en/latest/userguide/dependency_management.html>).
fn extra(
    draft: &mut Draft<'_>,
    stated: &Stated,
    (key, line, entries): (&str, usize, &[Entry]),
    asked: Option<&[String]>,
    unsure: &mut Unsure,
) -> Result<()> {
    let (name, marker) = key.split_once(':').map_or((key, None), |(name, marker)| (name.trim(), Some(marker.trim())));
    let when = marker.map(When::marked).unwrap_or_default();
    let entries: Vec<Entry> =
        entries.iter().map(|entry| Entry { when: entry.when.and(&when), ..entry.clone() }).collect();
    let origin = Origin::file(&stated.file, line);
    let mut list = List { file: &stated.file, field: "extras_require", extra: None };
    if name.is_empty() {
        return requirement::take(draft, &list, &entries, unsure);
    }
    if name == script::ANY {
        list.extra = Some(name);
        return requirement::take(draft, &list, &entries, unsure);
    }
    let Some((name, _)) = pep508::parse_name(name) else {
        return Err(Error::usage(format!("`{}` is not a name for an extra", shown(name))).at(origin));
    };
    match asked {
        Some(asked) if asked.contains(&name) => {}
        Some(_) => return Ok(()),
        None => {
            let kind = SelectableKind::Extra;
            if !draft.project.selectable.iter().any(|known| known.kind == kind && known.name == name) {
                draft.project.selectable.push(Selectable { kind, name: name.clone(), default: false, origin });
            }
            list.extra = Some(&name);
        }
    }
    requirement::take(draft, &list, &entries, unsure)
}

/// Answers each entry of a list that is not followed.
fn unfollowed(draft: &mut Draft<'_>, file: &str, field: &str, why: &str, entries: &[Entry]) {
    draft.account(file, entries.len());
    for entry in entries {
        let message = format!("{}, of `{field}`, {why}", entry.words());
        draft.noted(file, Note::info(message, Origin::file(file, entry.line)));
    }
}

fn constrain(draft: &mut Draft<'_>, stated: &Stated) -> Result<()> {
    let Some(entry) = &stated.python else { return Ok(()) };
    let origin = Origin::file(&stated.file, entry.line);
    let What::Text(text) = (if entry.when.sure == Sure::Yes { &entry.what } else { &What::Computed }) else {
        let message = "`python_requires` is computed when the file runs, so it is not known here";
        draft.note(Note::warning(message, origin));
        return Ok(());
    };
    let specifiers = VersionSpecifiers::from_str(text).map_err(|error| {
        let why = error.to_string();
        let why = why.lines().next().unwrap_or_default();
        Error::usage(format!("`python_requires` is no version constraint: {}", shown(why)))
            .at(origin.clone())
            .with_hint("write `>=3.10`, for example")
    })?;
    if !specifiers.is_empty() {
        draft.project.python.push(PythonConstraint { specifiers, strength: Strength::Required, origin });
    }
    Ok(())
}

/// Takes up the minor versions of Python that classifiers name.
fn classify(draft: &mut Draft<'_>, stated: &Stated) {
    let listed =
        stated.classifiers.iter().map(|(classifier, line)| (classifier.as_str(), Origin::file(&stated.file, *line)));
    draft.project.python.extend(super::pyproject::classified(listed));
}

/// The text of a file.
fn text(folder: &Folder, file: &str) -> Result<String> {
    folder.read_utf8(file).map_err(|error| match (&error.origin, &error.hint) {
        (None, None) => error.at(Origin::file(file, 1)).with_hint("no file that a person wrote is like that"),
        (None, Some(_)) => error.at(Origin::file(file, 1)),
        _ => error,
    })
}

/// Reads the file that is followed, with the other one beside it.
fn read_manifest(draft: &mut Draft<'_>, file: &str) -> Result<()> {
    read(draft, parent(file), None).map(|_| ())
}

#[cfg(test)]
mod tests;
