//! Markers of locks: environment markers that also ask which extras and groups are chosen.
//!
//! uv writes the conflicting ones as extras of its own (`extra == 'extra-8-nanochat-cpu'`, where 8 is the length of
//! `nanochat`; `encode_package_extra` in its `universal_marker.rs`,
//! <https://github.com/astral-sh/uv/tree/main/crates/uv-resolver/src>), Poetry as `extra == "cpu"`, and PEP 751 as
//! `'cpu' in extras` and `'dev' in dependency_groups` (<https://peps.python.org/pep-0751/>).

use std::collections::BTreeSet;
use std::str::FromStr;

use pep508_rs::MarkerTree;

/// No marker that means something is longer, in bytes, or nested deeper.
const LONGEST: usize = 64 << 10;
const DEEPEST: usize = 32;
/// How much work simplifying a marker may be. It takes up to the terms to the power of the variables.
const MOST_WORK: u64 = 200_000;
/// How many choices of one marker are told apart.
const MOST_CHOICES: usize = 256;

/// An extra or group that a marker asks about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Choice {
    pub(super) kind: ChoiceKind,
    /// The package whose extra or group it is; `None` for the project itself.
    pub(super) package: Option<String>,
    pub(super) name: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum ChoiceKind {
    Extra,
    Group,
}

impl Choice {
    pub(super) fn extra(name: impl Into<String>) -> Self {
        Self { kind: ChoiceKind::Extra, package: None, name: name.into() }
    }

    pub(super) fn group(name: impl Into<String>) -> Self {
        Self { kind: ChoiceKind::Group, package: None, name: name.into() }
    }

    /// What the extra of a marker means: one that uv encoded, or one of the project.
    fn of_extra(name: &str) -> Self {
        let encoded = || {
            let (kind, rest) = name.split_once('-')?;
            let kind = match kind {
                "extra" => ChoiceKind::Extra,
                "group" => ChoiceKind::Group,
                _ => return None,
            };
            let (length, rest) = rest.split_once('-')?;
            let (package, rest) = rest.split_at_checked(length.parse().ok()?)?;
            let name = rest.strip_prefix('-')?;
            Some(Self { kind, package: Some(package.to_owned()), name: name.to_owned() })
        };
        encoded().unwrap_or_else(|| Self::extra(name))
    }
}

/// A marker.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Marker {
    Always,
    Never,
    /// A comparison of PEP 508, as written.
    Term(String),
    /// Whether something is chosen, or is not.
    Chosen {
        choice: Choice,
        not: bool,
    },
    All(Vec<Marker>),
    Any(Vec<Marker>),
}

