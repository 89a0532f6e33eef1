//! `sconce reproduce`: from what a reporter pasted to the container with the failure, and the one without.

mod attempt;
mod reconstruct;

use std::time::Instant;

use pep440_rs::Version;

pub use reconstruct::reconstruct;

use super::base;
use super::network::{self, NetworkInputs};
use crate::catalogue::Catalogue;
use crate::compare;
use crate::engine::{Engine, Owner, Progress};
use crate::model::{
    BaseOrigin, Environment, Faithful, Fixed, Note, Origin, Profile, ProgramRun, Project, Reconstruction, Replica,
    Reproduction, ReproductionVerdict, Result, Verification,
};
use crate::plan::Asked;
use crate::verify::{Conditions, Script};
use attempt::{Attempted, Run, Workbench};

/// How to reproduce.
#[derive(Debug, Clone)]
pub struct ReproduceOptions {
    /// Which of the reports in the document is meant, counted from 1, where there are several.
    pub report: Option<usize>,
    /// The failure to look for, in place of what the report's logs show: an id of the catalogue.
    pub failure: Option<Asked<String>>,
    /// What is built.
    pub sides: Sides,
    /// What is run in it.
    pub program: ProgramChoice,
    /// The base, in place of the nearest one to the reporter's system.
    pub base: Option<Asked<String>>,
    /// The Python, in place of the reporter's.
    pub python: Option<Asked<Version>>,
    /// The version of torch, in place of the reporter's.
    pub torch: Option<Asked<Version>>,
    /// The variant of torch, in place of the reporter's.
    pub variant: Option<Asked<String>>,
    /// Whether to install every distribution of the report, and not only those that matter.
    pub all_packages: bool,
    /// The repository of the tags that the images get: `NAME:faithful` and `NAME:fixed`.
    pub repository: String,
    /// What the network needs.
    pub network: NetworkInputs,
    /// How containers are run.
    pub conditions: Conditions,
    /// How much the proof tries.
    pub profile: Profile,
    /// The user's own check, a part of the proof.
    pub smoke: Option<Script>,
    /// Whether to ignore the engine's build cache.
    pub no_cache: bool,
    /// Whether to ask a registry for the base even where it is on the engine.
    pub pull: bool,
    /// Whose the images are until they have their tags.
    pub owner: Owner,
}

/// Which environments are built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sides {
    /// The one with its defect.
    Faithful,
    /// The one with the remedy.
    Fixed,
    /// Both.
    Both,
}

/// What is run in the environments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProgramChoice {
    /// A small program of sconce's own.
    Own,
    /// A program from a file.
    File(Script),
    /// The program in the report, by its number, from 1, where there are several; running it was agreed to.
    Reported(Option<usize>),
}

/// Builds what `options` ask for on `engine`, runs the program in it, and says whether the failure came again and whether
/// its remedy holds.
///
/// # Errors
///
/// Where the question could not be answered: the base is not to be had, or the engine failed. An image that cannot be built,
/// a failure that does not come again and a proof that does not hold are answers.
pub async fn reproduce<E: Engine>(
    engine: &E,
    mut reconstruction: Reconstruction,
    options: &ReproduceOptions,
    progress: &dyn Progress,
) -> Result<Reproduction> {
    let started = Instant::now();
    let catalogue = Catalogue::embedded()?;
    let network = network::values(&Project::default(), &options.network)?;
    engine.sweep().await?;
    let base = base::ensure(engine, &reconstruction.replica.base.value, options.pull, progress).await?;
    if base.origin == BaseOrigin::Bootstrapped {
        reconstruction.notes.push(bootstrapped(&reconstruction.replica, &base.reference));
    }
    let bench =
        Workbench { engine, options, catalogue: &catalogue, base: &base.reference, network: &network, progress };
    let (mut measured, mut faithful, mut fixed) = (None, None, None);
    if options.sides != Sides::Fixed {
        let seen = bench.cleared(with_its_defect(&bench, &reconstruction)).await?;
        measured = seen.1;
        faithful = Some(seen.0);
    }
    if options.sides != Sides::Faithful {
        let seen = bench.cleared(with_the_remedy(&bench, &reconstruction)).await?;
        measured = measured.or(seen.1);
        fixed = Some(seen.0);
    }
    if let Some(measured) = measured {
        let (reported, replica) = (&reconstruction.reported.environment, &reconstruction.replica);
        reconstruction.fidelity = compare::fidelity(&catalogue, reported, replica, Some(&measured));
    }
    Ok(Reproduction { reconstruction, faithful, fixed, seconds: started.elapsed().as_secs_f64() })
}

/// Builds the environment with its defect and runs the program in it; with what the image is, where there is one.
async fn with_its_defect<E: Engine>(
    bench: &Workbench<'_, E>,
    reconstruction: &Reconstruction,
) -> Result<(Faithful, Option<Environment>)> {
    let run = Run::faithful(reconstruction);
    let attempted = bench.attempt(&run).await?;
    let verdict = verdict(&attempted, reconstruction.failure.as_deref());
    let measured = bench.collect(&run, &attempted.outcome).await?;
    let attempt = bench.settle(&run, attempted.outcome, verdict.is_reproduced()).await?;
    Ok((Faithful { attempt, verdict }, measured))
}

/// Builds the environment with the remedy, runs the program in it, and proves it; with what the image is, where there is one.
async fn with_the_remedy<E: Engine>(
    bench: &Workbench<'_, E>,
    reconstruction: &Reconstruction,
) -> Result<(Fixed, Option<Environment>)> {
    let run = Run::fixed(reconstruction);
    let attempt = bench.attempt(&run).await?.outcome;
    let ran = attempt.run.as_ref().is_some_and(ProgramRun::ok);
    let proven = ran && attempt.verification.as_ref().is_some_and(Verification::proven);
    let measured = bench.collect(&run, &attempt).await?;
    Ok((Fixed { attempt: bench.settle(&run, attempt, proven).await?, proven }, measured))
}

/// Whether what was seen is the failure that is looked for.
fn verdict(attempted: &Attempted, failure: Option<&str>) -> ReproductionVerdict {
    let Attempted { outcome, shown } = attempted;
    if outcome.image.is_none() {
        return ReproductionVerdict::NotBuilt;
    }
    let Some(failure) = failure else {
        return ReproductionVerdict::NothingToCompare { shown: shown.clone() };
    };
    if shown.first().is_some_and(|first| first == failure) {
        return ReproductionVerdict::Reproduced;
    }
    // What a program does not notice is for the proof to find; a program that failed otherwise is another failure.
    let mut failed = outcome.verification.iter().flat_map(Verification::failed);
    let by = failed.find(|check| check.causes.iter().any(|cause| cause == failure));
    let ran = outcome.run.as_ref().is_some_and(ProgramRun::ok);
    match by {
        Some(check) if ran => ReproductionVerdict::ReproducedByProof { check: check.id.clone() },
        _ if ran => ReproductionVerdict::NotReproduced,
        _ => ReproductionVerdict::Different { shown: shown.clone() },
    }
}

fn bootstrapped(replica: &Replica, reference: &str) -> Note {
    let wanted = &replica.base.value;
    Note::info(
        format!(
            "the base `{reference}` is bootstrapped: `{}` was neither on the engine nor to be pulled",
            wanted.reference
        ),
        Origin::Catalogue { row: wanted.id.clone() },
    )
}
