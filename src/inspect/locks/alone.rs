//! A lock in place of a manifest: everything in it is asked for.

use std::collections::{BTreeMap, BTreeSet};

use super::super::draft::{Draft, requirement};
use super::super::pep508;
use super::super::text::shown;
use crate::model::{
    Index, IndexBinding, IndexRole, Lock, LockedPackage, Note, Origin, Requirement, RequirementRole, Selectable,
    SelectableKind, Source,
};

/// Takes up the packages of `lock` as requirements.
pub(super) fn ask_for_all(draft: &mut Draft<'_>, lock: &Lock) {
    let file = shown(&lock.path);
    let message = format!("no manifest is read with `{file}`, so all of its packages are asked for");
    draft.note(Note::info(message, Origin::file(&lock.path, 1)));
    let mut selectable: BTreeSet<(bool, &str)> = BTreeSet::new();
    for package in &lock.packages {
        let text = text(package);
        match pep508::parse(&text) {
            Ok(_) => draft.project.requirements.extend(pinned(package, &text)),
            Err(error) => draft.note(Note::warning(error.message, package.origin.clone())),
        }
        select(draft, package, &mut selectable);
    }
    ambiguous(draft, lock);
    indexes(draft, lock);
}

/// A locked package in the words of PEP 508.
fn text(package: &LockedPackage) -> String {
    let name = &package.name;
    let marker = package.marker.as_ref().map(|marker| format!(" ; {marker}")).unwrap_or_default();
    match &package.source {
        Source::Url { url } => format!("{name} @ {url}{marker}"),
        Source::Path { path } => format!("{name} @ file:./{path}{marker}"),
        Source::Vcs { vcs, url, reference, subdirectory } => {
            let reference = reference.as_ref().map(|reference| format!("@{reference}")).unwrap_or_default();
            let folder = subdirectory.as_ref().map(|folder| format!("#subdirectory={folder}")).unwrap_or_default();
            format!("{name} @ {vcs}+{url}{reference}{folder}{marker}")
        }
        Source::Index { .. } | Source::Conda { .. } => {
            let version = package.version.as_ref().map(|version| format!("=={version}")).unwrap_or_default();
            format!("{name}{version}{marker}")
        }
    }
}

/// A locked package as requirements: one for each extra and group that brings it, or one of its own.
fn pinned(package: &LockedPackage, text: &str) -> Vec<Requirement> {
    let plain = Requirement {
        name: Some(package.name.clone()),
        marker: package.marker.clone(),
        ..requirement(text, package.source.clone(), RequirementRole::Requirement, package.origin.clone())
    };
    let one = |(extra, group)| Requirement { extra, group, ..plain.clone() };
    brought(package).into_iter().map(one).collect()
}

/// What brings a package: extras and groups, or nothing in particular.
fn brought(package: &LockedPackage) -> Vec<(Option<String>, Option<String>)> {
    let extras = package.extras.iter().map(|extra| (Some(extra.clone()), None));
    let groups = package.groups.iter().map(|group| (None, Some(group.clone())));
    let brought: Vec<_> = extras.chain(groups).collect();
    if brought.is_empty() { vec![(None, None)] } else { brought }
}

/// Takes up the extras and groups that bring a package, each once.
fn select<'p>(draft: &mut Draft<'_>, package: &'p LockedPackage, known: &mut BTreeSet<(bool, &'p str)>) {
    let extras = package.extras.iter().map(|name| (SelectableKind::Extra, name));
    let groups = package.groups.iter().map(|name| (SelectableKind::Group, name));
    for (kind, name) in extras.chain(groups) {
        if known.insert((kind == SelectableKind::Extra, name)) {
            let origin = package.origin.clone();
            draft.project.selectable.push(Selectable { kind, name: name.clone(), default: false, origin });
        }
    }
}

