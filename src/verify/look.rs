//! A quick look, in place of a proof: at an image, or at the machine that sconce itself runs on.

use std::sync::LazyLock;
use std::time::Duration;

use pep440_rs::VersionSpecifiers;

use super::request::Brief;
use super::ways::Way;
use super::{Conditions, Expectation, Question, SMOKE_TEST, ask, judge};
use crate::engine::{Engine, RunOutput};
use crate::model::{Profile, Result, Trial, Variant};

/// What a look makes of the smoke test: its checks that compile nothing with torch, and others besides.
const DOCTOR: &str = include_str!("../../templates/doctor.py");

/// Runs the look on this machine: `sh -c SCRIPT INTERPRETER LOOK BRIEF`.
const RUN_PYTHON: &str = include_str!("../../templates/run-python.sh");

/// The smoke test without its last lines, which would start it, and the look.
pub(super) static LOOK: LazyLock<String> = LazyLock::new(|| {
    let (test, _) = SMOKE_TEST.rsplit_once("\nif __name__ ==").unwrap_or((SMOKE_TEST, ""));
    format!("{test}{DOCTOR}")
});

/// The checks, in the order of the answer.
const CHECKS: [&str; 20] = [
    "python",
    "libc",
    "torch",
    "single",
    "enabled",
    "user",
    "cache",
    "room",
    "baked",
    "memory",
    "processors",
    "setuptools",
    "compiler",
    "headers",
    "toolchain",
    "openssl",
    "gpu",
    "gpu-driver",
    "gpu-compiler",
    "gpu-ptxas",
];

/// What says nothing of an image: memory and processors are those that a container is given.
const OF_MACHINES: [&str; 2] = ["memory", "processors"];

/// A look at this machine.
#[derive(Debug)]
pub struct Look {
    question: Question,
    way: Way,
    brief: Brief,
}

impl Look {
    /// A look at this machine that takes no longer than `timeout`. That there is no torch is no reason to call the machine
    /// unfit: it can be installed.
    pub fn at_machine(timeout: Duration) -> Self {
        let question = question(None, timeout);
        let way = Way { checks: CHECKS.to_vec(), ..Way::as_is(&question) };
        let brief = Brief::new("", &question, &way).look(&LOOK, "warning");
        Self { question, way, brief }
    }

    /// The arguments of `/bin/sh` that have `python` look.
    pub fn arguments(&self, python: &str) -> [String; 5] {
        let [program, brief] = self.brief.arguments(3);
        ["-c".to_owned(), RUN_PYTHON.to_owned(), python.to_owned(), program, brief]
    }

    /// What `output` shows.
    pub fn judge(&self, output: &RunOutput) -> Trial {
        judge::judge(output, &self.question, &self.way, &self.brief)
    }
}

/// Has the interpreter of `image` look at it, in a container of its own user, without network.
///
/// # Errors
///
/// As [`super::verify`].
pub async fn look_at<E: Engine>(engine: &E, image: &str, python: Option<&str>, timeout: Duration) -> Result<Trial> {
    let question = question(python, timeout);
    let checks = CHECKS.iter().copied().filter(|id| !OF_MACHINES.contains(id)).collect();
    let way = Way { checks, ..Way::as_is(&question) };
    let brief = Brief::new(image, &question, &way).look(&LOOK, "failure");
    let output = ask(engine, image, &question, &way, &brief).await?;
    Ok(judge::judge(&output, &question, &way, &brief))
}

fn question(python: Option<&str>, timeout: Duration) -> Question {
    let python = python.map(str::to_owned);
    Question {
        expectation: Expectation { variant: Variant::Any, torch: VersionSpecifiers::empty(), python },
        conditions: Conditions { timeout, ..Conditions::default() },
        profile: Profile::Quick,
        compiles: Vec::new(),
        smoke: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An argument of a program may have 128 KiB on Linux (`MAX_ARG_STRLEN`, execve(2)).
    #[test]
    fn the_look_is_one_program_that_starts_once() {
        assert!(LOOK.len() < 128 << 10, "{}", LOOK.len());
        assert_eq!(LOOK.matches("\nif __name__ ==").count(), 1);
        assert!(LOOK.trim_end().ends_with("doctor(json.loads(sys.argv[1]))"));
    }

    #[test]
    fn each_check_is_one_that_the_program_has() {
        for id in CHECKS {
            assert!(LOOK.contains(&format!("check(\"{id}\"")), "{id}");
        }
    }
}
