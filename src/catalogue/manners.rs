//! How a line says what it says: what stands before the message, and what tells that it is a warning, or only speaks of
//! a failure.

use std::sync::OnceLock;

use regex::Regex;

use super::patterns::ascii;

/// The expressions by which it is told. A log in which nothing is found needs none of them.
#[derive(Debug, Clone)]
pub(super) struct Manners {
    /// What loggers and builders put before a message, and torch around it.
    before: Lazy,
    /// What tells a warning's prefix from an error's.
    mild: Lazy,
    /// What tells a warning's message.
    warned: Lazy,
    /// What tells that a message's text did not happen.
    unsaid: Lazy,
    /// What stands before a text that a line only speaks of.
    mentions: Lazy,
}

/// The patterns, as `images/failures.toml` has them.
pub(super) struct Texts<'a> {
    pub(super) before: Vec<String>,
    pub(super) mild: &'a str,
    pub(super) warned: &'a [String],
    pub(super) unsaid: &'a [String],
    pub(super) mentions: &'a [String],
}

impl Manners {
    pub(super) fn new(texts: &Texts<'_>) -> Self {
        Self {
            before: Lazy::new(&format!(r"^\s*(?:{})+", texts.before.join("|"))),
            mild: Lazy::new(texts.mild),
            warned: Lazy::new(&texts.warned.join("|")),
            unsaid: Lazy::new(&texts.unsaid.join("|")),
            mentions: Lazy::new(&texts.mentions.join("|")),
        }
    }

    pub(super) fn split<'a>(&self, line: &'a str) -> (&'a str, &'a str) {
        let line = line.trim_end();
        let found = self.before.get().and_then(|before| before.find(line));
        found.map_or(("", line), |found| line.split_at(found.end()))
    }

    pub(super) fn is_mild(&self, prefix: &str, message: &str) -> bool {
        (!prefix.is_empty() && self.mild.is_match(prefix)) || self.warned.is_match(message)
    }

    pub(super) fn is_unsaid(&self, message: &str) -> bool {
        self.unsaid.is_match(message)
    }

    pub(super) fn is_mention(&self, before: &str) -> bool {
        self.mentions.is_match(before)
    }
}

/// An expression that is made when it is asked for the first time.
#[derive(Debug, Clone)]
struct Lazy {
    pattern: String,
    made: OnceLock<Option<Regex>>,
}

impl Lazy {
    fn new(pattern: &str) -> Self {
        Self { pattern: ascii(pattern), made: OnceLock::new() }
    }

    /// `None` where there is no pattern.
    fn get(&self) -> Option<&Regex> {
        let make = || if self.pattern.is_empty() { None } else { Regex::new(&self.pattern).ok() };
        self.made.get_or_init(make).as_ref()
    }

    fn is_match(&self, text: &str) -> bool {
        self.get().is_some_and(|regex| regex.is_match(text))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Catalogue;

    #[test]
    fn every_expression_can_be_read() {
        let catalogue = Catalogue::embedded().unwrap();
        let manners = &catalogue.failures().manners;
        for lazy in [&manners.before, &manners.mild, &manners.warned, &manners.unsaid, &manners.mentions] {
            assert!(lazy.get().is_some(), "{}", lazy.pattern);
        }
    }
}
