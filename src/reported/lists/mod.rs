//! Lists of packages, in the forms of pip, uv, conda and their like: one file a form.

mod check_env;
mod conda;
mod conda_export;
mod freeze;
mod json;
mod package;
mod pip_list;

use super::{Line, Section};
use crate::model::PartKind;

/// A list that was read.
#[derive(Debug)]
pub(super) struct List {
    pub(super) kind: PartKind,
    /// How many lines it takes up.
    pub(super) lines: usize,
    pub(super) section: Section,
}

/// Reads the list that begins with the first of the lines (there is one), which stand in `file`; `alone` where they are a block
/// of code or a document. Where none begins there: in how many lines none does, so that nothing is read over and over.
type Reader = fn(lines: &[Line<'_>], file: &str, alone: bool) -> Result<List, usize>;

/// The forms. A new one is a new file, and a line here.
const READERS: [Reader; 6] =
    [pip_list::read, conda::read, conda_export::read, freeze::read, pip_list::shown, check_env::read];

/// The readers, and from where on each may find a list.
#[derive(Default)]
pub(super) struct Lists {
    next: [usize; READERS.len()],
}

impl Lists {
    /// The list that begins at `at`.
    pub(super) fn read(&mut self, lines: &[Line<'_>], at: usize, file: &str, alone: bool) -> Option<List> {
        for (reader, next) in READERS.iter().zip(&mut self.next) {
            if *next > at {
                continue;
            }
            match reader(&lines[at..], file, alone) {
                Ok(mut list) => {
                    package::conclude(&mut list.section.environment);
                    return Some(list);
                }
                Err(none) => *next = at + none,
            }
        }
        None
    }
}

/// The list or the environment file in JSON that begins with the first of `lines`, or why it is none though it looks like one.
pub(super) fn read_json(lines: &[Line<'_>], file: &str) -> Option<crate::model::Result<List>> {
    let read = json::read(lines, file)?;
    Some(read.map(|mut list| {
        if list.kind != PartKind::EnvironmentFile {
            package::conclude(&mut list.section.environment);
        }
        list
    }))
}

#[cfg(test)]
mod tests;
