//! How torch arrives, concluded from all that was read.

use std::sync::LazyLock;

use pep440_rs::{Operator, Version, VersionSpecifier, VersionSpecifiers};
use regex::Regex;

use super::interpreter::holds_on_linux;
use super::pep508;
use super::pyproject::itself;
use crate::catalogue::Packages;
use crate::model::{
    ArchiveName, Index, IndexBinding, IndexRole, LockedPackage, ManifestKind, Project, Requirement, RequirementRole,
    Source, TorchFact, TorchVia,
};

const TORCH: &str = "torch";

/// The name of a torch back end, as uv has them and as the folders of torch's own indexes are called
/// (<https://docs.astral.sh/uv/guides/integration/pytorch/>).
#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static BACKEND: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^(cpu|xpu|cu\d{2,3}|rocm\d+(\.\d+){1,2})$").unwrap());

/// What a wheel's local version or name tells of the torch that it was built for, as `cu122torch2.3cxx11abiFALSE` and
/// `pt24cu121` do.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static BUILT_FOR: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)(?:torch|pt)[-_]?(\d{1,2}(?:\.\d{1,2}){1,2}|\d{2,3})(?:\D|$)").unwrap());

#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static CUDA: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?i)cu(?:da)?[-_]?(\d{2,3})(?:\D|$)").unwrap());

/// Conda's packages that choose the CUDA that its torch is built for.
const CONDA_CUDA: [&str; 3] = ["pytorch-cuda", "cudatoolkit", "cuda-version"];

/// Fills in `torch`: the most certain way first.
pub(super) fn conclude(project: &mut Project, packages: &Packages) {
    let mut facts: Vec<TorchFact> = project.locks.iter().flat_map(|lock| &lock.packages).flat_map(locked).collect();
    facts.extend(project.requirements.iter().filter_map(|asked| direct(project, asked)));
    facts.extend(project.requirements.iter().filter_map(built_for));
    facts.extend(project.requirements.iter().filter_map(|asked| through(asked, packages)));
    facts.sort_by_key(|fact| rank(&fact.via));
    project.torch = facts;
    itself::conclude(project);
}

fn rank(via: &TorchVia) -> u8 {
    match via {
        TorchVia::Lock => 0,
        TorchVia::Archive => 1,
        TorchVia::Requirement => 2,
        TorchVia::Conda { .. } => 3,
        TorchVia::Constraint => 4,
        TorchVia::BuiltFor { .. } => 5,
        TorchVia::Import => 6,
        TorchVia::Package { .. } => 7,
    }
}

/// A fact of which the way and the place are known.
fn fact(via: TorchVia, asked: &Requirement, specifiers: VersionSpecifiers) -> TorchFact {
    let pinned = pinned(&specifiers);
    TorchFact {
        via,
        local: pinned.as_ref().and_then(local),
        version: pinned.map(Version::without_local),
        specifiers,
        variant: None,
        index: None,
        extra: asked.extra.clone(),
        group: asked.group.clone(),
        marker: asked.marker.clone(),
        origin: asked.origin.clone(),
    }
}

/// The one version that `specifiers` leave, where one of them pins it.
fn pinned(specifiers: &VersionSpecifiers) -> Option<Version> {
    // conda's `=2.3.1` is `==2.3.1.*`, and names one version all the same.
    let exact = |s: &&VersionSpecifier| match s.operator() {
        Operator::Equal | Operator::ExactEqual => true,
        Operator::EqualStar => s.version().release().len() > 2,
        _ => false,
    };
    specifiers.iter().find(exact).map(|specifier| specifier.version().clone())
}

fn local(version: &Version) -> Option<String> {
    let parts: Vec<String> = version.local().iter().map(ToString::to_string).collect();
    (!parts.is_empty()).then(|| parts.join("."))
}

/// A lock's torch: one fact for each extra and group that brings it.
fn locked(package: &LockedPackage) -> Vec<TorchFact> {
    if package.name != TORCH {
        return Vec::new();
    }
    let local = package.version.as_ref().and_then(local);
    let specifiers = package.version.clone().map(VersionSpecifier::equals_version);
    let fact = TorchFact {
        via: TorchVia::Lock,
        specifiers: specifiers.map(Into::into).unwrap_or_default(),
        version: package.version.clone().map(Version::without_local),
        variant: backend(local.as_deref()).or_else(|| package.index.as_deref().and_then(backend_of)),
        local,
        index: package.index.clone(),
        extra: None,
        group: None,
        marker: package.marker.clone(),
        origin: package.origin.clone(),
    };
    let of_extra = |extra: &String| TorchFact { extra: Some(extra.clone()), ..fact.clone() };
    let of_group = |group: &String| TorchFact { group: Some(group.clone()), ..fact.clone() };
    let chosen: Vec<_> = package.extras.iter().map(of_extra).chain(package.groups.iter().map(of_group)).collect();
    if chosen.is_empty() { vec![fact] } else { chosen }
}

