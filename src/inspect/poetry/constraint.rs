//! Poetry's version constraints in the words of PEP 440.
//! <https://python-poetry.org/docs/dependency-specification/#version-constraints>

use std::str::FromStr;

use pep440_rs::{Operator, Version, VersionSpecifier, VersionSpecifiers};

use super::super::tabled;
use super::super::text::shown;
use super::union;
use crate::model::{Error, Result};

/// No constraint that means something is longer, in bytes.
const LONGEST: usize = 1024;

/// The versions that a constraint allows.
#[derive(Debug)]
pub(super) struct Allowed {
    pub(super) specifiers: VersionSpecifiers,
    /// What PEP 440 cannot say of it.
    pub(super) remark: Option<String>,
}

/// One constraint of several: its operator, and its version.
type Part<'a> = (&'a str, &'a str);

/// Translates a constraint on a distribution. The error has no origin yet.
pub(super) fn versions(text: &str) -> Result<Allowed> {
    translate(text, union::Of::Distribution)
}

/// Translates a constraint on Python.
pub(super) fn python(text: &str) -> Result<Allowed> {
    translate(text, union::Of::Python)
}

fn translate(text: &str, of: union::Of) -> Result<Allowed> {
    let refused = |why: &str| {
        Error::usage(format!("`{}` is not a version constraint of Poetry: {why}", shown(text)))
            .with_hint("write `^1.2`, `~1.2`, `1.2.*` or `>=1.2,<2.0`, for example")
    };
    tabled::refuse_url(text)?;
    if text.len() > LONGEST {
        return Err(refused(&format!("it is longer than {LONGEST} bytes")));
    }
    let mut alternatives = Vec::new();
    let mut without_local = false;
    for alternative in text.replace("||", "|").split('|') {
        let mut specifiers = Vec::new();
        for part in parts(alternative) {
            let understood = single(part).map_err(|why| refused(&why))?;
            without_local |= understood.without_local;
            specifiers.extend(understood.specifiers);
        }
        alternatives.push(specifiers);
    }
    let local = "PEP 440 orders no versions by their local tags, so that of a range is left out";
    let joined = union::join(alternatives, of);
    let remark = if joined.exact {
        without_local.then(|| format!("of `{}`: {local}", shown(text)))
    } else {
        let hull: Vec<String> = joined.specifiers.iter().map(ToString::to_string).collect();
        Some(format!("PEP 440 cannot say `{}`: taken as `{}`, which allows more", shown(text), hull.join(",")))
    };
    Ok(Allowed { specifiers: joined.specifiers, remark })
}

/// The constraints that must all hold, which commas or spaces divide; a space may follow an operator.
fn parts(text: &str) -> Vec<Part<'_>> {
    let is_gap = |c: char| c == ',' || c.is_whitespace();
    let mut parts = Vec::new();
    let mut rest = text.trim_start_matches(is_gap);
    while !rest.is_empty() {
        let (operator, behind) = rest.split_at(rest.find(|c| !"<>=!~^".contains(c)).unwrap_or(rest.len()));
        let behind = behind.trim_start();
        let (version, after) = behind.split_at(behind.find(is_gap).unwrap_or(behind.len()));
        parts.push((operator, version));
        rest = after.trim_start_matches(is_gap);
    }
    parts
}

#[derive(Default)]
struct Understood {
    specifiers: Vec<VersionSpecifier>,
    without_local: bool,
}

/// One constraint, as Poetry's `parse_single_constraint` reads it
/// (<https://github.com/python-poetry/poetry-core/blob/main/src/poetry/core/constraints/version/parser.py>).
fn single((operator, text): Part<'_>) -> Result<Understood, String> {
    let (stem, is_wildcard) = without_wildcard(text);
    if stem.is_empty() && is_wildcard && matches!(operator, "" | "=" | "==" | ">=") {
        return Ok(Understood::default());
    }
    let version = Version::from_str(stem).map_err(|_| format!("`{}` is not a version", shown(text)))?;
    let exact = |negated: bool| match (is_wildcard, negated) {
        (true, false) => vec![VersionSpecifier::equals_star_version(version.clone())],
        (true, true) => vec![VersionSpecifier::not_equals_star_version(version.clone())],
        (false, false) => vec![VersionSpecifier::equals_version(version.clone())],
        (false, true) => vec![VersionSpecifier::not_equals_version(version.clone())],
    };
    let of = |specifiers| Ok(Understood { specifiers, without_local: false });
    let operator = match operator {
        "" | "=" | "==" | "===" => return of(exact(false)),
        "!=" | "<>" => return of(exact(true)),
        other => other,
    };
    if is_wildcard && (version.any_prerelease() || matches!(operator, "^" | "~" | "~=")) {
        return Err(format!("`{operator}` takes no wildcard"));
    }
    let without_local = !version.local().is_empty();
    let version = version.without_local();
    let specifiers = match operator {
        "^" => from_to(&version, after_breaking(version.release())),
        "~" => from_to(&version, after_tilde(version.release())),
        "~=" if version.release().len() < 2 => from_to(&version, after_tilde(version.release())),
        "~=" => vec![ordered(Operator::TildeEqual, version)?],
        "<" => vec![VersionSpecifier::less_than_version(version)],
        "<=" => vec![VersionSpecifier::less_than_equal_version(version)],
        ">" => vec![VersionSpecifier::greater_than_version(version)],
        ">=" => vec![VersionSpecifier::greater_than_equal_version(version)],
        other => return Err(format!("`{}` is not an operator", shown(other))),
    };
    Ok(Understood { specifiers, without_local })
}

