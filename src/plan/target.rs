use std::cmp::Reverse;

use pep440_rs::{Operator, Version, VersionSpecifier, VersionSpecifiers};

use super::applies::{Environment, Selection};
use super::clash::clash;
use super::demand::{Demand, Kind, allows, demands};
use super::wanted::Wanted;
use super::wish::{TorchWish, Verdict};
use super::{PlanOptions, remarks};
use crate::catalogue::{Base, BasePython, Catalogue};
use crate::model::{BaseImage, Choice, Error, Note, Origin, Project, PythonProvider, Result};

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

/// Chooses the best base and interpreter of the catalogue that everything asked for allows.
pub(super) fn choose<'a>(
    project: &'a Project,
    catalogue: &'a Catalogue,
    options: &PlanOptions,
    selection: &Selection,
) -> Result<Chosen<'a>> {
    let wanted = Wanted::new(project, catalogue, options);
    let mut targets = targets(project, catalogue, options, selection, wanted.as_ref())?;
    let (demands, mut notes) = demands(project, options, wanted.as_ref(), &targets);
    let Some(at) = (0..targets.len()).find(|at| demands.iter().all(|demand| demand.allows(*at))) else {
        return Err(clash(&demands, &targets, catalogue.torch()));
    };
    let python = python_choice(&targets, options, &demands, at);
    let base = base_choice(&targets[at], options, wanted.as_ref(), &python);
    notes.extend(remarks::notes(&remarks::Chosen {
        project,
        catalogue,
        options,
        wanted: wanted.as_ref(),
        targets: &targets,
        demands: &demands,
        at,
    }));
    Ok(Chosen { target: targets.swap_remove(at), base, python, notes })
}

/// Everything that an image could be built for, the best first: what the project's own tool installs, then what needs the
/// fewest strangers, then the default Python, then the newest. Bases that bring the same Python stay in the catalogue's order.
fn targets<'a>(
    project: &'a Project,
    catalogue: &'a Catalogue,
    options: &PlanOptions,
    selection: &Selection,
    wanted: Option<&Wanted>,
) -> Result<Vec<Target<'a>>> {
    let default = catalogue.bases().first().and_then(|base| base.python.first()).map(BasePython::minor);
    let mut targets = Vec::new();
    for base in bases(catalogue, options)? {
        for python in &base.python {
            let environment = Environment::new(&full(&python.version), options.architecture(), selection)?;
            let wish = TorchWish::new(project, &environment, options, python.provider);
            let verdict = wish.verdict(catalogue.torch(), base, python);
            targets.push(Target { base, python, environment, wish, verdict });
        }
    }
    targets.sort_by_key(|target| {
        let minor = target.python.minor();
        let foreign = wanted.is_some_and(|wanted| wanted.provider != target.python.provider);
        let strangers = (strangers(target.python.provider), target.base.accelerator.is_some());
        (foreign, strangers, default.as_ref() != Some(&minor), Reverse(minor))
    });
    Ok(targets)
}

/// How much besides the base's own has to be trusted and fetched for an interpreter.
fn strangers(provider: PythonProvider) -> u8 {
    match provider {
        PythonProvider::Distribution | PythonProvider::Image => 0,
        PythonProvider::Deadsnakes => 1,
        PythonProvider::Uv => 2,
        PythonProvider::Conda | PythonProvider::Pixi => 3,
        PythonProvider::Source => 4,
    }
}

/// The bases that have images for the architecture.
fn bases<'a>(catalogue: &'a Catalogue, options: &PlanOptions) -> Result<Vec<&'a Base>> {
    let architecture = options.architecture();
    let place = options.architecture.as_ref().map_or(Origin::Default, |asked| asked.origin.clone());
    let shown = architecture.escape_debug();
    let bases: Vec<&Base> = catalogue.bases().iter().filter(|base| base.is_for(architecture)).collect();
    if bases.is_empty() {
        let mut known: Vec<String> =
            catalogue.bases().iter().flat_map(|base| &base.architectures).map(|name| format!("`{name}`")).collect();
        known.sort();
        known.dedup();
        return Err(Error::no(format!("no base has images for `{shown}`"))
            .at(place)
            .with_hint(format!("there are bases for {}", known.join(" and "))));
    }
    if let Some(asked) = &options.base {
        let base = catalogue.base(&asked.value).map_err(|error| error.at(asked.origin.clone()))?;
        if !base.is_for(architecture) {
            let known: Vec<String> = base.architectures.iter().map(|name| format!("`{name}`")).collect();
            let message =
                format!("`{}` has images for {} only, but `{shown}` is asked for ({place})", base.id, known.join(", "));
            return Err(Error::no(message)
                .at(asked.origin.clone())
                .with_hint(format!("`--base {}` has images for `{shown}`", bases[0].id)));
        }
    }
    Ok(bases)
}

