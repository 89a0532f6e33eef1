//! `pdm.lock`, versions 3 and 4: <https://pdm-project.org/en/latest/usage/lockfile/>, and PDM's own reader,
//! <https://github.com/pdm-project/pdm/blob/main/src/pdm/project/lockfile/pdmlock.py>.

use std::collections::{BTreeMap, BTreeSet};

use super::super::draft::Draft;
use super::super::toml_file::TomlFile;
use super::LockFormat;
use super::entry::{
    Brought, Entry, Repository, Taken, allowed, at_path, at_url, check_whole, format, from_index, normalized, python,
    tables, take, unreachable,
};
use super::files::{has_hash, shortened};
use super::marker::{Choice, Marker};
use crate::model::{Lock, ManifestKind, Result, SelectableKind, Source};

/// The format.
pub(super) const FORMAT: LockFormat = LockFormat {
    kind: ManifestKind::PdmLock,
    file: "pdm.lock",
    of: &[ManifestKind::Pyproject],
    refresh: "`pdm lock` brings it up to date",
    recognizes: |name| name == "pdm.lock",
    read,
};

/// The group of what is always installed.
const DEFAULT: &str = "default";

/// The version control systems that an entry may name.
const SYSTEMS: [&str; 4] = ["git", "hg", "svn", "bzr"];

/// What tells packages apart: name, version, and the place where it does not come from an index.
type Key<'v> = (String, Option<&'v str>, Option<&'v str>);

fn read(draft: &mut Draft<'_>, file: &str) -> Result<Option<Lock>> {
    let text = draft.folder.read_utf8(file)?;
    let text = shortened(&text);
    let toml = TomlFile::parse(file, &text)?;
    // First in the locks of today, last in those of old.
    check_whole(&toml)?;
    let stated = toml.string(&["metadata", "lock_version"])?.map(|(version, origin)| (version.to_owned(), origin));
    let format = format(draft, stated, &["3", "4"]);
    python(draft, &toml, &["metadata", "requires_python"])?;
    targets(draft, &toml)?;
    let entries = tables(&toml, "package")?;
    let selectable = draft.project.selectable.iter();
    let extras: BTreeSet<String> =
        selectable.filter(|known| known.kind == SelectableKind::Extra).map(|known| known.name.clone()).collect();
    // `uvicorn` and `uvicorn[standard]` are two entries on one package.
    let mut ways: BTreeMap<Key<'_>, Vec<Marker>> = BTreeMap::new();
    for entry in &entries {
        if let (Ok(key), Ok(marker)) = (key(entry), marker(&extras, entry)) {
            ways.entry(key).or_default().push(marker);
        }
    }
    let mut taken: BTreeSet<Key<'_>> = BTreeSet::new();
    let packages = take(draft, file, &entries, |draft, _, entry| {
        // What is wrong with any entry is said, be it one more on the same package.
        let (key, own) = (key(&entry)?, marker(&extras, &entry)?);
        if !taken.insert(key.clone()) {
            return Ok(Taken::Known);
        }
        let marker = ways.get(&key).map_or(own, |ways| Marker::any(ways.iter().cloned()));
        package(draft, file, &entry, &marker)
    })?;
    Ok(Some(Lock { path: file.to_owned(), kind: FORMAT.kind, format, packages }))
}

/// Takes up the Python versions of the targets that an image can be; of several that differ, none.
/// <https://pdm-project.org/en/latest/usage/lock-targets/>
fn targets(draft: &mut Draft<'_>, toml: &TomlFile<'_>) -> Result<()> {
    let Some(metadata) = toml.get(&["metadata"]) else { return Ok(()) };
    let metadata = Entry { toml, table: metadata };
    let mut pythons = Vec::new();
    for target in metadata.tables("targets") {
        if target.string("platform")?.is_none_or(|platform| platform.contains("linux")) {
            pythons.push((target.string("requires_python")?, target.get("requires_python")));
        }
    }
    if let Some(((Some(python), Some(value)), others)) = pythons.split_first()
        && others.iter().all(|(other, _)| *other == Some(*python))
    {
        allowed(draft, python, "metadata.targets.requires_python", toml.origin(value.span()));
    }
    Ok(())
}

