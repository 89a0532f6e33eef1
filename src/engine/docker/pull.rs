//! Pulling an image from its registry.

use std::pin::pin;

use bollard::errors::Error as Engine;
use bollard::models::CreateImageInfo;
use bollard::query_parameters::CreateImageOptionsBuilder;
use futures_util::TryStreamExt as _;

use super::errors::{self, printable};
use super::reference::Reference;
use super::{Docker, credentials, images};
use crate::engine::{Event, Progress};
use crate::model::{Error, Image, Result};

/// What registries and engines say when the image is not to be had.
const NOT_TO_BE_HAD: &[&str] = &[
    "not found",
    "manifest unknown",
    "does not exist",
    "no matching manifest",
    "denied",
    "unauthorized",
    "authentication required",
    "no basic auth credentials",
];

/// Pulls `reference`; see [`crate::engine::Engine::pull`].
pub(super) async fn pull(docker: &Docker, reference: &str, progress: &dyn Progress) -> Result<Image> {
    let parsed = Reference::parse(reference)?;
    let credentials = credentials::for_registry(docker.config.clone(), parsed.registry()).await;
    let options = CreateImageOptionsBuilder::default().from_image(&parsed.to_pull()).build();
    let mut answers = pin!(docker.api.create_image(Some(options), None, credentials));
    while let Some(answer) = answers.try_next().await.map_err(|error| not_pulled(reference, error))? {
        if let Some(event) = event(answer) {
            progress.event(event);
        }
    }
    images::get(docker, reference).await
}

fn not_pulled(reference: &str, error: Engine) -> Error {
    let doing = format!("pulling `{reference}`");
    let (status, message) = match &error {
        Engine::DockerResponseServerError { status_code, message } => (Some(*status_code), printable(message)),
        Engine::DockerStreamError { error } => (None, printable(error)),
        _ => return errors::failed(&doing, error),
    };
    let text = message.to_lowercase();
    if errors::is_full(&text) {
        return errors::failed(&doing, error);
    }
    match status {
        Some(400) => Error::usage(format!("`{reference}` is not an image reference: {message}")),
        Some(401 | 403 | 404) => unavailable(reference, &message),
        _ if NOT_TO_BE_HAD.iter().any(|words| text.contains(words)) => unavailable(reference, &message),
        // Names that do not resolve, connections refused or timed out, certificates unknown, limits reached.
        _ => Error::try_again(format!("`{reference}` cannot be pulled now: {message}"))
            .with_hint("the engine pulls, not sconce: it is the engine's network, proxy and certificates that count"),
    }
    .because(error)
}

fn unavailable(reference: &str, message: &str) -> Error {
    Error::no(format!("the registry does not give `{reference}`: {message}"))
        .with_hint("check the name, and log in with `docker login` if it is private")
}

/// An answer as an event: bytes of a layer, its end, or what else is said of it.
fn event(answer: CreateImageInfo) -> Option<Event> {
    let name = answer.status?;
    let Some(id) = answer.id else { return Some(Event::Log { id: "pull".to_owned(), line: name }) };
    let detail = answer.progress_detail.unwrap_or_default();
    let bytes = |count: Option<i64>| count.and_then(|count| u64::try_from(count).ok());
    Some(match (name.as_str(), bytes(detail.current)) {
        ("Pull complete" | "Already exists", _) => Event::Done { id, cached: name == "Already exists", error: None },
        (_, Some(current)) => Event::Transfer { id, name, current, total: bytes(detail.total) },
        _ => Event::Step { id, name },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ErrorKind;

    fn kind(status: u16, message: &str) -> ErrorKind {
        not_pulled("app", Engine::DockerResponseServerError { status_code: status, message: message.to_owned() }).kind
    }

    #[test]
    fn a_registry_that_is_away_is_not_one_that_says_no() {
        let away = "Get \"https://registry.example.org/v2/\": dial tcp: lookup registry.example.org: no such host";
        assert_eq!(kind(500, away), ErrorKind::TryAgain);
        assert_eq!(kind(500, "toomanyrequests: you have reached your pull rate limit"), ErrorKind::TryAgain);
        assert_eq!(kind(500, "x509: certificate signed by unknown authority"), ErrorKind::TryAgain);
        assert_eq!(kind(404, "manifest for app:latest not found: manifest unknown"), ErrorKind::No);
        assert_eq!(kind(500, "unauthorized: authentication required"), ErrorKind::No);
        assert_eq!(kind(400, "invalid reference format"), ErrorKind::Usage);
    }

    #[test]
    fn a_full_disk_says_how_to_free_it() {
        let error = Engine::DockerStreamError { error: "write /layer: no space left on device".to_owned() };
        let error = not_pulled("app", error);
        assert_eq!(error.kind, ErrorKind::TryAgain);
        assert!(error.hint.is_some_and(|hint| hint.contains("docker system df")));
    }
}