/// A version to hold constraints and markers against. A row without a patch stands for the newest one, whichever that is by
/// now.
pub(super) fn full(version: &Version) -> Version {
    const NEWEST: u64 = 99;
    match version.release() {
        [major, minor] => Version::new([*major, *minor, NEWEST]),
        _ => version.clone(),
    }
}

/// Whether a base's interpreter satisfies a constraint. Unless `exact`, a constraint that pins a patch version is satisfied
/// by another patch of the same version: a distribution has one only, and its fixes are backported. Conda has them all.
pub(super) fn fits(specifiers: &VersionSpecifiers, python: &BasePython, exact: bool) -> bool {
    use Operator::{Equal, EqualStar, ExactEqual};
    if matches!(python.provider, PythonProvider::Conda | PythonProvider::Pixi) {
        return allows(specifiers, &python.minor());
    }
    let version = full(&python.version);
    let pins_patch = |s: &VersionSpecifier| {
        matches!(s.operator(), Equal | ExactEqual | EqualStar) && s.version().release().len() > 2
    };
    let same_minor = |other: &Version| other.release()[..2] == python.version.release()[..2];
    specifiers.iter().all(|s| s.contains(&version) || (!exact && pins_patch(s) && same_minor(s.version())))
}

/// Why this Python: who asked for it, or else who ruled out what sconce would rather have taken.
fn python_choice(targets: &[Target], options: &PlanOptions, demands: &[Demand], at: usize) -> Choice<Version> {
    let chosen = targets[at].python.minor();
    let choice = |requested: &Origin, because: String| Choice::new(chosen.clone(), requested.clone(), because);
    if let Some(asked) = &options.python {
        return choice(&asked.origin, "it was asked for".to_owned());
    }
    let of_project = |demand: &&Demand| matches!(demand.kind, Kind::Enforced | Kind::Preference);
    // A project that allows this one only is the reason, whatever else there is to say.
    let others: Vec<usize> = (0..targets.len()).filter(|other| targets[*other].python.minor() != chosen).collect();
    let only = demands.iter().filter(of_project).find(|demand| others.iter().all(|other| !demand.allows(*other)));
    // Else whoever closed the door on the last that would have been better, the project before everyone else.
    let decisive = |at: usize| {
        let mut against = demands.iter().filter(|demand| demand.kind != Kind::OnRequest && !demand.allows(at));
        let of_base = |demand: &&Demand| demand.kind == Kind::Base;
        let weighty = against.clone().find(of_project).or_else(|| against.clone().find(of_base));
        weighty.or_else(|| against.next()).map(|demand| (demand, at))
    };
    let better = others.iter().rev().find(|other| **other < at).copied();
    let reason = match (only, others.first()) {
        (Some(demand), Some(other)) => Some((demand, *other)),
        _ => better.and_then(decisive),
    };
    match reason.and_then(|(demand, other)| Some((demand, demand.refusals[other].clone()?))) {
        Some((demand, _)) if demand.kind == Kind::Base => {
            choice(&demand.origin, format!("it is what {} brings", targets[at].base.id))
        }
        Some((demand, because)) => choice(&demand.origin, because),
        None => choice(&Origin::Default, "it is the default, and nothing asks for another".to_owned()),
    }
}

fn base_choice(
    target: &Target,
    options: &PlanOptions,
    wanted: Option<&Wanted>,
    python: &Choice<Version>,
) -> Choice<BaseImage> {
    let base = target.base;
    let image = BaseImage {
        id: base.id.clone(),
        reference: base.reference.replace("{python}", &python.value.to_string()),
        bootstrapped: base.bootstrapped(),
        suite: base.suite.clone(),
        package_manager: base.package_manager,
        provider: target.python.provider,
        interpreter: target.python.interpreter.clone(),
        sets: base.sets.clone(),
    };
    match (&options.base, wanted.filter(|wanted| wanted.provider == target.python.provider)) {
        (Some(asked), _) => Choice::new(image, asked.origin.clone(), "it was asked for"),
        (None, Some(wanted)) => Choice::new(image, wanted.origin.clone(), wanted.because.clone()),
        (None, None) => Choice::new(image, python.requested.clone(), format!("it brings Python {}", python.value)),
    }
}
