//! What the fuzz targets share: the input becomes a file of a project, and the project is inspected; or it is a log, and
//! is explained; or what somebody pasted, and is read.
//!
//! A panic, an overflow of the stack, ten seconds or too much memory is a finding; so is an account that does not add up.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use sconce::catalogue::{Catalogue, Packages};
use sconce::inspect::{InspectOptions, inspect};
use sconce::reported::ReportChoice;

/// The targets, one a line: name, file, what lies beside it, syntax, seeds.
const FORMATS: &str = include_str!("../formats");

static PACKAGES: LazyLock<Packages> = LazyLock::new(|| Packages::embedded().expect("the embedded catalogue"));

/// The project, one for each process: `scripts/fuzz` gives a folder in memory, and removes it.
static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
    let root = std::env::temp_dir().join(format!("sconce-fuzz-{}", std::process::id()));
    fs::create_dir_all(&root).expect("a folder for the project");
    root
});

/// Reads `data` as a file of the format that is the target `target`.
pub fn read(target: &str, data: &[u8]) {
    let format = FORMATS.lines().find(|line| line.split_whitespace().next() == Some(target));
    let mut words = format.expect("a line of fuzz/formats").split_whitespace().skip(1);
    let (file, beside) = (words.next().expect("a file"), words.next().expect("what lies beside it"));
    if beside != "-" {
        write(&ROOT.join(beside), b"torch\n");
    }
    write(&ROOT.join(file), data);
    if let Ok(project) = inspect(&ROOT, &PACKAGES, &InspectOptions::default()) {
        for read in &project.read {
            assert_eq!(read.facts + read.noted, read.entries, "the account of {} does not add up", read.path);
        }
    }
}

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::embedded().expect("the embedded catalogue"));

/// Reads `data` as a log of a failure.
pub fn explain(data: &[u8]) {
    if let Ok(explanation) = sconce::diagnose::explain(CATALOGUE.failures(), data) {
        let evidence = explanation.diagnoses.iter().map(|found| &found.evidence);
        for line in evidence.chain(&explanation.decisive) {
            assert!((1..=explanation.lines).contains(&line.line), "no line of the log: {line:?}");
            assert!(!line.text.contains(|c: char| c.is_control() && c != '\t'), "it steers the terminal: {line:?}");
        }
    }
}

/// Reads `data` as what somebody pasted.
pub fn reported(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let lines = text.split('\n').count();
    if let Ok(reported) = sconce::reported::read("issue.md", &text, ReportChoice { number: Some(1), by: "#" }) {
        for part in &reported.parts {
            assert!(part.line >= 1 && part.lines >= 1, "an empty part: {part:?}");
            assert!(part.line + part.lines - 1 <= lines, "a part beyond the document: {part:?} of {lines}");
        }
        for excerpt in reported.logs.iter().chain(&reported.scripts) {
            assert!((1..=lines).contains(&excerpt.line), "no line of the document: {excerpt:?}");
        }
    }
}

fn write(path: &Path, data: &[u8]) {
    fs::create_dir_all(path.parent().expect("a file in the project")).expect("its folder");
    fs::write(path, data).expect("room for the file");
}
