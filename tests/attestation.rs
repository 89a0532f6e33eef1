//! Claims of proofs held against images, on a recorded engine: no container is ever started.

use std::fmt::Write as _;
use std::fs;

use insta::assert_snapshot;
use sconce::engine::Silent;
use sconce::engine::scripted::{Recording, Scripted};
use sconce::model::{
    Claim, ClaimCheck, Content, ErrorKind, Image, Outcome, PROOF_LABEL, Report, RuntimeConfig, sha256_hex,
};
use sconce::ops::attest::{ClaimOptions, check};
use sconce::report::{self, Page, json, statement};
use sconce::verify::SMOKE_TEST;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::report::plain;
use crate::samples;

/// 2026-01-31.
const THEN: u64 = 1_769_860_000;

type Change = fn(&mut Image);

fn content() -> Content {
    let digest = |text: &str| format!("sha256:{}", sha256_hex([text.as_bytes()]));
    let config = RuntimeConfig { env: vec!["A=1".to_owned()], user: "app".to_owned(), ..RuntimeConfig::default() };
    Content {
        architecture: "amd64".to_owned(),
        config,
        layers: vec![digest("base"), digest("app")],
        os: "linux".to_owned(),
    }
}

/// A report of a build whose image has that content, and its label.
fn built() -> Report {
    let mut report = samples::built();
    let Outcome::Built { image, verification, .. } = &mut report.outcome else { panic!("an image that was built") };
    image.content = content();
    let claim = Claim::new(&image.content, verification, &smoke_test(), THEN);
    image.labels.insert(PROOF_LABEL.to_owned(), claim.text());
    report
}

fn smoke_test() -> String {
    format!("sha256:{}", sha256_hex([SMOKE_TEST.as_bytes()]))
}

fn image(report: &Report) -> Image {
    let Outcome::Built { image, .. } = &report.outcome else { panic!("an image that was built") };
    image.clone()
}

/// What is said of the proven image after `change`, by its label or by a statement.
async fn checked(change: impl FnOnce(&mut Image), statement: Option<&str>) -> ClaimCheck {
    let mut image = image(&built());
    image.tags = vec!["app:1".to_owned()];
    change(&mut image);
    let recording: Recording = serde_json::from_value(json!({"info": {
        "name": "Docker", "version": "20.10.24", "api": "1.41", "buildkit": true, "architecture": "amd64",
        "endpoint": "unix:///var/run/docker.sock", "cpus": 2, "memory": 8_000_000_000_u64
    }}))
    .unwrap();
    let engine = Scripted::new(Recording { images: vec![image], ..recording }, CancellationToken::new());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("proof.json");
    fs::write(&file, statement.unwrap_or_default()).unwrap();
    let options = ClaimOptions { statement: statement.map(|_| file), pull: false };
    let mut check = check(&engine, "app:1", &options, &Silent).await.unwrap();
    check.file = check.file.map(|_| "proof.json".to_owned());
    assert_eq!(engine.calls(), ["find_image app:1"], "the engine is asked for nothing else");
    check
}

fn text(check: &ClaimCheck) -> String {
    let text = plain(|out| report::claim(check, Page { width: 100, ascii: false }, out));
    text.replace(&smoke_test(), "[SMOKE TEST]")
}

