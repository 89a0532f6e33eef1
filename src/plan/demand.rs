use pep440_rs::{Version, VersionSpecifier, VersionSpecifiers};

use super::install;
use super::target::{Target, fits};
use super::wanted::Wanted;
use super::wish::Verdict;
use super::{Asked, PlanOptions};
use crate::model::{Note, Origin, Project, PythonConstraint, Requirement, Source, Strength, TorchSource};

/// Something that narrows the choice of a target.
#[derive(Debug)]
pub(super) struct Demand {
    /// Who demands it.
    pub(super) origin: Origin,
    pub(super) kind: Kind,
    /// The versions of Python that it leaves, where it is about nothing else.
    pub(super) python: Option<VersionSpecifiers>,
    /// For each target, the clause that says why it is ruled out, where it is.
    pub(super) refusals: Vec<Option<String>>,
}

/// What can be done about a demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The project's torch: another version may do.
    Torch,
    /// What installing would trip over, wherever else it could be overruled: it must be changed where it stands.
    Enforced,
    /// A wish for a Python that nothing enforces: `--python` overrules it.
    Preference,
    /// A Python was asked for.
    Python,
    /// A base was asked for.
    Base,
    /// Something else was asked for.
    Asked,
    /// Some bases are not taken unless they are asked for.
    OnRequest,
}

impl Demand {
    /// What `origin` demands, with its refusal of each target.
    fn new<'a>(
        kind: Kind,
        origin: &Origin,
        targets: &[Target<'a>],
        refusal: impl Fn(&Target<'a>) -> Option<String>,
    ) -> Self {
        Self { origin: origin.clone(), kind, python: None, refusals: targets.iter().map(refusal).collect() }
    }

    pub(super) fn allows(&self, at: usize) -> bool {
        self.refusals[at].is_none()
    }

    fn about(self, python: VersionSpecifiers) -> Self {
        Self { python: Some(python), ..self }
    }
}

/// Everything that narrows the choice, the project's torch first, and what is said about what was overruled.
pub(super) fn demands(
    project: &Project,
    options: &PlanOptions,
    wanted: Option<&Wanted>,
    targets: &[Target],
) -> (Vec<Demand>, Vec<Note>) {
    let distribution = options.torch_source.as_ref().filter(|asked| asked.value == TorchSource::Distribution);
    let asked_installer = wanted.filter(|wanted| wanted.asked);
    let mut asked: Vec<Demand> = Vec::new();
    asked.extend(options.base.as_ref().map(|asked| of_base(asked, targets)));
    asked.extend(options.python.as_ref().map(|asked| of_python(asked, targets)));
    asked.extend(asked_installer.map(|wanted| of_installer(wanted, targets)));
    asked.extend(distribution.map(|asked| of_distribution(asked, targets)));

    let mut notes = Vec::new();
    let mut demands = Vec::new();
    if distribution.is_none() {
        demands.push(of_wish(targets));
    }
    for constraint in project.python.iter().filter(|constraint| binds(project, constraint)) {
        let kind = if enforced(project, options, constraint) { Kind::Enforced } else { Kind::Preference };
        let demand = of_constraint(project, kind, constraint, targets);
        match overruled(&demand, &asked, targets.len()).filter(|_| kind == Kind::Preference) {
            Some(by) => notes.push(overruled_note(constraint, by, targets)),
            None => demands.push(demand),
        }
    }
    demands.extend(asked);
    if options.base.is_none() {
        demands.push(of_request(wanted, targets));
    }
    (demands, notes)
}

/// What was asked for that beats a demand: nothing that meets the one meets the other.
fn overruled<'d>(demand: &Demand, asked: &'d [Demand], targets: usize) -> Option<&'d Demand> {
    let together = (0..targets).any(|at| demand.allows(at) && asked.iter().all(|asked| asked.allows(at)));
    let alone = |asked: &&Demand| !(0..targets).any(|at| demand.allows(at) && asked.allows(at));
    if together { None } else { asked.iter().find(alone).or(asked.first()) }
}

fn overruled_note(constraint: &PythonConstraint, by: &Demand, targets: &[Target]) -> Note {
    let says = match (0..targets.len()).find(|at| by.allows(*at)).map(|at| &targets[at]) {
        Some(target) if by.kind == Kind::Base => {
            format!("`{}` was asked for, which brings {}", target.base.id, target.python.minor())
        }
        _ => by.refusals.iter().flatten().next().cloned().unwrap_or_default(),
    };
    let message =
        format!("the project asks for Python `{}`, but {says} ({}); that wins", constraint.specifiers, by.origin);
    Note::warning(message, constraint.origin.clone())
}

/// Whether a constraint narrows the choice by itself. A hint never does, and what the name of torch's own wheel implies is
/// part of the wish for torch.
fn binds(project: &Project, constraint: &PythonConstraint) -> bool {
    let wheel = || of_torch(project, constraint).any(|torch| !matches!(torch.source, Source::Index { .. }));
    match constraint.strength {
        Strength::Required | Strength::Pinned => true,
        Strength::Implied => !wheel(),
        Strength::Hint => false,
    }
}

