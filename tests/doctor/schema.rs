//! The published schema of a look's document.

use std::fs;
use std::path::Path;

use jsonschema::Registry;
use serde_json::{Value, json};

use super::{desk, document, engine, fails, healthy, python, with};

fn published(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Where `document` is not as published. The schemas stand beside each other, here as in `docs/`.
pub(crate) fn errors(document: &Value) -> Vec<String> {
    let beside = ["report.schema.json", "inspect.schema.json"]
        .into_iter()
        .fold(Registry::new(), |beside, name| beside.add(format!("file:///docs/{name}"), published(name)).unwrap());
    let beside = beside.prepare().unwrap();
    let schema = published("doctor.schema.json");
    let options = jsonschema::options().with_base_uri("file:///docs/doctor.schema.json").with_registry(&beside);
    let validator = options.build(&schema).unwrap();
    validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn every_kind_of_document_is_as_published() {
    let desk = desk();
    let mut seen = healthy();
    fails(&mut seen, "headers", "Python.h is not in /usr/include/python3.13", "");
    python(&desk, &seen);
    let whole = document(&with(&desk, &["--json", "--fix"]).output().unwrap());
    assert!(!whole["fixes"].as_array().unwrap().is_empty() && !whole["diagnoses"].as_array().unwrap().is_empty());
    document(&with(&desk, &["--json", "--engine"]).output().unwrap());
    document(&with(&desk, &["--json", "--python", "python9"]).output().unwrap());
    let mut recording = engine();
    recording["images"] = json!([{ "id": "sha256:1", "tags": ["app:latest"], "size": 1, "user": "", "architecture": "amd64",
                                   "layers": [] }]);
    recording["runs"] = json!([{ "ok": { "exit_code": 1, "timed_out": false, "out_of_memory": false, "stdout": "",
                                         "stderr": "", "milliseconds": 5 } }]);
    let image = desk.with(&recording, &["doctor", "--image", "app", "--json"]).output().unwrap();
    assert_eq!(document(&image)["subject"], json!({ "kind": "image", "reference": "app", "id": "sha256:1" }));
}

/// A schema that lets everything pass is none.
#[test]
fn what_is_not_published_is_refused() {
    let desk = desk();
    let mut seen = healthy();
    fails(&mut seen, "headers", "Python.h is not in /usr/include/python3.13", "");
    python(&desk, &seen);
    let good = document(&with(&desk, &["--json", "--fix"]).output().unwrap());
    for (path, value) in [
        ("/ok", json!("yes")),
        ("/schema", json!(1)),
        ("/surprise", json!(1)),
        ("/subject/kind", json!("moon")),
        ("/findings/0/outcome", json!("pass")),
        ("/findings/0/surprise", json!(1)),
        ("/findings/0/remedies", json!("none")),
        ("/fixes/0/left", json!(1)),
        ("/environment/surprise", json!(1)),
    ] {
        let mut bad = good.clone();
        let (parent, key) = path.rsplit_once('/').unwrap();
        bad.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(key.to_owned(), value);
        assert!(!errors(&bad).is_empty(), "{path}");
    }
    for path in ["", "/findings/0", "/fixes/0", "/subject"] {
        let keys: Vec<String> = good.pointer(path).unwrap().as_object().unwrap().keys().cloned().collect();
        for key in keys {
            let mut bad = good.clone();
            bad.pointer_mut(path).unwrap().as_object_mut().unwrap().remove(&key);
            assert!(!errors(&bad).is_empty(), "{path} without {key}");
        }
    }
}
