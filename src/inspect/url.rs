//! URLs as installers take them: credentials, variables, repositories.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::LazyLock;

use regex::Regex;
use url::Url;

use super::text::shown;
use crate::model::{Error, Note, Result, Source};

/// pip's own pattern (<https://pip.pypa.io/en/stable/reference/requirements-file-format/#using-environment-variables>).
#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static VARIABLE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\$\{([A-Z0-9_]+)\}").unwrap());

/// What an authority, with its credentials, follows; a mistyped one, too, for it stands in an error.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static AUTHORITY: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?i)://|\bhttps?:/{0,2}").unwrap());

/// A token of conda's in the path of a URL, of the form that its servers give out (`conda.common.url`,
/// <https://github.com/conda/conda/blob/main/conda/common/url.py>).
#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static TOKEN: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?i)/t/tk-[a-z0-9-]+").unwrap());

/// A token of conda's of any form: the first thing in the path of a URL.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static FIRST_TOKEN: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^([^\s/?#'\x22`]+)/t/([A-Za-z0-9_-]+)(?:[/\s'\x22`]|$)").unwrap());

/// A secret among the parameters of a URL.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static PARAMETER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)([?&;](?:(?:[a-z]+_)?token|api_?key|sig|signature|x-(?:amz|goog)-(?:signature|credential|security-token))=)[^&#\s'\x22`]+",
    )
    .unwrap()
});

/// The names of the variables in `text`, each once, in order.
pub(super) fn variables(text: &str) -> Vec<String> {
    let mut seen = HashSet::new();
    let names = VARIABLE.captures_iter(text).filter_map(|capture| capture.get(1)).map(|name| name.as_str());
    names.filter(|name| seen.insert(*name)).map(str::to_owned).collect()
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

/// Takes `user:password@` out of every URL in `text`, and the tokens of conda's channels. The user of an SSH URL is no
/// secret and part of the address: it stays.
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
        // In the path of a repository, `t` is a person's name.
        let is_repository = before[..at].rsplit(|c: char| c.is_whitespace()).next().is_some_and(|it| it.contains('+'));
        if let Some(token) = FIRST_TOKEN.captures(rest).filter(|_| !is_repository) {
            let (host, secret) = (&token[1], &token[2]);
            stripped.text.push_str(host);
            rest = &rest[host.len() + "/t/".len() + secret.len()..];
            stripped.literal = true;
        }
    }
    stripped.text.push_str(rest);
    if let Cow::Owned(text) = TOKEN.replace_all(&stripped.text, "") {
        stripped = Stripped { text, literal: true };
    }
    stripped
}

/// A message without credentials, also those that no installer would find: in an address that is cut short before its
/// host, and in the parameters of a URL.
pub(super) fn safe_to_say(text: &str) -> String {
    let text = without_credentials(text).text;
    let mut said = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(found) = AUTHORITY.find(rest) {
        let (before, after) = rest.split_at(found.end());
        said.push_str(before);
        let authority =
            &after[..after.find(|c: char| c.is_whitespace() || "'\"`…/?#\\".contains(c)).unwrap_or(after.len())];
        let is_cut = after[authority.len()..].starts_with('…');
        rest = if is_remote(before) && hides_secret(authority, is_cut) {
            said.push('…');
            after[authority.len()..].trim_start_matches('…')
        } else {
            after
        };
    }
    said.push_str(rest);
    PARAMETER.replace_all(&said, "${1}…").into_owned()
}

/// Whether a URL that begins so has a host, and may have credentials before it.
fn is_remote(before: &str) -> bool {
    let before = before.to_ascii_lowercase();
    let scheme = before.trim_end_matches('/').trim_end_matches(':');
    ["http", "https", "ftp", "git", "ssh", "svn", "hg"].iter().any(|known| scheme.ends_with(known))
}

/// Whether an authority without an `@` is the begin of one that has one: what stands for the port is none, or the host is
/// none.
fn hides_secret(authority: &str, is_cut: bool) -> bool {
    if authority.is_empty() || has_variable(authority) || authority.contains('@') || authority.starts_with('[') {
        return false;
    }
    match authority.split_once(':') {
        Some((_, port)) => is_cut || !port.chars().all(|c| c.is_ascii_digit()),
        None => is_cut,
    }
}

