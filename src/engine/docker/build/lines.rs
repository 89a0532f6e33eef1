/// The longest line that is waited for; a program that writes no line ends must not fill the memory.
const LONGEST: usize = 64 * 1024;

/// Puts lines together from the chunks that they come in.
#[derive(Debug, Default)]
pub(super) struct Lines {
    partial: Vec<u8>,
}

impl Lines {
    /// The lines that `chunk` completes, without their ends.
    pub(super) fn push(&mut self, chunk: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for piece in chunk.split_inclusive(|&byte| byte == b'\n') {
            self.partial.extend_from_slice(piece);
            if piece.ends_with(b"\n") || self.partial.len() >= LONGEST {
                lines.extend(self.finish());
            }
        }
        lines
    }

    /// The line that had no end yet.
    pub(super) fn finish(&mut self) -> Option<String> {
        if self.partial.is_empty() {
            return None;
        }
        let line = String::from_utf8_lossy(&self.partial).trim_end_matches(['\n', '\r']).to_owned();
        self.partial.clear();
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_whole_whatever_the_chunks_are() {
        let text = "one\r\ntwo ünï\n\nlast";
        for size in 1..text.len() {
            let mut lines = Lines::default();
            let mut seen: Vec<String> = text.as_bytes().chunks(size).flat_map(|chunk| lines.push(chunk)).collect();
            seen.extend(lines.finish());
            assert_eq!(seen, ["one", "two ünï", "", "last"], "{size}");
        }
    }

    #[test]
    fn a_line_without_an_end_is_cut() {
        let mut lines = Lines::default();
        let seen: usize = (0..100).map(|_| lines.push(&[b'x'; 9000]).len()).sum();
        assert!(seen >= 10);
        assert!(lines.partial.len() < LONGEST);
    }
}
