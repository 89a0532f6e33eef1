//! Looks up what a person calls a base.

use globset::GlobBuilder;
use pep440_rs::Version;

use super::{Base, RefusedBase};
use crate::model::{Error, Result};

/// How alike two names have to be for one to be meant (0: not at all, 1: the same).
const ALIKE: f64 = 0.6;

/// A base, with what its name says besides.
#[derive(Debug, Clone)]
pub struct NamedBase<'a> {
    /// The base.
    pub base: &'a Base,
    /// The Python (`X.Y`) that the name says, as `python:3.12-slim` does.
    pub python: Option<Version>,
    /// The release of the accelerator (`X.Y`) that the name says.
    pub accelerator: Option<String>,
}

/// Finds the base that `asked` names: by its id, or by a reference that a row has or goes by.
///
/// # Errors
///
/// The answer is no for an image that cannot be a base; the error says why, and which is the nearest. Any other name is
/// wrong usage, and the error names the one that is most alike.
pub(in crate::catalogue) fn find<'a>(bases: &'a [Base], refused: &[RefusedBase], asked: &str) -> Result<NamedBase<'a>> {
    let wanted = short(asked);
    if let Some(base) = bases.iter().find(|base| base.id == wanted) {
        return Ok(NamedBase { base, python: None, accelerator: None });
    }
    if let Some((_, named)) = bases.iter().flat_map(names).find(|(name, _)| *name == wanted) {
        return Ok(named);
    }
    let shown = asked.escape_debug();
    if let Some(row) = refused.iter().find(|row| is_like(wanted, &row.pattern)) {
        return Err(Error::no(format!("`{shown}` cannot be a base: {}", row.because))
            .with_hint(format!("the nearest base is `{}`: `--base {}`", row.instead, row.instead)));
    }
    let hint = match nearest(bases, wanted) {
        Some(id) => format!("the nearest base is `{id}`; `sconce images` lists them all"),
        None => "`sconce images` lists the bases".to_owned(),
    };
    Err(Error::usage(format!("there is no base `{shown}`")).with_hint(hint))
}

/// Whether a reference fits a glob. The patterns are the catalogue's own; one that does not parse fits nothing.
fn is_like(wanted: &str, pattern: &str) -> bool {
    let glob = GlobBuilder::new(pattern).case_insensitive(true).build();
    glob.is_ok_and(|glob| glob.compile_matcher().is_match(wanted))
}

/// A reference without what Docker's own registry adds to it.
fn short(asked: &str) -> &str {
    let name = asked.split_once('@').map_or(asked, |(name, _)| name);
    let name = name.strip_prefix("docker.io/").unwrap_or(name);
    name.strip_prefix("library/").unwrap_or(name)
}

/// Every reference that means a row, each with what it says.
fn names(base: &Base) -> Vec<(String, NamedBase<'_>)> {
    let mut names = Vec::new();
    for reference in [&base.reference].into_iter().chain(&base.aliases) {
        let of_python = reference.contains("{python}");
        let pythons = base.python.iter().filter(|python| !of_python || !python.on_request()).map(Some);
        for python in if of_python { pythons.collect() } else { vec![None] } {
            let python = python.map(super::BasePython::minor);
            let said = python.as_ref().map(ToString::to_string).unwrap_or_default();
            let name = reference.replace("{python}", &said);
            let releases = base.accelerator.iter().flat_map(|one| &one.releases);
            let says = |accelerator| NamedBase { base, python: python.clone(), accelerator };
            names.extend(
                releases.map(|(release, tag)| (name.replace("{accelerator}", tag), says(Some(release.clone())))),
            );
            if base.accelerator.is_none() {
                names.push((name, says(None)));
            }
        }
    }
    names
}

/// The id of the base whose id or reference is most alike, where one is.
fn nearest<'a>(bases: &'a [Base], wanted: &str) -> Option<&'a str> {
    let known = bases.iter().flat_map(|base| {
        let references = names(base).into_iter().map(|(name, _)| name);
        references.chain([base.id.clone()]).map(move |name| (name, base.id.as_str()))
    });
    let likeness = |name: &str| strsim::normalized_damerau_levenshtein(name, wanted);
    let mut best: Option<(f64, &str)> = None;
    for (name, id) in known {
        let alike = likeness(&name);
        if alike >= ALIKE && best.is_none_or(|(before, _)| alike > before) {
            best = Some((alike, id));
        }
    }
    best.map(|(_, id)| id)
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::*;

    fn found(asked: &str) -> String {
        let (bases, refused) = read(include_str!("../../../images/bases.toml")).unwrap();
        match find(&bases, &refused, asked) {
            Ok(named) => {
                let said = [named.python.map(|python| python.to_string()), named.accelerator];
                [vec![named.base.id.clone()], said.into_iter().flatten().collect()].concat().join(" ")
            }
            Err(error) => format!("{error}; {}", error.hint.as_deref().unwrap_or_default()),
        }
    }

    #[test]
    fn a_base_goes_by_its_id_and_by_its_references() {
        for (asked, id) in [
            ("debian-13", "debian-13"),
            ("debian", "debian-13"),
            ("docker.io/library/debian:trixie-slim", "debian-13"),
            ("ubuntu:24.04", "ubuntu-24.04"),
            ("python:3.12-slim", "python-slim 3.12"),
            ("python:3.14-slim-trixie@sha256:00", "python-slim 3.14"),
            ("nvidia/cuda:12.8.1-cudnn-devel-ubuntu24.04", "cuda-devel 12.8"),
            ("rockylinux:9", "rocky-9"),
        ] {
            assert_eq!(found(asked), id, "{asked}");
        }
    }

    #[test]
    fn what_is_no_base_is_told_with_the_nearest() {
        for (asked, says) in [
            ("alpine", "`alpine` cannot be a base: Alpine's C library is musl"),
            ("alpine:3.22", "`--base debian-13`"),
            ("python:3.12-ALPINE3.22", "`--base python-slim`"),
            ("debian-31", "the nearest base is `debian-13`"),
            ("ubuntu:23.10", "the nearest base is `ubuntu-2"),
            ("nvidia/cuda:12.8.0-cudnn-devel-ubuntu24.04", "the nearest base is `cuda-devel`"),
            ("python:3.7-slim", "the nearest base is `python-slim`"),
            ("x\u{1b}[2J", "there is no base `x\\u{1b}[2J`; `sconce images` lists the bases"),
        ] {
            assert!(found(asked).contains(says), "{asked}: {}", found(asked));
        }
    }
}
