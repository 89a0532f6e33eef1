use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use toml::value::Datetime;

use super::manners::{Manners, Texts};
use super::marks::{Landmark, Marks, is_fitting};
use super::{demand, parse};
use crate::model::{Remedy, Result};

const FILE: &str = "images/failures.toml";

/// What a remedy can be for.
const PLATFORMS: &[&str] = &["apt", "dnf", "brew", "conda", "pyenv", "uv", "docker", "windows", "any"];

/// Where a failure can happen, in the order of a program's life.
const STAGES: &[&str] =
    &["build", "install", "import", "start", "compile", "link", "load", "cache", "triton", "run", "proof"];

/// The failures that are known, and how to read a log.
#[derive(Debug, Clone)]
pub struct Failures {
    rows: Vec<Failure>,
    marks: Marks,
    pub(super) manners: Manners,
    unknown: Vec<Remedy>,
}

/// A root cause: a row of `images/failures.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// Its id, such as `PYTHON_H_MISSING`.
    pub id: String,
    /// Where it happens; one of `STAGES`.
    pub stage: String,
    /// Its name, a few words in lower case.
    pub title: String,
    /// What shows it: regular expressions of a line.
    pub patterns: Vec<String>,
    /// What shows it in the source that a traceback quotes, which is no evidence else.
    #[serde(default)]
    pub source_patterns: Vec<String>,
    /// Regular expressions of other lines, which hold values for the cause and the commands.
    #[serde(default)]
    pub context: Vec<String>,
    /// The values where no line holds them.
    #[serde(default)]
    pub defaults: BTreeMap<String, String>,
    /// The rows that say it more exactly.
    #[serde(default)]
    pub yields_to: Vec<String>,
    /// What the log has to speak of, by a name in `topics`, for the row to be certain; else it is likely at most.
    #[serde(default)]
    pub about: Option<String>,
    /// Whether what is missing belongs beside torch, in its environment, and not to the system.
    #[serde(default)]
    pub environment: bool,
    /// Whether its lines are warnings, which a program may go on after.
    #[serde(default)]
    pub warning: bool,
    /// The cause, with names of values in braces.
    pub cause: String,
    /// The versions that it applies to, where not all.
    #[serde(default)]
    pub versions: Option<String>,
    /// What to do, with names of values in braces.
    pub remedies: Vec<Remedy>,
    /// Commands that show whether it is mended, with names of values in braces.
    #[serde(default)]
    pub check: Vec<String>,
    /// What else to know, paragraphs, with names of values in braces.
    #[serde(default)]
    pub further: Vec<String>,
    /// Where to read more.
    pub references: Vec<String>,
    /// How the row was checked.
    pub evidence: String,
    /// The day it was.
    pub checked: Datetime,
}

impl Failures {
    /// The failures that are compiled into this program; nothing else of the catalogue is read for them.
    pub fn embedded() -> &'static Self {
        &super::FAILURES
    }

    /// The rows, in the order of the file.
    pub fn rows(&self) -> &[Failure] {
        &self.rows
    }

    /// Where a stage stands in a program's life.
    pub fn stage_order(stage: &str) -> usize {
        STAGES.iter().position(|known| *known == stage).unwrap_or(STAGES.len())
    }

    /// How to make a program say more of a failure that is none of them.
    pub fn unknown(&self) -> &[Remedy] {
        &self.unknown
    }

    /// Every pattern by which a log is read, and what each is for.
    pub fn marks(&self) -> &Marks {
        &self.marks
    }

    /// What loggers, builders and torch itself put before the message, and the message with its indentation.
    pub fn split<'a>(&self, line: &'a str) -> (&'a str, &'a str) {
        self.manners.split(line)
    }

    /// Whether a line with this [prefix](Self::split) and message is a warning at most.
    pub fn is_mild(&self, prefix: &str, message: &str) -> bool {
        self.manners.is_mild(prefix, message)
    }

    /// Whether the message is of a test that passed, or is code: what it holds did not happen.
    pub fn is_unsaid(&self, message: &str) -> bool {
        self.manners.is_unsaid(message)
    }

    /// Whether what follows `before` in a message is only spoken of.
    pub fn is_mention(&self, before: &str) -> bool {
        self.manners.is_mention(before)
    }
}

