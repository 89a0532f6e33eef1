//! What stands for what when an environment is built again: `images/replicas.toml`.

use std::collections::BTreeMap;

use globset::GlobBuilder;
use serde::Deserialize;

use super::{Base, demand, parse};
use crate::model::{PackageManager, Result, SystemFamily};

const FILE: &str = "images/replicas.toml";

/// What stands for what.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replicas {
    /// The bases to choose from where no system says which, the preferred one first.
    pub default: Vec<String>,
    /// What each base is, as a report would name it, by its id.
    pub bases: BTreeMap<String, BaseSystem>,
    /// The bases of each distribution.
    #[serde(rename = "system")]
    pub systems: Vec<KnownSystem>,
    /// Why a family of systems has no base: a clause.
    families: BTreeMap<String, String>,
    packages: Packages,
    variables: Variables,
}

/// The system that a base is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaseSystem {
    /// The `ID` of its os-release.
    pub distribution: String,
    /// Its release.
    pub release: String,
    /// Its name for people.
    pub text: String,
}

/// Distributions that the same bases stand for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownSystem {
    /// Their `ID`s of os-release.
    pub distributions: Vec<String>,
    /// Why those bases, where they are other distributions: a clause.
    pub because: Option<String>,
    /// The id of the base of each release.
    pub releases: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Packages {
    keep: Vec<String>,
    with_torch: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Variables {
    take: Vec<String>,
    never: Vec<String>,
    folders: Vec<String>,
    compilers: Vec<Compilers>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Compilers {
    names: Vec<String>,
    apt: String,
    dnf: String,
}

impl Replicas {
    /// The row of a distribution (the `ID` of os-release).
    pub fn system(&self, distribution: &str) -> Option<&KnownSystem> {
        self.systems.iter().find(|row| row.distributions.iter().any(|name| name.eq_ignore_ascii_case(distribution)))
    }

    /// Why a family of systems that is not Linux has no base: a clause.
    pub fn family(&self, family: SystemFamily) -> &str {
        let name = match family {
            SystemFamily::Macos => "macos",
            SystemFamily::Windows => "windows",
            SystemFamily::Linux | SystemFamily::Other => "other",
        };
        self.families.get(name).map_or("", String::as_str)
    }

    /// Whether a package (normalized) is installed beside torch where only those that matter are.
    pub fn keeps(&self, package: &str) -> bool {
        self.packages.keep.iter().any(|pattern| is_like(package, pattern))
    }

    /// Whether a package (normalized) comes with torch's own wheel.
    pub fn comes_with_torch(&self, package: &str) -> bool {
        self.packages.with_torch.iter().any(|pattern| is_like(package, pattern))
    }

    /// Whether a variable is taken over.
    pub fn takes(&self, variable: &str) -> bool {
        let among = |patterns: &[String]| patterns.iter().any(|pattern| is_like(variable, pattern));
        among(&self.variables.take) && !among(&self.variables.never)
    }

    /// Whether a path is one that every machine has, or lies in a folder that every machine has.
    pub fn is_everywhere(&self, path: &str) -> bool {
        let below =
            |folder: &String| path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        self.variables.folders.iter().any(below) && !path.split('/').any(|part| part == "..")
    }

    /// The system package that brings a compiler, by the name of its program.
    pub fn compiler(&self, program: &str, manager: PackageManager) -> Option<&str> {
        let row = self.variables.compilers.iter().find(|row| row.names.iter().any(|name| name == program))?;
        Some(match manager {
            PackageManager::Apt => &row.apt,
            PackageManager::Dnf => &row.dnf,
        })
    }
}

impl KnownSystem {
    /// The release that a base is of and the base's id: the very release, else the nearest one.
    pub fn nearest(&self, release: Option<&str>) -> Option<(&str, &str)> {
        let all = || self.releases.iter().map(|(release, base)| (release.as_str(), base.as_str()));
        let newest = || all().max_by(|a, b| number(a.0).total_cmp(&number(b.0)));
        let Some(release) = release else { return newest() };
        // `22.04` is also that of 22.04.4, `9` that of 9.4, and `trixie` that of trixie/sid.
        let is_same = |known: &str| {
            release.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '/']))
        };
        let distance = |known: &str| (number(known) - number(release)).abs();
        all().find(|(known, _)| is_same(known)).or_else(|| {
            if number(release) == 0.0 {
                return newest();
            }
            all().filter(|(known, _)| number(known) > 0.0).min_by(|a, b| distance(a.0).total_cmp(&distance(b.0)))
        })
    }
}

/// A release as a number, to tell which is near: 22.1 for `22.10`; 0 where it is none.
fn number(release: &str) -> f64 {
    let mut parts = release.splitn(3, '.');
    let start: String = [parts.next(), parts.next()].into_iter().flatten().collect::<Vec<_>>().join(".");
    start.parse().ok().filter(|number: &f64| number.is_finite()).unwrap_or_default()
}

