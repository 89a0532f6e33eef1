//! Connecting: the first endpoint that answers, the API version that both sides speak, and what the engine is.

use std::fmt::Write as _;
use std::time::Duration;

use bollard::models::{SystemInfo, SystemVersion};
use bollard::{API_DEFAULT_VERSION, ClientVersion};
use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::Request;

use super::endpoint::{Candidates, Endpoint};
use super::errors::{self, Doing};
use super::transport::Transport;
use super::{ConnectOptions, Docker, endpoint};
use crate::engine::EngineInfo;
use crate::model::{Error, Result};

/// The engine that speaks Docker's API without being Docker; the name that its first component has.
pub(super) const PODMAN: &str = "Podman";
const PODMAN_COMPONENT: &str = "Podman Engine";

/// The oldest API that has what sconce needs: that of Docker 20.10 and Podman 4.
const OLDEST_API: ClientVersion = ClientVersion { major_version: 1, minor_version: 41 };

/// How long an engine that accepts the connection has to say that it is there.
const PING_TIMEOUT: Duration = Duration::from_mins(1);

/// An endpoint that did not answer.
struct Unreachable {
    endpoint: Endpoint,
    why: String,
    denied: bool,
}

pub(super) async fn connect(options: ConnectOptions) -> Result<Docker> {
    let Candidates { endpoints, asked_by } = endpoint::resolve(&options)?;
    let mut tried = Vec::new();
    for endpoint in endpoints {
        let transport = Transport::new(&endpoint)?;
        match ping(&transport).await {
            Ok(()) => return identify(transport, &endpoint, options).await,
            Err((why, denied)) => tried.push(Unreachable { endpoint, why, denied }),
        }
    }
    Err(absent(&tried, asked_by))
}

/// Whether an engine answers; otherwise why not, and whether the operating system forbade it.
async fn ping(transport: &Transport) -> Result<(), (String, bool)> {
    let request = Request::get("/_ping").body(Either::Left(Full::new(Bytes::new())));
    let request = request.map_err(|error| (error.to_string(), false))?;
    match tokio::time::timeout(PING_TIMEOUT, transport.request(request)).await {
        Ok(Ok(answer)) if answer.status().is_success() => Ok(()),
        Ok(Ok(answer)) => Err((format!("it answers `{}`, as no container engine does", answer.status()), false)),
        Ok(Err(error)) => Err((errors::printable(&errors::root(&error).to_string()), errors::is_denied(&error))),
        Err(_) => Err(("it accepts connections but does not answer".to_owned(), false)),
    }
}

fn absent(tried: &[Unreachable], asked_by: Option<String>) -> Error {
    let mut hint = match tried.iter().find(|attempt| attempt.denied) {
        Some(attempt) => format!(
            "you may not use {}: join its group with `sudo usermod -aG docker \"$USER\"` and log in again, or use a \
             rootless engine",
            attempt.endpoint
        ),
        None if asked_by.is_some() => "start the engine there, or correct or unset what names it".to_owned(),
        None => "install Docker (https://docs.docker.com/engine/install/) or Podman, start it (`sudo systemctl start \
                 docker`, or `systemctl --user start podman.socket`), or say where it is in `DOCKER_HOST`"
            .to_owned(),
    };
    if let (Some(asked_by), [attempt]) = (asked_by, tried) {
        let message = format!("no container engine at {}, which {asked_by} names: {}", attempt.endpoint, attempt.why);
        return Error::try_again(message).with_hint(hint);
    }
    hint.push_str("\ntried:");
    for Unreachable { endpoint, why, .. } in tried {
        let _ = write!(hint, "\n  {endpoint}: {why}");
    }
    Error::try_again("no container engine answers").with_hint(hint)
}

/// Asks the engine what it is, and settles on an API version.
async fn identify(transport: Transport, endpoint: &Endpoint, options: ConnectOptions) -> Result<Docker> {
    let asking = || "asking for its version".to_owned();
    let version = transport.bollard().doing(asking)?.version().await.doing(asking)?;
    let api = negotiate(&version, endpoint)?;
    let transport = transport.with_api(&api);
    let client = transport.bollard().doing(asking)?;
    let system = client.info().await.doing(asking)?;
    let info = describe(version, &api, &system, endpoint, options.variable("DOCKER_BUILDKIT"));
    if system.os_type.as_deref().is_some_and(|os| os != "linux") {
        return Err(Error::no(format!("{} at {} runs no Linux containers", info.name, info.endpoint))
            .with_hint("switch it to Linux containers"));
    }
    let config = options.docker_config();
    Ok(Docker { api: client, transport, info, owner: options.owner, cancel: options.cancel, config })
}

/// The newest API version that both sides speak.
fn negotiate(version: &SystemVersion, endpoint: &Endpoint) -> Result<ClientVersion> {
    let parse = |text: &Option<String>| {
        let (major, minor) = text.as_deref()?.split_once('.')?;
        Some(ClientVersion { major_version: major.parse().ok()?, minor_version: minor.parse().ok()? })
    };
    let newest = parse(&version.api_version)
        .ok_or_else(|| Error::no(format!("what answers at {endpoint} names no version of the Docker API")))?;
    if newest < OLDEST_API {
        return Err(Error::no(format!("the engine at {endpoint} is too old: it speaks API {newest}"))
            .with_hint(format!("sconce needs API {OLDEST_API}: Docker 20.10 or later, or Podman 4 or later")));
    }
    match parse(&version.min_api_version) {
        Some(oldest) if *API_DEFAULT_VERSION < oldest => {
            Err(Error::no(format!("the engine at {endpoint} is too new: it speaks no API before {oldest}"))
                .with_hint(format!("this sconce speaks API {API_DEFAULT_VERSION} at most: update it")))
        }
        _ => Ok(if newest < *API_DEFAULT_VERSION { newest } else { *API_DEFAULT_VERSION }),
    }
}

fn describe(
    version: SystemVersion,
    api: &ClientVersion,
    system: &SystemInfo,
    endpoint: &Endpoint,
    buildkit: Option<&str>,
) -> EngineInfo {
    let component = version.components.as_ref().and_then(|components| components.first());
    let podman = component.is_some_and(|component| component.name == PODMAN_COMPONENT);
    // Every Docker of this API has BuildKit for Linux, also where its command line prefers the classic builder.
    let wanted = !buildkit.is_some_and(|value| matches!(value, "0" | "f" | "F" | "false" | "FALSE" | "False"));
    EngineInfo {
        id: errors::printable(system.id.as_deref().unwrap_or_default()),
        name: if podman { PODMAN } else { "Docker" }.to_owned(),
        version: errors::printable(&version.version.unwrap_or_default()),
        api: api.to_string(),
        buildkit: wanted && !podman,
        endpoint: endpoint.to_string(),
        architecture: errors::printable(&version.arch.unwrap_or_default()),
        cpus: system.ncpu.and_then(|count| u32::try_from(count).ok()).unwrap_or(1),
        memory: system.mem_total.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(0),
    }
}
