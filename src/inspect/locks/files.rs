//! The lists of files in a lock: nine tenths of its text, of which only the count of hashes is wanted.

use std::borrow::Cow;

use toml::de::DeValue;

use super::entry::Entry;

/// What stands for a file in the text that is parsed.
const STAND_IN: &str = "0,";

/// `text` with a short stand-in for each line that is a file of a list, as the tools write them, so that a long lock is
/// parsed in a tenth of the time; lines stay where they are. What is written otherwise is parsed as it is.
pub(super) fn shortened(text: &str) -> Cow<'_, str> {
    let mut short = String::with_capacity(text.len() / 2);
    let mut files = 0_usize;
    for line in text.split_inclusive('\n') {
        if is_file(line.trim_end()) {
            short.push_str(STAND_IN);
            short.push('\n');
            files += 1;
        } else {
            short.push_str(line);
        }
    }
    if files == 0 { Cow::Borrowed(text) } else { Cow::Owned(short) }
}

/// Whether an item of a list of files has a hash, or stands for one that has.
pub(super) fn has_hash(file: &Entry<'_, '_>) -> bool {
    matches!(file.table.get_ref(), DeValue::Integer(_)) || file.get("hash").is_some()
}

/// Whether a line is one inline table with a hash, in an array that goes on: a string in it holds neither a quote nor a
/// brace, so that the table ends where it seems to end.
fn is_file(line: &str) -> bool {
    let Some(inner) = line.trim_start().strip_prefix('{').and_then(|rest| rest.strip_suffix("},")) else {
        return false;
    };
    let starts = inner.trim_start();
    let begins = ["url = \"", "file = \"", "path = \"", "filename = \""].into_iter().any(|key| starts.starts_with(key));
    begins && inner.contains(", hash = \"") && is_plain(inner)
}

/// Whether quotes come in pairs, and nothing else could end a string or the table. Byte by byte, since most of a lock
/// passes here.
fn is_plain(inner: &str) -> bool {
    let mut quotes = 0_usize;
    for byte in inner.bytes() {
        match byte {
            b'"' => quotes += 1,
            b'{' | b'}' | b'\'' | b'\\' | b'#' => return false,
            _ => {}
        }
    }
    quotes.is_multiple_of(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_shortened_and_lines_stay() {
        let text = "[[package]]\nwheels = [\n    { url = \"https://h/a.whl\", hash = \"sha256:00\", size = 1 },\n\
                    {file = \"b.whl\", hash = \"sha256:11\"},\n]\nname = \"x\"\n";
        let short = shortened(text);
        assert_eq!(short, "[[package]]\nwheels = [\n0,\n0,\n]\nname = \"x\"\n");
        assert_eq!(short.lines().count(), text.lines().count());
    }

    #[test]
    fn what_tools_do_not_write_is_left_alone() {
        for line in [
            "{ url = \"a\", size = 1 },",
            "{ url = \"a\", hash = \"b\" } ]",
            "{ url = \"a\", hash = \"b\", more = { c = 1 } },",
            "{ url = \"a, hash = \"b\" },",
            "{ url = 'a', hash = \"b\" },",
            "a = { url = \"a\", hash = \"b\" },",
            "{ url = \"a\", hash = \"b\" }, # c",
        ] {
            assert!(matches!(shortened(line), Cow::Borrowed(_)), "{line}");
        }
    }
}
