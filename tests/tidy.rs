//! The house's own rules: its layers, its measures, and what must never be committed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use regex::Regex;
use walkdir::WalkDir;

/// Each module of the library and its layer: it sees the layers below, and of its own only itself.
const LAYERS: [(&str, usize); 12] = [
    ("model", 0),
    ("catalogue", 1),
    ("engine", 1),
    ("report", 1),
    ("inspect", 2),
    ("plan", 2),
    ("render", 2),
    ("diagnose", 2),
    ("reported", 2),
    ("compare", 2),
    ("verify", 3),
    ("ops", 4),
];

/// Crates that only one room of the house knows.
const HOMES: [(&str, &str); 18] = [
    ("bollard", "src/engine/docker/"),
    ("hyper", "src/engine/docker/"),
    ("hyper_util", "src/engine/docker/"),
    ("tonic", "src/engine/docker/"),
    ("tower_service", "src/engine/docker/"),
    ("tera", "src/render/"),
    ("similar", "src/ops/"),
    ("askama", "src/report/"),
    ("quick_junit", "src/report/"),
    ("anstream", "src/bin/sconce/"),
    ("clap", "src/bin/sconce/"),
    ("clap_complete", "src/bin/sconce/"),
    ("clap_mangen", "src/bin/sconce/"),
    ("indicatif", "src/bin/sconce/"),
    ("mimalloc", "src/bin/sconce/"),
    ("shlex", "src/bin/sconce/ src/catalogue/"),
    ("terminal_size", "src/bin/sconce/"),
    ("anstyle", "src/report/ src/bin/sconce/"),
];

const LONGEST_FILE: usize = 600;
const LONGEST_FUNCTION: usize = 65;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A source file: its path from the root, with `/`, and its text.
struct Source {
    path: String,
    text: String,
}

impl Source {
    /// The text without the tests at its end.
    fn product(&self) -> &str {
        let end = self.text.find("#[cfg(test)]\nmod tests {").unwrap_or(self.text.len());
        &self.text[..end]
    }

    /// The lines of the product that are not comments, with their numbers.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.product().lines().enumerate().map(|(index, line)| (index + 1, line));
        lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// The module of the library that it belongs to.
    fn module(&self) -> Option<&str> {
        let rest = self.path.strip_prefix("src/")?;
        let module = rest.split(['/', '.']).next()?;
        LAYERS.iter().find(|(name, _)| *name == module).map(|(name, _)| *name)
    }

    fn is_library(&self) -> bool {
        !self.path.starts_with("src/bin/")
    }
}

fn sources() -> Vec<Source> {
    let files = WalkDir::new(root().join("src")).sort_by_file_name().into_iter().map(Result::unwrap);
    let sources = files.filter(|file| file.path().extension().is_some_and(|extension| extension == "rs")).map(|file| {
        let path = file.path().strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
        Source { path, text: fs::read_to_string(file.path()).unwrap() }
    });
    let sources: Vec<Source> = sources.collect();
    assert!(sources.len() > LAYERS.len(), "the sources were not found");
    sources
}

/// The modules that a text names by `crate::`, also in groups such as `use crate::{model::Plan, engine}`.
fn named_modules(text: &str) -> Vec<String> {
    static PATH: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\bcrate::(?:(\w+)|\{)").unwrap());
    let mut modules = Vec::new();
    for captures in PATH.captures_iter(text) {
        match captures.get(1) {
            Some(module) => modules.push(module.as_str().to_owned()),
            None => modules.extend(first_segments(&text[captures.get(0).unwrap().end()..])),
        }
    }
    modules
}

/// The first segments of the paths of a `{…}` group, from behind its opening brace.
fn first_segments(group: &str) -> Vec<String> {
    let mut depth = 0_usize;
    let mut segments = vec![String::new()];
    let mut in_segment = true;
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                segments.push(String::new());
                in_segment = true;
            }
            ':' => in_segment = false,
            c if in_segment && depth == 0 && (c.is_alphanumeric() || c == '_') => {
                segments.last_mut().unwrap().push(c);
            }
            _ => {}
        }
    }
    segments.retain(|segment| !segment.is_empty());
    segments
}

