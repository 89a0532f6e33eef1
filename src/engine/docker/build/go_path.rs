//! What Docker's patterns take from Go: `filepath.Clean`, the syntax check of `filepath.Match`, and RE2's classes.

use std::fmt::Write as _;

use regex::Regex;

/// The shortest path that names the same as `path`, by text alone, as Go's [`filepath.Clean`] does on Unix.
///
/// [`filepath.Clean`]: https://pkg.go.dev/path/filepath#Clean
pub(super) fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => match parts.last() {
                Some(&last) if last != ".." => drop(parts.pop()),
                _ if rooted => {}
                _ => parts.push(".."),
            },
            _ => parts.push(part),
        }
    }
    match (rooted, parts.join("/")) {
        (true, joined) => format!("/{joined}"),
        (false, joined) if joined.is_empty() => ".".to_owned(),
        (false, joined) => joined,
    }
}

/// Whether [`filepath.Match`] takes `pattern` for well-formed: no escape at its end, and each class closed and not empty.
///
/// [`filepath.Match`]: https://pkg.go.dev/path/filepath#Match
pub(super) fn well_formed(pattern: &str) -> bool {
    let mut rest = pattern.chars().peekable();
    while let Some(char) = rest.next() {
        let valid = match char {
            '\\' => rest.next().is_some(),
            '[' => class_well_formed(&mut rest),
            _ => true,
        };
        if !valid {
            return false;
        }
    }
    true
}

fn class_well_formed(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> bool {
    rest.next_if_eq(&'^');
    let mut ranges = 0;
    loop {
        if ranges > 0 && rest.next_if_eq(&']').is_some() {
            return true;
        }
        if !class_char_well_formed(rest) || rest.next_if_eq(&'-').is_some() && !class_char_well_formed(rest) {
            return false;
        }
        ranges += 1;
    }
}

fn class_char_well_formed(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> bool {
    let first = match rest.next() {
        None | Some('-' | ']') => return false,
        Some('\\') => rest.next(),
        char => char,
    };
    first.is_some() && rest.peek().is_some()
}

/// Compiles an expression that is meant for Go's `regexp`. The two dialects differ where a pattern can reach: in Rust, `[`,
/// `&&`, `--` and `~~` are syntax inside of a class, and some escapes mean something else.
pub(super) fn compile(expression: &str) -> Option<Regex> {
    let mut out = String::new();
    let mut rest = expression;
    while let Some(char) = rest.chars().next() {
        rest = &rest[char.len_utf8()..];
        match char {
            '\\' => out.push_str(&escaped(&mut rest)?),
            '[' => class(&mut rest, &mut out)?,
            ']' => out.push_str(r"\]"),
            _ => out.push(char),
        }
    }
    Regex::new(&out).ok()
}

fn next(rest: &mut &str) -> Option<char> {
    let char = rest.chars().next()?;
    *rest = &rest[char.len_utf8()..];
    Some(char)
}

/// What a backslash and the next character mean outside of a class.
fn escaped(rest: &mut &str) -> Option<String> {
    let char = next(rest)?;
    Some(match char {
        'A' | 'b' | 'z' | 'a' | 'f' | 'n' | 'r' | 't' | 'v' => format!("\\{char}"),
        _ if char.is_ascii_punctuation() => regex::escape(&char.to_string()),
        _ => perl_class(char)?.to_owned(),
    })
}

/// The classes that have a letter; in Go they are of ASCII only.
fn perl_class(letter: char) -> Option<&'static str> {
    Some(match letter {
        'd' => "[0-9]",
        'D' => "[^0-9]",
        's' => r"[\t\n\x0C\r ]",
        'S' => r"[^\t\n\x0C\r ]",
        'w' => "[0-9A-Za-z_]",
        'W' => "[^0-9A-Za-z_]",
        _ => return None,
    })
}

/// Writes the class that begins after `[`, with explicit ranges.
fn class(rest: &mut &str, out: &mut String) -> Option<()> {
    out.push('[');
    if let Some(negated) = rest.strip_prefix('^') {
        *rest = negated;
        out.push('^');
    }
    let mut first = true;
    while first || !rest.starts_with(']') {
        first = false;
        class_item(rest, out)?;
    }
    next(rest);
    out.push(']');
    Some(())
}

fn class_item(rest: &mut &str, out: &mut String) -> Option<()> {
    if let Some((name, after)) = rest.strip_prefix("[:").and_then(|rest| rest.split_once(":]")) {
        *rest = after;
        out.extend(["[:", name, ":]"]);
        return Some(());
    }
    if let Some((class, after)) =
        rest.strip_prefix('\\').and_then(|mut rest| Some((perl_class(next(&mut rest)?)?, rest)))
    {
        *rest = after;
        out.push_str(class);
        return Some(());
    }
    let low = class_char(rest)?;
    let high = match rest.strip_prefix('-') {
        Some(after) if !after.starts_with(']') => {
            *rest = after;
            class_char(rest)?
        }
        _ => low,
    };
    let _ = write!(out, r"\x{{{:X}}}-\x{{{:X}}}", u32::from(low), u32::from(high));
    (low <= high).then_some(())
}

fn class_char(rest: &mut &str) -> Option<char> {
    match next(rest)? {
        '\\' => next(rest).filter(char::is_ascii_punctuation),
        char => Some(char),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_by_their_text_alone() {
        let cases = [
            ("", "."),
            (".", "."),
            ("./a", "a"),
            ("a/", "a"),
            ("a//b/./c", "a/b/c"),
            ("a/../b", "b"),
            ("../a/..", ".."),
            ("a/../../b", "../b"),
            ("/..", "/"),
            ("/../a/", "/a"),
            ("//", "/"),
            ("!../a", "!../a"),
        ];
        for (path, cleaned) in cases {
            assert_eq!(clean(path), cleaned, "{path}");
        }
    }

    #[test]
    fn malformed_patterns_are_told_apart() {
        for pattern in ["a", "[ab]", "[^a-z]*", r"a\[", "a]", r"[\]]", r"[\]-a]", "[[:alpha:]]"] {
            assert!(well_formed(pattern), "{pattern}");
        }
        for pattern in ["[", "[]", "[]a]", "[a", "[^]", "[-a]", "[a-]", "a\\", "[\\", "[a\\"] {
            assert!(!well_formed(pattern), "{pattern}");
        }
    }

    #[test]
    fn classes_mean_what_they_mean_in_go() {
        let matches = |expression: &str, text: &str| compile(expression).map(|regex| regex.is_match(text));
        assert_eq!(matches("^[a[b]$", "["), Some(true));
        assert_eq!(matches("^[a&&b]$", "&"), Some(true));
        assert_eq!(matches("^[a~~b]$", "a"), Some(true));
        assert_eq!(matches("^[^a-c]$", "b"), Some(false));
        assert_eq!(matches(r"^[\]x]$", "]"), Some(true));
        assert_eq!(matches("^[[^/]*]$", "^^]"), Some(true));
        assert_eq!(matches(r"^\d$", "7"), Some(true));
        assert_eq!(matches(r"^\<$", "<"), Some(true));
        assert_eq!(matches("^[[:digit:]x]$", "7"), Some(true));
        assert_eq!(matches(r"^[\dx]$", "7"), Some(true));
        assert_eq!(matches("^[z-a]$", "b"), None);
        assert_eq!(matches(r"^\é$", "é"), None);
    }
}
