use pep440_rs::{Version, VersionSpecifiers};
use serde::{Deserialize, Serialize};
use toml::value::Datetime;

use super::{demand, parse};
use crate::model::{Result, Variant};

const FILE: &str = "images/compatibility.toml";

/// The rows of `images/compatibility.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Compatibility {
    pub(super) torch: Vec<TorchRelease>,
    pub(super) cuda: Vec<CudaRelease>,
}

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
    /// The interpreters without a global lock, where the package index has wheels for any.
    pub free_threaded: Option<FreeThreaded>,
    /// The CUDA version, as `X.Y`, of the wheels on the package index.
    pub cuda: Version,
    /// Whether those for 64-bit Arm are built for it, too; else they are for the CPU.
    pub arm64_cuda: bool,
    /// The oldest compute capability, as `X.Y`, of the GPUs that the wheels for x86-64 on the package index hold code for.
    pub capability: Version,
    /// The folders of torch's own index that have it for the CPU and for CUDA, such as `cu128`.
    pub variants: Vec<String>,
    /// The versions of ROCm, as `X.Y`, that torch's own index has it for.
    #[serde(default)]
    pub rocm: Vec<Version>,
    /// Whether torch's own index has it for Intel's GPUs.
    #[serde(default)]
    pub xpu: bool,
    /// The versions of Triton that its wheels ask for.
    pub triton: VersionSpecifiers,
    /// What it needs of setuptools without declaring it.
    #[serde(default)]
    pub setuptools: VersionSpecifiers,
    /// The oldest g++ that compiles what it generates.
    pub gxx: Version,
    /// The oldest C library that its wheels work with.
    pub glibc: Option<Version>,
    /// The size in GB (10⁹ bytes) of what the default build brings into an environment, where it was measured.
    pub installed_gb: Option<f64>,
    /// Where the gate of `torch.compile` can be read.
    pub source: String,
    /// Where the builds can be read.
    pub builds: String,
    /// The day the row was last checked.
    pub checked: Datetime,
    /// The fields that were concluded, or read elsewhere than at their source.
    #[serde(default)]
    pub unverified: Vec<String>,
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

/// Interpreters without a global lock.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FreeThreaded {
    /// Those that there are wheels for, as `X.Yt`.
    pub wheels: Vec<String>,
    /// The first one that `torch.compile` accepts; `None` where it accepts none.
    pub compiles_from: Option<Version>,
}

/// A version of CUDA that torch is built for: a row of `images/compatibility.toml`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CudaRelease {
    /// The version, as `X.Y`.
    pub version: Version,
    /// The driver that came with its first release: with this one or a newer one, all of it works.
    pub driver: String,
    /// The oldest driver that programs built for any version of the same major number run with.
    pub oldest_driver: String,
    /// The compute capabilities, as `X.Y`, that the newest torch built for it has code for, on x86-64.
    pub capabilities: Vec<Version>,
    /// Where the drivers can be read.
    pub source: String,
    /// The day the row was last checked.
    pub checked: Datetime,
    /// The fields that were concluded, or read elsewhere than at their source.
    #[serde(default)]
    pub unverified: Vec<String>,
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

    /// Whether torch's own index is known to have it in this variant (`cpu`, `cu128`, `rocm6.4`, `xpu`). What is not
    /// known may be there all the same.
    pub fn offers(&self, name: &str) -> bool {
        let rocm = |version: &str| self.rocm.iter().any(|known| known.to_string() == version);
        match Variant::named(name) {
            Some(Variant::Rocm { version: Some(version) }) => rocm(&version),
            Some(Variant::Xpu) => self.xpu,
            _ => self.variants.iter().any(|known| known == name),
        }
    }

    /// What the wheels on the package index are built for, on an architecture as engines name it.
    pub fn default_variant(&self, architecture: &str) -> Variant {
        match architecture {
            "amd64" => Variant::Cuda { version: Some(self.cuda.to_string()) },
            "arm64" if self.arm64_cuda => Variant::Cuda { version: Some(self.cuda.to_string()) },
            _ => Variant::Cpu,
        }
    }
}

