//! Where the engine is, as Docker's own clients find it: `DOCKER_HOST`, then `DOCKER_CONTEXT`, then the current context of
//! `config.json`, then the usual sockets.
//! Source: <https://docs.docker.com/engine/manage-resources/contexts/>

use std::fmt;
use std::path::{Path, PathBuf};

use url::Url;

use super::ConnectOptions;
use super::context;
use super::errors::printable;
use super::tls::TlsFiles;
use crate::model::{Error, Result};

/// The ports that Docker's clients assume, without and with TLS.
const PORT: u16 = 2375;
const TLS_PORT: u16 = 2376;

/// The socket that a bare `unix://` means.
const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// A place where an engine may listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// A Unix socket.
    Unix(PathBuf),
    /// Plain TCP.
    Tcp { host: String, port: u16 },
    /// TCP with TLS.
    Tls { host: String, port: u16, files: TlsFiles },
    /// `docker system dial-stdio` on a machine that `ssh` reaches.
    Ssh(SshTarget),
}

/// A machine that `ssh` reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SshTarget {
    pub(super) user: Option<String>,
    pub(super) host: String,
    pub(super) port: Option<u16>,
    /// The engine's socket there, where it is not the usual one.
    pub(super) socket: Option<String>,
}

/// The places to try, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidates {
    pub(super) endpoints: Vec<Endpoint>,
    /// Who named the one endpoint, such as `` `DOCKER_HOST` ``; `None` where the usual sockets are probed.
    pub(super) asked_by: Option<String>,
}

/// What the environment and Docker's configuration say about where the engine is.
pub(super) fn resolve(options: &ConnectOptions) -> Result<Candidates> {
    if let Some(host) = options.variable("DOCKER_HOST") {
        let endpoint = parse(host, environment_tls(options)).map_err(|why| misnamed("`DOCKER_HOST`", host, &why))?;
        return Ok(Candidates { endpoints: vec![endpoint], asked_by: Some("`DOCKER_HOST`".to_owned()) });
    }
    match context::current(options)? {
        Some(context) => {
            let asked_by = context.asked_by();
            let endpoint =
                parse(&context.host, context.tls.clone()).map_err(|why| misnamed(&asked_by, &context.host, &why))?;
            Ok(Candidates { endpoints: vec![endpoint], asked_by: Some(asked_by) })
        }
        None => Ok(Candidates { endpoints: usual_sockets(options), asked_by: None }),
    }
}

fn misnamed(asked_by: &str, host: &str, why: &str) -> Error {
    Error::usage(format!("{asked_by} names no endpoint that sconce can reach: `{}`: {why}", printable(host)))
        .with_hint("use `unix:///path`, `tcp://host:port`, `https://host:port` or `ssh://user@host`")
}

/// The sockets of Docker, Docker Desktop, Colima, `OrbStack` and Podman, rootless ones after the machine's own.
fn usual_sockets(options: &ConnectOptions) -> Vec<Endpoint> {
    let runtime = options.variable("XDG_RUNTIME_DIR").map(Path::new);
    let home = options.home.as_deref();
    let below = |base: Option<&Path>, path: &str| base.map(|base| base.join(path));
    [
        Some(PathBuf::from(DEFAULT_SOCKET)),
        below(runtime, "docker.sock"),
        below(home, ".docker/run/docker.sock"),
        below(home, ".docker/desktop/docker.sock"),
        below(home, ".colima/default/docker.sock"),
        below(home, ".orbstack/run/docker.sock"),
        below(runtime, "podman/podman.sock"),
        Some(PathBuf::from("/run/podman/podman.sock")),
    ]
    .into_iter()
    .flatten()
    .map(Endpoint::Unix)
    .collect()
}

/// TLS as the environment asks for it. As in Docker's command line, an empty variable is an unset one, and `DOCKER_TLS`
/// encrypts without verifying the server.
fn environment_tls(options: &ConnectOptions) -> Option<TlsFiles> {
    let verify = options.variable("DOCKER_TLS_VERIFY").is_some();
    if !verify && options.variable("DOCKER_TLS").is_none() {
        return None;
    }
    let folder = options.variable("DOCKER_CERT_PATH").map(PathBuf::from).or_else(|| options.docker_config());
    Some(
        folder
            .map_or_else(|| TlsFiles { verify, ..TlsFiles::default() }, |folder| TlsFiles::in_folder(&folder, verify)),
    )
}

