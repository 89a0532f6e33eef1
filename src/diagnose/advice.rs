//! From what a log holds to causes and what to do: the cause first, and the fix for this user first.

use super::decisive::{FINISHED, GONE_ON};
use super::fitting::{known, ordered};
use super::scan::{Finding, Manner, Scanned, Values};
use crate::catalogue::{Failure, Failures};
use crate::model::{Circumstances, Confidence, Diagnosis, Doubt, Evidence};

/// The root causes, the one that ended the program first, warnings last; and where none of them need have ended it, the lines
/// that look decisive.
///
/// A failure causes those that are logged after it, so the earlier one is the more certain; unless the program went on.
pub(super) fn diagnoses(failures: &Failures, scanned: &Scanned) -> (Vec<Diagnosis>, Vec<Evidence>) {
    let mut causes: Vec<Cause<'_>> =
        scanned.findings.iter().map(|finding| Cause::new(finding, failures, scanned)).collect();
    let foretold: Vec<Option<Confidence>> = causes.iter().map(|cause| cause.foretold(&causes)).collect();
    for (cause, confidence) in causes.iter_mut().zip(foretold) {
        cause.confidence = confidence.unwrap_or(cause.confidence);
    }
    let survived: Vec<bool> = causes.iter().map(|cause| cause.was_survived(&causes, scanned)).collect();
    causes.iter_mut().zip(survived).for_each(|(cause, survived)| cause.survived = survived);
    let better = |cause: &&Cause<'_>| !causes.iter().any(|other| cause.gives_way_to(other));
    let mut roots: Vec<&Cause<'_>> = causes.iter().filter(better).collect();
    // Two rows that name each other say that it is one of them.
    if roots.is_empty() {
        roots.extend(causes.first());
    }
    roots.sort_by_key(|cause| cause.place());
    let open = open(&roots, scanned);
    (roots.into_iter().map(|cause| cause.diagnosis(&scanned.circumstances)).collect(), open)
}

/// The lines that look decisive, where none of the causes need have ended the program.
fn open(roots: &[&Cause<'_>], scanned: &Scanned) -> Vec<Evidence> {
    if roots.iter().any(|cause| cause.ends()) {
        return Vec::new();
    }
    let survived = roots.iter().filter(|cause| cause.survived).map(|cause| cause.finding.last + GONE_ON).max();
    let told = |line: &Evidence| {
        roots.iter().any(|cause| [cause.finding.evidence.line, cause.finding.seen].contains(&line.line))
    };
    let later = |at: usize| survived.is_none_or(|survived| at >= survived);
    let lines = scanned.decisive.iter().filter(|(line, at)| !told(line) && later(*at));
    lines.map(|(line, _)| line.clone()).collect()
}

/// A row that the log shows.
struct Cause<'a> {
    finding: &'a Finding,
    failure: &'a Failure,
    confidence: Confidence,
    /// Whether a failure that is not known may have been what only a variable shows.
    set: bool,
    /// Whether the program went on, to another failure or to its end.
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
        let other = |(line, _): &(Evidence, usize)| line.line != finding.evidence.line;
        let set = finding.manner == Manner::Set && scanned.decisive.iter().any(other);
        Self { finding, failure, confidence, set, survived: false }
    }

    fn is_warning(&self) -> bool {
        self.confidence == Confidence::Warning
    }

    /// Whether the line only speaks of it.
    fn is_mentioned(&self) -> bool {
        self.set || self.finding.manner == Manner::Mentioned
    }

    /// Whether it is what ended the program, as far as the log goes.
    fn ends(&self) -> bool {
        !self.is_warning() && !self.survived && !self.is_mentioned()
    }

    /// Where it stands among the others. That errors are suppressed comes after what was suppressed.
    fn place(&self) -> (bool, bool, bool, Manner, bool, Confidence) {
        let mentioned = self.is_mentioned();
        (mentioned, self.is_warning(), self.survived, self.finding.manner, self.failure.warning, self.confidence)
    }

    /// A warning of what then came: its confidence.
    fn foretold(&self, causes: &[Self]) -> Option<Confidence> {
        let came = |other: &&Self| {
            let later = other.finding.evidence.line >= self.finding.evidence.line;
            later && !other.is_warning() && other.failure.yields_to.contains(&self.failure.id)
        };
        causes.iter().find(came).map(|other| other.confidence).filter(|_| self.is_warning() && !self.is_mentioned())
    }

    fn was_survived(&self, causes: &[Self], scanned: &Scanned) -> bool {
        let gone_on = |at: usize| at >= self.finding.last + GONE_ON;
        let failed = |other: &Self| !other.is_warning() && !other.is_mentioned() && gone_on(other.finding.first);
        causes.iter().any(failed)
            || scanned.ended.is_some_and(gone_on)
            || scanned.ordinary >= self.finding.last + FINISHED
    }

    /// Whether the other row says the same more exactly. One that the program got over does not.
    fn gives_way_to(&self, other: &Self) -> bool {
        let weaker = (other.is_warning() && !self.is_warning())
            || (other.survived && !self.survived)
            || (other.is_mentioned() && !self.is_mentioned());
        let set = self.finding.manner == Manner::Set && other.finding.manner != Manner::Set && other.ends();
        set || (self.failure.yields_to.contains(&other.failure.id) && !weaker)
    }

    fn doubted(&self) -> (Confidence, Option<Doubt>) {
        match () {
            () if self.is_warning() => (Confidence::Warning, None),
            () if self.is_mentioned() => (Confidence::Likely, Some(Doubt::Mentioned)),
            () if self.survived => (Confidence::Likely, Some(Doubt::Survived)),
            () => (self.confidence, (self.confidence == Confidence::Likely).then_some(Doubt::Unrelated)),
        }
    }

    fn diagnosis(&self, circumstances: &Circumstances) -> Diagnosis {
        let filled = self.failure.filled(&self.values(circumstances));
        let (confidence, doubt) = self.doubted();
        Diagnosis {
            id: self.failure.id.clone(),
            title: self.failure.title.clone(),
            stage: self.failure.stage.clone(),
            confidence,
            doubt,
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
