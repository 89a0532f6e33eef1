use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::parse;
use crate::model::{PackageManager, Result};

const FILE: &str = "images/packages.toml";

/// What is known of distributions.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Packages {
    /// Modules whose distribution has another name: `cv2` is `opencv-python`.
    #[serde(default)]
    imports: BTreeMap<String, String>,
    /// Modules whose distribution has the same name, but for `_` and `-`.
    #[serde(default)]
    same_name: BTreeSet<String>,
    /// Modules that no distribution brings that an index has for Linux, and where they come from.
    #[serde(default)]
    elsewhere: BTreeMap<String, String>,
    /// Names that projects give to modules of their own.
    #[serde(default)]
    local_names: BTreeSet<String>,
    /// Modules that need one more distribution than the one that brings them.
    #[serde(default)]
    besides: BTreeMap<String, String>,
    /// Modules of Python 2's standard library that Python 3 has no more.
    #[serde(default)]
    python_2: BTreeSet<String>,
    /// Distributions without wheels, which are compiled against torch and CUDA.
    #[serde(default)]
    compiled: BTreeSet<String>,
    /// Distributions whose build imports torch.
    #[serde(default)]
    builds_against_torch: BTreeMap<String, TorchBuilt>,
    /// Distributions that need packages of the system.
    #[serde(default)]
    needs_system: BTreeMap<String, SystemNeed>,
    /// Distributions that need torch.
    #[serde(default)]
    needs_torch: BTreeSet<String>,
    /// Extras of distributions with which these bring torch.
    #[serde(default)]
    needs_torch_with: BTreeMap<String, BTreeSet<String>>,
    /// Conda packages whose distribution on a package index has another name: `pytorch` is `torch`.
    #[serde(default)]
    conda: BTreeMap<String, String>,
    /// Packages of conda that are no distributions.
    #[serde(default)]
    conda_system: CondaSystem,
    /// Distributions whose versions are those of the conda package and a number more.
    #[serde(default)]
    conda_rebuilt: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct CondaSystem {
    names: BTreeSet<String>,
    prefixes: Vec<String>,
}

/// A distribution whose build imports torch, so that it fails in an environment of its own.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct TorchBuilt {
    /// What the build needs besides torch and setuptools.
    needs: BTreeSet<String>,
    /// Whether an index has wheels of it, so that it is built only where it is taken from elsewhere.
    #[serde(default)]
    wheels: bool,
    /// Where the build can be read; for readers of the file.
    #[cfg_attr(not(test), expect(dead_code, reason = "a fact without its source is none"))]
    source: String,
}

/// What a distribution loads or runs that its wheels do not hold.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SystemNeed {
    #[serde(default)]
    apt: Vec<String>,
    #[serde(default)]
    dnf: Vec<String>,
    because: String,
    /// Where it can be read; for readers of the file.
    #[cfg_attr(not(test), expect(dead_code, reason = "a fact without its source is none"))]
    source: String,
}

/// What is known of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Module<'a> {
    /// A distribution brings it.
    Of {
        /// As much of the module's path as tells: `google.protobuf`, `cv2`.
        module: &'a str,
        /// The distribution.
        distribution: String,
    },
    /// No index has it.
    Elsewhere {
        /// As much of the module's path as tells.
        module: &'a str,
        /// What it is, and where it comes from.
        what: &'a str,
    },
    /// Python 2 had it.
    Python2,
    /// Projects call modules of their own so.
    Local,
    /// Nothing.
    Unknown,
}

impl Packages {
    /// The ones that are compiled into this program.
    pub fn embedded() -> Result<Self> {
        parse(FILE, include_str!("../../images/packages.toml"))
    }

    /// What is known of the module `path`, such as `google.cloud.storage`: the longest beginning of it counts.
    pub fn module<'a>(&'a self, path: &'a str) -> Module<'a> {
        for module in beginnings(path) {
            if let Some(what) = self.elsewhere.get(module) {
                return Module::Elsewhere { module, what };
            }
            if let Some(distribution) = self.imports.get(module) {
                return Module::Of { module, distribution: distribution.clone() };
            }
            if self.same_name.contains(module) {
                return Module::Of { module, distribution: normalized(module) };
            }
            if self.python_2.contains(module) {
                return Module::Python2;
            }
            if self.local_names.contains(module) {
                return Module::Local;
            }
        }
        Module::Unknown
    }