impl Marker {
    /// Parses a marker; `None` where it is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let tokens = tokens(text)?;
        let mut parser = Parser { tokens: &tokens, depth: 0 };
        let marker = parser.any()?;
        parser.tokens.is_empty().then_some(marker)
    }

    pub(super) fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut kept = Parts::default();
        for part in parts {
            match part {
                Self::Always => {}
                Self::Never => return Self::Never,
                Self::All(inner) => inner.into_iter().for_each(|part| kept.push(part)),
                part => kept.push(part),
            }
        }
        kept.joined(Self::Always, Self::All)
    }

    pub(super) fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut kept = Parts::default();
        for part in parts {
            match part {
                Self::Never => {}
                Self::Always => return Self::Always,
                Self::Any(inner) => inner.into_iter().for_each(|part| kept.push(part)),
                part => kept.push(part),
            }
        }
        kept.joined(Self::Never, Self::Any)
    }

    /// What is left of it once it is known what is chosen. What `chosen` does not know goes either way.
    pub(super) fn given(&self, chosen: &dyn Fn(&Choice) -> Option<bool>) -> Self {
        match self {
            Self::Chosen { choice, not } => match chosen(choice) {
                Some(chosen) if chosen == *not => Self::Never,
                _ => Self::Always,
            },
            Self::All(parts) => Self::all(parts.iter().map(|part| part.given(chosen))),
            Self::Any(parts) => Self::any(parts.iter().map(|part| part.given(chosen))),
            plain => plain.clone(),
        }
    }

    /// What it asks about.
    pub(super) fn choices(&self) -> BTreeSet<Choice> {
        let mut choices = BTreeSet::new();
        self.collect(&mut choices);
        choices
    }

    fn collect(&self, choices: &mut BTreeSet<Choice>) {
        match self {
            Self::Chosen { choice, .. } if choices.len() < MOST_CHOICES => {
                choices.insert(choice.clone());
            }
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.collect(choices)),
            _ => {}
        }
    }

    /// It in the words of PEP 508, simplified where alternatives were joined; `None` where it always holds. Choices must
    /// be settled with [`Self::given`] before.
    pub(super) fn text(&self) -> Option<String> {
        let written = match self {
            Self::Always => return None,
            // There is no such word in PEP 508.
            Self::Never => return Some("python_version < '0'".to_owned()),
            marker => marker.written(),
        };
        if !self.has_alternatives() || self.work() > MOST_WORK || !written.is_ascii() {
            return Some(written);
        }
        match MarkerTree::from_str(&written) {
            Ok(tree) if tree.is_true() => None,
            Ok(tree) if !tree.is_false() => tree.try_to_string().or(Some(written)),
            _ => Some(written),
        }
    }

    fn written(&self) -> String {
        let join = |parts: &[Self], word: &str| {
            let part = |part: &Self| match part {
                Self::All(_) | Self::Any(_) => format!("({})", part.written()),
                part => part.written(),
            };
            parts.iter().map(part).collect::<Vec<_>>().join(word)
        };
        match self {
            Self::Term(text) => text.clone(),
            Self::All(parts) => join(parts, " and "),
            Self::Any(parts) => join(parts, " or "),
            Self::Always | Self::Never | Self::Chosen { .. } => String::new(),
        }
    }

    fn has_alternatives(&self) -> bool {
        match self {
            Self::Any(_) => true,
            Self::All(parts) => parts.iter().any(Self::has_alternatives),
            _ => false,
        }
    }

    /// How much work it is to simplify it, at most.
    fn work(&self) -> u64 {
        let mut terms = 0;
        let mut variables = BTreeSet::new();
        self.measure(&mut terms, &mut variables);
        let exponent = u32::try_from(variables.len().saturating_sub(1)).unwrap_or(u32::MAX);
        u64::saturating_pow(terms, exponent)
    }

    /// How many comparisons it holds, of whatever kind.
    pub(super) fn terms(&self) -> usize {
        match self {
            Self::Always | Self::Never => 0,
            Self::Term(_) | Self::Chosen { .. } => 1,
            Self::All(parts) | Self::Any(parts) => parts.iter().map(Self::terms).sum(),
        }
    }

    fn measure<'m>(&'m self, terms: &mut u64, variables: &mut BTreeSet<&'m str>) {
        match self {
            Self::Term(text) => {
                *terms += 1;
                // Each list that is searched is a variable of its own.
                let listed = text.split(' ').any(|word| word == "in");
                let variable = text.split(' ').find(|word| !word.starts_with(['\'', '"']));
                variables.insert(if listed { text } else { variable.unwrap_or(text) });
            }
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.measure(terms, variables)),
            _ => {}
        }
    }
}

/// The parts of a marker, each once, in order.
#[derive(Default)]
struct Parts {
    parts: Vec<Marker>,
    seen: BTreeSet<Marker>,
}

impl Parts {
    fn push(&mut self, part: Marker) {
        if self.seen.insert(part.clone()) {
            self.parts.push(part);
        }
    }

    fn joined(mut self, none: Marker, several: fn(Vec<Marker>) -> Marker) -> Marker {
        match self.parts.len() {
            0 => none,
            1 => self.parts.pop().unwrap_or(none),
            _ => several(self.parts),
        }
    }
}

/// Words, comparisons, parentheses, and strings with their quotes.
fn tokens(text: &str) -> Option<Vec<&str>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' | '"' => rest.get(1..)?.find(first)? + 2,
            '(' | ')' => 1,
            '<' | '>' | '=' | '!' | '~' => run(rest, |c| "<>=!~".contains(c)),
            _ => run(rest, |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.')),
        };
        if length == 0 {
            return None;
        }
        let (token, after) = rest.split_at_checked(length)?;
        tokens.push(token);
        rest = after.trim_start();
    }
    Some(tokens)
}

fn run(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

fn quoted(token: &str) -> Option<&str> {
    let inner = token.strip_prefix(['\'', '"'])?;
    inner.strip_suffix(['\'', '"'])
}

/// The grammar of <https://packaging.python.org/en/latest/specifications/dependency-specifiers/>.
struct Parser<'t, 'p> {
    tokens: &'p [&'t str],
    depth: usize,
}

