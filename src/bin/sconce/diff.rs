//! `sconce diff`: what is compared, and the form that the answer has.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use clap::ArgMatches;
use sconce::engine::Owner;
use sconce::model::{Comparison, Error, Result, STANDARD_INPUT, Side};
use sconce::ops::diff as ops;
use sconce::report::{self, json};

use crate::args::{self, Diff, DiffFormat as Format};
use crate::engine::with_engine;
use crate::terminal::Terminal;
use crate::{reference, settings};

/// One of the two, as it was named.
enum Subject<'a> {
    /// What is read, read.
    Read(Box<Side>),
    /// An image, which takes an engine.
    Image(&'a str),
}

/// Compares, and answers.
pub(crate) fn run(args: &Diff, matches: &ArgMatches, terminal: &Terminal) -> Result<bool> {
    let format = args::format(args.format, Format::Json, matches, terminal.json)?;
    let is_input = |named: &str| named == "-" || named.starts_with("-#");
    if is_input(&args.left) && is_input(&args.right) {
        return Err(Error::usage("standard input can be one of the two only").with_hint("save one of them in a file"));
    }
    let comparison = match (subject(&args.left)?, subject(&args.right)?) {
        (Subject::Read(left), Subject::Read(right)) => ops::diff(*left, *right)?,
        (left, right) => {
            let options = settings::collect(args.python.as_ref(), args.pull, &args.timeout)?;
            with_engine(terminal, Owner::current(), async |engine, progress| {
                // One after the other: they would only share the processors.
                let side = async |subject| match subject {
                    Subject::Read(side) => Ok(*side),
                    Subject::Image(reference) => ops::look(engine, reference, &options, progress).await,
                };
                ops::diff(side(left).await?, side(right).await?)
            })?
        }
    };
    answer(&comparison, args.all, format, terminal)?;
    Ok(!args.exit_code || comparison.differences.is_empty())
}

/// What is meant: `-`, a file that exists, or an image; behind the first two, `#2` is the second report in it.
fn subject(named: &str) -> Result<Subject<'_>> {
    if Path::new(named).exists() {
        return read(named, None);
    }
    let numbered = named.rsplit_once('#').and_then(|(file, number)| Some((file, number.parse().ok()?)));
    match numbered {
        Some((file, number)) if file == "-" || Path::new(file).exists() => return read(file, Some(number)),
        _ if named == "-" => return read(named, None),
        _ => {}
    }
    reference::existing(named)
        .map_err(|error| Error { message: format!("`{named}` is neither a file nor a valid image"), ..error })?;
    Ok(Subject::Image(named))
}

/// Reads a file, or standard input.
fn read(named: &str, number: Option<usize>) -> Result<Subject<'_>> {
    let side = |name: &str, report: &mut dyn Read| Ok(Subject::Read(Box::new(ops::read(name, report, number)?)));
    if named == "-" {
        return side(STANDARD_INPUT, &mut io::stdin().lock());
    }
    let path = Path::new(named);
    if path.is_dir() {
        return Err(Error::usage(format!("`{named}` is a folder"))
            .with_hint("name a file in it; for an image of that name, write its tag: `NAME:latest`"));
    }
    let file = File::open(path);
    side(named, &mut file.map_err(|error| Error::usage(format!("cannot read `{named}`")).because(error))?)
}

fn answer(comparison: &Comparison, all: bool, format: Format, terminal: &Terminal) -> Result<()> {
    if format == Format::Markdown {
        let mut text = Vec::new();
        report::comparison_markdown(comparison, all, &mut text)
            .map_err(|error| Error::no("cannot write the answer").because(error))?;
        return terminal.data(&text);
    }
    terminal.answer(|out| json::comparison(comparison, out), |page, out| report::comparison(comparison, all, page, out))
}
