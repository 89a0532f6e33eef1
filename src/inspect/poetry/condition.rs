//! Where a dependency applies: its `markers`, `python` and `platform`, as markers of PEP 508.
//! <https://python-poetry.org/docs/dependency-specification/#using-environment-markers>

use std::sync::LazyLock;

use pep440_rs::{Operator, VersionSpecifier, VersionSpecifiers};
use regex::Regex;

use super::super::text::shown;
use crate::model::{Error, Result};

/// `extra == 'cpu'`, `extra != "cuda"`
/// (<https://python-poetry.org/docs/dependency-specification/#exclusive-extras>).
#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static EXTRA: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"^\(?\s*extra\s*(==|!=)\s*["']([A-Za-z0-9._-]+)["']\s*\)?$"#).unwrap());

/// What a marker says of extras, and the rest of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ByExtra {
    /// The extra that must be asked for.
    pub(super) with: Option<String>,
    /// Those that must not.
    pub(super) without: Vec<String>,
    /// The rest, which is a marker of its own; as written where an `or` stands in the way.
    pub(super) rest: String,
}

/// Takes the extras out of a marker.
pub(super) fn by_extra(marker: &str) -> ByExtra {
    let marker = marker.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut by_extra = ByExtra::default();
    if !marker.contains("extra") || marker.contains(" or ") {
        by_extra.rest = marker;
        return by_extra;
    }
    let mut rest = Vec::new();
    for clause in marker.split(" and ") {
        match EXTRA.captures(clause) {
            Some(found) if &found[1] == "!=" => by_extra.without.push(normalized(&found[2])),
            Some(found) if by_extra.with.is_none() => by_extra.with = Some(normalized(&found[2])),
            _ => rest.push(clause),
        }
    }
    by_extra.rest = rest.join(" and ");
    by_extra
}

fn normalized(name: &str) -> String {
    super::normalized(name).unwrap_or_else(|| name.to_owned())
}

/// A constraint on Python as a marker; none for one that allows every version.
pub(super) fn python(specifiers: &VersionSpecifiers) -> String {
    specifiers.iter().map(python_clause).collect::<Vec<_>>().join(" and ")
}

/// As Poetry's `create_nested_marker`: what says a patch release asks for the full version.
fn python_clause(specifier: &VersionSpecifier) -> String {
    let version = specifier.version();
    let minor = version.release().len() == 2 && version.is_stable();
    let (variable, operator, star) = match specifier.operator() {
        Operator::EqualStar if minor => ("python_version", "==", ""),
        Operator::NotEqualStar if minor => ("python_version", "!=", ""),
        Operator::EqualStar => ("python_full_version", "==", ".*"),
        Operator::NotEqualStar => ("python_full_version", "!=", ".*"),
        operator => {
            let variable = if version.release().len() > 2 { "python_full_version" } else { "python_version" };
            return format!(r#"{variable} {operator} "{version}""#);
        }
    };
    format!(r#"{variable} {operator} "{version}{star}""#)
}

/// A constraint on `sys.platform` as a marker: names, divided by `||` or `,`, each perhaps with `==` or `!=`.
pub(super) fn platform(text: &str) -> Result<String> {
    let mut alternatives = Vec::new();
    for alternative in text.replace("||", "|").split('|') {
        let clauses: Result<Vec<String>> = alternative.split(',').map(platform_clause).collect();
        alternatives.push(clauses?.join(" and "));
    }
    Ok(alternatives.join(" or "))
}

fn platform_clause(text: &str) -> Result<String> {
    let text = text.trim();
    let name = text.trim_start_matches(['=', '!']).trim_start();
    let operator = match text.strip_suffix(name).unwrap_or_default().trim_end() {
        "" | "=" | "==" => "==",
        "!=" => "!=",
        _ => "",
    };
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
    if !is_name || operator.is_empty() {
        return Err(Error::usage(format!("`{}` is not a platform", shown(text)))
            .with_hint("write `linux`, `darwin` or `win32`, as `sys.platform` has them"));
    }
    Ok(format!(r#"sys_platform {operator} "{name}""#))
}

#[cfg(test)]
mod tests {
    use super::super::constraint;
    use super::*;

    #[test]
    fn extras_are_taken_out() {
        let found = by_extra("extra == 'CPU' and extra != \"cuda\" and sys_platform == 'linux'");
        assert_eq!(found.with.as_deref(), Some("cpu"));
        assert_eq!((found.without, found.rest.as_str()), (vec!["cuda".to_owned()], "sys_platform == 'linux'"));
        assert_eq!(by_extra("extra == 'a' or os_name == 'nt'").rest, "extra == 'a' or os_name == 'nt'");
        assert_eq!(by_extra("os_name == 'extra'").rest, "os_name == 'extra'");
    }

    #[test]
    fn python_is_a_marker() {
        for (text, expected) in [
            ("^3.8", r#"python_version >= "3.8" and python_version < "4.0""#),
            ("3.8.*", r#"python_version == "3.8""#),
            ("<3.9.7", r#"python_full_version < "3.9.7""#),
            ("3.*", r#"python_full_version == "3.*""#),
            ("~3.9 || ~3.11", r#"python_version >= "3.9" and python_version != "3.10" and python_version < "3.12""#),
            ("*", ""),
        ] {
            let marker = python(&constraint::python(text).unwrap().specifiers);
            assert_eq!(marker, expected, "{text}");
            let whole = format!("a ; {marker}");
            assert!(marker.is_empty() || super::super::super::pep508::parse(&whole).is_ok(), "{text}");
        }
    }

    #[test]
    fn platforms_are_markers() {
        assert_eq!(platform("linux").unwrap(), r#"sys_platform == "linux""#);
        assert_eq!(platform("linux || darwin").unwrap(), r#"sys_platform == "linux" or sys_platform == "darwin""#);
        assert_eq!(platform("!=win32").unwrap(), r#"sys_platform != "win32""#);
        for wrong in ["", "a\"b", ">win32", "=!win32"] {
            assert!(platform(wrong).is_err(), "{wrong}");
        }
    }
}
