//! Reads the rows: what each takes over from others is written out, and each is checked.

use std::collections::{BTreeMap, BTreeSet};

use pep440_rs::Version;
use serde::Deserialize;
use toml::value::Datetime;

use super::{Accelerator, Base, BasePython, DistributionTorch, RefusedBase, SystemPackage};
use crate::catalogue::{demand, parse};
use crate::model::{Error, ImageSetting, PackageManager, PythonProvider, Result};

const FILE: &str = "images/bases.toml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    ways: BTreeMap<String, Way>,
    uv: Uv,
    base: Vec<Row>,
    refused: Vec<Refused>,
}

/// A way to an interpreter with its headers; `{python}` stands for its version.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Way {
    provider: PythonProvider,
    interpreter: String,
    packages: Vec<SystemPackage>,
    #[serde(default)]
    tools: Vec<SystemPackage>,
}

/// What uv brings to every base that has no packages of conda.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Uv {
    versions: Vec<Version>,
    ways: BTreeMap<PackageManager, String>,
    source: String,
    checked: Datetime,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    like: Option<String>,
    reference: String,
    #[serde(default)]
    aliases: Vec<String>,
    suite: Option<String>,
    #[serde(default)]
    on_request: bool,
    size_mb: Option<u32>,
    accelerator: Option<Accelerator>,
    #[serde(default)]
    sets: Vec<ImageSetting>,
    #[serde(default)]
    unverified: bool,
    source: String,
    checked: Datetime,
    torch: Option<DistributionTorch>,
    // What follows may be taken over.
    package_manager: Option<PackageManager>,
    architectures: Option<Vec<String>>,
    glibc: Option<Version>,
    packages: Option<Vec<SystemPackage>>,
    vcs: Option<BTreeMap<String, String>>,
    python: Option<Vec<Had>>,
}

/// Interpreters that are had in one way.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Had {
    way: String,
    versions: Vec<Version>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    pattern: String,
    because: String,
    instead: String,
    source: String,
    checked: Datetime,
}

/// Reads the rows as they stand; [`problems`] says what does not hold.
pub(in crate::catalogue) fn read(text: &str) -> Result<(Vec<Base>, Vec<RefusedBase>)> {
    let file = parse::<File>(FILE, text)?;
    demand(is_read_somewhere(&file.uv.source, &file.uv.checked), FILE, "uv", "no source, or no day")?;
    let mut seen: BTreeMap<String, Row> = BTreeMap::new();
    let mut bases: Vec<Base> = Vec::new();
    for mut row in file.base.iter().cloned() {
        if let Some(like) = &row.like {
            let Some(other) = seen.get(like) else { return demand_known(&row.id, like) };
            row.take_over(other);
        }
        demand(seen.insert(row.id.clone(), row.clone()).is_none(), FILE, &row.id, "the id is not unique")?;
        bases.push(base(row, &file)?);
    }
    let refused = file.refused.iter().map(|row| refused(row, &bases)).collect::<Result<_>>()?;
    Ok((bases, refused))
}

fn demand_known<T>(row: &str, other: &str) -> Result<T> {
    Err(Error::usage(format!("`{FILE}`, row `{row}`: there is no `{other}` before it")))
}

fn is_read_somewhere(source: &str, checked: &Datetime) -> bool {
    source.starts_with("https://") && checked.date.is_some()
}

impl Row {
    fn take_over(&mut self, other: &Self) {
        fn or<T: Clone>(own: &mut Option<T>, other: Option<&T>) {
            *own = own.take().or_else(|| other.cloned());
        }
        or(&mut self.package_manager, other.package_manager.as_ref());
        or(&mut self.architectures, other.architectures.as_ref());
        or(&mut self.glibc, other.glibc.as_ref());
        or(&mut self.packages, other.packages.as_ref());
        or(&mut self.vcs, other.vcs.as_ref());
        or(&mut self.python, other.python.as_ref());
    }
}

fn base(row: Row, file: &File) -> Result<Base> {
    let missing = |what| Error::usage(format!("`{FILE}`, row `{}`: no `{what}`", row.id));
    let package_manager = row.package_manager.ok_or_else(|| missing("package_manager"))?;
    Ok(Base {
        python: interpreters(&row.id, row.python.as_deref().unwrap_or_default(), package_manager, file)?,
        package_manager,
        architectures: row.architectures.ok_or_else(|| missing("architectures"))?,
        glibc: row.glibc.ok_or_else(|| missing("glibc"))?,
        packages: row.packages.ok_or_else(|| missing("packages"))?,
        vcs: row.vcs.ok_or_else(|| missing("vcs"))?,
        id: row.id,
        reference: row.reference,
        aliases: row.aliases,
        suite: row.suite,
        on_request: row.on_request,
        size_mb: row.size_mb,
        accelerator: row.accelerator,
        sets: row.sets,
        unverified: row.unverified,
        source: row.source,
        checked: row.checked,
        torch: row.torch,
    })
}

