//! Whether the project's sources have a part in the proof. They are the one layer that changes with every edit, and the proof
//! never runs them: where it is certain that nothing which starts in the image looks into their folder, a proof of an image
//! holds for every image that differs from it in that layer only. In doubt they have a part.
//!
//! `docs/attestation.md` has the whole argument.

use std::time::Duration;

use parse_dockerfile::{Instruction, Source};
use serde::Serialize;

use crate::engine::{Engine, RunRequest};
use crate::model::{Image, Verification, sha256_hex};

/// Asks a Python of the image what leads into a folder.
const REACH: &str = include_str!("../../templates/reach.py");

/// What that takes at most: it imports nothing but the standard library.
const MEMORY: u64 = 512 << 20;
const TIME: Duration = Duration::from_mins(1);

/// Folders of the file system that programs look into by themselves: what is copied to one of them is no mere source.
const SYSTEM: [&str; 19] = [
    "bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "libx32", "media", "nix", "opt", "proc", "root", "run",
    "sbin", "sys", "tmp", "usr", "var",
];

/// Variables whose values are words that name no file.
const WORDS: [&str; 13] = [
    "GPG_KEY",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LOGNAME",
    "NVARCH",
    "NVIDIA_DRIVER_CAPABILITIES",
    "NVIDIA_REQUIRE_CUDA",
    "NVIDIA_VISIBLE_DEVICES",
    "PYTHON_SHA256",
    "PYTORCH_ALLOC_CONF",
    "PYTORCH_CUDA_ALLOC_CONF",
    "USER",
];

/// What the name of a variable for a place holds.
const PLACES: [&str; 8] = ["CACHE", "DIR", "FILE", "HOME", "PATH", "PREFIX", "ROOT", "STARTUP"];

/// An image whose sources stand apart from the rest of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Apart {
    /// Their folder.
    folder: String,
    /// The interpreters that may be run without looking for one.
    interpreters: Vec<String>,
    /// The digest of all that is left, and that matters.
    pub(super) rest: String,
}

/// What matters of an image for a program in it that is started by name: the files, and what they are started with. The
/// default command, labels and dates do not.
#[derive(Serialize)]
struct Rest<'a> {
    platform: [&'a str; 2],
    layers: &'a [String],
    user: &'a str,
    env: &'a [String],
    workdir: &'a str,
    entrypoint: &'a [String],
    shell: &'a [String],
    volumes: &'a [String],
}

impl Apart {
    /// The sources of `image`, which was built from `dockerfile`, in `folder`; `names` are those at the top of them. `None`
    /// where they may have a part in the proof.
    pub(super) fn of(image: &Image, dockerfile: &str, folder: &str, names: &[String]) -> Option<Self> {
        let config = &image.content.config;
        let apart = copied_last(dockerfile, folder)
            && image.layers.first().is_some_and(|layer| is_copy(&layer.created_by, folder))
            && is_place_of_its_own(folder)
            && config.env.iter().any(|variable| variable.starts_with("HOME="))
            && config.env.iter().all(|variable| leads_elsewhere(variable, folder, names));
        let (_, layers) = image.content.layers.split_last().filter(|_| apart)?;
        let rest = Rest {
            platform: [&image.content.os, &image.content.architecture],
            layers,
            user: &config.user,
            env: &config.env,
            workdir: &config.workdir,
            entrypoint: &config.entrypoint,
            shell: &config.shell,
            volumes: &config.volumes,
        };
        let text = serde_json::to_vec(&rest).ok()?;
        let prefixes = ["VIRTUAL_ENV=", "CONDA_PREFIX="].into_iter();
        let prefixes = prefixes.filter_map(|name| config.env.iter().find_map(|variable| variable.strip_prefix(name)));
        let interpreters = prefixes.map(|prefix| format!("{prefix}/bin/python")).collect();
        Some(Self { folder: folder.to_owned(), interpreters, rest: sha256_hex([text.as_slice()]) })
    }

    /// Whether `image`, of which `proof` speaks, itself says that nothing in it leads to the sources. No answer is a no.
    pub(super) async fn confirmed<E: Engine>(&self, engine: &E, image: &str, proof: &Verification) -> bool {
        let executable = &proof.environment().executable;
        if !self.is_named(executable) {
            return false;
        }
        let request = RunRequest {
            image: image.to_owned(),
            entrypoint: vec![executable.clone()],
            args: vec!["-c".to_owned(), REACH.to_owned(), self.folder.clone()],
            memory: MEMORY,
            pids: 64,
            timeout: TIME,
            ..RunRequest::default()
        };
        engine.run(&request).await.is_ok_and(|output| output.exit_code == Some(0) && output.stdout == "[]\n")
    }

