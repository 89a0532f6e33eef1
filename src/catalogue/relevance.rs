//! What each fact of an environment is to `torch.compile`.

use std::collections::BTreeSet;

use globset::{Glob, GlobMatcher};
use serde::{Deserialize, Serialize};

use super::{demand, parse};
use crate::model::{Error, Relevance, Result};

const FILE: &str = "images/relevance.toml";

/// What is known of the facts of environments: `images/relevance.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactRelevance {
    collect: Collecting,
    complete: Complete,
    #[serde(rename = "fact")]
    rows: Vec<FactRow>,
    #[serde(skip)]
    matchers: Vec<GlobMatcher>,
}

/// What `templates/collect.py` is told: patterns and words, as the file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Collecting {
    /// The system's packages that are told of.
    pub system: Vec<String>,
    /// Variables that say nothing of an environment.
    pub silent: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Complete {
    packages: BTreeSet<String>,
    variables: BTreeSet<String>,
}

/// A fact and what it is to `torch.compile`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactRow {
    /// The name of a field of [`crate::model::Environment`], `need NAME`, `package GLOB` or `variable GLOB`.
    pub name: String,
    title: Option<String>,
    /// How much it matters.
    pub relevance: Relevance,
    /// Why, a sentence.
    pub because: String,
    /// Where that can be read: a URL.
    pub source: String,
    /// Why a container cannot have what another machine has, where it cannot.
    pub impossible: Option<String>,
}

/// What is known of one fact.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// Its place in the order in which facts are shown.
    pub order: usize,
    /// How much it matters.
    pub relevance: Relevance,
    /// Its row, where it has one.
    pub row: Option<&'a FactRow>,
}

impl FactRelevance {
    /// The rows that are compiled into this program.
    ///
    /// # Errors
    ///
    /// Where the file is not as it must be, which a test rules out.
    pub fn embedded() -> Result<Self> {
        let mut read: Self = parse(FILE, include_str!("../../images/relevance.toml"))?;
        let mut seen = BTreeSet::new();
        for row in &read.rows {
            demand(seen.insert(row.name.clone()), FILE, &row.name, "it is there twice")?;
            demand(!row.because.is_empty() && row.source.starts_with("https://"), FILE, &row.name, "no reason")?;
            let glob = Glob::new(&row.name);
            let glob = glob.map_err(|error| Error::usage(format!("`{FILE}`, row `{}`", row.name)).because(error))?;
            read.matchers.push(glob.compile_matcher());
        }
        Ok(read)
    }

    /// What is known of the fact of this name: a field of [`crate::model::Environment`], `need NAME`, `package NAME` or
    /// `variable NAME`.
    pub fn of(&self, name: &str) -> Known<'_> {
        // What others wrote may hold a `/`, which a glob would take for the end of a folder.
        let flat = name.replace('/', "_");
        match self.matchers.iter().position(|glob| glob.is_match(&flat)) {
            Some(order) => {
                let row = &self.rows[order];
                Known { order, relevance: row.relevance, row: Some(row) }
            }
            None => Known { order: self.rows.len(), relevance: Relevance::Minor, row: None },
        }
    }

    /// What `templates/collect.py` is told.
    pub fn collecting(&self) -> &Collecting {
        &self.collect
    }

    /// Whether a list of distributions of these names (normalized, PEP 503) is all that is there, and not a choice of it.
    pub fn has_all_packages<'a>(&self, mut names: impl Iterator<Item = &'a str>) -> bool {
        names.any(|name| self.complete.packages.contains(name))
    }

    /// The same of variables.
    pub fn has_all_variables<'a>(&self, mut names: impl Iterator<Item = &'a str>) -> bool {
        names.any(|name| self.complete.variables.contains(name))
    }
}

impl Known<'_> {
    /// How the fact `name` is called in a sentence.
    pub fn title(&self, name: &str) -> String {
        if let Some(title) = self.row.and_then(|row| row.title.clone()) {
            return title;
        }
        match name.split_once(' ') {
            Some(("variable", variable)) => format!("${variable}"),
            Some((_, name)) => name.to_owned(),
            None => name.to_owned(),
        }
    }

    /// Why it matters; empty where nothing particular is known.
    pub fn because(&self) -> &str {
        self.row.map_or("", |row| row.because.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Environment, Need};

    fn read() -> FactRelevance {
        FactRelevance::embedded().unwrap()
    }

    /// The names of the fields come from the value itself: one that is added is noticed.
    #[test]
    fn every_field_of_an_environment_has_a_row() {
        let empty = serde_json::to_value(Environment::default()).unwrap();
        for field in empty.as_object().unwrap().keys() {
            let is_list = ["packages", "variables", "needs"].contains(&field.as_str());
            assert_eq!(read().of(field).row.is_some(), !is_list, "{field}");
        }
    }

    #[test]
    fn every_need_has_a_row_of_its_own() {
        for need in Need::ALL {
            let name = format!("need {}", need.name());
            let relevance = read();
            let known = relevance.of(&name);
            assert_eq!(known.row.map(|row| row.name.as_str()), Some(name.as_str()));
            assert!(known.row.unwrap().title.is_some(), "a sentence needs a title: {name}");
        }
    }

    #[test]
    fn every_row_speaks_of_something() {
        let fields = serde_json::to_value(Environment::default()).unwrap();
        for row in &read().rows {
            match row.name.split_once(' ') {
                Some(("need", need)) => assert!(Need::ALL.iter().any(|known| known.name() == need), "{need}"),
                Some((kind, _)) => assert!(["package", "variable"].contains(&kind), "{}", row.name),
                None => assert!(fields.get(&row.name).is_some(), "{}", row.name),
            }
        }
    }

    #[test]
    fn the_first_row_that_fits_speaks() {
        let relevance = read();
        let of = |name: &str| relevance.of(name).row.map(|row| row.name.clone());
        assert_eq!(of("variable TORCHINDUCTOR_CACHE_DIR").as_deref(), Some("variable TORCHINDUCTOR_CACHE_DIR"));
        assert_eq!(of("variable TORCHINDUCTOR_FREEZING").as_deref(), Some("variable TORCHINDUCTOR_*"));
        assert_eq!(of("package pytorch-triton").as_deref(), Some("package *triton*"));
        assert_eq!(of("package @scope/torch"), None);
        assert_eq!(relevance.of("package left-pad").relevance, Relevance::Minor);
        assert_eq!(relevance.of("variable CXX").title("variable CXX"), "$CXX");
        assert!(relevance.of("need cxx_compiler").order < relevance.of("torch").order);
        assert!(relevance.of("torch").order < relevance.of("python").order);
    }

    #[test]
    fn a_choice_of_packages_is_told_from_all() {
        assert!(read().has_all_packages(["torch", "sympy"].into_iter()));
        assert!(!read().has_all_packages(["torch", "numpy", "triton"].into_iter()));
    }
}
