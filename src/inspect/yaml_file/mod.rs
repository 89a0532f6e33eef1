//! A YAML file whose every value knows its line, in a tree of bounded depth and size.

mod lines;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::text::{excerpt, shown};
use super::url::without_credentials;
use crate::model::{Error, Origin, Result};

/// The longest file, in bytes; the largest locks of real projects are a third of it.
const LONGEST: usize = 32 << 20;
/// No manifest or lock nests deeper; what follows the tree recurses.
const DEEPEST: usize = 64;
/// The most values of a file, those that aliases repeat included.
const MOST_VALUES: usize = 2_000_000;
/// The most values that aliases may repeat: real files repeat a few, a hostile one billions.
const MOST_REPEATED: usize = 10_000;
/// The most values that anchors may name; each is kept a second time.
const MOST_NAMED: usize = 100_000;
/// The most `,` and `:` between an opening bracket and its end: the scanner keeps a whole flow collection in memory before
/// it tells anything of it.
const LONGEST_FLOW: usize = 250_000;

/// A value and its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node<'t> {
    /// From 1.
    pub(super) line: usize,
    pub(super) value: Value<'t>,
}

/// What stands there. Numbers and truth values are text: who reads a version `1.10` wants all of its digits.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value<'t> {
    Null,
    Text(Cow<'t, str>),
    List(Vec<Node<'t>>),
    Map(Vec<Entry<'t>>),
}

/// A key and what stands behind it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry<'t> {
    /// The line of the key, from 1.
    pub(super) line: usize,
    pub(super) key: Cow<'t, str>,
    pub(super) node: Node<'t>,
}

impl<'t> Node<'t> {
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn list(&self) -> Option<&[Node<'t>]> {
        match &self.value {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    pub(super) fn map(&self) -> Option<&[Entry<'t>]> {
        match &self.value {
            Value::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// What stands behind `key`, in a map.
    pub(super) fn get(&self, key: &str) -> Option<&Node<'t>> {
        self.map()?.iter().find(|entry| entry.key == key).map(|entry| &entry.node)
    }

    /// The text behind `key`, in a map.
    pub(super) fn text_at(&self, key: &str) -> Option<&str> {
        self.get(key)?.text()
    }

    /// What it is, for a person.
    pub(super) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }

    /// How many values it holds, itself included.
    fn size(&self) -> usize {
        match &self.value {
            Value::Null | Value::Text(_) => 1,
            Value::List(items) => 1 + items.iter().map(Node::size).sum::<usize>(),
            Value::Map(entries) => 1 + entries.iter().map(|entry| entry.node.size()).sum::<usize>(),
        }
    }
}

/// A parsed file.
#[derive(Debug)]
pub(super) struct YamlFile<'t> {
    /// Relative to the project's root.
    pub(super) file: &'t str,
    /// Its one document.
    pub(super) root: Node<'t>,
}

impl<'t> YamlFile<'t> {
    /// Parses the text of `file`.
    pub(super) fn parse(file: &'t str, text: &'t str) -> Result<Self> {
        if text.len() > LONGEST {
            return Err(Error::usage(format!("it is longer than {} MiB", LONGEST >> 20)).at(Origin::file(file, 1)));
        }
        let root = match lines::read(text) {
            Some(root) => root,
            None => Self::parse_all(file, text)?,
        };
        Ok(Self { file, root })
    }

    /// All that YAML can say.
    fn parse_all(file: &'t str, text: &'t str) -> Result<Node<'t>> {
        guard(file, text)?;
        let mut builder = Builder { file, ..Builder::default() };
        for event in Parser::new_from_str(text) {
            let (event, span) = event.map_err(|error| broken(file, text, error.marker().line(), error.info()))?;
            builder.take(event, span)?;
        }
        Ok(builder.root.unwrap_or(Node { line: 1, value: Value::Null }))
    }

    /// The place of a line.
    pub(super) fn origin(&self, line: usize) -> Origin {
        Origin::file(self.file, line)
    }

    /// The error for a value that is of another kind than its format says.
    pub(super) fn mistyped(&self, node: &Node<'_>, name: &str, wanted: &str) -> Error {
        let message = format!("`{}` must be {wanted}, not {}", shown(name), node.kind());
        Error::usage(message).at(self.origin(node.line))
    }
}

/// The parser's own error, with the line that it speaks of.
fn broken(file: &str, text: &str, line: usize, why: &str) -> Error {
    let line = line.max(1);
    let written = text.lines().nth(line - 1).unwrap_or_default();
    let mut log = excerpt(&without_credentials(written).text, 0, 1);
    log.truncate(1);
    let why = why.lines().next().unwrap_or_default();
    Error::usage(format!("this is not YAML: {}", shown(why))).at(Origin::file(file, line)).with_log(log)
}

/// Refuses a flow collection (`[…]`, `{…}`) that would fill the memory. Brackets are counted wherever they stand: few
/// texts hold one that is not closed, and none so much after it.
fn guard(file: &str, text: &str) -> Result<()> {
    let (mut open, mut length, mut line) = (0_usize, 0_usize, 1_usize);
    for byte in text.bytes() {
        match byte {
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            b',' | b':' if open > 0 => length += 1,
            b'\n' => line += 1,
            _ => {}
        }
        if open == 0 {
            length = 0;
        } else if length > LONGEST_FLOW {
            return Err(Error::usage("a collection in brackets is too long").at(Origin::file(file, line)));
        }
    }
    Ok(())
}

/// A collection that is not complete yet.
enum Open<'t> {
    List(Vec<Node<'t>>),
    /// With the key that waits for its value.
    Map(Vec<Entry<'t>>, Option<(usize, Cow<'t, str>)>),
}

