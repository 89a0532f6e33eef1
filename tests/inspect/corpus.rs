//! Inputs that once broke a reader, or were made to: replayed as the fuzz targets read them (`fuzz/formats`), and some that
//! are too long to be kept as files.

use std::any::Any;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use sconce::catalogue::Packages;
use sconce::inspect::{InspectOptions, inspect};
use sconce::model::{ErrorKind, Project, Result};

use super::project;

/// The targets, one a line: name, file, what lies beside it, syntax, seeds.
const FORMATS: &str = include_str!("../../fuzz/formats");

/// No input may take longer, in a debug build on a busy machine; the fuzz targets give ten seconds to a fast one.
const LONGEST: Duration = Duration::from_mins(1);

struct Format {
    target: &'static str,
    file: &'static str,
    beside: &'static str,
    syntax: &'static str,
}

/// Every format that has a fuzz target.
fn formats() -> Vec<Format> {
    let lines = FORMATS.lines().filter(|line| !line.starts_with('#'));
    let words = lines.map(|line| line.split_whitespace().collect::<Vec<_>>());
    words.map(|words| Format { target: words[0], file: words[1], beside: words[2], syntax: words[3] }).collect()
}

impl Format {
    /// What becomes of `bytes` as a file of this format; a panic or a standstill fails the test.
    fn read(&self, name: &str, bytes: &[u8]) -> Result<Project> {
        let mut files = vec![(self.file, bytes)];
        if self.beside != "-" {
            files.push((self.beside, b"torch\n"));
        }
        let folder = project(&files);
        let root = folder.path().to_owned();
        let label = format!("{} as {}", name, self.target);
        within(&label, move || inspect(&root, &Packages::embedded().unwrap(), &InspectOptions::default()))
    }
}

/// What `work` gives, if it does within [`LONGEST`].
pub(super) fn within<T: Send + 'static>(name: &str, work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    let worker = thread::spawn(move || sender.send(work()));
    match receiver.recv_timeout(LONGEST) {
        Ok(answer) => answer,
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("{name} takes longer than {LONGEST:?}"),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            panic!("{name} panics: {}", message(&worker.join().expect_err("it sent nothing")))
        }
    }
}

fn message(panic: &Box<dyn Any + Send>) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

/// Whether a terminal would obey it; a tab only moves on.
fn steers(c: char) -> bool {
    c.is_control() && c != '\t' || c == '\u{202e}'
}

/// The rules that hold for whatever input.
fn check(format: &Format, name: &str, bytes: &[u8]) {
    let label = format!("{name} as {}", format.target);
    match format.read(name, bytes) {
        Ok(project) => {
            for read in &project.read {
                assert_eq!(read.facts + read.noted, read.entries, "{label}: {read:?}");
            }
            let shown = serde_json::to_string(&project).unwrap();
            assert!(!shown.contains("hunter22"), "{label}: {shown}");
            for note in &project.notes {
                assert!(!note.message.contains(steers), "{label}: {note:?}");
                assert!(note.message.len() < 4000, "{label}: {note:?}");
            }
        }
        Err(error) => {
            assert_eq!(error.kind, ErrorKind::Usage, "{label}: {error}");
            let said = format!("{error} {} {}", error.hint.as_deref().unwrap_or_default(), error.log.join(" "));
            assert!(!said.contains(steers), "{label}: {said:?}");
            assert!(!said.contains("hunter22"), "{label}: {said}");
        }
    }
}

fn corpus(folder: &str) -> Vec<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(path).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn the_corpus_is_survived() {
    let mut seen = 0;
    for format in formats() {
        let own = corpus(format.target);
        let of_syntax = if format.syntax == format.target { vec![] } else { corpus(format.syntax) };
        for input in own.iter().chain(&of_syntax) {
            check(&format, input.to_str().unwrap(), &fs::read(input).unwrap());
            seen += 1;
        }
    }
    assert!(seen >= 300, "{seen}");
}

#[test]
fn every_folder_of_the_corpus_is_replayed() {
    let formats = formats();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(formats.iter().any(|format| format.target == name || format.syntax == name), "{name}");
    }
}

/// Lines of a million characters, and files of a million lines.
#[test]
fn long_inputs_are_survived() {
    const MANY: usize = 1_000_000;
    let long = "a".repeat(MANY);
    for format in formats() {
        let inputs = match format.syntax {
            "toml" => vec![
                format!("a = '{long}'\n"),
                format!("{long} = 1\n"),
                format!("[project]\nname = 'x'\ndependencies = ['torch{}']\n", " ".repeat(MANY)),
                "[[package]]\nname = 'x'\n".repeat(MANY / 50),
            ],
            "json" => vec![format!("{{\"{long}\": \"{long}\"}}"), format!("[{}1]", "1,".repeat(MANY / 4))],
            "yaml" => vec![
                format!("dependencies: [{long}]\n"),
                format!("dependencies:\n{}", "  - a\n".repeat(MANY / 50)),
                format!("? {long}\n: {long}\n"),
            ],
            "python" => vec![
                format!("import {long}\n"),
                format!("x = '{long}'\n"),
                "import a\n".repeat(MANY / 100),
                format!("{}x", "\t".repeat(MANY)),
            ],
            "dockerfile" => vec![
                format!("FROM {long}\n"),
                format!("FROM a\nRUN apt-get install {}\n", "a ".repeat(MANY / 20)),
                format!("FROM a\nRUN x {}\n", "\\\n".repeat(MANY / 10)),
            ],
            _ => vec![
                long.clone(),
                format!("torch{}", "\\\n".repeat(MANY / 10)),
                format!("#{long}\n{}torch", "\n".repeat(MANY)),
                format!("torch=={}", "1.".repeat(MANY / 100)),
                format!("python {}", "9".repeat(MANY)),
            ],
        };
        for (input, number) in inputs.iter().zip(1..) {
            check(&format, &format!("long input {number}"), input.as_bytes());
        }
    }
}

/// Every prefix of a real file, in steps: what an interrupted copy leaves.
#[test]
fn truncated_files_are_survived() {
    for (target, file) in [
        ("uv_lock", "uv-extras/uv.lock"),
        ("poetry_lock", "poetry2/poetry.lock"),
        ("pdm_lock", "pdm/pdm.lock"),
        ("pylock", "pylock/pylock.toml"),
        ("pipfile_lock", "pipenv/Pipfile.lock"),
        ("pixi_lock", "pixi-features/pixi.lock"),
        ("poetry", "poetry-torch/pyproject.toml"),
        ("pixi", "pixi-features/pixi.toml"),
        ("conda", "conda-cuda/environment.yml"),
        ("setup_py", "setup-py/setup.py"),
        ("setup_cfg", "setup-cfg/setup.cfg"),
        ("dockerfile", "dockerfile-only/Dockerfile"),
        ("devcontainer", "devcontainer/.devcontainer/devcontainer.json"),
        ("notebook", "research/notebooks/curves.ipynb"),
        ("python_sources", "research/train.py"),
        ("requirements", "utf16/requirements.txt"),
    ] {
        let format = formats().into_iter().find(|format| format.target == target).unwrap();
        let bytes = fs::read(super::folder(file)).unwrap();
        for end in (0..bytes.len()).step_by(bytes.len() / 40 + 1) {
            check(&format, &format!("{file} up to {end}"), &bytes[..end]);
        }
    }
}
