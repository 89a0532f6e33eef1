//! A context, builds of it, and their removal.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sconce::engine::docker::{ConnectOptions, Docker};
use sconce::engine::{BuildOutcome, BuildRequest, Engine as _, Event, Progress, Redactor, RunRequest, Secret};
use sconce::model::Result;
use tempfile::TempDir;

use crate::support::{base_image, options, socket, unique};

/// A builder of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Builder {
    BuildKit,
    Classic,
}

/// Connects to the engine so that it builds with `builder`.
pub(crate) fn with(builder: Builder) -> ConnectOptions {
    let mut options = options();
    let value = if builder == Builder::Classic { "0" } else { "1" };
    options.environment.insert("DOCKER_BUILDKIT".to_owned(), value.to_owned());
    options
}

/// A context of its own on an engine. All images that are built of it go when this does.
pub(crate) struct Bench {
    pub(crate) engine: Docker,
    pub(crate) context: TempDir,
    pub(crate) tag: String,
    socket: PathBuf,
    name: String,
}

impl Bench {
    pub(crate) async fn new(options: ConnectOptions) -> Self {
        let engine = Docker::connect(options).await.expect("a container engine");
        base_image(&engine).await;
        let name = unique();
        let tag = format!("localhost/sconce-test:{name}");
        Self { socket: socket(&engine), engine, context: tempfile::tempdir().unwrap(), tag, name }
    }

    pub(crate) fn path(&self) -> &Path {
        self.context.path()
    }

    /// Writes a file of the context, and the folders above it.
    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let full = self.path().join(path);
        fs::create_dir_all(full.parent().unwrap()).unwrap();
        fs::write(full, content).unwrap();
    }

    /// A request to run `dockerfile`, in which `BASE` stands for the base image.
    pub(crate) fn request(&self, dockerfile: &str) -> BuildRequest {
        BuildRequest {
            dockerfile: dockerfile.replace("BASE", crate::support::BASE),
            context: Some(self.path().to_owned()),
            args: BTreeMap::new(),
            secrets: BTreeMap::new(),
            labels: [("sconce-test".to_owned(), self.name.clone())].into(),
            tag: self.tag.clone(),
            target: None,
            platform: None,
            no_cache: false,
            host_network: false,
            redactor: Redactor::default(),
        }
    }

    /// Runs `dockerfile`: the outcome, and what was told meanwhile.
    pub(crate) async fn build(&self, dockerfile: &str) -> (Result<BuildOutcome>, Told) {
        self.run(&self.request(dockerfile)).await
    }

    pub(crate) async fn run(&self, request: &BuildRequest) -> (Result<BuildOutcome>, Told) {
        let told = Told::default();
        let outcome = self.engine.build(request, &told).await;
        (outcome, told)
    }

    /// What a shell script prints in the image that the tag names.
    pub(crate) async fn output(&self, script: &str) -> String {
        let request = RunRequest {
            image: self.tag.clone(),
            entrypoint: vec!["/bin/sh".to_owned()],
            args: vec!["-c".to_owned(), script.to_owned()],
            memory: 256 << 20,
            pids: 64,
            timeout: Duration::from_mins(2),
            ..RunRequest::default()
        };
        let output = self.engine.run(&request).await.unwrap();
        assert_eq!(output.exit_code, Some(0), "{output:?}");
        output.stdout
    }

    /// The ids of all images that were built of this context, named or not.
    pub(crate) fn images(&self) -> Vec<String> {
        let filters = format!("%7B%22label%22%3A%5B%22sconce-test%3D{}%22%5D%7D", self.name);
        let list = ask(&self.socket, "GET", &format!("/images/json?all=1&filters={filters}"));
        let list: serde_json::Value = serde_json::from_str(&list).unwrap();
        list.as_array().unwrap().iter().map(|image| image["Id"].as_str().unwrap().to_owned()).collect()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        for id in self.images() {
            ask(&self.socket, "DELETE", &format!("/images/{id}?force=1"));
        }
    }
}

/// The engine's answer, past sconce, and without a task to wait in.
fn ask(socket: &Path, method: &str, path: &str) -> String {
    let mut stream = UnixStream::connect(socket).unwrap();
    write!(stream, "{method} {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()
}

/// Something to do while a build runs.
type Act = Box<dyn Fn() + Send + Sync>;

/// What a build told.
#[derive(Default)]
pub(crate) struct Told {
    events: Mutex<Vec<Event>>,
    /// What to do once a line of a log is this.
    on: Option<(&'static str, Act)>,
}

impl Told {
    /// Does `act` when a step writes `line`.
    pub(crate) fn on(line: &'static str, act: impl Fn() + Send + Sync + 'static) -> Self {
        Self { on: Some((line, Box::new(act))), ..Self::default() }
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The bytes of the context that went to the engine.
    pub(crate) fn sent(&self) -> u64 {
        let sent = |event: &Event| match event {
            Event::Transfer { id, total: Some(total), .. } if id == "context" => Some(*total),
            _ => None,
        };
        self.events().iter().filter_map(sent).next_back().expect("the end of the context's transfer")
    }

    /// All that steps wrote.
    pub(crate) fn log(&self) -> Vec<String> {
        let line = |event| match event {
            Event::Log { line, .. } => Some(line),
            _ => None,
        };
        self.events().into_iter().filter_map(line).collect()
    }

    /// The steps' names.
    pub(crate) fn steps(&self) -> Vec<String> {
        let name = |event| match event {
            Event::Step { name, .. } => Some(name),
            _ => None,
        };
        self.events().into_iter().filter_map(name).collect()
    }
}

impl Progress for Told {
    fn event(&self, event: Event) {
        if let (Some((awaited, act)), Event::Log { line, .. }) = (&self.on, &event)
            && line == awaited
        {
            act();
        }
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }
}

/// The outcome's counts: cached steps, of how many.
pub(crate) fn counts(outcome: &Result<BuildOutcome>) -> (usize, usize) {
    match outcome {
        Ok(BuildOutcome::Built { cached_steps, steps, .. }) => (*cached_steps, *steps),
        other => panic!("not built: {other:?}"),
    }
}

/// A secret and the redactor that hides it.
pub(crate) fn with_secret(request: BuildRequest, id: &str, value: &str) -> BuildRequest {
    BuildRequest {
        secrets: [(id.to_owned(), Secret::new(value))].into(),
        redactor: Redactor::new([value.to_owned()]),
        ..request
    }
}
