//! What a build needs of a company's network: certificate authorities, proxies, package indexes and their credentials.
//!
//! The plan and the Dockerfile know names only. Values travel as build secrets, in memory, or, for proxies, as the build
//! arguments that every builder keeps out of layers and history.

use std::collections::BTreeMap;
use std::path::PathBuf;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use url::Url;

use crate::engine::{Redactor, Secret};
use crate::model::{Error, Network, Note, Origin, PlannedIndex, Project, Result};
use crate::plan::Asked;

/// The id of the secret that holds the certificate authorities (PEM).
const CA_SECRET: &str = "sconce-ca";
/// The id of the secret that holds variables, as a POSIX shell file of `export NAME='value'` lines.
const ENV_SECRET: &str = "sconce-env";

/// All that may not stand in a URL as it is: everything but the unreserved characters (RFC 3986, section 2.3).
const USERINFO: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The build arguments that every builder predefines
/// (<https://docs.docker.com/reference/dockerfile/#predefined-args>).
const PROXY_VARIABLES: [&str; 5] = ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"];

/// What the command line, the configuration and the environment say of the network.
#[derive(Debug, Clone, Default)]
pub struct NetworkInputs {
    /// A file of certificate authorities (PEM) to trust besides the image's own.
    pub ca_bundle: Option<Asked<PathBuf>>,
    /// The package index in place of the default one; may use `${NAME}` and hold credentials.
    pub index_url: Option<Asked<String>>,
    /// Package indexes besides it.
    pub extra_index_urls: Vec<Asked<String>>,
    /// Whether the build's steps see the network of the engine's host.
    pub host_network: bool,
    /// The environment: for `${NAME}` in URLs and in the project's files, and for the proxy variables.
    pub environment: BTreeMap<String, String>,
}

/// Values for a build: nothing of them is in the plan, and nothing of them may be seen.
#[derive(Debug, Clone, Default)]
pub(super) struct BuildNetwork {
    pub(super) secrets: BTreeMap<String, Secret>,
    pub(super) args: BTreeMap<String, String>,
    pub(super) redactor: Redactor,
    pub(super) notes: Vec<Note>,
}

/// An index with its credentials.
struct ResolvedIndex {
    url: Url,
    primary: bool,
    origin: Origin,
}

impl ResolvedIndex {
    fn secret(&self) -> bool {
        !self.url.username().is_empty() || self.url.password().is_some()
    }

    fn public_url(&self) -> String {
        let mut url = self.url.clone();
        // Both fail only for URLs that cannot have credentials in the first place.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.to_string()
    }
}

/// What the plan may know: indexes without credentials, and the names of what is secret.
pub(super) fn planned(project: &Project, inputs: &NetworkInputs) -> Result<(Vec<PlannedIndex>, Network)> {
    let indexes = resolve_indexes(inputs)?;
    let mut secret_env: Vec<String> = index_variables(&indexes).into_iter().map(|(name, _)| name.to_owned()).collect();
    secret_env.extend(project.variables.iter().map(|variable| variable.name.clone()));
    secret_env.extend(credential_variables(project, &inputs.environment).into_iter().map(|(name, _)| name));
    secret_env.sort();
    secret_env.dedup();
    let planned = indexes.iter().map(|index| PlannedIndex {
        url: index.public_url(),
        primary: index.primary,
        secret: index.secret(),
        name: None,
        packages: Vec::new(),
        origin: index.origin.clone(),
    });
    Ok((planned.collect(), Network { ca_bundle: inputs.ca_bundle.is_some(), secret_env }))
}

/// The values behind the names that [`planned`] gave.
pub(super) fn values(project: &Project, inputs: &NetworkInputs) -> Result<BuildNetwork> {
    let indexes = resolve_indexes(inputs)?;
    let mut secrets = BTreeMap::new();
    let mut hidden: Vec<String> = indexes.iter().flat_map(|index| credentials(&index.url)).collect();

    if let Some(bundle) = &inputs.ca_bundle {
        secrets.insert(CA_SECRET.to_owned(), Secret::new(read_ca_bundle(bundle)?));
    }
    let mut variables: BTreeMap<String, String> =
        index_variables(&indexes).into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    for variable in &project.variables {
        let value = inputs.environment.get(&variable.name).ok_or_else(|| {
            Error::usage(format!("`${{{}}}` is used here, but the variable is not set", variable.name))
                .at(variable.origin.clone())
                .with_hint(format!("set `{}` in the environment of `sconce build`", variable.name))
        })?;
        hidden.push(value.clone());
        variables.insert(variable.name.clone(), value.clone());
    }
    for (name, value) in credential_variables(project, &inputs.environment) {
        hidden.push(value.clone());
        variables.insert(name, value);
    }
    if !variables.is_empty() {
        secrets.insert(ENV_SECRET.to_owned(), Secret::new(shell_exports(&variables)?));
    }

    let (args, notes) = proxies(&inputs.environment, inputs.host_network);
    hidden.extend(args.values().filter_map(|proxy| Url::parse(proxy).ok()).flat_map(|url| credentials(&url)));
    Ok(BuildNetwork { secrets, args, redactor: Redactor::new(hidden), notes })
}

