//! `sconce verify`: does `torch.compile` work in this image, whoever made it?

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::subject::{Found, Subject};
use super::{build_diagnoses, diagnoses, report};
use crate::catalogue::Catalogue;
use crate::engine::{Engine, Event, Progress};
use crate::inspect::InspectOptions;
use crate::model::{Error, Origin, Outcome, Profile, Report, Result};
use crate::verify::{Compile, Conditions, Expectation, LONGEST_SCRIPT, Question, Script, compiles, verify as prove};

/// How to verify.
#[derive(Debug, Clone)]
pub struct VerifyOptions {
    /// What the image is held against.
    pub expectation: Expectation,
    /// How it is run.
    pub conditions: Conditions,
    /// How much is tried.
    pub profile: Profile,
    /// The user's own check.
    pub smoke: Option<Script>,
    /// The project whose calls of `torch.compile` are tried, and how to read it.
    pub project: Option<(PathBuf, InspectOptions)>,
    /// Whether to pull an image that is not on the engine.
    pub pull: bool,
}

/// Puts `subject` to the proof.
pub async fn verify<E: Engine>(
    engine: &E,
    subject: &Subject,
    options: &VerifyOptions,
    progress: &dyn Progress,
) -> Result<Report> {
    engine.sweep().await?;
    let answer = answer(engine, subject, options, progress).await;
    // Whatever happened, what was made for the proof goes.
    let released = subject.release(engine, answer.is_ok()).await;
    answer.and_then(|report| released.map(|()| report))
}

async fn answer<E: Engine>(
    engine: &E,
    subject: &Subject,
    options: &VerifyOptions,
    progress: &dyn Progress,
) -> Result<Report> {
    let started = Instant::now();
    let catalogue = Catalogue::embedded()?;
    let question = question(options, &catalogue)?;
    let name = subject.name();
    let (image, mut notes) = match subject.find(engine, options.pull, progress).await? {
        (Found::Image(image), notes) => (*image, notes),
        (Found::Failed(failure), notes) => {
            let diagnoses = build_diagnoses(&catalogue, &failure);
            return Ok(report(Outcome::FileFailed { file: name, failure }, diagnoses, notes, started));
        }
    };
    progress.event(Event::Stage { message: stage(&name, options.profile) });
    let mut verification = prove(engine, &image.id, &question).await?;
    let diagnoses = diagnoses(&catalogue, &mut verification);
    notes.extend(subject.remains(&image.id));
    let outcome = Outcome::Verified { image, reference: name, verification };
    Ok(report(outcome, diagnoses, notes, started))
}

/// What is said while the proof of `name` goes on.
pub(super) fn stage(name: &str, profile: Profile) -> String {
    let (what, time) = match profile {
        Profile::Quick => ("compiling in a container of it", "a minute"),
        Profile::Standard => ("compiling in a container of it", "a minute or two"),
        Profile::Thorough => ("compiling in containers of it, one a way of running it", "five minutes or more"),
    };
    format!("verifying {name}: {what}, which takes {time}")
}

fn question(options: &VerifyOptions, catalogue: &Catalogue) -> Result<Question> {
    Ok(Question {
        expectation: options.expectation.clone(),
        conditions: options.conditions.clone(),
        profile: options.profile,
        compiles: options.project.as_ref().map_or(Ok(Vec::new()), |project| project_compiles(project, catalogue))?,
        smoke: options.smoke.clone(),
    })
}

fn project_compiles((root, options): &(PathBuf, InspectOptions), catalogue: &Catalogue) -> Result<Vec<Compile>> {
    let project = crate::inspect::inspect(root, catalogue.packages(), options)?;
    Ok(compiles(&project.sources.compiles))
}

/// Reads the user's own check; `origin` is where it was asked for.
///
/// # Errors
///
/// Where it cannot be read, is not text, or is too long to be handed to a container.
pub fn script(path: &Path, origin: &Origin) -> Result<Script> {
    let shown = path.display();
    let refused = |why: String| Error::usage(format!("the check `{shown}` cannot be used: {why}")).at(origin.clone());
    let metadata = fs::metadata(path).map_err(|error| refused(error.to_string()))?;
    if !metadata.is_file() {
        return Err(refused("it is not a regular file".to_owned()));
    }
    let too_long = || {
        refused(format!("it is longer than {} KiB", LONGEST_SCRIPT >> 10))
            .with_hint("let a short program import what the image already has")
    };
    if metadata.len() > LONGEST_SCRIPT as u64 {
        return Err(too_long());
    }
    let text = fs::read_to_string(path).map_err(|error| refused(error.to_string()))?;
    if text.contains('\0') {
        return Err(refused("it has a NUL byte".to_owned()));
    }
    if serde_json::to_string(&text).map_or(0, |json| json.len()) > LONGEST_SCRIPT {
        return Err(too_long());
    }
    let name = path.file_name().map_or_else(|| "smoke.py".to_owned(), |name| name.to_string_lossy().into_owned());
    Ok(Script { name, text })
}
