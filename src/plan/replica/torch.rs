//! Which torch is installed.

use pep440_rs::Version;

use super::{Draft, Ground, ReplicaOptions};
use crate::catalogue::TorchRelease;
use crate::model::{Choice, Environment, Error, Note, Origin, ReplicaTorch, Result, Stated, TorchPlace, Variant};

/// The torch of a replica, and what is known of it.
pub(super) struct ChosenTorch<'a> {
    pub(super) choice: Choice<ReplicaTorch>,
    /// The version that will be there, without a local part, where it is known.
    pub(super) version: Option<Version>,
    /// The release that it is of, where that is known.
    pub(super) release: Option<&'a TorchRelease>,
    /// The build that will be there.
    pub(super) variant: Variant,
}

/// Who says that torch is a distribution's own build: its place, or a version such as `2.6.0+debian`.
pub(super) fn of_distribution(environment: &Environment, options: &ReplicaOptions) -> Option<Origin> {
    if options.torch.is_some() || options.variant.is_some() {
        return None;
    }
    let place = environment.place.as_ref().filter(|place| place.value == TorchPlace::Distribution);
    let local = |version: &Version| version.local().first().is_some_and(|part| part.to_string().starts_with("debian"));
    let torch = environment.torch.as_ref().filter(|torch| local(&torch.value));
    place.map(|place| place.origin.clone()).or_else(|| torch.map(|torch| torch.origin.clone()))
}

/// The version that was asked for, or reported.
fn stated(draft: &Draft) -> Option<Stated<Version>> {
    let asked = draft.options.torch.as_ref().map(|asked| Stated::new(asked.value.clone(), asked.origin.clone()));
    asked.or_else(|| draft.environment.torch.clone())
}

/// Whether a version is one that an index may have: no nightly, no build from source.
fn is_release(version: &Version) -> bool {
    !version.is_pre() && !version.is_dev()
}

/// The known release that the reported version is of, where it says so exactly: then the interpreter has to go with it.
pub(super) fn release<'a>(draft: &Draft<'a>) -> Option<&'a TorchRelease> {
    let stated = stated(draft)?;
    draft.catalogue.torch_release(&stated.value).filter(|_| is_release(&stated.value))
}

/// The torch for the interpreter that was chosen.
pub(super) fn torch<'a>(draft: &mut Draft<'a>, ground: &Ground<'a>) -> Result<ChosenTorch<'a>> {
    if let (Some(origin), Some(own)) = (&ground.distribution_torch, &ground.base.torch) {
        return Ok(distribution(draft, ground, origin, &own.version));
    }
    let python = ground.python.minor();
    let (version, requested, because) = if let Some(stated) = stated(draft) {
        let version = nearest(draft, &stated, &python);
        let is_same = version == stated.value.clone().without_local();
        let because = if is_same { "the report says so" } else { "it is the nearest release" };
        (Some(version), stated.origin, because)
    } else {
        let newest = draft.catalogue.torch().iter().rev().find(|release| release.has_wheel(&python));
        let version = newest.and_then(|release| release.versions.last().cloned());
        let shown = version.as_ref().map_or("the newest".to_owned(), ToString::to_string);
        draft.notes.push(Note::info(format!("the report names no torch: {shown} is taken"), Origin::Default));
        (version, Origin::Default, "the report names no torch")
    };
    let release = version.as_ref().and_then(|version| draft.catalogue.torch_release(version));
    let (variant, index) = build(draft, release, &ground.architecture.value)?;
    let torch = ReplicaTorch { version: version.clone(), variant: variant.clone(), index };
    Ok(ChosenTorch { choice: Choice::new(torch, requested, because), version, release, variant })
}

fn distribution<'a>(draft: &mut Draft<'a>, ground: &Ground, origin: &Origin, version: &Version) -> ChosenTorch<'a> {
    if let Some(stated) = draft.environment.torch.as_ref().filter(|torch| torch.value.release() != version.release()) {
        let reason = format!("{} has {version} of its own, and not {}", ground.base.id, stated.value);
        draft.differs("torch", reason);
    }
    let torch = ReplicaTorch { version: None, variant: Variant::Cpu, index: None };
    ChosenTorch {
        choice: Choice::new(torch, origin.clone(), "it is the distribution's own"),
        version: Some(version.clone()),
        release: draft.catalogue.torch_release(version),
        variant: Variant::Cpu,
    }
}

