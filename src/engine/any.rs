use std::collections::BTreeMap;

use super::docker::{ConnectOptions, Docker};
use super::scripted::Scripted;
use super::{
    Archive, BuildOutcome, BuildRequest, Engine, EngineInfo, EngineState, Progress, RunOutput, RunRequest, Swept,
};
use crate::model::{Image, Result};

/// The scheme of `DOCKER_HOST` that names a recording: `script:///path/of/recording.json`.
const SCRIPT: &str = "script://";

/// The engine that the environment asks for.
#[derive(Debug)]
pub enum AnyEngine {
    /// One that speaks the Docker API.
    Docker(Box<Docker>),
    /// A recording of one.
    Scripted(Box<Scripted>),
}

impl AnyEngine {
    /// Connects to the engine that the environment asks for: a recording where `DOCKER_HOST` has the scheme `script`, and
    /// otherwise as [`Docker::connect`].
    pub async fn connect(options: ConnectOptions) -> Result<Self> {
        match options.environment.get("DOCKER_HOST").and_then(|host| host.strip_prefix(SCRIPT)) {
            Some(path) => {
                Scripted::open(path.as_ref(), options.cancel).map(|scripted| Self::Scripted(Box::new(scripted)))
            }
            None => Docker::connect(options).await.map(|docker| Self::Docker(Box::new(docker))),
        }
    }
}

/// The same call on whichever it is.
macro_rules! delegate {
    ($self:ident, $engine:ident => $call:expr) => {
        match $self {
            AnyEngine::Docker($engine) => $call,
            AnyEngine::Scripted($engine) => $call,
        }
    };
}

impl Engine for AnyEngine {
    fn info(&self) -> &EngineInfo {
        delegate!(self, engine => engine.info())
    }

    async fn state(&self) -> Result<EngineState> {
        delegate!(self, engine => engine.state().await)
    }

    async fn find_image(&self, reference: &str) -> Result<Option<Image>> {
        delegate!(self, engine => engine.find_image(reference).await)
    }

    async fn pull(&self, reference: &str, progress: &dyn Progress) -> Result<Image> {
        delegate!(self, engine => engine.pull(reference, progress).await)
    }

    async fn import(
        &self,
        archive: Archive,
        reference: &str,
        changes: &[String],
        progress: &dyn Progress,
    ) -> Result<Image> {
        delegate!(self, engine => engine.import(archive, reference, changes, progress).await)
    }

    async fn build(&self, request: &BuildRequest, progress: &dyn Progress) -> Result<BuildOutcome> {
        delegate!(self, engine => engine.build(request, progress).await)
    }

    async fn run(&self, request: &RunRequest) -> Result<RunOutput> {
        delegate!(self, engine => engine.run(request).await)
    }

    async fn container_image(&self, name: &str) -> Result<Option<String>> {
        delegate!(self, engine => engine.container_image(name).await)
    }

    async fn tag(&self, id: &str, reference: &str) -> Result<()> {
        delegate!(self, engine => engine.tag(id, reference).await)
    }

    async fn label(&self, image: &str, labels: &BTreeMap<String, String>, reference: &str) -> Result<String> {
        delegate!(self, engine => engine.label(image, labels, reference).await)
    }

    async fn untag(&self, reference: &str, prune: bool) -> Result<()> {
        delegate!(self, engine => engine.untag(reference, prune).await)
    }

    async fn sweep(&self) -> Result<Swept> {
        delegate!(self, engine => engine.sweep().await)
    }
}
