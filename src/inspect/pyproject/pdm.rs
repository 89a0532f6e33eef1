//! PDM's own tables: <https://pdm-project.org/latest/usage/config/>

use super::super::draft::Draft;
use super::super::folder::{join, parent};
use super::super::pep508;
use super::super::problems::Problems;
use super::super::source;
use super::super::text::shown;
use super::super::toml_file::{TomlFile, Value};
use super::super::url::{fragment, is_url};
use super::requirement::{Section, in_project};
use super::{Reader, indexes};
use crate::model::{Error, Index, IndexBinding, IndexRole, Note, Origin, RequirementRole, Result};

const SOURCES: [&str; 3] = ["tool", "pdm", "source"];
const OVERRIDES: [&str; 4] = ["tool", "pdm", "resolution", "overrides"];

/// What takes the place of the default index.
const DEFAULT_INDEX: &str = "pypi";

/// Settings that change what is installed, and are not followed.
const NOT_FOLLOWED: [&[&str]; 6] = [
    &["tool", "pdm", "options"],
    &["tool", "pdm", "allow_prereleases"],
    &["tool", "pdm", "resolution", "allow-prereleases"],
    &["tool", "pdm", "resolution", "excludes"],
    &["tool", "pdm", "resolution", "respect-source-order"],
    &["tool", "pdm", "resolution", "no-binary"],
];

/// Takes up `[[tool.pdm.source]]`.
pub(super) fn sources(draft: &mut Draft<'_>, toml: &TomlFile<'_>) -> Result<()> {
    let Some(value) = toml.get(&SOURCES) else { return Ok(()) };
    let tables = value.get_ref().as_array().ok_or_else(|| toml.mistyped(value, &SOURCES, "an array of tables"))?;
    draft.account(toml.file, tables.len());
    let mut problems = Problems::default();
    for table in tables {
        let origin = toml.origin(table.span());
        problems.note(one(draft, toml, table, &origin).map_err(|error| error.or_at(&origin)));
    }
    problems.finish()
}

fn one(draft: &mut Draft<'_>, toml: &TomlFile<'_>, table: &Value<'_>, origin: &Origin) -> Result<()> {
    let string = |key: &str| table.get_ref().get(key).and_then(|value| value.get_ref().as_str());
    let name = string("name");
    let Some(url) = string("url") else {
        let message = "this source has no `url`: PDM takes it from the settings of whoever runs it";
        draft.noted(toml.file, Note::warning(message, origin.clone()));
        return Ok(());
    };
    let base = parent(toml.file);
    let Some(url) = indexes::address(draft, ".", &in_project(url, base), origin)? else {
        draft
            .noted(toml.file, Note::warning(format!("`{}` does not exist in the project", shown(url)), origin.clone()));
        return Ok(());
    };
    if string("password").is_some() {
        draft.warn_of_credential(origin);
    }
    if table.get_ref().get("verify_ssl").is_some_and(|value| value.get_ref().as_bool() == Some(false)) {
        let message =
            format!("the certificate of `{}` is checked all the same: `verify_ssl` is not followed", shown(&url));
        draft.note(Note::warning(message, origin.clone()));
    }
    let role = match (string("type"), name) {
        (Some("find_links"), _) => IndexRole::FindLinks,
        (_, Some(DEFAULT_INDEX)) => IndexRole::Primary,
        _ => IndexRole::Extra,
    };
    let bindings = bindings(draft, toml, table)?;
    let (name, origin) = (name.map(str::to_owned), origin.clone());
    draft.project.indexes.push(Index { url, role, name, explicit: false, bindings, origin });
    draft.fact(toml.file);
    Ok(())
}

/// The distributions that come from this source only; which ones a pattern means is known to the installer.
/// <https://pdm-project.org/latest/usage/config/#specify-index-for-individual-packages>
fn bindings(draft: &mut Draft<'_>, toml: &TomlFile<'_>, table: &Value<'_>) -> Result<Vec<IndexBinding>> {
    let mut bindings = Vec::new();
    for key in ["include_packages", "exclude_packages"] {
        let Some(value) = table.get_ref().get(key) else { continue };
        for (text, origin) in toml.strings(value, &[SOURCES[0], SOURCES[1], SOURCES[2], key], false)? {
            match pep508::parse_name(text).filter(|_| key == "include_packages") {
                Some((package, _)) => {
                    bindings.push(IndexBinding { package, marker: None, extra: None, group: None, origin });
                }
                None => {
                    draft.note(Note::info(format!("`{}` in `{key}` is not followed", shown(text)), origin));
                }
            }
        }
    }
    Ok(bindings)
}