impl<'t> Parser<'t, '_> {
    fn next(&mut self) -> Option<&'t str> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    fn takes(&mut self, word: &str) -> bool {
        let takes = self.tokens.first() == Some(&word);
        if takes {
            self.next();
        }
        takes
    }

    fn any(&mut self) -> Option<Marker> {
        let mut parts = vec![self.all()?];
        while self.takes("or") {
            parts.push(self.all()?);
        }
        Some(Marker::any(parts))
    }

    fn all(&mut self) -> Option<Marker> {
        let mut parts = vec![self.one()?];
        while self.takes("and") {
            parts.push(self.one()?);
        }
        Some(Marker::all(parts))
    }

    fn one(&mut self) -> Option<Marker> {
        if !self.takes("(") {
            return self.term();
        }
        self.depth += 1;
        let inner = if self.depth > DEEPEST { None } else { self.any() }?;
        self.depth -= 1;
        self.takes(")").then_some(inner)
    }

    fn term(&mut self) -> Option<Marker> {
        let left = self.next()?;
        let operator = match self.next()? {
            "not" if self.takes("in") => "not in",
            "in" => "in",
            symbol if symbol.starts_with(['<', '>', '=', '!', '~']) => symbol,
            _ => return None,
        };
        let right = self.next()?;
        let (value, variable) = match (quoted(left), quoted(right)) {
            (Some(value), None) => (value, right),
            (None, Some(value)) => (value, left),
            _ => return None,
        };
        let not = matches!(operator, "!=" | "not in");
        let choice = match (variable, operator) {
            ("extra", "==" | "!=") => Choice::of_extra(value),
            ("extras", "in" | "not in") => Choice::extra(value),
            ("dependency_groups", "in" | "not in") => Choice::group(value),
            ("extra" | "extras" | "dependency_groups", _) => return None,
            _ => return Some(Marker::Term(format!("{left} {operator} {right}"))),
        };
        Some(Marker::Chosen { choice, not })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn given(text: &str, chosen: &[Choice]) -> Marker {
        Marker::parse(text).unwrap().given(&|choice| Some(chosen.contains(choice)))
    }

    #[test]
    fn what_uv_encodes_is_decoded() {
        let of = |kind, name: &str| Choice { kind, package: Some("my-app".to_owned()), name: name.to_owned() };
        assert_eq!(Choice::of_extra("extra-6-my-app-cu-12"), of(ChoiceKind::Extra, "cu-12"));
        assert_eq!(Choice::of_extra("group-6-my-app-dev"), of(ChoiceKind::Group, "dev"));
        for plain in ["extra-9-my-app", "extra-cpu", "cpu", "extra-99999999999999999999-a-b", "extra-1-é-a"] {
            assert_eq!(Choice::of_extra(plain), Choice::extra(plain));
        }
    }

    #[test]
    fn choices_leave_what_is_plain() {
        let text = "(sys_platform == 'darwin' and extra == \"cpu\") or (extra == 'cpu' and 'gpu' in extras)";
        assert_eq!(given(text, &[]), Marker::Never);
        assert_eq!(given(text, &[Choice::extra("cpu")]).text().as_deref(), Some("sys_platform == 'darwin'"));
        assert_eq!(given(text, &[Choice::extra("cpu"), Choice::extra("gpu")]), Marker::Always);
        let text = "'dev' not in dependency_groups and extra != 'cpu' and python_version<'3.12'";
        assert_eq!(given(text, &[]).text().as_deref(), Some("python_version < '3.12'"));
        assert_eq!(given(text, &[Choice::group("dev")]), Marker::Never);
        let unknown = Marker::parse("extra == 'a' and extra != 'b'").unwrap().given(&|_| None);
        assert_eq!(unknown, Marker::Always);
    }

    #[test]
    fn alternatives_are_simplified() {
        let text = "(python_full_version < '3.11' and sys_platform == 'linux') or \
                    (python_full_version < '3.11' and sys_platform != 'linux')";
        assert_eq!(given(text, &[]).text().as_deref(), Some("python_full_version < '3.11'"));
        assert_eq!(given("os_name == 'a' or os_name != 'a'", &[]).text(), None);
        let written = "python_version >= \"3.9\" and sys_platform == \"linux\"";
        assert_eq!(given(written, &[]).text().as_deref(), Some(written));
    }

    #[test]
    fn simplifying_is_bounded() {
        let pairs: Vec<String> =
            (0..200).map(|n| format!("('a{n}' in os_name and 'b{n}' in platform_version)")).collect();
        let text = pairs.join(" or ");
        assert_eq!(given(&text, &[]).text(), Some(text));
    }

    #[test]
    fn what_is_no_marker_is_refused() {
        let deep = format!("{}os_name == 'a'{}", "(".repeat(100_000), ")".repeat(100_000));
        for text in ["", "a", "a ==", "a == b", "'a' == 'b'", "os_name == 'a", "extra >= 'a'", "a == 'b' c", "é", &deep]
        {
            assert_eq!(Marker::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_ends_the_parser(text in r#"[( ]{0,3}(extra|os_name|'x'|é)? ?(==|in|not in|<)? ?['"]?[a-z0-9-]{0,9}['"]?( and | or |\)){0,2}.{0,12}"#) {
            if let Some(marker) = Marker::parse(&text) {
                let _ = marker.given(&|_| Some(true)).text();
                let _ = marker.choices();
            }
        }
    }
}
