//! The base and the interpreter.

use pep440_rs::Version;

use super::{Draft, torch};
use crate::catalogue::{Base, BasePython};
use crate::model::{
    Choice, Error, Installation, Note, Origin, PythonProvider, Result, Stated, SystemFamily, TorchPlace,
};

/// What a replica stands on.
pub(super) struct Ground<'a> {
    pub(super) base: &'a Base,
    pub(super) requested: Origin,
    pub(super) because: String,
    pub(super) python: &'a BasePython,
    /// What the provider is asked for.
    pub(super) wanted: Choice<Version>,
    pub(super) architecture: Choice<String>,
    /// Who says that torch is the distribution's own, where the base has one.
    pub(super) distribution_torch: Option<Origin>,
}

impl Ground<'_> {
    pub(super) fn is_conda(&self) -> bool {
        self.python.provider == PythonProvider::Conda
    }
}

/// A base, and why.
struct Chosen<'a> {
    base: &'a Base,
    requested: Origin,
    because: String,
    /// Whether another may stand in its place.
    fixed: bool,
}

/// Chooses the base by the system, and on it the interpreter.
pub(super) fn ground<'a>(draft: &mut Draft<'a>) -> Result<Ground<'a>> {
    let architecture = architecture(draft)?;
    let wanted = wanted(draft);
    let chosen = base(draft, wanted.as_ref().map(|wanted| &wanted.value), &architecture.value)?;
    let distribution_torch =
        torch::of_distribution(draft.environment, draft.options).filter(|_| chosen.base.torch.is_some());
    let (chosen, python, wanted) =
        interpreter(draft, chosen, wanted, &architecture.value, distribution_torch.is_some())?;
    installation(draft, python);
    let Chosen { base, requested, because, .. } = chosen;
    Ok(Ground { base, requested, because, python, wanted, architecture, distribution_torch })
}

fn minor(version: &Version) -> Version {
    Version::new(version.release().iter().copied().chain([0, 0]).take(2))
}

/// The interpreter that was asked for, or reported.
fn wanted(draft: &Draft) -> Option<Stated<Version>> {
    let asked = draft.options.python.as_ref().map(|asked| Stated::new(asked.value.clone(), asked.origin.clone()));
    asked.or_else(|| draft.environment.python.clone())
}

fn architecture(draft: &mut Draft) -> Result<Choice<String>> {
    let (catalogue, environment) = (draft.catalogue, draft.environment);
    let known = |name: &str| catalogue.bases().iter().any(|base| base.is_for(name));
    if let Some(asked) = &draft.options.architecture {
        if !known(&asked.value) {
            return Err(
                Error::no(format!("no base has images for `{}`", asked.value.escape_debug())).at(asked.origin.clone())
            );
        }
        if let Some(stated) = environment.architecture.as_ref().filter(|stated| stated.value != asked.value) {
            draft.differs("architecture", format!("`{}` is built for, in place of `{}`", asked.value, stated.value));
        }
        return Ok(Choice::new(asked.value.clone(), asked.origin.clone(), "it was asked for"));
    }
    match &environment.architecture {
        Some(stated) if known(&stated.value) => {
            Ok(Choice::new(stated.value.clone(), stated.origin.clone(), "the report says so"))
        }
        Some(stated) => {
            draft.differs("architecture", format!("no base has images for `{}`", stated.value));
            Ok(Choice::new("amd64".to_owned(), stated.origin.clone(), "there is no base for what was reported"))
        }
        None => Ok(Choice::new("amd64".to_owned(), Origin::Default, "the report does not say which")),
    }
}