/// Warns of packages of which several versions apply at once, as far as the lock alone tells.
fn ambiguous(draft: &mut Draft<'_>, lock: &Lock) {
    let mut versions: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
    let mut origins = BTreeMap::new();
    for package in &lock.packages {
        for (extra, group) in brought(package) {
            let key = (&package.name, extra, group, &package.marker);
            versions.entry(key.clone()).or_default().extend(package.version.as_ref().map(ToString::to_string));
            origins.entry(key).or_insert(&package.origin);
        }
    }
    for (key, versions) in versions.iter().filter(|(_, versions)| versions.len() > 1) {
        let each: Vec<String> = versions.iter().map(|version| format!("`{version}`")).collect();
        let message =
            format!("`{}` is locked as {}, and nothing says which of them is for what", key.0, each.join(" and "));
        let Some(origin) = origins.get(key) else { continue };
        draft.note(Note::warning(message, (*origin).clone()).with_hint("keep the manifest of the lock beside it"));
    }
}

/// Takes up the indexes of the packages. Where every package tells its own, the one of most of them is the default;
/// else those without come from the default, which the lock does not name.
fn indexes(draft: &mut Draft<'_>, lock: &Lock) {
    let from_index = || lock.packages.iter().filter(|package| matches!(package.source, Source::Index { .. }));
    let mut by_url: BTreeMap<&String, Vec<&LockedPackage>> = BTreeMap::new();
    for package in from_index() {
        if let Some(url) = &package.index {
            by_url.entry(url).or_default().push(package);
        }
    }
    let all_tell = from_index().all(|package| package.index.is_some());
    let most = by_url.values().map(Vec::len).max().filter(|_| all_tell);
    let primary = by_url.values().position(|packages| Some(packages.len()) == most);
    for (at, (url, packages)) in by_url.into_iter().enumerate() {
        let Some(first) = packages.first() else { continue };
        let is_primary = Some(at) == primary;
        let bindings = if is_primary { Vec::new() } else { packages.iter().flat_map(|p| bindings(p)).collect() };
        draft.project.indexes.push(Index {
            url: url.clone(),
            // A path is a folder of archives.
            role: match url.contains("://") {
                false => IndexRole::FindLinks,
                true if is_primary => IndexRole::Primary,
                true => IndexRole::Extra,
            },
            name: None,
            explicit: !is_primary,
            bindings,
            origin: first.origin.clone(),
        });
    }
}

fn bindings(package: &LockedPackage) -> Vec<IndexBinding> {
    let binding = |(extra, group)| IndexBinding {
        package: package.name.clone(),
        marker: package.marker.clone(),
        extra,
        group,
        origin: package.origin.clone(),
    };
    brought(package).into_iter().map(binding).collect()
}

#[cfg(test)]
mod tests {
    use super::super::samples::{alone, messages};
    use crate::model::IndexRole;

    #[test]
    fn versions_that_nothing_tells_apart_are_warned_of() {
        let lock = "[metadata]\n[[package]]\nname = 'a'\nversion = '1'\n[[package]]\nname = 'a'\nversion = '2'\n\
                    [[package]]\nname = 'b'\nversion = '1'\ngroups = ['x']\n\
                    [[package]]\nname = 'b'\nversion = '2'\ngroups = ['y']\n";
        let project = alone(&[("pdm.lock", lock)]).unwrap();
        let warnings: Vec<&str> =
            messages(&project).into_iter().filter(|message| message.contains("is locked as")).collect();
        assert_eq!(warnings, ["`a` is locked as `1` and `2`, and nothing says which of them is for what"]);
    }

    #[test]
    fn the_index_of_most_packages_is_the_default() {
        let package = |name: &str, index: &str| {
            format!("[[package]]\nname = '{name}'\nversion = '1'\nsource = {{ registry = '{index}' }}\n")
        };
        let (most, one) = ("https://pypi.example.org/simple", "https://download.example.org/cpu");
        let lock = format!(
            "version = 1\n{}{}{}{}",
            package("a", most),
            package("b", most),
            package("torch", one),
            package("c", "wheels")
        );
        let project = alone(&[("uv.lock", &lock)]).unwrap();
        let role = |url: &str| {
            let index = project.indexes.iter().find(|index| index.url == url).unwrap();
            (index.role, index.explicit, index.bindings.len())
        };
        assert_eq!(role(most), (IndexRole::Primary, false, 0));
        assert_eq!(role(one), (IndexRole::Extra, true, 1));
        assert_eq!(role("wheels"), (IndexRole::FindLinks, true, 1));
    }
}
