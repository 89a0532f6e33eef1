//! The words of a verdict, which every format shares.

use super::units::{count, date, seconds};
use crate::model::{CheckOutcome, Outcome, Recalled, Report, Same, Trial, Verification};

/// The verdict on an image, without its mark.
pub(super) fn verdict(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::BuildFailed { .. } | Outcome::FileFailed { .. } => "not built",
        outcome if outcome.ok() => "verified",
        _ => "not verified",
    }
}

/// What came of a check or of a trial, as a word.
pub(super) fn word(outcome: CheckOutcome) -> &'static str {
    match outcome {
        CheckOutcome::Pass => "passed",
        CheckOutcome::Fail => "failed",
        CheckOutcome::Skip => "skipped",
    }
}

/// What came of a check or of a trial, as a mark.
pub(super) fn mark(outcome: CheckOutcome) -> &'static str {
    match outcome {
        CheckOutcome::Pass => "✓",
        CheckOutcome::Fail => "✗",
        CheckOutcome::Skip => "–",
    }
}

/// How many checks failed, of how many; for a proof that did not hold.
pub(super) fn tally(verification: &Verification) -> String {
    match verification.failed().count() {
        0 => "no check could be made".to_owned(),
        failed => format!("{failed} of {} failed", count(verification.checks().count(), "check")),
    }
}

/// What came of a trial, in a few words.
pub(super) fn tried(trial: &Trial) -> String {
    let number = |outcome| trial.checks.iter().filter(|check| check.outcome == outcome).count();
    let all = count(trial.checks.len(), "check");
    match trial.outcome() {
        CheckOutcome::Fail => format!("{} of {all} failed", number(CheckOutcome::Fail)),
        CheckOutcome::Skip => format!("skipped: {}", reason(trial)),
        CheckOutcome::Pass => match number(CheckOutcome::Skip) {
            0 => all,
            skipped => format!("{all}, {skipped} skipped"),
        },
    }
}

/// Why a trial was skipped: what its first check says, since they all say the same.
pub(super) fn reason(trial: &Trial) -> &str {
    trial.checks.first().map_or("it has no checks", |check| &check.evidence)
}

/// That the first trial was not made now.
pub(super) fn recalled(recalled: &Recalled) -> String {
    let what = match recalled.same {
        Same::Image => "on the very same image",
        Same::Environment => "on an image that differs in the project's sources only",
    };
    format!("proven on {} by an earlier run, {what}", date(recalled.at))
}

/// Where the time went.
pub(super) fn timing(report: &Report) -> String {
    let whole = seconds(report.seconds);
    match &report.outcome {
        Outcome::Built { built_by, .. } | Outcome::Unproven { built_by, .. } => {
            let (cached, steps) = built_by.cached_steps;
            let built = seconds(built_by.seconds);
            format!("built in {built} ({cached} of {} cached), {whole} in all", count(steps, "step"))
        }
        Outcome::BuildFailed { .. } | Outcome::FileFailed { .. } => format!("failed after {whole}"),
        Outcome::Verified { .. } => format!("checked in {whole}"),
    }
}
