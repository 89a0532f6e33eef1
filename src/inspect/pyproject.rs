//! `pyproject.toml`: dependencies, name and Python version (PEP 621), and the back end (PEP 517, PEP 518).
//! <https://packaging.python.org/en/latest/specifications/pyproject-toml/>

use std::collections::BTreeSet;
use std::str::FromStr;

use pep440_rs::VersionSpecifiers;
use pep508_rs::PackageName;

use super::draft::{Draft, requirement};
use super::folder::{Folder, join, parent};
use super::pep508::{self, Wanted};
use super::problems::Problems;
use super::text::{is_hidden, shown};
use super::toml_file::{TomlFile, Value};
use super::url::{is_url, without_credentials};
use super::{Format, requirements, source, tools};
use crate::model::{
    Error, ManifestKind, Note, Origin, Package, PythonConstraint, Requirement, RequirementRole, Result, Source,
};

const FILE: &str = "pyproject.toml";

/// The back end where a file names none (PEP 517).
const LEGACY_BACKEND: &str = "setuptools.build_meta:__legacy__";

/// More folders of a project do not install each other.
const MOST_FOLLOWED: usize = 100;

/// The format.
pub(super) const FORMAT: Format = Format {
    kind: ManifestKind::Pyproject,
    file: FILE,
    looked_for: "`pyproject.toml` with a `[project]` table",
    recognizes: |name| name == FILE,
    declares,
    read: |draft, file| take(draft, file, None),
};

fn declares(folder: &Folder, file: &str) -> Result<bool> {
    let text = folder.read_utf8(file)?;
    Ok(TomlFile::parse(file, &text)?.get(&["project"]).is_some())
}

/// The normalized name that `file` declares, if it is there and does.
pub(super) fn declared_name(folder: &Folder, file: &str) -> Result<Option<String>> {
    if !folder.has(file) {
        return Ok(None);
    }
    let text = folder.read_utf8(file)?;
    let toml = TomlFile::parse(file, &text)?;
    Ok(name(&toml)?.map(|(_, normalized)| normalized))
}

/// The name as declared, and normalized.
fn name(toml: &TomlFile<'_>) -> Result<Option<(String, String)>> {
    let Some((name, origin)) = toml.string(&["project", "name"])? else { return Ok(None) };
    match PackageName::new(name.to_owned()) {
        Ok(normalized) => Ok(Some((name.to_owned(), normalized.to_string()))),
        Err(_) => Err(Error::usage(format!("`{}` is not a name for a project", shown(name)))
            .at(origin)
            .with_hint("a name is made of ASCII letters, digits, `.`, `-` and `_`, and ends in a letter or digit")),
    }
}

/// Takes up what the root's `pyproject.toml` tells besides dependencies.
pub(super) fn facts(draft: &mut Draft<'_>) -> Result<()> {
    if !draft.folder.has(FILE) {
        return Ok(());
    }
    let located = draft.folder.locate(".", FILE).map_err(|error| error.at(Origin::file(FILE, 1)))?;
    let text = draft.folder.read_utf8(&located.path)?;
    let toml = TomlFile::parse(FILE, &text)?;
    draft.name = name(&toml)?.map(|(name, _)| name);
    draft.package = package(&toml)?;
    if !draft.followed.iter().any(|(file, _)| file == FILE) {
        python(draft, &toml)?;
        note_unlisted(draft, &toml)?;
    }
    tools::note(draft, &toml);
    Ok(())
}

fn python(draft: &mut Draft<'_>, toml: &TomlFile<'_>) -> Result<()> {
    let Some((text, origin)) = toml.string(&["project", "requires-python"])? else { return Ok(()) };
    let specifiers = VersionSpecifiers::from_str(text).map_err(|error| {
        let why = error.to_string();
        Error::usage(format!("`requires-python` is no version constraint: {}", why.lines().next().unwrap_or_default()))
            .at(origin.clone())
            .with_hint("write `>=3.10`, for example")
    })?;
    draft.python.push(PythonConstraint { specifiers, origin });
    Ok(())
}

