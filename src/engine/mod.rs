//! The container engine, in sconce's own few words.
//!
//! [`Engine`] is all that the rest of the house knows. [`docker::Docker`] speaks the Docker API (Docker and Podman);
//! [`scripted::Scripted`] replays a recording, so that every path, failures midway included, is tested without an engine;
//! [`AnyEngine`] is whichever of them the environment asks for.

mod any;
pub mod docker;
mod owner;
mod progress;
mod redact;
pub mod scripted;
mod state;

use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use any::AnyEngine;
pub use owner::Owner;
pub use progress::{Event, Progress, Silent};
pub use redact::{Redactor, Secret};
pub use state::EngineState;

use crate::model::{BuildFailure, Image, Result};

/// The label that every container of ours carries; its value is the [`Owner`] that made it.
pub const OWNER_LABEL: &str = "dev.sconce.owner";

/// The repository of the tag that an image has between its build and its proof; its tag part is the [`Owner`]'s.
/// Its host is `localhost`, so that nothing pushes or pulls it by accident.
pub const UNPROVEN_REPOSITORY: &str = "localhost/sconce-unproven";

/// The repository of the tag that a proven image has while it gets the label that says so; otherwise as
/// [`UNPROVEN_REPOSITORY`].
pub const PROVEN_REPOSITORY: &str = "localhost/sconce-proven";

/// A container engine. Implementations stop soon after their cancellation token fires, undo what they made, and return
/// an error of kind [`crate::model::ErrorKind::Interrupted`].
pub trait Engine: Send + Sync {
    /// What the engine is and can do, as found when it was connected.
    fn info(&self) -> &EngineInfo;

    /// What the engine says of itself now.
    fn state(&self) -> impl Future<Output = Result<EngineState>> + Send;

    /// The image that `reference` (a tag or an id) names on the engine; nothing is pulled.
    fn find_image(&self, reference: &str) -> impl Future<Output = Result<Option<Image>>> + Send;

    /// Pulls an image from its registry. A registry that cannot be reached or does not have it is an error of kind
    /// `TryAgain` or `No`.
    fn pull(&self, reference: &str, progress: &dyn Progress) -> impl Future<Output = Result<Image>> + Send;

    /// Imports a root file system (a tar, plain or gzip) as an image with one layer and tags it `reference`. `changes` are
    /// Dockerfile instructions (`CMD`, `ENV`, `LABEL`). An archive that ends in an error leaves no image.
    fn import(
        &self,
        archive: Archive,
        reference: &str,
        changes: &[String],
        progress: &dyn Progress,
    ) -> impl Future<Output = Result<Image>> + Send;

    /// Runs a Dockerfile. A step that fails is an outcome, not an error. On success the image carries `request.tag`.
    fn build(
        &self,
        request: &BuildRequest,
        progress: &dyn Progress,
    ) -> impl Future<Output = Result<BuildOutcome>> + Send;

    /// Creates a container, starts it, waits for it within the limits, collects its output and removes it, whatever happens.
    fn run(&self, request: &RunRequest) -> impl Future<Output = Result<RunOutput>> + Send;

    /// The id of the image that a container, running or not, was made from; `None` where there is no container of that name.
    fn container_image(&self, name: &str) -> impl Future<Output = Result<Option<String>>> + Send;

    /// Points `reference` at the image `id`.
    fn tag(&self, id: &str, reference: &str) -> impl Future<Output = Result<()>> + Send;

    /// Makes an image that is the one that `image` names with `labels` besides, tags it `reference`, and gives its id. Nothing
    /// else of it is different, and the same image with the same labels has the same id as long as it is there.
    fn label(
        &self,
        image: &str,
        labels: &BTreeMap<String, String>,
        reference: &str,
    ) -> impl Future<Output = Result<String>> + Send;

    /// Takes the tag `reference` away. The image itself goes too only if `prune` and nothing else names or uses it.
    /// A reference that does not exist is no error. It is done, within a time limit, even after the cancellation token fired:
    /// it is how a caller undoes.
    fn untag(&self, reference: &str, prune: bool) -> impl Future<Output = Result<()>> + Send;

    /// Removes the containers and unproven tags whose [`Owner`] is no longer running on this machine.
    fn sweep(&self) -> impl Future<Output = Result<Swept>> + Send;
}

/// What an engine is and can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineInfo {
    /// What tells this engine from others that answer at the same endpoint on another day; may be empty.
    #[serde(default)]
    pub id: String,
    /// `Docker` or `Podman`.
    pub name: String,
    /// Its version, such as `20.10.24`.
    pub version: String,
    /// The negotiated API version, such as `1.41`.
    pub api: String,
    /// Whether builds go through BuildKit, with secrets, mounts and file sync.
    pub buildkit: bool,
    /// Where it was found, such as `unix:///var/run/docker.sock`, without credentials.
    pub endpoint: String,
    /// The engine's own architecture: `amd64`, `arm64`, …
    pub architecture: String,
    /// Its processors.
    pub cpus: u32,
    /// Its memory in bytes.
    pub memory: u64,
}

