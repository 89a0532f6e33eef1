//! `sconce explain` as its users meet it, and its forms on every log there is.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use insta::assert_snapshot;
use jsonschema::Registry;
use sconce::model::{Circumstances, Confidence, Diagnosis, Evidence, Explained, Explanation, Remedy, Said};
use sconce::ops;
use sconce::report::{Page, explanation, json};
use serde_json::{Value, json};

use crate::cli::Desk;
use crate::report::formats::{assert_inert, assert_no_foreign_markup, sarif_schema, what_github_reads};
use crate::report::plain;
use crate::report::schema::{is_strict, published};
use crate::samples::HOSTILE;

const FLAGSHIP: &str = include_str!("explain/flagship.log");
const SEVERAL: &str = include_str!("explain/several.log");
const UNKNOWN: &str = include_str!("explain/unknown.log");

const FORMATS: [&str; 5] = ["text", "json", "markdown", "sarif", "github"];

/// The lines of a terminal that an answer may take, and the columns where output is no terminal.
const SCREEN: (usize, usize) = (24, 100);

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("train.log", FLAGSHIP);
    desk.write("several.log", SEVERAL);
    desk.write("unknown.log", UNKNOWN);
    desk
}

fn piped(desk: &Desk, args: &[&str], log: &[u8]) -> String {
    let mut command = desk.command(args);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(log).unwrap();
    desk.told(&child.wait_with_output().unwrap())
}

/// What stands on standard output of what a [`Desk`] tells.
fn stdout(told: &str) -> &str {
    told.split_once("--- stdout\n").unwrap().1.split_once("--- stderr\n").unwrap().0
}

#[test]
fn the_flagship_is_answered_on_one_screen() {
    let told = desk().run(&["explain", "train.log"]);
    assert_snapshot!(told);
    let answer = stdout(&told);
    assert!(answer.lines().count() <= SCREEN.0, "{answer}");
    let wide: Vec<_> = answer.lines().filter(|line| line.chars().count() > SCREEN.1).collect();
    assert!(wide.is_empty(), "{wide:?}");
    let (title, fix) = (answer.find("Python.h is missing").unwrap(), answer.find("python3.13-dev").unwrap());
    let evidence = answer.find("train.log:26").unwrap();
    assert!(title < evidence && evidence < fix, "{answer}");
}

#[test]
fn the_readme_shows_the_answer_as_it_is() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let told = desk().run(&["explain", "train.log"]);
    let block = format!("```console\n$ sconce explain train.log\n{}```\n", stdout(&told));
    assert!(readme.contains(&block), "README.md has to show this, of tests/explain/flagship.log:\n{block}");
}

#[test]
fn a_log_in_every_format() {
    let desk = desk();
    for format in &FORMATS[1..] {
        assert_snapshot!(format!("flagship_{format}"), desk.run(&["explain", "train.log", "--format", format]));
        assert_snapshot!(format!("several_{format}"), desk.run(&["explain", "several.log", "--format", format]));
        assert_snapshot!(format!("unknown_{format}"), desk.run(&["explain", "unknown.log", "--format", format]));
    }
    assert_eq!(desk.run(&["explain", "train.log", "--json"]), desk.run(&["explain", "train.log", "--format", "json"]));
}

#[test]
fn several_causes() {
    let desk = desk();
    assert_snapshot!("several", desk.run(&["explain", "several.log"]));
    assert_snapshot!("several_all", desk.run(&["explain", "several.log", "--all"]));
    assert_snapshot!("several_all_markdown", desk.run(&["explain", "several.log", "--all", "--format", "markdown"]));
}

#[test]
fn what_is_unknown_is_said_to_be() {
    let told = desk().run(&["explain", "unknown.log"]);
    assert!(told.starts_with("exit code 1\n") && told.contains("no known cause fits") && told.contains("TORCH_LOGS"));
    assert_snapshot!(told);
}

#[test]
fn a_log_is_piped_in() {
    let desk = desk();
    let from_file = desk.run(&["explain", "several.log"]).replace("several.log:1", "standard input:1");
    assert_eq!(piped(&desk, &["explain"], SEVERAL.as_bytes()), from_file);
    assert_eq!(piped(&desk, &["explain", "-"], SEVERAL.as_bytes()), from_file);
    assert_snapshot!(piped(&desk, &["explain", "--format", "sarif"], SEVERAL.as_bytes()));
}

