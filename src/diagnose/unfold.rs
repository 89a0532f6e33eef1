//! Lines that were folded into one: by loggers that write JSON, and by programs that print a text as a literal.

use serde_json::{Map, Value};

/// What loggers call what a program said, Docker's first; `MESSAGE` is the journal's, `textPayload` a cloud's.
const MESSAGES: &[&str] = &["log", "message", "msg", "MESSAGE", "textPayload", "event"];

/// What they call the failure that they say more of.
const DETAILS: &[&str] = &["error", "err", "exception", "exc_info", "stack", "stack_trace", "stacktrace", "traceback"];

/// What they call how bad it is.
const LEVELS: &[&str] = &["level", "severity", "levelname"];

/// A line of a log in JSON.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) text: String,
    /// Whether it is a warning.
    pub(super) mild: bool,
}

/// What a line of JSON says; `None` where it is something else.
pub(super) fn entry(line: &[u8]) -> Option<Entry> {
    let line = line.trim_ascii();
    if line.first() != Some(&b'{') || line.last() != Some(&b'}') {
        return None;
    }
    let fields: Map<String, Value> = serde_json::from_slice(line).ok()?;
    let mut texts: Vec<&str> = MESSAGES.iter().find_map(|name| fields.get(*name)?.as_str()).into_iter().collect();
    for value in DETAILS.iter().filter_map(|name| fields.get(*name)) {
        match value {
            Value::String(text) => texts.push(text),
            Value::Object(nested) => {
                texts.extend(MESSAGES.iter().chain(DETAILS).filter_map(|name| nested.get(*name)?.as_str()));
            }
            _ => {}
        }
    }
    let level = LEVELS.iter().find_map(|name| fields.get(*name)?.as_str()).unwrap_or_default();
    let mild = ["warn", "warning"].iter().any(|mild| level.eq_ignore_ascii_case(mild));
    (!texts.is_empty()).then(|| Entry { text: texts.join("\n"), mild })
}

/// The exception that the line prints as Python's `repr` does, as a traceback has it: `ImportError('no x')`, `ImportError: no x`.
pub(super) fn exception(line: &str) -> Option<String> {
    let (at, quote) = ["Error('", "Error(\"", "Exception('", "Exception(\""]
        .iter()
        .find_map(|mark| Some((line.find(mark)? + mark.len() - 2, mark.chars().next_back()?)))?;
    let name = line[..at].rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.').next()?;
    let text = &line[at + 2..];
    let end = text.find(&[quote, ')'].iter().collect::<String>()).unwrap_or(text.len());
    Some(format!("{name}: {}", text[..end].trim_end_matches(quote)))
}

/// The lines of a text that stands in the line as a literal of Python or C, with `\n` for its ends; `None` where none does. A
/// path of Windows has the same characters.
pub(super) fn literal(line: &str) -> Option<String> {
    let bytes = line.as_bytes();
    let path = |at: usize| at >= 2 && bytes[at - 1] == b':' && bytes[at - 2].is_ascii_alphabetic();
    let ends = line.match_indices(r"\n").count();
    let is_path = line.match_indices('\\').any(|(at, _)| path(at) && bytes.get(at + 1) != Some(&b'\\'));
    if ends < 2 || is_path {
        return None;
    }
    let mut out = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (c, if c == '\\' { chars.next() } else { None }) {
            ('\\', Some('n')) => out.push('\n'),
            ('\\', Some('t')) => out.push('\t'),
            ('\\', Some(quoted @ ('\\' | '\'' | '"'))) => out.push(quoted),
            ('\\', Some(other)) => out.extend(['\\', other]),
            _ => out.push(c),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_loggers_are_read() {
        for (line, expected) in [
            (
                r#"{"log":"fatal \u001b[31merror\n","stream":"stderr","time":"2026-01-02T03:04:05Z"}"#,
                Some("fatal \u{1b}[31merror\n"),
            ),
            (
                r#" {"level":"error","message":"it broke","exc_info":"Traceback\n  File"} "#,
                Some("it broke\nTraceback\n  File"),
            ),
            (
                r#"{"msg":"boom","error":"RuntimeError: no","stack":"Traceback"}"#,
                Some("boom\nRuntimeError: no\nTraceback"),
            ),
            (r#"{"msg":"boom","err":{"message":"no","stack":"at x"}}"#, Some("boom\nno\nat x")),
            (r#"{"MESSAGE":[1,2],"_PID":"1"}"#, None),
            (r#"{"msg":{"a":1},"exception":"X"}"#, Some("X")),
            (r#"{"loss": 0.1}"#, None),
            (r#"{"log":"cut o"#, None),
            ("{}", None),
            ("plain", None),
            ("", None),
        ] {
            let text = entry(line.as_bytes()).map(|entry| entry.text);
            assert_eq!(text.as_deref(), expected, "{line}");
        }
        for (level, mild) in [("warning", true), ("WARN", true), ("error", false), ("info", false)] {
            let line = format!(r#"{{"level":"{level}","msg":"x"}}"#);
            assert_eq!(entry(line.as_bytes()).map(|entry| entry.mild), Some(mild), "{level}");
        }
    }

    #[test]
    fn the_repr_of_an_exception_is_the_exception() {
        for (line, expected) in [
            ("failed with ImportError('libcuda.so.1: no file')", Some("ImportError: libcuda.so.1: no file")),
            (r#"cause=x.y.BuildError("can't")]"#, Some("x.y.BuildError: can't")),
            ("OSError('cut", Some("OSError: cut")),
            ("Error: 'x'", None),
        ] {
            assert_eq!(exception(line).as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn a_text_that_was_printed_as_a_literal_has_its_lines() {
        for (line, expected) in [
            (r"b'a.c:1:1: error\ncompilation terminated.\n'", Some("b'a.c:1:1: error\ncompilation terminated.\n'")),
            (r#""a\n\tit\'s C:\\new\n""#, Some("\"a\n\tit's C:\\new\n\"")),
            (r"at C:\new\notes\nested", None),
            (r"one \n alone", None),
            ("none", None),
        ] {
            assert_eq!(literal(line).as_deref(), expected, "{line}");
        }
    }
}