/// Reads and checks the rows, and the signs of circumstances.
pub(super) fn read(text: &str, circumstances: &str) -> Result<Failures> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        prefixes: Vec<String>,
        mild: String,
        #[serde(default)]
        warned: Vec<String>,
        #[serde(default)]
        unsaid: Vec<String>,
        #[serde(default)]
        mentions: Vec<String>,
        envelopes: Vec<String>,
        #[serde(default)]
        unknown: Vec<Remedy>,
        topics: BTreeMap<String, Vec<String>>,
        #[serde(default)]
        landmarks: BTreeMap<Landmark, Vec<String>>,
        failure: Vec<Failure>,
    }
    let file: File = parse(FILE, text)?;
    let File { prefixes, mild, envelopes, unknown, topics, landmarks, failure: rows, .. } = file;
    let ids: BTreeSet<_> = rows.iter().map(|row| row.id.as_str()).collect();
    demand(ids.len() == rows.len(), FILE, "failure", "an id is there twice")?;
    rows.iter().try_for_each(|row| check(row, &ids, &topics))?;

    let marks = Marks::read(&rows, topics, &landmarks, circumstances)?;
    let manners = Manners::new(&Texts {
        before: [prefixes, envelopes].concat(),
        mild: &mild,
        warned: &file.warned,
        unsaid: &file.unsaid,
        mentions: &file.mentions,
    });
    Ok(Failures { rows, marks, manners, unknown })
}

fn check(row: &Failure, ids: &BTreeSet<&str>, topics: &BTreeMap<String, Vec<String>>) -> Result<()> {
    let demand = |holds, what| demand(holds, FILE, &row.id, what);
    demand(STAGES.contains(&row.stage.as_str()), "an unknown stage")?;
    demand(row.about.as_ref().is_none_or(|topic| topics.contains_key(topic)), "`about` names no topic")?;
    let says = |remedy: &Remedy| remedy.note.is_some() || !remedy.commands.is_empty();
    demand(row.remedies.iter().all(says), "a remedy says nothing")?;
    demand(!row.patterns.is_empty(), "there is no pattern")?;
    demand(row.yields_to.iter().all(|id| ids.contains(id.as_str()) && *id != row.id), "`yields_to` has no such row")?;
    demand(row.references.iter().all(|url| url.starts_with("https://")), "a reference is not a URL")?;
    demand(!row.remedies.is_empty() && !row.references.is_empty(), "no remedy, or no reference")?;
    demand(row.remedies.iter().all(|remedy| PLATFORMS.contains(&remedy.platform.as_str())), "an unknown platform")?;
    demand(!row.title.is_empty() && !row.evidence.is_empty(), "no title, or no evidence")?;
    demand(row.checked.date.is_some(), "`checked` is not a date")?;
    demand(
        row.remedies.iter().flat_map(|remedy| &remedy.fits).all(|value| is_fitting(value)),
        "`fits` has no such value",
    )?;
    let (general, least) = (row.general(), row.filled(&row.defaults));
    demand(!least.remedies.is_empty(), "without values from a log, no remedy is left")?;
    let remedies = general.remedies.iter().flat_map(|remedy| remedy.commands.iter().chain(&remedy.note));
    let mut left = std::iter::once(&general.cause).chain(remedies).chain(&general.check).chain(&general.further);
    demand(left.all(|text| !text.contains(['{', '}'])), "a name in braces has no default")
}

/// The texts of a row with values in place of their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filled {
    /// As [`Failure::cause`].
    pub cause: String,
    /// As [`Failure::remedies`].
    pub remedies: Vec<Remedy>,
    /// As [`Failure::check`].
    pub check: Vec<String>,
    /// As [`Failure::further`].
    pub further: Vec<String>,
}

impl Failure {
    /// The texts for one log, whose values these are. What would need a value that the log does not say is left out.
    pub fn filled(&self, values: &BTreeMap<String, String>) -> Filled {
        let unknown = |name: &String| self.defaults.get(name).filter(|default| values.get(name) == Some(*default));
        // A program would take it for an option.
        let option = |name: &String| values.get(name).is_some_and(|value| value.trim_start().starts_with('-'));
        let is_told = |text: &String| {
            let lacks = |name: &String| unknown(name).is_some_and(|default| is_prose(default)) || option(name);
            !self.defaults.keys().any(|name| text.contains(&format!("{{{name}}}")) && lacks(name))
        };
        // A remedy is nothing without the value of a name with an exclamation mark.
        let is_whole = |remedy: &Remedy| {
            let needs = |name: &String| remedy.commands.iter().any(|text| text.contains(&format!("{{{name}!}}")));
            !self.defaults.keys().any(|name| needs(name) && (unknown(name).is_some() || option(name)))
        };
        let commands = |texts: &[String], windows| {
            texts.iter().filter(|text| is_told(text)).map(|text| command(text, values, windows)).collect()
        };
        let remedies = self.remedies.iter().filter(|remedy| is_whole(remedy)).map(|remedy| Remedy {
            platform: remedy.platform.clone(),
            note: remedy.note.as_ref().map(|text| prose(text, values)),
            commands: commands(&remedy.commands, remedy.platform == "windows"),
            fits: remedy.fits.clone(),
        });
        Filled {
            cause: prose(&self.cause, values),
            remedies: remedies.filter(|remedy| remedy.note.is_some() || !remedy.commands.is_empty()).collect(),
            check: commands(&self.check, false),
            further: self.further.iter().map(|text| prose(text, values)).collect(),
        }
    }

