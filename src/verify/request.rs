//! What the engine is asked to run.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use super::ways::Way;
use super::{Compile, Question, SMOKE_TEST};
use crate::engine::RunRequest;
use crate::model::Variant;

/// Finds the interpreter whose torch is to be proven.
pub(super) const FIND_PYTHON: &str = include_str!("../../templates/find-python.sh");

/// Where it looks, one pattern a line.
pub(super) const INTERPRETERS: &str = include_str!("../../templates/interpreters.txt");

/// What the smoke test is told; `templates/smoke.py` says what each part means.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Brief {
    pub(super) checks: Vec<&'static str>,
    pub(super) image: String,
    variant: Variant,
    now: u64,
    seconds: u64,
    document: u8,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) compiles: Vec<Compile>,
    #[serde(skip_serializing_if = "Option::is_none")]
    smoke: Option<Own>,
    /// For a look: what it is that there is no torch.
    #[serde(skip_serializing_if = "Option::is_none")]
    lacking: Option<&'static str>,
    #[serde(skip)]
    program: &'static str,
}

#[derive(Debug, Clone, Serialize)]
struct Own {
    name: String,
    text: String,
}

impl Brief {
    pub(super) fn new(image: &str, question: &Question, way: &Way) -> Self {
        let own = question.smoke.as_ref().filter(|_| way.checks.contains(&"smoke"));
        Self {
            checks: way.checks.clone(),
            image: image.to_owned(),
            variant: question.expectation.variant.clone(),
            now: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs()),
            // It ends a little before it would be stopped, so that what it found by then is not lost.
            seconds: way.conditions.timeout.mul_f64(0.9).as_secs(),
            document: 1,
            compiles: if way.with_compiles { question.compiles.clone() } else { Vec::new() },
            smoke: own.map(|script| Own { name: script.name.clone(), text: script.text.clone() }),
            lacking: None,
            program: SMOKE_TEST,
        }
    }

    /// What `program` is told, which looks and compiles nothing.
    pub(super) fn look(self, program: &'static str, lacking: &'static str) -> Self {
        Self { program, lacking: Some(lacking), ..self }
    }

    pub(super) fn is_look(&self) -> bool {
        self.lacking.is_some()
    }

    /// The ids of the checks that the document has to have.
    pub(super) fn demanded(&self) -> impl Iterator<Item = &str> {
        self.checks.iter().copied().chain(self.compiles.iter().map(|compile| compile.id.as_str()))
    }

    /// The program that is told so, and how, where it is to write into this file descriptor.
    pub(super) fn arguments(&self, document: u8) -> [String; 2] {
        [self.program.to_owned(), self.text(document)]
    }

    fn text(&self, document: u8) -> String {
        serde_json::to_string(&Self { document, ..self.clone() }).unwrap_or_default()
    }
}

/// The smoke test, by the interpreter that the image's shell finds.
pub(super) fn by_shell(image: &str, way: &Way, brief: &Brief) -> RunRequest {
    let args = ["-c", FIND_PYTHON, "sconce", brief.program, &brief.text(3), INTERPRETERS];
    way.conditions.request(image, "/bin/sh", &args)
}

/// The smoke test, by this interpreter.
pub(super) fn direct(python: &str, image: &str, way: &Way, brief: &Brief) -> RunRequest {
    way.conditions.request(image, python, &["-c", brief.program, &brief.text(1)])
}

/// The places that take no shell to look in.
pub(super) fn usual_interpreters() -> impl Iterator<Item = &'static str> {
    INTERPRETERS.lines().filter(|line| !line.contains(['$', '*']))
}

#[cfg(test)]
mod tests {
    use super::super::tests::question;
    use super::*;

    #[test]
    fn the_interpreter_is_looked_for_by_a_shell() {
        let question = question();
        let way = Way::as_is(&question);
        let brief = Brief::new("sha256:1", &question, &way);
        let request = by_shell("sha256:1", &way, &brief);
        assert_eq!(request.entrypoint, ["/bin/sh"]);
        assert_eq!(request.args[..4], ["-c", FIND_PYTHON, "sconce", SMOKE_TEST]);
        assert_eq!(request.args[5], INTERPRETERS);
        let told: serde_json::Value = serde_json::from_str(&request.args[4]).unwrap();
        assert_eq!((&told["document"], &told["seconds"], &told["image"]), (&3.into(), &540.into(), &"sha256:1".into()));
        assert_eq!((request.memory, request.timeout), (question.conditions.memory, question.conditions.timeout));
    }

    #[test]
    fn a_chosen_interpreter_needs_no_shell() {
        let question = question();
        let way = Way::as_is(&question);
        let request = direct("/opt/python", "app", &way, &Brief::new("app", &question, &way));
        assert_eq!(request.entrypoint, ["/opt/python"]);
        assert_eq!(request.args[..2], ["-c", SMOKE_TEST]);
        assert!(request.args[2].contains(r#""document":1"#), "{}", request.args[2]);
    }

    #[test]
    fn the_usual_interpreters_are_paths_and_names() {
        let usual: Vec<_> = usual_interpreters().collect();
        assert!(usual.contains(&"python3") && usual.contains(&"/opt/venv/bin/python"), "{usual:?}");
        assert!(usual.iter().all(|path| path.trim() == *path && !path.is_empty()), "{usual:?}");
    }

    /// An argument of a program may have 128 KiB on Linux (`MAX_ARG_STRLEN`, execve(2)).
    #[test]
    fn the_smoke_test_fits_an_argument() {
        assert!(SMOKE_TEST.len() < 128 << 10, "{}", SMOKE_TEST.len());
        assert!(!SMOKE_TEST.contains('\0'));
    }
}
