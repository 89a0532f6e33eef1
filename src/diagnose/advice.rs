//! From what a log holds to causes and what to do: the cause first, and the fix for this user first.

use super::decisive::GONE_ON;
use super::scan::{Finding, Scanned, Values, is_harmless};
use crate::catalogue::{Failure, Failures};
use crate::model::{Circumstances, Confidence, Diagnosis, Remedy, Said};

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

/// What the circumstances say of a value. A package is named by a version's first two numbers, and `2.12 or newer` is none.
fn known(name: &str, circumstances: &Circumstances) -> Option<String> {
    let value = match name {
        "python" => minor(value(circumstances.python.as_ref())?),
        "torch" => Some(value(circumstances.torch.as_ref())?.to_owned()).filter(|version| !version.contains(' ')),
        "compiler" => Some(value(circumstances.compiler.as_ref())?.to_owned()),
        "isa" => Some(value(circumstances.isa.as_ref())?.to_owned()),
        _ => None,
    };
    value.filter(|value| is_harmless(value))
}

fn minor(version: &str) -> Option<String> {
    let (major, rest) = version.split_once('.')?;
    Some(format!("{major}.{}", rest.split('.').next()?))
}

fn value(said: Option<&Said>) -> Option<&str> {
    said.map(|said| said.value.as_str())
}

/// The remedies with those of this machine first, and otherwise as they stand.
fn ordered(mut remedies: Vec<Remedy>, environment: bool, circumstances: &Circumstances) -> Vec<Remedy> {
    let preferred = if environment { of_environment(circumstances) } else { of_system(circumstances) };
    let place = |remedy: &Remedy| preferred.iter().position(|platform| *platform == remedy.platform);
    remedies.sort_by_key(|remedy| place(remedy).unwrap_or(preferred.len()));
    // Who reads the log of an image's build mends the Dockerfile.
    let builds = value(circumstances.container.as_ref()) == Some("build");
    let docker = remedies.iter().position(|remedy| remedy.platform == "docker");
    if let Some(docker) = docker.filter(|docker| builds && *docker > 1) {
        remedies[1..=docker].rotate_right(1);
    }
    remedies
}

/// The platforms of what is missing on the system.
fn of_system(circumstances: &Circumstances) -> Vec<&'static str> {
    let by_installation: &[_] = match value(circumstances.installation.as_ref()) {
        Some("conda") => &["conda"],
        Some("pyenv") => &["pyenv"],
        Some("uv") => &["uv"],
        Some("brew" | "framework") => &["brew"],
        Some("windows") => &["windows"],
        Some("image") => &["docker"],
        _ => &[],
    };
    let by_system: &[_] = match value(circumstances.system.as_ref()) {
        Some("debian" | "ubuntu" | "wsl") => &["apt"],
        Some("rhel" | "fedora") => &["dnf"],
        Some("macos") => &["brew"],
        Some("windows") => &["windows"],
        _ => &[],
    };
    [by_installation, by_system].concat()
}

/// The platforms of what is missing beside torch.
fn of_environment(circumstances: &Circumstances) -> Vec<&'static str> {
    let installation = value(circumstances.installation.as_ref());
    match (value(circumstances.torch_place.as_ref()), installation) {
        (Some("conda"), _) | (None, Some("conda")) => vec!["conda"],
        (Some("system"), Some("distribution")) => of_system(circumstances),
        (_, Some("uv")) => vec!["uv"],
        (Some(_), _) => vec!["any", "uv"],
        (None, _) => Vec::new(),
    }
}
