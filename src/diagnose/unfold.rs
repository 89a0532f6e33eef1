//! Lines that were folded into one: by loggers that write JSON, and by programs that print a text as a literal.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;

/// A line of a log in JSON, by the names that loggers give to what a program said.
#[derive(Deserialize)]
struct Entry<'a> {
    /// Docker's; `message` is that of most loggers, `MESSAGE` the journal's, `textPayload` a cloud's.
    #[serde(borrow, alias = "message", alias = "msg", alias = "MESSAGE", alias = "textPayload", alias = "event")]
    log: Option<Said<'a>>,
    #[serde(borrow, alias = "exception", alias = "stack_trace", alias = "stacktrace", alias = "traceback")]
    exc_info: Option<Said<'a>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Said<'a> {
    Text(#[serde(borrow)] Cow<'a, str>),
    Other(IgnoredAny),
}

/// The text of a line of JSON; `None` where it is something else.
pub(super) fn entry(line: &[u8]) -> Option<String> {
    let line = line.trim_ascii();
    if line.first() != Some(&b'{') || line.last() != Some(&b'}') {
        return None;
    }
    let Entry { log, exc_info } = serde_json::from_slice(line).ok()?;
    let text = |said| match said {
        Some(Said::Text(text)) => Some(text.into_owned()),
        Some(Said::Other(_)) | None => None,
    };
    match (text(log), text(exc_info)) {
        (Some(log), Some(more)) => Some(format!("{log}\n{more}")),
        (log, more) => log.or(more),
    }
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
            (r#"{"MESSAGE":[1,2],"_PID":"1"}"#, None),
            (r#"{"msg":{"a":1},"exception":"X"}"#, Some("X")),
            (r#"{"loss": 0.1}"#, None),
            (r#"{"log":"cut o"#, None),
            ("{}", None),
            ("plain", None),
            ("", None),
        ] {
            assert_eq!(entry(line.as_bytes()).as_deref(), expected, "{line}");
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
