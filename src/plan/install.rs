use std::collections::BTreeSet;
use std::str::FromStr;

use pep508_rs::{ExtraName, PackageName};

use super::applies::Selection;
use super::target::Target;
use super::{Asked, PlanOptions};
use crate::model::{
    Builder, Choice, Error, Index, IndexRole, Installer, ManifestKind, Network, Origin, PlannedIndex, Project,
    Requirement, RequirementRole, Result, SelectableKind, Source, TorchSource,
};

/// The extras asked for, normalized, with those that they name in turn (`demo[all]` among the extras of `demo` itself).
pub(super) fn extras(project: &Project, options: &PlanOptions) -> Result<Vec<ExtraName>> {
    let parse = |text: &str| {
        ExtraName::from_str(text)
            .map_err(|_| Error::usage(format!("`{}` is not the name of an extra", text.escape_debug())).at(flag()))
    };
    let own = normalized(&project.name);
    let of = |requirement: &Requirement, name: &ExtraName| requirement.extra.as_deref() == Some(name.as_ref());
    let mut found: Vec<ExtraName> = Vec::new();
    let mut asked = options.extras.iter().map(|text| parse(text)).collect::<Result<Vec<_>>>()?;
    while let Some(name) = asked.pop() {
        if !project.requirements.iter().any(|requirement| of(requirement, &name)) {
            return Err(Error::usage(format!("the project has no requirements for an extra `{name}`")).at(flag()));
        }
        if found.contains(&name) {
            continue;
        }
        for itself in project.requirements_on(&own).filter(|requirement| of(requirement, &name)) {
            asked.extend(itself.extras.iter().map(|text| parse(text)).collect::<Result<Vec<_>>>()?);
        }
        found.push(name);
    }
    found.sort();
    Ok(found)
}

/// A project's name as requirements have it (PEP 503).
fn normalized(name: &str) -> String {
    PackageName::new(name.to_owned()).map_or_else(|_| name.to_owned(), |name| name.to_string())
}

fn flag() -> Origin {
    Origin::flag("--extra")
}

/// The groups asked for, normalized as extras are (PEP 735).
pub(super) fn groups(project: &Project, options: &PlanOptions) -> Result<Vec<String>> {
    let flag = || Origin::flag("--group");
    let known = |name: &str| {
        let listed = project.selectable.iter().any(|s| s.kind == SelectableKind::Group && s.name == name);
        listed || project.requirements.iter().any(|requirement| requirement.group.as_deref() == Some(name))
    };
    let group = |text: &String| {
        let name = ExtraName::from_str(text)
            .map_err(|_| Error::usage(format!("`{}` is not the name of a group", text.escape_debug())).at(flag()))?;
        if known(name.as_ref()) {
            return Ok(name.to_string());
        }
        let names = project.selectable.iter().filter(|s| s.kind == SelectableKind::Group);
        let names: Vec<String> = names.map(|group| format!("`{}`", group.name)).collect();
        let error = Error::usage(format!("the project has no dependency group `{name}`")).at(flag());
        Err(if names.is_empty() { error } else { error.with_hint(format!("its groups are {}", names.join(", "))) })
    };
    options.groups.iter().map(group).collect()
}

/// Fails where extras or groups are asked for that exclude each other.
pub(super) fn check_conflicts(project: &Project, selection: &Selection) -> Result<()> {
    let extras = selection.extras.iter().map(|extra| format!("--extra {extra}"));
    let asked: Vec<String> = extras.chain(selection.groups.iter().map(|group| format!("--group {group}"))).collect();
    for conflict in &project.conflicts {
        let both: Vec<String> =
            conflict.members.iter().filter(|member| asked.contains(member)).map(|m| format!("`{m}`")).collect();
        if both.len() > 1 {
            let message = format!("{} exclude each other ({})", both.join(" and "), conflict.origin);
            return Err(Error::usage(message).with_hint("ask for one of them"));
        }
    }
    Ok(())
}

/// Who installs: uv, unless something here is beyond it.
pub(super) fn installer(project: &Project, target: &Target, options: &PlanOptions) -> Result<Choice<Installer>> {
    let beyond = beyond_uv(project, target, options);
    match (&options.installer, beyond) {
        (Some(Asked { value: Installer::Uv, origin }), Some((_, because))) => {
            Err(Error::usage(format!("uv cannot do it: {because}")).at(origin.clone()).with_hint("use pip"))
        }
        (Some(asked), _) => Ok(Choice::new(asked.value, asked.origin.clone(), "it was asked for")),
        (None, Some((origin, because))) => Ok(Choice::new(Installer::Pip, origin, because)),
        (None, None) => {
            Ok(Choice::new(Installer::Uv, Origin::Default, "it is the fastest, and does not stay in the image"))
        }
    }
}

/// What keeps uv from doing the job.
fn beyond_uv(project: &Project, target: &Target, options: &PlanOptions) -> Option<(Origin, String)> {
    if let Some(asked) = options.torch_source.as_ref().filter(|asked| asked.value == TorchSource::Distribution) {
        return Some((
            asked.origin.clone(),
            "uv does not see the distribution's own packages, torch among them".to_owned(),
        ));
    }
    if let Some(index) = project.indexes.iter().find(|index| index.role == IndexRole::None) {
        return Some((index.origin.clone(), "no index may be used, and uv itself would come from one".to_owned()));
    }
    if let Some(option) = project.pip_options.first() {
        return Some((option.origin.clone(), format!("uv passes over `{}`", option.text)));
    }
    let foreign = |r: &&Requirement| matches!(&r.source, Source::Vcs { vcs, .. } if vcs != "git");
    let requirement = project.requirements.iter().filter(|r| target.environment.applies(r)).find(foreign)?;
    Some((requirement.origin.clone(), format!("uv reads git repositories only, which `{}` is not", requirement.text)))
}

