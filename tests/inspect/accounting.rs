//! Nothing is dropped: what the files hold, counted here in the simplest way, against the accounts that sconce gives.

use std::fs;
use std::path::Path;

use sconce::model::{FileRead, Project};
use serde_json::Value;
use toml::{Table, Value as Toml};
use walkdir::WalkDir;

use super::projects::names;
use super::{folder, read, shown};

/// The account of `file`, where it was read.
fn account<'p>(project: &'p Project, file: &str) -> Option<&'p FileRead> {
    project.read.iter().find(|read| read.path == file)
}

fn project(name: &str, from: &[&str]) -> Project {
    read(name, from).unwrap_or_else(|error| panic!("{name}: {}", shown(&error)))
}

/// Files of a project whose names fit, relative to it.
fn files(name: &str, fits: impl Fn(&str) -> bool) -> Vec<String> {
    let root = folder(name);
    let files = WalkDir::new(&root).sort_by_file_name().into_iter().map(Result::unwrap);
    let files = files.filter(|file| file.file_type().is_file());
    let paths = files.map(|file| file.path().strip_prefix(&root).unwrap().to_str().unwrap().to_owned());
    paths.filter(|path| fits(path)).collect()
}

fn has_ending(path: &str, ending: &str) -> bool {
    Path::new(path).extension().is_some_and(|found| found == ending)
}

fn text(name: &str, file: &str) -> String {
    let bytes = fs::read(folder(name).join(file)).unwrap();
    match bytes.strip_prefix(b"\xff\xfe") {
        Some(units) => {
            let units: Vec<u16> = units.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
            String::from_utf16(&units).unwrap()
        }
        None => String::from_utf8(bytes).unwrap(),
    }
}

/// Logical lines of a requirements file: continued ones are one, comments and blanks none.
fn logical_lines(text: &str) -> usize {
    let mut count = 0;
    let mut begun = String::new();
    for line in text.lines().chain([""]) {
        let is_comment = line.trim_start().starts_with('#');
        match line.strip_suffix('\\') {
            Some(part) if !is_comment => begun.push_str(part),
            _ => {
                let line = if is_comment { "" } else { line };
                let whole = format!("{begun}{line}");
                let content = whole.split(" #").next().unwrap_or_default().split("\t#").next().unwrap_or_default();
                count += usize::from(!content.trim().is_empty());
                begun.clear();
            }
        }
    }
    count
}

#[test]
fn the_counter_of_lines_is_right() {
    assert_eq!(logical_lines("a\n# b\n\n  c # d\ne#egg=f\ng \\\n  --hash=h \\\n  --hash=i\n # j \\\nk"), 5);
}

#[test]
fn every_account_adds_up() {
    for name in names() {
        let project = project(name, &[]);
        for read in &project.read {
            assert_eq!(read.facts + read.noted, read.entries, "{name}: {read:?}");
        }
        for note in &project.notes {
            assert!(!note.message.contains("defect of sconce"), "{name}: {}", note.message);
        }
        // Whoever read a manifest or a lock gave account of it.
        let sources = project.manifests.iter().map(|manifest| &manifest.path);
        for path in sources.chain(project.locks.iter().map(|lock| &lock.path)) {
            let is_file = folder(name).join(path).is_file();
            assert!(!is_file || account(&project, path).is_some(), "{name}: no account of {path}");
        }
    }
}

#[test]
fn every_line_of_every_requirements_file_is_counted() {
    let mut seen = 0;
    for name in names() {
        let is_one = |path: &str| {
            has_ending(path, "txt") && (path.contains("requirements") || path.starts_with("deps/"))
                || path.ends_with("requirements.in")
        };
        for file in files(name, is_one).iter().filter(|file| !file.contains("node_modules")) {
            let project = project(name, &[file]);
            for read in project.read.iter().filter(|read| is_one(&read.path)) {
                assert_eq!(read.entries, logical_lines(&text(name, &read.path)), "{name}: {read:?}");
            }
            assert!(account(&project, file).is_some(), "{name}: no account of {file}");
            seen += 1;
        }
    }
    assert!(seen >= 30, "{seen}");
}

/// The value at a path of keys.
fn at<'t>(table: &'t Table, path: &[&str]) -> Option<&'t Toml> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(table.get(*first)?, |value, key| value.get(*key))
}

/// The names beneath a path.
fn keys(table: &Table, path: &[&str]) -> Vec<String> {
    at(table, path).and_then(Toml::as_table).map(|table| table.keys().cloned().collect()).unwrap_or_default()
}

/// How many requirements stand at a path: items of an array, or keys of a table.
fn items(table: &Table, path: &[&str]) -> usize {
    match at(table, path) {
        Some(Toml::Array(items)) => items.len(),
        Some(Toml::Table(table)) => table.len(),
        _ => 0,
    }
}

fn items_beneath(table: &Table, path: &[&str], rest: &[&str]) -> usize {
    let paths = keys(table, path);
    paths.iter().map(|key| items(table, &[path, &[key.as_str()], rest].concat())).sum()
}

/// The requirements of `[project]`, its extras and its groups, and those that uv adds.
fn of_pyproject(table: &Table) -> usize {
    items(table, &["project", "dependencies"])
        + items_beneath(table, &["project", "optional-dependencies"], &[])
        + items_beneath(table, &["dependency-groups"], &[])
        + items(table, &["tool", "uv", "dev-dependencies"])
        + items(table, &["tool", "uv", "constraint-dependencies"])
        + items(table, &["tool", "uv", "override-dependencies"])
        + items_beneath(table, &["tool", "pdm", "dev-dependencies"], &[])
}

