//! What `sconce verify` puts to the proof besides images: Dockerfiles and containers, on recordings and on the real engine.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};

use insta::assert_snapshot;
use sconce::engine::Silent;
use sconce::engine::scripted::{Recording, Scripted};
use sconce::model::{Origin, Profile, Variant};
use sconce::ops::network::NetworkInputs;
use sconce::ops::verify::{VerifyOptions, verify};
use sconce::ops::{Dockerfile, Subject};
use sconce::plan::Asked;
use sconce::verify::{Conditions, Expectation};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::cli::{Desk, UNKNOWN, building, image, interrupt, proof, proof_of, recording, steady};
use crate::support::{base_image, connect, unique};

fn id(digit: &str) -> String {
    format!("sha256:{}", digit.repeat(64))
}

fn built() -> Value {
    json!({"ok": {"name": "built", "id": id("b"), "cached_steps": 1, "steps": 2}})
}

/// A desk with a Dockerfile, and what is asked of the engine there.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("docker/Dockerfile", "FROM debian:trixie-slim\nRUN apt-get install g++\n");
    desk
}

/// The calls of the last run that change something, its own tag being `OWN`.
fn changes(desk: &Desk) -> Vec<String> {
    let journal = fs::read_to_string(desk.path("calls.log")).unwrap();
    let own = |line: &str| {
        let words =
            line.split(' ').map(|word| if word.starts_with("localhost/sconce-unproven:") { "OWN" } else { word });
        words.collect::<Vec<_>>().join(" ")
    };
    let changes = journal.lines().filter(|line| !line.starts_with("find_image ") && *line != "sweep").map(own);
    changes.collect()
}

fn with_journal(mut engine: Value) -> Value {
    engine["journal"] = json!("calls.log");
    engine
}

#[test]
fn a_dockerfile_is_built_proven_and_cleared_away() {
    let desk = desk();
    let engine = with_journal(building(&built(), &[proof_of("b", None)]));
    let args = ["verify", "--file", "docker/Dockerfile"];
    steady().bind(|| assert_snapshot!("file_proven", desk.run_with(&engine, &args)));
    assert_eq!(changes(&desk), ["build OWN".to_owned(), format!("run {}", id("b")), "untag OWN prune".to_owned()]);
}

#[test]
fn the_image_of_a_dockerfile_is_kept_where_that_was_asked_for() {
    let desk = desk();
    let engine = with_journal(building(&built(), &[proof_of("b", Some(("headers", UNKNOWN)))]));
    let args = ["verify", "--file", "docker/Dockerfile", "--keep", "--quiet"];
    steady().bind(|| assert_snapshot!("file_kept", desk.run_with(&engine, &args)));
    assert_eq!(changes(&desk).last().unwrap(), "untag OWN keep");
}

#[test]
fn a_dockerfile_whose_step_fails() {
    let desk = desk();
    let log = ["fetching", "E: Unable to locate package g++"];
    let failed = json!({"ok": {
        "name": "failed", "step": "[2/2] RUN apt-get install g++", "message": "exit code: 100", "log": log
    }});
    let engine = with_journal(building(&failed, &[]));
    let args = ["verify", "--file", "docker/Dockerfile"];
    steady().bind(|| assert_snapshot!("file_failed", desk.run_with(&engine, &args)));
    assert_eq!(changes(&desk), ["build OWN", "untag OWN prune"]);
    let output = desk.with(&engine, &[&args[..], &["--json"]].concat()).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &report["ok"]), (Some(1), &json!(false)));
    let outcome = json!({
        "name": "file_failed", "file": "docker/Dockerfile",
        "failure": {"step": "[2/2] RUN apt-get install g++", "message": "exit code: 100", "log": log}
    });
    assert_eq!(report["outcome"], outcome);
}

/// What goes wrong after the build leaves no more behind than what goes right, `--keep` or not.
#[test]
fn a_proof_that_cannot_be_made_leaves_nothing() {
    let desk = desk();
    let lost = json!({"error": {"kind": "try_again", "message": "the engine went away"}});
    let engine = with_journal(building(&built(), &[lost]));
    let told = desk.run_with(&engine, &["verify", "--file", "docker/Dockerfile", "--keep"]);
    assert!(told.starts_with("exit code 75\n"), "{told}");
    assert_eq!(changes(&desk).last().unwrap(), "untag OWN prune");
}

