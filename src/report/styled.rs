use anstyle::{AnsiColor, Style};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

pub(super) const PLAIN: Style = Style::new();
pub(super) const BOLD: Style = Style::new().bold();
pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(super) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
pub(super) const HINT: Style = AnsiColor::Cyan.on_default().bold();
pub(super) const COMMAND: Style = AnsiColor::Cyan.on_default();

/// A piece of text in one style.
#[derive(Debug, Clone)]
pub(super) struct Span {
    pub(super) style: Style,
    pub(super) text: String,
}

/// A line's worth of text before it is wrapped.
#[derive(Debug, Clone, Default)]
pub(super) struct Text {
    pub(super) spans: Vec<Span>,
}

impl Text {
    pub(super) fn new(style: Style, text: impl Into<String>) -> Self {
        Self::default().and(style, text)
    }

    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self::new(PLAIN, text)
    }

    #[must_use]
    pub(super) fn and(mut self, style: Style, text: impl Into<String>) -> Self {
        self.spans.push(Span { style, text: text.into() });
        self
    }

    /// The columns that it takes on one line.
    pub(super) fn width(&self) -> usize {
        self.spans.iter().map(|span| span.text.width()).sum()
    }

    /// As much of it as fits `width`; what is left out is a dim `…`.
    pub(super) fn truncated(&self, width: usize) -> Self {
        if self.width() <= width {
            return self.clone();
        }
        let mut line = Self::default();
        let mut used = 1;
        for (style, c) in self.spans.iter().flat_map(|span| span.text.chars().map(|c| (span.style, c))) {
            used += c.width().unwrap_or(0);
            if used > width {
                break;
            }
            line.push(style, c);
        }
        line.trim_end();
        line.and(DIM, "…")
    }

    /// Breaks it at spaces into lines of at most `width` columns; a word that is wider is broken anywhere. There is
    /// always at least one line.
    pub(super) fn wrap(&self, width: usize) -> Vec<Self> {
        let width = width.max(1);
        let mut lines = vec![Self::default()];
        let mut used = 0;
        for word in self.words() {
            if used > 0 && used + word.trimmed_width() > width {
                lines.push(Self::default());
                used = 0;
            }
            for (style, c) in word.chars {
                let advance = c.width().unwrap_or(0);
                if used + advance > width {
                    // A space that does not fit ends the line, and the next one does not begin with it.
                    if c == ' ' {
                        continue;
                    }
                    lines.push(Self::default());
                    used = 0;
                }
                if let Some(line) = lines.last_mut() {
                    line.push(style, c);
                }
                used += advance;
            }
        }
        lines.iter_mut().for_each(Self::trim_end);
        lines
    }

    fn words(&self) -> Vec<Word> {
        let mut words: Vec<Word> = Vec::new();
        let mut after_space = true;
        for (style, c) in self.spans.iter().flat_map(|span| span.text.chars().map(|c| (span.style, c))) {
            if words.is_empty() || (after_space && c != ' ') {
                words.push(Word::default());
            }
            after_space = c == ' ';
            if let Some(word) = words.last_mut() {
                word.chars.push((style, c));
            }
        }
        words
    }

    fn push(&mut self, style: Style, c: char) {
        match self.spans.last_mut().filter(|span| span.style == style) {
            Some(span) => span.text.push(c),
            None => self.spans.push(Span { style, text: c.to_string() }),
        }
    }

    fn trim_end(&mut self) {
        while let Some(span) = self.spans.last_mut() {
            span.text.truncate(span.text.trim_end_matches(' ').len());
            if !span.text.is_empty() {
                return;
            }
            self.spans.pop();
        }
    }
}

/// A word and the spaces behind it.
#[derive(Default)]
struct Word {
    chars: Vec<(Style, char)>,
}

impl Word {
    fn trimmed_width(&self) -> usize {
        let spaces = self.chars.iter().rev().take_while(|(_, c)| *c == ' ').count();
        self.chars[..self.chars.len() - spaces].iter().filter_map(|(_, c)| c.width()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(text: &str, width: usize) -> Vec<String> {
        let line = |line: Text| line.spans.into_iter().map(|span| span.text).collect();
        Text::plain(text).wrap(width).into_iter().map(line).collect()
    }

    #[test]
    fn lines_break_at_spaces() {
        assert_eq!(wrapped("the quick brown fox", 10), ["the quick", "brown fox"]);
        assert_eq!(wrapped("  indented text", 10), ["  indented", "text"]);
        assert_eq!(wrapped("", 10), [""]);
    }

    #[test]
    fn a_word_that_is_too_long_is_broken() {
        assert_eq!(wrapped("a /very/long/path b", 6), ["a", "/very/", "long/p", "ath b"]);
        assert_eq!(wrapped("wide 漢字漢字", 5), ["wide", "漢字", "漢字"]);
    }

    #[test]
    fn styles_survive_wrapping() {
        let lines = Text::plain("one two ").and(BOLD, "three four").wrap(9);
        let styles: Vec<Vec<Style>> = lines.iter().map(|line| line.spans.iter().map(|s| s.style).collect()).collect();
        assert_eq!(styles, [vec![PLAIN], vec![BOLD], vec![BOLD]]);
    }

    #[test]
    fn what_does_not_fit_is_left_out() {
        let text = |text: &str, width| -> String {
            Text::plain(text).truncated(width).spans.into_iter().map(|span| span.text).collect()
        };
        assert_eq!(text("one two", 7), "one two");
        assert_eq!(text("one two three", 8), "one two…");
        assert_eq!(text("漢字漢字", 6), "漢字…");
    }

    proptest::proptest! {
        #[test]
        fn no_line_is_wider_than_asked(text in "[a-z漢 ]{0,60}", width in 2_usize..20) {
            for line in Text::plain(text).wrap(width) {
                proptest::prop_assert!(line.width() <= width);
            }
        }

        #[test]
        fn no_letter_is_lost(text in "[a-z漢 ]{0,60}", width in 2_usize..20) {
            let letters = |text: &str| text.replace(' ', "");
            proptest::prop_assert_eq!(letters(&wrapped(&text, width).concat()), letters(&text));
        }
    }
}
