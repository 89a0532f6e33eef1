//! A TOML file whose every value knows its line.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::text::{Lines, excerpt, line_at, shown};
use super::url::without_credentials;
use crate::model::{Error, Origin, Result};

/// A value and its place.
pub(super) type Value<'t> = Spanned<DeValue<'t>>;

/// A parsed file.
pub(super) struct TomlFile<'t> {
    /// Relative to the project's root.
    pub(super) file: &'t str,
    lines: Lines,
    /// Where its last line that holds anything ends.
    end: usize,
    root: Spanned<DeTable<'t>>,
}

/// The longest file that is parsed, in bytes: the parser takes twenty times that in memory, and no lock is near it.
const LONGEST: usize = 16 << 20;

impl<'t> TomlFile<'t> {
    /// Parses the text of `file`. The parser itself refuses what is nested deeper than 80.
    pub(super) fn parse(file: &'t str, text: &'t str) -> Result<Self> {
        if text.len() > LONGEST {
            let message = format!("`{}` is longer than {} MiB, which no such file is", shown(file), LONGEST >> 20);
            return Err(Error::usage(message).at(Origin::file(file, 1)));
        }
        let root = DeTable::parse(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start.min(text.len()));
            let line = line_at(text, at);
            let written = text.lines().nth(line - 1).unwrap_or_default();
            let why = error.message().lines().next().unwrap_or_default().to_owned();
            let mut shown = excerpt(&without_credentials(written).text, 0, 1);
            shown.truncate(1);
            let error = Error::usage(format!("this is not TOML: {why}")).at(Origin::file(file, line)).with_log(shown);
            match specification(file, "") {
                Some(_) => error.with_hint("a TOML file is written as <https://toml.io/en/v1.0.0> says"),
                None => error,
            }
        })?;
        Ok(Self { file, lines: Lines::of(text), end: text.trim_end().len(), root })
    }

    /// The value at a path of keys.
    pub(super) fn get(&self, path: &[&str]) -> Option<&Value<'t>> {
        let (first, rest) = path.split_first()?;
        let value = self.root.get_ref().get(*first)?;
        rest.iter().try_fold(value, |value, key| value.get_ref().get(*key))
    }

    /// The tables and values of the file itself, in its order.
    pub(super) fn root_entries(&self) -> Vec<(&str, &Value<'t>)> {
        let mut entries: Vec<_> = self.root.get_ref().iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        entries.into_iter().map(|(key, value)| (key.get_ref().as_ref(), value)).collect()
    }

    /// The string at a path of keys, with its place.
    pub(super) fn string(&self, path: &[&str]) -> Result<Option<(&str, Origin)>> {
        let Some(value) = self.get(path) else { return Ok(None) };
        let origin = self.origin(value.span());
        match value.get_ref().as_str() {
            Some(string) => Ok(Some((string, origin))),
            None => Err(self.mistyped(value, path, "a string")),
        }
    }

    /// The strings of an array, each with its place; a string alone counts as an array of one where `or_one`.
    pub(super) fn strings<'v>(
        &self,
        value: &'v Value<'t>,
        path: &[&str],
        or_one: bool,
    ) -> Result<Vec<(&'v str, Origin)>> {
        let items: Vec<&Value<'t>> = match value.get_ref() {
            DeValue::Array(items) => items.iter().collect(),
            DeValue::String(_) if or_one => vec![value],
            _ => return Err(self.mistyped(value, path, "an array of strings")),
        };
        let string = |item: &'v Value<'t>| match item.get_ref().as_str() {
            Some(string) => Ok((string, self.origin(item.span()))),
            None => Err(self.mistyped(item, path, "an array of strings")),
        };
        items.into_iter().map(string).collect()
    }

    /// The entries of a table in the order of the file.
    pub(super) fn entries<'v>(&self, value: &'v Value<'t>, path: &[&str]) -> Result<Vec<(&'v str, &'v Value<'t>)>> {
        let table = value.get_ref().as_table().ok_or_else(|| self.mistyped(value, path, "a table"))?;
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        Ok(entries.into_iter().map(|(key, value)| (key.get_ref().as_ref(), value)).collect())
    }

    /// The line of a place.
    pub(super) fn origin(&self, span: Range<usize>) -> Origin {
        Origin::file(self.file, self.line(span))
    }

    /// The last line that holds anything.
    pub(super) fn end(&self) -> Origin {
        self.origin(self.end..self.end)
    }

    /// The number of the line of a place, from 1.
    pub(super) fn line(&self, span: Range<usize>) -> usize {
        self.lines.at(span.start)
    }

    /// The error for a value of another type than `wanted`.
    pub(super) fn mistyped(&self, value: &Value<'t>, path: &[&str], wanted: &str) -> Error {
        let message = format!("`{}` must be {wanted}, not {}", path.join("."), value.get_ref().type_str());
        let error = Error::usage(message).at(self.origin(value.span()));
        match specification(self.file, &path.join(".")) {
            Some(url) => error.with_hint(format!("what may stand there is said in <{url}>")),
            None => error,
        }
    }
}

