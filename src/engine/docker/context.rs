//! Docker's contexts: named endpoints below the configuration folder.
//! Layout: `contexts/meta/<sha256 of the name>/meta.json` and `contexts/tls/<the same>/docker/{ca,cert,key}.pem`.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::ConnectOptions;
use super::errors::printable;
use super::tls::TlsFiles;
use crate::model::{Error, Result, sha256_hex};

/// A context, as far as it names an endpoint.
#[derive(Debug, Clone)]
pub(super) struct Context {
    name: String,
    /// Who chose it: a variable or a file.
    chosen_by: String,
    /// The endpoint's URL.
    pub(super) host: String,
    /// What the context says about TLS, where it says anything.
    pub(super) tls: Option<TlsFiles>,
}

impl Context {
    /// The context and who chose it, for errors.
    pub(super) fn asked_by(&self) -> String {
        format!("the context `{}` (from {})", printable(&self.name), self.chosen_by)
    }
}

/// The part of `config.json` that is read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    #[serde(default)]
    current_context: String,
}

/// The part of `meta.json` that is read.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata {
    endpoints: Endpoints,
}

#[derive(Deserialize)]
struct Endpoints {
    docker: Option<DockerEndpoint>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DockerEndpoint {
    #[serde(default)]
    host: String,
    #[serde(default, rename = "SkipTLSVerify")]
    skip_tls_verify: bool,
}

/// The context in force; `None` for the default one, which names no endpoint.
pub(super) fn current(options: &ConnectOptions) -> Result<Option<Context>> {
    let folder = options.docker_config();
    let chosen = match (options.variable("DOCKER_CONTEXT"), &folder) {
        (Some(name), _) => Some((name.to_owned(), "`DOCKER_CONTEXT`".to_owned())),
        (None, Some(folder)) => from_config(&folder.join("config.json"))?,
        (None, None) => None,
    };
    match chosen.filter(|(name, _)| name != "default") {
        Some((name, chosen_by)) => load(folder.as_deref(), name, chosen_by).map(Some),
        None => Ok(None),
    }
}

fn from_config(file: &Path) -> Result<Option<(String, String)>> {
    let Some(config) = read::<Config>(file)? else { return Ok(None) };
    let chosen_by = format!("`currentContext` in `{}`", printable(&file.to_string_lossy()));
    Ok(Some(config.current_context).filter(|name| !name.is_empty()).map(|name| (name, chosen_by)))
}

fn load(folder: Option<&Path>, name: String, chosen_by: String) -> Result<Context> {
    let missing = || {
        Error::usage(format!("{chosen_by} names the context `{}`, which does not exist", printable(&name)))
            .with_hint("list the contexts with `docker context ls`")
    };
    let contexts = folder.ok_or_else(missing)?.join("contexts");
    let id = id(&name);
    let file = contexts.join("meta").join(&id).join("meta.json");
    let metadata = read::<Metadata>(&file)?.ok_or_else(missing)?;
    let endpoint = metadata.endpoints.docker.filter(|endpoint| !endpoint.host.is_empty()).ok_or_else(|| {
        Error::usage(format!("the context `{}` (from {chosen_by}) has no Docker endpoint", printable(&name)))
    })?;
    let tls = tls(&contexts.join("tls").join(&id).join("docker"), endpoint.skip_tls_verify);
    Ok(Context { name, chosen_by, host: endpoint.host, tls })
}

/// TLS material counts only where there is some: a `tcp://` context without it is plain TCP.
fn tls(folder: &Path, skip_verify: bool) -> Option<TlsFiles> {
    let files = TlsFiles::in_folder(folder, !skip_verify);
    (skip_verify || files.ca.is_some() || files.identity.is_some()).then_some(files)
}

/// The folder name of a context: the SHA-256 of its name in lower-case hex.
pub(super) fn id(name: &str) -> String {
    sha256_hex([name.as_bytes()])
}

/// A JSON file; `None` where there is none.
fn read<T: for<'a> Deserialize<'a>>(file: &Path) -> Result<Option<T>> {
    let bad = |why: String| Error::usage(format!("`{}`: {}", printable(&file.to_string_lossy()), printable(&why)));
    match std::fs::read(file) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| bad(error.to_string())),
        Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(bad(error.to_string())),
    }
}

impl ConnectOptions {
    /// A variable; an empty one is an unset one.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Docker's configuration folder.
    pub(super) fn docker_config(&self) -> Option<PathBuf> {
        self.variable("DOCKER_CONFIG")
            .map(PathBuf::from)
            .or_else(|| self.home.as_ref().map(|home| home.join(".docker")))
    }
}