/// The requirements on torch that a constraint follows from.
fn of_torch<'a>(project: &'a Project, constraint: &PythonConstraint) -> impl Iterator<Item = &'a Requirement> {
    project.bearing_on("torch").filter(|torch| torch.origin == constraint.origin)
}

/// Whether installing the project would fail on another Python: a package refuses what its own `requires-python` rules
/// out, and so does the tool that follows a lock. Nothing but habit holds a bare application to it, or anyone to
/// `.python-version`.
fn enforced(project: &Project, options: &PlanOptions, constraint: &PythonConstraint) -> bool {
    let Origin::File { file, .. } = &constraint.origin else { return false };
    let package =
        project.package.iter().any(|package| matches!(&package.origin, Origin::File { file: of, .. } if of == file));
    let lock = install::followed(project, options, None);
    let locked = lock.is_some_and(|lock| lock.path == *file || project.manifests.iter().any(|m| m.path == *file));
    constraint.strength == Strength::Implied || (constraint.strength == Strength::Required && (package || locked))
}

fn of_base(asked: &Asked<String>, targets: &[Target]) -> Demand {
    let says = format!("`{}` is asked for", asked.value);
    Demand::new(Kind::Base, &asked.origin, targets, |t| (t.base.id != asked.value).then(|| says.clone()))
}

fn of_python(asked: &Asked<Version>, targets: &[Target]) -> Demand {
    let says = format!("Python {} is asked for", asked.value);
    let wanted = |t: &Target| t.python.version.release().starts_with(asked.value.release());
    Demand::new(Kind::Python, &asked.origin, targets, |t| (!wanted(t)).then(|| says.clone()))
        .about(VersionSpecifier::equals_star_version(asked.value.clone()).into())
}

fn of_installer(wanted: &Wanted, targets: &[Target]) -> Demand {
    let says = |t: &Target| format!("`{}` does not bring {}", t.base.id, wanted.installer);
    Demand::new(Kind::Asked, &wanted.origin, targets, |t| (t.python.provider != wanted.provider).then(|| says(t)))
}

fn of_constraint(project: &Project, kind: Kind, constraint: &PythonConstraint, targets: &[Target]) -> Demand {
    let says = match constraint.strength {
        Strength::Implied if of_torch(project, constraint).next().is_some() => {
            format!("the project asks for torch only on Python `{}`", constraint.specifiers)
        }
        Strength::Implied => format!("what the project names there is for Python `{}`", constraint.specifiers),
        _ => format!("the project asks for Python `{}`", constraint.specifiers),
    };
    // What is enforced is compared to the last digit.
    let fits = |t: &Target| fits(&constraint.specifiers, t.python, kind == Kind::Enforced);
    Demand::new(kind, &constraint.origin, targets, |t| (!fits(t)).then(|| says.clone()))
        .about(constraint.specifiers.clone())
}

fn of_wish(targets: &[Target]) -> Demand {
    let place = |t: &Target| match &t.verdict {
        Verdict::Never(_, place) => place.clone(),
        _ => t.wish.origin().cloned(),
    };
    let origin = targets.iter().find_map(place).unwrap_or(Origin::Default);
    Demand::new(Kind::Torch, &origin, targets, |t| match &t.verdict {
        Verdict::No(because) | Verdict::Never(because, _) => Some(because.clone()),
        _ => None,
    })
}

fn of_distribution(asked: &Asked<TorchSource>, targets: &[Target]) -> Demand {
    Demand::new(Kind::Asked, &asked.origin, targets, |t| match &t.base.torch {
        None => Some(format!("{} has no torch of its own that has `torch.compile`", t.base.id)),
        Some(torch) if torch.python != t.python.minor() => {
            Some(format!("the torch of {} is for Python {}", t.base.id, torch.python))
        }
        Some(torch) if t.wish.elsewhere.is_some() || !t.wish.specifiers.contains(&torch.version) => {
            Some(format!("the torch of {} is {}, which is not {}", t.base.id, torch.version, t.wish.spelled_out()))
        }
        Some(_) => None,
    })
}

fn of_request(wanted: Option<&Wanted>, targets: &[Target]) -> Demand {
    let wanted = |t: &Target| wanted.is_some_and(|wanted| wanted.provider == t.python.provider);
    Demand::new(Kind::OnRequest, &Origin::Default, targets, |t| {
        let says = || format!("`{}`, which would do, is taken only where it is asked for", t.base.id);
        (t.base.on_request && !wanted(t)).then(says)
    })
}

/// The minor versions of Python 3, generously.
pub(super) fn minors() -> impl Iterator<Item = Version> {
    (0..=40).map(|minor| Version::new([3, minor]))
}

/// Whether any patch release of `minor` (`X.Y`) satisfies `specifiers`.
pub(super) fn allows(specifiers: &VersionSpecifiers, minor: &Version) -> bool {
    let patch = |patch: u64| Version::new(minor.release().iter().copied().chain([patch]));
    (0..=99).map(patch).any(|version| specifiers.contains(&version))
}
