//! conda's version constraints in the words of PEP 440
//! (<https://docs.conda.io/projects/conda-build/en/latest/resources/package-spec.html#package-match-specifications>,
//! as <https://github.com/conda/conda/blob/main/conda/models/version.py> reads them).

use std::str::FromStr;

use pep440_rs::{Operator, Version, VersionSpecifier, VersionSpecifiers};

use super::super::text::shown;

/// conda's operators, longer ones first where one begins another.
const OPERATORS: [&str; 8] = ["==", "!=", "<=", ">=", "~=", "<", ">", "="];

/// The same constraint in PEP 440; the error says what PEP 440 has no words for.
pub(in crate::inspect) fn pep440(spec: &str) -> Result<VersionSpecifiers, String> {
    let spec: String = spec.chars().filter(|c| !c.is_whitespace()).collect();
    let mut alternatives = spec.split('|').map(all_of).collect::<Result<Vec<_>, String>>()?;
    alternatives.dedup();
    if alternatives.len() > 1 && !alternatives.iter().any(Vec::is_empty) {
        return Err("PEP 440 has no word for `|`".to_owned());
    }
    // One alternative, or one that allows all.
    let specifiers = alternatives.into_iter().min_by_key(Vec::len).unwrap_or_default();
    Ok(VersionSpecifiers::from_iter(specifiers))
}

/// What commas join.
fn all_of(spec: &str) -> Result<Vec<VersionSpecifier>, String> {
    let specifiers = spec.split(',').map(one).collect::<Result<Vec<_>, String>>()?;
    Ok(specifiers.into_iter().flatten().collect())
}

/// One operator and its version; nothing where it allows all.
fn one(atom: &str) -> Result<Option<VersionSpecifier>, String> {
    let operator = OPERATORS.into_iter().find(|operator| atom.starts_with(operator)).unwrap_or_default();
    let written = &atom[operator.len()..];
    let base = written.trim_end_matches('*').trim_end_matches('.');
    let star = written.ends_with('*');
    if base.is_empty() && star && operator != "!=" {
        return Ok(None);
    }
    let version = Version::from_str(base).map_err(|_| format!("`{}` is no version of PEP 440", shown(written)))?;
    let (operator, star) = match operator {
        "" | "==" | "!=" if version_of_letter(base) => {
            // conda's `1.1.1k` is a patch, PEP 440's `1.1.1a` a preview.
            return Err(format!("`{}` means another version in PEP 440", shown(written)));
        }
        "" | "==" => (Operator::Equal, star),
        // The fuzzy `=1.2` allows all that begins so.
        "=" => (Operator::Equal, true),
        "!=" => (Operator::NotEqual, star),
        // conda passes over a star behind these.
        "<=" => (Operator::LessThanEqual, false),
        ">=" => (Operator::GreaterThanEqual, false),
        "<" => (Operator::LessThan, false),
        ">" => (Operator::GreaterThan, false),
        // Of one part, it only bounds from below.
        _ if version.release().len() < 2 => (Operator::GreaterThanEqual, false),
        _ => (Operator::TildeEqual, false),
    };
    let operator = match operator {
        Operator::Equal if star && is_release(&version) => Operator::EqualStar,
        Operator::NotEqual if star && is_release(&version) => Operator::NotEqualStar,
        operator => operator,
    };
    let specifier = VersionSpecifier::from_version(operator, version);
    specifier.map(Some).map_err(|_| format!("`{}` cannot be said in PEP 440", shown(atom)))
}

/// Whether a version ends in a letter without a number.
fn version_of_letter(version: &str) -> bool {
    version.ends_with(|c: char| c.is_ascii_alphabetic())
}

/// Whether only such a version can stand before a star.
fn is_release(version: &Version) -> bool {
    !version.any_prerelease() && !version.is_post() && !version.is_local()
}

/// The same versions, with whatever number the distribution has behind them.
pub(in crate::inspect) fn rebuilt(specifiers: &VersionSpecifiers) -> VersionSpecifiers {
    let loosened = specifiers.iter().map(|specifier| match specifier.operator() {
        Operator::Equal if is_release(specifier.version()) => {
            VersionSpecifier::from_version(Operator::EqualStar, specifier.version().clone())
                .unwrap_or_else(|_| specifier.clone())
        }
        _ => specifier.clone(),
    });
    loosened.collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn said(spec: &str) -> String {
        pep440(spec).map_or_else(|error| error, |specifiers| specifiers.to_string())
    }

    #[test]
    fn each_operator_has_its_meaning() {
        for (conda, python) in [
            ("=1.11", "==1.11.*"),
            ("=1.11.0", "==1.11.0.*"),
            ("==1.11", "==1.11"),
            ("1.11", "==1.11"),
            ("2.1.*", "==2.1.*"),
            ("=2.1*", "==2.1.*"),
            ("==2.1.*", "==2.1.*"),
            ("!=2.1.*", "!=2.1.*"),
            ("*", ""),
            ("=*", ""),
            (">= 2, <3", ">=2, <3"),
            (">=1.2.*", ">=1.2"),
            ("~=1.2", "~=1.2"),
            ("~=1", ">=1"),
            (">=1.0,<2.0a0", ">=1.0, <2.0a0"),
            ("==2.0.1+cu118", "==2.0.1+cu118"),
            ("=1.0rc1", "==1.0rc1"),
            ("1.2|*", ""),
            ("1.2|1.2", "==1.2"),
        ] {
            assert_eq!(said(conda), python, "{conda}");
        }
    }

    #[test]
    fn what_pep_440_has_no_words_for_is_said() {
        assert_eq!(said("1.7|1.8"), "PEP 440 has no word for `|`");
        assert_eq!(said("==1.1.1k"), "`1.1.1k` is no version of PEP 440");
        assert_eq!(said("==2021a"), "`2021a` means another version in PEP 440");
        for spec in ["^1.2$", "1.*.2", "", "=", ">=", "(1.2|1.3),<2", "!=*", ">=1.0+x", "é"] {
            assert!(pep440(spec).is_err(), "{spec}");
        }
    }

    #[test]
    fn a_number_more_may_stand_behind() {
        assert_eq!(rebuilt(&pep440("==4.5.1").unwrap()).to_string(), "==4.5.1.*");
        assert_eq!(rebuilt(&pep440(">=4.5").unwrap()).to_string(), ">=4.5");
    }

    proptest! {
        #[test]
        fn what_is_said_is_pep_440(spec in r"[=<>!~|,.*0-9a-c +!-]{0,16}") {
            if let Ok(specifiers) = pep440(&spec) {
                prop_assert!(VersionSpecifiers::from_str(&specifiers.to_string()).is_ok(), "{}", specifiers);
            }
        }

        #[test]
        fn no_text_ends_it(spec in r"\PC{0,20}") {
            let _ = pep440(&spec);
        }
    }
}
