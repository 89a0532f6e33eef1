//! The settings of uv that bear on what is installed, and from where:
//! <https://docs.astral.sh/uv/reference/settings/>

use super::super::draft::Draft;
use super::super::pep508;
use super::super::problems::Problems;
use super::super::text::shown;
use super::super::toml_file::Value;
use super::Reader;
use super::requirement::Section;
use super::settings::Settings;
use super::tools::mention;
use super::workspace::Workspace;
use crate::model::{Conflict, Error, IsolationExempt, Note, Origin, RequirementRole, Result};

/// Settings that change which distributions are installed, or how they are built, and that are not followed.
const NOT_FOLLOWED: [&str; 20] = [
    "pip",
    "resolution",
    "prerelease",
    "exclude-newer",
    "exclude-newer-package",
    "exclude-dependencies",
    "index-strategy",
    "no-binary",
    "no-binary-package",
    "no-build",
    "no-build-package",
    "no-sources-package",
    "build-constraint-dependencies",
    "extra-build-dependencies",
    "extra-build-variables",
    "config-settings",
    "config-settings-package",
    "dependency-metadata",
    "allow-insecure-host",
    "torch-backend",
];

/// Settings that count in a `pyproject.toml` only.
const OF_PROJECTS: [&str; 7] = [
    "sources",
    "workspace",
    "conflicts",
    "default-groups",
    "dev-dependencies",
    "constraint-dependencies",
    "override-dependencies",
];

/// What the image is, in the words of markers.
const LINUX: &str = "sys_platform == 'linux' and platform_system == 'Linux' and os_name == 'posix'";

/// Takes up what bears on the resolution, and says what is not followed.
pub(super) fn resolution(reader: &mut Reader<'_, '_, '_>, settings: &Settings<'_, '_>) -> Result<()> {
    let mut problems = Problems::default();
    // In a `uv.toml` these two do not count: <https://docs.astral.sh/uv/reference/settings/#constraint-dependencies>.
    for (key, role) in
        [("constraint-dependencies", RequirementRole::Constraint), ("override-dependencies", RequirementRole::Override)]
    {
        let section = Section { role: Some(role), ..Section::default() };
        problems.note(reader.array(&["tool", "uv", key], &section));
    }
    problems.note(conflicts(reader.draft, settings));
    problems.note(isolation(reader.draft, settings));
    problems.note(environments(reader.draft, settings));
    if let Some(workspace) = Workspace::of(reader.draft.folder, reader.toml.file)? {
        note_members(reader.draft, settings, &workspace);
    }
    group_pythons(reader.draft, settings)?;
    note_not_followed(reader.draft, settings);
    problems.finish()
}

fn note_not_followed(draft: &mut Draft<'_>, settings: &Settings<'_, '_>) {
    for key in NOT_FOLLOWED {
        if let Some(setting) = settings.get(key) {
            let on_torch = mention(setting.toml, setting.value);
            let message = format!("`{}` is not followed", setting.name());
            draft.note(match on_torch {
                Some(origin) => Note::warning(format!("{message}, and speaks of torch"), origin),
                None => Note::info(message, setting.origin()),
            });
        }
    }
    for key in OF_PROJECTS {
        if let Some((toml, value)) = settings.uv_toml.and_then(|toml| Some((toml, toml.get(&[key])?))) {
            let message = format!("uv takes `{key}` from a `pyproject.toml` only");
            draft.note(Note::warning(message, toml.origin(value.span())).with_hint("move it into `[tool.uv]`"));
        }
    }
}

