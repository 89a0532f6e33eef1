use pep440_rs::{Operator, Version, VersionSpecifiers};

use super::applies::{Environment, Selection};
use super::clash::{Demand, Kind, clash, first_that_compiles};
use super::wish::{TorchWish, Verdict};
use super::{Asked, PlanOptions};
use crate::catalogue::{Base, BasePython, Catalogue};
use crate::model::{BaseImage, Choice, Error, Note, Origin, Project, PythonConstraint, Result, Strength, TorchSource};

/// A base and an interpreter of it: what an image can be built for.
#[derive(Debug, Clone)]
pub(super) struct Target<'a> {
    pub(super) base: &'a Base,
    pub(super) python: &'a BasePython,
    /// What decides which requirements apply.
    pub(super) environment: Environment,
    /// What the project asks of torch there.
    pub(super) wish: TorchWish<'a>,
    /// Whether that can come true there.
    pub(super) verdict: Verdict<'a>,
}

/// The target that was chosen, and why.
#[derive(Debug)]
pub(super) struct Chosen<'a> {
    pub(super) target: Target<'a>,
    pub(super) base: Choice<BaseImage>,
    pub(super) python: Choice<Version>,
    pub(super) notes: Vec<Note>,
}

/// Chooses the first base and interpreter of the catalogue that everything asked for allows.
pub(super) fn choose<'a>(
    project: &'a Project,
    catalogue: &'a Catalogue,
    options: &PlanOptions,
    selection: &Selection,
) -> Result<Chosen<'a>> {
    let targets = targets(project, catalogue, options, selection)?;
    never(&targets, catalogue)?;
    let (demands, mut notes) = demands(project, options, &targets)?;
    let allowed = |at: &usize| demands.iter().all(|demand| demand.refusals[*at].is_none());
    let Some(at) = (0..targets.len()).find(allowed) else {
        return Err(clash(&demands, &targets, catalogue.torch()));
    };
    let target = targets.into_iter().nth(at).ok_or_else(|| Error::no("the catalogue has no bases"))?;
    notes.extend(patch_notes(project, &target));
    let python = python_choice(&target, options, &demands, at);
    let base = base_choice(&target, options, &python);
    Ok(Chosen { target, base, python, notes })
}

/// Fails where no version of torch satisfies the project, whatever the interpreter.
fn never(targets: &[Target], catalogue: &Catalogue) -> Result<()> {
    let Some(Target { verdict: Verdict::Never(because), wish, python, .. }) = targets.first() else { return Ok(()) };
    if !targets.iter().all(|t| matches!(t.verdict, Verdict::Never(_))) {
        return Ok(());
    }
    let error = Error::no(because.clone());
    let error = match wish.requirements.first() {
        Some(requirement) => error.at(requirement.origin.clone()),
        None => error,
    };
    Err(match first_that_compiles(catalogue.torch(), &python.minor()) {
        Some(release) => error.with_hint(format!("`torch>={release}` would work on Python {}", python.minor())),
        None => error,
    })
}

fn targets<'a>(
    project: &'a Project,
    catalogue: &'a Catalogue,
    options: &PlanOptions,
    selection: &Selection,
) -> Result<Vec<Target<'a>>> {
    let mut targets = Vec::new();
    for base in catalogue.bases() {
        for python in &base.python {
            let environment = Environment::new(&python.version, options.architecture(), selection)?;
            let wish = TorchWish::new(project, &environment);
            let verdict = wish.verdict(catalogue.torch(), &python.minor(), &base.glibc);
            targets.push(Target { base, python, environment, wish, verdict });
        }
    }
    Ok(targets)
}

/// Everything that narrows the choice, what the user asked for first.
fn demands(project: &Project, options: &PlanOptions, targets: &[Target]) -> Result<(Vec<Demand>, Vec<Note>)> {
    let mut demands = Vec::new();
    let mut notes = Vec::new();
    if let Some(asked) = &options.base {
        demands.push(base_demand(asked, targets)?);
    }
    if let Some(asked) = &options.python {
        demands.push(python_demand(asked, targets));
    }
    for constraint in project.python.iter().filter(|constraint| binds(project, constraint)) {
        let kind = if enforced(project, constraint) { Kind::Plain } else { Kind::Preference };
        match &options.python {
            Some(asked) if kind == Kind::Preference => notes.extend(overridden(constraint, asked, targets)),
            _ => demands.push(constraint_demand(kind, constraint, targets)),
        }
    }
    let distribution = options.torch_source.as_ref().filter(|asked| asked.value == TorchSource::Distribution);
    demands.push(match distribution {
        Some(asked) => distribution_demand(asked, targets),
        None => torch_demand(targets),
    });
    Ok((demands, notes))
}

/// Whether a constraint narrows the choice by itself. A hint never does, and what torch's own wheel and markers imply is
/// part of the wish for torch.
fn binds(project: &Project, constraint: &PythonConstraint) -> bool {
    let of_torch = || project.bearing_on("torch").any(|torch| torch.origin == constraint.origin);
    match constraint.strength {
        Strength::Required | Strength::Pinned => true,
        Strength::Implied => !of_torch(),
        Strength::Hint => false,
    }
}

