//! What is installed where no lock says it, and the files that the installer needs for it.

use std::collections::BTreeSet;

use super::super::target::Target;
use super::{makes_environment, normalized};
use crate::catalogue::Packages;
use crate::model::{
    Choice, Index, IndexRole, Installer, Lock, ManifestKind, Origin, PlannedLock, Project, Requirement,
    RequirementRole, Source,
};

/// The requirements that no installer reads from a file itself: those of a `pyproject.toml`, and of the files that it
/// names in turn. They are spelt out for uv too, which would follow tables of its own in that file, and would have to
/// build the project where its dependencies are dynamic.
pub(in crate::plan) fn dependencies(
    project: &Project,
    target: &Target,
    installer: Installer,
    apart: &[Choice<String>],
) -> Vec<String> {
    if makes_environment(installer) {
        return Vec::new();
    }
    let wanted = wanted(project, target).filter(|r| is_spelt_out(project, r));
    let is_apart = |r: &&Requirement| apart.iter().any(|other| other.value == r.text);
    // Two members of a workspace may ask for the same.
    let mut seen = BTreeSet::new();
    wanted.filter(|r| !is_apart(r) && seen.insert(&r.text)).map(|r| r.text.clone()).collect()
}

/// The requirements that apply, without those on the project itself.
fn wanted<'p>(project: &'p Project, target: &Target) -> impl Iterator<Item = &'p Requirement> {
    let own = normalized(&project.name);
    let asked = project.requirements.iter().filter(|r| r.role == RequirementRole::Requirement);
    asked.filter(move |r| r.name.as_deref() != Some(&own) && target.environment.applies(r))
}

/// Constraints that no installer reads from a file itself.
pub(in crate::plan) fn constraints(project: &Project, target: &Target) -> Vec<String> {
    of_role(project, target, RequirementRole::Constraint)
}

/// Overrides, which no requirements file has.
pub(in crate::plan) fn overrides(project: &Project, target: &Target) -> Vec<String> {
    of_role(project, target, RequirementRole::Override)
}

fn of_role(project: &Project, target: &Target, role: RequirementRole) -> Vec<String> {
    let of_role = project.requirements.iter().filter(|r| r.role == role && target.environment.applies(r));
    of_role.filter(|r| is_spelt_out(project, r)).map(|r| r.text.clone()).collect()
}

pub(in crate::plan) fn is_spelt_out(project: &Project, requirement: &Requirement) -> bool {
    let Origin::File { file, .. } = &requirement.origin else { return false };
    let other = project.manifests.iter().any(|m| m.kind != ManifestKind::Requirements && m.path == *file);
    // Imports are asked for only where no file asks for anything, whatever its kind.
    let imports = project.manifests.iter().any(|m| m.kind == ManifestKind::PythonSources);
    other || imports || !reads_files(project)
}

/// Whether the installer reads requirements files.
fn reads_files(project: &Project) -> bool {
    project.manifests.iter().any(|m| m.kind == ManifestKind::Requirements)
}

/// The requirements that are built against what is installed, each with the reason: those that the project exempts from
/// isolation, and those whose build is known to import torch, which an isolated environment has not.
pub(in crate::plan) fn unisolated(project: &Project, target: &Target, packages: &Packages) -> Vec<Choice<String>> {
    let all = project.isolation_exempt.iter().find(|exempt| exempt.package.is_none());
    let reason = |r: &Requirement| {
        let name = r.name.as_deref()?;
        let exempt = project.isolation_exempt.iter().find(|exempt| exempt.package.as_deref() == Some(name));
        let exempt = exempt.or(all.filter(|_| comes_as_source(&r.source)));
        if let Some(exempt) = exempt.filter(|_| !is_wheel(&r.source)) {
            return Some((exempt.origin.clone(), "the project says that it is built without isolation"));
        }
        let built = packages.is_built_against_torch(name, comes_as_source(&r.source));
        (built && !is_wheel(&r.source) && !is_bound(project, target, name))
            .then(|| (r.origin.clone(), "its build imports torch"))
    };
    let choice = |r: &Requirement| reason(r).map(|(origin, because)| Choice::new(r.text.clone(), origin, because));
    wanted(project, target).filter_map(choice).collect()
}

/// Whether a distribution comes from an index of its own: who goes to that length has wheels there.
fn is_bound(project: &Project, target: &Target, name: &str) -> bool {
    let bindings = project.indexes.iter().flat_map(|index| &index.bindings);
    bindings.into_iter().any(|binding| binding.package == name && target.environment.binds(binding))
}

fn comes_as_source(source: &Source) -> bool {
    match source {
        Source::Vcs { .. } => true,
        Source::Url { .. } | Source::Path { .. } => !is_wheel(source),
        Source::Index { .. } | Source::Conda { .. } => false,
    }
}

fn has_extension(file: &str, wanted: &str) -> bool {
    file.rsplit_once('.').is_some_and(|(_, extension)| extension == wanted)
}

