//! Files that describe a container of the project: hints, which nothing follows blindly. Not one of them stops the
//! inspection.

mod install;
mod shell;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::str::FromStr;
use std::sync::LazyLock;

use parse_dockerfile::{Command, FromInstruction, Instruction, RunInstruction, UnescapedString};
use pep440_rs::VersionSpecifiers;
use regex::Regex;

use self::install::Named;
use self::shell::Word;
use super::draft::Draft;
use super::folder::{Folder, join};
use super::image_variant;
use super::text::{Lines, shown};
use super::url::without_credentials;
use crate::model::{BaseHint, Note, Origin, PythonConstraint, Result, Strength, SystemHint};

/// No Dockerfile that a person wrote is longer, in bytes.
const LONGEST: usize = 1 << 20;
/// More than these say nothing new.
const MOST_FILES: usize = 20;
/// The folders in which they commonly lie.
const FOLDERS: [&str; 3] = [".", "docker", ".devcontainer"];

/// Files about a Dockerfile, by the ending of their names.
const NOT_DOCKERFILES: [&str; 8] = ["dockerignore", "md", "py", "sh", "yml", "yaml", "json", "txt"];

/// The minor version of Python that an image names: in the tag of an image `python`, or in words, such as `python3.12`.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static PYTHON: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?:(?:^|/)python:(?:\d-)?|[:-](?:python|py)-?)(3)[._]?(\d{1,2})(?:\D|$)").unwrap());

/// Takes up what they tell.
#[expect(clippy::unnecessary_wraps, reason = "one of several readers of facts")]
pub(super) fn facts(draft: &mut Draft<'_>) -> Result<()> {
    for file in dockerfiles(draft.folder) {
        let read = draft.folder.locate(".", &file).and_then(|_| draft.folder.read_utf8(&file));
        match read {
            Ok(text) if text.len() <= LONGEST => Reader::new(draft, &file, &text).read(),
            Ok(_) => {
                let message = format!("`{}` is longer than {} MiB, and is not read", shown(&file), LONGEST >> 20);
                draft.note(Note::warning(message, Origin::file(&file, 1)));
            }
            Err(error) => {
                let origin = error.origin.unwrap_or_else(|| Origin::file(&file, 1));
                draft.note(Note::warning(format!("no hints are taken from it: {}", error.message), origin));
            }
        }
    }
    Ok(())
}

/// The Dockerfiles by their names, the usual one first.
fn dockerfiles(folder: &Folder) -> Vec<String> {
    let mut files: Vec<String> = Vec::new();
    for base in FOLDERS {
        let mut named: Vec<String> = folder.list(base).into_iter().filter(|name| is_dockerfile(name)).collect();
        named.sort_by_key(|name| (name.contains('.'), name.clone()));
        files.extend(named.iter().map(|name| join(base, name)).filter(|file| folder.has(file)));
    }
    files.truncate(MOST_FILES);
    files
}

fn is_dockerfile(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let named =
        |stem: &str| lower == stem || lower.strip_prefix(stem).is_some_and(|rest| rest.starts_with(['.', '-', '_']));
    let ends = lower.ends_with(".dockerfile") || lower.ends_with(".containerfile");
    (named("dockerfile") || named("containerfile") || ends)
        && !lower.rsplit_once('.').is_some_and(|(_, ending)| NOT_DOCKERFILES.contains(&ending))
}

/// A reference of an image without the user and password that stand before the registry, and whether there were any:
/// those of no registry, but people write them.
pub(super) fn without_userinfo(image: &str) -> (Cow<'_, str>, bool) {
    let stripped = without_credentials(image);
    let known = stripped.literal;
    // The `@` of a digest stands behind the last `/`.
    match stripped.text.split_once('@') {
        Some((before, rest)) if rest.contains('/') && !before.contains('/') => (Cow::Owned(rest.to_owned()), true),
        _ if known => (Cow::Owned(stripped.text), true),
        _ => (Cow::Borrowed(image), false),
    }
}

/// Variables and their values, as far as the file gives them.
type Values = HashMap<String, String>;

