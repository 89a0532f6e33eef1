//! One requirement in the words of PEP 508.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use pep440_rs::VersionSpecifiers;
use pep508_rs::{MarkerTree, Pep508Error, Pep508ErrorSource, Pep508Url, VersionOrUrl};

use super::text::{excerpt, shown};
use super::url::{has_variable, with_placeholders};
use crate::model::{Error, Result};

/// No requirement that means something is longer, in bytes.
const LONGEST: usize = 8192;
/// No marker that means something is nested deeper; the parser recurses.
const DEEPEST: usize = 32;
/// No marker that means something compares more often; the parser's decision diagram grows with the comparisons of
/// different variables, at worst by a power of them.
const MOST_COMPARISONS: usize = 120;
/// Each extra, and each text looked for with `in`, is a variable of its own, and at worst every two of them double the
/// diagram.
const MOST_VARIABLES: usize = 28;

/// What a requirement says.
#[derive(Debug)]
pub(super) struct Parsed {
    /// Normalized (PEP 503).
    pub(super) name: String,
    /// Normalized.
    pub(super) extras: Vec<String>,
    pub(super) wanted: Wanted,
    /// As written.
    pub(super) marker: Option<String>,
    /// Whether a comma stands behind the last version, which pip takes and uv does not.
    pub(super) stray_comma: bool,
}

/// What stands behind the name.
#[derive(Debug)]
pub(super) enum Wanted {
    Versions(VersionSpecifiers),
    /// The versions hold a variable: they are known to the installer only.
    UnknownVersions,
    /// A URL, as written.
    Url(String),
}

/// A URL that the parser leaves alone: it would expand variables from this process's own environment.
#[derive(Debug)]
struct AsWritten(String);

impl fmt::Display for AsWritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Pep508Url for AsWritten {
    type Err = Infallible;

    fn parse_url(url: &str, _: Option<&Path>) -> Result<Self, Infallible> {
        Ok(Self(url.to_owned()))
    }
}

/// Parses a requirement, free of credentials and hidden characters. The error has no origin yet.
pub(super) fn parse(text: &str) -> Result<Parsed> {
    guard(text)?;
    let tidy = without_stray_comma(text);
    let plain = in_ascii(&with_placeholders(tidy.as_deref().unwrap_or(text)));
    let parsed = pep508_rs::Requirement::<AsWritten>::from_str(&plain).map_err(|error| refuse(text, &error))?;
    let (body, marker) = split(text, parsed.version_or_url.as_ref());
    Ok(Parsed {
        name: parsed.name.to_string(),
        extras: parsed.extras.iter().map(ToString::to_string).collect(),
        wanted: match parsed.version_or_url {
            Some(VersionOrUrl::Url(_)) => Wanted::Url(body.to_owned()),
            _ if has_variable(body) => Wanted::UnknownVersions,
            Some(VersionOrUrl::VersionSpecifier(specifiers)) => Wanted::Versions(specifiers),
            None => Wanted::Versions(VersionSpecifiers::default()),
        },
        marker: marker.map(str::trim).filter(|marker| !marker.is_empty()).map(str::to_owned),
        stray_comma: tidy.is_some(),
    })
}

/// `text` with a space for the comma behind its last version, if there is one. The parser of pip, `packaging`, takes it:
/// <https://github.com/pypa/packaging/blob/main/src/packaging/_parser.py> (`_parse_version_many`).
pub(super) fn without_stray_comma(text: &str) -> Option<String> {
    let (versions, marker) = text.split_at(text.find(';').unwrap_or(text.len()));
    let kept = versions.trim_end().trim_end_matches(')').trim_end().strip_suffix(',')?;
    let is_version = kept.contains(['<', '>', '=', '~']) && !kept.contains('@') && !kept.trim_end().ends_with(',');
    is_version.then(|| format!("{kept} {}{marker}", &versions[kept.len() + 1..]))
}

/// What holds where both markers hold.
pub(super) fn both(one: Option<&str>, other: Option<&str>) -> Option<String> {
    let wrapped = |marker: &str| {
        if marker.contains(" or ") { format!("({marker})") } else { marker.to_owned() }
    };
    match (one, other) {
        (Some(one), Some(other)) => Some(format!("{} and {}", wrapped(one), wrapped(other))),
        (one, other) => one.or(other).map(str::to_owned),
    }
}

