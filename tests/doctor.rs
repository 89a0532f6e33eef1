//! A look: at the interpreter of this machine, whole and broken; at interpreters that do as a test says; at engines that were
//! recorded; and at real images.

mod fix;
mod schema;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use insta::assert_snapshot;
use regex::Regex;
use sconce::engine::{Engine as _, Silent};
use sconce::model::{Checkup, FindingOutcome};
use sconce::ops::doctor::{DoctorOptions, image};
use serde_json::{Value, json};

use crate::cli::Desk;
use crate::support::{base_image, connect};

/// The checks of a look.
const CHECKS: [&str; 20] = [
    "python",
    "libc",
    "torch",
    "single",
    "enabled",
    "user",
    "cache",
    "room",
    "baked",
    "memory",
    "processors",
    "setuptools",
    "compiler",
    "headers",
    "toolchain",
    "openssl",
    "gpu",
    "gpu-driver",
    "gpu-compiler",
    "gpu-ptxas",
];

/// A program of that text in the desk's folder `bin`.
fn program(desk: &Desk, name: &str, text: &str) -> PathBuf {
    let path = desk.write(&format!("bin/{name}"), &format!("#!/bin/sh\n{text}\n"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// What an interpreter says that finds everything as it should be, on Debian.
fn healthy() -> Value {
    let check = |id: &str| {
        let outcome = if id.starts_with("gpu") { "skip" } else { "pass" };
        json!({ "id": id, "title": format!("the title of {id}"), "outcome": outcome, "evidence": format!("seen: {id}") })
    };
    let mut document = json!({
        "schema": 2,
        "image": "",
        "checks": CHECKS.map(check),
        "environment": { "executable": "/usr/bin/python3", "python": "3.13.5", "torch": "2.15.0+cpu", "variant": "cpu",
                         "user": "1000:1000 (me)", "cpu": "a processor", "cpus": 2, "libc": "glibc 2.41" },
    });
    *of(&mut document, "python").get_mut("evidence").unwrap() = json!("CPython 3.13.5 at /usr/bin/python3");
    of(&mut document, "python")["facts"] =
        json!({ "system": "debian", "base_prefix": "/usr", "architecture": "x86_64" });
    document
}

fn of<'a>(document: &'a mut Value, id: &str) -> &'a mut Value {
    let checks = document["checks"].as_array_mut().unwrap();
    checks.iter_mut().find(|check| check["id"] == id).unwrap()
}

fn fails(document: &mut Value, id: &str, evidence: &str, error: &str) {
    let check = of(document, id);
    check["outcome"] = json!("fail");
    check["evidence"] = json!(evidence);
    check["error"] = json!(error);
}

/// An interpreter that says what stands in the desk's `document.json`.
fn python(desk: &Desk, document: &Value) {
    desk.write("document.json", &document.to_string());
    let file = desk.path("document.json");
    // The look first asks for its version, with two words.
    program(desk, "python3", &format!("[ $# -eq 2 ] && exit 0\nexec /bin/cat {} >&3", file.display()));
}

/// An engine as it should be, elsewhere.
fn engine() -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    json!({
        "info": { "name": "Docker", "version": "28.0.0", "api": "1.48", "buildkit": true,
                  "endpoint": "tcp://build.example.org:2376", "architecture": "amd64", "cpus": 8,
                  "memory": 16_000_000_000_u64 },
        "state": { "host": "build.example.org", "system": "Debian GNU/Linux 13 (trixie)", "root": "/var/lib/docker",
                   "driver": "overlay2", "images": 12, "runtimes": ["nvidia", "runc"], "security": ["seccomp", "cgroupns"],
                   "memory_limit": true, "time": now },
    })
}

/// A desk whose authorities are known, and whose programs are its own.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("ca.pem", "");
    fs::create_dir(desk.path("bin")).unwrap();
    fs::create_dir(desk.path("tmp")).unwrap();
    desk
}

fn with(desk: &Desk, args: &[&str]) -> Command {
    let mut command = desk.with(&engine(), &[&["doctor"], args].concat());
    command.env("PATH", desk.path("bin")).env("SCONCE_CA_BUNDLE", "ca.pem").env("TMPDIR", desk.path("tmp"));
    command
}

/// The same with the programs of this machine behind those of the desk.
fn really(desk: &Desk, args: &[&str]) -> Command {
    let mut command = with(desk, args);
    let own = std::env::var("PATH").unwrap();
    command.env("PATH", format!("{}:{own}", desk.path("bin").display()));
    command
}

