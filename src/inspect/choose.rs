//! Which of a project's files is followed.

use super::draft::Draft;
use super::folder::{Folder, parent};
use super::locks::{self, LOCKS, LockFormat};
use super::text::shown;
use super::tree::Tree;
use super::{FORMATS, Format, requirements};
use crate::model::{Error, ManifestKind, Note, Origin, Result};

/// The format of a file that is followed.
#[derive(Clone, Copy)]
pub(super) enum Chosen {
    Manifest(&'static Format),
    /// A lock that stands alone, or that the user named.
    Lock(&'static LockFormat),
}

impl Chosen {
    pub(super) fn kind(self) -> ManifestKind {
        match self {
            Self::Manifest(format) => format.kind,
            Self::Lock(format) => format.kind,
        }
    }
}

/// Whether a file may be a manifest or a lock, by its name.
pub(super) fn is_manifest(name: &str) -> bool {
    FORMATS.iter().any(|format| format.files.contains(&name))
        || LOCKS.iter().any(|format| format.file == name)
        || requirements::is_named_so(name)
}

/// The files to follow, each with its format; none where only the sources are left to tell.
pub(super) fn manifests(draft: &mut Draft<'_>, tree: &Tree, from: &[String]) -> Result<Vec<(Chosen, String)>> {
    if !from.is_empty() {
        return from.iter().map(|file| named(draft.folder, file)).collect();
    }
    let present = present(draft.folder)?;
    // A lock beats its manifest, and a manifest with a lock beats one without: somebody settled on versions there.
    let locked = present.iter().find(|(format, file)| locks::beside(draft.folder, file, format.kind).next().is_some());
    if let Some((format, file)) = locked.or(present.first()) {
        return Ok(vec![(Chosen::Manifest(format), file.clone())]);
    }
    if let Some(lock) = LOCKS.iter().find(|lock| draft.folder.has(lock.file)) {
        return Ok(vec![(Chosen::Lock(lock), lock.file.to_owned())]);
    }
    Ok(guess(draft, tree).map(|file| (Chosen::Manifest(&FORMATS[0]), file)).into_iter().collect())
}

/// The manifests of the root, in the order of the formats.
pub(super) fn present(folder: &Folder) -> Result<Vec<(&'static Format, String)>> {
    let mut present = Vec::new();
    for format in &FORMATS {
        for file in format.files.iter().filter(|file| folder.has(file)) {
            if (format.declares)(folder, file)? {
                present.push((format, (*file).to_owned()));
                break;
            }
        }
    }
    Ok(present)
}

/// The files of the root that may be manifests, in the order of the formats, whatever is in them.
pub(super) fn present_at_all(folder: &Folder) -> Vec<(&'static Format, String)> {
    let files = FORMATS.iter().flat_map(|format| format.files.iter().map(move |file| (format, *file)));
    let declares = |(format, file): &(&Format, &str)| (format.declares)(folder, file).unwrap_or(true);
    files
        .filter(|(_, file)| folder.has(file))
        .filter(declares)
        .map(|(format, file)| (format, file.to_owned()))
        .collect()
}

/// Names that say which of several requirements files is the one to deploy from, the best first.
const DEPLOYED_FROM: [&str; 11] =
    ["prod", "production", "main", "base", "runtime", "core", "common", "install", "default", "gpu", "cuda"];

/// One of several requirements files of other names, and a warning that it was picked.
fn guess(draft: &mut Draft<'_>, tree: &Tree) -> Option<String> {
    let candidates = requirements_files(tree);
    let rank = |file: &&String| {
        let words = stem(file);
        if words == ["requirements"] {
            return 0;
        }
        DEPLOYED_FROM.iter().position(|known| words.contains(known)).map_or(usize::MAX, |at| at + 1)
    };
    let picked = candidates.iter().min_by_key(rank)?.clone();
    let others: Vec<String> =
        candidates.iter().filter(|file| **file != picked).map(|f| format!("`{}`", shown(f))).collect();
    let origin = Origin::file(&picked, 1);
    draft.note(if others.is_empty() {
        Note::info(format!("`{}` is the only requirements file", shown(&picked)), origin)
    } else {
        let message = format!("`{}` is read, of several requirements files", shown(&picked));
        Note::warning(message, origin).with_hint(format!("`--from FILE` reads another: {}", others.join(", ")))
    });
    Some(picked)
}

/// The words of a file's name: `requirements/base.txt` has `base`, `requirements-gpu.txt` has `requirements` and `gpu`.
fn stem(file: &str) -> Vec<&str> {
    let name = file.rsplit('/').next().unwrap_or(file);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    stem.split(['-', '_', '.']).collect()
}

/// Requirements files of the root and of its `requirements` folder that have another name than the usual one.
pub(super) fn requirements_files(tree: &Tree) -> Vec<String> {
    let near = |file: &&String| matches!(parent(file), "." | "requirements");
    let is_one = |file: &&String| {
        requirements::is_named_so(file.rsplit('/').next().unwrap_or(file)) || parent(file) == "requirements"
    };
    tree.manifests.iter().filter(near).filter(is_one).cloned().collect()
}

/// A file that the user named.
fn named(folder: &Folder, file: &str) -> Result<(Chosen, String)> {
    let located = folder.locate(".", file).map_err(|error| error.at(Origin::flag("--from")))?;
    let name = located.path.rsplit('/').next().unwrap_or_default();
    if let Some(lock) = LOCKS.iter().find(|lock| (lock.recognizes)(name)) {
        return Ok((Chosen::Lock(lock), located.path));
    }
    let mut of_name = FORMATS.iter().filter(|format| (format.recognizes)(name)).peekable();
    let Some(first) = of_name.peek().copied() else {
        let formats: Vec<&str> = FORMATS.iter().map(|format| format.looked_for).collect();
        return Err(Error::usage(format!("the format of `{}` is not known by its name", shown(file)))
            .at(Origin::flag("--from"))
            .with_hint(format!("name a file like {}", formats.join(" or "))));
    };
    // Two formats may share a file; the one that is in it counts, and the first says what is wrong where none is.
    let declared = of_name.find(|format| (format.declares)(folder, &located.path).unwrap_or(false));
    Ok((Chosen::Manifest(declared.unwrap_or(first)), located.path))
}

/// The error for a folder in which nothing asks for anything.
pub(super) fn nothing_found(folder: &Folder, tree: &Tree) -> Error {
    let formats: Vec<&str> = FORMATS.iter().map(|format| format.looked_for).collect();
    let root = shown(&folder.root().to_string_lossy());
    let mut log = vec![format!("looked for {}", formats.join(", "))];
    log.extend(match tree.python.len() {
        0 => Some("and found no Python files either".to_owned()),
        count => Some(format!("and for imports in {count} Python files, which import nothing but what Python brings")),
    });
    Error::usage(format!("no requirements found in `{root}`"))
        .with_log(log)
        .with_hint("list what the project needs in a `requirements.txt`, or name the folder that holds the project")
}
