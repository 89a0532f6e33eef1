//! One function a command: asks the library, writes its answer. `Ok(false)` is an answer that is no.

use std::path::Path;

use clap::ArgMatches;
use clap::parser::ValueSource;
use sconce::engine::{AnyEngine, Owner};
use sconce::model::{Answer, Answers, Error, ErrorKind, Result};
use sconce::ops::Rendered;
use sconce::ops::attest::ClaimOptions;
use sconce::report::{self, json};

use crate::args::{Build, Command, Images, Inspect, Render, Templates, Verify};
use crate::engine::{with_engine, without_engine};
use crate::reports::Reports;
use crate::terminal::Terminal;
use crate::{explain, freshness, pages, reference, settings};

/// Runs `command`, whose matches `matches` are.
pub(crate) fn run(command: &Command, matches: &ArgMatches, terminal: &Terminal) -> Result<bool> {
    match command {
        Command::Inspect(args) => inspect(args, matches, terminal),
        Command::Render(args) => render(args, matches, terminal),
        Command::Build(args) => build(args, matches, terminal),
        Command::Verify(args) => verify(args, matches, terminal),
        Command::Explain(args) => explain::explain(args, matches, terminal),
        Command::Doctor(args) => crate::doctor::run(args, terminal),
        Command::Reproduce(args) => crate::reproduce::run(args, matches, terminal),
        Command::Diff(args) => crate::diff::run(args, matches, terminal),
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
    let mut settings = settings::render(args, matches)?;
    let root = &args.project.root;
    if args.check.is_some() {
        settings.inspect.name = sconce::ops::named(&freshness::dockerfile(args));
    }
    let rendered =
        sconce::ops::render(root, &settings.inspect, &settings.plan, &settings.network, &settings.templates)?;
    if args.check.is_some() {
        return freshness::check(args, &rendered, matches, terminal);
    }
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
    let reports = Reports::asked(&args.reports.files)?;
    let owner = Owner::current();
    let options = settings::build(args, matches, owner.clone())?;
    let result = with_engine(terminal, owner, async |engine, progress| {
        // On the heap: it is a large future, of every stage there is.
        Box::pin(sconce::ops::build::build(engine, &args.project.root, &options, progress)).await
    });
    write(vec![Answer { reference: options.tag, result }], &reports, terminal)
}

/// One image after the other: they would only share the processors. What becomes of one keeps none of the others back.
fn verify(args: &Verify, matches: &ArgMatches, terminal: &Terminal) -> Result<bool> {
    if args.check_attestation {
        return check_attestation(args, matches, terminal);
    }
    let owner = Owner::current();
    let subjects = settings::subjects(&args.subject, matches, &owner)?;
    let reports = Reports::asked(&args.reports.files)?;
    let options = settings::verify(args, matches)?;
    let list = with_engine(terminal, owner, async |engine, progress| {
        let mut list = Vec::new();
        for subject in &subjects {
            // On the heap: it may be a whole build.
            let result = Box::pin(sconce::ops::verify::verify(engine, subject, &options, progress)).await;
            list.push(Answer { reference: subject.name(), result });
        }
        Ok(list)
    });
    // Without an engine there is one error, of them all.
    let names = || subjects.iter().map(sconce::ops::Subject::name).collect::<Vec<_>>().join(" ");
    let list = list.unwrap_or_else(|error| vec![Answer { reference: names(), result: Err(error) }]);
    write(list, &reports, terminal)
}

/// What only a proof takes notice of.
const DEAF: [&str; 16] = [
    "python",
    "variant",
    "torch",
    "project",
    "profile",
    "smoke",
    "gpus",
    "memory",
    "cpus",
    "pids",
    "timeout",
    "user",
    "env",
    "read_only",
    "tmpfs",
    "files",
];

/// What the claim of an earlier proof is worth; no container is started.
fn check_attestation(args: &Verify, matches: &ArgMatches, terminal: &Terminal) -> Result<bool> {
    // Flags that would change nothing must not look as if they did.
    let typed = |id: &&clap::Id| matches.value_source(id.as_str()) == Some(ValueSource::CommandLine);
    let deaf = |id: &&clap::Id| DEAF.contains(&id.as_str());
    if let Some(id) = matches.ids().filter(typed).find(deaf) {
        let name = if id.as_str() == "files" { "report".to_owned() } else { id.as_str().replace('_', "-") };
        return Err(Error::usage(format!(
            "`--{name}` says nothing to `--check-attestation`, which starts no container"
        ))
        .with_hint("leave it out; or leave `--check-attestation` out, to make the proof"));
    }
    let [image] = args.subject.images.as_slice() else {
        return Err(Error::usage("`--check-attestation` takes one image at a time"));
    };
    reference::existing(image)?;
    let options = ClaimOptions { statement: args.attestation.clone(), pull: args.pull };
    let check = with_engine(terminal, Owner::current(), async |engine, progress| {
        sconce::ops::attest::check(engine, image, &options, progress).await
    })?;
    terminal.answer(
        |out| json::claim(&check, out), //
        |page, out| report::claim(&check, page, out),
    )?;
    Ok(check.ok())
}

/// Writes the reports and the answer. A lone image that could not be put to the proof is an error; of several, it is a part
/// of the answer.
fn write(list: Vec<Answer>, reports: &Reports, terminal: &Terminal) -> Result<bool> {
    let mut answers = Answers { list, folder: std::env::current_dir().ok() };
    let written = reports.write(&answers, terminal);
    if answers.list.len() == 1
        && let Some(Answer { result: Err(error), .. }) = answers.list.pop_if(|answer| answer.result.is_err())
    {
        if let Err(unwritten) = written {
            let _ = terminal.message(|page, out| report::error(&unwritten, page, out));
        }
        return Err(error);
    }
    terminal.answer(
        |out| json::answers(&answers, out), //
        |page, out| report::answers(&answers, page, out),
    )?;
    written?;
    match unanswered(&answers) {
        Some(error) => Err(error),
        None => Ok(answers.ok()),
    }
}

/// The error that several answers come to: that they were interrupted, or, where none of them is a plain no, that some
/// image could not be put to the proof.
fn unanswered(answers: &Answers) -> Option<Error> {
    let kinds = || answers.list.iter().filter_map(|answer| Some(answer.result.as_ref().err()?.kind));
    if kinds().any(|kind| kind == ErrorKind::Interrupted) {
        return Some(Error::interrupted());
    }
    let no = kinds().any(|kind| kind == ErrorKind::No) || answers.reports().any(|report| !report.outcome.ok());
    let kind = kinds().next().filter(|_| !no)?;
    let message = format!("{} of {} images could not be put to the proof", kinds().count(), answers.list.len());
    Some(Error { kind, ..Error::no(message) })
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
