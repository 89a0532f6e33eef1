//! An engine that replays a recording, failures midway included, so that what is built on an engine is tested without one.
//!
//! A [`Recording`] is one JSON document. Its builds, imports and runs are answered in the order in which they stand there;
//! tags and images are kept as an engine keeps them, so that a test sees whether a tag moved:
//!
//! ```json
//! {
//!   "info": {"name": "Docker", "version": "20.10.24", "api": "1.41", "buildkit": true,
//!            "endpoint": "unix:///var/run/docker.sock", "architecture": "amd64", "cpus": 2, "memory": 8000000000},
//!   "images": [{"id": "sha256:1", "tags": ["debian:13"], "size": 1, "user": "", "architecture": "amd64", "layers": []}],
//!   "pulls": {"debian:12": {"error": {"kind": "try_again", "message": "the registry cannot be reached"}}},
//!   "builds": [{"events": [{"event": "step", "id": "1", "name": "[1/1] RUN true"}],
//!               "answer": {"ok": {"name": "built", "id": "sha256:2", "cached_steps": 0, "steps": 1}}}],
//!   "runs": [{"ok": {"exit_code": 0, "timed_out": false, "out_of_memory": false, "stdout": "", "stderr": "",
//!             "milliseconds": 5}}, "hang"],
//!   "faults": [{"call": "tag", "nth": 1, "answer": {"error": {"kind": "no", "message": "the tag is locked"}}}],
//!   "journal": "calls.log"
//! }
//! ```

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::TryStreamExt as _;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::{
    Archive, BuildOutcome, BuildRequest, Engine, EngineInfo, EngineState, Event, Progress, RunOutput, RunRequest, Swept,
};
use crate::model::{Content, Error, Image, Result, sha256_hex};

/// What an engine is to say. See the [module](self) for an example.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recording {
    /// What the engine is.
    pub info: EngineInfo,
    /// What it says of itself.
    #[serde(default)]
    pub state: EngineState,
    /// The images that are there at first, with their tags.
    #[serde(default)]
    pub images: Vec<Image>,
    /// What comes of pulling a reference; a pull of any other fails.
    #[serde(default)]
    pub pulls: BTreeMap<String, Answer<Image>>,
    /// What comes of each import.
    #[serde(default)]
    pub imports: Vec<Answer<Image>>,
    /// What comes of each build.
    #[serde(default)]
    pub builds: Vec<RecordedBuild>,
    /// The ids of the images that containers were made from, by the containers' names.
    #[serde(default)]
    pub containers: BTreeMap<String, String>,
    /// What comes of each run.
    #[serde(default)]
    pub runs: Vec<Answer<RunOutput>>,
    /// What a sweep finds.
    #[serde(default)]
    pub swept: Swept,
    /// Calls that go wrong, whatever else is recorded for them.
    #[serde(default)]
    pub faults: Vec<Fault>,
    /// A file that gets a line for each call, beside the recording.
    #[serde(default)]
    pub journal: Option<PathBuf>,
}

/// What comes of a call.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer<T> {
    /// It succeeds.
    Ok(T),
    /// It fails.
    Error(RecordedError),
    /// It never ends, unless it is cancelled.
    Hang,
}

/// An error to fail with.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedError {
    /// What the caller can do about it.
    pub kind: RecordedKind,
    /// What happened.
    pub message: String,
    /// What to do.
    #[serde(default)]
    pub hint: Option<String>,
}

/// The kinds of errors that an engine gives.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordedKind {
    /// [`crate::model::ErrorKind::No`].
    No,
    /// [`crate::model::ErrorKind::Usage`].
    Usage,
    /// [`crate::model::ErrorKind::TryAgain`].
    TryAgain,
}

/// A build: what it tells, and what comes of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedBuild {
    /// What is told while it runs.
    #[serde(default)]
    pub events: Vec<Event>,
    /// What comes of it.
    pub answer: Answer<BuildOutcome>,
    /// The image that it makes; one without layers if there is none.
    #[serde(default)]
    pub image: Option<Image>,
}

