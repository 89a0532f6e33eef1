//! `setup.cfg` (<https://setuptools.pypa.io/en/latest/userguide/declarative_config.html>).

use super::super::Format;
use super::super::folder::Folder;
use super::super::ini_file::{IniFile, Setting};
use super::requirement::{Entry, What, When, entries};
use super::{CONFIGURATION, Stated, UNFOLLOWED, read_manifest};
use crate::model::{ManifestKind, Result};

const OPTIONS: &str = "options";
const EXTRAS: &str = "options.extras_require";

/// The format.
pub(in crate::inspect) const FORMAT: Format = Format {
    kind: ManifestKind::SetupCfg,
    files: &[CONFIGURATION],
    looked_for: "`setup.cfg` with `install_requires`",
    recognizes: |name| name == CONFIGURATION,
    declares,
    read: read_manifest,
};

/// Linters and other tools are configured there, too; a file that does not parse is one of setuptools only if it names
/// its keys.
fn declares(folder: &Folder, file: &str) -> Result<bool> {
    let text = super::text(folder, file)?;
    let names_its_keys = || {
        ["[options", "install_requires", "install-requires", "extras_require"].iter().any(|word| text.contains(word))
    };
    Ok(states(folder, file).map_or_else(|_| names_its_keys(), |stated| stated.asks()))
}

/// What the file states.
pub(super) fn states(folder: &Folder, file: &str) -> Result<Stated> {
    let text = super::text(folder, file)?;
    let ini = IniFile::parse(file, &text)?;
    let one = |setting: &Setting<'_>| {
        let (value, line) = setting.lines.first()?;
        Some(((*value).to_owned(), *line))
    };
    let list = |key| option(&ini, OPTIONS, key).map(listed).unwrap_or_default();
    let extras = ini.section(EXTRAS).iter().map(|setting| (setting.key.to_owned(), setting.line, listed(setting)));
    Ok(Stated {
        file: file.to_owned(),
        name: option(&ini, "metadata", "name").and_then(one),
        python: option(&ini, OPTIONS, "python_requires").and_then(one).map(|(text, line)| Entry::text(text, line)),
        classifiers: option(&ini, "metadata", "classifiers").map(classifiers).unwrap_or_default(),
        requires: list("install_requires"),
        extras: extras.collect(),
        unfollowed: UNFOLLOWED.iter().map(|(key, why)| (*key, *why, list(key))).collect(),
        notes: Vec::new(),
    })
}

/// A setting; setuptools takes `-` for `_` in keys.
fn option<'i, 't>(ini: &'i IniFile<'t>, section: &str, key: &str) -> Option<&'i Setting<'t>> {
    ini.get(section, key).or_else(|| ini.get(section, &key.replace('_', "-")))
}

/// The requirements of a value: of the files that `file:` names, else of lines, or of parts between `;` on a single one
/// (`_parse_requirements_list`).
fn listed(setting: &Setting<'_>) -> Vec<Entry> {
    if let Some((first, line)) = setting.lines.first()
        && let Some(files) = first.strip_prefix("file:")
    {
        let rest = setting.lines.iter().skip(1).map(|(text, line)| (*text, *line));
        let named = std::iter::once((files, *line)).chain(rest);
        let files = named.flat_map(|(files, line)| files.split(',').map(move |file| (file.trim(), line)));
        return files
            .filter(|(file, _)| !file.is_empty())
            .map(|(file, line)| Entry { what: What::File(file.to_owned()), line, when: When::default() })
            .collect();
    }
    match setting.lines.as_slice() {
        [(only, line)] if *line == setting.line => entries(only.split(';').map(|part| (part, *line))),
        lines => entries(lines.iter().copied()),
    }
}

/// Lines, or parts between commas on a single one.
fn classifiers(setting: &Setting<'_>) -> Vec<(String, usize)> {
    let parts =
        setting.lines.iter().flat_map(|(text, line)| text.split(',').map(|part| (part.trim().to_owned(), *line)));
    parts.collect()
}