/// Whether no environment satisfies both markers; one that does not parse may be satisfied.
pub(super) fn exclude_each_other(one: &str, other: &str) -> bool {
    matches!((tree(one), tree(other)), (Ok(one), Ok(other)) if one.is_disjoint(&other))
}

/// What is left of the environments of `marker` beside those of `others`.
pub(super) fn rest(marker: Option<&str>, others: &[Option<&str>]) -> Result<Rest> {
    if others.iter().any(Option::is_none) {
        return Ok(Rest::Nothing);
    }
    let mut left = marker.map_or(Ok(MarkerTree::TRUE), tree)?;
    for other in others.iter().flatten() {
        left.and(tree(other)?.negate());
    }
    if left.is_false() {
        return Ok(Rest::Nothing);
    }
    Ok(left.try_to_string().map_or(Rest::All, Rest::Where))
}

/// What is left of the environments of a marker.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Rest {
    Nothing,
    All,
    Where(String),
}

fn tree(marker: &str) -> Result<MarkerTree> {
    let requirement = format!("a ; {marker}");
    guard(&requirement)?;
    MarkerTree::parse_str::<AsWritten>(&in_ascii(marker)).map_err(|error| refuse(marker, &error))
}

/// Parses a name with extras, as `#egg=` has it: `name[extra]`.
pub(super) fn parse_name(text: &str) -> Option<(String, Vec<String>)> {
    parse(text).ok().map(|parsed| (parsed.name, parsed.extras))
}

/// The URL, or all before the marker, and the marker. Neither names nor extras nor versions hold `@` or `;`.
fn split<'a>(text: &'a str, parsed: Option<&VersionOrUrl<AsWritten>>) -> (&'a str, Option<&'a str>) {
    let url = match parsed {
        Some(VersionOrUrl::Url(url)) => text.split_once('@').and_then(|(_, rest)| {
            let rest = rest.trim_start();
            // Placeholders are as long as their variables.
            Some((rest.get(..url.0.len())?, rest.get(url.0.len()..)?))
        }),
        _ => None,
    };
    match url {
        Some((url, rest)) => (url, rest.trim_start().strip_prefix(';')),
        None => text.split_once(';').map_or((text, None), |(body, marker)| (body, Some(marker))),
    }
}

/// Refuses what the parser would not survive, or would read otherwise than pip.
fn guard(text: &str) -> Result<()> {
    if text.len() > LONGEST {
        return Err(refusal(text, &format!("it is longer than {LONGEST} bytes"), None));
    }
    let literals: Vec<&str> = text.split(['\'', '"']).skip(1).step_by(2).collect();
    let distinct = literals.iter().collect::<BTreeSet<_>>().len();
    let many = distinct > MOST_VARIABLES && (text.contains("extra") || text.contains("in "));
    if many || literals.len() > MOST_COMPARISONS {
        return Err(refusal(text, "its marker compares with too much", None));
    }
    let mut depth = 0_usize;
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return Err(refusal(text, &format!("its parentheses are nested deeper than {DEEPEST}"), None));
        }
    }
    let head = &text[..text.find(['@', ';', '<', '>', '=', '!', '~', '(']).unwrap_or(text.len())];
    if has_variable(head) {
        return Err(refusal(text, "its name is in a variable, whose value is not known here", None));
    }
    // `torch-` is a name to the parser, until it normalizes it.
    let mut characters = head.chars().enumerate().peekable();
    while let Some((place, c)) = characters.next() {
        if is_punctuation(c)
            && !characters.peek().is_some_and(|(_, next)| next.is_ascii_alphanumeric() || is_punctuation(*next))
        {
            return Err(refusal(text, "a name ends in a letter or digit", Some((place, 1))));
        }
    }
    Ok(())
}

fn is_punctuation(c: char) -> bool {
    matches!(c, '-' | '_' | '.')
}

