//! The names that tools give to versions of Python.

use std::str::FromStr;

use pep440_rs::{Version, VersionSpecifiers};

use super::super::draft::Draft;
use super::super::text::shown;
use crate::model::{Note, Origin, PythonConstraint, Strength};

/// Takes up the first of the names that somebody pins, each with its line; the others are for other tools.
pub(super) fn take(draft: &mut Draft<'_>, file: &str, names: &[(&str, usize)]) {
    draft.account(file, names.len());
    let mut pinned = false;
    for (name, line) in names {
        let origin = Origin::file(file, *line);
        match constraint(name) {
            Some(_) if pinned => {
                let message =
                    format!("`{}` is pinned besides another version of Python, and not followed", shown(name));
                draft.noted(file, Note::info(message, origin));
            }
            Some(specifiers) => {
                pinned = true;
                draft.project.python.push(PythonConstraint { specifiers, strength: Strength::Pinned, origin });
                draft.fact(file);
            }
            None => {
                let message = format!("`{}` is not a version of CPython, and is not followed", shown(name));
                draft.noted(file, Note::warning(message, origin).with_hint("write `3.13`, for example"));
            }
        }
    }
}

/// `3.12`, `3.12.4`, `cpython-3.12`, `python3.12` and `cp312` are any 3.12: which patch release there is, the image
/// decides (<https://docs.astral.sh/uv/concepts/python-versions/#requesting-a-version>).
pub(super) fn constraint(name: &str) -> Option<VersionSpecifiers> {
    let name = name.trim();
    let version = ["cpython", "python"].iter().fold(name, |name, prefix| name.strip_prefix(prefix).unwrap_or(name));
    let version = version.trim_start_matches(['-', '@']);
    if let Some((major, minor)) = version.strip_prefix("cp").and_then(|digits| digits.split_at_checked(1)) {
        return minor_version(major, minor);
    }
    if !version.starts_with(|c: char| c.is_ascii_digit()) {
        return VersionSpecifiers::from_str(version).ok().filter(|specifiers| !specifiers.is_empty());
    }
    // `3.12-dev` of pyenv, and `3.12.4-linux-x86_64-gnu` of uv.
    let version = version.split('-').next().unwrap_or(version);
    match *Version::from_str(version).ok()?.release() {
        [major] => VersionSpecifiers::from_str(&format!("=={major}.*")).ok(),
        [major, minor, ..] => minor_version(&major.to_string(), &minor.to_string()),
        [] => None,
    }
}

fn minor_version(major: &str, minor: &str) -> Option<VersionSpecifiers> {
    let digits = |part: &str| !part.is_empty() && part.len() < 4 && part.bytes().all(|byte| byte.is_ascii_digit());
    if digits(major) && digits(minor) {
        VersionSpecifiers::from_str(&format!("=={major}.{minor}.*")).ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(name: &str) -> Option<String> {
        constraint(name).map(|specifiers| specifiers.to_string())
    }

    #[test]
    fn a_version_is_any_patch_release_of_it() {
        for name in [
            "3.12",
            "3.12.4",
            "cpython-3.12",
            "cpython@3.12.1",
            "python3.12",
            "python-3.12.0",
            "cp312",
            "3.12-dev",
            "3.12.0rc1",
            "cpython-3.12.4-linux-x86_64-gnu",
            " 3.12 ",
        ] {
            assert_eq!(read(name).as_deref(), Some("==3.12.*"), "{name}");
        }
        assert_eq!(read(">=3.11,<3.13").as_deref(), Some(">=3.11, <3.13"));
        assert_eq!(read("3").as_deref(), Some("==3.*"));
    }

    #[test]
    fn other_names_are_not_versions() {
        for name in ["pypy3.10", "system", "my-env", "", "3.12t", "miniconda3-3.11-23.1.0-1", "cp", "cpython", "latest"]
        {
            assert_eq!(read(name), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn no_name_ends_the_reader(name in "(cp|cpython|python|[-@.0-9é=><,]){0,6}") {
            let _ = constraint(&name);
        }
    }
}
