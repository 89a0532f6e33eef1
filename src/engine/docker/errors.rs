//! What the engine's errors mean to the caller.

use std::error::Error as StdError;
use std::io;

use bollard::errors::Error as Engine;

pub(super) use crate::model::printable;
use crate::model::{Error, Result};

/// The error that the engine's error is to the caller. `doing` completes "while …", such as ``importing `debian` ``.
pub(super) fn failed(doing: &str, error: Engine) -> Error {
    match error {
        Engine::DockerResponseServerError { status_code, message } => refused(doing, Some(status_code), &message),
        Engine::DockerStreamError { error } | Engine::DockerContainerWaitError { error, .. } => {
            refused(doing, None, &error)
        }
        Engine::RequestTimeoutError => Error::try_again(format!("the engine did not answer in time while {doing}")),
        Engine::IOError { .. } | Engine::HyperResponseError { .. } | Engine::HyperLegacyError { .. } => {
            went_away(doing, error)
        }
        other => {
            Error::no(format!("the engine's answer made no sense while {doing}: {}", printable(&other.to_string())))
        }
    }
}

/// The connection broke: nobody knows how far the engine got.
pub(super) fn went_away(doing: &str, error: impl StdError + Send + Sync + 'static) -> Error {
    gone(&format!("{doing}: {}", printable(&root(&error).to_string()))).because(error)
}

/// The engine stopped answering while it was `doing` something.
pub(super) fn gone(doing: &str) -> Error {
    Error::try_again(format!("the engine went away while {doing}")).with_hint(
        "see whether it runs, with `docker info`, and try again; what is left of this run is swept by the next",
    )
}

/// The engine answered, and said no.
pub(super) fn refused(doing: &str, status: Option<u16>, message: &str) -> Error {
    let text = printable(message);
    if is_full(&text) {
        return Error::try_again(format!("the engine's disk is full while {doing}: {text}"))
            .with_hint("see what takes the space with `docker system df`, and free it with `docker system prune`");
    }
    let text = format!("the engine refused while {doing}: {text}");
    match status {
        Some(502..=504) => Error::try_again(text),
        _ => Error::no(text),
    }
}

/// Whether the engine's disk is full.
pub(super) fn is_full(message: &str) -> bool {
    message.contains("no space left on device") || message.contains("disk quota exceeded")
}

/// Whether the engine does not know what was asked for.
pub(super) fn is_missing(error: &Engine) -> bool {
    has_status(error, 404)
}

/// Whether the engine answered with this status.
pub(super) fn has_status(error: &Engine, status: u16) -> bool {
    matches!(error, Engine::DockerResponseServerError { status_code, .. } if *status_code == status)
}

/// `result` with the engine's error made ours.
pub(super) trait Doing<T> {
    /// `what` completes "while …".
    fn doing(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T> Doing<T> for std::result::Result<T, Engine> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| failed(&what(), error))
    }
}

/// The error at the bottom: what the operating system or the other side said.
pub(super) fn root<'a>(error: &'a (dyn StdError + 'static)) -> &'a (dyn StdError + 'static) {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error
}

/// Whether the operating system forbade it.
pub(super) fn is_denied(error: &(dyn StdError + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::PermissionDenied) {
            return true;
        }
        next = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ErrorKind;

    #[test]
    fn a_full_disk_can_be_tried_again() {
        let error = refused("importing `base`", Some(500), "write /layer: no space left on device");
        assert_eq!(error.kind, ErrorKind::TryAgain);
        assert!(error.hint.is_some_and(|hint| hint.contains("docker system df")));
    }

    #[test]
    fn a_refusal_is_a_no_and_a_broken_connection_is_not() {
        let refusal = Engine::DockerResponseServerError { status_code: 409, message: "name in use".to_owned() };
        assert_eq!(failed("creating it", refusal).kind, ErrorKind::No);
        let broken = Engine::IOError { err: io::Error::from(io::ErrorKind::ConnectionReset) };
        let error = failed("creating it", broken);
        assert_eq!(error.kind, ErrorKind::TryAgain);
        assert!(error.message.starts_with("the engine went away while creating it"), "{}", error.message);
    }
}
