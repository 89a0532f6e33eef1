//! A TOML file whose every value knows its line.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::text::{excerpt, line_at};
use super::url::without_credentials;
use crate::model::{Error, Origin, Result};

/// A value and its place.
pub(super) type Value<'t> = Spanned<DeValue<'t>>;

/// A parsed file.
pub(super) struct TomlFile<'t> {
    /// Relative to the project's root.
    pub(super) file: &'t str,
    text: &'t str,
    root: Spanned<DeTable<'t>>,
}

impl<'t> TomlFile<'t> {
    /// Parses the text of `file`.
    pub(super) fn parse(file: &'t str, text: &'t str) -> Result<Self> {
        let root = DeTable::parse(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start.min(text.len()));
            let line = line_at(text, at);
            let written = text.lines().nth(line - 1).unwrap_or_default();
            let why = error.message().lines().next().unwrap_or_default().to_owned();
            let mut shown = excerpt(&without_credentials(written).text, 0, 1);
            shown.truncate(1);
            Error::usage(format!("this is not TOML: {why}")).at(Origin::file(file, line)).with_log(shown)
        })?;
        Ok(Self { file, text, root })
    }

    /// The value at a path of keys.
    pub(super) fn get(&self, path: &[&str]) -> Option<&Value<'t>> {
        let (first, rest) = path.split_first()?;
        let value = self.root.get_ref().get(*first)?;
        rest.iter().try_fold(value, |value, key| value.get_ref().get(*key))
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
        Origin::file(self.file, line_at(self.text, span.start))
    }

    fn mistyped(&self, value: &Value<'t>, path: &[&str], wanted: &str) -> Error {
        let message = format!("`{}` must be {wanted}, not {}", path.join("."), value.get_ref().type_str());
        Error::usage(message).at(self.origin(value.span()))
    }
}
