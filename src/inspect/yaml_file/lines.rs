//! The YAML that tools write: maps and lists by indentation, each value on its line. It is most of every lock, and read ten
//! times as fast as YAML at large; what is more than that, broken or hostile is left to the parser that knows all of it.

use std::borrow::Cow;
use std::collections::HashSet;

use super::{DEEPEST, Entry, MOST_VALUES, Node, Value};

/// The tree of `text`, or nothing where it is not of this kind.
pub(super) fn read(text: &str) -> Option<Node<'_>> {
    let mut lines = Vec::new();
    for (index, line) in text.split('\n').enumerate() {
        let content = line.trim_start_matches(' ');
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        if !content.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return None;
        }
        let indent = line.len() - content.len();
        lines.push(Line { number: index + 1, indent, content: content.trim_end_matches(' ') });
    }
    let root = lines.first()?.indent;
    let mut reader = Reader { lines, at: 0, values: 0 };
    let node = reader.block(root, 0)?;
    (reader.at == reader.lines.len()).then_some(node)
}

struct Line<'t> {
    /// From 1.
    number: usize,
    indent: usize,
    content: &'t str,
}

impl Line<'_> {
    fn is_item(&self) -> bool {
        self.content == "-" || self.content.starts_with("- ")
    }
}

struct Reader<'t> {
    lines: Vec<Line<'t>>,
    /// The next line.
    at: usize,
    values: usize,
}

impl<'t> Reader<'t> {
    /// The list or map that begins on the next line.
    fn block(&mut self, indent: usize, depth: usize) -> Option<Node<'t>> {
        let line = self.lines.get(self.at)?;
        if depth >= DEEPEST || line.indent != indent {
            return None;
        }
        let number = line.number;
        let value = if line.is_item() { self.items(indent, depth)? } else { self.entries(indent, depth)? };
        Some(Node { line: number, value })
    }

    fn items(&mut self, indent: usize, depth: usize) -> Option<Value<'t>> {
        let mut items = Vec::new();
        while let Some(line) = self.lines.get_mut(self.at).filter(|line| line.indent == indent && line.is_item()) {
            let content = line.content[1..].trim_start_matches(' ');
            let inner = indent + line.content.len() - content.len();
            self.count()?;
            if content.is_empty() {
                items.push(self.beneath(indent, depth, false)?);
            } else if content.starts_with("- ") || key(content).is_some() {
                // The item begins on the line of its dash.
                let line = self.lines.get_mut(self.at)?;
                (line.indent, line.content) = (inner, content);
                items.push(self.block(inner, depth + 1)?);
            } else {
                items.push(self.scalar(content, indent)?);
            }
        }
        Some(Value::List(items))
    }

    fn entries(&mut self, indent: usize, depth: usize) -> Option<Value<'t>> {
        let mut entries: Vec<Entry<'t>> = Vec::new();
        while let Some(line) = self.lines.get(self.at).filter(|line| line.indent == indent && !line.is_item()) {
            let number = line.number;
            let (key, content) = key(line.content)?;
            self.count()?;
            let node =
                if content.is_empty() { self.beneath(indent, depth, true)? } else { self.scalar(content, indent)? };
            entries.push(Entry { line: number, key: Cow::Borrowed(key), node });
        }
        let mut seen = HashSet::with_capacity(entries.len());
        entries.iter().all(|entry| seen.insert(entry.key.as_ref())).then_some(Value::Map(entries))
    }

    /// What stands beneath a key or dash that ends its line; a key's list may stand as far left as the key.
    fn beneath(&mut self, indent: usize, depth: usize, of_key: bool) -> Option<Node<'t>> {
        let line = self.lines.get(self.at)?.number;
        self.at += 1;
        match self.lines.get(self.at) {
            Some(next) if next.indent > indent || (of_key && next.indent == indent && next.is_item()) => {
                let inner = next.indent;
                self.block(inner, depth + 1)
            }
            _ => Some(Node { line, value: Value::Null }),
        }
    }

    /// A value that ends with its line.
    fn scalar(&mut self, content: &'t str, indent: usize) -> Option<Node<'t>> {
        let value = value(content)?;
        let line = self.lines.get(self.at)?.number;
        self.at += 1;
        let goes_on = self.lines.get(self.at).is_some_and(|next| next.indent > indent);
        (!goes_on).then_some(Node { line, value })
    }

    fn count(&mut self) -> Option<()> {
        self.values += 1;
        (self.values < MOST_VALUES).then_some(())
    }
}

