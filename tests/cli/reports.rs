//! `--report`, and several images in one run.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Output, Stdio};

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::{BUILD, Desk, UNKNOWN, building, image, interrupt, proof, proof_of, recording, steady};
use crate::report::schema::errors;
use crate::support::browser::Browser;

/// Three images, of which the second does not compile and the last is not there.
const IMAGES: [&str; 4] = ["verify", "team/good:1", "team/bad:1", "team/gone:1"];

fn three() -> Value {
    let images = [image("team/good:1", "a"), image("team/bad:1", "b")];
    recording(&images, &[proof(None), proof_of("b", Some(("headers", UNKNOWN)))])
}

fn steadily() -> insta::internals::SettingsBindDropGuard {
    let mut settings = steady();
    settings.add_filter(r"\.sconce-report-\w+", ".sconce-report-[NAME]");
    settings.set_snapshot_path("../snapshots");
    settings.bind_to_scope()
}

fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn one_image_s_failure_keeps_none_of_the_others_back() {
    let _steady = steadily();
    let desk = Desk::new();
    assert_snapshot!("several_images", desk.run_with(&three(), &[&IMAGES[..], &["--quiet"]].concat()));
    let output = desk.with(&three(), &[&IMAGES[..], &["--json"]].concat()).output().unwrap();
    let document = document(&output);
    assert_eq!(errors(&document), [""; 0]);
    assert_eq!((output.status.code(), &document["ok"]), (Some(1), &json!(false)));
    let oks: Vec<_> = document["reports"].as_array().unwrap().iter().map(|report| &report["ok"]).collect();
    assert_eq!(oks, [&json!(true), &json!(false), &json!(false)]);
    assert_eq!(document["reports"][2]["error"]["kind"], "no");
}

