//! Every format of a report, of every outcome.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use insta::assert_snapshot;
use sconce::model::Answers;
use sconce::report::{Format, github};
use serde_json::Value;

use super::written;
use crate::samples;

/// Answers of every kind, by name.
pub(super) fn every_kind() -> Vec<(&'static str, Answers)> {
    vec![
        ("built", samples::answers(vec![samples::built()])),
        ("unproven", samples::answers(vec![samples::unproven()])),
        ("build_failed", samples::answers(vec![samples::build_failed()])),
        ("verified", samples::answers(vec![samples::foreign()])),
        ("several_trials", samples::answers(vec![samples::thorough()])),
        ("several", samples::matrix()),
        ("hostile", samples::answers(vec![samples::hostile()])),
    ]
}

pub(super) fn in_format(name: &str, answers: &Answers) -> String {
    written(|out| Format::named(name).unwrap().write(answers, out))
}

/// No terminal, log or page is steered by any of them.
pub(crate) fn assert_inert(text: &str) {
    let obeyed = |c: &char| {
        (c.is_control() && *c != '\n' && *c != '\t') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert_eq!(text.chars().find(obeyed), None, "{text}");
}

fn snapshots() -> insta::internals::SettingsBindDropGuard {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.bind_to_scope()
}

#[test]
fn every_format_of_every_outcome() {
    let _beside_the_others = snapshots();
    for format in Format::ALL {
        for (kind, answers) in every_kind() {
            let text = in_format(format.name, &answers);
            assert_inert(&text);
            // The JSON documents have snapshots of their own, and the page is looked at by a browser; a statement holds the
            // time, and has tests of its own (tests/attestation.rs).
            if !["json", "html", "in-toto"].contains(&format.name) {
                assert_snapshot!(format!("{}_{kind}", format.name), text);
            }
        }
    }
    assert_snapshot!("html_several", in_format("html", &samples::matrix()));
}

#[test]
fn annotations_of_every_outcome() {
    let _beside_the_others = snapshots();
    for (kind, answers) in every_kind() {
        let text = written(|out| github::annotations(&answers, out));
        assert_inert(&text);
        for line in text.lines() {
            let begins = ["::error title=", "::warning title=", "::notice title="].iter().any(|c| line.starts_with(c));
            assert!(begins, "{line}");
        }
        assert_snapshot!(format!("github_{kind}"), text);
    }
}

/// In Markdown, hostile text can stand in a block or in a line: there it must not be markup.
#[test]
fn markdown_holds_no_foreign_markup() {
    assert_no_foreign_markup(&in_format("markdown", &samples::answers(vec![samples::hostile()])));
}

pub(crate) fn assert_no_foreign_markup(text: &str) {
    let mut fence: Option<String> = None;
    for line in text.lines() {
        let ticks: String = line.chars().take_while(|c| *c == '`').collect();
        match &fence {
            Some(open) if line == open => fence = None,
            None if ticks.len() >= 3 => fence = Some(ticks),
            None => {
                assert!(!line.contains("<script") && !line.contains("<img"), "{line}");
                assert!(!line.starts_with("# owned") && !line.replace("\\]", "").contains("]("), "{line}");
            }
            Some(_) => {}
        }
    }
    assert_eq!(fence, None);
}

/// What the XML says when it is read again is what was put into it, and its counts are right.
#[test]
fn junit_is_read_back() {
    for (kind, answers) in every_kind() {
        let xml = in_format("junit", &answers);
        let read = quick_junit::Report::deserialize_from_str(&xml).unwrap();
        assert_eq!(read.to_string().unwrap(), xml, "{kind}");
        let cases = || read.test_suites.iter().flat_map(|suite| &suite.test_cases);
        assert_eq!(read.tests, cases().count(), "{kind}");
        let mut names: Vec<_> = cases().map(|case| (case.classname.clone(), case.name.clone())).collect();
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all, "{kind}: readers tell cases by their class and name");
        assert_eq!(read.failures + read.errors > 0, !answers.ok(), "{kind}");
    }
}

/// The official schema (OASIS, 2.1.0), as the crate serde-sarif carries it.
pub(crate) fn sarif_schema() -> Value {
    // Of this platform alone: what only others need was never fetched.
    let host = Command::new("rustc").args(["--print", "host-tuple"]).output().unwrap();
    let host = String::from_utf8(host.stdout).unwrap();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let metadata = Command::new(cargo)
        .args(["metadata", "--format-version=1", "--offline", "--locked", "--filter-platform", host.trim()])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|package| package["name"] == "serde-sarif").unwrap();
    let manifest = PathBuf::from(package["manifest_path"].as_str().unwrap());
    let text = fs::read_to_string(manifest.with_file_name("src").join("schema.json")).unwrap();
    let mut schema: Value = serde_json::from_str(&text).unwrap();
    // The pattern of a language, which we never name, is no regular expression: it has one bracket too many.
    for part in ["run", "toolComponent"] {
        schema["definitions"][part]["properties"]["language"].as_object_mut().unwrap().remove("pattern").unwrap();
    }
    schema
}

#[test]
fn sarif_is_as_the_standard_has_it() {
    let validator = jsonschema::validator_for(&sarif_schema()).unwrap();
    for (kind, answers) in every_kind() {
        let document: Value = serde_json::from_str(&in_format("sarif", &answers)).unwrap();
        let errors: Vec<_> = validator.iter_errors(&document).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{kind}: {}", errors.join("\n"));
        let mut bad = document.clone();
        bad["runs"][0]["results"] = serde_json::json!([{"ruleId": "x"}]);
        assert!(!validator.is_valid(&bad), "a result without a message is none");
        let found = !document["runs"][0]["results"].as_array().unwrap().is_empty();
        assert_eq!(found, !answers.ok(), "{kind}");
        what_github_reads(&document, kind);
    }
}

/// What code scanning wants beyond the standard.
pub(crate) fn what_github_reads(document: &Value, kind: &str) {
    let run = &document["runs"][0];
    for result in run["results"].as_array().unwrap() {
        let rule = &run["tool"]["driver"]["rules"][usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], result["ruleId"], "{kind}");
        for text in [&rule["shortDescription"]["text"], &rule["help"]["text"], &rule["help"]["markdown"]] {
            assert!(!text.as_str().unwrap().is_empty(), "{kind}");
        }
        let place = &result["locations"][0]["physicalLocation"];
        let uri = place["artifactLocation"]["uri"].as_str().unwrap();
        assert!(!uri.is_empty() && !uri.starts_with('/') && !uri.contains(':'), "{kind}: {uri}");
        assert!(place["region"]["startLine"].as_u64().unwrap() > 0, "{kind}");
        assert!(result["partialFingerprints"]["primaryLocationLineHash"].is_string(), "{kind}");
    }
    let prints: Vec<_> =
        run["results"].as_array().unwrap().iter().map(|r| r["partialFingerprints"].to_string()).collect();
    let mut distinct = prints.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(prints.len(), distinct.len(), "{kind}: alerts of their own have fingerprints of their own");
}