#[test]
fn an_interrupt_stops_the_build_and_clears_away() {
    let desk = desk();
    let engine = with_journal(building(&json!("hang"), &[]));
    let mut command = desk.with(&engine, &["verify", "--file", "docker/Dockerfile"]);
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut err = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    err.read_line(&mut line).unwrap();
    // Whatever it said: a test that ended here would leave it running.
    interrupt(&child);
    assert!(line.starts_with("building docker/Dockerfile with Docker 20.10.24"), "{line}");
    err.read_to_string(&mut line).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{line}");
    assert_eq!(changes(&desk).last().unwrap(), "untag OWN prune");
}

#[test]
fn the_image_of_a_container() {
    let desk = Desk::new();
    let mut engine = recording(&[image("team/app:1.4", "a")], &[proof(None)]);
    engine["containers"] = json!({"web": id("a"), "orphan": id("c")});
    steady().bind(|| assert_snapshot!("container_proven", desk.run_with(&engine, &["verify", "--container", "web"])));
    assert_snapshot!("container_gone", desk.run_with(&engine, &["verify", "--container", "cache"]));
    assert_snapshot!("container_whose_image_is_gone", desk.run_with(&engine, &["verify", "--container", "orphan"]));
}

#[test]
fn exactly_one_thing_is_put_to_the_proof() {
    let desk = desk();
    for (name, args) in [
        ("nothing", &["verify"][..]),
        ("image_and_file", &["verify", "app", "--file", "docker/Dockerfile"]),
        ("file_and_container", &["verify", "--container", "web", "--file", "docker/Dockerfile"]),
        ("target_without_file", &["verify", "app", "--target", "x"]),
        ("pull_with_container", &["verify", "--container", "web", "--pull"]),
        ("bad_build_arg", &["verify", "--file", "docker/Dockerfile", "--build-arg", "=x\u{1b}"]),
        ("missing_file", &["verify", "--file", "nowhere"]),
    ] {
        assert_snapshot!(format!("usage_{name}"), desk.run_with(&building(&built(), &[]), args));
    }
    let told = desk.run_with(&building(&built(), &[]), &["verify", "--file", "docker"]);
    assert!(told.contains("`docker`: it is not a regular file"), "{told}");
    // The variable speaks of Dockerfiles; an image is none the worse for it.
    let mut command = desk.with(&recording(&[image("app", "a")], &[proof(None)]), &["verify", "app"]);
    assert!(command.env("SCONCE_CA_BUNDLE", "/nowhere").output().unwrap().status.success());
}

/// What reaches the engine: the authorities only for a Dockerfile that mounts them, since not every builder can keep them.
#[tokio::test]
async fn what_a_dockerfile_is_built_with() {
    let desk = desk();
    let bundle = desk.write("ca.pem", "-----BEGIN CERTIFICATE-----\n");
    let rendered = desk.write("r/Dockerfile", "FROM x\nRUN --mount=type=secret,id=sconce-ca,required=true true\n");
    let environment = BTreeMap::from([("HTTPS_PROXY".to_owned(), "http://u:secret@proxy.example.org".to_owned())]);
    let network = NetworkInputs {
        ca_bundle: Some(Asked { value: bundle, origin: Origin::flag("--ca-bundle") }),
        environment,
        ..NetworkInputs::default()
    };
    let options = VerifyOptions {
        expectation: Expectation { variant: Variant::Any, torch: "".parse().unwrap(), python: None },
        conditions: Conditions::default(),
        profile: Profile::Standard,
        smoke: None,
        project: None,
        pull: false,
    };
    for (file, context, secrets) in
        [(desk.path("docker/Dockerfile"), None, &[][..]), (rendered, Some(desk.path("")), &["sconce-ca"])]
    {
        let dockerfile = Dockerfile {
            file: file.clone(),
            context: context.clone(),
            target: Some("runtime".to_owned()),
            args: BTreeMap::from([("PYTHON".to_owned(), "3.12".to_owned())]),
            keep: false,
            owner: crate::support::stranger(),
            network: network.clone(),
        };
        let recording: Recording = serde_json::from_value(building(&built(), &[proof_of("b", None)])).unwrap();
        let engine = Scripted::new(recording, CancellationToken::new());
        let subject = Subject::Dockerfile(Box::new(dockerfile));
        let report = verify(&engine, &subject, &options, &Silent).await.unwrap();
        assert!(report.outcome.ok());
        let requests = engine.requests();
        let request = &requests[0];
        assert_eq!(request.dockerfile, fs::read_to_string(&file).unwrap());
        assert_eq!(request.context, Some(context.unwrap_or_else(|| desk.path("docker"))));
        assert_eq!(request.target.as_deref(), Some("runtime"));
        assert_eq!(request.args["PYTHON"], "3.12");
        assert_eq!(request.args["HTTPS_PROXY"], "http://u:secret@proxy.example.org");
        assert_eq!(request.redactor.redact("u:secret"), "u:***");
        assert_eq!(request.secrets.keys().collect::<Vec<_>>(), secrets);
        assert_eq!(engine.tagged(&request.tag), None, "the name is gone");
        assert!(engine.calls().contains(&format!("untag {} prune", request.tag)));
    }
}