fn key<'v>(entry: &Entry<'v, '_>) -> Result<Key<'v>> {
    let place = SYSTEMS.into_iter().chain(["url", "path"]).find_map(|key| entry.string(key).ok()?);
    Ok((entry.name()?, entry.string("version")?, place))
}

/// Where an entry applies and what brings it. PDM calls extras groups, too, and writes groups only where its strategy
/// is `inherit_metadata`.
fn marker(extras: &BTreeSet<String>, entry: &Entry<'_, '_>) -> Result<Marker> {
    let own = entry.marker("marker")?;
    let groups = entry.strings("groups")?;
    if groups.is_empty() {
        return Ok(own);
    }
    let asked = |group: &str| {
        let name = normalized(group);
        match name.as_str() {
            DEFAULT => Marker::Always,
            _ if extras.contains(&name) => Marker::Chosen { choice: Choice::extra(name), not: false },
            _ => Marker::Chosen { choice: Choice::group(name), not: false },
        }
    };
    Ok(Marker::all([own, Marker::any(groups.into_iter().map(asked))]))
}

fn package(draft: &mut Draft<'_>, file: &str, entry: &Entry<'_, '_>, marker: &Marker) -> Result<Taken> {
    let (name, origin) = (entry.name()?, entry.origin());
    if let (_, None, None) = key(entry)? {
        entry.settled()?;
    }
    let found = match source(draft, file, entry) {
        Ok(found) => found,
        Err(error) => return Ok(unreachable(&name, &error, origin)),
    };
    let package = entry.package(draft, found, &Brought::by(marker, &|_| false), hashes(entry)?)?;
    Ok(Taken::Package(Box::new(package)))
}

fn source(draft: &mut Draft<'_>, file: &str, entry: &Entry<'_, '_>) -> Result<Source> {
    let origin = entry.origin();
    let subdirectory = entry.string("subdirectory")?;
    for vcs in SYSTEMS {
        if let Some(url) = entry.string(vcs)? {
            let reference = match entry.string("revision")? {
                Some(commit) => Some(commit),
                None => entry.string("ref")?,
            };
            return Repository { vcs, url, reference, subdirectory }.source(draft, &origin);
        }
    }
    if let Some(url) = entry.string("url")? {
        let url = subdirectory.map_or_else(|| url.to_owned(), |folder| format!("{url}#subdirectory={folder}"));
        return at_url(draft, &url, &origin);
    }
    match entry.string("path")? {
        Some(path) => at_path(draft, file, path),
        None => Ok(from_index(entry.version()?.as_ref())),
    }
}