/// The interpreters of a row, and behind them those that uv brings besides.
fn interpreters(row: &str, had: &[Had], manager: PackageManager, file: &File) -> Result<Vec<BasePython>> {
    let way = |name: &str| match file.ways.get(name) {
        Some(way) => Ok(way),
        None => demand_known(row, name),
    };
    let mut pythons = Vec::new();
    for had in had {
        let way = way(&had.way)?;
        pythons.extend(had.versions.iter().map(|version| interpreter(way, version)));
    }
    let of_conda = |python: &BasePython| matches!(python.provider, PythonProvider::Conda | PythonProvider::Pixi);
    if let Some(uv) = file.uv.ways.get(&manager).filter(|_| !pythons.iter().any(of_conda)) {
        let uv = way(uv)?;
        let new = |version: &&Version| !pythons.iter().any(|python| python.minor() == **version);
        let besides: Vec<_> = file.uv.versions.iter().filter(new).map(|version| interpreter(uv, version)).collect();
        pythons.extend(besides);
    }
    Ok(pythons)
}

fn interpreter(way: &Way, version: &Version) -> BasePython {
    let minor = Version::new(version.release().iter().take(2)).to_string();
    let filled = |packages: &[SystemPackage]| {
        let fill = |package: &SystemPackage| SystemPackage {
            name: package.name.replace("{python}", &minor),
            because: package.because.clone(),
        };
        packages.iter().map(fill).collect()
    };
    BasePython {
        version: version.clone(),
        provider: way.provider,
        interpreter: way.interpreter.replace("{python}", &minor),
        packages: filled(&way.packages),
        tools: filled(&way.tools),
    }
}

fn refused(row: &Refused, bases: &[Base]) -> Result<RefusedBase> {
    let demand = |holds, what| demand(holds, FILE, &row.pattern, what);
    demand(bases.iter().any(|base| base.id == row.instead), "`instead` is not a base")?;
    demand(is_read_somewhere(&row.source, &row.checked), "no source, or no day")?;
    Ok(RefusedBase { pattern: row.pattern.clone(), because: row.because.clone(), instead: row.instead.clone() })
}

/// What does not hold of a row by itself.
pub(in crate::catalogue) fn problems(row: &Base) -> Vec<&'static str> {
    let mut found = Vec::new();
    let mut demand = |holds: bool, what| found.extend((!holds).then_some(what));
    demand(row.source.starts_with("https://"), "`source` is not a URL");
    demand(row.checked.date.is_some(), "`checked` is not a date");
    demand(!row.architectures.is_empty(), "no architecture");
    demand(!row.python.is_empty(), "no interpreter");
    let mut minors = BTreeSet::new();
    demand(row.python.iter().all(|python| minors.insert(python.minor())), "a Python is had in two ways");
    let lengths = |python: &BasePython| matches!(python.version.release().len(), 2 | 3);
    demand(row.python.iter().all(lengths), "a version is neither `X.Y` nor `X.Y.Z`");
    let untold = |python: &BasePython| python.provider == PythonProvider::Source;
    demand(!row.python.iter().any(untold), "no template compiles an interpreter from source");
    if let Some(torch) = &row.torch {
        let known = row.python.iter().any(|python| python.minor() == torch.python);
        demand(known, "`torch.python` is not an interpreter of the base");
    }
    for what in placeholders(row).into_iter().chain(packages(row)) {
        demand(false, what);
    }
    found
}

/// `{python}` and `{accelerator}` stand where there is something to stand for, and nowhere else.
fn placeholders(row: &Base) -> Option<&'static str> {
    let of_image = row.python.iter().any(|python| python.provider == PythonProvider::Image);
    if row.reference.contains("{python}") != of_image {
        return Some("`{python}` is for images that bring their interpreter");
    }
    let releases = row.accelerator.as_ref().map(|one| &one.releases);
    if row.reference.contains("{accelerator}") != releases.is_some_and(|releases| !releases.is_empty()) {
        return Some("`{accelerator}` is for images with releases of one");
    }
    let kinds = row.accelerator.iter().all(|one| matches!(one.kind.as_str(), "cuda" | "rocm"));
    let tagged = releases.into_iter().flatten().all(|(release, tag)| tag.starts_with(release.as_str()));
    let left = row.reference.replace("{python}", "").replace("{accelerator}", "");
    (!kinds || !tagged || left.contains('{')).then_some("an accelerator or a placeholder is not known")
}

