//! Requirements that the build back end takes from elsewhere (`dynamic`).

use super::super::problems::Problems;
use super::super::toml_file::Value;
use super::super::{requirements, setuptools};
use super::build::LEGACY_BACKEND;
use super::{Reader, hatch, parent};
use crate::model::{Note, Origin, Result};

/// The fields that bear on what is installed.
const FIELDS: [&str; 2] = ["dependencies", "optional-dependencies"];

impl Reader<'_, '_, '_> {
    /// Follows what is stated in other files; what is computed is not known before the build.
    pub(super) fn dynamic(&mut self) -> Result<()> {
        let (toml, path) = (self.toml, ["project", "dynamic"]);
        let Some(value) = toml.get(&path) else { return Ok(()) };
        let declared = toml.strings(value, &path, false)?;
        let fields: Vec<&(&str, Origin)> = declared.iter().filter(|(field, _)| FIELDS.contains(field)).collect();
        let mut problems = Problems::default();
        let mut unread = Vec::new();
        for (field, origin) in fields {
            match self.stated_elsewhere(field) {
                Ok(true) => {}
                Ok(false) => unread.push((*field, origin)),
                Err(error) => problems.note(Err(error.or_at(origin))),
            }
        }
        if !unread.is_empty() && !self.of_setuptools()? {
            for (field, origin) in unread {
                self.computed(field, origin);
            }
        }
        problems.finish()
    }

    fn computed(&mut self, field: &str, origin: &Origin) {
        self.draft.computed |= field == FIELDS[0];
        let message = format!("the build back end computes the `{field}`, so they are not known before the build");
        let hint = "write them into `[project]` or a requirements file";
        self.draft.note(Note::warning(message, origin.clone()).with_hint(hint));
    }

    /// Whether a table of the file says where `field` stands, in which case it is taken up.
    fn stated_elsewhere(&mut self, field: &str) -> Result<bool> {
        let toml = self.toml;
        // Poetry's own table is read apart: <https://python-poetry.org/docs/pyproject/#dynamic>.
        let of_poetry = if field == FIELDS[0] { "dependencies" } else { "extras" };
        if toml.get(&["tool", "poetry", of_poetry]).is_some() {
            return Ok(true);
        }
        if let Some(hook) = toml.get(&hatch::REQUIREMENTS_TXT) {
            return self.requirements_txt(hook, field);
        }
        let path = ["tool", "setuptools", "dynamic", field];
        let Some(table) = toml.get(&path) else { return Ok(false) };
        if field == FIELDS[0] {
            return self.files(table, None);
        }
        let mut read = true;
        for (key, table) in toml.entries(table, &path)? {
            let origin = toml.origin(table.span());
            if let Some(section) = self.extra(key, &origin)? {
                let extra = section.extra.filter(|_| !section.own);
                read &= self.files(table, extra.as_deref())?;
            }
        }
        Ok(read)
    }

    /// Takes up `{ file = … }` of setuptools; false where the table says something else
    /// (<https://setuptools.pypa.io/en/latest/userguide/pyproject_config.html#dynamic-metadata>).
    fn files(&mut self, table: &Value<'_>, extra: Option<&str>) -> Result<bool> {
        let Some(value) = table.get_ref().get("file") else { return Ok(false) };
        for (file, origin) in self.toml.strings(value, &["file"], true)? {
            self.file(file, &origin, extra)?;
        }
        Ok(true)
    }

    /// Takes up the requirements file `file`, relative to the folder of this one.
    pub(super) fn file(&mut self, file: &str, origin: &Origin, extra: Option<&str>) -> Result<()> {
        let located =
            self.draft.folder.locate(parent(self.toml.file), file).map_err(|error| error.at(origin.clone()))?;
        requirements::read_for(self.draft, &located.path, extra)
    }

    /// Takes up `setup.cfg` or `setup.py` where setuptools builds the project.
    fn of_setuptools(&mut self) -> Result<bool> {
        let declared = self.toml.string(&["build-system", "build-backend"])?;
        let backend = declared.map_or(LEGACY_BACKEND, |(backend, _)| backend);
        if !backend.starts_with("setuptools") {
            return Ok(false);
        }
        setuptools::take(self.draft, parent(self.toml.file))
    }
}

#[cfg(test)]
mod tests {
    use super::super::FILE;
    use super::super::tests::{notes, read, short, toml};

    #[test]
    fn requirements_files_are_followed() {
        let dynamic = "[project]\nname = 'x'\ndynamic = ['dependencies', 'optional-dependencies']\n";
        let files = |table: &str| {
            let text = format!("{dynamic}{table}");
            read(&[(FILE, &text), ("requirements.txt", "torch"), ("dev.txt", "pytest")]).unwrap()
        };
        for table in [
            "[tool.setuptools.dynamic]\ndependencies = {file = ['requirements.txt']}\noptional-dependencies.Dev = {file = 'dev.txt'}",
            "[tool.hatch.metadata.hooks.requirements_txt]\nfiles = ['requirements.txt']\noptional-dependencies.dev = ['dev.txt']",
            "[tool.hatch.metadata.hooks.requirements_txt]\noptional-dependencies.dev = ['dev.txt']",
            "[tool.hatch.metadata.hooks.requirements_txt]\nfilename = 'requirements.txt'\noptional-dependencies.dev = ['dev.txt']",
        ] {
            let project = files(table);
            assert_eq!(short(&project), ["torch :1", "+dev pytest :1"], "{table}");
            assert_eq!(project.selectable.len(), 1);
            assert!(project.notes.is_empty());
        }
    }

    #[test]
    fn what_is_computed_is_said() {
        let project = toml(
            "[build-system]\nbuild-backend = 'hatchling.build'\n[project]\nname = 'x'\ndynamic = ['version',\n'dependencies']\n[tool.hatch.metadata.hooks.custom]",
        );
        assert!(
            notes(&project)[0].starts_with("the build back end computes the `dependencies`"),
            "{:?}",
            project.notes
        );
        assert_eq!(project.notes[0].origin.to_string(), "pyproject.toml:6");
    }
}
