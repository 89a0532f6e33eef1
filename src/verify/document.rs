use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use super::request::Brief;
use super::ways::may_be_skipped;
use crate::model::{Check, CheckOutcome, TrialEnvironment, plain};

/// The version of the document that this program reads.
const SCHEMA: u32 = 2;

/// The longest evidence, in characters.
const EVIDENCE: usize = 2000;

/// What the smoke test writes on standard output.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    schema: u32,
    /// The image that it speaks of. An id is a digest of all that is in an image, so nothing in it can know its own.
    image: String,
    pub(super) checks: Vec<Check>,
    pub(super) environment: TrialEnvironment,
}

impl Document {
    /// Reads the one document that `brief` asks for, with nothing before or after it, and makes its text safe to print.
    /// Otherwise says why not.
    pub(super) fn read(text: &str, brief: &Brief) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Err("the smoke test wrote nothing".to_owned());
        }
        let mut document: Self = serde_json::from_str(text).map_err(|error| format!("no whole document: {error}"))?;
        if document.schema != SCHEMA {
            return Err(format!("a document of schema {}, not {SCHEMA}", document.schema));
        }
        if document.image != brief.image {
            return Err("a document that speaks of another image".to_owned());
        }
        document.checks.iter_mut().for_each(clean);
        clean_environment(&mut document.environment);
        document.consistent(brief).map(|()| document)
    }

    /// Whether it is a document that the smoke test could have written.
    fn consistent(&self, brief: &Brief) -> Result<(), String> {
        let demanded: BTreeSet<&str> = brief.demanded().collect();
        let mut seen = BTreeSet::new();
        for check in &self.checks {
            if !demanded.contains(check.id.as_str()) || !seen.insert(check.id.as_str()) {
                return Err(format!("the check `{}` was not asked for, or is there twice", check.id));
            }
        }
        if let Some(id) = demanded.difference(&seen).next() {
            return Err(format!("the check `{id}` is missing"));
        }
        let failed = self.checks.iter().any(|check| check.outcome == CheckOutcome::Fail);
        // A check is skipped because another failed; if none did, nobody would notice that it was not made.
        let skipped = |check: &&Check| check.outcome == CheckOutcome::Skip && !may_be_skipped(check);
        match self.checks.iter().find(skipped) {
            // A look may find that there is nothing to look at.
            Some(check) if !failed && !brief.is_look() => {
                Err(format!("the check `{}` was skipped though none failed", check.id))
            }
            _ => Ok(()),
        }
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

fn clean_environment(environment: &mut TrialEnvironment) {
    let TrialEnvironment { executable, others, python, torch, variant, user, cpu, cpus: _, libc } = environment;
    for text in [executable, python, torch, variant, user, cpu, libc].into_iter().chain(others) {
        *text = line(text);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::super::tests::question;
    use super::super::ways::Way;
    use super::*;

    /// A document in which every check of the brief passed.
    pub(in crate::verify) fn document() -> Value {
        let check = |id: &str| json!({ "id": id, "title": "t", "outcome": "pass", "evidence": "e", "facts": {} });
        let checks: Vec<_> = brief().demanded().map(check).collect();
        json!({ "schema": 2, "image": "sha256:1", "checks": checks, "environment": { "torch": "2.6.0+debian", "cpus": 2 } })
    }

    pub(in crate::verify) fn brief() -> Brief {
        let question = question();
        Brief::new("sha256:1", &question, &Way::as_is(&question))
    }

    fn read(text: &str) -> Result<Document, String> {
        Document::read(text, &brief())
    }

    #[test]
    fn a_whole_document_is_read() {
        let document = read(&format!("{}\n", document())).expect("a document");
        assert_eq!(document.checks.len(), brief().demanded().count());
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
            (with(&|d| d["schema"] = json!(1)), "schema 1"),
            (with(&|d| d["more"] = json!(true)), "no whole document"),
            (with(&|d| d["checks"][3]["outcome"] = json!("fine")), "no whole document"),
            (with(&|d| d["image"] = json!("sha256:2")), "another image"),
            (with(&|d| drop(d["checks"].as_array_mut().unwrap().remove(1))), "`torch` is missing"),
            (with(&|d| d["checks"][1]["id"] = json!("python")), "there twice"),
            (with(&|d| d["checks"][1]["id"] = json!("extra")), "`extra` was not asked for"),
            (with(&|d| d["checks"][1]["outcome"] = json!("skip")), "skipped though none failed"),
        ] {
            let why = read(&text).expect_err(&text);
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
        let document = read(&hostile.to_string()).expect("a document");
        let check = &document.checks[0];
        assert_eq!((check.evidence.as_str(), check.error.as_str()), ("a b", "one\ntwo"));
        assert_eq!(json!(check.facts), json!({ "k": ["y", { "z": "w" }, 1.5] }));
        assert_eq!(document.environment.cpu, "cpu");
    }
}