struct Frame<'t> {
    line: usize,
    anchor: usize,
    open: Open<'t>,
}

#[derive(Default)]
struct Builder<'t> {
    file: &'t str,
    stack: Vec<Frame<'t>>,
    root: Option<Node<'t>>,
    anchors: HashMap<usize, Node<'t>>,
    values: usize,
    repeated: usize,
    named: usize,
    documents: usize,
}

impl<'t> Builder<'t> {
    fn take(&mut self, event: Event<'t>, span: Span) -> Result<()> {
        let line = span.start.line().max(1);
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(self.refuse(line, "a second document begins").with_hint("keep one document per file"));
                }
            }
            Event::Scalar(text, style, anchor, _) => {
                let is_null = style == ScalarStyle::Plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                let value = if is_null { Value::Null } else { Value::Text(text) };
                self.complete(Node { line, value }, anchor)?;
            }
            Event::SequenceStart(anchor, _) => self.open(line, anchor, Open::List(Vec::new()))?,
            Event::MappingStart(anchor, _) => self.open(line, anchor, Open::Map(Vec::new(), None))?,
            Event::SequenceEnd | Event::MappingEnd => self.close()?,
            Event::Alias(anchor) => self.repeat(line, anchor)?,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn refuse(&self, line: usize, why: &str) -> Error {
        Error::usage(why).at(Origin::file(self.file, line))
    }

    fn open(&mut self, line: usize, anchor: usize, open: Open<'t>) -> Result<()> {
        if self.stack.len() >= DEEPEST {
            return Err(self.refuse(line, &format!("values are nested deeper than {DEEPEST}")));
        }
        self.stack.push(Frame { line, anchor, open });
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        let Some(frame) = self.stack.pop() else { return Ok(()) };
        let value = match frame.open {
            Open::List(items) => Value::List(items),
            Open::Map(entries, _) => Value::Map(self.map(entries)?),
        };
        self.complete(Node { line: frame.line, value }, frame.anchor)
    }

    /// A value that an anchor named before. Its copy counts as what it holds, so that copies of copies end early.
    fn repeat(&mut self, line: usize, anchor: usize) -> Result<()> {
        let Some(named) = self.anchors.get(&anchor) else {
            return Err(self.refuse(line, "an alias refers to what it stands in"));
        };
        self.repeated += named.size();
        if self.repeated > MOST_REPEATED {
            let why = format!("aliases repeat more than {MOST_REPEATED} values");
            return Err(self.refuse(line, &why).with_hint("write the values out, without anchors"));
        }
        let copy = Node { line, ..named.clone() };
        self.complete(copy, 0)
    }

    /// Puts a value into the collection that it stands in.
    fn complete(&mut self, node: Node<'t>, anchor: usize) -> Result<()> {
        self.values += 1;
        if self.values + self.repeated > MOST_VALUES {
            return Err(self.refuse(node.line, &format!("the file holds more than {MOST_VALUES} values")));
        }
        if anchor > 0 {
            self.named += node.size();
            if self.named > MOST_NAMED {
                return Err(self.refuse(node.line, &format!("anchors name more than {MOST_NAMED} values")));
            }
            self.anchors.insert(anchor, node.clone());
        }
        let line = node.line;
        match self.stack.last_mut().map(|frame| &mut frame.open) {
            None => self.root = Some(node),
            Some(Open::List(items)) => items.push(node),
            Some(Open::Map(entries, waiting)) => match (waiting.take(), node.value) {
                (Some((line, key)), value) => {
                    entries.push(Entry { line, key, node: Node { line: node.line, value } });
                }
                (None, Value::Text(key)) => *waiting = Some((line, key)),
                (None, Value::Null) => *waiting = Some((line, Cow::Borrowed(""))),
                (None, _) => return Err(self.refuse(line, "a key is text, not a list or map")),
            },
        }
        Ok(())
    }

    /// The entries of a map, which has each key once (<https://yaml.org/spec/1.2.2/#321-representation-graph>), with those
    /// that it takes over by `<<` (<https://yaml.org/type/merge.html>).
    fn map(&mut self, entries: Vec<Entry<'t>>) -> Result<Vec<Entry<'t>>> {
        let mut seen = HashSet::with_capacity(entries.len());
        if let Some(twice) = entries.iter().find(|entry| !seen.insert(entry.key.as_ref())) {
            let why = format!("the key `{}` stands here for the second time", shown(&twice.key));
            return Err(self.refuse(twice.line, &why).with_hint("keep one of the two"));
        }
        if !seen.contains("<<") {
            return Ok(entries);
        }
        let (merged, mut own): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| entry.key == "<<");
        let mut known: HashSet<Cow<'t, str>> = own.iter().map(|entry| entry.key.clone()).collect();
        own.extend(merged.into_iter().flat_map(|m| taken_over(m.node)).filter(|entry| known.insert(entry.key.clone())));
        Ok(own)
    }
}