/// What came of it, without what changes from run to run.
fn told(desk: &Desk, command: &mut Command) -> String {
    steadied(&desk.told(&command.output().unwrap()))
}

fn steadied(text: &str) -> String {
    let filters = [
        (r"\b\d+\.\ds\b", "[TIME]"),
        (r"\d{4}-\d\d-\d\d \(UTC\)", "[DATE] (UTC)"),
        (r"\d+ minutes off: 1970-01-01 there, \d{4}-\d\d-\d\d here", "[MINUTES] off"),
    ];
    filters
        .iter()
        .fold(text.to_owned(), |text, (from, to)| Regex::new(from).unwrap().replace_all(&text, *to).into_owned())
}

fn document(output: &Output) -> Value {
    let document = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    assert_eq!(schema::errors(&document), [""; 0], "{document:#}");
    document
}

/// The outcome, the evidence and the causes of a finding.
fn finding(document: &Value, id: &str) -> (String, String, Vec<String>) {
    let findings = document["findings"].as_array().unwrap();
    let found = findings.iter().find(|found| found["id"] == id).unwrap_or_else(|| panic!("{id}: {document:#}"));
    let causes = found["causes"].as_array().unwrap().iter().map(|cause| cause.as_str().unwrap().to_owned()).collect();
    (found["outcome"].as_str().unwrap().to_owned(), found["evidence"].as_str().unwrap().to_owned(), causes)
}

/// Holds a finding of this machine against what it should be; everything that was made for the look is gone.
fn holds(desk: &Desk, mut command: Command, id: &str, outcome: &str, causes: &[&str]) -> Value {
    let output = command.output().unwrap();
    let document = document(&output);
    let (seen, evidence, found) = finding(&document, id);
    assert_eq!(
        (seen.as_str(), found.as_slice()),
        (outcome, causes.map_to_owned().as_slice()),
        "{evidence}: {document:#}"
    );
    assert_eq!(output.status.code(), Some(i32::from(document["ok"] == false)));
    assert_eq!(fs::read_dir(desk.path("tmp")).unwrap().count(), 0, "something was left over");
    document
}

trait Owned {
    fn map_to_owned(&self) -> Vec<String>;
}

impl Owned for [&str] {
    fn map_to_owned(&self) -> Vec<String> {
        self.iter().map(|&text| text.to_owned()).collect()
    }
}

// This machine's own interpreter.

#[test]
fn the_needs_of_this_machine_are_tried() {
    let desk = desk();
    let document = holds(&desk, really(&desk, &["--json"]), "toolchain", "ok", &[]);
    for id in ["python", "compiler", "headers", "cache", "room", "user", "processors", "release", "enabled"] {
        assert_eq!(finding(&document, id).0, "ok", "{id}: {document:#}");
    }
    let (_, evidence, _) = finding(&document, "toolchain");
    let cache = desk.path("tmp/torchinductor_");
    assert!(evidence.contains(cache.to_str().unwrap()), "it was not made where torch would make it: {evidence}");
}

#[test]
fn a_compiler_that_is_not_there_is_found_missing() {
    let desk = desk();
    let mut command = really(&desk, &["--json"]);
    command.env("CXX", "/nonexistent/g++");
    let document = holds(&desk, command, "compiler", "fail", &["NO_CXX_COMPILER"]);
    assert_eq!(finding(&document, "toolchain").0, "skip", "a consequence is no cause");
    assert_eq!(finding(&document, "headers").0, "ok", "what can be looked at without it is");
}

#[test]
fn a_compiler_without_openmp_is_found_wanting() {
    let desk = desk();
    let real = Command::new("sh").args(["-c", "command -v g++"]).output().unwrap();
    let real = String::from_utf8(real.stdout).unwrap();
    let script = format!(
        "for word; do case $word in *.cpp) grep -q omp.h \"$word\" && {{ \
         echo \"$word:2:10: fatal error: omp.h: No such file or directory\"; exit 1; }};; esac; done\nexec {} \"$@\"",
        real.trim()
    );
    program(&desk, "g++", &script);
    let document = holds(&desk, really(&desk, &["--json"]), "toolchain", "fail", &["OMP_H_MISSING"]);
    assert_eq!(finding(&document, "compiler").0, "ok");
}

