//! From the text of a failure to its root cause, by the rows of `images/failures.toml`. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

use regex::{Captures, Regex};

use crate::catalogue::{Catalogue, Failure};
use crate::model::{Circumstances, Confidence, Diagnosis, Evidence, Explanation, plain};

/// The longest evidence, in characters.
const LONGEST: usize = 400;

/// What `log` says of a failure.
///
/// # Errors
///
/// Where the log cannot be read.
pub fn explain(catalogue: &Catalogue, mut log: impl Read) -> io::Result<Explanation> {
    let mut bytes = Vec::new();
    log.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(Explanation {
        lines: text.lines().count(),
        diagnoses: diagnose(catalogue, &text),
        circumstances: Circumstances::default(),
        decisive: Vec::new(),
        notes: Vec::new(),
    })
}

/// A row, and the line that shows it.
struct Finding<'a> {
    failure: &'a Failure,
    /// The line's index.
    line: usize,
}

/// The root causes that `log` shows, the most certain first; empty where no row matches.
///
/// A failure causes those that are logged after it, so the earlier one is the more certain.
pub fn diagnose(catalogue: &Catalogue, log: &str) -> Vec<Diagnosis> {
    let text = plain(log);
    let lines: Vec<&str> = text.lines().map(|line| catalogue.failures().bare(line)).collect();
    let mut findings: Vec<Finding<'_>> = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        for failure in catalogue.failures().shown_by(line) {
            if findings.iter().all(|known| known.failure.id != failure.id) {
                findings.push(Finding { failure, line: index });
            }
        }
    }
    let found: BTreeSet<_> = findings.iter().map(|finding| finding.failure.id.as_str()).collect();
    let said_better = |finding: &&Finding<'_>| finding.failure.yields_to.iter().any(|id| found.contains(id.as_str()));
    findings.iter().filter(|finding| !said_better(finding)).map(|finding| finding.diagnosis(&lines)).collect()
}

impl Finding<'_> {
    fn diagnosis(&self, lines: &[&str]) -> Diagnosis {
        let line = lines[self.line];
        let evidence = captures(&self.failure.patterns, &[line]);
        let filled = self.failure.filled(&self.values(&evidence, lines));
        let found = evidence.first().and_then(|found| found.get(0)).map_or(0, |found| found.start());
        Diagnosis {
            id: self.failure.id.clone(),
            title: self.failure.title.clone(),
            stage: self.failure.stage.clone(),
            confidence: Confidence::Certain,
            cause: filled.cause,
            evidence: Evidence { line: self.line + 1, text: excerpt(line, found) },
            remedies: filled.remedies,
            check: filled.check,
            further: filled.further,
            references: self.failure.references.clone(),
        }
    }

    /// The values that the cause and the commands name: from the evidence, else from any line, else the defaults.
    fn values(&self, evidence: &[Captures<'_>], lines: &[&str]) -> BTreeMap<String, String> {
        let mut values = BTreeMap::new();
        for captures in evidence.iter().chain(&captures(&self.failure.context, lines)) {
            for (name, value) in named(captures, self.failure) {
                values.entry(name).or_insert(value);
            }
        }
        for (name, value) in &self.failure.defaults {
            values.entry(name.clone()).or_insert_with(|| value.clone());
        }
        values
    }
}

/// Of each pattern that matches any of the lines, what it captures in the first of them.
fn captures<'a>(patterns: &[String], lines: &[&'a str]) -> Vec<Captures<'a>> {
    let regexes = patterns.iter().filter_map(|pattern| Regex::new(pattern).ok());
    regexes.filter_map(|regex| lines.iter().find_map(|line| regex.captures(line))).collect()
}

/// The groups that matched. A log may hold anything, and the values stand in commands: what a shell would read as more than
/// a word is left out.
fn named(captures: &Captures<'_>, failure: &Failure) -> Vec<(String, String)> {
    let harmless = |value: &str| value.chars().all(|c| c.is_ascii_alphanumeric() || "._+-/: ".contains(c));
    let value = |name: &String| captures.name(name).map(|found| found.as_str()).filter(|value| harmless(value));
    failure.defaults.keys().filter_map(|name| Some((name.clone(), value(name)?.to_owned()))).collect()
}

