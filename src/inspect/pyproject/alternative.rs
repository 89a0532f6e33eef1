//! One source in `[tool.uv.sources]`.

use super::super::draft::Draft;
use super::super::folder::parent;
use super::super::pep508;
use super::super::text::{is_hidden, shown};
use super::super::toml_file::{TomlFile, Value};
use super::super::url::without_credentials;
use super::sources::TABLE;
use super::workspace::Workspace;
use crate::model::{Error, IndexBinding, Note, Origin, Result};

/// The keys of a source, of which each needs one of the first five.
const KEYS: [&str; 15] = [
    "index",
    "git",
    "url",
    "path",
    "workspace",
    "rev",
    "tag",
    "branch",
    "subdirectory",
    "lfs",
    "editable",
    "package",
    "marker",
    "extra",
    "group",
];

/// One source of a distribution, as the file has it.
pub(super) struct Alternative<'a, 't> {
    pub(super) toml: &'a TomlFile<'t>,
    pub(super) name: String,
    value: &'a Value<'t>,
    pub(super) origin: Origin,
}

impl<'a, 't> Alternative<'a, 't> {
    pub(super) fn read(toml: &'a TomlFile<'t>, name: &str, value: &'a Value<'t>) -> Result<Self> {
        let origin = toml.origin(value.span());
        let entries = toml.entries(value, &TABLE)?;
        let is = |key: &&str, keys: &[&str]| keys.contains(key);
        if let Some((key, _)) = entries.iter().find(|(key, _)| !is(key, &KEYS)) {
            let message = format!("`{}` is not a key that uv knows of a source", shown(key));
            return Err(Error::usage(message).at(origin));
        }
        let kinds: Vec<&str> = entries.iter().map(|(key, _)| *key).filter(|key| is(key, &KEYS[..5])).collect();
        if kinds.len() != 1 {
            let message = format!("a source of `{name}` must be one of `index`, `git`, `url`, `path` and `workspace`");
            return Err(Error::usage(message).at(origin));
        }
        Ok(Self { toml, name: name.to_owned(), value, origin })
    }

    fn get(&self, key: &str) -> Option<&'a Value<'t>> {
        self.value.get_ref().get(key)
    }

