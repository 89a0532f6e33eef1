//! The patterns of `.dockerignore`, as [moby/patternmatcher] matches them.
//!
//! [moby/patternmatcher]: https://github.com/moby/patternmatcher/blob/main/patternmatcher.go

use regex::Regex;

use super::go_path::{clean, compile, well_formed};

/// A list of patterns in which a later one overrules an earlier one, and `!` takes back.
#[derive(Debug, Clone, Default)]
pub(super) struct Patterns {
    patterns: Vec<Pattern>,
}

/// Which of the patterns a folder matched; what it holds inherits that.
#[derive(Debug, Clone, Default)]
pub(super) struct Inherited(Vec<bool>);

impl Patterns {
    /// Reads the patterns; the error is the one that is malformed.
    pub(super) fn new<S: AsRef<str>>(patterns: impl IntoIterator<Item = S>) -> Result<Self, String> {
        let mut list = Vec::new();
        for pattern in patterns {
            let pattern = pattern.as_ref().trim();
            if !pattern.is_empty() {
                list.push(Pattern::new(&clean(pattern)).ok_or_else(|| pattern.to_owned())?);
            }
        }
        Ok(Self { patterns: list })
    }

    /// Whether there are no patterns at all.
    pub(super) fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether `path` (relative, with `/`) matches, given what its folder matched; and what `path` hands on.
    pub(super) fn matches(&self, path: &str, folder: Option<&Inherited>) -> (bool, Inherited) {
        let mut matched = false;
        let mut own = vec![false; self.patterns.len()];
        for (index, pattern) in self.patterns.iter().enumerate() {
            let inherited = folder.is_some_and(|folder| folder.0[index]);
            // A pattern that could not change the answer is not evaluated, and then is not handed on either. Docker does
            // the same, and it shows: after `a/b`, a `!a` does not take `a/b` back.
            own[index] = inherited || pattern.exception == matched && pattern.matches(path);
            if own[index] {
                matched = !pattern.exception;
            }
        }
        (matched, Inherited(own))
    }

    /// Whether one of the patterns could match below the folder `path`, which itself does not match.
    pub(super) fn may_include_below(&self, path: &str) -> bool {
        self.may_match_below(path, false)
    }

    /// Whether one of the exceptions (`!`) could match below the folder `path`, which itself matches.
    pub(super) fn may_except_below(&self, path: &str) -> bool {
        self.may_match_below(path, true)
    }

    /// A pattern with a wildcard may match anywhere; of one without, its text tells.
    fn may_match_below(&self, folder: &str, exception: bool) -> bool {
        let mut stems = self.patterns.iter().filter(|pattern| pattern.exception == exception).map(Pattern::stem);
        stems.any(|stem| {
            stem.contains(['*', '[', ']', '?', '^', '\\']) || format!("{stem}/").starts_with(&format!("{folder}/"))
        })
    }
}

/// One pattern.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    text: String,
    exception: bool,
    matcher: Matcher,
}

#[derive(Debug, Clone)]
enum Matcher {
    Exact,
    /// `text**`: whatever begins with the text.
    Prefix,
    /// `**text`: whatever ends with the text.
    Suffix,
    Regex(Regex),
}

impl Pattern {
    /// Reads a cleaned pattern; `None` if it is malformed.
    fn new(cleaned: &str) -> Option<Self> {
        let (text, exception) = match cleaned.strip_prefix('!') {
            Some("") => return None,
            Some(text) => (text, true),
            None => (cleaned, false),
        };
        Some(Self { text: text.to_owned(), exception, matcher: Matcher::new(text)? })
    }

    /// A pattern for the names in one folder, in which `!` is a character as any other.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        Some(Self { text: name.to_owned(), exception: false, matcher: Matcher::new(name)? })
    }

    /// Whether `path` itself matches.
    pub(super) fn matches(&self, path: &str) -> bool {
        match &self.matcher {
            Matcher::Exact => path == self.text,
            Matcher::Prefix => path.starts_with(&self.text[..self.text.len() - 2]),
            Matcher::Suffix => {
                let suffix = &self.text[2..];
                path.ends_with(suffix) || suffix.strip_prefix('/') == Some(path)
            }
            Matcher::Regex(regex) => regex.is_match(path),
        }
    }

    /// The pattern without the wildcard at its end.
    fn stem(&self) -> &str {
        let stem = self.text.strip_suffix("/**").unwrap_or(&self.text);
        stem.strip_suffix("/*").unwrap_or(stem)
    }
}

impl Matcher {
    fn new(pattern: &str) -> Option<Self> {
        if !well_formed(pattern) {
            return None;
        }
        let mut expression = String::from("^");
        let mut matcher = Simple::Exact;
        let mut rest = pattern.chars().peekable();
        let mut first = true;
        while let Some(char) = rest.next() {
            match char {
                '*' if rest.next_if_eq(&'*').is_some() => {
                    rest.next_if_eq(&'/');
                    matcher = match (rest.peek(), matcher) {
                        _ if first => Simple::Suffix,
                        (None, Simple::Exact) => Simple::Prefix,
                        _ => Simple::No,
                    };
                    expression.push_str(if rest.peek().is_some() { "(.*/)?" } else { ".*" });
                }
                '*' | '?' => {
                    expression.push_str(if char == '*' { "[^/]*" } else { "[^/]" });
                    matcher = Simple::No;
                }
                '\\' => {
                    expression.push('\\');
                    expression.extend(rest.next());
                    matcher = Simple::No;
                }
                '[' | ']' => {
                    expression.push(char);
                    matcher = Simple::No;
                }
                '.' | '+' | '(' | ')' | '|' | '{' | '}' | '$' => expression.extend(['\\', char]),
                _ => expression.push(char),
            }
            first = false;
        }
        Some(match matcher {
            Simple::Exact => Self::Exact,
            Simple::Prefix => Self::Prefix,
            Simple::Suffix => Self::Suffix,
            Simple::No => Self::Regex(compile(&format!("{expression}$"))?),
        })
    }
}

/// Whether a comparison of texts can stand for the expression so far.
#[derive(Clone, Copy)]
enum Simple {
    Exact,
    Prefix,
    Suffix,
    No,
}
