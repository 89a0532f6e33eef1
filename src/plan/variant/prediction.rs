use pep440_rs::Version;

use super::arrival::{self, Arrival};
use super::{Question, guard};
use crate::catalogue::{CudaRelease, TorchRelease};
use crate::model::{Prediction, Variant};
use crate::plan::wish::Verdict;

/// What will probably be installed.
pub(super) fn prediction(question: Question, arrival: &Arrival) -> Prediction {
    let release = release(question, arrival);
    let variant = if is_missing(question, arrival) { Variant::Any } else { variant(question, arrival, release) };
    let version = arrival.version.clone().or_else(|| release.map(|release| release.release.clone()));
    let cuda = match &variant {
        Variant::Cuda { version: Some(cuda) } => cuda.parse::<Version>().ok(),
        _ => None,
    };
    let measured =
        |row: &&TorchRelease| question.options.architecture() == "amd64" && row.default_variant("amd64") == variant;
    let installed_gb = release.filter(measured).and_then(|row| row.installed_gb);
    Prediction {
        version,
        variant,
        installed_gb,
        driver: cuda.as_ref().and_then(|cuda| oldest_driver(question, cuda)),
        full_driver: cuda.and_then(|cuda| Some(question.catalogue.cuda_release(&cuda)?.driver.clone())),
    }
}

/// The release that will probably be taken: the newest that works here and that the index which names a variant has.
pub(super) fn release<'a>(question: Question<'a>, arrival: &Arrival) -> Option<&'a TorchRelease> {
    if let Some(version) = &arrival.version {
        return question.catalogue.torch_release(version);
    }
    let Verdict::Known { releases, .. } = &question.target.verdict else { return None };
    if is_missing(question, arrival) {
        return None;
    }
    let mut newest_first = releases.iter().rev().copied();
    match arrival.named.as_ref().filter(|named| named.sure) {
        Some(named) => newest_first.find(|release| release.offers(&named.name)),
        None => newest_first.next(),
    }
}

fn variant(question: Question, arrival: &Arrival, release: Option<&TorchRelease>) -> Variant {
    let architecture = question.options.architecture();
    let default =
        || match release.or_else(|| question.catalogue.torch().last()).map(|r| r.default_variant(architecture)) {
            // Of a release that is not known, the CUDA is not known either.
            Some(Variant::Cuda { .. }) if release.is_none() => Variant::Cuda { version: None },
            Some(variant) => variant,
            None => Variant::Any,
        };
    match &arrival.named {
        Some(named) if named.sure || release.is_none_or(|release| release.offers(&named.name)) => named.variant.clone(),
        _ if arrival.certain != Variant::Any && !needs_version(&arrival.certain) => arrival.certain.clone(),
        _ if arrival.unclear => Variant::Any,
        _ => default(),
    }
}

/// Whether a variant may be known better.
fn needs_version(variant: &Variant) -> bool {
    matches!(variant, Variant::Cuda { version: None } | Variant::Rocm { version: None })
}

/// Whether nothing is known to bring torch.
fn is_missing(question: Question, arrival: &Arrival) -> bool {
    let unasked = question.target.wish.requirements.is_empty() && arrival.version.is_none();
    arrival::without_torch(question).is_some() || (unasked && guard::through(question).is_none())
}

/// The oldest driver that runs this version of CUDA: every version of a major number has the same one.
fn oldest_driver(question: Question, cuda: &Version) -> Option<String> {
    let family = |row: &&CudaRelease| row.version.release().first() == cuda.release().first();
    question.catalogue.cuda().iter().find(family).map(|row| row.oldest_driver.clone())
}
