//! `sconce reproduce`: what was pasted goes in, a container like the reporter's comes out.

use std::fs::{self, File};
use std::io::{self, ErrorKind, IsTerminal as _, Read, Write};
use std::path::Path;

use clap::ArgMatches;
use sconce::engine::{Engine as _, Owner};
use sconce::model::{Builder, Error, Origin, Reconstruction, Reproduction, Result, STANDARD_INPUT};
use sconce::ops::collect;
use sconce::ops::reproduce::{reconstruct, reproduce};
use sconce::report::{json, reproduction};

use crate::args::{self, Reproduce, ReproduceFormat as Format};
use crate::engine::with_engine;
use crate::terminal::Terminal;
use crate::{reference, settings};

/// No person pastes more, in bytes.
const LONGEST: u64 = 16 << 20;

/// Reproduces what was pasted, or writes an image's environment file.
pub(crate) fn run(args: &Reproduce, matches: &ArgMatches, terminal: &Terminal) -> Result<bool> {
    let format = args::format(args.format, Format::Json, matches, terminal.json)?;
    if let Some(image) = &args.from_image {
        return from_image(image, args, terminal);
    }
    let owner = Owner::current();
    let options = settings::reproduce(args, matches, owner.clone())?;
    let (name, text) = document(args.file.as_deref().unwrap_or(Path::new("-")))?;
    // What is wrong with the document is said before an engine is asked for.
    let planned = reconstruct(&name, &text, &options, Builder::Buildkit, None)?;
    if args.plan {
        write_planned(args.write.as_deref(), &planned)?;
        return plan(&planned, args.all, format, terminal);
    }
    let told = with_engine(terminal, owner, async |engine, progress| {
        let info = engine.info();
        let builder = if info.buildkit { Builder::Buildkit } else { Builder::Classic };
        let planned = reconstruct(&name, &text, &options, builder, Some(&info.architecture))?;
        write_planned(args.write.as_deref(), &planned)?;
        // On the heap: it is a large future, of every stage there is.
        Box::pin(reproduce(engine, planned, &options, progress)).await
    })?;
    if let Some(folder) = &args.write {
        let mut text = Vec::new();
        let _ = reproduction::markdown(&told, &mut text);
        write(folder, "report.md", &text)?;
    }
    answer(&told, args.all, format, terminal)?;
    Ok(told.ok())
}

fn from_image(image: &str, args: &Reproduce, terminal: &Terminal) -> Result<bool> {
    reference::existing(image)?;
    let timeout = args.proof.timeout.as_deref().unwrap_or("5m");
    let options = settings::collect(None, args.pull, timeout)?;
    let environment = with_engine(terminal, Owner::current(), async |engine, progress| {
        collect::collect(engine, image, &options, progress).await
    })?;
    let mut text = Vec::new();
    json::environment(&environment, &mut text)
        .map_err(|error| Error::no("the environment cannot be written").because(error))?;
    terminal.data(&text)?;
    Ok(true)
}

/// The document, under the name that its reader knows it by.
fn document(path: &Path) -> Result<(String, String)> {
    if path == Path::new("-") {
        if io::stdin().is_terminal() {
            return Err(Error::usage("there is nothing on standard input")
                .with_hint("pipe it in: `python -m torch.utils.collect_env | sconce reproduce -`, or name a file"));
        }
        return Ok((STANDARD_INPUT.to_owned(), decoded("standard input", io::stdin().lock())?));
    }
    let shown = path.display().to_string();
    if path.is_dir() {
        return Err(Error::usage(format!("`{shown}` is a folder"))
            .with_hint("name the file that was pasted; for a project of your own there is `sconce build`"));
    }
    let file = File::open(path).map_err(|error| Error::usage(format!("cannot read `{shown}`")).because(error))?;
    let text = decoded(&format!("`{shown}`"), file)?;
    Ok((shown, text))
}

fn decoded(quoted: &str, document: impl Read) -> Result<String> {
    sconce::diagnose::text(document, LONGEST).map_err(|error| {
        let error = match error.kind() {
            ErrorKind::FileTooLarge => io::Error::other(format!("it is longer than {} MiB", LONGEST >> 20)),
            _ => error,
        };
        Error::usage(format!("cannot read {quoted}")).because(error)
    })
}

fn plan(planned: &Reconstruction, all: bool, format: Format, terminal: &Terminal) -> Result<bool> {
    if format == Format::Markdown {
        return Err(Error::usage("Markdown tells of what was built, and `--plan` builds nothing")
            .at(Origin::flag("--format"))
            .with_hint("leave one of them out, or take `--json`"));
    }
    terminal.answer(
        |out| json::reconstruction(planned, out),
        |page, out| reproduction::reconstruction(planned, all, page, out),
    )?;
    Ok(true)
}

fn answer(told: &Reproduction, all: bool, format: Format, terminal: &Terminal) -> Result<()> {
    if format == Format::Markdown {
        let mut text = Vec::new();
        let _ = reproduction::markdown(told, &mut text);
        return terminal.data(&text);
    }
    terminal.answer(|out| json::reproduction(told, out), |page, out| reproduction::reproduction(told, all, page, out))
}

/// Writes what a reconstruction is made of, to look at it and to do it by hand.
fn write_planned(folder: Option<&Path>, planned: &Reconstruction) -> Result<()> {
    let Some(folder) = folder else { return Ok(()) };
    let mut environment = Vec::new();
    let _ = json::environment(&planned.reported.environment, &mut environment);
    write(folder, "Dockerfile.faithful", planned.faithful_dockerfile.as_bytes())?;
    write(folder, "Dockerfile.fixed", planned.fixed_dockerfile.as_bytes())?;
    write(folder, "environment.json", &environment)?;
    write(folder, &planned.program.name, planned.program.text.as_bytes())
}

fn write(folder: &Path, name: &str, text: &[u8]) -> Result<()> {
    // The name of a program may be a path of another machine's.
    let name = Path::new(name).file_name().map_or_else(|| "program.py".into(), ToOwned::to_owned);
    let path = folder.join(name);
    let written = fs::create_dir_all(folder).and_then(|()| File::create(&path)?.write_all(text));
    written.map_err(|error| {
        Error::usage(format!("cannot write `{}`", path.display())).at(Origin::flag("--write")).because(error)
    })
}
