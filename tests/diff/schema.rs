//! The published schemas of what differs, and of an environment.

use std::fs;
use std::path::Path;

use jsonschema::Registry;
use sconce::model::{Environment, Need};
use serde_json::{Value, json};

use super::{desk, environment, told};

const PUBLISHED: [&str; 6] = [
    "diff.schema.json",
    "environment.schema.json",
    "explain.schema.json",
    "inspect.schema.json",
    "report.schema.json",
    "reproduce.schema.json",
];

fn published(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Where `document` is not as the schema `name` says. The schemas stand beside each other, here as in `docs/`.
pub(crate) fn errors(name: &str, document: &Value) -> Vec<String> {
    let beside = PUBLISHED
        .into_iter()
        .fold(Registry::new(), |beside, name| beside.add(format!("file:///docs/{name}"), published(name)).unwrap());
    let beside = beside.prepare().unwrap();
    let schema = published(name);
    let options = jsonschema::options().with_base_uri(format!("file:///docs/{name}")).with_registry(&beside);
    let validator = options.build(&schema).unwrap();
    validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// Puts every value in place of the one at `path`, and demands that the schema refuses each; and that it misses every key.
fn refuses(name: &str, good: &Value, changes: &[(&str, Value)], whole: &[&str]) {
    assert_eq!(errors(name, good), [""; 0]);
    for (path, value) in changes {
        let mut bad = good.clone();
        let (parent, key) = path.rsplit_once('/').unwrap();
        bad.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(key.to_owned(), value.clone());
        assert!(!errors(name, &bad).is_empty(), "{path}");
    }
    for path in whole {
        let keys: Vec<String> = good.pointer(path).unwrap().as_object().unwrap().keys().cloned().collect();
        for key in keys {
            let mut bad = good.clone();
            bad.pointer_mut(path).unwrap().as_object_mut().unwrap().remove(&key);
            assert!(!errors(name, &bad).is_empty(), "{path} without {key}");
        }
    }
}

#[test]
fn a_comparison_is_as_published_and_nothing_else() {
    let desk = desk();
    let good = told(&desk, &["good.json", "broken.json", "--json"]);
    refuses(
        "diff.schema.json",
        &good,
        &[
            ("/schema", json!(1)),
            ("/differ", json!("yes")),
            ("/surprise", json!(1)),
            ("/left/surprise", json!(1)),
            ("/left/environment/surprise", json!(1)),
            ("/differences/0/relevance", json!("huge")),
            ("/differences/0/surprise", json!(1)),
            ("/differences/0/left/value", json!(1)),
            ("/differences/0/left/origin", json!({ "kind": "moon" })),
            ("/same", json!(-1)),
            ("/untold", json!([1])),
        ],
        &["", "/left", "/right", "/differences/0", "/differences/0/left"],
    );
}

#[test]
fn an_error_is_as_published() {
    let desk = desk();
    let error = told(&desk, &["good.json", "gone.json", "--json"]);
    assert_eq!(errors("diff.schema.json", &error), [""; 0], "{error:#}");
}

#[test]
fn an_environment_file_is_as_published_and_nothing_else() {
    refuses(
        "environment.schema.json",
        &environment(),
        &[
            ("/surprise", json!(1)),
            ("/python", json!("3.13")),
            ("/system/value/family", json!("plan9")),
            ("/installation/value", json!("magic")),
            ("/variant/value", json!({ "name": "cuda" })),
            ("/needs/gumption", environment()["needs"]["binutils"].clone()),
            ("/needs/binutils/value/met", json!("yes")),
        ],
        &["/python", "/system", "/system/value", "/variables/0", "/needs/binutils", "/needs/binutils/value"],
    );
    assert_eq!(errors("environment.schema.json", &json!({})), [""; 0], "what nobody said may be left out");
}

/// What the schema names and what the value has are the same.
#[test]
fn the_schema_names_every_field_and_every_need() {
    let schema = published("environment.schema.json");
    let named = |pointer: &str| -> Vec<String> {
        let mut names: Vec<String> = schema.pointer(pointer).unwrap().as_object().unwrap().keys().cloned().collect();
        names.sort();
        names
    };
    let fields = serde_json::to_value(Environment::default()).unwrap();
    let mut fields: Vec<String> = fields.as_object().unwrap().keys().cloned().collect();
    fields.sort();
    assert_eq!(named("/properties"), fields);
    let mut needs = Need::ALL.map(|need| need.name().to_owned()).to_vec();
    needs.sort();
    assert_eq!(named("/properties/needs/properties"), needs);
}