impl std::fmt::Display for EngineInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let builder = if self.buildkit { "BuildKit" } else { "classic builder" };
        write!(f, "{} {} (API {}, {builder})", self.name, self.version, self.api)
    }
}

/// A root file system on its way to the engine: a stream of chunks, where an error ends the import.
pub type Archive = std::pin::Pin<Box<dyn futures_util::Stream<Item = std::io::Result<bytes::Bytes>> + Send + Sync>>;

/// What to build.
#[derive(Debug, Clone, Default)]
pub struct BuildRequest {
    /// The text of the Dockerfile; it need not stand in the context.
    pub dockerfile: String,
    /// The folder that is the build context; its `.dockerignore` is honoured. `None` is a folder with nothing in it.
    pub context: Option<PathBuf>,
    /// Build arguments. The engine knows the proxy variables (`HTTP_PROXY`, …) by itself and keeps them out of the history.
    pub args: BTreeMap<String, String>,
    /// Secrets by id. Only BuildKit can keep them: with any, a build on another builder is an error before anything starts.
    pub secrets: BTreeMap<String, Secret>,
    /// Labels of the image.
    pub labels: BTreeMap<String, String>,
    /// The tag to give the image.
    pub tag: String,
    /// The stage to build; the last one where there is none.
    pub target: Option<String>,
    /// The platform to build for, as `linux/arm64`; the engine's own where there is none.
    pub platform: Option<String>,
    /// Whether to ignore the engine's build cache.
    pub no_cache: bool,
    /// Whether the steps see the network of the engine's host, its loopback address included, instead of their own.
    pub host_network: bool,
    /// Takes secret values out of everything that comes back.
    pub redactor: Redactor,
}

/// What became of a build.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum BuildOutcome {
    /// All steps ran.
    Built {
        /// The image's id.
        id: String,
        /// How many of the Dockerfile's steps the cache answered.
        cached_steps: usize,
        /// How many steps there were.
        steps: usize,
    },
    /// A step said no.
    Failed(BuildFailure),
}

/// What to run in a new container. It has no network, no extra capabilities and no more processes than it needs.
#[derive(Debug, Clone, Default)]
pub struct RunRequest {
    /// The image's id or reference.
    pub image: String,
    /// The command in place of the image's entrypoint.
    pub entrypoint: Vec<String>,
    /// Its arguments.
    pub args: Vec<String>,
    /// Environment variables besides the image's own.
    pub env: BTreeMap<String, String>,
    /// The user in place of the image's own.
    pub user: Option<String>,
    /// The memory that it may use, in bytes; swap is not on top of it.
    pub memory: u64,
    /// How much of the processors' time it may use, in processors; all of it where there is no number.
    pub cpus: Option<f64>,
    /// The processors that it sees, as `0` or `0-3`; all of them where there are none.
    pub cpuset: Option<String>,
    /// The processes that it may have.
    pub pids: u32,
    /// Whether its root file system is read-only.
    pub read_only: bool,
    /// File systems in memory: the options by the path, as `docker run --tmpfs` has them (`rw,exec,size=1g`).
    pub tmpfs: BTreeMap<String, String>,
    /// The GPUs that it gets, where it gets any.
    pub gpus: Option<Gpus>,
    /// The time that it may take.
    pub timeout: Duration,
}

/// The GPUs of a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Gpus {
    /// All that the engine's NVIDIA runtime has.
    All,
    /// So many of them.
    Count(u32),
    /// These, by their index or UUID.
    Devices(Vec<String>),
    /// Devices by their names in the Container Device Interface, as `nvidia.com/gpu=all`
    /// (<https://github.com/cncf-tags/container-device-interface>).
    Cdi(Vec<String>),
}

/// What a container did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunOutput {
    /// Its exit code; `None` where it was stopped for its time.
    pub exit_code: Option<i64>,
    /// Why its command could not be started, where it could not; nothing else is known then.
    #[serde(default)]
    pub not_started: Option<String>,
    /// Whether it was stopped for its time.
    pub timed_out: bool,
    /// Whether it ran out of memory, as far as the engine can tell.
    pub out_of_memory: bool,
    /// What it wrote on standard output; at most the last 8 MiB.
    pub stdout: String,
    /// What it wrote on standard error; at most the last 8 MiB.
    pub stderr: String,
    /// Milliseconds from start to end.
    pub milliseconds: u64,
}

/// What a sweep removed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swept {
    /// How many containers.
    pub containers: usize,
    /// How many unproven tags.
    pub images: usize,
}
