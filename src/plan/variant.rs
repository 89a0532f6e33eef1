use std::collections::BTreeSet;

use super::target::Target;
use super::wish::Verdict;
use super::{Asked, PlanOptions};
use crate::catalogue::Catalogue;
use crate::model::{
    Choice, Error, Installer, Note, Origin, Project, Requirement, Result, TorchBuild, TorchSource, Variant,
};

/// The torch that will be installed, and what a reader should know of it.
pub(super) fn torch(
    project: &Project,
    target: &Target,
    catalogue: &Catalogue,
    options: &PlanOptions,
    installer: Installer,
) -> Result<(Choice<TorchBuild>, Vec<Note>)> {
    let source = options.torch_source.as_ref().map_or(TorchSource::Index, |asked| asked.value);
    let build = |variant, backend| TorchBuild { source, specifiers: target.wish.specifiers.clone(), variant, backend };
    if source == TorchSource::Distribution {
        return distribution(target, options, build(Variant::Cpu, None));
    }
    let mut notes: Vec<_> = [missing(project, target), newer(target, catalogue)].into_iter().flatten().collect();
    if let Some(asked) = &options.variant {
        let variant = asked_variant(asked, target, installer)?;
        let because = format!("the `{}` build was asked for", asked.value);
        let build = build(variant, Some(asked.value.clone()));
        return Ok((Choice::new(build, asked.origin.clone(), because), notes));
    }
    let (variant, because) = expected(project, target, options);
    if matches!(variant, Variant::Cuda { .. }) && target.wish.local_tag().is_none() {
        notes.push(cost(target, catalogue, installer));
    }
    let origin = target.wish.requirements.first().map_or(Origin::Default, |r| r.origin.clone());
    Ok((Choice::new(build(variant, None), origin, because), notes))
}

fn distribution(target: &Target, options: &PlanOptions, build: TorchBuild) -> Result<(Choice<TorchBuild>, Vec<Note>)> {
    if let Some(asked) = options.variant.as_ref().filter(|asked| asked.value != "cpu") {
        let message = format!("`{}` is not to be had: the torch of {} is for the CPU", asked.value, target.base.id);
        return Err(Error::usage(message).at(asked.origin.clone()));
    }
    let origin = options.torch_source.as_ref().map_or(Origin::Default, |asked| asked.origin.clone());
    Ok((Choice::new(build, origin, format!("the torch of {} was asked for", target.base.id)), Vec::new()))
}

/// What the proof is held against where no variant was asked for: never more than is certain beforehand.
fn expected(project: &Project, target: &Target, options: &PlanOptions) -> (Variant, String) {
    let wish = &target.wish;
    if let Some(variant) = wish.local_tag().as_deref().and_then(parse) {
        return (variant, format!("{} names the build", wish.texts()));
    }
    let asked = if wish.requirements.is_empty() {
        "nothing asks for torch by name".to_owned()
    } else {
        format!("the project asks for {}", wish.texts())
    };
    let named = project.indexes.first().map(|index| &index.origin);
    let named = named.or_else(|| options.indexes.first().map(|index| &index.origin));
    if let Some(origin) = wish.elsewhere.map(|r| &r.origin).or(named) {
        return (Variant::Any, format!("{asked}, and {origin} says where it comes from"));
    }
    if wish.requirements.is_empty() || options.architecture() != "amd64" {
        return (Variant::Any, asked);
    }
    let version = match &target.verdict {
        Verdict::Known { releases, newer: false } => {
            let first = releases.first().map(|release| &release.cuda);
            first.filter(|cuda| releases.iter().all(|r| r.cuda == **cuda)).map(ToString::to_string)
        }
        _ => None,
    };
    (Variant::Cuda { version }, format!("{asked}, and the package index has it for CUDA"))
}

