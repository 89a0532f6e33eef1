//! Runs the smoke test (`templates/smoke.py`) in a container and reads its evidence.
//!
//! Whatever the container does is an answer: a document that is missing, cut off or made up, a process that was killed or
//! ran out of time all fail the check `completed`. Only an engine that could not run it is an error.

mod document;
mod judge;

use std::collections::BTreeMap;
use std::time::Duration;

use pep440_rs::VersionSpecifiers;
use serde_json::json;

use crate::engine::{Engine, RunRequest};
use crate::model::{Error, ErrorKind, Result, TorchBuild, Variant, Verification};

/// The smoke test: a Python program that its users can read. The interpreter gets it as text, so that the image need not
/// hold it.
pub const SMOKE_TEST: &str = include_str!("../../templates/smoke.py");

/// Finds the interpreter whose torch is to be proven.
const FIND_PYTHON: &str = include_str!("../../templates/find-python.sh");

/// Processes and threads: those of torch and of OpenMP, one each for every processor of a large machine, and compilers.
const PIDS: u32 = 2048;

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

/// The limits of the smoke test.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Memory in bytes.
    pub memory: u64,
    /// Time.
    pub timeout: Duration,
}

/// Puts `image` (an id or a reference that is on the engine) to the proof.
///
/// # Errors
///
/// Where the engine could not run it: the image is not there, has no shell (or not the interpreter that was chosen), or the
/// engine itself failed.
pub async fn verify<E: Engine>(
    engine: &E,
    image: &str,
    expectation: &Expectation,
    limits: &Limits,
) -> Result<Verification> {
    let output = engine.run(&request(image, expectation, limits)).await.map_err(|error| advise(error, expectation))?;
    Ok(judge::judge(&output, expectation, limits))
}

fn request(image: &str, expectation: &Expectation, limits: &Limits) -> RunRequest {
    let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    let (entrypoint, args) = if let Some(python) = &expectation.python {
        (words(&[python]), words(&["-c", SMOKE_TEST, &brief(expectation, limits, 1)]))
    } else {
        let brief = brief(expectation, limits, 3);
        (words(&["/bin/sh"]), words(&["-c", FIND_PYTHON, "sconce", SMOKE_TEST, &brief]))
    };
    RunRequest {
        image: image.to_owned(),
        entrypoint,
        args,
        env: BTreeMap::new(),
        user: None,
        memory: limits.memory,
        pids: PIDS,
        timeout: limits.timeout,
    }
}

/// What the smoke test is told. It ends a little before it would be stopped, so that what it found by then is not lost.
fn brief(expectation: &Expectation, limits: &Limits, document: u8) -> String {
    let seconds = limits.timeout.mul_f64(0.9).as_secs();
    json!({ "variant": expectation.variant, "seconds": seconds, "document": document }).to_string()
}

fn advise(error: Error, expectation: &Expectation) -> Error {
    if error.kind != ErrorKind::No || error.hint.is_some() || expectation.python.is_some() {
        return error;
    }
    error.with_hint("in an image without a shell the interpreter cannot be looked for: name it with `--python PATH`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expectation(python: Option<&str>) -> Expectation {
        Expectation {
            variant: Variant::Cuda { version: Some("13.2".to_owned()) },
            torch: VersionSpecifiers::empty(),
            python: python.map(str::to_owned),
        }
    }

    const LIMITS: Limits = Limits { memory: 4 << 30, timeout: Duration::from_mins(10) };

    #[test]
    fn the_interpreter_is_looked_for_by_a_shell() {
        let request = request("app", &expectation(None), &LIMITS);
        assert_eq!(request.entrypoint, ["/bin/sh"]);
        assert_eq!(request.args[..3], ["-c", FIND_PYTHON, "sconce"]);
        assert_eq!(request.args[3], SMOKE_TEST);
        assert_eq!(request.args[4], r#"{"document":3,"seconds":540,"variant":{"name":"cuda","version":"13.2"}}"#);
        assert_eq!((request.memory, request.timeout, request.user), (LIMITS.memory, LIMITS.timeout, None));
    }

    #[test]
    fn a_chosen_interpreter_needs_no_shell() {
        let request = request("app", &expectation(Some("/opt/python")), &LIMITS);
        assert_eq!(request.entrypoint, ["/opt/python"]);
        assert_eq!(request.args[..2], ["-c", SMOKE_TEST]);
        assert!(request.args[2].starts_with(r#"{"document":1,"#), "{}", request.args[2]);
    }

    /// An argument of a program may have 128 KiB on Linux (`MAX_ARG_STRLEN`, execve(2)).
    #[test]
    fn the_smoke_test_fits_an_argument() {
        assert!(SMOKE_TEST.len() < 128 << 10, "{}", SMOKE_TEST.len());
        assert!(!SMOKE_TEST.contains('\0'));
    }

    #[test]
    fn an_image_without_a_shell_gets_advice() {
        let missing = || Error::no("the image `app` cannot run `/bin/sh`");
        assert!(advise(missing(), &expectation(None)).hint.expect("a hint").contains("--python"));
        assert_eq!(advise(missing(), &expectation(Some("python"))).hint, None);
        assert_eq!(advise(Error::try_again("no engine"), &expectation(None)).hint, None);
    }
}
