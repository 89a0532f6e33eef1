//! Names of images, by the grammar of the distribution project
//! (<https://pkg.go.dev/github.com/distribution/reference>).

use std::fmt;
use std::sync::LazyLock;

use regex::Regex;
use sconce::model::{Error, Result};

/// The longest repository name.
const LONGEST_NAME: usize = 255;
/// The longest tag.
const LONGEST_TAG: usize = 128;

/// `[domain[:port]/]path[/path…][:tag][@digest]`.
static REFERENCE: LazyLock<Regex> = LazyLock::new(|| {
    let label = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?";
    let domain = format!(r"(?:{label}(?:\.{label})*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?");
    let path = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
    let digest = "[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}";
    #[allow(clippy::unwrap_used, reason = "the pattern is fixed")]
    Regex::new(&format!(
        r"\A(?P<name>(?:{domain}/)?{path}(?:/{path})*)(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}}))?(?:@(?P<digest>{digest}))?\z"
    ))
    .unwrap()
});

/// A repository with a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    name: String,
    tag: String,
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.tag)
    }
}

/// A tag to give an image; `latest` where only the repository is named.
pub(crate) fn tag(text: &str) -> Result<Reference> {
    let captures = REFERENCE.captures(text).ok_or_else(|| malformed(text, "tag"))?;
    if captures.name("digest").is_some() {
        return Err(Error::usage(format!("`{text}` has a digest, which a tag cannot choose"))
            .with_hint("give a repository and a tag, as in `team/app:1.4`"));
    }
    if captures["name"].len() > LONGEST_NAME {
        return Err(Error::usage(format!("the repository of `{text}` is longer than {LONGEST_NAME} characters")));
    }
    if is_id(&captures["name"]) {
        return Err(Error::usage(format!("`{text}` would be taken for an image's id")).with_hint("choose another name"));
    }
    let tag = captures.name("tag").map_or("latest", |tag| tag.as_str());
    Ok(Reference { name: captures["name"].to_owned(), tag: tag.to_owned() })
}

/// A reference to an image that is there: a tag, a digest or an id.
pub(crate) fn existing(text: &str) -> Result<()> {
    let id = text.strip_prefix("sha256:").is_some_and(is_id);
    if id || REFERENCE.is_match(text) { Ok(()) } else { Err(malformed(text, "image")) }
}

/// The reference that a project's name makes, or `None` where nothing of it may stand in one.
pub(crate) fn from_project(name: &str) -> Option<Reference> {
    let mut normalized = String::new();
    for c in name.to_lowercase().chars() {
        if c.is_ascii_alphanumeric() {
            normalized.push(c);
        } else if !normalized.ends_with('-') && !normalized.is_empty() {
            normalized.push('-');
        }
    }
    normalized.truncate(LONGEST_TAG);
    tag(normalized.trim_end_matches('-')).ok()
}

fn is_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

fn malformed(text: &str, what: &str) -> Error {
    let error = Error::usage(format!("`{text}` is not a valid {what}"));
    let lowercase = text.to_lowercase();
    if text != lowercase && REFERENCE.is_match(&lowercase) {
        return error.with_hint(format!("repositories are in lower case: `{lowercase}`"));
    }
    error.with_hint("as in `app`, `team/app:1.4` or `registry.example.org:5000/team/app:1.4`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_completed() {
        for (text, expected) in [
            ("app", "app:latest"),
            ("team/app:1.4", "team/app:1.4"),
            ("registry.example.org:5000/a/b_c/d--e:v1.0-rc.1", "registry.example.org:5000/a/b_c/d--e:v1.0-rc.1"),
            ("[::1]:5000/app", "[::1]:5000/app:latest"),
            ("localhost/app:_x", "localhost/app:_x"),
        ] {
            assert_eq!(tag(text).unwrap().to_string(), expected);
        }
    }

    #[test]
    fn what_the_engine_would_refuse_is_refused() {
        let long = "a".repeat(256);
        let digits = "0123456789abcdef".repeat(4);
        let digest = format!("app@sha256:{digits}");
        for text in [
            "",
            ":",
            "app:",
            ":tag",
            "App",
            "app:t ag",
            "app\n",
            "app;rm",
            "-app",
            "app-",
            "a//b",
            "/a",
            "a/",
            "a..b",
            "a___b",
            "app:-x",
            "$(id)",
            "https://registry.example.org/app",
            &long,
            &digits,
            &digest,
        ] {
            assert!(tag(text).is_err(), "{text:?}");
        }
        assert!(tag(&format!("app:{}", "t".repeat(129))).is_err());
    }

    #[test]
    fn an_image_may_also_be_a_digest_or_an_id() {
        let digits = "0123456789abcdef".repeat(4);
        for text in ["app", "0123456789ab", &digits, &format!("sha256:{digits}"), &format!("a/b:c@sha256:{digits}")] {
            assert!(existing(text).is_ok(), "{text}");
        }
        assert!(existing("sha256:").is_err());
        assert!(existing("app --privileged").is_err());
    }

    #[test]
    fn a_project_s_name_becomes_a_valid_reference() {
        for (name, expected) in
            [("gpt-fast", "gpt-fast:latest"), ("My Project_2", "my-project-2:latest"), ("..a\n;b", "a-b:latest")]
        {
            assert_eq!(from_project(name).unwrap().to_string(), expected);
        }
        assert_eq!(from_project("模型"), None);
        assert_eq!(from_project(&"0".repeat(64)), None);
    }

    proptest::proptest! {
        #[test]
        fn whatever_a_project_is_called_its_reference_is_valid(name in ".*") {
            if let Some(reference) = from_project(&name) {
                proptest::prop_assert_eq!(tag(&reference.to_string()).unwrap(), reference);
            }
        }
    }
}
