use std::collections::BTreeSet;

use super::Question;
use super::arrival::{self, Arrival, Named};
use super::prediction;
use crate::model::{Installer, Note, Origin, Prediction, Requirement, TorchSource, TorchVia, Variant};
use crate::plan::wish::Verdict;

/// What a reader should know of the torch that will come, before it comes.
pub(super) fn notes(question: Question, arrival: &Arrival, prediction: &Prediction) -> Vec<Note> {
    if question.source() == TorchSource::Distribution {
        return Vec::new();
    }
    let wrong = wrong_target(question, arrival, prediction);
    let conda = conda_says(question, prediction);
    let cost = cost(question, arrival, prediction).filter(|_| wrong.is_none() && conda.is_none());
    let each = [
        missing(question, arrival, prediction),
        newer(question),
        unbound(question, arrival),
        overruled(question, arrival),
        conda,
        unoffered(question, arrival),
        outrun(question, arrival, prediction),
        wrong,
        cost,
    ];
    each.into_iter().flatten().collect()
}

fn origin(question: Question) -> Origin {
    question.target.wish.requirements.first().map_or(Origin::Default, |r| r.origin.clone())
}

/// Advice to take another variant, where the installer can.
fn take(question: Question, variant: &str, why: &str) -> String {
    let by = if question.installer == Installer::Uv { "" } else { ", with uv as the installer," };
    format!("`--variant {variant}`{by} takes {why}")
}

/// Nobody asks for torch by name.
fn missing(question: Question, arrival: &Arrival, prediction: &Prediction) -> Option<Note> {
    if let Some(lock) = arrival::without_torch(question) {
        let message = format!("`{lock}` brings no torch with what is asked for; the proof will fail");
        let note = Note::warning(message, Origin::file(lock, 1));
        let extras = extras_with_torch(question);
        return Some(if extras.is_empty() {
            note
        } else {
            note.with_hint(format!("{} brings it", extras.join(" or ")))
        });
    }
    if !question.target.wish.requirements.is_empty() || arrival.version.is_some() {
        return None;
    }
    if let Some((package, origin)) = through(question) {
        let message = format!("torch comes with `{package}`: probably {prediction}");
        let note = Note::info(message, origin.clone());
        let open = arrival.named.is_none() && matches!(prediction.variant, Variant::Cuda { .. });
        let cpu = || take(question, "cpu", "the build without CUDA's libraries, where no GPU will be used");
        return Some(if open { note.with_hint(cpu()) } else { note });
    }
    let message = "nothing asks for torch by name; the proof fails unless it comes with another distribution";
    let extras = extras_with_torch(question);
    let hint = if extras.is_empty() {
        "add `torch` to the requirements".to_owned()
    } else {
        format!("{} asks for it", extras.join(" or "))
    };
    Some(Note::warning(message, Origin::Default).with_hint(hint))
}

/// The first distribution that is known to bring torch.
pub(super) fn through(question: Question<'_>) -> Option<(&str, &Origin)> {
    question.facts().find_map(|fact| match &fact.via {
        TorchVia::Package { package } | TorchVia::BuiltFor { package } => Some((package.as_str(), &fact.origin)),
        _ => None,
    })
}

/// The flags that would bring torch, had they been given.
fn extras_with_torch(question: Question) -> Vec<String> {
    let environment = &question.target.environment;
    let applies = |r: &&Requirement| environment.applies(&Requirement { extra: None, group: None, ..(*r).clone() });
    let flag = |r: &Requirement| match (&r.extra, &r.group) {
        (Some(extra), _) => Some(format!("`--extra {extra}`")),
        (None, Some(group)) => Some(format!("`--group {group}`")),
        (None, None) => None,
    };
    let flags: BTreeSet<String> = question.project.requirements_on("torch").filter(applies).filter_map(flag).collect();
    flags.into_iter().collect()
}

