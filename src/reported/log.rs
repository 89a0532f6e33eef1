//! Logs: which lines tell of a failure.

use std::sync::LazyLock;

use regex::Regex;

/// What stands in logs alone, also between sentences.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static SURE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?x)
        Traceback\ \(most\ recent\ call\ last\)
        | ^\s*(?:\[?\w+\]?:\s*)?(?:[\w.]+\.)?(?:[A-Z]\w*(?:Error|Exception|Failed|Failure|Warning|Interrupt)|Unsupported)(?::\s|:?\s*$)
        | (?:^|\s)(?:fatal\ )?error:\s | ^\S+:\d+:\d+:\ (?:warning|note): | ^(?:E|ERROR)[:\ ]\s*\S.*(?:rror|ailed|annot|found)
        | undefined\ (?:reference|symbol) | cannot\ find\ -l | collect2: | ^\s*File\ ".+",\ line\ \d+
        | ^\s*\[?\w{0,9}\]?:?\s*[WEIFVD]\d{4}\ \d\d:\d\d:\d\d | ^\[?\d{4}-\d\d-\d\d[T\ ]\d\d:\d\d:\d\d
        | Segmentation\ fault | \(core\ dumped\) | ^Aborted\b | ^Killed$ | Illegal\ instruction | Fatal\ Python\ error
        | ^terminate\ called | ^\#\d+\ \d+\.\d+\ | ^(?:\S*/)?(?:g\+\+|gcc|clang\+\+|clang|cl(?:\.exe)?|nvcc)(?:-\d+)?\ .*-\S
        | No\ such\ file\ or\ directory | ^\s*(?:×|├─▶|╰─▶)\ | :\ command\ not\ found | cannot\ open\ shared\ object | BackendCompilerFailed | \bTORCHDYNAMO_VERBOSE=1\ for
        "#,
    )
    .unwrap()
});

/// A command behind the prompt of a shell.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static COMMAND: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?x)
        ^(?:\([\w\ .-]+\)\ ?)?(?:PS\ )?[A-Z]:\\[^<>|"]*>\s?\S
        | ^(?:\([\w\ .-]+\)\ ?)?(?:\[?[\w.-]+@[\w.-]+[:\ ][^$\#%>]{0,80}[$\#%>]|\$)\ (?:\S*/)?(?:python|uv|pip|torchrun|conda)\S*\ 
        "#,
    )
    .unwrap()
});

/// What a block of code that is no program holds, if it is a log that matters.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static LIKELY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)error|exception|traceback|warn|fatal|fail|fault|abort|killed|cannot|can't|couldn't|unable|undefined|not found|no such|no module|denied|refus|unsupported|not supported|invalid|mismatch|not equal|incorrect|crash|panic|timed? ?out|out of memory|graph break|recompil|nan\b",
    )
    .unwrap()
});

/// Where a failure begins in a block of code that holds a program, too.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static BEGIN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:\[\w+\]:\s*)?Traceback \(most recent call last\)|^-{40,}\s*$|^(?:[\w.]+\.)?[A-Z]\w*(?:Error|Exception|Failed):\s|^\S+:\d+:\d+: (?:fatal )?error: |^\[?\w{0,9}\]?:?\s*[WEIF]\d{4} \d\d:\d\d:\d\d|^\S*/\S+\.py:\d+: \w+Warning: ").unwrap()
});

/// Whether a line stands in logs alone.
pub(super) fn is_sure(line: &str) -> bool {
    SURE.is_match(line) || is_command(line)
}

/// Whether a line is a command behind the prompt of a shell: what follows is its output.
pub(super) fn is_command(line: &str) -> bool {
    COMMAND.is_match(line)
}

/// Whether a line of a block of code tells of a failure.
pub(super) fn is_likely(line: &str) -> bool {
    LIKELY.is_match(line) || is_sure(line)
}

/// Whether a failure begins with a line, whatever stands before.
pub(super) fn begins(line: &str) -> bool {
    BEGIN.is_match(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_logs_are_told_from_sentences() {
        for line in [
            "Traceback (most recent call last):",
            "torch._inductor.exc.InductorError: CppCompileError: C++ compile error",
            "[rank0]: RuntimeError: x",
            "/tmp/x.cpp:1:10: fatal error: Python.h: No such file or directory",
            "W0101 12:00:00.000 1 torch/_dynamo/x.py:1] [0/0] hit",
            "[rank0]:V0716 11:20:09.006000 1 torch/_inductor/graph.py:1680] x",
            "#12 34.56 gcc: not found",
            "g++ x.cpp -shared -fPIC",
            "bash: g++: command not found",
            "KeyboardInterrupt",
            "torch._dynamo.exc.Unsupported: call_function",
            r"D:\ComfyUI>.\python\python.exe -s main.py",
            "(venv) ada@host:~/try$ python repro.py",
            "  × Failed to build `x`",
        ] {
            assert!(is_sure(line), "{line}");
        }
        for line in
            ["It fails with an error.", "The Error that I see", "I use g++ and clang", "Python 3.12 on 2024-01-01"]
        {
            assert!(!is_sure(line), "{line}");
        }
    }
}
