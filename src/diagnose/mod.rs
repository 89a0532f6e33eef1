//! From the text of a failure to its root cause, by the rows of `images/failures.toml`. Pure.

mod advice;
mod decisive;
mod decode;
mod fitting;
mod quoted;
mod reader;
mod scan;
mod signs;
mod unfold;

use std::io::{self, Read};

use scan::Scan;

use crate::catalogue::{Catalogue, Failures};
use crate::model::{Diagnosis, Explanation};

/// What `log` says of a failure. It is read as it comes, in bounded memory; it may be an archive of gzip, UTF-16, or one
/// line.
///
/// # Errors
///
/// Where the log cannot be read; of [`io::ErrorKind::InvalidData`] where it is no text.
pub fn explain(failures: &Failures, log: impl Read) -> io::Result<Explanation> {
    let mut scan = Scan::new(failures);
    let ended = reader::read(log, |number, line| scan.line(number, line))?;
    let scanned = scan.end();
    let (diagnoses, decisive) = advice::diagnoses(failures, &scanned);
    Ok(Explanation {
        lines: ended.lines,
        diagnoses,
        circumstances: scanned.circumstances,
        decisive,
        notes: ended.notes,
    })
}

/// A document as text, read as a log is: an archive of gzip is unpacked, UTF-16 is decoded, and what is damaged is replaced.
///
/// # Errors
///
/// Where it cannot be read; of [`io::ErrorKind::InvalidData`] where it is no text, and of
/// [`io::ErrorKind::FileTooLarge`] where it is longer than `longest` bytes.
pub fn text(document: impl Read, longest: u64) -> io::Result<String> {
    let mut bytes = Vec::new();
    decode::decoded(document)?.take(longest + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > longest {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The root causes that `log` shows, the most certain first; empty where no row matches.
pub fn diagnose(catalogue: &Catalogue, log: &str) -> Vec<Diagnosis> {
    let mut scan = Scan::new(catalogue.failures());
    for (index, line) in log.lines().enumerate() {
        line.split('\r').for_each(|line| scan.line(index + 1, line.as_bytes()));
    }
    advice::diagnoses(catalogue.failures(), &scan.end()).0
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use crate::model::{Confidence, Doubt, Said};

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
        assert!(commands.contains(&"apt-get install -y python3.12-dev".to_owned()), "{commands:?}");
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

    fn explained(log: &str) -> Explanation {
        explain(CATALOGUE.failures(), log.as_bytes()).expect("a log in memory")
    }

    const PYTHON_H: &str = "fatal error: Python.h: No such file or directory";

    #[test]
    fn what_writes_a_log_puts_its_own_before_each_line() {
        for prefix in [
            "2026-01-02T03:04:05.6789012Z ",
            "build\tRun tests\t2026-01-02T03:04:05.6789012Z ",
            "2026-01-02T03:04:05.678901Z 00O ",
            "2026-01-02T03:04:05.678901Z 01E+",
            "[2026-01-02T03:04:05.678Z] ",
            "##[error]",
            "[pod/trainer-0/main] ",
            "Jan 02 03:04:05 host trainer[77]: ",
            "2026-01-02T03:04:05+00:00 host trainer.service[77]: ",
            "[default0]:",
            "[rank7]: ",
            "[1,0]<stderr>: ",
            "0: ",
            "(EngineCore_0 pid=77) ",
            "(EngineCore_DP0 pid=77) ERROR 02-06 09:12:05 [core.py:700] ",
            "(VllmWorker rank=0 pid=77) ",
            "(main_task pid=77, ip=10.0.0.1) ",
            "(raylet) ",
            "[2026-01-02 03:04:05 TP0] ",
            "2026-01-02 03:04:05,678 - trainer.core - ERROR - ",
            "2026-01-02 03:04:05.678 | ERROR    | trainer:main:12 - ",
            "[2026-01-02 03:04:05,678] [ERROR] [launch.py:315:main] ",
            "[2026-01-02, 03:04:05 UTC] {taskinstance.py:1851} ERROR - ",
            "ERROR:root:",
            "E0102 03:04:05.678000 77 torch/x.py:9] [0/0] ",
            "#12 34.56 ",
            "12.34 ",
            " => ",
            "trainer  | ",
            "trainer-1  | 2026-01-02T03:04:05Z [rank0]: ",
            "E   ",
            "E       ",
            "> ",
            ">     ",
            "# [Bug]: ",
            "2026-01-02T03:04:05.678901234Z stderr F ",
            "    ",
        ] {
            let found = explained(&format!("torch\n{prefix}{PYTHON_H}\n")).diagnoses;
            assert_eq!(found.len(), 1, "{prefix:?}");
            assert_eq!(
                (found[0].evidence.text.as_str(), found[0].confidence),
                (PYTHON_H, Confidence::Certain),
                "{prefix:?}"
            );
        }
    }

    #[test]
    fn quoted_source_is_no_evidence() {
        for log in [
            format!(
                "Traceback (most recent call last):\n  File \"/x/torch/a.py\", line 3, in f\n    say('{PYTHON_H}')\nValueError: x"
            ),
            format!(
                "[rank0]:   File \"/x/torch/a.py\", line 3, in f\n[rank0]:     say(\n[rank0]:       '{PYTHON_H}')\n[rank0]:     ~~~^^^\n"
            ),
            format!("   43 | #include <Python.h> // {PYTHON_H}\n      | ^~~~"),
            format!("----> 43     raise x('{PYTHON_H}')"),
            format!(
                "File ~/torch/a.py:43, in f(x)\n     41 # {PYTHON_H}\n     42 def f(x):\n\n     44   return '{PYTHON_H}'\n"
            ),
            format!("_______ test_x _______\n\n    def test_x():\n>       raise X('{PYTHON_H}')\n"),
            format!("│   43 │   say '{PYTHON_H}'  │"),
        ] {
            assert_eq!(ids(&log), Vec::<String>::new(), "{log}");
        }
        for log in [
            format!("  File \"/x/torch/a.py\", line 3, in f\n    say()\n{PYTHON_H}"),
            format!("  File \"/x/torch/a.py\", line 3, in f\n{PYTHON_H}"),
            // The first line was copied without its indentation.
            format!("File \"/x/torch/a.py\", line 3, in f\n    say()\n  torch.x.CompileError: {PYTHON_H}"),
            format!("----> 43     say()\n\n{PYTHON_H}"),
            format!("_______ test_x _______\n\n    def test_x():\n>       say()\nE       {PYTHON_H}\n"),
            format!("_______ test_x _______\n>       say()\n------ Captured stderr call ------\n    {PYTHON_H}\n"),
        ] {
            assert_eq!(ids(&log), ["PYTHON_H_MISSING"], "{log}");
        }
    }

    #[test]
    fn what_a_verbose_log_tells_is_no_failure() {
        let place =
            "V0520 14:53:14.120000 139884917106496 torch/_dynamo/symbolic_convert.py:530] [0/0] [__graph_breaks] ";
        let log = format!("{place}    raise Unsupported(msg)\n{place}torch._dynamo.exc.Unsupported: call f()\n");
        let told = diagnosed(&log);
        assert!(told.iter().all(|known| known.confidence == Confidence::Warning), "{told:#?}");
    }

    #[test]
    fn a_log_may_be_folded() {
        for (log, line) in [
            (
                format!(
                    "{{\"log\":\"x\\n\",\"stream\":\"stderr\"}}\n{{\"log\":\"\\u001b[1mtorch: {PYTHON_H}\\n\",\"stream\":\"stderr\"}}"
                ),
                2,
            ),
            (format!(r"RuntimeError: b'In file included from x.c:1:\nx.c:5:10: {PYTHON_H}\n    5 | #include\n'"), 1),
            (format!("10%|#    |\r20%|##   |\rtorch: {PYTHON_H}\n"), 1),
            (format!("{}{PYTHON_H}{}", "torch ".repeat(100_000), "x".repeat(500_000)), 1),
        ] {
            let found = explained(&log).diagnoses;
            assert_eq!((found[0].id.as_str(), found[0].evidence.line), ("PYTHON_H_MISSING", line));
            assert!(found[0].evidence.text.contains("Python.h: No such file"), "{found:?}");
        }
        assert_eq!(explained(&format!("a\r\nb\r\n{PYTHON_H}\r\n")).lines, 3);
    }

    #[test]
    fn without_a_sign_of_torch_a_cause_is_likely() {
        for (log, torch) in [(PYTHON_H.to_owned(), false), (format!("import torch\n{PYTHON_H}"), true)] {
            let found = diagnosed(&log).remove(0);
            let row = CATALOGUE.failures().rows().iter().find(|row| row.id == found.id).expect("its row");
            let sure = torch || row.about.is_none();
            assert_eq!(found.confidence, if sure { Confidence::Certain } else { Confidence::Likely });
        }
    }

    #[test]
    fn what_ended_the_program_comes_before_what_it_survived() {
        let steps = "step 1 of the training\n".repeat(150);
        let log =
            format!("No module named 'setuptools'\n{steps}torch\nfatal error: omp.h: No such file or directory\n");
        assert_eq!(ids(&log), ["OMP_H_MISSING", "SETUPTOOLS_MISSING"]);
        let warned = format!(
            "W0102 03:04:05.678000 77 torch/x.py:9] [0/0] {PYTHON_H}\nfatal error: omp.h: No such file or directory\n"
        );
        let found = diagnosed(&warned);
        assert_eq!(found[1].confidence, Confidence::Warning, "{found:?}");
        assert_eq!(found[0].id, "OMP_H_MISSING");
    }

    #[test]
    fn a_warning_is_none_however_it_is_written() {
        for line in [
            format!("/x/torch/cuda/__init__.py:129: UserWarning: {PYTHON_H}"),
            format!("  /x/torch/cuda/__init__.py:129: UserWarning: {PYTHON_H}"),
            format!("WARNING: {PYTHON_H}"),
            format!("2026-01-02 03:04:05 WARNING {PYTHON_H}"),
            format!("{{\"level\":\"warning\",\"msg\":\"{PYTHON_H}\"}}"),
        ] {
            let log = format!("import torch\n{line}\ntraining on cpu\ndone\n");
            assert_eq!(diagnosed(&log)[0].confidence, Confidence::Warning, "{line}");
        }
        let raised = format!(
            "torch\nTraceback (most recent call last):\n  File \"a.py\", line 1, in f\n    f()\nUserWarning: {PYTHON_H}\n"
        );
        assert_eq!(diagnosed(&raised)[0].confidence, Confidence::Certain);
    }

    #[test]
    fn a_failure_that_is_not_known_is_shown_beside_a_warning() {
        let log = format!(
            "/x/torch/a.py:1: UserWarning: {PYTHON_H}\nTraceback (most recent call last):\nValueError: weird thing\n"
        );
        let found = explained(&log);
        assert!(!found.known());
        assert_eq!(found.decisive[0].text, "ValueError: weird thing");
        assert!(explained(&format!("/x/torch/a.py:1: UserWarning: {PYTHON_H}\ndone\n")).known());
    }

    #[test]
    fn what_the_program_survived_does_not_hide_what_ended_it() {
        let steps = "step 1 of the training\n".repeat(300);
        let log = format!("torch\n{PYTHON_H}\n{steps}Traceback (most recent call last):\nValueError: shapes\n");
        let found = explained(&log);
        assert_eq!(
            (found.diagnoses[0].confidence, found.diagnoses[0].doubt),
            (Confidence::Likely, Some(Doubt::Survived))
        );
        assert_eq!(found.decisive[0].text, "ValueError: shapes");
        let finished = explained(&format!("torch\n{PYTHON_H}\n{steps}finished successfully\n"));
        assert_eq!((finished.known(), finished.diagnoses[0].doubt), (true, Some(Doubt::Survived)));
    }

    #[test]
    fn what_a_line_only_speaks_of_comes_after_what_happened() {
        let happened = "fatal error: omp.h: No such file or directory";
        for line in [
            format!("I do not get `{PYTHON_H}` any more, after I installed it"),
            format!("Unlike #97146 ({PYTHON_H}), here it is another"),
            format!("If you see\n> {PYTHON_H}"),
            format!("+ grep -q \"{PYTHON_H}\" build.log"),
            format!("- {PYTHON_H}"),
        ] {
            assert_eq!(ids(&format!("torch\n{line}\n{happened}\n"))[0], "OMP_H_MISSING", "{line}");
        }
        let alone = diagnosed(&format!("torch\nI do not get `{PYTHON_H}` any more\n")).remove(0);
        assert_eq!((alone.confidence, alone.doubt), (Confidence::Likely, Some(Doubt::Mentioned)));
        for line in [
            format!("tests/test_a.py::test_a[{PYTHON_H}] PASSED"),
            format!("XFAIL x - {PYTHON_H}"),
            format!("if \"{PYTHON_H}\" in str(e):"),
        ] {
            assert_eq!(ids(&format!("torch\n{line}\n")), Vec::<String>::new(), "{line}");
        }
    }

    #[test]
    fn a_variable_that_is_set_gives_way_to_any_failure() {
        let set = "torch\nTORCH_COMPILE_DISABLE=1\n";
        assert_eq!(ids(&format!("{set}{PYTHON_H}\n")), ["PYTHON_H_MISSING"]);
        let unknown =
            explained(&format!("{set}Traceback (most recent call last):\nNameError: name 'x' is not defined\n"));
        assert!(!unknown.known() && unknown.decisive.len() == 1, "{unknown:?}");
    }

    #[test]
    fn what_torch_wraps_a_failure_in_speaks_of_torch() {
        for log in [
            format!("torch._inductor.exc.InductorError: {PYTHON_H}"),
            format!("g++ /tmp/torchinductor_u/ab/x.cpp\n{PYTHON_H}"),
            format!("PyTorch version: 2.6.0\n{PYTHON_H}"),
        ] {
            assert_eq!(diagnosed(&log)[0].confidence, Confidence::Certain, "{log}");
        }
    }

    #[test]
    fn a_log_without_its_beginning_shows_what_looks_decisive() {
        let found = explained("Nothing.h: No such file or directory\ncompilation terminated.\n");
        assert_eq!(found.decisive[0].line, 1, "{found:?}");
    }

    #[test]
    fn the_first_of_a_chain_is_the_root_and_every_rank_says_the_same() {
        let log = "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\n    g()\nModuleNotFoundError: No module named 'setuptools'\n\nDuring handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  File \"b.py\", line 1, in f\n    h()\nRuntimeError: fatal error: omp.h: No such file or directory\n";
        assert_eq!(ids(log), ["SETUPTOOLS_MISSING", "OMP_H_MISSING"]);
        let ranks: Vec<_> = (0..8).map(|rank| format!("[rank{rank}]: torch {PYTHON_H}\n")).collect();
        let found = diagnosed(&ranks.concat());
        assert_eq!((found.len(), found[0].evidence.line), (1, 1));
    }

    #[test]
    fn the_compile_command_says_what_machine_it_was() {
        let log = "Traceback (most recent call last):\n  File \"/home/u/.local/lib/python3.13/site-packages/torch/_inductor/codecache.py\", line 1, in f\n    g()\nCommand:\ng++ /tmp/torchinductor_u/x.main.cpp -D CPU_CAPABILITY_AVX512 -O3 -std=c++20 -I/home/u/.local/lib/python3.13/site-packages/torch/include -I/usr/include/python3.13 -mavx512f -o x.so\nOutput:\nfatal error: Python.h: No such file or directory\ng++ (Debian 14.2.0-19) 14.2.0\n";
        let Explanation { circumstances, diagnoses, .. } = explained(log);
        let said = |said: Option<Said>| said.map(|said| (said.value, said.line));
        let is = |value: &str, line| Some((value.to_owned(), line));
        assert_eq!(said(circumstances.python), is("3.13", 5));
        assert_eq!(said(circumstances.installation), is("distribution", 5));
        assert_eq!(said(circumstances.torch_place), is("user", 2));
        assert_eq!(said(circumstances.torch), is("2.12 or newer", 5));
        assert_eq!(said(circumstances.system), is("debian", 8));
        assert_eq!(said(circumstances.compiler), is("g++", 5));
        assert_eq!(said(circumstances.isa), is("AVX512", 5));
        assert_eq!(said(circumstances.container), None);
        assert_eq!(diagnoses[0].remedies[0].platform, "apt");
        assert!(diagnoses[0].remedies[0].commands[0].contains("python3.13-dev"), "{diagnoses:?}");
    }

    #[test]
    fn each_kind_of_installation_is_told() {
        for (line, installation, torch, system) in [
            ("-I/opt/conda/include/python3.11", Some("conda"), None, None),
            ("-I/home/u/miniconda3/envs/x/include/python3.11", Some("conda"), None, None),
            (
                "-I/root/.local/share/uv/python/cpython-3.13.1-linux-x86_64-gnu/include/python3.13",
                Some("uv"),
                None,
                None,
            ),
            ("-I/home/u/.pyenv/versions/3.12.3/include/python3.12", Some("pyenv"), None, None),
            ("-I/opt/homebrew/opt/python@3.13/Frameworks/Python.framework/include", Some("brew"), None, Some("macos")),
            ("-I/Library/Frameworks/Python.framework/Versions/3.12/include", Some("framework"), None, Some("macos")),
            ("-I/usr/local/include/python3.12", Some("image"), None, None),
            (
                "File \"/usr/local/lib/python3.12/dist-packages/torch/x.py\", line 1",
                Some("distribution"),
                Some("system"),
                None,
            ),
            (
                "File \"/usr/local/lib/python3.12/site-packages/torch/x.py\", line 1",
                Some("image"),
                Some("system"),
                None,
            ),
            ("File \"/app/.venv/lib/python3.12/site-packages/torch/x.py\", line 1", None, Some("environment"), None),
            ("File \"/usr/lib/python3.12/runpy.py\", line 1", Some("distribution"), None, None),
            (
                r#"File "C:\Users\u\AppData\Local\Programs\Python\Python313\Lib\x.py", line 1"#,
                Some("windows"),
                None,
                Some("windows"),
            ),
            ("PRETTY_NAME=\"Rocky Linux 9.5 (Blue Onyx)\"", None, None, Some("rhel")),
            ("gcc (Ubuntu 13.2.0-23ubuntu4) 13.2.0", None, None, Some("ubuntu")),
            ("OS: Ubuntu 24.04.1 LTS (x86_64)", None, None, Some("ubuntu")),
            ("Linux-6.6.87.2-microsoft-standard-WSL2-x86_64", None, None, Some("wsl")),
            ("nothing at all", None, None, None),
        ] {
            let said = explained(line).circumstances;
            let found = [said.installation, said.torch_place, said.system].map(|said| said.map(|said| said.value));
            assert_eq!(found.each_ref().map(Option::as_deref), [installation, torch, system], "{line}");
        }
    }

    #[test]
    fn the_fix_for_this_machine_comes_first() {
        for (line, first) in [
            ("gcc (Red Hat 11.5.0-5) 11.5.0", "dnf"),
            ("OS: Ubuntu 24.04", "apt"),
            ("-I/opt/conda/include/python3.11", "conda"),
            ("-I/root/.local/share/uv/python/cpython-3.13.1-linux/include", "uv"),
            ("-I/home/u/.pyenv/versions/3.12.3/include/python3.12", "pyenv"),
            ("-I/usr/local/include/python3.12", "docker"),
            ("nothing", "apt"),
        ] {
            let remedies = diagnosed(&format!("{line}\ntorch: {PYTHON_H}")).remove(0).remedies;
            assert_eq!(remedies[0].platform, first, "{line}");
        }
        let built = diagnosed(&format!("#5 [1/3] FROM example.org/ubuntu:24.04\n#7 1.234 torch: {PYTHON_H}")).remove(0);
        assert_eq!(built.remedies[0].platform, "docker");
    }

    #[test]
    fn what_is_not_known_is_shown_by_the_lines_that_look_decisive() {
        let log = "Command:\ng++ x.cpp\nOutput:\nx.cpp:1: note: in\nx.cpp:2:1: error: no such thing\nx.cpp:3:1: error: and another\n\nTraceback (most recent call last):\n  File \"a.py\", line 1, in f\n    raise KeyError('no')\nKeyError: 'first'\n\nDuring handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\nmy.own.StrangeError: it ended\nSegmentation fault (core dumped)\n";
        let unknown = explained(log);
        assert!(!unknown.known(), "{unknown:?}");
        let texts: Vec<_> = unknown.decisive.iter().map(|line| (line.line, line.text.as_str())).collect();
        assert_eq!(
            texts,
            [(5, "x.cpp:2:1: error: no such thing"), (11, "KeyError: 'first'"), (16, "my.own.StrangeError: it ended")]
        );
        assert!(explained("all is well\nepoch 1\n").decisive.is_empty());
        assert!(explained(&format!("torch {PYTHON_H}\nValueError: x\n")).decisive.is_empty());
    }

    #[test]
    fn a_log_may_be_cut_at_either_end() {
        let log = include_str!("../../tests/logs/PYTHON_H_MISSING-2.15.log");
        let at = log.find("fatal error: Python.h").expect("the evidence");
        let before = log[..at].rfind('\n').expect("a line before");
        assert_eq!(ids(&log[before - 40..]), ["PYTHON_H_MISSING"]);
        assert_eq!(ids(&log[at..]), ["PYTHON_H_MISSING"]);
        assert_eq!(ids(&log[..at + 60]), ["PYTHON_H_MISSING"]);
        let bytes = log.as_bytes();
        (0..bytes.len())
            .step_by(97)
            .for_each(|cut| drop(explain(CATALOGUE.failures(), &bytes[cut..]).expect("a log in memory")));
    }

    #[test]
    fn any_bytes_can_be_explained() {
        let mut seed = 7_u64;
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(seed >> 33).unwrap_or_default()
        };
        let pieces = [
            "{\"log\":\"",
            "\\n",
            "\\",
            "\r",
            "\n",
            "\"}",
            "\u{1b}[",
            "\u{1b}]",
            "fatal error: ",
            "Python.h",
            "  File \"x\", line 3",
            "    ",
            "E   ",
            "> ",
            "é",
            "‘",
            "\0",
            "[rank0]: ",
            "Traceback (most recent call last):",
            "_____ x _____",
            " | ",
            "-I/usr/include/python3.13 ",
            "CppCompileError: C++ compile error",
            "during",
            "\u{202e}",
            "Output:",
            "x",
        ];
        for _ in 0..300 {
            let mut log: Vec<u8> = Vec::new();
            for _ in 0..next() % 60 {
                match next() % 9 {
                    0 => log.push(u8::try_from(next() % 256).unwrap_or_default()),
                    _ => log.extend(pieces[next() % pieces.len()].as_bytes()),
                }
            }
            if let Ok(explanation) = explain(CATALOGUE.failures(), log.as_slice()) {
                let lines = explanation.lines;
                assert!(
                    explanation.diagnoses.iter().all(|found| (1..=lines).contains(&found.evidence.line)),
                    "{log:?}"
                );
                assert!(explanation.decisive.len() <= 3);
            }
        }
    }
}
