//! `sconce explain`: what is asked about, and the form that the answer has.

use std::fs::{self, File};
use std::io::{self, IsTerminal, Read, Write};
use std::path::Path;

use clap::ArgMatches;
use sconce::model::{Error, Explained, KnownFailure, Origin, Result, STANDARD_INPUT};
use sconce::ops::explain as ops;
use sconce::report::{self, explanation, json};

use crate::args::{self, Explain, ExplainFormat as Format};
use crate::reports;
use crate::terminal::Terminal;

/// What is asked about.
enum Subject<'a> {
    StandardInput,
    File(&'a Path),
    Id(&'a str),
}

/// Explains a log, or shows what the catalogue knows.
pub(crate) fn explain(args: &Explain, matches: &ArgMatches, terminal: &Terminal) -> Result<bool> {
    let format = args::format(args.format, Format::Json, matches, terminal.json)?;
    if args.catalogue {
        return catalogue(&ops::known(), format, terminal);
    }
    let explained = match subject(args.subject.as_deref(), || io::stdin().is_terminal())? {
        Subject::Id(id) => return entry(&ops::failure(id)?, format, terminal),
        Subject::StandardInput => ops::explain(STANDARD_INPUT, None, io::stdin().lock())?,
        Subject::File(path) => ops::explain(&path.display().to_string(), from_here(path), opened(path)?)?,
    };
    answer(&explained, args.all, format, terminal)?;
    Ok(explained.explanation.known())
}

fn subject(subject: Option<&Path>, is_terminal: impl Fn() -> bool) -> Result<Subject<'_>> {
    match subject {
        None if is_terminal() => Err(Error::usage("there is no log to explain").with_hint(
            "name a file, or pipe it in: `docker logs app 2>&1 | sconce explain`; \
             `sconce explain --catalogue` lists what is known",
        )),
        None => Ok(Subject::StandardInput),
        Some(path) if path == Path::new("-") => Ok(Subject::StandardInput),
        Some(path) if !path.exists() && ops::is_id(path) => Ok(Subject::Id(path.to_str().unwrap_or_default())),
        Some(path) => Ok(Subject::File(path)),
    }
}

fn opened(path: &Path) -> Result<impl Read> {
    if path.is_dir() {
        return Err(Error::usage(format!("`{}` is a folder", path.display())).with_hint("name the log in it"));
    }
    File::open(path).map_err(|error| Error::usage(format!("cannot read `{}`", path.display())).because(error))
}

/// The path from the current folder, with `/`, where it lies in it.
fn from_here(path: &Path) -> Option<String> {
    let here = fs::canonicalize(".").ok()?;
    let there = fs::canonicalize(path).ok()?;
    let names = there.strip_prefix(here).ok()?.iter().map(|name| name.to_str());
    names.collect::<Option<Vec<_>>>().map(|names| names.join("/"))
}

fn answer(explained: &Explained, all: bool, format: Format, terminal: &Terminal) -> Result<()> {
    match format {
        Format::Text | Format::Json => terminal
            .answer(|out| json::explanation(explained, out), |page, out| explanation::text(explained, all, page, out)),
        Format::Markdown => written(terminal, |out| explanation::markdown(explained, all, out)),
        Format::Sarif => written(terminal, |out| explanation::sarif(explained, out)),
        Format::Github => {
            written(terminal, |out| explanation::annotations(explained, out))?;
            let mut summary = Vec::new();
            let _ = explanation::markdown(explained, all, &mut summary);
            reports::summarise(&summary)
        }
    }
}

fn entry(known: &KnownFailure, format: Format, terminal: &Terminal) -> Result<bool> {
    match format {
        Format::Text | Format::Json => terminal.answer(
            |out| json::failure(known, out), //
            |page, out| report::failure(known, page, out),
        )?,
        Format::Markdown => written(terminal, |out| report::failure_markdown(known, out))?,
        Format::Sarif | Format::Github => return Err(no_log()),
    }
    Ok(true)
}

fn catalogue(known: &[KnownFailure], format: Format, terminal: &Terminal) -> Result<bool> {
    match format {
        Format::Text | Format::Json => terminal.answer(
            |out| json::failures(known, out), //
            |page, out| report::failures(known, page, out),
        )?,
        Format::Markdown => written(terminal, |out| report::failures_markdown(known, out))?,
        Format::Sarif | Format::Github => return Err(no_log()),
    }
    Ok(true)
}

fn no_log() -> Error {
    let hint = "`text`, `json` and `markdown` show what the catalogue knows";
    Error::usage("`sarif` and `github` tell of a log, and none was read").at(Origin::flag("--format")).with_hint(hint)
}

fn written(terminal: &Terminal, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let mut text = Vec::new();
    write(&mut text).map_err(|error| Error::no("cannot write the answer").because(error))?;
    terminal.data(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(argument: Option<&str>, is_terminal: bool) -> String {
        match subject(argument.map(Path::new), || is_terminal) {
            Ok(Subject::StandardInput) => "standard input".to_owned(),
            Ok(Subject::File(path)) => format!("file {}", path.display()),
            Ok(Subject::Id(id)) => format!("id {id}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn what_is_asked_about_is_told_by_how_it_looks() {
        for (argument, expected) in [
            (Some("-"), "standard input"),
            (Some("PYTHON_H_MISSING"), "id PYTHON_H_MISSING"),
            (Some("python-h"), "id python-h"),
            (Some("Cargo.toml"), "file Cargo.toml"),
            // There is such a folder, so it is no id.
            (Some("src"), "file src"),
            (Some("train.log"), "file train.log"),
            (Some("logs/train"), "file logs/train"),
            (None, "there is no log to explain"),
        ] {
            assert_eq!(told(argument, true), expected);
        }
        assert_eq!(told(None, false), "standard input");
    }

    #[test]
    fn a_file_is_named_from_here() {
        assert_eq!(from_here(Path::new("./src/../Cargo.toml")).as_deref(), Some("Cargo.toml"));
        assert_eq!(from_here(Path::new("/dev/null")), None);
        assert_eq!(from_here(Path::new("gone")), None);
    }
}
