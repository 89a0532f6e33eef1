//! Which of a project's files is followed.

use std::collections::BTreeSet;

use super::draft::Draft;
use super::folder::{Folder, parent};
use super::locks::{self, LOCKS, LockFormat};
use super::text::shown;
use super::tree::Tree;
use super::{FORMATS, Format, conda, requirements};
use crate::model::{Error, ManifestKind, Note, Origin, Requirement, RequirementRole, Result, Source};

/// The format of a file that is followed.
#[derive(Clone, Copy)]
pub(super) enum Chosen {
    Manifest(&'static Format),
    /// A lock that stands alone, or that the user named.
    Lock(&'static LockFormat),
}

impl Chosen {
    pub(super) fn kind(self) -> ManifestKind {
        match self {
            Self::Manifest(format) => format.kind,
            Self::Lock(format) => format.kind,
        }
    }
}

/// A manifest that is there, with its format.
pub(super) type Present = (&'static Format, String);

/// Whether a file may be a manifest or a lock, by its name.
pub(super) fn is_manifest(name: &str) -> bool {
    FORMATS.iter().any(|format| format.files.contains(&name))
        || LOCKS.iter().any(|format| format.file == name)
        || requirements::is_named_so(name)
}

/// The files to follow, each with its format; none where only the sources are left to tell.
pub(super) fn manifests(draft: &mut Draft<'_>, tree: &Tree, from: &[String]) -> Result<Vec<(Chosen, String)>> {
    if !from.is_empty() {
        return from.iter().map(|file| named(draft.folder, file)).collect();
    }
    let present = without_brought(draft, &present(draft.folder)?);
    // A lock beats its manifest, and a manifest with a lock beats one without: somebody settled on versions there.
    let locked = present.iter().find(|(format, file)| locks::beside(draft.folder, file, format.kind).next().is_some());
    if let Some((format, file)) = locked.or(present.first()) {
        return Ok(vec![(Chosen::Manifest(format), file.clone())]);
    }
    if let Some(lock) = LOCKS.iter().find(|lock| draft.folder.has(lock.file)) {
        return Ok(vec![(Chosen::Lock(lock), lock.file.to_owned())]);
    }
    let guessed = guess(draft, tree).map(|file| (Chosen::Manifest(&requirements::FORMAT), file));
    let guessed = guessed.or_else(|| guess_environment(draft).map(|file| (Chosen::Manifest(&conda::FORMAT), file)));
    Ok(guessed.into_iter().collect())
}

/// `present` without what an environment of conda or pixi among them brings with it: a requirements file that its `pip`
/// section names, or, for pixi, the project itself. The environment says more.
fn without_brought(draft: &Draft<'_>, present: &[Present]) -> Vec<Present> {
    let is_environment = |(format, file): &&Present| {
        matches!(format.kind, ManifestKind::Conda | ManifestKind::Pixi) && present.len() > 1 && file != "pyproject.toml"
    };
    let environments: Vec<(ManifestKind, Asked)> = present
        .iter()
        .filter(is_environment)
        .filter_map(|(format, file)| Some((format.kind, Asked::by(draft, format, file)?)))
        .collect();
    let is_brought = |(format, file): &Present| {
        environments.iter().any(|(kind, asked)| match (kind, format.kind) {
            (_, ManifestKind::Requirements) => asked.files.contains(file),
            (ManifestKind::Pixi, ManifestKind::Conda | ManifestKind::Pixi) => false,
            (ManifestKind::Pixi, _) => asked.itself,
            _ => false,
        })
    };
    present.iter().filter(|one| !is_brought(one)).cloned().collect()
}

/// What a manifest asks for, itself or through others.
struct Asked {
    /// The files in which that stands, this one among them.
    files: BTreeSet<String>,
    /// Whether the project itself is among it.
    itself: bool,
}

impl Asked {
    /// Reads `file`; nothing where that fails, which is said when it is followed.
    fn by(draft: &Draft<'_>, format: &Format, file: &str) -> Option<Self> {
        let mut scratch = draft.scratch();
        (format.read)(&mut scratch, file).ok()?;
        let asked = scratch.project.requirements.iter().filter(|asked| asked.role == RequirementRole::Requirement);
        let file_of = |asked: &Requirement| match &asked.origin {
            Origin::File { file, .. } => Some(file.clone()),
            _ => None,
        };
        let is_own = |asked: &&Requirement| asked.extra.is_none() && asked.group.is_none();
        let itself =
            asked.clone().filter(is_own).any(|asked| matches!(&asked.source, Source::Path { path } if path == "."));
        Some(Self { files: asked.filter_map(file_of).collect(), itself })
    }
}

/// The manifests of the root, in the order of the formats.
fn present(folder: &Folder) -> Result<Vec<Present>> {
    let mut present = Vec::new();
    for format in &FORMATS {
        for file in format.files.iter().filter(|file| folder.has(file)) {
            if (format.declares)(folder, file)? {
                present.push((format, (*file).to_owned()));
                break;
            }
        }
    }
    Ok(present)
}

/// The files of the root that may be manifests, in the order of the formats, whatever is in them.
pub(super) fn present_at_all(folder: &Folder) -> Vec<Present> {
    let files = FORMATS.iter().flat_map(|format| format.files.iter().map(move |file| (format, *file)));
    let declares = |(format, file): &(&Format, &str)| (format.declares)(folder, file).unwrap_or(true);
    files
        .filter(|(_, file)| folder.has(file))
        .filter(declares)
        .map(|(format, file)| (format, file.to_owned()))
        .collect()
}

/// Names that say which of several requirements files is the one to deploy from, the best first.
const DEPLOYED_FROM: [&str; 11] =
    ["prod", "production", "main", "base", "runtime", "core", "common", "install", "default", "gpu", "cuda"];

/// Names of files for one's own machine, not for the image: picked only where there is no other.
const OF_OTHER_SYSTEMS: [&str; 9] = ["cpu", "mac", "macos", "osx", "mps", "win", "windows", "wsl", "wsl2"];
const FOR_DEVELOPERS: [&str; 12] =
    ["dev", "develop", "test", "tests", "testing", "doc", "docs", "lint", "style", "ci", "build", "notebook"];

/// How fit a file is to deploy from, by its name: the best least.
fn rank(file: &str) -> usize {
    let words = stem(file);
    let is = |known: &[&str]| words.iter().any(|word| known.contains(&word.to_ascii_lowercase().as_str()));
    match DEPLOYED_FROM.iter().position(|known| is(&[known])) {
        _ if words == ["requirements"] => 0,
        _ if is(&FOR_DEVELOPERS) => usize::MAX,
        Some(at) => at + 1,
        None if is(&OF_OTHER_SYSTEMS) => usize::MAX - 1,
        None => usize::MAX - 2,
    }
}

/// One of several requirements files of other names, and a warning that it was picked.
fn guess(draft: &mut Draft<'_>, tree: &Tree) -> Option<String> {
    let candidates = requirements_files(tree);
    let included = included(draft, &candidates);
    let picked = candidates
        .iter()
        .filter(|file| !included.contains(*file))
        .min_by_key(|file| rank(file))
        .or(candidates.iter().min_by_key(|file| rank(file)))?;
    draft.note(picked_of(&candidates, picked, "requirements files"));
    Some(picked.clone())
}

/// One of the environments of conda that have other names than the usual ones.
fn guess_environment(draft: &mut Draft<'_>) -> Option<String> {
    let candidates = environments(draft.folder);
    let picked = candidates.iter().min_by_key(|file| rank(file))?;
    draft.note(picked_of(&candidates, picked, "environments of conda"));
    Some(picked.clone())
}

/// The note on the file that was picked.
fn picked_of(candidates: &[String], picked: &str, what: &str) -> Note {
    let others: Vec<String> =
        candidates.iter().filter(|file| *file != picked).map(|file| format!("`{}`", shown(file))).collect();
    let origin = Origin::file(picked, 1);
    if others.is_empty() {
        return Note::info(format!("`{}` is the only one of the {what}", shown(picked)), origin);
    }
    let message = format!("`{}` is read, of several {what}", shown(picked));
    Note::warning(message, origin).with_hint(format!("`--from FILE` reads another: {}", others.join(", ")))
}

/// The requirements files that others among them name: those say more. What developers need besides is not deployed.
fn included(draft: &Draft<'_>, candidates: &[String]) -> BTreeSet<String> {
    let mut included = BTreeSet::new();
    if candidates.len() > MOST_COMPARED {
        return included;
    }
    for file in candidates.iter().filter(|file| rank(file) != usize::MAX) {
        let asked = Asked::by(draft, &requirements::FORMAT, file).map(|asked| asked.files).unwrap_or_default();
        included.extend(asked.into_iter().filter(|other| other != file));
    }
    included
}

/// Of more files than this, it is not read which of them name each other.
const MOST_COMPARED: usize = 50;

/// The words of a file's name: `requirements/base.txt` has `base`, `requirements-gpu.txt` has `requirements` and `gpu`.
fn stem(file: &str) -> Vec<&str> {
    let name = file.rsplit('/').next().unwrap_or(file);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    stem.split(['-', '_', '.']).collect()
}

/// Requirements files of the root and of its `requirements` folder that have another name than the usual one.
pub(super) fn requirements_files(tree: &Tree) -> Vec<String> {
    let near = |file: &&String| matches!(parent(file), "." | "requirements");
    let is_one = |file: &&String| {
        requirements::is_named_so(file.rsplit('/').next().unwrap_or(file)) || parent(file) == "requirements"
    };
    tree.manifests.iter().filter(near).filter(is_one).cloned().collect()
}

/// Environments of conda in the root that have another name than the usual ones, such as `environment_gpu.yml`.
pub(super) fn environments(folder: &Folder) -> Vec<String> {
    let is_named_so = |name: &String| {
        let lower = name.to_ascii_lowercase();
        let stem = lower.strip_suffix(".yml").or(lower.strip_suffix(".yaml"));
        stem.is_some_and(|stem| stem.contains("env") || stem.starts_with("conda"))
            && !conda::FORMAT.files.contains(&name.as_str())
    };
    let named = folder.list(".").into_iter().filter(is_named_so).take(MOST_COMPARED);
    named.filter(|name| folder.has(name) && conda::is_environment(folder, name)).collect()
}

/// A file that the user named.
fn named(folder: &Folder, file: &str) -> Result<(Chosen, String)> {
    let located = folder.locate(".", file).map_err(|error| error.at(Origin::flag("--from")))?;
    let name = located.path.rsplit('/').next().unwrap_or_default();
    if let Some(lock) = LOCKS.iter().find(|lock| (lock.recognizes)(name)) {
        return Ok((Chosen::Lock(lock), located.path));
    }
    let mut of_name = FORMATS.iter().filter(|format| (format.recognizes)(name)).peekable();
    let Some(first) = of_name.peek().copied() else {
        let formats: Vec<&str> = FORMATS.iter().map(|format| format.looked_for).collect();
        return Err(Error::usage(format!("the format of `{}` is not known by its name", shown(file)))
            .at(Origin::flag("--from"))
            .with_hint(format!("name a file like {}", formats.join(" or "))));
    };
    // Two formats may share a file; the one that is in it counts, and the first says what is wrong where none is.
    let declared = of_name.find(|format| (format.declares)(folder, &located.path).unwrap_or(false));
    Ok((Chosen::Manifest(declared.unwrap_or(first)), located.path))
}

/// The error for a folder in which nothing asks for anything.
pub(super) fn nothing_found(folder: &Folder, tree: &Tree) -> Error {
    let formats: Vec<&str> = FORMATS.iter().map(|format| format.looked_for).collect();
    let root = shown(&folder.root().to_string_lossy());
    let mut log = vec![format!("looked for {}", formats.join(", "))];
    log.extend(match tree.own_python() {
        0 => Some("and found no Python files either".to_owned()),
        count => Some(format!("and for imports in {count} Python files, and found none to ask for")),
    });
    Error::usage(format!("no requirements found in `{root}`")).with_log(log).with_hint(tree.hint())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::{InspectOptions, inspect};
    use crate::catalogue::Packages;
    use crate::model::{Project, Severity, Strength};

    fn project(files: &[(&str, &str)]) -> Project {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        inspect(root.path(), &Packages::embedded().unwrap(), &InspectOptions::default()).unwrap()
    }

    fn followed(files: &[(&str, &str)]) -> String {
        project(files).manifests[0].path.clone()
    }

    fn notes(project: &Project) -> Vec<&str> {
        project.notes.iter().map(|note| note.message.as_str()).collect()
    }

    #[test]
    fn an_environment_beats_the_requirements_that_it_names() {
        let requirements = ("requirements.txt", "einops\n");
        let naming = ("environment.yaml", "dependencies:\n- pytorch\n- pip:\n  - -r requirements.txt\n");
        assert_eq!(followed(&[requirements, naming]), "environment.yaml");
        let constrained = ("environment.yaml", "dependencies:\n- pytorch\n- pip:\n  - -c requirements.txt\n");
        assert_eq!(followed(&[requirements, constrained]), "requirements.txt");
        let broken = ("environment.yaml", "dependencies:\n- pip:\n  - -r requirements.txt\n  - -r no.txt\n");
        assert_eq!(followed(&[requirements, broken]), "requirements.txt");
    }

    #[test]
    fn a_requirements_file_that_others_name_is_not_picked() {
        let base = ("requirements/base.txt", "torch\n");
        let (gpu, cpu) = ("-r requirements/base.txt\nxformers\n", "-r requirements/base.txt\n");
        let both = [base, ("requirements-gpu.txt", gpu), ("requirements-cpu.txt", cpu)];
        assert_eq!(followed(&both), "requirements-gpu.txt");
        // What developers need besides names it, too, and is not deployed.
        assert_eq!(followed(&[base, ("requirements/dev.txt", "-r base.txt\npytest\n")]), "requirements/base.txt");
    }

    #[test]
    fn pixi_beats_the_project_that_it_installs() {
        let pyproject = ("pyproject.toml", "[project]\nname = 'x'\ndependencies = ['torch']\n");
        let pixi = |rest: &str| format!("[workspace]\nname = 'x'\nchannels = []\nplatforms = ['linux-64']\n{rest}");
        let own = pixi("[pypi-dependencies]\nx = { path = '.', editable = true }\n");
        assert_eq!(followed(&[pyproject, ("pixi.toml", &own)]), "pixi.toml");
        let of_group = pixi("[dependencies]\nnumpy = '*'\n[feature.dev.pypi-dependencies]\nx = { path = '.' }\n");
        assert_eq!(followed(&[pyproject, ("pixi.toml", &of_group)]), "pyproject.toml");
    }

    #[test]
    fn environments_of_other_names_are_candidates() {
        let (text, other) = ("dependencies:\n- pytorch\n", ("config_env.yaml", "dependencies: {a: b}\n"));
        let several = project(&[("environment_gpu.yml", text), ("env_cpu.yaml", text), other]);
        assert_eq!(several.manifests[0].path, "environment_gpu.yml");
        let picked = several.notes.iter().find(|note| note.message.contains("of several environments")).unwrap();
        assert_eq!(picked.severity, Severity::Warning);
        assert_eq!(picked.hint.as_deref(), Some("`--from FILE` reads another: `env_cpu.yaml`"));
        let beside = project(&[("requirements.txt", "torch\n"), ("environment-wsl2.yaml", text)]);
        assert_eq!(beside.manifests[0].path, "requirements.txt");
        assert_eq!(beside.alternatives[0].path, "environment-wsl2.yaml");
    }

    #[test]
    fn the_files_beside_the_manifest_tell_about_python() {
        let script = "from setuptools import setup\nsetup(python_requires='>=3.9', install_requires=['torch', 'einops'], classifiers=['Programming Language :: Python :: 3.7'], extras_require={'a': ['b'], 'c': []})\n";
        let environment = "dependencies:\n- python=3.10\n- numpy\n";
        let told = project(&[("requirements.txt", "torch\n"), ("setup.py", script), ("environment.yml", environment)]);
        let python: Vec<(String, Strength, String)> =
            told.python.iter().map(|p| (p.specifiers.to_string(), p.strength, p.origin.to_string())).collect();
        assert_eq!(
            python,
            [
                ("==3.10.*".to_owned(), Strength::Hint, "environment.yml:2".to_owned()),
                (">=3.9".to_owned(), Strength::Required, "setup.py:2".to_owned()),
            ]
        );
        let notes = notes(&told);
        assert!(notes.contains(&"`setup.py` also asks for `einops`, which `requirements.txt` does not"), "{notes:#?}");
        let said = "`setup.py` is there, too, and not followed: 2 requirements, 2 extras, `torch`, Python `>=3.9`";
        assert!(notes.contains(&said), "{notes:#?}");
        // A `[project]` table outdoes the script.
        let table = ("pyproject.toml", "[project]\nname = 'x'\ndependencies = []\nrequires-python = '>=3.11'\n");
        let outdone = project(&[("requirements.txt", "torch\n"), ("setup.py", script), table]);
        assert_eq!(outdone.python.len(), 1, "{:?}", outdone.python);
    }

    #[test]
    fn an_alternative_says_what_it_leaves_open_and_once() {
        let script = "from setuptools import setup\nsetup(install_requires=compute(), classifiers=['Programming Language :: Python :: 3.7'])\n";
        let cfg = "[options]\ninstall_requires =\n  numpy\n";
        let files = [("requirements.txt", "torch\n"), ("setup.py", script), ("setup.cfg", cfg)];
        let told = project(&files);
        let said: Vec<&str> = notes(&told).into_iter().filter(|message| message.contains("is there, too")).collect();
        assert_eq!(
            said,
            ["`setup.cfg` is there, too, and not followed: 0 requirements, and more that is computed when it runs"]
        );
    }

    #[test]
    fn dependencies_that_are_no_list_are_noted() {
        for (text, what) in [("dependencies: 7\n", "text"), ("dependencies: {a: b}\n", "a map")] {
            let told = project(&[("requirements.txt", "torch\n"), ("environment.yml", text)]);
            let said = format!("`environment.yml` is not followed: its `dependencies` are {what}, not a list");
            assert!(notes(&told).contains(&said.as_str()), "{:#?}", told.notes);
        }
    }
}