fn of_poetry(table: &Table) -> usize {
    let poetry = ["tool", "poetry"];
    items(table, &["tool", "poetry", "dependencies"])
        + items(table, &["tool", "poetry", "dev-dependencies"])
        + items_beneath(table, &[&poetry[..], &["group"]].concat(), &["dependencies"])
}

fn of_pixi(table: &Table, prefix: &[&str]) -> usize {
    let kinds = ["dependencies", "pypi-dependencies", "host-dependencies", "build-dependencies"];
    let beneath = |key: &str, kind: &str| items_beneath(table, &[prefix, &[key]].concat(), &[kind]);
    kinds
        .iter()
        .map(|kind| items(table, &[prefix, &[kind]].concat()) + beneath("feature", kind) + beneath("target", kind))
        .sum()
}

fn of_pipfile(table: &Table) -> usize {
    let settings = ["source", "requires", "scripts", "pipenv"];
    table
        .iter()
        .filter(|(key, _)| !settings.contains(&key.as_str()))
        .filter_map(|(_, v)| v.as_table())
        .map(Table::len)
        .sum()
}

/// A count of the requirements in the manifests of a name: there may be more entries (indexes, sources), never fewer.
fn at_least(file: &str, table: &Table) -> usize {
    match file {
        "pixi.toml" => of_pixi(table, &[]),
        "Pipfile" => of_pipfile(table),
        _ if at(table, &["tool", "pixi"]).is_some() => of_pyproject(table) + of_pixi(table, &["tool", "pixi"]),
        _ => of_pyproject(table) + of_poetry(table),
    }
}

#[test]
fn every_requirement_of_the_toml_manifests_is_counted() {
    let mut seen = 0;
    for name in names() {
        for file in files(name, |path| matches!(path, "pyproject.toml" | "pixi.toml" | "Pipfile")) {
            let table: Table = text(name, &file).parse().unwrap();
            let expected = at_least(&file, &table);
            if expected == 0 {
                continue;
            }
            let project = project(name, &[&file]);
            let read = account(&project, &file).unwrap_or_else(|| panic!("{name}: no account of {file}"));
            assert!(read.entries >= expected, "{name}: {expected} requirements in {read:?}");
            seen += 1;
        }
    }
    assert!(seen >= 17, "{seen}");
}

/// Each requirement of an array is answered on its own line.
#[test]
fn every_line_of_a_dependency_array_is_answered() {
    for name in names() {
        for file in files(name, |path| path == "pyproject.toml") {
            let text = text(name, &file);
            let table: Table = text.parse().unwrap();
            if of_pyproject(&table) == 0 {
                continue;
            }
            let told = serde_json::to_value(project(name, &[&file])).unwrap();
            for line in array_lines(&text) {
                let origin = serde_json::json!({"kind": "file", "file": file, "line": line});
                assert!(holds(&told, &origin), "{name}: line {line} of {file} is dropped");
            }
        }
    }
}

/// The lines that hold nothing but a string, within the dependency arrays of a `pyproject.toml` as formatters write it.
fn array_lines(text: &str) -> Vec<usize> {
    let tables = ["[project]", "[project.optional-dependencies]", "[dependency-groups]"];
    let (mut in_table, mut in_array) = (false, false);
    let mut lines = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        let trimmed = line.trim();
        if line.starts_with('[') {
            in_table = tables.contains(&trimmed);
        } else if in_table && line.trim_end().ends_with("= [") {
            in_array = !["classifiers", "keywords", "authors", "dynamic"].iter().any(|key| line.starts_with(key));
        } else if line.starts_with(']') {
            in_array = false;
        } else if in_table && in_array && trimmed.starts_with(['"', '\'']) {
            lines.push(number);
        }
    }
    lines
}

fn holds(value: &Value, wanted: &Value) -> bool {
    value == wanted
        || match value {
            Value::Array(items) => items.iter().any(|item| holds(item, wanted)),
            Value::Object(fields) => fields.values().any(|field| holds(field, wanted)),
            _ => false,
        }
}

/// How many packages a lock holds.
fn locked(file: &str, text: &str) -> usize {
    match Path::new(file).file_name().unwrap().to_str().unwrap() {
        "Pipfile.lock" => {
            let document: Value = serde_json::from_str(text).unwrap();
            let categories = document.as_object().unwrap().iter().filter(|(key, _)| *key != "_meta");
            categories.map(|(_, packages)| packages.as_object().unwrap().len()).sum()
        }
        "pixi.lock" => {
            let (_, packages) = text.split_once("\npackages:\n").unwrap();
            packages.lines().filter(|line| line.starts_with("- ")).count()
        }
        _ => text.lines().filter(|line| matches!(*line, "[[package]]" | "[[packages]]")).count(),
    }
}

#[test]
fn every_package_of_every_lock_is_counted() {
    let mut seen = 0;
    for name in names() {
        let project = project(name, &[]);
        let is_lock = |path: &str| has_ending(path, "lock") || path == "pylock.toml";
        for file in files(name, is_lock) {
            let read = account(&project, &file).unwrap_or_else(|| panic!("{name}: no account of {file}"));
            let packages = locked(&file, &text(name, &file));
            // What else it says, such as the version of Python, is counted besides.
            assert!(read.entries >= packages, "{name}: {packages} packages in {read:?}");
            let lock = project.locks.iter().find(|lock| lock.path == file);
            let lock = lock.unwrap_or_else(|| panic!("{name}: {file} pins nothing"));
            // The project itself may be one of them, and conda's libraries are no distributions.
            let elsewhere = project.system.iter().filter(|hint| hint.origin.to_string().starts_with(&file)).count();
            assert!(
                lock.packages.len() + elsewhere + read.noted + 1 >= packages,
                "{name}: {packages} packages in {read:?}"
            );
            seen += 1;
        }
    }
    assert_eq!(seen, 10);
}
