//! Poetry's own tables of a `pyproject.toml`. <https://python-poetry.org/docs/pyproject/>
//!
//! Without a `[project]` table they are all that the file says; beside one they enrich it, or supply what it leaves
//! dynamic.

mod condition;
mod constraint;
mod dependency;
mod enrich;
mod extras;
mod groups;
mod sources;
mod union;

#[cfg(test)]
mod tests;

pub(super) use self::enrich::enrich;
#[cfg(test)]
use self::enrich::supplies;

use self::dependency::{Entry, Whose, bind};
use self::extras::Extras;
use self::sources::Sources;
use super::draft::Draft;
use super::folder::{Folder, join};
use super::pep508::parse_name;
use super::problems::Problems;
use super::text::shown;
use super::toml_file::TomlFile;
use super::{Format, pyproject};
use crate::model::{Error, ManifestKind, Note, Origin, PythonConstraint, Requirement, Result, Source, Strength};

const FILE: &str = "pyproject.toml";

/// More folders of a project do not install each other.
const MOST_FOLLOWED: usize = 100;

const DEPENDENCIES: [&str; 3] = ["tool", "poetry", "dependencies"];

/// The tables that ask for something.
const ASKING: [&str; 3] = ["dependencies", "group", "dev-dependencies"];

/// The format.
pub(super) const FORMAT: Format = Format {
    kind: ManifestKind::Poetry,
    files: &[FILE],
    looked_for: "`pyproject.toml` with a `[tool.poetry]` table",
    recognizes: |name| name == FILE,
    declares,
    read: |draft, file| take(draft, file, None),
};

fn declares(folder: &Folder, file: &str) -> Result<bool> {
    let text = folder.read_utf8(file)?;
    let toml = TomlFile::parse(file, &text)?;
    Ok(toml.get(&["project"]).is_none() && ASKING.iter().any(|key| toml.get(&["tool", "poetry", key]).is_some()))
}

/// Takes up what installing the folder `folder` with `extras` asks for, where Poetry's tables alone say so.
pub(super) fn follow(draft: &mut Draft<'_>, folder: &str, extras: &[String]) -> Result<()> {
    let file = join(folder, FILE);
    if draft.folder.has(&file) && declares(draft.folder, &file)? {
        take(draft, &file, Some(extras))?;
    }
    Ok(())
}

/// Takes up the name of the project, where Poetry alone says it, and whether it is a package at all
/// (<https://python-poetry.org/docs/basic-usage/#operating-modes>).
pub(super) fn facts(draft: &mut Draft<'_>, toml: &TomlFile<'_>) -> Result<()> {
    if draft.name.is_none()
        && let Some((name, _)) = toml.string(&["tool", "poetry", "name"])?
    {
        draft.name = normalized(name).map(|_| name.to_owned());
    }
    if toml.get(&["tool", "poetry", "package-mode"]).and_then(|mode| mode.get_ref().as_bool()) == Some(false) {
        draft.project.package = None;
    }
    Ok(())
}

/// A name of a distribution, extra or group, normalized; none for what is no such name.
fn normalized(name: &str) -> Option<String> {
    parse_name(name).filter(|(_, extras)| extras.is_empty()).map(|(name, _)| name)
}

/// Takes up the dependencies of `file`: with all its extras and groups as such, or with the extras asked for as if what
/// they bring were its own.
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
    if asked.is_none() {
        facts(draft, &toml)?;
    }
    // What a folder of the project builds on comes from the indexes of the project that is installed.
    let sources = if asked.is_none() { sources::read(draft, &toml)? } else { Sources::default() };
    let mut reader = Reader { draft, toml: &toml, sources, asked };
    let mut problems = Problems::default();
    problems.note(reader.own());
    if asked.is_none() {
        problems.note(groups::read(&mut reader));
    }
    problems.finish()
}

/// Reads the tables of one file.
struct Reader<'d, 'f, 't> {
    draft: &'d mut Draft<'f>,
    toml: &'d TomlFile<'t>,
    sources: Sources,
    /// The extras asked of a folder that another project installs.
    asked: Option<&'d [String]>,
}

