//! `pixi.lock`, of the versions 4 to 6 (<https://pixi.sh/latest/workspace/lockfile/>,
//! <https://github.com/conda/rattler/tree/main/crates/rattler_lock>).

use std::collections::BTreeMap;
use std::str::FromStr;

use pep440_rs::{Version, VersionSpecifier, VersionSpecifiers};

use super::super::conda::{Kind, MANAGER, Spec, of_archive, pep440};
use super::super::draft::Draft;
use super::super::folder::parent;
use super::super::pep508::parse_name;
use super::super::problems::Problems;
use super::super::text::{is_hidden, shown};
use super::super::url::{is_url, repository, without_credentials};
use super::super::yaml_file::{Node, YamlFile};
use super::LockFormat;
use crate::model::{
    ArchiveName, Error, Lock, LockedPackage, ManifestKind, Note, Origin, PythonConstraint, Result, Source, Strength,
    SystemHint,
};

/// The format.
pub(super) const FORMAT: LockFormat = LockFormat {
    kind: ManifestKind::PixiLock,
    file: "pixi.lock",
    of: &[ManifestKind::Pixi],
    refresh: "",
    recognizes: |name| name == "pixi.lock",
    read,
};

/// The versions that are known; a later one is read as far as it looks the same.
const KNOWN: [&str; 3] = ["4", "5", "6"];
/// The platforms that an image may be of, the preferred one first.
const PLATFORMS: [&str; 2] = ["linux-64", "linux-aarch64"];
/// The environment that pixi takes where none is named.
const DEFAULT: &str = "default";

fn read(draft: &mut Draft<'_>, file: &str) -> Result<Option<Lock>> {
    let text = draft.folder.read_utf8(file)?;
    let yaml = YamlFile::parse(file, &text)?;
    let version = yaml.root.text_at("version");
    let (Some(environments), Some(listed)) =
        (yaml.root.get("environments").and_then(Node::map), yaml.root.get("packages").and_then(Node::list))
    else {
        return other_structure(draft, &yaml, version);
    };
    if !version.is_some_and(|version| KNOWN.contains(&version)) {
        let message = format!(
            "the lock is of version `{}`, which is not known; it is read as version 6 would be",
            shown(version.unwrap_or("none"))
        );
        draft.note(Note::warning(message, yaml.origin(1)));
    }
    draft.account(file, listed.len());
    let mut uses: BTreeMap<&str, Use<'_>> = BTreeMap::new();
    for environment in environments {
        of_environment(&yaml, &environment.key, &environment.node, &mut uses)?;
    }
    let mut reader = Reader { draft, yaml: &yaml, locked: Vec::new(), elsewhere: 0 };
    let mut problems = Problems::default();
    for node in listed {
        problems.note(reader.entry(node, &uses));
    }
    problems.finish()?;
    let (packages, elsewhere) = (reader.locked, reader.elsewhere);
    if elsewhere > 0 {
        let packages =
            if elsewhere == 1 { "1 package of the lock is" } else { &format!("{elsewhere} packages of the lock are") };
        let message = format!("{packages} for other platforms than Linux");
        draft.noted_together(file, elsewhere, Note::info(message, yaml.origin(1)));
    }
    if packages.is_empty() {
        draft.note(Note::warning("the lock has no Python packages for Linux", yaml.origin(1)));
    }
    let format = version.map(str::to_owned);
    Ok(Some(Lock { path: file.to_owned(), kind: ManifestKind::PixiLock, format, packages }))
}

/// A file without the parts of a lock: an older or later version, or none.
fn other_structure(draft: &mut Draft<'_>, yaml: &YamlFile<'_>, version: Option<&str>) -> Result<Option<Lock>> {
    let Some(version) = version else {
        return Err(Error::usage(format!("`{}` is no lock of pixi: it has no `version`", shown(yaml.file)))
            .at(yaml.origin(1))
            .with_hint("write it anew with `pixi lock`"));
    };
    let message = format!("the lock is of version `{}`, which is not read; it settles nothing", shown(version));
    draft.account(yaml.file, 1);
    draft.noted(
        yaml.file,
        Note::warning(message, yaml.origin(1)).with_hint("write it anew with a pixi of today: `pixi lock`"),
    );
    Ok(None)
}

/// Which environments use a package on Linux.
#[derive(Default)]
struct Use<'y> {
    environments: Vec<&'y str>,
    /// The one index of these environments for distributions.
    index: Option<&'y str>,
}