fn base_demand(asked: &Asked<String>, targets: &[Target]) -> Result<Demand> {
    if !targets.iter().any(|t| t.base.id == asked.value) {
        let known: Vec<_> = targets.iter().map(|t| format!("`{}`", t.base.id)).collect();
        return Err(Error::usage(format!("there is no base `{}`", asked.value.escape_debug()))
            .at(asked.origin.clone())
            .with_hint(format!("the bases are {}", known.join(", "))));
    }
    let says = format!("`{}` is asked for", asked.value);
    Ok(Demand::new(Kind::Plain, asked.origin.clone(), targets, |t| (t.base.id != asked.value).then(|| says.clone())))
}

fn python_demand(asked: &Asked<Version>, targets: &[Target]) -> Demand {
    let says = format!("Python {} is asked for", asked.value);
    let wanted = |t: &Target| t.python.version.release().starts_with(asked.value.release());
    Demand::new(Kind::Plain, asked.origin.clone(), targets, |t| (!wanted(t)).then(|| says.clone()))
}

fn constraint_demand(kind: Kind, constraint: &PythonConstraint, targets: &[Target]) -> Demand {
    let says = match constraint.strength {
        Strength::Implied => format!("what the project names there is for Python `{}`", constraint.specifiers),
        _ => format!("the project asks for Python `{}`", constraint.specifiers),
    };
    let fits = |t: &Target| fits(&constraint.specifiers, t.python);
    Demand::new(kind, constraint.origin.clone(), targets, |t| (!fits(t)).then(|| says.clone()))
}

fn torch_demand(targets: &[Target]) -> Demand {
    let first = targets.iter().find_map(|t| t.wish.requirements.first());
    let origin = first.map_or(Origin::Default, |requirement| requirement.origin.clone());
    Demand::new(Kind::Torch, origin, targets, |t| match &t.verdict {
        Verdict::No(because) | Verdict::Never(because) => Some(because.clone()),
        _ => None,
    })
}

fn distribution_demand(asked: &Asked<TorchSource>, targets: &[Target]) -> Demand {
    Demand::new(Kind::Plain, asked.origin.clone(), targets, |t| match &t.base.torch {
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

/// Whether installing the project would fail on another Python: a package refuses what its own `requires-python` rules
/// out. Nothing but habit holds a bare application to it, or anyone to `.python-version`.
fn enforced(project: &Project, constraint: &PythonConstraint) -> bool {
    if constraint.strength == Strength::Implied {
        return true;
    }
    let declared = project.package.as_ref().map(|package| &package.origin);
    matches!((declared, &constraint.origin),
        (Some(Origin::File { file: package, .. }), Origin::File { file, .. }) if package == file)
}

/// Whether a base's interpreter satisfies a constraint. A constraint that pins a patch version is satisfied by another
/// patch of the same version: a distribution has one only, and its fixes are backported.
fn fits(specifiers: &VersionSpecifiers, python: &BasePython) -> bool {
    specifiers
        .iter()
        .all(|s| s.contains(&python.version) || (pins_patch(*s.operator()) && same_minor(s.version(), python)))
}

fn pins_patch(operator: Operator) -> bool {
    matches!(operator, Operator::Equal | Operator::ExactEqual)
}

fn same_minor(version: &Version, python: &BasePython) -> bool {
    version.release().len() >= 2 && version.release()[..2] == python.version.release()[..2]
}

fn patch_notes(project: &Project, target: &Target) -> Vec<Note> {
    let off = project.python.iter().filter(|c| fits(&c.specifiers, target.python));
    off.filter(|c| !c.specifiers.contains(&target.python.version))
        .map(|c| {
            let message = format!(
                "the project asks for Python `{}`; {} brings {}",
                c.specifiers, target.base.id, target.python.version
            );
            Note::info(message, c.origin.clone())
        })
        .collect()
}

fn overridden(constraint: &PythonConstraint, asked: &Asked<Version>, targets: &[Target]) -> Option<Note> {
    let python = targets.iter().map(|t| t.python).find(|p| p.version.release().starts_with(asked.value.release()))?;
    if fits(&constraint.specifiers, python) {
        return None;
    }
    let message =
        format!("the project asks for Python `{}`; {} {} wins", constraint.specifiers, asked.origin, asked.value);
    Some(Note::warning(message, constraint.origin.clone()))
}

/// Why this Python: who asked for it, or else who ruled out the one that sconce prefers.
fn python_choice(target: &Target, options: &PlanOptions, demands: &[Demand], at: usize) -> Choice<Version> {
    let ruled_out = |demand: &Demand| {
        let because = demand.refusals[..at].first()?.clone()?;
        Some((demand.origin.clone(), because))
    };
    let (requested, because) = match (&options.python, demands.iter().find_map(ruled_out), &options.base) {
        (Some(asked), ..) => (asked.origin.clone(), "it was asked for".to_owned()),
        (None, Some(reason), _) => reason,
        (None, None, Some(asked)) => (asked.origin.clone(), format!("it is what {} brings", target.base.id)),
        (None, None, None) => (Origin::Default, "it is the default, and nothing asks for another".to_owned()),
    };
    Choice::new(target.python.minor(), requested, because)
}

fn base_choice(target: &Target, options: &PlanOptions, python: &Choice<Version>) -> Choice<BaseImage> {
    let base = target.base;
    let image = BaseImage {
        id: base.id.clone(),
        reference: base.reference.clone(),
        bootstrapped: base.bootstrapped(),
        suite: base.suite.clone(),
        package_manager: base.package_manager,
        interpreter: target.python.interpreter.clone(),
    };
    match &options.base {
        Some(asked) => Choice::new(image, asked.origin.clone(), "it was asked for"),
        None => Choice::new(image, python.requested.clone(), format!("it brings Python {}", python.value)),
    }
}
