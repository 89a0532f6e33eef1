//! Images: finding, naming and un-naming them.

use std::io;

use bollard::models::{ImageConfig, ImageHistoryResponseItem, ImageInspect};
use bollard::query_parameters::{RemoveImageOptionsBuilder, TagImageOptionsBuilder};
use bytes::Bytes;

use super::errors::{self, Doing};
use super::reference::Reference;
use super::{Docker, GRACE, import};
use crate::model::{Content, Error, Image, Layer, Result, RuntimeConfig};

/// The image that `reference` names, if any.
pub(super) async fn find(docker: &Docker, reference: &str) -> Result<Option<Image>> {
    Reference::parse(reference)?;
    let doing = || format!("looking up the image `{reference}`");
    let image = match docker.api.inspect_image(reference).await {
        Err(error) if errors::is_missing(&error) => return Ok(None),
        Err(error) if errors::has_status(&error, 400) => return Err(not_a_reference(reference, error)),
        answer => answer.doing(doing)?,
    };
    let id = image.id.clone().ok_or_else(|| Error::no(format!("the engine gave no id while {}", doing())))?;
    match docker.api.image_history(&id).await {
        // Removed in between.
        Err(error) if errors::is_missing(&error) => Ok(None),
        history => Ok(Some(describe(id, image, history.doing(doing)?))),
    }
}

/// As [`find`], for an image that must be there.
pub(super) async fn get(docker: &Docker, reference: &str) -> Result<Image> {
    find(docker, reference).await?.ok_or_else(|| Error::no(format!("the engine has no image `{reference}`")))
}

fn not_a_reference(reference: &str, error: bollard::errors::Error) -> Error {
    let why = match &error {
        bollard::errors::Error::DockerResponseServerError { message, .. } => errors::printable(message),
        other => errors::printable(&other.to_string()),
    };
    Error::usage(format!("`{reference}` is not an image reference: {why}")).because(error)
}

fn describe(id: String, image: ImageInspect, history: Vec<ImageHistoryResponseItem>) -> Image {
    let bytes = |size: i64| u64::try_from(size).unwrap_or(0);
    let mut config = image.config.unwrap_or_default();
    let labels = config.labels.take().unwrap_or_default().into_iter().collect();
    let architecture = image.architecture.unwrap_or_default();
    Image {
        id,
        tags: image.repo_tags.unwrap_or_default(),
        size: bytes(image.size.unwrap_or(0)),
        user: config.user.clone().unwrap_or_default(),
        architecture: architecture.clone(),
        layers: history
            .into_iter()
            .map(|step| Layer { size: bytes(step.size), created_by: step.created_by })
            .filter(|layer| layer.size > 0)
            .collect(),
        content: Content {
            architecture,
            config: runtime(config),
            layers: image.root_fs.and_then(|files| files.layers).unwrap_or_default(),
            os: image.os.unwrap_or_default(),
        },
        labels,
    }
}

/// The engines differ in whether they leave out what is empty, and in the order of what has none.
fn runtime(config: ImageConfig) -> RuntimeConfig {
    let sorted = |names: Option<Vec<String>>| {
        let mut names = names.unwrap_or_default();
        names.sort_unstable();
        names
    };
    RuntimeConfig {
        cmd: config.cmd.unwrap_or_default(),
        entrypoint: config.entrypoint.unwrap_or_default(),
        env: config.env.unwrap_or_default(),
        healthcheck: config.healthcheck.and_then(|check| check.test).unwrap_or_default(),
        onbuild: config.on_build.unwrap_or_default(),
        ports: sorted(config.exposed_ports),
        shell: config.shell.unwrap_or_default(),
        stop_signal: config.stop_signal.unwrap_or_default(),
        user: config.user.unwrap_or_default(),
        volumes: sorted(config.volumes),
        workdir: config.working_dir.unwrap_or_default(),
    }
}

/// Points `reference` at the image `id`.
pub(super) async fn tag(docker: &Docker, id: &str, reference: &str) -> Result<()> {
    Reference::parse(id)?;
    let (name, tag) = Reference::parse_tag(reference)?;
    let options = TagImageOptionsBuilder::default().repo(name).tag(tag).build();
    let request = docker.api.tag_image(id, Some(options));
    in_time(request, || format!("tagging `{reference}`")).await
}

/// Takes the tag `reference` away; see [`crate::engine::Engine::untag`].
pub(super) async fn untag(docker: &Docker, reference: &str, prune: bool) -> Result<()> {
    Reference::parse_tag(reference)?;
    let doing = || format!("removing the tag `{reference}`");
    let Some(image) = find(docker, reference).await? else { return Ok(()) };
    if !prune && image.tags.len() < 2 {
        return displace(docker, reference).await;
    }
    let options = RemoveImageOptionsBuilder::default().force(false).noprune(!prune).build();
    match docker.api.remove_image(reference, Some(options), None).await {
        Err(error) if errors::is_missing(&error) => Ok(()),
        // A container uses the image, and this is its last tag.
        Err(error) if errors::has_status(&error, 409) => displace(docker, reference).await,
        answer => answer.map(drop).doing(doing),
    }
}

/// Takes an image's last tag away and leaves the image. No request does that: the engine deletes an image with its last
/// tag. So the tag moves to an image of one empty file, with which it goes.
async fn displace(docker: &Docker, reference: &str) -> Result<()> {
    let archive = placeholder().map_err(|error| Error::no("a tar cannot be written").because(error))?;
    let id = import::upload(docker, futures_util::stream::iter([archive]), reference, &[]).await?;
    if let Err(error) = tag(docker, &id, reference).await {
        discard(docker, &id).await;
        return Err(error);
    }
    let remove = docker.api.remove_image(reference, Some(RemoveImageOptionsBuilder::default().build()), None);
    in_time(async { remove.await.map(drop) }, || format!("removing the tag `{reference}`")).await
}

/// A tar unlike any other: Podman mixes up layers of the same content that come and go at the same time.
fn placeholder() -> io::Result<Bytes> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(0);
    builder.append_data(&mut header, uuid::Uuid::new_v4().simple().to_string(), io::empty())?;
    builder.into_inner().map(Bytes::from)
}

/// Removes an image of ours that nothing names, as far as that succeeds: it is the second thing to go wrong.
pub(super) async fn discard(docker: &Docker, id: &str) {
    let remove = docker.api.remove_image(id, Some(RemoveImageOptionsBuilder::default().build()), None);
    let _ = tokio::time::timeout(GRACE, remove).await;
}

/// A request that is not cut short when the user stops us, but may not take for ever.
pub(super) async fn in_time<T>(
    request: impl Future<Output = Result<T, bollard::errors::Error>>,
    doing: impl FnOnce() -> String,
) -> Result<T> {
    match tokio::time::timeout(GRACE, request).await {
        Ok(answer) => answer.doing(doing),
        Err(_) => Err(Error::try_again(format!("the engine did not answer in time while {}", doing()))),
    }
}
