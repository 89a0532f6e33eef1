//! `sconce verify`: does `torch.compile` work in this image, whoever made it?

use std::time::Instant;

use pep440_rs::VersionSpecifiers;

use super::{diagnoses, report};
use crate::catalogue::Catalogue;
use crate::engine::{Engine, Event, Progress};
use crate::model::{Error, Outcome, Report, Result, Variant};
use crate::verify::{Expectation, Limits, verify as prove};

/// How to verify.
#[derive(Debug, Clone)]
pub struct VerifyOptions {
    /// The interpreter to use; looked for where not given.
    pub python: Option<String>,
    /// The variant that it must be.
    pub variant: Variant,
    /// The limits of the smoke test.
    pub limits: Limits,
    /// Whether to pull an image that is not on the engine.
    pub pull: bool,
}

/// Puts the image `reference` to the proof.
pub async fn verify<E: Engine>(
    engine: &E,
    reference: &str,
    options: &VerifyOptions,
    progress: &dyn Progress,
) -> Result<Report> {
    let started = Instant::now();
    let catalogue = Catalogue::embedded()?;
    engine.sweep().await?;
    let image = match engine.find_image(reference).await? {
        Some(image) => image,
        None if options.pull => {
            progress.event(Event::Stage { message: format!("pulling {reference}") });
            engine.pull(reference, progress).await?
        }
        None => {
            return Err(Error::no(format!("there is no image `{reference}` on the engine"))
                .with_hint("`docker image ls` lists what is there; `--pull` asks a registry"));
        }
    };
    progress.event(Event::Stage {
        message: format!("verifying {reference}: compiling in a container of it, which takes a minute or two"),
    });
    let expectation = Expectation {
        variant: options.variant.clone(),
        torch: VersionSpecifiers::empty(),
        python: options.python.clone(),
    };
    let verification = prove(engine, &image.id, &expectation, &options.limits).await?;
    let diagnoses = diagnoses(&catalogue, &verification);
    let outcome = Outcome::Verified { image, reference: reference.to_owned(), verification };
    Ok(report(outcome, diagnoses, Vec::new(), started))
}
