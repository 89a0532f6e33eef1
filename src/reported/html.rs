//! The HTML of issues, mails and pages: the tags that shape text, and the references to characters.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// The tags that shape text. Others are left alone: `<module>` and `vector<float>` are none.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static TAG: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)<(/?)(br|pre|p|div|span|code|details|summary|blockquote|table|tbody|thead|tr|td|th|ul|ol|li|strong|em|tt|samp|kbd|html|body|h[1-6]|hr)((?:\s[^<>]*)?)/?>",
    )
    .unwrap()
});

#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static LANGUAGE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#"(?i)\blang(?:uage)?[=-]["']?([\w+#.-]+)"#).unwrap());

#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static REFERENCE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"&(#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|gt|lt|amp|quot|apos|nbsp);").unwrap());

/// A piece of a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Text, on a row of its own.
    Text(String),
    /// A block of code begins, of this language.
    Code(String),
    /// It ends.
    EndOfCode,
}

/// Whether a line may hold HTML.
pub(super) fn is_marked_up(line: &str) -> bool {
    (line.contains('<') && TAG.is_match(line)) || (line.contains('&') && REFERENCE.is_match(line))
}

/// The pieces of a line that is marked up; none where it holds tags alone.
pub(super) fn pieces(line: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let (mut text, mut at) = (String::new(), 0);
    for tag in TAG.captures_iter(line) {
        let whole = tag.get_match();
        text.push_str(&line[at..whole.start()]);
        at = whole.end();
        let closes = !tag[1].is_empty();
        match tag[2].to_ascii_lowercase().as_str() {
            "pre" => {
                flush(&mut pieces, &mut text);
                let language = LANGUAGE.captures(&tag[3]).map_or(String::new(), |language| language[1].to_owned());
                pieces.push(if closes { Piece::EndOfCode } else { Piece::Code(language) });
            }
            "td" | "th" if closes => text.push_str("  "),
            "td" | "th" | "span" | "code" | "strong" | "em" | "tt" | "samp" | "kbd" => {}
            _ => flush(&mut pieces, &mut text),
        }
    }
    text.push_str(&line[at..]);
    flush(&mut pieces, &mut text);
    pieces
}

/// Ends a row; where there is nothing on it, it is none.
fn flush(pieces: &mut Vec<Piece>, text: &mut String) {
    if !text.trim().is_empty() {
        pieces.push(Piece::Text(decoded(text).into_owned()));
    }
    text.clear();
}

/// The text with its references to characters replaced, each once.
fn decoded(text: &str) -> Cow<'_, str> {
    REFERENCE.replace_all(text, |reference: &Captures<'_>| {
        let character = match &reference[1] {
            "gt" => '>',
            "lt" => '<',
            "amp" => '&',
            "quot" => '"',
            "apos" => '\'',
            "nbsp" => ' ',
            number => numbered(number).unwrap_or('\u{fffd}'),
        };
        character.to_string()
    })
}

/// The character of `#39` or `#x27`; none that steers a terminal.
fn numbered(number: &str) -> Option<char> {
    let number = &number[1..];
    let number = match number.strip_prefix(['x', 'X']) {
        Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16),
        None => number.parse(),
    };
    let character = char::from_u32(number.ok()?)?;
    match character {
        '\u{a0}' | '\n' | '\t' => Some(' '),
        character => crate::model::plain(character.encode_utf8(&mut [0; 4])).chars().next(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_replaced_once_and_steer_nothing() {
        assert_eq!(
            decoded("&lt;a&gt; &amp;lt; &quot;&#39;&#x27;&nbsp;&#160;&copy; &#27;[0m &#xFFFFFF;"),
            "<a> &lt; \"''  &copy; \u{fffd}[0m \u{fffd}"
        );
    }

    #[test]
    fn the_rows_of_a_table() {
        let text = |text: &str| Piece::Text(text.to_owned());
        assert_eq!(pieces("<tr><td>torch</td><td>2.6</td></tr>"), [text("torch  2.6  ")]);
        assert_eq!(
            pieces("a<pre class='x lang-py'>b</pre>"),
            [text("a"), Piece::Code("py".to_owned()), text("b"), Piece::EndOfCode]
        );
        assert_eq!(pieces("</details>"), []);
    }
}
