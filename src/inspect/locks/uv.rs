//! `uv.lock`: <https://docs.astral.sh/uv/concepts/projects/layout/#the-lockfile>, and uv's own reader,
//! <https://github.com/astral-sh/uv/blob/main/crates/uv-resolver/src/lock/mod.rs>.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use toml::de::DeValue;

use super::super::draft::Draft;
use super::super::text::shown;
use super::super::toml_file::TomlFile;
use super::super::url::fragment;
use super::LockFormat;
use super::entry::{
    Brought, Entry, Repository, Taken, at_path, at_url, clean, format, from_index, parse_marker, python, tables, take,
    unreachable,
};
use super::files::{has_hash, shortened};
use super::marker::{Choice, ChoiceKind, Marker};
use super::reach::{Edge, Graph, Part};
use crate::model::{Error, Lock, ManifestKind, Origin, Result};

/// The format; a script has its lock beside it.
pub(super) const FORMAT: LockFormat = LockFormat {
    kind: ManifestKind::UvLock,
    file: "uv.lock",
    of: &[ManifestKind::Pyproject],
    refresh: "`uv lock` brings it up to date",
    recognizes: |name| name == "uv.lock" || name.ends_with(".py.lock"),
    read,
};

fn read(draft: &mut Draft<'_>, file: &str) -> Result<Option<Lock>> {
    let text = draft.folder.read_utf8(file)?;
    let text = shortened(&text);
    let toml = TomlFile::parse(file, &text)?;
    let format = version(draft, &toml)?;
    python(draft, &toml, &["requires-python"])?;
    let mut entries = tables(&toml, "package")?;
    // The name of the first locks.
    entries.extend(tables(&toml, "distribution")?);
    let graph = graph(&toml, &entries)?;
    let names: Vec<String> = graph.roots().iter().filter_map(|root| entries.get(*root)?.name().ok()).collect();
    let brought = Reach::of(&graph, &names);
    let packages = take(draft, file, &entries, |draft, index, entry| {
        if is_project(&entry)? || entry.source_kind()? == Some("virtual") {
            return Ok(Taken::Known);
        }
        package(draft, file, &entry, &brought.of_package(index, &own_marker(&entry)?))
    })?;
    Ok(Some(Lock { path: file.to_owned(), kind: FORMAT.kind, format, packages }))
}

/// `version` and `revision`, as one.
fn version(draft: &mut Draft<'_>, toml: &TomlFile<'_>) -> Result<Option<String>> {
    let Some(value) = toml.get(&["version"]) else {
        return Err(Error::usage(format!("`{}` says no `version`, as every lock of uv does", toml.file))
            .at(Origin::file(toml.file, 1)));
    };
    let number = |value: &DeValue<'_>| value.as_integer().map(|number| number.as_str().to_owned());
    let version = number(value.get_ref()).ok_or_else(|| toml.mistyped(value, &["version"], "a whole number"))?;
    let revision = toml.get(&["revision"]).and_then(|value| number(value.get_ref()));
    let stated = revision.map_or(version.clone(), |revision| format!("{version}.{revision}"));
    Ok(format(draft, Some((stated, toml.origin(value.span()))), &["1"]))
}

impl<'v> Entry<'v, '_> {
    /// The first key of `source`: what kind it is.
    fn source_kind(&self) -> Result<Option<&'static str>> {
        let Some(source) = self.sub("source")? else { return Ok(None) };
        Ok(SOURCES.into_iter().find(|kind| source.get(kind).is_some()))
    }

    /// What tells sources apart.
    fn source_key(&self) -> Option<(&'static str, &'v str)> {
        let kind = self.source_kind().ok()??;
        let value = self.sub("source").ok()??.get(kind)?;
        value.get_ref().as_str().map(|value| (kind, value))
    }
}

/// More packages of one name do not stand in a real lock.
const MOST_FORKS: usize = 100;

const SOURCES: [&str; 7] = ["registry", "git", "url", "path", "directory", "editable", "virtual"];

/// Whether an entry is the project at the root of the lock.
fn is_project(entry: &Entry<'_, '_>) -> Result<bool> {
    entry.source_kind()?;
    Ok(matches!(entry.source_key(), Some(("virtual" | "editable" | "directory", "." | ""))))
}

