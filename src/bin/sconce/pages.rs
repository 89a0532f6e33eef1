//! What the command line says of itself: completion scripts and manual pages.

use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;
use sconce::model::{Error, Result};

use crate::args::Cli;
use crate::terminal::Terminal;

/// Writes the completion script for `shell`.
pub(crate) fn completions(shell: Shell, terminal: &Terminal) -> Result<bool> {
    // Not straight onto standard output: the generator panics where that is closed.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "sconce", &mut script);
    terminal.data(&script)?;
    Ok(true)
}

/// Writes the first page of the manual.
pub(crate) fn manual(terminal: &Terminal) -> Result<bool> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command())
        .render(&mut page)
        .map_err(|error| Error::no("cannot write the manual").because(error))?;
    terminal.data(&page)?;
    Ok(true)
}

/// Writes every page of the manual into `folder`.
pub(crate) fn manuals(folder: &Path, terminal: &Terminal) -> Result<bool> {
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
        .map_err(|error| Error::usage(format!("cannot write the manual into `{}`", folder.display())).because(error))?;
    terminal.data(
        format!("wrote the pages of the manual into {}\n", sconce::report::safe(&folder.display().to_string()))
            .as_bytes(),
    )?;
    Ok(true)
}
