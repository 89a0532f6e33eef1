use std::io::{self, Write};

use serde_json::{Value, json};

use super::super::place::Place;
use super::super::sarif::{Finding, Log, diagnosis_rule, notification, physical};
use super::{doubt, unknown};
use crate::model::{Confidence, Diagnosis, Evidence, Explained};

/// Where a log is that is no file of the folder of the run: SARIF wants a name.
const ELSEWHERE: &str = "log";

/// Writes what a log says of a failure as one run of the tool: a result a cause, at its line of the log.
pub fn explanation(explained: &Explained, out: &mut dyn Write) -> io::Result<()> {
    let told = &explained.explanation;
    let mut log = Log::default();
    told.diagnoses.iter().for_each(|known| cause(&mut log, explained, known));
    if !told.known() {
        let lines = told.decisive.iter().map(|line| format!("\n{}: {}", line.line, line.text));
        let message = std::iter::once(unknown(explained)).chain(lines).collect();
        log.plain(
            "unknown-failure",
            "no known cause fits",
            &explained.log,
            message,
            &at(explained, told.decisive.first()),
        );
    }
    told.notes.iter().for_each(|note| log.note(notification("note", note)));
    log.write(true, out)
}

fn cause(log: &mut Log, explained: &Explained, known: &Diagnosis) {
    let level = if known.confidence == Confidence::Warning { "warning" } else { "error" };
    let order: Vec<_> = known.remedies.iter().collect();
    let rule = log.rule(&known.id, || {
        let mut rule = diagnosis_rule(known, &order);
        rule["defaultConfiguration"]["level"] = json!(level);
        rule["properties"]["problem.severity"] = json!(level);
        if known.confidence == Confidence::Likely {
            rule["properties"]["precision"] = json!("medium");
        }
        rule
    });
    let doubt = doubt(known).map(|doubt| format!("\n{doubt}")).unwrap_or_default();
    let message = format!("{}\nevidence: {}{doubt}", known.cause, known.evidence.text);
    let finding = Finding { rule, id: &known.id, of: explained.log.clone(), level, message };
    log.result(&at(explained, Some(&known.evidence)), &finding);
}

fn at(explained: &Explained, evidence: Option<&Evidence>) -> Value {
    let file = explained.file.clone().unwrap_or_else(|| ELSEWHERE.to_owned());
    json!([physical(&Place { file, line: evidence.map_or(1, |evidence| evidence.line.max(1)) })])
}
