//! What differs: between environment files, on an engine that was recorded, and between real images.

pub(crate) mod schema;

use std::process::Output;
use std::time::Duration;

use insta::assert_snapshot;
use sconce::engine::{Engine as _, Silent};
use sconce::model::{Environment, Need, Relevance, sha256_hex};
use sconce::ops::collect::{CollectOptions, collect};
use sconce::ops::diff::{diff, look};
use serde_json::{Value, json};

use crate::cli::Desk;
use crate::support::{base_image, connect, unique};

/// What `templates/collect.py` tells of an image in which everything is there.
pub(crate) fn facts() -> Value {
    let met = |seen: &str| json!({ "met": true, "seen": seen });
    json!({
        "system": { "distribution": "debian", "release": "13", "text": "Debian GNU/Linux 13 (trixie)" },
        "machine": "x86_64", "kernel": "6.12.0", "libc": "glibc 2.41", "cpu": "a processor", "cpus": 2, "isa": "AVX2",
        "gcc": "(Debian 14.2.0-19) 14.2.0", "python": "3.13.5", "python_build": "main) [GCC 14.2.0",
        "installation": "distribution", "place": "environment", "torch": "2.6.0+cpu", "variant": "cpu", "debug": false,
        "gpu_available": false,
        "packages": [
            { "name": "numpy", "version": "2.2.4", "manager": "pip", "hash": "sha256:1111", "source": null },
            { "name": "sympy", "version": "1.13.1", "manager": "pip", "hash": null, "source": null },
            { "name": "libgomp1", "version": "14.2.0-19", "manager": "system" },
            { "name": "python3.13-dev", "version": "3.13.5-2", "manager": "system" },
        ],
        "variables": [
            { "name": "PATH", "value": "/usr/bin" },
            { "name": "API_TOKEN", "value": null },
        ],
        "needs": {
            "python_headers": met("/usr/include/python3.13/Python.h, of Python 3.13.5"),
            "cxx_compiler": met("g++ (Debian 14.2.0-19) 14.2.0 at /usr/bin/g++"),
            "binutils": met("GNU ld 2.44"),
        },
    })
}

/// The same of one that is broken.
fn broken() -> Value {
    let mut broken = facts();
    broken["needs"]["python_headers"] = json!({ "met": false, "seen": "Python.h is not in /usr/include/python3.13" });
    broken["torch"] = json!("2.5.1+cpu");
    broken["packages"].as_array_mut().unwrap().pop();
    broken["packages"][0]["version"] = json!("1.26.4");
    broken["packages"][1]["manager"] = json!("conda");
    let switched = json!({ "name": "TORCHDYNAMO_DISABLE", "value": "1\u{1b}[2J" });
    broken["variables"].as_array_mut().unwrap().push(switched);
    broken["kernel"] = json!("5.15.0");
    broken
}

/// What a container of the image `id` writes that tells these facts, with noise around it.
pub(crate) fn written(id: &str, facts: &Value) -> String {
    let marker = format!("sconce-{}", &sha256_hex([b"collect ".as_slice(), id.as_bytes()])[..24]);
    let document = json!({ "schema": 1, "image": id, "environment": facts });
    format!("a banner\n{{}}\n{marker} begin\n{document}\n{marker} end\nbye\n")
}

fn run(stdout: &str) -> Value {
    json!({ "ok": { "exit_code": 0, "timed_out": false, "out_of_memory": false, "stdout": stdout, "stderr": "",
                    "milliseconds": 5 } })
}

/// An engine with two images, which tell these facts.
fn engine(one: &Value, other: &Value) -> Value {
    let image = |id: &str, tag: &str| json!({ "id": id, "tags": [tag], "size": 1, "user": "", "architecture": "amd64", "layers": [] });
    json!({
        "info": { "name": "Docker", "version": "28.0.0", "api": "1.48", "buildkit": true,
                  "endpoint": "tcp://build.example.org:2376", "architecture": "amd64", "cpus": 8,
                  "memory": 16_000_000_000_u64 },
        "images": [image("sha256:1", "app:good"), image("sha256:2", "app:broken")],
        "runs": [run(&written("sha256:1", one)), run(&written("sha256:2", other))],
    })
}

/// The environment file of the image in which everything is there, as the program itself writes it.
fn environment() -> Value {
    document(
        &Desk::new()
            .with(&engine(&facts(), &broken()), &["diff", "app:good", "app:broken", "--json"])
            .output()
            .unwrap(),
    )["left"]["environment"]
        .clone()
}

