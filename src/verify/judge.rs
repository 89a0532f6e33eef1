use std::collections::BTreeMap;
use std::str::FromStr;

use pep440_rs::{Version, VersionSpecifiers};

use super::document::{Document, line};
use super::request::Brief;
use super::ways::Way;
use super::{Conditions, Question};
use crate::engine::RunOutput;
use crate::model::{Check, CheckOutcome, Trial, TrialEnvironment, Variant, plain};

/// The exit code of `templates/find-python.sh` where there is no Python.
pub(super) const NO_PYTHON: i64 = 90;

/// How many lines of standard error are kept.
const LOG_LINES: usize = 200;

/// What the smoke test's run shows: its own checks, and those that can only be made from outside.
pub(super) fn judge(output: &RunOutput, question: &Question, way: &Way, brief: &Brief) -> Trial {
    let log = tail(&output.stderr);
    let trial = |checks, environment, log| {
        #[allow(clippy::cast_precision_loss, reason = "milliseconds of a run are far below 2^52")]
        let seconds = output.milliseconds as f64 / 1000.0;
        Trial { id: way.id.to_owned(), title: way.title.clone(), checks, environment, log, seconds }
    };
    if let Some(why) = &output.not_started {
        return trial(vec![no_python(line(why))], TrialEnvironment::default(), log);
    }
    if output.exit_code == Some(NO_PYTHON) {
        let evidence = log.iter().rev().find(|line| line.starts_with("no Python")).or(log.last());
        let evidence = evidence.map_or_else(|| "no Python".to_owned(), |evidence| line(evidence));
        return trial(vec![no_python(evidence)], TrialEnvironment::default(), log);
    }
    let document = Document::read(&output.stdout, brief);
    let completed = completed(output, document.as_ref().err(), &log, &way.conditions);
    let (mut checks, environment) =
        document.map_or_else(|_| Default::default(), |document| (document.checks, document.environment));
    for check in checks.iter_mut().filter(|check| check.id == "variant") {
        hold_variant(check, &environment.variant, &question.expectation.variant);
    }
    if !checks.is_empty() {
        checks.push(version(&environment, &question.expectation.torch));
    }
    checks.push(completed);
    trial(checks, environment, log)
}

/// Whether the interpreter that ran has torch, as far as its document says.
pub(super) fn has_torch(output: &RunOutput, brief: &Brief) -> bool {
    Document::read(&output.stdout, brief).is_ok_and(|document| !document.environment.torch.is_empty())
}

/// The last lines, safe to print.
pub(super) fn tail(text: &str) -> Vec<String> {
    let text = plain(text);
    let lines: Vec<_> = text.lines().map(str::trim_end).collect();
    lines[lines.len().saturating_sub(LOG_LINES)..].iter().map(|&line| line.to_owned()).collect()
}

fn check(id: &str, title: &str, outcome: CheckOutcome, evidence: String) -> Check {
    let (id, title) = (id.to_owned(), title.to_owned());
    Check {
        id,
        title,
        outcome,
        evidence,
        facts: BTreeMap::new(),
        error: String::new(),
        causes: Vec::new(),
        seconds: 0.0,
    }
}

fn no_python(evidence: String) -> Check {
    let mut check = check("python", "a Python interpreter runs", CheckOutcome::Fail, evidence);
    check.error.clone_from(&check.evidence);
    check
}

/// The installed torch against the versions that the project allows.
fn version(environment: &TrialEnvironment, allowed: &VersionSpecifiers) -> Check {
    let title = "torch is in a version that the project allows";
    let (outcome, evidence) = match Version::from_str(&environment.torch) {
        _ if environment.torch.is_empty() => (CheckOutcome::Skip, "torch cannot be imported".to_owned()),
        Ok(version) if allowed.is_empty() => (CheckOutcome::Pass, format!("{version}; any will do")),
        Ok(version) if allowed.contains(&version) => (CheckOutcome::Pass, format!("{version} is in `{allowed}`")),
        Ok(version) => (CheckOutcome::Fail, format!("{version} is not in `{allowed}`")),
        Err(_) => (CheckOutcome::Fail, format!("`{}` is no version (PEP 440)", environment.torch)),
    };
    check("version", title, outcome, evidence)
}

/// The smoke test compares the variants, too; but it runs in the image, and this does not.
fn hold_variant(check: &mut Check, installed: &str, planned: &Variant) {
    if check.outcome == CheckOutcome::Pass && !planned.includes(&installed_variant(installed)) {
        check.outcome = CheckOutcome::Fail;
        check.evidence = line(&format!("planned was {planned}, installed is {installed}"));
    }
}

