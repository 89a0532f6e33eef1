//! The end of a text that may be too long to keep.

/// As much as is kept, in bytes.
const LIMIT: usize = 8 * 1024 * 1024;

/// The last 8 MiB of what was pushed.
#[derive(Default)]
pub(super) struct Tail {
    bytes: Vec<u8>,
    cut: bool,
}

impl Tail {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        // Twice the limit, so that it is moved once for each time that it fills.
        if self.bytes.len() > 2 * LIMIT {
            self.trim();
        }
    }

    fn trim(&mut self) {
        let excess = self.bytes.len().saturating_sub(LIMIT);
        if excess > 0 {
            self.bytes.drain(..excess);
            self.cut = true;
        }
    }

    /// The text, where what is no UTF-8 is replaced.
    pub(super) fn into_text(mut self) -> String {
        self.trim();
        let start = if self.cut {
            // The cut may have gone through a character, whose rest is at most three bytes.
            self.bytes.iter().take(3).take_while(|byte| (0x80..0xc0).contains(*byte)).count()
        } else {
            0
        };
        String::from_utf8_lossy(&self.bytes[start..]).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_kept_from_a_whole_character_on() {
        let mut tail = Tail::default();
        for _ in 0..LIMIT {
            tail.push("é€".as_bytes());
        }
        let text = tail.into_text();
        assert!(text.len() <= LIMIT && text.len() > LIMIT - 4);
        assert!(!text.contains('\u{fffd}') && text.ends_with("é€"));
    }

    #[test]
    fn what_is_no_text_is_replaced() {
        let mut tail = Tail::default();
        tail.push(b"\x80ok\xff");
        assert_eq!(tail.into_text(), "\u{fffd}ok\u{fffd}");
    }
}
