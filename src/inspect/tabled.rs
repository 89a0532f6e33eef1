//! A requirement that a table of keys states (Poetry, Pipenv), put together in the words of PEP 508
//! (<https://packaging.python.org/en/latest/specifications/dependency-specifiers/>).

use pep440_rs::VersionSpecifiers;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::draft::{Draft, requirement};
use super::folder::parent;
use super::pep508;
use super::source::{self, Found};
use super::text::{is_hidden, shown};
use super::url::{repository, scheme, without_credentials};
use crate::model::{Error, Origin, Requirement, RequirementRole, Result, Source};

/// What stands in a path of a URL as it is.
const IN_PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'+');

/// What the table says.
#[derive(Debug)]
pub(super) struct Tabled<'a> {
    /// As written.
    pub(super) name: &'a str,
    pub(super) extras: Vec<&'a str>,
    pub(super) wanted: Wanted<'a>,
    /// All of them must hold (PEP 508).
    pub(super) markers: Vec<String>,
    pub(super) editable: bool,
}

/// Where it comes from.
#[derive(Debug, Clone)]
pub(super) enum Wanted<'a> {
    Versions(VersionSpecifiers),
    /// A repository of a version control system.
    Repository {
        vcs: &'a str,
        address: &'a str,
        reference: Option<&'a str>,
        subdirectory: Option<&'a str>,
    },
    Url {
        url: &'a str,
        subdirectory: Option<&'a str>,
    },
    /// Relative to the folder of the file that names it.
    Path(&'a str),
}

/// The error for a URL that stands for a version. It is shown whole, without its credentials and spaces: a part of it would
/// not show where they begin.
pub(super) fn refuse_url(text: &str) -> Result<()> {
    let joined: String = text.split_whitespace().collect();
    let stripped = without_credentials(&joined);
    if !joined.contains("://") && stripped.text == joined {
        return Ok(());
    }
    Err(Error::usage(format!("`{}` is a URL, not a version", shown(&stripped.text)))
        .with_hint("write `{ git = \"…\" }` for a repository, or `{ url = \"…\" }` for an archive"))
}

/// Makes a requirement of it; the error has no origin yet. Where a folder or archive says its name, that counts.
pub(super) fn requirement_of(
    draft: &mut Draft<'_>,
    file: &str,
    tabled: &Tabled<'_>,
    origin: &Origin,
) -> Result<Requirement> {
    let (source, behind) = spell(draft, file, &tabled.wanted, origin)?;
    let extras = if tabled.extras.is_empty() { String::new() } else { format!("[{}]", tabled.extras.join(",")) };
    let marker = conjunction(&tabled.markers).map(|marker| format!(" ; {marker}")).unwrap_or_default();
    let text = format!("{}{extras}{behind}{marker}", tabled.name);
    if text.contains(is_hidden) {
        return Err(Error::usage(format!("`{}` holds a character that does not show", shown(&text))));
    }
    // Parsed back, so that what is spelt out is what installers read.
    let parsed = pep508::parse(&text)?;
    Ok(Requirement {
        name: Some(parsed.name),
        extras: parsed.extras,
        marker: parsed.marker,
        editable: tabled.editable,
        ..requirement(&text, source, RequirementRole::Requirement, origin.clone())
    })
}

/// The source, and what stands behind the name for it.
fn spell(draft: &mut Draft<'_>, file: &str, wanted: &Wanted<'_>, origin: &Origin) -> Result<(Source, String)> {
    match wanted {
        Wanted::Versions(specifiers) => {
            let text: Vec<String> = specifiers.iter().map(ToString::to_string).collect();
            Ok((Source::Index { specifiers: specifiers.clone() }, text.join(",")))
        }
        Wanted::Repository { vcs, address, reference, subdirectory } => {
            let mut url = repository_url(vcs, &open(draft, address, origin))?;
            for (sign, part) in [('@', reference), ('#', subdirectory)] {
                let Some(part) = part.filter(|part| !part.is_empty()) else { continue };
                if part.contains(|c: char| c.is_whitespace() || c == '#') {
                    return Err(Error::usage(format!(
                        "`{}` is not a reference or folder of a repository",
                        shown(part)
                    )));
                }
                url.push(sign);
                url.push_str(if sign == '#' { "subdirectory=" } else { "" });
                url.push_str(part);
            }
            Ok((repository(&url)?, format!(" @ {url}")))
        }
        Wanted::Url { url, subdirectory } => {
            let mut url = open(draft, url, origin);
            if let Some(subdirectory) = subdirectory {
                url.push(if url.contains('#') { '&' } else { '#' });
                url.push_str("subdirectory=");
                url.push_str(subdirectory);
            }
            Ok((source::at_url(draft, &url)?.source, format!(" @ {url}")))
        }
        Wanted::Path(path) => {
            let found = at_path(draft, file, path)?;
            let behind = match &found.source {
                Source::Path { path } if path == "." => " @ file:.".to_owned(),
                Source::Path { path } => format!(" @ file:./{}", utf8_percent_encode(path, IN_PATH)),
                _ => String::new(),
            };
            Ok((found.source, behind))
        }
    }
}

