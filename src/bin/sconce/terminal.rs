//! Where output goes and what it may look like there.

use std::cell::Cell;
use std::io::{self, ErrorKind, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use sconce::model::{Error, Result};
use sconce::report::Page;
use terminal_size::{Width, terminal_size_of};

use crate::args::{self, Global};

/// The width of what is not a terminal, and the widest that is still read with ease.
const COMFORTABLE: usize = 100;

/// The two streams and how to write on them. Data goes to standard output, all else to standard error.
pub(crate) struct Terminal {
    /// Whether answers are JSON.
    pub(crate) json: bool,
    /// How much to tell of progress.
    pub(crate) verbosity: Verbosity,
    color: ColorChoice,
    ascii: bool,
    /// Whether a document was written: there is never a second one.
    answered: Cell<bool>,
}

/// How much to tell of progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verbosity {
    /// Nothing.
    Quiet,
    /// What happens.
    Normal,
    /// Everything, line by line.
    Verbose,
}

impl Terminal {
    pub(crate) fn new(global: &Global) -> Self {
        let color = match global.color {
            args::ColorChoice::Auto => ColorChoice::Auto,
            args::ColorChoice::Always => ColorChoice::Always,
            args::ColorChoice::Never => ColorChoice::Never,
        };
        let verbosity = match (global.quiet, global.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, true) => Verbosity::Verbose,
            (false, false) => Verbosity::Normal,
        };
        Self {
            json: global.json,
            verbosity,
            color,
            ascii: is_ascii(|name| std::env::var(name).ok()),
            answered: Cell::new(false),
        }
    }

    /// Writes an answer on standard output, as JSON or for people.
    pub(crate) fn answer(
        &self,
        json: impl FnOnce(&mut dyn Write) -> io::Result<()>,
        text: impl FnOnce(Page, &mut dyn Write) -> io::Result<()>,
    ) -> Result<()> {
        if self.json {
            return self.document(json);
        }
        let stdout = io::stdout();
        let page = self.page(terminal_size_of(&stdout));
        let mut buffer = Vec::new();
        arrived(text(page, &mut buffer).and_then(|()| {
            let mut out = AutoStream::new(stdout.lock(), self.color);
            out.write_all(&buffer)?;
            out.flush()
        }))
    }

    /// Writes a JSON document on standard output, unless there is one already.
    pub(crate) fn document(&self, json: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
        if self.answered.replace(true) {
            return Ok(());
        }
        let mut buffer = Vec::new();
        arrived(json(&mut buffer))?;
        self.data(&buffer)
    }

    /// Writes bytes on standard output as they are.
    #[allow(clippy::unused_self, reason = "whoever writes has a terminal to write to")]
    pub(crate) fn data(&self, bytes: &[u8]) -> Result<()> {
        let mut out = io::stdout().lock();
        arrived(out.write_all(bytes).and_then(|()| out.flush()))
    }

    /// Writes on standard error.
    pub(crate) fn message(&self, text: impl FnOnce(Page, &mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        let stderr = io::stderr();
        let page = self.page(terminal_size_of(&stderr));
        text(page, &mut AutoStream::new(stderr.lock(), self.color))
    }

    /// Whether a person watches standard error.
    pub(crate) fn is_watched() -> bool {
        io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
    }

    /// Whether standard error shows colours.
    pub(crate) fn shows_color(&self) -> bool {
        AutoStream::new(io::stderr(), self.color).current_choice() != ColorChoice::Never
    }

    /// Whether to use ASCII only.
    pub(crate) fn is_ascii(&self) -> bool {
        self.ascii
    }

    fn page(&self, size: Option<(Width, terminal_size::Height)>) -> Page {
        let width = size.map_or(COMFORTABLE, |(Width(width), _)| usize::from(width)).min(COMFORTABLE);
        Page { width, ascii: self.ascii }
    }
}

/// Output that nobody reads any more (`sconce … | head`) is no failure. Output that cannot be written is what a report is that
/// cannot: wrong usage, and no answer, which the exit code 1 would be.
fn arrived(written: io::Result<()>) -> Result<()> {
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Error::usage("cannot write on standard output").because(error))
        }
        _ => Ok(()),
    }
}

/// Whether the locale says that characters beyond ASCII do not show (POSIX, *Internationalization Variables*). Where no
/// locale is set, nobody says so: most terminals show them all the same.
fn is_ascii(variable: impl Fn(&str) -> Option<String>) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(variable).find(|value| !value.is_empty());
    locale.is_some_and(|locale| {
        let locale = locale.to_ascii_lowercase();
        !locale.contains("utf-8") && !locale.contains("utf8")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_that_does_not_arrive_is_no_answer() {
        let told = |kind: ErrorKind| arrived(Err(kind.into())).map_err(|error| error.kind);
        assert_eq!(told(ErrorKind::StorageFull), Err(sconce::model::ErrorKind::Usage));
        assert_eq!(told(ErrorKind::BrokenPipe), Ok(()));
    }

    #[test]
    fn the_locale_decides_on_symbols() {
        let with = |pairs: &'static [(&str, &str)]| {
            is_ascii(move |name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
        };
        assert!(!with(&[]));
        assert!(!with(&[("LANG", "C.UTF-8")]));
        assert!(!with(&[("LC_ALL", ""), ("LANG", "de_DE.utf8")]));
        assert!(with(&[("LC_ALL", "C"), ("LANG", "de_DE.utf8")]));
        assert!(with(&[("LANG", "POSIX")]));
    }
}
