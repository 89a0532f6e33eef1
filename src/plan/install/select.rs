//! What of a project is asked for: extras and groups.

use std::str::FromStr;

use pep508_rs::{ExtraName, PackageName};

use super::super::PlanOptions;
use super::super::applies::Selection;
use crate::model::{Error, Note, Origin, Project, Requirement, Result, SelectableKind};

/// The extras asked for, normalized, with those that they name in turn (`demo[all]` among the extras of `demo` itself).
pub(in crate::plan) fn extras(project: &Project, options: &PlanOptions) -> Result<Vec<ExtraName>> {
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
pub(in crate::plan) fn normalized(name: &str) -> String {
    PackageName::new(name.to_owned()).map_or_else(|_| name.to_owned(), |name| name.to_string())
}

fn flag() -> Origin {
    Origin::flag("--extra")
}

/// The groups asked for, normalized as extras are (PEP 735).
pub(in crate::plan) fn groups(project: &Project, options: &PlanOptions) -> Result<Vec<String>> {
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
pub(in crate::plan) fn check_conflicts(project: &Project, selection: &Selection) -> Result<()> {
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

/// Groups that their tool would take by itself, and the image goes without: they are for people at work on the project.
/// Every tool calls them `dev`; where a project names others, somebody may have meant the image, too.
pub(in crate::plan) fn default_groups(project: &Project, selection: &Selection) -> Option<Note> {
    let left_out = |name: &str| name != "dev" && !selection.groups.iter().any(|asked| asked == name);
    let groups = project.selectable.iter().filter(|one| one.kind == SelectableKind::Group && one.default);
    let groups: Vec<_> = groups.filter(|group| left_out(&group.name)).collect();
    let names: Vec<String> = groups.iter().map(|group| format!("`{}`", group.name)).collect();
    let message = format!(
        "groups are for developers and left out of the image, also those taken by default: {}",
        names.join(", ")
    );
    let note = Note::info(message, groups.first()?.origin.clone());
    Some(note.with_hint("`--group NAME` installs one"))
}