fn resolve_indexes(inputs: &NetworkInputs) -> Result<Vec<ResolvedIndex>> {
    let primary = inputs.index_url.iter().map(|asked| (asked, true));
    let extra = inputs.extra_index_urls.iter().map(|asked| (asked, false));
    primary.chain(extra).map(|(asked, primary)| resolve_index(asked, primary, &inputs.environment)).collect()
}

fn resolve_index(
    asked: &Asked<String>,
    primary: bool,
    environment: &BTreeMap<String, String>,
) -> Result<ResolvedIndex> {
    let fail = |message: String| Error::usage(message).at(asked.origin.clone());
    let expanded = expand(&asked.value, environment)
        .map_err(|name| fail(format!("the index URL uses `${{{name}}}`, but the variable is not set")))?;
    // The URL itself may hold a password: an error never shows it.
    let url = Url::parse(&expanded).map_err(|error| {
        fail(format!("the index URL is not a URL: {error}")).with_hint("as in `https://pypi.example.org/simple`")
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(fail(format!("an index URL starts with `https://` or `http://`, not with `{}:`", url.scheme())));
    }
    Ok(ResolvedIndex { url, primary, origin: asked.origin.clone() })
}

/// `text` with each `${NAME}` replaced, or the name of the first variable that is not set. Values are percent-encoded:
/// a password with an `@` or a `/` must not change the shape of the URL.
fn expand(text: &str, environment: &BTreeMap<String, String>) -> std::result::Result<String, String> {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, tail)) = after.split_once('}') else { break };
        let value = environment.get(name).ok_or_else(|| name.to_owned())?;
        expanded.push_str(before);
        expanded.extend(utf8_percent_encode(value, USERINFO));
        rest = tail;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

/// The variables that tell pip and uv of the indexes whose URLs must not stand in the Dockerfile.
fn index_variables(indexes: &[ResolvedIndex]) -> Vec<(&'static str, String)> {
    let urls = |primary: bool| -> Option<String> {
        let urls: Vec<&str> = indexes
            .iter()
            .filter(|index| index.secret() && index.primary == primary)
            .map(|index| index.url.as_str())
            .collect();
        (!urls.is_empty()).then(|| urls.join(" "))
    };
    let mut variables = Vec::new();
    if let Some(url) = urls(true) {
        variables.extend([("PIP_INDEX_URL", url.clone()), ("UV_DEFAULT_INDEX", url)]);
    }
    if let Some(urls) = urls(false) {
        variables.extend([("PIP_EXTRA_INDEX_URL", urls.clone()), ("UV_INDEX", urls)]);
    }
    variables
}

/// The variables of the environment in which uv and Poetry look for the credentials of the indexes that the project
/// names, as far as they are set (<https://docs.astral.sh/uv/concepts/indexes/#providing-credentials-directly>,
/// <https://python-poetry.org/docs/repositories/#configuring-credentials>).
fn credential_variables(project: &Project, environment: &BTreeMap<String, String>) -> Vec<(String, String)> {
    let shout = |name: &str| -> String {
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
    };
    let names = project.indexes.iter().filter_map(|index| index.name.as_deref()).map(shout);
    let variables = names.flat_map(|name| {
        ["UV_INDEX", "POETRY_HTTP_BASIC"]
            .map(|tool| ["USERNAME", "PASSWORD"].map(|part| format!("{tool}_{name}_{part}")))
    });
    variables.flatten().filter_map(|name| Some((name.clone(), environment.get(&name)?.clone()))).collect()
}

/// The user name and the password of a URL, both as they stand in it and decoded: either may turn up in a log.
fn credentials(url: &Url) -> Vec<String> {
    let mut values = vec![];
    // A user name alone is a token (`https://TOKEN@host/`); beside a password it is no secret, and often a common word.
    let encoded = url.password().unwrap_or_else(|| url.username());
    if !encoded.is_empty() {
        values.push(encoded.to_owned());
        values.extend(percent_decode_str(encoded).decode_utf8().map(String::from));
    }
    values
}

fn read_ca_bundle(bundle: &Asked<PathBuf>) -> Result<Vec<u8>> {
    let shown = bundle.value.display();
    let bytes = std::fs::read(&bundle.value).map_err(|error| {
        Error::usage(format!("cannot read the CA bundle `{shown}`")).at(bundle.origin.clone()).because(error)
    })?;
    if !String::from_utf8_lossy(&bytes).contains("-----BEGIN CERTIFICATE-----") {
        return Err(Error::usage(format!("the CA bundle `{shown}` holds no certificate"))
            .at(bundle.origin.clone())
            .with_hint("it must be a PEM file with `-----BEGIN CERTIFICATE-----` blocks"));
    }
    Ok(bytes)
}

/// A POSIX shell file that sets `variables`. A newline has no business in a URL or a token, and the tools that read the
/// variables would stumble over it.
fn shell_exports(variables: &BTreeMap<String, String>) -> Result<String> {
    let mut lines = Vec::new();
    for (name, value) in variables {
        if value.contains(['\n', '\r', '\0']) {
            return Err(Error::usage(format!("the value of `{name}` contains a line break or a NUL byte"))
                .at(Origin::Environment { variable: name.clone() }));
        }
        lines.push(format!("export {name}='{}'\n", value.replace('\'', r"'\''")));
    }
    Ok(lines.concat())
}