/// A requirement on torch itself.
fn direct(project: &Project, asked: &Requirement) -> Option<TorchFact> {
    if asked.name.as_deref() != Some(TORCH) || locks_say_it(project, asked) {
        return None;
    }
    let via = match (&asked.source, asked.role) {
        (_, RequirementRole::Constraint | RequirementRole::Override) => TorchVia::Constraint,
        (Source::Conda { package, .. }, _) => TorchVia::Conda { package: package.clone() },
        (Source::Url { .. } | Source::Path { .. }, _) => TorchVia::Archive,
        _ if is_import(project, asked) => TorchVia::Import,
        _ => TorchVia::Requirement,
    };
    let mut fact = fact(via, asked, asked.specifiers());
    let index = index(project, asked);
    fact.variant = backend(fact.local.as_deref())
        .or_else(|| place(&asked.source).and_then(backend_of))
        .or_else(|| conda_variant(project, asked))
        .or_else(|| index.and_then(|index| backend_of(&index.url)));
    fact.index = index.map(|index| index.url.clone());
    Some(fact)
}

/// Whether a requirement only repeats what a lock in place of a manifest says.
fn locks_say_it(project: &Project, asked: &Requirement) -> bool {
    project.locks.iter().flat_map(|lock| &lock.packages).any(|package| package.origin == asked.origin)
}

fn is_import(project: &Project, asked: &Requirement) -> bool {
    let scanned = project.manifests.iter().any(|manifest| manifest.kind == ManifestKind::PythonSources);
    scanned && project.sources.imports.iter().any(|import| import.origin == asked.origin)
}

/// The archive that a source names.
fn place(source: &Source) -> Option<&str> {
    match source {
        Source::Url { url } => Some(url),
        Source::Path { path } => Some(path),
        Source::Index { .. } | Source::Vcs { .. } | Source::Conda { .. } => None,
    }
}

/// The index that a requirement is bound to; else the one index that names a build of torch, and may serve it.
fn index<'p>(project: &'p Project, asked: &Requirement) -> Option<&'p Index> {
    if !matches!(asked.source, Source::Index { .. }) {
        return None;
    }
    let same = |binding: &IndexBinding| {
        binding.package == TORCH
            && (binding.extra.is_none() || binding.extra == asked.extra)
            && (binding.group.is_none() || binding.group == asked.group)
            && apply_together(binding.marker.as_deref(), asked.marker.as_deref())
    };
    let serves =
        |index: &&Index| !index.explicit && index.role != IndexRole::Channel && backend_of(&index.url).is_some();
    let mut open = project.indexes.iter().filter(serves);
    let bound = project.indexes.iter().find(|index| index.bindings.iter().any(same));
    bound.or_else(|| open.next().filter(|_| open.next().is_none()))
}

/// Whether a binding can serve a requirement: on Linux, which images are, and where the requirement's own marker holds.
fn apply_together(binding: Option<&str>, asked: Option<&str>) -> bool {
    let Some(binding) = binding else { return true };
    let elsewhere = asked.is_some_and(|asked| !holds_on_linux(asked));
    let excluded = asked.is_some_and(|asked| pep508::exclude_each_other(binding, asked));
    !excluded && (elsewhere || holds_on_linux(binding))
}

/// The build that conda's own packages choose: `pytorch-cuda=12.1`, or a build string such as `*cuda11.8*`.
fn conda_variant(project: &Project, asked: &Requirement) -> Option<String> {
    let Source::Conda { package, build, .. } = &asked.source else { return None };
    // `12.1`, `12.1.*` and `12.1.0` are cu121.
    let dotted = |text: &str| {
        let digits: String = text.split('.').take(2).flat_map(str::chars).filter(char::is_ascii_digit).collect();
        backend(Some(&format!("cu{digits}")))
    };
    let build = build.as_deref().unwrap_or_default();
    if build.contains("cpu") || package == "cpuonly" || package == "pytorch-cpu" {
        return Some("cpu".to_owned());
    }
    if let Some((_, cuda)) = build.split_once("cuda").filter(|(_, cuda)| cuda.starts_with(|c: char| c.is_ascii_digit()))
    {
        let version: String = cuda.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        // `cuda118` is 11.8; `cuda12` leaves the minor version open.
        let whole = (version.len() > 2).then(|| format!("cu{version}"));
        return if version.contains('.') { dotted(&version) } else { backend(whole.as_deref()) };
    }
    let hints = || project.system.iter().filter(|hint| hint.manager == "conda");
    if hints().any(|hint| hint.package.starts_with("cpuonly")) {
        return Some("cpu".to_owned());
    }
    hints().find_map(|hint| {
        let (name, version) = hint.package.split_once('=')?;
        let version = version.trim_start_matches('=');
        CONDA_CUDA.contains(&name).then(|| dotted(version)).flatten()
    })
}

