//! Runs the smoke test (`templates/smoke.py`) in containers of an image and reads its evidence.
//!
//! Whatever a container does is an answer: a command that cannot be started, a document that is missing, cut off or made up,
//! a process that was killed or ran out of time. Only an engine that could not run it is an error.

mod collect;
mod compiles;
mod document;
mod judge;
mod look;
mod program;
mod request;
mod ways;

use std::collections::BTreeMap;
use std::time::Duration;

use pep440_rs::VersionSpecifiers;
use serde::Serialize;

use crate::engine::{Engine, Gpus, RunOutput, RunRequest};
use crate::model::{CheckOutcome, Error, ErrorKind, Profile, Result, TorchBuild, Trial, Variant, Verification};

pub use collect::{collect, collect_as};
pub use compiles::{Compile, compiles};
pub use look::{Look, look_at};
pub use program::run_program;
use request::Brief;
use ways::Way;

/// The smoke test: a Python program that its users can read. The interpreter gets it as text, so that the image need not
/// hold it.
pub const SMOKE_TEST: &str = include_str!("../../templates/smoke.py");

/// All that is run in an image to prove it: a proof of other programs is another proof.
pub const PROGRAMS: [&str; 3] = [request::FIND_PYTHON, request::INTERPRETERS, SMOKE_TEST];

/// The text of what judges them: a proof that was judged otherwise is another proof.
pub const JUDGES: [&str; 4] =
    [include_str!("document.rs"), include_str!("judge.rs"), include_str!("request.rs"), include_str!("ways.rs")];

/// What is to be proven of an image.
#[derive(Debug, Clone)]
pub struct Question {
    /// What the image is held against.
    pub expectation: Expectation,
    /// How it is run.
    pub conditions: Conditions,
    /// How much is tried.
    pub profile: Profile,
    /// How the project calls `torch.compile`, where there is a project.
    pub compiles: Vec<Compile>,
    /// The user's own check.
    pub smoke: Option<Script>,
}

/// What the image is held against.
#[derive(Debug, Clone)]
pub struct Expectation {
    /// The variant that was planned.
    pub variant: Variant,
    /// The torch versions that the project allows; empty where any will do.
    pub torch: VersionSpecifiers,
    /// The interpreter to use, where the caller chose it; otherwise it is looked for.
    pub python: Option<String>,
}

impl Expectation {
    /// What is certain of a planned build. What is only probable of it is no reason to refuse an image.
    pub fn of(torch: &TorchBuild) -> Self {
        Self { variant: torch.variant.clone(), torch: torch.specifiers.clone(), python: None }
    }
}

/// How containers of the image are run, as `docker run` has it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Conditions {
    /// The user in place of the image's own.
    pub user: Option<String>,
    /// Environment variables besides the image's own.
    pub env: BTreeMap<String, String>,
    /// Memory in bytes.
    pub memory: u64,
    /// How much of the processors' time it may use, in processors.
    pub cpus: Option<f64>,
    /// The processors that it sees, as `0` or `0-3`.
    pub cpuset: Option<String>,
    /// The processes and threads that it may have.
    pub pids: u32,
    /// Whether the root file system is read-only.
    pub read_only: bool,
    /// File systems in memory: the options by the path.
    pub tmpfs: BTreeMap<String, String>,
    /// The GPUs that it gets, where it gets any.
    pub gpus: Option<Gpus>,
    /// Time, for each container.
    pub timeout: Duration,
}

impl Conditions {
    /// Whether the image is run with its own user, environment and file system.
    pub fn is_as_built(&self) -> bool {
        self.user.is_none() && self.env.is_empty() && !self.read_only && self.tmpfs.is_empty()
    }

    /// What the engine is asked, to run `program` with `args` so.
    fn request(&self, image: &str, program: &str, args: &[&str]) -> RunRequest {
        let Self { user, env, memory, cpus, cpuset, pids, read_only, tmpfs, gpus, timeout } = self.clone();
        RunRequest {
            image: image.to_owned(),
            entrypoint: vec![program.to_owned()],
            args: args.iter().map(|&word| word.to_owned()).collect(),
            env,
            user,
            memory,
            cpus,
            cpuset,
            pids,
            read_only,
            tmpfs,
            gpus,
            timeout,
        }
    }
}

impl Default for Conditions {
    /// As the image is: memory for two compilers at once beside torch itself; processes and threads for torch and OpenMP on a
    /// large machine; and many times what the proof takes on a slow one.
    fn default() -> Self {
        Self {
            user: None,
            env: BTreeMap::new(),
            memory: 4 << 30,
            cpus: None,
            cpuset: None,
            pids: 2048,
            read_only: false,
            tmpfs: BTreeMap::new(),
            gpus: None,
            timeout: Duration::from_mins(15),
        }
    }
}

