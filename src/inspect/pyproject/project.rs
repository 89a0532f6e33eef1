//! The `[project]` table (PEP 621): <https://packaging.python.org/en/latest/specifications/pyproject-toml/>

use std::str::FromStr;

use pep440_rs::VersionSpecifiers;
use pep508_rs::PackageName;

use super::super::alternatives;
use super::super::draft::Draft;
use super::super::pep508;
use super::super::problems::Problems;
use super::super::text::shown;
use super::super::toml_file::TomlFile;
use super::requirement::Section;
use super::{FILE, Reader};
use crate::model::{Error, Origin, PythonConstraint, Result, Selectable, SelectableKind, Strength};

/// The name as declared, and normalized.
pub(super) fn name(toml: &TomlFile<'_>) -> Result<Option<(String, String)>> {
    if let Some(project) = toml.get(&["project"]) {
        toml.entries(project, &["project"])?;
    }
    toml.string(&["project", "version"])?;
    let Some((name, origin)) = toml.string(&["project", "name"])? else { return Ok(None) };
    match PackageName::new(name.to_owned()) {
        Ok(normalized) => Ok(Some((name.to_owned(), normalized.to_string()))),
        Err(_) => Err(Error::usage(format!("`{}` is not a name for a project", shown(name)))
            .at(origin)
            .with_hint("a name is made of ASCII letters, digits, `.`, `-` and `_`, and ends in a letter or digit")),
    }
}

/// Takes up `requires-python`, and the classifiers as a hint.
pub(super) fn python(draft: &mut Draft<'_>, toml: &TomlFile<'_>) -> Result<()> {
    if let Some((text, origin)) = toml.string(&["project", "requires-python"])? {
        let specifiers = specifiers(text, "requires-python").map_err(|error| error.at(origin.clone()))?;
        draft.account(toml.file, 1);
        draft.project.python.push(PythonConstraint { specifiers, strength: Strength::Required, origin });
        draft.fact(toml.file);
    }
    if let Some(hint) = classifiers(toml)? {
        draft.project.python.push(hint);
    }
    Ok(())
}

/// The versions of Python that the value of `key` allows.
pub(super) fn specifiers(text: &str, key: &str) -> Result<VersionSpecifiers> {
    VersionSpecifiers::from_str(text).map_err(|error| {
        let why = error.to_string();
        Error::usage(format!("`{key}` is no version constraint: {}", why.lines().next().unwrap_or_default()))
            .with_hint("write `>=3.10`, for example")
    })
}

/// The span of the minor versions that the classifiers list
/// (<https://packaging.python.org/en/latest/specifications/core-metadata/#classifier-multiple-use>).
fn classifiers(toml: &TomlFile<'_>) -> Result<Option<PythonConstraint>> {
    let path = ["project", "classifiers"];
    let Some(value) = toml.get(&path) else { return Ok(None) };
    Ok(classified(toml.strings(value, &path, false)?.into_iter()))
}

/// The same, of any list of classifiers; its place is that of the first one.
pub(in crate::inspect) fn classified<'c>(
    classifiers: impl Iterator<Item = (&'c str, Origin)>,
) -> Option<PythonConstraint> {
    let listed: Vec<(u16, Origin)> = classifiers
        .filter_map(|(text, origin)| {
            let version = text.strip_prefix("Programming Language :: Python :: 3.")?;
            Some((version.trim().parse().ok()?, origin))
        })
        .collect();
    let minors = listed.iter().map(|(minor, _)| *minor);
    let (first, last, (_, origin)) = (minors.clone().min()?, minors.max()?, listed.first()?);
    let text = format!(">=3.{first},<3.{}", u32::from(last) + 1);
    let specifiers = VersionSpecifiers::from_str(&text).ok()?;
    Some(PythonConstraint { specifiers, strength: Strength::Hint, origin: origin.clone() })
}

/// Says which dependencies only the `pyproject.toml` beside the manifest names.
pub(super) fn note_unlisted(draft: &mut Draft<'_>, toml: &TomlFile<'_>) -> Result<()> {
    let path = ["project", "dependencies"];
    let Some(value) = toml.get(&path) else { return Ok(()) };
    let strings = toml.strings(value, &path, false)?;
    let names = strings.iter().filter_map(|(text, _)| pep508::parse(text).ok().map(|parsed| parsed.name));
    let note = alternatives::unlisted(draft, FILE, names, toml.origin(value.span()));
    draft.project.notes.extend(note);
    Ok(())
}

