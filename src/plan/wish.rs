use pep440_rs::{Version, VersionSpecifier, VersionSpecifiers};

use super::PlanOptions;
use super::applies::Environment;
use super::install;
use crate::catalogue::{Base, BasePython, TorchRelease};
use crate::model::{
    IndexRole, Origin, Project, PythonProvider, Requirement, RequirementRole, Source, TorchFact, TorchVia, Variant,
    wheel_python,
};

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
    /// What a lock that is followed has settled on.
    locked: Option<&'a TorchFact>,
    /// Whether conda brings it, whose builds are for other interpreters than the index's wheels.
    of_conda: bool,
    /// The variant that it is to be, by name, where that decides which releases there are.
    variant: Option<String>,
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
    /// Nowhere; a clause that says why, and the place that it speaks of.
    Never(String, Option<Origin>),
}

impl<'a> TorchWish<'a> {
    /// What `project` asks of torch in `environment`.
    pub(super) fn new(
        project: &'a Project,
        environment: &Environment,
        options: &PlanOptions,
        provider: PythonProvider,
    ) -> Self {
        let mut requirements: Vec<_> = project.bearing_on("torch").filter(|r| environment.applies(r)).collect();
        // An override stands in place of everything else.
        if requirements.iter().any(|r| r.role == RequirementRole::Override) {
            requirements.retain(|r| r.role == RequirementRole::Override);
        }
        let conda = requirements.iter().any(|r| matches!(r.source, Source::Conda { .. }));
        let mut wish = Self {
            specifiers: VersionSpecifiers::empty(),
            elsewhere: None,
            wheel_python: None,
            locked: locked(project, environment, options),
            of_conda: conda && matches!(provider, PythonProvider::Conda | PythonProvider::Pixi),
            variant: variant(project, options),
            requirements,
        };
        for requirement in &wish.requirements {
            match &requirement.source {
                Source::Index { .. } | Source::Conda { .. } => {}
                Source::Url { url: place } | Source::Path { path: place } => {
                    wish.elsewhere = Some(requirement);
                    wish.wheel_python = wheel_python(place);
                }
                Source::Vcs { .. } => wish.elsewhere = Some(requirement),
            }
        }
        let asked = wish.requirements.iter().flat_map(|r| r.specifiers().iter().cloned().collect::<Vec<_>>());
        let locked = wish.locked.iter().flat_map(|fact| fact.specifiers.iter().cloned());
        wish.specifiers = asked.chain(locked).collect();
        wish
    }

