//! SARIF 2.1.0, in the part that GitHub's code scanning reads
//! (<https://docs.github.com/en/code-security/reference/code-scanning/sarif-support-for-code-scanning>).
//!
//! A result is a root cause, or a failed check that no known cause explains: whoever reads alerts wants one for each thing
//! to mend. `serde_json` writes it: the crates that know SARIF generate hundreds of types, of which this takes a dozen.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use url::Url;

use super::advice;
use super::error::causes;
use super::failure::in_order;
use super::json::write;
use super::markdown::{aftercare, fix, prose};
use super::place::{self, Place};
use super::step::step_name;
use super::verdict::tally;
use crate::model::{
    Answer, Answers, BuildFailure, Check, CheckOutcome, Diagnosis, Note, Outcome, Remedy, Report, Severity, Trial,
    plain, sha256_hex,
};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// What stays as it is in a path: all that RFC 3986 calls unreserved, and the separator.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Writes the answers as one run of the tool.
pub(super) fn answers(answers: &Answers, out: &mut dyn Write) -> io::Result<()> {
    let mut log = Log::default();
    let folder = answers.folder.as_deref();
    answers.list.iter().for_each(|answer| log.answer(answer, folder));
    log.write(answers.list.iter().all(|answer| answer.result.is_ok()), out)
}

/// A run of the tool, as it comes together.
#[derive(Default)]
pub(super) struct Log {
    rules: Vec<Value>,
    results: Vec<Value>,
    notifications: Vec<Value>,
}

/// What a result says, and where.
pub(super) struct Finding<'a> {
    pub(super) rule: usize,
    pub(super) id: &'a str,
    /// What tells it from others of the same rule.
    pub(super) of: String,
    pub(super) level: &'static str,
    pub(super) message: String,
}

impl Log {
    /// Writes what was gathered as one run of the tool; `answered` says whether every question had an answer.
    pub(super) fn write(self, answered: bool, out: &mut dyn Write) -> io::Result<()> {
        let run = json!({
            "tool": {"driver": {
                "name": "sconce",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": self.rules,
            }},
            "invocations": [{
                "executionSuccessful": answered,
                "toolExecutionNotifications": self.notifications,
            }],
            "columnKind": "unicodeCodePoints",
            "results": self.results,
        });
        write(&json!({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}), out)
    }

    /// Adds what is to be known beside the results.
    pub(super) fn note(&mut self, notification: Value) {
        self.notifications.push(notification);
    }

    fn answer(&mut self, answer: &Answer, folder: Option<&Path>) {
        let report = match &answer.result {
            Ok(report) => report,
            Err(why) => {
                let text = [vec![why.to_string()], causes(why)].concat().join(": ");
                return self.notifications.push(notification("error", &format!("{}: {text}", answer.reference)));
            }
        };
        let locations = locations(report, folder);
        let before = self.results.len();
        for known in &report.diagnoses {
            let rule = self.rule(&known.id, || diagnosis_rule(known, &in_order(&known.remedies)));
            let message = diagnosed(report, known);
            self.result(
                &locations,
                &Finding { rule, id: &known.id, of: report.outcome.name().to_owned(), level: "error", message },
            );
        }
        self.checks(report, &locations);
        let found = self.results.len() > before;
        match (&report.outcome, report.outcome.verification()) {
            (Outcome::BuildFailed { failure, .. } | Outcome::FileFailed { failure, .. }, _) if !found => {
                self.step(report, failure, &locations);
            }
            (_, Some(proof)) if !found && !proof.proven() => self.nothing(report, &tally(proof), &locations),
            _ => {}
        }
        self.notifications.extend(report.notes.iter().map(|note| noted(report, note, folder)));
    }

    /// The failed checks that no cause explains.
    fn checks(&mut self, report: &Report, locations: &Value) {
        for (trial, check) in failed(report).filter(|(_, check)| check.causes.is_empty()) {
            let id = format!("check-{}", plain(&check.id));
            let rule = self.rule(&id, || check_rule(&id, check));
            let name = report.outcome.name();
            let message =
                format!("{} in `{name}`, {}: {}\n{}", check.title, trial.title, check.evidence, check.error.trim_end());
            self.result(
                locations,
                &Finding { rule, id: &id, of: format!("{name} {}", trial.id), level: "error", message },
            );
        }
    }

    fn step(&mut self, report: &Report, failure: &BuildFailure, locations: &Value) {
        let message = format!("{}: {}\n{}", step_name(&failure.step), failure.message, failure.log.join("\n"));
        self.plain("build-failed", "a step of the Dockerfile failed", report.outcome.name(), message, locations);
    }

    /// Not proven, although no check failed.
    fn nothing(&mut self, report: &Report, tally: &str, locations: &Value) {
        let message = format!("{tally} in `{}`", report.outcome.name());
        self.plain("not-proven", "the image is not proven", report.outcome.name(), message, locations);
    }

    /// A result of a rule that says no more than its title. `of` tells it from others.
    pub(super) fn plain(&mut self, id: &str, title: &str, of: &str, message: String, locations: &Value) {
        let rule = self.rule(id, || rule(id, title, title, title, title, None));
        self.result(locations, &Finding { rule, id, of: of.to_owned(), level: "error", message });
    }

    /// The index of the rule `id`, which is made where it is not there yet.
    pub(super) fn rule(&mut self, id: &str, make: impl FnOnce() -> Value) -> usize {
        self.rules.iter().position(|rule| rule["id"] == id).unwrap_or_else(|| {
            self.rules.push(make());
            self.rules.len() - 1
        })
    }

