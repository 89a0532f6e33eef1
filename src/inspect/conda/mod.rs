//! conda's `environment.yml`
//! (<https://docs.conda.io/projects/conda/en/latest/user-guide/tasks/manage-environments.html#creating-an-environment-file-manually>).

mod channel;
mod package;
mod spec;
mod versions;

pub(super) use self::channel::{Channel, channel};
pub(super) use self::package::{Kind, MANAGER, Place, take, text};
pub(super) use self::spec::{Spec, of_archive};
pub(super) use self::versions::pep440;
use super::draft::Draft;
use super::folder::{Folder, parent};
use super::problems::Problems;
use super::text::{is_hidden, shown};
use super::url::without_credentials;
use super::yaml_file::{Entry, Node, YamlFile};
use super::{Format, pep508, requirements};
use crate::model::{Error, ManifestKind, Note, Origin, Result};

/// The format.
pub(in crate::inspect) const FORMAT: Format = Format {
    kind: ManifestKind::Conda,
    files: &["environment.yml", "environment.yaml", "conda.yml", "conda.yaml"],
    looked_for: "`environment.yml`",
    recognizes: |name| matches!(name.rsplit_once('.'), Some((_, "yml" | "yaml"))),
    declares,
    read,
};

/// Whether it has a list of dependencies; a file that cannot be read may have one, and says what is wrong when it is.
#[expect(clippy::unnecessary_wraps, reason = "a format's signature")]
fn declares(folder: &Folder, file: &str) -> Result<bool> {
    let Ok(text) = folder.read_utf8(file) else { return Ok(true) };
    Ok(YamlFile::parse(file, &text)
        .map_or(true, |yaml| yaml.root.get("dependencies").is_some_and(|listed| listed.list().is_some())))
}

/// Whether a file of any name is an environment beyond doubt.
pub(super) fn is_environment(folder: &Folder, file: &str) -> bool {
    let Ok(text) = folder.read_utf8(file) else { return false };
    let yaml = YamlFile::parse(file, &text);
    yaml.is_ok_and(|yaml| yaml.root.get("dependencies").is_some_and(|listed| listed.list().is_some()))
}

/// Why a file of an environment's name, which has `dependencies`, is none all the same.
pub(super) fn not_followed(folder: &Folder, file: &str) -> Option<Note> {
    let text = folder.read_utf8(file).ok()?;
    let yaml = YamlFile::parse(file, &text).ok()?;
    let given = yaml.root.get("dependencies").filter(|given| given.list().is_none())?;
    let message = format!("`{}` is not followed: its `dependencies` are {}, not a list", shown(file), given.kind());
    Some(Note::warning(message, yaml.origin(given.line)))
}

fn read(draft: &mut Draft<'_>, file: &str) -> Result<()> {
    let located = draft.folder.locate(".", file)?;
    draft.file(&located);
    let text = draft.folder.read_utf8(file)?;
    let yaml = YamlFile::parse(file, &text)?;
    let before = std::mem::replace(&mut draft.runs_in, parent(file).to_owned());
    let read = Reader { draft, yaml: &yaml }.file();
    draft.runs_in = before;
    read
}

struct Reader<'d, 'f, 'y> {
    draft: &'d mut Draft<'f>,
    yaml: &'y YamlFile<'y>,
}