/// `text` with `?` for each byte beyond ASCII, which PEP 508 has a use for in URLs only; the parser mistakes characters
/// for bytes behind a marker.
fn in_ascii(text: &str) -> String {
    text.bytes().map(|byte| if byte.is_ascii() { char::from(byte) } else { '?' }).collect()
}

fn refuse(text: &str, error: &Pep508Error<AsWritten>) -> Error {
    let why = match &error.message {
        Pep508ErrorSource::String(why) | Pep508ErrorSource::UnsupportedRequirement(why) => why.as_str(),
        Pep508ErrorSource::UrlError(never) => match *never {},
    };
    // Places are in bytes, here and there one past the end.
    let start = text.char_indices().take_while(|(at, c)| at + c.len_utf8() <= error.start).count();
    let end = text.char_indices().take_while(|(at, _)| *at < error.start + error.len).count();
    let place = Some((start, end.saturating_sub(start)));
    match text.chars().nth(start) {
        Some(c) if !c.is_ascii() => {
            refusal(text, &format!("`{c}` (U+{:04X}) does not belong there", u32::from(c)), place)
        }
        _ => refusal(text, why, place),
    }
}

fn refusal(text: &str, why: &str, place: Option<(usize, usize)>) -> Error {
    let why = why.lines().next().unwrap_or_default().trim_end_matches('.');
    let mut letters = why.chars();
    let why: String = match letters.next() {
        // An acronym stays one: `URL requirement …`.
        Some(first) if !letters.as_str().starts_with(char::is_uppercase) => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => why.to_owned(),
    };
    let error = Error::usage(format!("`{}` is not a requirement: {why}", shown(text)));
    let error = match place {
        Some((start, len)) => error.with_log(excerpt(text, start, len)),
        None => error,
    };
    error.with_hint(advice(text))
}