/// A call that goes wrong.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The method's name, such as `tag`.
    pub call: String,
    /// Which call of that name, from 0.
    #[serde(default)]
    pub nth: usize,
    /// How: an error, or a hang.
    pub answer: Answer<Nothing>,
}

/// No value: a fault cannot succeed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Nothing {}

/// An engine that replays a [`Recording`].
#[derive(Debug)]
pub struct Scripted {
    recording: Recording,
    cancel: CancellationToken,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Images by id, without their tags.
    images: BTreeMap<String, Image>,
    /// Image ids by reference.
    tags: BTreeMap<String, String>,
    calls: Vec<String>,
    requests: Vec<BuildRequest>,
}

impl Scripted {
    /// An engine that replays `recording`.
    pub fn new(recording: Recording, cancel: CancellationToken) -> Self {
        let mut state = State::default();
        for image in &recording.images {
            state.add(image.clone());
        }
        Self { recording, cancel, state: Mutex::new(state) }
    }

    /// An engine that replays the recording in `file`.
    pub fn open(file: &Path, cancel: CancellationToken) -> Result<Self> {
        let bad = |why: String| Error::usage(format!("the recording `{}` cannot be used: {why}", file.display()));
        let text = std::fs::read(file).map_err(|error| bad(error.to_string()))?;
        let mut recording: Recording = serde_json::from_slice(&text).map_err(|error| bad(error.to_string()))?;
        let folder = file.parent().unwrap_or(Path::new(""));
        recording.journal = recording.journal.map(|journal| folder.join(journal));
        Ok(Self::new(recording, cancel))
    }

    /// The calls so far, each as the method's name and its main arguments, such as `tag sha256:2 app:1`.
    pub fn calls(&self) -> Vec<String> {
        self.state().calls.clone()
    }

    /// The builds that were asked for.
    pub fn requests(&self) -> Vec<BuildRequest> {
        self.state().requests.clone()
    }

    /// The id of the image that `reference` names now.
    pub fn tagged(&self, reference: &str) -> Option<String> {
        self.state().tags.get(&full(reference)).cloned()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a call, lets it go wrong if it is to, and gives how many of its name came before.
    async fn call(&self, name: &str, arguments: &[&str]) -> Result<usize> {
        let line = [&[name], arguments].concat().join(" ");
        let nth = {
            let mut state = self.state();
            let nth = state.calls.iter().filter(|call| call.split(' ').next() == Some(name)).count();
            state.calls.push(line.clone());
            nth
        };
        self.note(&line)?;
        match self.recording.faults.iter().find(|fault| fault.call == name && fault.nth == nth) {
            Some(fault) => self.answer(Some(&fault.answer), name, nth).await.map(|never| match never {}),
            None => Ok(nth),
        }
    }

    fn note(&self, line: &str) -> Result<()> {
        let Some(journal) = &self.recording.journal else { return Ok(()) };
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(journal)
            .and_then(|mut file| writeln!(file, "{line}"))
            .map_err(|error| Error::usage(format!("the journal `{}` cannot be written: {error}", journal.display())))
    }

    async fn answer<T: Clone>(&self, answer: Option<&Answer<T>>, name: &str, nth: usize) -> Result<T> {
        match answer {
            Some(Answer::Ok(value)) => Ok(value.clone()),
            Some(Answer::Error(error)) => Err(error.into()),
            Some(Answer::Hang) => {
                self.cancel.cancelled().await;
                Err(Error::interrupted())
            }
            None => Err(Error::usage(format!("the recording has no answer to call {nth} of `{name}`"))),
        }
    }

    fn not_cancelled(&self) -> Result<()> {
        if self.cancel.is_cancelled() { Err(Error::interrupted()) } else { Ok(()) }
    }
}

impl State {
    fn add(&mut self, mut image: Image) {
        for tag in std::mem::take(&mut image.tags) {
            self.tags.insert(full(&tag), image.id.clone());
        }
        self.images.insert(image.id.clone(), image);
    }

