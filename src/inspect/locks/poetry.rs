//! `poetry.lock`, versions 1.0 to 2.1: <https://python-poetry.org/docs/basic-usage/#installing-dependencies>, and Poetry's
//! own reader and writer, <https://github.com/python-poetry/poetry/blob/main/src/poetry/packages/locker.py>.

use std::collections::{BTreeSet, HashMap};

use super::super::draft::Draft;
use super::super::text::shown;
use super::super::toml_file::TomlFile;
use super::LockFormat;
use super::entry::{
    Brought, Entry, Repository, Taken, at_path, at_url, check_whole, clean, format, from_index, normalized,
    parse_marker, python, tables, take, unreachable,
};
use super::files::{has_hash, shortened};
use super::marker::{Choice, Marker};
use crate::model::{Error, Lock, ManifestKind, Result};

/// The format.
pub(super) const FORMAT: LockFormat = LockFormat {
    kind: ManifestKind::PoetryLock,
    file: "poetry.lock",
    of: &[ManifestKind::Poetry, ManifestKind::Pyproject],
    refresh: "`poetry lock` brings it up to date",
    recognizes: |name| name == "poetry.lock",
    read,
};

/// The group of what is always installed.
const MAIN: &str = "main";

fn read(draft: &mut Draft<'_>, file: &str) -> Result<Option<Lock>> {
    let text = draft.folder.read_utf8(file)?;
    let text = shortened(&text);
    let toml = TomlFile::parse(file, &text)?;
    check_whole(&toml)?;
    let stated = toml.string(&["metadata", "lock-version"])?.map(|(version, origin)| (version.to_owned(), origin));
    let format = format(draft, stated, &["1", "2"]);
    python(draft, &toml, &["metadata", "python-versions"])?;
    let entries = tables(&toml, "package")?;
    let extras = extras(&toml, &entries)?;
    let packages = take(draft, file, &entries, |draft, _, entry| package(draft, file, &entry, &extras))?;
    Ok(Some(Lock { path: file.to_owned(), kind: FORMAT.kind, format, packages }))
}

fn package(
    draft: &mut Draft<'_>,
    file: &str,
    entry: &Entry<'_, '_>,
    extras: &HashMap<String, BTreeSet<String>>,
) -> Result<Taken> {
    let (name, origin) = (entry.name()?, entry.origin());
    let mut index = None;
    let version = Some(entry.settled()?);
    let found = match entry.sub("source")? {
        None => Ok(from_index(version.as_ref())),
        Some(source) => {
            let url = source.string("url")?.unwrap_or_default();
            match source.string("type")?.unwrap_or_default() {
                "legacy" | "" => {
                    index = Some(clean(draft, url, &origin)).filter(|url| !url.is_empty());
                    Ok(from_index(version.as_ref()))
                }
                "git" => repository(&source, url)?.source(draft, &origin),
                "url" => at_url(draft, &with_subdirectory(url, source.string("subdirectory")?), &origin),
                "directory" | "file" => at_path(draft, file, url),
                kind => Err(Error::usage(format!("its source is of the unknown type `{}`", shown(kind)))),
            }
        }
    };
    let found = match found {
        Ok(found) => found,
        Err(error) => return Ok(unreachable(&name, &error, origin)),
    };
    let mut brought = Brought::by(&marker(entry)?, &|_| false);
    if brought.choices.is_empty() && entry.is_true("optional") {
        brought.choices.extend(extras.get(&name).into_iter().flatten().map(Choice::extra));
    }
    let mut package = entry.package(draft, found, &brought, hashes(entry, &name))?;
    package.index = index;
    Ok(Taken::Package(Box::new(package)))
}

fn repository<'v>(source: &Entry<'v, '_>, url: &'v str) -> Result<Repository<'v>> {
    let reference = match source.string("resolved_reference")? {
        Some(commit) => Some(commit),
        None => source.string("reference")?,
    };
    Ok(Repository { vcs: "git", url, reference, subdirectory: source.string("subdirectory")? })
}

fn with_subdirectory(url: &str, folder: Option<&str>) -> String {
    folder.map_or_else(|| url.to_owned(), |folder| format!("{url}#subdirectory={folder}"))
}

