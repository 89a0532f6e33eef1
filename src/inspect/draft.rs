//! A [`Project`] in the making.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::folder::{Folder, Located};
use super::text::shown;
use crate::catalogue::Packages;
use crate::model::{FileRead, Note, Origin, Project, Requirement, RequirementRole, Source};

/// How many notes on one file are kept.
const NOTES_OF_A_FILE: usize = 200;

/// How an entry of a file is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// It became a fact, or several.
    Fact,
    /// A note says why it is none.
    Note,
}

/// What the formats fill in.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    pub(super) folder: &'a Folder,
    pub(super) packages: &'a Packages,
    /// Facts go straight into it; its name, files and accounts are filled in at the end.
    pub(super) project: Project,
    /// The name that the project declares.
    pub(super) name: Option<String>,
    /// Whether a back end computes requirements that no file states.
    pub(super) computed: bool,
    /// The `pyproject.toml` files whose dependencies are taken up, each with the extras asked of it.
    pub(super) followed: HashSet<(String, Vec<String>)>,
    /// The folder that an installer runs in, relative to the root: the paths of what it is given start there.
    pub(super) runs_in: String,
    files: BTreeSet<String>,
    accounts: BTreeMap<String, FileRead>,
    /// How many notes each file has, those that are not kept included.
    noted: HashMap<String, usize>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(folder: &'a Folder, packages: &'a Packages) -> Self {
        Self {
            folder,
            packages,
            project: Project::default(),
            name: None,
            computed: false,
            followed: HashSet::new(),
            runs_in: ".".to_owned(),
            files: BTreeSet::new(),
            accounts: BTreeMap::new(),
            noted: HashMap::new(),
        }
    }

    /// A draft of the same folder, to see what a file says that is not followed.
    pub(super) fn scratch(&self) -> Self {
        Self::new(self.folder, self.packages)
    }

    /// Takes up a file that the resolution reads; of a symbolic link, both ends.
    pub(super) fn file(&mut self, located: &Located) {
        self.files.insert(located.path.clone());
        self.files.insert(located.real.clone());
    }

    /// Whether `file` is among those that were taken up.
    pub(super) fn has_read(&self, file: &str) -> bool {
        self.files.contains(file)
    }

    /// Takes up a note that says more about a fact; of very many on one file, [`Self::finish`] says how many more.
    pub(super) fn note(&mut self, note: Note) {
        if let Origin::File { file, .. } = &note.origin {
            let count = self.noted.entry(file.clone()).or_default();
            *count += 1;
            if *count > NOTES_OF_A_FILE {
                return;
            }
        }
        self.project.notes.push(note);
    }

    /// Opens the account of `file`, or adds to it: so many entries are to be answered by [`Self::fact`] or
    /// [`Self::noted`]. The count comes from the file's own structure, before its entries are understood.
    pub(super) fn account(&mut self, file: &str, entries: usize) {
        self.account_of(file).entries += entries;
    }

    /// An entry of `file` became a fact, or several.
    pub(super) fn fact(&mut self, file: &str) {
        self.answered(file, Answer::Fact);
    }

    /// An entry of `file` is no fact, for the reason that `note` gives.
    pub(super) fn noted(&mut self, file: &str, note: Note) {
        self.answered(file, Answer::Note);
        self.note(note);
    }

    /// An entry of `file` is answered; by a note that was taken up already, where it is a note.
    pub(super) fn answered(&mut self, file: &str, answer: Answer) {
        let account = self.account_of(file);
        match answer {
            Answer::Fact => account.facts += 1,
            Answer::Note => account.noted += 1,
        }
    }

    /// Whether the account of `file` is open.
    pub(super) fn has_account(&self, file: &str) -> bool {
        self.accounts.contains_key(file)
    }

    /// Several entries of `file` are no facts, for the one reason that `note` gives.
    pub(super) fn noted_together(&mut self, file: &str, entries: usize, note: Note) {
        self.account_of(file).noted += entries;
        self.note(note);
    }

    fn account_of(&mut self, file: &str) -> &mut FileRead {
        let empty = || FileRead { path: file.to_owned(), entries: 0, facts: 0, noted: 0 };
        self.accounts.entry(file.to_owned()).or_insert_with(empty)
    }

    /// Warns of a credential that stands in the open.
    pub(super) fn warn_of_credential(&mut self, origin: &Origin) {
        let message = "a password or token stands in the open, in a file that becomes part of the image";
        let hint = "write `${NAME}` in its place, and give the variable to the build";
        self.note(Note::warning(message, origin.clone()).with_hint(hint));
    }

    /// The project.
    pub(super) fn finish(self) -> Project {
        let root = self.folder.root();
        let folder_name = root.file_name().map(|name| slug(&name.to_string_lossy())).unwrap_or_default();
        let mut project = self.project;
        project.name = self.name.unwrap_or(folder_name);
        project.root = root.to_owned();
        project.bases.iter_mut().for_each(|base| base.image = without_user(&base.image));
        for (file, count) in BTreeMap::from_iter(self.noted) {
            if let Some(more) = count.checked_sub(NOTES_OF_A_FILE).filter(|more| *more > 0) {
                let message = format!("and {more} more notes of this file");
                project.notes.push(Note::warning(message, Origin::file(file, 1)));
            }
        }
        project.files = self.files.into_iter().collect();
        project.read = self.accounts.into_values().collect();
        for read in project.read.iter().filter(|read| read.facts + read.noted != read.entries) {
            let message = format!(
                "of the {} entries of `{}`, {} are accounted for: this is a defect of sconce",
                read.entries,
                shown(&read.path),
                read.facts + read.noted
            );
            project.notes.push(Note::warning(message, Origin::file(&read.path, 1)));
        }
        project
    }
}

/// The reference of an image without `user:password@` before its registry, which no reference has and some people write.
fn without_user(image: &str) -> String {
    let (registry, path) = image.split_once('/').unwrap_or((image, ""));
    match registry.rsplit_once('@') {
        Some((_, registry)) if !path.is_empty() => format!("{registry}/{path}"),
        _ => image.to_owned(),
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
        group: None,
        text: text.to_owned(),
        origin,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::drafted;
    use super::*;

    #[test]
    fn of_very_many_notes_on_a_file_the_first_are_kept() {
        let ((), project) = drafted(&[], |draft| {
            draft.account("a", 300);
            for line in 1..=300 {
                draft.noted("a", Note::info("x", Origin::file("a", line)));
            }
            draft.note(Note::info("y", Origin::file("b", 1)));
            Ok(())
        })
        .unwrap();
        assert_eq!(project.notes.len(), NOTES_OF_A_FILE + 2);
        assert_eq!(project.notes.last().unwrap().message, "and 100 more notes of this file");
        assert_eq!((project.read[0].entries, project.read[0].noted), (300, 300));
    }

    #[test]
    fn an_image_has_no_user() {
        assert_eq!(without_user("u:SECRET@reg.example.org/a:1@sha256:00"), "reg.example.org/a:1@sha256:00");
        for image in ["python@sha256:00", "a/b@sha256:00", "python:3.12"] {
            assert_eq!(without_user(image), image);
        }
    }

    #[test]
    fn a_folder_of_any_name_has_a_slug() {
        assert_eq!(slug("My Project (v2)"), "My-Project--v2");
        assert_eq!(slug("$(reboot)\n"), "reboot");
        assert_eq!(slug("…"), "project");
    }
}
