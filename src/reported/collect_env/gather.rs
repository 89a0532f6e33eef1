//! The lines of a report sorted: which belong to which name.

use std::sync::LazyLock;

use regex::Regex;

use super::keys::Key;
use super::split::{self, Piece};
use crate::catalogue::Layout;
use crate::model::Manager;
use crate::reported::Line;

/// The longest text that broken lines are put together to.
const LONGEST: usize = 4096;

/// A text, and the line where it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) text: String,
    pub(super) line: usize,
}

/// A fact as it was written: the texts of a list each for themselves.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: Key,
    pub(super) texts: Vec<Text>,
}

/// The lines of a report, sorted.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) entries: Vec<Entry>,
    pub(super) packages: Vec<(Manager, Text)>,
    /// What stands below `CPU:`.
    pub(super) processor: Vec<Text>,
    pub(super) variables: Vec<Text>,
    /// The paths of Python files that warnings name.
    pub(super) paths: Vec<Text>,
}

impl Gathered {
    /// What a report says of `key`, the first time that it says anything.
    pub(super) fn stated(&self, key: Key) -> Option<&Text> {
        self.texts(key).first()
    }

    /// The same, as a list.
    pub(super) fn texts(&self, key: Key) -> &[Text] {
        let layout = Layout::collect_env();
        let told = |entry: &&Entry| entry.key == key && entry.texts.iter().any(|text| !layout.is_nothing(&text.text));
        self.entries.iter().find(told).map_or(&[], |entry| &entry.texts)
    }

    /// Where a report says that nothing is known of `key`.
    pub(super) fn denied(&self, key: Key) -> Option<&Text> {
        let layout = Layout::collect_env();
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        entry.texts.first().filter(|text| !text.text.is_empty() && layout.is_nothing(&text.text))
    }
}

/// Where in the report the reader is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Room {
    Facts,
    Processor,
    Packages,
    Topology,
    Variables,
}

/// Sorts the lines of a report.
pub(super) fn gather(lines: &[Line<'_>]) -> Gathered {
    let mut gatherer = Gatherer { room: Room::Facts, open: false, gathered: Gathered::default() };
    for line in lines {
        gatherer.line(line);
    }
    gatherer.gathered
}

struct Gatherer {
    room: Room,
    /// Whether the last entry may go on.
    open: bool,
    gathered: Gathered,
}

/// What torch, Python and vLLM write among the lines: warnings, logs, tracebacks.
#[expect(clippy::unwrap_used, reason = "the pattern is fixed, and a test uses it")]
static NOISE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"\.py:\d+[:\]]|[A-Za-z]*Warning:|^(?:warnings\.)?warn\(|^Traceback \(|^File \x22|",
        r"^\(?(?:INFO|WARNING|DEBUG|ERROR|CRITICAL)\b|^\[?[IWEF]\d{4} |^\[[WE]\d* |^\w*(?:Error|Exception): |",
        r"^Collecting environment information|^uv is set$|^\*\*\* "
    ))
    .unwrap()
});

/// The file of Python that a warning speaks of.
#[expect(clippy::unwrap_used, reason = "the pattern is fixed, and a test uses it")]
static PATH: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^(?:<frozen runpy>|((?:/|[A-Za-z]:\\).*[/\\]runpy\.py)):\d+:").unwrap());

/// Some name with a colon, of whichever dialect.
#[expect(clippy::unwrap_used, reason = "the pattern is fixed, and a test uses it")]
static NAMED: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^[A-Za-z][A-Za-z _/().+-]{1,60}[:：](?:\s|$)").unwrap());

/// An environment variable.
#[expect(clippy::unwrap_used, reason = "the pattern is fixed, and a test uses it")]
pub(super) static VARIABLE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^[A-Za-z_][A-Za-z0-9_]*=").unwrap());

impl Gatherer {
    fn line(&mut self, line: &Line<'_>) {
        let text = split::bare(line.text);
        if text.is_empty() {
            self.open =
                self.open && self.gathered.entries.last().is_some_and(|entry| entry.key.is_list() || unfinished(entry));
            return;
        }
        for piece in split::split(text, self.room == Room::Processor) {
            self.piece(piece, line.number);
        }
    }

    fn piece(&mut self, piece: Piece<'_>, line: usize) {
        match piece {
            Piece::Fact(key, text) => self.fact(key, text, line),
            Piece::Heading(opens) => {
                self.open = false;
                self.room = opens.map_or(Room::Facts, room);
            }
            Piece::Variables => {
                self.open = false;
                self.room = Room::Variables;
            }
            Piece::Package(manager, text) => {
                self.open = false;
                self.room = Room::Packages;
                self.gathered.packages.push((manager, Text { text: text.to_owned(), line }));
            }
            Piece::Rest(text) => self.rest(text, line),
        }
    }

    fn fact(&mut self, key: Key, text: &str, line: usize) {
        self.room = room(key);
        self.open = self.room == Room::Facts;
        let text = Text { text: text.to_owned(), line };
        if key == Key::Processor {
            self.gathered.processor.extend(Some(text).filter(|text| !text.text.is_empty()));
        } else if key != Key::Libraries {
            self.gathered.entries.push(Entry { key, texts: vec![text] });
        }
    }