/// Takes up the overrides, and says what is not followed.
pub(super) fn resolution(reader: &mut Reader<'_, '_, '_>) -> Result<()> {
    let toml = reader.toml;
    for path in NOT_FOLLOWED {
        if let Some(value) = toml.get(path) {
            reader.draft.note(Note::info(format!("`{}` is not followed", path.join(".")), toml.origin(value.span())));
        }
    }
    let beside = join(parent(toml.file), "pdm.toml");
    if reader.draft.folder.has(&beside) {
        let message = format!("`{}` is not read: it holds the settings of whoever runs PDM", shown(&beside));
        reader.draft.note(Note::info(message, Origin::file(&beside, 1)));
    }
    let Some(table) = toml.get(&OVERRIDES) else { return Ok(()) };
    let entries = toml.entries(table, &OVERRIDES)?;
    reader.draft.account(toml.file, entries.len());
    let mut problems = Problems::default();
    let section = Section { role: Some(RequirementRole::Override), ..Section::default() };
    for (name, value) in entries {
        let origin = toml.origin(value.span());
        let Some(version) = value.get_ref().as_str() else {
            problems.note(Err(toml.mistyped(value, &OVERRIDES, "a table of strings")));
            continue;
        };
        let stated = reader.stated(&overriding(name, version.trim()), &origin);
        let taken = stated.and_then(|stated| reader.place(&stated, &section));
        problems.note(taken.map_err(|error| error.or_at(&origin)));
        reader.draft.fact(toml.file);
    }
    problems.finish()
}

/// An override in the words of PEP 508: <https://pdm-project.org/latest/usage/dependency/#dependency-overrides>
fn overriding(name: &str, version: &str) -> String {
    if is_url(version) {
        format!("{name} @ {version}")
    } else if version.is_empty() || version == "*" {
        name.to_owned()
    } else if version.starts_with(|c: char| c.is_ascii_digit()) {
        format!("{name}=={version}")
    } else {
        format!("{name}{version}")
    }
}

/// What `-e` names in PDM's own groups, as `name @ url`: <https://pdm-project.org/latest/usage/dependency/#editable-dependencies>
pub(super) fn editable(reader: &mut Reader<'_, '_, '_>, text: &str) -> Result<String> {
    let base = parent(reader.toml.file);
    let local = in_project(text.trim(), base);
    let (url, name) = if is_url(&local) {
        let name = fragment(&local, "egg").map(str::to_owned);
        (local, name)
    } else {
        (format!("file:./{}", reader.draft.folder.locate(base, &local)?.path), None)
    };
    let name = match name {
        Some(name) => name,
        None => source::at_url(reader.draft, &url)?.name.unwrap_or_default(),
    };
    if name.is_empty() {
        return Err(Error::usage(format!("`{}` lacks the name of what it installs", shown(text)))
            .with_hint("end it in `#egg=` and the name"));
    }
    Ok(format!("{name} @ {url}"))
}

#[cfg(test)]
mod tests {
    use super::super::FILE;
    use super::super::tests::{notes, read, short, toml};
    use crate::model::{IndexRole, RequirementRole};

    #[test]
    fn sources_are_indexes() {
        let text = "[project]\nname = 'x'\ndependencies = ['sub @ file:///${PROJECT_ROOT}/sub']\n[[tool.pdm.source]]\nname = 'pypi'\nurl = 'https://pypi.example.org/simple'\nverify_ssl = false\n[[tool.pdm.source]]\nname = 'torch'\nurl = 'https://${U}:${P}@download.example.org/cu128'\ninclude_packages = ['torch', 'nvidia-*']\n[[tool.pdm.source]]\nname = 'l'\nurl = 'file:///${PROJECT_ROOT}/wheels'\ntype = 'find_links'\n[[tool.pdm.source]]\nname = 'n'";
        let project =
            read(&[(FILE, text), ("wheels/README", ""), ("sub/pyproject.toml", "[project]\nname = 'sub'")]).unwrap();
        assert_eq!(short(&project), ["sub @ file:./sub :3"]);
        let found: Vec<_> = project.indexes.iter().map(|i| (i.role, i.url.as_str(), i.bindings.len())).collect();
        assert_eq!(
            found,
            [
                (IndexRole::Primary, "https://pypi.example.org/simple", 0),
                (IndexRole::Extra, "https://download.example.org/cu128", 1),
                (IndexRole::FindLinks, "wheels", 0),
            ]
        );
        let notes = notes(&project);
        assert!(notes[0].contains("`verify_ssl` is not followed"), "{notes:?}");
        assert_eq!(notes[1], "`nvidia-*` in `include_packages` is not followed");
        assert!(notes[2].starts_with("this source has no `url`"), "{notes:?}");
    }

    #[test]
    fn overrides_are_requirements() {
        let project = toml(
            "[project]\nname = 'x'\ndependencies = []\n[tool.pdm.resolution]\nexcludes = ['a']\n[tool.pdm.resolution.overrides]\nasgiref = '3.2.10'\nurllib3 = '>=1.26.2'\npytz = 'https://files.example.org/pytz-2020.9-py3-none-any.whl'\nany = '*'",
        );
        assert_eq!(
            short(&project),
            [
                "asgiref==3.2.10 :7",
                "urllib3>=1.26.2 :8",
                "pytz @ https://files.example.org/pytz-2020.9-py3-none-any.whl :9",
                "any :10",
            ]
        );
        assert!(project.requirements.iter().all(|r| r.role == RequirementRole::Override));
        assert_eq!(notes(&project), ["`tool.pdm.resolution.excludes` is not followed"]);
    }
}
