//! What `pip freeze` and `uv pip freeze` write, and files of pins of the same form.

use std::sync::LazyLock;

use regex::Regex;

use super::package::{Entry, package, without_credentials};
use super::{Line, List};
use crate::model::{ArchiveName, Environment, Installed, Manager, Origin, PartKind};
use crate::reported::Section;

/// How many lines may stand between the pins that are none: hashes and comments.
const FOREIGN: usize = 200;

#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static PIN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"^(?:[-*+] )?["'`]?([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[\w ,.-]*\])? ?={2,3} ?(v?[0-9][A-Za-z0-9.!+_-]*)["'`]?,?(?:\s*;.*|\s+#.*|\s+--hash=.*)?\s*\\?$"#).unwrap()
});

#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static DIRECT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[\w ,.-]*\])? @ ((?:[\w+]+:|/)\S+)(?:\s*;.*|\s+#.*)?$").unwrap()
});

/// `# Editable install with no version control (name==1.0)`, and others of that form, above `-e /folder`.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static EDITABLE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^#+ (?:!! )?(?:Editable|Could not) .*?\(([\w.-]+)(?:==(\S+))?\)").unwrap());

#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static FILLER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^\s*$|^\s*#|^\s+--hash=|^\s*-(?:i|f|-(?:extra-)?index-url|-find-links|-trusted-host|-pre)\b").unwrap()
});

/// The pins that begin with the first of `lines`: two at least, or all that there is.
pub(super) fn read(lines: &[Line<'_>], file: &str, alone: bool) -> Result<List, usize> {
    let first = lines[0].text.trim_end();
    let mut packages = Vec::new();
    let mut reader = Reader { file, editable: None };
    if !reader.take(lines[0], &mut packages) && EDITABLE.captures(first).is_none() {
        return Err(1);
    }
    let (mut end, mut seen) = (1, 1);
    for (index, line) in lines.iter().enumerate().skip(1) {
        seen = index;
        if reader.take(*line, &mut packages) {
            end = index + 1;
        } else if !FILLER.is_match(line.text) || index > end + FOREIGN {
            break;
        }
    }
    let is_all = || alone && lines[end..].iter().take(FOREIGN).all(|line| line.text.trim().is_empty());
    if packages.is_empty() || (packages.len() < 2 && !is_all()) {
        return Err(seen.max(1));
    }
    let environment = Environment { packages, ..Environment::default() };
    Ok(List { kind: PartKind::PipFreeze, lines: end, section: Section { environment, notes: Vec::new() } })
}

struct Reader<'a> {
    file: &'a str,
    /// The name and version of the editable installation whose folder follows.
    editable: Option<(String, String)>,
}

impl Reader<'_> {
    /// Takes up what a line pins; whether it is of the list.
    fn take(&mut self, line: Line<'_>, packages: &mut Vec<Installed>) -> bool {
        let text = line.text.trim();
        if text.starts_with('#') {
            let named = EDITABLE.captures(text);
            self.editable =
                named.map(|found| (found[1].to_owned(), found.get(2).map_or("", |it| it.as_str()).to_owned()));
            return false;
        }
        let before = packages.len();
        if let Some(source) = text.strip_prefix("-e ").or_else(|| text.strip_prefix("--editable ")) {
            packages.extend(self.editable(source.trim(), line.number));
            return true;
        }
        if let Some(pin) = PIN.captures(text) {
            packages.extend(self.installed(&pin[1], &pin[2], line.number));
        } else if let Some(direct) = DIRECT.captures(text) {
            let version = ArchiveName::of(&direct[2]).map_or(String::new(), |archive| archive.version.to_string());
            let installed = self.installed(&direct[1], &version, line.number);
            packages.extend(installed.map(|it| Installed { source: Some(without_credentials(&direct[2])), ..it }));
        } else if is_row_of_pins(text) {
            // A list that lost its line ends.
            let pins = text.split_whitespace().filter_map(|pin| pin.split_once("=="));
            packages.extend(pins.filter_map(|(name, version)| self.installed(name, version, line.number)));
        }
        packages.len() > before
    }

    /// An editable installation: by the comment above it, or by the fragment of its URL.
    fn editable(&mut self, source: &str, number: usize) -> Option<Installed> {
        let egg = source.split_once("#egg=").map(|(_, egg)| egg.split(['&', '[', ' ']).next().unwrap_or_default());
        let folder =
            source.split('#').next().unwrap_or_default().trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let (name, version) = self.editable.take().unwrap_or_else(|| (egg.unwrap_or(folder).to_owned(), String::new()));
        let installed = self.installed(&name, &version, number)?;
        Some(Installed { source: Some(without_credentials(source)), ..installed })
    }

    fn installed(&self, name: &str, version: &str, number: usize) -> Option<Installed> {
        package(Entry { name, version, manager: Manager::Pip, origin: Origin::file(self.file, number) })
    }
}

/// Whether a line holds pins alone, two or more.
fn is_row_of_pins(text: &str) -> bool {
    let is_pin = |word: &str| PIN.is_match(word);
    text.contains("==") && text.contains(' ') && text.split_whitespace().all(is_pin)
}
