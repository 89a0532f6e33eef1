//! `sconce explain`: what a log says of a failure, and what the catalogue knows.

use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

use crate::catalogue::{Catalogue, Failure, Failures};
use crate::diagnose;
use crate::model::{Error, Explained, KnownFailure, Result, nearest};

/// How much of a log tells whether it is text.
const HEAD: usize = 8 << 10;

/// Of its bytes, one in so many may be what no text has: a log that was cut or rotated has some.
const FOREIGN: usize = 10;

/// What `log`, which its reader knows as `name`, says of a failure. `file` is its path from the folder of the run.
///
/// # Errors
///
/// Wrong usage where it cannot be read, is empty or is no text.
pub fn explain(name: &str, file: Option<String>, log: impl Read) -> Result<Explained> {
    let quoted = Explained::quoted(name);
    let unreadable = |error| Error::usage(format!("cannot read {quoted}")).because(error);
    let mut log = BufReader::with_capacity(HEAD, log);
    let head = head(&mut log).map_err(unreadable)?;
    if head.is_empty() {
        return Err(empty(&quoted));
    }
    if is_binary(head) {
        return Err(Error::usage(format!("{quoted} is no text"))
            .with_hint("the log of a failure is wanted, as text or as gzip"));
    }
    let catalogue = Catalogue::embedded()?;
    let explanation = diagnose::explain(&catalogue, log).map_err(unreadable)?;
    if explanation.lines == 0 {
        return Err(empty(&quoted));
    }
    let more = if explanation.known() { Vec::new() } else { catalogue.failures().unknown().to_vec() };
    Ok(Explained { log: name.to_owned(), file, explanation, more })
}

fn empty(quoted: &str) -> Error {
    Error::usage(format!("{quoted} is empty"))
        .with_hint("programs write their failures on standard error: `COMMAND 2>&1 | sconce explain` pipes that, too")
}

fn head(log: &mut impl BufRead) -> std::io::Result<&[u8]> {
    // Asked twice, since the borrow of a first answer would outlive the loop.
    while let Err(error) = log.fill_buf() {
        if error.kind() != ErrorKind::Interrupted {
            return Err(error);
        }
    }
    log.fill_buf()
}

/// Whether it is neither text nor one of the two things that text comes in, gzip and UTF-16.
fn is_binary(head: &[u8]) -> bool {
    const WRAPPED: [&[u8]; 3] = [b"\x1f\x8b", b"\xff\xfe", b"\xfe\xff"];
    if WRAPPED.iter().any(|start| head.starts_with(start)) {
        return false;
    }
    let foreign = |byte: &&u8| matches!(byte, 0..=6 | 14..=26 | 28..=31);
    head.iter().filter(foreign).count() > head.len() / FOREIGN
}

/// Every failure that the catalogue knows, in the order of a program's life.
pub fn known() -> Result<Vec<KnownFailure>> {
    let catalogue = Catalogue::embedded()?;
    let mut rows: Vec<&Failure> = catalogue.failures().rows().iter().collect();
    rows.sort_by_key(|row| Failures::stage_order(&row.stage));
    Ok(rows.into_iter().map(entry).collect())
}

/// The failure with this id, however it is written: `PYTHON_H_MISSING`, `python-h-missing`.
///
/// # Errors
///
/// Wrong usage where there is none; the error names the one that is most alike.
pub fn failure(id: &str) -> Result<KnownFailure> {
    let wanted = id.to_ascii_uppercase().replace('-', "_");
    let catalogue = Catalogue::embedded()?;
    let rows = catalogue.failures().rows();
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
    let filled = row.filled(&row.defaults);
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

    #[test]
    fn what_is_no_text_is_told_apart() {
        for text in ["", "plain", "\u{1b}[31mred\u{1b}[0m\r\n", "größer ✓ 漢字", "\u{1f}\u{8b}"] {
            assert!(!is_binary(text.as_bytes()), "{text:?}");
        }
        assert!(!is_binary(b"\x1f\x8b\x08\0\0\0\0\0") && !is_binary(b"\xff\xfea\0b\0"));
        assert!(is_binary(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0>\0") && is_binary(&[0; 100]));
        // A log that was cut while it was written to begins with zeros.
        assert!(!is_binary(&[&[0; 8], "a line of a log\n".repeat(10).as_bytes()].concat()));
    }
}