/// The forks of the resolution that the package belongs to.
fn own_marker(entry: &Entry<'_, '_>) -> Result<Marker> {
    let forks = match entry.strings("resolution-markers")? {
        forks if forks.is_empty() => entry.strings("environment-markers")?,
        forks => forks,
    };
    if forks.is_empty() {
        return Ok(Marker::Always);
    }
    let forks: Vec<Marker> =
        forks.into_iter().map(|fork| parse_marker(fork, &entry.origin())).collect::<Result<_>>()?;
    Ok(Marker::any(forks))
}

fn package(draft: &mut Draft<'_>, file: &str, entry: &Entry<'_, '_>, brought: &(Marker, Vec<Choice>)) -> Result<Taken> {
    let (name, origin) = (entry.name()?, entry.origin());
    let Some(source) = entry.sub("source")? else {
        return Err(Error::usage(format!("`{name}` has no `source`")).at(origin));
    };
    let mut index = None;
    let value = |kind: &str| source.string(kind);
    let found = if let Some(registry) = source.get("registry") {
        // A folder of archives is a registry, too: by its path.
        index = registry.get_ref().as_str().map(|url| clean(draft, url, &origin));
        Ok(from_index(Some(&entry.settled()?)))
    } else if let Some(url) = value("git")? {
        git(url).source(draft, &origin)
    } else if let Some(url) = value("url")? {
        let url = match source.string("subdirectory")? {
            Some(folder) => format!("{url}#subdirectory={folder}"),
            None => url.to_owned(),
        };
        at_url(draft, &url, &origin)
    } else if let Some(path) = ["path", "directory", "editable"].into_iter().find_map(|kind| value(kind).ok()?) {
        at_path(draft, file, path)
    } else {
        return Err(Error::usage(format!("the `source` of `{name}` is of no known kind")).at(origin));
    };
    let found = match found {
        Ok(found) => found,
        Err(error) => return Ok(unreachable(&name, &error, origin)),
    };
    let brought = Brought { marker: brought.0.clone(), choices: brought.1.iter().cloned().collect() };
    let mut package = entry.package(draft, found, &brought, hashes(entry))?;
    package.index = index;
    Ok(Taken::Package(Box::new(package)))
}

/// `https://host/path?subdirectory=x&rev=main#commit`.
fn git(url: &str) -> Repository<'_> {
    let (address, commit) = url.split_once('#').map_or((url, None), |(address, commit)| (address, Some(commit)));
    let (address, query) = address.split_once('?').unwrap_or((address, ""));
    let asked = |key: &str| query.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='));
    let reference = commit.or_else(|| ["rev", "tag", "branch"].into_iter().find_map(asked));
    // `fragment` knows the same syntax.
    let subdirectory = asked("subdirectory").or_else(|| fragment(url, "subdirectory"));
    Repository { vcs: "git", url: address, reference, subdirectory }
}

fn hashes(entry: &Entry<'_, '_>) -> usize {
    let files = entry.tables("wheels").into_iter().chain(entry.sub("sdist").ok().flatten());
    files.filter(has_hash).count()
}

/// The dependencies of all packages. The project is the package at the root, or all members of the workspace where the
/// root is none.
fn graph<'v, 't>(toml: &'v TomlFile<'t>, entries: &[Entry<'v, 't>]) -> Result<Graph> {
    let mut graph = Graph::default();
    let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, entry) in entries.iter().enumerate() {
        let forks = by_name.entry(entry.string("name")?.unwrap_or_default()).or_default();
        if forks.len() < MOST_FORKS {
            forks.push(index);
        }
        if is_project(entry)? {
            graph.root(index);
        }
    }
    // What a root that is no package asks for is not all of it in the lock: markers leave some out.
    let packages = Packages { entries, by_name, whole: false, markers: RefCell::default() };
    if graph.roots().is_empty() {
        let members = toml.get(&["manifest", "members"]);
        let members = members.map(|value| toml.strings(value, &["manifest", "members"], false)).transpose()?;
        for (member, _) in members.into_iter().flatten() {
            for index in packages.by_name.get(member).into_iter().flatten() {
                graph.root(*index);
            }
        }
        // The groups of a root that is no package belong to it alone.
        if let Some(table) = toml.get(&["manifest", "dependency-groups"]) {
            let manifest = Entry { toml, table };
            groups(&mut graph, entries.len(), &manifest, &packages)?;
            graph.root(entries.len());
        }
    }
    let packages = Packages { whole: true, ..packages };
    for (index, entry) in entries.iter().enumerate() {
        edges(&mut graph, (index, Part::Own), &entry.tables("dependencies"), &packages)?;
        if let Some(extras) = entry.sub("optional-dependencies")? {
            for (extra, _) in toml.entries(extras.table, &["optional-dependencies"])? {
                let part = Part::Extra(extra.to_owned());
                edges(&mut graph, (index, part), &extras.tables(extra), &packages)?;
            }
        }
        if let Some(table) = entry.sub("dev-dependencies")? {
            groups(&mut graph, index, &table, &packages)?;
        }
    }
    Ok(graph)
}

