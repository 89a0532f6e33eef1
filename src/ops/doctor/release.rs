//! Whether this torch, or any, compiles on this Python.

use std::str::FromStr as _;

use pep440_rs::Version;

use crate::catalogue::{Catalogue, TorchRelease};
use crate::model::{Finding, FindingOutcome, TrialEnvironment};

const ID: &str = "release";
const TITLE: &str = "the release of torch compiles on this Python";

/// What there is for other interpreters than `CPython` with a global lock, and for other processors, is not known so well.
const ARCHITECTURES: [&str; 4] = ["x86_64", "amd64", "aarch64", "arm64"];

/// Holds the interpreter, and the torch that it has, against the releases of torch.
pub(super) fn finding(findings: &[Finding], environment: &TrialEnvironment, catalogue: &Catalogue) -> Finding {
    let fact = |name: &str| {
        let python = findings.iter().find(|finding| finding.id == "python");
        python.and_then(|finding| finding.facts.get(name)).cloned().unwrap_or_default()
    };
    let skipped = |why: String| Finding::new(ID, TITLE, FindingOutcome::Skip, why);
    let Ok(python) = Version::from_str(&environment.python) else {
        return skipped("the interpreter does not say which it is".to_owned());
    };
    let python = Version::new(python.release().iter().take(2));
    let free = fact("free_threaded").as_bool() == Some(true);
    let compiles = |row: &TorchRelease| {
        let free_from = row.free_threaded.as_ref().and_then(|known| known.compiles_from.as_ref());
        if free { free_from.is_some_and(|from| *from <= python) } else { row.compiles(&python) }
    };
    let shown = if free { format!("{python}t") } else { python.to_string() };
    if !environment.torch.is_empty() {
        let release = Version::from_str(&environment.torch).ok();
        return match release.as_ref().and_then(|release| catalogue.torch_release(release)) {
            Some(row) => installed(row, &python, &shown, compiles(row), called(findings)),
            None => skipped(format!("torch {} is not among the releases that are known", environment.torch)),
        };
    }
    let architecture = fact("architecture").as_str().unwrap_or_default().to_ascii_lowercase();
    if !architecture.is_empty() && !ARCHITECTURES.contains(&architecture.as_str()) {
        return nothing(format!("no release of torch has wheels for {architecture}"));
    }
    let libc = environment.libc.strip_prefix("glibc ").and_then(|version| Version::from_str(version).ok());
    let old = |row: &TorchRelease| libc.as_ref().zip(row.glibc.as_ref()).is_some_and(|(here, least)| here < least);
    let fit: Vec<_> = catalogue.torch().iter().filter(|row| compiles(row) && !old(row)).collect();
    match (fit.first(), fit.last()) {
        (Some(first), Some(last)) => {
            let releases = if first.release == last.release {
                format!("torch {} compiles", first.release)
            } else {
                format!("torch {} to {} compile", first.release, last.release)
            };
            Finding::new(ID, TITLE, FindingOutcome::Ok, format!("{releases} on Python {shown}, of what is known"))
        }
        _ => nothing(format!("no release of torch that is known compiles on Python {shown} with {}", environment.libc)),
    }
}

/// Whether torch.compile has called its backend: then it has accepted the interpreter, whatever is known of it.
fn called(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.id == "enabled" && finding.outcome == FindingOutcome::Ok)
}

fn installed(row: &TorchRelease, python: &Version, shown: &str, compiles: bool, called: bool) -> Finding {
    if compiles || called {
        let evidence = format!("torch {} compiles on Python {shown}", row.release);
        return Finding::new(ID, TITLE, FindingOutcome::Ok, evidence);
    }
    let limit = &row.compiles_up_to;
    let evidence =
        format!("torch {} installs on Python {shown}, and compiles on Python {limit} and older", row.release);
    let mut finding = Finding::new(ID, TITLE, FindingOutcome::Fail, evidence);
    if python > limit {
        finding.error = format!("Dynamo is not supported on Python {python}+");
    }
    finding
}

fn nothing(evidence: String) -> Finding {
    let mut finding = Finding::new(ID, TITLE, FindingOutcome::Fail, evidence);
    "No matching distribution found for torch".clone_into(&mut finding.error);
    finding
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn seen(python: &str, torch: &str, facts: &serde_json::Value, enabled: FindingOutcome) -> (FindingOutcome, String) {
        let mut found = Finding::new("python", "", FindingOutcome::Ok, "");
        found.facts = facts.as_object().unwrap().clone().into_iter().collect();
        let findings = [found, Finding::new("enabled", "", enabled, "")];
        let environment = TrialEnvironment {
            python: python.into(),
            torch: torch.into(),
            libc: "glibc 2.36".into(),
            ..TrialEnvironment::default()
        };
        let finding = finding(&findings, &environment, &Catalogue::embedded().unwrap());
        (finding.outcome, finding.evidence)
    }

    #[test]
    fn the_release_is_held_against_the_interpreter() {
        use FindingOutcome::{Fail, Ok, Skip};
        let none = || json!({});
        for (python, torch, facts, enabled, expected) in [
            ("3.13.5", "2.15.0+cu132", none(), Ok, (Ok, "torch 2.15 compiles on Python 3.13")),
            ("3.14.0", "2.9.1", none(), Fail, (Fail, "torch 2.9 installs on Python 3.14")),
            ("3.14.0", "2.9.1", none(), Ok, (Ok, "torch 2.9 compiles on Python 3.14")),
            ("3.13.5", "9.0", none(), Ok, (Skip, "is not among")),
            ("3.13.5", "", none(), Ok, (Ok, "torch 2.6 to 2.")),
            ("3.99.0", "", none(), Ok, (Fail, "no release of torch that is known")),
            ("3.13.5", "", json!({ "architecture": "s390x" }), Ok, (Fail, "no release of torch has wheels for s390x")),
            ("3.8.1", "", json!({ "free_threaded": true }), Ok, (Fail, "compiles on Python 3.8t")),
            ("", "", none(), Ok, (Skip, "does not say")),
        ] {
            let (outcome, evidence) = seen(python, torch, &facts, enabled);
            assert!(outcome == expected.0 && evidence.contains(expected.1), "{python} {torch}: {outcome:?} {evidence}");
        }
    }
}