/// Takes up what an environment has for Linux.
fn of_environment<'y>(
    yaml: &YamlFile<'_>,
    name: &'y str,
    node: &'y Node<'_>,
    uses: &mut BTreeMap<&'y str, Use<'y>>,
) -> Result<()> {
    let Some(platforms) = node.get("packages").filter(|platforms| platforms.map().is_some()) else {
        return Err(yaml.mistyped(node, &format!("environments.{name}"), "a map with `packages`"));
    };
    let index = match node.get("indexes").and_then(Node::list) {
        Some([only]) => only.text(),
        _ => None,
    };
    let platform = PLATFORMS.into_iter().find_map(|platform| platforms.get(platform));
    for item in platform.and_then(Node::list).unwrap_or_default() {
        if let Some(of) = key(item) {
            let entry = uses.entry(of).or_default();
            entry.environments.push(name);
            entry.index = entry.index.or(index);
        }
    }
    Ok(())
}

/// What names a package, in an environment and in the list of all: its URL or path.
fn key<'y>(node: &'y Node<'_>) -> Option<&'y str> {
    ["url", "path", "conda", "pypi"].into_iter().find_map(|key| node.text_at(key))
}

struct Reader<'d, 'f, 'y> {
    draft: &'d mut Draft<'f>,
    yaml: &'y YamlFile<'y>,
    locked: Vec<LockedPackage>,
    /// How many packages are for other platforms.
    elsewhere: usize,
}

impl Reader<'_, '_, '_> {
    fn entry(&mut self, node: &Node<'_>, uses: &BTreeMap<&str, Use<'_>>) -> Result<()> {
        let origin = self.yaml.origin(node.line);
        let Some(key) = key(node).filter(|key| !key.contains(is_hidden)) else {
            return Err(Error::usage("a package of the lock has neither a URL nor a path").at(origin));
        };
        let Some(of) = uses.get(key) else {
            self.elsewhere += 1;
            return Ok(());
        };
        let stripped = without_credentials(key);
        if stripped.literal {
            self.draft.warn_of_credential(&origin);
        }
        let is_pypi = node.get("pypi").is_some() || node.text_at("kind") == Some("pypi");
        if is_pypi {
            self.distribution(node, &stripped.text, of, &origin)
        } else {
            self.conda(node, &stripped.text, of, &origin);
            Ok(())
        }
    }

    fn conda(&mut self, node: &Node<'_>, url: &str, used: &Use<'_>, origin: &Origin) {
        let file = self.yaml.file;
        let Some(spec) = described(node, url) else {
            let message = format!("`{}` is built by pixi from sources, and not followed", shown(url));
            self.draft.noted(file, Note::warning(message, origin.clone()));
            return;
        };
        let written = spec.version.as_deref().unwrap_or_default().trim_start_matches('=');
        let version = Version::from_str(written).ok();
        match Kind::of(&spec, self.draft.packages) {
            Kind::Python => return self.python(&spec, used, origin),
            Kind::Pip => {}
            Kind::System => {
                let package = spec.brief().replacen("==", "=", 1);
                self.draft.project.system.push(SystemHint {
                    package,
                    manager: MANAGER.to_owned(),
                    origin: origin.clone(),
                });
            }
            Kind::Distribution(name, _) => {
                let specifiers = version.clone().map(exactly).unwrap_or_default();
                let source = Source::Conda {
                    package: spec.name,
                    channel: spec.channel.as_deref().map(|url| url.rsplit('/').next().unwrap_or(url).to_owned()),
                    specifiers,
                    build: spec.build,
                };
                self.locked.push(locked(name, version, source, spec.channel, node, used, origin));
            }
        }
        self.draft.fact(file);
    }

    /// The interpreter of the default environment; of others, only a note speaks.
    fn python(&mut self, spec: &Spec, used: &Use<'_>, origin: &Origin) {
        let version = spec.version.as_deref().unwrap_or_default();
        match pep440(version) {
            Ok(specifiers) if used.environments.contains(&DEFAULT) => {
                let (strength, origin) = (Strength::Pinned, origin.clone());
                self.draft.project.python.push(PythonConstraint { specifiers, strength, origin });
                self.draft.fact(self.yaml.file);
            }
            _ => {
                let whose: Vec<String> = used.environments.iter().map(|name| format!("`{}`", shown(name))).collect();
                let message = format!("Python `{}` is for {} only", shown(version), whose.join(", "));
                self.draft.noted(self.yaml.file, Note::info(message, origin.clone()));
            }
        }
    }

    fn distribution(&mut self, node: &Node<'_>, place: &str, used: &Use<'_>, origin: &Origin) -> Result<()> {
        let archive = ArchiveName::of(place);
        let named = node.text_at("name").and_then(|name| Some(parse_name(name)?.0));
        let Some(name) = named.or_else(|| archive.as_ref().map(|archive| archive.name.clone())) else {
            return Err(Error::usage(format!("the name of `{}` is not told", shown(place))).at(origin.clone()));
        };
        let stated = node.text_at("version").and_then(|version| Version::from_str(version).ok());
        let version = stated.or_else(|| archive.map(|archive| archive.version));
        let source = self.source(place).map_err(|error| error.at(origin.clone()))?;
        let index = used.index.map(|index| without_credentials(index).text);
        self.locked.push(locked(name, version, source, index, node, used, origin));
        self.draft.fact(self.yaml.file);
        Ok(())
    }

    fn source(&self, place: &str) -> Result<Source> {
        if place.contains("git+") || place.starts_with("hg+") {
            return repository(place);
        }
        if is_url(place) {
            // `direct+` marks a URL that the manifest names itself.
            return Ok(Source::Url { url: place.to_owned() });
        }
        if let Some(url) = place.strip_prefix("direct+").filter(|url| is_url(url)) {
            return Ok(Source::Url { url: url.to_owned() });
        }
        let located = self.draft.folder.locate(parent(self.yaml.file), place)?;
        Ok(Source::Path { path: located.path })
    }
}