/// An endpoint from its URL. `tls` is what the environment or the context says about TLS.
fn parse(text: &str, tls: Option<TlsFiles>) -> Result<Endpoint, String> {
    // A bare `host:port` is TCP to Docker's clients; to a URL parser, `host` would be its scheme.
    let text = if text.contains("://") { text.to_owned() } else { format!("tcp://{text}") };
    if let Some(path) = text.strip_prefix("unix://") {
        let path = if path.is_empty() { DEFAULT_SOCKET } else { path };
        return if path.starts_with('/') {
            Ok(Endpoint::Unix(path.into()))
        } else {
            Err("the path of a socket must be absolute".to_owned())
        };
    }
    if text.starts_with("npipe:") {
        return Err("named pipes are not supported".to_owned());
    }
    let url = Url::parse(&text).map_err(|error| error.to_string())?;
    let host = url.host_str().filter(|host| is_host(host)).ok_or("it has no host")?.to_owned();
    match url.scheme() {
        "tcp" | "http" | "https" if !matches!(url.path(), "" | "/") => Err("it has a path".to_owned()),
        "https" => Ok(Endpoint::Tls {
            host,
            port: url.port().unwrap_or(TLS_PORT),
            files: tls.unwrap_or_else(|| TlsFiles { verify: true, ..TlsFiles::default() }),
        }),
        "tcp" | "http" => Ok(match tls {
            Some(files) => Endpoint::Tls { host, port: url.port().unwrap_or(TLS_PORT), files },
            None => Endpoint::Tcp { host, port: url.port().unwrap_or(PORT) },
        }),
        "ssh" => ssh_target(&url, host).map(Endpoint::Ssh),
        scheme => Err(format!("the scheme `{}` is not known", printable(scheme))),
    }
}

fn ssh_target(url: &Url, host: String) -> Result<SshTarget, String> {
    if url.password().is_some() {
        return Err("`ssh` takes no password in a URL".to_owned());
    }
    let user = Some(url.username()).filter(|user| !user.is_empty()).map(ToOwned::to_owned);
    if user.as_deref().is_some_and(|user| !is_host(user)) {
        return Err("the user's name has characters that `ssh` does not take".to_owned());
    }
    let socket = Some(url.path()).filter(|path| !matches!(*path, "" | "/")).map(ToOwned::to_owned);
    // The path goes through a shell on the other machine.
    if socket.as_deref().is_some_and(|path| !path.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c))) {
        return Err("the socket's path may have only letters, digits, `/`, `.`, `_` and `-`".to_owned());
    }
    Ok(SshTarget { user, host, port: url.port(), socket })
}

