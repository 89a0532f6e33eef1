//! The requirement of a line: PEP 508, or what pip takes besides (its `parse_req_from_line` and `parse_editable`,
//! <https://github.com/pypa/pip/blob/main/src/pip/_internal/req/constructors.py>).

use pep440_rs::VersionSpecifiers;

use super::super::draft::requirement;
use super::super::pep508::{self, Wanted};
use super::super::source::{self, Found};
use super::super::text::shown;
use super::super::url::is_url;
use super::options::{Given, Meaning, Taken};
use super::{Place, Reader};
use crate::model::{Error, Note, Requirement, RequirementRole, Result, Source, is_archive};

/// Takes up the requirement of a line.
pub(super) fn read(
    reader: &mut Reader<'_, '_>,
    taken: &Taken,
    editable: Option<&Given>,
    place: &Place<'_>,
) -> Result<()> {
    let mut read = match editable {
        Some(_) if !taken.requirement.is_empty() => {
            return Err(Error::usage("a requirement and `--editable` stand on one line").with_hint("give each a line"));
        }
        Some(given) => editable_requirement(reader, &given.value, place)?,
        None => plain(reader, &taken.requirement, place)?,
    };
    for given in taken.options.iter().filter(|given| given.meaning == Meaning::Hash) {
        read.hashes.push(hash(&given.value)?);
    }
    reader.draft.project.hashed |= !read.hashes.is_empty();
    read.extra.clone_from(&reader.extra);
    refuse_constraint(&read)?;
    let folder = match &read.source {
        Source::Path { path } if reader.draft.folder.is_dir(path) => Some((path.clone(), read.extras.clone())),
        _ => None,
    };
    reader.draft.project.requirements.push(read);
    match folder {
        Some((folder, extras)) => reader.follow(&folder, &extras),
        None => Ok(()),
    }
}

/// A requirement, from PEP 508 or from a URL or path without a name.
fn plain(reader: &mut Reader<'_, '_>, text: &str, place: &Place<'_>) -> Result<Requirement> {
    let (body, marker) = text.split_once(if is_url(text) { "; " } else { ";" }).unwrap_or((text, ""));
    let body = body.trim();
    let found = if is_url(body) {
        source::at_url(reader.draft, body)?
    } else if names_path(body) {
        path_with_extras(reader, body)?
    } else {
        return named(reader, text, place);
    };
    let marker = marker.trim();
    if !marker.is_empty() {
        // The marker alone, in a requirement that holds nothing else to refuse.
        pep508::parse(&format!("a; {marker}"))?;
    }
    Ok(Requirement { marker: Some(marker.to_owned()).filter(|marker| !marker.is_empty()), ..from(found, text, place) })
}

fn named(reader: &mut Reader<'_, '_>, text: &str, place: &Place<'_>) -> Result<Requirement> {
    let parsed = pep508::parse(text)?;
    let source = match parsed.wanted {
        Wanted::Versions(specifiers) => Source::Index { specifiers },
        Wanted::UnknownVersions => {
            let message = format!(
                "which version of `{}` is wanted stands in a variable, and is not known before the build",
                parsed.name
            );
            reader.draft.note(Note::warning(message, place.origin.clone()));
            Source::Index { specifiers: VersionSpecifiers::default() }
        }
        Wanted::Url(url) if is_url(&url) => source::at_url(reader.draft, &url)?.source,
        Wanted::Url(url) if url.contains("://") => {
            let message = format!("`{}` is not a URL of a kind that pip takes", shown(&url));
            return Err(Error::usage(message).with_hint("pip takes `https://`, `git+https://` and the like"));
        }
        Wanted::Url(path) => source::at_path(reader.draft, &path)?.source,
    };
    let read = requirement(text, source, place.role, place.origin.clone());
    Ok(Requirement { name: Some(parsed.name), extras: parsed.extras, marker: parsed.marker, ..read })
}