/// The base: what was asked for, what holds conda or an image's Python, else what the system's row says.
fn base<'a>(draft: &mut Draft<'a>, python: Option<&Version>, architecture: &str) -> Result<Chosen<'a>> {
    let catalogue = draft.catalogue;
    if let Some(asked) = &draft.options.base {
        let base = catalogue.base(&asked.value).map_err(|error| error.at(asked.origin.clone()))?;
        if base.python.iter().all(|python| python.provider == PythonProvider::Pixi) || !base.is_for(architecture) {
            let message = format!("`{}` cannot be the base of a replica for `{architecture}`", base.id);
            return Err(Error::no(message).at(asked.origin.clone()).with_hint("`sconce images` lists the bases"));
        }
        if draft.environment.system.is_some() && reported(draft).is_none_or(|(id, _)| id != base.id) {
            draft.differs("system", format!("{} was asked for in its place", base.id));
        }
        return Ok(Chosen {
            base,
            requested: asked.origin.clone(),
            because: "it was asked for".to_owned(),
            fixed: true,
        });
    }
    let special = by_installation(draft, python);
    let (id, requested, because) = special.unwrap_or_else(|| system(draft, python));
    if let Some(base) = catalogue.bases().iter().find(|base| base.id == id).filter(|base| base.is_for(architecture)) {
        return Ok(Chosen { base, requested, because, fixed: false });
    }
    let first = catalogue.bases().iter().find(|base| base.is_for(architecture));
    let base = first.ok_or_else(|| Error::no(format!("no base has images for `{architecture}`")))?;
    draft.differs("system", format!("`{id}` has no image for `{architecture}`"));
    let because = "it is the first with images for this architecture".to_owned();
    Ok(Chosen { base, requested, because, fixed: false })
}

/// The base for an interpreter that no distribution has: conda's, and that of the `python:` images; and for a torch that one
/// distribution has.
fn by_installation(draft: &mut Draft, python: Option<&Version>) -> Option<(String, Origin, String)> {
    let environment = draft.environment;
    if let Some(origin) = torch::of_distribution(environment, draft.options) {
        let wanted = environment.torch.as_ref().map(|torch| torch.value.release().to_vec()).unwrap_or_default();
        let mut with = draft.catalogue.bases().iter().filter(|base| base.torch.is_some());
        let same = with.clone().find(|base| base.torch.as_ref().is_some_and(|torch| torch.version.release() == wanted));
        let base = same.or_else(|| with.next())?;
        other_system(draft, &base.id, "a torch of its own");
        return Some((base.id.clone(), origin, "it has a torch of its own".to_owned()));
    }
    let of_conda =
        environment.place.as_ref().filter(|place| place.value == TorchPlace::Conda).map(|place| &place.origin);
    let stated = environment.installation.as_ref();
    let provider = match (stated.map(|stated| stated.value), of_conda) {
        (Some(Installation::Conda), _) | (None, Some(_)) => PythonProvider::Conda,
        (Some(Installation::Image), _) => PythonProvider::Image,
        _ => return None,
    };
    let origin = stated.map(|stated| &stated.origin).or(of_conda)?.clone();
    let brings =
        |one: &BasePython| one.provider == provider && python.is_none_or(|python| one.minor() == minor(python));
    let base = draft.catalogue.bases().iter().find(|base| base.python.iter().any(brings))?;
    let what = if provider == PythonProvider::Conda { "conda's packages" } else { "the same build of the interpreter" };
    other_system(draft, &base.id, what);
    Some((base.id.clone(), origin, format!("it has {what}")))
}

/// Says that a base stands in place of the reported system for the sake of what it has.
fn other_system(draft: &mut Draft, base: &str, what: &str) {
    if draft.environment.system.is_some() && reported(draft).is_none_or(|(id, exact)| id != base || !exact) {
        draft.differs("system", format!("{base} is what has {what}"));
    }
}

/// The id of the base that the reported system's row names, and whether that is the very system.
fn reported(draft: &Draft) -> Option<(String, bool)> {
    let system = &draft.environment.system.as_ref()?.value;
    let row = draft.catalogue.replicas().system(system.distribution.as_deref()?)?;
    let (release, id) = row.nearest(system.release.as_deref())?;
    let exact = row.because.is_none() && system.release.as_deref().is_none_or(|said| is_of(said, release));
    Some((id.to_owned(), exact))
}

