use std::fmt::Write as _;
use std::io::{self, Write};

use super::super::markdown::{advice, code, fence, fix, prose};
use super::{circumstances, doubt, unknown};
use crate::model::{Diagnosis, Evidence, Explained};

/// Writes what a log says of a failure, to paste into an issue: the first fix of each cause, or with `all` everything.
pub fn explanation(explained: &Explained, all: bool, out: &mut dyn Write) -> io::Result<()> {
    let mut text = String::new();
    let told = &explained.explanation;
    if !told.known() {
        nothing(&mut text, explained);
    }
    told.diagnoses.iter().for_each(|known| cause(&mut text, explained, known, all));
    for note in &told.notes {
        let _ = writeln!(text, "\n> **note**: {}", prose(note));
    }
    let _ = writeln!(text, "\n<sub>explained by sconce {}</sub>", env!("CARGO_PKG_VERSION"));
    out.write_all(text.trim_start().as_bytes())
}

fn cause(out: &mut String, explained: &Explained, known: &Diagnosis, all: bool) {
    let _ = writeln!(out, "\n## {} ({})\n", prose(&known.title), code(&known.id));
    if let Some(doubt) = doubt(known) {
        let _ = writeln!(out, "_{}_\n", prose(doubt));
    }
    line(out, explained, &known.evidence);
    if let Some(about) = circumstances::line(&explained.explanation.circumstances) {
        let _ = writeln!(out, "\nSeen on: {}.", prose(&about));
    }
    advice(out, known.into(), all);
}

fn line(out: &mut String, explained: &Explained, evidence: &Evidence) {
    let _ = write!(
        out,
        "Line {} of {}:\n\n{}",
        evidence.line,
        prose(&Explained::quoted(&explained.log)),
        fence(&evidence.text, "text")
    );
}

fn nothing(out: &mut String, explained: &Explained) {
    let _ = writeln!(out, "\n## {}\n", prose(&unknown(explained)));
    for evidence in &explained.explanation.decisive {
        line(out, explained, evidence);
        out.push('\n');
    }
    if let Some(about) = circumstances::line(&explained.explanation.circumstances) {
        let _ = writeln!(out, "Seen on: {}.", prose(&about));
    }
    explained.more.iter().for_each(|remedy| fix(out, "To see more", remedy));
}
