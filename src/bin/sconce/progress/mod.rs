//! What goes on, on standard error: live on a terminal, one line after another elsewhere.

mod live;
mod plain;
mod steps;

use std::io::{self, Write};

use sconce::engine::{Event, Progress};

use crate::terminal::{Terminal, Verbosity};
use live::Live;
use plain::Plain;

/// Tells of progress in the way that suits the terminal.
pub(crate) enum Reporter {
    Live(Live),
    Plain(Plain<io::Stderr>),
    Quiet,
}

impl Reporter {
    pub(crate) fn new(terminal: &Terminal) -> Self {
        match terminal.verbosity {
            Verbosity::Quiet => Self::Quiet,
            _ if Terminal::is_watched() => Self::Live(Live::new(terminal)),
            _ => Self::Plain(Plain::new(io::stderr())),
        }
    }

    /// Says something now, beside whatever is going on.
    pub(crate) fn say(&self, message: &str) {
        match self {
            Self::Live(live) => live.say(message),
            Self::Plain(plain) => plain.say(message),
            Self::Quiet => {
                let _ = writeln!(io::stderr(), "{message}");
            }
        }
    }

    /// Takes everything away that is not to stay.
    pub(crate) fn finish(&self) {
        if let Self::Live(live) = self {
            live.finish();
        }
    }
}

impl Progress for Reporter {
    fn event(&self, event: Event) {
        match self {
            Self::Live(live) => live.event(event),
            Self::Plain(plain) => plain.event(event),
            Self::Quiet => {}
        }
    }
}
