//! The base image, without asking where it comes from: local, else pulled, else bootstrapped.

use super::bootstrap::{Recipe, bootstrap};
use crate::engine::{Engine, Event, Progress};
use crate::model::{BaseImage, BaseOrigin, Error, ErrorKind, Image, Result};

/// A base that is on the engine.
pub(super) struct ReadyBase {
    /// The reference to write after `FROM`.
    pub(super) reference: String,
    pub(super) image: Image,
    pub(super) origin: BaseOrigin,
}

/// Sees to it that `base` is on the engine. With `pull`, a registry is asked even where the base is there.
pub(super) async fn ensure<E: Engine>(
    engine: &E,
    base: &BaseImage,
    pull: bool,
    progress: &dyn Progress,
) -> Result<ReadyBase> {
    if !pull && let Some(ready) = local(engine, base).await? {
        return Ok(ready);
    }
    progress.event(Event::Stage { message: format!("pulling the base {}", base.reference) });
    let refused = match engine.pull(&base.reference, progress).await {
        Ok(image) => {
            return Ok(ReadyBase { reference: base.reference.clone(), image, origin: BaseOrigin::Pulled });
        }
        Err(error) if error.kind == ErrorKind::Interrupted => return Err(error),
        Err(error) => error,
    };
    // A registry that does not answer takes nothing away from what is here.
    if pull && let Some(ready) = local(engine, base).await? {
        return Ok(ready);
    }
    let (Some(suite), Some(bootstrapped)) = (&base.suite, &base.bootstrapped) else {
        return Err(only_pulled(base, refused));
    };
    progress.event(Event::Stage {
        message: format!("{refused}; bootstrapping {bootstrapped} from its distribution's packages instead"),
    });
    let recipe = Recipe { id: &base.id, suite, reference: bootstrapped, expired: false };
    let image = bootstrap(engine, &recipe, progress).await.map_err(|error| also(error, base, &refused))?;
    Ok(ReadyBase { reference: bootstrapped.clone(), image, origin: BaseOrigin::Bootstrapped })
}

async fn local<E: Engine>(engine: &E, base: &BaseImage) -> Result<Option<ReadyBase>> {
    let stand_in = base.bootstrapped.iter().map(|reference| (reference, BaseOrigin::Bootstrapped));
    for (reference, origin) in [(&base.reference, BaseOrigin::Local)].into_iter().chain(stand_in) {
        if let Some(image) = engine.find_image(reference).await? {
            return Ok(Some(ReadyBase { reference: reference.clone(), image, origin }));
        }
    }
    Ok(None)
}

/// There is one way to this base only, and it is closed.
fn only_pulled(base: &BaseImage, refused: Error) -> Error {
    let message =
        format!("the base `{}` is not on the engine and cannot be pulled: {}", base.reference, refused.message);
    Error { message, ..refused }.with_hint(
        "a base of Debian's can be made without a registry (`sconce images` lists them): `--base debian-13`; or load the \
         image into the engine",
    )
}

/// Neither way led to a base: the reader needs both reasons.
fn also(error: Error, base: &BaseImage, refused: &Error) -> Error {
    if error.kind == ErrorKind::Interrupted {
        return error;
    }
    let message = format!(
        "the base `{}` is not on the engine, cannot be pulled ({refused}) and cannot be bootstrapped: {}",
        base.reference, error.message
    );
    Error { message, ..error }
}