    /// Whether `executable` is the interpreter that the image's own variables name. Otherwise one was looked for, in the
    /// sources too.
    fn is_named(&self, executable: &str) -> bool {
        self.interpreters.iter().any(|interpreter| interpreter == executable)
    }
}

/// Whether the last step of `dockerfile` that can make a layer copies to `folder`.
fn copied_last(dockerfile: &str, folder: &str) -> bool {
    let Ok(parsed) = parse_dockerfile::parse(dockerfile) else { return false };
    let last = parsed.instructions.iter().rev().find(|instruction| !only_configures(instruction));
    let Some(Instruction::Copy(copy)) = last else { return false };
    copy.dest.value == folder && copy.src.iter().all(|source| matches!(source, Source::Path(_)))
}

fn only_configures(instruction: &Instruction<'_>) -> bool {
    matches!(
        instruction,
        Instruction::Arg(_)
            | Instruction::Cmd(_)
            | Instruction::Entrypoint(_)
            | Instruction::Env(_)
            | Instruction::Expose(_)
            | Instruction::Healthcheck(_)
            | Instruction::Label(_)
            | Instruction::Maintainer(_)
            | Instruction::Shell(_)
            | Instruction::Stopsignal(_)
            | Instruction::User(_)
            | Instruction::Volume(_)
    )
}

/// Whether the engine recorded, for the newest step that left files, a copy to `folder`. A copy of nothing makes no layer with
/// some builders, and the newest layer is then another's.
fn is_copy(created_by: &str, folder: &str) -> bool {
    let step = created_by.trim_end();
    let buildkit = step.strip_suffix(" # buildkit").and_then(|step| step.strip_prefix("COPY "));
    let classic = step.strip_prefix("/bin/sh -c #(nop) COPY ");
    buildkit.is_some_and(|step| step.ends_with(&format!(" {folder}")))
        || classic.is_some_and(|step| step.ends_with(&format!(" in {folder}")))
}

/// Whether a folder is none that programs look into by themselves, nor one above it.
fn is_place_of_its_own(folder: &str) -> bool {
    let first = folder.split('/').nth(1).unwrap_or_default();
    is_plain(folder) && !first.is_empty() && !SYSTEM.contains(&first)
}

/// Whether a variable of the environment leads nowhere into `folder`. What is not an absolute path may be one from the folder
/// that the program starts in, which is this one; so a word must be none of the `names` in it, nor the beginning of one.
fn leads_elsewhere(variable: &str, folder: &str, names: &[String]) -> bool {
    let Some((name, value)) = variable.split_once('=') else { return false };
    let apart = |path: &str| is_plain(path) && !is_within(path, folder) && !is_within(folder, path);
    if WORDS.contains(&name) {
        return !value.contains('/');
    }
    if name == "LD_PRELOAD" {
        // A library without a `/` is looked for where libraries are (ld.so(8)).
        let is_name = |library: &str| !library.is_empty() && !library.contains('/');
        return value.split([':', ' ']).all(|library| is_name(library) || apart(library));
    }
    let is_switch = is_number(value) || ["true", "false", "on", "off"].contains(&&*value.to_ascii_lowercase());
    let is_place = PLACES.iter().any(|word| name.to_ascii_uppercase().contains(word));
    let is_other_word = is_word(value) && !names.iter().any(|name| name.starts_with(value));
    ((is_switch || is_other_word) && !is_place) || value.split(':').all(apart)
}

/// Whether `path` is `folder` or lies in it; both are plain.
fn is_within(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder.trim_end_matches('/')).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether it is an absolute path that says by itself where it leads.
fn is_plain(path: &str) -> bool {
    let unusual = |c: char| c.is_whitespace() || c.is_control() || "$~\\,;'\"*?".contains(c);
    path.starts_with('/')
        && !path.contains(unusual)
        && path[1..].trim_end_matches('/').split('/').all(|part| !["", ".", ".."].contains(&part))
}

/// Whether it is a single name, which can be that of a file but leads nowhere else.
fn is_word(value: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-+.".contains(&byte);
    value.starts_with(|c: char| c.is_ascii_alphanumeric()) && value.bytes().all(plain)
}