impl Reader<'_, '_, '_> {
    pub(super) fn dependencies(&mut self) -> Result<()> {
        self.array(&["project", "dependencies"], &Section::default())
    }

    /// The extras: all of them, or those asked for.
    pub(super) fn optional(&mut self) -> Result<()> {
        let path = ["project", "optional-dependencies"];
        let toml = self.toml;
        let Some(table) = toml.get(&path) else { return Ok(()) };
        let mut problems = Problems::default();
        for (key, value) in toml.entries(table, &path)? {
            let origin = toml.origin(value.span());
            let section = self.extra(key, &origin);
            problems.note(section.and_then(|section| match section {
                Some(section) => self.array(&[path[0], path[1], key], &section),
                None => Ok(()),
            }));
        }
        problems.finish()
    }

    /// The section of the extra `key`; nothing where it is not asked for.
    pub(super) fn extra(&mut self, key: &str, origin: &Origin) -> Result<Option<Section>> {
        let Some((extra, _)) = pep508::parse_name(key) else {
            return Err(Error::usage(format!("`{}` is not a name for an extra", shown(key))).at(origin.clone()));
        };
        if self.asked.extras.is_some_and(|asked| !asked.contains(&extra)) {
            return Ok(None);
        }
        self.selectable(SelectableKind::Extra, &extra, false, origin);
        Ok(Some(Section { own: self.asked.extras.is_some(), extra: Some(extra), ..Section::default() }))
    }

    /// Takes up something that can be asked for, once.
    pub(super) fn selectable(&mut self, kind: SelectableKind, name: &str, default: bool, origin: &Origin) {
        let known = &mut self.draft.project.selectable;
        if self.asked.extras.is_none() && !known.iter().any(|known| known.kind == kind && known.name == name) {
            known.push(Selectable { kind, name: name.to_owned(), default, origin: origin.clone() });
        }
    }

    /// Takes up an array of requirements.
    pub(super) fn array(&mut self, path: &[&str], section: &Section) -> Result<()> {
        let toml = self.toml;
        let Some(value) = toml.get(path) else { return Ok(()) };
        let strings = toml.strings(value, path, false)?;
        self.draft.account(toml.file, strings.len());
        let mut problems = Problems::default();
        for (text, origin) in strings {
            let taken = self.stated(text, &origin).and_then(|stated| self.place(&stated, section));
            problems.note(taken.map_err(|error| error.or_at(&origin)));
            self.draft.fact(toml.file);
        }
        problems.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{notes, refused, short, toml};
    use crate::model::{SelectableKind, Strength};

    #[test]
    fn python_is_required_and_classifiers_hint() {
        let project = toml(
            "[project]\nname = 'x'\nrequires-python = '>=3.9'\ndependencies = []\nclassifiers = [\n'Programming Language :: Python :: 3',\n'Programming Language :: Python :: 3.12',\n'Programming Language :: Python :: 3.9', 'Programming Language :: Python :: 3 :: Only']",
        );
        let found: Vec<(String, Strength, String)> =
            project.python.iter().map(|p| (p.specifiers.to_string(), p.strength, p.origin.to_string())).collect();
        assert_eq!(
            found,
            [
                (">=3.9".to_owned(), Strength::Required, "pyproject.toml:3".to_owned()),
                (">=3.9, <3.13".to_owned(), Strength::Hint, "pyproject.toml:7".to_owned()),
            ]
        );
        assert!(refused("[project]\nname = 'x'\nrequires-python = '3.9'").contains("is no version constraint"));
    }

    #[test]
    fn extras_can_be_chosen() {
        let project = toml(
            "[project]\nname = 'x'\ndependencies = ['a']\n[project.optional-dependencies]\nGPU_x = [\n'torch>=2',\n'numpy>=1,',\n]\nempty = []",
        );
        assert_eq!(short(&project), ["a :3", "+gpu-x torch>=2 :6", "+gpu-x numpy>=1 :7"]);
        let names: Vec<(&str, bool)> = project.selectable.iter().map(|s| (s.name.as_str(), s.default)).collect();
        assert_eq!(names, [("gpu-x", false), ("empty", false)]);
        assert!(project.selectable.iter().all(|s| s.kind == SelectableKind::Extra));
        assert!(notes(&project)[0].contains("the comma at the end of `numpy>=1,`"));
        assert_eq!(project.read[0].entries, 3);
    }
}
