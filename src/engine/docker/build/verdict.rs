use super::super::errors;
use super::steps::Steps;
use crate::engine::BuildOutcome;
use crate::model::{BuildFailure, Error, Result};

/// What the builders put before what they have to say.
const PREFIXES: [&str; 6] = [
    "failed to solve with frontend dockerfile.v0: ",
    "failed to solve: ",
    "failed to create LLB definition: ",
    "failed to build LLB: ",
    "rpc error: code = Unknown desc = ",
    "rpc error: code = Unavailable desc = ",
];

/// How a registry or a name server that cannot be reached shows in an engine's error.
const UNREACHABLE: [&str; 14] = [
    "dial tcp",
    "no such host",
    "server misbehaving",
    "i/o timeout",
    "tls handshake timeout",
    "connection refused",
    "connection reset",
    "network is unreachable",
    "temporary failure in name resolution",
    "client.timeout exceeded",
    "context deadline exceeded",
    "toomanyrequests",
    "unexpected eof",
    "service unavailable",
];

/// How an engine shows that it is going away itself, or has lost its client.
const GOING: [&str; 4] =
    ["no active session", "transport is closing", "error reading from server: eof", "context canceled"];

/// What the error with which an engine ended a build means.
pub(super) fn verdict(error: &str, steps: &Steps<'_>) -> Result<BuildOutcome> {
    let failure = steps.failure(error);
    let text = bare(steps, error);
    let lower = text.to_lowercase();
    let on_disk = |line: &String| line.to_lowercase().contains("no space left on device");
    if lower.contains("no space left on device") || failure.as_ref().is_some_and(|step| step.log.iter().any(on_disk)) {
        let log = failure.map(|failure| failure.log).unwrap_or_default();
        return Err(errors::refused("building", None, "no space left on device").with_log(log));
    }
    if let Some(failure) = failure {
        return Ok(BuildOutcome::Failed(failure));
    }
    if let Some(failure) = shared(&text) {
        return Ok(BuildOutcome::Failed(failure));
    }
    let found = |list: &[&str]| list.iter().any(|part| lower.contains(part));
    if found(&GOING) {
        return Err(errors::gone(&format!("building: {text}")));
    }
    if found(&UNREACHABLE) {
        return Err(Error::try_again(format!("the engine cannot fetch a base image: {text}"))
            .with_hint("see whether the engine's machine reaches the registry, by a proxy if it must"));
    }
    Err(Error::no(format!("the engine cannot build the Dockerfile: {text}")))
}

/// The failure of a step of which only the end was told: so it is where the engine ran it for another build as well.
fn shared(text: &str) -> Option<BuildFailure> {
    let command = text.split_once("executor failed running [")?.1.rsplit_once("]: ")?.0;
    Some(BuildFailure { step: format!("RUN {command}"), message: text.to_owned(), log: Vec::new() })
}

fn bare(steps: &Steps<'_>, error: &str) -> String {
    let mut text = steps.printable(error);
    while let Some(rest) = PREFIXES.iter().find_map(|prefix| text.strip_prefix(prefix)) {
        text = rest.to_owned();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Redactor, Silent};
    use crate::model::ErrorKind;

    #[test]
    fn a_step_that_failed_for_another_build_is_a_failed_step() {
        let redactor = Redactor::default();
        let error = "executor failed running [/bin/sh -c test -e [a]]: exit code: 1";
        let outcome = verdict(error, &Steps::new(&Silent, &redactor)).unwrap();
        let BuildOutcome::Failed(failure) = outcome else { panic!("{outcome:?}") };
        assert_eq!(failure.step, "RUN /bin/sh -c test -e [a]");
        assert_eq!(failure.message, error);
    }

    #[test]
    fn errors_that_no_step_is_to_blame_for_are_told_apart() {
        let redactor = Redactor::new(["hunter22".to_owned()]);
        let steps = Steps::new(&Silent, &redactor);
        let cases = [
            (
                "failed to solve with frontend dockerfile.v0: failed to create LLB definition: dockerfile parse error line 3: \
                 unknown instruction: RUNN",
                ErrorKind::No,
                "the engine cannot build the Dockerfile: dockerfile parse error line 3: unknown instruction: RUNN",
            ),
            (
                "failed to solve: rpc error: code = Unknown desc = failed to do request: Head \"https://r.example.org/v2/\": \
                 dial tcp: lookup r.example.org: no such host",
                ErrorKind::TryAgain,
                "the engine cannot fetch a base image: failed to do request: Head \"https://r.example.org/v2/\": dial tcp: \
                 lookup r.example.org: no such host",
            ),
            (
                "docker.io/library/nope:latest: not found",
                ErrorKind::No,
                "the engine cannot build the Dockerfile: docker.io/library/nope:latest: not found",
            ),
            (
                "write /x: no space left on device",
                ErrorKind::TryAgain,
                "the engine's disk is full while building: no space left on device",
            ),
            (
                "no active session for abc: context deadline exceeded",
                ErrorKind::TryAgain,
                "the engine went away while building: no active session for abc: context deadline exceeded",
            ),
            ("\u{1b}[31mhunter22", ErrorKind::No, "the engine cannot build the Dockerfile: ***"),
        ];
        for (text, kind, message) in cases {
            let error = verdict(text, &steps).unwrap_err();
            assert_eq!((error.kind, error.message.as_str()), (kind, message));
        }
    }

    #[test]
    fn a_step_that_failed_is_an_outcome_unless_the_disk_was_full() {
        let redactor = Redactor::default();
        let mut steps = Steps::new(&Silent, &redactor);
        steps.begin("a", "[2/2] RUN x");
        steps.end("a", false, Some("exit code: 1"));
        assert!(matches!(verdict("exit code: 1, dial tcp", &steps), Ok(BuildOutcome::Failed(_))));
        steps.log("a", 1, b"cp: error: No space left on device\n");
        let error = verdict("exit code: 1", &steps).unwrap_err();
        assert_eq!((error.kind, error.log.len()), (ErrorKind::TryAgain, 1));
    }
}
