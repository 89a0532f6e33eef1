//! Every command line of sconce that stands in the documentation is one that it takes.

use std::fs;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser as _};

use crate::args::Cli;

/// The pages, and what else has examples.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let mut pages: Vec<PathBuf> = docs.filter(|path| path.extension().is_some_and(|end| end == "md")).collect();
    pages.extend(["README.md", ".pre-commit-hooks.yaml"].map(|name| root.join(name)));
    pages.sort();
    assert!(pages.len() > 8, "{pages:?}");
    pages
}

/// The command lines in a page, each with the number of its line: those in blocks of code, and those within a text that have
/// a flag. What continues on the next line is put together.
fn commands(text: &str) -> Vec<(usize, String)> {
    let mut commands = Vec::new();
    let mut fenced = false;
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let trimmed = line.trim_start();
        if trimmed.starts_with("```") {
            fenced = !fenced;
        } else if fenced || trimmed.starts_with("entry: ") {
            let mut line = trimmed.to_owned();
            while let Some(begun) = line.strip_suffix('\\') {
                let Some((_, next)) = lines.next() else { break };
                line = format!("{begun}{}", next.trim_start());
            }
            commands.extend(command(&line).map(|command| (index + 1, command.to_owned())));
        } else {
            let spans = line.split('`').skip(1).step_by(2).filter(|span| span.contains(" --"));
            commands.extend(spans.filter_map(command).map(|command| (index + 1, command.to_owned())));
        }
    }
    commands
}

/// The part of a line that is a command of sconce's.
fn command(line: &str) -> Option<&str> {
    let start = ["", "$ ", "- ", "run: ", "entry: ", "- run: "]
        .iter()
        .find_map(|lead| line.strip_prefix(lead)?.strip_prefix("sconce "));
    Some(&line[line.len() - start?.len() - "sconce ".len()..])
}

/// The words of a command line, up to where the shell takes over.
fn words(line: &str) -> Vec<String> {
    let ends = |word: &String| matches!(word.as_str(), "|" | "||" | "&&" | ";") || word.starts_with('>');
    let words = shlex::split(line).unwrap_or_else(|| panic!("open quotes in `{line}`"));
    words.into_iter().take_while(|word| !ends(word)).collect()
}

#[test]
fn every_command_in_the_documentation_parses() {
    let mut wrong = Vec::new();
    let mut found = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for (line, command) in commands(&text) {
            found += 1;
            match Cli::try_parse_from(words(&command)) {
                Err(error) if error.kind() != ErrorKind::DisplayHelp => {
                    wrong.push(format!("{}:{line}: `{command}`: {error}", page.display()));
                }
                _ => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(found > 20, "only {found} commands were found");
}

#[test]
fn the_commands_of_a_page_are_found() {
    let page = "Say `sconce build --tag x`, `sconce build` or `docker build --pull`:\n```sh\n$ sconce render \\\n    --check | cat\n\
                x=$(sconce man)\n- sconce images # all\n```\nsconce is not --this\n";
    let found = commands(page);
    let expected = [(1, "sconce build --tag x"), (3, "sconce render --check | cat"), (6, "sconce images # all")];
    assert_eq!(found, expected.map(|(line, command)| (line, command.to_owned())));
    assert_eq!(words(&found[1].1), ["sconce", "render", "--check"]);
    assert_eq!(words(&found[2].1), ["sconce", "images"]);
}

/// A flag that is named in a text, without its command, is a flag of some command.
#[test]
fn every_flag_in_the_text_exists() {
    let mut cli = Cli::command();
    cli.build();
    let mut flags = Vec::new();
    collect(&cli, &mut flags);
    let named = regex::Regex::new(r"`(--[a-z][a-z-]+)(?:[ =][^`]*)?`").unwrap();
    let mut unknown = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for flag in named.captures_iter(&text).map(|found| found[1].to_owned()) {
            if !flags.contains(&flag) && !OF_OTHERS.contains(&flag.as_str()) {
                unknown.push(format!("{}: {flag}", page.display()));
            }
        }
    }
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
}

/// Flags of pip, conda, engines and Dockerfiles that the documentation speaks of by themselves.
const OF_OTHERS: [&str; 6] = ["--chown", "--export", "--find-links", "--jobs", "--no-index", "--reports"];

fn collect(command: &clap::Command, flags: &mut Vec<String>) {
    flags.extend(command.get_arguments().filter_map(|arg| Some(format!("--{}", arg.get_long()?))));
    command.get_subcommands().for_each(|command| collect(command, flags));
}