    /// Adds an image under one more tag.
    fn keep(&mut self, mut image: Image, reference: &str) -> Image {
        image.tags.push(reference.to_owned());
        self.add(image.clone());
        self.with_tags(&image)
    }

    fn find(&self, reference: &str) -> Option<Image> {
        let id = self.tags.get(&full(reference)).map_or(reference, String::as_str);
        self.images.get(id).map(|image| self.with_tags(image))
    }

    fn with_tags(&self, image: &Image) -> Image {
        let tags = self.tags.iter().filter(|(_, id)| **id == image.id).map(|(tag, _)| tag.clone()).collect();
        Image { tags, ..image.clone() }
    }
}

impl From<&RecordedError> for Error {
    fn from(recorded: &RecordedError) -> Self {
        let error = match recorded.kind {
            RecordedKind::No => Self::no(&recorded.message),
            RecordedKind::Usage => Self::usage(&recorded.message),
            RecordedKind::TryAgain => Self::try_again(&recorded.message),
        };
        Self { hint: recorded.hint.clone(), ..error }
    }
}

/// A reference with its tag.
fn full(reference: &str) -> String {
    let has_tag = reference.rsplit_once(':').is_some_and(|(_, tag)| !tag.contains('/'));
    if has_tag { reference.to_owned() } else { format!("{reference}:latest") }
}

impl Engine for Scripted {
    fn info(&self) -> &EngineInfo {
        &self.recording.info
    }

    async fn state(&self) -> Result<EngineState> {
        self.call("state", &[]).await?;
        Ok(self.recording.state.clone())
    }

    async fn find_image(&self, reference: &str) -> Result<Option<Image>> {
        self.not_cancelled()?;
        self.call("find_image", &[reference]).await?;
        Ok(self.state().find(reference))
    }

    async fn pull(&self, reference: &str, _: &dyn Progress) -> Result<Image> {
        self.not_cancelled()?;
        let nth = self.call("pull", &[reference]).await?;
        let image = self.answer(self.recording.pulls.get(reference), "pull", nth).await?;
        Ok(self.state().keep(image, reference))
    }

    async fn import(&self, mut archive: Archive, reference: &str, _: &[String], _: &dyn Progress) -> Result<Image> {
        self.not_cancelled()?;
        let nth = self.call("import", &[reference]).await?;
        let broke = |error| Error::no(format!("the archive of `{reference}` broke off: {error}"));
        while archive.try_next().await.map_err(broke)?.is_some() {}
        let image = self.answer(self.recording.imports.get(nth), "import", nth).await?;
        Ok(self.state().keep(image, reference))
    }

    async fn build(&self, request: &BuildRequest, progress: &dyn Progress) -> Result<BuildOutcome> {
        self.not_cancelled()?;
        let nth = self.call("build", &[&request.tag]).await?;
        self.state().requests.push(request.clone());
        let build = self.recording.builds.get(nth);
        for event in build.into_iter().flat_map(|build| &build.events) {
            progress.event(event.clone());
        }
        let outcome = self.answer(build.map(|build| &build.answer), "build", nth).await?;
        if let BuildOutcome::Built { id, .. } = &outcome {
            let image = build.and_then(|build| build.image.clone()).unwrap_or_else(|| Image {
                id: id.clone(),
                tags: Vec::new(),
                size: 0,
                user: String::new(),
                architecture: self.recording.info.architecture.clone(),
                layers: Vec::new(),
                content: Content::default(),
                labels: BTreeMap::new(),
            });
            self.state().keep(image, &request.tag);
        }
        Ok(outcome)
    }

    async fn run(&self, request: &RunRequest) -> Result<RunOutput> {
        self.not_cancelled()?;
        let nth = self.call("run", &[&request.image]).await?;
        self.answer(self.recording.runs.get(nth), "run", nth).await
    }

    async fn container_image(&self, name: &str) -> Result<Option<String>> {
        self.not_cancelled()?;
        self.call("container_image", &[name]).await?;
        Ok(self.recording.containers.get(name).cloned())
    }

