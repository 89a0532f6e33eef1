//! What `python -m torch.utils.collect_env` writes (torch 1.0 to 2.15), and vLLM's dialects of it.
//!
//! A line is taken apart into pieces (`split`), the pieces are sorted by the names before their colons (`gather`), and
//! each room makes facts of its own: the system, the versions, the GPUs, the processor, the packages, the variables.

mod cpu;
mod gather;
mod gpus;
mod keys;
mod packages;
mod split;
mod system;
#[cfg(test)]
mod tests;
mod torch;
mod variables;
mod versions;

use gather::{Gathered, Text};
use keys::Key;

use super::{Line, Section};
use crate::catalogue::Layout;
use crate::model::{Note, Origin, Stated};

/// Reads the lines of one report, of torch or of vLLM. What it does not tell, or tells as `N/A` and the like, is missing
/// in the environment.
pub(crate) fn read(lines: &[Line<'_>], file: &str) -> Section {
    let gathered = gather::gather(lines);
    let mut telling = Telling { gathered: &gathered, file, section: Section::default() };
    torch::tell(&mut telling);
    versions::tell(&mut telling);
    system::tell(&mut telling);
    gpus::tell(&mut telling);
    cpu::tell(&mut telling);
    packages::tell(&mut telling);
    variables::tell(&mut telling);
    telling.section
}

/// A report in lines that are sorted, and what was made of it so far.
struct Telling<'a> {
    gathered: &'a Gathered,
    file: &'a str,
    section: Section,
}

impl Telling<'_> {
    fn origin(&self, line: usize) -> Origin {
        Origin::file(self.file, line)
    }

    /// A fact of the line where `text` stands.
    fn stated<T>(&self, value: T, text: &Text) -> Stated<T> {
        Stated::new(value, self.origin(text.line))
    }

    /// What the report says of `key`, as it is written.
    fn text(&self, key: Key) -> Option<Stated<String>> {
        self.gathered.stated(key).map(|text| self.stated(text.text.clone(), text))
    }

    /// The first word of what the report says of `key`.
    fn word(&self, key: Key) -> Option<Stated<String>> {
        let text = self.gathered.stated(key)?;
        let word = text.text.split_whitespace().next()?;
        Some(self.stated(word.to_owned(), text))
    }

    /// Whether the report says yes to `key`.
    fn truth(&self, key: Key) -> Option<Stated<bool>> {
        let text = self.gathered.stated(key)?;
        let value = match text.text.split_whitespace().next()? {
            "True" | "Yes" => true,
            "False" | "No" => false,
            _ => return None,
        };
        Some(self.stated(value, text))
    }

    fn warn(&mut self, message: String, line: usize) {
        let origin = self.origin(line);
        self.section.notes.push(Note::warning(message, origin));
    }
}

/// Whether a value says that nothing is known.
fn is_nothing(value: &str) -> bool {
    Layout::collect_env().is_nothing(value)
}
