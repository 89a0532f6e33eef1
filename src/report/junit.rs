//! JUnit's XML, as Jenkins, GitLab and most others read it.
//!
//! A suite is a way of running an image, and a case is a check. What was not tried is a suite of its own, of skipped cases:
//! readers show skipped cases, and nobody looks at properties. With the image in a suite's name *and* in its cases' class,
//! several images do not run into each other, whichever of the two a reader groups by.

use std::io::{self, Write};
use std::time::Duration;

// quick-junit serves cargo-nextest: well kept, counts by itself, and drops what XML cannot hold.
use quick_junit::{NonSuccessKind, Report as Document, TestCase, TestCaseStatus, TestSuite};

use super::advice;
use super::error::causes;
use super::failure::in_order;
use super::step::step_name;
use super::verdict::{recalled, tally};
use crate::model::{
    Answer, Answers, Check, CheckOutcome, Diagnosis, Error, ErrorKind, Outcome, Report, Trial, Untried, Verification,
    plain,
};

/// Writes the answers as one document.
pub(super) fn answers(answers: &Answers, out: &mut dyn Write) -> io::Result<()> {
    let mut document = Document::new("sconce");
    document.set_time(span(answers.reports().map(|report| report.seconds).sum()));
    for answer in &answers.list {
        document.add_test_suites(suites(answer));
    }
    document.serialize(&mut *out).map_err(io::Error::other)
}

fn suites(answer: &Answer) -> Vec<TestSuite> {
    match &answer.result {
        Ok(report) => proof(report),
        Err(why) => vec![suite(&answer.reference, 0.0, [unanswered(&answer.reference, why)])],
    }
}

fn proof(report: &Report) -> Vec<TestSuite> {
    let name = plain(report.outcome.name());
    let mut suites = Vec::new();
    match &report.outcome {
        Outcome::Built { built_by, .. } | Outcome::Unproven { built_by, .. } => {
            let title = format!("{name} build");
            let case = case("build", &title, TestCaseStatus::success(), built_by.seconds);
            suites.push(suite(&title, built_by.seconds, [case]));
        }
        Outcome::BuildFailed { failure, .. } | Outcome::FileFailed { failure, .. } => {
            let title = format!("{name} build");
            let text = paragraphs(&[failure.log.join("\n"), explained(&report.diagnoses.iter().collect::<Vec<_>>())]);
            let said = format!("{}: {}", step_name(&failure.step), failure.message);
            let status = failed(NonSuccessKind::Failure, "build", &said, &text);
            suites.push(suite(&title, report.seconds, [case("build", &title, status, report.seconds)]));
        }
        Outcome::Verified { .. } => {}
    }
    if let Some(verification) = report.outcome.verification() {
        suites.extend(trials(&name, verification, &report.diagnoses));
    }
    suites
}

fn trials(image: &str, verification: &Verification, diagnoses: &[Diagnosis]) -> Vec<TestSuite> {
    let mut suites: Vec<TestSuite> =
        verification.trials.iter().map(|trial| trial_suite(image, trial, diagnoses)).collect();
    if let Some(first) = suites.first_mut() {
        if let Some(earlier) = &verification.recalled {
            first.add_property(("sconce.recalled", recalled(earlier).as_str()));
        }
        // Where every check was skipped none failed, and a reader of JUnit would take that for a yes.
        if !verification.proven() && verification.failed().next().is_none() {
            let status = failed(NonSuccessKind::Failure, "proven", &tally(verification), "");
            first.add_test_case(case("proven", first.name.clone().as_str(), status, 0.0));
        }
    }
    if !verification.untried.is_empty() {
        let title = format!("{image} not tried");
        suites.push(suite(&title, 0.0, verification.untried.iter().map(|untried| left_out(&title, untried))));
    }
    suites
}

