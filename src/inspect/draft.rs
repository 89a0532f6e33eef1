//! A [`Project`] in the making.

use std::collections::{BTreeSet, HashSet};

use super::folder::{Folder, Located};
use crate::model::{
    Index, Manifest, Note, Origin, Package, PipOption, Project, PythonConstraint, Requirement, RequirementRole, Source,
    VariableUse,
};

/// What the formats fill in.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    pub(super) folder: &'a Folder,
    /// The name that the project declares.
    pub(super) name: Option<String>,
    pub(super) python: Vec<PythonConstraint>,
    pub(super) manifests: Vec<Manifest>,
    pub(super) requirements: Vec<Requirement>,
    pub(super) indexes: Vec<Index>,
    pub(super) variables: Vec<VariableUse>,
    pub(super) pip_options: Vec<PipOption>,
    pub(super) hashed: bool,
    pub(super) package: Option<Package>,
    pub(super) notes: Vec<Note>,
    /// Whether a back end computes requirements that no file states.
    pub(super) computed: bool,
    /// The `pyproject.toml` files whose dependencies are taken up, each with the extras asked of it.
    pub(super) followed: HashSet<(String, Vec<String>)>,
    files: BTreeSet<String>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(folder: &'a Folder) -> Self {
        Self {
            folder,
            name: None,
            python: Vec::new(),
            manifests: Vec::new(),
            requirements: Vec::new(),
            indexes: Vec::new(),
            variables: Vec::new(),
            pip_options: Vec::new(),
            hashed: false,
            package: None,
            notes: Vec::new(),
            computed: false,
            followed: HashSet::new(),
            files: BTreeSet::new(),
        }
    }

    /// Takes up a file that the resolution reads; of a symbolic link, both ends.
    pub(super) fn file(&mut self, located: &Located) {
        self.files.insert(located.path.clone());
        self.files.insert(located.real.clone());
    }

    /// Warns of a credential that stands in the open.
    pub(super) fn warn_of_credential(&mut self, origin: &Origin) {
        let message = "a password or token stands in the open, in a file that becomes part of the image";
        let hint = "write `${NAME}` in its place, and give the variable to the build";
        self.notes.push(Note::warning(message, origin.clone()).with_hint(hint));
    }

    /// The project.
    pub(super) fn finish(self) -> Project {
        let root = self.folder.root();
        let folder_name = root.file_name().map(|name| slug(&name.to_string_lossy())).unwrap_or_default();
        Project {
            name: self.name.unwrap_or(folder_name),
            root: root.to_owned(),
            python: self.python,
            manifests: self.manifests,
            requirements: self.requirements,
            indexes: self.indexes,
            variables: self.variables,
            pip_options: self.pip_options,
            files: self.files.into_iter().collect(),
            hashed: self.hashed,
            package: self.package,
            notes: self.notes,
        }
    }
}

/// A folder's name in the letters of a distribution's name (PEP 508).
fn slug(name: &str) -> String {
    let letters: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' }).collect();
    let slug = letters.trim_matches(['.', '_', '-']);
    if slug.is_empty() { "project".to_owned() } else { slug.to_owned() }
}

/// A requirement of which only text, source and place are known yet.
pub(super) fn requirement(text: &str, source: Source, role: RequirementRole, origin: Origin) -> Requirement {
    Requirement {
        name: None,
        extras: Vec::new(),
        source,
        marker: None,
        hashes: Vec::new(),
        editable: false,
        role,
        extra: None,
        text: text.to_owned(),
        origin,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_any_name_has_a_slug() {
        assert_eq!(slug("My Project (v2)"), "My-Project--v2");
        assert_eq!(slug("$(reboot)\n"), "reboot");
        assert_eq!(slug("…"), "project");
    }
}
