//! What `conda env export` writes: YAML of a form so plain that its lines can be read one by one, also where the text is cut
//! or its indentation is lost.

use std::sync::LazyLock;

use regex::Regex;

use super::freeze;
use super::package::{Entry, package, without_credentials};
use super::{Line, List};
use crate::model::{EnvironmentVariable, Installed, Manager, Note, Origin, PartKind};
use crate::reported::Section;

/// How far above its dependencies a file begins.
const HEAD_LINES: usize = 30;

#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static KEY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(name|channels|dependencies|prefix|variables|platforms|nodefaults):\s*(.*)$").unwrap()
});

#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static CONDA: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:([\w./:-]+)::)?([A-Za-z0-9_][A-Za-z0-9._-]*)\s*={1,2}\s*([A-Za-z0-9][A-Za-z0-9.!+_-]*)(?:=([A-Za-z0-9._+]+))?$").unwrap()
});

/// The file that begins with the first of `lines`: `name:`, `channels:` or `dependencies:`.
pub(super) fn read(lines: &[Line<'_>], file: &str, _alone: bool) -> Result<List, usize> {
    let begins = |line: &Line<'_>, keys: &[&str]| {
        KEY.captures(line.text.trim_end()).is_some_and(|key| keys.contains(&key.get(1).map_or("", |it| it.as_str())))
    };
    if !begins(&lines[0], &["name", "channels", "dependencies"])
        || !lines.iter().take(HEAD_LINES).any(|line| begins(line, &["dependencies"]))
    {
        return Err(1);
    }
    let mut reader = Reader { file, section: Section::default(), key: String::new(), pip: false };
    let mut end = 0;
    for (index, line) in lines.iter().enumerate() {
        match reader.line(*line) {
            Some(true) => end = index + 1,
            Some(false) => {}
            None => break,
        }
    }
    if reader.section.environment.packages.is_empty() {
        return Err(end.max(1));
    }
    Ok(List { kind: PartKind::CondaExport, lines: end, section: reader.section })
}

struct Reader<'a> {
    file: &'a str,
    section: Section,
    /// The key of the mapping that is read.
    key: String,
    /// Whether what follows is pip's.
    pip: bool,
}

impl Reader<'_> {
    /// Reads a line: whether it says anything; `None` where it is not of the file.
    fn line(&mut self, line: Line<'_>) -> Option<bool> {
        let text = line.text.trim_end();
        let bare = text.trim_start();
        if bare.is_empty() || bare.starts_with('#') || bare == "---" {
            return Some(false);
        }
        if let Some(key) = KEY.captures(text) {
            // A second file begins.
            if &key[1] == "name" && self.key == "prefix" {
                return None;
            }
            key[1].clone_into(&mut self.key);
            self.pip = false;
            return Some(true);
        }
        if let Some(item) = bare.strip_prefix("- ").or_else(|| (bare == "-").then_some("")) {
            if self.key == "dependencies" {
                self.dependency(item.trim().trim_matches(['"', '\'']), line);
            }
            return Some(true);
        }
        let (key, value) = bare.split_once(':').filter(|_| self.key == "variables" && text.len() > bare.len())?;
        let value = value.trim().trim_matches(['"', '\'']).to_owned();
        let origin = Origin::file(self.file, line.number);
        let variable = EnvironmentVariable { name: key.trim().to_owned(), value: Some(value), origin };
        self.section.environment.variables.push(variable);
        Some(true)
    }

    fn dependency(&mut self, item: &str, line: Line<'_>) {
        if item == "pip:" {
            self.pip = true;
            return;
        }
        let origin = Origin::file(self.file, line.number);
        let packages = &mut self.section.environment.packages;
        if self.pip {
            let line = Line { number: line.number, text: item };
            if let Ok(list) = freeze::read(&[line], self.file, true) {
                packages.extend(list.section.environment.packages);
                return;
            }
        } else if let Some(found) = CONDA.captures(item) {
            let entry = Entry { name: &found[2], version: &found[3], manager: Manager::Conda, origin: origin.clone() };
            if let Some(installed) = package(entry) {
                let text = |group: usize| found.get(group).map(|it| it.as_str());
                let (build, channel) = (text(4).map(str::to_owned), text(1).map(without_credentials));
                packages.push(Installed { build, channel, ..installed });
                return;
            }
        }
        let message = format!("`{}` pins no version, and is left out", without_credentials(item));
        self.section.notes.push(Note::info(message, origin));
    }
}