/// Whether a release is, or belongs to, the one that a base is of: `9.4` to `9`.
fn is_of(said: &str, release: &str) -> bool {
    said.strip_prefix(release).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '/']))
}

/// The id of the base that the reported system's row names, and why; the reason where it is another system.
fn system(draft: &mut Draft, python: Option<&Version>) -> (String, Origin, String) {
    let Some(stated) = &draft.environment.system else {
        let id = default(draft, python);
        draft.notes.push(Note::info(format!("the report names no system: `{id}` is taken"), Origin::Default));
        return (id, Origin::Default, "the report names no system".to_owned());
    };
    let (system, origin) = (&stated.value, stated.origin.clone());
    let replicas = draft.catalogue.replicas();
    if system.family != SystemFamily::Linux && !system.wsl {
        let id = default(draft, python);
        draft.differs("system", replicas.family(system.family));
        return (id, origin, "the reporter's system cannot run in a container".to_owned());
    }
    let row = system.distribution.as_deref().and_then(|name| replicas.system(name));
    let Some((row, (release, id))) = row.and_then(|row| Some((row, row.nearest(system.release.as_deref())?))) else {
        let id = default(draft, python);
        draft.differs("system", format!("there is no base for this system: {id} stands in its place"));
        return (id, origin, "there is no base for the reported system".to_owned());
    };
    let is_same = |said: &str| is_of(said, release);
    match (&row.because, system.release.as_deref()) {
        (Some(because), _) => draft.differs("system", format!("{id} is the nearest base: {because}")),
        (None, Some(said)) if !is_same(said) && !release.chars().all(char::is_alphabetic) => {
            draft.differs("system", format!("{id} is the nearest release that there is a base of"));
        }
        _ if system.wsl => draft.differs("system", "a container runs on a Linux of its own, not on that of Windows"),
        _ => {}
    }
    let same = row.because.is_none() && system.release.as_deref().is_some_and(is_same);
    let because = if same { "it is the reported system" } else { "it is the nearest to the reported system" };
    (id.to_owned(), origin, because.to_owned())
}

/// Where no system says which: the first base that has the interpreter by its own packages.
fn default(draft: &Draft, python: Option<&Version>) -> String {
    let ids = &draft.catalogue.replicas().default;
    let brings = |id: &&String| {
        let base = draft.catalogue.bases().iter().find(|base| base.id == **id);
        let has = |one: &BasePython| {
            one.provider == PythonProvider::Distribution && python.is_some_and(|python| one.minor() == minor(python))
        };
        base.is_some_and(|base| base.python.iter().any(has))
    };
    ids.iter().find(brings).or_else(|| ids.first()).cloned().unwrap_or_default()
}

