use std::iter::Peekable;
use std::str::Chars;

/// `text` without what a terminal would obey: escape sequences, control characters except line ends and tabs,
/// characters that change the direction of what follows, and those that nobody sees.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => skip_sequence(&mut chars),
            // A progress bar draws over its line; its last state follows.
            '\r' if chars.peek() != Some(&'\n') => out.push('\n'),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || reorders(c) || hides(c) => {}
            c => out.push(c),
        }
    }
    out
}

/// `text` on one line: as [`plain`], with a space for every character that is taken out, line ends and tabs included.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => skip_sequence(&mut chars),
            c if hides(c) => {}
            c if c.is_control() || reorders(c) => out.push(' '),
            c => out.push(c),
        }
    }
    out.trim().to_owned()
}

/// The rest of an escape sequence (ECMA-48): CSI up to its final byte, a string up to its terminator, otherwise up to the
/// first character that is no intermediate.
fn skip_sequence(chars: &mut Peekable<Chars<'_>>) {
    match chars.next() {
        Some('[') => {
            chars.find(|c| ('\u{40}'..='\u{7e}').contains(c));
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while let Some(c) = chars.next() {
                if c == '\u{7}' || (c == '\u{1b}' && chars.next_if_eq(&'\\').is_some()) {
                    break;
                }
            }
        }
        Some('\u{20}'..='\u{2f}') => {
            chars.find(|c| !('\u{20}'..='\u{2f}').contains(c));
        }
        _ => {}
    }
}

/// The explicit directional formatting characters of Unicode's bidirectional algorithm, and its line separators.
fn reorders(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Characters without width, which can hold a text apart or carry one that only machines read. The joiners of scripts and of
/// pictures stay.
fn hides(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{180e}' | '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{206a}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_cannot_steer_the_terminal() {
        assert_eq!(printable("\u{1b}[31mred\u{1b}[0m\nnext\u{1b}]0;title\u{7}!"), "red next!");
        assert_eq!(printable("\u{1b}]8;;x\u{1b}\\link\u{202e}gnp.exe"), "link gnp.exe");
        assert_eq!(printable("a\u{61c}b"), "a b");
        assert_eq!(printable("cut \u{1b}["), "cut");
    }

    #[test]
    fn nothing_that_a_terminal_would_obey_is_left() {
        for (text, expected) in [
            ("\u{1b}[1;31mred\u{1b}[0m\n\tnext", "red\n\tnext"),
            ("\u{1b}]0;title\u{7}after", "after"),
            ("\u{1b}]8;;https://example.org\u{1b}\\link", "link"),
            ("\u{1b}(Bascii", "ascii"),
            ("\u{1b}Pq#0\u{1b}\\sixel", "sixel"),
            ("bell\u{7} and c1 \u{9b}31m", "bell and c1 31m"),
            ("gnp\u{202e}exe", "gnpexe"),
            ("a\u{200b}\u{feff}b\u{2060}c\u{ad}d\u{e0041}", "abcd"),
            ("10%\r50%\r\n", "10%\n50%\n"),
            ("cut \u{1b}[", "cut "),
            ("cut \u{1b}", "cut "),
        ] {
            assert_eq!(plain(text), expected, "{text:?}");
        }
    }
}