/// The release that stands for what was reported, and why, where it is another one.
fn nearest(draft: &mut Draft, stated: &Stated<Version>, python: &Version) -> Version {
    let said = &stated.value;
    let plain = Version::new(said.release().iter().copied().chain([0, 0, 0]).take(said.release().len().max(3)));
    let kind = kind(said);
    let Some(release) = draft.catalogue.torch_release(said) else {
        let newest = draft.catalogue.torch().last();
        let is_newer = newest.is_some_and(|row| *said > row.release);
        let last = newest.and_then(|row| row.versions.last().cloned());
        if let (Some(kind), true, Some(last)) = (kind, is_newer, last) {
            draft.differs("torch", format!("{kind}: {last} is the nearest release"));
            return last;
        }
        let message = format!("torch {plain} is not in the catalogue: whether it can be had is seen when it is built");
        draft.notes.push(Note::info(message, stated.origin.clone()));
        return plain;
    };
    let (release, why) = if release.has_wheel(python) {
        (release, kind.map(str::to_owned))
    } else {
        let has = draft.catalogue.torch().iter().filter(|row| row.has_wheel(python));
        let distance = |row: &&TorchRelease| position(draft, &row.release).abs_diff(position(draft, &release.release));
        let other = has.min_by_key(distance).unwrap_or(release);
        (other, Some(format!("torch {} has no wheel for Python {python}", release.release)))
    };
    let near = release.versions.iter().rev().find(|version| **version <= plain).or_else(|| release.versions.first());
    let found = near.cloned().unwrap_or_else(|| plain.clone());
    match why {
        Some(why) => draft.differs("torch", format!("{why}: {found} is the nearest release")),
        None if found != plain => {
            draft.differs("torch", format!("there is no torch {plain}: {found} is the nearest release"));
        }
        None => {}
    }
    found
}

fn position(draft: &Draft, release: &Version) -> usize {
    draft.catalogue.torch().iter().position(|row| row.release == *release).unwrap_or_default()
}

/// Why a version is none that an index keeps.
fn kind(version: &Version) -> Option<&'static str> {
    let local: Vec<String> = version.local().iter().map(ToString::to_string).collect();
    let from_source = local.first().is_some_and(|part| part.starts_with("git") || part.contains("nv"));
    match () {
        () if version.is_dev() => Some("it is a nightly build, which is not kept"),
        () if from_source || version.is_pre() && !local.is_empty() => Some("it was built from source"),
        () if version.is_pre() => Some("it is a release candidate, which is not kept"),
        () => None,
    }
}

/// The build, and its name where the primary index has another one.
fn build(draft: &mut Draft, release: Option<&TorchRelease>, architecture: &str) -> Result<(Variant, Option<String>)> {
    let default = release.map_or(Variant::Any, |release| release.default_variant(architecture));
    if let Some(asked) = &draft.options.variant {
        let variant = Variant::named(&asked.value).ok_or_else(|| {
            Error::usage(format!("`{}` is not a variant", asked.value.escape_debug()))
                .at(asked.origin.clone())
                .with_hint("variants are named as uv names them: `cpu`, `cu128`, `rocm6.4`, `xpu`")
        })?;
        let index = (variant != default).then(|| asked.value.clone());
        if let Some(stated) = draft.environment.variant.as_ref().filter(|stated| !stated.value.includes(&variant)) {
            draft.differs("variant", format!("{variant} was asked for, in place of {}", stated.value));
        }
        return Ok((variant, index));
    }
    let Some((name, wanted)) = reported(draft) else { return Ok((default, None)) };
    if wanted.includes(&default) && default != Variant::Any {
        return Ok((default, None));
    }
    let Some(name) = name else {
        draft.differs("variant", format!("the report does not say which {wanted}: the default build is taken"));
        return Ok((default, None));
    };
    match release {
        Some(release) if !release.offers(&name) => {
            let reason =
                format!("torch {} is not built for {wanted}: its default build is for {default}", release.release);
            draft.differs("variant", reason);
            Ok((default, None))
        }
        _ => Ok((wanted, Some(name))),
    }
}

/// The build that was reported: as uv names it, where it says that exactly, and what it is for. pip's list shows no local part
/// for what the primary index has, and a version asked for says nothing of the reporter's build.
fn reported(draft: &Draft) -> Option<(Option<String>, Variant)> {
    let tag = |torch: &Stated<Version>| {
        let local: Vec<String> = torch.value.local().iter().map(ToString::to_string).collect();
        local.join(".")
    };
    let tag = draft.environment.torch.as_ref().map(tag).unwrap_or_default();
    if let Some(variant) = Variant::named(&tag) {
        return Some((Some(tag), variant));
    }
    let stated = draft.environment.variant.as_ref()?;
    (stated.value != Variant::Any).then(|| (name(&stated.value), stated.value.clone()))
}

/// A build as torch's own index and uv name it, where its version is known.
fn name(variant: &Variant) -> Option<String> {
    let is_version =
        |version: &str| version.split('.').count() == 2 && version.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    match variant {
        Variant::Cpu => Some("cpu".to_owned()),
        Variant::Xpu => Some("xpu".to_owned()),
        Variant::Cuda { version: Some(version) } if is_version(version) => {
            Some(format!("cu{}", version.replace('.', "")))
        }
        Variant::Rocm { version: Some(version) } if is_version(version) => Some(format!("rocm{version}")),
        _ => None,
    }
}

/// The local part that `torch.__version__` has for a build.
pub(super) fn local(torch: &ReplicaTorch) -> Option<String> {
    torch.index.clone().or_else(|| name(&torch.variant))
}
