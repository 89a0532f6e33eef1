//! What the environment of an image is: for `sconce diff`, and for `sconce reproduce --from-image`.

use std::time::Duration;

use super::Subject;
use super::subject::Found;
use crate::engine::{Engine, Event, Progress};
use crate::model::{Environment, Error, Result};
use crate::verify::collect_as;

/// How to look.
#[derive(Debug, Clone)]
pub struct CollectOptions {
    /// The interpreter to ask, its path in the image; otherwise the one with torch is looked for.
    pub python: Option<String>,
    /// Whether to pull an image that is not on the engine.
    pub pull: bool,
    /// The time that it may take.
    pub timeout: Duration,
}

/// The environment of the image `reference`; every fact has it as its origin.
///
/// # Errors
///
/// The answer is no where the image is not there, or where nothing in it can tell.
pub async fn collect<E: Engine>(
    engine: &E,
    reference: &str,
    options: &CollectOptions,
    progress: &dyn Progress,
) -> Result<Environment> {
    engine.sweep().await?;
    let subject = Subject::Image(reference.to_owned());
    let (Found::Image(image), _) = subject.find(engine, options.pull, progress).await? else {
        return Err(Error::no(format!("there is no image `{reference}` on the engine")));
    };
    progress.event(Event::Stage { message: format!("looking at {reference} in a container of it") });
    collect_as(engine, &image.id, reference, options.python.as_deref(), options.timeout).await
}