/// Reads and checks the rows.
pub(super) fn read(text: &str) -> Result<Compatibility> {
    let rows = parse::<Compatibility>(FILE, text)?;
    demand(!rows.torch.is_empty(), FILE, "torch", "no rows")?;
    in_order(rows.torch.iter().map(|row| &row.release))?;
    in_order(rows.cuda.iter().map(|row| &row.version))?;
    rows.torch.iter().try_for_each(|row| check(row, &rows.cuda))?;
    rows.cuda.iter().try_for_each(check_cuda)?;
    Ok(rows)
}

fn in_order<'a>(versions: impl Iterator<Item = &'a Version>) -> Result<()> {
    let versions: Vec<_> = versions.collect();
    versions.windows(2).try_for_each(|pair| demand(pair[0] < pair[1], FILE, &pair[1].to_string(), "not in order"))
}

fn check(row: &TorchRelease, cuda: &[CudaRelease]) -> Result<()> {
    let id = row.release.to_string();
    let demand = |holds, what| demand(holds, FILE, &id, what);
    demand([&row.source, &row.builds].iter().all(|url| url.starts_with("https://")), "`source` is not a URL")?;
    demand(row.checked.date.is_some(), "`checked` is not a date")?;
    demand(!row.versions.is_empty(), "no versions")?;
    demand(row.versions.is_sorted(), "`versions` are not in order")?;
    demand(
        row.versions.iter().all(|v| v.release().starts_with(row.release.release())),
        "a version of another release",
    )?;
    demand(row.python.from <= row.python.to, "`python` is empty")?;
    demand(row.has_wheel(&row.compiles_up_to), "`compiles_up_to` has no wheel")?;
    let known = |name: &String| match Variant::named(name) {
        Some(Variant::Cpu) => true,
        Some(Variant::Cuda { version: Some(version) }) => cuda.iter().any(|row| row.version.to_string() == version),
        _ => false,
    };
    demand(row.variants.iter().all(known), "`variants` names what is neither `cpu` nor a row of CUDA")?;
    demand(row.offers(&suffix(&row.cuda)), "`cuda` is not among its `variants`")?;
    demand(row.rocm.is_sorted() && row.rocm.iter().all(is_minor), "`rocm` is not in order, or not `X.Y`")?;
    demand(is_minor(&row.capability), "`capability` is not `X.Y`")?;
    let wheels = row.free_threaded.iter().flat_map(|interpreters| &interpreters.wheels);
    demand(wheels.clone().all(|name| name.ends_with('t')), "`free_threaded` names an interpreter with a global lock")?;
    demand(has_fields(row, &row.unverified), "`unverified` names a field that is not there")
}

fn check_cuda(row: &CudaRelease) -> Result<()> {
    let id = row.version.to_string();
    let demand = |holds, what| demand(holds, FILE, &id, what);
    demand(is_minor(&row.version), "`version` is not `X.Y`")?;
    demand(row.source.starts_with("https://"), "`source` is not a URL")?;
    demand(row.checked.date.is_some(), "`checked` is not a date")?;
    let (driver, oldest) = (numbers(&row.driver), numbers(&row.oldest_driver));
    demand(driver.is_some() && oldest.is_some(), "a driver is not a version")?;
    demand(oldest <= driver, "`oldest_driver` is newer than `driver`")?;
    demand(row.capabilities.is_sorted() && row.capabilities.iter().all(is_minor), "`capabilities` are not in order")?;
    demand(has_fields(row, &row.unverified), "`unverified` names a field that is not there")
}

/// The folder of torch's own index for this CUDA: `cu128` for 12.8.
fn suffix(cuda: &Version) -> String {
    format!("cu{}", cuda.to_string().replace('.', ""))
}

fn is_minor(version: &Version) -> bool {
    version.release().len() == 2
}

/// The parts of a driver's version, which may have leading zeros.
fn numbers(driver: &str) -> Option<Vec<u32>> {
    driver.split('.').map(|part| part.parse().ok()).collect()
}