/// The packages of a lock.
struct Packages<'e, 'v, 't> {
    entries: &'e [Entry<'v, 't>],
    by_name: HashMap<&'v str, Vec<usize>>,
    /// Whether they are all that is named.
    whole: bool,
    /// The markers so far, by their texts: most stand in a lock many times.
    markers: RefCell<HashMap<&'v str, Rc<Marker>>>,
}

impl<'v> Packages<'_, 'v, '_> {
    /// The marker of a dependency.
    fn marker(&self, dependency: &Entry<'v, '_>) -> Result<Rc<Marker>> {
        let text = dependency.string("marker")?.unwrap_or_default();
        if let Some(known) = self.markers.borrow().get(text) {
            return Ok(Rc::clone(known));
        }
        let marker = Rc::new(dependency.marker("marker")?);
        self.markers.borrow_mut().insert(text, Rc::clone(&marker));
        Ok(marker)
    }

    /// Those that a dependency may mean. uv itself refuses a lock where one means none.
    fn meant(&self, dependency: &Entry<'_, '_>, name: &str) -> Result<Vec<usize>> {
        let (version, source) = (dependency.string("version")?, dependency.source_key());
        let known = self.by_name.get(name).map(Vec::as_slice).unwrap_or_default();
        let mut meant = Vec::new();
        for index in known {
            let Some(entry) = self.entries.get(*index) else { continue };
            let same_version = version.is_none() || entry.string("version")? == version;
            if same_version && (source.is_none() || entry.source_key() == source) {
                meant.push(*index);
            }
        }
        if self.whole && meant.is_empty() && known.len() < MOST_FORKS {
            let version = version.map(|version| format!(" {version}")).unwrap_or_default();
            let what = shown(&format!("{name}{version}"));
            let message = format!("the lock names `{what}`, which is not in it: it is cut off or edited");
            return Err(Error::usage(message).at(dependency.origin()));
        }
        Ok(meant)
    }
}

fn groups<'v, 't>(
    graph: &mut Graph,
    package: usize,
    table: &Entry<'v, 't>,
    packages: &Packages<'_, 'v, 't>,
) -> Result<()> {
    for (group, _) in table.toml.entries(table.table, &["dev-dependencies"])? {
        edges(graph, (package, Part::Group(group.to_owned())), &table.tables(group), packages)?;
    }
    Ok(())
}

/// Takes up dependencies, each a name with whatever tells it from others of that name.
fn edges<'v, 't>(
    graph: &mut Graph,
    (package, part): (usize, Part),
    dependencies: &[Entry<'v, 't>],
    packages: &Packages<'_, 'v, 't>,
) -> Result<()> {
    for dependency in dependencies {
        let Some(name) = dependency.string("name")? else { continue };
        let marker = packages.marker(dependency)?;
        let extras: Vec<String> = dependency.strings("extra")?.into_iter().map(str::to_owned).collect();
        for index in packages.meant(dependency, name)? {
            graph.add(
                package,
                part.clone(),
                Edge { package: index, extras: extras.clone(), marker: Rc::clone(&marker) },
            );
        }
    }
    Ok(())
}

/// What brings which package.
struct Reach<'a> {
    /// The names of the project's own packages.
    names: &'a [String],
    /// Without a choice, and with each.
    chosen: Vec<(Option<Choice>, HashMap<usize, Marker>)>,
}

impl<'a> Reach<'a> {
    fn of(graph: &Graph, names: &'a [String]) -> Self {
        let mut reach = Self { names, chosen: Vec::new() };
        let choices = graph.choices().into_iter().map(Some);
        let mut steps = 0;
        for choice in [None].into_iter().chain(choices) {
            let part = match &choice {
                None => Part::Own,
                Some(Choice { kind: ChoiceKind::Extra, name, .. }) => Part::Extra(name.clone()),
                Some(Choice { kind: ChoiceKind::Group, name, .. }) => Part::Group(name.clone()),
            };
            match graph.reach(&part, &|asked| reach.holds(asked, choice.as_ref()), &mut steps) {
                Some(packages) => reach.chosen.push((choice, packages)),
                None => return Self { names, chosen: Vec::new() },
            }
        }
        reach
    }

