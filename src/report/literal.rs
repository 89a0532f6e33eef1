/// A piece of our own prose.
pub(super) struct Piece<'a> {
    pub(super) text: &'a str,
    /// Whether it stood in backticks.
    pub(super) literal: bool,
}

/// Prose, cut at its backticks. Where they do not come in pairs, they are not ours, and it stays whole.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    if text.matches('`').count() % 2 == 1 {
        return vec![Piece { text, literal: false }];
    }
    text.split('`').enumerate().map(|(index, text)| Piece { text, literal: index % 2 == 1 }).collect()
}
