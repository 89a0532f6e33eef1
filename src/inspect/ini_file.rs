//! An INI file as Python's `configparser.RawConfigParser` reads it
//! (<https://docs.python.org/3/library/configparser.html#supported-ini-file-structure>), which setuptools reads
//! `setup.cfg` with: no interpolation, no inline comments, keys as they are written.
//!
//! A reader of its own, because no crate keeps the line of each line of a value.

use std::collections::HashSet;

use super::text::shown;
use super::url::without_credentials;
use crate::model::{Error, Origin, Result};

/// No configuration that a person wrote is longer, in bytes.
const LONGEST: usize = 2 << 20;

/// A parsed file.
#[derive(Debug)]
pub(super) struct IniFile<'t> {
    /// Relative to the project's root.
    pub(super) file: &'t str,
    sections: Vec<Section<'t>>,
}

#[derive(Debug)]
struct Section<'t> {
    name: &'t str,
    options: Vec<Setting<'t>>,
}

/// A key with its value.
#[derive(Debug)]
pub(super) struct Setting<'t> {
    pub(super) key: &'t str,
    /// The number, from 1, of the line of the key.
    pub(super) line: usize,
    /// The lines of the value, comments and blank ones left out, each with its number from 1.
    pub(super) lines: Vec<(&'t str, usize)>,
}

impl<'t> IniFile<'t> {
    /// Parses the text of `file`.
    pub(super) fn parse(file: &'t str, text: &'t str) -> Result<Self> {
        if text.len() > LONGEST {
            return Err(Error::usage(format!("`{}` is longer than {} MiB", shown(file), LONGEST >> 20))
                .at(Origin::file(file, 1))
                .with_hint("no configuration that a person wrote is that long: remove it, or cut it down"));
        }
        let parsed = Self { file, sections: Vec::new() };
        let mut reader =
            Reader { parsed, section: None, in_value: false, indent: 0, names: HashSet::new(), keys: HashSet::new() };
        for (line, number) in lines(text) {
            reader.line(line, number)?;
        }
        Ok(reader.parsed)
    }

    /// The settings of a section, in the order of the file.
    pub(super) fn section(&self, name: &str) -> &[Setting<'t>] {
        self.sections.iter().find(|section| section.name == name).map_or(&[], |section| &section.options)
    }

    /// The setting `key` of a section.
    pub(super) fn get(&self, section: &str, key: &str) -> Option<&Setting<'t>> {
        self.section(section).iter().find(|setting| setting.key == key)
    }

    /// The line of a place.
    pub(super) fn origin(&self, line: usize) -> Origin {
        Origin::file(self.file, line)
    }
}

/// The lines of a text as Python opens it, numbered from 1.
fn lines(text: &str) -> impl Iterator<Item = (&str, usize)> {
    let ended = text.split('\n').flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'));
    ended.zip(1..)
}

/// What `RawConfigParser._read` remembers from line to line
/// (<https://github.com/python/cpython/blob/main/Lib/configparser.py>).
struct Reader<'t> {
    parsed: IniFile<'t>,
    /// The place of the section that is being read.
    section: Option<usize>,
    /// Whether a key was read, which deeper lines continue.
    in_value: bool,
    /// How deep the last line stood that began something.
    indent: usize,
    /// The names of the sections.
    names: HashSet<&'t str>,
    /// The keys of the section that is being read.
    keys: HashSet<&'t str>,
}

impl<'t> Reader<'t> {
    fn line(&mut self, line: &'t str, number: usize) -> Result<()> {
        let content = line.trim();
        if content.is_empty() || content.starts_with(['#', ';']) {
            return Ok(());
        }
        let indent = line.chars().take_while(|c| c.is_whitespace()).count();
        if self.in_value && indent > self.indent {
            if let Some(setting) = self.options().and_then(|options| options.last_mut()) {
                setting.lines.push((content, number));
            }
            return Ok(());
        }
        self.indent = indent;
        if let Some(name) = header(content) {
            self.in_value = false;
            return self.open(name, number);
        }
        self.setting(content, number)
    }

