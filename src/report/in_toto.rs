//! A proof as an in-toto statement: a test's result about an image
//! (<https://github.com/in-toto/attestation/blob/main/spec/predicates/test-result.md>).

use std::io::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::json::visible;
use super::units::date;
use crate::model::{
    AS_BUILT, Answers, Check, CheckOutcome, Claim, Image, Outcome, PROOF_LABEL, Report, Verification, sha256_hex,
};

/// The type of a statement.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

/// The type of what it states.
pub const TEST_RESULT: &str = "https://in-toto.io/attestation/test-result/v0.1";

/// The program whose result it is.
const SMOKE_TEST: &str = include_str!("../../templates/smoke.py");

/// What a part of a package URL shows as it is (<https://github.com/package-url/purl-spec>).
const PURL: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Writes the statement of each image that was tried.
pub(super) fn answers(answers: &Answers, out: &mut dyn Write) -> io::Result<()> {
    answers.reports().try_for_each(|report| in_toto(report, out))
}

/// Writes the statement on one line, as bundles of statements have it; nothing where no image was tried.
pub fn in_toto(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    statement(report, now).map_or(Ok(()), |statement| writeln!(out, "{}", visible(&statement.to_string())))
}

/// What a report states of its image; `now` is when its proof was made, where nothing else says so. `None` where no image was
/// tried.
///
/// The image is a subject twice: by its id, and by the digest of its content, which it keeps when it gets another label.
pub fn statement(report: &Report, now: u64) -> Option<Value> {
    let (name, image, verification) = match &report.outcome {
        Outcome::Built { tag, image, verification, .. } | Outcome::Unproven { tag, image, verification, .. } => {
            (tag, image, verification)
        }
        Outcome::Verified { reference, image, verification } => (reference, image, verification),
        Outcome::BuildFailed { .. } | Outcome::FileFailed { .. } => return None,
    };
    let claim = claim(report, image, verification, now);
    Some(json!({
        "_type": STATEMENT_TYPE,
        "subject": [
            { "name": name, "digest": { "sha256": hex(&image.id) } },
            { "name": "content", "digest": { "sha256": hex(&claim.content) } },
        ],
        "predicateType": TEST_RESULT,
        "predicate": {
            "result": result(verification),
            "configuration": configuration(&claim, verification),
            "passedTests": tests(verification, CheckOutcome::Pass),
            "warnedTests": warned(verification),
            "failedTests": tests(verification, CheckOutcome::Fail),
        },
    }))
}

/// The claim that the image carries since this run, or one to the same effect.
fn claim(report: &Report, image: &Image, verification: &Verification, now: u64) -> Claim {
    let label = image.labels.get(PROOF_LABEL).filter(|_| matches!(report.outcome, Outcome::Built { .. }));
    let carried = label.and_then(|text| Claim::read(text).ok());
    carried.unwrap_or_else(|| {
        let smoke_test = format!("sha256:{}", sha256_hex([SMOKE_TEST.as_bytes()]));
        Claim::new(&image.content, verification, &smoke_test, now)
    })
}

/// A proof of the image run otherwise than it is, or of which a part could not be made, passes with a warning.
fn result(verification: &Verification) -> &'static str {
    match (verification.proven(), warned(verification).is_empty()) {
        (false, _) => "FAILED",
        (true, false) => "WARNED",
        (true, true) => "PASSED",
    }
}

fn warned(verification: &Verification) -> Vec<String> {
    let otherwise = verification.trials.first().filter(|trial| trial.title != AS_BUILT);
    otherwise.into_iter().chain(verification.skipped()).map(|trial| format!("{}: {}", trial.id, trial.title)).collect()
}

/// What the proof was made with, each as a resource that has a digest or a URI.
fn configuration(claim: &Claim, verification: &Verification) -> Value {
    let found = verification.environment();
    let kernels = verification.as_is().checks.iter().find(|check| check.id == "kernels");
    let isa = kernels.and_then(|check| check.facts.get("isa"));
    let untried: Vec<&str> = verification.untried.iter().map(|untried| untried.id.as_str()).collect();
    json!([
        {
            "name": "smoke.py",
            "digest": { "sha256": hex(&claim.smoke_test) },
            "annotations": {
                PROOF_LABEL: claim,
                "day": date(claim.at),
                "profile": claim.profile.name(),
                "untried": untried,
                "variant": found.variant,
                "cpu": found.cpu,
                "cpus": found.cpus,
                "isa": isa,
            },
        },
        package("sconce", &claim.sconce),
        package("torch", &found.torch),
        package("python", &found.python),
    ])
}

fn package(name: &str, version: &str) -> Value {
    json!({ "name": name, "uri": format!("pkg:generic/{name}@{}", utf8_percent_encode(version, PURL)) })
}

/// The checks that came out so, as `trial/check`.
fn tests(verification: &Verification, outcome: CheckOutcome) -> Vec<String> {
    let named = |trial: &str, check: &Check| (check.outcome == outcome).then(|| format!("{trial}/{}", check.id));
    let trials = verification.trials.iter();
    trials.flat_map(|trial| trial.checks.iter().filter_map(|check| named(&trial.id, check))).collect()
}

fn hex(digest: &str) -> &str {
    digest.strip_prefix("sha256:").unwrap_or(digest)
}
