//! Building with the BuildKit that is in the engine: the engine's own endpoint, with a session of ours beside it.

use std::sync::Arc;

use bollard::BollardRequest;
use bollard::moby::buildkit::v1::{StatusResponse, Vertex, VertexStatus};
use bollard::models::{BuildInfo, BuildInfoAux};
use bytes::Bytes;

use super::super::{Docker, errors};
use super::dockerignore;
use super::filesync::{DOCKERFILE, Files};
use super::outbound::Outbound;
use super::session::Session;
use super::steps::Steps;
use super::stream::{End, follow};
use super::verdict::verdict;
use crate::engine::{BuildOutcome, BuildRequest, Progress};
use crate::model::Result;

/// Runs the Dockerfile of `request`.
pub(super) async fn build(docker: &Docker, request: &BuildRequest, progress: &dyn Progress) -> Result<BuildOutcome> {
    let context = super::absolute(request.context.as_deref())?;
    // The engine asks for the file and reads it, but would not say which line is wrong.
    context.as_deref().map(dockerignore::read).transpose()?;
    let (outbound, events) = Outbound::new();
    let files = Files { context, dockerfile: Arc::from(request.dockerfile.as_str()), outbound: outbound.clone() };
    let session = Session::open(docker, files, request.secrets.clone()).await?;
    let id = session.id().to_owned();
    let api = docker.api.clone().with_request_modifier(move |request| with_session(request, &id));
    let options = super::options(request).dockerfile(DOCKERFILE).remote("client-session").build();
    let messages = api.build_image(options, None, Some(bollard::body_full(Bytes::new())));
    let mut steps = Steps::new(progress, &request.redactor);
    let mut image = None;
    let end =
        follow(docker, messages, (outbound, events), progress, |message| take(message, &mut steps, &mut image)).await?;
    match (end, image) {
        (End::Refused(error), _) => verdict(&error, &steps),
        (End::Over, Some(id)) => Ok(steps.built(id)),
        (End::Over, None) => Err(errors::gone("building")),
    }
}

/// Turns the request for the classic builder, which is the one that bollard sends as it is, into one for BuildKit.
fn with_session(mut request: BollardRequest, session: &str) -> BollardRequest {
    let query = request.uri().query().unwrap_or_default().split('&').filter(|pair| !pair.starts_with("version="));
    let query = query.collect::<Vec<_>>().join("&");
    let path = format!("{}?{query}&version=2&session={session}&buildid={session}", request.uri().path());
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = path.parse().ok();
    if let Ok(uri) = parts.try_into() {
        *request.uri_mut() = uri;
    }
    request
}

fn take(message: BuildInfo, steps: &mut Steps<'_>, image: &mut Option<String>) {
    match message.aux {
        Some(BuildInfoAux::BuildKit(status)) => take_status(&status, steps),
        Some(BuildInfoAux::Default(id)) => *image = id.id.or(image.take()),
        None => {}
    }
}

fn take_status(status: &StatusResponse, steps: &mut Steps<'_>) {
    for vertex in &status.vertexes {
        take_vertex(vertex, steps);
    }
    for status in &status.statuses {
        take_transfer(status, steps);
    }
    for log in &status.logs {
        steps.log(&log.vertex, log.stream, &log.msg);
    }
    // A step's end may come in the same message as its last lines, which belong before it.
    for vertex in &status.vertexes {
        if vertex.completed.is_some() {
            let error = Some(vertex.error.as_str()).filter(|error| !error.is_empty());
            steps.end(&vertex.digest, vertex.cached, error);
        }
    }
}

fn take_vertex(vertex: &Vertex, steps: &mut Steps<'_>) {
    if vertex.started.is_some() || vertex.completed.is_some() {
        steps.begin(&vertex.digest, &vertex.name);
    }
}

fn take_transfer(status: &VertexStatus, steps: &mut Steps<'_>) {
    // Of what goes to the engine we know more than it does.
    let ours = status.id.starts_with("transferring ");
    if let (false, Ok(current), Ok(total)) = (ours, u64::try_from(status.current), u64::try_from(status.total)) {
        let name = if status.name.is_empty() { &status.id } else { &status.name };
        steps.transfer(&status.vertex, name, current, Some(total).filter(|&total| total > 0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_asks_for_buildkit_and_names_the_session() {
        let request =
            hyper::Request::post("http://localhost/build?t=a&labels=%7B%22version%3D1%22%7D&version=1&q=false")
                .body(bollard::body_full(Bytes::new()))
                .unwrap();
        assert_eq!(
            with_session(request, "abc").uri().to_string(),
            "http://localhost/build?t=a&labels=%7B%22version%3D1%22%7D&q=false&version=2&session=abc&buildid=abc"
        );
    }
}