fn trial_suite(image: &str, trial: &Trial, diagnoses: &[Diagnosis]) -> TestSuite {
    let title = format!("{image} {}", plain(&trial.id));
    let mut suite =
        suite(&title, trial.seconds, trial.checks.iter().map(|check| checked(&title, check, trial, diagnoses)));
    let found = &trial.environment;
    for (name, value) in [
        ("sconce.trial", &trial.title),
        ("python", &found.python),
        ("torch", &found.torch),
        ("variant", &found.variant),
        ("user", &found.user),
    ] {
        suite.add_property((name, plain(value).as_str()));
    }
    if !trial.log.is_empty() {
        suite.set_system_err(plain(&trial.log.join("\n")));
    }
    suite
}

fn checked(class: &str, check: &Check, trial: &Trial, diagnoses: &[Diagnosis]) -> TestCase {
    let status = match check.outcome {
        CheckOutcome::Pass => TestCaseStatus::success(),
        CheckOutcome::Skip => skipped(&check.evidence),
        CheckOutcome::Fail => {
            let known: Vec<&Diagnosis> = diagnoses.iter().filter(|known| check.causes.contains(&known.id)).collect();
            let message = format!("{}: {}", check.title, check.evidence);
            let text = paragraphs(&[check.error.clone(), explained(&known), format!("tried {}", trial.title)]);
            failed(NonSuccessKind::Failure, &check.id, &message, &text)
        }
    };
    let mut case = case(&check.id, class, status, check.seconds);
    if check.outcome == CheckOutcome::Pass {
        case.set_system_out(plain(&check.evidence));
    }
    case
}

fn paragraphs(parts: &[String]) -> String {
    let parts = parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("\n\n")
}

/// The causes with their fixes.
fn explained(diagnoses: &[&Diagnosis]) -> String {
    let told = diagnoses.iter().map(|known| {
        let fixes = in_order(&known.remedies).into_iter();
        let fixes = fixes.map(|fix| (format!("fix ({})", fix.platform), advice::lines(fix).collect()));
        let check = ("check".to_owned(), known.check.iter().map(String::as_str).collect());
        let further = known.further.iter().map(|text| ("more".to_owned(), vec![text.as_str()]));
        let parts = fixes.chain([check]).chain(further).filter(|(_, lines): &(_, Vec<&str>)| !lines.is_empty());
        let parts = parts.map(|(label, lines)| format!("\n{label}: {}", lines.join("\n    ")));
        format!("cause ({}): {}{}", known.id, known.cause, parts.collect::<String>())
    });
    told.collect::<Vec<_>>().join("\n\n")
}

fn left_out(class: &str, untried: &Untried) -> TestCase {
    case(&untried.id, class, skipped(&format!("{}: {}", untried.title, untried.reason)), 0.0)
}

fn unanswered(reference: &str, why: &Error) -> TestCase {
    let kind = match why.kind {
        ErrorKind::No => "no",
        ErrorKind::Usage => "usage",
        ErrorKind::TryAgain => "try again",
        ErrorKind::Interrupted => "interrupted",
    };
    let hint = why.hint.as_ref().map(|hint| format!("hint: {hint}"));
    let text: Vec<String> = causes(why).into_iter().chain(why.log.clone()).chain(hint).collect();
    case("sconce", &plain(reference), failed(NonSuccessKind::Error, kind, &why.to_string(), &text.join("\n")), 0.0)
}

fn suite(name: &str, seconds: f64, cases: impl IntoIterator<Item = TestCase>) -> TestSuite {
    let mut suite = TestSuite::new(plain(name));
    suite.set_time(span(seconds));
    suite.add_test_cases(cases);
    suite
}

fn case(name: &str, class: &str, status: TestCaseStatus, seconds: f64) -> TestCase {
    let mut case = TestCase::new(plain(name), status);
    case.set_classname(class);
    case.set_time(span(seconds));
    case
}

fn skipped(reason: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(plain(reason));
    status
}

fn failed(kind: NonSuccessKind, what: &str, message: &str, text: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(plain(what)).set_message(plain(message));
    if !text.is_empty() {
        status.set_description(plain(text));
    }
    status
}

/// A time span that may have come from an image: negative, not a number, or absurd.
fn span(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
