use crate::model::plain;

/// `text` as one line that a terminal shows and does not obey: without escape sequences, control characters and what
/// reorders it ([`plain`]); a line break shows as `\n`.
pub fn safe(text: &str) -> String {
    plain(text).replace('\n', "\\n").replace('\t', "    ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_safe_is_one_line() {
        assert_eq!(safe("größer als 5 µs ✓"), "größer als 5 µs ✓");
        assert_eq!(safe("\u{1b}[31ma\tb\u{1b}[0m\nc\rd\u{8}\u{202e}e"), "a    b\\nc\\nde");
    }

    proptest::proptest! {
        #[test]
        fn nothing_that_moves_the_cursor_gets_through(text in ".*") {
            proptest::prop_assert!(!safe(&text).contains(char::is_control));
        }
    }
}
