//! The tables of `pip list` and `uv pip list`, and what `pip show` writes.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::LazyLock;

use pep440_rs::Version;
use regex::Regex;

use super::package::{Entry, is_word, package, without_credentials};
use super::{Line, List};
use crate::model::{Environment, Installed, Manager, Origin, PartKind, Stated};
use crate::reported::Section;

/// How many rows tell a table that lost its head.
const HEADLESS: usize = 3;

#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static HEAD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"^\s*Package\s+Version(?:\s+(?:Latest|Type))*(?:\s+(?:Editable project )?[Ll]ocation)?(?:\s+Installer)?\s*$",
    )
    .unwrap()
});

#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static RULE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^\s*-{2,}(?:\s+-{2,})*\s*$").unwrap());

#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static ROW: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)(?:\s+\(?([0-9][A-Za-z0-9.!+_-]*)\)?)(?:\s+(/\S.*|[A-Za-z]:\\.*|\w+\+\S+|https?:\S+))?(?:\s+(?:pip|uv|conda|poetry))?\s*$").unwrap()
});

#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static USING: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^Using Python (3\.\d+(?:\.\d+)?\w*)(?: environment)?(?: at:? .*)?$").unwrap());

/// What every environment with torch has: a table without a head that names none of them may be about anything.
const TELLING: [&str; 6] = ["torch", "numpy", "pip", "setuptools", "triton", "typing-extensions"];

/// The table that begins with the first of `lines`, by its head or by its rows.
pub(super) fn read(lines: &[Line<'_>], file: &str, alone: bool) -> Result<List, usize> {
    let first = lines[0];
    let mut environment = Environment::default();
    let mut at = 0;
    if let Some(python) = USING.captures(first.text.trim()) {
        let version = Version::from_str(&python[1]).map_err(|_| 1_usize)?;
        environment.python = Some(Stated::new(version, Origin::file(file, first.number)));
        at = 1;
    }
    let has_head = lines.get(at).is_some_and(|line| HEAD.is_match(line.text));
    at += usize::from(has_head);
    let mut end = at;
    for (index, line) in lines.iter().enumerate().skip(at) {
        let Some(installed) = row(*line, file) else {
            let skipped = has_head && index == end && environment.packages.is_empty() && index < at + 2;
            if skipped && (RULE.is_match(line.text) || line.text.trim().is_empty()) {
                end = index + 1;
                continue;
            }
            break;
        };
        environment.packages.push(installed);
        end = index + 1;
    }
    if !has_head {
        let telling = environment.packages.iter().any(|package| TELLING.contains(&package.name.as_str()));
        let is_torch = |package: &Installed| package.name == "torch" && package.version.matches('.').count() >= 2;
        let is_enough = environment.packages.len() >= HEADLESS || (alone && environment.packages.iter().any(is_torch));
        if !telling || !is_enough {
            return Err(end.max(1));
        }
    }
    let section = Section { environment, notes: Vec::new() };
    if section.environment.packages.is_empty() {
        return Err(end.max(1));
    }
    Ok(List { kind: PartKind::PipList, lines: end, section })
}

fn row(line: Line<'_>, file: &str) -> Option<Installed> {
    let row = ROW.captures(line.text)?;
    let origin = Origin::file(file, line.number);
    let installed = package(Entry { name: &row[1], version: &row[2], manager: Manager::Pip, origin })?;
    let source = row.get(3).map(|source| without_credentials(source.as_str().trim()));
    Some(Installed { source, ..installed })
}

/// What `pip show` writes of packages: `Name: torch`, `Version: 2.6.0`, …
pub(super) fn shown(lines: &[Line<'_>], file: &str, _alone: bool) -> Result<List, usize> {
    const KEYS: [&str; 14] = [
        "Name",
        "Version",
        "Summary",
        "Home-page",
        "Author",
        "Author-email",
        "License",
        "License-Expression",
        "Location",
        "Editable project location",
        "Requires",
        "Required-by",
        "Installer",
        "Metadata-Version",
    ];
    let mut packages = Vec::new();
    let (mut end, mut fields) = (0, HashMap::new());
    for (index, line) in lines.iter().enumerate() {
        let text = line.text.trim();
        if text == "---" {
            continue;
        }
        let Some((key, value)) = text.split_once(':').filter(|(key, _)| KEYS.contains(key)) else { break };
        if key == "Name" {
            packages.extend(of_fields(&fields, file));
            fields.clear();
        } else if fields.is_empty() {
            break;
        }
        fields.insert(key, (value.trim(), line.number));
        end = index + 1;
    }
    packages.extend(of_fields(&fields, file));
    let environment = Environment { packages, ..Environment::default() };
    let section = Section { environment, notes: Vec::new() };
    if section.environment.packages.is_empty() {
        return Err(end.max(1));
    }
    Ok(List { kind: PartKind::PipList, lines: end, section })
}

fn of_fields(fields: &HashMap<&str, (&str, usize)>, file: &str) -> Option<Installed> {
    let ((name, number), (version, _)) = (fields.get("Name")?, fields.get("Version")?);
    let name = Some(*name).filter(|name| is_word(name))?;
    let installed = package(Entry { name, version, manager: Manager::Pip, origin: Origin::file(file, *number) })?;
    let source = fields.get("Editable project location").map(|(source, _)| without_credentials(source));
    Some(Installed { source, ..installed })
}