fn newer(question: Question) -> Option<Note> {
    let (wish, verdict) = (&question.target.wish, &question.target.verdict);
    let requirement = wish.requirements.first()?;
    let last = &question.catalogue.torch().last()?.release;
    matches!(verdict, Verdict::Newer).then(|| {
        let python = question.target.python.minor();
        let message = format!(
            "{} is newer than torch {last}, the last that sconce knows; the proof will tell whether it compiles on Python {python}",
            wish.spelled_out()
        );
        Note::info(message, requirement.origin.clone())
    })
}

/// An index bound to torch, which nobody asks for directly: a binding holds for the requirements that a file has itself
/// (<https://docs.astral.sh/uv/concepts/projects/dependencies/#dependency-sources>).
fn unbound(question: Question, arrival: &Arrival) -> Option<Note> {
    let (index, origin) = arrival::bound(question)?;
    if arrival::is_direct(question) || question.lock.is_some() {
        return None;
    }
    let (package, asker) = through(question)?;
    let what = arrival.named.as_ref().map_or_else(String::new, |named| format!(" ({})", named.name));
    let message = format!(
        "torch is bound to `{}`, but only `{package}` ({asker}) asks for it, which a binding does not reach: it comes from the other indexes{what}",
        index.url
    );
    Some(Note::warning(message, origin.clone()).with_hint("add `torch` to the requirements beside it"))
}

/// A variant that was asked for, and another that the project names.
fn overruled(question: Question, arrival: &Arrival) -> Option<Note> {
    let asked = question.options.variant.as_ref()?;
    let named = project_names(question)?;
    (arrival.backend.is_some() && named.variant != Variant::named(&asked.value)?).then(|| {
        let message =
            format!("{} `{}` wins over `{}`, which {} names", asked.origin, asked.value, named.name, named.origin);
        Note::warning(message, named.origin)
    })
}

/// The variant that the project's own indexes name, or conda's packages.
fn project_names(question: Question) -> Option<Named> {
    arrival::of_indexes(question).or_else(|| arrival::of_conda(question))
}

/// What conda would bring, where its packages are taken from the package index.
fn conda_says(question: Question, prediction: &Prediction) -> Option<Note> {
    if question.is_conda() || question.options.variant.is_some() {
        return None;
    }
    let named = arrival::of_conda(question)?;
    (!named.variant.includes(&prediction.variant)).then(|| {
        let message = format!(
            "conda would bring torch for {}; the package index has it for {}",
            named.variant, prediction.variant
        );
        Note::warning(message, named.origin.clone()).with_hint(take(
            question,
            &named.name,
            "what the project asks conda for",
        ))
    })
}

/// A name that the releases in question are not known by. The rows may be out of date: the index decides.
fn unoffered(question: Question, arrival: &Arrival) -> Option<Note> {
    let named = arrival.named.as_ref().filter(|named| named.sure)?;
    let rows = question.catalogue.torch();
    if !rows.iter().any(|row| row.offers(&named.name)) {
        let message = format!("sconce knows no torch for `{}`: the index will tell whether there is one", named.name);
        return Some(Note::info(message, named.origin.clone()));
    }
    let release = match &arrival.version {
        Some(version) => question.catalogue.torch_release(version).filter(|row| !row.offers(&named.name))?,
        None if prediction::release(question, arrival).is_some() => return None,
        None => match &question.target.verdict {
            Verdict::Known { releases, newer: false } => releases.last()?,
            _ => return None,
        },
    };
    let known: Vec<_> = release.variants.iter().map(|name| format!("`{name}`")).collect();
    let message = format!(
        "sconce knows torch {} for {}, not for `{}`: the index will tell whether there is one",
        release.release,
        known.join(", "),
        named.name
    );
    Some(Note::info(message, named.origin.clone()))
}

