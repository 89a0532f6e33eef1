//! The main job on the real engine, through the binary, as a user runs it.
//!
//! Debian's own torch keeps the images small; `make demo` is the same job with torch from the package index.

mod attestation;
mod edits;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::support::index::PrivateIndex;

/// The tag of the good image. It stays: with it, the next run of the tests finds its layers.
const GOOD: &str = "localhost/sconce-test-job:good";

fn project(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/projects").join(name)
}

fn sconce() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sconce"));
    command.env("NO_COLOR", "1").stdin(Stdio::null());
    // Proofs of earlier runs of the tests do not count.
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cache-{}", std::process::id()));
    command.env("XDG_CACHE_HOME", cache);
    command.envs(trust_store().map(|store| ("SCONCE_CA_BUNDLE", store)));
    command
}

/// The builds reach the package index as this machine does: with its own trust store.
fn trust_store() -> Option<PathBuf> {
    let store = PathBuf::from("/etc/ssl/certs/ca-certificates.crt");
    std::env::var_os("SCONCE_CA_BUNDLE").map(PathBuf::from).or_else(|| store.exists().then_some(store))
}

/// A build of the project whose torch is Debian's, into `tag`.
fn build(tag: &str, more: &[&str]) -> Command {
    let mut command = sconce();
    command.args(["build", "--json", "--torch-source", "distribution", "--tag", tag]).args(more);
    command.arg(project("debian-torch"));
    command
}

fn output(command: &mut Command) -> Output {
    command.output().expect("the binary starts")
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        panic!("no report: {error}\n--- stdout\n{out}\n--- stderr\n{err}")
    })
}

fn docker(args: &[&str]) -> String {
    let output = Command::new("docker").args(args).output().expect("the docker client is there");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn id_of(reference: &str) -> String {
    docker(&["image", "inspect", "--format", "{{.Id}}", reference])
}

/// Of `lines`, those that name the run whose process id is `pid`: other tests have runs of their own at the same time.
fn of_run(lines: &str, pid: u32) -> String {
    let names_it = |line: &&str| line.split('.').any(|part| part == pid.to_string());
    lines.lines().filter(names_it).collect()
}

/// The containers of the run whose process id was `pid`.
fn containers(pid: u32) -> String {
    of_run(&docker(&["ps", "-a", "--format", "{{.ID}} {{.Label \"dev.sconce.owner\"}}"]), pid)
}

/// The unproven tags of the run whose process id was `pid`.
fn unproven_tags(pid: u32) -> String {
    of_run(&docker(&["image", "ls", "--format", "{{.Tag}}", "localhost/sconce-unproven"]), pid)
}

/// The good image, built once for all tests here; its report.
fn good() -> &'static Value {
    static REPORT: OnceLock<Value> = OnceLock::new();
    REPORT.get_or_init(|| {
        let output = output(&mut build(GOOD, &[]));
        let report = report(&output);
        assert_eq!(output.status.code(), Some(0), "{report:#}\n{}", String::from_utf8_lossy(&output.stderr));
        report
    })
}

fn check<'a>(verification: &'a Value, id: &str) -> &'a Value {
    let checks = verification["trials"][0]["checks"].as_array().expect("checks");
    checks.iter().find(|check| check["id"] == id).unwrap_or_else(|| panic!("no check `{id}` in {verification:#}"))
}

#[test]
fn a_project_becomes_a_proven_image() {
    let report = good();
    let outcome = &report["outcome"];
    assert_eq!(outcome["name"], "built");
    assert!(outcome["verification"]["recalled"].is_null(), "the proof is of this run");
    let compile = check(&outcome["verification"], "compile");
    assert_eq!(compile["outcome"], "pass");
    assert_eq!(id_of(GOOD), outcome["image"]["id"], "the tag names the proven image");
    assert_eq!(outcome["image"]["user"], "app");
}

