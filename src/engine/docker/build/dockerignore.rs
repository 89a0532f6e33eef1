//! The file `.dockerignore`, read as Docker's own client reads it ([moby/patternmatcher], `ignorefile`).
//!
//! [moby/patternmatcher]: https://github.com/moby/patternmatcher/blob/main/ignorefile/ignorefile.go

use std::io::ErrorKind;
use std::path::Path;

use super::go_path::clean;
use super::pattern::Patterns;
use crate::model::{Error, Origin, Result};

/// The file's name.
pub(super) const DOCKERIGNORE: &str = ".dockerignore";

/// What the `.dockerignore` of the folder `context` leaves out; nothing where there is none.
pub(super) fn read(context: &Path) -> Result<Patterns> {
    let bytes = match std::fs::read(context.join(DOCKERIGNORE)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Patterns::default()),
        Err(error) => return Err(Error::usage("`.dockerignore` cannot be read").because(error)),
    };
    let lines = parse(&String::from_utf8_lossy(&bytes));
    let mut patterns = Vec::new();
    for (line, pattern) in lines {
        // One by one first, so that the line is known; the list as a whole only then.
        Patterns::new([&pattern]).map_err(|_| malformed(&pattern, line))?;
        patterns.push(pattern);
    }
    Patterns::new(&patterns).map_err(|pattern| malformed(&pattern, 1))
}

fn malformed(pattern: &str, line: usize) -> Error {
    Error::usage(format!("`{}` is not a valid pattern", pattern.escape_debug()))
        .at(Origin::file(DOCKERIGNORE, line))
        .with_hint("close each `[` with a `]`, put a character after each `\\`, and a pattern after each `!`")
}

/// The cleaned patterns of the file and their lines, counted from 1.
fn parse(text: &str) -> Vec<(usize, String)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut patterns = Vec::new();
    for (index, line) in text.split('\n').enumerate() {
        // A `#` makes a comment only as the line's very first character.
        let pattern = line.trim();
        if line.starts_with('#') || pattern.is_empty() {
            continue;
        }
        let (mark, pattern) = match pattern.strip_prefix('!') {
            Some(pattern) => ("!", pattern.trim()),
            None => ("", pattern),
        };
        let cleaned = if pattern.is_empty() { String::new() } else { clean(pattern) };
        let relative = cleaned.strip_prefix('/').filter(|rest| !rest.is_empty()).unwrap_or(&cleaned);
        patterns.push((index + 1, format!("{mark}{relative}")));
    }
    patterns
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(text: &str) -> Vec<String> {
        parse(text).into_iter().map(|(_, pattern)| pattern).collect()
    }

    fn ignored(lines: &[&str], path: &str) -> bool {
        let patterns = Patterns::new(lines.iter().copied()).unwrap();
        let mut inherited = None;
        let mut result = false;
        for (end, _) in path.match_indices('/').chain([(path.len(), "")]) {
            let (matched, own) = patterns.matches(&path[..end], inherited.as_ref());
            (result, inherited) = (matched, Some(own));
        }
        result
    }

    #[test]
    fn lines_are_read_as_docker_reads_them() {
        let text = "\u{feff}# a comment\r\n  padded \r\n\n #not a comment\n/rooted\n!/back\n! spaced\na/./b//c/../d/\n/\n!\n..";
        assert_eq!(patterns(text), ["padded", "#not a comment", "rooted", "!back", "!spaced", "a/b/d", "/", "!", ".."]);
    }

    #[test]
    fn a_malformed_pattern_names_its_line() {
        let folder = tempfile::tempdir().unwrap();
        for (text, line) in [("a\n\n[b\n", 3), ("!\n", 1), ("x\ny\\", 2)] {
            std::fs::write(folder.path().join(DOCKERIGNORE), text).unwrap();
            let error = read(folder.path()).unwrap_err();
            assert_eq!(error.origin, Some(Origin::file(DOCKERIGNORE, line)));
        }
    }

    #[test]
    fn no_file_ignores_nothing() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read(folder.path()).unwrap().is_empty());
    }

    #[test]
    fn wildcards_stop_at_slashes_unless_doubled() {
        let cases: [(&str, &str, bool); 40] = [
            ("*", "file", true),
            ("*", "folder/file", true),
            ("*.txt", "a.txt", true),
            ("*.txt", "folder/a.txt", false),
            ("*/*.txt", "folder/a.txt", true),
            ("folder", "folder/deep/file", true),
            ("folder/*", "folder", false),
            ("folder/*", "folder/file", true),
            ("folder/*", "folder/deep/file", true),
            ("**", "any/thing", true),
            ("**/", "any", true),
            ("**/a", "a", true),
            ("**/a", "x/y/a", true),
            ("**/a", "ba", false),
            ("**/a", "x/ba", false),
            ("**a", "x/ba", true),
            ("**/*.txt", "a.txt", true),
            ("**/*.txt", "x/y/a.txt", true),
            ("**/a*/**", "x/ab/c", true),
            ("a/**", "a", false),
            ("a/**", "a/b", true),
            ("a/**", "ab", false),
            ("a**", "ab/c", true),
            ("a/**/b", "a/b", true),
            ("a/**/b", "a/x/y/b", true),
            ("a/**/b", "a/xb", false),
            ("?", "a", true),
            ("?", "ab", false),
            ("a?c", "a/c", false),
            ("a.c", "abc", false),
            ("[a-c]", "b", true),
            ("[^a-c]", "b", false),
            ("a[*]c", "a*c", false),
            (r"a\*c", "a*c", true),
            (r"a\*c", "abc", false),
            ("a(b|c)", "ab", false),
            ("a{b}$", "a{b}$", true),
            ("h?^", "hi^", false),
            ("日?", "日本", true),
            ("#x", "#x", true),
        ];
        for (pattern, path, expected) in cases {
            assert_eq!(ignored(&[pattern], path), expected, "`{pattern}` on `{path}`");
        }
    }

    #[test]
    fn a_later_pattern_overrules_an_earlier_one() {
        let cases: [(&[&str], &str, bool); 12] = [
            (&["*", "!keep"], "keep", false),
            (&["*", "!keep"], "keep/below", false),
            (&["!keep", "*"], "keep", true),
            (&["folder", "!folder/keep"], "folder/keep", false),
            (&["folder", "!folder/keep"], "folder/other", true),
            (&["folder", "!folder/keep", "folder/keep/not"], "folder/keep/not", true),
            (&["folder", "!folder/keep", "folder/keep/not"], "folder/keep/yes", false),
            (&["**", "!**/*.py"], "a/b/c.py", false),
            (&["**", "!**/*.py"], "a/b/c.txt", true),
            (&["a/b", "!a"], "a/b", true),
            (&["**/x", "!a/**"], "a/x", false),
            (&["a", "!a", "a"], "a", true),
        ];
        for (patterns, path, expected) in cases {
            assert_eq!(ignored(patterns, path), expected, "{patterns:?} on `{path}`");
        }
    }

    #[test]
    fn a_folder_is_entered_only_for_what_may_be_below_it() {
        let patterns = |lines: &[&str]| Patterns::new(lines.iter().copied()).unwrap();
        assert!(!patterns(&["a"]).may_except_below("a"));
        assert!(patterns(&["a", "!a/b/c"]).may_except_below("a/b"));
        assert!(!patterns(&["a", "!ab/c"]).may_except_below("a"));
        assert!(patterns(&["a", "!**/c"]).may_except_below("a"));
        assert!(patterns(&["a/b/*"]).may_include_below("a"));
        assert!(!patterns(&["a/b"]).may_include_below("b"));
    }
}
