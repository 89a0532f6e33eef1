//! From the text of a failure to its root cause, by the rows of `images/failures.toml`. Pure.

mod advice;
mod decisive;
mod decode;
mod quoted;
mod reader;
mod scan;
mod signs;
mod unfold;

use std::io::{self, Read};

use scan::Scan;

use crate::catalogue::Catalogue;
use crate::model::{Confidence, Diagnosis, Explanation};

/// What `log` says of a failure. It is read as it comes, in bounded memory; it may be an archive of gzip, UTF-16, or one
/// line.
///
/// # Errors
///
/// Where the log cannot be read; of [`io::ErrorKind::InvalidData`] where it is no text.
pub fn explain(catalogue: &Catalogue, log: impl Read) -> io::Result<Explanation> {
    let mut scan = Scan::new(catalogue.failures());
    let ended = reader::read(log, |number, line| scan.line(number, line))?;
    let mut scanned = scan.end();
    let diagnoses = advice::diagnoses(catalogue.failures(), &scanned);
    // A warning does not say what ended the program.
    let known = diagnoses.iter().any(|diagnosis| diagnosis.confidence != Confidence::Warning);
    let decisive = if known { Vec::new() } else { std::mem::take(&mut scanned.decisive) };
    Ok(Explanation {
        lines: ended.lines,
        diagnoses,
        circumstances: scanned.circumstances,
        decisive,
        notes: ended.notes,
    })
}

/// The root causes that `log` shows, the most certain first; empty where no row matches.
pub fn diagnose(catalogue: &Catalogue, log: &str) -> Vec<Diagnosis> {
    let mut scan = Scan::new(catalogue.failures());
    for (index, line) in log.lines().enumerate() {
        line.split('\r').for_each(|line| scan.line(index + 1, line.as_bytes()));
    }
    advice::diagnoses(catalogue.failures(), &scan.end())
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
            commands.contains(&"apt-get install -y --no-install-recommends python3.12-dev".to_owned()),
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
        const LONGEST: usize = 400;
        let log = format!("{}fatal error: Python.h: No such file or directory{}", "é".repeat(3000), "x".repeat(3000));
        let evidence = diagnosed(&log).remove(0).evidence.text;
        assert!(evidence.chars().count() <= LONGEST && evidence.contains("Python.h: No such file"), "{evidence}");
    }
}
