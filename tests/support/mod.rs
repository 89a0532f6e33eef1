//! What the tests share: the real engine, a base image on it, and a look at the engine past sconce.

pub(crate) mod browser;
pub(crate) mod index;
pub(crate) mod yaml;

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use sconce::engine::docker::{ConnectOptions, Docker};
use sconce::engine::{Archive, Engine as _, Owner, Silent};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio_util::io::ReaderStream;
use tokio_util::sync::CancellationToken;

/// A bootstrapped Debian 13 without anything on top.
pub(crate) const BASE: &str = "localhost/sconce-base:debian-13";

/// What connecting to the engine of this environment takes.
pub(crate) fn options() -> ConnectOptions {
    ConnectOptions {
        environment: std::env::vars().collect(),
        home: std::env::home_dir(),
        owner: Owner::current(),
        cancel: CancellationToken::new(),
    }
}

/// The engine. There must be one: a test that needs it fails without it.
pub(crate) async fn connect() -> Docker {
    Docker::connect(options()).await.expect("a container engine")
}

/// What connecting to the engine behind the Unix socket `path` takes.
pub(crate) fn at(path: &Path) -> ConnectOptions {
    let host = format!("unix://{}", path.display());
    ConnectOptions { environment: BTreeMap::from([("DOCKER_HOST".to_owned(), host)]), ..options() }
}

/// An owner that nothing else has, on a machine that is not this one: what it made can be told apart.
pub(crate) fn stranger() -> Owner {
    Owner::parse(&format!("test-{}.1.1", unique())).expect("an owner")
}

/// A word that nothing else has.
pub(crate) fn unique() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// Makes sure that [`BASE`] is there. The first of all test processes to come bootstraps it; the others wait.
pub(crate) async fn base_image(engine: &Docker) -> &'static str {
    let lock = File::create(std::env::temp_dir().join("sconce-base-image.lock")).expect("a lock file");
    let _held =
        tokio::task::spawn_blocking(move || lock.lock().map(|()| lock)).await.expect("a task").expect("the lock");
    if engine.find_image(BASE).await.expect("an answer").is_none() {
        engine.import(bootstrap(), BASE, &["CMD [\"/bin/sh\"]".to_owned()], &Silent).await.expect("a base image");
    }
    BASE
}

/// The output of `mmdebstrap`, which ends in an error if it fails.
fn bootstrap() -> Archive {
    let mut child = Command::new("mmdebstrap")
        .args(["--quiet", "--variant=minbase", "trixie", "-"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("mmdebstrap, which makes the tests' base image");
    let stdout = child.stdout.take().expect("its output");
    Box::pin(ReaderStream::with_capacity(stdout, 256 * 1024).chain(exit(child)))
}

/// Nothing, or an error where the child failed.
fn exit(mut child: Child) -> impl Stream<Item = io::Result<Bytes>> {
    stream::once(async move { child.wait().await }).filter_map(async |status| match status {
        Ok(status) if status.success() => None,
        Ok(status) => Some(Err(io::Error::other(format!("mmdebstrap: {status}")))),
        Err(error) => Some(Err(error)),
    })
}

/// The engine's socket.
pub(crate) fn socket(engine: &Docker) -> PathBuf {
    engine.info().endpoint.strip_prefix("unix://").expect("a local engine").into()
}

/// What the engine itself answers: the status and the document.
pub(crate) async fn ask(engine: &Docker, method: &str, path: &str, body: &str) -> (u16, Value) {
    let mut stream = UnixStream::connect(socket(engine)).await.expect("the engine's socket");
    let length = body.len();
    // A path may hold JSON; of its characters, only these two would end the request line.
    let path = path.replace(' ', "%20").replace('"', "%22");
    let head = format!("{method} {path} HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\n");
    let request = format!("{head}Content-Length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).await.expect("to write");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("to read");
    let (head, document) = answer.split_once("\r\n\r\n").expect("an answer");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, serde_json::from_str(document).unwrap_or(Value::Null))
}

/// The ids of the containers, running or not, that `owner` made.
pub(crate) async fn containers(engine: &Docker, owner: &Owner) -> Vec<String> {
    let filters = format!(r#"{{"label":["dev.sconce.owner={owner}"]}}"#);
    ids(&ask(engine, "GET", &format!("/containers/json?all=1&filters={filters}"), "").await.1)
}

/// The ids of the images, named or not, that have the label `label`.
pub(crate) async fn images(engine: &Docker, label: &str) -> Vec<String> {
    let filters = format!(r#"{{"label":["{label}"]}}"#);
    ids(&ask(engine, "GET", &format!("/images/json?filters={filters}"), "").await.1)
}

fn ids(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|item| item["Id"].as_str().map(str::to_owned)).collect()
}
