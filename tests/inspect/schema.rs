//! The published schema of `sconce inspect --json`, against every document that the tests know.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::projects::{names, told};

fn schema() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/inspect.schema.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn errors(document: &Value) -> Vec<String> {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn every_document_is_as_published() {
    let bad =
        fs::read_dir(super::folder("bad")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let bad: Vec<String> = bad.map(|name| format!("bad/{name}")).collect();
    for name in names().into_iter().chain(bad.iter().map(String::as_str)) {
        let (_, out, _) = told(name, &[]);
        let document: Value = serde_json::from_str(&out).unwrap();
        let errors = errors(&document);
        assert!(errors.is_empty(), "{name}: {}", errors.join("\n"));
    }
}

/// A schema that lets everything pass is none.
#[test]
fn what_is_not_published_is_refused() {
    let (_, out, _) = told("nested", &[]);
    let good: Value = serde_json::from_str(&out).unwrap();
    assert!(errors(&good).is_empty());
    for (path, value) in [
        ("/project/surprise", json!(1)),
        ("/project/requirements/0/surprise", json!(1)),
        ("/project/requirements/0/role", json!("wish")),
        ("/project/requirements/0/source", json!("thin air")),
        ("/project/requirements/0/origin/line", json!(0)),
        ("/project/sources/surprise", json!(1)),
        ("/project/read/0/entries", json!("many")),
        ("/project/notes/0/severity", json!("panic")),
        ("/schema", json!(1)),
        ("/error", json!({})),
    ] {
        let mut bad = good.clone();
        let (parent, key) = path.rsplit_once('/').unwrap();
        // Where the list is empty, there is nothing to spoil: the project must have one of each.
        let Some(parent) = bad.pointer_mut(parent) else { panic!("{path} is not in the document") };
        parent.as_object_mut().unwrap().insert(key.to_owned(), value);
        assert!(!errors(&bad).is_empty(), "{path}");
    }
}

/// Every object of the schema is closed, demands all of its fields, and is described; every definition is used.
#[test]
fn the_schema_is_strict() {
    let schema = schema();
    let text = schema.to_string();
    for (name, definition) in schema["$defs"].as_object().unwrap() {
        assert!(text.contains(&format!("\"#/$defs/{name}\"")), "{name} is not used");
        assert!(definition["description"].is_string(), "{name} is not described");
        if let Some(fields) = definition["properties"].as_object() {
            let closed = [&definition["additionalProperties"], &definition["unevaluatedProperties"]];
            assert!(closed.contains(&&json!(false)), "{name} is open");
            let required: Vec<&str> =
                definition["required"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
            assert!(fields.keys().all(|field| required.contains(&field.as_str())), "{name} has optional fields");
        }
    }
}
