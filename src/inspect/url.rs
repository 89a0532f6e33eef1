//! URLs as installers take them: credentials, variables, repositories.

use std::sync::LazyLock;

use regex::Regex;
use url::Url;

use super::text::shown;
use crate::model::{Error, Result, Source};

/// pip's own pattern (<https://pip.pypa.io/en/stable/reference/requirements-file-format/#using-environment-variables>).
#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static VARIABLE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\$\{([A-Z0-9_]+)\}").unwrap());

/// What an authority, with its credentials, follows; a mistyped one, too, for it stands in an error.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static AUTHORITY: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?i)://|\bhttps?:/{0,2}").unwrap());

/// The names of the variables in `text`, each once, in order.
pub(super) fn variables(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for capture in VARIABLE.captures_iter(text) {
        if !names.iter().any(|name| name == &capture[1]) {
            names.push(capture[1].to_owned());
        }
    }
    names
}

/// Whether `text` holds a variable.
pub(super) fn has_variable(text: &str) -> bool {
    VARIABLE.is_match(text)
}

/// `text` with each variable replaced by as many zeros as it has bytes, so that it parses and places stay places.
pub(super) fn with_placeholders(text: &str) -> String {
    VARIABLE.replace_all(text, |found: &regex::Captures<'_>| "0".repeat(found[0].len())).into_owned()
}

/// Text without the credentials of the URLs in it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stripped {
    pub(super) text: String,
    /// Whether a credential stood there in the open, not as a variable.
    pub(super) literal: bool,
}

/// Takes `user:password@` out of every URL in `text`. The user of an SSH URL is no secret and part of the address: it stays.
pub(super) fn without_credentials(text: &str) -> Stripped {
    let mut stripped = Stripped { text: String::with_capacity(text.len()), literal: false };
    let mut rest = text;
    while let Some(found) = AUTHORITY.find(rest) {
        let (at, (before, after)) = (found.start(), rest.split_at(found.end()));
        stripped.text.push_str(before);
        let userinfo = &after[..userinfo_len(after)];
        let user = userinfo.strip_suffix('@').unwrap_or(userinfo);
        if before[..at].ends_with("ssh") {
            let (name, password) = user.split_once(':').unwrap_or((user, ""));
            stripped.literal |= is_literal(password);
            stripped.text.push_str(name);
            stripped.text.push_str(if userinfo.is_empty() { "" } else { "@" });
        } else {
            // Without a password the user is a token.
            stripped.literal |= is_literal(user.split_once(':').map_or(user, |(_, password)| password));
        }
        rest = &after[userinfo.len()..];
    }
    stripped.text.push_str(rest);
    stripped
}

fn is_literal(secret: &str) -> bool {
    !VARIABLE.replace_all(secret, "").is_empty()
}

/// How many bytes of `after`, which follows `://`, are `user:password@`.
fn userinfo_len(after: &str) -> usize {
    let token = &after[..after.find(|c: char| c.is_whitespace() || c == '"' || c == '\'').unwrap_or(after.len())];
    let authority = &token[..token.find(['/', '?', '#', '\\']).unwrap_or(token.len())];
    if let Some(at) = authority.rfind('@') {
        return at + 1;
    }
    // `user:pa/ss@host`: what stands for the port is none, so that the authority was cut within a password.
    let port = authority.rsplit_once(':').map_or("", |(_, port)| port);
    let cut = !authority.ends_with(']') && !port.chars().all(|c| c.is_ascii_digit()) && !has_variable(port);
    if cut { token.rfind('@').map_or(0, |at| at + 1) } else { 0 }
}

/// Whether pip takes `text` for a URL (its `is_url`).
pub(super) fn is_url(text: &str) -> bool {
    let Some(scheme) = scheme(text) else { return false };
    matches!(scheme.as_str(), "http" | "https" | "file" | "ftp") || is_repository(&scheme)
}

/// The scheme of a URL, in lower case.
pub(super) fn scheme(text: &str) -> Option<String> {
    let (scheme, _) = text.split_once(':')?;
    let valid = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    valid.then(|| scheme.to_ascii_lowercase())
}

/// Whether a scheme is one of a version control system, such as `git+https`.
pub(super) fn is_repository(scheme: &str) -> bool {
    scheme.split_once('+').is_some_and(|(vcs, _)| matches!(vcs, "git" | "hg" | "svn" | "bzr"))
}

