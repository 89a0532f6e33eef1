//! From what a reporter pasted to the failure and its remedy, on an engine that was recorded.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::cli::{Desk, UNKNOWN, image, interrupt, proof_of, recording, steady};
use crate::diff::{facts, written};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reproduce")
}

/// A desk with one of the documents.
fn desk(name: &str) -> Desk {
    let desk = Desk::new();
    desk.write("issue.md", &fs::read_to_string(folder().join(format!("{name}.md"))).unwrap());
    desk
}

fn ran(exit_code: i64, stdout: &str, stderr: &str) -> Value {
    json!({ "ok": { "exit_code": exit_code, "timed_out": false, "out_of_memory": false, "stdout": stdout, "stderr": stderr,
                    "milliseconds": 12_000 } })
}

/// What the program of sconce's own writes where everything is there.
fn works() -> Value {
    ran(0, "torch.compile works with torch 2.15.0+cu132\n", "")
}

/// What it writes where a header is missing.
fn fails(header: &str) -> Value {
    let line = format!("/tmp/torchinductor_reporter/ab/cab.cpp:2:10: fatal error: {header}: No such file or directory");
    let log = format!("torch._inductor.exc.InductorError: CppCompileError: C++ compile error\n\nOutput:\n{line}\n");
    ran(1, "", &log)
}

/// What the smoke test writes in the image whose letter is `letter` where little is tried.
fn quick_proof(letter: &str, failing: Option<(&str, &str)>) -> Value {
    let mut proof = proof_of(letter, failing);
    let mut document: Value = serde_json::from_str(proof["ok"]["stdout"].as_str().unwrap()).unwrap();
    document["checks"].as_array_mut().unwrap().retain(|check| check["id"] != "dynamic" && check["id"] != "warm");
    proof["ok"]["stdout"] = json!(document.to_string());
    proof
}

/// What is read in the image whose letter is `letter`.
fn collected(letter: &str) -> Value {
    let mut told = facts();
    told["torch"] = json!("2.15.0+cu132");
    told["variant"] = json!("cuda 13.2");
    told["place"] = json!("user");
    ran(0, &written(&format!("sha256:{}", letter.repeat(64)), &told), "")
}

/// An engine that builds the images `b` and `c`, and answers runs in this order.
fn engine(runs: &[Value]) -> Value {
    let mut engine = recording(&[image("debian:trixie-slim", "1")], runs);
    let built = |letter: &str| {
        let id = format!("sha256:{}", letter.repeat(64));
        json!({ "answer": { "ok": { "name": "built", "id": id, "cached_steps": 1, "steps": 9 } }, "image": image("", letter) })
    };
    engine["builds"] = json!([built("b"), built("c")]);
    engine["journal"] = json!("calls.log");
    engine
}

/// The engine of a failure that comes again and of a remedy that holds.
fn both() -> Value {
    engine(&[fails("Python.h"), collected("b"), works(), proof_of("c", None), collected("c")])
}

fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

/// Where `document` is not as published.
fn errors(document: &Value) -> Vec<String> {
    crate::diff::schema::errors("reproduce.schema.json", document)
}

fn verdict(desk: &Desk, engine: &Value, args: &[&str]) -> (Option<i32>, Value) {
    let output = desk.with(engine, &[&["reproduce", "issue.md", "--json"], args].concat()).output().unwrap();
    let document = document(&output);
    assert_eq!(errors(&document), [""; 0], "{document:#}");
    (output.status.code(), document)
}

