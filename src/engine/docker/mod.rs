//! The engine over the Docker API: Docker with BuildKit or the classic builder, and Podman's socket.

mod build;
mod connect;
mod containers;
mod context;
mod credentials;
mod endpoint;
mod errors;
mod images;
mod import;
mod pull;
mod reference;
mod run;
mod ssh;
mod state;
mod sweep;
mod tail;
mod tls;
mod transport;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use self::transport::Transport;
use super::{
    Archive, BuildOutcome, BuildRequest, Engine, EngineInfo, EngineState, Owner, Progress, RunOutput, RunRequest, Swept,
};
use crate::model::{Error, Image, Result};

/// How long the engine has for what must be finished even after the user stopped us.
const GRACE: Duration = Duration::from_secs(30);

/// What finding the engine needs to know; the binary reads it from the environment, the library never does.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// The environment: `DOCKER_HOST`, `DOCKER_CONTEXT`, `DOCKER_CONFIG`, `DOCKER_TLS`, `DOCKER_TLS_VERIFY`,
    /// `DOCKER_CERT_PATH`, `DOCKER_BUILDKIT` and `XDG_RUNTIME_DIR` are looked at.
    pub environment: BTreeMap<String, String>,
    /// The user's home folder.
    pub home: Option<PathBuf>,
    /// Who owns what is made.
    pub owner: Owner,
    /// Stops whatever is going on.
    pub cancel: CancellationToken,
}

/// A connected engine.
#[derive(Debug, Clone)]
pub struct Docker {
    api: bollard::Docker,
    transport: Transport,
    info: EngineInfo,
    owner: Owner,
    cancel: CancellationToken,
    /// Docker's configuration folder, where registry credentials are.
    config: Option<PathBuf>,
}

impl Docker {
    /// Finds the engine as Docker's own clients do, connects and negotiates the API version.
    pub async fn connect(options: ConnectOptions) -> Result<Self> {
        let cancel = options.cancel.clone();
        or_interrupted(&cancel, connect::connect(options)).await
    }

    /// Whether the engine is Podman, which takes the same requests and means some of them differently.
    fn is_podman(&self) -> bool {
        self.info.name == connect::PODMAN
    }
}

/// What `work` comes to, unless the user stops it first: then it is dropped.
async fn or_interrupted<T>(cancel: &CancellationToken, work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(Error::interrupted()),
        result = work => result,
    }
}

/// Ends when the user has stopped us and the engine has had its time for what must be finished all the same.
async fn out_of_patience(cancel: &CancellationToken) {
    cancel.cancelled().await;
    tokio::time::sleep(GRACE).await;
}

impl Engine for Docker {
    fn info(&self) -> &EngineInfo {
        &self.info
    }

    async fn state(&self) -> Result<EngineState> {
        or_interrupted(&self.cancel, state::state(self)).await
    }

    async fn find_image(&self, reference: &str) -> Result<Option<Image>> {
        or_interrupted(&self.cancel, images::find(self, reference)).await
    }

    async fn pull(&self, reference: &str, progress: &dyn Progress) -> Result<Image> {
        or_interrupted(&self.cancel, pull::pull(self, reference, progress)).await
    }

    async fn import(
        &self,
        archive: Archive,
        reference: &str,
        changes: &[String],
        progress: &dyn Progress,
    ) -> Result<Image> {
        import::import(self, archive, reference, changes, progress).await
    }

    async fn build(&self, request: &BuildRequest, progress: &dyn Progress) -> Result<BuildOutcome> {
        build::build(self, request, progress).await
    }

    async fn run(&self, request: &RunRequest) -> Result<RunOutput> {
        run::run(self, request).await
    }

    async fn container_image(&self, name: &str) -> Result<Option<String>> {
        or_interrupted(&self.cancel, containers::image(self, name)).await
    }

    async fn tag(&self, id: &str, reference: &str) -> Result<()> {
        // Once asked, the engine moves the tag whether or not we wait for its answer: so we wait.
        if self.cancel.is_cancelled() {
            return Err(Error::interrupted());
        }
        images::tag(self, id, reference).await
    }

    async fn label(&self, image: &str, labels: &BTreeMap<String, String>, reference: &str) -> Result<String> {
        build::label(self, image, labels, reference).await
    }

    async fn untag(&self, reference: &str, prune: bool) -> Result<()> {
        images::untag(self, reference, prune).await
    }

    async fn sweep(&self) -> Result<Swept> {
        // Boxed: it holds the futures of many requests.
        or_interrupted(&self.cancel, Box::pin(sweep::sweep(self))).await
    }
}
