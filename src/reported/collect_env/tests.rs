//! The fixtures of `tests/reported/collect_env`: reports, and beside each what is to be read of it.

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::model::Environment;

fn lines(text: &str) -> Vec<Line<'_>> {
    text.lines().enumerate().map(|(at, text)| Line { number: at + 1, text }).collect()
}

fn section(text: &str) -> Section {
    read(&lines(text), "report.txt")
}

/// The fixtures with this extension, by name.
fn fixtures(extension: &str) -> Vec<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/reported/collect_env");
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<PathBuf> =
        files.filter(|file| file.extension().is_some_and(|found| found == extension)).collect();
    files.sort();
    files
}

/// What differs, field by field.
fn differences(name: &str, read: &Environment, expected: &Environment) -> Vec<String> {
    let (read, expected) = (serde_json::to_value(read).unwrap(), serde_json::to_value(expected).unwrap());
    let (Value::Object(read), Value::Object(expected)) = (read, expected) else {
        panic!("an environment is an object")
    };
    let differ = expected.iter().filter(|(field, value)| read[field.as_str()] != **value);
    differ.map(|(field, value)| format!("{name}, {field}:\n  read     {}\n  expected {value}", read[field])).collect()
}

#[test]
fn each_fixture_is_read_as_it_was_reviewed() {
    let reports = fixtures("txt");
    assert!(reports.len() >= 24, "the fixtures were not found");
    assert_eq!(
        reports.len(),
        fixtures("json").len(),
        "each report has its expectation, and each expectation its report"
    );
    let mut wrong = Vec::new();
    for report in &reports {
        let name = report.file_name().unwrap().to_str().unwrap();
        let text = fs::read_to_string(report).unwrap();
        let expected = fs::read_to_string(report.with_extension("json")).unwrap();
        let expected: Environment = serde_json::from_str(&expected).unwrap();
        wrong.extend(differences(name, &read(&lines(&text), name).environment, &expected));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_report_that_was_indented_and_has_other_ends_of_lines_is_read_the_same() {
    for report in fixtures("txt") {
        let name = report.file_name().unwrap().to_str().unwrap();
        let text = fs::read_to_string(&report).unwrap();
        let plain = section(&text).environment;
        let damaged: Vec<String> = text.lines().map(|line| format!("    {line} \r")).collect();
        let damaged = section(&damaged.join("\n")).environment;
        assert_eq!(differences(name, &damaged, &plain), Vec::<String>::new());
    }
}

#[test]
fn what_torch_does_not_tell_is_noted() {
    let notes = |text: &str| -> Vec<String> { section(text).notes.into_iter().map(|note| note.message).collect() };
    assert!(notes("PyTorch version: N/A\nIs debug build: N/A")[0].contains("could not be imported"));
    assert!(notes("PyTorch version: about 2")[0].contains("is no version"));
    assert!(notes("PyTorch version: 2.5.1+cu124\nCUDA used to build PyTorch: None")[0].contains("without CUDA"));
    let cudnn = "cuDNN version: Probably one of the following:\n/a/libcudnn.so.8.9.7\n/b/libcudnn.so.9.1.0";
    assert!(notes(cudnn)[0].contains("`8.9.7`, `9.1.0`"));
    assert!(notes("PyTorch version: 2.5.1+cu124\nCUDA used to build PyTorch: 12.4").is_empty());
}

#[test]
fn a_text_that_is_no_report_tells_nothing() {
    assert_eq!(section(""), Section::default());
    assert_eq!(section("Hello,\nmy program does not work: what shall I do?\nA=1\n"), Section::default());
}

#[test]
fn long_texts_are_read_once() {
    // Were the time not linear, this would take very long.
    for part in [
        "GPU 0: A ",
        "[pip3] a==1 ",
        "OS: x\n",
        "CPU: Flags: avx ",
        "Environment Variables\nA=1\nB\n",
        "(\n",
        "Python version: (\n",
    ] {
        let text = part.repeat(150_000 / part.len());
        section(&format!("GPU models and configuration:\n{text}"));
        section(&format!("Python version: 3.12 (\n{text}"));
        section(&format!("CPU:\nFlags: a\n{text}"));
    }
}

/// The pieces that reports are made of, in any order.
fn piece() -> impl Strategy<Value = String> {
    let names: Vec<&'static str> = keys::KEYS.iter().map(|(name, _)| *name).collect();
    prop_oneof![
        proptest::sample::select(names).prop_map(|name| format!("{name}: ")),
        proptest::sample::select(vec![
            "[pip3] ",
            "[conda] ",
            "GPU 0: ",
            "\n",
            "N/A",
            "12.4",
            "=",
            "(",
            ")",
            "* ",
            "x86_64",
            "Flags: ",
            "CPU(s): ",
            "/usr/lib/libcudnn.so.",
            "C:\\",
            "：",
            "\u{a0}",
            "型号名称：",
            "MIG ",
            "'a': 'b'",
            "ARM 64",
            "Environment Variables\n",
            "==============================",
            "A_TOKEN=x",
            "numpy==1.0",
            "Linux-",
            "Windows-10-10.0.",
            "ß",
            "CUDA Archs:",
        ])
        .prop_map(str::to_owned),
        ".{0,12}",
    ]
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(pieces in proptest::collection::vec(piece(), 0..60)) {
        section(&pieces.concat());
    }

    #[test]
    fn no_fixture_makes_it_panic_wherever_it_is_cut(at in 0_usize..4000, length in 0_usize..4000, which in 0_usize..64) {
        let reports = fixtures("txt");
        let text = fs::read_to_string(&reports[which % reports.len()]).unwrap();
        let cut: String = text.chars().skip(at).take(length).collect();
        section(&cut);
    }
}
