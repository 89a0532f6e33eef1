//! `sconce render --check`: are the files on disk what would be written?

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use regex::Regex;
use similar::TextDiff;

use crate::model::{CheckedFile, Error, FileState, Result};

/// The most bytes of a file: many times what sconce writes.
const LONGEST: u64 = 1 << 20;
/// The most lines of a diff, and the most characters of each: who reads more than that renders the file anew.
const MOST_LINES: usize = 200;
const LONGEST_LINE: usize = 1000;
/// How long to look for the smallest diff; then a larger one has to do.
const PATIENCE: Duration = Duration::from_secs(1);

/// The version in the label of a Dockerfile that sconce wrote.
static VERSION: LazyLock<Regex> = LazyLock::new(|| {
    #[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
    Regex::new(r#"(?m)^((?:LABEL| ) .*\bdev\.sconce\.version=")([0-9A-Za-z.+-]{1,64})""#).unwrap()
});

/// The name that a project has in the first line of its Dockerfile.
static NAME: LazyLock<Regex> = LazyLock::new(|| {
    #[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
    Regex::new(r"\A# An image for ([A-Za-z0-9._-]{1,200})(?: |\n# )in which ").unwrap()
});

/// The name of the project for which sconce wrote the Dockerfile `path`. A project that declares none is named after its
/// folder, and a checkout has another one on every machine: that makes no Dockerfile stale.
pub fn named(path: &Path) -> Option<String> {
    let text = read(path).ok()??;
    NAME.captures(&String::from_utf8_lossy(&text)).map(|found| found[1].to_owned())
}

/// Holds files against the texts that they should have.
pub fn check_files(files: &[(PathBuf, String)]) -> Result<Vec<CheckedFile>> {
    files.iter().map(|(path, text)| check(path, text)).collect()
}

fn check(path: &Path, wanted: &str) -> Result<CheckedFile> {
    let name = path.display().to_string();
    let Some(found) = read(path)? else {
        return Ok(CheckedFile {
            path: name,
            state: FileState::Missing,
            written_by: None,
            diff: String::new(),
            omitted: 0,
        });
    };
    let text = with_unix_ends(&String::from_utf8_lossy(&found));
    let written_by = other_version(&text);
    // The label changes with every release. That alone is nobody's work to commit.
    let fresh = text == wanted || (written_by.is_some() && relabelled(&text) == wanted);
    let (state, (diff, omitted)) = if fresh {
        (FileState::Fresh, (String::new(), 0))
    } else {
        (FileState::Stale, difference(&name, &text, wanted))
    };
    Ok(CheckedFile { path: name, state, written_by, diff, omitted })
}

/// A checkout on Windows may have other line ends, which mean the same; where only some differ, somebody edited the file.
fn with_unix_ends(text: &str) -> String {
    let all = text.matches("\r\n").count() == text.matches('\n').count();
    if all { text.replace("\r\n", "\n") } else { text.to_owned() }
}

/// The bytes of a regular file, or `None` where there is none. A link is not followed: the diff would show what it leads to.
fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    let refused = |why: String| Error::usage(format!("cannot check `{}`: {why}", path.display()));
    let kind = match path.symlink_metadata() {
        Ok(metadata) => metadata.file_type(),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound) => return Ok(None),
        Err(error) => return Err(refused(error.to_string()).because(error)),
    };
    if kind.is_symlink() {
        return Err(refused("it is a symbolic link".to_owned()).with_hint("name the file itself: `--check=FILE`"));
    }
    if !kind.is_file() {
        return Err(refused("it is not a regular file".to_owned()));
    }
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes));
    read.map_err(|error| refused(error.to_string()).because(error))?;
    if bytes.len() as u64 > LONGEST {
        return Err(refused(format!("it is longer than {} KiB, which nothing is that sconce writes", LONGEST >> 10)));
    }
    Ok(Some(bytes))
}

/// The version of sconce that wrote a Dockerfile, if its label names another than this one.
fn other_version(text: &str) -> Option<String> {
    VERSION.captures(text).map(|found| found[2].to_owned()).filter(|version| version != env!("CARGO_PKG_VERSION"))
}

