//! What the tests of the formats share.

use std::fs;

use tempfile::TempDir;

use super::draft::Draft;
use super::folder::Folder;
use crate::catalogue::Packages;
use crate::model::{Project, Result};

/// A folder of these files, each a path and its text.
pub(super) fn folder_of(files: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for (file, text) in files {
        let path = root.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    root
}

/// What `read` gives, and the project that it leaves behind, in a folder of these files.
pub(super) fn drafted<T>(
    files: &[(&str, &str)],
    read: impl FnOnce(&mut Draft<'_>) -> Result<T>,
) -> Result<(T, Project)> {
    drafted_in(&folder_of(files), read)
}

/// The same, in a folder that is there. Each entry of each file that was read must be answered.
pub(super) fn drafted_in<T>(root: &TempDir, read: impl FnOnce(&mut Draft<'_>) -> Result<T>) -> Result<(T, Project)> {
    let (folder, packages) = (Folder::open(root.path()).unwrap(), Packages::embedded().unwrap());
    let mut draft = Draft::new(&folder, &packages);
    let read = read(&mut draft)?;
    let project = draft.finish();
    for account in &project.read {
        assert_eq!(account.facts + account.noted, account.entries, "{account:?}\n{:#?}", project.notes);
    }
    Ok((read, project))
}
