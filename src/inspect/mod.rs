//! A project's folder, read into a [`Project`]: one file of code for each format. The only reader of users' files.
//!
//! A format of manifests is one row of `FORMATS`, one of locks a row of `locks::LOCKS`; a file that tells something else
//! (a Python version, a base image) is one row of `FACTS`. Files are hostile: what they name is looked up within the
//! folder only, their credentials are taken out before anything is kept, and nothing in them is run.

mod alternatives;
mod choose;
mod conda;
mod containers;
mod devcontainer;
mod draft;
mod folder;
mod image_variant;
mod ini_file;
mod interpreter;
mod irregular;
mod json_file;
mod locks;
mod pep508;
mod pins;
mod pipfile;
mod pixi;
mod poetry;
mod problems;
mod pyproject;
mod python_file;
mod requirements;
mod setuptools;
mod source;
mod sources;
mod tabled;
#[cfg(test)]
mod testing;
mod text;
mod toml_file;
mod torch;
mod tree;
mod url;
mod yaml_file;

use std::path::Path;

use self::choose::Chosen;
use self::draft::Draft;
use self::folder::Folder;
use self::text::shown;
use self::tree::Tree;
use crate::catalogue::Packages;
use crate::model::{Error, Manifest, ManifestKind, Note, Origin, Project, Result, Severity, plain};

/// What to read.
#[derive(Debug, Clone, Default)]
pub struct InspectOptions {
    /// The files to read instead of those found, relative to the root (`--from`).
    pub from: Vec<String>,
    /// The name of a project that declares none, in place of its folder's.
    pub name: Option<String>,
}

/// A format of manifests.
struct Format {
    kind: ManifestKind,
    /// Where it usually stands, in the root; the first that is there counts.
    files: &'static [&'static str],
    /// What is looked for, in words.
    looked_for: &'static str,
    /// Whether a file is of this format, by its name.
    recognizes: fn(&str) -> bool,
    /// Whether a file of that name is a manifest at all.
    declares: fn(&Folder, &str) -> Result<bool>,
    /// Takes up a file.
    read: fn(&mut Draft<'_>, &str) -> Result<()>,
}

/// The formats, the one that wins first where none has a lock: who keeps a `requirements.txt` beside a `pyproject.toml`
/// deploys from it, and the older formats of setuptools are superseded by all others.
const FORMATS: [Format; 8] = [
    requirements::FORMAT,
    pyproject::FORMAT,
    poetry::FORMAT,
    pixi::FORMAT,
    pipfile::FORMAT,
    conda::FORMAT,
    setuptools::cfg::FORMAT,
    setuptools::py::FORMAT,
];