#[test]
fn a_compiler_that_writes_nothing_is_none() {
    let desk = desk();
    program(&desk, "g++", "echo g++ 14");
    let document = document(&really(&desk, &["--json"]).output().unwrap());
    let (outcome, evidence, _) = finding(&document, "compiler");
    assert!(outcome == "fail" && evidence.contains("wrote no library"), "{evidence}");
}

#[test]
fn a_cache_that_cannot_be_used_is_found() {
    let desk = desk();
    let mut command = really(&desk, &["--json"]);
    command.env("TORCHINDUCTOR_CACHE_DIR", desk.path("ca.pem/cache"));
    let document = holds(&desk, command, "cache", "fail", &[]);
    assert_eq!(finding(&document, "toolchain").0, "ok", "the toolchain is tried elsewhere");
}

/// Where this user may mount: a cache on a file system that does not let libraries load, and one that is nearly full.
#[test]
fn a_cache_on_another_file_system_is_tried_there() {
    let may = Command::new("unshare").args(["-m", "true"]).output().is_ok_and(|output| output.status.success());
    if !may {
        return;
    }
    for (options, id, causes) in [("noexec", "cache", "CACHE_NOEXEC"), ("size=9m", "room", "DISK_FULL")] {
        let desk = desk();
        let plain = really(&desk, &["--json"]);
        fs::create_dir(desk.path("cache")).unwrap();
        let mut command = Command::new("unshare");
        let script = "mount -t tmpfs -o \"$1\" none \"$2\" && shift 2 && exec \"$@\"";
        command.args(["-m", "sh", "-c", script, "sh", options]).arg(desk.path("cache"));
        command.arg(plain.get_program()).args(plain.get_args()).current_dir(desk.path("")).env_clear();
        command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.env("TORCHINDUCTOR_CACHE_DIR", desk.path("cache"));
        holds(&desk, command, id, "fail", &[causes]);
    }
}

#[test]
fn a_variable_that_switches_compiling_off_is_found() {
    let desk = desk();
    let mut command = really(&desk, &["--json"]);
    command.env("TORCHDYNAMO_DISABLE", "1");
    holds(&desk, command, "enabled", "fail", &["COMPILE_DISABLED"]);
}

#[test]
fn a_library_path_does_not_disturb_and_noise_is_no_answer() {
    let desk = desk();
    desk.write("site/sitecustomize.py", "print('{\"noise\": true}')\n");
    let mut command = really(&desk, &["--json"]);
    command.env("PYTHONPATH", desk.path("site"));
    holds(&desk, command, "python", "ok", &[]);
}

// Interpreters that do as a test says.

#[test]
fn a_machine_that_is_fit() {
    let desk = desk();
    python(&desk, &healthy());
    assert_snapshot!(told(&desk, &mut with(&desk, &[])));
}

#[test]
fn a_machine_that_is_not() {
    let desk = desk();
    let mut seen = healthy();
    fails(&mut seen, "headers", "Python.h is not in /usr/include/python3.13", "");
    fails(
        &mut seen,
        "openssl",
        "torch 2.15.0 hashes precompiled headers with the openssl program, which is not there",
        "FileNotFoundError: [Errno 2] No such file or directory: 'openssl'",
    );
    fails(&mut seen, "memory", "2.0 GB free: torch runs up to 8 compilers at once here", "");
    of(&mut seen, "memory")["facts"] = json!({ "warning": true, "variable": "TORCHINDUCTOR_COMPILE_THREADS=2" });
    python(&desk, &seen);
    let shown = told(&desk, &mut with(&desk, &[]));
    assert!(shown.contains("python3.13-dev") && !shown.contains("dnf"), "the remedy is that of this system: {shown}");
    assert!(shown.starts_with("exit code 1\n") && shown.contains("2 of 28 checks failed  1 warning"), "{shown}");
}

#[test]
fn a_release_that_does_not_know_the_interpreter() {
    let desk = desk();
    let mut seen = healthy();
    seen["environment"]["torch"] = json!("2.9.1");
    seen["environment"]["python"] = json!("3.14.0");
    fails(&mut seen, "enabled", "RuntimeError: torch.compile is not supported on Python 3.14+", "");
    python(&desk, &seen);
    let document = document(&with(&desk, &["--json"]).output().unwrap());
    assert_eq!(finding(&document, "release").2, ["PYTHON_NOT_SUPPORTED"]);
}