#[test]
fn an_engine_that_goes_away_between_two_images_is_an_error() {
    let _steady = steadily();
    let mut engine = recording(&[image("team/good:1", "a")], &[proof(None)]);
    let gone = json!({"error": {"kind": "try_again", "message": "the engine does not answer"}});
    engine["faults"] = json!([{"call": "find_image", "nth": 1, "answer": gone}]);
    let desk = Desk::new();
    assert_snapshot!("the_engine_goes_away", desk.run_with(&engine, &["verify", "team/good:1", "team/x:1", "--quiet"]));
    let output = desk.with(&engine, &["verify", "team/good:1", "team/x:1", "--json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(75));
    // The answer is the one document; the error is on standard error.
    assert_eq!(errors(&document(&output)), [""; 0]);
}

/// Of an interrupted run, what is known by then is told.
#[test]
fn a_signal_ends_all_images() {
    let desk = Desk::new();
    let images = [image("team/good:1", "a"), image("team/slow:1", "b"), image("team/next:1", "c")];
    let engine = recording(&images, &[proof(None), json!("hang")]);
    let mut command = desk.with(&engine, &["verify", "team/good:1", "team/slow:1", "team/next:1", "--json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut told = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let reached = told.any(|line| line.starts_with("verifying team/slow:1"));
    // Whatever it said: a test that ended here would leave it running.
    interrupt(&child);
    let rest: Vec<String> = told.collect();
    let output = child.wait_with_output().unwrap();
    assert!(reached, "{rest:?}");
    assert_eq!(output.status.code(), Some(130), "{rest:?}");
    let document = document(&output);
    assert_eq!(errors(&document), [""; 0]);
    assert_eq!(document["reports"][0]["ok"], true);
    for index in [1, 2] {
        assert_eq!(document["reports"][index]["error"]["kind"], "interrupted");
    }
}

#[test]
fn every_answer_is_as_published() {
    let desk = Desk::new();
    let good = recording(&[image("team/good:1", "a")], &[proof(None)]);
    let built =
        json!({"ok": {"name": "built", "id": format!("sha256:{}", "b".repeat(64)), "cached_steps": 1, "steps": 2}});
    let failed = json!({"ok": {"name": "failed", "step": "[2/2] RUN x", "message": "exit code: 1", "log": [UNKNOWN]}});
    let broken = [proof_of("b", Some(("headers", "fatal error: Python.h: No such file or directory")))];
    for (engine, args, name) in [
        (&good, &["verify", "team/good:1"][..], json!("verified")),
        (&good, &["verify", "team/gone:1"], json!(null)),
        (&building(&built, &[proof_of("b", None)]), &BUILD, json!("built")),
        (&building(&built, &broken), &BUILD, json!("unproven")),
        (&building(&failed, &[]), &BUILD, json!("build_failed")),
    ] {
        // Another proof of the same image would be remembered.
        let _ = fs::remove_dir_all(desk.path("home/.cache"));
        let output = desk.with(engine, &[args, &["--json"]].concat()).output().unwrap();
        let document = document(&output);
        assert_eq!(errors(&document), [""; 0], "{name}");
        assert_eq!(document["outcome"]["name"], name);
    }
}

#[test]
fn reports_are_written_whatever_the_answer() {
    let desk = Desk::new();
    let reports = ["text=out/a.txt", "json=out/a.json", "junit=out/a.xml", "sarif=out/a.sarif", "markdown=out/a.md"];
    let flags: Vec<&str> = reports.iter().chain(&["html=out/a.html"]).flat_map(|report| ["--report", report]).collect();
    for (images, code) in [(&IMAGES[..], 1), (&IMAGES[..2], 0), (&["verify", "team/gone:1"], 1)] {
        let _ = fs::remove_dir_all(desk.path("out"));
        let output = desk.with(&three(), &[images, &flags].concat()).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        let written = |name: &str| fs::read_to_string(desk.path("out").join(name)).unwrap();
        let last = images[images.len() - 1];
        for name in ["a.txt", "a.json", "a.xml", "a.md", "a.html"] {
            assert!(written(name).contains(last), "{name}: {}", written(name));
        }
        let sarif: Value = serde_json::from_str(&written("a.sarif")).unwrap();
        assert_eq!(sarif["runs"][0]["invocations"][0]["executionSuccessful"], !images.contains(&"team/gone:1"));
        // Nothing that was begun is left over.
        assert_eq!(fs::read_dir(desk.path("out")).unwrap().count(), 6);
    }
}

#[test]
fn a_build_is_reported_too() {
    let desk = Desk::new();
    let failed = json!({"ok": {"name": "failed", "step": "[2/2] RUN x", "message": "exit code: 1", "log": [UNKNOWN]}});
    let engine = building(&failed, &[]);
    let output = desk.with(&engine, &[&BUILD[..], &["--report", "sarif=a.sarif"]].concat()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let sarif: Value = serde_json::from_str(&fs::read_to_string(desk.path("a.sarif")).unwrap()).unwrap();
    // The path is the one from the folder that the run was started in.
    let place = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "project/requirements.txt");
}

#[test]
fn a_report_that_cannot_be_had_is_an_error() {
    let _steady = steadily();
    let desk = Desk::new();
    desk.write("file", "");
    for (name, report) in [
        ("unknown", "pdf=x"),
        ("standard_output", "json=-"),
        ("no_file", "junit"),
        ("in_a_file", "html=file/report.html"),
        ("github_elsewhere", "github"),
    ] {
        assert_snapshot!(
            format!("report_{name}"),
            desk.run_with(&three(), &["verify", "team/good:1", "--report", report])
        );
    }
    // What only shows when it is written: the answer is given, and then the error.
    let late = ["verify", "team/good:1", "--quiet", "--report", "html=/proc/version"];
    assert_snapshot!("report_that_is_not_written", desk.run_with(&three(), &late));
    let output = desk.with(&three(), &[&late[..], &["--json"]].concat()).output().unwrap();
    assert_eq!((output.status.code(), errors(&document(&output))), (Some(2), Vec::new()));
}

#[test]
fn github_is_told_in_its_own_words() {
    let _steady = steadily();
    let desk = Desk::new();
    let summary = desk.write("summary.md", "# An earlier step\n\n");
    let run = |args: &[&str]| {
        let mut command = desk.with(&three(), &[&IMAGES[..], &["--quiet", "--report", "github"], args].concat());
        command.env("GITHUB_STEP_SUMMARY", &summary).output().unwrap()
    };
    assert_snapshot!("github_annotations", desk.told(&run(&[])));
    let written = fs::read_to_string(&summary).unwrap();
    assert!(written.starts_with("# An earlier step\n\n## ❌ 1 of 3 images verified\n"), "{written}");
    // Standard output stays the one document.
    assert_eq!(errors(&document(&run(&["--json"]))), [""; 0]);
}

/// The page of a pass, a fail and an image that is not there, as the program makes it.
#[test]
fn the_page_that_is_made_is_the_one_that_is_shown() {
    let desk = Desk::new();
    let output = desk.with(&three(), &[&IMAGES[..], &["--report", "html=page.html"]].concat()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let mut browser = Browser::start();
    browser.open(&desk.path("page.html"), (360, 800), "light");
    let verdicts = "[...document.querySelectorAll('.matrix .verdict')].map(one => one.textContent)";
    assert_eq!(browser.evaluate(verdicts), json!(["verified", "not verified", "no answer"]));
    assert_eq!(browser.evaluate("document.documentElement.scrollWidth <= innerWidth"), true);
    let text = browser.evaluate("document.body.innerText");
    assert!(text.as_str().unwrap().contains(UNKNOWN), "{text}");
    assert_eq!(browser.complaints(), Vec::<&Value>::new());
}
