//! What the files that are not followed would have said, and the projects beneath this one.

use std::collections::BTreeMap;

use super::draft::Draft;
use super::folder::{Folder, parent};
use super::text::shown;
use super::tree::Tree;
use super::{Format, choose};
use crate::model::{Alternative, Note, Origin, Project, RequirementRole, Subproject};

/// Takes up the files of the root that were not followed, and the folders that are projects of their own.
pub(super) fn note(draft: &mut Draft<'_>, tree: &Tree) {
    let taken = |file: &str| draft.has_read(file);
    let mut alternatives: Vec<Alternative> = Vec::new();
    for (format, file) in others(draft.folder, tree) {
        if !taken(&file) && !alternatives.iter().any(|known| known.path == file) {
            alternatives.push(alternative(draft.folder, format, &file));
        }
    }
    for other in &alternatives {
        let note = said(other);
        draft.note(note);
    }
    draft.project.alternatives = alternatives;
    draft.project.subprojects = subprojects(tree);
}

/// The manifests of the root, and requirements files of other names.
fn others(folder: &Folder, tree: &Tree) -> Vec<(&'static Format, String)> {
    let requirements = choose::requirements_files(tree).into_iter().map(|file| (&super::FORMATS[0], file));
    // What does not parse is said where it is read.
    choose::present_at_all(folder).into_iter().chain(requirements).collect()
}

fn alternative(folder: &Folder, format: &Format, file: &str) -> Alternative {
    let mut scratch = Draft::new(folder);
    let error = (format.read)(&mut scratch, file).err().map(|error| error.to_string());
    let project = scratch.finish();
    let asked = project.requirements.iter().filter(|r| r.role == RequirementRole::Requirement);
    Alternative {
        path: file.to_owned(),
        kind: format.kind,
        requirements: asked.count(),
        torch: torch(&project),
        python: project.python.first().map(|python| python.specifiers.to_string()),
        error,
    }
}

fn torch(project: &Project) -> Option<String> {
    project.requirements_on("torch").next().map(|requirement| requirement.text.clone())
}

fn said(other: &Alternative) -> Note {
    let file = shown(&other.path);
    let origin = Origin::file(&other.path, 1);
    if let Some(error) = &other.error {
        return Note::info(format!("`{file}` is there, too, and cannot be read: {error}"), origin);
    }
    let mut says = vec![match other.requirements {
        1 => "1 requirement".to_owned(),
        many => format!("{many} requirements"),
    }];
    says.extend(other.torch.iter().map(|torch| format!("`{torch}`")));
    says.extend(other.python.iter().map(|python| format!("Python `{python}`")));
    Note::info(format!("`{file}` is there, too, and not followed: {}", says.join(", ")), origin)
        .with_hint(format!("`--from {file}` reads it instead"))
}

/// The folders beneath the root that hold manifests.
fn subprojects(tree: &Tree) -> Vec<Subproject> {
    let mut folders: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for file in &tree.manifests {
        let (folder, name) = (parent(file), file.rsplit('/').next().unwrap_or(file));
        if !matches!(folder, "." | "requirements") {
            folders.entry(folder).or_default().push(name.to_owned());
        }
    }
    folders.into_iter().map(|(path, manifests)| Subproject { path: path.to_owned(), manifests }).collect()
}