    /// The texts for any log: where a command needs a value of one, it has the value's name in capitals.
    pub fn general(&self) -> Filled {
        let mut values = self.defaults.clone();
        for (name, value) in &mut values {
            if is_prose(value) {
                *value = name.to_uppercase();
            }
        }
        let text = |text: &String| prose(text, &self.defaults);
        let command = |text: &String| {
            let named = |text: String, name: &String| text.replace(&format!("{{{name}!}}"), &name.to_uppercase());
            prose(&self.defaults.keys().fold(text.clone(), named), &values)
        };
        let remedy = |remedy: &Remedy| Remedy {
            platform: remedy.platform.clone(),
            note: remedy.note.as_ref().map(text),
            commands: remedy.commands.iter().map(command).collect(),
            fits: remedy.fits.clone(),
        };
        Filled {
            cause: text(&self.cause),
            remedies: self.remedies.iter().map(remedy).collect(),
            check: self.check.iter().map(command).collect(),
            further: self.further.iter().map(text).collect(),
        }
    }
}

/// Whether a default is words for people, which no command can have.
fn is_prose(default: &str) -> bool {
    default.contains(char::is_whitespace)
}

/// A sentence with the values in it.
fn prose(text: &str, values: &BTreeMap<String, String>) -> String {
    values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

/// A command with the values in it, each one word of the shell that reads it.
fn command(text: &str, values: &BTreeMap<String, String>, windows: bool) -> String {
    values.iter().fold(text.to_owned(), |text, (name, value)| {
        let text = text.replace(&format!("{{{name}!}}"), &format!("{{{name}}}"));
        let braced = format!("{{{name}}}");
        let mut parts = text.split(&braced);
        let mut filled = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let word = if is_quoted(&filled) { value.clone() } else { quoted(value, windows) };
            filled.extend([word.as_str(), part]);
        }
        filled
    })
}

fn quoted(value: &str, windows: bool) -> String {
    match windows {
        true if value.contains(' ') => format!("\"{value}\""),
        true => value.to_owned(),
        // No value has a NUL, which is all that cannot be quoted.
        false => shlex::try_quote(value).unwrap_or_default().into_owned(),
    }
}

