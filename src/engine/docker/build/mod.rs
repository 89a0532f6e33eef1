//! Builds: BuildKit by a session of our own, the classic builder and Podman by a streamed tar.

mod auth;
mod buildkit;
mod classic;
mod context;
mod dockerignore;
mod filesync;
mod follow;
mod go_path;
mod lines;
mod outbound;
mod pattern;
mod session;
mod steps;
mod stream;
mod tar;
mod verdict;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use bollard::query_parameters::BuildImageOptionsBuilder;

use super::reference::Reference;
use super::{Docker, or_interrupted};
use crate::engine::{BuildOutcome, BuildRequest, Progress, Redactor, Silent};
use crate::model::{Error, Result};

/// Runs the Dockerfile of `request`.
pub(super) async fn build(docker: &Docker, request: &BuildRequest, progress: &dyn Progress) -> Result<BuildOutcome> {
    let building = async {
        if docker.info.buildkit {
            buildkit::build(docker, request, progress).await
        } else {
            classic::build(docker, request, progress).await
        }
    };
    or_interrupted(&docker.cancel, building).await
}

/// Adds labels to an image; see [`crate::engine::Engine::label`]. It is a build of one line: what it keeps of the image, its
/// dates included, is what the builder knows and the API does not tell.
pub(super) async fn label(
    docker: &Docker,
    image: &str,
    labels: &BTreeMap<String, String>,
    reference: &str,
) -> Result<String> {
    Reference::parse(image)?;
    let request = BuildRequest {
        dockerfile: format!("FROM {image}\n"),
        context: None,
        args: BTreeMap::new(),
        secrets: BTreeMap::new(),
        labels: labels.clone(),
        tag: reference.to_owned(),
        target: None,
        platform: None,
        no_cache: false,
        host_network: false,
        redactor: Redactor::default(),
    };
    match build(docker, &request, &Silent).await? {
        BuildOutcome::Built { id, .. } => Ok(id),
        BuildOutcome::Failed(failure) => {
            Err(Error::no(format!("the image `{image}` cannot be labelled: {}", failure.message)))
        }
    }
}

/// What all builders are asked alike.
fn options(request: &BuildRequest) -> BuildImageOptionsBuilder {
    let map = |map: &std::collections::BTreeMap<String, String>| -> HashMap<String, String> {
        map.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    let options = BuildImageOptionsBuilder::default();
    let options = request.platform.iter().fold(options, |options, platform| options.platform(platform));
    let options = request.target.iter().fold(options, |options, target| options.target(target));
    options
        .t(&request.tag)
        .nocache(request.no_cache)
        .networkmode(if request.host_network { "host" } else { "default" })
        .rm(true)
        .forcerm(true)
        .buildargs(&map(&request.args))
        .labels(&map(&request.labels))
}

/// The context's folder, if there is one, by its one true name, under which the engine keeps what it was sent of it.
fn absolute(context: Option<&Path>) -> Result<Option<PathBuf>> {
    let Some(context) = context else { return Ok(None) };
    context.canonicalize().map(Some).map_err(|error| {
        let shown = context.display().to_string();
        Error::usage(format!("the build context `{}` cannot be read: {error}", shown.escape_debug())).because(error)
    })
}
