//! For the tests of the formats: a lock is read from a folder, and told in short lines.

use super::super::draft::{Draft, requirement};
use super::super::pep508::{self, Wanted};
use super::super::testing::drafted;
use super::{LOCKS, read, read_as_manifest};
use crate::model::{LockedPackage, Origin, Project, Requirement, RequirementRole, Result, Source};

/// Reads the first of `files` as the lock that stands alone among them.
pub(super) fn alone(files: &[(&str, &str)]) -> Result<Project> {
    with(files, &[], true)
}

/// Reads the first of `files` as the lock of a manifest that asks for `asked`.
pub(super) fn beside(files: &[(&str, &str)], asked: &[Requirement]) -> Result<Project> {
    with(files, asked, false)
}

fn with(files: &[(&str, &str)], asked: &[Requirement], alone: bool) -> Result<Project> {
    let file = files[0].0;
    let format = LOCKS.iter().find(|format| (format.recognizes)(file)).unwrap();
    let read = |draft: &mut Draft<'_>| {
        draft.project.requirements.extend_from_slice(asked);
        if alone { read_as_manifest(draft, format, file).map(drop) } else { read(draft, format, file).map(drop) }
    };
    Ok(drafted(files, read)?.1)
}

/// A requirement of a manifest.
pub(super) fn asked(text: &str) -> Requirement {
    let parsed = pep508::parse(text).unwrap();
    let Wanted::Versions(specifiers) = parsed.wanted else { panic!("{text}") };
    let source = Source::Index { specifiers };
    let read = requirement(text, source, RequirementRole::Requirement, Origin::file("pyproject.toml", 1));
    Requirement { name: Some(parsed.name), marker: parsed.marker, ..read }
}

/// Each locked package, as `name version from index [extras] {groups} #hashes :line ; marker`.
pub(super) fn packages(project: &Project) -> Vec<String> {
    project.locks.iter().flat_map(|lock| &lock.packages).map(line).collect()
}

fn line(package: &LockedPackage) -> String {
    let Origin::File { line: at, .. } = &package.origin else { panic!("{package:?}") };
    let listed = |names: &[String], open: &str, close: &str| {
        if names.is_empty() { String::new() } else { format!(" {open}{}{close}", names.join(",")) }
    };
    let parts = [
        package.name.clone(),
        package.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default(),
        place(package),
        listed(&package.extras, "[", "]"),
        listed(&package.groups, "{", "}"),
        format!(" #{} :{at}", package.hashes),
        package.marker.as_ref().map(|marker| format!(" ; {marker}")).unwrap_or_default(),
    ];
    parts.concat()
}

fn place(package: &LockedPackage) -> String {
    match &package.source {
        Source::Index { .. } => package.index.as_ref().map(|index| format!(" from {index}")).unwrap_or_default(),
        Source::Url { url } => format!(" at {url}"),
        Source::Path { path } => format!(" in {path}"),
        Source::Vcs { vcs, url, reference, subdirectory } => {
            let told = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
            format!(" at {vcs} {url} {} {}", told(reference), told(subdirectory))
        }
        Source::Conda { .. } => " of conda".to_owned(),
    }
}

/// What the account of the one file that was read says: entries, facts, notes.
pub(super) fn account(project: &Project) -> (usize, usize, usize) {
    let read = &project.read[0];
    (read.entries, read.facts, read.noted)
}

/// The messages of all notes.
pub(super) fn messages(project: &Project) -> Vec<&str> {
    project.notes.iter().map(|note| note.message.as_str()).collect()
}