/// What tells more than requirements, once these are known.
const FACTS: [fn(&mut Draft<'_>) -> Result<()>; 4] =
    [pyproject::facts, pins::facts, containers::facts, devcontainer::facts];

/// Reads the project in `root`.
///
/// # Errors
///
/// Of kind [`crate::model::ErrorKind::Usage`], with file and line where one is to blame: no such folder, no
/// requirements, a file that cannot be read or is not text, a line that does not parse, a path that leads out of the
/// folder, files that name each other in a circle.
pub fn inspect(root: &Path, packages: &Packages, options: &InspectOptions) -> Result<Project> {
    let mut project = read(root, packages, options).map_err(url::error_safe_to_say)?;
    // Formats strip what they keep; this is the net below them, for messages that quote what does not parse.
    project.notes.iter_mut().for_each(url::note_safe_to_say);
    Ok(project)
}

fn read(root: &Path, packages: &Packages, options: &InspectOptions) -> Result<Project> {
    let folder = Folder::open(root)?;
    let tree = Tree::walk(&folder, choose::is_manifest);
    let mut draft = Draft::new(&folder, packages);
    irregular::note(&mut draft);
    let chosen = choose::manifests(&mut draft, &tree, &options.from)?;
    for (chosen, file) in &chosen {
        take(&mut draft, chosen, file)?;
    }
    let asks = !draft.project.requirements.is_empty() || draft.computed;
    sources::read(&mut draft, &tree, !asks);
    if draft.project.requirements.is_empty() && !draft.computed {
        let mut error =
            if chosen.is_empty() { choose::nothing_found(&folder, &tree) } else { nothing_asked_for(&draft) };
        error.log.extend(said(&draft.project.notes));
        return Err(error);
    }
    for fact in FACTS {
        fact(&mut draft)?;
    }
    source::warn_of_uninstallable(&mut draft);
    alternatives::note(&mut draft, &tree);
    draft.name = draft.name.or_else(|| options.name.clone());
    let mut project = draft.finish();
    torch::conclude(&mut project, packages);
    project.notes.extend(sources::unasked_torch(&project, &folder, &tree));
    interpreter::conclude(&mut project);
    Ok(project)
}

/// Takes up a manifest, with the locks that settle it.
fn take(draft: &mut Draft<'_>, chosen: &Chosen, file: &str) -> Result<()> {
    draft.project.manifests.push(Manifest { path: file.to_owned(), kind: chosen.kind() });
    match chosen {
        Chosen::Lock(format) => {
            locks::read_as_manifest(draft, format, file).map_err(|error| error.or_at(&Origin::file(file, 1)))
        }
        Chosen::Manifest(format) => {
            (format.read)(draft, file).map_err(|error| error.or_at(&Origin::file(file, 1)))?;
            let beside: Vec<_> = locks::beside(draft.folder, file, format.kind).collect();
            beside.iter().try_for_each(|(lock, file)| {
                locks::read(draft, lock, file).map_err(|error| error.or_at(&Origin::file(file, 1)))
            })
        }
    }
}

/// How many notes explain that nothing is asked for.
const SAID: usize = 8;

/// Notes as lines of a log, the warnings first.
fn said(notes: &[Note]) -> Vec<String> {
    let (warnings, others): (Vec<&Note>, Vec<&Note>) =
        notes.iter().partition(|note| note.severity == Severity::Warning);
    let notes: Vec<&Note> = warnings.into_iter().chain(others).collect();
    let mut lines: Vec<String> =
        notes.iter().take(SAID).map(|note| plain(&format!("{}: {}", note.origin, note.message))).collect();
    if notes.len() > SAID {
        lines.push(format!("and {} more", notes.len() - SAID));
    }
    lines
}

fn nothing_asked_for(draft: &Draft<'_>) -> Error {
    let manifests = draft.project.manifests.iter();
    let files: Vec<String> = manifests.map(|manifest| format!("`{}`", shown(&manifest.path))).collect();
    Error::usage(format!("{} asks for nothing", files.join(" and ")))
        .with_hint("list what the project needs, `torch` first, or name another file with `--from`")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn refused(files: &[(&str, &str)]) -> Error {
        let root = tempfile::tempdir().unwrap();
        for (file, text) in files {
            fs::write(root.path().join(file), text).unwrap();
        }
        inspect(root.path(), &Packages::embedded().unwrap(), &InspectOptions::default()).unwrap_err()
    }

    #[test]
    fn where_nothing_is_asked_for_the_notes_say_why() {
        let error = refused(&[("a.py", "import os\ndef f(:\n")]);
        let log = error.log.join("\n");
        assert!(log.contains("a.py:2: `a.py` is not read as Python"), "{log}");
        assert!(!log.contains("import nothing"), "{log}");
        let error = refused(&[("requirements.txt", "-r https://u:SECRET@h.example.org/r.txt\n")]);
        assert!(error.message.ends_with("asks for nothing"), "{error}");
        assert!(error.log.iter().any(|line| line.contains("h.example.org/r.txt` is not read")), "{:?}", error.log);
        assert!(!error.log.concat().contains("SECRET"), "{:?}", error.log);
    }

    #[test]
    fn few_notes_are_repeated() {
        let note = |n: usize| Note::info(format!("n{n}"), Origin::file("a", n));
        let mut notes: Vec<Note> = (1..=9).map(note).collect();
        notes.push(Note::warning("w", Origin::file("a", 10)));
        let lines = said(&notes);
        assert_eq!((lines[0].as_str(), lines[1].as_str(), lines[8].as_str()), ("a:10: w", "a:1: n1", "and 2 more"));
    }

    #[test]
    fn no_error_holds_a_credential() {
        for (file, text) in [
            ("requirements.txt", "torch\nx @@ git+https://u:SECRET"),
            ("pyproject.toml", "[project]\nname = 'x'\ndependencies = [\"x @ git+https://SECRET"),
            ("pyproject.toml", "[project]\nname = 'x'\ndependencies = [\"x >< https://u:SECRET\"]"),
        ] {
            let error = refused(&[(file, text)]);
            assert!(!format!("{error:?}").contains("SECRET"), "{error:?}");
        }
    }
}
