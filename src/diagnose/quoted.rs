//! Which lines of a log are messages, and which quote source: a hint that stands in the source of torch is not what happened.

use crate::catalogue::Landmark;

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// What a program said.
    Message,
    /// A frame of a traceback.
    Frame,
    /// Source that a traceback, a compiler or pytest shows.
    Source,
}

/// What the lines before have begun.
#[derive(Debug, Default)]
pub(super) struct Quoted {
    /// A frame of a traceback, with its indentation.
    frame: Option<usize>,
    /// Source with the lines' numbers, as `IPython` shows it.
    cell: bool,
    /// The source of a test that failed, as pytest shows it.
    test: bool,
}

/// The indentation at which pytest shows source.
const TEST_SOURCE: usize = 4;

impl Quoted {
    /// Whether what the next line is hangs on those before.
    pub(super) fn open(&self) -> bool {
        self.frame.is_some() || self.cell || self.test
    }

    /// What a line is, by the landmarks that it matches; `said` by pytest as the exception of a test.
    pub(super) fn see(&mut self, line: &str, said: bool, is: impl Fn(Landmark) -> bool) -> Kind {
        let message = line.trim_start();
        let indent = line.len() - message.len();
        if is(Landmark::Test) {
            self.test = true;
        } else if is(Landmark::Shown) {
            self.test = false;
        }
        if is(Landmark::Frame) {
            (self.frame, self.cell) = (Some(indent), false);
            return Kind::Frame;
        }
        if is(Landmark::Cell) {
            (self.frame, self.cell) = (None, true);
            return Kind::Frame;
        }
        // An exception stands further in only where the first lines lost their indentation when they were copied.
        let is_further = |frame| indent > frame && !message.is_empty() && !is(Landmark::Exception);
        if is(Landmark::Source) || self.frame.is_some_and(is_further) {
            return Kind::Source;
        }
        self.frame = None;
        if self.cell && (message.is_empty() || is_numbered(message)) {
            return Kind::Source;
        }
        self.cell = false;
        if self.test && !said && indent >= TEST_SOURCE { Kind::Source } else { Kind::Message }
    }
}

/// Whether a line of source has its number in front.
fn is_numbered(line: &str) -> bool {
    let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
    rest.len() < line.len() && (rest.is_empty() || rest.starts_with(' '))
}