    fn rest(&mut self, text: &str, line: usize) {
        if let Some(path) = PATH.captures(text).and_then(|captures| captures.get(1)) {
            self.gathered.paths.push(Text { text: path.as_str().to_owned(), line });
        }
        if NOISE.is_match(text) && self.room != Room::Variables {
            return;
        }
        let owned = || Text { text: text.to_owned(), line };
        match self.room {
            Room::Facts => self.go_on(text, line),
            Room::Processor => self.gathered.processor.push(owned()),
            Room::Variables => self.gathered.variables.push(owned()),
            Room::Topology if VARIABLE.is_match(text) => {
                self.room = Room::Variables;
                self.gathered.variables.push(owned());
            }
            Room::Topology => {}
            Room::Packages => self.go_on_package(text),
        }
    }

    /// A line below a fact: the next of a list, or the rest of one that was broken.
    fn go_on(&mut self, text: &str, line: usize) {
        let Some(entry) = self.gathered.entries.last_mut().filter(|_| self.open) else { return };
        if entry.key.is_list() {
            entry.texts.push(Text { text: text.to_owned(), line });
        } else if NAMED.is_match(text) {
            self.open = false;
        } else if let Some(first) = entry.texts.first_mut().filter(|first| goes_on(entry.key, &first.text, text)) {
            join(&mut first.text, text);
        } else {
            self.open = false;
        }
    }

    /// The rest of a package whose line was broken: of `name==` the version, of conda's the version, build and channel.
    fn go_on_package(&mut self, text: &str) {
        let Some((manager, package)) = self.gathered.packages.last_mut() else { return };
        let words = package.text.split_whitespace().count();
        let more = text.split_whitespace().count();
        let broken = match manager {
            Manager::Conda => words < 3 && words + more <= 4 && !Layout::collect_env().is_nothing(&package.text),
            _ => package.text.ends_with('=') && more == 1,
        };
        if broken {
            let separator = if package.text.ends_with('=') { "" } else { " " };
            package.text = format!("{}{separator}{text}", package.text);
        }
    }
}

fn room(key: Key) -> Room {
    match key {
        Key::Processor => Room::Processor,
        Key::Libraries => Room::Packages,
        Key::Topology => Room::Topology,
        _ => Room::Facts,
    }
}

fn unfinished(entry: &Entry) -> bool {
    entry.texts.first().is_none_or(|first| first.text.is_empty() || is_open(&first.text))
}

/// Whether a bracket is open at the end of a text, or it ends in the middle of something.
fn is_open(text: &str) -> bool {
    let count = |brackets: [char; 2]| text.matches(brackets).count();
    count(['(', '[']) > count([')', ']']) || text.ends_with(['-', ',', '@', '+', '|'])
}

/// Whether `next` is the rest of what `text` begins to say of `key`.
fn goes_on(key: Key, text: &str, next: &str) -> bool {
    if text.len() + next.len() > LONGEST {
        return false;
    }
    let brackets = next.starts_with(['(', '[', '|']);
    let tail = match key {
        Key::Python => text.contains(['(', '|']) && !text.contains("runtime)"),
        Key::Gcc => text.ends_with(')') && next.starts_with(|c: char| c.is_ascii_digit()),
        Key::Cmake => text == "version",
        _ => false,
    };
    text.is_empty() || is_open(text) || brackets || tail
}

fn join(text: &mut String, next: &str) {
    if !text.is_empty() && !text.ends_with('-') {
        text.push(' ');
    }
    text.push_str(next);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gathered(text: &str) -> Gathered {
        let lines: Vec<Line<'_>> = text.lines().enumerate().map(|(at, text)| Line { number: at + 1, text }).collect();
        gather(&lines)
    }

    #[test]
    fn broken_lines_are_put_together() {
        let python = "Python version: 3.10.13 (main, Dec 22 2023, 22:08:50) [Clang 15.0.0\n(clang-1500.1.0.2.5)] (64-bit\nruntime)\nPython platform: Linux-6.8.0-\n45-generic-x86_64";
        let all = gathered(python);
        let expected = "3.10.13 (main, Dec 22 2023, 22:08:50) [Clang 15.0.0 (clang-1500.1.0.2.5)] (64-bit runtime)";
        assert_eq!(all.stated(Key::Python).unwrap().text, expected);
        assert_eq!(all.stated(Key::Platform).unwrap().text, "Linux-6.8.0-45-generic-x86_64");
        assert_eq!(all.stated(Key::Platform).unwrap().line, 4);
        let conda = gathered("[conda] torch    2.5.1\npypi_0    pypi\n[pip3] numpy==\n1.26.4\nthe end");
        let texts: Vec<&str> = conda.packages.iter().map(|(_, text)| text.text.as_str()).collect();
        assert_eq!(texts, ["torch    2.5.1 pypi_0    pypi", "numpy==1.26.4"]);
    }

    #[test]
    fn what_warns_belongs_to_nothing() {
        let all = gathered(
            "GPU models and configuration:\nWARNING 08-27 02:59:41 cuda.py:22] old\n  warn(RuntimeWarning(msg))\nGPU 0: A\n\nGPU 1: B\nNvidia driver version: 1",
        );
        let texts: Vec<&str> = all.texts(Key::Gpus).iter().map(|text| text.text.as_str()).collect();
        assert_eq!(texts, ["", "GPU 0: A", "GPU 1: B"]);
        let all = gathered("/opt/conda/lib/python3.11/runpy.py:126: RuntimeWarning: 'x' found in sys.modules");
        assert_eq!(all.paths[0].text, "/opt/conda/lib/python3.11/runpy.py");
    }

    #[test]
    fn the_first_that_tells_anything_counts() {
        let all = gathered("Clang version: Could not collect\nClang version: 14.0.0\nClang version: 15.0.0");
        assert_eq!(all.stated(Key::Clang).unwrap().text, "14.0.0");
        assert_eq!(all.denied(Key::Clang).unwrap().line, 1);
    }
}
