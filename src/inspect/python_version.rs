//! `.python-version`, the file of pyenv and uv.

use std::str::FromStr;

use pep440_rs::{Version, VersionSpecifiers};

use super::draft::Draft;
use super::text::shown;
use crate::model::{Note, Origin, PythonConstraint, Result};

const FILE: &str = ".python-version";

/// Takes up the first version that the file names.
pub(super) fn read(draft: &mut Draft<'_>) -> Result<()> {
    if !draft.folder.has(FILE) {
        return Ok(());
    }
    let located = draft.folder.locate(".", FILE).map_err(|error| error.at(Origin::file(FILE, 1)))?;
    let text = draft.folder.read_utf8(&located.path)?;
    let lines = text.lines().map(str::trim).zip(1..);
    let Some((line, number)) = lines.into_iter().find(|(line, _)| !line.is_empty() && !line.starts_with('#')) else {
        return Ok(());
    };
    let origin = Origin::file(FILE, number);
    if let Some(specifiers) = constraint(line) {
        draft.python.push(PythonConstraint { specifiers, origin });
    } else {
        let message = format!("`{}` is not a version of CPython, and is not followed", shown(line));
        draft.notes.push(Note::warning(message, origin).with_hint("write `3.13`, for example"));
    }
    Ok(())
}

/// `3.12`, `3.12.4`, `cpython-3.12` and `python3.12` are any 3.12: which patch release there is, the image decides.
fn constraint(line: &str) -> Option<VersionSpecifiers> {
    let version = line.trim_start_matches("cpython").trim_start_matches("python").trim_start_matches(['-', '@']);
    if version.starts_with(|c: char| c.is_ascii_digit()) {
        let version = Version::from_str(version).ok()?;
        let [major, minor, ..] = *version.release() else { return None };
        return VersionSpecifiers::from_str(&format!("=={major}.{minor}.*")).ok();
    }
    VersionSpecifiers::from_str(version).ok().filter(|specifiers| !specifiers.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_any_patch_release_of_it() {
        for line in ["3.12", "3.12.4", "cpython-3.12", "cpython@3.12.1", "python3.12"] {
            assert_eq!(constraint(line).map(|s| s.to_string()).as_deref(), Some("==3.12.*"), "{line}");
        }
        assert_eq!(constraint(">=3.11,<3.13").map(|s| s.to_string()).as_deref(), Some(">=3.11, <3.13"));
    }

    #[test]
    fn other_names_are_not_versions() {
        for line in ["pypy3.10", "system", "my-env", "3", "", "3.12t"] {
            assert_eq!(constraint(line), None, "{line}");
        }
    }
}