/// A desk with environment files of both.
fn desk() -> Desk {
    let desk = Desk::new();
    let output =
        desk.with(&engine(&facts(), &broken()), &["diff", "app:good", "app:broken", "--json"]).output().unwrap();
    let document = document(&output);
    desk.write("good.json", &document["left"]["environment"].to_string());
    desk.write("broken.json", &document["right"]["environment"].to_string());
    desk
}

fn document(output: &Output) -> Value {
    let document = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    assert_eq!(schema::errors("diff.schema.json", &document), [""; 0], "{document:#}");
    document
}

fn told(desk: &Desk, args: &[&str]) -> Value {
    document(&desk.command(&[&["diff"], args].concat()).output().unwrap())
}

#[test]
fn two_images() {
    let desk = Desk::new();
    let recording = engine(&facts(), &broken());
    assert_snapshot!(desk.run_with(&recording, &["diff", "app:good", "app:broken"]));
    assert_snapshot!("two_images_all", desk.run_with(&recording, &["diff", "app:good", "app:broken", "--all"]));
    let markdown = ["diff", "app:good", "app:broken", "--format", "markdown"];
    assert_snapshot!("two_images_markdown", desk.run_with(&recording, &markdown));
}

#[test]
fn files_take_no_engine() {
    let desk = desk();
    let comparison = told(&desk, &["good.json", "broken.json", "--format", "json"]);
    let names: Vec<&str> =
        comparison["differences"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    let expected = [
        "need python_headers",
        "torch",
        "variable TORCHDYNAMO_DISABLE",
        "package numpy",
        "package python3.13-dev",
        "package sympy",
        "kernel",
    ];
    assert_eq!(names, expected);
    assert_snapshot!("the_same", desk.run(&["diff", "good.json", "good.json"]));
}

/// What one side lacks is told also where the other says nothing of it.
#[test]
fn a_report_and_an_image_that_is_broken() {
    let desk = desk();
    let fact = |value: &str, line: usize| json!({ "value": value, "origin": { "kind": "file", "file": "report.txt", "line": line } });
    let report = json!({ "python": fact("3.13", 4), "torch": fact("2.5.1", 2), "gcc": fact("13.3.0", 7) });
    desk.write("report.json", &report.to_string());
    let text = desk.run(&["diff", "report.json", "broken.json"]);
    let lacks = "B lacks, and A does not tell whether it has\n\n  ✗ python headers: Python.h is not in /usr/include/python3.13\n";
    assert!(text.contains(lacks), "{text}");
    assert!(!text.contains("A lacks"), "{text}");
    let markdown = desk.run(&["diff", "report.json", "broken.json", "--format", "markdown"]);
    let lacks = "`broken.json` lacks, and `report.json` does not tell whether it has:\n\n- ❌ python headers: Python.h";
    assert!(markdown.contains(lacks), "{markdown}");
}

/// An issue often holds the report of a machine on which it works, and of one on which it does not.
#[test]
fn two_reports_of_one_document() {
    let desk = Desk::new();
    let one = "PyTorch version: 2.5.1+cu124\nOS: Ubuntu 22.04.4 LTS (x86_64)\nPython version: 3.10.12\n";
    let two = one.replace("2.5.1", "2.6.0");
    desk.write("issue.md", &format!("It works on\n```\n{one}```\nand fails on\n```\n{two}```\n"));
    assert_snapshot!("side_of_several", desk.run(&["diff", "issue.md", "issue.md"]));
    let told = told(&desk, &["issue.md#1", "issue.md#2", "--json"]);
    assert_eq!((&told["left"]["name"], &told["right"]["name"]), (&json!("issue.md#1"), &json!("issue.md#2")));
    let names: Vec<&Value> = told["differences"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["torch"]);
    assert_snapshot!("side_beyond", desk.run(&["diff", "issue.md#1", "issue.md#3"]));
}

#[test]
fn the_exit_code_is_that_of_an_answer() {
    let desk = desk();
    let code = |args: &[&str]| desk.command(args).output().unwrap().status.code().unwrap();
    assert_eq!(code(&["diff", "good.json", "broken.json"]), 0);
    assert_eq!(code(&["diff", "good.json", "broken.json", "--exit-code"]), 1);
    assert_eq!(code(&["diff", "good.json", "good.json", "--exit-code"]), 0);
    assert_eq!(code(&["diff", "good.json", "app:gone"]), 75, "there is no engine");
    assert_eq!(code(&["diff", "-", "-"]), 2);
    assert_eq!(code(&["diff", "good.json", "project"]), 2);
    assert_eq!(code(&["diff", "good.json", "engine.json"]), 2, "a file that is no report");
    assert_eq!(code(&["diff", "good.json", "broken.json", "--json", "--format", "markdown"]), 2);
}

#[test]
fn what_is_no_side_is_refused_with_a_hint() {
    let desk = desk();
    let recording = engine(&facts(), &broken());
    assert_snapshot!("side_gone", desk.run_with(&recording, &["diff", "good.json", "reports/gone.txt"]));
    assert_snapshot!("side_folder", desk.run(&["diff", "good.json", "project"]));
    assert_snapshot!("side_malformed", desk.run(&["diff", "good.json", "No Such"]));
    desk.write("empty.json", "{}");
    assert_snapshot!("side_empty", desk.run(&["diff", "good.json", "empty.json"]));
}

/// What an image writes is believed only where it is one whole document of that image.
#[test]
fn an_image_that_tells_nothing_is_no_answer() {
    let desk = desk();
    for stdout in [
        String::new(),
        facts().to_string(),
        written("sha256:2", &facts()),
        written("sha256:1", &facts()).repeat(2),
        written("sha256:1", &json!({ "python": 3 })),
    ] {
        let mut recording = engine(&facts(), &facts());
        recording["runs"] = json!([run(&stdout)]);
        let output = desk.with(&recording, &["diff", "app:good", "good.json"]).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("the environment of the image `app:good` cannot be told"), "{said}");
    }
}

