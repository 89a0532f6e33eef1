use std::error::Error as StdError;
use std::fmt;

use super::Origin;

/// What a command's caller can do about an error; the binary maps it to the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The answer is no: it cannot be planned, built or verified. Exit code 1.
    No,
    /// The question is wrong: usage, configuration or an input file. Exit code 2.
    Usage,
    /// The engine or the network is not there now. Exit code 75 (`EX_TEMPFAIL` of `sysexits.h`).
    TryAgain,
    /// The user stopped it. Exit code 130, as shells give for `SIGINT`.
    Interrupted,
}

/// The question could not be answered: what happened, where, and what to do.
#[derive(Debug)]
pub struct Error {
    /// What the caller can do about it.
    pub kind: ErrorKind,
    /// What happened: one sentence in lower case, literals in backticks, no full stop.
    pub message: String,
    /// Where, when a file or a flag is to blame.
    pub origin: Option<Origin>,
    /// What to do, as whole lines.
    pub hint: Option<String>,
    /// The end of the log that explains it, line by line, already safe to print; mostly empty.
    pub log: Vec<String>,
    /// The error beneath.
    pub source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The result of every fallible function of the library.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), origin: None, hint: None, log: Vec::new(), source: None }
    }

    /// The answer is no.
    pub fn no(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::No, message)
    }

    /// The question is wrong.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    /// Not now.
    pub fn try_again(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::TryAgain, message)
    }

    /// The user stopped it.
    pub fn interrupted() -> Self {
        Self::new(ErrorKind::Interrupted, "interrupted")
    }

    /// The same error, located.
    #[must_use]
    pub fn at(mut self, origin: Origin) -> Self {
        self.origin = Some(origin);
        self
    }

    /// The same error where `origin` says, unless it says where already.
    #[must_use]
    pub fn or_at(self, origin: &Origin) -> Self {
        if self.origin.is_some() { self } else { self.at(origin.clone()) }
    }

    /// The same error with advice.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same error with the end of the log that explains it.
    #[must_use]
    pub fn with_log(mut self, log: Vec<String>) -> Self {
        self.log = log;
        self
    }

    /// The same error with the error beneath it.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Some(origin) => write!(f, "{origin}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
