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

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use bollard::query_parameters::BuildImageOptionsBuilder;

use super::{Docker, or_interrupted};
use crate::engine::{BuildOutcome, BuildRequest, Progress};
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

/// What all builders are asked alike.
fn options(request: &BuildRequest) -> BuildImageOptionsBuilder {
    let map = |map: &std::collections::BTreeMap<String, String>| -> HashMap<String, String> {
        map.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    let options = BuildImageOptionsBuilder::default();
    let options = request.platform.iter().fold(options, |options, platform| options.platform(platform));
    options
        .t(&request.tag)
        .nocache(request.no_cache)
        .networkmode(if request.host_network { "host" } else { "default" })
        .rm(true)
        .forcerm(true)
        .buildargs(&map(&request.args))
        .labels(&map(&request.labels))
}

/// The context's folder by its one true name, under which the engine keeps what it was sent of it.
fn absolute(context: &Path) -> Result<PathBuf> {
    context.canonicalize().map_err(|error| {
        let shown = context.display().to_string();
        Error::usage(format!("the build context `{}` cannot be read: {error}", shown.escape_debug())).because(error)
    })
}