#[test]
fn what_is_no_log_is_an_error() {
    let desk = desk();
    desk.write("empty.log", "");
    assert_snapshot!("empty", desk.run(&["explain", "empty.log"]));
    assert_snapshot!("empty_as_json", desk.run(&["explain", "--format", "json", "empty.log"]));
    assert_snapshot!("empty_pipe", piped(&desk, &["explain"], b""));
    assert_snapshot!("a_folder", desk.run(&["explain", "project"]));
    assert_snapshot!("a_missing_file", desk.run(&["explain", "build/gone.log"]));
}

#[test]
fn a_program_is_no_log() {
    let desk = desk();
    fs::write(desk.path("core"), [b"\x7fELF\x02\x01\x01".as_slice(), &[0; 64]].concat()).unwrap();
    let binary = desk.run(&["explain", "core"]);
    assert!(binary.starts_with("exit code 2\n") && binary.contains("`core`"), "{binary}");
    assert_snapshot!("binary", binary);
}

#[test]
fn wrong_usage() {
    let desk = desk();
    assert_snapshot!("json_and_another_format", desk.run(&["explain", "train.log", "--json", "--format", "sarif"]));
    assert_snapshot!("an_unknown_format", desk.run(&["explain", "train.log", "--format", "pdf"]));
    assert_snapshot!("an_entry_as_sarif", desk.run(&["explain", "PYTHON_H_MISSING", "--format", "sarif"]));
    assert_snapshot!("a_catalogue_of_a_log", desk.run(&["explain", "train.log", "--catalogue"]));
}

#[test]
fn an_entry_is_shown_in_full() {
    let desk = desk();
    let told = desk.run(&["explain", "PYTHON_H_MISSING"]);
    assert_eq!(desk.run(&["explain", "python-h-missing"]), told);
    assert_snapshot!("entry", told);
    assert_snapshot!("entry_markdown", desk.run(&["explain", "PYTHON_H_MISSING", "--format", "markdown"]));
    assert_snapshot!("entry_unknown", desk.run(&["explain", "PYHTON_H_MISSING"]));
    // A file wins over an id of its name.
    desk.write("PYTHON_H_MISSING", UNKNOWN);
    assert!(desk.run(&["explain", "PYTHON_H_MISSING"]).contains("no known cause fits"));
}

/// The list names every failure once, below its stage.
#[test]
fn the_catalogue_is_listed() {
    let told = desk().run(&["explain", "--catalogue"]);
    for known in ops::explain::known() {
        let line = format!("  {} ", known.id);
        assert_eq!(told.lines().filter(|text| text.starts_with(&line)).count(), 1, "{}", known.id);
        assert!(told.contains(&format!("\n{}\n", known.stage)), "{}", known.stage);
    }
    assert!(told.starts_with("exit code 0\n"));
}

#[test]
fn the_page_of_failures_is_up_to_date() {
    let told = desk().run(&["explain", "--catalogue", "--format", "markdown"]);
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/failures.md")).unwrap();
    assert!(
        stdout(&told) == page,
        "docs/failures.md is not what images/failures.toml says: `make failures` writes it anew"
    );
}

#[test]
fn the_summary_of_a_step_gets_the_markdown() {
    let desk = desk();
    let summary = desk.write("summary.md", "before\n");
    let mut command = desk.command(&["explain", "train.log", "--format", "github"]);
    command.env("GITHUB_STEP_SUMMARY", &summary);
    let told = desk.told(&command.output().unwrap());
    assert!(stdout(&told).starts_with("::error title=sconce%3A Python.h"), "{told}");
    let markdown = desk.run(&["explain", "train.log", "--format", "markdown"]);
    assert_eq!(fs::read_to_string(&summary).unwrap(), format!("before\n{}", stdout(&markdown)));
}

/// Neither a log nor its name steers a terminal, a page or a runner.
#[test]
fn a_hostile_log_is_only_shown() {
    let desk = desk();
    let name = "a,line=9::b ](https://example.org) <img>.log";
    let line = format!("{}fatal error: Python.h: No such file or directory{}", "\u{1b}]0;owned\u{7}", HOSTILE);
    desk.write(name, &format!("::error::owned\n{line}\n{HOSTILE}\n"));
    for format in FORMATS {
        let told = desk.run(&["explain", name, "--all", "--format", format]);
        assert_inert(&told);
        assert!(told.starts_with("exit code 0\n"), "{told}");
        assert_snapshot!(format!("hostile_{format}"), told);
    }
    let markdown = desk.run(&["explain", name, "--format", "markdown"]);
    assert_no_foreign_markup(stdout(&markdown));
    let annotations = desk.run(&["explain", name, "--format", "github"]);
    assert!(stdout(&annotations).lines().all(|line| line.starts_with("::error title=sconce%3A ")), "{annotations}");
    desk.write("unknown", &format!("{HOSTILE}\n::error::owned\n"));
    for format in FORMATS {
        assert_inert(&desk.run(&["explain", "unknown", "--format", format]));
    }
}