    pub(super) fn string(&self, key: &str) -> Result<Option<&'a str>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        match value.get_ref().as_str() {
            Some(text) if text.contains(is_hidden) => {
                let message = format!("`{}` holds a character that does not show", shown(text));
                Err(Error::usage(message).at(self.origin.clone()))
            }
            Some(text) => Ok(Some(text)),
            None => Err(self.toml.mistyped(value, &[TABLE[0], TABLE[1], TABLE[2], &self.name, key], "a string")),
        }
    }

    pub(super) fn normalized(&self, key: &str) -> Result<Option<String>> {
        let Some(text) = self.string(key)? else { return Ok(None) };
        match pep508::parse_name(text) {
            Some((name, _)) => Ok(Some(name)),
            None => Err(Error::usage(format!("`{}` is not a name", shown(text))).at(self.origin.clone())),
        }
    }

    pub(super) fn marker(&self) -> Result<Option<String>> {
        let Some(marker) = self.string("marker")? else { return Ok(None) };
        pep508::parse(&format!("a ; {marker}")).map_err(|error| error.at(self.origin.clone()))?;
        Ok(Some(marker.trim().to_owned()))
    }

    pub(super) fn binding(&self) -> Result<IndexBinding> {
        Ok(IndexBinding {
            package: self.name.clone(),
            marker: self.marker()?,
            extra: self.normalized("extra")?,
            group: self.normalized("group")?,
            origin: self.origin.clone(),
        })
    }

    /// Members of a workspace are editable unless it says otherwise, paths are not.
    pub(super) fn editable(&self) -> bool {
        let declared = self.get("editable").and_then(|value| value.get_ref().as_bool());
        declared.unwrap_or(self.get("workspace").is_some())
    }

    /// What stands behind the `@` of the requirement, with its path where it is one; or why there is nothing.
    pub(super) fn target(&self, draft: &mut Draft<'_>) -> Result<Result<(String, Option<String>), Note>> {
        if let Some(git) = self.string("git")? {
            return Ok(Ok((self.repository(draft, git)?, None)));
        }
        if let Some(url) = self.string("url")? {
            let url = self.open(draft, url);
            return Ok(Ok((with_subdirectory(url, self.string("subdirectory")?), None)));
        }
        if let Some(given) = self.string("path")? {
            if self.get("package").is_some_and(|value| value.get_ref().as_bool() == Some(false)) {
                let message = format!("uv would install what `{}` asks for, and not itself", self.name);
                draft.note(Note::info(message, self.origin.clone()));
            }
            let located = draft.folder.locate(parent(self.toml.file), given.strip_prefix("file:").unwrap_or(given))?;
            return Ok(Ok(at_path(located.path)));
        }
        if self.get("workspace").is_some_and(|value| value.get_ref().as_bool() == Some(false)) {
            let message = format!("`{}` comes from an index, not from the workspace", self.name);
            return Ok(Err(Note::info(message, self.origin.clone())));
        }
        let workspace = Workspace::of(draft.folder, self.toml.file)?;
        let Some(workspace) = workspace else {
            let message = format!("`{}` is a member of a workspace whose root is not in this folder", self.name);
            let hint = "give the folder of the workspace, and choose the project with `--from`";
            return Ok(Err(Note::warning(message, self.origin.clone()).with_hint(hint)));
        };
        match workspace.member(draft.folder, &self.name) {
            Some(member) => Ok(Ok(at_path(member.to_owned()))),
            None => Err(Error::usage(format!("the workspace has no member of the name `{}`", self.name))
                .with_hint("a member is a folder with a `pyproject.toml` that `tool.uv.workspace` lists")),
        }
    }

    fn repository(&self, draft: &mut Draft<'_>, git: &str) -> Result<String> {
        if !git.contains("://") {
            // It is not shown: what stands before an `@` may be a secret.
            return Err(Error::usage(format!("the `git` of `{}` is not a URL", self.name))
                .with_hint("write `https://host/path`, or `ssh://git@host/path`"));
        }
        let mut given = Vec::new();
        for key in ["rev", "tag", "branch"] {
            given.extend(self.string(key)?);
        }
        let reference = match given.as_slice() {
            [] => String::new(),
            [one] if !one.is_empty() && !one.contains([' ', '#', '@', ';']) => format!("@{one}"),
            [one] => return Err(Error::usage(format!("`{}` is not the name of a commit, tag or branch", shown(one)))),
            _ => return Err(Error::usage("a source has one of `rev`, `tag` and `branch` at most")),
        };
        if self.get("lfs").is_some_and(|value| value.get_ref().as_bool() == Some(true)) {
            let message =
                format!("`{}` keeps files in Git LFS, which installers other than uv do not fetch", self.name);
            draft.note(Note::warning(message, self.origin.clone()));
        }
        let url = self.open(draft, git.strip_prefix("git+").unwrap_or(git));
        let url = url.split('#').next().unwrap_or_default();
        Ok(with_subdirectory(format!("git+{url}{reference}"), self.string("subdirectory")?))
    }

    /// A URL without the credentials in it.
    fn open(&self, draft: &mut Draft<'_>, url: &str) -> String {
        let stripped = without_credentials(url.trim());
        if stripped.literal {
            draft.warn_of_credential(&self.origin);
        }
        stripped.text
    }
}

fn with_subdirectory(url: String, subdirectory: Option<&str>) -> String {
    match subdirectory {
        Some(folder) if url.contains('#') => format!("{url}&subdirectory={folder}"),
        Some(folder) => format!("{url}#subdirectory={folder}"),
        None => url,
    }
}

/// A path of the project as the target of a requirement.
fn at_path(path: String) -> (String, Option<String>) {
    let spelt = path.replace('%', "%25").replace(' ', "%20").replace('#', "%23");
    (if path == "." { "file:.".to_owned() } else { format!("file:./{spelt}") }, Some(path))
}