/// Whether a name fits a glob, whatever the case. The patterns are the catalogue's own; one that does not parse fits nothing.
pub(super) fn is_like(name: &str, pattern: &str) -> bool {
    let glob = GlobBuilder::new(pattern).case_insensitive(true).build();
    glob.is_ok_and(|glob| glob.compile_matcher().is_match(name))
}

/// Reads and checks the rows.
pub(super) fn read(text: &str, bases: &[Base]) -> Result<Replicas> {
    let rows = parse::<Replicas>(FILE, text)?;
    let is_base = |id: &String| bases.iter().any(|base| base.id == *id);
    demand(!rows.default.is_empty() && rows.default.iter().all(is_base), FILE, "default", "there is no such base")?;
    for id in rows.bases.keys() {
        demand(is_base(id), FILE, id, "there is no such base")?;
    }
    for base in bases {
        demand(rows.bases.contains_key(&base.id), FILE, &base.id, "it does not say what the base is")?;
    }
    for row in &rows.systems {
        let id = row.distributions.first().map_or("system", String::as_str);
        demand(!row.distributions.is_empty(), FILE, id, "no distributions")?;
        demand(!row.releases.is_empty() && row.releases.values().all(is_base), FILE, id, "there is no such base")?;
    }
    for family in ["macos", "windows", "other"] {
        demand(rows.families.contains_key(family), FILE, family, "it does not say why")?;
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::super::Catalogue;
    use super::*;

    #[test]
    fn the_nearest_release_is_taken() {
        let catalogue = Catalogue::embedded().unwrap();
        let replicas = catalogue.replicas();
        for (distribution, release, base) in [
            ("ubuntu", Some("22.04"), "ubuntu-22.04"),
            ("ubuntu", Some("22.04.4"), "ubuntu-22.04"),
            ("ubuntu", Some("18.04"), "ubuntu-22.04"),
            ("ubuntu", Some("23.10"), "ubuntu-24.04"),
            ("ubuntu", None, "ubuntu-26.04"),
            ("rhel", Some("8.10"), "rocky-9"),
            ("centos", Some("7"), "rocky-9"),
            ("almalinux", Some("10.1"), "rocky-10"),
            ("fedora", Some("39"), "fedora-43"),
            ("debian", Some("11"), "debian-12"),
            ("debian", Some("sid"), "debian-sid"),
            ("debian", Some("trixie/sid"), "debian-13"),
            ("debian", Some("rolling"), "debian-13"),
            ("arch", None, "fedora-44"),
            ("opensuse-leap", Some("15.6"), "rocky-9"),
            ("nixos", Some("24.11"), "debian-13"),
        ] {
            let found = replicas.system(distribution).and_then(|row| row.nearest(release));
            assert_eq!(found.map(|(_, base)| base), Some(base), "{distribution} {release:?}");
        }
        assert!(replicas.system("plan9").is_none());
    }

    #[test]
    fn no_secret_is_taken_over() {
        let catalogue = Catalogue::embedded().unwrap();
        let replicas = catalogue.replicas();
        for name in ["TORCHINDUCTOR_MAX_AUTOTUNE", "TRITON_CACHE_DIR", "OMP_NUM_THREADS", "CXX", "TORCHDYNAMO_VERBOSE"]
        {
            assert!(replicas.takes(name), "{name}");
        }
        for name in ["HF_TOKEN", "TORCH_HUB_TOKEN", "VLLM_API_KEY", "LD_LIBRARY_PATH", "PATH", "AWS_SECRET_ACCESS_KEY"]
        {
            assert!(!replicas.takes(name), "{name}");
        }
        assert!(replicas.is_everywhere("/tmp/cache") && replicas.is_everywhere("/dev/shm"));
        assert!(!replicas.is_everywhere("/tmp/../home/me") && !replicas.is_everywhere("/tmpx"));
    }

    #[test]
    fn a_broken_row_is_told() {
        const TEXT: &str = include_str!("../../images/replicas.toml");
        let catalogue = Catalogue::embedded().unwrap();
        for (from, to, says) in [
            ("default = [\"debian-13\"", "default = [\"debian-31\"", "no such base"),
            ("\"debian-12\", \"13\"", "\"debian-31\", \"13\"", "no such base"),
            ("fedora-44 = {", "fedora-45 = {", "no such base"),
            ("macos = ", "beos = ", "does not say why"),
        ] {
            let text = TEXT.replacen(from, to, 1);
            let error = read(&text, catalogue.bases()).map(|_| ()).map_err(|error| error.to_string());
            assert!(error.clone().is_err_and(|text| text.contains(says)), "{from}: {error:?}");
        }
    }
}
