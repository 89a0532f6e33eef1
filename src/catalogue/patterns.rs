//! Many regular expressions, few of which a line can match: the texts that they require are looked for all at once, and an
//! expression is made when its text is there for the first time.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use regex::Regex;
use regex_syntax::ast::parse::Parser;
use regex_syntax::ast::{Ast, RepetitionKind, RepetitionRange};

use crate::model::{Error, Result};

/// A text that is shorter is in nearly every line.
const SHORTEST: usize = 3;

/// Of a text that has to be there many times, so many are looked for.
const LONGEST_RUN: u32 = 8;

/// Regular expressions, by their index.
#[derive(Debug, Clone)]
pub struct Patterns {
    expressions: Vec<Expression>,
    /// Finds the texts that the expressions require.
    texts: AhoCorasick,
    /// The expressions that require each of `texts`.
    owners: Vec<Vec<usize>>,
}

#[derive(Debug, Clone)]
struct Expression {
    pattern: String,
    made: OnceLock<Option<Regex>>,
}

impl Patterns {
    /// Reads the expressions of `file`; each has to require some text of every line that it matches.
    pub(super) fn read(file: &str, patterns: impl IntoIterator<Item = String>) -> Result<Self> {
        let mut expressions = Vec::new();
        let (mut texts, mut owners): (Vec<Vec<u8>>, Vec<Vec<usize>>) = (Vec::new(), Vec::new());
        let mut known = HashMap::new();
        for (index, pattern) in patterns.into_iter().enumerate() {
            let pattern = ascii(&pattern);
            for text in required_by(file, &pattern)? {
                let place = *known.entry(text.to_ascii_lowercase()).or_insert_with(|| {
                    texts.push(text);
                    owners.push(Vec::new());
                    owners.len() - 1
                });
                owners[place].push(index);
            }
            expressions.push(Expression { pattern, made: OnceLock::new() });
        }
        let texts = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            // A DFA is a fifth faster, and takes longer to make than a usual log to read.
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(texts)
            .map_err(|error| Error::usage(format!("the patterns of `{file}` are too many")).because(error))?;
        Ok(Self { expressions, texts, owners })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.expressions.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.expressions.is_empty()
    }

    /// Gives `found` each expression whose text is in `line`; one may come twice.
    pub fn candidates(&self, line: &[u8], mut found: impl FnMut(usize)) {
        for text in self.texts.find_overlapping_iter(line) {
            self.owners[text.pattern().as_usize()].iter().for_each(|index| found(*index));
        }
    }

    /// The expression; it was read, so that it is there.
    pub fn get(&self, index: usize) -> Option<&Regex> {
        let Expression { pattern, made } = self.expressions.get(index)?;
        made.get_or_init(|| Regex::new(pattern).ok()).as_ref()
    }
}

/// The pattern with the classes of ASCII in place of those of Unicode, which take ten times as long to make. What is
/// matched is the language of compilers.
pub(super) fn ascii(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('w') => out.push_str("[0-9A-Za-z_]"),
            Some('d') => out.push_str("[0-9]"),
            Some('s') => out.push_str(r"[ \t-\r]"),
            Some('S') => out.push_str(r"[^ \t-\r]"),
            Some('b') => out.push_str(r"(?-u:\b)"),
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out
}

/// The texts of which every match of the pattern holds one.
///
/// Read off the syntax tree: what the expression means, with its classes, takes several times as long to make, and most of
/// them are never needed.
fn required_by(file: &str, pattern: &str) -> Result<Vec<Vec<u8>>> {
    let unreadable = |problem| Error::usage(format!("`{file}` has a pattern that {problem}: {pattern}"));
    let tree = Parser::new().parse(pattern).map_err(|error| unreadable("cannot be read").because(error))?;
    let texts = required(&tree).filter(|texts| shortest(texts) >= SHORTEST);
    texts.ok_or_else(|| unreadable("no fixed text is in, so that it would be tried on every line"))
}