#[test]
fn a_machine_without_torch_or_engine_is_fit() {
    let desk = desk();
    let mut seen = healthy();
    seen["environment"]["torch"] = json!("");
    fails(&mut seen, "torch", "torch is not installed", "ModuleNotFoundError: No module named 'torch'");
    of(&mut seen, "torch")["facts"] = json!({ "warning": true });
    python(&desk, &seen);
    let mut command = with(&desk, &["--json"]);
    command.env("DOCKER_HOST", format!("unix://{}", desk.path("no-engine.sock").display()));
    let output = command.output().unwrap();
    let document = document(&output);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(finding(&document, "torch").0, "warn");
    assert_eq!(finding(&document, "engine").0, "skip");
}

#[test]
fn no_interpreter_at_all() {
    let desk = desk();
    let output = with(&desk, &["--json"]).output().unwrap();
    let document = document(&output);
    assert_eq!(output.status.code(), Some(1));
    let (outcome, evidence, causes) = finding(&document, "python");
    assert_eq!((outcome.as_str(), causes.as_slice()), ("fail", ["PYTHON_MISSING".to_owned()].as_slice()), "{evidence}");
    assert_eq!(finding(&document, "engine").0, "ok", "the engine is looked at all the same");
}

#[test]
fn interpreters_that_do_not_answer() {
    for (script, timeout, id, says) in [
        ("echo its own words >&2\nexit 3", "5m", "python", "ends with status 3"),
        ("exit 9", "5m", "python", "is older"),
        ("[ $# -eq 2 ] && exit 0\necho '{\"schema\": 2' >&3", "5m", "completed", "no whole document"),
        ("[ $# -eq 2 ] && exit 0\nkill -9 $$", "5m", "completed", "wrote nothing"),
        ("[ $# -eq 2 ] && exit 0\nexec /bin/sleep 1000", "1s", "completed", "stopped after 1 s"),
    ] {
        let desk = desk();
        program(&desk, "python3", script);
        let document = document(&with(&desk, &["--json", "--timeout", timeout]).output().unwrap());
        let (outcome, evidence, _) = finding(&document, id);
        assert!(outcome == "fail" && evidence.contains(says), "{script}: {evidence}");
        if script.contains("its own words") {
            let error = document["findings"][0]["error"].as_str().unwrap();
            assert!(error.contains("its own words"), "{error}");
        }
    }
}

#[test]
fn a_hostile_answer_moves_no_cursor() {
    let desk = desk();
    let mut seen = healthy();
    fails(&mut seen, "compiler", "\u{1b}[2Jcleared", "\u{1b}]0;title\u{7}one\ntwo");
    python(&desk, &seen);
    let shown = told(&desk, &mut with(&desk, &[]));
    assert!(shown.contains("cleared") && !shown.contains('\u{1b}'), "{shown}");
}

#[test]
fn wrong_usage() {
    let desk = desk();
    assert_snapshot!("no_such_interpreter", told(&desk, &mut with(&desk, &["--python", "python9"])));
    for args in [
        &["--engine", "--image", "app"][..],
        &["--engine", "--python", "python3"],
        &["--yes"],
        &["--timeout", "soon"],
        &["--image", "App:"],
    ] {
        assert_eq!(with(&desk, args).output().unwrap().status.code(), Some(2), "{args:?}");
    }
}

// Engines.

#[test]
fn an_engine_that_is_fit() {
    let desk = desk();
    assert_snapshot!(told(&desk, &mut with(&desk, &["--engine"])));
}

#[test]
fn an_engine_that_is_not() {
    let desk = desk();
    let mut recording = engine();
    for (at, value) in [
        ("/info/buildkit", json!(false)),
        ("/info/architecture", json!("s390x")),
        ("/state/time", json!(0)),
        ("/state/proxies", json!(["http://me:hunter2@proxy.example.org:3128"])),
        ("/state/security", json!(["rootless", "selinux"])),
        ("/state/runtimes", json!(["runc"])),
    ] {
        let (parent, key) = at.rsplit_once('/').unwrap();
        recording.pointer_mut(parent).unwrap()[key] = value;
    }
    let mut command = desk.with(&recording, &["doctor", "--engine"]);
    command.env("SCONCE_CA_BUNDLE", "gone.pem");
    let shown = told(&desk, &mut command);
    assert!(!shown.contains("hunter2"), "{shown}");
    assert_snapshot!(shown);
}