/// The project as a package: it is one where the file says how it is built.
fn package(toml: &TomlFile<'_>) -> Result<Option<Package>> {
    let Some(table) = toml.get(&["build-system"]) else { return Ok(None) };
    let declared = toml.string(&["build-system", "build-backend"])?;
    let (backend, origin) = declared.unwrap_or((LEGACY_BACKEND, toml.origin(table.span())));
    let is_object = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | ':');
    if backend.is_empty() || !backend.chars().all(is_object) {
        return Err(Error::usage(format!("`{}` is not the name of a build back end", shown(backend))).at(origin));
    }
    Ok(Some(Package { backend: backend.to_owned(), origin }))
}

/// Says which dependencies only the `pyproject.toml` beside the manifest names.
fn note_unlisted(draft: &mut Draft<'_>, toml: &TomlFile<'_>) -> Result<()> {
    let path = ["project", "dependencies"];
    let Some(value) = toml.get(&path) else { return Ok(()) };
    let listed: BTreeSet<&str> = draft.requirements.iter().filter_map(|listed| listed.name.as_deref()).collect();
    let strings = toml.strings(value, &path, false)?;
    let names = strings.iter().filter_map(|(text, _)| pep508::parse(text).ok().map(|parsed| parsed.name));
    let unlisted: Vec<String> =
        names.filter(|name| !listed.contains(name.as_str())).map(|name| format!("`{name}`")).collect();
    if let (false, Some(manifest)) = (unlisted.is_empty(), draft.manifests.first()) {
        let message =
            format!("`{FILE}` also asks for {}, which `{}` does not", unlisted.join(", "), shown(&manifest.path));
        let hint = format!("`--from {FILE}` reads that file instead");
        draft.notes.push(Note::warning(message, toml.origin(value.span())).with_hint(hint));
    }
    Ok(())
}

/// Takes up what installing the folder `folder` with `extras` asks for, where its file says so.
pub(super) fn follow(draft: &mut Draft<'_>, folder: &str, extras: &[String]) -> Result<()> {
    let file = join(folder, FILE);
    if draft.folder.has(&file) && declares(draft.folder, &file)? {
        take(draft, &file, Some(extras))?;
    }
    Ok(())
}

/// Takes up the dependencies of `file`: with all its extras as such, or with those asked for as if they were its own.
fn take(draft: &mut Draft<'_>, file: &str, asked: Option<&[String]>) -> Result<()> {
    let located = draft.folder.locate(".", file)?;
    if draft.followed.len() >= MOST_FOLLOWED {
        return Err(
            Error::usage(format!("more than {MOST_FOLLOWED} folders install each other")).at(Origin::file(file, 1))
        );
    }
    if !draft.followed.insert((located.real.clone(), asked.unwrap_or_default().to_vec())) {
        return Ok(());
    }
    draft.file(&located);
    let text = draft.folder.read_utf8(file)?;
    let toml = TomlFile::parse(file, &text)?;
    if toml.get(&["project"]).is_none() {
        return Err(Error::usage(format!("`{}` has no `[project]` table", shown(file))).at(Origin::file(file, 1)));
    }
    python(draft, &toml)?;
    let mut problems = Problems::default();
    problems.note(array(draft, &toml, &["project", "dependencies"], None));
    problems.note(optional(draft, &toml, asked));
    problems.note(dynamic(draft, &toml, asked));
    problems.finish()
}

/// The extra that the requirements of the group `group` belong to, or nothing where it is not asked for.
#[expect(clippy::option_option, reason = "asked for or not, and if so as an extra or as the project's own")]
fn belonging(group: &str, asked: Option<&[String]>) -> Option<Option<String>> {
    let extra = pep508::parse_name(group).map_or_else(|| group.to_owned(), |(name, _)| name);
    match asked {
        None => Some(Some(extra)),
        Some(asked) => asked.contains(&extra).then_some(None),
    }
}

fn optional(draft: &mut Draft<'_>, toml: &TomlFile<'_>, asked: Option<&[String]>) -> Result<()> {
    let path = ["project", "optional-dependencies"];
    let Some(table) = toml.get(&path) else { return Ok(()) };
    let mut problems = Problems::default();
    for (group, value) in toml.entries(table, &path)? {
        if pep508::parse_name(group).is_none() {
            let error = Error::usage(format!("`{}` is not a name for an extra", shown(group)));
            problems.note(Err(error.at(toml.origin(value.span()))));
        } else if let Some(extra) = belonging(group, asked) {
            problems.note(array(draft, toml, &["project", "optional-dependencies", group], extra.as_deref()));
        }
    }
    problems.finish()
}

