//! mise's configuration (<https://mise.jdx.dev/configuration.html#tools-dev-tools>).

use toml::de::DeValue;

use super::super::draft::Draft;
use super::super::toml_file::{TomlFile, Value};
use super::version;
use crate::model::Result;

/// Takes up the versions of Python in a file's `[tools]`: a string, a table with `version`, or several of these.
pub(super) fn read(draft: &mut Draft<'_>, file: &str) -> Result<()> {
    let text = draft.folder.read_short(file, super::LONGEST)?;
    let toml = TomlFile::parse(file, &text)?;
    for key in ["python", "core:python"] {
        let Some(value) = toml.get(&["tools", key]) else { continue };
        let several = match value.get_ref() {
            DeValue::Array(items) => items.iter().collect(),
            _ => vec![value],
        };
        let versions: Vec<(String, usize)> = several.into_iter().map(|one| named(&toml, one)).collect();
        let names: Vec<(&str, usize)> = versions.iter().map(|(name, line)| (name.as_str(), *line)).collect();
        version::take(draft, file, &names);
    }
    Ok(())
}

/// The version that a value names, and its line; a prefix of mise's own taken off.
fn named(toml: &TomlFile<'_>, value: &Value<'_>) -> (String, usize) {
    let inner = value.get_ref().get("version").unwrap_or(value);
    let name = match inner.get_ref() {
        DeValue::String(text) => text.to_string(),
        // `python = 3.12`, which mise refuses; the note quotes it.
        DeValue::Float(number) => number.as_str().to_owned(),
        other => other.type_str().to_owned(),
    };
    let plain = ["prefix:", "latest:"].iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(&name);
    (plain.to_owned(), toml.line(inner.span()))
}
