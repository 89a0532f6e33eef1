use pep440_rs::Version;

use super::PlanOptions;
use super::target::Target;
use super::wish::Verdict;
use crate::catalogue::Accelerator;
use crate::model::{Error, Note, Origin, Result, TorchBuild, Variant};

/// What stands in a base's reference for the release of its accelerator.
const PLACEHOLDER: &str = "{accelerator}";

/// The reference of the chosen base with the release of its accelerator that goes with the build of torch.
pub(super) fn reference(
    reference: &str,
    target: &Target,
    torch: &TorchBuild,
    options: &PlanOptions,
) -> Result<(String, Option<Note>)> {
    let Some(accelerator) = &target.base.accelerator else { return Ok((reference.to_owned(), None)) };
    let place = options.base.as_ref().map_or(Origin::Default, |asked| asked.origin.clone());
    if let Some(tag) = options.accelerator.as_ref().and_then(|asked| accelerator.releases.get(&asked.value)) {
        let named = options.accelerator.as_ref().and_then(|asked| asked.value.parse().ok());
        return Ok((reference.replace(PLACEHOLDER, tag), named.and_then(|named| apart(target, torch, &named, place))));
    }
    let (tag, note) = match wished(target, &torch.variant) {
        Some((kind, Some(version))) if kind == accelerator.kind => {
            (release(accelerator, &version).ok_or_else(|| none(target, accelerator, &version, &place))?, None)
        }
        // Whatever version it will be: the newest.
        Some((kind, None)) if kind == accelerator.kind => (newest(accelerator), None),
        None if torch.variant == Variant::Any => (newest(accelerator), None),
        _ => (newest(accelerator), Some(another(target, accelerator, &torch.variant, place))),
    };
    Ok((reference.replace(PLACEHOLDER, tag), note))
}

/// The accelerator that a build is for, as the catalogue calls it, with its version where that is known or, for the default
/// build of several releases, the newest one's.
fn wished(target: &Target, variant: &Variant) -> Option<(&'static str, Option<Version>)> {
    let parse = |version: &Option<String>| version.as_ref().and_then(|version| version.parse().ok());
    match variant {
        Variant::Cuda { version } => {
            let default = match &target.verdict {
                Verdict::Known { releases, .. } => releases.last().map(|release| release.cuda.clone()),
                _ => None,
            };
            Some(("cuda", parse(version).or(default)))
        }
        Variant::Rocm { version } => Some(("rocm", parse(version))),
        _ => None,
    }
}

/// The tag of the release of exactly this version, else of the newest of its major version that is not newer, so that no
/// driver is asked for that torch does not need, else of the oldest of its major version: within it, releases run with each
/// other's drivers (<https://docs.nvidia.com/deploy/cuda-compatibility/>), and extensions compile across them.
fn release<'a>(accelerator: &'a Accelerator, version: &Version) -> Option<&'a str> {
    let releases = sorted(accelerator);
    let same_major = || releases.iter().filter(|(known, _)| known.release().first() == version.release().first());
    let not_newer = same_major().rfind(|(known, _)| known <= version);
    not_newer.or_else(|| same_major().next()).map(|(_, tag)| *tag)
}

fn newest(accelerator: &Accelerator) -> &str {
    sorted(accelerator).last().map_or("", |(_, tag)| *tag)
}

/// The releases with their tags, the oldest first.
fn sorted(accelerator: &Accelerator) -> Vec<(Version, &str)> {
    let known = accelerator.releases.iter();
    let mut known: Vec<_> =
        known.filter_map(|(version, tag)| Some((version.parse::<Version>().ok()?, tag.as_str()))).collect();
    known.sort();
    known
}

fn none(target: &Target, accelerator: &Accelerator, version: &Version, place: &Origin) -> Error {
    let known: Vec<_> = sorted(accelerator).iter().map(|(version, _)| version.to_string()).collect();
    let name = name(&accelerator.kind);
    let message = format!("`{}` has no image for {name} {version}, which torch is built for", target.base.id);
    let hint = format!("it has {name} {}; `--variant` chooses another build of torch", known.join(", "));
    Error::no(message).at(place.clone()).with_hint(hint)
}

/// That an image was named whose release is of another major version than torch's build: extensions do not compile across.
fn apart(target: &Target, torch: &TorchBuild, named: &Version, place: Origin) -> Option<Note> {
    let (kind, Some(version)) = wished(target, &torch.variant)? else { return None };
    (version.release().first() != named.release().first()).then(|| {
        let name = name(kind);
        let message = format!("the image has {name} {named}, but torch will be the build for {name} {version}");
        Note::warning(message, place).with_hint("`--variant` chooses another build; extensions do not compile across")
    })
}

fn another(target: &Target, accelerator: &Accelerator, variant: &Variant, place: Origin) -> Note {
    let name = name(&accelerator.kind);
    let message = format!("`{}` brings {name}, but torch will be the build for {variant}", target.base.id);
    let mut examples = sorted(accelerator).into_iter().rev().map(|(version, _)| match accelerator.kind.as_str() {
        "cuda" => format!("cu{}", version.to_string().replace('.', "")),
        kind => format!("{kind}{version}"),
    });
    let releases = match &target.verdict {
        Verdict::Known { releases, .. } => releases.as_slice(),
        _ => &[],
    };
    let note = Note::warning(message, place);
    match examples.find(|variant| releases.iter().any(|release| release.offers(variant))) {
        Some(variant) => note.with_hint(format!("`--variant {variant}` takes a build for {name}")),
        None => note,
    }
}

/// What an accelerator is called among people.
fn name(kind: &str) -> &str {
    match kind {
        "cuda" => "CUDA",
        "rocm" => "ROCm",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_the_same_or_the_nearest_of_its_major_version() {
        let releases = ["12.4", "12.6", "12.10", "13.0"].map(|version| (version.to_owned(), format!("tag-{version}")));
        let cuda = Accelerator { kind: "cuda".to_owned(), compiler: false, releases: releases.into() };
        let tag = |version: &str| release(&cuda, &version.parse().unwrap());
        assert_eq!(tag("12.6"), Some("tag-12.6"));
        assert_eq!(tag("12.8"), Some("tag-12.6"), "not newer");
        assert_eq!(tag("12.1"), Some("tag-12.4"), "none is older");
        assert_eq!(tag("13.2"), Some("tag-13.0"));
        assert_eq!(tag("11.8"), None);
        assert_eq!(newest(&cuda), "tag-13.0");
    }
}
