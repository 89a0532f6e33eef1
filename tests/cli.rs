//! The program as its users meet it: exit code, standard output and standard error together.
//!
//! What needs an engine gets a recording of one (`DOCKER_HOST=script:///…`); nothing here needs a real one.

mod reports;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use insta::assert_snapshot;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A home without configuration, a project, and no engine.
pub(crate) struct Desk {
    folder: TempDir,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let desk = Self { folder: tempfile::tempdir().unwrap() };
        desk.write("project/requirements.txt", "torch>=2.5\nnumpy\n");
        desk
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sconce"));
        command.args(args).current_dir(self.folder.path()).env_clear().stdin(Stdio::null());
        command.env("HOME", self.path("home")).env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("DOCKER_HOST", format!("unix://{}", self.path("no-engine.sock").display()));
        command
    }

    /// Runs the program and tells all that came of it.
    pub(crate) fn run(&self, args: &[&str]) -> String {
        self.told(&self.command(args).output().unwrap())
    }

    /// Runs the program on an engine that does as `recording` says.
    pub(crate) fn run_with(&self, recording: &Value, args: &[&str]) -> String {
        self.told(&self.with(recording, args).output().unwrap())
    }

    pub(crate) fn with(&self, recording: &Value, args: &[&str]) -> Command {
        let path = self.write("engine.json", &recording.to_string());
        let mut command = self.command(args);
        command.env("DOCKER_HOST", format!("script://{}", path.display()));
        command
    }

    pub(crate) fn told(&self, output: &Output) -> String {
        let text = |bytes: &[u8]| {
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            text.replace(self.folder.path().to_str().unwrap(), "[DESK]")
        };
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        format!("exit code {}\n--- stdout\n{out}--- stderr\n{err}", output.status.code().unwrap())
    }
}

/// What changes from run to run.
pub(crate) fn steady() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"\b\d+\.\ds\b", "[TIME]");
    settings
}

#[test]
fn no_arguments() {
    assert_snapshot!(Desk::new().run(&[]));
}

#[test]
fn help_of_every_command() {
    let desk = Desk::new();
    assert_snapshot!("help", desk.run(&["--help"]));
    for command in [
        "inspect",
        "render",
        "build",
        "verify",
        "explain",
        "doctor",
        "reproduce",
        "diff",
        "images",
        "templates",
        "completions",
        "man",
    ] {
        assert_snapshot!(format!("help_{command}"), desk.run(&[command, "--help"]));
    }
    assert_snapshot!("help_images_check", desk.run(&["images", "check", "--help"]));
    assert_snapshot!("help_images_bootstrap", desk.run(&["images", "bootstrap", "--help"]));
    assert_snapshot!("help_templates_export", desk.run(&["templates", "export", "--help"]));
}

#[test]
fn an_unknown_flag() {
    assert_snapshot!(Desk::new().run(&["build", "--varaint", "cpu"]));
}

#[test]
fn an_unknown_flag_as_json() {
    assert_snapshot!(Desk::new().run(&["build", "--json", "--varaint", "cpu"]));
}

#[test]
fn a_bad_tag() {
    let desk = Desk::new();
    assert_snapshot!(desk.run(&["build", "project", "--tag", "Team/App"]));
    assert_snapshot!("a_bad_tag_as_json", desk.run(&["build", "project", "--json", "--tag", "app\n;rm -rf /"]));
}

#[test]
fn a_missing_project() {
    assert_snapshot!(Desk::new().run(&["inspect", "nowhere"]));
}

#[test]
fn a_project_s_facts() {
    assert_snapshot!(Desk::new().run(&["inspect", "project"]));
}

#[test]
fn a_value_that_means_nothing_names_where_it_came_from() {
    let desk = Desk::new();
    assert_snapshot!("value_flag", desk.run(&["build", "project", "--tag", "app", "--memory", "lots"]));
    let mut command = desk.command(&["build", "project", "--tag", "app"]);
    assert_snapshot!("value_environment", desk.told(&command.env("SCONCE_PYTHON", "latest").output().unwrap()));
    desk.write("project/sconce.toml", "# limits\ntimeout = \"soon\"\n");
    assert_snapshot!("value_file", desk.run(&["build", "project", "--tag", "app"]));
}

