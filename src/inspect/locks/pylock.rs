//! `pylock.toml` (PEP 751): <https://packaging.python.org/en/latest/specifications/pylock-toml/>.

use std::collections::BTreeSet;

use super::super::draft::Draft;
use super::super::toml_file::TomlFile;
use super::LockFormat;
use super::entry::{
    Brought, Entry, Repository, Taken, at_path, at_url, clean, format, from_index, normalized, python, tables, take,
    unreachable,
};
use super::marker::{Choice, ChoiceKind};
use crate::model::{ArchiveName, Error, Lock, ManifestKind, Result, Source};

/// The format; a file for one use is called `pylock.NAME.toml`.
pub(super) const FORMAT: LockFormat = LockFormat {
    kind: ManifestKind::Pylock,
    file: "pylock.toml",
    of: &[ManifestKind::Pyproject, ManifestKind::Poetry, ManifestKind::Requirements, ManifestKind::Pipfile],
    refresh: "the tool that wrote it brings it up to date",
    recognizes,
    read,
};

fn recognizes(name: &str) -> bool {
    let middle = name.strip_prefix("pylock.").and_then(|rest| rest.strip_suffix(".toml"));
    name == "pylock.toml" || middle.is_some_and(|middle| !middle.is_empty() && !middle.contains('.'))
}

fn read(draft: &mut Draft<'_>, file: &str) -> Result<Option<Lock>> {
    let text = draft.folder.read_utf8(file)?;
    let toml = TomlFile::parse(file, &text)?;
    let stated = toml.string(&["lock-version"])?.map(|(version, origin)| (version.to_owned(), origin));
    let format = format(draft, stated, &["1"]);
    python(draft, &toml, &["requires-python"])?;
    let entries = tables(&toml, "packages")?;
    let defaults = match toml.get(&["default-groups"]) {
        Some(value) => toml.strings(value, &["default-groups"], false)?,
        None => Vec::new(),
    };
    let defaults: BTreeSet<String> = defaults.into_iter().map(|(group, _)| normalized(group)).collect();
    let packages = take(draft, file, &entries, |draft, _, entry| package(draft, file, &entry, &defaults))?;
    Ok(Some(Lock { path: file.to_owned(), kind: FORMAT.kind, format, packages }))
}

fn package(draft: &mut Draft<'_>, file: &str, entry: &Entry<'_, '_>, defaults: &BTreeSet<String>) -> Result<Taken> {
    let (name, origin) = (entry.name()?, entry.origin());
    if let Some(folder) = entry.sub("directory")?.map(|folder| folder.string("path")).transpose()?.flatten() {
        // Tools lock the project itself, too.
        if matches!(folder, "." | "./") {
            return Ok(Taken::Known);
        }
    }
    let files = files(entry)?;
    let found = match source(draft, file, entry, &files) {
        Ok(found) => found,
        Err(error) => return Ok(unreachable(&name, &error, origin)),
    };
    let always = |choice: &Choice| choice.kind == ChoiceKind::Group && defaults.contains(&normalized(&choice.name));
    let brought = Brought::by(&entry.marker("marker")?, &always);
    let hashes = files.iter().map(hashes).sum();
    let mut package = entry.package(draft, found, &brought, hashes)?;
    let told = || files.iter().filter_map(file_name).find_map(ArchiveName::of).map(|archive| archive.version);
    if package.version.is_none() && matches!(package.source, Source::Index { .. }) {
        package.version = told();
        package.source = from_index(package.version.as_ref());
    }
    package.index = entry.string("index")?.map(|url| clean(draft, url, &origin));
    Ok(Taken::Package(Box::new(package)))
}

/// What an archive is called.
fn file_name<'v>(file: &Entry<'v, '_>) -> Option<&'v str> {
    let file = *file;
    ["name", "url", "path"].into_iter().find_map(move |key| file.string(key).ok()?)
}

/// The archives of a package.
fn files<'v, 't>(entry: &Entry<'v, 't>) -> Result<Vec<Entry<'v, 't>>> {
    let single = [entry.sub("archive")?, entry.sub("sdist")?];
    Ok(single.into_iter().flatten().chain(entry.tables("wheels")).collect())
}

fn hashes(file: &Entry<'_, '_>) -> usize {
    file.get("hashes").and_then(|value| value.get_ref().as_table()).map_or(0, |hashes| hashes.iter().count())
}

