//! A project's folder, read into a [`Project`]: one file of code for each format. The only reader of users' files.
//!
//! A format of manifests is one row of `FORMATS`; a file that tells something else (a Python version, a name) is one row
//! of `FACTS`. Files are hostile: what they name is looked up within the folder only, their credentials are taken out
//! before anything is kept, and nothing in them is run.

mod draft;
mod folder;
mod pep508;
mod problems;
mod pyproject;
mod python_version;
mod requirements;
mod source;
mod text;
mod toml_file;
mod tools;
mod url;

use std::path::Path;

use self::draft::Draft;
use self::folder::{Folder, join};
use self::text::shown;
use crate::model::{Error, Manifest, ManifestKind, Note, Origin, Project, Result};

/// What to read.
#[derive(Debug, Clone, Default)]
pub struct InspectOptions {
    /// The files to read instead of those found, relative to the root (`--from`).
    pub from: Vec<String>,
}

/// A format of manifests.
struct Format {
    kind: ManifestKind,
    /// Where it usually stands.
    file: &'static str,
    /// What is looked for, in words.
    looked_for: &'static str,
    /// Whether a file named by the user is of this format, by its name.
    recognizes: fn(&str) -> bool,
    /// Whether a file that is there is a manifest at all.
    declares: fn(&Folder, &str) -> Result<bool>,
    /// Takes up a file.
    read: fn(&mut Draft<'_>, &str) -> Result<()>,
}

/// The formats, the one that wins first: who keeps a `requirements.txt` beside a `pyproject.toml` deploys from it.
const FORMATS: [Format; 2] = [requirements::FORMAT, pyproject::FORMAT];

/// What tells more than requirements, once these are known.
const FACTS: [fn(&mut Draft<'_>) -> Result<()>; 2] = [pyproject::facts, python_version::read];

/// What other tools keep requirements in; each goes from here when its format comes.
const NOT_READ: [&str; 10] = [
    "Pipfile",
    "conda.yaml",
    "environment.yaml",
    "environment.yml",
    "pixi.toml",
    "poetry.lock",
    "pylock.toml",
    "setup.cfg",
    "setup.py",
    "uv.lock",
];

/// What tools pin the versions in that a `pyproject.toml` leaves open; each goes from here when it is read.
const LOCKS: [&str; 4] = ["pdm.lock", "poetry.lock", "pylock.toml", "uv.lock"];

/// Reads the project in `root`.
///
/// # Errors
///
/// Of kind [`crate::model::ErrorKind::Usage`], with file and line where one is to blame: no such folder, no
/// requirements, a file that cannot be read or is not text, a line that does not parse, a path that leads out of the
/// folder, files that name each other in a circle.
pub fn inspect(root: &Path, options: &InspectOptions) -> Result<Project> {
    let folder = Folder::open(root)?;
    let mut draft = Draft::new(&folder);
    for (format, file) in manifests(&folder, &options.from)? {
        draft.manifests.push(Manifest { path: file.clone(), kind: format.kind });
        (format.read)(&mut draft, &file)?;
    }
    if draft.requirements.is_empty() && !draft.computed {
        return Err(nothing_asked_for(&draft));
    }
    for fact in FACTS {
        fact(&mut draft)?;
    }
    note_locks(&mut draft);
    Ok(draft.finish())
}

/// Says which pinned versions will not be those of the image. Beside a requirements file, a lock is another's concern.
fn note_locks(draft: &mut Draft<'_>) {
    let from_pyproject = draft.manifests.iter().any(|manifest| manifest.kind == ManifestKind::Pyproject);
    for lock in LOCKS.into_iter().filter(|lock| from_pyproject && draft.folder.has(lock)) {
        let message = format!("`{lock}` is not read: versions that the project leaves open are chosen anew");
        let hint = "export it to a `requirements.txt` to keep its versions";
        draft.notes.push(Note::info(message, Origin::Default).with_hint(hint));
    }
}

/// The files to read, each with its format.
fn manifests(folder: &Folder, from: &[String]) -> Result<Vec<(&'static Format, String)>> {
    if !from.is_empty() {
        return from.iter().map(|file| named(folder, file)).collect();
    }
    for format in &FORMATS {
        if folder.has(format.file) && (format.declares)(folder, format.file)? {
            return Ok(vec![(format, format.file.to_owned())]);
        }
    }
    Err(nothing_found(folder))
}

/// A file that the user named.
fn named(folder: &Folder, file: &str) -> Result<(&'static Format, String)> {
    let located = folder.locate(".", file).map_err(|error| error.at(Origin::flag("--from")))?;
    let name = located.path.rsplit('/').next().unwrap_or_default();
    let format = FORMATS.iter().find(|format| (format.recognizes)(name)).ok_or_else(|| {
        let formats: Vec<&str> = FORMATS.iter().map(|format| format.looked_for).collect();
        Error::usage(format!("the format of `{}` is not known by its name", shown(file)))
            .at(Origin::flag("--from"))
            .with_hint(format!("name a file like {}", formats.join(" or ")))
    })?;
    Ok((format, located.path))
}

fn nothing_found(folder: &Folder) -> Error {
    let formats: Vec<&str> = FORMATS.iter().map(|format| format.looked_for).collect();
    let candidates = candidates(folder);
    let hint = if candidates.is_empty() {
        "list what the project needs in a `requirements.txt`".to_owned()
    } else {
        format!("name the file to read, such as `--from {}`", candidates[0])
    };
    let mut log = vec![format!("looked for {}", formats.join(" and "))];
    let not_read = NOT_READ.into_iter().filter(|file| folder.has(file));
    log.extend(not_read.map(|file| format!("`{file}` is there, but its format is not read")));
    Error::usage(format!("no requirements found in `{}`", shown(&folder.root().to_string_lossy())))
        .with_log(log)
        .with_hint(hint)
}

/// Files of the root, or of its `requirements` folder, that look like requirements files of another name.
fn candidates(folder: &Folder) -> Vec<String> {
    // The hint is there to be copied to a shell: no name that a shell would read otherwise.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
    let is_candidate = |path: &String| {
        let is_named_so = path.starts_with("requirements") && path.to_ascii_lowercase().ends_with(".txt");
        is_named_so && path.chars().all(is_plain) && folder.has(path)
    };
    let beneath = folder.list("requirements").into_iter().map(|name| join("requirements", &name));
    folder.list(".").into_iter().chain(beneath).filter(is_candidate).collect()
}

fn nothing_asked_for(draft: &Draft<'_>) -> Error {
    let files: Vec<String> = draft.manifests.iter().map(|manifest| format!("`{}`", shown(&manifest.path))).collect();
    Error::usage(format!("{} asks for nothing", files.join(" and ")))
        .with_hint("list what the project needs, `torch` first, or name another file with `--from`")
}
