//! The session of a build: a connection that we open and over which BuildKit asks us, by gRPC, for files, secrets and
//! registry credentials. Source: <https://github.com/moby/buildkit/tree/master/session>

use std::collections::BTreeMap;
use std::path::Path;

use bollard::health::health_check_response::ServingStatus;
use bollard::health::health_server::{Health, HealthServer};
use bollard::health::{HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse};
use bollard::moby::buildkit::secrets::v1::secrets_server::{Secrets, SecretsServer};
use bollard::moby::buildkit::secrets::v1::{GetSecretRequest, GetSecretResponse};
use bollard::moby::filesync::v1::auth_server::AuthServer;
use bollard::moby::filesync::v1::file_sync_server::FileSyncServer;
use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::StatusCode;
use hyper::server::conn::http2;
use hyper_util::rt::TokioExecutor;
use hyper_util::service::TowerToHyperService;
use tokio::task::JoinSet;
use tonic::service::Routes;
use tonic::{Request, Response, Status};

use super::super::Docker;
use super::super::errors::{self, Doing};
use super::auth::Login;
use super::filesync::Files;
use crate::engine::Secret;
use crate::model::{Error, Result, sha256_hex};

/// What the other side may send before we read it. Requests for thousands of files come at once.
const CONNECTION_WINDOW: u32 = 64 * 1024 * 1024;
const STREAM_WINDOW: u32 = 16 * 1024 * 1024;

/// The methods that we serve, as the engine is told them.
const METHODS: [&str; 4] = [
    "/grpc.health.v1.Health/Check",
    "/moby.buildkit.secrets.v1.Secrets/GetSecret",
    "/moby.filesync.v1.Auth/Credentials",
    "/moby.filesync.v1.FileSync/DiffCopy",
];

/// An open session; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Session {
    id: String,
    /// The one task that serves it.
    _serving: JoinSet<()>,
}

impl Session {
    /// Opens a session that serves `files` and `secrets`.
    pub(super) async fn open(docker: &Docker, files: Files, secrets: BTreeMap<String, Secret>) -> Result<Self> {
        let id = uuid::Uuid::new_v4().simple().to_string();
        let doing = || "opening a build session".to_owned();
        let request = request(&id, files.context.as_deref())
            .map_err(|error| Error::no(format!("a build session cannot be asked for: {error}")))?;
        let response = docker.transport.request(request).await.doing(doing)?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Err(errors::refused(&doing(), Some(response.status().as_u16()), "no build session is to be had"));
        }
        let upgraded = hyper::upgrade::on(response).await.map_err(|error| errors::went_away(&doing(), error))?;
        let routes = Routes::new(HealthServer::new(Serving))
            .add_service(SecretsServer::new(Memory(secrets)))
            .add_service(AuthServer::new(Login { config: docker.config.clone() }))
            .add_service(FileSyncServer::new(files))
            .prepare();
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut server = http2::Builder::new(TokioExecutor::new());
            server.initial_connection_window_size(CONNECTION_WINDOW).initial_stream_window_size(STREAM_WINDOW);
            // However it ends, the build is what says so: it fails when the engine has lost the session.
            let _ = server.serve_connection(upgraded, TowerToHyperService::new(routes)).await;
        });
        Ok(Self { id, _serving: serving })
    }

    /// The id under which a build names the session.
    pub(super) fn id(&self) -> &str {
        &self.id
    }
}

fn request(
    id: &str,
    context: Option<&Path>,
) -> Result<hyper::Request<super::super::transport::Body>, hyper::http::Error> {
    let mut request = hyper::Request::post("/session")
        .header("Connection", "Upgrade")
        .header("Upgrade", "h2c")
        .header("X-Docker-Expose-Session-Uuid", id)
        .header("X-Docker-Expose-Session-Name", "sconce")
        .header("X-Docker-Expose-Session-Sharedkey", shared_key(context));
    for method in METHODS {
        request = request.header("X-Docker-Expose-Session-Grpc-Method", method);
    }
    request.body(Either::Left(Full::new(Bytes::new())))
}

/// What the engine keeps its copy of the context under: the same for the same folder of the same machine, so that the next
/// build sends only what has changed.
fn shared_key(context: Option<&Path>) -> String {
    let host = nix::unistd::gethostname().unwrap_or_default();
    // No name and no path has a NUL in it.
    sha256_hex([
        host.as_encoded_bytes(),
        b"\0",
        context.map_or(&b""[..], |context| context.as_os_str().as_encoded_bytes()),
    ])
}

/// Hands out secrets from memory.
#[derive(Debug)]
struct Memory(BTreeMap<String, Secret>);

#[tonic::async_trait]
impl Secrets for Memory {
    async fn get_secret(&self, request: Request<GetSecretRequest>) -> Result<Response<GetSecretResponse>, Status> {
        match self.0.get(&request.get_ref().id) {
            Some(secret) => Ok(Response::new(GetSecretResponse { data: secret.expose().to_vec() })),
            None => Err(Status::not_found(format!("secret {} not found", request.get_ref().id))),
        }
    }
}

/// Says that we are there: the engine ends the session of a client that does not.
#[derive(Debug)]
struct Serving;

#[tonic::async_trait]
impl Health for Serving {
    type WatchStream = tokio_stream::Once<Result<HealthCheckResponse, Status>>;

    async fn check(&self, _: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        Ok(Response::new(serving()))
    }

    async fn list(&self, _: Request<HealthListRequest>) -> Result<Response<HealthListResponse>, Status> {
        Ok(Response::new(HealthListResponse { statuses: [(String::new(), serving())].into() }))
    }

    async fn watch(&self, _: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        Ok(Response::new(tokio_stream::once(Ok(serving()))))
    }
}

fn serving() -> HealthCheckResponse {
    HealthCheckResponse { status: ServingStatus::Serving.into() }
}