/// The tables of a `pyproject.toml` that are a tool's own, and where they are specified.
const TABLES: [(&str, &str); 4] = [
    ("tool.uv", "https://docs.astral.sh/uv/reference/settings/"),
    ("tool.poetry", "https://python-poetry.org/docs/pyproject/"),
    ("tool.pdm", "https://pdm-project.org/en/latest/reference/pep621/"),
    ("tool.pixi", PIXI),
];

const PIXI: &str = "https://pixi.sh/latest/reference/pixi_manifest/";

/// Where it is specified what the value at `path` may be. People write these files; what a tool writes, it writes anew.
fn specification(file: &str, path: &str) -> Option<&'static str> {
    let of_tool = || TABLES.into_iter().find(|(table, _)| path.starts_with(table)).map(|(_, url)| url);
    match file.rsplit('/').next().unwrap_or(file) {
        "pyproject.toml" => {
            Some(of_tool().unwrap_or("https://packaging.python.org/en/latest/specifications/pyproject-toml/"))
        }
        "uv.toml" => Some(TABLES[0].1),
        "pixi.toml" => Some(PIXI),
        "Pipfile" => Some("https://pipenv.pypa.io/en/latest/pipfile.html"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_lines() {
        let text = "a = 1\n\n[[b]]\nc = 'x'\n[[b]]\nc = \"\"\"\n\nx\"\"\"\nd = 2";
        let toml = TomlFile::parse("f", text).unwrap();
        let line = |value: &Value<'_>| toml.origin(value.span());
        assert_eq!(line(toml.get(&["a"]).unwrap()), Origin::file("f", 1));
        let tables = toml.get(&["b"]).unwrap().get_ref().as_array().unwrap();
        let lines: Vec<Origin> = tables.iter().map(|table| line(table.get_ref().get("c").unwrap())).collect();
        assert_eq!(lines, [Origin::file("f", 4), Origin::file("f", 6)]);
        assert_eq!(line(tables.get(1).unwrap().get_ref().get("d").unwrap()), Origin::file("f", 9));
    }

    #[test]
    fn deep_nesting_is_an_error() {
        for text in [
            format!("a = {}", "[".repeat(100_000)),
            format!("a = {}", "{a=".repeat(100_000)),
            format!("{}b = 1", "a.".repeat(100_000)),
            format!("[{}b]", "a.".repeat(100_000)),
        ] {
            let error = TomlFile::parse("f", &text).err().unwrap();
            assert!(error.message.contains("recurs"), "{error}");
        }
        // Just beneath the limit, both parsing and dropping it end well.
        assert!(TomlFile::parse("f", &format!("a={}{}", "[".repeat(70), "]".repeat(70))).is_ok());
    }

    #[test]
    fn who_writes_a_file_is_told_how() {
        let hint = |file: &str, text: &str, path: &[&str]| match TomlFile::parse(file, text) {
            Ok(toml) => toml.string(path).unwrap_err().hint,
            Err(error) => error.hint,
        };
        for (file, text, path, expected) in [
            ("a/pyproject.toml", "a = [", &[] as &[&str], Some("toml.io")),
            ("pyproject.toml", "project.name = 7", &["project", "name"], Some("packaging.python.org")),
            ("pyproject.toml", "tool.uv.x = 7", &["tool", "uv", "x"], Some("docs.astral.sh")),
            ("Pipfile", "x = 7", &["x"], Some("pipenv.pypa.io")),
            // Its reader tells how it is written anew.
            ("uv.lock", "a = [", &[], None),
            ("uv.lock", "x = 7", &["x"], None),
        ] {
            let hint = hint(file, text, path);
            assert_eq!(hint.is_some(), expected.is_some(), "{file}");
            assert!(hint.is_none_or(|hint| hint.contains(expected.unwrap())), "{file} {text}");
        }
    }

    #[test]
    fn a_monster_is_not_parsed() {
        let error = TomlFile::parse("f", &"\n".repeat(LONGEST + 1)).err().unwrap();
        assert!(error.message.contains("longer than 16 MiB"), "{error}");
    }
}
