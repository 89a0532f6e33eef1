//! BuildKit asks for registry credentials when it pulls a base image itself.

use std::path::PathBuf;

use bollard::moby::filesync::v1::auth_server::Auth;
use bollard::moby::filesync::v1::{
    CredentialsRequest, CredentialsResponse, FetchTokenRequest, FetchTokenResponse, GetTokenAuthorityRequest,
    GetTokenAuthorityResponse, VerifyTokenAuthorityRequest, VerifyTokenAuthorityResponse,
};
use tonic::{Request, Response, Status};

use super::super::credentials;

/// The host at which BuildKit finds Docker's own registry; credentials are kept under another name.
const DOCKER_HUB_HOST: &str = "registry-1.docker.io";

/// Gives the credentials of Docker's configuration folder.
#[derive(Debug)]
pub(super) struct Login {
    pub(super) config: Option<PathBuf>,
}

#[tonic::async_trait]
impl Auth for Login {
    async fn credentials(&self, request: Request<CredentialsRequest>) -> Result<Response<CredentialsResponse>, Status> {
        let host = request.into_inner().host;
        let host = if host == DOCKER_HUB_HOST { "docker.io" } else { host.as_str() };
        let found = credentials::for_registry(self.config.clone(), host).await.unwrap_or_default();
        Ok(Response::new(match found.identitytoken {
            Some(secret) => CredentialsResponse { secret, ..CredentialsResponse::default() },
            None => CredentialsResponse {
                username: found.username.unwrap_or_default(),
                secret: found.password.unwrap_or_default(),
            },
        }))
    }

    // With none of these the engine fetches tokens by itself, with the credentials.

    async fn fetch_token(&self, _: Request<FetchTokenRequest>) -> Result<Response<FetchTokenResponse>, Status> {
        Err(Status::unimplemented("tokens are the engine's to fetch"))
    }

    async fn get_token_authority(
        &self,
        _: Request<GetTokenAuthorityRequest>,
    ) -> Result<Response<GetTokenAuthorityResponse>, Status> {
        Err(Status::unimplemented("tokens are the engine's to fetch"))
    }

    async fn verify_token_authority(
        &self,
        _: Request<VerifyTokenAuthorityRequest>,
    ) -> Result<Response<VerifyTokenAuthorityResponse>, Status> {
        Err(Status::unimplemented("tokens are the engine's to fetch"))
    }
}