/// `1.2.*`, `1.x` and `*` without their wildcards, and whether they had one.
fn without_wildcard(text: &str) -> (&str, bool) {
    let mut stem = text;
    while let Some(shorter) = stem.strip_suffix(['*', 'x', 'X']).filter(|s| s.is_empty() || s.ends_with(['.', 'v'])) {
        stem = shorter.trim_end_matches('.').trim_end_matches('v');
    }
    (stem, stem.len() < text.len())
}

fn ordered(operator: Operator, version: Version) -> Result<VersionSpecifier, String> {
    VersionSpecifier::from_version(operator, version).map_err(|error| error.to_string())
}

fn from_to(version: &Version, end: Vec<u64>) -> Vec<VersionSpecifier> {
    let end = Version::new(end).with_epoch(version.epoch());
    vec![VersionSpecifier::greater_than_equal_version(version.clone()), VersionSpecifier::less_than_version(end)]
}

/// The first release that `^` excludes: the leftmost number that is not zero grows, of the three that count.
fn after_breaking(release: &[u64]) -> Vec<u64> {
    let counted = &release[..release.len().min(3)];
    let grows = counted.iter().position(|number| *number > 0).unwrap_or(counted.len().saturating_sub(1));
    grown(counted, grows)
}

/// The first release that `~` excludes: the second number grows, or the first where it stands alone.
fn after_tilde(release: &[u64]) -> Vec<u64> {
    grown(release, usize::from(release.len() > 1))
}

/// The numbers up to the one at `place`, which grows by one.
fn grown(release: &[u64], place: usize) -> Vec<u64> {
    let mut numbers: Vec<u64> = release.iter().take(place + 1).copied().collect();
    if let Some(last) = numbers.last_mut() {
        *last = last.saturating_add(1);
    }
    // Poetry writes `<2.0.0` out as `<2.0`, as people do.
    if numbers.len() == 1 && release.len() > 1 {
        numbers.push(0);
    }
    numbers
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn said(text: &str) -> String {
        let allowed = versions(text).unwrap();
        assert!(allowed.remark.is_none(), "{text}: {:?}", allowed.remark);
        allowed.specifiers.to_string().replace(' ', "")
    }

    #[test]
    fn every_operator_of_the_documentation() {
        for (text, expected) in [
            ("^1.2.3", ">=1.2.3,<2.0"),
            ("^1.2", ">=1.2,<2.0"),
            ("^1", ">=1,<2"),
            ("^0.2.3", ">=0.2.3,<0.3"),
            ("^0.0.3", ">=0.0.3,<0.0.4"),
            ("^0.0", ">=0.0,<0.1"),
            ("^0", ">=0,<1"),
            ("~1.2.3", ">=1.2.3,<1.3"),
            ("~1.2", ">=1.2,<1.3"),
            ("~1", ">=1,<2"),
            ("~=1.2.3", "~=1.2.3"),
            ("*", ""),
            ("1.*", "==1.*"),
            ("1.2.*", "==1.2.*"),
            ("1.x", "==1.*"),
            ("!=1.2.*", "!=1.2.*"),
            (">= 1.2", ">=1.2"),
            (">=1.2,<1.5", ">=1.2,<1.5"),
            (">=1.2 <1.5, !=1.3", ">=1.2,!=1.3,<1.5"),
            ("1.2.3", "==1.2.3"),
            ("v1.2.3", "==1.2.3"),
            ("=1.2.3", "==1.2.3"),
            ("2.1.0+cu118", "==2.1.0+cu118"),
            ("^2.0.0b1", ">=2.0.0b1,<3.0"),
            ("1.0.0-alpha.1", "==1.0.0a1"),
            (">=3.6.*", ">=3.6"),
            (">=1.0,", ">=1.0"),
        ] {
            assert_eq!(said(text), expected, "{text}");
        }
    }

    #[test]
    fn a_range_from_a_local_version_loses_its_tag_and_says_so() {
        let allowed = versions("^2.1.0+cu118").unwrap();
        assert_eq!(allowed.specifiers.to_string(), ">=2.1.0, <3.0");
        assert!(allowed.remark.unwrap().contains("local tags"));
    }

    #[test]
    fn what_poetry_refuses_is_an_error() {
        for text in ["latest", "^", "^^1", "^1.*", "1.2 - 1.5", ">=a", "=>1.0", "1..2"] {
            assert!(versions(text).is_err(), "{text}");
        }
        assert!(versions(&"1,".repeat(LONGEST)).is_err());
    }

    #[test]
    fn python_2_ended_with_2_7() {
        for (text, expected) in [
            ("^3.10", ">=3.10, <4.0"),
            ("~3.9 || ~3.11", ">=3.9, !=3.10.*, <3.12"),
            ("~2.7 || ^3.6", ">=2.7, !=3.0.*, !=3.1.*, !=3.2.*, !=3.3.*, !=3.4.*, !=3.5.*, <4.0"),
            ("3.9.* | 3.10.*", ">=3.9, <3.11"),
            (">=3.8,<3.9.7 || >3.9.7,<4.0", ">=3.8, !=3.9.7, <4.0"),
        ] {
            assert_eq!(python(text).unwrap().specifiers.to_string(), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_constraint_ends_the_translator(text in r"[ ,|^~<>=!*.xv0-9+a-c-]{0,24}") {
            let _ = (versions(&text), python(&text));
        }

        #[test]
        fn a_caret_allows_its_version_and_no_breaking_one(major in 0_u64..3, minor in 0_u64..3, patch in 0_u64..3) {
            let allowed = versions(&format!("^{major}.{minor}.{patch}")).unwrap().specifiers;
            prop_assert!(allowed.contains(&Version::new([major, minor, patch])));
            prop_assert!(!allowed.contains(&Version::new([major + 1, 0, 0])));
            prop_assert_eq!(allowed.contains(&Version::new([major, minor, patch + 1])), major + minor > 0);
        }
    }
}