/// A Dockerfile as this version would have labelled it.
fn relabelled(text: &str) -> String {
    VERSION.replace(text, concat!("${1}", env!("CARGO_PKG_VERSION"), "\"")).into_owned()
}

/// What would change in a file, and how many lines of that are left out.
fn difference(name: &str, found: &str, wanted: &str) -> (String, usize) {
    let diff = TextDiff::configure().timeout(PATIENCE).diff_lines(found, wanted);
    let unified = diff.unified_diff().context_radius(3).header(name, &format!("{name} as rendered")).to_string();
    let lines = unified.split_inclusive('\n').count();
    let shown = unified.split_inclusive('\n').take(MOST_LINES).map(shortened).collect();
    (shown, lines.saturating_sub(MOST_LINES))
}

fn shortened(line: &str) -> String {
    match line.char_indices().nth(LONGEST_LINE) {
        Some((end, _)) => format!("{}…\n", &line[..end]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = concat!("LABEL a=\"b\" \\\n      dev.sconce.version=\"", env!("CARGO_PKG_VERSION"), "\" \\\n");

    fn checked(found: &[u8], wanted: &str) -> CheckedFile {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("Dockerfile");
        std::fs::write(&path, found).unwrap();
        check(&path, wanted).unwrap()
    }

    #[test]
    fn the_label_of_another_version_alone_makes_nothing_stale() {
        let other = OURS.replace(env!("CARGO_PKG_VERSION"), "0.0.1-rc.1");
        let fresh = checked(other.as_bytes(), OURS);
        assert_eq!((fresh.state, fresh.written_by.as_deref()), (FileState::Fresh, Some("0.0.1-rc.1")));
        let stale = checked(other.replace("a=", "c=").as_bytes(), OURS);
        assert_eq!((stale.state, stale.written_by.as_deref()), (FileState::Stale, Some("0.0.1-rc.1")));
        for odd in [other.replace("0.0.1", "0.0.1 \\\" b=\\\"c"), other.replace("LABEL", "RUN")] {
            assert_eq!(checked(odd.as_bytes(), OURS).state, FileState::Stale, "{odd}");
        }
    }

    #[test]
    fn every_character_counts_but_not_how_lines_end() {
        for (found, wanted) in [(&b"a\rb\n"[..], "a\nb\n"), (b"a", "a\n"), (b"a\xff\n", "a?\n"), (b"", "a\n")] {
            let stale = checked(found, wanted);
            assert_eq!((stale.state, stale.omitted), (FileState::Stale, 0), "{found:?}");
        }
        let windows = OURS.replace('\n', "\r\n");
        assert_eq!(checked(windows.as_bytes(), OURS).state, FileState::Fresh);
        let stale = checked(windows.replace("a=", "c=").as_bytes(), OURS);
        assert_eq!(stale.diff.matches("\n-").count(), 1, "{}", stale.diff);
        assert_eq!(checked(OURS.as_bytes(), OURS).state, FileState::Fresh);
    }

    #[test]
    fn a_diff_is_bounded() {
        let long = format!("{}\n{}", "x".repeat(5000), "y\n".repeat(5000));
        let stale = checked(long.as_bytes(), "a\n");
        assert_eq!(stale.diff.lines().count(), MOST_LINES);
        // The two lines of the header, that of the hunk, those of both files, and not those shown.
        assert_eq!(stale.omitted, 3 + 5001 + 1 - MOST_LINES);
        assert!(stale.diff.lines().all(|line| line.chars().count() <= LONGEST_LINE + 1), "{}", stale.diff);
    }

    #[test]
    fn only_a_regular_file_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("Dockerfile");
        let refused = |why: &str| {
            let error = check(&path, "").unwrap_err();
            assert!(error.message.ends_with(why), "{error}");
        };
        std::os::unix::fs::symlink("/etc/passwd", &path).unwrap();
        refused("it is a symbolic link");
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        refused("it is not a regular file");
        std::fs::remove_dir(&path).unwrap();
        File::create(&path).unwrap().set_len(LONGEST + 1).unwrap();
        refused("which nothing is that sconce writes");
    }
}
