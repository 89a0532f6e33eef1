//! The published schema of reports, against every kind of answer.

use std::fs;
use std::path::Path;

use jsonschema::Registry;
use sconce::report::json;
use serde_json::{Value, json};

use super::formats::{every_kind, in_format};
use super::{error, written};
use crate::samples;

pub(crate) fn published(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Where `document` is not as published. The schemas stand beside each other, here as in `docs/`.
pub(crate) fn errors(document: &Value) -> Vec<String> {
    let beside = Registry::new().add("file:///docs/inspect.schema.json", published("inspect.schema.json")).unwrap();
    let beside = beside.prepare().unwrap();
    let schema = published("report.schema.json");
    let options = jsonschema::options().with_base_uri("file:///docs/report.schema.json").with_registry(&beside);
    let validator = options.build(&schema).unwrap();
    validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

fn document(answers: &sconce::model::Answers) -> Value {
    serde_json::from_str(&in_format("json", answers)).unwrap()
}

#[test]
fn every_document_is_as_published() {
    for (kind, answers) in every_kind() {
        assert_eq!(errors(&document(&answers)), [""; 0], "{kind}");
    }
    let failed: Value = serde_json::from_str(&written(|out| json::error(&error(), out))).unwrap();
    assert_eq!(errors(&failed), [""; 0]);
}

/// A schema that lets everything pass is none.
#[test]
fn what_is_not_published_is_refused() {
    let built = document(&samples::answers(vec![samples::built()]));
    let verified = document(&samples::answers(vec![samples::fails_read_only()]));
    let several = document(&samples::matrix());
    let cases = [
        (&built, "/outcome/name", json!("proven")),
        (&built, "/outcome/reference", json!("app")),
        (&built, "/outcome/plan/surprise", json!(1)),
        (&built, "/outcome/plan/base/value/package_manager", json!("apk")),
        (&built, "/outcome/plan/torch/value/prediction/installed_gb", json!("5")),
        (&built, "/outcome/plan/torch/value/variant/name", json!("cpu")),
        (&built, "/outcome/project/surprise", json!(1)),
        (&built, "/outcome/built_by/cached_steps", json!([1])),
        (&built, "/outcome/image/layers/0/size", json!(-1)),
        (&built, "/notes/0/severity", json!("panic")),
        (&built, "/schema", json!(1)),
        (&built, "/reports", json!([])),
        (&verified, "/outcome/verification/trials", json!([])),
        (&verified, "/outcome/verification/profile", json!("sloppy")),
        (&verified, "/outcome/verification/trials/0/checks/0/outcome", json!("maybe")),
        (&verified, "/outcome/verification/trials/0/checks/0/surprise", json!(1)),
        (&verified, "/outcome/verification/trials/0/environment/surprise", json!(1)),
        (&verified, "/outcome/verification/untried/0/reason", json!(null)),
        (&verified, "/outcome/verification/recalled", json!({"at": 1, "same": "hope"})),
        (&verified, "/diagnoses/0/evidence/line", json!(0)),
        (&verified, "/diagnoses/0/remedies/0/surprise", json!(1)),
        (&several, "/reports/0/ok", json!("yes")),
        (&several, "/reports/3/error/kind", json!("shrug")),
        (&several, "/reports/3/ok", json!(true)),
        (&several, "/reports", json!([])),
        (&several, "/surprise", json!(1)),
    ];
    for (good, path, value) in cases {
        let mut bad = good.clone();
        let (parent, key) = path.rsplit_once('/').unwrap();
        let Some(parent) = bad.pointer_mut(parent) else { panic!("{path} is not in the document") };
        parent.as_object_mut().unwrap().insert(key.to_owned(), value);
        assert!(!errors(&bad).is_empty(), "{path}");
    }
    for (path, good) in [("/outcome/verification/untried/0", &verified), ("/reports/3", &several), ("", &built)] {
        let keys: Vec<String> = good.pointer(path).unwrap().as_object().unwrap().keys().cloned().collect();
        for key in keys {
            let mut bad = good.clone();
            bad.pointer_mut(path).unwrap().as_object_mut().unwrap().remove(&key);
            assert!(!errors(&bad).is_empty(), "{path} without {key}");
        }
    }
}

/// Every object of the schema is closed, demands all of its fields, and is described; every definition is used.
#[test]
fn the_schema_is_strict() {
    is_strict(&published("report.schema.json"));
}

pub(crate) fn is_strict(schema: &Value) {
    fn closed(at: &str, schema: &Value) {
        if let Some(fields) = schema["properties"].as_object() {
            assert_eq!(schema["additionalProperties"], false, "{at} is open");
            assert_eq!(schema["required"].as_array().unwrap().len(), fields.len(), "{at} has optional fields");
        }
        for (key, part) in schema.as_object().into_iter().flatten() {
            closed(&format!("{at}/{key}"), part);
        }
        for (index, part) in schema.as_array().into_iter().flatten().enumerate() {
            closed(&format!("{at}/{index}"), part);
        }
    }
    closed("", schema);
    let text = schema.to_string();
    for (name, definition) in schema["$defs"].as_object().unwrap() {
        assert!(text.contains(&format!("\"#/$defs/{name}\"")), "{name} is not used");
        assert!(definition["description"].is_string(), "{name} is not described");
    }
}