#[test]
fn an_unknown_key_of_the_configuration() {
    let desk = Desk::new();
    desk.write(
        "project/pyproject.toml",
        "[project]\nname = \"x\"\nversion = \"1\"\n\n[tool.sconce]\nvairant = \"cpu\"\n",
    );
    assert_snapshot!(desk.run(&["inspect", "project"]));
}

/// The Dockerfile of the desk's project.
fn dockerfile(desk: &Desk, args: &[&str]) -> String {
    let output = desk.command(&[&["render", "project"], args].concat()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_dockerfile_is_the_same_every_time() {
    let desk = Desk::new();
    let first = dockerfile(&desk, &[]);
    assert!(first.starts_with("# An image for project ") && first.contains("\nUSER app\n"), "{first}");
    assert_eq!(dockerfile(&desk, &[]), first);
    let told = desk.run(&["render", "project", "--devcontainer", "--quiet"]);
    assert!(told.starts_with("exit code 0\n"), "{told}");
    assert_eq!(fs::read_to_string(desk.path("project/.devcontainer/Dockerfile")).unwrap(), first);
    assert!(desk.path("project/.devcontainer/devcontainer.json").exists());
    // Files of ours say nothing of the project.
    assert_eq!(dockerfile(&desk, &[]), first);
    assert_snapshot!("a_devcontainer_that_is_there", desk.run(&["render", "project", "--devcontainer"]));
    assert!(desk.run(&["render", "project", "--devcontainer", "--force"]).starts_with("exit code 0\n"));
}

#[test]
fn how_containers_run_stands_in_flags_and_in_files() {
    let desk = Desk::new();
    desk.write(
        "project/sconce.toml",
        "user = '1234:0'\nworkdir = '/srv/x'\ncmd = 'serve --port 80'\nentrypoint = ['tini', '--']\nports = [80, '53/udp']\n\
         healthcheck = 'true'\n[labels]\n'a.b' = 'file'\n'c.d' = 'e'\n",
    );
    let from_file = dockerfile(&desk, &[]);
    for line in [
        "EXPOSE 53/udp 80/tcp",
        "HEALTHCHECK CMD [\"sh\", \"-c\", \"true\"]",
        "USER 1234:0",
        "WORKDIR /srv/x",
        "ENTRYPOINT [\"tini\", \"--\"]",
        "CMD [\"serve\", \"--port\", \"80\"]",
        "LABEL org.opencontainers.image.base.name=\"${BASE}\" \\\n      a.b=\"file\" \\\n      c.d=\"e\" \\",
    ] {
        assert!(from_file.contains(&format!("\n{line}\n")), "{line} is missing in\n{from_file}");
    }
    let flags = ["--user", "me", "--cmd", "python -m 'a b'", "--label", "a.b=flag", "--expose", "81"];
    let from_flags = dockerfile(&desk, &flags);
    for line in ["USER me", "CMD [\"python\", \"-m\", \"a b\"]", "EXPOSE 81/tcp", "      c.d=\"e\" \\"] {
        assert!(from_flags.contains(&format!("\n{line}\n")), "{line} is missing in\n{from_flags}");
    }
    assert!(from_flags.contains("a.b=\"flag\" "), "{from_flags}");
    assert_snapshot!("a_label_with_a_newline", desk.run(&["render", "project", "--label", "a.b=one\ntwo"]));
    assert_snapshot!("a_command_in_open_quotes", desk.run(&["render", "project", "--cmd", "python 'x"]));
}

#[test]
fn templates_are_exported_changed_and_used() {
    let desk = Desk::new();
    assert_snapshot!("templates_exported", desk.run(&["templates", "export", "project/docker"]));
    assert_snapshot!("templates_that_are_there", desk.run(&["templates", "export", "project/docker"]));
    desk.write("project/sconce.toml", "templates = 'docker'\n");
    let built_in = dockerfile(&Desk::new(), &[]);
    assert_eq!(dockerfile(&desk, &[]), built_in);
    fs::remove_dir_all(desk.path("project/docker")).unwrap();
    assert_snapshot!("templates_that_are_missing", desk.run(&["render", "project"]));
    let text =
        "{% extends 'sconce/Dockerfile.tera' %}\n{% block run %}\nRUN id {% if builder %}x{% endif %}{% endblock %}";
    desk.write("project/docker/Dockerfile.tera", text);
    assert_snapshot!("a_misspelt_name_in_a_condition", desk.run(&["render", "project"]));
    desk.write("project/docker/Dockerfile.tera", &text.replace("builder", "buildkit"));
    assert!(dockerfile(&desk, &[]).contains("\nRUN id x\n"));
}

/// What cannot run there cannot be proven there.
#[test]
fn a_platform_that_the_engine_is_not() {
    let engine = building(&json!("hang"), &[]);
    let args = [&BUILD[..], &["--platform", "linux/arm64"]].concat();
    assert_snapshot!(Desk::new().run_with(&engine, &args));
}

#[test]
fn the_user_s_configuration_is_read() {
    let desk = Desk::new();
    desk.write("home/.config/sconce/config.toml", "memory = \"1\"\n");
    assert_snapshot!(desk.run(&["verify", "app"]));
}

/// A variable that is set to nothing is as good as none.
#[test]
fn an_empty_variable_says_nothing() {
    let desk = Desk::new();
    let mut command = desk.command(&["verify", "app"]);
    let told = desk.told(&command.env("SCONCE_MEMORY", "").env("SCONCE_TIMEOUT", "").output().unwrap());
    assert!(told.starts_with("exit code 75\n"), "{told}");
}

#[test]
fn no_engine() {
    let desk = Desk::new();
    assert_snapshot!(desk.run(&["verify", "app"]));
    assert_snapshot!("no_engine_as_json", desk.run(&["verify", "--json", "app"]));
}

#[test]
fn completions_for_every_shell() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = desk.command(&["completions", shell]).output().unwrap();
        assert!(output.status.success());
        let script = String::from_utf8(output.stdout).unwrap();
        assert!(script.contains("sconce") && script.contains("torch-source"), "{shell}: {script}");
    }
}