/// An error without credentials, whatever it quotes. Its log quotes lines as they are, also the last of a file that ends
/// within an address.
pub(super) fn error_safe_to_say(error: Error) -> Error {
    Error {
        message: safe_to_say(&error.message),
        hint: error.hint.map(|hint| safe_to_say(&hint)),
        log: error.log.iter().map(|line| without_open_end(&safe_to_say(line))).collect(),
        ..error
    }
}

/// A note without credentials, whatever it quotes.
pub(super) fn note_safe_to_say(note: &mut Note) {
    note.message = safe_to_say(&note.message);
    note.hint = note.hint.take().map(|hint| safe_to_say(&hint));
}

/// A line without what may be the begin of a credential at its end: a word that is no name of a host.
fn without_open_end(line: &str) -> String {
    let Some((before, end)) = line.rsplit_once("://") else { return line.to_owned() };
    let is_host = end.contains(['.', '/', '@', '…', '$', ' ']) || end.is_empty() || end.starts_with("localhost");
    if is_host || !is_remote(before) { line.to_owned() } else { format!("{before}://…") }
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
            ("https://host/t/SECRET/channel", "https://host/channel", true),
            ("https://host/t/tk-1-2/channel/", "https://host/channel/", true),
            ("https://host/conda/t/tk-1-2/main", "https://host/conda/main", true),
            ("https://host/t/${T}/main", "https://host/t/${T}/main", false),
            ("see \"https://host/t/SECRET\"", "see \"https://host\"", true),
            ("https://u:p@host/t/SECRET/c", "https://host/c", true),
            ("git+https://host/t/project/x", "git+https://host/t/project/x", false),
            ("https://host/a/t/b/x.whl", "https://host/a/t/b/x.whl", false),
        ] {
            assert_eq!(strip(text), (without.to_owned(), literal), "{text}");
        }
    }

    #[test]
    fn nothing_that_is_said_holds_a_credential() {
        for (text, said) in [
            ("`https://u:SECR` is not a requirement", "`https://…` is not a requirement"),
            ("x @ git+https://u:SECR…` is", "x @ git+https://…` is"),
            ("`https://SECR…` is not", "`https://…` is not"),
            ("https://u:SECR", "https://…"),
            ("begin it with `https://`", "begin it with `https://`"),
            ("`https://host/a…` and `https://host:80`", "`https://host/a…` and `https://host:80`"),
            ("see https://host.example.org", "see https://host.example.org"),
            ("https://host:${PORT}/x", "https://host:${PORT}/x"),
            ("https://[::1]:80/x", "https://[::1]:80/x"),
            ("docker-image://python:slim", "docker-image://python:slim"),
            ("git+ssh://git@host/r", "git+ssh://git@host/r"),
            ("`https://h/x.whl?token=SECRET&a=b#c`", "`https://h/x.whl?token=…&a=b#c`"),
            ("https://h/x?a=b&X-Amz-Signature=SECRET", "https://h/x?a=b&X-Amz-Signature=…"),
            ("https://h/x?sig=SECRET&access_token=SECRET", "https://h/x?sig=…&access_token=…"),
            ("https://u:p@h/t/SECRET/x", "https://h/x"),
        ] {
            assert_eq!(safe_to_say(text), said, "{text}");
            assert_eq!(safe_to_say(said), said, "twice");
        }
        let quoted = |line: &str| error_safe_to_say(Error::usage("x").with_log(vec![line.to_owned()])).log.remove(0);
        assert_eq!(quoted("dependencies = [\"x @ git+https://SECRET"), "dependencies = [\"x @ git+https://…");
        assert_eq!(quoted("url = \"https://host.example.org"), "url = \"https://host.example.org");
    }

    proptest::proptest! {
        #[test]
        fn no_text_ends_what_strips(text in r"(https?|git\+|://|:|/t/|tk-|@|[?&]|sig=|`|…|é| |/|\.|x|\$\{A\}){0,24}") {
            let _ = without_open_end(&safe_to_say(&text));
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
