use pep440_rs::{Version, VersionSpecifier, VersionSpecifiers};

use super::applies::Environment;
use crate::catalogue::TorchRelease;
use crate::model::{Project, Requirement, Source, wheel_python};

/// What a project asks of torch on one interpreter.
#[derive(Debug, Clone)]
pub(super) struct TorchWish<'a> {
    /// The requirements and constraints that apply.
    pub(super) requirements: Vec<&'a Requirement>,
    /// The versions that all of them together allow.
    pub(super) specifiers: VersionSpecifiers,
    /// The requirement that takes torch from elsewhere than an index.
    pub(super) elsewhere: Option<&'a Requirement>,
    /// The interpreter that the wheel is for, where a requirement names one wheel.
    pub(super) wheel_python: Option<Version>,
}

/// Whether a wish can come true on an interpreter, as far as the catalogue knows.
#[derive(Debug, Clone)]
pub(super) enum Verdict<'c> {
    /// These releases install and compile, the oldest first; `newer` says whether unknown newer ones are allowed too.
    Known { releases: Vec<&'c TorchRelease>, newer: bool },
    /// Only versions newer than the catalogue are allowed.
    Newer,
    /// Its version is not known before it is installed.
    Unknown,
    /// Not here; a clause that says why.
    No(String),
    /// Nowhere; a clause that says why.
    Never(String),
}

impl<'a> TorchWish<'a> {
    /// What `project` asks of torch in `environment`.
    pub(super) fn new(project: &'a Project, environment: &Environment) -> Self {
        let requirements: Vec<_> = project.bearing_on("torch").filter(|r| environment.applies(r)).collect();
        let mut wish = Self {
            requirements: Vec::new(),
            specifiers: VersionSpecifiers::empty(),
            elsewhere: None,
            wheel_python: None,
        };
        let mut all: Vec<VersionSpecifier> = Vec::new();
        for requirement in &requirements {
            all.extend(requirement.specifiers().iter().cloned());
            match &requirement.source {
                Source::Index { .. } | Source::Conda { .. } => {}
                Source::Url { url: place } | Source::Path { path: place } => {
                    wish.elsewhere = Some(requirement);
                    wish.wheel_python = wheel_python(place);
                }
                Source::Vcs { .. } => wish.elsewhere = Some(requirement),
            }
        }
        wish.requirements = requirements;
        wish.specifiers = all.into_iter().collect();
        wish
    }

    /// Each requirement as written, with its place.
    pub(super) fn spelled_out(&self) -> String {
        let each: Vec<_> = self.requirements.iter().map(|r| format!("`{}` ({})", r.text, r.origin)).collect();
        each.join(" and ")
    }

    /// Each requirement as written.
    pub(super) fn texts(&self) -> String {
        let each: Vec<_> = self.requirements.iter().map(|r| format!("`{}`", r.text)).collect();
        each.join(" and ")
    }

    /// The local parts of the versions that are pinned, such as `cu128` in `==2.7.1+cu128`.
    pub(super) fn local_tag(&self) -> Option<String> {
        self.specifiers.iter().find_map(|s| {
            let local = s.version().local();
            (!local.is_empty()).then(|| local.iter().map(ToString::to_string).collect::<Vec<_>>().join("."))
        })
    }

    /// Whether the wish can come true on `python` (`X.Y`), on a base with this C library.
    pub(super) fn verdict<'c>(&self, known: &'c [TorchRelease], python: &Version, glibc: &Version) -> Verdict<'c> {
        if let Some(tag) = self.wheel_python.as_ref().filter(|tag| *tag != python) {
            return Verdict::No(format!("the wheel of torch is for Python {tag}"));
        }
        if self.elsewhere.is_some() && self.specifiers.is_empty() {
            return Verdict::Unknown;
        }
        let allowed: Vec<_> = known.iter().filter(|release| self.allows(release)).collect();
        let newer = self.allows_newer_than(known);
        let fits = |r: &&&TorchRelease| r.compiles(python) && r.glibc.as_ref().is_none_or(|floor| floor <= glibc);
        let releases: Vec<_> = allowed.iter().filter(fits).copied().collect();
        match (allowed.last(), releases.is_empty(), newer) {
            (_, false, newer) => Verdict::Known { releases, newer },
            (_, true, true) => Verdict::Newer,
            (Some(newest), true, false) => Verdict::No(self.refusal(newest, &allowed, python)),
            (None, true, false) => Verdict::Never(self.nothing(known)),
        }
    }

    /// Whether any version of `release` is allowed, one that only a pin names included (`==2.5.1+cu121`).
    fn allows(&self, release: &TorchRelease) -> bool {
        let named = self.specifiers.iter().map(VersionSpecifier::version);
        let of_release = named.filter(|v| v.release().starts_with(release.release.release()));
        release.versions.iter().chain(of_release).any(|version| self.specifiers.contains(version))
    }

    /// Whether any version beyond the last row is allowed: one that is named, the one after it, or a far one.
    fn allows_newer_than(&self, known: &[TorchRelease]) -> bool {
        let Some(last) = known.last() else { return true };
        let mut probes = vec![Version::new([last.release.release()[0], 9999]), Version::new([9999])];
        for named in self.specifiers.iter().map(VersionSpecifier::version) {
            probes.extend([named.clone(), next(named)]);
        }
        let newer =
            |v: &Version| v.release() > last.release.release() && !v.release().starts_with(last.release.release());
        probes.iter().any(|version| newer(version) && self.specifiers.contains(version))
    }

    /// Why none of the allowed releases works on `python`.
    fn refusal(&self, newest: &TorchRelease, allowed: &[&TorchRelease], python: &Version) -> String {
        let torch = match self.pinned() {
            Some(version) => format!("torch {version}"),
            None if allowed.len() > 1 => format!("torch up to {}", newest.release),
            None => format!("torch {}", newest.release),
        };
        if *python > newest.compiles_up_to {
            return format!("{torch} compiles on Python up to {}", newest.compiles_up_to);
        }
        let oldest = allowed.first().map_or(&newest.python.from, |release| &release.python.from);
        format!("{torch} has wheels for Python {oldest} to {} only", newest.python.to)
    }

    /// Why no version is allowed at all.
    fn nothing(&self, known: &[TorchRelease]) -> String {
        let oldest = known.first().map(|release| &release.release);
        let older = |v: &&Version| oldest.is_some_and(|oldest| *v < oldest) && self.specifiers.contains(v);
        let before = Version::new([1, 13, 1]);
        let named = self.specifiers.iter().map(VersionSpecifier::version);
        match (named.chain([&before]).find(older), oldest) {
            (Some(_), Some(oldest)) => {
                format!("{} allows only torch before {oldest}, which has no `torch.compile`", self.spelled_out())
            }
            _ => format!("no version of torch satisfies {}", self.spelled_out()),
        }
    }

    /// The version that is pinned, if one is.
    fn pinned(&self) -> Option<&Version> {
        use pep440_rs::Operator::{Equal, ExactEqual};
        self.specifiers.iter().find(|s| matches!(s.operator(), Equal | ExactEqual)).map(VersionSpecifier::version)
    }
}

/// The version right after `version`, one step in its last place.
fn next(version: &Version) -> Version {
    let mut release = version.release().to_vec();
    if let Some(last) = release.last_mut() {
        *last = last.saturating_add(1);
    }
    Version::new(release)
}