/// Every package of one image has a name of its own and a reason.
fn packages(row: &Base) -> Option<&'static str> {
    for python in &row.python {
        let torch = row.torch.iter().filter(|torch| torch.python == python.minor());
        let stay = python.packages.iter().chain(&row.packages).chain(torch.flat_map(|torch| &torch.packages));
        let mut names = BTreeSet::new();
        for package in stay.clone() {
            if !names.insert(&package.name) {
                return Some("a package is named twice");
            }
        }
        if stay.chain(&python.tools).any(|package| package.because.is_empty() || package.name.is_empty()) {
            return Some("a package does not say what it is for");
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = include_str!("../../../images/bases.toml");

    fn broken(text: &str) -> String {
        match read(text) {
            Ok((rows, _)) => rows.iter().flat_map(problems).collect::<Vec<_>>().join("; "),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_embedded_rows_hold() {
        assert_eq!(broken(TEXT), "");
        let (rows, _) = read(TEXT).unwrap();
        assert_eq!(rows[0].python[0].minor().to_string(), "3.13", "the preferred base brings the default Python");
        let unasked: Vec<_> = rows.iter().filter(|row| !row.on_request).map(|row| row.id.as_str()).collect();
        assert_eq!(unasked, ["debian-13", "debian-12", "python-slim"]);
    }

    #[test]
    fn what_is_like_another_takes_over_its_system_only() {
        let (rows, _) = read(TEXT).unwrap();
        let row = |id: &str| rows.iter().find(|row| row.id == id).unwrap();
        let (ubuntu, cuda) = (row("ubuntu-24.04"), row("cuda-devel"));
        assert_eq!(
            (&cuda.packages, &cuda.glibc, cuda.python.len()),
            (&ubuntu.packages, &ubuntu.glibc, ubuntu.python.len())
        );
        assert_eq!((&cuda.suite, &cuda.torch.is_none()), (&None, &true));
        assert!(row("rocky-9").packages.iter().any(|package| package.name == "gcc-c++"));
    }

    #[test]
    fn uv_brings_what_a_base_does_not_have() {
        let (rows, _) = read(TEXT).unwrap();
        let of = |id: &str, provider| {
            let row = rows.iter().find(|row| row.id == id).unwrap();
            let versions =
                row.python.iter().filter(|python| python.provider == provider).map(|p| p.minor().to_string());
            versions.collect::<Vec<_>>()
        };
        assert_eq!(of("debian-13", PythonProvider::Uv), ["3.14", "3.12", "3.11", "3.10", "3.15", "3.9", "3.8"]);
        assert_eq!(of("python-slim", PythonProvider::Uv), ["3.15", "3.9", "3.8"]);
        assert_eq!(of("micromamba", PythonProvider::Uv), [""; 0]);
        assert_eq!(of("ubi-9", PythonProvider::Distribution), ["3.12", "3.11", "3.9"]);
    }

    #[test]
    fn a_broken_row_is_told() {
        for (from, to, says) in [
            ("id = \"debian-12\"", "id = \"debian-13\"", "not unique"),
            ("like = \"debian-13\"", "like = \"debian-11\"", "no `debian-11` before it"),
            ("way = \"debian\"", "way = \"brew\"", "no `brew` before it"),
            ("source = \"https://tracker", "source = \"tracker", "not a URL"),
            ("python = \"3.13\"", "python = \"3.7\"", "not an interpreter"),
            ("name = \"libgomp1\"", "name = \"g++\"", "named twice"),
            ("because = \"the interpreter\"", "because = \"\"", "what it is for"),
            ("[\"3.13.5\"]", "[\"3.13.5\", \"3.13\"]", "two ways"),
            ("[\"3.13.5\"]", "[\"3\"]", "neither"),
            ("provider = \"conda\"", "provider = \"source\"", "from source"),
            ("python:{python}-slim-trixie", "python:3.13-slim-trixie", "bring their interpreter"),
            ("nvidia/cuda:{accelerator}", "nvidia/cuda:latest", "with releases"),
            ("\"12.6\" = \"12.6.3", "\"12.6\" = \"12.5.3", "is not known"),
            ("instead = \"python-slim\"", "instead = \"python\"", "not a base"),
            ("suite =", "sweet =", "does not parse"),
        ] {
            let text = TEXT.replacen(from, to, 1);
            assert!(broken(&text).contains(says), "{from} → {to}: {}", broken(&text));
        }
        // A day is no time, whatever row it stands in.
        assert!(broken(&TEXT.replace("checked = 2026-11-22", "checked = 10:00:00")).contains("no day"));
    }
}