fn editable_requirement(reader: &mut Reader<'_, '_>, text: &str, place: &Place<'_>) -> Result<Requirement> {
    // A PEP 508 name and URL first, as pip does.
    let read = match pep508::parse(text) {
        Ok(parsed) if matches!(parsed.wanted, Wanted::Url(_)) => named(reader, text, place)?,
        _ if is_url(text) => {
            let found = source::at_url(reader.draft, text)?;
            from(found, text, place)
        }
        _ => {
            let found = path_with_extras(reader, text)?;
            from(found, text, place)
        }
    };
    let advice = "name a folder of the project, or a repository such as `name @ git+https://…`";
    match &read.source {
        Source::Path { path } if reader.draft.folder.is_dir(path) => {}
        Source::Vcs { .. } if read.name.is_some() => {}
        Source::Vcs { .. } => {
            return Err(Error::usage(format!("`{}` lacks the name of what it installs", shown(text))).with_hint(advice));
        }
        _ => return Err(Error::usage(format!("`{}` cannot be installed editable", shown(text))).with_hint(advice)),
    }
    Ok(Requirement { editable: true, ..read })
}

fn from(found: Found, text: &str, place: &Place<'_>) -> Requirement {
    let read = requirement(text, found.source, place.role, place.origin.clone());
    Requirement { name: found.name, extras: found.extras, ..read }
}

/// Whether text without a scheme means a path: it begins as one, or ends as an archive. Before an `@` stands a name.
fn names_path(body: &str) -> bool {
    if body.contains("://") {
        return false;
    }
    let (head, has_url) = body.split_once('@').map_or((body, false), |(head, _)| (head, true));
    head.contains('/') || head.starts_with('.') || (!has_url && is_archive(body.split('[').next().unwrap_or(body)))
}

/// `path[extra]`.
fn path_with_extras(reader: &mut Reader<'_, '_>, text: &str) -> Result<Found> {
    let bracket = text.strip_suffix(']').and_then(|inner| inner.rfind('['));
    let Some(at) = bracket.filter(|at| *at > 0) else { return source::at_path(reader.draft, text) };
    let extras = pep508::parse(&format!("a{}", &text[at..]))?.extras;
    let found = source::at_path(reader.draft, text[..at].trim_end())?;
    Ok(Found { extras, ..found })
}

/// Checks a hash as pip does, and that it is one.
fn hash(value: &str) -> Result<String> {
    let (algorithm, digest) = value.split_once(':').unwrap_or((value, ""));
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => 0,
    };
    if length > 0 && digest.len() == length && digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(value.to_owned());
    }
    Err(Error::usage(format!("`{}` is not a hash that pip takes", shown(value)))
        .with_hint("write `--hash=sha256:` and 64 hexadecimal digits; sha384 and sha512 count as well"))
}

/// pip's `check_invalid_constraint_type`.
fn refuse_constraint(read: &Requirement) -> Result<()> {
    let why = match read {
        _ if read.role == RequirementRole::Requirement => return Ok(()),
        _ if read.editable => "is editable",
        _ if read.name.is_none() => "has no name",
        _ if !read.extras.is_empty() => "has extras",
        _ => return Ok(()),
    };
    Err(Error::usage(format!("the constraint `{}` {why}, which pip does not take", shown(&read.text)))
        .with_hint("a constraint is a name and its versions; the rest belongs into a requirements file"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_told_from_names() {
        for path in [".", "./a", "..", "a/b", "x-1-py3-none-any.whl", "a.tar.gz[b]", "./a@b"] {
            assert!(names_path(path), "{path}");
        }
        for name in ["a", "a @ https://h/x.whl", "a[b] @ ./x.whl", "a==1.0", "zip", "htp://h/x.whl"] {
            assert!(!names_path(name), "{name}");
        }
    }

    #[test]
    fn hashes_are_checked() {
        assert!(hash(&format!("sha256:{}", "0a".repeat(32))).is_ok());
        for wrong in ["sha256", "sha256:", "md5:00", "sha256:zz", &format!("sha256:{}\n", "0".repeat(63))] {
            assert!(hash(wrong).is_err(), "{wrong}");
        }
    }
}