fn source(draft: &mut Draft<'_>, file: &str, entry: &Entry<'_, '_>, files: &[Entry<'_, '_>]) -> Result<Source> {
    let origin = entry.origin();
    if let Some(vcs) = entry.sub("vcs")? {
        let Some(url) = vcs.string("url")? else {
            return Err(Error::usage("its repository has no `url` that a build could reach"));
        };
        let reference = match vcs.string("commit-id")? {
            Some(commit) => Some(commit),
            None => vcs.string("requested-revision")?,
        };
        let kind = vcs.string("type")?.unwrap_or("git");
        let subdirectory = vcs.string("subdirectory")?;
        return Repository { vcs: kind, url, reference, subdirectory }.source(draft, &origin);
    }
    if let Some(folder) = entry.sub("directory")? {
        let path = folder.string("path")?.ok_or_else(|| Error::usage("its `directory` has no `path`"))?;
        return match folder.string("subdirectory")? {
            Some(sub) => at_path(draft, file, &format!("{path}/{sub}")),
            None => at_path(draft, file, path),
        };
    }
    if let Some(archive) = entry.sub("archive")? {
        return match (archive.string("url")?, archive.string("path")?) {
            (Some(url), _) => {
                let folder = archive.string("subdirectory")?;
                let url = folder.map_or_else(|| url.to_owned(), |folder| format!("{url}#subdirectory={folder}"));
                at_url(draft, &url, &origin)
            }
            (None, Some(path)) => at_path(draft, file, path),
            (None, None) => Err(Error::usage("its `archive` has neither `url` nor `path`")),
        };
    }
    if files.is_empty() {
        return Err(Error::usage("it has none of `vcs`, `directory`, `archive`, `sdist` and `wheels`"));
    }
    Ok(from_index(entry.version()?.as_ref()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::samples::{account, alone, packages};
    use super::*;

    const LOCK: &str = r#"lock-version = "1.0"
requires-python = ">=3.12"
environments = ["sys_platform == 'linux'"]
extras = ["gpu"]
dependency-groups = ["dev", "base"]
default-groups = ["base"]
created-by = "tool"
[[packages]]
name = "numpy"
version = "2.0"
index = "https://pypi.example.org/simple"
marker = "'base' in dependency_groups"
wheels = [{name = "n.whl", url = "https://files.example.org/n.whl", hashes = {sha256 = "00", sha512 = "11"}}]
[packages.sdist]
url = "https://files.example.org/n.tar.gz"
hashes = {sha256 = "00"}
[[packages]]
name = "torch"
index = "https://download.example.org/cu128"
marker = "'gpu' in extras and sys_platform == 'linux'"
wheels = [{url = "https://files.example.org/torch-2.9.1%2Bcu128-cp312-cp312-linux_x86_64.whl", hashes = {}}]
[[packages]]
name = "pytest"
version = "8"
marker = "'dev' in dependency_groups or 'gpu' in extras"
sdist = {url = "https://files.example.org/pytest-8.tar.gz", hashes = {sha256 = "00"}}
[[packages]]
name = "a"
vcs = {type = "git", url = "https://host.example.org/a", requested-revision = "main", commit-id = "0123"}
[[packages]]
name = "b"
archive = {path = "wheels/b-1-py3-none-any.whl", hashes = {sha256 = "00"}}
[[packages]]
name = "app"
directory = {path = ".", editable = true}
[[packages]]
name = "nothing"
version = "1"
"#;

    #[test]
    fn markers_tell_extras_and_groups() {
        let project = alone(&[("pylock.toml", LOCK), ("wheels/b-1-py3-none-any.whl", "")]).unwrap();
        assert_eq!(
            packages(&project),
            [
                "numpy 2.0 from https://pypi.example.org/simple #3 :9",
                "torch 2.9.1+cu128 from https://download.example.org/cu128 [gpu] #0 :18 ; sys_platform == 'linux'",
                "pytest 8 [gpu] {dev} #1 :23",
                "a at git https://host.example.org/a 0123 - #0 :28",
                "b in wheels/b-1-py3-none-any.whl #1 :31",
            ]
        );
        assert_eq!(account(&project), (7, 6, 1));
        assert!(project.files.contains(&"wheels/b-1-py3-none-any.whl".to_owned()));
        assert_eq!(project.python[0].specifiers.to_string(), ">=3.12");
    }

    #[test]
    fn names_are_those_of_the_specification() {
        for (name, is_one) in [
            ("pylock.toml", true),
            ("pylock.dev.toml", true),
            ("pylock.a.b.toml", false),
            ("pylock..toml", false),
            ("pylock.tom", false),
        ] {
            assert_eq!(recognizes(name), is_one, "{name}");
        }
    }

    proptest! {
        #[test]
        fn no_lock_ends_the_reader(lines in proptest::collection::vec(r#"(\[\[packages\]\]|name = "(a|b)"|version = "1"|(vcs|archive|directory|sdist) = \{(url|path|type) = "[.a-z:/@]{0,6}"\}|wheels = \[\{url = "a"\}\]|marker = "[a-z '=()]{0,12}( in extras)?"|.{0,10})"#, 0..12)) {
            let _ = alone(&[("pylock.toml", &lines.join("\n"))]);
        }
    }
}
