//! Where a report of `collect_env` begins and ends.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use super::Line;
use crate::model::PartKind;

/// How many lines may stand in a report that are none of its own: warnings, and what nobody knew when this was written.
const FOREIGN: usize = 40;

/// Within how many lines two of its facts have to stand, for a report without its first line.
const NEAR: usize = 12;

const FIRST: &str = "Collecting environment information";

/// The names of facts that only a report has, wherever in a line.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static OWN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)\b(pytorch version|is debug build|(?:cuda|rocm|xpu) used to build pytorch|libc version|python platform|is (?:cuda|xpu|xnnpack) available|cuda runtime version|cuda_module_loading set to|gpu models and configuration|nvidia driver version|cudnn version|(?:hip|miopen) runtime version|versions of relevant libraries|(?:vllm|rocm|neuron sdk) version|vllm build flags|gpu topology)\**(?: \([^()]*\))?\s*:",
    )
    .unwrap()
});

/// The names of facts that others have, too, at the beginning of a line.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static COMMON: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)^\s*(?:[-*+] )?\**(os|(?:gcc|clang|cmake|python) version|cpu|how you installed pytorch|build command you used|cuda/cudnn version)\**(?: \(.*\))?\s*:|^\s*(\[(?:pip|pip3|pip2|conda|poetry|pixi|uv)\]) \S|^\s*(versions of relevant libraries)\s*$",
    )
    .unwrap()
});

/// The titles of vLLM's sections, between rules.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static TITLE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^\s*(System Info|PyTorch Info|Python Environment|CUDA / GPU Info|CPU Info|vLLM Info|Environment Variables)\s*$")
        .unwrap()
});

/// What stands below vLLM's topology of GPUs: its rows, its legend, and the variables.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static BELOW: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^={10,}\s*$|^\s*(?:GPU|NIC)\d+\s|^\s*(?:NIC )?Legend:|^\s+(?:X|SYS|NODE|PHB|PXB|PIX|NV#|NIC\d+)\s+=|^\s*NIC\d+: |^[A-Z_][A-Z0-9_]{2,}=")
        .unwrap()
});

/// `Key: value`, as lscpu and its like have it in every language, a GPU, a list of libraries, or what is indented.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static ENTRY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^\s*[^\s:@`][^:@`]{0,60}?\s*[:：](?:\s|$)|^\s+\S|^/\S+\.so|^[A-Z]:\\\S+\.dll|^-{5,}$|^\w+=\S*$")
        .unwrap()
});

/// What begins something else: a heading, a command behind its prompt, a list.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static OTHER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"^#{1,6} |^(?:\([\w .-]+\) ?)?(?:\$ |\[?[\w.-]+@[\w.-]+[: ][^$#%]{0,80}[$#%] |PS [A-Z]:\\|[A-Z]:\\[^>]*>)|^Package +Version\b|^@EXPLICIT|^dependencies:\s*$",
    )
    .unwrap()
});

/// A report's lines.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// How many lines it has.
    pub(super) lines: usize,
    pub(super) kind: PartKind,
    /// Whether it has its first line.
    pub(super) begins: bool,
    /// The facts that it names, in lower case.
    pub(super) names: BTreeSet<String>,
}

/// Whether something else than a report or a list begins with a line.
pub(super) fn is_other(line: &str) -> bool {
    OTHER.is_match(line)
}