fn required(tree: &Ast) -> Option<Vec<Vec<u8>>> {
    match tree {
        Ast::Group(group) => required(&group.ast),
        Ast::Repetition(repetition) => {
            let times = least(&repetition.op.kind);
            match fixed(&repetition.ast) {
                _ if times == 0 => None,
                Some(text) => Some(vec![text.repeat(times.min(LONGEST_RUN) as usize)]),
                None => required(&repetition.ast),
            }
        }
        Ast::Alternation(all) => Some(all.asts.iter().map(required).collect::<Option<Vec<_>>>()?.concat()),
        Ast::Concat(parts) => longest(&parts.asts),
        _ => fixed(tree).map(|text| vec![text]),
    }
}

/// How often, at the least.
fn least(kind: &RepetitionKind) -> u32 {
    match kind {
        RepetitionKind::ZeroOrOne | RepetitionKind::ZeroOrMore => 0,
        RepetitionKind::OneOrMore => 1,
        RepetitionKind::Range(
            RepetitionRange::Exactly(times) | RepetitionRange::AtLeast(times) | RepetitionRange::Bounded(times, _),
        ) => *times,
    }
}

/// Of the texts that the parts require, one after the other, the one that tells most.
fn longest(parts: &[Ast]) -> Option<Vec<Vec<u8>>> {
    let mut choices = vec![vec![Vec::new()]];
    let mut open = true;
    for part in parts {
        match (fixed(part), choices.last_mut()) {
            (Some(text), Some(last)) if open => last[0].extend(text),
            (Some(text), _) => choices.push(vec![text]),
            (None, _) => choices.extend(required(part)),
        }
        open = fixed(part).is_some();
    }
    choices.into_iter().max_by_key(|texts| (shortest(texts), Reverse(texts.len())))
}

/// The text that a literal stands for. Flags may change the case of its letters, which only those of ASCII are looked for in.
fn fixed(tree: &Ast) -> Option<Vec<u8>> {
    match tree {
        Ast::Literal(literal) if literal.c.is_ascii() || !literal.c.is_alphabetic() => {
            Some(literal.c.to_string().into_bytes())
        }
        _ => None,
    }
}

fn shortest(texts: &[Vec<u8>]) -> usize {
    texts.iter().map(Vec::len).min().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(pattern: &str) -> Vec<String> {
        let texts = required_by("a file", &ascii(pattern)).unwrap_or_default();
        texts.into_iter().map(|text| String::from_utf8(text).unwrap()).collect()
    }

    #[test]
    fn the_longest_text_that_every_match_holds_is_looked_for() {
        for (pattern, expected) in [
            ("Python.h is missing", vec!["h is missing"]),
            (r"fatal error: '?omp\.h'?(?:: No such file| file not found)", vec![": No such file", " file not found"]),
            (r"\bOOMKilled\b|exit code:? 137\b", vec!["OOMKilled", "exit code"]),
            (r"(?:fork|clone)\b.*(?<what>unavailable)", vec!["unavailable"]),
            (r"\w+(?:abc)+(?:long text)?", vec!["abc"]),
            (r"(?i)exec", vec!["exec"]),
            (r"a(?:bcdef|ghi)?z", vec![]),
            (r"[[:alpha:]]{20}", vec![]),
        ] {
            assert_eq!(texts(pattern), expected, "{pattern}");
        }
    }

    #[test]
    fn every_match_is_a_candidate() {
        let patterns = ["(?i)exec format", r"\d+ of ‘\w+’ gone", "cat|dogs? bark"];
        let patterns = Patterns::read("a file", patterns.map(str::to_owned)).unwrap();
        let candidates = |line: &str| {
            let mut found = Vec::new();
            patterns.candidates(line.as_bytes(), |index| found.push(index));
            found
        };
        for (line, expected) in [
            ("Exec Format error", vec![0]),
            ("3 of ‘x’ gone", vec![1]),
            ("the dog barks", vec![2]),
            ("a concatenated EXEC FORMAT", vec![2, 0]),
            ("nothing", vec![]),
        ] {
            assert_eq!(candidates(line), expected, "{line}");
        }
        assert!(patterns.get(0).unwrap().is_match("exec FORMAT"));
        assert!(patterns.get(1).unwrap().is_match("3 of ‘x’ gone"));
    }
}
