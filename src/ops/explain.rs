//! `sconce explain`: what a log says of a failure, and what the catalogue knows.

use std::io::{ErrorKind, Read};
use std::path::Path;

use crate::catalogue::{Failure, Failures};
use crate::diagnose;
use crate::model::{Error, Explained, KnownFailure, Result, nearest};

/// What `log`, which its reader knows as `name`, says of a failure. `file` is its path from the folder of the run.
///
/// # Errors
///
/// Wrong usage where it cannot be read, is empty or is no text.
pub fn explain(name: &str, file: Option<String>, log: impl Read) -> Result<Explained> {
    let quoted = Explained::quoted(name);
    let explanation = diagnose::explain(Failures::embedded(), log).map_err(|error| {
        let verb = if error.kind() == ErrorKind::InvalidData { "explain" } else { "read" };
        Error::usage(format!("cannot {verb} {quoted}")).because(error)
    })?;
    if explanation.lines == 0 {
        return Err(empty(&quoted));
    }
    let more = if explanation.known() { Vec::new() } else { Failures::embedded().unknown().to_vec() };
    Ok(Explained { log: name.to_owned(), file, explanation, more })
}

fn empty(quoted: &str) -> Error {
    Error::usage(format!("{quoted} is empty")).with_hint(
        "programs write their failures on standard error, which `2>&1` sends along: `COMMAND 2>&1 | sconce explain`",
    )
}

/// Every failure that the catalogue knows, in the order of a program's life.
pub fn known() -> Vec<KnownFailure> {
    let mut rows: Vec<&Failure> = Failures::embedded().rows().iter().collect();
    rows.sort_by_key(|row| Failures::stage_order(&row.stage));
    rows.into_iter().map(entry).collect()
}

/// The failure with this id, however it is written: `PYTHON_H_MISSING`, `python-h-missing`.
///
/// # Errors
///
/// Wrong usage where there is none; the error names the one that is most alike.
pub fn failure(id: &str) -> Result<KnownFailure> {
    let wanted = id.to_ascii_uppercase().replace('-', "_");
    let rows = Failures::embedded().rows();
    if let Some(row) = rows.iter().find(|row| row.id == wanted) {
        return Ok(entry(row));
    }
    let hint = match nearest(&wanted, rows.iter().map(|row| row.id.as_str())) {
        Some(alike) => format!("did you mean `{alike}`? `sconce explain --catalogue` lists them all"),
        None => "`sconce explain --catalogue` lists the ids".to_owned(),
    };
    Err(Error::usage(format!("`{id}` is neither a file nor the id of a known failure")).with_hint(hint))
}

/// Whether `text` can be an id, known or not.
pub fn is_id(text: &Path) -> bool {
    let text = text.to_str().unwrap_or_default();
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

fn entry(row: &Failure) -> KnownFailure {
    let filled = row.general();
    KnownFailure {
        id: row.id.clone(),
        title: row.title.clone(),
        stage: row.stage.clone(),
        warning: row.warning,
        cause: filled.cause,
        versions: row.versions.clone(),
        remedies: filled.remedies,
        check: filled.check,
        further: filled.further,
        references: row.references.clone(),
        patterns: row.patterns.clone(),
        evidence: row.evidence.clone(),
        checked: row.checked.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_known_however_it_is_written() {
        for id in ["PYTHON_H_MISSING", "python_h_missing", "Python-H-Missing"] {
            assert_eq!(failure(id).unwrap().id, "PYTHON_H_MISSING");
        }
        let error = failure("PYTHN_H_MISSING").unwrap_err();
        assert!(error.hint.unwrap().contains("`PYTHON_H_MISSING`"));
        assert!(!failure("zzz").unwrap_err().hint.unwrap().contains("mean"));
    }
}