/// Reads one file.
struct Reader<'d, 'f, 't> {
    draft: &'d mut Draft<'f>,
    file: &'t str,
    text: &'t str,
    lines: Lines,
    /// Of `ARG` before the first `FROM`, which images are named with.
    global: Values,
    /// Of `ARG` and `ENV` in the stage.
    local: Values,
    /// The image that each stage starts from in the end, by its name.
    stages: HashMap<String, BaseHint>,
    /// The images of all stages, the last one's last.
    bases: Vec<BaseHint>,
}

impl<'d, 'f, 't> Reader<'d, 'f, 't> {
    fn new(draft: &'d mut Draft<'f>, file: &'t str, text: &'t str) -> Self {
        Self {
            draft,
            file,
            text,
            lines: Lines::of(text),
            global: Values::new(),
            local: Values::new(),
            stages: HashMap::new(),
            bases: Vec::new(),
        }
    }

    fn read(mut self) {
        let mut in_stage = false;
        let read = parse_dockerfile::parse_iter(self.text).map(|instructions| {
            instructions.map(|instruction| {
                in_stage |= matches!(instruction, Ok(Instruction::From(_)));
                instruction.map(|instruction| self.instruction(instruction, in_stage))
            })
        });
        let failed = match read {
            Ok(mut instructions) => instructions.find_map(std::result::Result::err),
            Err(error) => Some(error),
        };
        if let Some(error) = failed {
            let message = format!("`{}` is read up to here only: {}", shown(self.file), shown(&error.to_string()));
            self.draft.note(Note::warning(message, Origin::file(self.file, error.line().max(1))));
        }
        self.conclude();
    }

    fn origin(&self, at: usize) -> Origin {
        Origin::file(self.file, self.lines.at(at))
    }

    fn instruction(&mut self, instruction: Instruction<'_>, in_stage: bool) {
        match instruction {
            Instruction::From(from) => self.from(&from),
            Instruction::Arg(arg) => self.set(&arg.arguments, in_stage),
            Instruction::Env(env) => self.set(&env.arguments, in_stage),
            Instruction::Run(run) => self.run(&run),
            _ => {}
        }
    }