#[test]
fn an_engine_that_is_small_is_a_warning() {
    for (memory, outcome) in [(3_000_000_000_u64, "warn"), (1_000_000_000, "fail")] {
        let desk = desk();
        let mut recording = engine();
        recording["info"]["memory"] = json!(memory);
        let mut command = desk.with(&recording, &["doctor", "--engine", "--json"]);
        command.env("HTTPS_PROXY", "http://me:hunter2@127.0.0.1:3128");
        let output = command.output().unwrap();
        let document = document(&output);
        assert_eq!(finding(&document, "engine-machine").0, outcome);
        assert_eq!(output.status.code(), Some(i32::from(outcome == "fail")));
        let (outcome, evidence, _) = finding(&document, "engine-proxy");
        assert!(
            outcome == "warn" && evidence.contains("127.0.0.1:3128") && !evidence.contains("hunter2"),
            "{evidence}"
        );
    }
}

#[test]
fn no_engine() {
    let desk = desk();
    let asked = |args: &[&str]| {
        let mut command = desk.command(args);
        // No path of this machine, whose length would say where the lines break.
        command.env("DOCKER_HOST", "unix:///nowhere/engine.sock");
        told(&desk, &mut command)
    };
    assert_snapshot!("no_engine", asked(&["doctor", "--engine"]));
    assert_snapshot!("no_engine_for_an_image", asked(&["doctor", "--image", "app"]));
}

#[test]
fn an_engine_that_breaks_off_is_a_finding() {
    let desk = desk();
    let mut recording = engine();
    recording["faults"] =
        json!([{ "call": "state", "answer": { "error": { "kind": "try_again", "message": "it went away" } } }]);
    let document = document(&desk.with(&recording, &["doctor", "--engine", "--json"]).output().unwrap());
    assert_eq!(finding(&document, "engine").1, "it went away");
}

// Images.

fn options() -> DoctorOptions {
    let environment = std::env::vars().collect();
    DoctorOptions { environment, python: None, timeout: Duration::from_mins(10) }
}

fn outcomes(checkup: &Checkup, outcome: FindingOutcome) -> Vec<(&str, &[String])> {
    let findings = checkup.findings.iter().filter(|finding| finding.outcome == outcome);
    findings.map(|finding| (finding.id.as_str(), finding.causes.as_slice())).collect()
}

#[tokio::test]
async fn an_image_without_an_interpreter_is_not_fit() {
    let engine = connect().await;
    let base = base_image(&engine).await;
    let checkup = image(&engine, base, &options(), &Silent).await.unwrap();
    assert_eq!(outcomes(&checkup, FindingOutcome::Fail), [("python", ["PYTHON_MISSING".to_owned()].as_slice())]);
    let error = image(&engine, "localhost/sconce-test-gone", &options(), &Silent).await.unwrap_err();
    assert_eq!(error.kind, sconce::model::ErrorKind::No);
}

#[tokio::test]
async fn an_image_is_looked_at() {
    let engine = connect().await;
    let _turn = crate::verify::TURNS.acquire().await.unwrap();
    let good = crate::verify::good_image(&engine).await;
    let checkup = image(&engine, good, &options(), &Silent).await.unwrap();
    assert_eq!(outcomes(&checkup, FindingOutcome::Fail), [], "{checkup:#?}");
    let tag = format!("localhost/sconce-test-doctor:{}", crate::support::unique());
    let lines = "USER root\nRUN find / -xdev -name omp.h -delete; rm /usr/bin/openssl\nUSER 61234";
    crate::verify::build(&engine, good, lines, &tag).await;
    let checkup = image(&engine, &tag, &options(), &Silent).await;
    engine.untag(&tag, true).await.unwrap();
    let checkup = checkup.unwrap();
    let failed = outcomes(&checkup, FindingOutcome::Fail);
    let ids: Vec<&str> = failed.iter().map(|(id, _)| *id).collect();
    // Debian's torch is 2.6, which does not call openssl, and names its cache directory after the user.
    assert_eq!(ids, ["user", "cache", "toolchain"], "{checkup:#?}");
    assert_eq!(failed[0].1, ["USER_WITHOUT_NAME"], "{checkup:#?}");
    assert_eq!(failed[2].1, ["OMP_H_MISSING"], "{checkup:#?}");
    let first = &checkup.findings.iter().find(|finding| finding.id == "toolchain").unwrap().remedies[0];
    assert!(["docker", "apt"].contains(&first.platform.as_str()), "{first:?}");
}
