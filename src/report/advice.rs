//! What to do about a failure: the words that its forms share.

use crate::model::{Diagnosis, KnownFailure, Remedy};

/// What is said of a failure besides its name and its line, whether a log showed it or not.
#[derive(Clone, Copy)]
pub(super) struct Advice<'a> {
    pub(super) cause: &'a str,
    pub(super) remedies: &'a [Remedy],
    pub(super) check: &'a [String],
    pub(super) further: &'a [String],
    pub(super) references: &'a [String],
}

impl<'a> From<&'a Diagnosis> for Advice<'a> {
    fn from(known: &'a Diagnosis) -> Self {
        let Diagnosis { cause, remedies, check, further, references, .. } = known;
        Self { cause, remedies, check, further, references }
    }
}

impl<'a> From<&'a KnownFailure> for Advice<'a> {
    fn from(known: &'a KnownFailure) -> Self {
        let KnownFailure { cause, remedies, check, further, references, .. } = known;
        Self { cause, remedies, check, further, references }
    }
}

/// Whom a remedy is for.
pub(super) fn platform(remedy: &Remedy) -> &str {
    match remedy.platform.as_str() {
        "apt" => "Debian, Ubuntu",
        "dnf" => "Fedora, RHEL",
        "brew" => "macOS",
        "docker" => "Docker",
        "windows" => "Windows",
        "any" => "anywhere",
        // conda, pyenv and uv call themselves so.
        name => name,
    }
}

/// Whether it need not be said whom a remedy is for.
pub(super) fn is_for_all(remedy: &Remedy) -> bool {
    remedy.platform == "any" && remedy.note.is_some()
}

/// The language of its commands, as blocks of code name it.
pub(super) fn language(remedy: &Remedy) -> &'static str {
    let command = remedy.commands.first().map(String::as_str).unwrap_or_default();
    let instruction = command.split(' ').next().unwrap_or_default();
    match remedy.platform.as_str() {
        // An instruction of a Dockerfile is written in capitals; a command of the engine is not.
        "docker" if !instruction.is_empty() && instruction.chars().all(|c| c.is_ascii_uppercase()) => "dockerfile",
        "windows" => "bat",
        _ => "sh",
    }
}

/// The remedy in plain text, the note first, a line each.
pub(super) fn lines(remedy: &Remedy) -> impl Iterator<Item = &str> {
    remedy.note.iter().chain(&remedy.commands).map(String::as_str)
}

/// The platforms of these remedies, each once.
pub(super) fn platforms(remedies: &[Remedy]) -> Vec<&str> {
    let mut platforms = Vec::new();
    for name in remedies.iter().map(platform) {
        if !platforms.contains(&name) {
            platforms.push(name);
        }
    }
    platforms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_of_code_has_a_language() {
        for (platform, command, expected) in [
            ("apt", "apt-get install -y g++", "sh"),
            ("docker", "RUN apt-get update", "dockerfile"),
            ("docker", "docker run --tmpfs /tmp:exec app", "sh"),
            ("windows", "set CXX=cl", "bat"),
        ] {
            let remedy = Remedy {
                platform: platform.to_owned(),
                note: None,
                commands: vec![command.to_owned()],
                fits: Vec::new(),
            };
            assert_eq!(language(&remedy), expected, "{command}");
        }
    }
}