// --- What a log can come to, whatever the catalogue knows of it today ---

fn said(value: &str) -> Said {
    Said { value: value.to_owned(), line: 3 }
}

fn diagnosis(confidence: Confidence) -> Diagnosis {
    let remedy = |platform: &str, note: Option<&str>, command: &str| Remedy {
        platform: platform.to_owned(),
        note: note.map(str::to_owned),
        commands: vec![command.to_owned()],
        fits: Vec::new(),
    };
    Diagnosis {
        id: "HEADER_MISSING".to_owned(),
        title: "a header is missing".to_owned(),
        stage: "compile".to_owned(),
        confidence,
        doubt: None,
        cause: "The compiler looks for `x.h`, and it is not installed.".to_owned(),
        evidence: Evidence { line: 12, text: "x.cpp:1: fatal error: x.h: No such file or directory".to_owned() },
        remedies: vec![
            remedy("apt", Some("as root; in a container, in its Dockerfile"), "apt-get install -y x-dev"),
            remedy("docker", Some("in the last stage"), "RUN apt-get update && apt-get install -y x-dev"),
            remedy("any", Some("where nothing may be installed"), "export CPATH=/opt/x/include"),
        ],
        check: vec!["ls /usr/include/x.h".to_owned()],
        further: vec!["Where the header is there and is not found, `CPATH` may name another folder.".to_owned()],
        references: vec!["https://example.org/x".to_owned()],
    }
}

fn explained(diagnoses: Vec<Diagnosis>) -> Explained {
    let known = !diagnoses.is_empty();
    let decisive = vec![
        Evidence { line: 7, text: "RuntimeError: something else".to_owned() },
        Evidence { line: 40, text: "error: it did not work".to_owned() },
    ];
    let circumstances = Circumstances {
        python: Some(said("3.13")),
        installation: Some(said("distribution")),
        torch_place: Some(said("user")),
        system: Some(said("debian")),
        compiler: Some(said("g++")),
        ..Circumstances::default()
    };
    let notes = vec!["the log begins in the middle of a line".to_owned()];
    let decisive = if known { Vec::new() } else { decisive };
    let more = if known { Vec::new() } else { diagnosis(Confidence::Certain).remedies };
    let explanation = Explanation { lines: 64, diagnoses, circumstances, decisive, notes };
    Explained { log: "ci/train.log".to_owned(), file: Some("ci/train.log".to_owned()), explanation, more }
}

fn samples() -> Vec<(&'static str, Explained)> {
    use Confidence::{Certain, Likely, Warning};
    vec![
        ("certain", explained(vec![diagnosis(Certain)])),
        ("likely", explained(vec![diagnosis(Likely)])),
        ("warning", explained(vec![diagnosis(Warning)])),
        ("both", explained(vec![diagnosis(Certain), Diagnosis { id: "OTHER".to_owned(), ..diagnosis(Warning) }])),
        ("many", explained((0..6).map(|n| Diagnosis { id: format!("CAUSE_{n}"), ..diagnosis(Certain) }).collect())),
        ("nothing", explained(Vec::new())),
    ]
}

const PAGE: Page = Page { width: 80, ascii: false };

#[test]
fn every_kind_of_answer() {
    for (kind, explained) in samples() {
        let short = plain(|out| explanation::text(&explained, false, PAGE, out));
        let wide: Vec<_> = short.lines().filter(|line| line.chars().count() > PAGE.width).collect();
        assert!(wide.is_empty(), "{kind}: {wide:?}");
        assert!(short.lines().count() <= SCREEN.0, "{kind}: {short}");
        assert_snapshot!(format!("kind_{kind}"), short);
        assert_snapshot!(format!("kind_{kind}_all"), plain(|out| explanation::text(&explained, true, PAGE, out)));
        assert_snapshot!(format!("kind_{kind}_markdown"), plain(|out| explanation::markdown(&explained, true, out)));
        assert_snapshot!(format!("kind_{kind}_github"), plain(|out| explanation::annotations(&explained, out)));
    }
    let ascii = plain(|out| explanation::text(&samples()[0].1, false, Page { ascii: true, ..PAGE }, out));
    assert!(ascii.is_ascii(), "{ascii}");
}