/// The report that begins with the first of `lines`.
pub(super) fn report(lines: &[Line<'_>]) -> Option<Span> {
    let begins = is_first(lines.first()?.text);
    if !begins && !begins_without(lines) {
        return None;
    }
    let mut span = Span { lines: 0, kind: PartKind::CollectEnv, begins, names: BTreeSet::new() };
    for (index, line) in lines.iter().enumerate() {
        let line = line.text;
        if index > span.lines + FOREIGN || (index > 0 && (is_other(line) || is_first(line))) {
            break;
        }
        let names = names(line);
        if names.contains("pytorch version") && span.names.contains("pytorch version") {
            break;
        }
        let is_vllm = names.iter().any(|name| name.starts_with("vllm")) || TITLE.is_match(line);
        if is_vllm {
            span.kind = PartKind::VllmCollectEnv;
        }
        let below =
            (span.kind == PartKind::VllmCollectEnv || span.names.contains("gpu topology")) && BELOW.is_match(line);
        let goes_on = span.lines == index && ENTRY.is_match(line);
        if is_vllm || below || goes_on || !names.is_empty() {
            span.lines = index + 1;
        }
        span.names.extend(names);
    }
    (!span.names.is_empty()).then_some(span)
}

fn is_first(line: &str) -> bool {
    line.trim_start().starts_with(FIRST)
}

/// Whether a report begins here that lost its first line: two facts of its own, or one and others.
fn begins_without(lines: &[Line<'_>]) -> bool {
    let first = lines[0].text;
    if first.starts_with("==========") {
        return lines.get(1).is_some_and(|line| TITLE.is_match(line.text));
    }
    if names(first).is_empty() {
        return false;
    }
    let near = lines.iter().take(NEAR).take_while(|line| !is_other(line.text));
    let named: Vec<BTreeSet<String>> = near.map(|line| names(line.text)).collect();
    let all: BTreeSet<&String> = named.iter().flatten().collect();
    let libraries = named.iter().filter(|names| names.iter().any(|name| name.starts_with('['))).count();
    all.len() >= 2 || libraries >= 2
}

/// The facts of a report that a line names.
fn names(line: &str) -> BTreeSet<String> {
    if line.len() > 100_000 || !(line.contains(':') || line.contains('[') || line.contains("ersions of relevant")) {
        return BTreeSet::new();
    }
    let own = OWN.captures_iter(line).map(|found| found[1].to_lowercase());
    let common = COMMON
        .captures(line)
        .into_iter()
        .filter_map(|found| found.iter().skip(1).flatten().next().map(|it| it.as_str().to_lowercase()));
    own.chain(common).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(text: &str) -> Option<(usize, PartKind)> {
        let lines: Vec<_> = text.lines().enumerate().map(|(index, text)| Line { number: index + 1, text }).collect();
        report(&lines).map(|span| (span.lines, span.kind))
    }

    #[test]
    fn a_report_ends_where_its_lines_end() {
        for (text, lines) in [
            ("Collecting environment information...\nPyTorch version: 2.6.0\n\nOS: Ubuntu\n\ncc @somebody", 4),
            ("PyTorch version: 2.6.0\nIs debug build: False\nThat is all.", 2),
            ("OS: Ubuntu\nPython version: 3.12\n\nVersions of relevant libraries:\n[pip3] torch==2.6.0\ncc @a", 5),
            (
                "Python platform: x\nIs CUDA available: False\n\nCPU:\nArchitektur: x86_64\n  L1d: 1\n\n## Next\nOS: x",
                6,
            ),
            ("PyTorch version: 1\nwarning\nOS: x\nPyTorch version: 2\nOS: y", 3),
            ("Is debug build: False\nOS: x\n$ pip list\nCPU: x", 2),
            ("PyTorch version: 2.6.0 Is debug build: False OS: Linux", 1),
            ("[pip3] numpy==1.2\n[pip3] torch==2.6.0", 2),
        ] {
            assert_eq!(span(text), Some((lines, PartKind::CollectEnv)), "{text}");
        }
    }

    #[test]
    fn one_fact_in_a_sentence_is_no_report() {
        for text in [
            "Python version: 3.12\nand so on",
            "OS: Linux",
            "Collecting environment information...\nTraceback",
            "",
            "a: b",
        ] {
            assert_eq!(span(text), None, "{text}");
        }
    }

    #[test]
    fn vllm_has_rules_a_topology_and_variables() {
        let rule = "=".repeat(30);
        let text = format!(
            "{rule}\n   System Info\n{rule}\nOS    : Ubuntu\n\n{rule}\n  vLLM Info\n{rule}\nvLLM Version : 0.9\nGPU Topology:\n  GPU0 CPU\n\nLegend:\n\n  X    = Self\n\n{rule}\n Environment Variables\n{rule}\nVLLM_X=1\n\nBye"
        );
        assert_eq!(span(&text), Some((20, PartKind::VllmCollectEnv)));
        let old = "PyTorch version: 2.6\nOS: x\nvLLM Version: 0.6\nGPU Topology:\nGPU0 X\n\nLegend:\n\n  X = Self\n\nLD_LIBRARY_PATH=/x\nCUDA_HOME=\n";
        assert_eq!(span(old), Some((12, PartKind::VllmCollectEnv)));
    }
}