/// Whether what follows stands in quotes already; a `$(…)` between double quotes is read anew.
fn is_quoted(before: &str) -> bool {
    let odd = |quote| before.matches(quote).count() % 2 == 1;
    let anew = || before.rfind('"').is_some_and(|at| before[at..].contains("$("));
    odd('\'') || (odd('"') && !anew())
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;

    const ROW: &str = r#"
        prefixes = ['\[rank\d+\]:\s?']
        mild = 'WARN'
        envelopes = ['InductorError:\s?']
        [topics]
        torch = ['torch']
        [[failure]]
        id = "X01"
        stage = "compile"
        title = "a test"
        patterns = ['no (?<tool>\w+)']
        defaults = { tool = "tool" }
        cause = "there is no {tool}"
        remedies = [{ platform = "apt", note = "a {tool} is needed", commands = ["apt-get install {tool}"] }]
        references = ["https://example.org"]
        evidence = "made up"
        checked = 2026-11-22
    "#;

    #[test]
    fn a_row_is_read_and_filled() {
        let failures = read(ROW, "sign = []").expect("a catalogue");
        let shown = &failures.rows()[0];
        let filled = shown.filled(&BTreeMap::from([("tool".to_owned(), "ladder".to_owned())]));
        assert_eq!(filled.cause, "there is no ladder");
        assert_eq!(filled.remedies[0].commands, ["apt-get install ladder"]);
        assert_eq!(filled.remedies[0].note.as_deref(), Some("a ladder is needed"));
        assert_eq!(
            failures.split("  [rank0]:   InductorError: no ladder\n"),
            ("  [rank0]: ", "  InductorError: no ladder")
        );
        assert_eq!(failures.split("[rank0]: InductorError: no ladder").1, "no ladder");
    }

    fn row(remedies: &str, default: &str) -> Failure {
        let (before, after) = ROW.split_once("remedies = [").expect("remedies");
        let (_, after) = after.split_once("]\n        references").expect("what follows");
        let text = format!("{before}remedies = [{remedies}]\n        references{after}");
        let text = text.replace(r#"tool = "tool""#, &format!("tool = \"{default}\""));
        read(&text, "sign = []").expect("a catalogue").rows()[0].clone()
    }

    fn commands(filled: &Filled) -> Vec<&str> {
        filled.remedies.iter().flat_map(|remedy| &remedy.commands).map(String::as_str).collect()
    }

    #[test]
    fn a_value_is_one_word_of_a_command() {
        let texts = r#""ls -ld {tool}", "ls \"$(dirname {tool})\"", "printf '!{tool}'", "echo \"{tool}\"""#;
        let remedies = format!(
            "{{ platform = \"apt\", note = \"see {{tool}}\", commands = [{texts}] }},
            {{ platform = \"windows\", commands = [\"dir {{tool}}\"] }}"
        );
        let filled =
            row(&remedies, "x").filled(&BTreeMap::from([("tool".to_owned(), "/home/John Smith/x".to_owned())]));
        assert_eq!(filled.remedies[0].note.as_deref(), Some("see /home/John Smith/x"));
        assert_eq!(
            commands(&filled),
            [
                "ls -ld '/home/John Smith/x'",
                "ls \"$(dirname '/home/John Smith/x')\"",
                "printf '!/home/John Smith/x'",
                "echo \"/home/John Smith/x\"",
                "dir \"/home/John Smith/x\"",
            ]
        );
    }

    #[test]
    fn a_command_without_its_value_is_left_out() {
        let remedies = r#"{ platform = "apt", note = "a", commands = ["apt-get update", "apt-get install {tool}"] },
            { platform = "dnf", commands = ["dnf install {tool}"] },
            { platform = "uv", note = "exact", commands = ["uv venv", "uv python install {tool!}"] }"#;
        let shown = row(remedies, "the tool");
        assert_eq!(commands(&shown.filled(&shown.defaults)), ["apt-get update"]);
        assert_eq!(shown.filled(&shown.defaults).remedies.len(), 1);
        let named = shown.filled(&BTreeMap::from([("tool".to_owned(), "ladder".to_owned())]));
        assert_eq!(
            commands(&named)[1..],
            ["apt-get install ladder", "dnf install ladder", "uv venv", "uv python install ladder"]
        );
        let option = shown.filled(&BTreeMap::from([("tool".to_owned(), "-oAPT".to_owned())]));
        assert_eq!((commands(&option), option.cause.as_str()), (vec!["apt-get update"], "there is no -oAPT"));
        assert_eq!(commands(&shown.general())[2..], ["dnf install TOOL", "uv venv", "uv python install TOOL"]);
        assert_eq!(shown.general().cause, "there is no the tool");
    }

    #[test]
    fn no_prose_reaches_a_command_of_the_embedded_rows() {
        let failures =
            read(include_str!("../../images/failures.toml"), include_str!("../../images/circumstances.toml"))
                .expect("a catalogue");
        for row in failures.rows() {
            let filled = row.filled(&row.defaults);
            let prose: Vec<_> = row.defaults.values().filter(|default| default.contains(' ')).collect();
            for command in commands(&filled).into_iter().chain(filled.check.iter().map(String::as_str)) {
                assert!(!prose.iter().any(|prose| command.contains(prose.as_str())), "{}: {command}", row.id);
            }
        }
    }

    #[test]
    fn a_row_that_is_not_as_it_must_be_is_refused() {
        for (from, to, expected) in [
            (r"no (?<tool>\w+)", r"(", "cannot be read"),
            (r"no (?<tool>\w+)", r"\w*", "no fixed text"),
            (r#"defaults = { tool = "tool" }"#, "", "no default"),
            ("{tool}", "{other}", "no default"),
            ("install {tool}", "install {other!}", "no default"),
            (
                r#"note = "a {tool} is needed", commands = ["apt-get install {tool}"]"#,
                r#"commands = ["x {tool!}"]"#,
                "no remedy is left",
            ),
            (r#"note = "a"#, r#"fits = ["beos"], note = "a"#, "no such value"),
            (r#""apt""#, r#""nix""#, "platform"),
            (r#""compile""#, r#""later""#, "stage"),
            (r#"title = "a test""#, "title = \"a test\"\nabout = \"jax\"", "no topic"),
            ("https:", "http:", "not a URL"),
            (
                r#"title = "a test""#,
                r#"title = "a test"
            yields_to = ["X02"]"#,
                "no such row",
            ),
            ("title", "titel", "does not parse"),
        ] {
            let error = read(&ROW.replace(from, to), "sign = []").expect_err(expected).to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn every_group_of_the_embedded_rows_has_a_default() {
        let failures =
            read(include_str!("../../images/failures.toml"), include_str!("../../images/circumstances.toml"))
                .expect("a catalogue");
        for row in failures.rows() {
            for pattern in row.patterns.iter().chain(&row.context) {
                let regex = Regex::new(pattern).expect(pattern);
                for name in regex.capture_names().flatten() {
                    assert!(row.defaults.contains_key(name), "{}: {name}", row.id);
                }
            }
        }
    }
}