/// The entries that `<<` brings: of a map, or of several.
fn taken_over(node: Node<'_>) -> Vec<Entry<'_>> {
    match node.value {
        Value::Map(entries) => entries,
        Value::List(maps) => maps.into_iter().flat_map(taken_over).collect(),
        Value::Null | Value::Text(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;

    use super::*;

    fn fails(text: &str) -> (String, usize) {
        let error = YamlFile::parse("a.yml", text).unwrap_err();
        let Some(Origin::File { line, .. }) = error.origin else { panic!("{error}") };
        (error.message, line)
    }

    #[test]
    fn every_value_knows_its_line() {
        let text = "a: 1.10\nb:\n  - x\n  - y: ~\n    z: 'it''s'\n";
        let file = YamlFile::parse("a.yml", text).unwrap();
        assert_eq!(file.root.text_at("a"), Some("1.10"));
        let items = file.root.get("b").and_then(Node::list).unwrap();
        assert_eq!((items[0].line, items[0].text()), (3, Some("x")));
        let entries = items[1].map().unwrap();
        assert_eq!((entries[0].line, entries[0].node.kind()), (4, "nothing"));
        assert_eq!((entries[1].line, entries[1].node.text()), (5, Some("it's")));
    }

    #[test]
    fn aliases_repeat_and_merge() {
        let text = "base: &b {x: 1, y: 2}\nscalar: &s v\na: *s\nc:\n  <<: *b\n  y: 3\n";
        let file = YamlFile::parse("a.yml", text).unwrap();
        assert_eq!(file.root.text_at("a"), Some("v"));
        let merged = file.root.get("c").unwrap();
        assert_eq!((merged.text_at("x"), merged.text_at("y")), (Some("1"), Some("3")));
    }

    #[test]
    fn anchors_that_explode_are_refused() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let items = vec![format!("*a{}", level - 1); 10].join(", ");
            let _ = writeln!(text, "a{level}: &a{level} [{items}]");
        }
        let (message, line) = fails(&text);
        assert!(message.starts_with("aliases repeat"), "{message}");
        assert_eq!(line, 4);
        assert_eq!(fails("a: &a\n  - *a\n"), ("an alias refers to what it stands in".to_owned(), 2));
    }

    #[test]
    fn what_no_tool_takes_is_an_error() {
        assert_eq!(fails("a: 1\nb: 2\na: 3\n"), ("the key `a` stands here for the second time".to_owned(), 3));
        assert_eq!(fails("a: 1\n---\nb: 2\n"), ("a second document begins".to_owned(), 2));
        assert_eq!(fails("? [a]\n: b\n").0, "a key is text, not a list or map");
        assert_eq!(fails("a: [b\nc: d\n").0.split(':').next(), Some("this is not YAML"));
    }

    #[test]
    fn depth_and_length_are_bounded() {
        assert!(fails(&"- ".repeat(100_000)).0.contains("nested deeper"));
        assert!(fails(&format!("{}{}", "[".repeat(200), "]".repeat(200))).0.contains("nested deeper"));
        assert!(fails(&"[".repeat(100_000)).0.starts_with("this is not YAML"));
        let named = format!("{}x{}", "&a [".repeat(60), ",x]".repeat(60));
        assert!(YamlFile::parse("a.yml", &named).is_ok());
        let named = format!("{}{}{}", "&a [".repeat(60), "x,".repeat(10_000), "]".repeat(60));
        assert!(fails(&named).0.starts_with("anchors name"));
        assert!(fails(&format!("[{}]", "a,".repeat(300_000))).0.contains("too long"));
        assert!(YamlFile::parse("a.yml", "").unwrap().root.value == Value::Null);
    }

    #[test]
    fn the_message_on_a_broken_line_holds_no_credential() {
        let error = YamlFile::parse("a.yml", "a: {https://u:secret@h\nb\n").unwrap_err();
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn no_text_ends_the_parser(text in r#"([a-c&*!|>%@`"'#?:,\[\]{}~<.-]|[ \n\t]|: |- |\n  |---|&a |\*a|<<: |\\){0,60}"#) {
            let _ = YamlFile::parse("a.yml", &text);
        }

        #[test]
        fn no_characters_end_the_parser(text in r"\PC{0,40}") {
            let _ = YamlFile::parse("a.yml", &text);
        }
    }
}