/// A program of the user's own, which has to end with status 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Script {
    /// The name of its file.
    pub name: String,
    /// Its text; it goes into the container as an argument, which Linux limits to 128 KiB (execve(2)).
    pub text: String,
}

/// The longest text of a [`Script`], in bytes, when written as JSON: beside the smoke test's brief it has to fit an argument.
pub const LONGEST_SCRIPT: usize = 100 << 10;

/// Puts `image` (the id of an image that is on the engine) to the proof.
///
/// The image as it is comes first. Where it fails, nothing else of it is tried: the same would fail again.
///
/// # Errors
///
/// Where the engine could not run it: the image is not there, or the engine itself failed.
pub async fn verify<E: Engine>(engine: &E, image: &str, question: &Question) -> Result<Verification> {
    let first = Way::as_is(question);
    let mut trials = vec![try_out(engine, image, question, &first).await.map_err(|error| blame(error, question))?];
    let mut untried = ways::left_out(question, &trials[0]);
    for way in ways::further(question, &trials[0]) {
        if trials[0].outcome() == CheckOutcome::Pass {
            match try_out(engine, image, question, &way).await {
                Ok(trial) => trials.push(trial),
                // An engine that cannot limit a container so, or has no GPU for it, is no fault of the image.
                Err(error) if way.may_be_refused(&error) => trials.push(way.refused(&error)),
                Err(error) => return Err(error),
            }
        } else {
            untried.push(way.left_out("the image fails as it is"));
        }
    }
    Ok(Verification { profile: question.profile, trials, untried, recalled: None })
}

/// An engine that refuses to run the image as it was asked to: the image has no part in that.
fn blame(error: Error, question: &Question) -> Error {
    let conditions = &question.conditions;
    if error.kind != ErrorKind::No || conditions.is_as_built() && conditions.cpus.is_none() {
        return error;
    }
    let hint = "the image was to be run as the flags say: see `--user`, `--cpus`, `--tmpfs` and the like";
    Error { kind: ErrorKind::Usage, ..error.with_hint(hint) }
}

/// Runs nothing but the user's own check, where there is one: what else was proven of the image is known.
///
/// # Errors
///
/// As [`verify`].
pub async fn own_check<E: Engine>(engine: &E, image: &str, question: &Question) -> Result<Option<Trial>> {
    match Way::own_check(question) {
        Some(way) => Ok(Some(try_out(engine, image, question, &way).await?)),
        None => Ok(None),
    }
}

async fn try_out<E: Engine>(engine: &E, image: &str, question: &Question, way: &Way) -> Result<Trial> {
    let brief = Brief::new(image, question, way);
    let output = ask(engine, image, question, way, &brief).await?;
    Ok(judge::judge(&output, question, way, &brief))
}

/// Has the smoke test run. The interpreter is looked for by the image's own shell; where there is none, those in the usual
/// places are tried one by one.
async fn ask<E: Engine>(engine: &E, image: &str, question: &Question, way: &Way, brief: &Brief) -> Result<RunOutput> {
    if let Some(python) = &question.expectation.python {
        return engine.run(&request::direct(python, image, way, brief)).await;
    }
    let by_shell = engine.run(&request::by_shell(image, way, brief)).await?;
    match &by_shell.not_started {
        Some(why) if is_absent(why) => {}
        _ => return Ok(by_shell),
    }
    let mut without_torch = None;
    for python in request::usual_interpreters() {
        let output = engine.run(&request::direct(python, image, way, brief)).await?;
        if output.not_started.is_some() {
            continue;
        }
        if judge::has_torch(&output, brief) {
            return Ok(output);
        }
        without_torch.get_or_insert(output);
    }
    let nowhere = by_shell.not_started.map(|why| format!("{why}; nor is there an interpreter in the usual places"));
    Ok(without_torch.unwrap_or(RunOutput { not_started: nowhere, ..by_shell }))
}

/// Whether a command could not be started because it is not there, rather than because it is for another processor.
fn is_absent(why: &str) -> bool {
    !why.to_ascii_lowercase().contains("exec format error")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The question whether `torch.compile` works, and nothing else.
    pub(crate) fn question() -> Question {
        let expectation = Expectation { variant: Variant::Any, torch: VersionSpecifiers::empty(), python: None };
        let conditions = Conditions { memory: 1 << 30, timeout: Duration::from_mins(10), ..Conditions::default() };
        Question { expectation, conditions, profile: Profile::Standard, compiles: Vec::new(), smoke: None }
    }

    #[test]
    fn what_is_for_another_processor_is_not_absent() {
        assert!(is_absent("exec: \"/bin/sh\": stat /bin/sh: no such file or directory"));
        assert!(!is_absent("exec /bin/sh: exec format error"));
        assert!(!is_absent("[FATAL tini (7)] exec /bin/sh failed: Exec format error"));
    }
}
