//! What each pattern by which a log is read is for.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::patterns::Patterns;
use super::{Failure, demand, parse};
use crate::model::Result;

const FILE: &str = "images/circumstances.toml";

/// What a circumstance can be, where not every text is one.
const VALUES: &[(Fact, &[&str])] = &[
    (
        Fact::Installation,
        &["distribution", "image", "conda", "pyenv", "uv", "brew", "framework", "deadsnakes", "windows"],
    ),
    (Fact::TorchPlace, &["user", "environment", "system", "conda"]),
    (
        Fact::System,
        &["debian", "ubuntu", "rhel", "fedora", "alpine", "arch", "nixos", "suse", "macos", "windows", "wsl"],
    ),
    (Fact::Container, &["build", "run", "cluster", "colab", "kaggle"]),
];

/// Every pattern by which a log is read, and what each is for.
#[derive(Debug, Clone)]
pub struct Marks {
    patterns: Patterns,
    /// What each of `patterns` is for.
    roles: Vec<Role>,
    signs: Vec<Sign>,
    /// The names of the topics.
    topics: Vec<String>,
}

/// What a pattern is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It shows the row of this index.
    Evidence(usize),
    /// It shows the row in the source that a traceback quotes.
    Source(usize),
    /// It holds values for the row.
    Context(usize),
    /// It shows that the log speaks of the topic of this index.
    Topic(usize),
    /// It is the sign of this index.
    Sign(usize),
    /// It says what the line, or the next ones, are.
    Landmark(Landmark),
}

/// What a line can be besides evidence; see `images/failures.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the file says what each is")]
pub enum Landmark {
    Frame,
    Cell,
    Source,
    Test,
    Shown,
    Traceback,
    Chained,
    Output,
    Exception,
    Error,
    Death,
}

/// A row of `images/circumstances.toml`: what a line says of the machine.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sign {
    pattern: String,
    /// The facts that every line that matches says; others are in named groups.
    #[serde(default)]
    pub says: BTreeMap<Fact, String>,
    /// All the facts that it speaks of.
    #[serde(skip)]
    pub facts: Vec<Fact>,
}

/// A fact of the machine, as [`crate::model::Circumstances`] has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields of the same names are documented")]
pub enum Fact {
    Python,
    Installation,
    TorchPlace,
    Torch,
    System,
    Compiler,
    Isa,
    Container,
}

impl Fact {
    /// Each, with its name.
    pub const ALL: [(Self, &str); 8] = [
        (Self::Python, "python"),
        (Self::Installation, "installation"),
        (Self::TorchPlace, "torch_place"),
        (Self::Torch, "torch"),
        (Self::System, "system"),
        (Self::Compiler, "compiler"),
        (Self::Isa, "isa"),
        (Self::Container, "container"),
    ];
}

impl Marks {
    pub(super) fn read(
        rows: &[Failure],
        topics: BTreeMap<String, Vec<String>>,
        landmarks: &BTreeMap<Landmark, Vec<String>>,
        circumstances: &str,
    ) -> Result<Self> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            sign: Vec<Sign>,
        }
        let File { sign: mut signs } = parse(FILE, circumstances)?;
        signs.iter_mut().for_each(Sign::complete);
        signs.iter().try_for_each(check)?;

        let mut all: Vec<(Role, String)> = Vec::new();
        let mut add = |role, patterns: &[String]| all.extend(patterns.iter().map(|pattern| (role, pattern.clone())));
        for (index, row) in rows.iter().enumerate() {
            add(Role::Evidence(index), &row.patterns);
            add(Role::Source(index), &row.source_patterns);
            add(Role::Context(index), &row.context);
        }
        topics.values().enumerate().for_each(|(index, patterns)| add(Role::Topic(index), patterns));
        for (landmark, patterns) in landmarks {
            add(Role::Landmark(*landmark), patterns);
        }
        signs.iter().enumerate().for_each(|(index, sign)| add(Role::Sign(index), std::slice::from_ref(&sign.pattern)));
        let (roles, patterns): (Vec<_>, Vec<_>) = all.into_iter().unzip();
        let patterns = Patterns::read("images/failures.toml", patterns)?;
        Ok(Self { patterns, roles, signs, topics: topics.into_keys().collect() })
    }

    /// The patterns.
    pub fn patterns(&self) -> &Patterns {
        &self.patterns
    }

    /// What each of the patterns is for.
    pub fn roles(&self) -> &[Role] {
        &self.roles
    }

    /// The signs of circumstances, the one that is most to be believed first.
    pub fn signs(&self) -> &[Sign] {
        &self.signs
    }

    /// The names of the topics.
    pub fn topics(&self) -> &[String] {
        &self.topics
    }
}

impl Sign {
    fn complete(&mut self) {
        let named = |name: &str| self.pattern.contains(&format!("(?<{name}>"));
        let facts = Fact::ALL.into_iter().filter(|(fact, name)| self.says.contains_key(fact) || named(name));
        self.facts = facts.map(|(fact, _)| fact).collect();
    }
}

/// Whether a remedy can be for what has this value.
pub(super) fn is_fitting(value: &str) -> bool {
    let facts = [Fact::Installation, Fact::System, Fact::Container];
    VALUES.iter().any(|(fact, values)| facts.contains(fact) && values.contains(&value))
}

fn check(sign: &Sign) -> Result<()> {
    demand(!sign.facts.is_empty(), FILE, &sign.pattern, "it says nothing")?;
    let known = |(fact, value): (&Fact, &String)| {
        VALUES.iter().find(|(name, _)| name == fact).is_none_or(|(_, values)| values.contains(&value.as_str()))
    };
    demand(sign.says.iter().all(known), FILE, &sign.pattern, "an unknown value")
}