/// Each with its own answer.
#[tokio::test]
async fn what_a_label_is_worth() {
    let changes: [(&str, Change); 10] = [
        ("as it was proven", |_| ()),
        ("another name and label", |image| drop(image.labels.insert("a".to_owned(), "b".to_owned()))),
        ("layers on top", |image| image.content.layers.extend(["sha256:1".to_owned(), "sha256:2".to_owned()])),
        ("another environment", |image| image.content.config.env.push("CXX=/bin/false".to_owned())),
        ("the label on another image", |image| image.content.layers[0] = "sha256:1".to_owned()),
        ("no label", |image| image.labels.clear()),
        ("no JSON", |image| drop(image.labels.insert(PROOF_LABEL.to_owned(), "yes".to_owned()))),
        ("a newer form", |image| drop(image.labels.insert(PROOF_LABEL.to_owned(), r#"{"version":9}"#.to_owned()))),
        ("text for the terminal", |image| {
            let label = image.labels.get_mut(PROOF_LABEL).unwrap();
            *label = label.replace(r#""python":""#, r#""python":"\u001b[2J\u001b[32m✓ proven\n"#);
        }),
        ("endless", |image| drop(image.labels.insert(PROOF_LABEL.to_owned(), "[".repeat(100_000)))),
    ];
    let mut answers = String::new();
    for (what, change) in changes {
        let check = checked(change, None).await;
        write!(answers, "=== {what}: {}\n{}\n", check.ok(), text(&check)).unwrap();
    }
    assert_snapshot!(answers);
}

#[tokio::test]
async fn what_a_statement_is_worth() {
    let told = statement(&built(), 0).unwrap();
    let with = |change: &dyn Fn(&mut Value)| {
        let mut told = told.clone();
        change(&mut told);
        told.to_string()
    };
    let configuration = "/predicate/configuration/0/annotations/dev.sconce.proof";
    let statements = [
        ("as it was written", with(&|_| ())),
        ("of a proof that failed", with(&|told| told["predicate"]["result"] = json!("FAILED"))),
        ("of another subject", with(&|told| told["subject"][1]["digest"]["sha256"] = json!("ab"))),
        ("without a claim", with(&|told| told["predicate"]["configuration"] = json!([]))),
        ("with a newer claim", with(&|told| told.pointer_mut(configuration).unwrap()["version"] = json!(2))),
        ("of another type", with(&|told| told["predicateType"] = json!("https://slsa.dev/provenance/v1"))),
        ("no statement", "[]".to_owned()),
    ];
    let mut answers = String::new();
    for (what, statement) in &statements {
        // The label is not looked at.
        let check = checked(|image| image.labels.clear(), Some(statement)).await;
        write!(answers, "=== {what}: {}\n{}\n", check.ok(), text(&check)).unwrap();
    }
    let other = checked(|image| image.content.layers.push("sha256:1".to_owned()), Some(&statements[0].1)).await;
    write!(answers, "=== of the image below: {}\n{}\n", other.ok(), text(&other)).unwrap();
    assert_snapshot!(answers);
}

#[tokio::test]
async fn an_attestation_as_json() {
    let check = checked(|image| image.content.layers.push("sha256:1".to_owned()), None).await;
    assert_snapshot!(plain(|out| json::claim(&check, out)).replace(&smoke_test(), "[SMOKE TEST]"));
}

#[tokio::test]
async fn a_file_that_is_no_json_is_wrong_input() {
    let recording: Recording = serde_json::from_value(json!({"info": {
        "name": "Docker", "version": "1", "api": "1.41", "buildkit": true, "architecture": "amd64", "endpoint": "",
        "cpus": 2, "memory": 1
    }}))
    .unwrap();
    let engine = Scripted::new(recording, CancellationToken::new());
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("yaml"), "a: b").unwrap();
    for name in ["yaml", "missing"] {
        let options = ClaimOptions { statement: Some(folder.path().join(name)), pull: true };
        assert_eq!(check(&engine, "app", &options, &Silent).await.unwrap_err().kind, ErrorKind::Usage, "{name}");
    }
    assert_eq!(engine.calls(), [""; 0], "the engine is not even asked");
}

#[test]
fn a_statement_is_of_the_image_and_of_its_content() {
    let told = statement(&built(), 0).unwrap();
    let text = serde_json::to_string_pretty(&told).unwrap().replace(&smoke_test()["sha256:".len()..], "[SMOKE TEST]");
    assert_snapshot!(text);
    // Each resource has what the specification demands of one: a digest or a URI.
    let resources = told["predicate"]["configuration"].as_array().unwrap();
    assert!(resources.iter().all(|resource| resource["digest"].is_object() || resource["uri"].is_string()));
}

#[test]
fn a_proof_that_failed_is_stated_as_such_and_a_failed_build_not_at_all() {
    let told = statement(&samples::unproven(), THEN).unwrap();
    assert_eq!(told["predicate"]["result"], "FAILED");
    assert!(!told["predicate"]["failedTests"].as_array().unwrap().is_empty());
    assert_eq!(told["predicate"]["configuration"][0]["annotations"]["day"], "2026-01-31");
    assert_eq!(statement(&samples::build_failed(), THEN), None);
    assert_eq!(plain(|out| report::in_toto(&samples::build_failed(), out)), "");
    let line = plain(|out| report::in_toto(&built(), out));
    assert_eq!(line.lines().count(), 1);
    assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), statement(&built(), 0).unwrap());
}
