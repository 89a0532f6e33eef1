//! What tools have settled on: one file of code for each format of locks.

mod alone;
mod entry;
mod files;
mod marker;
mod pdm;
mod pipfile;
mod pixi;
mod poetry;
mod pylock;
mod reach;
#[cfg(test)]
mod samples;
mod stale;
mod uv;

pub(super) use self::entry::normalized;
use super::draft::Draft;
use super::folder::{Folder, join, parent};
use crate::model::{ErrorKind, Lock, ManifestKind, Origin, Result};

/// A format of locks.
pub(super) struct LockFormat {
    pub(super) kind: ManifestKind,
    /// Where it usually stands.
    pub(super) file: &'static str,
    /// The formats of manifests that it settles.
    of: &'static [ManifestKind],
    /// How it is brought up to date; empty where it cannot be told whether it is.
    refresh: &'static str,
    /// Whether a file is of this format, by its name.
    pub(super) recognizes: fn(&str) -> bool,
    /// The lock in a file; `None` where the file holds none, which a note then explains.
    read: fn(&mut Draft<'_>, &str) -> Result<Option<Lock>>,
}

/// The formats, the one that wins first.
pub(super) const LOCKS: [LockFormat; 6] =
    [uv::FORMAT, poetry::FORMAT, pdm::FORMAT, pylock::FORMAT, pipfile::FORMAT, pixi::FORMAT];

/// The locks that stand beside `manifest`, a file of format `kind`.
pub(super) fn beside<'f>(
    folder: &'f Folder,
    manifest: &str,
    kind: ManifestKind,
) -> impl Iterator<Item = (&'static LockFormat, String)> + 'f {
    let base = parent(manifest).to_owned();
    let locks = LOCKS.iter().filter(move |format| format.of.contains(&kind));
    locks.map(move |format| (format, join(&base, format.file))).filter(|(_, file)| folder.has(file))
}

/// Takes up the lock in `file`, which settles a manifest that is read.
pub(super) fn read(draft: &mut Draft<'_>, format: &LockFormat, file: &str) -> Result<()> {
    if let Some(lock) = open(draft, format, file)? {
        if !format.refresh.is_empty() {
            stale::note(draft, format, &lock);
        }
        draft.project.locks.push(lock);
    }
    Ok(())
}

/// Takes up the lock in `file` in place of a manifest: everything in it is asked for.
pub(super) fn read_as_manifest(draft: &mut Draft<'_>, format: &LockFormat, file: &str) -> Result<()> {
    if let Some(lock) = open(draft, format, file)? {
        alone::ask_for_all(draft, &lock);
        draft.project.locks.push(lock);
    }
    Ok(())
}

/// What to do about a lock that is broken: a tool wrote it whole once.
fn anew(format: &LockFormat) -> String {
    match format.refresh {
        "" => "restore the lock, or remove it and write it anew".to_owned(),
        refresh => format!("restore the lock, or remove it and write it anew: {refresh}"),
    }
}

fn open(draft: &mut Draft<'_>, format: &LockFormat, file: &str) -> Result<Option<Lock>> {
    let located = draft.folder.locate(".", file).map_err(|error| error.at(Origin::file(file, 1)))?;
    draft.file(&located);
    (format.read)(draft, &located.path).map_err(|error| match &error.hint {
        None if error.kind == ErrorKind::Usage => error.with_hint(anew(format)),
        _ => error,
    })
}