#[test]
fn each_layer_sees_only_those_below() {
    let layers = BTreeMap::from(LAYERS);
    let mut broken = Vec::new();
    for source in sources() {
        let Some(module) = source.module() else { continue };
        let code = source.code().map(|(_, line)| line).collect::<Vec<_>>().join("\n");
        for other in named_modules(&code).iter().filter(|other| *other != module) {
            match layers.get(other.as_str()) {
                Some(layer) if *layer < layers[module] => {}
                Some(_) => broken.push(format!("{}: `{module}` must not see `{other}`", source.path)),
                None => broken.push(format!("{}: `{other}` has no layer", source.path)),
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_reader_of_paths_sees_through_groups() {
    let text = "use crate::model::Plan;\nuse crate::{engine::{Engine, Event}, plan};\nfn f() -> crate::ops::X {}";
    assert_eq!(named_modules(text), ["model", "engine", "plan", "ops"]);
}

#[test]
fn each_crate_stays_in_its_room() {
    let mut broken = Vec::new();
    let sources = sources();
    for (name, homes) in HOMES {
        let used = Regex::new(&format!(r"(?:^|[^\w:]){name}::")).unwrap();
        for source in &sources {
            let at_home = homes.split(' ').any(|home| source.path.starts_with(home));
            if let Some((line, _)) = source.code().find(|(_, line)| !at_home && used.is_match(line)) {
                broken.push(format!("{}:{line}: `{name}` is for {homes} alone", source.path));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_library_neither_prints_nor_exits_nor_reads_the_environment() {
    let forbidden = Regex::new(
        r"\b(?:e?print(?:ln)?!|dbg!|process::(?:exit|abort)\b|env::(?:vars?(?:_os)?|args(?:_os)?|home_dir|temp_dir)\b)|std::io::std(?:in|out|err)\b",
    )
    .unwrap();
    let mut broken = Vec::new();
    for source in sources().iter().filter(|source| source.is_library()) {
        for (number, line) in source.code().filter(|(_, line)| forbidden.is_match(line)) {
            broken.push(format!("{}:{number}: {}", source.path, line.trim()));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn files_are_short() {
    let long = sources().into_iter().map(|source| (source.product().lines().count(), source.path));
    let long: Vec<_> = long.filter(|(lines, _)| *lines > LONGEST_FILE).collect();
    assert!(long.is_empty(), "more than {LONGEST_FILE} lines: {long:?}");
}

/// The functions of a text with their lengths in lines. Braces in strings and comments count too: this is a measure, and
/// they nearly always come in pairs.
fn functions(text: &str) -> Vec<(String, usize)> {
    static HEAD: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^\s*(?:pub\S* )?(?:const |async )*fn (\w+)").unwrap());
    let lines: Vec<&str> = text.lines().collect();
    let mut functions = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let Some(captures) = HEAD.captures(line) else { continue };
        let mut depth = 0_i32;
        for (length, line) in lines[start..].iter().enumerate() {
            depth +=
                i32::try_from(line.matches('{').count()).unwrap() - i32::try_from(line.matches('}').count()).unwrap();
            let ends = line.contains('}') || line.trim_end().ends_with(';');
            if depth <= 0 && ends {
                functions.push((captures[1].to_owned(), length + 1));
                break;
            }
        }
    }
    functions
}

#[test]
fn nearly_all_functions_are_short() {
    let mut all = 0;
    let mut long = Vec::new();
    for source in sources() {
        for (name, lines) in functions(source.product()) {
            all += 1;
            if lines > LONGEST_FUNCTION {
                long.push(format!("{}: `{name}` has {lines} lines", source.path));
            }
        }
    }
    assert!(long.len() * 100 <= all, "more than 1 % of {all} functions are long:\n{}", long.join("\n"));
}

#[test]
fn the_counter_of_lines_finds_the_end_of_a_function() {
    let text = "fn a() {\n    if x {\n    }\n}\n\ntrait T {\n    fn b(\n        x: u8,\n    );\n    fn c() {}\n}\n";
    assert_eq!(functions(text), [("a".to_owned(), 4), ("b".to_owned(), 3), ("c".to_owned(), 1)]);
}

/// Every file that is, or is about to be, committed.
fn committed() -> Vec<PathBuf> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git");
    assert!(output.status.success(), "the tests run in a clone of the repository");
    let names = String::from_utf8(output.stdout).unwrap();
    names
        .split('\0')
        .filter(|name| !name.is_empty())
        .map(|name| root().join(name))
        .filter(|path| path.is_file())
        .collect()
}

/// Hosts of registries change, are mirrored and forbidden: the tools know theirs, and configuration names others. And a
/// path of somebody's machine means nothing on another.
#[test]
fn nothing_committed_names_a_registry_or_somebody_s_machine() {
    // In pieces, so that this file does not name them itself.
    let hosts = [
        ["pypi", "org"].join("."),
        ["files.pythonhosted", "org"].join("."),
        ["download.pytorch", "org"].join("."),
        ["index.crates", "io"].join("."),
        ["static.crates", "io"].join("."),
        ["deb.debian", "org"].join("."),
        ["security.debian", "org"].join("."),
    ];
    let here = root().to_str().unwrap();
    let mut found = Vec::new();
    for path in committed() {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        for needle in hosts.iter().map(String::as_str).chain([here]) {
            if let Some(line) = text.lines().position(|line| line.contains(needle)) {
                found.push(format!("{}:{}: {needle}", path.strip_prefix(root()).unwrap().display(), line + 1));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_public_module_is_in_a_layer() {
    let map = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let modules: Vec<&str> = map.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let mut layered: Vec<&str> = LAYERS.iter().map(|(name, _)| *name).collect();
    layered.sort_unstable();
    assert_eq!(modules, layered);
}
