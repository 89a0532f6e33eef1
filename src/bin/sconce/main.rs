//! The command line of sconce: what is typed goes in, an exit code comes out. What happens in between is the library's.

mod args;
mod commands;
mod diff;
mod doctor;
#[cfg(test)]
mod documentation;
mod engine;
mod errors;
mod explain;
mod freshness;
mod pages;
mod progress;
mod reference;
mod reports;
mod reproduce;
mod settings;
mod signals;
mod terminal;

use std::process::ExitCode;

use terminal::Terminal;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The answer is no.
const NO: u8 = 1;

fn main() -> ExitCode {
    let (cli, matches) = match args::parse() {
        Ok(parsed) => parsed,
        Err(error) => return errors::usage(&error),
    };
    let terminal = Terminal::new(&cli.global);
    match commands::run(&cli.command, &matches, &terminal) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(NO),
        Err(error) => errors::show(&error, &terminal),
    }
}