#[test]
fn the_manual() {
    let desk = Desk::new();
    let page = desk.run(&["man"]);
    assert!(page.starts_with("exit code 0\n") && page.contains(".TH sconce 1"), "{page}");
    let told = desk.run(&["man", "pages"]);
    assert_snapshot!(told);
    for page in ["sconce.1", "sconce-build.1", "sconce-images-bootstrap.1"] {
        assert!(fs::read_to_string(desk.path("pages").join(page)).unwrap().contains(".SH SYNOPSIS"), "{page}");
    }
}

/// A reader that goes away (`sconce … | head -1`) is no failure.
#[test]
fn a_closed_pipe_is_no_failure() {
    let desk = Desk::new();
    for args in [&["man"][..], &["completions", "bash"], &["images"], &["inspect", "project", "--json"]] {
        let mut child = desk.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && err.is_empty(), "{args:?}: {err}");
    }
}

/// A line of a log that no known failure writes.
pub(crate) const UNKNOWN: &str = "the frobnicator is out of tune";

pub(crate) fn recording(images: &[Value], runs: &[Value]) -> Value {
    let info = json!({
        "name": "Docker", "version": "20.10.24", "api": "1.41", "buildkit": true, "architecture": "amd64",
        "endpoint": "unix:///var/run/docker.sock", "cpus": 2, "memory": 8_000_000_000_u64
    });
    json!({"info": info, "images": images, "runs": runs})
}

pub(crate) fn image(tag: &str, digit: &str) -> Value {
    let layers = json!([{"size": 350_000_000, "created_by": "RUN apt-get install g++ # buildkit"}]);
    json!({
        "id": format!("sha256:{}", digit.repeat(64)), "tags": [tag], "size": 490_000_000, "user": "app",
        "architecture": "amd64", "layers": layers
    })
}