/// The interpreter: the reported one on this base, else on the next that has it, else the nearest one here.
fn interpreter<'a>(
    draft: &mut Draft<'a>,
    chosen: Chosen<'a>,
    wanted: Option<Stated<Version>>,
    architecture: &str,
    of_distribution: bool,
) -> Result<(Chosen<'a>, &'a BasePython, Choice<Version>)> {
    let none = || Error::no(format!("`{}` has no interpreter", chosen.base.id));
    let release = torch::release(draft);
    let fits = |python: &BasePython| {
        let own = chosen.base.torch.as_ref().filter(|_| of_distribution);
        match own {
            Some(torch) => python.minor() == torch.python,
            None => release.is_none_or(|release| release.has_wheel(&python.minor())),
        }
    };
    let Some(stated) = wanted else {
        let base = chosen.base;
        let python = base.python.iter().find(|one| fits(one)).or_else(|| base.python.first()).ok_or_else(none)?;
        draft.notes.push(Note::info(
            format!("the report names no Python: {} of {} is taken", python.minor(), base.id),
            Origin::Default,
        ));
        return Ok((chosen, python, Choice::new(python.minor(), Origin::Default, "the report names no Python")));
    };
    let asked = minor(&stated.value);
    if let Some(python) = chosen.base.python.iter().find(|one| one.minor() == asked && fits(one)) {
        let choice = exact(draft, python, &stated, chosen.base);
        return Ok((chosen, python, choice));
    }
    let wheel = release.is_none_or(|release| release.has_wheel(&asked));
    if !chosen.fixed && wheel && !of_distribution {
        let has = |base: &'a Base| {
            let has = |one: &&BasePython| one.minor() == asked && one.provider != PythonProvider::Pixi;
            Some((base, base.python.iter().find(has)?))
        };
        let mut bases = draft.catalogue.bases().iter().filter(|base| base.is_for(architecture));
        if let Some((base, python)) = bases.find_map(has) {
            let because = format!("{} has no Python {asked}, and it has", chosen.base.id);
            let reason =
                format!("{} has no Python {asked}: {} is the nearest base that has it", chosen.base.id, base.id);
            draft.reasons.insert("system".to_owned(), reason);
            let chosen = Chosen { base, because, ..chosen };
            let choice = exact(draft, python, &stated, base);
            return Ok((chosen, python, choice));
        }
    }
    let candidates = chosen.base.python.iter().filter(|one| fits(one));
    let nearest = candidates.min_by_key(|one| distance(&one.minor(), &asked)).or_else(|| chosen.base.python.first());
    let python = nearest.ok_or_else(none)?;
    let why = match release.filter(|_| !wheel) {
        Some(release) => format!("torch {} has no wheel for Python {asked}", release.release),
        None => format!("{} has no Python {asked}", chosen.base.id),
    };
    draft.differs("python", format!("{why}: {} is the nearest", python.minor()));
    Ok((chosen, python, Choice::new(python.minor(), stated.origin, why)))
}

fn distance(a: &Version, b: &Version) -> u64 {
    let number = |version: &Version| {
        version.release().iter().take(2).fold(0_u64, |all, part| all.saturating_mul(1000).saturating_add(*part))
    };
    number(a).abs_diff(number(b))
}

/// The interpreter of the reported `X.Y`, as exact as its provider can be asked for it.
fn exact(draft: &mut Draft, python: &BasePython, stated: &Stated<Version>, base: &Base) -> Choice<Version> {
    let said = &stated.value;
    let full = said.release().len() > 2;
    let has_all = matches!(python.provider, PythonProvider::Conda);
    if full && !has_all && python.version.release() != said.release() {
        let reason = if python.version.release().len() > 2 {
            format!("{} has {} and no other patch of it", base.id, python.version)
        } else {
            format!("the newest patch of {} is taken, since older ones are not kept", python.minor())
        };
        draft.differs("python", reason);
    }
    let version = if full && has_all { Version::new(said.release().iter().take(3)) } else { python.minor() };
    Choice::new(version, stated.origin.clone(), "the report says so")
}

/// Says where the interpreter comes from, where it is not from where the reporter's came.
fn installation(draft: &mut Draft, python: &BasePython) {
    let Some(stated) = &draft.environment.installation else { return };
    let had = of_provider(python.provider);
    if Some(stated.value) != had {
        let from = match python.provider {
            PythonProvider::Distribution => "it is a package of the distribution here",
            PythonProvider::Deadsnakes => "it is from deadsnakes here",
            PythonProvider::Image => "it is the one of the official image here",
            PythonProvider::Uv => "it is one of python-build-standalone here, as uv installs them",
            PythonProvider::Conda | PythonProvider::Pixi => "it is conda's here",
            PythonProvider::Source => "it is compiled here",
        };
        draft.differs("installation", from);
    }
}

/// How an interpreter of a provider was installed.
pub(super) fn of_provider(provider: PythonProvider) -> Option<Installation> {
    Some(match provider {
        PythonProvider::Distribution => Installation::Distribution,
        PythonProvider::Image => Installation::Image,
        PythonProvider::Deadsnakes => Installation::Deadsnakes,
        PythonProvider::Uv => Installation::Uv,
        PythonProvider::Conda | PythonProvider::Pixi => Installation::Conda,
        PythonProvider::Source => return None,
    })
}
