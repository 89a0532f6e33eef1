//! When two facts are the same: where they agree as far as both say something.

use std::str::FromStr as _;

use pep440_rs::Version;

use super::facts::Value;
use crate::model::{Installed, Manager, System, Variant};

/// The characters of a digest that tell it from others.
const DIGEST: usize = "sha256:".len() + 12;

/// How alike two facts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Likeness {
    Same,
    Other,
    /// One of them does not say enough.
    Unknown,
}

impl From<bool> for Likeness {
    fn from(same: bool) -> Self {
        if same { Self::Same } else { Self::Other }
    }
}

impl Value<'_> {
    pub(super) fn likeness(&self, other: &Self) -> Likeness {
        match (self, other) {
            (Value::Text(one), Value::Text(other)) => (one == other).into(),
            (Value::Versioned(one), Value::Versioned(other)) => same_versioned(one, other).into(),
            (Value::Python(one), Value::Python(other)) => same_as_far_as_said(one, other).into(),
            (Value::Torch(one), Value::Torch(other)) => same_but_for_build(one, other).into(),
            (Value::Variant(one), Value::Variant(other)) => (one.includes(other) || other.includes(one)).into(),
            (Value::System(one), Value::System(other)) => same_system(one, other).into(),
            (Value::Package(one), Value::Package(other)) => {
                (same_version(one, other) && !differ_in_detail(one, other)).into()
            }
            (Value::Variable(None), Value::Variable(Some(_))) | (Value::Variable(Some(_)), Value::Variable(None)) => {
                Likeness::Unknown
            }
            (Value::Variable(one), Value::Variable(other)) => (one == other).into(),
            (Value::Need(one), Value::Need(other)) => (one.met == other.met).into(),
            _ => Likeness::Unknown,
        }
    }

    /// Whether two packages are of one version, and differ in what else is known of them.
    pub(super) fn differs_in_detail(&self, other: &Self) -> bool {
        match (self, other) {
            (Value::Package(one), Value::Package(other)) => same_version(one, other) && differ_in_detail(one, other),
            _ => false,
        }
    }

    /// The fact as it is shown; of a package with what else is known of it, where that is what differs.
    pub(super) fn shown(&self, detail: bool) -> String {
        match self {
            Value::Text(text) => text.clone(),
            Value::Versioned(text) => (*text).to_owned(),
            Value::Python(version) | Value::Torch(version) => version.to_string(),
            Value::Variant(variant) => variant.to_string(),
            Value::System(system) => system.text.clone(),
            Value::Package(package) if detail => detailed(package),
            Value::Package(package) => package.version.clone(),
            Value::Variable(value) => value.map_or_else(|| "(withheld)".to_owned(), str::to_owned),
            Value::Need(need) if need.met => need.seen.clone(),
            Value::Need(need) => format!("missing: {}", need.seen),
        }
    }
}

/// 3.12 is 3.12.3 as far as it says something.
fn same_as_far_as_said(one: &Version, other: &Version) -> bool {
    let (short, long) = if one.release().len() <= other.release().len() { (one, other) } else { (other, one) };
    if short.release().len() == long.release().len() {
        return one == other;
    }
    let plain = short.to_string().bytes().all(|b| b.is_ascii_digit() || b == b'.');
    plain && long.release().starts_with(short.release())
}

/// A local part that only names the build, as that of torch's own index does, says nothing of the version.
fn same_but_for_build(one: &Version, other: &Version) -> bool {
    let rest = |version: &Version| match Variant::of(version) {
        Some(_) => version.clone().without_local(),
        None => version.clone(),
    };
    rest(one) == rest(other)
}

/// `12.4` is `12.4.131`, and `11.4.0` is `(Ubuntu 11.4.0-1ubuntu1) 11.4.0`; where both say more than the version, all counts.
fn same_versioned(one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    let bare = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let same_words = words(one) == words(other);
    (bare(one) || bare(other) || same_words && !one.contains('(')) && same_dotted(number(one), number(other))
}

/// The words around the version.
fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().filter(|word| !word.starts_with(|c: char| c.is_ascii_digit())).collect()
}

/// The version in a text: not that in parentheses, which is a package's; of a library's path, the one behind `.so.`.
fn number(text: &str) -> &str {
    let text = text.rsplit_once(".so.").map_or(text, |(_, version)| version);
    let text = text.rsplit_once(')').map_or(text, |(_, version)| version);
    let start = text.find(|c: char| c.is_ascii_digit()).unwrap_or(text.len());
    let text = &text[start..];
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    text[..end].trim_end_matches('.')
}

fn same_dotted(one: &str, other: &str) -> bool {
    !one.is_empty() && !other.is_empty() && one.split('.').zip(other.split('.')).all(|(one, other)| one == other)
}

fn same_system(one: &System, other: &System) -> bool {
    let kind = one.family == other.family && one.wsl == other.wsl;
    match (&one.distribution, &other.distribution) {
        (Some(here), Some(there)) => {
            let release = one.release.as_deref().zip(other.release.as_deref());
            kind && here == there && release.is_none_or(|(one, other)| one == other || same_dotted(one, other))
        }
        _ if one.text == other.text => true,
        _ => kind && one.release.is_some() && one.release == other.release && one.distribution == other.distribution,
    }
}

fn same_version(one: &Installed, other: &Installed) -> bool {
    if one.version == other.version {
        return true;
    }
    match (Version::from_str(&one.version), Version::from_str(&other.version)) {
        (Ok(one), Ok(other)) => same_but_for_build(&one, &other),
        _ => false,
    }
}

/// Whether packages of one version are not the same for all that is known of both.
fn differ_in_detail(one: &Installed, other: &Installed) -> bool {
    fn contradict(one: Option<&String>, other: Option<&String>) -> bool {
        one.zip(other).is_some_and(|(one, other)| one != other)
    }
    one.manager != other.manager
        || contradict(one.build.as_ref(), other.build.as_ref())
        || contradict(one.source.as_ref(), other.source.as_ref())
        || contradict(one.hash.as_ref(), other.hash.as_ref())
}

fn detailed(package: &Installed) -> String {
    let by = match package.manager {
        Manager::Pip => "pip",
        Manager::Conda => "conda",
        Manager::System => "the system",
    };
    let hash = package.hash.as_ref().map(|hash| hash.chars().take(DIGEST).collect::<String>());
    let details = [Some(format!("by {by}")), package.build.clone(), package.source.clone(), hash];
    format!("{} ({})", package.version, details.into_iter().flatten().collect::<Vec<_>>().join(", "))
}
