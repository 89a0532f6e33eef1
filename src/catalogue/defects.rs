//! How each failure is made, and mended: `images/defects.toml`.

use std::collections::BTreeMap;

use pep440_rs::VersionSpecifiers;
use serde::Deserialize;
use toml::value::Datetime;

use super::replicas::is_like;
use super::{demand, parse};
use crate::model::{PackageManager, PythonProvider, Result, RunAs, TorchPlace};

const FILE: &str = "images/defects.toml";

/// A way to make a failure: a row of `images/defects.toml`, whose texts may name what a replica fills in.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DefectRow {
    /// The failure: an id of `images/failures.toml`.
    pub failure: String,
    /// What is wrong: a clause in lower case.
    pub title: String,
    /// Where the interpreter has to come from; empty for anywhere.
    #[serde(default)]
    pub providers: Vec<PythonProvider>,
    /// Where torch has to lie; empty for anywhere.
    #[serde(default)]
    pub places: Vec<TorchPlace>,
    /// The package manager that the base has to have; empty for any.
    #[serde(default)]
    pub managers: Vec<PackageManager>,
    /// The versions of torch that it shows in.
    #[serde(default)]
    pub torch: VersionSpecifiers,
    /// Whether the interpreter has to be one that `torch.compile` refuses.
    #[serde(default)]
    pub refused_python: bool,
    /// Globs over the system packages: those are left out.
    #[serde(default)]
    without: Vec<String>,
    /// Globs over further ones, which would hide the defect.
    #[serde(default)]
    also: Vec<String>,
    /// The system packages that are there in place of those.
    #[serde(default)]
    instead: BTreeMap<PackageManager, Vec<String>>,
    /// Shell commands that break it, run as root.
    #[serde(default)]
    pub breaks: Vec<String>,
    /// Variables that break it.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// How containers are run.
    #[serde(default)]
    pub run: RunAs,
    /// How it is mended.
    pub fix: FixRow,
    source: String,
    checked: Datetime,
}

/// How a defect is mended.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FixRow {
    /// What is done: a clause in lower case.
    pub title: String,
    /// System packages; those that were left out where none are named.
    #[serde(default)]
    packages: BTreeMap<PackageManager, Vec<String>>,
    /// Shell commands, run as root.
    #[serde(default)]
    pub commands: Vec<String>,
    /// Arguments of `pip install`.
    #[serde(default)]
    pub pip: Vec<String>,
    /// Variables.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// How containers are run instead.
    #[serde(default)]
    pub run: RunAs,
}

impl DefectRow {
    /// Whether a system package is one of those that the defect is made by leaving out.
    pub fn leaves_out(&self, package: &str) -> bool {
        self.without.iter().any(|pattern| is_like(package, pattern))
    }

    /// Whether a system package has to go with those.
    pub fn takes_along(&self, package: &str) -> bool {
        self.also.iter().any(|pattern| is_like(package, pattern))
    }

    /// Whether it is made by leaving out system packages, and by nothing else that makes it.
    pub fn only_leaves_out(&self) -> bool {
        !self.without.is_empty() && self.breaks.is_empty() && self.run == RunAs::default()
    }

    /// The system packages that are there instead.
    pub fn instead(&self, manager: PackageManager) -> &[String] {
        self.instead.get(&manager).map_or(&[], Vec::as_slice)
    }
}

impl FixRow {
    /// The system packages that mend it, where the row names them.
    pub fn packages(&self, manager: PackageManager) -> &[String] {
        self.packages.get(&manager).map_or(&[], Vec::as_slice)
    }
}

/// Reads and checks the rows.
pub(super) fn read(text: &str) -> Result<Vec<DefectRow>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        defect: Vec<DefectRow>,
    }
    let rows = parse::<File>(FILE, text)?.defect;
    rows.iter().try_for_each(check)?;
    Ok(rows)
}

fn check(row: &DefectRow) -> Result<()> {
    let demand = |holds, what| demand(holds, FILE, &row.failure, what);
    demand(!row.title.is_empty() && !row.fix.title.is_empty(), "a title is empty")?;
    let breaks = !row.without.is_empty() || !row.breaks.is_empty() || !row.env.is_empty();
    demand(breaks || row.run != RunAs::default() || row.refused_python, "it breaks nothing")?;
    let fix = &row.fix;
    let mends = !fix.packages.is_empty() || !fix.commands.is_empty() || !fix.pip.is_empty() || !fix.env.is_empty();
    demand(mends || fix.run != row.run || !row.without.is_empty(), "it mends nothing")?;
    demand(row.source.starts_with("https://"), "`source` is not a URL")?;
    demand(row.checked.date.is_some(), "`checked` is not a date")
}

#[cfg(test)]
mod tests {
    use super::super::Catalogue;
    use super::*;

    const TEXT: &str = include_str!("../../images/defects.toml");

    #[test]
    fn every_defect_makes_a_failure_that_is_known() {
        let catalogue = Catalogue::embedded().unwrap();
        for row in catalogue.defects() {
            assert!(catalogue.failures().rows().iter().any(|failure| failure.id == row.failure), "{}", row.failure);
        }
    }

    /// What a fixed image proves is the advice that people are given.
    #[test]
    fn what_mends_is_what_the_remedies_say() {
        let catalogue = Catalogue::embedded().unwrap();
        for row in catalogue.defects() {
            let failure = catalogue.failures().rows().iter().find(|failure| failure.id == row.failure).unwrap();
            let commands = failure.remedies.iter().flat_map(|remedy| &remedy.commands);
            let remedies = commands.map(String::as_str).collect::<Vec<_>>().join("\n");
            for package in row.fix.packages.values().flatten() {
                assert!(remedies.contains(package.as_str()), "{}: no remedy names {package}", row.failure);
            }
            let of_manager = |command: &&String| command.contains("apt-get") || command.contains("dnf");
            let commands = row.fix.commands.iter().filter(of_manager);
            let reinstalled = commands.filter_map(|command| command.split("install ").nth(1));
            for word in
                reinstalled.flat_map(str::split_whitespace).filter(|word| !word.starts_with('-') && !word.contains('$'))
            {
                // The interpreter's headers are split; a remedy may name the one half, which depends on the other.
                let word = word.trim_matches('"').trim_start_matches("lib");
                assert!(remedies.contains(word) || word == "update", "{}: no remedy names {word}", row.failure);
            }
        }
    }

    #[test]
    fn a_broken_row_is_told() {
        for (from, to, says) in [
            ("title = \"no C++ compiler is installed\"", "title = \"\"", "a title is empty"),
            ("breaks = [\"rpm --erase --nodeps binutils\"]", "", "breaks nothing"),
            ("https://docs.docker.com", "docs.docker.com", "not a URL"),
            ("without = [\"g++\"", "witout = [\"g++\"", "does not parse"),
        ] {
            let error = read(&TEXT.replacen(from, to, 1)).map(|_| ()).map_err(|error| error.to_string());
            assert!(error.clone().is_err_and(|text| text.contains(says)), "{from}: {error:?}");
        }
    }
}