/// The binary on the real engine, as a user runs it; its exit code and its report.
fn really(args: &[&str]) -> (Option<i32>, Value) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_sconce")).args(["verify", "--json", "--quiet"]).args(args).output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{err}")))
}

fn docker(args: &[&str]) -> (bool, String) {
    let output = Command::new("docker").args(args).output().expect("the docker client is there");
    (output.status.success(), String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn on_engine(id: &str) -> bool {
    docker(&["image", "inspect", id]).0
}

/// The checks that failed.
fn failed(report: &Value) -> Vec<&str> {
    let trials = report["outcome"]["verification"]["trials"].as_array().unwrap_or_else(|| panic!("{report:#}"));
    let checks = trials.iter().flat_map(|trial| trial["checks"].as_array().unwrap());
    checks.filter(|check| check["outcome"] == "fail").map(|check| check["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_real_dockerfile() {
    let base = base_image(&connect().await).await;
    let word = unique();
    let desk = Desk::new();
    let text = format!(
        "ARG BASE=nowhere.example.org/none\nFROM ${{BASE}} AS first\nARG WORD\nCOPY here /\nRUN grep -q {word} /here \
         && test \"$WORD\" = {word}\nFROM first AS second\nRUN echo the second stage of {word}; exit 3\n"
    );
    let file = desk.write("docker/Dockerfile", &text);
    desk.write("context/here", &word);
    let context = desk.path("context");
    let args = [
        "--file",
        file.to_str().unwrap(),
        "--context",
        context.to_str().unwrap(),
        "--build-arg",
        &format!("BASE={base}"),
        "--build-arg",
        &format!("WORD={word}"),
    ];
    // The stage that is named has no Python, and is gone afterwards.
    let (code, report) = really(&[&args[..], &["--target", "first"]].concat());
    assert_eq!((code, failed(&report)), (Some(1), vec!["python"]), "{report:#}");
    assert_eq!(report["outcome"]["reference"], file.to_str().unwrap());
    let id = report["outcome"]["image"]["id"].as_str().unwrap().to_owned();
    assert!(!on_engine(&id), "{id}");

    let (_, report) = really(&[&args[..], &["--target", "first", "--keep"]].concat());
    let id = report["outcome"]["image"]["id"].as_str().unwrap();
    assert_eq!(docker(&["image", "inspect", "--format", "{{.RepoTags}}", id]), (true, "[]".to_owned()));
    assert!(docker(&["image", "rm", id]).0);

    // The last stage fails, and says how.
    let (code, report) = really(&args);
    assert_eq!((code, &report["outcome"]["name"]), (Some(1), &json!("file_failed")), "{report:#}");
    assert!(report["outcome"]["failure"]["log"].to_string().contains(&format!("the second stage of {word}")));
    let (code, report) = really(&[&args[..], &["--target", "third"]].concat());
    assert_eq!(code, Some(1), "{report:#}");
    assert!(report.to_string().contains("third"), "{report:#}");
}

#[tokio::test]
async fn a_real_container() {
    let base = base_image(&connect().await).await;
    let name = format!("sconce-test-container-{}", unique());
    assert!(docker(&["create", "--name", &name, base, "true"]).0);
    let (code, report) = really(&["--container", &name]);
    let by_id = docker(&["container", "inspect", "--format", "{{.Id}}", &name]).1;
    let (_, same) = really(&["--container", &by_id[..12]]);
    assert!(docker(&["container", "rm", &name]).0);
    assert_eq!((code, failed(&report)), (Some(1), vec!["python"]), "{report:#}");
    assert_eq!(report["outcome"]["image"]["id"], docker(&["image", "inspect", "--format", "{{.Id}}", base]).1);
    assert_eq!(same["outcome"]["image"]["id"], report["outcome"]["image"]["id"]);
    let (code, report) = really(&["--container", &name]);
    assert_eq!((code, &report["error"]["kind"]), (Some(1), &json!("no")), "{report:#}");
    let (code, report) = really(&["--container", "../images/json"]);
    assert_eq!((code, &report["error"]["kind"]), (Some(2), &json!("usage")), "{report:#}");
}