/// An index besides the default one that lags behind it: installers take the newest version of all.
fn outrun(question: Question, arrival: &Arrival, prediction: &Prediction) -> Option<Note> {
    let named = arrival.named.as_ref().filter(|named| !named.sure && arrival.version.is_none())?;
    let release = prediction::release(question, arrival)?;
    let Verdict::Known { releases, .. } = &question.target.verdict else { return None };
    let last = releases.iter().rev().find(|row| row.offers(&named.name)).filter(|_| !release.offers(&named.name))?;
    let message = format!(
        "torch is known for `{}` up to {}; the package index has {} for {}, and the newest version is taken",
        named.name, last.release, release.release, prediction.variant
    );
    let hint = format!("`torch=={}.*` in the requirements keeps to that index", last.release);
    Some(Note::warning(message, named.origin.clone()).with_hint(hint))
}

/// A build for one kind of device, and a project that is about another.
fn wrong_target(question: Question, arrival: &Arrival, prediction: &Prediction) -> Option<Note> {
    match &prediction.variant {
        Variant::Cpu => {
            let sign = sign_of_gpu(question)?;
            let message = format!("torch will be for the CPU only, and {}", sign.0);
            let note = Note::warning(message, sign.1);
            Some(if arrival.backend.is_some() {
                note
            } else {
                note.with_hint("`--variant cu130` or alike takes a build for CUDA")
            })
        }
        Variant::Cuda { .. } | Variant::Rocm { .. } => {
            let sign = sign_of_cpu(question)?;
            let message = format!("torch will be for {}, and {}", prediction.variant, sign.0);
            let without = "the build without gigabytes of its libraries";
            Some(Note::warning(message, sign.1).with_hint(take(question, "cpu", without)))
        }
        Variant::Xpu | Variant::Any => None,
    }
}

/// What says that the project is about the CPU, as a clause, and where.
fn sign_of_cpu(question: Question) -> Option<(String, Origin)> {
    let bases = &question.project.bases;
    if let Some(base) = bases.iter().find(|base| base.variant.is_some()) {
        let cpu = base.variant.as_deref() == Some("cpu");
        return cpu.then(|| (format!("the project's own image starts from `{}`", base.image), base.origin.clone()));
    }
    let devices = &question.project.sources.devices;
    let first = devices.first().filter(|_| devices.iter().all(|used| used.device == "cpu"))?;
    Some(("the sources name no device but `cpu`".to_owned(), first.origin.clone()))
}

/// What says that the project is about GPUs, as a clause, and where.
fn sign_of_gpu(question: Question) -> Option<(String, Origin)> {
    let gpu = |variant: &String| matches!(Variant::named(variant), Some(Variant::Cuda { .. } | Variant::Rocm { .. }));
    if let Some(base) = question.project.bases.iter().find(|base| base.variant.as_ref().is_some_and(gpu)) {
        return Some((format!("the project's own image starts from `{}`", base.image), base.origin.clone()));
    }
    let devices = &question.project.sources.devices;
    let cuda = devices
        .iter()
        .find(|used| used.device == "cuda")
        .filter(|_| devices.iter().all(|used| used.device != "cpu"))?;
    Some(("the sources ask for the device `cuda` and never for `cpu`".to_owned(), cuda.origin.clone()))
}

/// What the default build costs, and what would change it.
fn cost(question: Question, arrival: &Arrival, prediction: &Prediction) -> Option<Note> {
    let chosen = arrival.named.is_some() || question.lock.is_some();
    let arm = question.options.architecture() == "arm64";
    let direct = !question.target.wish.requirements.is_empty() && question.target.wish.elsewhere.is_none();
    let certain = matches!(arrival.certain, Variant::Cuda { .. }) || arm;
    if chosen || !direct || !certain || !matches!(prediction.variant, Variant::Cuda { .. }) {
        return None;
    }
    let size = prediction
        .installed_gb
        .map_or_else(|| "gigabytes of them".to_owned(), |size| format!("about {size} GB in all"));
    let take = take(question, "cpu", "the build without them, where no GPU will be used");
    let message = format!("torch from the package index brings the CUDA libraries with it, {size}");
    if arm {
        let message = format!("{message}; since 2.11 it does so on arm64, too");
        return Some(Note::warning(message, origin(question)).with_hint(take));
    }
    Some(Note::info(message, origin(question)).with_hint(take))
}
