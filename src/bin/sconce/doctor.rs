//! `sconce doctor`: looks, and with consent mends and looks again.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

use sconce::engine::Owner;
use sconce::model::{Checkup, Error, Fix, Result};
use sconce::ops::doctor::{self, DoctorOptions};
use sconce::report::{self, json};

use crate::args::Doctor;
use crate::engine::{with_engine_or_error, without_engine};
use crate::terminal::Terminal;
use crate::{reference, settings};

/// What is done with the commands that would mend something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Consent {
    /// Each is asked for.
    Ask,
    /// All are run.
    Given,
    /// Nobody is there to be asked.
    Absent,
}

/// Looks, and answers.
pub(crate) fn run(args: &Doctor, terminal: &Terminal) -> Result<bool> {
    let options = settings::doctor(args)?;
    let checkup = look(args, &options, terminal)?;
    if !args.fix {
        return answer(&checkup, None, terminal);
    }
    let fixes = doctor::fixes(&checkup, &options.environment, nix::unistd::geteuid().is_root());
    let consent = match (args.yes, io::stdin().is_terminal() && io::stderr().is_terminal()) {
        (true, _) => Consent::Given,
        (false, true) => Consent::Ask,
        (false, false) => Consent::Absent,
    };
    let runnable = fixes.iter().any(|fix| fix.left.is_none());
    if !runnable || consent == Consent::Absent {
        let ok = answer(&checkup, Some(&fixes), terminal)?;
        if runnable {
            say(terminal, "nothing was run: there is no terminal to ask on; `--yes` runs them without asking");
        }
        return Ok(ok);
    }
    // The answer is what is found in the end; until then, all goes to standard error.
    let _ = terminal.message(|page, out| {
        report::checkup(&checkup, page, out)?;
        report::fixes(&fixes, page, out)
    });
    if !mend(&fixes, consent, &options, terminal)? {
        say(terminal, "nothing was run");
        return Ok(checkup.ok());
    }
    say(terminal, "looking again");
    answer(&look(args, &options, terminal)?, None, terminal)
}

fn look(args: &Doctor, options: &DoctorOptions, terminal: &Terminal) -> Result<Checkup> {
    if let Some(image) = &args.image {
        reference::existing(image)?;
    }
    with_engine_or_error(terminal, Owner::current(), async |engine, progress, stop| match &args.image {
        Some(image) => Box::pin(doctor::image(&engine?, image, options, progress)).await,
        None if args.engine => doctor::engine(engine.as_ref(), options).await,
        None => Box::pin(doctor::machine(engine.as_ref(), options, &stop, progress)).await,
    })
}

fn answer(checkup: &Checkup, fixes: Option<&[Fix]>, terminal: &Terminal) -> Result<bool> {
    terminal.answer(
        |out| json::checkup(checkup, fixes, out),
        |page, out| {
            report::checkup(checkup, page, out)?;
            fixes.map_or(Ok(()), |fixes| report::fixes(fixes, page, out))
        },
    )?;
    Ok(checkup.ok())
}

/// Runs the commands that are allowed, one after the other, and says what came of each. Whether any was run.
fn mend(fixes: &[Fix], consent: Consent, options: &DoctorOptions, terminal: &Terminal) -> Result<bool> {
    let mut ran = false;
    for fix in fixes.iter().filter(|fix| fix.left.is_none()) {
        let shown = report::safe(&fix.command);
        if consent == Consent::Ask && !agreed(&shown)? {
            say(terminal, &format!("not run: {shown}"));
            continue;
        }
        say(terminal, &format!("running: {shown}"));
        ran = true;
        // Its output is no part of the answer.
        let output = io::stderr().as_fd().try_clone_to_owned().map_or_else(|_| Stdio::null(), Stdio::from);
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &fix.command]).env_clear().envs(&options.environment).stdout(output);
        match command.status() {
            Ok(status) if status.success() => say(terminal, &format!("done: {shown}")),
            Ok(status) if status.signal() == Some(SIGINT) || status.code() == Some(128 + SIGINT) => {
                return Err(Error::interrupted());
            }
            Ok(status) => say(terminal, &format!("failed with {status}: {shown}")),
            Err(error) => say(terminal, &format!("could not be started ({error}): {shown}")),
        }
    }
    Ok(ran)
}

const SIGINT: i32 = 2;

/// Asks on the terminal; only a clear yes is one.
fn agreed(command: &str) -> Result<bool> {
    let _ = write!(io::stderr(), "run `{command}`? [y/N] ");
    // A thread of its own: reading cannot be stopped, and Ctrl-C must be heard.
    let (sender, line) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let _ = io::stdin().lock().read_line(&mut line);
        let _ = sender.send(line);
    });
    without_engine(async {
        tokio::select! {
            line = line => Ok(matches!(line.unwrap_or_default().trim().to_ascii_lowercase().as_str(), "y" | "yes")),
            _ = tokio::signal::ctrl_c() => Err(Error::interrupted()),
        }
    })
}

/// Tells what goes on, on standard error.
fn say(terminal: &Terminal, message: &str) {
    let _ = terminal.message(|_, out| writeln!(out, "{message}"));
}
