//! Programs in Python: whether lines are one, and what a session at the prompt comes to.

use std::sync::LazyLock;

use regex::Regex;

#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static IMPORT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:import [A-Za-z_][\w.]*(?: as \w+)?(?:\s*,.*)?|from [\w.]+ import [\w(*].*?)\s*(?:#.*|;.*|\\)?$")
        .unwrap()
});

/// What else a line of a program begins with, where it is not indented.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static CODE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"^(?:import |from [\w.]+ import |#|@\w|[)\]}]|(?:async )?def \w+\(|class \w+|(?:if|elif|while) .*:\s*(?:#.*)?$|(?:async )?for .* in .*:|(?:async )?with .*[(.].*:|(?:else|try|finally)\s*:|except\b.*:|(?:return|raise|assert|del|global|yield)\b|pass$|break$|continue$|[rbfuRBFU]{0,2}["']|[A-Za-z_][\w.]*(?:\[.*?\])?(?:\s*,\s*[\w.*]+)*\s*(?::\s*[\w.\[\], ]+)?\s*[-+*/@|&%]?=[^=]|[A-Za-z_][\w.]*\s*\(|[A-Za-z_][\w.]*(?:\[[^\]]*\]|\([^)]*\))+\.?|`{0}\)\s*$)"#,
    )
    .unwrap()
});

#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static PROMPT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^\s*(?:>>>|In ?\[\d+\]:)(?: (.*))?$").unwrap());

#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static MORE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^\s*\.\.\.:?(?: (.*))?$").unwrap());

/// What makes a program one of torch.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static TORCH: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^\s*(?:import|from)\s+torch\b|\btorch\.compile\b|\btorch\.nn\b").unwrap());

/// Whether a line imports a module, as a statement that is not indented.
pub(super) fn imports(line: &str) -> bool {
    IMPORT.is_match(line)
}

/// Whether a line may be one of a program.
pub(super) fn is_code(line: &str) -> bool {
    line.starts_with([' ', '\t']) || CODE.is_match(line)
}

/// Whether a line has to do with torch.
pub(super) fn is_of_torch(line: &str) -> bool {
    TORCH.is_match(line)
}

/// Whether lines are a program: one that imports something, or has to do with torch, and nearly nothing that is no code. It
/// begins with code, and has no prompts.
pub(super) fn is_program<'a>(lines: impl Iterator<Item = &'a str>) -> bool {
    let (mut all, mut code, mut telling) = (0_usize, 0_usize, false);
    for (line, in_text) in outside_of_texts(lines) {
        if line.trim().is_empty() {
            continue;
        }
        if (all == 0 && !CODE.is_match(line.trim_start())) || is_prompt(line.trim_start()) {
            return false;
        }
        all += 1;
        code += usize::from(in_text || is_code(line));
        telling |= !in_text && (imports(line) || is_of_torch(line));
    }
    telling && code * 10 >= all * 9
}

/// The lines, and whether each stands in a text of three quotes.
fn outside_of_texts<'a>(lines: impl Iterator<Item = &'a str>) -> impl Iterator<Item = (&'a str, bool)> {
    let mut open: Option<&str> = None;
    lines.map(move |line| {
        let began_inside = open.is_some();
        for quotes in ["\"\"\"", "'''"] {
            let odd = line.matches(quotes).count() % 2 == 1;
            open = match open {
                Some(which) if which == quotes && odd => None,
                None if odd => Some(quotes),
                other => other,
            };
        }
        (line, began_inside)
    })
}

/// Whether a line stands behind a prompt of Python.
pub(super) fn is_prompt(line: &str) -> bool {
    PROMPT.is_match(line)
}

/// The program of a session at the prompt, which ends with the last line that was typed: its other lines are empty, so that
/// places stay. How many lines it takes up.
pub(super) fn session<'a>(lines: impl Iterator<Item = &'a str>) -> (String, usize) {
    let (mut program, mut typed, mut length) = (Vec::new(), false, 0);
    for (index, line) in lines.enumerate() {
        let found = PROMPT.captures(line).or_else(|| MORE.captures(line).filter(|_| typed));
        typed = found.is_some();
        let text = found.and_then(|found| found.get(1)).map_or("", |text| text.as_str());
        program.push(text);
        if typed {
            length = index + 1;
        }
    }
    program.truncate(length);
    (program.join("\n"), length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_told_from_prose_and_logs() {
        for program in [
            "import torch\n\n@torch.compile\ndef f(x):\n    return x.sin()\n\nprint(f(torch.ones(3)))",
            "\"\"\"A text\nof some lines.\n\"\"\"\nfrom torch import nn\nx: int = 3\nx, y = 1, 2\nif x:\n  pass\nelse:\n  pass",
            "# a comment\nimport numpy as np, torch\nmodel.eval()\nwith torch.no_grad():\n    y = model(x)",
            "class Net(torch.nn.Module):\n    def forward(self, x):\n        return x\n",
        ] {
            assert!(is_program(program.lines()), "{program}");
        }
        for other in [
            "",
            "I import torch and it fails.\nThe error is below.",
            "Traceback (most recent call last):\n  File \"x.py\", line 1, in <module>\nImportError: no torch",
            "pip install torch\npython x.py",
            "torch==2.6.0\nnumpy==1.2",
            "from the log one sees\nthat it fails",
            "x = 1\ny = 2",
        ] {
            assert!(!is_program(other.lines()), "{other}");
        }
    }

    #[test]
    fn a_session_becomes_a_program_whose_places_stay() {
        let text = ">>> import torch\n>>> def f(x):\n...     return x\n...\n>>> f(1)\n1\n>>>\nbye";
        let program = "import torch\ndef f(x):\n    return x\n\nf(1)\n\n";
        assert_eq!(session(text.lines()), (program.to_owned(), 7));
        let text = "In [1]: import torch\n   ...: x = 1\nOut[1]: 3";
        assert_eq!(session(text.lines()), ("import torch\nx = 1".to_owned(), 2));
    }
}
