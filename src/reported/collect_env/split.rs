//! One line taken apart: where newlines were lost, several facts stand on it.

use std::sync::LazyLock;

use regex::Regex;

use super::keys::{HEADINGS, KEYS, Key, VARIABLES};
use crate::model::Manager;

/// A piece of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// A known name, and the text behind its colon.
    Fact(Key, &'a str),
    /// The heading of a section, and what it opens.
    Heading(Option<Key>),
    /// The heading of the environment variables.
    Variables,
    /// A package behind its `[pip3]` or `[conda]`.
    Package(Manager, &'a str),
    /// Anything else.
    Rest(&'a str),
}

/// Where a piece begins: a name with its colon, the tag of a package, or the rule around a heading.
#[expect(clippy::unwrap_used, reason = "the names are fixed, and a test reads them")]
static MARK: LazyLock<Regex> = LazyLock::new(|| {
    let names: Vec<String> = KEYS.iter().map(|(name, _)| regex::escape(name)).collect();
    Regex::new(&format!(r"(?P<name>{})\**\s*[:：]\**|\[(?P<tag>pip3?|conda)\]|={{10,}}", names.join("|"))).unwrap()
});

/// The time that GitHub's and other runners write before a line.
#[expect(clippy::unwrap_used, reason = "the pattern is fixed, and a test uses it")]
static TIME: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z\s+").unwrap());

/// The line without what stands before it and without the space around it. The stars and dashes of a list go where a
/// fact follows: elsewhere they are the report's own.
pub(super) fn bare(line: &str) -> &str {
    let line = line.trim();
    let line = TIME.find(line).map_or(line, |time| &line[time.end()..]);
    let line = line.trim_start_matches(|c: char| c.is_whitespace() || ['>', '`', '#'].contains(&c));
    let unmarked = line.trim_start_matches(|c: char| c.is_whitespace() || ['-', '*', '•'].contains(&c));
    match MARK.find(unmarked) {
        Some(mark) if mark.start() == 0 => unmarked,
        _ => line,
    }
}

/// The pieces of a line, in order. `in_processor` says whether lscpu is speaking: in some languages it counts the
/// processors as `CPU:`.
pub(super) fn split(line: &str, in_processor: bool) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut open = None;
    let mut start = 0;
    let several = MARK.find_iter(line).nth(1).is_some();
    for captures in MARK.captures_iter(line) {
        let Some(mark) = captures.get(0) else { continue };
        let next = if let Some(name) = captures.name("name") {
            let key = KEYS.iter().find(|(known, _)| *known == name.as_str()).map_or(Key::Other, |(_, key)| *key);
            let before = &line[start..mark.start()];
            let after = &line[mark.end()..];
            if key.is_short() && !stands_alone(key, before, after, several, in_processor) {
                continue;
            }
            Open::Fact(key)
        } else {
            match captures.name("tag").map(|tag| tag.as_str()) {
                Some("conda") => Open::Package(Manager::Conda),
                Some(_) => Open::Package(Manager::Pip),
                None => Open::Rule,
            }
        };
        close(open, &line[start..mark.start()], &mut pieces);
        open = Some(next);
        start = mark.end();
    }
    close(open, &line[start..], &mut pieces);
    pieces
}

/// Whether a name of one word is meant as a name where it stands.
fn stands_alone(key: Key, before: &str, after: &str, several: bool, in_processor: bool) -> bool {
    if key == Key::Processor && in_processor && after.trim_start().starts_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let trimmed = before.trim_end();
    let apart = trimmed.len() < before.len();
    trimmed.is_empty() || (several && (apart || ["N/A", "True", "False"].iter().any(|end| trimmed.ends_with(end))))
}

/// What the text behind a mark belongs to.
#[derive(Clone, Copy)]
enum Open {
    Fact(Key),
    Package(Manager),
    Rule,
}

fn close<'a>(open: Option<Open>, text: &'a str, pieces: &mut Vec<Piece<'a>>) {
    let text = text.trim();
    match open {
        Some(Open::Fact(key)) => pieces.push(Piece::Fact(key, text)),
        Some(Open::Package(manager)) => pieces.push(Piece::Package(manager, text)),
        Some(Open::Rule) | None if text.is_empty() => {}
        Some(Open::Rule) | None => pieces.push(heading(text).unwrap_or(Piece::Rest(text))),
    }
}

fn heading(text: &str) -> Option<Piece<'static>> {
    if text == VARIABLES {
        return Some(Piece::Variables);
    }
    HEADINGS.iter().find(|(heading, _)| *heading == text).map(|(_, opens)| Piece::Heading(*opens))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_fact() {
        assert_eq!(split("PyTorch version: 2.5.1+cu124", false), [Piece::Fact(Key::Torch, "2.5.1+cu124")]);
        assert_eq!(split("OS                           : Ubuntu 22.04", false), [Piece::Fact(Key::Os, "Ubuntu 22.04")]);
        assert_eq!(split("[conda] blas   1.0   mkl", false), [Piece::Package(Manager::Conda, "blas   1.0   mkl")]);
    }

    #[test]
    fn a_fused_line_is_many() {
        let pieces =
            split("Is debug build: FalseCUDA used to build PyTorch: 12.1 ROCM used to build PyTorch: N/AOS: X", false);
        let expected = [
            Piece::Fact(Key::Debug, "False"),
            Piece::Fact(Key::CudaBuild, "12.1"),
            Piece::Fact(Key::RocmBuild, "N/A"),
            Piece::Fact(Key::Os, "X"),
        ];
        assert_eq!(pieces, expected);
        let pieces = split("[pip3] numpy==1.0[pip3] torch==2.0 [conda] Could not collect", false);
        let expected = [
            Piece::Package(Manager::Pip, "numpy==1.0"),
            Piece::Package(Manager::Pip, "torch==2.0"),
            Piece::Package(Manager::Conda, "Could not collect"),
        ];
        assert_eq!(pieces, expected);
    }

    #[test]
    fn headings_stand_between_rules_or_alone() {
        let rule = "=".repeat(30);
        assert_eq!(split("CPU Info", false), [Piece::Heading(Some(Key::Processor))]);
        let fused = format!("{rule} Environment Variables {rule} A=1");
        assert_eq!(split(&fused, false), [Piece::Variables, Piece::Rest("A=1")]);
        assert!(split(&rule, false).is_empty());
    }

    #[test]
    fn short_names_are_names_only_where_they_begin_something() {
        assert_eq!(split("CPU:", false), [Piece::Fact(Key::Processor, "")]);
        assert_eq!(split("CPU:        16", true), [Piece::Rest("CPU:        16")]);
        assert_eq!(split("NUMA node0 CPU: 0-15", true), [Piece::Rest("NUMA node0 CPU: 0-15")]);
        assert_eq!(split("the host OS: unknown", false), [Piece::Rest("the host OS: unknown")]);
    }

    #[test]
    fn what_stands_before_a_line_is_left_out() {
        assert_eq!(bare("2026-05-06T23:29:13.1633470Z Is CUDA available: False"), "Is CUDA available: False");
        assert_eq!(bare("2026-05-06T23:29:13.1633470Z * libze1: 1"), "* libze1: 1");
        assert_eq!(bare("- **PyTorch version**: 2.1"), "PyTorch version**: 2.1");
        assert_eq!(bare("  > * PyTorch version: 2.1"), "PyTorch version: 2.1");
        assert_eq!(bare("  * libze1: 1"), "* libze1: 1");
        assert_eq!(bare("--Compile time--"), "--Compile time--");
        assert_eq!(bare("2026-05-06T23:29:13.1Z plain"), "plain");
    }
}