/// The requirements that no installer reads from a file itself: those of a `pyproject.toml`, and of the files that it
/// names in turn. They are spelt out for uv too, which would follow tables of its own in that file, and would have to
/// build the project where its dependencies are dynamic.
pub(super) fn dependencies(project: &Project, target: &Target) -> Vec<String> {
    let wanted = project.requirements.iter().filter(|r| r.role == RequirementRole::Requirement);
    let own = normalized(&project.name);
    let wanted = wanted.filter(|r| r.name.as_deref() != Some(&own) && target.environment.applies(r));
    wanted.filter(|r| spelt_out(project, r)).map(|r| r.text.clone()).collect()
}

fn spelt_out(project: &Project, requirement: &Requirement) -> bool {
    let Origin::File { file, .. } = &requirement.origin else { return false };
    let other = project.manifests.iter().any(|m| m.kind != ManifestKind::Requirements && m.path == *file);
    // Imports are asked for only where no file asks for anything, whatever its kind.
    let imports = project.manifests.iter().any(|m| m.kind == ManifestKind::PythonSources);
    other || imports || !project.manifests.iter().any(|m| m.kind == ManifestKind::Requirements)
}

/// The files that the installer itself reads: every one where it reads requirements files, else local archives only, so
/// that an edit elsewhere in a `pyproject.toml` leaves the layers of dependencies alone.
pub(super) fn files(project: &Project) -> Vec<String> {
    let reads = project.manifests.iter().any(|m| m.kind == ManifestKind::Requirements);
    let archive = |file: &&String| {
        project.requirements.iter().any(|r| matches!(&r.source, Source::Path { path } if path == *file))
    };
    let is_other =
        |file: &&String| project.manifests.iter().any(|m| m.kind != ManifestKind::Requirements && m.path == **file);
    let needed = |file: &&String| archive(file) || (reads && !is_other(file));
    project.files.iter().filter(needed).cloned().collect()
}

/// The folders that requirements name as packages: a path that is not among the files that were read.
pub(super) fn folders(project: &Project) -> Vec<Choice<String>> {
    let mut seen = BTreeSet::new();
    let mut folders = Vec::new();
    for requirement in &project.requirements {
        let Source::Path { path } = &requirement.source else { continue };
        if !project.files.contains(path) && seen.insert(path) {
            let because = format!("`{}` is installed from there", requirement.text);
            let path = if path.is_empty() { "." } else { path };
            folders.push(Choice::new(path.to_owned(), requirement.origin.clone(), because));
        }
    }
    folders
}

/// The indexes that the installer is given on top of those that it reads in requirements files: those that other files
/// of the project name, as far as they apply, and those that were asked for.
pub(super) fn indexes(project: &Project, target: &Target, options: &PlanOptions) -> Vec<PlannedIndex> {
    let named = project.indexes.iter().filter(|index| !reads_itself(project, index) && applies(index, target));
    let primary = |index: &Index| match index.role {
        IndexRole::Primary => Some(true),
        IndexRole::Extra => Some(false),
        IndexRole::FindLinks | IndexRole::None | IndexRole::Channel => None,
    };
    let planned = |index: &Index| {
        let (url, origin) = (index.url.clone(), index.origin.clone());
        primary(index).map(|primary| PlannedIndex { url, primary, secret: false, origin })
    };
    // What was asked for stands in place of the project's own primary index.
    let asked = options.indexes.iter().any(|index| index.primary);
    let mut indexes: Vec<PlannedIndex> = named.filter_map(planned).filter(|index| !(asked && index.primary)).collect();
    indexes.extend(options.indexes.iter().cloned());
    indexes
}

/// Whether an index stands in a file that the installer itself reads.
fn reads_itself(project: &Project, index: &Index) -> bool {
    let Origin::File { file, .. } = &index.origin else { return false };
    let others = project.manifests.iter().any(|m| m.kind != ManifestKind::Requirements && m.path == *file);
    !others && project.manifests.iter().any(|m| m.kind == ManifestKind::Requirements)
}

/// Whether an index serves anything that is asked for.
fn applies(index: &Index, target: &Target) -> bool {
    !index.explicit || index.bindings.iter().any(|binding| target.environment.binds(binding))
}

/// Who first named an index besides the primary one.
pub(super) fn extra_index(project: &Project, target: &Target, options: &PlanOptions) -> Option<Origin> {
    let named = project.indexes.iter().filter(|index| index.role == IndexRole::Extra && applies(index, target));
    let named = named.map(|index| &index.origin);
    let given = options.indexes.iter().filter(|index| !index.primary).map(|index| &index.origin);
    named.chain(given).next().cloned()
}

/// What the build needs of the network, as it was given; the classic builder can keep no secret.
pub(super) fn network(options: &PlanOptions) -> Result<Network> {
    let network = options.network.clone();
    let credentials = network.secret_env.first().map(|name| format!("`{name}`"));
    let secret = credentials.or(network.ca_bundle.then(|| "the CA bundle".to_owned()));
    match secret.filter(|_| options.builder == Some(Builder::Classic)) {
        None => Ok(network),
        Some(secret) => Err(Error::no(format!("the classic builder cannot keep {secret} out of the image"))
            .with_hint("use an engine with BuildKit (Docker 20.10 or later, without `DOCKER_BUILDKIT=0`)")),
    }
}

/// The grammar of a variable's name (POSIX, "Name").
pub(super) fn check_variable(name: &str, origin: &Origin) -> Result<()> {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if starts && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Ok(());
    }
    Err(Error::usage(format!("`{}` is not the name of a variable", name.escape_debug())).at(origin.clone()))
}