/// <https://docs.astral.sh/uv/concepts/projects/config/#conflicting-dependencies>
fn conflicts(draft: &mut Draft<'_>, settings: &Settings<'_, '_>) -> Result<()> {
    let Some(setting) = settings.of_project("conflicts") else { return Ok(()) };
    let sets = setting.value.get_ref().as_array().ok_or_else(|| setting.mistyped("an array of arrays"))?;
    draft.account(setting.toml.file, sets.len());
    for set in sets {
        let origin = setting.toml.origin(set.span());
        let items = set.get_ref().as_array().ok_or_else(|| setting.mistyped("an array of arrays"))?;
        let members: Vec<String> = items.iter().filter_map(member).collect();
        if members.len() < items.len() || members.len() < 2 {
            let message = "this conflict speaks of other packages, or of fewer than two extras and groups";
            draft.noted(setting.toml.file, Note::info(message, origin));
            continue;
        }
        draft.project.conflicts.push(Conflict { members, origin });
        draft.fact(setting.toml.file);
    }
    Ok(())
}

/// An extra or a group of this project, as it is asked for.
fn member(item: &Value<'_>) -> Option<String> {
    let string = |key: &str| item.get_ref().get(key).and_then(|value| value.get_ref().as_str());
    if string("package").is_some() {
        return None;
    }
    let (flag, name) =
        string("extra").map(|name| ("--extra", name)).or(string("group").map(|name| ("--group", name)))?;
    pep508::parse_name(name).map(|(name, _)| format!("{flag} {name}"))
}

/// <https://docs.astral.sh/uv/concepts/projects/config/#build-isolation>
fn isolation(draft: &mut Draft<'_>, settings: &Settings<'_, '_>) -> Result<()> {
    if let Some(origin) = settings.is_on("no-build-isolation")? {
        draft.project.isolation_exempt.push(IsolationExempt { package: None, origin });
    }
    let Some(setting) = settings.get("no-build-isolation-package") else { return Ok(()) };
    let names = setting.strings()?;
    draft.account(setting.toml.file, names.len());
    for (text, origin) in names {
        let Some((package, _)) = pep508::parse_name(text) else {
            return Err(Error::usage(format!("`{}` is not the name of a distribution", shown(text))).at(origin));
        };
        draft.project.isolation_exempt.push(IsolationExempt { package: Some(package), origin });
        draft.fact(setting.toml.file);
    }
    Ok(())
}

/// The environments that uv resolves for matter here only where Linux is none of them.
fn environments(draft: &mut Draft<'_>, settings: &Settings<'_, '_>) -> Result<()> {
    let Some(setting) = settings.of_project("environments") else { return Ok(()) };
    let markers = setting.toml.strings(setting.value, &setting.path, true)?;
    if !markers.is_empty() && markers.iter().all(|(marker, _)| pep508::exclude_each_other(marker, LINUX)) {
        let message = "`tool.uv.environments` leaves out Linux, which the image is";
        draft.note(Note::warning(message, setting.origin()));
    }
    Ok(())
}

fn note_members(draft: &mut Draft<'_>, settings: &Settings<'_, '_>, workspace: &Workspace) {
    let Some(setting) = settings.of_project("workspace") else {
        let message = format!("the project is part of the workspace of `{}`", shown(&workspace.root));
        draft.note(Note::info(message, Origin::file(settings.project.file, 1)));
        return;
    };
    let members: Vec<String> = workspace.members.iter().map(|member| format!("`{}`", shown(member))).collect();
    let message = match members.as_slice() {
        [] => "the workspace has no members".to_owned(),
        members => format!("the workspace has the members {}", members.join(", ")),
    };
    let hint = "only those that the project asks for are installed; another one is chosen with its path";
    draft.note(Note::info(message, setting.origin()).with_hint(hint));
}