/// What the smoke test writes in the image of [`image`] whose letter is `letter`: every check passes, but the one named.
pub(crate) fn proof_of(letter: &str, failing: Option<(&str, &str)>) -> Value {
    // The ids are the keys of the smoke test's own table; no GPU and no check of the user's own is asked for.
    let (_, titles) = sconce::verify::SMOKE_TEST.split_once("\nTITLES = {\n").unwrap();
    let (titles, _) = titles.split_once("\n}").unwrap();
    let checks = titles.lines().map(|line| line.split('"').nth(1).unwrap());
    let checks = checks.filter(|id| !id.starts_with("gpu") && *id != "smoke");
    let check = |id: &str| match failing {
        Some((failed, error)) if failed == id => json!({
            "id": id, "title": format!("the {id} is right"), "outcome": "fail", "evidence": "it is not", "error": error,
            "seconds": 1.5
        }),
        _ => json!({"id": id, "title": format!("the {id} is right"), "outcome": "pass", "evidence": "as it should be"}),
    };
    let environment = json!({
        "executable": "/opt/venv/bin/python", "python": "3.13.5", "torch": "2.15.0+cpu", "variant": "cpu",
        "user": "1000:1000 (app)", "cpu": "AMD EPYC 9R14", "cpus": 2, "libc": "glibc 2.41"
    });
    let document = json!({
        "schema": 2, "image": image("x", letter)["id"], "checks": checks.map(check).collect::<Vec<_>>(),
        "environment": environment
    });
    json!({"ok": {
        "exit_code": 0, "timed_out": false, "out_of_memory": false, "stdout": document.to_string(), "stderr": "",
        "milliseconds": 20_000
    }})
}

pub(crate) fn proof(failing: Option<(&str, &str)>) -> Value {
    proof_of("a", failing)
}

#[test]
fn the_bases_and_what_the_engine_has_of_them() {
    let desk = Desk::new();
    assert_snapshot!("images_without_an_engine", desk.run(&["images"]));
    let engine = recording(&[image("debian:trixie-slim", "1")], &[]);
    assert_snapshot!("images", desk.run_with(&engine, &["images", "list"]));
    assert_snapshot!("images_as_json", desk.run_with(&engine, &["images", "--json"]));
}

#[test]
fn the_bases_hold() {
    assert_snapshot!(Desk::new().run(&["images", "check"]));
}

#[test]
fn an_unknown_base() {
    assert_snapshot!(Desk::new().run_with(&recording(&[], &[]), &["images", "bootstrap", "debian-1"]));
}

#[test]
fn a_proven_image() {
    let engine = recording(&[image("team/app:1.4", "a")], &[proof(None)]);
    steady().bind(|| assert_snapshot!(Desk::new().run_with(&engine, &["verify", "team/app:1.4"])));
}

#[test]
fn an_image_that_is_not_there() {
    assert_snapshot!(Desk::new().run_with(&recording(&[], &[]), &["verify", "team/app:1.4"]));
}

#[test]
fn an_unproven_image() {
    let engine = recording(&[image("team/app:1.4", "a")], &[proof(Some(("headers", UNKNOWN)))]);
    let desk = Desk::new();
    steady().bind(|| assert_snapshot!(desk.run_with(&engine, &["verify", "team/app:1.4", "--quiet"])));
    let output = desk.with(&engine, &["verify", "--json", "team/app:1.4"]).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &report["ok"], &report["schema"]), (Some(1), &json!(false), &json!(2)));
}

/// An engine with a base that builds as `answer` says, under a tag that names another image.
pub(crate) fn building(answer: &Value, runs: &[Value]) -> Value {
    let events = json!([
        {"event": "step", "id": "a", "name": "[internal] load .dockerignore"},
        {"event": "done", "id": "a", "cached": false, "error": null},
        {"event": "step", "id": "b", "name": "[stage-0 1/2] FROM debian:trixie-slim"},
        {"event": "done", "id": "b", "cached": true, "error": null},
        {"event": "step", "id": "c", "name": "[stage-0 2/2] RUN --mount=type=cache,target=/x apt-get install g++"},
        {"event": "log", "id": "c", "line": "Setting up \u{1b}[1mg++\u{1b}[0m\r\n"},
        {"event": "done", "id": "c", "cached": false, "error": null}
    ]);
    let mut engine = recording(&[image("debian:trixie-slim", "1"), image("app:latest", "2")], runs);
    engine["builds"] = json!([{"events": events, "answer": answer, "image": image("", "b")}]);
    engine
}

