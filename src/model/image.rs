use serde::{Deserialize, Serialize};

use super::BaseOrigin;

/// An image on the engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Its id, `sha256:…`.
    pub id: String,
    /// Its tags, as `name:tag`.
    pub tags: Vec<String>,
    /// Its size in bytes.
    pub size: u64,
    /// Its user, as the image's configuration has it; empty means root.
    pub user: String,
    /// `amd64`, `arm64`, …
    pub architecture: String,
    /// Its history, the newest layer first; empty steps are left out.
    pub layers: Vec<Layer>,
}

/// A layer of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// Its size in bytes.
    pub size: u64,
    /// The step that made it, as the engine recorded it.
    pub created_by: String,
}

/// How an image was made by this run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BuiltBy {
    /// The engine, such as `Docker 20.10.24 (API 1.41, BuildKit)`.
    pub engine: String,
    /// How the base came to be there.
    pub base: BaseOrigin,
    /// The base's image id.
    pub base_id: String,
    /// The seconds that the build took.
    pub seconds: f64,
    /// How many of the Dockerfile's steps the engine's cache answered, of how many.
    pub cached_steps: (usize, usize),
}

/// A build that failed: the Dockerfile was run, and one of its steps said no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildFailure {
    /// The step, as the engine names it, such as `[5/9] RUN uv pip install …`.
    pub step: String,
    /// What the engine says of it.
    pub message: String,
    /// The end of the step's log, line by line, without escape sequences.
    pub log: Vec<String>,
}
