//! `sconce diff`: what differs between two environments, the most relevant to `torch.compile` first.

use std::io::Read;

use super::collect::{CollectOptions, collect};
use crate::catalogue::Catalogue;
use crate::compare;
use crate::engine::{Engine, Progress};
use crate::model::{Comparison, Error, Explained, Result, STANDARD_INPUT, Side};
use crate::reported::{self, ReportChoice};

/// The longest report, in bytes: what people paste is a thousandth of it.
const LONGEST: u64 = 16 << 20;

/// The side that `report`, which its reader knows as `name`, tells of: an environment file, or what somebody pasted. Where it
/// holds several reports, `number` is the one that counts, from 1.
///
/// # Errors
///
/// Wrong usage where it cannot be read, or tells of no environment.
pub fn read(name: &str, report: impl Read, number: Option<usize>) -> Result<Side> {
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
    let by = if name == STANDARD_INPUT { "-#".to_owned() } else { format!("{name}#") };
    let environment =
        reported::read(name, &String::from_utf8_lossy(&bytes), ReportChoice { number, by: &by })?.environment;
    if environment.is_empty() {
        return Err(Error::usage(format!("{quoted} tells of no environment"))
            .with_hint("an environment file, or what `python -m torch.utils.collect_env` prints, does"));
    }
    let name = number.map_or_else(|| name.to_owned(), |number| format!("{by}{number}"));
    Ok(Side { name, environment })
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
