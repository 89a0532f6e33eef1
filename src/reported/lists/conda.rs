//! What `conda list` writes, as a table (mamba's and pixi's, too), with `--export` and with `--explicit`.

use std::sync::LazyLock;

use regex::Regex;

use super::package::{Entry, is_word, package, without_credentials};
use super::{Line, List};
use crate::model::{Environment, Installed, Manager, Origin, PartKind};
use crate::reported::Section;

/// How many rows tell a table that lost its head.
const HEADLESS: usize = 3;

/// How many lines may stand between the head and the rows.
const HEAD_LINES: usize = 8;

#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static HEAD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"^\s*#\s*packages in environment at\b|^\s*List of packages in environment\b|^\s*#?\s*(?:Name|Package)\s+Version\s+Build\b|^# This file may be used to create an environment|^@EXPLICIT\s*$",
    )
    .unwrap()
});

#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static FILLER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^\s*$|^\s*#|^@EXPLICIT|^\s*[─-]{3,}|^\s*(?:Name|Package)\s+Version\s+Build\b").unwrap()
});

/// What a build of conda's ends with: its number, behind a hash or the version of Python.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static BUILD: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^(?:[A-Za-z0-9._+]*_)?\d+$|^(?:pypi|conda_forge|cpython|main|<pip>)$").unwrap());

/// A package of conda's by its URL: channel, folder of the platform, name, version, build.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static PACKAGE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"^(?:https?|file)://\S+?/([^/\s]+/)?([\w-]+)/([\w.+-]+)-([^-/\s]+)-([^-/\s]+)\.(?:conda|tar\.bz2)(?:#\S*)?$",
    )
    .unwrap()
});

/// The list that begins with the first of `lines`, by its head or by its rows.
pub(super) fn read(lines: &[Line<'_>], file: &str, _alone: bool) -> Result<List, usize> {
    let has_head = HEAD.is_match(lines[0].text);
    let mut packages: Vec<Installed> = Vec::new();
    let (mut end, mut seen) = (0, 1);
    for (index, line) in lines.iter().enumerate() {
        seen = index.max(1);
        if has_head && FILLER.is_match(line.text) {
            if index > end + HEAD_LINES {
                break;
            }
            continue;
        }
        let Some(installed) = entry(*line, file, has_head) else { break };
        packages.push(installed);
        end = index + 1;
    }
    if packages.is_empty() || (!has_head && packages.len() < HEADLESS) {
        return Err(seen);
    }
    let environment = Environment { packages, ..Environment::default() };
    Ok(List { kind: PartKind::CondaList, lines: end, section: Section { environment, notes: Vec::new() } })
}

/// A row of the table, of the export or of the URLs. Without a head the build has to look like one.
fn entry(line: Line<'_>, file: &str, has_head: bool) -> Option<Installed> {
    let text = line.text.trim();
    let origin = Origin::file(file, line.number);
    if let Some(found) = PACKAGE.captures(text) {
        let channel = found.get(1).map(|channel| channel.as_str().trim_end_matches('/').to_owned());
        let installed = package(Entry { name: &found[3], version: &found[4], manager: Manager::Conda, origin })?;
        let source = text.split('#').next().map(without_credentials);
        return Some(Installed { build: Some(found[5].to_owned()), channel, source, ..installed });
    }
    let words: Vec<&str> = text.split_whitespace().take(8).collect();
    let (name, version, build, channel) = match words[..] {
        [word] if has_head => exported(word)?,
        // The channel that is the default has no name.
        [name, version] if has_head => (name, version, None, None),
        [name, version, build] => (name, version, Some(build), None),
        [name, version, build, channel, ..] => (name, version, Some(build), Some(channel)),
        _ => return None,
    };
    let is_version = version.starts_with(|c: char| c.is_ascii_digit()) || (has_head && is_word(version));
    if !is_version || !build.is_none_or(|build| BUILD.is_match(build) || (has_head && is_word(build))) {
        return None;
    }
    if words.len() > if has_head { 7 } else { 4 } || channel.is_some_and(|channel| channel.starts_with('(')) {
        return None;
    }
    let is_pip = channel == Some("pypi") || matches!(build, Some("<pip>" | "pypi_0"));
    let manager = if is_pip { Manager::Pip } else { Manager::Conda };
    let installed = package(Entry { name, version, manager, origin })?;
    let build = build.filter(|_| !is_pip).map(str::to_owned);
    let channel = channel.filter(|_| !is_pip).map(without_credentials);
    Some(Installed { build, channel, ..installed })
}

/// `name=version=build` of `--export`.
fn exported(word: &str) -> Option<(&str, &str, Option<&str>, Option<&str>)> {
    let mut parts = word.splitn(3, '=');
    let (name, version) = (parts.next()?, parts.next()?);
    Some((name, version, parts.next(), None))
}
