use std::io::{self, Write};

use super::super::advice;
use super::super::github::command;
use super::super::place::Place;
use super::{doubt, unknown};
use crate::model::{Confidence, Diagnosis, Evidence, Explained};

/// Writes what GitHub's runners read: an annotation a cause, at its line of the log.
pub fn annotations(explained: &Explained, out: &mut dyn Write) -> io::Result<()> {
    let told = &explained.explanation;
    match told.decisive.first() {
        _ if told.known() => {}
        None => command("error", "sconce", None, &unknown(explained), out)?,
        Some(first) => {
            let said: Vec<String> = told.decisive.iter().map(|line| format!("{}: {}", line.line, line.text)).collect();
            let title = format!("sconce: {}", unknown(explained));
            command("error", &title, place(explained, first).as_ref(), &said.join("\n"), out)?;
        }
    }
    told.diagnoses.iter().try_for_each(|known| {
        let name = if known.confidence == Confidence::Warning { "warning" } else { "error" };
        let title = format!("sconce: {} ({})", known.title, known.id);
        command(name, &title, place(explained, &known.evidence).as_ref(), &message(known), out)
    })?;
    told.notes.iter().try_for_each(|note| command("notice", "sconce", None, note, out))
}

fn place(explained: &Explained, evidence: &Evidence) -> Option<Place> {
    explained.file.clone().map(|file| Place { file, line: evidence.line })
}

fn message(known: &Diagnosis) -> String {
    let doubt = doubt(known).map(str::to_owned);
    let fix = known.remedies.first().map(|fix| {
        let lines: Vec<&str> = advice::lines(fix).collect();
        format!("fix ({}): {}", advice::platform(fix), lines.join("\n"))
    });
    let parts = [doubt, Some(known.evidence.text.clone()), Some(known.cause.clone()), fix];
    parts.into_iter().flatten().collect::<Vec<_>>().join("\n")
}
