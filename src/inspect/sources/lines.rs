//! Places in a text as lines.

use ruff_text_size::TextRange;

use super::super::text;

/// The lines of a file, also of one whose text was put together of pieces.
pub(super) struct Lines {
    text: text::Lines,
    /// For text that was put together of pieces: the line in the file of each line of the text.
    map: Option<Vec<usize>>,
}

impl Lines {
    /// The lines of a file.
    pub(super) fn of(text: &str) -> Self {
        Self { text: text::Lines::of(text), map: None }
    }

    /// The lines of a text whose lines stand on the lines `map` of a file.
    pub(super) fn mapped(text: &str, map: Vec<usize>) -> Self {
        Self { map: Some(map), ..Self::of(text) }
    }

    /// The line, from 1, at which `range` begins.
    pub(super) fn at(&self, range: TextRange) -> usize {
        let line = self.text.at(range.start().to_usize());
        self.map.as_ref().map_or(line, |map| map.get(line - 1).copied().unwrap_or(1))
    }
}