/// Whether each name is that of a field of `row`.
fn has_fields(row: &impl Serialize, names: &[String]) -> bool {
    names.is_empty() || serde_json::to_value(row).is_ok_and(|row| names.iter().all(|name| row.get(name).is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = include_str!("../../images/compatibility.toml");

    #[test]
    fn a_wheel_may_install_where_compiling_is_refused() {
        let rows = read(TEXT).unwrap().torch;
        let traps: Vec<String> = rows
            .iter()
            .filter(|row| row.python.to > row.compiles_up_to)
            .map(|row| format!("{} on {}", row.release, row.python.to))
            .collect();
        assert_eq!(traps, ["2.0 on 3.11", "2.2 on 3.12", "2.3 on 3.12", "2.5 on 3.13", "2.9 on 3.14"]);
    }

    #[test]
    fn an_index_offers_what_its_release_was_built_for() {
        let rows = read(TEXT).unwrap().torch;
        let row = |release: &str| rows.iter().find(|row| row.release.to_string() == release).unwrap();
        for (release, name, offered) in [
            ("2.7", "cu118", true),
            ("2.8", "cu118", false),
            ("2.15", "cu126", false),
            ("2.15", "cpu", true),
            ("2.6", "rocm6.2.4", true),
            ("2.6", "rocm7.2", false),
            ("2.4", "xpu", false),
            ("2.9", "xpu", true),
            ("2.9", "cu999", false),
            ("2.9", "nonsense", false),
        ] {
            assert_eq!(row(release).offers(name), offered, "{release} {name}");
        }
    }

    #[test]
    fn wheels_for_arm_bring_cuda_since_2_11() {
        for row in read(TEXT).unwrap().torch {
            let cuda = Variant::Cuda { version: Some(row.cuda.to_string()) };
            assert_eq!(row.default_variant("amd64"), cuda);
            let arm = if row.release >= Version::new([2, 11]) { cuda } else { Variant::Cpu };
            assert_eq!(row.default_variant("arm64"), arm, "{}", row.release);
            assert_eq!(row.default_variant("s390x"), Variant::Cpu);
        }
    }

    /// One CUDA of a major number needs no older a driver than another.
    #[test]
    fn the_oldest_driver_is_that_of_the_major_number() {
        let rows = read(TEXT).unwrap().cuda;
        for pair in rows.windows(2).filter(|pair| pair[0].version.release()[0] == pair[1].version.release()[0]) {
            assert_eq!(pair[0].oldest_driver, pair[1].oldest_driver);
            assert!(numbers(&pair[0].driver) < numbers(&pair[1].driver), "{}", pair[1].version);
        }
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
            ("builds = \"https", "builds = \"http", "not a URL"),
            ("cuda =", "kuda =", "does not parse"),
            ("setuptools = \"<82\"", "setuptools = \"82\"", "does not parse"),
            ("\"cu117\"", "\"cu115\"", "nor a row of CUDA"),
            ("\"cu117\"", "\"rocm5.4\"", "nor a row of CUDA"),
            ("cuda = \"12.1\"", "cuda = \"12.4\"", "not among its `variants`"),
            ("rocm = [\"5.4\"]", "rocm = [\"5.4.2\"]", "not `X.Y`"),
            ("\"3.13t\"", "\"3.13\"", "a global lock"),
            ("unverified = [\"gxx\"", "unverified = [\"gpp\"", "names a field that is not there"),
            ("version = \"11.8\"", "version = \"11.6\"", "not in order"),
            ("driver = \"515.43.04\"", "driver = \"515.x\"", "not a version"),
            ("driver = \"515.43.04\"", "driver = \"440.33\"", "is newer than `driver`"),
            ("unverified = [\"capabilities\"", "unverified = [\"drivers\"", "names a field that is not there"),
        ] {
            let error = read(&TEXT.replacen(from, to, 1)).unwrap_err();
            assert!(error.to_string().contains(says), "{from} → {to}: {error}");
        }
    }
}