/// What was probably meant.
fn advice(text: &str) -> &'static str {
    let single = text.split_once('=').is_some_and(|(before, after)| {
        !before.ends_with(['=', '<', '>', '!', '~']) && !after.starts_with(['=', '<', '>'])
    });
    if text.contains("=>") || text.contains("=<") {
        "the operators are written `>=` and `<=`"
    } else if single && !text.contains("://") {
        "an exact version is written with `==`"
    } else {
        "a requirement is written as `name[extra]>=1.0; marker` or `name @ https://…`"
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn url_and_marker_stand_as_written() {
        let parsed = parse("Torch_Vision[A,b.c] @ https://h/${X}/x%2B.whl#sha256=0 ; python_version < '3.9'").unwrap();
        assert_eq!((parsed.name.as_str(), parsed.extras), ("torch-vision", vec!["a".to_owned(), "b-c".to_owned()]));
        assert!(matches!(parsed.wanted, Wanted::Url(url) if url == "https://h/${X}/x%2B.whl#sha256=0"));
        assert_eq!(parsed.marker.as_deref(), Some("python_version < '3.9'"));
    }

    #[test]
    fn what_is_not_ascii_belongs_into_urls() {
        let parsed = parse("a @ https://h/é.zip ; os_name == 'ü'").unwrap();
        assert!(matches!(parsed.wanted, Wanted::Url(url) if url == "https://h/é.zip"));
        assert_eq!(parsed.marker.as_deref(), Some("os_name == 'ü'"));
        let error = parse("é @ torch\u{a0}>=2").unwrap_err();
        assert!(error.message.ends_with("`é` (U+00E9) does not belong there"), "{error}");
        assert_eq!(parse("torch\u{a0}>=2").unwrap_err().log[1], "     ^");
    }

    #[test]
    fn versions_in_a_variable_are_not_known() {
        assert!(matches!(parse("torch==${V}; python_version<'4'").unwrap().wanted, Wanted::UnknownVersions));
        assert!(matches!(parse("torch>=2; '${V}' in os_name").unwrap().wanted, Wanted::Versions(_)));
        assert!(parse("${NAME}==1").is_err());
    }

    #[test]
    fn what_would_end_the_parser_is_refused() {
        for text in ["torch- ;", "torch_", "a[b-]", "a [b, c.]", "-", "", "[", "a;((((", "a[-]", "a @", "é"] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse(&format!("a; {}os_name=='b'", "(".repeat(10_000))).is_err());
        assert!(parse(&"a".repeat(LONGEST + 1)).is_err());
        assert!(parse("a; os_name == 'b'é").is_err());
        let pairs: Vec<String> = (0..40).map(|n| format!("(extra == 'a{n}' and 'b{n}' in os_name)")).collect();
        assert!(parse(&format!("a; {}", pairs.join(" or "))).is_err());
    }

    #[test]
    fn an_acronym_keeps_its_letters() {
        let said = |why| refusal("a", why, None).message;
        assert_eq!(said("URL requirement must"), "`a` is not a requirement: URL requirement must");
        assert_eq!(said("Expected a name."), "`a` is not a requirement: expected a name");
    }

    #[test]
    fn an_error_points_and_advises() {
        let error = parse("torch=>2.0").unwrap_err();
        assert_eq!(error.log.len(), 2);
        assert!(error.log[1].contains('^'));
        assert_eq!(error.hint.as_deref(), Some("the operators are written `>=` and `<=`"));
        assert_eq!(parse("torch=2.0").unwrap_err().hint.as_deref(), Some("an exact version is written with `==`"));
    }

    #[test]
    fn a_marker_that_would_grow_without_end_is_refused() {
        let pairs = |n: usize| {
            let pairs: Vec<String> = (0..n).map(|i| format!("(extra == 'a{i}' and extra == 'b{i}')")).collect();
            format!("a ; {}", pairs.join(" or "))
        };
        assert!(parse(&pairs(MOST_VARIABLES / 2)).is_ok());
        assert!(parse(&pairs(MOST_VARIABLES)).is_err());
        let long = |n: usize| format!("a ; {}", vec!["os_name == 'b'"; n].join(" or "));
        assert!(parse(&long(MOST_COMPARISONS)).is_ok());
        assert!(parse(&long(MOST_COMPARISONS + 1)).is_err());
    }

    #[test]
    fn a_comma_behind_the_versions_is_passed_over() {
        let parsed = parse("numpy>=1, ; os_name == 'posix'").unwrap();
        assert!(parsed.stray_comma && matches!(&parsed.wanted, Wanted::Versions(v) if v.to_string() == ">=1"));
        assert_eq!(parsed.marker.as_deref(), Some("os_name == 'posix'"));
        assert!(parse("numpy (>=1,)").unwrap().stray_comma);
        assert!(!parse("numpy>=1,<2").unwrap().stray_comma);
        for text in ["numpy,", "numpy>=1,,", "numpy[a],"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn markers_are_joined_and_taken_apart() {
        let (linux, mac) = ("sys_platform == 'linux'", "sys_platform == 'darwin'");
        assert_eq!(
            both(Some("os_name == 'a' or os_name == 'b'"), Some(mac)).unwrap(),
            format!("(os_name == 'a' or os_name == 'b') and {mac}")
        );
        assert_eq!(both(None, Some(mac)).as_deref(), Some(mac));
        assert!(exclude_each_other(linux, mac) && !exclude_each_other(linux, "os_name == 'posix'"));
        assert_eq!(rest(None, &[Some(mac)]).unwrap(), Rest::Where("sys_platform != 'darwin'".to_owned()));
        assert_eq!(rest(Some(mac), &[Some(mac)]).unwrap(), Rest::Nothing);
        assert_eq!(rest(None, &[None]).unwrap(), Rest::Nothing);
        assert_eq!(rest(None, &[]).unwrap(), Rest::All);
        assert!(rest(None, &[Some("nonsense")]).is_err());
    }

    proptest! {
        #[test]
        fn no_text_ends_the_parser(text in r"[a-c._-]{0,3}[ \[\]]{0,3}[a-c,._-]{0,4}[ \]\[@(<>=!~;]{0,4}.{0,20}") {
            let _ = parse(&text);
        }

        #[test]
        fn no_marker_ends_the_parser(text in r#"a ?;[ ()]{0,4}(python_version|extra|os_name|'x') ?(<|==|in|not in|~=) ?['"]?[0-9.*a-z-]{0,6}['"]?( and | or )?.{0,8}"#) {
            let _ = parse(&text);
        }
    }
}