/// A plain key, and what stands behind it on its line.
fn key(content: &str) -> Option<(&str, &str)> {
    let end = content.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/')))?;
    let (key, rest) = content.split_at(end);
    let rest = rest.strip_prefix(':')?;
    let plain = key.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') && !is_null(key);
    (plain && (rest.is_empty() || rest.starts_with(' '))).then(|| (key, rest.trim_start_matches(' ')))
}

fn is_null(text: &str) -> bool {
    matches!(text, "~" | "null" | "Null" | "NULL")
}

/// A value on one line.
fn value(content: &str) -> Option<Value<'_>> {
    let first = content.chars().next()?;
    if let '\'' | '"' = first {
        let inner = content.strip_prefix(first)?.strip_suffix(first)?;
        return (!inner.contains(['\'', '"', '\\'])).then_some(Value::Text(Cow::Borrowed(inner)));
    }
    match content {
        "[]" => return Some(Value::List(Vec::new())),
        "{}" => return Some(Value::Map(Vec::new())),
        text if is_null(text) => return Some(Value::Null),
        _ => {}
    }
    let plain = (first.is_ascii_alphanumeric() || matches!(first, '_' | '.' | '/' | '+' | '=' | '<' | '(' | '$'))
        && !content.contains(": ")
        && !content.contains(" #")
        && !content.ends_with(':')
        && content != "..."
        && !content.starts_with("... ");
    plain.then_some(Value::Text(Cow::Borrowed(content)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::YamlFile;
    use super::*;

    /// Without the lines of what is not there, for which the parsers have different places.
    fn unplaced(mut node: Node<'_>) -> Node<'_> {
        match &mut node.value {
            Value::Null => node.line = 0,
            Value::Text(_) => {}
            Value::List(items) => items.iter_mut().for_each(|item| *item = unplaced(item.clone())),
            Value::Map(entries) => entries.iter_mut().for_each(|entry| entry.node = unplaced(entry.node.clone())),
        }
        node
    }

    fn same(text: &str) -> bool {
        let Some(read) = read(text) else { return false };
        let full = YamlFile::parse_all("a.yml", text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        assert_eq!(unplaced(read), unplaced(full), "{text:?}");
        true
    }

    #[test]
    fn what_tools_write_is_read() {
        for text in [
            "a: b\n",
            "version: 6\nenvironments:\n  default:\n    packages:\n      linux-64:\n      - conda: https://h/c#x\n      - \
             pypi: ./\npackages:\n- conda: https://h/c#x\n  depends:\n  - a >=1,<2\n  - b ; extra == 'x'\n  purls: []\n  \
             constrains:\n  requires_python: '>=3.9'\n\n- kind: pypi\n",
            "dependencies:\n  - python=3.9\n  # why\n  - pip:\n    - a==1\n    - -e .\n",
            "- - a\n  - b\n-\n  c: d\n-\n- e\n",
        ] {
            let is_dash = text.contains("-e .");
            assert_eq!(same(text), !is_dash, "{text}");
        }
    }

    #[test]
    fn what_is_more_is_left() {
        for text in [
            "a: &b c\n",
            "a: *b\n",
            "a: |\n  b\n",
            "a: b\n  c\n",
            "a: [b]\n",
            "a: b: c\n",
            "a: b # c\n",
            "a: b\na: c\n",
            "---\na: b\n",
            "a:\tb\n",
            "a: b\n c: d\n",
            "a: 'b\n",
            "a\n",
            "",
            "? a\n",
            "null: a\n",
            "a: \"\\n\"\n",
            "a: é\n",
            "a: b\r\n",
        ] {
            assert!(read(text).is_none(), "{text}");
        }
        assert!(read(&"- ".repeat(100)).is_none());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn both_parsers_agree(lines in proptest::collection::vec("(  |    |      )?(- ){0,2}([a-c](: | ?:)?){0,2}( #|'|\"|-|\\[\\]|~|>|=|\\.|null)?", 1..7)) {
            same(&lines.join("\n"));
        }
    }
}