    pub(super) fn result(&mut self, locations: &Value, finding: &Finding) {
        let fingerprint = sha256_hex([finding.id.as_bytes(), b"\n", finding.of.as_bytes()]);
        self.results.push(json!({
            "ruleId": finding.id,
            "ruleIndex": finding.rule,
            "level": finding.level,
            "message": {"text": message(&finding.message)},
            "locations": locations,
            "partialFingerprints": {"primaryLocationLineHash": fingerprint},
        }));
    }
}

fn failed(report: &Report) -> impl Iterator<Item = (&Trial, &Check)> {
    let trials = report.outcome.verification().into_iter().flat_map(|proof| &proof.trials);
    let checks = trials.flat_map(|trial| trial.checks.iter().map(move |check| (trial, check)));
    checks.filter(|(_, check)| check.outcome == CheckOutcome::Fail)
}

fn diagnosed(report: &Report, known: &Diagnosis) -> String {
    let explained = failed(report).filter(|(_, check)| check.causes.contains(&known.id));
    let explained: Vec<String> = explained.map(|(trial, check)| format!("{} ({})", check.id, trial.id)).collect();
    let checks = if explained.is_empty() { String::new() } else { format!("\nfailed: {}", explained.join(", ")) };
    format!("{}, in `{}`\nevidence: {}{checks}", known.cause, report.outcome.name(), known.evidence.text)
}

/// The rule of a known cause, its remedies in this order.
pub(super) fn diagnosis_rule(known: &Diagnosis, remedies: &[&Remedy]) -> Value {
    let (mut text, mut markdown) = (known.cause.clone(), format!("{}\n", prose(&known.cause)));
    for remedy in remedies {
        let lines: Vec<&str> = advice::lines(remedy).collect();
        let _ = write!(text, "\n\n{}:\n{}", remedy.platform, lines.join("\n"));
        fix(&mut markdown, "Fix", remedy);
    }
    if !known.check.is_empty() {
        let _ = write!(text, "\n\ncheck:\n{}", known.check.join("\n"));
    }
    for more in &known.further {
        let _ = write!(text, "\n\n{more}");
    }
    aftercare(&mut markdown, known.into());
    let title = format!("torch.compile: {}", known.title);
    rule(&known.id, &title, &known.cause, &text, &markdown, known.references.first())
}

fn check_rule(id: &str, check: &Check) -> Value {
    let help = format!("A check of the proof that torch.compile works did not hold: {}.", check.title);
    rule(id, &check.title, &check.title, &help, &prose(&help), None)
}

fn rule(id: &str, title: &str, description: &str, help: &str, markdown: &str, reference: Option<&String>) -> Value {
    let mut rule = json!({
        "id": id,
        "shortDescription": {"text": plain(title)},
        "fullDescription": {"text": plain(description)},
        "help": {"text": plain(help), "markdown": markdown},
        "defaultConfiguration": {"level": "error"},
        "properties": {"tags": ["torch.compile", "container"], "problem.severity": "error", "precision": "very-high"},
    });
    if let Some(url) = reference.and_then(|reference| Url::parse(reference).ok()) {
        rule["helpUri"] = json!(url);
    }
    rule
}

/// The project's file, where there is one; else the image's repository as a path, which is what other scanners of images do.
fn locations(report: &Report, folder: Option<&Path>) -> Value {
    let name = report.outcome.name();
    let place = place::of(report, folder).unwrap_or_else(|| Place { file: repository(name).to_owned(), line: 1 });
    let mut location = physical(&place);
    location["logicalLocations"] = json!([{"fullyQualifiedName": plain(name), "kind": "image"}]);
    json!([location])
}

/// `registry:5000/team/app:1.4` without its tag and digest.
fn repository(reference: &str) -> &str {
    let name = reference.split('@').next().unwrap_or(reference);
    match name.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => name,
    }
}

/// A line of a file.
pub(super) fn physical(place: &Place) -> Value {
    let uri = utf8_percent_encode(&place.file, PATH).to_string();
    json!({"physicalLocation": {
        "artifactLocation": {"uri": uri},
        "region": {"startLine": place.line, "startColumn": 1, "endLine": place.line, "endColumn": 1},
    }})
}

fn noted(report: &Report, note: &Note, folder: Option<&Path>) -> Value {
    let level = if note.severity == Severity::Warning { "warning" } else { "note" };
    let hint = note.hint.as_ref().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
    let mut notification = notification(level, &format!("{}{hint}", note.message));
    if let Some(place) = place::of_origin(report, &note.origin, folder) {
        notification["locations"] = json!([physical(&place)]);
    }
    notification
}

pub(super) fn notification(level: &str, text: &str) -> Value {
    json!({"level": level, "message": {"text": message(text)}})
}

/// Text of a message, in which `[…](…)` would be a link (SARIF, 3.11.6).
fn message(text: &str) -> String {
    plain(text).trim_end().replace("](", "] (")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_has_no_tag() {
        for (reference, expected) in [
            ("app", "app"),
            ("team/app:1.4", "team/app"),
            ("localhost:5000/app", "localhost:5000/app"),
            ("localhost:5000/app:1@sha256:00", "localhost:5000/app"),
        ] {
            assert_eq!(repository(reference), expected);
        }
    }

    #[test]
    fn no_link_hides_in_a_message() {
        assert_eq!(message("[fix](https://example.org)\u{1b}[31m"), "[fix] (https://example.org)");
    }
}