    /// Where it stands first: in a lock, which has the last word, else where it is asked for.
    pub(super) fn origin(&self) -> Option<&'a Origin> {
        self.locked.map(|fact| &fact.origin).or_else(|| self.requirements.first().map(|r| &r.origin))
    }

    /// Each requirement as written, with its place.
    pub(super) fn spelled_out(&self) -> String {
        let asked = self.requirements.iter().map(|r| format!("`{}` ({})", r.text, r.origin));
        let locked = self.locked.map(|fact| format!("`torch{}` ({})", fact.specifiers, fact.origin));
        asked.chain(locked).collect::<Vec<_>>().join(" and ")
    }

    /// Each requirement as written, or what a lock has made of them.
    pub(super) fn texts(&self) -> String {
        if let Some(fact) = self.locked {
            return format!("`torch{}`", fact.specifiers);
        }
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

    /// Whether the wish can come true with `python` on `base`.
    pub(super) fn verdict<'c>(&self, known: &'c [TorchRelease], base: &Base, python: &BasePython) -> Verdict<'c> {
        let minor = python.minor();
        if let Some(tag) = self.wheel_python.as_ref().filter(|tag| **tag != minor) {
            return Verdict::No(format!("the wheel of torch is for Python {tag}"));
        }
        if self.elsewhere.is_some() && self.specifiers.is_empty() {
            return Verdict::Unknown;
        }
        let mut allowed: Vec<_> = known.iter().filter(|release| self.allows(release)).collect();
        let offers = |release: &TorchRelease| self.variant.as_ref().is_none_or(|name| release.offers(name));
        // A variant that no row has may be there all the same; one that the rows have had an end.
        let ended = allowed.iter().any(|release| offers(release)) && known.last().is_some_and(|last| !offers(last));
        if allowed.iter().any(|release| offers(release)) {
            allowed.retain(|release| offers(release));
        }
        // What drops an interpreter never takes it up again.
        let dropped = known.last().is_some_and(|last| minor < last.python.from);
        let newer = self.allows_newer_than(known) && (!(dropped || ended) || allowed.is_empty());
        let releases: Vec<_> = allowed.iter().filter(|release| self.works(release, base, python)).copied().collect();
        match (allowed.last(), releases.is_empty(), newer) {
            (_, false, newer) => Verdict::Known { releases, newer },
            (_, true, true) => Verdict::Newer,
            (Some(newest), true, false) => Verdict::No(self.refusal(newest, &allowed, base, &minor)),
            (None, true, false) => self.nothing(known),
        }
    }

    /// Whether a release installs and compiles with `python` on `base`.
    pub(super) fn works(&self, release: &TorchRelease, base: &Base, python: &BasePython) -> bool {
        let minor = python.minor();
        if self.of_conda {
            return minor <= release.compiles_up_to;
        }
        release.compiles(&minor) && release.glibc.as_ref().is_none_or(|floor| *floor <= base.glibc)
    }

    /// The oldest release that is allowed.
    pub(super) fn oldest<'c>(&self, known: &'c [TorchRelease]) -> Option<&'c TorchRelease> {
        known.iter().find(|release| self.allows(release))
    }

    /// A version that is asked for and that no row has, though its release has a row, with the known ones around it.
    pub(super) fn unlisted<'c>(&'c self, known: &'c [TorchRelease]) -> Option<Unlisted<'c>> {
        let allowed = |version: &Version| self.specifiers.contains(version);
        let listed = |v: &Version| known.iter().any(|release| release.versions.contains(v));
        let named = || self.specifiers.iter().map(VersionSpecifier::version).filter(|v| allowed(v));
        let any = known.iter().flat_map(|release| &release.versions).any(allowed);
        if self.elsewhere.is_some() || any || named().any(|v| listed(&v.clone().without_local())) {
            return None;
        }
        let (version, release) = named().find_map(|version| {
            let release = known.iter().find(|r| version.release().starts_with(r.release.release()))?;
            Some((version, release))
        })?;
        let versions = || known.iter().flat_map(|release| &release.versions);
        let before = versions().filter(|v| *v < version).max();
        let after = versions().filter(|v| *v > version).min();
        let closed = known.iter().rev().take(OPEN).all(|open| open.release != release.release);
        Some(Unlisted { version, nearest: before.into_iter().chain(after).collect(), closed })
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
    fn refusal(&self, newest: &TorchRelease, allowed: &[&TorchRelease], base: &Base, python: &Version) -> String {
        let torch = match self.pinned() {
            Some(version) => format!("torch {version}"),
            None if allowed.len() > 1 && *python > newest.compiles_up_to => format!("torch up to {}", newest.release),
            None => format!("torch {}", newest.release),
        };
        let torch = match &self.variant {
            Some(name) if newest.offers(name) => format!("{torch} for `{name}`"),
            _ => torch,
        };
        if *python > newest.compiles_up_to {
            return format!("{torch} compiles on Python up to {}", newest.compiles_up_to);
        }
        if let Some(floor) = newest.glibc.as_ref().filter(|floor| **floor > base.glibc) {
            return format!("{torch} needs glibc {floor}, and {} has {}", base.id, base.glibc);
        }
        match allowed.first() {
            Some(oldest) if oldest.release != newest.release => {
                format!("torch from {} on has wheels for Python {} and later only", oldest.release, oldest.python.from)
            }
            _ => format!("{torch} has wheels for Python {} to {} only", newest.python.from, newest.python.to),
        }
    }

    /// Why no version is allowed at all.
    fn nothing<'c>(&self, known: &'c [TorchRelease]) -> Verdict<'c> {
        let oldest = known.first().map(|release| &release.release);
        let older = |v: &&Version| oldest.is_some_and(|oldest| *v < oldest) && self.specifiers.contains(v);
        let before = Version::new([1, 13, 1]);
        let named = self.specifiers.iter().map(VersionSpecifier::version);
        let too_old = named.chain([&before]).any(|version| older(&version));
        let few = self.contradiction(known);
        let because = match oldest.filter(|_| too_old) {
            Some(oldest) => {
                format!("{} allows only torch before {oldest}, which has no `torch.compile`", few.spelled_out())
            }
            None => format!("no version of torch satisfies {}", few.spelled_out()),
        };
        Verdict::Never(because, few.origin().cloned())
    }

    /// The same wish with the fewest requirements that leave nothing.
    fn contradiction(&self, known: &[TorchRelease]) -> Self {
        let with = |requirements: Vec<&'a Requirement>| {
            let asked = requirements.iter().flat_map(|r| r.specifiers().iter().cloned().collect::<Vec<_>>());
            Self { specifiers: asked.collect(), requirements, locked: None, ..self.clone() }
        };
        let leaves_nothing =
            |wish: &Self| !known.iter().any(|release| wish.allows(release)) && !wish.allows_newer_than(known);
        let all = &self.requirements;
        let pairs = (1..all.len()).flat_map(|at| all[..at].iter().map(move |first| vec![*first, all[at]]));
        let few = all.iter().map(|one| vec![*one]).chain(pairs).map(with).find(leaves_nothing);
        few.unwrap_or_else(|| self.clone())
    }

    /// The version that is pinned, if one is.
    fn pinned(&self) -> Option<&Version> {
        use pep440_rs::Operator::{Equal, ExactEqual};
        self.specifiers.iter().find(|s| matches!(s.operator(), Equal | ExactEqual)).map(VersionSpecifier::version)
    }
}