fn asked_variant(asked: &Asked<String>, target: &Target, installer: Installer) -> Result<Variant> {
    let value = &asked.value;
    let unknown = || {
        Error::usage(format!("`{}` is not a variant", value.escape_debug()))
            .at(asked.origin.clone())
            .with_hint("variants are named as uv names them: `cpu`, `cu128`, `rocm6.4`, `xpu`")
    };
    let variant = parse(value).ok_or_else(unknown)?;
    if installer == Installer::Pip {
        return Err(Error::usage(format!("pip cannot choose the variant `{value}`"))
            .at(asked.origin.clone())
            .with_hint("use uv, or name the variant's own index with `--index-url`"));
    }
    let wish = &target.wish;
    if let Some(requirement) = wish.elsewhere {
        let message =
            format!("`{value}` cannot be had: `{}` ({}) names one build", requirement.text, requirement.origin);
        return Err(Error::no(message).at(asked.origin.clone()));
    }
    match wish.local_tag() {
        Some(tag) if tag != *value => {
            let message = format!("`{value}` is not the build that {} pins", wish.spelled_out());
            Err(Error::no(message).at(asked.origin.clone()))
        }
        _ => Ok(variant),
    }
}

/// The variant that a back end's name or a local version tag speaks of. CUDA versions are taken as they come: a list of
/// them would be out of date soon.
fn parse(tag: &str) -> Option<Variant> {
    let digits = |text: &str, least| text.len() >= least && text.bytes().all(|b| b.is_ascii_digit());
    if let Some(cuda) = tag.strip_prefix("cu").filter(|cuda| digits(cuda, 2)) {
        let (major, minor) = cuda.split_at(cuda.len() - 1);
        return Some(Variant::Cuda { version: Some(format!("{major}.{minor}")) });
    }
    if let Some(rocm) = tag.strip_prefix("rocm").filter(|rocm| rocm.split('.').all(|part| digits(part, 1))) {
        let mut parts = rocm.split('.');
        let version = [parts.next()?, parts.next()?].join(".");
        return Some(Variant::Rocm { version: Some(version) });
    }
    match tag {
        "cpu" => Some(Variant::Cpu),
        "xpu" => Some(Variant::Any),
        _ => None,
    }
}

fn missing(project: &Project, target: &Target) -> Option<Note> {
    target.wish.requirements.is_empty().then(|| {
        let message = "nothing asks for torch by name; the proof fails unless it comes with another distribution";
        let extras = extras_with_torch(project, target);
        let hint = if extras.is_empty() {
            "add `torch` to the requirements".to_owned()
        } else {
            format!("{} asks for it", extras.join(" or "))
        };
        Note::warning(message, Origin::Default).with_hint(hint)
    })
}

/// The flags that would bring torch, had they been given.
fn extras_with_torch(project: &Project, target: &Target) -> Vec<String> {
    let applies = |r: &&Requirement| target.environment.applies(&Requirement { extra: None, ..(*r).clone() });
    let extras: BTreeSet<&str> =
        project.requirements_on("torch").filter(applies).filter_map(|r| r.extra.as_deref()).collect();
    extras.into_iter().map(|extra| format!("`--extra {extra}`")).collect()
}

fn newer(target: &Target, catalogue: &Catalogue) -> Option<Note> {
    let requirement = target.wish.requirements.first()?;
    let last = &catalogue.torch().last()?.release;
    matches!(target.verdict, Verdict::Newer).then(|| {
        let python = target.python.minor();
        let message = format!(
            "{} is newer than torch {last}, the last that sconce knows; the proof will tell whether it compiles on Python {python}",
            target.wish.spelled_out()
        );
        Note::info(message, requirement.origin.clone())
    })
}

/// What the default build costs, and what would change it.
fn cost(target: &Target, catalogue: &Catalogue, installer: Installer) -> Note {
    let newest = match &target.verdict {
        Verdict::Known { releases, .. } => releases.last().copied(),
        _ => catalogue.torch().last(),
    };
    let size = match newest.and_then(|release| release.installed_gb) {
        Some(gigabytes) => format!("about {gigabytes} GB in all"),
        None => "gigabytes of them".to_owned(),
    };
    let origin = target.wish.requirements.first().map_or(Origin::Default, |r| r.origin.clone());
    let by = if installer == Installer::Uv { "" } else { ", with uv as the installer," };
    Note::info(format!("torch from the package index brings the CUDA libraries with it, {size}"), origin)
        .with_hint(format!("`--variant cpu`{by} takes the build without them, where no GPU will be used"))
}
