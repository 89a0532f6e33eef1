//! The fixtures of `tests/reported`: reports, and what was reviewed of each. That they are read so is tested where the
//! reader is; here, that the expectations are whole and true to their texts.

use std::fs;
use std::path::{Path, PathBuf};

use sconce::model::Environment;
use serde_json::Value;

/// The reports, each with its text and its expectation.
fn fixtures() -> Vec<(PathBuf, String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reported/collect_env");
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut reports: Vec<PathBuf> = files.filter(|file| file.extension().is_some_and(|found| found == "txt")).collect();
    reports.sort();
    assert!(reports.len() >= 24, "the fixtures were not found");
    let with_expectation = |report: PathBuf| {
        let text = fs::read_to_string(&report).unwrap();
        let expected = fs::read_to_string(report.with_extension("json"))
            .unwrap_or_else(|_| panic!("{}: nobody reviewed what is to be read of it", report.display()));
        (report, text, serde_json::from_str(&expected).unwrap())
    };
    reports.into_iter().map(with_expectation).collect()
}

/// Every fact of an expectation: its value, and the line where it was read.
fn facts(expected: &Value) -> Vec<(String, &Value, usize)> {
    let mut facts = Vec::new();
    for (field, value) in expected.as_object().unwrap() {
        let one = [value.clone()];
        let several = value.as_array().is_some();
        let count = value.as_array().map_or(one.len(), Vec::len);
        for at in 0..count {
            let fact = if several { &value[at] } else { value };
            let told = fact.get("version").or_else(|| fact.get("value")).unwrap();
            let line = usize::try_from(fact["origin"]["line"].as_u64().unwrap()).unwrap();
            facts.push((field.clone(), told, line));
        }
    }
    facts
}

#[test]
fn each_expectation_is_an_environment() {
    for (report, _, expected) in fixtures() {
        let environment: Environment =
            serde_json::from_value(expected.clone()).unwrap_or_else(|error| panic!("{}: {error}", report.display()));
        let back = serde_json::to_value(environment).unwrap();
        for (field, value) in expected.as_object().unwrap() {
            assert_eq!(&back[field], value, "{}, {field}", report.display());
        }
    }
}

/// A version, a name and the like stand in the very line that they are said to come from, or in one below where the line
/// was broken.
#[test]
fn each_expectation_is_true_to_its_text() {
    for (report, text, expected) in fixtures() {
        let lines: Vec<&str> = text.lines().collect();
        for (field, value, line) in facts(&expected) {
            assert!((1..=lines.len()).contains(&line), "{}, {field}: there is no line {line}", report.display());
            let literal = ["torch", "python", "kernel", "cudnn", "cuda_runtime", "driver", "cpu", "gpus", "packages"];
            let (Some(value), true) = (value.as_str(), literal.contains(&field.as_str())) else { continue };
            let near = lines[line - 1..(line + 2).min(lines.len())].join(" ").replace("- ", "-").replace("== ", "==");
            let near = near.split_whitespace().collect::<Vec<_>>().join(" ").replace("- ", "-").replace("== ", "==");
            assert!(near.contains(value), "{}:{line}, {field}: `{value}` is not there", report.display());
        }
    }
}

#[test]
fn the_fixtures_cover_what_is_promised() {
    let all: Vec<(String, Value)> = fixtures().into_iter().map(|(_, text, expected)| (text, expected)).collect();
    for minor in 0..=15 {
        let version = format!("2.{minor}.");
        let covers = |(text, expected): &(String, Value)| {
            let told = expected["torch"]["value"].as_str().is_some_and(|torch| torch.starts_with(&version));
            told || text.contains(&format!("[pip3] torch=={version}"))
        };
        assert!(all.iter().any(covers), "no report of torch {version}x");
    }
    for family in ["linux", "macos", "windows"] {
        assert!(
            all.iter().any(|(_, expected)| expected["system"]["value"]["family"] == family),
            "no report of {family}"
        );
    }
    for variant in ["cpu", "cuda", "rocm", "xpu"] {
        assert!(
            all.iter().any(|(_, expected)| expected["variant"]["value"]["name"] == variant),
            "no report of {variant}"
        );
    }
    assert!(all.iter().any(|(_, expected)| expected["system"]["value"]["wsl"] == true), "no report of WSL");
    assert!(all.iter().any(|(_, expected)| expected["architecture"]["value"] == "arm64"), "no report of arm64");
}
