//! One function a command: asks the library, writes its answer. `Ok(false)` is an answer that is no.

use std::path::Path;

use clap::ArgMatches;
use sconce::engine::{AnyEngine, Owner};
use sconce::model::{Error, ErrorKind, Report, Result};
use sconce::ops::Rendered;
use sconce::report::{self, json};

use crate::args::{Build, Command, Images, Inspect, Render, Templates, Verify};
use crate::engine::{with_engine, without_engine};
use crate::terminal::Terminal;
use crate::{pages, reference, settings};

/// Runs `command`, whose matches `matches` are.
pub(crate) fn run(command: &Command, matches: &ArgMatches, terminal: &Terminal) -> Result<bool> {
    match command {
        Command::Inspect(args) => inspect(args, matches, terminal),
        Command::Render(args) => render(args, matches, terminal),
        Command::Build(args) => build(args, matches, terminal),
        Command::Verify(args) => verify(args, matches, terminal),
        Command::Images { command: None | Some(Images::List) } => list(terminal),
        Command::Images { command: Some(Images::Check) } => check(terminal),
        Command::Images { command: Some(Images::Bootstrap { name, allow_expired }) } => {
            bootstrap(name, *allow_expired, terminal)
        }
        Command::Templates { command: Templates::Export { folder, force } } => export(folder, *force, terminal),
        Command::Completions { shell } => pages::completions(*shell, terminal),
        Command::Man { folder: None } => pages::manual(terminal),
        Command::Man { folder: Some(folder) } => pages::manuals(folder, terminal),
    }
}

fn inspect(args: &Inspect, matches: &ArgMatches, terminal: &Terminal) -> Result<bool> {
    let project = sconce::ops::inspect(&args.project.root, &settings::inspect(args, matches)?)?;
    terminal.answer(
        |out| json::project(&project, out), //
        |page, out| report::project(&project, page, out),
    )?;
    Ok(true)
}

fn render(args: &Render, matches: &ArgMatches, terminal: &Terminal) -> Result<bool> {
    let settings = settings::render(args, matches)?;
    let root = &args.project.root;
    let rendered =
        sconce::ops::render(root, &settings.inspect, &settings.plan, &settings.network, &settings.templates)?;
    if args.devcontainer {
        sconce::ops::write_devcontainer(root, &rendered, args.force)?;
    }
    let Rendered { project, plan, dockerfile } = rendered;
    let notes = [project.notes.as_slice(), &plan.notes].concat();
    if let Some(path) = &args.output {
        std::fs::write(path, &dockerfile)
            .map_err(|error| Error::usage(format!("cannot write `{}`", path.display())).because(error))?;
    } else if !terminal.json && !args.devcontainer {
        // The Dockerfile is the answer, and explains itself; the notes must not get into it.
        terminal.data(dockerfile.as_bytes())?;
        let _ = terminal.message(|page, out| report::notes(&notes, page, out));
        return Ok(true);
    }
    terminal.answer(
        |out| json::rendered(&project, &plan, &dockerfile, out),
        |page, out| {
            report::choices(&plan, page, out)?;
            report::notes(&notes, page, out)
        },
    )?;
    Ok(true)
}

fn build(args: &Build, matches: &ArgMatches, terminal: &Terminal) -> Result<bool> {
    let owner = Owner::current();
    let options = settings::build(args, matches, owner.clone())?;
    let report = with_engine(terminal, owner, async |engine, progress| {
        // On the heap: it is a large future, of every stage there is.
        Box::pin(sconce::ops::build::build(engine, &args.project.root, &options, progress)).await
    })?;
    write(&report, terminal)
}

fn verify(args: &Verify, matches: &ArgMatches, terminal: &Terminal) -> Result<bool> {
    reference::existing(&args.image)?;
    let options = settings::verify(args, matches)?;
    let report = with_engine(terminal, Owner::current(), async |engine, progress| {
        sconce::ops::verify::verify(engine, &args.image, &options, progress).await
    })?;
    write(&report, terminal)
}

fn write(report: &Report, terminal: &Terminal) -> Result<bool> {
    terminal.answer(
        |out| json::report(report, out), //
        |page, out| report::text(report, page, out),
    )?;
    Ok(report.outcome.ok())
}

/// The catalogue is there without an engine; what the engine has of it is shown where one answers.
fn list(terminal: &Terminal) -> Result<bool> {
    let asked =
        with_engine(terminal, Owner::current(), async |engine, _| sconce::ops::images::list(Some(engine)).await);
    let rows = match asked {
        Err(error) if error.kind == ErrorKind::TryAgain => {
            without_engine(sconce::ops::images::list(None::<&AnyEngine>))?
        }
        rows => rows?,
    };
    terminal.answer(
        |out| json::bases(&rows, out), //
        |page, out| report::bases(&rows, page, out),
    )?;
    Ok(true)
}

fn check(terminal: &Terminal) -> Result<bool> {
    let checks = sconce::ops::images::check()?;
    terminal.answer(
        |out| json::base_checks(&checks, out), //
        |page, out| report::base_checks(&checks, page, out),
    )?;
    Ok(checks.iter().all(|check| check.problems.is_empty()))
}

fn export(folder: &Path, force: bool, terminal: &Terminal) -> Result<bool> {
    let files = sconce::ops::templates::export(folder, force)?;
    let shown = report::safe(&folder.display().to_string());
    terminal.data(format!("wrote {} files into {shown}; its README.md says more\n", files.len()).as_bytes())?;
    Ok(true)
}

fn bootstrap(name: &str, expired: bool, terminal: &Terminal) -> Result<bool> {
    let image = with_engine(terminal, Owner::current(), async |engine, progress| {
        sconce::ops::images::bootstrap(engine, name, expired, progress).await
    })?;
    terminal.answer(
        |out| json::image(&image, out), //
        |page, out| report::base(&image, page, out),
    )?;
    Ok(true)
}