#[test]
fn nothing_changed_means_nothing_is_built() {
    let first = good();
    let output = output(&mut build(GOOD, &[]));
    let again = report(&output);
    assert_eq!(output.status.code(), Some(0), "{again:#}");
    assert_eq!(again["outcome"]["image"]["id"], first["outcome"]["image"]["id"]);
    assert!(again["outcome"]["verification"]["recalled"]["at"].is_u64(), "the proof is remembered");
    let cached = again["outcome"]["built_by"]["cached_steps"].as_array().expect("two numbers");
    assert_eq!(cached[0], cached[1], "every step is answered by the cache");
}

#[test]
fn an_image_that_cannot_compile_leaves_the_tag_alone() {
    good();
    let tag = format!("localhost/sconce-test-tag:{}", std::process::id());
    docker(&["tag", GOOD, &tag]);
    let before = id_of(&tag);
    let output = output(&mut build(&tag, &["--run", "rm /usr/include/python3.13/Python.h"]));
    let report = report(&output);
    assert_eq!(output.status.code(), Some(1), "{report:#}");
    assert_eq!(report["outcome"]["name"], "unproven");
    assert_eq!(check(&report["outcome"]["verification"], "headers")["outcome"], "fail");
    let causes: Vec<&str> =
        report["diagnoses"].as_array().expect("diagnoses").iter().filter_map(|d| d["id"].as_str()).collect();
    assert!(causes.contains(&"PYTHON_H_MISSING"), "{causes:?}");
    assert_eq!(id_of(&tag), before, "the tag did not move");
    let kept = report["outcome"]["image"]["id"].as_str().expect("an id");
    assert_eq!(docker(&["image", "inspect", "--format", "{{.RepoTags}}", kept]), "[]", "kept, without a tag");
    docker(&["image", "rm", kept]);
    docker(&["image", "rm", &tag]);
}

#[test]
fn a_failed_step_is_reported_with_its_log_and_leaves_nothing() {
    good();
    let tag = format!("localhost/sconce-test-step:{}", std::process::id());
    let output = output(&mut build(&tag, &["--run", "echo this is the reason >&2; exit 7"]));
    let report = report(&output);
    assert_eq!(output.status.code(), Some(1), "{report:#}");
    assert_eq!(report["outcome"]["name"], "build_failed");
    let log = report["outcome"]["failure"]["log"].to_string();
    assert!(log.contains("this is the reason"), "{log}");
    assert_eq!(id_of(&tag), "", "no such tag");
}

/// A run that is stopped by `signal` while the step sleeps; its exit code.
fn stopped_while_building(tag: &str, signal: Signal) -> Option<i32> {
    // Its own words, so that no cache answers the step.
    let step = format!("echo sleeping for {tag}; sleep 600");
    let mut command = build(tag, &["--run", &step]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    let lines = BufReader::new(child.stderr.take().expect("its standard error")).lines();
    let (told, telling) = std::sync::mpsc::channel();
    let words = format!("| sleeping for {tag}");
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            if line.ends_with(&words) {
                let _ = told.send(());
            }
        }
    });
    telling.recv().expect("the step begins");
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a process id"));
    kill(pid, signal).expect("it runs");
    // The step sleeps for ten minutes: that this comes back at all shows that it was not waited for.
    let status = child.wait().expect("it ends");
    if signal != Signal::SIGKILL {
        assert_eq!(unproven_tags(child.id()), "", "a tag is left over");
        assert_eq!(containers(child.id()), "", "a container is left over");
    }
    status.code()
}

#[test]
fn an_interrupt_stops_the_build_and_leaves_nothing() {
    good();
    let tag = format!("localhost/sconce-test-interrupt:{}", std::process::id());
    assert_eq!(stopped_while_building(&tag, Signal::SIGINT), Some(130));
    assert_eq!(id_of(&tag), "", "no such tag");
}