/// A distribution whose archive was built for one torch: its version says so, or the folder that it lies in, as
/// `whl/torch-2.1.0%2Bcu121/torch_scatter-2.1.2-cp310-cp310-linux_x86_64.whl` does.
fn built_for(asked: &Requirement) -> Option<TorchFact> {
    let name = asked.name.as_deref().filter(|name| *name != TORCH)?;
    let place = place(&asked.source)?;
    let archive = ArchiveName::of(place)?;
    let folder = || place.rsplit_once('/').map(|(folder, _)| folder.to_owned());
    let told = local(&archive.version).filter(|tag| BUILT_FOR.is_match(tag)).or_else(folder)?;
    let torch = BUILT_FOR.captures(&told)?.get(1)?.as_str();
    let version: Version = if torch.contains('.') { torch.parse() } else { dot(torch).parse() }.ok()?;
    let specifiers: VersionSpecifiers = VersionSpecifier::equals_star_version(version).into();
    let mut fact = fact(TorchVia::BuiltFor { package: name.to_owned() }, asked, specifiers);
    fact.version = None;
    fact.variant = CUDA.captures(&told).map(|cuda| format!("cu{}", &cuda[1]));
    Some(fact)
}

/// `24` is 2.4, `210` is 2.10.
fn dot(digits: &str) -> String {
    let (major, minor) = digits.split_at(1);
    format!("{major}.{minor}")
}

/// A distribution that is known to need torch.
fn through(asked: &Requirement, packages: &Packages) -> Option<TorchFact> {
    let name = asked
        .name
        .as_deref()
        .filter(|name| asked.role == RequirementRole::Requirement && brings_torch(packages, name, &asked.extras))?;
    Some(fact(TorchVia::Package { package: name.to_owned() }, asked, VersionSpecifiers::empty()))
        .map(|fact| TorchFact { version: None, local: None, ..fact })
}

/// By itself, or by one of the extras asked of it.
fn brings_torch(packages: &Packages, name: &str, extras: &[String]) -> bool {
    packages.needs_torch(name) || extras.iter().any(|extra| packages.extra_brings_torch(name, extra))
}

fn backend(tag: Option<&str>) -> Option<String> {
    tag.filter(|tag| BACKEND.is_match(tag)).map(str::to_owned)
}

/// The build that a URL or path speaks of: by one of its folders, as `/whl/cu128` has it, or by its archive's local tag.
pub(super) fn backend_of(url: &str) -> Option<String> {
    let tag = ArchiveName::of(url).and_then(|archive| local(&archive.version));
    let plain = url.split(['?', '#']).next().unwrap_or(url);
    let folder = || plain.split('/').rev().find(|folder| BACKEND.is_match(folder)).map(str::to_owned);
    backend(tag.as_deref()).or_else(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_speaks_of_its_build() {
        for (url, expected) in [
            ("https://download.example.org/whl/cu128", Some("cu128")),
            ("https://download.example.org/whl/nightly/rocm6.4/", Some("rocm6.4")),
            ("https://download.example.org/whl/cpu?x=1", Some("cpu")),
            ("https://download.example.org/whl/torch-2.1.0%2Bcu121-cp310-cp310-linux_x86_64.whl", Some("cu121")),
            ("https://pypi.example.org/simple", None),
            ("https://pypi.example.org/cuda/simple", None),
        ] {
            assert_eq!(backend_of(url).as_deref(), expected, "{url}");
        }
    }

    #[test]
    fn an_index_serves_where_its_marker_holds() {
        let (linux, mac) = (Some("sys_platform == 'linux'"), Some("sys_platform == 'darwin'"));
        assert!(apply_together(linux, None) && !apply_together(mac, None));
        assert!(apply_together(mac, mac) && !apply_together(linux, mac) && apply_together(None, mac));
        assert!(!apply_together(Some("sys_platform != 'linux'"), None));
    }

    #[test]
    fn a_wheel_names_the_torch_that_it_was_built_for() {
        for (tag, torch) in [("cu122torch2.3cxx11abifalse", "2.3"), ("pt24cu121", "24"), ("torch2.10.0", "2.10.0")] {
            assert_eq!(&BUILT_FOR.captures(tag).unwrap()[1], torch, "{tag}");
        }
        assert!(!BUILT_FOR.is_match("cu128"));
        assert_eq!((dot("24"), dot("210")), ("2.4".to_owned(), "2.10".to_owned()));
        assert_eq!(&CUDA.captures("cu122torch2.3").unwrap()[1], "122");
    }
}