/// Where a package applies and which groups bring it: `markers` is one for all groups or a table of one for each, and
/// the `category` of old locks is a group.
fn marker(entry: &Entry<'_, '_>) -> Result<Marker> {
    let mut groups = entry.strings("groups")?;
    groups.extend(entry.string("category")?);
    let markers = entry.get("markers");
    let each = match markers.and_then(|value| value.get_ref().as_table().map(|_| value)) {
        Some(_) => entry.sub("markers")?,
        None => None,
    };
    let common = if each.is_some() { Marker::Always } else { entry.marker("markers")? };
    if groups.is_empty() {
        return Ok(common);
    }
    let of_group = |group: &str| {
        let asked = match group {
            MAIN => Marker::Always,
            group => Marker::Chosen { choice: Choice::group(normalized(group)), not: false },
        };
        let marker = match &each {
            None => Marker::Always,
            Some(each) => match each.string(group)? {
                Some(text) => parse_marker(text, &entry.origin())?,
                None => Marker::Always,
            },
        };
        Ok(Marker::all([asked, marker]))
    };
    let groups: Vec<Marker> = groups.into_iter().map(of_group).collect::<Result<_>>()?;
    Ok(Marker::all([common, Marker::any(groups)]))
}

/// The extras that bring each optional package: those that list it, and those that list what needs it.
fn extras(toml: &TomlFile<'_>, entries: &[Entry<'_, '_>]) -> Result<HashMap<String, BTreeSet<String>>> {
    let mut bring: HashMap<String, BTreeSet<String>> = HashMap::new();
    let Some(table) = toml.get(&["extras"]) else { return Ok(bring) };
    let mut needs: HashMap<String, Vec<String>> = HashMap::new();
    for entry in entries.iter().filter(|entry| entry.is_true("optional")) {
        let Some(dependencies) = entry.sub("dependencies")? else { continue };
        let names = toml.entries(dependencies.table, &["dependencies"])?;
        needs.entry(entry.name()?).or_default().extend(names.into_iter().map(|(name, _)| normalized(name)));
    }
    for (extra, value) in toml.entries(table, &["extras"])? {
        let listed = toml.strings(value, &["extras", extra], false)?;
        // `torch (>=2.0)`, as old locks have it.
        let name = |text: &str| normalized(text.split([' ', '(', '[', ';', '<', '>', '=']).next().unwrap_or_default());
        let mut todo: Vec<String> = listed.into_iter().map(|(text, _)| name(text)).collect();
        let extra = normalized(extra);
        while let Some(package) = todo.pop() {
            if bring.entry(package.clone()).or_default().insert(extra.clone()) {
                todo.extend(needs.get(&package).into_iter().flatten().cloned());
            }
        }
    }
    Ok(bring)
}

