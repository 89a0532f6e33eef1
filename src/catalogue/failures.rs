use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use toml::value::Datetime;

use super::manners::{Manners, Texts};
use super::marks::{Landmark, Marks};
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
    Ok(Failures { manners, rows, marks, unknown })
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
    let filled = row.filled(&row.defaults);
    let remedies = filled.remedies.iter().flat_map(|remedy| remedy.commands.iter().chain(&remedy.note));
    let mut left = std::iter::once(&filled.cause).chain(remedies).chain(&filled.check).chain(&filled.further);
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
    /// The texts with these values in place of their names.
    pub fn filled(&self, values: &BTreeMap<String, String>) -> Filled {
        let fill = |text: &String| {
            values.iter().fold(text.clone(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
        };
        let all = |texts: &[String]| texts.iter().map(fill).collect();
        let remedy = |remedy: &Remedy| Remedy {
            platform: remedy.platform.clone(),
            note: remedy.note.as_ref().map(fill),
            commands: all(&remedy.commands),
            fits: remedy.fits.clone(),
        };
        Filled {
            cause: fill(&self.cause),
            remedies: self.remedies.iter().map(remedy).collect(),
            check: all(&self.check),
            further: all(&self.further),
        }
    }
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

    #[test]
    fn a_row_that_is_not_as_it_must_be_is_refused() {
        for (from, to, expected) in [
            (r"no (?<tool>\w+)", r"(", "cannot be read"),
            (r"no (?<tool>\w+)", r"\w*", "no fixed text"),
            (r#"defaults = { tool = "tool" }"#, "", "no default"),
            ("{tool}", "{other}", "no default"),
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
