//! Errors: shown on standard error, told as JSON where asked, and turned into the exit code.

use std::process::ExitCode;

use sconce::model::{Error, ErrorKind};
use sconce::report::{self, json};

use crate::NO;
use crate::terminal::Terminal;

/// Wrong usage, configuration or input.
const USAGE: u8 = 2;
/// `EX_TEMPFAIL` of `sysexits.h`.
const TRY_AGAIN: u8 = 75;
/// 128 and the number of `SIGINT`, as shells have it.
pub(crate) const INTERRUPTED: u8 = 130;

/// Shows an error.
pub(crate) fn show(error: &Error, terminal: &Terminal) -> ExitCode {
    if terminal.json {
        // With standard output gone, standard error still has it.
        let _ = terminal.document(|out| json::error(error, out));
    }
    let _ = terminal.message(|page, out| report::error(error, page, out));
    ExitCode::from(match error.kind {
        ErrorKind::No => NO,
        ErrorKind::Usage => USAGE,
        ErrorKind::TryAgain => TRY_AGAIN,
        ErrorKind::Interrupted => INTERRUPTED,
    })
}

/// Shows what clap says: an error of usage, or the help or version that was asked for.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    if error.use_stderr() && std::env::args_os().any(|arg| arg == "--json") {
        let text = error.render().to_string();
        let message = text.strip_prefix("error: ").unwrap_or(&text);
        let message = message.split("\n\nUsage:").next().unwrap_or(message).trim();
        let _ = json::error(&Error::usage(message), &mut std::io::stdout());
    }
    let _ = error.print();
    ExitCode::from(if error.use_stderr() { USAGE } else { 0 })
}