    /// `NAME=value`, of `ARG` and `ENV`; an `ARG` without a value takes the one from before the stages.
    fn set(&mut self, arguments: &UnescapedString<'_>, in_stage: bool) {
        let value = |name: &str| self.value(name);
        let words: Vec<Word> = shell::commands(&arguments.value, &value).into_iter().flatten().collect();
        for word in words.into_iter().filter(|word| !word.open) {
            let (name, value) = match word.text.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (word.text.clone(), self.global.get(&word.text).cloned()),
            };
            let values = if in_stage { &mut self.local } else { &mut self.global };
            if let Some(value) = value.filter(|value| value.len() < 4096) {
                values.insert(name, value);
            }
        }
    }

    fn value(&self, name: &str) -> Option<String> {
        self.local.get(name).or_else(|| self.global.get(name)).cloned()
    }

    fn from(&mut self, from: &FromInstruction<'_>) {
        self.draft.account(self.file, 1);
        self.local.clear();
        let origin = self.origin(from.image.span.start);
        let global = |name: &str| self.global.get(name).cloned();
        let words = shell::commands(&from.image.value, &global);
        let word = words.into_iter().flatten().next().unwrap_or_default();
        let (image, secret) = without_userinfo(&word.text);
        if secret {
            self.draft.warn_of_credential(&origin);
        }
        let word = Word { text: image.into_owned(), ..word };
        let name = from.as_.as_ref().map(|(_, name)| name.value.to_ascii_lowercase());
        let base = if let Some(base) = self.stages.get(&word.text.to_ascii_lowercase()) {
            self.draft.fact(self.file);
            base.clone()
        } else {
            let is_image = |c: char| c.is_ascii_alphanumeric() || "._/:@-".contains(c);
            if word.open || word.text.is_empty() || !word.text.chars().all(is_image) {
                let message =
                    format!("which image `{}` is, the build decides", shown(&without_userinfo(&from.image.value).0));
                self.draft.noted(self.file, Note::info(message, origin));
                return;
            }
            self.draft.fact(self.file);
            BaseHint { variant: image_variant::variant(&word.text), image: word.text, origin }
        };
        if let Some(name) = name {
            self.stages.insert(name, base.clone());
        }
        self.bases.push(base);
    }

    fn run(&mut self, run: &RunInstruction<'_>) {
        match &run.arguments {
            Command::Shell(shell) if run.here_docs.is_empty() => self.script(shell.value, shell.span.start),
            Command::Shell(_) => {
                for document in &run.here_docs {
                    self.script(&document.value, document.span.start);
                }
            }
            Command::Exec(words) => {
                let whole = |word: &UnescapedString<'_>| Word {
                    text: word.value.clone().into_owned(),
                    at: word.span.start,
                    open: false,
                };
                let words: Vec<Word> = words.value.iter().map(whole).collect();
                match words.as_slice() {
                    // `["sh", "-c", "…"]`
                    [.., flag, script] if flag.text.starts_with('-') && flag.text.ends_with('c') => {
                        let commands = self.commands(&script.text);
                        for command in commands {
                            let there = |word: Word| Word { at: script.at, ..word };
                            self.command(&command.into_iter().map(there).collect::<Vec<_>>(), 0);
                        }
                    }
                    words => self.command(words, 0),
                }
            }
            _ => {}
        }
    }

    fn commands(&self, script: &str) -> Vec<Vec<Word>> {
        let value = |name: &str| self.value(name);
        shell::commands(script, &value)
    }

    /// The commands of a script, which begins at `start`.
    fn script(&mut self, script: &str, start: usize) {
        for command in self.commands(script) {
            self.command(&command, start);
        }
    }

    fn command(&mut self, command: &[Word], start: usize) {
        let named = install::packages(command);
        self.draft.account(self.file, named.len());
        for named in named {
            self.named(&named, start);
        }
        if install::concerns_torch(command) {
            self.draft.account(self.file, 1);
            let words: Vec<&str> = command.iter().map(|word| word.text.as_str()).collect();
            let text = without_credentials(&words.join(" "));
            let origin = self.origin(start + command.first().map_or(0, |word| word.at));
            if text.literal {
                self.draft.warn_of_credential(&origin);
            }
            let message = format!("`{}` runs `{}`, which is not followed", shown(self.file), shown(&text.text));
            let hint = "put what the project needs into its requirements, and an index with it";
            self.draft.noted(self.file, Note::info(message, origin).with_hint(hint));
        }
    }

    fn named(&mut self, named: &Named<'_>, start: usize) {
        match named {
            Named::Package { manager, name, version, word } => {
                let origin = self.origin(start + word.at);
                if *manager == "conda" && *name == "python" {
                    self.python(version, &origin);
                }
                let hint = SystemHint { package: (*name).to_owned(), manager: (*manager).to_owned(), origin };
                self.draft.project.system.push(hint);
                self.draft.fact(self.file);
            }
            Named::Unclear(word) => {
                let text = without_credentials(&word.text).text;
                let message = format!("`{}` is installed there, too, and is no plain name of a package", shown(&text));
                self.draft.noted(self.file, Note::info(message, self.origin(start + word.at)));
            }
        }
    }

    /// The minor version of Python that stands at the beginning of `version`.
    fn python(&mut self, version: &str, origin: &Origin) {
        let mut parts = version.split('.');
        let minor = |part: Option<&str>| -> Option<String> {
            let digits: String = part?.chars().take_while(char::is_ascii_digit).take(3).collect();
            (!digits.is_empty()).then_some(digits)
        };
        let (Some(major), Some(minor)) = (minor(parts.next()), minor(parts.next())) else { return };
        if let Ok(specifiers) = VersionSpecifiers::from_str(&format!("=={major}.{minor}.*")) {
            let constraint = PythonConstraint { specifiers, strength: Strength::Hint, origin: origin.clone() };
            self.draft.project.python.push(constraint);
        }
    }

    /// The images, that of the last stage first, each once.
    fn conclude(mut self) {
        let mut seen = HashSet::new();
        let last = self.bases.pop();
        for base in last.into_iter().chain(std::mem::take(&mut self.bases)) {
            if base.image == "scratch" || !seen.insert(base.image.clone()) {
                continue;
            }
            if let Some((_, [major, minor])) = PYTHON.captures(&base.image).map(|found| found.extract()) {
                let origin = base.origin.clone();
                self.python(&format!("{major}.{minor}"), &origin);
            }
            self.draft.project.bases.push(base);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::drafted;
    use super::*;
    use crate::model::{Project, Severity};

    fn read(files: &[(&str, &str)]) -> Project {
        drafted(files, facts).unwrap().1
    }

    fn bases(project: &Project) -> Vec<String> {
        project.bases.iter().map(|base| format!("{} {}", base.origin, base.image)).collect()
    }

    fn python(project: &Project) -> Vec<String> {
        assert!(project.python.iter().all(|python| python.strength == Strength::Hint));
        project.python.iter().map(|python| format!("{} {}", python.origin, python.specifiers)).collect()
    }

    #[test]
    fn images_packages_and_python_are_hints() {
        let text = "\
# syntax=docker/dockerfile:1
ARG CUDA=12.4.1
ARG PY=3.11
FROM python:${PY}-slim AS Builder
RUN pip wheel .
FROM --platform=linux/amd64 nvidia/cuda:${CUDA}-devel-ubuntu22.04
ARG PY
ENV DEBIAN_FRONTEND=noninteractive TZ=UTC
RUN --mount=type=cache,target=/x apt-get update && apt-get install -y \\
    git \\
    # the compiler
    g++=4:11 \\
    python${PY}-dev ${UNKNOWN} && \\
    rm -rf /var/lib/apt/lists/*
RUN [\"apt-get\", \"install\", \"-y\", \"curl\"]
RUN pip install torch==2.4 --index-url https://u:secret@download.example.org/whl/cu124
RUN <<EOF
apt-get install -y vim
EOF
COPY --from=builder /x /x
";
        let project = read(&[("Dockerfile", text)]);
        assert_eq!(
            bases(&project),
            ["Dockerfile:6 nvidia/cuda:12.4.1-devel-ubuntu22.04", "Dockerfile:4 python:3.11-slim"]
        );
        assert_eq!(python(&project), ["Dockerfile:4 ==3.11.*"]);
        let system: Vec<String> =
            project.system.iter().map(|hint| format!("{} {} {}", hint.origin, hint.manager, hint.package)).collect();
        assert_eq!(
            system,
            [
                "Dockerfile:10 apt git",
                "Dockerfile:12 apt g++",
                "Dockerfile:13 apt python3.11-dev",
                "Dockerfile:15 apt curl",
                "Dockerfile:18 apt vim",
            ]
        );
        let told: Vec<String> = project.notes.iter().map(|note| format!("{} {}", note.origin, note.message)).collect();
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told[0].starts_with("Dockerfile:13 `$UNKNOWN` is installed there"), "{told:?}");
        assert!(told[1].starts_with("Dockerfile:16 a password or token"), "{told:?}");
        assert!(told[2].contains("--index-url https://download.example.org/whl/cu124`"), "{told:?}");
        assert!(!format!("{project:?}").contains("secret"));
    }

    #[test]
    fn the_last_stage_is_traced_to_its_image() {
        let text = "FROM ubuntu:24.04 AS base\nFROM alpine AS other\nFROM base\n";
        assert_eq!(bases(&read(&[("Dockerfile", text)])), ["Dockerfile:1 ubuntu:24.04", "Dockerfile:2 alpine"]);
        let project = read(&[("Dockerfile", "ARG BASE\nFROM ${BASE}\nFROM scratch\n")]);
        assert!(project.bases.is_empty());
        assert!(project.notes[0].message.contains("the build decides"));
    }

    #[test]
    fn an_image_names_its_python() {
        for (image, expected) in [
            ("python:3.11-slim", "3.11"),
            ("docker.io/library/python:3.12", "3.12"),
            ("mcr.microsoft.com/devcontainers/python:1-3.10-bullseye", "3.10"),
            ("ghcr.io/astral-sh/uv:python3.12-bookworm-slim", "3.12"),
            ("continuumio/miniconda3:py39_4.9", "3.9"),
            ("python:3", ""),
            ("cpython:3.11", ""),
            ("pytorch/pytorch:2.4.0-cuda12.4-cudnn9-devel", ""),
        ] {
            let project = read(&[("Dockerfile", &format!("FROM {image}\n"))]);
            let expected = if expected.is_empty() { vec![] } else { vec![format!("Dockerfile:1 =={expected}.*")] };
            assert_eq!(python(&project), expected, "{image}");
        }
    }

    #[test]
    fn conda_names_python_too() {
        let project = read(&[("Dockerfile", "FROM x\nRUN conda install -y python=3.10.4 pytorch==2.1\n")]);
        assert_eq!(python(&project), ["Dockerfile:2 ==3.10.*"]);
        assert_eq!(project.system.len(), 2);
    }

    #[test]
    fn every_usual_name_is_read() {
        for name in [
            "Containerfile",
            "Dockerfile.gpu",
            "train.Dockerfile",
            "docker/Dockerfile",
            "docker/Dockerfile.cpu",
            "Dockerfile-gpu",
            "Dockerfile_train",
            "docker/Dockerfile-cpu",
            "gpu.dockerfile",
        ] {
            assert_eq!(bases(&read(&[(name, "FROM x:1\n")])), [format!("{name}:1 x:1")]);
        }
        for name in ["Dockerfile.dockerignore", "Dockerfiles", "my-dockerfile", "dockerfile_utils.py", "Dockerfile.md"]
        {
            assert!(read(&[(name, "FROM x:1\n")]).bases.is_empty(), "{name}");
        }
    }

    #[test]
    fn what_does_not_parse_is_one_warning() {
        let project = read(&[("Dockerfile", "FROM x:1\nRUN apt-get install -y git\nFOO bar\nRUN y\n")]);
        assert_eq!(bases(&project), ["Dockerfile:1 x:1"]);
        assert_eq!(project.system.len(), 1);
        let [note] = project.notes.as_slice() else { panic!("{:?}", project.notes) };
        assert_eq!((note.severity, note.origin.clone()), (Severity::Warning, Origin::file("Dockerfile", 3)));
        let empty = read(&[("Dockerfile", "")]).notes;
        assert_eq!(empty.iter().map(|note| note.origin.clone()).collect::<Vec<_>>(), [Origin::file("Dockerfile", 1)]);
    }

    #[test]
    fn a_password_before_a_registry_is_not_kept() {
        for (image, expected) in [
            ("u:SECRET@reg.example.org/x:1", Some("reg.example.org/x:1")),
            ("SECRET@reg.example.org:5000/x", Some("reg.example.org:5000/x")),
            ("https://u:SECRET@reg.example.org/x", Some("https://reg.example.org/x")),
            ("u:SECRET%@reg.example.org/$x", None),
        ] {
            let project = read(&[("Dockerfile", &format!("FROM {image}\n"))]);
            assert_eq!(project.bases.first().map(|base| base.image.as_str()), expected, "{image}");
            assert!(!format!("{project:?}").contains("SECRET"), "{project:?}");
            assert!(project.notes.iter().any(|note| note.message.contains("a password or token")), "{image}");
        }
        let digest = format!("reg.example.org/x@sha256:{}", "a".repeat(64));
        let project = read(&[("Dockerfile", &format!("FROM {digest}\n"))]);
        assert_eq!(bases(&project), [format!("Dockerfile:1 {digest}")]);
        assert!(project.notes.is_empty());
    }

    proptest! {
        #[test]
        fn no_dockerfile_ends_the_reader(text in "(FROM|RUN|ARG|ENV|apt-get install|pip install torch|[ \n=$\\\\\"'{}\\[\\]:<#é&;-]|x|<<EOF\n|AS|ONBUILD){0,30}") {
            read(&[("Dockerfile", &format!("FROM x\n{text}"))]);
        }
    }
}