/// How many releases at the end of the rows may still get new versions.
const OPEN: usize = 2;

/// A version of torch that no row has.
#[derive(Debug)]
pub(super) struct Unlisted<'c> {
    pub(super) version: &'c Version,
    /// The known ones before and after it.
    pub(super) nearest: Vec<&'c Version>,
    /// Whether its release gets no new versions any more.
    pub(super) closed: bool,
}

/// The torch that a followed lock has settled on, where that is one version.
fn locked<'a>(project: &'a Project, environment: &Environment, options: &PlanOptions) -> Option<&'a TorchFact> {
    let lock = install::followed(project, options, Some(environment))?;
    let of_lock = |fact: &&TorchFact| {
        fact.via == TorchVia::Lock && matches!(&fact.origin, Origin::File { file, .. } if *file == lock.path)
    };
    let mut facts = project.torch.iter().filter(of_lock).filter(|fact| environment.brings(fact));
    let first = facts.next()?;
    facts.all(|fact| fact.specifiers == first.specifiers).then_some(first)
}

/// The variant that is asked for, or that the only index of the project has; a lock has its own.
fn variant(project: &Project, options: &PlanOptions) -> Option<String> {
    if let Some(asked) = &options.variant {
        return Some(asked.value.clone());
    }
    let [index] = project.indexes.as_slice() else { return None };
    let sole = index.role == IndexRole::Primary && options.indexes.is_empty() && project.locks.is_empty();
    Variant::name_in(&index.url).filter(|_| sole).map(str::to_owned)
}

/// The version right after `version`, one step in its last place.
fn next(version: &Version) -> Version {
    let mut release = version.release().to_vec();
    if let Some(last) = release.last_mut() {
        *last = last.saturating_add(1);
    }
    Version::new(release)
}