/// The calls of the last run that change something.
fn changes(desk: &Desk) -> Vec<String> {
    let journal = fs::read_to_string(desk.path("calls.log")).unwrap();
    let changes = journal.lines().filter(|line| !line.starts_with("find_image ") && *line != "sweep");
    let own = |word: &str| {
        if word.starts_with("localhost/sconce-unproven:") {
            "OWN".to_owned()
        } else {
            word.replace(&"b".repeat(64), "B").replace(&"c".repeat(64), "C")
        }
    };
    changes.map(|line| line.split(' ').map(own).collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn what_would_be_built_needs_no_engine() {
    let desk = desk("python-h-missing-user-site");
    assert_snapshot!("plan", desk.run(&["reproduce", "issue.md", "--plan"]));
    let output = desk.command(&["reproduce", "issue.md", "--plan", "--write", "out"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let written = |name: &str| fs::read_to_string(desk.path(&format!("out/{name}"))).unwrap();
    assert_snapshot!("faithful_dockerfile", written("Dockerfile.faithful"));
    let (faithful, fixed) = (written("Dockerfile.faithful"), written("Dockerfile.fixed"));
    assert!(!faithful.contains("python3.13-dev") && fixed.contains("python3.13-dev"), "{fixed}");
    assert!(written("reproduce.py").contains("torch.compile"));
    let again = desk.run(&["reproduce", "out/environment.json", "--plan"]);
    assert!(again.contains("the distribution's Python 3.13.5") && again.contains("2.15.0+cu132"), "{again}");
}

#[test]
fn the_failure_comes_again_and_the_remedy_holds() {
    let desk = desk("python-h-missing-user-site");
    steady().bind(|| assert_snapshot!("both", desk.run_with(&both(), &["reproduce", "issue.md", "--both", "--quiet"])));
    let changes = changes(&desk);
    let tagged: Vec<_> = changes.iter().filter(|line| line.starts_with("tag ")).collect();
    assert_eq!(
        tagged,
        ["tag sha256:B sconce-reproduction:faithful", "tag sha256:C sconce-reproduction:fixed"],
        "{changes:?}"
    );
    assert_eq!(changes.iter().filter(|line| line.starts_with("untag OWN")).count(), 2, "{changes:?}");
}

#[test]
fn the_report_to_paste_has_all_of_it() {
    let desk = desk("python-h-missing-user-site");
    let args = ["reproduce", "issue.md", "--both", "--quiet", "--format", "markdown"];
    let output = desk.with(&both(), &args).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for part in [
        "reproduced: the same failure, `PYTHON_H_MISSING`",
        "fatal error: Python.h",
        "proven",
        "FROM ${BASE}",
        "| same |",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

/// A schema that lets everything pass is none.
#[test]
fn what_is_not_published_is_refused() {
    let (_, good) = verdict(&desk("python-h-missing-user-site"), &both(), &["--both"]);
    for (path, value) in [
        ("/surprise", json!(1)),
        ("/ok", json!("yes")),
        ("/reported/environment/python", json!("3.13")),
        ("/replica/defect/fix/run", json!({})),
        ("/fidelity/score", json!(101)),
        ("/faithful/verdict", json!({ "name": "different" })),
        ("/faithful/attempt/run/exit_code", json!("1")),
        ("/fixed/attempt/verification", json!({})),
    ] {
        let mut bad = good.clone();
        let (parent, key) = path.rsplit_once('/').unwrap();
        bad.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(key.to_owned(), value);
        assert!(!errors(&bad).is_empty(), "{path}");
    }
}

#[test]
fn only_the_same_diagnosis_is_the_same_failure() {
    let desk = desk("python-h-missing-user-site");
    let faithful = |runs: &[Value]| {
        let (code, told) = verdict(&desk, &engine(runs), &["--faithful"]);
        (code, told["faithful"]["verdict"].clone(), told["faithful"]["attempt"]["tag"].clone())
    };
    let (code, same, tag) = faithful(&[fails("Python.h"), collected("b")]);
    assert_eq!((code, &same["name"], &tag), (Some(0), &json!("reproduced"), &json!("sconce-reproduction:faithful")));
    let (code, other, tag) = faithful(&[fails("omp.h"), collected("b")]);
    let expected = json!({ "name": "different", "shown": ["OMP_H_MISSING"] });
    assert_eq!((code, &other, &tag), (Some(1), &expected, &Value::Null));
    // A program that works shows nothing, and so does a proof that holds.
    let (code, none, _) = faithful(&[works(), quick_proof("b", None), collected("b")]);
    assert_eq!((code, &none["name"]), (Some(1), &json!("not_reproduced")));
    let header = "fatal error: Python.h: No such file or directory";
    // What fails for a reason that nobody knows is not the same, whatever a check of the proof finds besides.
    let (code, unknown, _) =
        faithful(&[ran(1, "", UNKNOWN), quick_proof("b", Some(("headers", header))), collected("b")]);
    assert_eq!((code, unknown), (Some(1), json!({ "name": "different", "shown": [] })));
}

#[test]
fn what_the_program_does_not_notice_the_proof_finds() {
    let desk = desk("errors-suppressed");
    let suppressed =
        "suppress_errors is on, so that a failed compile silently runs in eager mode (TORCHDYNAMO_SUPPRESS_ERRORS=1)";
    let proof = quick_proof("b", Some(("enabled", suppressed)));
    let (code, told) = verdict(&desk, &engine(&[works(), proof, collected("b")]), &["--faithful"]);
    let expected = json!({ "name": "reproduced_by_proof", "check": "enabled" });
    assert_eq!((code, &told["faithful"]["verdict"]), (Some(0), &expected), "{told:#}");
}

#[test]
fn a_remedy_is_proven_or_it_is_none() {
    let desk = desk("python-h-missing-user-site");
    let fixed = |runs: &[Value]| {
        let (code, told) = verdict(&desk, &engine(runs), &[]);
        assert_eq!(told["faithful"], Value::Null);
        (code, told["fixed"]["proven"].clone(), told["fixed"]["attempt"]["tag"].clone())
    };
    let tag = json!("sconce-reproduction:fixed");
    assert_eq!(fixed(&[works(), proof_of("b", None), collected("b")]), (Some(0), json!(true), tag));
    let failing = proof_of("b", Some(("kernels", UNKNOWN)));
    assert_eq!(fixed(&[works(), failing, collected("b")]), (Some(1), json!(false), Value::Null));
    assert_eq!(
        fixed(&[ran(1, "", UNKNOWN), proof_of("b", None), collected("b")]),
        (Some(1), json!(false), Value::Null)
    );
}

#[test]
fn a_reporter_s_program_runs_only_where_that_is_agreed_to() {
    let desk = desk("python-h-missing-user-site");
    let told = desk.run(&["reproduce", "issue.md", "--plan"]);
    assert!(told.contains("the report holds a program, which is not run"), "{told}");
    let (_, planned) = verdict(&desk, &engine(&[]), &["--plan", "--run-reported"]);
    assert!(planned["program"]["text"].as_str().unwrap().contains("torch.nn.functional.gelu"), "{planned:#}");
    assert_eq!(planned["program"]["theirs"], json!(true));
    desk.write("mine.py", "import torch\n");
    let (_, planned) = verdict(&desk, &engine(&[]), &["--plan", "--script", "mine.py"]);
    assert_eq!(planned["program"]["text"], json!("import torch\n"));
}

#[test]
fn an_image_that_cannot_be_built_is_an_answer() {
    let desk = desk("python-h-missing-user-site");
    let mut engine = engine(&[]);
    let log = [
        "ERROR: Could not find a version that satisfies the requirement torch==2.15.0",
        "ERROR: No matching distribution found for torch==2.15.0",
    ];
    let failed = json!({ "name": "failed", "step": "[3/9] RUN pip install torch==2.15.0", "message": "exit code: 1", "log": log });
    engine["builds"] = json!([{ "answer": { "ok": failed } }]);
    steady().bind(|| {
        assert_snapshot!("not_built", desk.run_with(&engine, &["reproduce", "issue.md", "--faithful", "--quiet"]));
    });
}

#[test]
fn what_is_no_report_is_told_before_an_engine_is_asked() {
    let desk = Desk::new();
    desk.write("prose.txt", "it does not work, please help\n");
    desk.write("empty.txt", "\n");
    desk.write("binary.txt", "a\0b\0c");
    let one = "PyTorch version: 2.5.1+cu124\nIs debug build: False\nOS: Ubuntu 22.04.4 LTS (x86_64)\nPython version: 3.10.12\n";
    desk.write("two.txt", &format!("{one}\n```\n```\nsecond machine\n\n{}", one.replace("2.5.1", "2.6.0")));
    let runs: [&[&str]; 9] = [
        &["prose.txt"],
        &["empty.txt"],
        &["binary.txt"],
        &["gone.txt"],
        &["project"],
        &["two.txt"],
        &["two.txt", "--report", "3"],
        &["prose.txt", "--faithful", "--fixed"],
        &[],
    ];
    let told: Vec<String> = runs
        .iter()
        .map(|args| format!("$ sconce reproduce {}\n{}", args.join(" "), desk.run(&[&["reproduce"], *args].concat())))
        .collect();
    assert_snapshot!("no_report", told.join("\n"));
}

#[test]
fn the_environment_of_an_image_is_written() {
    let desk = Desk::new();
    let engine = recording(&[image("team/app:1.4", "a")], &[collected("a")]);
    let output = desk.with(&engine, &["reproduce", "--from-image", "team/app:1.4", "--quiet"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let environment = document(&output);
    assert_eq!(environment["torch"]["value"], json!("2.15.0+cu132"));
    assert_eq!(environment["python"]["origin"], json!({ "kind": "image", "image": "team/app:1.4" }));
}

#[test]
fn an_interrupted_run_leaves_nothing() {
    let desk = desk("python-h-missing-user-site");
    let mut engine = engine(&[]);
    engine["runs"] = json!(["hang"]);
    let mut child =
        desk.with(&engine, &["reproduce", "issue.md", "--both"]).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let begun = |line: &String| line.contains("running sconce's own program");
    let lines = std::io::BufRead::lines(std::io::BufReader::new(child.stderr.take().unwrap()));
    let mut lines = lines.map(Result::unwrap);
    assert!(lines.any(|line| begun(&line)));
    interrupt(&child);
    lines.for_each(drop);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(changes(&desk).last().unwrap(), "untag OWN prune");
}

#[test]
fn an_image_that_cannot_tell_what_it_is_still_shows_its_failure() {
    let desk = desk("python-h-missing-user-site");
    let (code, told) = verdict(&desk, &engine(&[fails("Python.h"), ran(1, "", "killed")]), &["--faithful"]);
    assert_eq!((code, &told["faithful"]["verdict"]["name"]), (Some(0), &json!("reproduced")), "{told:#}");
    // What nobody looked at is as it was planned.
    assert_eq!(told["fidelity"]["measured"], json!(false), "{:#}", told["fidelity"]);
}

#[test]
fn an_error_leaves_nothing_and_is_a_document() {
    let desk = desk("python-h-missing-user-site");
    let gone = json!({ "error": { "kind": "try_again", "message": "the engine went away" } });
    let engine = engine(&[fails("Python.h"), gone]);
    let output = desk.with(&engine, &["reproduce", "issue.md", "--faithful", "--format", "json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(75), "{output:?}");
    let told = document(&output);
    assert_eq!(told["error"]["message"], json!("the engine went away"), "{told:#}");
    assert_eq!(changes(&desk).last().unwrap(), "untag OWN prune");
}
