//! Bytes of a user's file to text, and text of a user's file to something safe to print.

/// Why bytes are no text: what is wrong, and the line (from 1) where it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Undecodable {
    pub(super) message: String,
    pub(super) line: usize,
}

/// How the characters of a file are encoded.
#[derive(Clone, Copy)]
enum Encoding {
    Utf8,
    Ascii,
    Latin1,
    Utf16 { big: bool },
    Utf32 { big: bool },
}

/// The byte order marks that pip knows, longest first where one begins another
/// (<https://github.com/pypa/pip/blob/main/src/pip/_internal/req/req_file.py>).
const MARKS: [(&[u8], Encoding); 5] = [
    (b"\xef\xbb\xbf", Encoding::Utf8),
    (b"\xff\xfe\0\0", Encoding::Utf32 { big: false }),
    (b"\0\0\xfe\xff", Encoding::Utf32 { big: true }),
    (b"\xff\xfe", Encoding::Utf16 { big: false }),
    (b"\xfe\xff", Encoding::Utf16 { big: true }),
];

/// Decodes a requirements file as pip does: by its byte order mark, else by a PEP 263 line, else as UTF-8. pip would go
/// on to guess by the locale; an image's locale is not the author's, so here that is an error.
pub(super) fn decode(bytes: &[u8]) -> Result<String, Undecodable> {
    if let Some((mark, encoding)) = MARKS.iter().find(|(mark, _)| bytes.starts_with(mark)) {
        return decode_as(&bytes[mark.len()..], *encoding);
    }
    let encoding = declared_encoding(bytes)?.unwrap_or(Encoding::Utf8);
    decode_as(bytes, encoding)
}

/// Decodes a file that its format demands to be UTF-8.
pub(super) fn decode_utf8(bytes: Vec<u8>) -> Result<String, Undecodable> {
    match bytes.strip_prefix(b"\xef\xbb\xbf") {
        Some(text) => decode_as(text, Encoding::Utf8),
        // A lock is long: its bytes become the text, without a copy.
        None => String::from_utf8(bytes).or_else(|error| decode_as(error.as_bytes(), Encoding::Utf8)),
    }
}

/// The encoding that one of the first two lines declares in a comment, such as `# -*- coding: latin-1 -*-`.
fn declared_encoding(bytes: &[u8]) -> Result<Option<Encoding>, Undecodable> {
    for (index, line) in bytes.split(|byte| *byte == b'\n').take(2).enumerate() {
        let line = String::from_utf8_lossy(line);
        let declared = line.starts_with('#').then(|| coding(&line)).flatten();
        let Some(name) = declared else { continue };
        return match name.to_ascii_lowercase().replace('_', "-").as_str() {
            "utf-8" | "utf8" | "utf-8-sig" => Ok(Some(Encoding::Utf8)),
            "ascii" | "us-ascii" => Ok(Some(Encoding::Ascii)),
            "latin-1" | "latin1" | "iso-8859-1" | "iso8859-1" | "l1" => Ok(Some(Encoding::Latin1)),
            _ => Err(Undecodable {
                message: format!("declares the encoding `{name}`, which is not read"),
                line: index + 1,
            }),
        };
    }
    Ok(None)
}

/// What follows the first `coding:` or `coding=` that names something.
fn coding(line: &str) -> Option<String> {
    line.match_indices("coding").find_map(|(at, word)| {
        let value = line[at + word.len()..].strip_prefix([':', '='])?.trim_start();
        let name: String = value.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).collect();
        (!name.is_empty()).then_some(name)
    })
}

fn decode_as(bytes: &[u8], encoding: Encoding) -> Result<String, Undecodable> {
    match encoding {
        Encoding::Utf8 => match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.to_owned()),
            Err(error) => Err(undecodable("UTF-8", &String::from_utf8_lossy(&bytes[..error.valid_up_to()]))),
        },
        Encoding::Ascii if bytes.is_ascii() => Ok(bytes.iter().copied().map(char::from).collect()),
        Encoding::Ascii => {
            let before: String = bytes.iter().copied().take_while(u8::is_ascii).map(char::from).collect();
            Err(undecodable("ASCII", &before))
        }
        Encoding::Latin1 => Ok(bytes.iter().copied().map(char::from).collect()),
        Encoding::Utf16 { big } => decode_utf16(bytes, big),
        Encoding::Utf32 { big } => decode_utf32(bytes, big),
    }
}

fn decode_utf16(bytes: &[u8], big: bool) -> Result<String, Undecodable> {
    let units = bytes.chunks(2).map(|unit| match *unit {
        [a, b] if big => u16::from_be_bytes([a, b]),
        [a, b] => u16::from_le_bytes([a, b]),
        // Half a character: a lone surrogate is as undecodable as it is.
        _ => 0xd800,
    });
    collect("UTF-16", char::decode_utf16(units).map(Result::ok))
}