/// Whether `text` can be a host or user: `ssh` hands both to programs and shells, and a leading `-` would be an option.
fn is_host(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('-')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || ".-_:[]".contains(c))
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", printable(&path.to_string_lossy())),
            Self::Tcp { host, port } | Self::Tls { host, port, .. } => write!(f, "tcp://{host}:{port}"),
            Self::Ssh(SshTarget { user, host, port, socket }) => {
                f.write_str("ssh://")?;
                user.as_ref().map_or(Ok(()), |user| write!(f, "{user}@"))?;
                f.write_str(host)?;
                port.map_or(Ok(()), |port| write!(f, ":{port}"))?;
                f.write_str(socket.as_deref().unwrap_or_default())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(url: &str) -> String {
        parse(url, None).map_or_else(|why| why, |endpoint| endpoint.to_string())
    }

    #[test]
    fn a_host_is_read_as_dockers_clients_read_it() {
        assert_eq!(text("unix:///run/user/1000/docker.sock"), "unix:///run/user/1000/docker.sock");
        assert_eq!(text("unix://"), "unix:///var/run/docker.sock");
        assert_eq!(text("tcp://build.example.org"), "tcp://build.example.org:2375");
        assert_eq!(text("build.example.org:1234"), "tcp://build.example.org:1234");
        assert_eq!(text("https://build.example.org"), "tcp://build.example.org:2376");
        assert_eq!(text("tcp://[::1]:99"), "tcp://[::1]:99");
        assert_eq!(text("ssh://me@build:22/run/docker.sock"), "ssh://me@build:22/run/docker.sock");
    }

    fn options(variables: &[(&str, &str)], home: &Path) -> ConnectOptions {
        ConnectOptions {
            environment: variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            home: Some(home.to_owned()),
            owner: crate::engine::Owner::current(),
            cancel: tokio_util::sync::CancellationToken::new(),
        }
    }

    /// A home folder whose configuration has the contexts `desk` (current) and `lab` (with TLS).
    fn home() -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = home.path().join(".docker").join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("config.json", r#"{"currentContext": "desk", "auths": {}}"#);
        for (name, host) in [("desk", "unix:///run/desk.sock"), ("lab", "tcp://lab.example.org:2376")] {
            let meta = format!(r#"{{"Name": "{name}", "Endpoints": {{"docker": {{"Host": "{host}"}}}}}}"#);
            write(&format!("contexts/meta/{}/meta.json", context::id(name)), &meta);
        }
        write(&format!("contexts/tls/{}/docker/ca.pem", context::id("lab")), "");
        home
    }

    fn resolved(variables: &[(&str, &str)], home: &Path) -> (Vec<String>, Option<String>) {
        let Candidates { endpoints, asked_by } = resolve(&options(variables, home)).unwrap();
        (endpoints.iter().map(ToString::to_string).collect(), asked_by)
    }

    #[test]
    fn the_host_comes_before_the_context_and_the_context_before_the_configuration() {
        let home = home();
        let all = [("DOCKER_HOST", "tcp://here:1"), ("DOCKER_CONTEXT", "lab")];
        assert_eq!(resolved(&all, home.path()), (vec!["tcp://here:1".into()], Some("`DOCKER_HOST`".into())));
        let (endpoints, asked_by) = resolved(&[("DOCKER_HOST", ""), all[1]], home.path());
        assert_eq!(endpoints, ["tcp://lab.example.org:2376"]);
        assert_eq!(asked_by.unwrap(), "the context `lab` (from `DOCKER_CONTEXT`)");
        let (endpoints, asked_by) = resolved(&[], home.path());
        assert_eq!(endpoints, ["unix:///run/desk.sock"]);
        assert!(asked_by.unwrap().contains("config.json`"), "the file is named");
    }

    #[test]
    fn without_a_word_the_usual_sockets_are_probed() {
        let home = home();
        let (endpoints, asked_by) =
            resolved(&[("DOCKER_CONTEXT", "default"), ("XDG_RUNTIME_DIR", "/run/user/7")], home.path());
        assert_eq!((endpoints[0].as_str(), asked_by), ("unix:///var/run/docker.sock", None));
        assert!(endpoints.contains(&"unix:///run/user/7/podman/podman.sock".to_owned()));
        assert!(endpoints.contains(&format!("unix://{}", home.path().join(".colima/default/docker.sock").display())));
    }

    #[test]
    fn tls_is_what_the_environment_or_the_context_says() {
        let home = home();
        let files = |variables: &[(&str, &str)]| match &resolve(&options(variables, home.path())).unwrap().endpoints[0]
        {
            Endpoint::Tls { files, .. } => Some(files.clone()),
            _ => None,
        };
        let host = ("DOCKER_HOST", "tcp://here:1");
        assert_eq!(files(&[host, ("DOCKER_TLS_VERIFY", "")]), None, "an empty variable is an unset one");
        assert_eq!(files(&[host, ("DOCKER_TLS", "1")]).map(|files| files.verify), Some(false));
        let lab = files(&[("DOCKER_CONTEXT", "lab")]).unwrap();
        assert!(lab.verify && lab.ca.is_some() && lab.identity.is_none());
    }

    #[test]
    fn a_context_that_is_not_there_names_who_asked_for_it() {
        let home = home();
        let error = resolve(&options(&[("DOCKER_CONTEXT", "gone\u{1b}[2J")], home.path())).unwrap_err();
        assert_eq!(error.message, "`DOCKER_CONTEXT` names the context `gone`, which does not exist");
        std::fs::write(home.path().join(".docker/config.json"), "{").unwrap();
        let error = resolve(&options(&[], home.path())).unwrap_err();
        assert!(error.message.contains("config.json`: EOF"), "{}", error.message);
    }

    #[test]
    fn a_host_that_cannot_be_reached_says_why() {
        assert_eq!(text("npipe:////./pipe/docker_engine"), "named pipes are not supported");
        assert_eq!(text("fd://3"), "the scheme `fd` is not known");
        assert_eq!(text("unix://relative"), "the path of a socket must be absolute");
        assert_eq!(text("tcp://host/path"), "it has a path");
        assert_eq!(text("ssh://-oProxyCommand=x"), "it has no host");
        assert_eq!(text("ssh://host/$(id)"), "the socket's path may have only letters, digits, `/`, `.`, `_` and `-`");
    }
}