    /// The distribution that the module `path` needs besides the one that brings it, with as much of the module's path
    /// as tells.
    pub fn besides<'a>(&'a self, path: &'a str) -> Option<(&'a str, &'a str)> {
        beginnings(path).into_iter().find_map(|module| Some((module, self.besides.get(module)?.as_str())))
    }

    /// Whether the distribution `name`, normalized, has no wheels and is compiled against torch.
    pub fn is_compiled(&self, name: &str) -> bool {
        self.compiled.contains(name)
    }

    /// Whether building the distribution `name`, normalized, imports torch; `from_source` says whether it certainly comes
    /// as source.
    pub fn is_built_against_torch(&self, name: &str, from_source: bool) -> bool {
        self.builds_against_torch.get(name).is_some_and(|built| from_source || !built.wheels)
    }

    /// What building the distribution `name`, normalized, against torch needs besides torch and setuptools.
    pub fn build_needs(&self, name: &str) -> impl Iterator<Item = &str> {
        self.builds_against_torch.get(name).into_iter().flat_map(|built| &built.needs).map(String::as_str)
    }

    /// The packages of the system that the distribution `name`, normalized, needs where it is used, and why: a clause.
    pub fn needs_system(&self, name: &str, manager: PackageManager) -> Option<(&[String], &str)> {
        let need = self.needs_system.get(name)?;
        let packages = match manager {
            PackageManager::Apt => &need.apt,
            PackageManager::Dnf => &need.dnf,
        };
        Some((packages, &need.because))
    }

    /// Whether the distribution `name`, normalized, needs torch.
    pub fn needs_torch(&self, name: &str) -> bool {
        self.needs_torch.contains(name)
    }

    /// Whether the distribution `name` brings torch with its `extra`, both normalized.
    pub fn extra_brings_torch(&self, name: &str, extra: &str) -> bool {
        self.needs_torch_with.get(name).is_some_and(|extras| extras.contains(extra))
    }

    /// The distribution that conda's `package`, normalized, is, where its name differs; with extras where it stands for them.
    pub fn of_conda(&self, package: &str) -> Option<&str> {
        self.conda.get(package).map(String::as_str)
    }

    /// Whether conda's `package`, normalized, is known to be no distribution.
    pub fn is_conda_system(&self, package: &str) -> bool {
        self.conda_system.names.contains(package)
    }

    /// Whether the name of conda's `package`, normalized, begins as those of packages that are no distributions.
    pub fn seems_conda_system(&self, package: &str) -> bool {
        self.conda_system.prefixes.iter().any(|prefix| package.starts_with(prefix.as_str()))
    }

    /// Whether the distribution `name` has a number of its own behind the version of the conda package.
    pub fn is_conda_rebuilt(&self, name: &str) -> bool {
        self.conda_rebuilt.iter().any(|known| known == name)
    }
}

/// The beginnings of a dotted path, the longest first.
fn beginnings(path: &str) -> Vec<&str> {
    let ends = path.match_indices('.').map(|(at, _)| at).chain([path.len()]);
    let mut beginnings: Vec<&str> = ends.filter_map(|end| path.get(..end)).collect();
    beginnings.reverse();
    beginnings
}