/// Checks that `text`, free of credentials, is a URL with a host; one that begins with a variable cannot be checked.
pub(super) fn check(text: &str) -> Result<()> {
    if VARIABLE.find(text).is_some_and(|variable| variable.start() == 0) {
        return Ok(());
    }
    let wrong = |why: &str| Error::usage(format!("`{}` is not a URL: {why}", shown(text)));
    if !text.contains("://") {
        return Err(wrong("it has no `://`").with_hint("begin it with `https://`"));
    }
    if text.contains(char::is_whitespace) {
        return Err(wrong("it holds a space"));
    }
    // A port in a variable would not parse as a word; as zeros it does.
    let url = Url::parse(&with_placeholders(text)).map_err(|error| wrong(&error.to_string()))?;
    if url.has_host() || url.scheme().contains("file") { Ok(()) } else { Err(wrong("it has no host")) }
}

/// The value of `key` in the fragment of a URL (`#egg=name&subdirectory=x`).
pub(super) fn fragment<'a>(url: &'a str, key: &str) -> Option<&'a str> {
    let (_, fragment) = url.split_once('#')?;
    fragment.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='))
}

/// The repository that a URL such as `git+https://host/path@reference#subdirectory=x`, free of credentials, names.
pub(super) fn repository(text: &str) -> Result<Source> {
    check(text)?;
    let address = text.split('#').next().unwrap_or(text);
    let Some((vcs, address)) = address.split_once('+') else {
        return Err(Error::usage(format!("`{}` names no version control system", shown(text))));
    };
    if address.to_ascii_lowercase().starts_with("file:") {
        return Err(Error::usage(format!(
            "the repository `{}` lies on this machine, outside of the image",
            shown(text)
        ))
        .with_hint("name a repository that the build can reach, or a folder of the project"));
    }
    let path = address.find("://").map_or(0, |at| at + 3);
    let path = path + address[path..].find('/').unwrap_or(0);
    let (url, reference) = match address[path..].rfind('@') {
        Some(at) if at + 1 == address[path..].len() => {
            return Err(Error::usage(format!("`{}` has an empty reference after its `@`", shown(text))));
        }
        Some(at) => (&address[..path + at], Some(address[path + at + 1..].to_owned())),
        None => (address, None),
    };
    Ok(Source::Vcs {
        vcs: vcs.to_ascii_lowercase(),
        url: url.to_owned(),
        reference,
        subdirectory: fragment(text, "subdirectory").map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strip(text: &str) -> (String, bool) {
        let stripped = without_credentials(text);
        (stripped.text, stripped.literal)
    }

    #[test]
    fn credentials_go_and_addresses_stay() {
        for (text, without, literal) in [
            ("https://u:p@host/a@b", "https://host/a@b", true),
            ("https://token@host/a", "https://host/a", true),
            ("x @ git+https://${T}@host/r@v1 ; a == 'b'", "x @ git+https://host/r@v1 ; a == 'b'", false),
            ("--index-url=https://me:${P}@host", "--index-url=https://host", false),
            ("https://me:x${P}@host", "https://host", true),
            ("git+ssh://git@host/r@v", "git+ssh://git@host/r@v", false),
            ("git+ssh://git:pw@host/r", "git+ssh://git@host/r", true),
            ("https://a:b@c@host/", "https://host/", true),
            ("https://u:p/w@host/x", "https://host/x", true),
            ("https://u:p#w@host/x", "https://host/x", true),
            ("https://host:8080/a@b", "https://host:8080/a@b", false),
            ("https://host:${PORT}/a@b", "https://host:${PORT}/a@b", false),
            ("https://[::1]/a@b", "https://[::1]/a@b", false),
            ("https:/u:p@host/x", "https:/host/x", true),
            ("x @ http:u:p@host", "x @ http:host", true),
            ("a://b:c@d e://f:g@h", "a://d e://h", true),
        ] {
            assert_eq!(strip(text), (without.to_owned(), literal), "{text}");
        }
    }

    #[test]
    fn variables_are_those_of_pip() {
        assert_eq!(variables("${A_1} $B ${c} ${A_1} ${D}"), ["A_1", "D"]);
        assert_eq!(with_placeholders("a==${V}!"), "a==0000!");
    }

    #[test]
    fn a_repository_is_taken_apart() {
        let source = repository("git+https://host/org/r.git@v1/x#egg=r&subdirectory=sub/a").unwrap();
        let expected = Source::Vcs {
            vcs: "git".to_owned(),
            url: "https://host/org/r.git".to_owned(),
            reference: Some("v1/x".to_owned()),
            subdirectory: Some("sub/a".to_owned()),
        };
        assert_eq!(source, expected);
        let source = repository("git+ssh://git@host/r").unwrap();
        assert!(matches!(source, Source::Vcs { url, reference: None, .. } if url == "ssh://git@host/r"));
        assert!(repository("git+file:///srv/r").is_err());
        assert!(repository("git+https://host/r@").is_err());
        assert!(repository("git+host/r").is_err());
    }
}