/// The variant as the smoke test writes it, such as `cuda 13.2`.
pub(super) fn installed_variant(text: &str) -> Variant {
    let (name, version) = text.split_once(' ').map_or((text, None), |(name, version)| (name, Some(version.to_owned())));
    match name {
        "cpu" => Variant::Cpu,
        "cuda" => Variant::Cuda { version },
        "rocm" => Variant::Rocm { version },
        "xpu" => Variant::Xpu,
        _ => Variant::Any,
    }
}

/// Whether the smoke test ran to its end; `broken` is what is wrong with its document.
fn completed(output: &RunOutput, broken: Option<&String>, log: &[String], conditions: &Conditions) -> Check {
    let trouble = trouble(output, conditions).into_iter().chain(broken.cloned()).collect::<Vec<_>>();
    let outcome = if trouble.is_empty() { CheckOutcome::Pass } else { CheckOutcome::Fail };
    let evidence = if trouble.is_empty() { "it ended by itself".to_owned() } else { line(&trouble.join("; ")) };
    let mut check = check("completed", "the smoke test ran to its end", outcome, evidence);
    #[allow(clippy::cast_precision_loss, reason = "milliseconds of a run are far below 2^52")]
    let seconds = output.milliseconds as f64 / 1000.0;
    check.seconds = seconds;
    if outcome == CheckOutcome::Fail {
        check.error = log.join("\n");
    }
    check
}

