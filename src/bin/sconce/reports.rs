//! Reports besides the answer: files in other formats, and what GitHub's runners read.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sconce::model::{Answers, Error, Origin, Result};
use sconce::report::{self, Format, github};

use crate::terminal::Terminal;

/// Adds to the summary of this step of a GitHub workflow, where it has one.
pub(crate) fn summarise(markdown: &[u8]) -> Result<()> {
    let Some(summary) = summary(|name| std::env::var_os(name)) else { return Ok(()) };
    append(&summary, markdown).map_err(|error| {
        Error::usage(format!("cannot write the step's summary, `{}`", summary.display())).because(error)
    })
}

fn summary(variable: impl Fn(&str) -> Option<std::ffi::OsString>) -> Option<PathBuf> {
    variable("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// Where a report goes.
#[derive(Debug, PartialEq, Eq)]
enum Target {
    /// A file of its own, in the format of this name.
    File { format: &'static str, path: PathBuf },
    /// The summary of a step of a GitHub workflow, a file that steps append to, and annotations.
    GitHub { summary: PathBuf },
}

/// The reports that were asked for.
pub(crate) struct Reports(Vec<Target>);

impl Reports {
    /// What `--report` was given. What can be known to fail fails now, and not after a long proof.
    pub(crate) fn asked(values: &[String]) -> Result<Self> {
        let mut targets: Vec<Target> = Vec::new();
        for value in values {
            let target = target(value, |name| std::env::var_os(name))?;
            if targets.contains(&target) {
                return Err(wrong(format!("`{value}` is given twice")));
            }
            targets.push(target);
        }
        targets.iter().try_for_each(make_room)?;
        Ok(Self(targets))
    }

    /// Writes them all; one that cannot be written keeps none of the others back.
    pub(crate) fn write(&self, answers: &Answers, terminal: &Terminal) -> Result<()> {
        let written: Vec<Result<()>> = self.0.iter().map(|target| write(target, answers, terminal)).collect();
        written.into_iter().collect()
    }
}

fn target(value: &str, variable: impl Fn(&str) -> Option<std::ffi::OsString>) -> Result<Target> {
    if value == "github" {
        let hint = "leave `--report github` out elsewhere; `--report markdown=FILE` writes the same summary to a file";
        return summary(variable).map(|summary| Target::GitHub { summary }).ok_or_else(|| {
            wrong("`github` is for steps of GitHub workflows, and $GITHUB_STEP_SUMMARY is not set").with_hint(hint)
        });
    }
    let (name, file) = value.split_once('=').unwrap_or((value, ""));
    let Some(format) = Format::named(name) else {
        return Err(wrong(format!("`{name}` is not a format of reports")).with_hint(formats()));
    };
    match file {
        "" => Err(wrong(format!("`{value}` names no file")).with_hint(format!("as in `{name}=FILE`"))),
        "-" => Err(wrong("standard output is for the answer").with_hint("name a file; `--json` makes the answer JSON")),
        file => Ok(Target::File { format: format.name, path: file.into() }),
    }
}

fn formats() -> String {
    let names = Format::ALL.map(|format| format!("`{}=FILE`", format.name));
    format!("one of {} or `github`", names.join(", "))
}

fn wrong(message: impl Into<String>) -> Error {
    Error::usage(message).at(Origin::flag("--report"))
}

/// Makes the folder that a report goes into.
fn make_room(target: &Target) -> Result<()> {
    let Target::File { path, .. } = target else { return Ok(()) };
    if path.is_dir() {
        return Err(wrong(format!("`{}` is a folder", path.display())).with_hint("name a file in it"));
    }
    fs::create_dir_all(folder(path)).map_err(|error| unwritten(path, error))
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn unwritten(path: &Path, error: io::Error) -> Error {
    wrong(format!("cannot write the report `{}`", path.display()))
        .because(error)
        .with_hint("the folder must be writable and have room; `--report FORMAT=FILE` names another file")
}

fn write(target: &Target, answers: &Answers, terminal: &Terminal) -> Result<()> {
    match target {
        Target::File { format, path } => {
            let format = Format::named(format).ok_or_else(|| wrong(formats()))?;
            let mut text = Vec::new();
            format.write(answers, &mut text).and_then(|()| put(path, &text)).map_err(|error| unwritten(path, error))
        }
        Target::GitHub { summary } => {
            // The runner reads commands from both streams, and standard output is the answer's.
            let annotated = terminal.message(|_, out| github::annotations(answers, out));
            let mut text = Vec::new();
            let appended = report::markdown(answers, &mut text).and_then(|()| append(summary, &text));
            annotated.and(appended).map_err(|error| unwritten(summary, error))
        }
    }
}

/// Writes a file whole or not at all: beside it first, and then in its place. What is no ordinary file, such as a pipe,
/// cannot be replaced and is written to.
fn put(path: &Path, text: &[u8]) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(there) if !there.is_file() => OpenOptions::new().write(true).open(path)?.write_all(text),
        Ok(_) => replace(&fs::canonicalize(path)?, text),
        Err(_) => replace(path, text),
    }
}

fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    // As open as the umask lets every new file be: reports are read by others.
    #[cfg(unix)]
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(open);
    let mut beside = builder.prefix(".sconce-report-").tempfile_in(folder(path))?;
    beside.write_all(text)?;
    beside.persist(path)?;
    Ok(())
}

fn append(path: &Path, text: &[u8]) -> io::Result<()> {
    OpenOptions::new().append(true).create(true).open(path)?.write_all(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Result<Target> {
        target(value, |_| None)
    }

    #[test]
    fn a_report_has_a_format_and_a_file() {
        let file = |format, path: &str| Target::File { format, path: path.into() };
        assert_eq!(read("junit=out/a=b.xml").unwrap(), file("junit", "out/a=b.xml"));
        for (value, expected) in [
            ("pdf=x", "`pdf` is not a format of reports"),
            ("", "`` is not a format of reports"),
            ("junit", "`junit` names no file"),
            ("junit=", "`junit=` names no file"),
            ("json=-", "standard output is for the answer"),
            ("github", "`github` is for steps of GitHub workflows, and $GITHUB_STEP_SUMMARY is not set"),
        ] {
            assert_eq!(read(value).unwrap_err().message, expected);
        }
        let summary = |name: &str| (name == "GITHUB_STEP_SUMMARY").then(|| "/run/summary".into());
        assert_eq!(target("github", summary).unwrap(), Target::GitHub { summary: "/run/summary".into() });
    }

    #[cfg(unix)]
    #[test]
    fn a_file_is_replaced_whole_and_a_link_followed() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("report"), folder.path().join("link"));
        put(&file, b"first, and longer").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        put(&link, b"second").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"second");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        // Readable by others as far as the umask lets files be; never more than that.
        let plain = folder.path().join("plain");
        fs::write(&plain, b"").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&file), mode(&plain));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
        // A device stays one.
        put(Path::new("/dev/null"), b"gone").unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }
}
