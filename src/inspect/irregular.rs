//! What bears the name of a file that is read, and is no file: a pipe, a device, a folder, a link that leads nowhere.

use std::collections::BTreeSet;
use std::fs;

use super::draft::Draft;
use super::locks::LOCKS;
use super::{FORMATS, pins};
use crate::model::{Note, Origin};

/// What is read besides manifests, locks and pins.
const OTHERS: [&str; 4] = ["Dockerfile", "Containerfile", ".devcontainer/devcontainer.json", ".devcontainer.json"];

/// Warns of what is there and is passed over: its owner takes it for read.
pub(super) fn note(draft: &mut Draft<'_>) {
    for file in names() {
        if draft.folder.has(file) || fs::symlink_metadata(draft.folder.root().join(file)).is_err() {
            continue;
        }
        let message = format!("`{file}` is there, and is not a regular file: it is not read");
        let hint = "put a regular file there, or take it away";
        draft.note(Note::warning(message, Origin::file(file, 1)).with_hint(hint));
    }
}

/// The names of files of the root that are read, each once.
fn names() -> BTreeSet<&'static str> {
    let manifests = FORMATS.iter().flat_map(|format| format.files.iter().copied());
    let pins = pins::PLAIN.iter().map(|(file, _)| *file).chain(pins::MISE);
    manifests.chain(LOCKS.iter().map(|format| format.file)).chain(pins).chain(OTHERS).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use super::super::testing::drafted_in;
    use super::*;

    #[test]
    fn what_is_no_file_is_named() {
        let root = tempfile::tempdir().unwrap();
        let at = |file: &str| root.path().join(file);
        let _socket = UnixListener::bind(at("uv.lock")).unwrap();
        fs::create_dir(at("Dockerfile")).unwrap();
        symlink("nowhere", at(".python-version")).unwrap();
        symlink("pyproject.toml", at("pyproject.toml")).unwrap();
        fs::write(at("real.txt"), "torch").unwrap();
        symlink("real.txt", at("requirements.txt")).unwrap();
        fs::write(at(".devcontainer"), "").unwrap();
        let ((), project) = drafted_in(&root, |draft| {
            note(draft);
            Ok(())
        })
        .unwrap();
        let told: Vec<_> = project.notes.iter().map(|note| note.origin.to_string()).collect();
        assert_eq!(told, [".python-version:1", "Dockerfile:1", "pyproject.toml:1", "uv.lock:1"]);
    }
}
