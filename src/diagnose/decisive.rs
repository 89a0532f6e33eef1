//! The lines that look decisive, for a log of which no cause is known.

use super::scan::excerpt;
use crate::catalogue::Landmark;
use crate::model::Evidence;

/// So many are shown.
const MOST: usize = 3;

/// So many lines of output after a message, the program has gone on.
pub(super) const GONE_ON: usize = 100;

/// So many lines of output up to the end of the log, it did not fail. What a report adds below a failure is shorter.
pub(super) const FINISHED: usize = 250;

/// A line, and how much ordinary output stood before it.
type Seen = (Evidence, usize);

/// The lines, the last of each kind.
#[derive(Debug, Default)]
pub(super) struct Decisive {
    /// The first exception of the last chain of tracebacks.
    root: Option<Seen>,
    /// The last exception.
    exception: Option<Seen>,
    /// The first error that a program other than Python reported.
    error: Option<Seen>,
    /// The last death of a process.
    death: Option<Seen>,
    /// Whether the next traceback belongs to the chain.
    chained: bool,
}

impl Decisive {
    /// Takes the message in, if it is one of them; `output` lines stood before it.
    pub(super) fn see(
        &mut self,
        line: usize,
        message: &str,
        mild: bool,
        output: usize,
        is: impl Fn(Landmark) -> bool,
    ) -> bool {
        let evidence = || (Evidence { line, text: excerpt(message, 0) }, output);
        if is(Landmark::Chained) {
            self.chained = true;
        } else if is(Landmark::Traceback) {
            if !self.chained {
                self.root = None;
            }
            self.chained = false;
        } else if is(Landmark::Output) {
            self.error = None;
        } else if mild {
            return false;
        } else if is(Landmark::Exception) {
            self.root.get_or_insert_with(evidence);
            self.exception = Some(evidence());
        } else if is(Landmark::Death) {
            self.death = Some(evidence());
        } else if is(Landmark::Error) {
            if self.error.as_ref().is_none_or(|(_, before)| output - before >= GONE_ON) {
                self.error = Some(evidence());
            }
        } else {
            return false;
        }
        true
    }

    /// Those that tell most, in the order of the log.
    pub(super) fn lines(self) -> Vec<Seen> {
        let mut lines: Vec<Seen> = Vec::new();
        for seen in [self.root, self.error, self.exception, self.death].into_iter().flatten() {
            if lines.len() < MOST && lines.iter().all(|(known, _)| known.text != seen.0.text) {
                lines.push(seen);
            }
        }
        lines.sort_by_key(|(line, _)| line.line);
        lines
    }

    /// How much ordinary output stood before the last exception or death.
    pub(super) fn ended(&self) -> Option<usize> {
        [&self.exception, &self.death].into_iter().flatten().map(|(_, output)| *output).max()
    }
}
