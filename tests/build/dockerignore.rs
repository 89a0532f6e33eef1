//! What sconce takes for the context, held against what Docker's own client sends: both pack the same folders for the same
//! engine, which is one of ours that only listens.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use proptest::strategy::{Strategy, ValueTree as _};
use proptest::test_runner::TestRunner;
use sconce::engine::docker::Docker;
use sconce::engine::{BuildRequest, Engine as _, Redactor, Silent};
use tokio::net::UnixListener;
use tokio::process::Command;

use super::bench::{Builder, with};

/// How many random `.dockerignore` files are tried.
const CASES: usize = 150;

/// An engine that takes a build's context and says no more.
struct Listener {
    folder: tempfile::TempDir,
    taken: Arc<Mutex<Vec<Bytes>>>,
}

impl Listener {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let taken = Arc::new(Mutex::new(Vec::new()));
        let listener = UnixListener::bind(folder.path().join("socket")).unwrap();
        let contexts = Arc::clone(&taken);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let contexts = Arc::clone(&contexts);
                let service = service_fn(move |request| answer(request, Arc::clone(&contexts)));
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Self { folder, taken }
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    /// The files and links of the context that was taken last, but for those that both clients treat specially.
    fn files(&self) -> BTreeSet<String> {
        let context = self.taken.lock().unwrap().pop().expect("a context");
        let mut archive = tar::Archive::new(&context[..]);
        let entries =
            archive.entries().unwrap().map(Result::unwrap).filter(|entry| !entry.header().entry_type().is_dir());
        let paths = entries.map(|entry| entry.path().unwrap().to_str().unwrap().to_owned());
        paths.filter(|path| !path.ends_with("Dockerfile") && path != ".dockerignore").collect()
    }
}

async fn answer(
    request: Request<Incoming>,
    taken: Arc<Mutex<Vec<Bytes>>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let document = if path.ends_with("/build") {
        // The body of a client that gives up has no end.
        if let Ok(body) = request.into_body().collect().await {
            taken.lock().unwrap().push(body.to_bytes());
        }
        r#"{"stream":"Successfully built abc\n"}"#
    } else {
        r#"{"ApiVersion":"1.41","MinAPIVersion":"1.12","Version":"20.10.24","OSType":"linux","Id":"sha256:abc"}"#
    };
    let response = Response::builder().header("Api-Version", "1.41").header("Content-Type", "application/json");
    Ok(response.body(Full::from(document)).unwrap())
}

async fn docker_sends(listener: &Listener, context: &Path) -> Option<BTreeSet<String>> {
    let output = Command::new("docker")
        .arg("build")
        .arg(context)
        .env("DOCKER_HOST", format!("unix://{}", listener.socket().display()))
        .env("DOCKER_BUILDKIT", "0")
        .output()
        .await
        .expect("Docker's client, which tells what is right");
    output.status.success().then(|| listener.files())
}

async fn sconce_sends(listener: &Listener, engine: &Docker, context: &Path) -> Option<BTreeSet<String>> {
    let request = BuildRequest {
        dockerfile: "FROM scratch\n".to_owned(),
        context: Some(context.to_owned()),
        args: [].into(),
        secrets: [].into(),
        labels: [].into(),
        tag: "localhost/none".to_owned(),
        target: None,
        platform: None,
        no_cache: false,
        host_network: false,
        redactor: Redactor::default(),
    };
    engine.build(&request, &Silent).await.ok().map(|_| listener.files())
}

/// A tree in which patterns of the same few letters hit and miss.
fn tree() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for first in ["a", "b", "ab", "a.b", "ü", "[a]", "a^b"] {
        for second in ["a", "b.a", "ab", ".a", "a b"] {
            for third in ["a", "b", "a.b"] {
                let file = folder.path().join(first).join(second).join(third);
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(file, "").unwrap();
            }
        }
        fs::write(folder.path().join(format!("{first}-file")), "").unwrap();
    }
    fs::write(folder.path().join("Dockerfile"), "FROM scratch\n").unwrap();
    folder
}

/// Random lines out of the pieces that mean something, and a few that are malformed. What is taken back has no wildcards:
/// there BuildKit's client looks into folders that this one, the classic builder's, does not enter, and sconce follows
/// BuildKit's with every builder.
fn lines() -> impl Strategy<Value = String> {
    let literal = "(a|b|ab|a\\.b|ü|-file|\\.a|\\.\\.|\\.)";
    let wildcard = "(\\*|\\*\\*|\\?|a\\*|\\*b|\\*\\.\\*|\\[ab\\]|\\[\\^a\\]|\\[a-b\\]\\*|\\\\a|\\\\\\[a\\\\\\]|a\\^b|\\[\\[\\]|\
                    a\\*\\*|\\*\\*a|\\[:a\\]|\\[\\*\\]|\\(a\\)|\\*-file|\\\\w)";
    let word = format!("({literal}|{wildcard}|{wildcard})");
    let strings = |pattern: &str| proptest::string::string_regex(pattern).expect("a pattern");
    let line = proptest::prop_oneof![
        12 => strings(&format!("( |/|#|){word}(/{word}){{0,2}}(/| |)")),
        6 => strings(&format!("!/?{literal}(/{literal}){{0,2}}")),
        1 => strings("(\\[a|\\[b-a\\]|!)"),
    ];
    proptest::collection::vec(line, 1..6).prop_map(|lines| lines.join("\n"))
}

#[tokio::test]
async fn the_same_files_go_to_the_engine_as_with_dockers_own_client() {
    let listener = Listener::start();
    let mut options = with(Builder::Classic);
    options.environment.insert("DOCKER_HOST".to_owned(), format!("unix://{}", listener.socket().display()));
    let engine = Docker::connect(options).await.unwrap();
    let folder = tree();
    let mut runner = TestRunner::deterministic();
    let mut accepted = 0;
    for _ in 0..CASES {
        let text = lines().new_tree(&mut runner).unwrap().current();
        fs::write(folder.path().join(".dockerignore"), &text).unwrap();
        let docker = docker_sends(&listener, folder.path()).await;
        let ours = sconce_sends(&listener, &engine, folder.path()).await;
        assert_eq!(ours, docker, "with the `.dockerignore`\n{text}");
        accepted += usize::from(docker.is_some());
    }
    assert!(accepted > CASES / 2, "{accepted}");
}
