//! Image references, as far as sconce must understand them itself: what goes into a URL's path, and what is split for the
//! API. The engine has the last word.
//! Grammar: <https://pkg.go.dev/github.com/distribution/reference>

use super::errors::printable;
use crate::model::{Error, Result};

/// The registry that a reference without a host means.
const DEFAULT_REGISTRY: &str = "docker.io";

/// `name[:tag][@digest]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reference<'a> {
    pub(super) name: &'a str,
    pub(super) tag: Option<&'a str>,
    digest: Option<&'a str>,
}

impl<'a> Reference<'a> {
    /// A reference or an id.
    pub(super) fn parse(text: &'a str) -> Result<Self> {
        let (rest, digest) = text.split_once('@').map_or((text, None), |(rest, digest)| (rest, Some(digest)));
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (rest, None),
        };
        let is_name = name.split('/').enumerate().all(|(index, part)| {
            // Only a host has a port, and may have capitals.
            let host = index == 0 && part.contains(['.', ':']) && name.contains('/');
            if host { is_word(part, ".-_:[]") } else { is_word(part, ".-_") && part == part.to_ascii_lowercase() }
        });
        let is_tag = tag.is_none_or(|tag| is_word(tag, ".-_"));
        if is_name && is_tag && digest.is_none_or(|digest| is_word(digest, ":+._-")) {
            return Ok(Self { name, tag, digest });
        }
        Err(Error::usage(format!("`{}` is not an image reference", printable(text)))
            .with_hint("a reference looks like `name`, `name:tag`, `registry.example.org/name:tag` or `sha256:…`"))
    }

    /// A reference that a tag can be made of: one without a digest. Without a tag it means `latest`.
    pub(super) fn parse_tag(text: &'a str) -> Result<(&'a str, &'a str)> {
        match Self::parse(text)? {
            Self { name, tag, digest: None } if name != "sha256" => Ok((name, tag.unwrap_or("latest"))),
            _ => Err(Error::usage(format!("`{}` cannot be a tag", printable(text)))
                .with_hint("a tag looks like `name`, `name:tag` or `registry.example.org/name:tag`")),
        }
    }

    /// The registry's host.
    pub(super) fn registry(&self) -> &'a str {
        // As Docker tells a host from a folder: by a dot, a port, or being `localhost`.
        match self.name.split_once('/') {
            Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => host,
            _ => DEFAULT_REGISTRY,
        }
    }

    /// The text to pull: without a tag an engine would pull all of them.
    pub(super) fn to_pull(self) -> String {
        match (self.tag, self.digest) {
            (_, Some(digest)) => format!("{}@{digest}", self.name),
            (tag, None) => format!("{}:{}", self.name, tag.unwrap_or("latest")),
        }
    }
}

fn is_word(text: &str, punctuation: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '[')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || punctuation.contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_no_tag() {
        let reference = Reference::parse("registry.example.org:5000/team/app").unwrap();
        assert_eq!((reference.name, reference.tag), ("registry.example.org:5000/team/app", None));
        assert_eq!(reference.registry(), "registry.example.org:5000");
        assert_eq!(reference.to_pull(), "registry.example.org:5000/team/app:latest");
    }

    #[test]
    fn a_digest_wins_over_a_tag() {
        assert_eq!(Reference::parse("debian:13@sha256:00ff").unwrap().to_pull(), "debian@sha256:00ff");
        assert_eq!(Reference::parse("debian").unwrap().registry(), "docker.io");
        assert_eq!(Reference::parse("team/debian").unwrap().registry(), "docker.io");
    }

    #[test]
    fn what_would_be_another_url_is_no_reference() {
        for text in [
            "",
            "a b",
            "a?x=1",
            "a#x",
            "../containers",
            "a/../b",
            "a\nb",
            "-a",
            "a:",
            "a/",
            "a;id",
            "UPPER/case",
            "a:b:c",
            "a%2f",
            "a:\u{e9}",
        ] {
            assert!(Reference::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_id_is_no_tag() {
        assert!(Reference::parse("sha256:00ff").is_ok());
        assert!(Reference::parse_tag("sha256:00ff").is_err());
        assert!(Reference::parse_tag("name@sha256:00ff").is_err());
        assert_eq!(Reference::parse_tag("localhost/app").unwrap(), ("localhost/app", "latest"));
    }
}
