use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use crate::model::{Check, CheckOutcome, Environment, plain};

/// The checks that every document of the smoke test has, in its order (`TITLES` in `templates/smoke.py`).
pub(super) const REQUIRED: &[&str] = &[
    "python",
    "torch",
    "variant",
    "enabled",
    "setuptools",
    "cache",
    "compiler",
    "headers",
    "openssl",
    "compile",
    "kernels",
    "openmp",
    "forward",
    "backward",
    "fallback",
    "dynamic",
    "warm",
];

/// The version of the document that this program reads.
const SCHEMA: u32 = 1;

/// The longest evidence, in characters.
const EVIDENCE: usize = 2000;

/// What the smoke test writes on standard output.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    schema: u32,
    pub(super) checks: Vec<Check>,
    pub(super) environment: Environment,
}

impl Document {
    /// Reads the one document, with nothing before or after it, and makes its text safe to print. Otherwise says why not.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Err("the smoke test wrote nothing".to_owned());
        }
        let mut document: Self = serde_json::from_str(text).map_err(|error| format!("no whole document: {error}"))?;
        if document.schema != SCHEMA {
            return Err(format!("a document of schema {}, not {SCHEMA}", document.schema));
        }
        document.checks.iter_mut().for_each(clean);
        clean_environment(&mut document.environment);
        document.consistent().map(|()| document)
    }

    /// Whether it is a document that the smoke test could have written.
    fn consistent(&self) -> Result<(), String> {
        let mut seen = BTreeSet::new();
        for check in &self.checks {
            if !REQUIRED.contains(&check.id.as_str()) || !seen.insert(&check.id) {
                return Err(format!("the check `{}` is not known, or there twice", check.id));
            }
        }
        if let Some(id) = REQUIRED.iter().find(|id| !seen.contains(&(**id).to_owned())) {
            return Err(format!("the check `{id}` is missing"));
        }
        let has = |outcome| self.checks.iter().any(|check| check.outcome == outcome);
        // A check is skipped because another failed; if none did, nobody would notice that it was not made.
        if has(CheckOutcome::Skip) && !has(CheckOutcome::Fail) {
            return Err("checks were skipped though none failed".to_owned());
        }
        Ok(())
    }
}

/// The text of one line that is safe to print.
pub(super) fn line(text: &str) -> String {
    let one_line = plain(text).split_whitespace().collect::<Vec<_>>().join(" ");
    one_line.chars().take(EVIDENCE).collect()
}

fn clean(check: &mut Check) {
    check.id = line(&check.id);
    check.title = line(&check.title);
    check.evidence = line(&check.evidence);
    check.error = plain(&check.error);
    check.facts = std::mem::take(&mut check.facts).into_iter().map(|(key, fact)| (line(&key), value(fact))).collect();
}

fn value(fact: Value) -> Value {
    match fact {
        Value::String(text) => Value::String(plain(&text)),
        Value::Array(items) => items.into_iter().map(value).collect(),
        Value::Object(fields) => fields.into_iter().map(|(key, field)| (line(&key), value(field))).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => fact,
    }
}

fn clean_environment(environment: &mut Environment) {
    let Environment { executable, python, torch, variant, user, cpu, cpus: _, libc } = environment;
    for text in [executable, python, torch, variant, user, cpu, libc] {
        *text = line(text);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    /// A document in which every check passed.
    pub(in crate::verify) fn document() -> Value {
        let check = |id: &&str| json!({ "id": id, "title": "t", "outcome": "pass", "evidence": "e", "facts": {} });
        let checks: Vec<_> = REQUIRED.iter().map(check).collect();
        json!({ "schema": 1, "checks": checks, "environment": { "torch": "2.6.0+debian", "cpus": 2 } })
    }

    #[test]
    fn the_smoke_test_makes_the_required_checks_in_their_order() {
        let (_, rest) = super::super::SMOKE_TEST.split_once("\nTITLES = {\n").expect("the titles");
        let (titles, _) = rest.split_once("\n}\n").expect("their end");
        let ids: Vec<_> = titles.lines().map(|line| line.trim().split('"').nth(1).expect("an id")).collect();
        assert_eq!(ids, REQUIRED);
    }

    #[test]
    fn a_whole_document_is_read() {
        let document = Document::read(&format!("{}\n", document())).expect("a document");
        assert_eq!(document.checks.len(), REQUIRED.len());
        assert_eq!(document.environment.cpus, 2);
    }

    #[test]
    fn nothing_less_than_a_whole_document_is_read() {
        let whole = document().to_string();
        let with = |change: &dyn Fn(&mut Value)| {
            let mut document = document();
            change(&mut document);
            document.to_string()
        };
        for (text, expected) in [
            (String::new(), "wrote nothing"),
            (" \n".to_owned(), "wrote nothing"),
            (whole[..whole.len() / 2].to_owned(), "no whole document"),
            (format!("noise\n{whole}"), "no whole document"),
            (format!("{whole}{whole}"), "no whole document"),
            (with(&|d| d["schema"] = json!(2)), "schema 2"),
            (with(&|d| d["more"] = json!(true)), "no whole document"),
            (with(&|d| d["checks"][3]["outcome"] = json!("fine")), "no whole document"),
            (with(&|d| drop(d["checks"].as_array_mut().unwrap().remove(9))), "`compile` is missing"),
            (with(&|d| d["checks"][1]["id"] = json!("python")), "there twice"),
            (with(&|d| d["checks"][1]["id"] = json!("extra")), "`extra` is not known"),
            (with(&|d| d["checks"][16]["outcome"] = json!("skip")), "skipped though none failed"),
        ] {
            let why = Document::read(&text).expect_err(&text);
            assert!(why.contains(expected), "{why}");
        }
    }

    #[test]
    fn text_is_made_safe_to_print() {
        let mut hostile = document();
        hostile["checks"][0]["evidence"] = json!("a\u{1b}[2J\nb");
        hostile["checks"][0]["error"] = json!("\u{1b}[31mone\ntwo");
        hostile["checks"][0]["facts"] = json!({ "k\u{7}": ["\u{1b}]0;x\u{7}y", { "z": "\u{202e}w" }, 1.5] });
        hostile["environment"]["cpu"] = json!("\u{1b}[5mcpu");
        let document = Document::read(&hostile.to_string()).expect("a document");
        let check = &document.checks[0];
        assert_eq!((check.evidence.as_str(), check.error.as_str()), ("a b", "one\ntwo"));
        assert_eq!(json!(check.facts), json!({ "k": ["y", { "z": "w" }, 1.5] }));
        assert_eq!(document.environment.cpu, "cpu");
    }
}
