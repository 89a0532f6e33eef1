//! `sconce render --check`: which files are held against what would be written, and the command that writes them anew.

use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, CommandFactory};
use sconce::model::{Error, FileState, Refresh, Result};
use sconce::ops::{Rendered, check_files, devcontainer_files};
use sconce::report::{self, json};

use crate::args::{Cli, Render};
use crate::terminal::Terminal;

/// Arguments whose values may hold a password.
const ADDRESSES: [&str; 2] = ["index_url", "extra_index_urls"];

/// The Dockerfile that is checked: the one that is named, or where `render` writes one.
pub(crate) fn dockerfile(args: &Render) -> PathBuf {
    match &args.check {
        Some(Some(file)) => file.clone(),
        _ if args.devcontainer => folder(args).join(".devcontainer/Dockerfile"),
        _ => folder(args).join("Dockerfile"),
    }
}

/// The project's folder, and nothing where a file in it needs none before its name.
fn folder(args: &Render) -> &Path {
    if args.project.root == Path::new(".") { Path::new("") } else { &args.project.root }
}

/// Checks the Dockerfile, or the development container.
pub(crate) fn check(args: &Render, rendered: &Rendered, matches: &ArgMatches, terminal: &Terminal) -> Result<bool> {
    if let (true, Some(Some(file))) = (args.devcontainer, &args.check) {
        let message = format!("`--check={}` names a file, and `--devcontainer` has files of its own", file.display());
        return Err(Error::usage(message).with_hint("say `--check` alone"));
    }
    let (files, target) = if args.devcontainer {
        let force = (!args.force).then(|| "--force".to_owned());
        (devcontainer_files(folder(args), rendered).to_vec(), force.into_iter().collect())
    } else {
        let path = dockerfile(args);
        let target = vec!["--output".to_owned(), path.display().to_string()];
        (vec![(path, rendered.dockerfile.clone())], target)
    };
    let checked = check_files(&files)?;
    let refresh = refresh(matches, target);
    terminal.answer(
        |out| json::freshness(&checked, &refresh, out), //
        |page, out| report::freshness(&checked, &refresh, page, out),
    )?;
    Ok(checked.iter().all(|file| file.state == FileState::Fresh))
}

/// The command that writes what this one checks: what was typed, with `target` in place of `--check`.
fn refresh(matches: &ArgMatches, target: Vec<String>) -> Refresh {
    let command = Cli::command();
    let arguments = || command.find_subcommand("render").into_iter().flat_map(clap::Command::get_arguments);
    let from = |arg: &Arg, source| matches.value_source(arg.get_id().as_str()) == Some(source);
    let typed = arguments().filter(|arg| *arg.get_id() != "check" && from(arg, ValueSource::CommandLine));
    let (positional, flags): (Vec<&Arg>, Vec<&Arg>) = typed.partition(|arg| arg.is_positional());
    let mut words = vec!["sconce".to_owned(), "render".to_owned()];
    words.extend(flags.into_iter().flat_map(|arg| flag(arg, matches)));
    words.extend(target);
    words.extend(positional.into_iter().flat_map(|arg| values(arg, matches)));
    let set = arguments().filter(|arg| from(arg, ValueSource::EnvVariable));
    Refresh {
        // Without a NUL, which no argument holds, there is nothing that cannot be quoted.
        command: shlex::try_join(words.iter().map(String::as_str)).unwrap_or_default(),
        variables: set.filter_map(|arg| Some(arg.get_env()?.to_string_lossy().into_owned())).collect(),
    }
}

/// A flag as it was typed, once for each of its values.
fn flag(arg: &Arg, matches: &ArgMatches) -> Vec<String> {
    let name = format!("--{}", arg.get_long().unwrap_or_default());
    if !arg.get_action().takes_values() {
        return vec![name];
    }
    let said = |value: String| {
        // What begins with a dash would be taken for a flag.
        if value.starts_with('-') { vec![format!("{name}={value}")] } else { vec![name.clone(), value] }
    };
    values(arg, matches).into_iter().flat_map(said).collect()
}

fn values(arg: &Arg, matches: &ArgMatches) -> Vec<String> {
    let id = arg.get_id().as_str();
    let raw = matches.get_raw(id).into_iter().flatten().map(|value| value.to_string_lossy().into_owned());
    raw.map(|value| if ADDRESSES.contains(&id) { without_password(&value) } else { value }).collect()
}

/// A URL without the credentials that stand in it: a log of CI is read by many. Those that are variables stay.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    match authority.rsplit_once('@') {
        Some((user, _)) if !is_variable(user.rsplit(':').next().unwrap_or(user)) => {
            format!("{scheme}://***{}", &rest[user.len()..])
        }
        _ => url.to_owned(),
    }
}

fn is_variable(text: &str) -> bool {
    text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).is_some_and(|name| !name.contains(['$', '}']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_said_again() {
        for (url, said) in [
            ("https://me:secret@pypi.example.org/simple", "https://***@pypi.example.org/simple"),
            ("https://token@pypi.example.org", "https://***@pypi.example.org"),
            ("https://me:p@ss@pypi.example.org/", "https://***@pypi.example.org/"),
            ("https://ci:${TOKEN}@pypi.example.org/simple", "https://ci:${TOKEN}@pypi.example.org/simple"),
            ("https://${TOKEN}@pypi.example.org/simple", "https://${TOKEN}@pypi.example.org/simple"),
            ("https://ci:${A}x${B}@pypi.example.org/simple", "https://***@pypi.example.org/simple"),
            ("https://pypi.example.org/@scope", "https://pypi.example.org/@scope"),
        ] {
            assert_eq!(without_password(url), said);
        }
    }
}
