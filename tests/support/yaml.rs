//! YAML of others' formats, read into the values that tests are good with.

use saphyr::{LoadableYamlNode as _, Scalar, Yaml};
use serde_json::{Value, json};

/// The one document in `text`. That it parses is part of the test.
pub(crate) fn yaml(text: &str) -> Value {
    let documents = Yaml::load_from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let [document] = documents.as_slice() else { panic!("{} documents in\n{text}", documents.len()) };
    value(document)
}

fn value(node: &Yaml) -> Value {
    match node {
        Yaml::Mapping(entries) => entries.iter().map(|(key, node)| (key_of(key), value(node))).collect(),
        Yaml::Sequence(items) => items.iter().map(value).collect(),
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(yes)) => json!(yes),
        Yaml::Value(Scalar::Integer(number)) => json!(number),
        Yaml::Value(Scalar::FloatingPoint(number)) => json!(number.into_inner()),
        Yaml::Value(Scalar::String(text)) => json!(text),
        other => panic!("tests read no {other:?}"),
    }
}

/// YAML 1.1 would read the key `on` of a workflow as a boolean; GitHub and the parser here are of 1.2.
fn key_of(node: &Yaml) -> String {
    match value(node) {
        Value::String(key) => key,
        other => other.to_string(),
    }
}
