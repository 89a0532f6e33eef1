use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{BaseOrigin, sha256_hex};

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
    /// What it is made of. It is no part of the reports: an environment may hold what is nobody's business.
    #[serde(default, skip_serializing)]
    pub content: Content,
    /// Its labels.
    #[serde(default, skip_serializing)]
    pub labels: BTreeMap<String, String>,
}

/// What an image is made of: its files, and how containers of it run. Its names, labels, dates and history are not; two
/// images with the same content run alike.
///
/// The parts have the names and the order in which they are digested: `docs/attestation.md` says how to do it by hand.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Content {
    /// `amd64`, `arm64`, …
    pub architecture: String,
    /// How containers run.
    pub config: RuntimeConfig,
    /// The digests of the layers' files (`diff_ids`), the oldest first.
    pub layers: Vec<String>,
    /// `linux`.
    pub os: String,
}

/// How containers of an image run (<https://github.com/opencontainers/image-spec/blob/main/config.md>).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RuntimeConfig {
    /// The default command, or the default arguments of the entry point.
    pub cmd: Vec<String>,
    /// The entry point.
    pub entrypoint: Vec<String>,
    /// The environment, as `NAME=value`.
    pub env: Vec<String>,
    /// The command of the health check.
    pub healthcheck: Vec<String>,
    /// What a build on top of the image does first.
    pub onbuild: Vec<String>,
    /// The ports that it listens on, in order.
    pub ports: Vec<String>,
    /// The shell of commands that are given as text.
    pub shell: Vec<String>,
    /// The signal that stops it.
    pub stop_signal: String,
    /// The user; empty means root.
    pub user: String,
    /// The folders that are volumes, in order.
    pub volumes: Vec<String>,
    /// The folder that processes start in.
    pub workdir: String,
}

impl Content {
    /// The digest of it all, as `sha256:…`.
    ///
    /// # Panics
    ///
    /// Never: what it is made of can be written as JSON.
    pub fn digest(&self) -> String {
        let text = serde_json::to_vec(self).expect("strings and lists are JSON");
        format!("sha256:{}", sha256_hex([text.as_slice()]))
    }

    /// The digest of the files alone, as `sha256:…`: the `ChainID` of the image specification
    /// (<https://github.com/opencontainers/image-spec/blob/main/config.md#layer-chainid>). Empty where there is no layer.
    pub fn chain_id(&self) -> String {
        self.chain_ids().last().unwrap_or_default()
    }

    /// The digest of the files after each layer, the oldest first.
    pub fn chain_ids(&self) -> impl Iterator<Item = String> {
        self.layers.iter().scan(String::new(), |below, layer| {
            *below = if below.is_empty() {
                layer.clone()
            } else {
                format!("sha256:{}", sha256_hex([below.as_bytes(), b" ", layer.as_bytes()]))
            };
            Some(below.clone())
        })
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn content() -> Content {
        let layers = ["sha256:aa", "sha256:bb"].map(str::to_owned).to_vec();
        let config =
            RuntimeConfig { env: vec!["A=\"b\"".to_owned()], user: "app".to_owned(), ..RuntimeConfig::default() };
        Content { architecture: "amd64".to_owned(), config, layers, os: "linux".to_owned() }
    }

    /// `docs/attestation.md` has it made by `jq --sort-keys --compact-output`.
    #[test]
    fn what_is_digested_is_compact_json_with_sorted_keys() {
        let text = serde_json::to_string(&content()).unwrap();
        assert_eq!(
            text,
            r#"{"architecture":"amd64","config":{"cmd":[],"entrypoint":[],"env":["A=\"b\""],"healthcheck":[],"onbuild":[],"ports":[],"shell":[],"stop_signal":"","user":"app","volumes":[],"workdir":""},"layers":["sha256:aa","sha256:bb"],"os":"linux"}"#
        );
        assert_eq!(content().digest(), format!("sha256:{}", sha256_hex([text.as_bytes()])));
    }

    #[test]
    fn chain_ids_are_those_of_the_image_specification() {
        let second = sha256_hex([b"sha256:aa sha256:bb".as_slice()]);
        assert_eq!(content().chain_ids().collect::<Vec<_>>(), ["sha256:aa".to_owned(), format!("sha256:{second}")]);
        assert_eq!(content().chain_id(), format!("sha256:{second}"));
        assert_eq!(Content::default().chain_id(), "");
    }
}
