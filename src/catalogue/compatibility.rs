use pep440_rs::{Version, VersionSpecifiers};
use serde::{Deserialize, Serialize};
use toml::value::Datetime;

use super::{demand, parse};
use crate::model::Result;

const FILE: &str = "images/compatibility.toml";

/// A release of torch (`X.Y`): a row of `images/compatibility.toml`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TorchRelease {
    /// The release, as `X.Y`.
    pub release: Version,
    /// Its versions, the oldest first.
    pub versions: Vec<Version>,
    /// The interpreters that the package index has wheels for.
    pub python: PythonRange,
    /// The last interpreter, as `X.Y`, that `torch.compile` accepts.
    pub compiles_up_to: Version,
    /// The CUDA version, as `X.Y`, of the wheels on the package index.
    pub cuda: Version,
    /// What it needs of setuptools without declaring it.
    #[serde(default)]
    pub setuptools: VersionSpecifiers,
    /// The oldest C library that its wheels promise to work with, where that is known.
    pub glibc: Option<Version>,
    /// The size in GB (10⁹ bytes) of what the default build brings into an environment, where it was measured.
    pub installed_gb: Option<f64>,
    /// Where the row's facts can be read.
    pub source: String,
    /// The day the row was last checked.
    pub checked: Datetime,
}

/// A range of interpreters, as `X.Y`, both ends included.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PythonRange {
    /// The oldest.
    pub from: Version,
    /// The newest.
    pub to: Version,
}

impl TorchRelease {
    /// Whether the package index has a wheel for this interpreter (`X.Y`).
    pub fn has_wheel(&self, python: &Version) -> bool {
        (&self.python.from..=&self.python.to).contains(&python)
    }

    /// Whether `torch.compile` works on this interpreter (`X.Y`), which also needs a wheel.
    pub fn compiles(&self, python: &Version) -> bool {
        self.has_wheel(python) && *python <= self.compiles_up_to
    }
}

/// Reads and checks the rows.
pub(super) fn read(text: &str) -> Result<Vec<TorchRelease>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        torch: Vec<TorchRelease>,
    }
    let rows = parse::<File>(FILE, text)?.torch;
    demand(!rows.is_empty(), FILE, "torch", "no rows")?;
    for pair in rows.windows(2) {
        demand(pair[0].release < pair[1].release, FILE, &pair[1].release.to_string(), "not in order")?;
    }
    rows.iter().try_for_each(check)?;
    Ok(rows)
}

fn check(row: &TorchRelease) -> Result<()> {
    let id = row.release.to_string();
    let demand = |holds, what| demand(holds, FILE, &id, what);
    demand(row.source.starts_with("https://"), "`source` is not a URL")?;
    demand(row.checked.date.is_some(), "`checked` is not a date")?;
    demand(!row.versions.is_empty(), "no versions")?;
    demand(row.versions.is_sorted(), "`versions` are not in order")?;
    demand(
        row.versions.iter().all(|v| v.release().starts_with(row.release.release())),
        "a version of another release",
    )?;
    demand(row.python.from <= row.python.to, "`python` is empty")?;
    demand(row.has_wheel(&row.compiles_up_to), "`compiles_up_to` has no wheel")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = include_str!("../../images/compatibility.toml");

    #[test]
    fn a_wheel_may_install_where_compiling_is_refused() {
        let rows = read(TEXT).unwrap();
        let traps: Vec<String> = rows
            .iter()
            .filter(|row| row.python.to > row.compiles_up_to)
            .map(|row| format!("{} on {}", row.release, row.python.to))
            .collect();
        assert_eq!(traps, ["2.0 on 3.11", "2.2 on 3.12", "2.3 on 3.12", "2.5 on 3.13", "2.9 on 3.14"]);
    }

    #[test]
    fn a_broken_row_is_an_error() {
        for (from, to, says) in [
            ("release = \"2.1\"", "release = \"2.0\"", "not in order"),
            ("\"2.0.0\", \"2.0.1\"", "\"2.0.1\", \"2.0.0\"", "not in order"),
            ("\"2.1.2\"", "\"2.2.2\"", "another release"),
            ("to = \"3.11\"", "to = \"3.7\"", "is empty"),
            ("compiles_up_to = \"3.10\"", "compiles_up_to = \"3.12\"", "no wheel"),
            ("source = \"https", "source = \"http", "not a URL"),
            ("cuda =", "kuda =", "does not parse"),
            ("setuptools = \"<82\"", "setuptools = \"82\"", "does not parse"),
        ] {
            let error = read(&TEXT.replacen(from, to, 1)).unwrap_err();
            assert!(error.to_string().contains(says), "{from} → {to}: {error}");
        }
    }
}
