//! Importing a root file system: the archive streams through, and what goes wrong on the way leaves no image.

use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bollard::BollardRequest;
use bollard::models::CreateImageInfo;
use bollard::query_parameters::CreateImageOptionsBuilder;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};
use tokio_util::sync::CancellationToken;

use super::errors::{self, Doing, printable};
use super::reference::Reference;
use super::transport::LOCAL;
use super::{Docker, images, out_of_patience};
use crate::engine::{Archive, Event, Progress};
use crate::model::{Error, Image, Result};

/// How often progress is told.
const TICK: Duration = Duration::from_millis(250);

/// The size of a tar's blocks.
const BLOCK: usize = 512;

/// What is known of an archive on its way.
#[derive(Default)]
struct Meter {
    bytes: AtomicU64,
    /// The archive's own error.
    failure: Mutex<Option<io::Error>>,
}

/// Imports `archive` and tags it; see [`crate::engine::Engine::import`].
pub(super) async fn import(
    docker: &Docker,
    archive: Archive,
    reference: &str,
    changes: &[String],
    progress: &dyn Progress,
) -> Result<Image> {
    Reference::parse_tag(reference)?;
    let meter = Arc::new(Meter::default());
    let body = spoilable(archive, Arc::clone(&meter), docker.cancel.clone());
    let upload = upload(docker, body, reference, changes);
    let uploaded = watch(docker, upload, || progress.event(meter.event(reference))).await;
    let spoilt = if docker.cancel.is_cancelled() { Some(Error::interrupted()) } else { meter.failure(reference) };
    let id = match (uploaded, spoilt) {
        (Ok(id), None) => id,
        (Ok(id), Some(error)) => {
            images::discard(docker, &id).await;
            return Err(error);
        }
        (Err(_), Some(error)) | (Err(error), None) => return Err(error),
    };
    match name(docker, &id, reference).await {
        Ok(image) => Ok(image),
        Err(error) => {
            images::discard(docker, &id).await;
            Err(error)
        }
    }
}

async fn name(docker: &Docker, id: &str, reference: &str) -> Result<Image> {
    images::tag(docker, id, reference).await?;
    images::get(docker, reference).await
}

/// Waits for an upload and tells its progress. When the user stops us, the archive is spoilt, and the engine says so soon.
async fn watch(docker: &Docker, upload: impl Future<Output = Result<String>>, tell: impl Fn()) -> Result<String> {
    let (mut upload, mut out_of_patience) = (pin!(upload), pin!(out_of_patience(&docker.cancel)));
    let mut ticks = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            biased;
            result = &mut upload => return result,
            () = &mut out_of_patience => return Err(Error::interrupted()),
            _ = ticks.tick() => tell(),
        }
    }
}

/// Sends the archive, and gives the id of the image that the engine made of it. It has no tag yet: Podman would ignore
/// one, and an image that nothing names is removed without a trace.
pub(super) async fn upload(
    docker: &Docker,
    archive: impl Stream<Item = Bytes> + Send + 'static,
    reference: &str,
    changes: &[String],
) -> Result<String> {
    let options = CreateImageOptionsBuilder::default().from_src("-").build();
    let changes = changes.to_vec();
    let api = docker.api.clone().with_request_modifier(move |request| with_changes(request, &changes));
    let answers = api.create_image(Some(options), Some(bollard::body_stream(archive)), None);
    let answers: Vec<CreateImageInfo> = answers.try_collect().await.doing(|| format!("importing `{reference}`"))?;
    let id =
        answers.into_iter().rev().flat_map(|answer| [answer.status, answer.id]).flatten().find_map(|text| id(&text));
    id.ok_or_else(|| errors::gone(&format!("importing `{reference}`")))
}

/// Each change as a parameter of its own. Bollard 0.21 joins them by newlines, and Podman takes that for one.
fn with_changes(mut request: BollardRequest, changes: &[String]) -> BollardRequest {
    let mut query = url::form_urlencoded::Serializer::new(request.uri().query().unwrap_or_default().to_owned());
    query.extend_pairs(changes.iter().map(|change| ("changes", change)));
    let uri = format!("http://{}{}?{}", LOCAL, request.uri().path(), query.finish());
    if let Ok(uri) = uri.parse() {
        *request.uri_mut() = uri;
    }
    request
}

/// The image id in an answer: Docker gives it with the algorithm, Podman without.
fn id(text: &str) -> Option<String> {
    let hex = text.strip_prefix("sha256:").unwrap_or(text);
    (hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| format!("sha256:{hex}"))
}

/// The archive; where it fails or the user stops us, it goes on with what makes it no archive. To break the connection off
/// is not enough: Podman makes an image of what has come, and Docker of an archive that was just complete.
fn spoilable(
    archive: Archive,
    meter: Arc<Meter>,
    cancel: CancellationToken,
) -> impl Stream<Item = Bytes> + Send + 'static {
    stream::unfold(Some(archive), move |archive| {
        let (meter, cancel) = (Arc::clone(&meter), cancel.clone());
        async move {
            let mut archive = archive?;
            let chunk = tokio::select! {
                biased;
                () = cancel.cancelled() => Err(io::ErrorKind::Interrupted.into()),
                chunk = archive.next() => chunk?,
            };
            match chunk {
                Ok(bytes) => {
                    meter.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                    Some((bytes, Some(archive)))
                }
                Err(error) => {
                    let spoiler = spoiler(meter.bytes.load(Ordering::Relaxed));
                    *meter.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                    Some((spoiler, None))
                }
            }
        }
    })
}

/// What cannot follow `sent` bytes of a tar: it is no header, and it does not end where a block does.
fn spoiler(sent: u64) -> Bytes {
    let rest = usize::try_from(sent % BLOCK as u64).unwrap_or(0);
    let odd = if rest == BLOCK - 1 { 2 } else { 1 };
    vec![0xff; 2 * BLOCK + odd].into()
}

impl Meter {
    fn failure(&self, reference: &str) -> Option<Error> {
        let cause = self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        let why = printable(&cause.to_string());
        Some(Error::no(format!("the archive of `{reference}` broke off: {why}")).because(cause))
    }

    fn event(&self, reference: &str) -> Event {
        Event::Transfer {
            id: reference.to_owned(),
            name: "importing".to_owned(),
            current: self.bytes.load(Ordering::Relaxed),
            total: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spoilt_archive_ends_within_a_block() {
        for sent in [0, 1, 511, 512, 700, 1_048_575] {
            assert_ne!((sent + spoiler(sent).len() as u64) % BLOCK as u64, 0, "{sent}");
        }
    }

    #[test]
    fn ids_are_told_from_other_words() {
        let hex = "0123456789abcdef".repeat(4);
        assert_eq!(id(&hex), Some(format!("sha256:{hex}")));
        assert_eq!(id(&format!("sha256:{hex}")), Some(format!("sha256:{hex}")));
        assert_eq!(id("Importing"), None);
    }
}
