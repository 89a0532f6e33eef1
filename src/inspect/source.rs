//! Where a requirement comes from when it is not an index: a repository, an archive at a URL, a file or folder of the
//! project.

use super::draft::Draft;
use super::folder::{Located, join};
use super::pep508::parse_name;
use super::pyproject;
use super::text::shown;
use super::url::{check, fragment, is_repository, repository, scheme};
use crate::model::{ArchiveName, Error, Note, Result, Source, is_archive};

/// The files that say what a folder installs (<https://peps.python.org/pep-0517/>, and what setuptools reads besides).
const METADATA: [&str; 3] = ["pyproject.toml", "setup.cfg", "setup.py"];

/// A source, and what it tells about the distribution.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) source: Source,
    pub(super) name: Option<String>,
    pub(super) extras: Vec<String>,
}

/// What the URL `url`, free of credentials, names.
pub(super) fn at_url(draft: &mut Draft<'_>, url: &str) -> Result<Found> {
    let (name, extras) = fragment(url, "egg").and_then(parse_name).map_or((None, Vec::new()), |(n, e)| (Some(n), e));
    let scheme = scheme(url).unwrap_or_default();
    if scheme == "file" {
        let found = at_path(draft, file_path(url)?)?;
        return Ok(Found { name: name.or(found.name), extras, source: found.source });
    }
    if is_repository(&scheme) {
        return Ok(Found { source: repository(url)?, name, extras });
    }
    check(url)?;
    let name = name.or_else(|| ArchiveName::of(url).map(|archive| archive.name));
    Ok(Found { source: Source::Url { url: url.to_owned() }, name, extras })
}

/// The path of a `file:` URL, where it is relative; no other holds both here and in the image.
fn file_path(url: &str) -> Result<&str> {
    let path = url.get("file:".len()..).unwrap_or_default().split('#').next().unwrap_or_default();
    if path.starts_with('/') {
        let message = format!("`{}` is a place on this machine, not in the image", shown(url));
        return Err(
            Error::usage(message).with_hint("name a file of the project by a relative path, such as `./wheels/x.whl`")
        );
    }
    Ok(path)
}

/// What the path `given` names: an archive or a folder. pip resolves it against the folder that it runs in.
pub(super) fn at_path(draft: &mut Draft<'_>, given: &str) -> Result<Found> {
    let located = draft.folder.locate(&draft.runs_in, given).map_err(|error| match error.hint {
        None => error.with_hint("a path is relative to the project folder, wherever the file is that names it"),
        Some(_) => error,
    })?;
    let name = if draft.folder.is_dir(&located.path) {
        folder(draft, &located)?
    } else if is_archive(&located.path) {
        draft.file(&located);
        ArchiveName::of(&located.path).map(|archive| archive.name)
    } else {
        return Err(Error::usage(format!("`{}` is neither a folder nor an archive that pip installs", shown(given)))
            .with_hint("a requirements file is named with `-r`"));
    };
    Ok(Found { source: Source::Path { path: located.path }, name, extras: Vec::new() })
}

/// Warns of requirements on folders that no installer can install: it will say the same, only later.
pub(super) fn warn_of_uninstallable(draft: &mut Draft<'_>) {
    let is_one =
        |path: &str| draft.folder.is_dir(path) && !METADATA.iter().any(|file| draft.folder.has(&join(path, file)));
    let notes: Vec<Note> = draft
        .project
        .requirements
        .iter()
        .filter_map(|asked| match &asked.source {
            Source::Path { path } if is_one(path) => {
                let what =
                    if path == "." { "the project itself".to_owned() } else { format!("the folder `{}`", shown(path)) };
                let message = format!("{what} cannot be installed: it has neither `pyproject.toml` nor `setup.py`");
                Some(
                    Note::warning(message, asked.origin.clone())
                        .with_hint("take the line out, or add the file that is missing"),
                )
            }
            _ => None,
        })
        .collect();
    draft.project.notes.extend(notes);
}

/// Takes up the metadata of a folder; its name, where it declares one.
fn folder(draft: &mut Draft<'_>, located: &Located) -> Result<Option<String>> {
    let metadata: Vec<String> = METADATA.iter().map(|file| join(&located.path, file)).collect();
    for file in metadata.iter().filter(|file| draft.folder.has(file)) {
        let file = draft.folder.locate(".", file)?;
        draft.file(&file);
    }
    pyproject::declared_name(draft.folder, &metadata[0])
}
