//! The workspace of uv that a file belongs to: <https://docs.astral.sh/uv/concepts/projects/workspaces/>

use globset::GlobBuilder;

use super::super::folder::{Folder, join, parent};
use super::super::toml_file::TomlFile;
use super::{FILE, declared_name};
use crate::model::Result;

/// No workspace that means something has more folders to look through.
const MOST: usize = 2000;

/// How deep `**` reaches.
const DEEPEST: usize = 6;

const TABLE: [&str; 3] = ["tool", "uv", "workspace"];

/// The folders of a workspace, each with a `pyproject.toml`, and where its root is.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Workspace {
    pub(super) root: String,
    pub(super) members: Vec<String>,
}

impl Workspace {
    /// The workspace of `file`: that of the nearest folder above it that declares one.
    pub(super) fn of(folder: &Folder, file: &str) -> Result<Option<Self>> {
        let mut at = parent(file);
        loop {
            let candidate = join(at, FILE);
            if folder.has(&candidate) && folder.locate(".", &candidate).is_ok() {
                let text = folder.read_utf8(&candidate)?;
                let toml = TomlFile::parse(&candidate, &text)?;
                if toml.get(&TABLE).is_some() {
                    return Self::declared(folder, &toml, at).map(Some);
                }
            }
            if at == "." {
                return Ok(None);
            }
            at = parent(at);
        }
    }

    fn declared(folder: &Folder, toml: &TomlFile<'_>, root: &str) -> Result<Self> {
        if let Some(table) = toml.get(&TABLE) {
            toml.entries(table, &TABLE)?;
        }
        let patterns = |key: &str| {
            let path = [TABLE[0], TABLE[1], TABLE[2], key];
            let value = toml.get(&path);
            value.map(|value| toml.strings(value, &path, false)).transpose().map(Option::unwrap_or_default)
        };
        let expand = |key: &str| -> Result<Vec<String>> {
            let mut found: Vec<String> = Vec::new();
            for (pattern, _) in patterns(key)? {
                found.extend(folders(folder, root, pattern));
            }
            Ok(found)
        };
        let excluded = expand("exclude")?;
        let mut members = expand("members")?;
        members.retain(|member| !excluded.contains(member) && folder.has(&join(member, FILE)));
        members.sort();
        members.dedup();
        Ok(Self { root: root.to_owned(), members })
    }

    /// The folder of the member that declares the name `name`; the root is one, too.
    pub(super) fn member(&self, folder: &Folder, name: &str) -> Option<&str> {
        let mut folders = std::iter::once(&self.root).chain(&self.members);
        let declares = |at: &&String| declared_name(folder, &join(at, FILE)).ok().flatten().as_deref() == Some(name);
        folders.find(declares).map(String::as_str)
    }
}

/// The folders that the pattern names, without links out of the project.
fn folders(folder: &Folder, root: &str, pattern: &str) -> Vec<String> {
    let mut found = vec![root.to_owned()];
    for part in pattern.split('/').filter(|part| !part.is_empty() && *part != ".") {
        found = match part {
            "**" => found.iter().flat_map(|at| beneath(folder, at)).collect(),
            part if part.contains(['*', '?', '[', '{']) => matching(folder, &found, part),
            part => found.iter().map(|at| join(at, part)).collect(),
        };
        found.truncate(MOST);
    }
    let located = found.iter().filter_map(|at| folder.locate(".", at).ok());
    located.map(|at| at.path).filter(|at| folder.is_dir(at)).collect()
}

fn matching(folder: &Folder, found: &[String], part: &str) -> Vec<String> {
    let Ok(glob) = GlobBuilder::new(part).literal_separator(true).build() else { return Vec::new() };
    let matcher = glob.compile_matcher();
    let children = found.iter().flat_map(|at| children(folder, at));
    children.filter(|at| matcher.is_match(at.rsplit('/').next().unwrap_or(at))).take(MOST).collect()
}

/// A folder and all folders in it.
fn beneath(folder: &Folder, at: &str) -> Vec<String> {
    let mut found = vec![at.to_owned()];
    let mut level = found.clone();
    for _ in 0..DEEPEST {
        level = level.iter().flat_map(|at| children(folder, at)).take(MOST).collect();
        found.extend(level.iter().cloned());
        found.truncate(MOST);
    }
    found
}

/// The folders in a folder that are not hidden and no links.
fn children(folder: &Folder, at: &str) -> Vec<String> {
    let names = folder.list(at).into_iter().filter(|name| !name.starts_with('.'));
    let real = |at: &String| folder.locate(".", at).is_ok_and(|located| located.real == located.path);
    names.map(|name| join(at, &name)).filter(|at| folder.is_dir(at)).filter(real).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn members_are_found_by_their_globs() {
        let root = tempfile::tempdir().unwrap();
        let write = |file: &str, text: &str| {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write(
            FILE,
            "[tool.uv.workspace]\nmembers = ['packages/*', 'apps/**', './tool', '../x']\nexclude = ['packages/old*']",
        );
        for member in ["packages/a", "packages/old-b", "apps/deep/c", "tool", "packages/.d"] {
            write(&join(member, FILE), &format!("[project]\nname = 'My_{}'", &member[member.len() - 1..]));
        }
        write("packages/none/README.md", "");
        std::os::unix::fs::symlink("/", root.path().join("packages/link")).unwrap();
        let folder = Folder::open(root.path()).unwrap();
        let workspace = Workspace::of(&folder, "packages/a/pyproject.toml").unwrap().unwrap();
        assert_eq!(workspace.members, ["apps/deep/c", "packages/a", "tool"]);
        assert_eq!(workspace.root, ".");
        assert_eq!(workspace.member(&folder, "my-c"), Some("apps/deep/c"));
        assert_eq!(workspace.member(&folder, "my-b"), None);
    }
}
