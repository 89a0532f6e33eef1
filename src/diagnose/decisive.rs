//! The lines that look decisive, for a log of which no cause is known.

use super::scan::excerpt;
use crate::catalogue::Landmark;
use crate::model::Evidence;

/// So many are shown.
const MOST: usize = 3;

/// So many lines of output after a message, the program has gone on.
pub(super) const GONE_ON: usize = 100;

/// The lines, the last of each kind.
#[derive(Debug, Default)]
pub(super) struct Decisive {
    /// The first exception of the last chain of tracebacks.
    root: Option<Evidence>,
    /// The last exception.
    exception: Option<Evidence>,
    /// The first error that a program other than Python reported, and how much output stood before it.
    error: Option<(Evidence, usize)>,
    /// The last death of a process.
    death: Option<Evidence>,
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
        let evidence = || Evidence { line, text: excerpt(message, 0) };
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
                self.error = Some((evidence(), output));
            }
        } else {
            return false;
        }
        true
    }

    /// Those that tell most, in the order of the log.
    pub(super) fn lines(self) -> Vec<Evidence> {
        let mut lines: Vec<Evidence> = Vec::new();
        let error = self.error.map(|(error, _)| error);
        for line in [self.root, error, self.exception, self.death].into_iter().flatten() {
            if lines.len() < MOST && lines.iter().all(|known| known.text != line.text) {
                lines.push(line);
            }
        }
        lines.sort_by_key(|line| line.line);
        lines
    }
}
