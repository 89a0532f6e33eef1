//! What the files that are not followed would have said, and the projects beneath this one.

use std::collections::BTreeSet;

use super::draft::Draft;
use super::folder::Folder;
use super::text::shown;
use super::tree::Tree;
use super::{Format, choose, conda, pyproject, requirements, setuptools};
use crate::model::{
    Alternative, Manifest, ManifestKind, Note, Origin, Project, PythonConstraint, Requirement, RequirementRole,
    SelectableKind, Strength,
};

/// The files of setuptools, which are read together.
const OF_SETUPTOOLS: [&str; 2] = ["setup.cfg", "setup.py"];

/// A file that was not followed, and what it would have said.
struct Other {
    file: String,
    kind: ManifestKind,
    project: Project,
    /// Whether it computes more than it states.
    computed: bool,
    error: Option<String>,
}

/// Takes up the files of the root that were not followed, and the folders that are projects of their own.
pub(super) fn note(draft: &mut Draft<'_>, tree: &Tree) {
    let mut others: Vec<Other> = Vec::new();
    for (format, file) in unfollowed(draft.folder, tree) {
        let of_setuptools =
            |other: &Other| OF_SETUPTOOLS.contains(&file.as_str()) && other.project.files.contains(&file);
        if !draft.has_read(&file) && !others.iter().any(|known| known.file == file || of_setuptools(known)) {
            others.push(Other::read(draft, format, &file));
        }
    }
    constrain_python(draft, &others);
    for other in &others {
        draft.note(other.said());
        let note = other.lacking(draft);
        draft.project.notes.extend(note);
    }
    let unread = conda::FORMAT.files.iter().filter(|file| draft.folder.has(file) && !draft.has_read(file));
    let notes: Vec<Note> = unread.filter_map(|file| conda::not_followed(draft.folder, file)).collect();
    draft.project.notes.extend(notes);
    draft.project.alternatives = others.iter().map(Other::alternative).collect();
    draft.project.subprojects = tree.subprojects();
}

/// The manifests of the root, and those of other names.
fn unfollowed(folder: &Folder, tree: &Tree) -> Vec<(&'static Format, String)> {
    let requirements = choose::requirements_files(tree).into_iter().map(|file| (&requirements::FORMAT, file));
    let environments = choose::environments(folder).into_iter().map(|file| (&conda::FORMAT, file));
    // What does not parse is said where it is read.
    choose::present_at_all(folder).into_iter().chain(requirements).chain(environments).collect()
}

/// Takes over what files beside the manifest say of Python: they speak of the same project. An environment only shows a
/// version that worked.
fn constrain_python(draft: &mut Draft<'_>, others: &[Other]) {
    let usual = |other: &&Other| conda::FORMAT.files.contains(&other.file.as_str());
    let hints = others.iter().filter(usual).flat_map(|other| &other.project.python);
    let hints: Vec<PythonConstraint> =
        hints.map(|hint| PythonConstraint { strength: Strength::Hint, ..hint.clone() }).collect();
    draft.project.python.extend(hints);
    if !setuptools_counts(draft) {
        return;
    }
    let Some(file) = OF_SETUPTOOLS.into_iter().find(|file| draft.folder.has(file)) else { return };
    // A script that asks for nothing is no alternative, and says which Python it is for all the same.
    let own = |constraint: &&PythonConstraint| {
        constraint.strength == Strength::Required
            && matches!(&constraint.origin, Origin::File { file, .. } if OF_SETUPTOOLS.contains(&file.as_str()))
    };
    let project = Other::read(draft, &setuptools::py::FORMAT, file).project;
    draft.project.python.extend(project.python.iter().filter(own).cloned());
}