/// The proxy variables of the environment as build arguments. One on loopback is left out: in a build container that address
/// is the container itself.
fn proxies(environment: &BTreeMap<String, String>, host_network: bool) -> (BTreeMap<String, String>, Vec<Note>) {
    let mut args = BTreeMap::new();
    let mut notes = Vec::new();
    for name in PROXY_VARIABLES.iter().flat_map(|name| [(*name).to_owned(), name.to_lowercase()]) {
        let Some(value) = environment.get(&name).filter(|value| !value.is_empty()) else { continue };
        if !host_network && !name.eq_ignore_ascii_case("NO_PROXY") && is_loopback(value) {
            notes.push(
                Note::warning(
                    "the proxy is on this machine's loopback address, which a build container cannot reach; \
                     the build goes without it",
                    Origin::Environment { variable: name },
                )
                .with_hint("give the proxy an address that containers can reach, or build with `--build-network host`"),
            );
        } else {
            args.insert(name, value.clone());
        }
    }
    (args, notes)
}

fn is_loopback(proxy: &str) -> bool {
    // `host:port` without a scheme is a usual spelling.
    let url = if proxy.contains("://") { proxy.to_owned() } else { format!("http://{proxy}") };
    match Url::parse(&url).ok().as_ref().and_then(Url::host) {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(url: &str) -> Asked<String> {
        Asked { value: url.to_owned(), origin: Origin::flag("--index-url") }
    }

    fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_password_from_the_environment_keeps_the_shape_of_the_url() {
        let environment = environment(&[("TOKEN", "p@ss/word")]);
        let index = resolve_index(&asked("https://me:${TOKEN}@pypi.example.org/simple"), true, &environment).unwrap();
        assert_eq!(index.url.host_str(), Some("pypi.example.org"));
        assert_eq!(index.public_url(), "https://pypi.example.org/simple");
        assert_eq!(credentials(&index.url), ["p%40ss%2Fword", "p@ss/word"]);
    }

    #[test]
    fn an_unset_variable_is_an_error_that_names_it() {
        let error = resolve_index(&asked("https://${NOPE}@pypi.example.org/"), true, &BTreeMap::new()).err().unwrap();
        assert!(error.message.contains("${NOPE}"), "{error}");
    }

    #[test]
    fn an_unparsable_url_does_not_show_its_password() {
        let error = resolve_index(&asked("https//me:hunter22@host"), true, &BTreeMap::new()).err().unwrap();
        assert!(!error.to_string().contains("hunter22"), "{error}");
    }

    #[test]
    fn exports_survive_quotes_and_refuse_newlines() {
        let exports = shell_exports(&environment(&[("A", "it's $HOME `id`")])).unwrap();
        assert_eq!(exports, "export A='it'\\''s $HOME `id`'\n");
        assert!(shell_exports(&environment(&[("A", "x\ny")])).is_err());
    }

    #[test]
    fn the_credentials_of_named_indexes_are_secrets() {
        let index = crate::model::Index {
            url: "https://pypi.example.org/team".to_owned(),
            role: crate::model::IndexRole::Extra,
            name: Some("my-team".to_owned()),
            explicit: false,
            bindings: Vec::new(),
            origin: Origin::file("pyproject.toml", 9),
        };
        let project = Project { indexes: vec![index], ..Project::default() };
        let environment = environment(&[
            ("UV_INDEX_MY_TEAM_PASSWORD", "hunter22"),
            ("POETRY_HTTP_BASIC_MY_TEAM_USERNAME", "me"),
            ("UV_INDEX_OTHER_PASSWORD", "unused"),
        ]);
        let inputs = NetworkInputs { environment, ..NetworkInputs::default() };
        let (_, network) = planned(&project, &inputs).unwrap();
        assert_eq!(network.secret_env, ["POETRY_HTTP_BASIC_MY_TEAM_USERNAME", "UV_INDEX_MY_TEAM_PASSWORD"]);
        let values = values(&project, &inputs).unwrap();
        assert!(values.secrets.contains_key(ENV_SECRET));
        assert_eq!(values.redactor.redact("it is hunter22"), "it is ***");
    }

    #[test]
    fn only_proxies_that_a_container_can_reach_are_passed_on() {
        let environment = environment(&[
            ("HTTPS_PROXY", "http://proxy.example.org:3128"),
            ("http_proxy", "127.0.0.1:3128"),
            ("NO_PROXY", "localhost"),
        ]);
        let (args, notes) = proxies(&environment, false);
        assert_eq!(args.keys().collect::<Vec<_>>(), ["HTTPS_PROXY", "NO_PROXY"]);
        assert_eq!(notes.len(), 1);
        let (args, notes) = proxies(&environment, true);
        assert_eq!((args.len(), notes.len()), (3, 0), "on the host's network, loopback is the host");
    }
}