fn array(draft: &mut Draft<'_>, toml: &TomlFile<'_>, path: &[&str], extra: Option<&str>) -> Result<()> {
    let Some(value) = toml.get(path) else { return Ok(()) };
    let mut problems = Problems::default();
    for (text, origin) in toml.strings(value, path, false)? {
        problems.note(one(draft, text, &origin, extra).map_err(|error| match error.origin {
            None => error.at(origin),
            Some(_) => error,
        }));
    }
    problems.finish()
}

fn one(draft: &mut Draft<'_>, text: &str, origin: &Origin, extra: Option<&str>) -> Result<()> {
    if text.contains(is_hidden) {
        return Err(Error::usage(format!("`{}` holds a character that does not show", shown(text))));
    }
    let stripped = without_credentials(text.trim());
    if stripped.literal {
        draft.warn_of_credential(origin);
    }
    let text = stripped.text.as_str();
    let parsed = pep508::parse(text)?;
    let source = match parsed.wanted {
        Wanted::Versions(specifiers) => Source::Index { specifiers },
        Wanted::Url(url) if is_url(&url) => source::at_url(draft, &url)?.source,
        Wanted::Url(_) => {
            let message = format!("behind the `@` of `{}` stands no URL", shown(text));
            return Err(Error::usage(message).with_hint("write `name @ https://…`, or `name @ file:./folder`"));
        }
        Wanted::UnknownVersions => {
            let message =
                format!("`{}` holds a variable; installers expand those of requirements files only", shown(text));
            return Err(Error::usage(message));
        }
    };
    let folder = match &source {
        Source::Path { path } if draft.folder.is_dir(path) => Some(path.clone()),
        _ => None,
    };
    let extras = parsed.extras.clone();
    draft.requirements.push(Requirement {
        name: Some(parsed.name),
        extras: parsed.extras,
        marker: parsed.marker,
        extra: extra.map(str::to_owned),
        ..requirement(text, source, RequirementRole::Requirement, origin.clone())
    });
    folder.map_or(Ok(()), |folder| follow(draft, &folder, &extras))
}

/// Follows the files that setuptools would read
/// (<https://setuptools.pypa.io/en/latest/userguide/pyproject_config.html#dynamic-metadata>); what else computes
/// requirements is not known before it runs.
fn dynamic(draft: &mut Draft<'_>, toml: &TomlFile<'_>, asked: Option<&[String]>) -> Result<()> {
    let path = ["project", "dynamic"];
    let Some(value) = toml.get(&path) else { return Ok(()) };
    for (field, origin) in toml.strings(value, &path, false)? {
        let table = toml.get(&["tool", "setuptools", "dynamic", field]);
        let unread = match (field, table) {
            ("dependencies", Some(table)) => !files(draft, toml, table, None)?,
            ("optional-dependencies", Some(table)) => {
                let mut unread = false;
                for (group, table) in toml.entries(table, &["tool", "setuptools", "dynamic", field])? {
                    if let Some(extra) = belonging(group, asked) {
                        unread |= !files(draft, toml, table, extra.as_deref())?;
                    }
                }
                unread
            }
            ("dependencies" | "optional-dependencies", None) => true,
            _ => false,
        };
        if unread {
            draft.computed |= field == "dependencies";
            let message = format!("the build back end computes the `{field}`, so they are not known before the build");
            draft
                .notes
                .push(Note::warning(message, origin).with_hint("write them into `[project]` or a requirements file"));
        }
    }
    Ok(())
}

/// Takes up `{ file = … }`, relative to the folder of the file; false where the table says something else.
fn files(draft: &mut Draft<'_>, toml: &TomlFile<'_>, table: &Value<'_>, extra: Option<&str>) -> Result<bool> {
    let Some(value) = table.get_ref().get("file") else { return Ok(false) };
    for (file, origin) in toml.strings(value, &["file"], true)? {
        let located = draft.folder.locate(parent(toml.file), file).map_err(|error| error.at(origin))?;
        requirements::read_for(draft, &located.path, extra)?;
    }
    Ok(true)
}
