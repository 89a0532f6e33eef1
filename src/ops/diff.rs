//! `sconce diff`: what differs between two environments, the most relevant to `torch.compile` first.

use std::io::Read;

use super::collect::{CollectOptions, collect};
use crate::catalogue::Catalogue;
use crate::compare;
use crate::engine::{Engine, Progress};
use crate::model::{Comparison, Error, Explained, Result, Side};
use crate::reported;

/// The longest report, in bytes: what people paste is a thousandth of it.
const LONGEST: u64 = 16 << 20;

/// The side that `report`, which its reader knows as `name`, tells of: an environment file, or what somebody pasted.
///
/// # Errors
///
/// Wrong usage where it cannot be read, or tells of no environment.
pub fn read(name: &str, report: impl Read) -> Result<Side> {
    let quoted = Explained::quoted(name);
    let mut bytes = Vec::new();
    report
        .take(LONGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Error::usage(format!("cannot read {quoted}")).because(error))?;
    if bytes.len() as u64 > LONGEST {
        return Err(Error::usage(format!("{quoted} is longer than {} MiB", LONGEST >> 20))
            .with_hint("the report alone is wanted, not the logs around it"));
    }
    let environment = reported::read(name, &String::from_utf8_lossy(&bytes), None)?.environment;
    if environment.is_empty() {
        return Err(Error::usage(format!("{quoted} tells of no environment"))
            .with_hint("an environment file, or what `python -m torch.utils.collect_env` prints, does"));
    }
    Ok(Side { name: name.to_owned(), environment })
}

/// The side that the image `reference` is.
///
/// # Errors
///
/// As [`collect`].
pub async fn look<E: Engine>(
    engine: &E,
    reference: &str,
    options: &CollectOptions,
    progress: &dyn Progress,
) -> Result<Side> {
    if !options.pull && engine.find_image(reference).await?.is_none() {
        return Err(Error::no(format!("`{reference}` is neither a file nor an image on the engine"))
            .with_hint("`docker image ls` lists what is there; `--pull` asks a registry"));
    }
    let environment = Box::pin(collect(engine, reference, options, progress)).await?;
    Ok(Side { name: reference.to_owned(), environment })
}

/// What differs between them.
pub fn diff(left: Side, right: Side) -> Result<Comparison> {
    Ok(compare::compare(&Catalogue::embedded()?, left, right))
}
