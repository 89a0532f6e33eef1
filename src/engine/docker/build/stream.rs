use bollard::errors::Error as Engine;
use bollard::models::BuildInfo;
use futures_util::{Stream, StreamExt};
use tokio::sync::mpsc;

use super::super::{Docker, errors};
use super::outbound::Outbound;
use crate::engine::{Event, Progress};
use crate::model::{Error, Result};

/// How a build's stream ended.
pub(super) enum End {
    /// With nothing more to say.
    Over,
    /// With what the engine gave as its reason.
    Refused(String),
}

/// Hands each message of a build's stream to `take` until it ends, and what is sent meanwhile to `progress`. An error is
/// the user's interrupt, something on our side, or an engine that went away.
pub(super) async fn follow(
    docker: &Docker,
    messages: impl Stream<Item = Result<BuildInfo, Engine>>,
    (outbound, mut events): (Outbound, mpsc::UnboundedReceiver<Event>),
    progress: &dyn Progress,
    mut take: impl FnMut(BuildInfo),
) -> Result<End> {
    let mut messages = std::pin::pin!(messages);
    loop {
        let message = tokio::select! {
            biased;
            // Returning drops the stream, and with it the engine stops the build.
            () = docker.cancel.cancelled() => return Err(Error::interrupted()),
            Some(event) = events.recv() => {
                progress.event(event);
                continue;
            }
            message = messages.next() => message,
        };
        match message {
            Some(Ok(message)) => take(message),
            None => return Ok(End::Over),
            Some(Err(error)) => {
                return match (outbound.fault(), error) {
                    (Some(fault), _) => Err(fault),
                    (None, Engine::DockerStreamError { error }) => Ok(End::Refused(error)),
                    (None, error) => Err(errors::failed("building", error)),
                };
            }
        }
    }
}