impl Reader<'_, '_, '_> {
    fn file(&mut self) -> Result<()> {
        let entries = self.yaml.root.map().unwrap_or_default();
        let Some(dependencies) = self.yaml.root.get("dependencies") else {
            return Err(not_an_environment(self.yaml));
        };
        let Some(dependencies) = dependencies.list() else {
            return Err(self.yaml.mistyped(dependencies, "dependencies", "a list"));
        };
        let named = self.yaml.root.text_at("name").filter(|name| pep508::parse_name(name).is_some());
        if self.draft.name.is_none() {
            self.draft.name = named.map(str::to_owned);
        }
        let mut problems = Problems::default();
        for entry in entries {
            match entry.key.as_ref() {
                "channels" => problems.note(self.channels(&entry.node)),
                "dependencies" => problems.note(self.dependencies(dependencies)),
                "name" | "prefix" => {}
                _ => self.other(entry),
            }
        }
        problems.finish()
    }

    /// What conda installs nothing from.
    fn other(&mut self, entry: &Entry<'_>) {
        let message = match entry.key.as_ref() {
            "variables" => "the `variables` of the environment are not set in the image".to_owned(),
            key => format!("`{}` is not followed", shown(key)),
        };
        self.draft.account(self.yaml.file, 1);
        self.draft.noted(self.yaml.file, Note::info(message, self.yaml.origin(entry.line)));
    }

    fn channels(&mut self, node: &Node<'_>) -> Result<()> {
        let listed = match node.text() {
            Some(_) => std::slice::from_ref(node),
            None => node.list().unwrap_or_default(),
        };
        self.draft.account(self.yaml.file, listed.len());
        for item in listed {
            let name = item.text().ok_or_else(|| self.yaml.mistyped(item, "channels", "a list of names"))?;
            let origin = self.yaml.origin(item.line);
            if name == "nodefaults" {
                let message = "`nodefaults`: conda's default channels are not used";
                self.draft.noted(self.yaml.file, Note::info(message, origin));
            } else {
                channel(self.draft, &Channel { name, bindings: Vec::new(), origin });
                self.draft.fact(self.yaml.file);
            }
        }
        Ok(())
    }

    fn dependencies(&mut self, listed: &[Node<'_>]) -> Result<()> {
        let mut problems = Problems::default();
        for item in listed {
            match (item.text(), item.map()) {
                (Some(text), _) => {
                    self.draft.account(self.yaml.file, 1);
                    problems.note(self.dependency(text, item.line));
                }
                (None, Some(sections)) => {
                    for section in sections {
                        problems.note(self.section(section));
                    }
                }
                (None, None) => {
                    problems.note(Err(self.yaml.mistyped(item, "dependencies", "a list of packages")));
                }
            }
        }
        problems.finish()
    }

    fn dependency(&mut self, text: &str, line: usize) -> Result<()> {
        let origin = self.yaml.origin(line);
        let stripped = without_credentials(text);
        if stripped.literal {
            self.draft.warn_of_credential(&origin);
        }
        let text = stripped.text.as_str();
        let refused = |why: &str| {
            Error::usage(format!("`{}` is not a package of conda: {why}", shown(text)))
                .at(origin.clone())
                .with_hint("write `name`, `name=1.2` or `channel::name>=1.2,<2`")
        };
        if text.contains(is_hidden) {
            return Err(refused("it holds a character that does not show"));
        }
        let mut spec = Spec::parse(text).map_err(|why| refused(&why))?;
        spec.channel = spec.channel.map(|name| channel::without_token(self.draft, &name, &origin));
        let note = take(self.draft, &spec, &Place::always(origin));
        match note {
            None => self.draft.fact(self.yaml.file),
            Some(note) => self.draft.noted(self.yaml.file, note),
        }
        Ok(())
    }

    /// What another installer is given: the lines of `pip` are those of a requirements file, with the environment's folder
    /// as the one that pip runs in
    /// (<https://github.com/conda/conda/blob/main/conda/env/installers/pip.py>).
    fn section(&mut self, section: &Entry<'_>) -> Result<()> {
        // micromamba's own (<https://mamba.readthedocs.io/en/latest/user_guide/micromamba.html#specification-files>).
        if let ("sel(linux)" | "sel(unix)", Some(text)) = (section.key.as_ref(), section.node.text()) {
            self.draft.account(self.yaml.file, 1);
            return self.dependency(text, section.line);
        }
        let lines = match section.node.text() {
            Some(_) => std::slice::from_ref(&section.node),
            None => section.node.list().unwrap_or_default(),
        };
        self.draft.account(self.yaml.file, lines.len());
        let mut problems = Problems::default();
        for line in lines {
            let Some(text) = line.text() else {
                problems.note(Err(self.yaml.mistyped(line, &section.key, "a list of requirements")));
                continue;
            };
            if section.key == "pip" {
                problems.note(requirements::read_line(self.draft, self.yaml.file, line.line, text));
                self.draft.fact(self.yaml.file);
            } else {
                let message = format!("`{}` is for `{}`, and not followed", shown(text), shown(&section.key));
                self.draft.noted(self.yaml.file, Note::warning(message, self.yaml.origin(line.line)));
            }
        }
        problems.finish()
    }
}

/// The error for a list of packages that conda has written (`conda list --export` or `--explicit`), which is no requirements
/// file, whatever its name
/// (<https://docs.conda.io/projects/conda/en/latest/user-guide/tasks/manage-environments.html#building-identical-conda-environments>).
pub(super) fn refuse_list(file: &str, content: &str) -> Result<()> {
    let is_list = |line: &str| {
        line.trim_end() == "@EXPLICIT" || line.starts_with("# This file may be used to create an environment using")
    };
    match content.lines().position(is_list) {
        None => Ok(()),
        Some(index) => {
            Err(Error::usage(format!("`{}` is a list of packages for conda, not a requirements file", shown(file)))
                .at(Origin::file(file, index + 1))
                .with_hint(
                    "write the environment with `conda env export > environment.yml`, and name that file with `--from`",
                ))
        }
    }
}

/// The error for YAML that is something else.
fn not_an_environment(yaml: &YamlFile<'_>) -> Error {
    let root = &yaml.root;
    let hint = if root.get("metadata").is_some() && root.get("package").is_some() {
        "this is a lock of conda-lock: name the `environment.yml` that it was made from"
    } else if root.get("package").is_some() || root.get("requirements").is_some() {
        "this is a recipe of conda-build: name an `environment.yml`"
    } else {
        "an environment lists what it needs under `dependencies:`"
    };
    let message = format!("`{}` has no list of `dependencies`", shown(yaml.file));
    Error::usage(message).at(yaml.origin(root.line)).with_hint(hint)
}

#[cfg(test)]
mod tests;