/// The line, or where it is long the part around the byte `found`.
fn excerpt(line: &str, found: usize) -> String {
    let before = line[..found].chars().count();
    let skipped = if line.chars().count() <= LONGEST { 0 } else { before.saturating_sub(LONGEST / 4) };
    line.chars().skip(skipped).take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;

    static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::embedded().expect("the catalogue"));

    fn diagnosed(log: &str) -> Vec<Diagnosis> {
        diagnose(&CATALOGUE, log)
    }

    fn ids(log: &str) -> Vec<String> {
        diagnosed(log).into_iter().map(|diagnosis| diagnosis.id).collect()
    }

    #[test]
    fn envelopes_and_prefixes_are_no_causes() {
        for log in [
            "",
            "torch._inductor.exc.InductorError: SubprocException",
            "torch._dynamo.exc.BackendCompilerFailed: backend='inductor' raised:\nCppCompileError: C++ compile error\n",
            "[rank0]: torch._inductor.exc.InductorError: CppCompileError: C++ compile error\nCommand:\ng++ x.cpp\nOutput:\n",
            "NoTritonConfigsError: No valid triton configs. OutOfResources: out of resource",
        ] {
            assert_eq!(ids(log), Vec::<String>::new(), "{log}");
        }
    }

    #[test]
    fn the_evidence_is_the_bare_line() {
        for line in [
            "fatal error: Python.h: No such file or directory",
            "[rank0]: fatal error: Python.h: No such file or directory",
            "\u{1b}[31mERROR 02-06 09:12:05 engine.py:139] fatal error: Python.h: No such file or directory\u{1b}[0m",
            "#12 34.56 fatal error: Python.h: No such file or directory\r",
            "(EngineCore pid=77) torch._inductor.exc.InductorError: fatal error: Python.h: No such file or directory",
            "[2023-11-29 10:11:12,345] torch._dynamo.convert_frame: [WARNING] fatal error: Python.h: No such file or directory",
            "W1129 10:11:12.345000 77 site-packages/torch/_dynamo/x.py:9] [0/0] fatal error: Python.h: No such file or directory",
            "2026-01-02T03:04:05.678Z fatal error: Python.h: No such file or directory",
            "web-1  | fatal error: Python.h: No such file or directory",
        ] {
            let found = diagnosed(&format!("first\n{line}\n"));
            assert_eq!(found.len(), 1, "{line}");
            assert_eq!(found[0].id, "PYTHON_H_MISSING");
            assert_eq!(found[0].evidence.line, 2);
            assert_eq!(found[0].evidence.text, "fatal error: Python.h: No such file or directory");
        }
    }

    #[test]
    fn commands_name_what_the_log_names() {
        let log = "Command:\ng++ a.cpp -I/usr/include/python3.12 -o a.so\nOutput:\nfatal error: Python.h: No such file or directory";
        let commands: Vec<_> =
            diagnosed(log).remove(0).remedies.into_iter().flat_map(|remedy| remedy.commands).collect();
        assert!(
            commands.contains(&"apt-get install python3.12-dev".to_owned()),
            "{commands:?}"
        );
        let without = diagnosed("fatal error: Python.h: No such file or directory").remove(0);
        assert!(without.remedies[0].commands[0].ends_with("python3-dev"), "{without:?}");
    }

    #[test]
    fn a_hostile_log_does_not_reach_a_command() {
        let log = "No working C++ compiler found in torch._inductor.config.cpp.cxx: (None, '$(rm -rf /)')";
        let found = diagnosed(log).remove(0);
        assert!(found.cause.contains("`g++`"), "{found:?}");
    }

    #[test]
    fn the_earliest_comes_first_and_the_exact_one_alone() {
        assert_eq!(
            ids("omp.h\nfatal error: omp.h: No such file or directory\nNo module named 'setuptools'"),
            ["OMP_H_MISSING", "SETUPTOOLS_MISSING"]
        );
        assert_eq!(
            ids("No module named 'setuptools'\nfatal error: omp.h: No such file or directory"),
            ["SETUPTOOLS_MISSING", "OMP_H_MISSING"]
        );
        let triton = "/tmp/x/cuda_utils.c:5:10: fatal error: Python.h: No such file or directory";
        assert_eq!(ids(triton), ["TRITON_PYTHON_H_MISSING"]);
    }

    #[test]
    fn a_long_line_is_cut_around_what_was_found() {
        let log = format!("{}fatal error: Python.h: No such file or directory{}", "é".repeat(3000), "x".repeat(3000));
        let evidence = diagnosed(&log).remove(0).evidence.text;
        assert!(evidence.chars().count() <= LONGEST && evidence.contains("Python.h: No such file"), "{evidence}");
    }
}