/// The hashes of a package; of old locks, those in the table `metadata.files`.
fn hashes(entry: &Entry<'_, '_>, name: &str) -> usize {
    if entry.get("files").is_some() {
        return entry.tables("files").iter().filter(|file| has_hash(file)).count();
    }
    let listed = ["files", "hashes"].into_iter().find_map(|key| {
        let written = entry.string("name").ok().flatten()?;
        entry.toml.get(&["metadata", key, written]).or_else(|| entry.toml.get(&["metadata", key, name]))
    });
    listed.and_then(|value| value.get_ref().as_array()).map_or(0, |files| files.iter().count())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::samples::{account, alone, messages, packages};

    const NEW: &str = r#"
[[package]]
name = "Torch"
version = "2.8.0+cu128"
optional = true
python-versions = ">=3.9"
groups = ["main"]
markers = "extra == \"gpu\" and platform_system == \"Linux\""
files = [{file = "torch.whl", hash = "sha256:00"}]

[package.dependencies]
sympy = "*"

[package.source]
type = "legacy"
url = "https://download.example.org/cu128"
reference = "cu128"

[[package]]
name = "colorama"
version = "0.4.6"
optional = false
python-versions = "*"
groups = ["main", "dev"]
markers = {main = "sys_platform == \"win32\"", dev = "os_name == \"nt\""}
files = []

[[package]]
name = "pytest"
version = "8.0.0"
optional = false
groups = ["dev", "test"]
files = []

[[package]]
name = "lib"
version = "1"
groups = ["main"]
[package.source]
type = "git"
url = "git@host.example.org:org/lib.git"
reference = "main"
resolved_reference = "0123"
subdirectory = "py"

[[package]]
name = "gone"
version = "1"
groups = ["main"]
[package.source]
type = "directory"
url = "../gone"

[extras]
gpu = ["torch"]

[metadata]
lock-version = "2.1"
python-versions = ">=3.10,<4"
"#;

    #[test]
    fn a_new_lock_tells_groups_and_markers() {
        let project = alone(&[("poetry.lock", NEW)]).unwrap();
        assert_eq!(
            packages(&project),
            [
                "torch 2.8.0+cu128 from https://download.example.org/cu128 [gpu] #1 :3 ; platform_system == \"Linux\"",
                "colorama 0.4.6 #0 :20 ; sys_platform == 'win32' or os_name == 'nt'",
                "pytest 8.0.0 {dev,test} #0 :29",
                "lib 1 at git ssh://git@host.example.org/org/lib.git 0123 py #0 :36",
            ]
        );
        assert_eq!(account(&project), (5, 4, 1));
        assert_eq!(project.locks[0].format.as_deref(), Some("2.1"));
        assert_eq!(project.python[0].specifiers.to_string(), ">=3.10, <4");
        let index = &project.indexes[0];
        assert!(index.explicit && index.bindings[0].package == "torch", "{index:?}");
    }

    const OLD: &str = r#"[[package]]
name = "numpy"
version = "1.19.5"
category = "main"
optional = false
[[package]]
name = "black"
version = "20.8b1"
category = "dev"
optional = false
[[package]]
name = "torch"
version = "1.7.1"
category = "main"
optional = true
marker = "ignored"
[package.dependencies]
Typing_Extensions = "*"
[[package]]
name = "typing-extensions"
version = "3.7"
category = "main"
optional = true
[extras]
All_Of = ["torch (>=1.7)"]
[metadata]
lock-version = "1.1"
python-versions = "^3.6"
[metadata.files]
numpy = [{file = "a", hash = "sha256:00"}, {file = "b", hash = "sha256:01"}]
"#;

    #[test]
    fn an_old_lock_has_categories_and_optional_packages() {
        let project = alone(&[("poetry.lock", OLD)]).unwrap();
        assert_eq!(
            packages(&project),
            [
                "numpy 1.19.5 #2 :2",
                "black 20.8b1 {dev} #0 :7",
                "torch 1.7.1 [all-of] #0 :12",
                "typing-extensions 3.7 [all-of] #0 :20",
            ]
        );
        assert!(messages(&project).iter().any(|message| message.contains("`^3.6` of `metadata.python-versions`")));
    }

    #[test]
    fn a_lock_that_is_cut_off_is_an_error() {
        let whole = "[[package]]\nname = 'x'\nversion = '1'\n\n[metadata]\nlock-version = '2.1'\n";
        assert_eq!(packages(&alone(&[("poetry.lock", whole)]).unwrap()), ["x 1 #0 :2"]);
        let refused = |lock: &str| alone(&[("poetry.lock", lock)]).unwrap_err();
        let error = refused(whole.split("[metadata]").next().unwrap());
        assert_eq!(error.to_string(), "poetry.lock:3: `poetry.lock` is cut off: it has no `[metadata]`");
        assert!(error.hint.unwrap().contains("`poetry lock`"));
        let error = refused(&whole.replace("version = '1'", ""));
        assert_eq!(error.to_string(), "poetry.lock:2: `x` has no `version`");
    }

    proptest! {
        #[test]
        fn no_lock_ends_the_reader(lines in proptest::collection::vec(r#"(\[\[package\]\]|\[package\.(source|dependencies)\]|\[extras\]|\[metadata(\.files)?\]|name = "(a|b)"|version = "1"|optional = true|(type|url) = "(git|file|legacy|[.a-z:/@]{0,6})"|(a|groups|files) = \["(a|b|main)"\]|markers = (\{a = "os_name == 'x'"\}|"[a-z '=()]{0,12}")|.{0,10})"#, 0..12)) {
            let _ = alone(&[("poetry.lock", &lines.join("\n"))]);
        }
    }
}
