//! What `python -m sglang.check_env` writes: the interpreter, torch and the packages that it knows, one `name: version` a line.

use std::str::FromStr;
use std::sync::LazyLock;

use pep440_rs::Version;
use regex::Regex;

use super::package::{Entry, package};
use super::{Line, List};
use crate::model::{Environment, Manager, Origin, PartKind, Stated};
use crate::reported::Section;

/// Within how many lines of the interpreter torch is named.
const NEAR: usize = 60;

#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static PYTHON: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^Python: (3\.\d+\.\d+\w*) \((.*)$").unwrap());

#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static PACKAGE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^([A-Za-z0-9][A-Za-z0-9._-]*): ([0-9][A-Za-z0-9.!+_-]*)\s*$").unwrap());

/// The report that begins with the first of `lines`, which names the interpreter.
pub(super) fn read(lines: &[Line<'_>], file: &str, _alone: bool) -> Result<List, usize> {
    let first = lines[0];
    let python = PYTHON.captures(first.text).ok_or(1_usize)?;
    let names_torch = |line: &Line<'_>| line.text.starts_with("PyTorch: ");
    if !lines.iter().take(NEAR).any(names_torch) {
        return Err(1);
    }
    let origin = Origin::file(file, first.number);
    let python = Version::from_str(&python[1]).ok().map(|version| Stated::new(version, origin));
    let mut packages = Vec::new();
    let mut end = 1;
    for (index, line) in lines.iter().enumerate().take_while(|(_, line)| line.text.contains(": ")) {
        end = index + 1;
        let Some(found) = PACKAGE.captures(line.text) else { continue };
        let name = if &found[1] == "PyTorch" { "torch" } else { &found[1] };
        let origin = Origin::file(file, line.number);
        packages.extend(package(Entry { name, version: &found[2], manager: Manager::Pip, origin }));
    }
    let environment = Environment { python, packages, ..Environment::default() };
    Ok(List { kind: PartKind::CheckEnv, lines: end, section: Section { environment, notes: Vec::new() } })
}