// Real images.

fn options() -> CollectOptions {
    CollectOptions { python: None, pull: false, timeout: Duration::from_mins(10) }
}

fn met(environment: &Environment, need: Need) -> Option<bool> {
    environment.needs.get(&need).map(|state| state.value.met)
}

#[tokio::test]
async fn an_image_without_an_interpreter_has_nothing_to_tell() {
    let engine = connect().await;
    let base = base_image(&engine).await;
    let error = collect(&engine, base, &options(), &Silent).await.unwrap_err();
    assert!(error.message.contains("no Python 3.8 or newer"), "{error:?}");
}

/// The image that passes every check, and the same without the headers of the interpreter, with a secret and with a variable
/// that switches compiling off.
#[tokio::test]
async fn the_difference_that_matters_comes_first() {
    let engine = connect().await;
    let _turn = crate::verify::TURNS.acquire().await.unwrap();
    let good = crate::verify::good_image(&engine).await;
    let tag = format!("localhost/sconce-test-diff:{}", unique());
    let lines = "USER root\nRUN rm -r /usr/include/python3.13 && find / -xdev -name omp.h -delete\n\
                 ENV TORCHDYNAMO_DISABLE=1 API_TOKEN=hunter2 INDEX=https://me:hunter2@pypi.example.org/simple";
    crate::verify::build(&engine, good, lines, &tag).await;
    let sides = async {
        let left = look(&engine, good, &options(), &Silent).await?;
        Ok::<_, sconce::model::Error>((left, look(&engine, &tag, &options(), &Silent).await?))
    }
    .await;
    engine.untag(&tag, true).await.unwrap();
    let (left, right) = sides.unwrap();

    let whole = &left.environment;
    assert!(
        whole.torch.is_some() && whole.variant.is_some() && whole.libc.is_some() && whole.gcc.is_some(),
        "{whole:#?}"
    );
    assert!(whole.package("numpy").is_some() && whole.package("g++").is_some(), "{whole:#?}");
    let unmet: Vec<_> = Need::ALL.into_iter().filter(|need| met(whole, *need) != Some(true)).collect();
    assert_eq!(unmet, [], "{whole:#?}");
    for (need, expected) in
        [(Need::PythonHeaders, false), (Need::OpenmpHeader, false), (Need::OpenmpLink, true), (Need::CxxCompiler, true)]
    {
        assert_eq!(met(&right.environment, need), Some(expected), "{need:?}: {:#?}", right.environment.needs);
    }
    let text = serde_json::to_string(&right.environment).unwrap();
    assert!(text.contains("API_TOKEN") && text.contains("https://pypi.example.org/simple"), "{text}");
    assert!(!text.contains("hunter2"), "a secret came out");
    let written = serde_json::to_value(&right.environment).unwrap();
    assert_eq!(schema::errors("environment.schema.json", &written), [""; 0]);
    assert_eq!(serde_json::from_value::<Environment>(written).unwrap(), right.environment, "it can be read back");

    let comparison = diff(left, right).unwrap();
    let names: Vec<&str> = comparison.differences.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names[..3], ["need python_headers", "need openmp_header", "variable TORCHDYNAMO_DISABLE"], "{names:?}");
    assert!(comparison.differences[3..].iter().all(|one| one.relevance != Relevance::Decisive), "{names:?}");
}