fn is_number(value: &str) -> bool {
    value.starts_with(|c: char| c.is_ascii_digit()) && value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::{Content, Layer, RuntimeConfig};

    const DOCKERFILE: &str = "ARG BASE\nFROM ${BASE}\nRUN apt-get install g++\nCOPY [\"requirements.txt\", \"/app/\"]\n\
        RUN pip install \\\n  -r requirements.txt\nCOPY --chown=app:app . /app\nENV A=1\nARG BASE\nLABEL a=\"${BASE}\" \\\n  \
        b=\"c\"\nEXPOSE 80\nHEALTHCHECK CMD [\"true\"]\nUSER app\nCMD [\"python\"]\n";

    const ENV: [&str; 8] = [
        "PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin",
        "VIRTUAL_ENV=/opt/venv",
        "HOME=/home/app",
        "USER=app",
        "LOGNAME=app",
        "PYTHONUNBUFFERED=1",
        "TORCHINDUCTOR_CACHE_DIR=/var/cache/torchinductor",
        "LD_PRELOAD=libsleef.so.3",
    ];

    fn image() -> Image {
        let layer = |size, step: &str| Layer { size, created_by: step.to_owned() };
        let config = RuntimeConfig {
            env: ENV.map(str::to_owned).to_vec(),
            user: "app".to_owned(),
            workdir: "/app".to_owned(),
            ..RuntimeConfig::default()
        };
        Image {
            id: "sha256:1".to_owned(),
            tags: Vec::new(),
            size: 1,
            user: "app".to_owned(),
            architecture: "amd64".to_owned(),
            layers: vec![layer(643, "COPY . /app # buildkit"), layer(10, "RUN /bin/sh -c pip install # buildkit")],
            content: Content {
                architecture: "amd64".to_owned(),
                config,
                layers: ["sha256:base", "sha256:packages", "sha256:sources"].map(str::to_owned).to_vec(),
                os: "linux".to_owned(),
            },
            labels: BTreeMap::new(),
        }
    }

    type Change = fn(&mut Image);

    fn names() -> Vec<String> {
        ["cache", "train.py", "staging.toml"].map(str::to_owned).to_vec()
    }

    fn rest(change: impl FnOnce(&mut Image)) -> Option<String> {
        let mut image = image();
        change(&mut image);
        Apart::of(&image, DOCKERFILE, "/app", &names()).map(|apart| apart.rest)
    }

    #[test]
    fn the_sources_layer_does_not_matter_and_neither_do_labels_and_command() {
        let same = rest(|_| ());
        assert!(same.is_some());
        assert_eq!(rest(|image| image.content.layers[2] = "sha256:edited".to_owned()), same);
        assert_eq!(rest(|image| image.content.config.cmd = vec!["bash".to_owned()]), same);
        assert_eq!(rest(|image| drop(image.labels.insert("a".to_owned(), "b".to_owned()))), same);
        assert_eq!(rest(|image| image.id = "sha256:2".to_owned()), same);
    }

    #[test]
    fn everything_else_matters() {
        let same = rest(|_| ());
        let changes: [(&str, Change); 8] = [
            ("a layer", |image| image.content.layers[1] = "sha256:other".to_owned()),
            ("a layer more", |image| image.content.layers.insert(1, "sha256:other".to_owned())),
            ("a variable", |image| image.content.config.env.push("OMP_NUM_THREADS=2".to_owned())),
            ("the user", |image| image.content.config.user = "root".to_owned()),
            ("the folder", |image| image.content.config.workdir = "/".to_owned()),
            ("the entry point", |image| image.content.config.entrypoint = vec!["/entry".to_owned()]),
            ("the volumes", |image| image.content.config.volumes = vec!["/var/cache".to_owned()]),
            ("the architecture", |image| image.content.architecture = "arm64".to_owned()),
        ];
        for (what, change) in changes {
            let other = rest(change);
            assert!(other.is_some() && other != same, "{what}: {other:?}");
        }
    }

    #[test]
    fn sources_that_something_is_made_of_matter() {
        for (what, dockerfile) in [
            ("a step after them", DOCKERFILE.replace("USER app", "RUN pip install .")),
            ("a folder after them", DOCKERFILE.replace("USER app", "WORKDIR /app/more")),
            ("more files after them", DOCKERFILE.replace("USER app", "COPY x /usr/lib/x")),
            ("another folder", DOCKERFILE.replace(". /app", ". /app/src")),
            ("a step among them", DOCKERFILE.replace("COPY --chown=app:app . /app", "RUN true")),
            ("text of the Dockerfile", DOCKERFILE.replace(". /app\n", "<<X /app\nx\nX\n")),
            ("no Dockerfile", "FRO x".to_owned()),
        ] {
            assert_ne!(dockerfile, DOCKERFILE, "{what}");
            assert_eq!(Apart::of(&image(), &dockerfile, "/app", &names()), None, "{what}");
        }
    }

    #[test]
    fn the_newest_layer_is_the_sources_or_they_matter() {
        let with = |step: &str| rest(|image| image.layers[0].created_by = step.to_owned()).is_some();
        assert!(with("/bin/sh -c #(nop) COPY --chown=app:appdir:3e32 in /app "), "the classic builder");
        assert!(with("COPY --chown=app:app . /app # buildkit"), "a newer BuildKit");
        for step in [
            "COPY requirements.txt /app/ # buildkit",
            "RUN /bin/sh -c pip install # buildkit",
            "RUN /bin/sh -c COPY . /app # buildkit",
            "/bin/sh -c COPY . /app",
            "/bin/sh -c #(nop) COPY file:3e32 in /app/",
            "/bin/sh -c #(nop) ADD dir:3e32 in /app",
            "",
        ] {
            assert!(!with(step), "{step}");
        }
        assert_eq!(rest(|image| image.layers.clear()), None);
        assert_eq!(rest(|image| image.content.layers.clear()), None);
    }

    #[test]
    fn a_folder_that_programs_look_into_matters() {
        for folder in ["/app", "/srv/app", "/workspace", "/home/app/x", "/mnt/code"] {
            assert!(is_place_of_its_own(folder), "{folder}");
        }
        for folder in ["/", "/opt/venv", "/usr/src/app", "/etc", "/tmp/x", "app", "", "/app/../etc", "/a b", "/$HOME"] {
            assert!(!is_place_of_its_own(folder), "{folder}");
        }
        // A place of its own, but not beside the home folder.
        let in_home = DOCKERFILE.replace(". /app", ". /home/app");
        let mut image = image();
        image.layers[0].created_by = "COPY . /home/app # buildkit".to_owned();
        assert_eq!(Apart::of(&image, &in_home, "/home/app", &names()), None);
    }

    #[test]
    fn an_environment_that_leads_into_the_sources_makes_them_matter() {
        let with = |variable: &str| rest(|image| image.content.config.env.push(variable.to_owned())).is_some();
        for variable in [
            "A=/data:/models",
            "OMP_NUM_THREADS=4",
            "DEBUG=true",
            "LANG=C.UTF-8",
            "PYTHONPATH=/opt/lib",
            "MODE=production",
        ] {
            assert!(with(variable), "{variable}");
        }
        for variable in [
            "PYTHONPATH=/app",
            "PYTHONPATH=/app/src:/opt/lib",
            "PYTHONPATH=/opt/lib:",
            "PYTHONPATH=src",
            "PYTHONPATH=/",
            "PYTHONPATH=/opt/../app",
            "PYTHONPATH=//app",
            "PYTHONPATH=",
            "TORCHINDUCTOR_CACHE_DIR=cache",
            "TORCHINDUCTOR_CACHE_DIR=1",
            "TORCHINDUCTOR_CACHE_DIR=/app/cache",
            "LD_LIBRARY_PATH=/usr/lib:",
            "LD_PRELOAD=./libx.so",
            "LD_PRELOAD=",
            "CXXFLAGS=-I/app/include",
            "MODE=staging",
            "MODE=a/b",
            "MODE=.",
            "MODE=a:b",
            "PYTHONPATH=other",
            "USER=/app",
            "broken",
        ] {
            assert!(!with(variable), "{variable}");
        }
        let without_home = rest(|image| image.content.config.env.retain(|variable| !variable.starts_with("HOME=")));
        assert_eq!(without_home, None, "the home folder is where the password file says");
    }

    #[test]
    fn an_interpreter_that_was_looked_for_may_be_one_of_the_sources() {
        let apart = Apart::of(&image(), DOCKERFILE, "/app", &names()).unwrap();
        assert!(apart.is_named("/opt/venv/bin/python"));
        for other in ["/usr/bin/python3", "/app/.venv/bin/python", "", "python"] {
            assert!(!apart.is_named(other), "{other}");
        }
    }
}