/// The hashes of a package; of old locks, those in the table `metadata.files` under name and version.
fn hashes(entry: &Entry<'_, '_>) -> Result<usize> {
    if entry.get("files").is_some() {
        return Ok(entry.tables("files").iter().filter(|file| has_hash(file)).count());
    }
    let (name, version) = (entry.string("name")?.unwrap_or_default(), entry.string("version")?.unwrap_or_default());
    let listed = entry.toml.get(&["metadata", "files", &format!("{name} {version}")]);
    Ok(listed.and_then(|value| value.get_ref().as_array()).map_or(0, |files| files.iter().count()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::samples::{account, alone, packages};

    const LOCK: &str = r#"[metadata]
groups = ["default", "dev"]
strategy = ["inherit_metadata"]
lock_version = "4.5.0"
content_hash = "sha256:00"
[[metadata.targets]]
requires_python = ">=3.10"
[[package]]
name = "uvicorn"
version = "0.30"
requires_python = ">=3.8"
groups = ["default"]
marker = "os_name == 'posix'"
files = [{file = "u.whl", hash = "sha256:00"}, {file = "u.tar.gz", hash = "sha256:01"}]
[[package]]
name = "uvicorn"
version = "0.30"
extras = ["standard"]
groups = ["dev"]
dependencies = ["uvicorn==0.30"]
[[package]]
name = "a"
version = "1"
git = "https://host.example.org/a.git"
ref = "main"
revision = "0123"
groups = ["dev", "docs"]
[[package]]
name = "b"
version = "1"
url = "https://files.example.org/b-1.tar.gz"
subdirectory = "b"
[[package]]
name = "c"
path = "./c"
editable = true
[[package]]
name = "d"
path = "./missing"
"#;

    #[test]
    fn entries_on_one_package_are_one() {
        let folder = ("c/setup.py", "");
        let project = alone(&[("pdm.lock", LOCK), folder]).unwrap();
        assert_eq!(
            packages(&project),
            [
                "uvicorn 0.30 #2 :9",
                "a 1 at git https://host.example.org/a.git 0123 - {dev,docs} #0 :22",
                "b 1 at https://files.example.org/b-1.tar.gz#subdirectory=b #0 :29",
                "c in c #0 :34",
            ]
        );
        assert_eq!(account(&project), (6, 5, 1));
        assert_eq!(project.locks[0].format.as_deref(), Some("4.5.0"));
        let python: Vec<_> = project.python.iter().map(|p| (p.specifiers.to_string(), p.origin.to_string())).collect();
        assert_eq!(python, [(">=3.10".to_owned(), "pdm.lock:7".to_owned())]);
    }

    #[test]
    fn an_old_lock_lists_its_files_at_the_end() {
        let lock = "[[package]]\nname = \"x\"\nversion = \"1\"\n[metadata]\nlock_version = \"4.0\"\n\
                    [metadata.files]\n\"x 1\" = [{url = \"u\", hash = \"sha256:00\"}]\n";
        assert_eq!(packages(&alone(&[("pdm.lock", lock)]).unwrap()), ["x 1 #1 :2"]);
    }

    #[test]
    fn a_lock_that_is_cut_off_is_an_error() {
        let refused = |lock: &str| alone(&[("pdm.lock", lock)]).unwrap_err().to_string();
        let package = "[[package]]\nname = 'x'\n";
        assert_eq!(refused(package), "pdm.lock:2: `pdm.lock` is cut off: it has no `[metadata]`");
        assert_eq!(refused(&format!("[metadata]\n{package}")), "pdm.lock:3: `x` has no `version`");
    }

    #[test]
    fn the_targets_of_linux_tell_the_python() {
        let python = |targets: &[&str]| {
            let targets = targets.iter().map(|target| format!("[[metadata.targets]]\n{target}\n"));
            let lock = format!("[metadata]\n{}[[package]]\nname = 'x'\nversion = '1'", targets.collect::<String>());
            alone(&[("pdm.lock", &lock)]).unwrap().python.first().map(|python| python.specifiers.to_string())
        };
        let (old, new) = ("requires_python = '>=3.9'", "requires_python = '>=3.11'");
        assert_eq!(python(&[&format!("{old}\nplatform = 'windows_amd64'"), new, new]).as_deref(), Some(">=3.11"));
        assert_eq!(python(&[old, new]), None);
    }

    proptest! {
        #[test]
        fn no_lock_ends_the_reader(lines in proptest::collection::vec(r#"(\[\[package\]\]|\[metadata(\.files)?\]|name = "(a|b)"|version = "1"|(git|url|path|revision) = "[.a-z:/@]{0,6}"|(extras|groups|files) = \["(a|default)"\]|marker = "[a-z '=()]{0,12}"|.{0,10})"#, 0..12)) {
            let _ = alone(&[("pdm.lock", &lines.join("\n"))]);
        }
    }
}
