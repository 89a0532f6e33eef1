//! A JSON file whose every value knows its line.

use jsonc_parser::ast::{Object, ObjectProp, Value as Node};
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use super::text::{Lines, excerpt, line_at, shown};
use super::url::without_credentials;
use crate::model::{Error, Origin, Result};

/// A value and its place.
pub(super) type Value<'t> = Node<'t>;

/// What a file may hold besides plain JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Nothing.
    Json,
    /// Comments and commas at the end, as editors take them (<https://jsonc.org/>).
    WithComments,
}

/// A parsed file. The parser refuses what is nested deeper than 512 levels.
pub(super) struct JsonFile<'t> {
    /// Relative to the project's root.
    pub(super) file: &'t str,
    lines: Lines,
    root: Value<'t>,
}

impl<'t> JsonFile<'t> {
    /// Parses the text of `file`.
    pub(super) fn parse(file: &'t str, text: &'t str, dialect: Dialect) -> Result<Self> {
        let broken = |at: usize, why: &str| {
            let line = line_at(text, at);
            let written = text.lines().nth(line - 1).unwrap_or_default();
            let mut log = excerpt(&without_credentials(written).text, 0, 1);
            log.truncate(1);
            Error::usage(format!("this is not JSON: {why}")).at(Origin::file(file, line)).with_log(log)
        };
        let parsed = parse_to_ast(text, &CollectOptions::default(), &options(dialect))
            .map_err(|error| broken(error.range().start, &shown(&error.kind().to_string().to_lowercase())))?;
        let root = parsed.value.ok_or_else(|| broken(0, "it is empty"))?;
        Ok(Self { file, lines: Lines::of(text), root })
    }

    /// The value at a path of keys.
    pub(super) fn get(&self, path: &[&str]) -> Option<&Value<'t>> {
        path.iter().try_fold(&self.root, |value, key| get(value, key))
    }

    /// The value of a key of the root, which must be an object.
    pub(super) fn root(&self) -> Result<&Object<'t>> {
        self.root.as_object().ok_or_else(|| self.mistyped(&self.root, "the file", "an object"))
    }

    /// The string that `value` is.
    pub(super) fn string<'v>(&self, value: &'v Value<'t>, key: &str) -> Result<&'v str> {
        as_str(value).ok_or_else(|| self.mistyped(value, key, "a string"))
    }

    /// The entries of an object, in the order of the file.
    pub(super) fn entries<'v>(&self, value: &'v Value<'t>, key: &str) -> Result<&'v [ObjectProp<'t>]> {
        let object = value.as_object().ok_or_else(|| self.mistyped(value, key, "an object"))?;
        Ok(&object.properties)
    }

    /// The line of a value or entry.
    pub(super) fn origin(&self, place: &impl Ranged) -> Origin {
        let at = place.range().start;
        Origin::file(self.file, self.lines.at(at))
    }

    fn mistyped(&self, value: &Value<'t>, key: &str, wanted: &str) -> Error {
        let is = match value {
            Node::StringLit(_) => "a string",
            Node::NumberLit(_) => "a number",
            Node::BooleanLit(_) => "a boolean",
            Node::Object(_) => "an object",
            Node::Array(_) => "an array",
            Node::NullKeyword(_) => "null",
        };
        Error::usage(format!("`{}` must be {wanted}, not {is}", shown(key))).at(self.origin(value))
    }
}

/// The value of a key, where `value` is an object that has it; the last one counts, as in Python.
pub(super) fn get<'v, 't>(value: &'v Value<'t>, key: &str) -> Option<&'v Value<'t>> {
    let entry = value.as_object()?.properties.iter().rev().find(|entry| entry.name.as_str() == key)?;
    Some(&entry.value)
}

/// The string that a value is.
pub(super) fn as_str<'v>(value: &'v Value<'_>) -> Option<&'v str> {
    value.as_string_lit().map(|literal| literal.value.as_ref())
}

/// The values of an array; none for anything else.
pub(super) fn elements<'v, 't>(value: &'v Value<'t>) -> &'v [Value<'t>] {
    value.as_array().map_or(&[], |array| &array.elements)
}

fn options(dialect: Dialect) -> ParseOptions {
    let with_comments = dialect == Dialect::WithComments;
    ParseOptions {
        allow_comments: with_comments,
        allow_trailing_commas: with_comments,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_value_knows_its_line() {
        let text = "{\n  // why\n  \"a\": {\n    \"b\": \"c\", },\n  \"a\": {\"b\":\n \"d\"}\n}\n";
        let json = JsonFile::parse("x.json", text, Dialect::WithComments).unwrap();
        let value = json.get(&["a", "b"]).unwrap();
        assert_eq!((as_str(value), json.origin(value)), (Some("d"), Origin::file("x.json", 6)));
        let entries = json.entries(json.get(&["a"]).unwrap(), "a").unwrap();
        assert_eq!(json.origin(&entries[0]), Origin::file("x.json", 5));
        assert_eq!(json.origin(&json.root().unwrap().properties[0]), Origin::file("x.json", 3));
    }

    #[test]
    fn plain_json_has_no_comments() {
        for text in ["// a\n{}", "{\"a\": 1,}", "{'a': 1}", "{a: 1}", "", "{\"a\": ", "[1 2]", "{} {}"] {
            assert!(JsonFile::parse("x.json", text, Dialect::Json).is_err(), "{text}");
        }
    }

    #[test]
    fn an_error_has_its_line_and_no_credential() {
        let text = "{\n\"a\": \"https://me:secret@pypi.example.org\" \"b\"\n}";
        let error = JsonFile::parse("x.json", text, Dialect::Json).err().unwrap();
        assert_eq!(error.origin, Some(Origin::file("x.json", 2)));
        assert!(error.log[0].contains("pypi.example.org") && !error.to_string().contains("secret"), "{error:?}");
        assert!(!error.log[0].contains("secret"));
    }

    #[test]
    fn depth_is_limited() {
        for open in ["[", "{\"a\":"] {
            assert!(JsonFile::parse("x.json", &open.repeat(100_000), Dialect::WithComments).is_err());
        }
        let text = format!("{}{}", "[".repeat(400), "]".repeat(400));
        assert!(JsonFile::parse("x.json", &text, Dialect::Json).is_ok());
    }

    proptest! {
        #[test]
        fn no_text_ends_the_parser(text in r#"[\{\}\[\]:,"a1/*\\ \nué-]{0,40}"#) {
            let _ = JsonFile::parse("x.json", &text, Dialect::WithComments);
            let _ = JsonFile::parse("x.json", &text, Dialect::Json);
        }
    }
}