    fn options(&mut self) -> Option<&mut Vec<Setting<'t>>> {
        let section = self.parsed.sections.get_mut(self.section?)?;
        Some(&mut section.options)
    }

    fn open(&mut self, name: &'t str, number: usize) -> Result<()> {
        if !self.names.insert(name) {
            let message = format!("the section `[{}]` is there twice", shown(name));
            return Err(Error::usage(message).at(self.parsed.origin(number)).with_hint("join the two"));
        }
        self.keys.clear();
        self.section = Some(self.parsed.sections.len());
        self.parsed.sections.push(Section { name, options: Vec::new() });
        Ok(())
    }

    fn setting(&mut self, content: &'t str, number: usize) -> Result<()> {
        let origin = self.parsed.origin(number);
        let written = || shown(&without_credentials(content).text);
        if self.section.is_none() {
            let message = format!("`{}` stands before any section", written());
            return Err(Error::usage(message)
                .at(origin)
                .with_hint("a section begins with its name, such as `[options]`"));
        }
        let (key, value) = content.split_once(['=', ':']).unwrap_or_default();
        let (key, value) = (key.trim_end(), value.trim());
        if key.is_empty() {
            let message = format!("`{}` is neither a section nor `key = value`", written());
            return Err(Error::usage(message).at(origin).with_hint("indent what continues the value above it"));
        }
        if !self.keys.insert(key) {
            let message = format!("`{}` is set twice in its section", shown(key));
            return Err(Error::usage(message).at(origin).with_hint("join the two"));
        }
        let lines = if value.is_empty() { Vec::new() } else { vec![(value, number)] };
        if let Some(options) = self.options() {
            options.push(Setting { key, line: number, lines });
        }
        self.in_value = true;
        Ok(())
    }
}

/// The name of a section: `\[(?P<header>.+)\]`, whatever stands behind.
fn header(content: &str) -> Option<&str> {
    let inner = content.strip_prefix('[')?;
    inner.get(..inner.rfind(']')?).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values<'t>(ini: &IniFile<'t>, section: &str, key: &str) -> Vec<(&'t str, usize)> {
        ini.get(section, key).map(|setting| setting.lines.clone()).unwrap_or_default()
    }

    #[test]
    fn a_value_goes_on_where_lines_are_deeper() {
        let text = "# c\n[a]\nx = 1\ny:\n  b>=1 # no comment\n\n  # a comment\n    ; one more\n\tc = 2\nz=\n[b] x\n  k = v\n  l = w\n";
        let ini = IniFile::parse("setup.cfg", text).unwrap();
        assert_eq!(values(&ini, "a", "x"), [("1", 3)]);
        assert_eq!(values(&ini, "a", "y"), [("b>=1 # no comment", 5), ("c = 2", 9)]);
        assert_eq!(ini.get("a", "z").map(|setting| setting.line), Some(10));
        assert_eq!(values(&ini, "b", "k"), [("v", 12)]);
        assert_eq!(values(&ini, "b", "l"), [("w", 13)]);
    }

    #[test]
    fn a_file_of_a_program_is_refused() {
        let text = format!("[a]\n{}", "# x\n".repeat(LONGEST / 4));
        let error = IniFile::parse("setup.cfg", &text).unwrap_err();
        assert!(error.message.contains("longer than 2 MiB") && error.hint.is_some(), "{error}");
        assert_eq!(error.origin, Some(Origin::file("setup.cfg", 1)));
    }

    #[test]
    fn the_first_of_both_delimiters_counts() {
        let ini = IniFile::parse("setup.cfg", "[a]\nx : b = c\ny = d: e\r\n [z]\rw=1").unwrap();
        assert_eq!(values(&ini, "a", "x"), [("b = c", 2)]);
        assert_eq!(values(&ini, "a", "y"), [("d: e", 3), ("[z]", 4)]);
        assert_eq!(values(&ini, "a", "w"), [("1", 5)]);
    }

    #[test]
    fn what_configparser_refuses_is_an_error_at_its_line() {
        for (text, line) in [
            ("x = 1\n", 1),
            ("[a]\nx\n", 2),
            ("[a]\n= 1\n", 2),
            ("[a]\nx=1\nx=2\n", 3),
            ("[a]\n[b]\n[a]\n", 3),
            ("[a]\n[]\n", 2),
            ("[a]\n  x=1\nhttps\n", 3),
        ] {
            let error = IniFile::parse("setup.cfg", text).unwrap_err();
            assert_eq!(error.origin, Some(Origin::file("setup.cfg", line)), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_ends_the_reader(text in "[\\[\\]=:#; \t\r\na-cé]{0,60}") {
            let _ = IniFile::parse("setup.cfg", &text);
        }

        #[test]
        fn no_line_is_lost(values in prop::collection::vec("[a-z]{1,5}", 0..9)) {
            let text = format!("[s]\nk =\n{}", values.iter().map(|v| format!("  {v}\n# {v}\n\n")).collect::<Vec<_>>().concat());
            let ini = IniFile::parse("setup.cfg", &text).unwrap();
            let read: Vec<&str> = ini.section("s")[0].lines.iter().map(|(line, _)| *line).collect();
            prop_assert_eq!(read, values);
        }
    }
}