#[test]
fn what_a_killed_run_leaves_is_swept_by_the_next() {
    good();
    // A proof that is killed midway leaves its container behind.
    let mut command = sconce();
    command.args(["verify", GOOD]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("the binary starts");
    while containers(child.id()).is_empty() {
        std::thread::sleep(Duration::from_millis(50));
    }
    kill(Pid::from_raw(i32::try_from(child.id()).expect("a process id")), Signal::SIGKILL).expect("it runs");
    let left = containers(child.id());
    assert!(!left.is_empty(), "a killed process removes nothing");
    child.wait().expect("it ends");
    // Any command that uses the engine for something sweeps first.
    let _ = output(sconce().args(["verify", "localhost/sconce-test-no-such-image"]));
    let id = left.split(' ').next().expect("an id");
    assert_eq!(docker(&["ps", "-aq", "--filter", &format!("id={id}")]), "");
}

#[test]
fn an_image_of_another_maker_is_verified() {
    good();
    // Not a tag of ours, not built by us: a container's file system, committed with the docker client.
    let tag = format!("localhost/sconce-test-foreign:{}", std::process::id());
    let container = docker(&["create", GOOD]);
    docker(&["commit", "--change", "USER root", &container, &tag]);
    docker(&["rm", &container]);
    let output = output(sconce().args(["verify", "--json", &tag]));
    let report = report(&output);
    assert_eq!(output.status.code(), Some(0), "{report:#}");
    assert_eq!(report["outcome"]["name"], "verified");
    assert!(
        report["outcome"]["verification"]["trials"][0]["environment"]["user"]
            .as_str()
            .expect("a user")
            .starts_with("0:0")
    );
    docker(&["image", "rm", &tag]);
}

/// The bytes of everything that `docker save` gives of an image.
fn saved(image: &str) -> Vec<u8> {
    Command::new("docker").args(["save", image]).output().expect("the docker client is there").stdout
}

fn holds(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle.as_bytes())
}

#[test]
fn neither_the_ca_bundle_nor_the_password_stays_anywhere() {
    const PASSWORD: &str = "correct-h0rse+battery/staple";
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let index = runtime.block_on(PrivateIndex::start("ci", PASSWORD));
    let folder = tempfile::tempdir().expect("a folder");
    let authority = folder.path().join("authority.pem");
    index.write_authority(&authority, trust_store().as_deref());
    let project = folder.path().join("project");
    std::fs::create_dir(&project).expect("a folder");
    // A line of its own, so that no cache answers the step that needs the password.
    let requirements = format!("sconce-probe==1.0\n# {}\n", index.address);
    std::fs::write(project.join("requirements.txt"), requirements).expect("a writable folder");
    let tag = format!("localhost/sconce-test-secrets:{}", std::process::id());
    let output = output(
        sconce()
            .args(["build", "--json", "--verbose", "--build-network", "host", "--tag", &tag, "--installer", "pip"])
            .arg("--extra-index-url")
            .arg(format!("https://ci:${{SCONCE_TEST_PASSWORD}}@{}/simple", index.host()))
            .env("SCONCE_TEST_PASSWORD", PASSWORD)
            .arg("--ca-bundle")
            .arg(&authority)
            .arg(&project),
    );
    let report = report(&output);
    // There is no torch in this project: the image is built, but not proven, and kept for a look.
    assert_eq!(report["outcome"]["name"], "unproven", "{report:#}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(
        index.served().iter().any(|path| path.starts_with("/files/")),
        "pip came with the password: {:?}",
        index.served()
    );
    let image = report["outcome"]["image"]["id"].as_str().expect("an id");
    let encoded = "correct-h0rse%2Bbattery%2Fstaple";
    let certificate = index.authority.lines().nth(1).expect("a line of the certificate");
    let places = [
        ("docker history", docker(&["history", "--no-trunc", image]).into_bytes()),
        ("docker inspect", docker(&["image", "inspect", image]).into_bytes()),
        ("the image's files", saved(image)),
        ("the log", output.stderr.clone()),
        ("the report", output.stdout.clone()),
    ];
    for (place, bytes) in &places {
        assert!(!bytes.is_empty(), "{place} is there to be searched");
        for secret in [PASSWORD, encoded, certificate] {
            assert!(!holds(bytes, secret), "{place} holds `{secret}`");
        }
    }
    assert!(holds(&places[2].1, "sconce_probe"), "the search does see what is in the layers");
    docker(&["image", "rm", image]);
}