fn is_wheel(source: &Source) -> bool {
    let (Source::Url { url: place } | Source::Path { path: place }) = source else { return false };
    place.split(['?', '#']).next().is_some_and(|place| has_extension(place, "whl"))
}

/// What building `unisolated` needs in the environment besides torch and setuptools, without what is asked for anyway.
pub(in crate::plan) fn build_needs(
    project: &Project,
    target: &Target,
    packages: &Packages,
    unisolated: &[Choice<String>],
) -> Vec<String> {
    let apart = wanted(project, target).filter(|r| unisolated.iter().any(|one| one.value == r.text));
    let needs = apart.filter_map(|r| r.name.as_deref()).flat_map(|name| packages.build_needs(name));
    let asked = |need: &str| wanted(project, target).any(|r| r.name.as_deref() == Some(need));
    let needs: BTreeSet<String> = needs.filter(|need| !asked(need)).map(str::to_owned).collect();
    needs.into_iter().collect()
}

/// The files that the installer itself reads: every one where it reads requirements files, else local archives only, so
/// that an edit elsewhere in a `pyproject.toml` leaves the layers of dependencies alone. A lock is read with its manifest, and
/// who makes the whole environment reads all there is.
pub(in crate::plan) fn files(project: &Project, installer: Installer, lock: Option<&PlannedLock>) -> Vec<String> {
    if makes_environment(installer) {
        return project
            .files
            .iter()
            .chain(lock.map(|lock| &lock.path))
            .cloned()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
    }
    if let Some((planned, lock)) = lock.and_then(|planned| Some((planned, locked(project, planned)?))) {
        return files_of_lock(project, planned, lock);
    }
    let is_other =
        |file: &&String| project.manifests.iter().any(|m| m.kind != ManifestKind::Requirements && m.path == **file);
    let archive = |file: &&String| {
        project.requirements.iter().any(|r| matches!(&r.source, Source::Path { path } if path == *file))
    };
    let needed = |file: &&String| archive(file) || (reads_files(project) && !is_other(file));
    project.files.iter().filter(needed).cloned().collect()
}

fn files_of_lock(project: &Project, planned: &PlannedLock, lock: &Lock) -> Vec<String> {
    let mut files = BTreeSet::from([planned.path.clone()]);
    if planned.kind != ManifestKind::Pylock {
        files.extend(project.manifests.iter().map(|manifest| manifest.path.clone()));
    }
    let settings = |file: &&String| planned.kind == ManifestKind::UvLock && file.rsplit('/').next() == Some("uv.toml");
    files.extend(project.files.iter().filter(settings).cloned());
    // uv is told to leave out all that is local until the source is there.
    let archives = lock.packages.iter().filter(|_| planned.kind != ManifestKind::UvLock);
    files.extend(archives.filter_map(|package| match &package.source {
        Source::Path { path } if project.files.contains(path) => Some(path.clone()),
        _ => None,
    }));
    files.into_iter().collect()
}

fn locked<'p>(project: &'p Project, planned: &PlannedLock) -> Option<&'p Lock> {
    project.locks.iter().find(|lock| lock.path == planned.path)
}

/// The folders that requirements name as packages: a path that is not among the files that were read.
pub(in crate::plan) fn folders(project: &Project, lock: Option<&PlannedLock>) -> Vec<Choice<String>> {
    let pages = project.indexes.iter().filter(|index| lock.is_none() && is_folder(index));
    let mut folders: Vec<Choice<String>> = pages
        .map(|index| Choice::new(index.url.clone(), index.origin.clone(), "distributions are looked for there"))
        .collect();
    let named: Vec<(&Source, &Origin, &str)> = match lock.and_then(|planned| locked(project, planned)) {
        None => project.requirements.iter().map(|r| (&r.source, &r.origin, r.text.as_str())).collect(),
        Some(lock) if lock.kind == ManifestKind::UvLock => Vec::new(),
        Some(lock) => lock.packages.iter().map(|p| (&p.source, &p.origin, p.name.as_str())).collect(),
    };
    let mut seen: BTreeSet<String> = folders.iter().map(|folder| folder.value.clone()).collect();
    for (source, origin, what) in named {
        let Source::Path { path } = source else { continue };
        if !project.files.contains(path) && seen.insert(path.clone()) {
            let path = if path.is_empty() { "." } else { path };
            folders.push(Choice::new(path.to_owned(), origin.clone(), format!("`{what}` is installed from there")));
        }
    }
    folders
}

/// Whether an index is a folder of the project that no requirements file names; what those name was read.
fn is_folder(index: &Index) -> bool {
    let serves = matches!(index.role, IndexRole::Primary | IndexRole::Extra | IndexRole::FindLinks);
    let by_requirements = matches!(&index.origin, Origin::File { file, .. } if !has_extension(file, "toml"));
    serves && !by_requirements && !index.url.contains([':', '$'])
}