/// Every log that the tests have, as it is explained.
fn every_log() -> Vec<(String, Explained)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/logs");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "log"));
    paths.sort();
    assert!(paths.len() > 50);
    let explain = |path: PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let explained = ops::explain::explain(&name, Some(name.clone()), fs::File::open(&path).unwrap());
        (name, explained.unwrap())
    };
    paths
        .into_iter()
        .map(explain)
        .chain(samples().into_iter().map(|(kind, sample)| (kind.to_owned(), sample)))
        .collect()
}

fn document(write: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>) -> Value {
    let mut out = Vec::new();
    write(&mut out).unwrap();
    serde_json::from_slice(&out).unwrap()
}

/// Where documents are not as published.
fn errors(documents: &[(String, Value)]) -> Vec<String> {
    let mut beside = Registry::new();
    for name in ["inspect.schema.json", "report.schema.json"] {
        beside = beside.add(format!("file:///docs/{name}"), published(name)).unwrap();
    }
    let beside = beside.prepare().unwrap();
    let options = jsonschema::options().with_base_uri("file:///docs/explain.schema.json").with_registry(&beside);
    let schema = published("explain.schema.json");
    let validator = options.build(&schema).unwrap();
    let error = |(name, document): &(String, Value)| {
        validator.iter_errors(document).map(|error| format!("{name}: {}: {error}", error.instance_path())).collect()
    };
    documents.iter().flat_map(|document| -> Vec<String> { error(document) }).collect()
}

#[test]
fn every_document_is_as_published() {
    let logs = every_log().into_iter();
    let mut documents: Vec<_> =
        logs.map(|(name, explained)| (name, document(|out| json::explanation(&explained, out)))).collect();
    let known = ops::explain::known();
    documents.push(("all".to_owned(), document(|out| json::failures(&known, out))));
    documents.push(("one".to_owned(), document(|out| json::failure(&known[0], out))));
    let error = sconce::model::Error::usage("`x` is empty");
    documents.push(("error".to_owned(), document(|out| json::error(&error, out))));
    assert_eq!(errors(&documents), [""; 0]);
    is_strict(&published("explain.schema.json"));
}

/// A schema that lets everything pass is none.
#[test]
fn what_is_not_published_is_refused() {
    let good = document(|out| json::explanation(&samples()[0].1, out));
    for (path, value) in [
        ("/ok", json!("yes")),
        ("/surprise", json!(1)),
        ("/lines", json!(0)),
        ("/circumstances/surprise", json!(1)),
        ("/circumstances/python/line", json!(0)),
        ("/diagnoses/0/confidence", json!("hopeful")),
        ("/diagnoses/0/remedies/0/surprise", json!(1)),
        ("/more", json!(["again"])),
    ] {
        let mut bad = good.clone();
        let (parent, key) = path.rsplit_once('/').unwrap();
        bad.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(key.to_owned(), value);
        assert!(!errors(&[(path.to_owned(), bad)]).is_empty(), "{path}");
    }
}

#[test]
fn sarif_is_as_the_standard_has_it() {
    let validator = jsonschema::validator_for(&sarif_schema()).unwrap();
    for (name, explained) in every_log() {
        let document = document(|out| explanation::sarif(&explained, out));
        let errors: Vec<_> = validator.iter_errors(&document).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{name}: {}", errors.join("\n"));
        what_github_reads(&document, &name);
        let results = document["runs"][0]["results"].as_array().unwrap();
        assert_eq!(results.len(), explained.explanation.diagnoses.len().max(1), "{name}");
        let warns = |known: &Diagnosis| known.confidence == Confidence::Warning;
        let level = if explained.explanation.diagnoses.first().is_some_and(warns) { "warning" } else { "error" };
        assert_eq!(results[0]["level"], level, "{name}");
        let line = explained.explanation.diagnoses.first().map(|known| known.evidence.line);
        let shown = &results[0]["locations"][0]["physicalLocation"];
        assert!(line.is_none_or(|line| shown["region"]["startLine"] == json!(line)), "{name}");
    }
}

/// Whatever the log, the first answer fits a screen; what is wider than it is a command or a path to copy.
#[test]
fn every_answer_fits_one_screen() {
    let page = Page { width: SCREEN.1, ascii: false };
    for (name, explained) in every_log() {
        let text = plain(|out| explanation::text(&explained, false, page, out));
        assert!(text.lines().count() <= SCREEN.0, "{name}: {} lines\n{text}", text.lines().count());
        assert_inert(&text);
    }
}