impl Reader<'_, '_, '_> {
    /// Takes up the dependencies of the project itself, and its extras.
    fn own(&mut self) -> Result<()> {
        let extras = extras::read(self.draft, self.toml, self.asked.is_none())?;
        let Some(table) = self.toml.get(&DEPENDENCIES) else { return Ok(()) };
        let entries = dependency::entries(self.toml, table, &DEPENDENCIES)?;
        self.entries(&entries, Whose::Project, &extras)
    }

    fn entries(&mut self, entries: &[Entry<'_, '_>], whose: Whose<'_>, extras: &Extras) -> Result<()> {
        self.draft.account(self.toml.file, entries.len());
        let mut problems = Problems::default();
        for entry in entries {
            let read = if entry.name.eq_ignore_ascii_case("python") {
                self.python(entry, whose)
            } else {
                self.one(entry, whose, extras)
            };
            problems.note(read.map_err(|error| error.or_at(&entry.origin)));
        }
        problems.finish()
    }

    /// The version of Python, which only the project itself says.
    fn python(&mut self, entry: &Entry<'_, '_>, whose: Whose<'_>) -> Result<()> {
        let written = entry.value.get_ref();
        let version = written.as_str().or_else(|| written.get("version")?.get_ref().as_str());
        let Some(version) = version.filter(|_| whose == Whose::Project) else {
            let message = "`python` is followed as a version among the dependencies of the project only";
            self.draft.noted(self.toml.file, Note::warning(message, entry.origin.clone()));
            return Ok(());
        };
        let allowed = constraint::python(version)?;
        dependency::remark(self.draft, allowed.remark, &entry.origin);
        let origin = entry.origin.clone();
        let constraint = PythonConstraint { specifiers: allowed.specifiers, strength: Strength::Required, origin };
        self.draft.project.python.push(constraint);
        self.draft.fact(self.toml.file);
        Ok(())
    }

    fn one(&mut self, entry: &Entry<'_, '_>, whose: Whose<'_>, extras: &Extras) -> Result<()> {
        let file = self.toml.file;
        let asked = match dependency::read(self.draft, file, entry) {
            Ok(asked) => asked,
            // A folder that is not in the image cannot be in a group of it; the rest can.
            Err(error) if whose != Whose::Project && entry.value.get_ref().get("path").is_some() => {
                let note = Note::warning(error.message, entry.origin.clone());
                self.draft.noted(file, error.hint.into_iter().fold(note, Note::with_hint));
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let requirements = match whose {
            Whose::Group(group) => {
                vec![Requirement { group: Some(group.to_owned()), extra: asked.extra, ..asked.requirement }]
            }
            Whose::Project => {
                let name = asked.requirement.name.clone().unwrap_or_default();
                let with = extras.belonging(&name, asked.optional, asked.extra.as_deref(), self.asked);
                with.into_iter().map(|extra| Requirement { extra, ..asked.requirement.clone() }).collect()
            }
        };
        if requirements.is_empty() {
            let message = match self.asked {
                Some(_) => format!("`{}` is optional, and not asked for", shown(entry.name)),
                None => format!("`{}` is optional, and no extra brings it", shown(entry.name)),
            };
            self.draft.noted(file, Note::info(message, entry.origin.clone()));
            return Ok(());
        }
        for requirement in requirements {
            self.push(requirement, asked.source.as_deref())?;
        }
        self.draft.fact(file);
        Ok(())
    }

    fn push(&mut self, requirement: Requirement, source: Option<&str>) -> Result<()> {
        if self.asked.is_none() {
            bind(self.draft, &self.sources, source, &requirement)?;
        }
        let folder = match &requirement.source {
            Source::Path { path } if self.draft.folder.is_dir(path) => Some(path.clone()),
            _ => None,
        };
        let is_own = requirement.extra.is_none() && requirement.group.is_none();
        let extras = requirement.extras.clone();
        self.draft.project.requirements.push(requirement);
        match folder.filter(|_| is_own) {
            Some(folder) => pyproject::follow(self.draft, &folder, &extras),
            None => Ok(()),
        }
    }
}