const BUILD: [&str; 6] = ["build", "project", "--torch-source", "distribution", "--tag", "app"];

#[test]
fn a_build_that_is_proven() {
    let built =
        json!({"ok": {"name": "built", "id": format!("sha256:{}", "b".repeat(64)), "cached_steps": 1, "steps": 2}});
    let engine = building(&built, &[proof_of("b", None)]);
    steady().bind(|| assert_snapshot!(Desk::new().run_with(&engine, &BUILD)));
}

/// Whatever goes wrong after the proof: the tag stays, and both temporary tags go, with what is behind them.
#[test]
fn a_proven_image_that_cannot_be_labelled_or_tagged_leaves_the_tag() {
    let built =
        json!({"ok": {"name": "built", "id": format!("sha256:{}", "b".repeat(64)), "cached_steps": 1, "steps": 2}});
    for call in ["label", "tag"] {
        let mut engine = building(&built, &[proof_of("b", None)]);
        engine["faults"] = json!([{"call": call, "answer": {"error": {"kind": "try_again", "message": "no room"}}}]);
        engine["journal"] = json!("calls.log");
        let desk = Desk::new();
        let told = desk.run_with(&engine, &BUILD);
        assert!(told.starts_with("exit code 75\n") && told.contains("no room"), "{told}");
        let calls = fs::read_to_string(desk.path("calls.log")).unwrap();
        let calls: Vec<Vec<&str>> = calls.lines().map(|line| line.split(' ').collect()).collect();
        let moved = calls.iter().filter(|words| words[0] == "tag").count();
        assert_eq!(moved, usize::from(call == "tag"), "{calls:?}");
        let [.., proven, unproven] = calls.as_slice() else { panic!("{calls:?}") };
        for (words, repository) in [(proven, "localhost/sconce-proven:"), (unproven, "localhost/sconce-unproven:")] {
            assert!(words[0] == "untag" && words[1].starts_with(repository) && words[2] == "prune", "{words:?}");
        }
    }
}

#[test]
fn a_build_that_fails() {
    let failed = json!({"ok": {
        "name": "failed", "step": "[2/2] RUN apt-get install g++", "message": "exit code: 100",
        "log": ["fetching", UNKNOWN]
    }});
    let engine = building(&failed, &[]);
    steady().bind(|| assert_snapshot!(Desk::new().run_with(&engine, &BUILD)));
}

#[test]
fn a_build_that_is_not_proven_leaves_the_tag() {
    let built =
        json!({"ok": {"name": "built", "id": format!("sha256:{}", "b".repeat(64)), "cached_steps": 1, "steps": 2}});
    let engine = building(&built, &[proof_of("b", Some(("headers", UNKNOWN)))]);
    steady().bind(|| assert_snapshot!(Desk::new().run_with(&engine, &BUILD)));
}

/// The first signal stops the engine's work; the program ends by itself, with the exit code of an interrupt.
#[test]
fn a_signal_stops_the_work() {
    let desk = Desk::new();
    let engine = recording(&[image("team/app:1.4", "a")], &[json!("hang")]);
    let mut child = desk.with(&engine, &["verify", "team/app:1.4"]).stderr(Stdio::piped()).spawn().unwrap();
    let mut err = std::io::BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut err, &mut line).unwrap();
    // Whatever it said: a test that ended here would leave it running.
    interrupt(&child);
    assert!(line.starts_with("verifying team/app:1.4"), "{line}");
    line.clear();
    std::io::Read::read_to_string(&mut err, &mut line).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_snapshot!(line);
}

pub(crate) fn interrupt(child: &std::process::Child) {
    let pid = nix::unistd::Pid::from_raw(child.id().try_into().unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).unwrap();
}

/// The schema is described for those who read the documents.
#[test]
fn every_part_of_the_documents_is_described() {
    let described = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/json.md")).unwrap();
    let report = serde_json::to_value(crate::samples::built()).unwrap();
    let outcome = report["outcome"].as_object().unwrap();
    for key in report.as_object().unwrap().keys().chain(outcome.keys()) {
        assert!(described.contains(&format!("`{key}`")), "docs/json.md does not describe `{key}`");
    }
}