fn decode_utf32(bytes: &[u8], big: bool) -> Result<String, Undecodable> {
    let characters = bytes.chunks(4).map(|unit| {
        let unit: [u8; 4] = unit.try_into().ok()?;
        char::from_u32(if big { u32::from_be_bytes(unit) } else { u32::from_le_bytes(unit) })
    });
    collect("UTF-32", characters)
}

fn collect(encoding: &str, characters: impl Iterator<Item = Option<char>>) -> Result<String, Undecodable> {
    let mut text = String::new();
    for character in characters {
        match character {
            Some(character) => text.push(character),
            None => return Err(undecodable(encoding, &text)),
        }
    }
    Ok(text)
}

fn undecodable(encoding: &str, before: &str) -> Undecodable {
    Undecodable { message: format!("is not {encoding} text"), line: line_at(before, before.len()) }
}

/// Where the lines of a text end: its line is looked up for each of many places.
#[derive(Debug)]
pub(super) struct Lines {
    ends: Vec<usize>,
}

impl Lines {
    pub(super) fn of(text: &str) -> Self {
        Self { ends: text.match_indices('\n').map(|(at, _)| at).collect() }
    }

    /// The line (from 1) of the byte `offset`; an end of line belongs to the line that it ends.
    pub(super) fn at(&self, offset: usize) -> usize {
        1 + self.ends.partition_point(|end| *end < offset)
    }
}

/// The line (from 1) of the byte `offset`.
pub(super) fn line_at(text: &str, offset: usize) -> usize {
    1 + text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count()
}

/// Whether a character does not show as itself: controls, and those that turn the direction of what follows.
pub(super) fn is_hidden(c: char) -> bool {
    (c.is_control() && c != '\t')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
}

/// The longest piece of a user's text that a message quotes, in characters.
const SHOWN: usize = 80;

/// A user's text, safe for a message: hidden characters as escapes, and the end of a long one cut.
pub(super) fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN).map(escaped).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

fn escaped(c: char) -> String {
    if is_hidden(c) || c == '\t' { c.escape_default().to_string() } else { c.to_string() }
}

/// Two lines for a person: the part of `text` around the characters `start..start + len`, and carets under these.
pub(super) fn excerpt(text: &str, start: usize, len: usize) -> Vec<String> {
    let from = start.saturating_sub(SHOWN / 2);
    let line: String = text.chars().skip(from).take(SHOWN).map(|c| if is_hidden(c) { '\u{fffd}' } else { c }).collect();
    let carets = len.clamp(1, SHOWN.saturating_sub(start - from).max(1));
    vec![line, format!("{}{}", " ".repeat(start - from), "^".repeat(carets))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_decides() {
        assert_eq!(decode(b"\xef\xbb\xbftorch").as_deref(), Ok("torch"));
        assert_eq!(decode(b"\xff\xfet\0o\0").as_deref(), Ok("to"));
        assert_eq!(decode(b"\xfe\xff\0t\0o").as_deref(), Ok("to"));
        assert_eq!(decode(b"\xff\xfe\0\0t\0\0\0").as_deref(), Ok("t"));
        assert_eq!(decode(b"\0\0\xfe\xff\0\0\0t").as_deref(), Ok("t"));
    }

    #[test]
    fn a_coding_line_decides() {
        assert_eq!(
            decode(b"# -*- coding: latin-1 -*-\n# caf\xe9").as_deref(),
            Ok("# -*- coding: latin-1 -*-\n# caf\u{e9}")
        );
        assert_eq!(decode(b"#\n# coding=koi8-r\n").map_err(|e| e.line), Err(2));
        assert_eq!(decode(b"x\n\n# coding=koi8-r\n").as_deref(), Ok("x\n\n# coding=koi8-r\n"));
    }

    #[test]
    fn the_line_of_a_bad_byte_is_known() {
        assert_eq!(decode(b"torch\n# caf\xe9\n").map_err(|e| e.line), Err(2));
        assert_eq!(decode(b"# coding: ascii\n\ncaf\xe9").map_err(|e| e.line), Err(3));
        assert_eq!(decode(b"\xff\xfe\n\0a").map_err(|e| e.line), Err(2));
    }

    #[test]
    fn lines_are_looked_up_as_they_are_counted() {
        let text = "a\n\nb\r\nc";
        let lines = Lines::of(text);
        assert!((0..=text.len()).all(|at| lines.at(at) == line_at(text, at)));
    }

    #[test]
    fn what_is_shown_holds_no_control_character() {
        assert_eq!(shown("a\u{1b}[31m\nb\u{202e}"), "a\\u{1b}[31m\\nb\\u{202e}");
        assert_eq!(shown(&"x".repeat(200)).chars().count(), SHOWN + 1);
    }

    #[test]
    fn an_excerpt_stays_on_the_screen() {
        let lines = excerpt(&"x".repeat(1000), 500, 900);
        assert!(lines.iter().all(|line| line.chars().count() <= SHOWN), "{lines:?}");
        assert_eq!(excerpt("torch=>2", 5, 2), ["torch=>2", "     ^^"]);
    }
}