/// Whether the files of setuptools in the root say something of the project that was not read yet: a `[project]` table and
/// Poetry outdo them.
fn setuptools_counts(draft: &Draft<'_>) -> bool {
    let outdone = |manifest: &Manifest| matches!(manifest.kind, ManifestKind::Pyproject | ManifestKind::Poetry);
    !OF_SETUPTOOLS.iter().any(|file| draft.has_read(file))
        && !draft.project.manifests.iter().any(outdone)
        && !matches!(pyproject::declared_name(draft.folder, "pyproject.toml"), Ok(Some(_)))
}

/// The note on what `file`, which is not followed, asks for and the manifest does not.
pub(super) fn unlisted(
    draft: &Draft<'_>,
    file: &str,
    names: impl Iterator<Item = String>,
    origin: Origin,
) -> Option<Note> {
    let mut known: BTreeSet<String> =
        draft.project.requirements.iter().filter_map(|listed| listed.name.clone()).collect();
    let names: Vec<String> = names.filter(|name| known.insert(name.clone())).map(|name| format!("`{name}`")).collect();
    let manifest = draft.project.manifests.first().filter(|_| !names.is_empty())?;
    let (file, manifest) = (shown(file), shown(&manifest.path));
    let message = format!("`{file}` also asks for {}, which `{manifest}` does not", names.join(", "));
    Some(Note::warning(message, origin).with_hint(format!("`--from {file}` reads that file instead")))
}

impl Other {
    fn read(draft: &Draft<'_>, format: &Format, file: &str) -> Self {
        let mut scratch = draft.scratch();
        let error = (format.read)(&mut scratch, file).err().map(|error| error.to_string());
        let computed = scratch.computed;
        Self { file: file.to_owned(), kind: format.kind, project: scratch.finish(), computed, error }
    }

    /// What it asks for whatever is chosen.
    fn own(&self) -> impl Iterator<Item = &Requirement> {
        let is_own = |asked: &&Requirement| {
            asked.role == RequirementRole::Requirement && asked.extra.is_none() && asked.group.is_none()
        };
        self.project.requirements.iter().filter(is_own)
    }

    fn alternative(&self) -> Alternative {
        let python = self.project.python.iter().find(|python| python.strength != Strength::Hint);
        Alternative {
            path: self.file.clone(),
            kind: self.kind,
            requirements: self.own().count(),
            torch: self.project.requirements_on("torch").next().map(|requirement| requirement.text.clone()),
            python: python.map(|python| python.specifiers.to_string()),
            error: self.error.clone(),
        }
    }

    fn said(&self) -> Note {
        let (file, origin) = (shown(&self.file), Origin::file(&self.file, 1));
        if let Some(error) = &self.error {
            return Note::info(format!("`{file}` is there, too, and cannot be read: {error}"), origin);
        }
        let selectable = |kind| self.project.selectable.iter().filter(|selectable| selectable.kind == kind).count();
        let counts = [
            (self.own().count(), "requirement"),
            (selectable(SelectableKind::Extra), "extra"),
            (selectable(SelectableKind::Group), "group"),
        ];
        let counts = counts.iter().filter(|(count, what)| *count > 0 || *what == "requirement");
        let mut says: Vec<String> =
            counts.map(|(count, what)| format!("{count} {what}{}", if *count == 1 { "" } else { "s" })).collect();
        let alternative = self.alternative();
        says.extend(alternative.torch.iter().map(|torch| format!("`{torch}`")));
        says.extend(alternative.python.iter().map(|python| format!("Python `{python}`")));
        says.extend(self.computed.then(|| "and more that is computed when it runs".to_owned()));
        Note::info(format!("`{file}` is there, too, and not followed: {}", says.join(", ")), origin)
            .with_hint(format!("`--from {file}` reads it instead"))
    }

    /// What a file of setuptools asks for and the manifest does not.
    fn lacking(&self, draft: &Draft<'_>) -> Option<Note> {
        let first = self.own().next().filter(|_| OF_SETUPTOOLS.contains(&self.file.as_str()))?;
        let names = self.own().filter_map(|asked| asked.name.clone());
        unlisted(draft, &self.file, names, first.origin.clone()).filter(|_| setuptools_counts(draft))
    }
}
