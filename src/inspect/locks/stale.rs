//! Whether a lock still fits its manifest.

use std::collections::{BTreeMap, BTreeSet};

use pep440_rs::{Version, VersionSpecifiers};

use super::super::draft::Draft;
use super::super::folder::{join, parent};
use super::super::text::shown;
use super::super::toml_file::TomlFile;
use super::LockFormat;
use crate::model::{Lock, LockedPackage, ManifestKind, Note, Requirement, RequirementRole, Source};

/// So many requirements are named.
const NAMED: usize = 5;

/// What tools may leave out of their locks, for it comes with every environment.
const SEEDED: [&str; 4] = ["pip", "setuptools", "wheel", "distribute"];

/// Warns where `lock` does not hold what the manifest asks for: somebody changed the one and not the other.
pub(super) fn note(draft: &mut Draft<'_>, format: &LockFormat, lock: &Lock) {
    let mut locked: BTreeMap<&str, Vec<&LockedPackage>> = BTreeMap::new();
    for package in &lock.packages {
        locked.entry(&package.name).or_default().push(package);
    }
    let exempt = exempt(draft, &lock.path);
    let requirements = draft.project.requirements.iter();
    let asked = requirements.filter(|requirement| requirement.role == RequirementRole::Requirement);
    let wrong: Vec<(&Requirement, String)> = asked
        .filter(|requirement| requirement.name.as_ref().is_some_and(|name| !exempt.contains(name)))
        .filter_map(|requirement| Some((requirement, wrong(requirement, format, &locked)?)))
        .collect();
    let Some((first, _)) = wrong.first() else { return };
    let mut each: Vec<String> = wrong.iter().take(NAMED).map(|(_, why)| why.clone()).collect();
    if let more @ 1.. = wrong.len().saturating_sub(NAMED) {
        each.push(format!("{more} more"));
    }
    let message = format!("`{}` is not up to date with its manifest: {}", shown(&lock.path), each.join(", "));
    let note = Note::warning(message, first.origin.clone());
    draft.note(note.with_hint(format.refresh));
}

/// What is wrong with how a requirement is locked, if anything. A marker may say that it is not locked at all, and only
/// uv and Poetry lock each extra and group.
fn wrong(
    requirement: &Requirement,
    format: &LockFormat,
    locked: &BTreeMap<&str, Vec<&LockedPackage>>,
) -> Option<String> {
    let Source::Index { specifiers } = &requirement.source else { return None };
    let text = shown(&requirement.text);
    let Some(packages) = locked.get(requirement.name.as_deref()?) else {
        let of_all = requirement.extra.is_none() && requirement.group.is_none();
        let complete = matches!(format.kind, ManifestKind::UvLock | ManifestKind::PoetryLock);
        return (requirement.marker.is_none() && (of_all || complete)).then(|| format!("`{text}` is not locked"));
    };
    let from_index = packages.iter().all(|package| matches!(package.source, Source::Index { .. }));
    let versions: Vec<&Version> = packages.iter().filter_map(|package| package.version.as_ref()).collect();
    if !from_index || versions.len() < packages.len() || versions.iter().any(|version| allows(specifiers, version)) {
        return None;
    }
    let versions: BTreeSet<String> = versions.iter().map(|version| format!("`{version}`")).collect();
    Some(format!("`{text}` is locked as {}", versions.into_iter().collect::<Vec<_>>().join(" and ")))
}

/// Whether a version fits, with or without its local tag.
fn allows(specifiers: &VersionSpecifiers, version: &Version) -> bool {
    specifiers.contains(version) || specifiers.contains(&version.clone().without_local())
}

/// The names that a lock may lack, or hold in other versions: the project's own, what is overridden, and what comes
/// with every environment.
fn exempt(draft: &Draft<'_>, lock: &str) -> BTreeSet<String> {
    let overridden = draft.project.requirements.iter().filter(|known| known.role == RequirementRole::Override);
    let mut exempt: BTreeSet<String> = overridden.filter_map(|known| known.name.clone()).collect();
    exempt.extend(SEEDED.map(str::to_owned));
    exempt.extend(own_names(draft, &join(parent(lock), "pyproject.toml")));
    exempt
}

/// What the project calls itself: an extra that gathers others asks for it.
fn own_names(draft: &Draft<'_>, file: &str) -> Vec<String> {
    let text = if draft.folder.has(file) { draft.folder.read_utf8(file).ok() } else { None };
    let Some(text) = text else { return Vec::new() };
    let Ok(toml) = TomlFile::parse(file, &text) else { return Vec::new() };
    let name = |path: &[&str]| toml.string(path).ok().flatten().map(|(name, _)| super::entry::normalized(name));
    [name(&["project", "name"]), name(&["tool", "poetry", "name"])].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::super::samples::{asked, beside, messages};
    use super::*;

    const LOCK: &str = "version = 1\n\
        [[package]]\nname = 'torch'\nversion = '2.9.1+cu128'\nsource = { registry = 'r' }\n\
        [[package]]\nname = 'torch'\nversion = '2.8.0'\nsource = { registry = 'r' }\n\
        [[package]]\nname = 'pre'\nversion = '1.0rc1'\nsource = { registry = 'r' }\n\
        [[package]]\nname = 'git'\nversion = '1'\nsource = { git = 'https://host.example.org/git#01' }\n";

    fn said(asked: &[Requirement]) -> Vec<String> {
        let manifest = ("pyproject.toml", "[project]\nname = 'My.App'\n");
        let project = beside(&[("uv.lock", LOCK), manifest], asked).unwrap();
        messages(&project).into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn a_lock_that_is_behind_is_warned_of() {
        let said = said(&[asked("torch>=2.10"), asked("numpy"), asked("pre==1.0rc1")]);
        let expected = "`uv.lock` is not up to date with its manifest: `torch>=2.10` is locked as `2.8.0` and \
                        `2.9.1+cu128`, `numpy` is not locked";
        assert_eq!(said, [expected]);
    }

    #[test]
    fn there_are_no_false_alarms() {
        let in_extra = |text| Requirement { extra: Some("x".to_owned()), ..asked(text) };
        let overridden = Requirement { role: RequirementRole::Override, ..asked("pre") };
        let none: Vec<String> = Vec::new();
        assert_eq!(
            said(&[
                asked("torch==2.9.1"),
                asked("torch<=2.9.1"),
                asked("git>=2"),
                asked("windows-only ; sys_platform == 'win32'"),
                asked("setuptools>=70"),
                in_extra("my-app[all]"),
                asked("pre>=2"),
                overridden,
                Requirement { role: RequirementRole::Constraint, ..asked("numpy<2") },
            ]),
            none
        );
    }

    #[test]
    fn only_some_tools_lock_all_extras() {
        let numpy = Requirement { group: Some("g".to_owned()), ..asked("numpy") };
        let said =
            |file: &str, text: &str| messages(&beside(&[(file, text)], std::slice::from_ref(&numpy)).unwrap()).len();
        assert_eq!(said("uv.lock", "version = 1\n"), 1);
        assert_eq!(said("pdm.lock", "[metadata]"), 0);
        assert_eq!(said("pylock.toml", "lock-version = '1.0'\n"), 0);
    }
}