/// <https://docs.astral.sh/uv/concepts/projects/dependencies/#group-requires-python>
fn group_pythons(draft: &mut Draft<'_>, settings: &Settings<'_, '_>) -> Result<()> {
    let Some(setting) = settings.of_project("dependency-groups") else { return Ok(()) };
    for (name, value) in setting.toml.entries(setting.value, &setting.path)? {
        let python = value.get_ref().get("requires-python").and_then(|python| python.get_ref().as_str());
        if let Some(python) = python {
            let message =
                format!("the group `{}` asks for Python `{}`, which counts with it only", shown(name), shown(python));
            draft.note(Note::info(message, setting.toml.origin(value.span())));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::FILE;
    use super::super::tests::{indexes, notes, read, short, toml};
    use crate::model::{IndexRole, RequirementRole};

    const HEAD: &str = "[project]\nname = 'x'\ndependencies = ['torch']\n";

    #[test]
    fn a_uv_toml_wins() {
        let text = format!(
            "{HEAD}[[tool.uv.index]]\nname = 'a'\nurl = 'https://pypi.example.org/a'\n[tool.uv]\nno-build-isolation = true\nconstraint-dependencies = ['numpy<2']\n[tool.uv.sources]\ntorch = {{ index = 'a' }}"
        );
        let uv = "no-build-isolation-package = [\n'Flash_Attn']\n[[index]]\nurl = 'https://pypi.example.org/b'\ndefault = true\n[sources]\n";
        let project = read(&[(FILE, &text), ("uv.toml", uv)]).unwrap();
        assert_eq!(
            indexes(&project),
            [
                (IndexRole::Primary, "https://pypi.example.org/b", None, false),
                (IndexRole::Extra, "https://pypi.example.org/a", Some("a"), true),
            ]
        );
        assert_eq!(project.indexes[1].bindings.len(), 1);
        let exempt: Vec<_> =
            project.isolation_exempt.iter().map(|e| (e.package.as_deref(), e.origin.to_string())).collect();
        assert_eq!(exempt, [(Some("flash-attn"), "uv.toml:2".to_owned())]);
        assert_eq!(project.requirements[1].text, "numpy<2");
        assert_eq!(project.files, ["pyproject.toml", "uv.toml"]);
        assert!(notes(&project).contains(&"uv takes `sources` from a `pyproject.toml` only"), "{:?}", project.notes);
    }

    #[test]
    fn constraints_overrides_and_conflicts_are_taken() {
        let project = toml(&format!(
            "{HEAD}[tool.uv]\nconstraint-dependencies = ['numpy<2']\noverride-dependencies = [\n'scipy==1']\nconflicts = [\n[{{ extra = 'CPU' }}, {{ group = 'gpu' }}],\n[{{ package = 'y', extra = 'a' }}, {{ extra = 'b' }}],\n]"
        ));
        let roles: Vec<RequirementRole> = project.requirements.iter().map(|r| r.role).collect();
        assert_eq!(roles, [RequirementRole::Requirement, RequirementRole::Constraint, RequirementRole::Override]);
        assert_eq!(short(&project)[1..], ["numpy<2 :5", "scipy==1 :7"]);
        assert_eq!(project.conflicts[0].members, ["--extra cpu", "--group gpu"]);
        assert_eq!(project.conflicts[0].origin.to_string(), "pyproject.toml:9");
        assert_eq!(project.conflicts.len(), 1);
        assert_eq!(project.notes[0].origin.to_string(), "pyproject.toml:10");
    }

    #[test]
    fn what_is_not_followed_is_said() {
        let project = toml(&format!(
            "{HEAD}[tool.uv]\nprerelease = 'allow'\nrequired-environments = [\"os_name == 'posix'\"]\nenvironments = [\"sys_platform == 'darwin'\"]\n[tool.uv.extra-build-dependencies]\nflash-attn = [\n'torch']\n[tool.uv.dependency-groups]\nd = {{ requires-python = '>=3.12' }}\n"
        ));
        assert_eq!(
            notes(&project),
            [
                "`tool.uv.environments` leaves out Linux, which the image is",
                "the group `d` asks for Python `>=3.12`, which counts with it only",
                "`tool.uv.prerelease` is not followed",
                "`tool.uv.extra-build-dependencies` is not followed, and speaks of torch",
            ]
        );
        assert_eq!(project.notes[3].origin.to_string(), "pyproject.toml:10");
    }
}