/// A module's name as that of a distribution (PEP 503).
fn normalized(module: &str) -> String {
    module.replace('_', "-").to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of<'a>(packages: &'a Packages, path: &'a str) -> Option<String> {
        match packages.module(path) {
            Module::Of { distribution, .. } => Some(distribution),
            _ => None,
        }
    }

    #[test]
    fn the_longest_beginning_of_a_module_counts() {
        let packages = Packages::embedded().unwrap();
        assert_eq!(of(&packages, "cv2.dnn").as_deref(), Some("opencv-python"));
        assert_eq!(of(&packages, "google.cloud.storage.Client").as_deref(), Some("google-cloud-storage"));
        assert_eq!(of(&packages, "google.protobuf").as_deref(), Some("protobuf"));
        assert_eq!(of(&packages, "torch_geometric.nn").as_deref(), Some("torch-geometric"));
        assert!(matches!(packages.module("google.colab.drive"), Module::Elsewhere { module: "google.colab", .. }));
        assert_eq!(packages.module("cPickle"), Module::Python2);
        assert_eq!(packages.module("nobody_knows_this"), Module::Unknown);
        assert_eq!(packages.module("utils.data"), Module::Local);
        assert_eq!(of(&packages, "turbojpeg").as_deref(), Some("pyturbojpeg"));
    }

    #[test]
    fn what_extras_and_submodules_bring() {
        let packages = Packages::embedded().unwrap();
        assert!(packages.extra_brings_torch("transformers", "torch"));
        assert!(!packages.extra_brings_torch("transformers", "sentencepiece"));
        assert!(!packages.extra_brings_torch("numpy", "torch"));
        let besides = packages.besides("torch.utils.tensorboard.SummaryWriter");
        assert_eq!(besides, Some(("torch.utils.tensorboard", "tensorboard")));
        assert_eq!(packages.besides("torch.utils.data"), None);
    }

    #[test]
    fn names_of_distributions_are_normalized_and_no_module_is_told_twice() {
        let packages = Packages::embedded().unwrap();
        let names = packages.imports.values().chain(&packages.needs_torch).chain(&packages.compiled);
        let names = names.chain(packages.needs_torch_with.keys()).chain(packages.besides.values());
        for name in names {
            let plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
            assert!(plain && !name.is_empty(), "`{name}` is not normalized (PEP 503)");
        }
        for (module, distribution) in &packages.imports {
            assert_ne!(&normalized(module), distribution, "`{module}` belongs to `same_name`");
            assert!(!packages.same_name.contains(module), "`{module}` is told twice");
        }
        for module in packages.elsewhere.keys().chain(&packages.local_names) {
            assert!(!packages.imports.contains_key(module) && !packages.same_name.contains(module), "`{module}`");
        }
        assert!(packages.imports.len() >= 150, "{}", packages.imports.len());
        assert!(packages.needs_torch.len() >= 60, "{}", packages.needs_torch.len());
    }

    #[test]
    fn what_needs_the_system_has_its_source() {
        let packages = Packages::embedded().unwrap();
        for (name, need) in &packages.needs_system {
            assert!(*name == normalized(name) && !need.apt.is_empty() && !need.because.is_empty(), "`{name}`");
            assert!(need.source.starts_with("https://github.com/"), "`{name}`");
        }
        let (opencv, _) = packages.needs_system("opencv-python", PackageManager::Apt).unwrap();
        assert_eq!(opencv, ["libgl1", "libglib2.0-0"]);
        assert!(packages.needs_system("opencv-python-headless", PackageManager::Apt).is_none());
    }

    #[test]
    fn what_is_built_against_torch_has_its_source() {
        let packages = Packages::embedded().unwrap();
        for (name, built) in &packages.builds_against_torch {
            let names = built.needs.iter().chain([name]);
            assert!(names.into_iter().all(|name| *name == normalized(name)), "`{name}`");
            assert!(built.source.starts_with("https://github.com/"), "`{name}`");
        }
        assert!(packages.is_built_against_torch("flash-attn", false));
        assert!(
            packages.is_built_against_torch("xformers", true) && !packages.is_built_against_torch("xformers", false)
        );
        assert!(packages.build_needs("flash-attn").any(|need| need == "psutil"));
        assert_eq!(packages.build_needs("numpy").count(), 0);
    }

    #[test]
    fn the_names_of_conda_are_consistent() {
        let packages = Packages::embedded().unwrap();
        assert_eq!(packages.of_conda("pytorch"), Some("torch"));
        assert!(packages.is_conda_system("cudatoolkit") && packages.seems_conda_system("libgcc-ng"));
        let normalized = |name: &str| !name.contains(['_', '.']) && name == name.to_ascii_lowercase();
        for name in packages.conda.keys() {
            assert!(normalized(name) && !packages.is_conda_system(name), "{name}");
        }
        assert!(packages.conda_system.names.iter().all(|name| normalized(name)));
        for (name, distribution) in &packages.conda {
            let renamed = name != distribution;
            assert!(renamed || packages.seems_conda_system(name) || name == "ninja" || name == "typing-extensions");
        }
    }
}
