use super::PlanOptions;
use super::demand::Demand;
use super::target::{Target, fits, full};
use super::wanted::Wanted;
use crate::catalogue::{Base, Catalogue};
use crate::model::{BaseHint, Note, Origin, Project, Strength};

/// What was chosen, and out of what.
pub(super) struct Chosen<'c> {
    pub(super) project: &'c Project,
    pub(super) catalogue: &'c Catalogue,
    pub(super) options: &'c PlanOptions,
    pub(super) wanted: Option<&'c Wanted>,
    pub(super) targets: &'c [Target<'c>],
    pub(super) demands: &'c [Demand],
    pub(super) at: usize,
}

impl<'c> Chosen<'c> {
    fn target(&self) -> &'c Target<'c> {
        &self.targets[self.at]
    }

    /// The best target on another base that can be made without a registry.
    fn made_at_home(&self) -> Option<&'c Target<'c>> {
        let allowed = |at: &usize| self.demands.iter().all(|demand| demand.allows(*at));
        let targets = (0..self.targets.len()).filter(allowed).map(|at| &self.targets[at]);
        let mut others = targets.filter(|target| target.base.id != self.target().base.id);
        others.find(|target| target.base.suite.is_some())
    }
}

/// What a reader should know of the choice.
pub(super) fn notes(chosen: &Chosen) -> Vec<Note> {
    let mut notes = patches(chosen);
    notes.extend(unlisted(chosen));
    notes.extend(tool(chosen));
    notes.extend(registry(chosen));
    notes.extend(image(chosen));
    notes
}

/// A pin on another patch of the same Python.
fn patches(chosen: &Chosen) -> Vec<Note> {
    let (python, base) = (chosen.target().python, &chosen.target().base.id);
    let brings = match python.version.release() {
        [_, _] => format!("the newest {}", python.version),
        _ => python.version.to_string(),
    };
    let binding = chosen.project.python.iter().filter(|c| c.strength != Strength::Hint);
    let off = binding.filter(|c| fits(&c.specifiers, python, false) && !c.specifiers.contains(&full(&python.version)));
    off.map(|c| {
        Note::info(format!("the project asks for Python `{}`; {base} brings {brings}", c.specifiers), c.origin.clone())
    })
    .collect()
}

/// A version of torch that the catalogue does not have, between those that it has.
fn unlisted(chosen: &Chosen) -> Option<Note> {
    let wish = &chosen.target().wish;
    let unlisted = wish.unlisted(chosen.catalogue.torch())?;
    let nearest: Vec<_> = unlisted.nearest.iter().map(|version| format!("`{version}`")).collect();
    let message = format!("sconce knows no torch `{}`: whether there is one, the index decides", unlisted.version);
    let origin = wish.origin().cloned().unwrap_or(Origin::Default);
    let note = if unlisted.closed { Note::warning(message, origin) } else { Note::info(message, origin) };
    Some(note.with_hint(format!("the nearest that it knows: {}", nearest.join(" and "))))
}

/// That a base is taken for the tool that it has.
fn tool(chosen: &Chosen) -> Option<Note> {
    let target = chosen.target();
    let wanted = chosen.wanted.filter(|wanted| !wanted.asked && wanted.provider == target.python.provider)?;
    let note = Note::info(format!("`{}` is taken because {}", target.base.id, wanted.because), wanted.origin.clone());
    let index = |other: &Target| {
        format!("`--base {}` takes the packages from the package index, by their names there", other.base.id)
    };
    Some(match chosen.made_at_home() {
        Some(other) => note.with_hint(format!("{}, and can be made without a registry", index(other))),
        None => note,
    })
}

/// That only a registry has the base, where another would do as well.
fn registry(chosen: &Chosen) -> Option<Note> {
    let target = chosen.target();
    let by_tool = chosen.wanted.is_some_and(|wanted| wanted.provider == target.python.provider);
    if chosen.options.base.is_some() || target.base.suite.is_some() || by_tool {
        return None;
    }
    let other = chosen.made_at_home()?;
    let row = Origin::Catalogue { row: target.base.id.clone() };
    let note = Note::info(format!("only a registry has the base `{}`", target.base.id), row);
    Some(note.with_hint(format!(
        "`--base {}` takes Python {}, and can be made without a registry",
        other.base.id,
        other.python.minor()
    )))
}

/// That the project's own image is of another family.
fn image(chosen: &Chosen) -> Option<Note> {
    let target = chosen.target();
    let other = |hint: &BaseHint| {
        let family = family(&hint.image);
        let bases = chosen.catalogue.bases().iter().filter(|base| self::family(&base.reference) == family);
        let closest =
            bases.max_by_key(|base| (alike(&base.reference, &hint.image), std::cmp::Reverse(base.on_request)))?;
        (family != self::family(&target.base.reference)).then_some(closest)
    };
    let (hint, base): (&BaseHint, &Base) =
        chosen.project.bases.iter().find_map(|hint| other(hint).map(|base| (hint, base)))?;
    let message = format!("the project's own image starts from `{}`, which is not followed", hint.image);
    let note = Note::info(message, hint.origin.clone());
    Some(if chosen.options.base.is_some() {
        note
    } else {
        note.with_hint(format!("`--base {}` is of that family", base.id))
    })
}

/// An image's repository, without registry, tag and digest: `nvidia/cuda`, `python`.
fn family(reference: &str) -> &str {
    let reference = reference.split('@').next().unwrap_or_default();
    let start = reference.rfind('/').map_or(0, |slash| slash + 1);
    let end = reference[start..].find(':').map_or(reference.len(), |colon| start + colon);
    let path = &reference[..end];
    let path = match path.split_once('/') {
        Some((host, rest)) if host.contains(['.', ':']) || host == "localhost" => rest,
        _ => path,
    };
    path.strip_prefix("library/").unwrap_or(path)
}

/// How many bytes two references have in common from the start of their repositories.
fn alike(one: &str, other: &str) -> usize {
    let tail = |reference: &str| reference.find(family(reference)).map_or(0, |start| start);
    let (one, other) = (&one[tail(one)..], &other[tail(other)..]);
    one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_a_repository() {
        for (reference, expected) in [
            ("python:3.11-slim", "python"),
            ("docker.io/library/python:3.11@sha256:abc", "python"),
            ("nvidia/cuda:12.4.1-devel-ubuntu22.04", "nvidia/cuda"),
            ("nvcr.example.org:5000/nvidia/cuda", "nvidia/cuda"),
            ("debian", "debian"),
            ("", ""),
        ] {
            assert_eq!(family(reference), expected, "{reference}");
        }
        assert!(alike("docker.io/library/ubuntu:22.04", "ubuntu:22.04") > alike("ubuntu:24.04", "ubuntu:22.04"));
    }
}
