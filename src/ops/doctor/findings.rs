//! From the checks of a look to findings, and from what they say to remedies.

use std::collections::BTreeSet;

use serde_json::Value;

use super::place::Place;
use super::release;
use crate::catalogue::Catalogue;
use crate::diagnose::diagnose;
use crate::model::{Check, CheckOutcome, Diagnosis, Finding, FindingOutcome, Trial};

/// The fact of a failed check that it keeps nobody from compiling.
const WARNING: &str = "warning";

/// What the look saw.
pub(super) fn of_trial(trial: &Trial, catalogue: &Catalogue) -> Vec<Finding> {
    let no_gpu = trial.checks.iter().any(|check| check.id == "gpu" && check.outcome == CheckOutcome::Skip);
    let worth_saying = |check: &&Check| match check.id.as_str() {
        // It is the proof that holds the version against a project; here any will do.
        "version" => false,
        "completed" => check.outcome == CheckOutcome::Fail,
        id => !(no_gpu && id.starts_with("gpu-")),
    };
    let mut findings: Vec<Finding> = trial.checks.iter().filter(worth_saying).map(finding).collect();
    // Where the interpreter itself is no good, what it wrote says the most.
    for python in findings.iter_mut().filter(|finding| finding.id == "python" && finding.is_bad()) {
        python.error = trial.log.join("\n");
    }
    if let Some(index) = findings.iter().position(|finding| finding.id == "torch") {
        let release = release::finding(&findings, &trial.environment, catalogue);
        findings.insert(index + 1, release);
    }
    findings
}

fn finding(check: &Check) -> Finding {
    let mut facts = check.facts.clone();
    let harmless = facts.remove(WARNING) == Some(Value::Bool(true));
    let outcome = match check.outcome {
        CheckOutcome::Pass => FindingOutcome::Ok,
        CheckOutcome::Skip => FindingOutcome::Skip,
        CheckOutcome::Fail if harmless => FindingOutcome::Warn,
        CheckOutcome::Fail => FindingOutcome::Fail,
    };
    let mut finding = Finding::new(&check.id, &check.title, outcome, check.evidence.clone());
    finding.error.clone_from(&check.error);
    if check.id == "completed" {
        "the look ran to its end".clone_into(&mut finding.title);
    }
    // What no row of the catalogue can say, since it is a number of this machine.
    if let Some(variable) = facts.get("variable").and_then(Value::as_str) {
        let command = format!("export {variable}");
        finding = finding.with_remedy("let fewer compilers run at once", &[&command]);
    }
    finding.facts = facts;
    finding
}

/// What the bad ones mean, by the catalogue of failures; each is told which of it is its own, and what fits here.
pub(super) fn explain(findings: &mut [Finding], catalogue: &Catalogue, place: &Place) -> Vec<Diagnosis> {
    let said = |finding: &Finding| format!("{}\n{}", finding.error, finding.evidence);
    let mut diagnoses: Vec<Diagnosis> = Vec::new();
    let mut known = BTreeSet::new();
    for finding in findings.iter_mut().filter(|finding| finding.is_bad()) {
        for mut diagnosis in diagnose(catalogue, &said(finding)) {
            diagnosis.remedies = place.fitting(&finding.id, &diagnosis.remedies);
            finding.causes.push(diagnosis.id.clone());
            finding.remedies.extend(diagnosis.remedies.clone());
            if known.insert(diagnosis.id.clone()) {
                diagnoses.push(diagnosis);
            }
        }
    }
    diagnoses
}
