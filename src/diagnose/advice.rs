//! From what a log holds to causes and what to do: the cause first, and the fix for this user first.

use super::decisive::GONE_ON;
use super::fitting::{known, ordered};
use super::scan::{Finding, Scanned, Values};
use crate::catalogue::{Failure, Failures};
use crate::model::{Circumstances, Confidence, Diagnosis};

/// The root causes, the one that ended the program first, warnings last.
///
/// A failure causes those that are logged after it, so the earlier one is the more certain; unless the program went on.
pub(super) fn diagnoses(failures: &Failures, scanned: &Scanned) -> Vec<Diagnosis> {
    let mut causes: Vec<Cause<'_>> =
        scanned.findings.iter().map(|finding| Cause::new(finding, failures, scanned)).collect();
    let survived: Vec<bool> =
        causes.iter().map(|cause| causes.iter().any(|other| cause.was_survived_by(other))).collect();
    causes.iter_mut().zip(survived).for_each(|(cause, survived)| cause.survived = survived);
    let better = |cause: &&Cause<'_>| !causes.iter().any(|other| cause.gives_way_to(other));
    let mut roots: Vec<&Cause<'_>> = causes.iter().filter(better).collect();
    // Two rows that name each other say that it is one of them.
    if roots.is_empty() {
        roots.extend(causes.first());
    }
    roots.sort_by_key(|cause| (cause.confidence == Confidence::Warning, cause.survived, cause.confidence));
    roots.into_iter().map(|cause| cause.diagnosis(&scanned.circumstances)).collect()
}

/// A row that the log shows.
struct Cause<'a> {
    finding: &'a Finding,
    failure: &'a Failure,
    confidence: Confidence,
    /// Whether the program went on, and came to another failure.
    survived: bool,
}

impl<'a> Cause<'a> {
    fn new(finding: &'a Finding, failures: &'a Failures, scanned: &Scanned) -> Self {
        let failure = &failures.rows()[finding.row];
        let named = |topic: &usize| failures.marks().topics().get(*topic) == failure.about.as_ref();
        let confidence = match () {
            () if failure.warning || finding.mild => Confidence::Warning,
            () if failure.about.is_some() && !scanned.topics.iter().any(named) => Confidence::Likely,
            () => Confidence::Certain,
        };
        Self { finding, failure, confidence, survived: false }
    }

    fn was_survived_by(&self, other: &Self) -> bool {
        other.confidence != Confidence::Warning && other.finding.first >= self.finding.last + GONE_ON
    }

    /// Whether the other row says the same more exactly. One that the program got over does not.
    fn gives_way_to(&self, other: &Self) -> bool {
        let weaker = (other.finding.mild && !self.finding.mild) || (other.survived && !self.survived);
        self.failure.yields_to.contains(&other.failure.id) && !weaker
    }

    fn diagnosis(&self, circumstances: &Circumstances) -> Diagnosis {
        let filled = self.failure.filled(&self.values(circumstances));
        Diagnosis {
            id: self.failure.id.clone(),
            title: self.failure.title.clone(),
            stage: self.failure.stage.clone(),
            confidence: self.confidence,
            cause: filled.cause,
            evidence: self.finding.evidence.clone(),
            remedies: ordered(filled.remedies, self.failure.environment, circumstances),
            check: filled.check,
            further: filled.further,
            references: self.failure.references.clone(),
        }
    }

    /// The values that the texts name: from the log, else the defaults.
    fn values(&self, circumstances: &Circumstances) -> Values {
        let mut values = self.finding.values.clone();
        for (name, default) in &self.failure.defaults {
            let value = || known(name, circumstances).unwrap_or_else(|| default.clone());
            values.entry(name.clone()).or_insert_with(value);
        }
        values
    }
}