    async fn tag(&self, id: &str, reference: &str) -> Result<()> {
        self.not_cancelled()?;
        self.call("tag", &[id, reference]).await?;
        let mut state = self.state();
        let image = state.find(id).ok_or_else(|| Error::no(format!("the engine has no image `{id}`")))?;
        state.tags.insert(full(reference), image.id);
        Ok(())
    }

    async fn label(&self, image: &str, labels: &BTreeMap<String, String>, reference: &str) -> Result<String> {
        self.not_cancelled()?;
        self.call("label", &[image, reference]).await?;
        let mut state = self.state();
        let gone = || Error::no(format!("the engine has no image `{image}`"));
        let mut image = state.find(image).ok_or_else(gone)?;
        // Of the labels only the names: a recording is for any time, and a label may hold one.
        let names: Vec<&[u8]> = labels.keys().map(String::as_bytes).collect();
        image.id = format!("sha256:{}", sha256_hex([&[image.id.as_bytes()], names.as_slice()].concat()));
        image.labels.extend(labels.clone());
        image.tags.clear();
        Ok(state.keep(image, reference).id)
    }

    async fn untag(&self, reference: &str, prune: bool) -> Result<()> {
        self.call("untag", &[reference, if prune { "prune" } else { "keep" }]).await?;
        let mut state = self.state();
        if let Some(id) = state.tags.remove(&full(reference))
            && prune
            && !state.tags.values().any(|tagged| *tagged == id)
        {
            state.images.remove(&id);
        }
        Ok(())
    }

    async fn sweep(&self) -> Result<Swept> {
        self.not_cancelled()?;
        self.call("sweep", &[]).await?;
        Ok(self.recording.swept.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Silent;
    use crate::model::ErrorKind;

    /// The example of this module's documentation.
    fn example() -> Recording {
        let text = include_str!("scripted.rs");
        let json: String = text
            .lines()
            .skip_while(|line| *line != "//! ```json")
            .skip(1)
            .take_while(|line| *line != "//! ```")
            .map(|line| line.trim_start_matches("//!"))
            .collect();
        Recording { journal: None, ..serde_json::from_str(&json).unwrap() }
    }

    #[tokio::test]
    async fn a_tag_moves_only_where_the_recording_lets_it() {
        let engine = Scripted::new(example(), CancellationToken::new());
        engine.tag("sha256:1", "app:1").await.unwrap();
        let error = engine.tag("debian:13", "app").await.unwrap_err();
        assert_eq!(error.message, "the tag is locked");
        assert_eq!(engine.tagged("app:1").as_deref(), Some("sha256:1"));
        assert_eq!(engine.tagged("app"), None);
        assert_eq!(engine.calls(), ["tag sha256:1 app:1", "tag debian:13 app"]);
    }

    #[tokio::test]
    async fn an_image_goes_with_its_last_tag_only_if_pruned() {
        let engine = Scripted::new(example(), CancellationToken::new());
        engine.untag("debian:13", false).await.unwrap();
        assert!(engine.find_image("debian:13").await.unwrap().is_none());
        assert!(engine.find_image("sha256:1").await.unwrap().is_some());
        engine.tag("sha256:1", "app").await.unwrap();
        engine.untag("app", true).await.unwrap();
        assert!(engine.find_image("sha256:1").await.unwrap().is_none());
        engine.untag("app", true).await.unwrap();
    }

    #[tokio::test]
    async fn what_hangs_ends_with_the_user() {
        let cancel = CancellationToken::new();
        let recording = Recording { pulls: BTreeMap::from([("app".to_owned(), Answer::Hang)]), ..example() };
        let engine = Scripted::new(recording, cancel.clone());
        let (pulled, ()) = tokio::join!(engine.pull("app", &Silent), async { cancel.cancel() });
        assert_eq!(pulled.unwrap_err().kind, ErrorKind::Interrupted);
        assert_eq!(engine.find_image("app").await.unwrap_err().kind, ErrorKind::Interrupted);
        engine.untag("app", true).await.unwrap();
    }
}