/// What happened to the container, where it did not end well.
fn trouble(output: &RunOutput, conditions: &Conditions) -> Option<String> {
    if output.timed_out {
        return Some(format!("it was stopped after {} s", conditions.timeout.as_secs()));
    }
    if output.out_of_memory {
        return Some(format!("it ran out of memory at {} MiB", conditions.memory >> 20));
    }
    match output.exit_code {
        Some(0) => None,
        Some(code) => Some(format!("it ended with exit code {code}")),
        None => Some("it did not end".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::super::Expectation;
    use super::super::document::tests::{brief, document};
    use super::super::tests::question;
    use super::*;
    use crate::model::{Prediction, Profile, TorchBuild, TorchSource, Verification};

    fn judged(output: &RunOutput, torch: &str) -> Verification {
        let torch = VersionSpecifiers::from_str(torch).expect("specifiers");
        held(output, &Expectation { variant: Variant::Any, torch, python: None })
    }

    fn held(output: &RunOutput, expectation: &Expectation) -> Verification {
        let mut question = Question { expectation: expectation.clone(), ..question() };
        question.conditions.timeout = Duration::from_mins(1);
        let trial = judge(output, &question, &Way::as_is(&question), &brief());
        Verification { profile: Profile::Standard, trials: vec![trial], untried: Vec::new(), recalled: None }
    }

    /// A document of passed checks on this torch.
    fn on(torch: &str, variant: &str) -> RunOutput {
        let mut document = document();
        document["environment"]["torch"] = json!(torch);
        document["environment"]["variant"] = json!(variant);
        output(&document)
    }

    fn output(stdout: &impl ToString) -> RunOutput {
        RunOutput { exit_code: Some(0), stdout: stdout.to_string(), milliseconds: 1500, ..RunOutput::default() }
    }

    fn failed(verification: &Verification) -> Vec<(&str, &str)> {
        verification.failed().map(|check| (check.id.as_str(), check.evidence.as_str())).collect()
    }

    #[test]
    fn a_whole_document_of_passed_checks_is_a_proof() {
        let verification = judged(&output(&document()), "");
        assert!(verification.proven(), "{verification:?}");
        let last: Vec<_> = verification.as_is().checks.iter().rev().take(2).map(|check| check.id.as_str()).collect();
        assert_eq!(last, ["completed", "version"]);
    }

    #[test]
    fn one_failed_check_is_no_proof() {
        let mut document = document();
        document["checks"][1]["outcome"] = json!("fail");
        let verification = judged(&output(&document), "");
        assert!(!verification.proven());
        assert_eq!(failed(&verification), [("torch", "e")]);
    }

    /// A document of passed checks proves nothing if the run that wrote it did not end well.
    #[test]
    fn a_run_that_did_not_end_well_is_no_proof() {
        let whole = output(&document());
        for (output, expected) in [
            (RunOutput { exit_code: Some(1), ..whole.clone() }, "it ended with exit code 1"),
            (RunOutput { exit_code: None, timed_out: true, ..whole.clone() }, "it was stopped after 60 s"),
            (RunOutput { out_of_memory: true, ..whole.clone() }, "it ran out of memory at 1024 MiB"),
            (RunOutput { exit_code: None, ..whole }, "it did not end"),
        ] {
            assert_eq!(failed(&judged(&output, "")), [("completed", expected)]);
        }
    }

    #[test]
    fn a_run_without_a_document_is_no_proof_and_shows_what_it_said() {
        let killed = RunOutput { exit_code: Some(137), stderr: "one\n\u{1b}[31mtwo\n".to_owned(), ..output(&"") };
        let verification = judged(&killed, "");
        assert!(!verification.proven());
        assert_eq!(failed(&verification), [("completed", "it ended with exit code 137; the smoke test wrote nothing")]);
        assert_eq!(verification.as_is().checks[0].error, "one\ntwo");
        assert_eq!(verification.as_is().log, ["one", "two"]);
    }

    #[test]
    fn an_image_without_python_says_where_it_was_looked_for() {
        let said = "no Python 3.8 or newer; looked for python python3".to_owned();
        let none = RunOutput { exit_code: Some(NO_PYTHON), stderr: format!("{said}\n"), ..output(&"") };
        assert_eq!(failed(&judged(&none, "")), [("python", said.as_str())]);
        let script = super::super::request::FIND_PYTHON;
        assert!(script.contains(&format!("exit {NO_PYTHON}\n")), "{script}");
    }

    #[test]
    fn the_installed_version_is_held_against_the_project() {
        for (allowed, proven) in [(">=2.6", true), ("==2.6.0", true), ("<=2.6.0", true), (">=2.7", false)] {
            assert_eq!(judged(&output(&document()), allowed).proven(), proven, "{allowed}");
        }
        let mut without = document();
        without["environment"]["torch"] = json!("");
        without["checks"][1]["outcome"] = json!("fail");
        assert_eq!(failed(&judged(&output(&without), ">=2.7")), [("torch", "e")]);
    }

    #[test]
    fn the_installed_variant_is_held_against_the_plan() {
        let cuda = |version: Option<&str>| Variant::Cuda { version: version.map(str::to_owned) };
        let rocm = |version: Option<&str>| Variant::Rocm { version: version.map(str::to_owned) };
        for (planned, installed, proven) in [
            (Variant::Cpu, "cpu", true),
            (Variant::Cpu, "cuda 13.2", false),
            (cuda(Some("13.2")), "cuda 13.2", true),
            (cuda(Some("13.2")), "cuda 13.0", false),
            (cuda(Some("13.2")), "cpu", false),
            (cuda(None), "cuda 13.0", true),
            (cuda(None), "rocm 6.4", false),
            (rocm(Some("6.4")), "rocm 6.4", true),
            (rocm(None), "cpu", false),
            (Variant::Xpu, "xpu 2025.0", true),
            (Variant::Xpu, "cpu", false),
            (Variant::Any, "cpu", true),
            (Variant::Any, "cuda 13.2", true),
        ] {
            let expectation = Expectation { variant: planned, torch: VersionSpecifiers::empty(), python: None };
            let verification = held(&on("2.6.0", installed), &expectation);
            assert_eq!(verification.proven(), proven, "{} and {installed}", expectation.variant);
            let failed: Vec<_> = verification.failed().map(|check| check.id.as_str()).collect();
            assert_eq!(failed, if proven { vec![] } else { vec!["variant"] });
        }
    }

    /// A build of torch of which this is certain and that is probable.
    fn planned(certain: Variant, specifiers: &str, probable: Variant, version: &str) -> Expectation {
        let prediction = Prediction { version: version.parse().ok(), variant: probable, ..Prediction::default() };
        Expectation::of(&TorchBuild {
            source: TorchSource::Index,
            specifiers: specifiers.parse().expect("specifiers"),
            variant: certain,
            backend: None,
            prediction,
        })
    }

    #[test]
    fn what_is_certain_is_held_against_the_image_and_a_guess_is_not() {
        let cuda = || Variant::Cuda { version: Some("13.2".to_owned()) };
        let guess = planned(Variant::Any, "", cuda(), "2.15");
        assert!(held(&on("2.6.0+cpu", "cpu"), &guess).proven(), "neither version nor variant is certain");
        let certain = planned(cuda(), "==2.15.0", cuda(), "2.15.0");
        assert!(held(&on("2.15.0+cu132", "cuda 13.2"), &certain).proven());
        for (torch, variant, check) in [
            ("2.15.0+cpu", "cpu", "variant"),
            ("2.14.1+cu132", "cuda 13.2", "version"),
            ("2.15.0", "cuda 13.0", "variant"),
        ] {
            let verification = held(&on(torch, variant), &certain);
            let failed: Vec<_> = verification.failed().map(|check| check.id.as_str()).collect();
            assert_eq!(failed, [check], "{torch} {variant}");
        }
    }

    #[test]
    fn the_end_of_a_long_log_is_kept() {
        let lines: Vec<_> = (0..1000).map(|n| n.to_string()).collect();
        let log = tail(&lines.join("\n"));
        assert_eq!((log.len(), log[0].as_str(), log[199].as_str()), (200, "800", "999"));
    }
}