/// A package of conda, by its own words or by the name of its archive.
fn described(node: &Node<'_>, url: &str) -> Option<Spec> {
    let mut spec = of_archive(url)?;
    if let Some(name) = node.text_at("name") {
        name.clone_into(&mut spec.name);
    }
    if let Some(version) = node.text_at("version") {
        spec.version = Some(format!("=={version}"));
    }
    if let Some(build) = node.text_at("build") {
        spec.build = Some(build.to_owned());
    }
    Some(spec)
}

fn exactly(version: Version) -> VersionSpecifiers {
    VersionSpecifier::equals_version(version).into()
}

fn locked(
    name: String,
    version: Option<Version>,
    source: Source,
    index: Option<String>,
    node: &Node<'_>,
    used: &Use<'_>,
    origin: &Origin,
) -> LockedPackage {
    let always = used.environments.contains(&DEFAULT);
    let groups = if always { Vec::new() } else { used.environments.iter().map(|name| group(name)).collect() };
    let hashes = ["sha256", "md5"].into_iter().filter(|hash| node.get(hash).is_some()).count();
    LockedPackage {
        name,
        version,
        source,
        index,
        marker: None,
        extras: Vec::new(),
        groups,
        hashes,
        origin: origin.clone(),
    }
}

/// An environment as a group that can be chosen.
fn group(environment: &str) -> String {
    parse_name(environment).map_or_else(|| environment.to_owned(), |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::testing::drafted;
    use super::*;
    use crate::model::Project;

    fn lock(text: &str) -> Result<(Option<Lock>, Project)> {
        drafted(&[("pixi.lock", text)], |draft| read(draft, "pixi.lock"))
    }

    const SIX: &str = "\
version: 6
environments:
  default:
    channels:
    - url: https://c.example.org/conda-forge/
    indexes:
    - https://pypi.example.org/simple
    packages:
      linux-64:
      - conda: https://c.example.org/conda-forge/linux-64/libgcc-15.2.0-h767d61c_7.conda
      - conda: https://c.example.org/conda-forge/linux-64/python-3.12.8-h9e4cc4f_1_cpython.conda
      - conda: https://c.example.org/conda-forge/linux-64/pytorch-2.8.0-cuda129_mkl_py312_h7947483_302.conda
      - pypi: https://files.example.org/einops-0.8.1-py3-none-any.whl
      - pypi: ./
      osx-arm64:
      - conda: https://c.example.org/conda-forge/osx-arm64/pytorch-2.8.0-cpu_generic_py312_hf67e7d3_2.conda
  test:
    packages:
      linux-aarch64:
      - conda: https://c.example.org/conda-forge/noarch/pytest-8.0.0-pyhd8ed1ab_0.conda
packages:
- conda: https://c.example.org/conda-forge/linux-64/libgcc-15.2.0-h767d61c_7.conda
  sha256: 00
- conda: https://c.example.org/conda-forge/linux-64/python-3.12.8-h9e4cc4f_1_cpython.conda
- conda: https://c.example.org/conda-forge/osx-arm64/pytorch-2.8.0-cpu_generic_py312_hf67e7d3_2.conda
- conda: https://c.example.org/conda-forge/linux-64/pytorch-2.8.0-cuda129_mkl_py312_h7947483_302.conda
  sha256: 00
  md5: 11
- pypi: https://files.example.org/einops-0.8.1-py3-none-any.whl
  name: einops
  version: 0.8.1
- pypi: ./
  name: My_Project
  version: 0.1.0
  editable: true
- conda: https://c.example.org/conda-forge/noarch/pytest-8.0.0-pyhd8ed1ab_0.conda
";

    #[test]
    fn version_six_is_read() {
        let (lock, project) = lock(SIX).unwrap();
        let lock = lock.unwrap();
        assert_eq!(lock.format.as_deref(), Some("6"));
        let names: Vec<&str> = lock.packages.iter().map(|package| package.name.as_str()).collect();
        assert_eq!(names, ["torch", "einops", "my-project", "pytest"]);
        let torch = &lock.packages[0];
        assert_eq!(torch.version, Some(Version::new([2, 8, 0])));
        assert_eq!(torch.index.as_deref(), Some("https://c.example.org/conda-forge"));
        assert_eq!((torch.hashes, torch.groups.len()), (2, 0));
        assert!(matches!(&torch.source, Source::Conda { channel: Some(channel), build: Some(build), .. }
            if channel == "conda-forge" && build == "cuda129_mkl_py312_h7947483_302"));
        assert_eq!(torch.origin, Origin::file("pixi.lock", 26));
        assert_eq!(lock.packages[1].index.as_deref(), Some("https://pypi.example.org/simple"));
        assert!(matches!(&lock.packages[2].source, Source::Path { path } if path == "."));
        assert_eq!(lock.packages[3].groups, ["test"]);
        assert_eq!(project.python[0].specifiers.to_string(), "==3.12.8");
        assert_eq!(project.system[0].package, "libgcc=15.2.0");
        assert!(project.notes[0].message.starts_with("1 package of the lock is for other platforms"));
        assert_eq!((project.read[0].entries, project.read[0].facts), (7, 6));
    }

    #[test]
    fn version_five_is_read() {
        let text = "version: 5\nenvironments:\n  default:\n    packages:\n      linux-64:\n      - conda: \
                    https://c.example.org/f/noarch/six-1.16.0-pyh6c4a22f_0.tar.bz2\n      - pypi: .\npackages:\n- kind: \
                    conda\n  name: six\n  version: 1.16.0\n  build: pyh6c4a22f_0\n  url: \
                    https://c.example.org/f/noarch/six-1.16.0-pyh6c4a22f_0.tar.bz2\n- kind: pypi\n  name: own\n  \
                    version: 1.0\n  path: .\n";
        let (lock, _) = lock(text).unwrap();
        let names: Vec<String> = lock.unwrap().packages.into_iter().map(|package| package.name).collect();
        assert_eq!(names, ["six", "own"]);
    }

    #[test]
    fn other_versions_say_so() {
        let (lock_of_one, project) = lock("version: 1\nmetadata: {}\npackage: []\n").unwrap();
        assert!(lock_of_one.is_none() && project.notes[0].message.contains("version `1`"));
        let (later, project) = lock(&SIX.replacen("version: 6", "version: 9", 1)).unwrap();
        assert!(later.is_some() && project.notes[0].message.contains("version `9`"));
    }

    #[test]
    fn a_broken_lock_is_an_error_with_its_line() {
        let line = |text: &str| match lock(text).unwrap_err().origin {
            Some(Origin::File { line, .. }) => line,
            other => panic!("{other:?}"),
        };
        assert_eq!(line("version: 6\nenvironments: [\n"), 3);
        assert_eq!(line("environments: {}\n"), 1);
        assert_eq!(line("version: 6\nenvironments: {}\npackages:\n- a: b\n"), 4);
        assert_eq!(line("version: 6\nenvironments:\n  default: x\npackages: []\n"), 3);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_lock_ends_it(cut in 0..SIX.len(), with in r"[a-c:/{}\[\] \n-]{0,8}") {
            let _ = lock(&format!("{}{with}", &SIX[..cut]));
        }
    }
}