/// What the path `path`, relative to the folder of `file`, names.
pub(super) fn at_path(draft: &mut Draft<'_>, file: &str, path: &str) -> Result<Found> {
    let located = draft.folder.locate(parent(file), path).map_err(|error| match error.hint {
        None => error.with_hint(format!("a path is relative to the folder of `{}`", shown(file))),
        Some(_) => error,
    })?;
    source::at_path(draft, &located.path)
}

/// An address without its credentials, of which it warns.
fn open(draft: &mut Draft<'_>, address: &str, origin: &Origin) -> String {
    let stripped = without_credentials(address.trim());
    if stripped.literal {
        draft.warn_of_credential(origin);
    }
    stripped.text
}

/// A repository's address as pip takes it: `git+https://…`, `git+ssh://…`; of the short form `git@host:path` that git
/// itself takes (<https://git-scm.com/docs/git-clone#_git_urls>), the long one.
pub(super) fn repository_url(vcs: &str, address: &str) -> Result<String> {
    let address = address.strip_prefix("git+").unwrap_or(address);
    if let Some((scheme, rest)) = address.split_once("://") {
        // `ssh://git@host:org/repo`, which git refuses, and Poetry and Pipenv take.
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let folder = authority.rsplit_once(':').filter(|(host, port)| {
            scheme == "ssh" && !host.ends_with('[') && port.starts_with(|c: char| c.is_ascii_alphabetic())
        });
        return Ok(match folder {
            Some((host, folder)) => format!("{vcs}+ssh://{host}/{folder}/{path}"),
            None => format!("{vcs}+{address}"),
        });
    }
    match address.split_once(':') {
        Some((host, path)) if host.contains('@') && !host.contains('/') => {
            Ok(format!("{vcs}+ssh://{host}/{}", path.trim_start_matches('/')))
        }
        _ => {
            Err(Error::usage(format!("the repository `{}` lies on this machine, outside of the image", shown(address)))
                .with_hint("name a repository that the build can reach, or a folder of the project"))
        }
    }
}

/// Whether a value names an archive by URL, and not by path.
pub(super) fn is_remote(text: &str) -> bool {
    matches!(scheme(text).as_deref(), Some("http" | "https" | "ftp"))
}

/// Markers that must all hold, as one.
pub(super) fn conjunction(markers: &[String]) -> Option<String> {
    let one_line = |marker: &String| marker.split_whitespace().collect::<Vec<_>>().join(" ");
    let markers: Vec<String> = markers.iter().map(one_line).filter(|marker| !marker.is_empty()).collect();
    let alone = markers.len() == 1;
    let of_several = |marker: &String| {
        if alone || !marker.contains(" or ") { marker.clone() } else { format!("({marker})") }
    };
    let parts: Vec<String> = markers.iter().map(of_several).collect();
    (!parts.is_empty()).then(|| parts.join(" and "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_have_the_address_that_pip_takes() {
        for (address, expected) in [
            ("https://host/org/r.git", "git+https://host/org/r.git"),
            ("git@host:org/r.git", "git+ssh://git@host/org/r.git"),
            ("ssh://git@host:org/r.git", "git+ssh://git@host/org/r.git"),
            ("ssh://git@host:22/org/r.git", "git+ssh://git@host:22/org/r.git"),
            ("git+https://host/r", "git+https://host/r"),
        ] {
            assert_eq!(repository_url("git", address).unwrap(), expected, "{address}");
        }
        assert!(repository_url("git", "../r").is_err());
        assert!(repository_url("git", "C:/r").is_err());
    }

    #[test]
    fn markers_are_joined_in_parentheses_where_needed() {
        let join = |markers: &[&str]| conjunction(&markers.iter().map(|m| (*m).to_owned()).collect::<Vec<_>>());
        assert_eq!(join(&["a == 'b' or\n c == 'd'"]).as_deref(), Some("a == 'b' or c == 'd'"));
        assert_eq!(join(&["a or b", "", "c"]).as_deref(), Some("(a or b) and c"));
        assert_eq!(join(&[""]), None);
    }
}