    /// Whether the extra or group `asked` is chosen where `choice` is. Those of other packages may be, or may be not.
    fn holds(&self, asked: &Choice, choice: Option<&Choice>) -> Option<bool> {
        let own = asked.package.as_ref().is_some_and(|package| self.names.contains(package));
        own.then(|| choice.is_some_and(|choice| choice.kind == asked.kind && choice.name == asked.name))
    }

    /// Where a package applies that belongs to the forks `own`, and what brings it.
    fn of_package(&self, index: usize, own: &Marker) -> (Marker, Vec<Choice>) {
        let with = |choice: Option<&Choice>, way: &Marker| {
            Marker::all([own.given(&|asked| self.holds(asked, choice)), way.clone()])
        };
        let ways = || self.chosen.iter().filter_map(|(choice, ways)| Some((choice.as_ref(), ways.get(&index)?)));
        let alone = ways().find(|(choice, _)| choice.is_none()).map_or(Marker::Never, |(_, way)| with(None, way));
        let chosen = ways().filter_map(|(choice, way)| Some((choice?.clone(), with(choice, way))));
        let brought = Brought::of(alone, chosen);
        if brought.marker == Marker::Never {
            // Nothing of the project leads to it: another member of the workspace does.
            return (own.given(&|_| None), Vec::new());
        }
        (brought.marker, brought.choices.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::samples::{account, alone, messages, packages};

    const FORKED: &str = r#"
version = 1
revision = 3
requires-python = ">=3.10"
conflicts = [[{ package = "app", extra = "cpu" }, { package = "app", extra = "gpu" }]]

[[package]]
name = "app"
version = "0.1.0"
source = { virtual = "." }
dependencies = [
    { name = "colorama", marker = "sys_platform == 'win32' or (extra == 'extra-3-app-cpu' and extra == 'extra-3-app-gpu')" },
    { name = "torch", version = "2.9.1", source = { registry = "https://pypi.example.org/simple" }, marker = "(extra == 'extra-3-app-cpu' and extra == 'extra-3-app-gpu') or (extra != 'extra-3-app-cpu' and extra != 'extra-3-app-gpu')" },
    { name = "torch", version = "2.9.1+cu128", source = { registry = "https://download.example.org/cu128" }, marker = "extra == 'extra-3-app-gpu'" },
]

[package.optional-dependencies]
cpu = [
    { name = "torch", version = "2.9.1", source = { registry = "https://download.example.org/cpu" }, marker = "sys_platform == 'darwin'" },
]
gpu = [
    { name = "torch", version = "2.9.1+cu128", source = { registry = "https://download.example.org/cu128" } },
]

[package.dev-dependencies]
dev = [{ name = "pytest", extra = ["cov"] }]

[[package]]
name = "colorama"
version = "0.4.6"
source = { registry = "https://pypi.example.org/simple" }
sdist = { url = "https://files.example.org/colorama-0.4.6.tar.gz", hash = "sha256:00", size = 1 }
wheels = [
    { url = "https://files.example.org/colorama-0.4.6-py2.py3-none-any.whl", hash = "sha256:01" },
    { url = "https://files.example.org/colorama-0.4.6-py3-none-any.whl" },
]

[[package]]
name = "coverage"
version = "7"
source = { registry = "https://user:secret@pypi.example.org/simple" }

[[package]]
name = "pytest"
version = "8"
source = { registry = "https://pypi.example.org/simple" }
dependencies = [{ name = "colorama", marker = "sys_platform == 'win32'" }]

[package.optional-dependencies]
cov = [{ name = "coverage" }]

[[package]]
name = "torch"
version = "2.9.1"
source = { registry = "https://pypi.example.org/simple" }
resolution-markers = [
    "python_full_version < '3.11' and sys_platform == 'linux' and extra != 'extra-3-app-cpu' and extra != 'extra-3-app-gpu'",
    "python_full_version < '3.11' and sys_platform != 'linux' and extra != 'extra-3-app-cpu' and extra != 'extra-3-app-gpu'",
]

[[package]]
name = "torch"
version = "2.9.1"
source = { registry = "https://download.example.org/cpu" }
resolution-markers = ["sys_platform == 'darwin'"]

[[package]]
name = "torch"
version = "2.9.1+cu128"
source = { registry = "https://download.example.org/cu128" }
"#;

    #[test]
    fn conflicting_extras_are_told_apart() {
        let project = alone(&[("uv.lock", FORKED)]).unwrap();
        assert_eq!(
            packages(&project),
            [
                "colorama 0.4.6 from https://pypi.example.org/simple #2 :29 ; sys_platform == 'win32'",
                "coverage 7 from https://pypi.example.org/simple {dev} #0 :39",
                "pytest 8 from https://pypi.example.org/simple {dev} #0 :44",
                "torch 2.9.1 from https://pypi.example.org/simple #0 :53 ; python_full_version < '3.11'",
                "torch 2.9.1 from https://download.example.org/cpu [cpu] #0 :62 ; sys_platform == 'darwin'",
                "torch 2.9.1+cu128 from https://download.example.org/cu128 [gpu] #0 :68",
            ]
        );
        assert_eq!(account(&project), (7, 7, 0));
        assert_eq!(project.locks[0].format.as_deref(), Some("1.3"));
        assert_eq!(project.python[0].specifiers.to_string(), ">=3.10");
        assert!(messages(&project).iter().any(|message| message.contains("password")), "{:?}", project.notes);
    }

    #[test]
    fn a_lock_alone_asks_with_extras_and_indexes() {
        let project = alone(&[("uv.lock", FORKED)]).unwrap();
        let torch: Vec<_> = project.requirements_on("torch").map(|r| (r.text.as_str(), r.extra.as_deref())).collect();
        assert_eq!(
            torch,
            [
                ("torch==2.9.1 ; python_full_version < '3.11'", None),
                ("torch==2.9.1 ; sys_platform == 'darwin'", Some("cpu")),
                ("torch==2.9.1+cu128", Some("gpu")),
            ]
        );
        let selectable: Vec<&str> = project.selectable.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(selectable, ["dev", "cpu", "gpu"]);
        let index = project.indexes.iter().find(|index| index.url.ends_with("cu128")).unwrap();
        assert!(index.explicit && index.bindings[0].extra.as_deref() == Some("gpu"), "{index:?}");
        assert!(project.indexes.iter().any(|index| index.url.contains("pypi") && !index.explicit));
    }

    const SOURCES: &str = r#"version = 1
[[package]]
name = "a"
version = "1"
source = { git = "https://host.example.org/a.git?subdirectory=sub&rev=main#0123" }
[[package]]
name = "b"
version = "1"
source = { url = "https://files.example.org/b-1-py3-none-any.whl" }
[[package]]
name = "c"
version = "1"
source = { editable = "packages/c" }
[[package]]
name = "d"
source = { directory = "../d" }
[[package]]
name = "e"
version = "1"
source = { virtual = "packages/e" }
[[package]]
name = "f"
version = "1"
source = { registry = "wheels" }
[[package]]
name = "g"
source = { git = "ssh://git@host.example.org/g?branch=x" }
"#;

    #[test]
    fn every_source_is_read() {
        let member = ("packages/c/pyproject.toml", "[project]\nname = 'c'\nversion = '1'");
        let project = alone(&[("uv.lock", SOURCES), member]).unwrap();
        assert_eq!(
            packages(&project),
            [
                "a 1 at git https://host.example.org/a.git 0123 sub #0 :3",
                "b 1 at https://files.example.org/b-1-py3-none-any.whl #0 :7",
                "c 1 in packages/c #0 :11",
                "f 1 from wheels #0 :22",
                "g at git ssh://git@host.example.org/g x - #0 :26",
            ]
        );
        assert_eq!(account(&project), (7, 6, 1));
        assert!(messages(&project)[0].contains("`d` is left out: `../d` leads out"), "{:?}", project.notes);
        let texts: Vec<&str> = project.requirements.iter().map(|r| r.text.as_str()).collect();
        assert_eq!(
            texts,
            [
                "a @ git+https://host.example.org/a.git@0123#subdirectory=sub",
                "b @ https://files.example.org/b-1-py3-none-any.whl",
                "c @ file:./packages/c",
                "f==1",
                "g @ git+ssh://git@host.example.org/g@x",
            ]
        );
    }

    #[test]
    fn a_workspace_without_a_root_is_all_its_members() {
        let lock = r#"version = 1
[manifest]
members = ["m", "n"]
[manifest.dependency-groups]
lint = [{ name = "ruff" }]
[[package]]
name = "m"
source = { virtual = "m" }
dependencies = [{ name = "x", marker = "os_name == 'nt'" }]
[[package]]
name = "n"
source = { virtual = "n" }
[package.optional-dependencies]
gpu = [{ name = "y" }]
[[package]]
name = "ruff"
version = "1"
source = { registry = "r" }
[[package]]
name = "x"
version = "1"
source = { registry = "r" }
[[package]]
name = "y"
version = "1"
source = { registry = "r" }
"#;
        let project = alone(&[("uv.lock", lock)]).unwrap();
        assert_eq!(
            packages(&project),
            ["ruff 1 from r {lint} #0 :16", "x 1 from r #0 :20 ; os_name == 'nt'", "y 1 from r [gpu] #0 :24",]
        );
    }

    #[test]
    fn what_is_wrong_has_its_line() {
        for (text, expected) in [
            (
                "version = 1\n[[package]]\nname = 'a'\nversion = 'x'\nsource = { registry = 'r' }",
                "uv.lock:3: `x` is not a version",
            ),
            ("version = 1\n[[package]]\nname = 'a'\n", "uv.lock:3: `a` has no `source`"),
            ("version = 1\n[[package]]\nversion = '1'\n", "uv.lock:2: a package without a `name`"),
            ("version = 1\npackage = 3", "uv.lock:2: `package` must be an array of tables, not integer"),
            ("[[package]]\nname = 'a'", "uv.lock:1: `uv.lock` says no `version`, as every lock of uv does"),
            ("version = 1\n[[package]]\nname = 'a'\nsource = { regis", "uv.lock:4: this is not TOML"),
            (
                "version = 1\n[[package]]\nname = 'a'\nsource = { virtual = '.' }\ndependencies = [\n{ name = 'b' }]",
                "uv.lock:6: the lock names `b`, which is not in it: it is cut off or edited",
            ),
            (
                "version = 1\n[[package]]\nname = 'a'\nversion = '1'\nsource = { virtual = '.' }\n[package.dev-dependencies]\nx = [\n{ name = 'a', version = '2' }]",
                "uv.lock:8: the lock names `a 2`, which is not in it",
            ),
            ("version = 1\n[[package]]\nname = 'a'\nsource = { registry = 'r' }", "uv.lock:3: `a` has no `version`"),
            (
                "version = 1\n[[package]]\nname = 'a'\nsource = { registry = 'r' }\nresolution-markers = ['a b']",
                "uv.lock:3: `a b` is not a marker",
            ),
        ] {
            let error = alone(&[("uv.lock", text)]).unwrap_err();
            assert!(error.to_string().starts_with(expected), "{error}");
            assert!(error.hint.as_ref().is_some_and(|hint| hint.contains("`uv lock`")), "{:?}", error.hint);
        }
        let project = alone(&[("uv.lock", "version = 7\n")]).unwrap();
        assert!(messages(&project)[0].starts_with("version 7 of the lock's format is not known"));
    }

    #[test]
    fn a_tangle_of_edges_ends() {
        let names: Vec<String> =
            (0..60).map(|n| format!("{{ name = 'p{n}', marker = \"os_name == '{n}'\" }}")).collect();
        let edges = names.join(", ");
        let package = |name: &str, source: &str| {
            format!("[[package]]\nname = '{name}'\nversion = '1'\nsource = {source}\ndependencies = [{edges}]\n")
        };
        let packages_of_it = (0..60).map(|n| package(&format!("p{n}"), "{ registry = 'r' }"));
        let lock: String =
            ["version = 1\n".to_owned(), package("r", "{ virtual = '.' }")].into_iter().chain(packages_of_it).collect();
        let project = alone(&[("uv.lock", &lock)]).unwrap();
        assert_eq!(packages(&project).len(), 60);
    }

    proptest! {
        #[test]
        fn no_lock_ends_the_reader(lines in proptest::collection::vec(r#"(\[\[package\]\]|\[package\.(dev|optional)-dependencies\]|name = "(a|b)"|version = ("?1"?|[a-z])|source = \{ (registry|git|virtual|path|url) = "[.a-z:/@#?]{0,8}" \}|(dependencies|dev|wheels) = \[\{ name = "(a|b)", marker = "extra == 'extra-1-a-x'", extra = \["x"\] \}\]|resolution-markers = \["[a-z '=()]{0,12}"\]|.{0,10})"#, 0..12)) {
            let _ = alone(&[("uv.lock", &format!("version = 1\n{}", lines.join("\n")))]);
        }
    }
}
