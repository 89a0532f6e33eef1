//! What comes as JSON: an environment file of sconce, and the lists of `pip inspect`, `pip list --format json` and
//! `conda list --json`.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::LazyLock;

use pep440_rs::Version;
use regex::Regex;
use serde_json::{Deserializer, Map, Value};

use super::package::{Entry, is_word, package, without_credentials};
use super::{Line, List};
use crate::model::{
    Environment, Error, Installed, Manager, Origin, PartKind, Result, Stated, System, SystemFamily, printable,
};
use crate::reported::Section;

#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static NAME: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#""name"\s*:\s*"([^"\\]*)""#).unwrap());

/// What the JSON says that begins with the first of `lines`: `None` where it is nothing that is known here.
pub(super) fn read(lines: &[Line<'_>], file: &str) -> Option<Result<List>> {
    if !lines.first()?.text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    let text = lines.iter().map(|line| line.text).collect::<Vec<_>>().join("\n");
    let mut stream = Deserializer::from_str(&text).into_iter::<Value>();
    let value = stream.next()?.ok()?;
    let end = text[..stream.byte_offset()].lines().count();
    let lines = &lines[..end];
    let reader = Reader { file, first: lines[0].number, numbers: numbers(lines) };
    let (kind, environment) = match &value {
        Value::Object(object) if object.contains_key("installed") && object.contains_key("version") => {
            (PartKind::PipInspect, reader.inspected(object))
        }
        Value::Object(object) if is_environment(object) => match environment(value, &text, reader.first, file) {
            Ok(environment) => (PartKind::EnvironmentFile, environment),
            Err(error) => return Some(Err(error)),
        },
        Value::Array(rows) => {
            let is_conda = rows.first().is_some_and(|row| row.get("build_string").is_some());
            let kind = if is_conda { PartKind::CondaList } else { PartKind::PipInspect };
            let packages = rows.iter().filter_map(|row| reader.row(row)).collect();
            (kind, Environment { packages, ..Environment::default() })
        }
        _ => return None,
    };
    if environment.is_empty() {
        return None;
    }
    Some(Ok(List { kind, lines: end, section: Section { environment, notes: Vec::new() } }))
}

/// Whether an object means to be an environment file: it has its facts, by their names.
fn is_environment(object: &Map<String, Value>) -> bool {
    const FACTS: [&str; 8] = ["torch", "python", "system", "packages", "needs", "variables", "architecture", "libc"];
    let stated = |value: &Value| {
        value.get("origin").is_some()
            || value.as_array().is_some_and(|all| all.iter().any(|it| it.get("origin").is_some()))
    };
    let needs = object.get("needs").and_then(Value::as_object).is_some_and(|needs| needs.values().any(stated));
    needs || object.iter().any(|(key, value)| FACTS.contains(&key.as_str()) && stated(value))
}

fn environment(value: Value, text: &str, first: usize, file: &str) -> Result<Environment> {
    let mut environment: Environment =
        serde_json::from_value(value).map_err(|error| damaged(&error, text, first, file))?;
    for package in &mut environment.packages {
        if !is_word(&package.name) || !(package.version.is_empty() || is_word(&package.version)) {
            let shown = printable(&format!("{} {}", package.name, package.version));
            return Err(Error::usage(format!("`{shown}` is no package")).at(Origin::file(file, first)));
        }
        package.source = package.source.as_deref().map(without_credentials);
    }
    Ok(environment)
}

/// Why an environment file cannot be read. The text is parsed once more, for only that knows the line.
fn damaged(error: &serde_json::Error, text: &str, first: usize, file: &str) -> Error {
    let again = Deserializer::from_str(text).into_iter::<Environment>().next().and_then(std::result::Result::err);
    let error = again.as_ref().unwrap_or(error);
    let origin = Origin::file(file, first + error.line().saturating_sub(1));
    let why = printable(&error.to_string());
    Error::usage(format!("the environment file is not as sconce writes them: {why}")).at(origin).with_hint(
        "write it anew with `sconce reproduce --from-image IMAGE`; docs/environment.schema.json says what it holds",
    )
}

/// The line of each package, by its name; the first where there are two.
fn numbers(lines: &[Line<'_>]) -> HashMap<String, usize> {
    let mut numbers = HashMap::new();
    for line in lines {
        for name in NAME.captures_iter(line.text) {
            numbers.entry(name[1].to_owned()).or_insert(line.number);
        }
    }
    numbers
}

struct Reader<'a> {
    file: &'a str,
    first: usize,
    numbers: HashMap<String, usize>,
}

impl Reader<'_> {
    fn origin(&self, name: &str) -> Origin {
        Origin::file(self.file, self.numbers.get(name).copied().unwrap_or(self.first))
    }

    /// A row of `pip list --format json` or `conda list --json`.
    fn row(&self, row: &Value) -> Option<Installed> {
        let text = |key: &str| row.get(key).and_then(Value::as_str);
        let (name, version) = (text("name")?, text("version")?);
        let (build, channel) = (text("build_string"), text("channel"));
        let is_conda = build.is_some() && channel != Some("pypi");
        let manager = if is_conda { Manager::Conda } else { Manager::Pip };
        let installed = package(Entry { name, version, manager, origin: self.origin(name) })?;
        let build = build.filter(|_| is_conda).map(str::to_owned);
        let channel = channel.filter(|_| is_conda).map(without_credentials);
        let source = text("editable_project_location").map(without_credentials);
        Some(Installed { build, channel, source, ..installed })
    }

    /// What `pip inspect` writes: the distributions, and the values of environment markers
    /// (<https://pip.pypa.io/en/stable/reference/inspect-report/>).
    fn inspected(&self, object: &Map<String, Value>) -> Environment {
        let rows = object.get("installed").and_then(Value::as_array);
        let packages = rows.into_iter().flatten().filter_map(|row| self.distribution(row)).collect();
        let markers = object.get("environment").and_then(Value::as_object);
        let marker =
            |key: &str| markers.and_then(|markers| markers.get(key)?.as_str()).filter(|value| !value.is_empty());
        let origin = Origin::file(self.file, self.first);
        let stated = |text: &str| Stated::new(printable(text), origin.clone());
        let python = marker("python_full_version").and_then(|version| Version::from_str(version).ok());
        Environment {
            python: python.map(|version| Stated::new(version, origin.clone())),
            kernel: marker("platform_release").filter(|_| marker("sys_platform") == Some("linux")).map(stated),
            architecture: marker("platform_machine").map(|machine| stated(architecture(machine))),
            system: marker("platform_system").map(|name| Stated::new(system(name), origin.clone())),
            packages,
            ..Environment::default()
        }
    }

    fn distribution(&self, row: &Value) -> Option<Installed> {
        let metadata = row.get("metadata")?;
        let text = |key: &str| metadata.get(key).and_then(Value::as_str);
        let name = text("name")?;
        let version = text("version")?;
        let is_conda = row.get("installer").and_then(Value::as_str) == Some("conda");
        let manager = if is_conda { Manager::Conda } else { Manager::Pip };
        let installed = package(Entry { name, version, manager, origin: self.origin(name) })?;
        Some(Installed { source: row.get("direct_url").and_then(direct), ..installed })
    }
}

/// The source of a direct URL (<https://packaging.python.org/en/latest/specifications/direct-url-data-structure/>), written as
/// `pip freeze` does.
fn direct(direct: &Value) -> Option<String> {
    let url = without_credentials(direct.get("url")?.as_str()?);
    let Some(vcs) = direct.get("vcs_info") else { return Some(url) };
    let text = |key: &str| vcs.get(key).and_then(Value::as_str);
    let commit = text("commit_id").map_or(String::new(), |commit| format!("@{commit}"));
    Some(format!("{}+{url}{commit}", text("vcs")?))
}

/// The architecture as engines name it.
fn architecture(machine: &str) -> &str {
    match machine {
        "x86_64" | "AMD64" => "amd64",
        "aarch64" | "ARM64" => "arm64",
        other => other,
    }
}

/// A system of which only the name is known.
fn system(name: &str) -> System {
    let family = match name {
        "Linux" => SystemFamily::Linux,
        "Darwin" => SystemFamily::Macos,
        "Windows" => SystemFamily::Windows,
        _ => SystemFamily::Other,
    };
    System { family, distribution: None, release: None, wsl: false, text: printable(name) }
}
