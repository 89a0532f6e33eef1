//! What lies in the project's folder, found in one walk.
//!
//! The walk honours `.gitignore` and `.ignore`: what a project keeps out of its repository is no source of it. Manifests in
//! the root are taken all the same, for people keep their own `requirements.txt` out of a repository, too. It never follows
//! symbolic links, and turns back at folders that hold others' files: environments, caches, build outputs.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::available_parallelism;

use ignore::{DirEntry, WalkBuilder, WalkState};

use super::folder::{Folder, parent};
use super::text::shown;
use crate::model::{Note, Origin, Subproject};

/// No project that a person reads has more Python files of its own.
const MOST_PYTHON: usize = 20_000;
/// Nor more entries in all: behind these the walk ends.
const MOST_ENTRIES: usize = 2_000_000;
/// Nor deeper folders.
const DEEPEST: usize = 64;
/// A longer `.gitignore`, in bytes, is not written by a person, and would take long to compile.
const LONGEST_IGNORE: u64 = 64 << 10;
/// More threads gain nothing: the walk waits for the kernel.
const MOST_THREADS: usize = 4;

/// Folders that hold no sources of the project, by name.
const OTHERS: [&str; 6] =
    ["site-packages", "dist-packages", "node_modules", "bower_components", "__pycache__", "__pypackages__"];
/// Folders that tools write, unless they are packages of the project itself.
const OUTPUTS: [&str; 4] = ["build", "dist", "wandb", "mlruns"];
/// What marks the root of an environment: of `venv` (<https://docs.python.org/3/library/venv.html>), and of conda.
const ENVIRONMENTS: [&str; 2] = ["pyvenv.cfg", "conda-meta"];
/// Folders whose manifests are no projects to choose: they are input of tests, or others' code, kept as it came.
const NOT_PROJECTS: [&str; 18] = [
    "test",
    "tests",
    "testing",
    "testdata",
    "test_data",
    "fixtures",
    "third_party",
    "third-party",
    "thirdparty",
    "3rdparty",
    "vendor",
    "vendored",
    "_vendor",
    "external",
    "extern",
    "docs",
    "doc",
    "templates",
];

/// Those of them that hold others' code.
const VENDORED: [&str; 9] =
    ["third_party", "third-party", "thirdparty", "3rdparty", "vendor", "vendored", "_vendor", "external", "extern"];
/// How many files or folders a hint names.
const NAMED: usize = 10;

/// Paths relative to the root, with `/`, sorted.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// Python files of the project's own.
    pub(super) python: Vec<String>,
    /// Notebooks.
    pub(super) notebooks: Vec<String>,
    /// Files that are manifests or locks by their names, in the root and beneath.
    pub(super) manifests: Vec<String>,
    /// Folders of others' code that hold manifests of their own.
    vendored: Vec<String>,
    /// What was passed over.
    pub(super) notes: Vec<Note>,
}

/// What one thread, or all of them, have found.
#[derive(Debug, Default)]
struct Found {
    tree: Tree,
    entries: usize,
    too_many: bool,
    unnamed: usize,
    too_deep: bool,
}

impl Tree {
    /// Walks the folder; `is_manifest` tells by a file's name whether it may be one.
    pub(super) fn walk(folder: &Folder, is_manifest: fn(&str) -> bool) -> Self {
        let root = folder.root();
        let (ignores, odd) = (ignores_are_plain(root), Arc::new(AtomicUsize::new(0)));
        let found = Mutex::new(Found::default());
        let mut walk = WalkBuilder::new(root);
        walk.standard_filters(false).git_ignore(ignores).ignore(ignores).require_git(false).follow_links(false);
        walk.max_depth(Some(DEEPEST)).threads(available_parallelism().map_or(1, |n| n.get().min(MOST_THREADS)));
        let passed_over = Arc::clone(&odd);
        walk.filter_entry(move |entry| entry.depth() == 0 || is_entered(entry, &passed_over));
        walk.build_parallel().run(|| {
            let mut mine = Mine { all: &found, found: Found::default() };
            Box::new(move |entry| match entry {
                Ok(entry) => mine.take(root, &entry, is_manifest),
                // A folder that may not be read has no sources for anybody.
                Err(_) => WalkState::Continue,
            })
        });
        let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        found.finish(folder, ignores, odd.load(Ordering::Relaxed), is_manifest)
    }
}

impl Tree {
    /// The folders beneath the root that hold manifests, which makes them projects of their own.
    pub(super) fn subprojects(&self) -> Vec<Subproject> {
        let mut folders: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for file in &self.manifests {
            let (folder, name) = (parent(file), file.rsplit('/').next().unwrap_or(file));
            if !matches!(folder, "." | "requirements") {
                folders.entry(folder).or_default().push(name.to_owned());
            }
        }
        folders.into_iter().map(|(path, manifests)| Subproject { path: path.to_owned(), manifests }).collect()
    }

    /// The folders whose sources are others', or of a project of its own, by their manifests; without those that lie in
    /// another of them.
    pub(super) fn others_sources(&self) -> Vec<&str> {
        let folders = self.manifests.iter().map(|file| parent(file)).chain(self.vendored.iter().map(String::as_str));
        let mut folders: Vec<&str> = folders.filter(|folder| *folder != ".").collect();
        folders.sort_unstable();
        let mut outer: Vec<&str> = Vec::new();
        for folder in folders {
            if !outer.iter().any(|outer| folder == *outer || is_beneath(folder, outer)) {
                outer.push(folder);
            }
        }
        outer
    }

    /// How many Python files are the project's own.
    pub(super) fn own_python(&self) -> usize {
        let others = self.others_sources();
        self.python.iter().filter(|file| !others.iter().any(|folder| is_beneath(file, folder))).count()
    }

    /// The manifests beneath the root, for a hint, the first of many.
    pub(super) fn files_beneath(&self) -> Option<String> {
        let beneath = self.manifests.iter().filter(|file| parent(file) != ".");
        let files: Vec<String> = beneath.take(NAMED).map(|file| format!("`{}`", shown(file))).collect();
        (!files.is_empty()).then(|| files.join(", "))
    }

    /// What to do where the root asks for nothing.
    pub(super) fn hint(&self) -> String {
        let one = |project: &Subproject| {
            let files: Vec<String> = project.manifests.iter().take(NAMED).map(|file| shown(file)).collect();
            format!("`{}` ({})", shown(&project.path), files.join(", "))
        };
        let projects: Vec<String> = self.subprojects().iter().take(NAMED).map(one).collect();
        match projects.len() {
            0 => "list what the project needs in a `requirements.txt`, or name the folder that holds the project"
                .to_owned(),
            1 => format!("projects beneath: {}: give its path", projects.join(", ")),
            _ => format!("projects beneath: {}: give the path of one", projects.join(", ")),
        }
    }
}

/// What one thread has found; it goes to the others' when the thread ends.
struct Mine<'a> {
    all: &'a Mutex<Found>,
    found: Found,
}

impl Mine<'_> {
    fn take(&mut self, root: &Path, entry: &DirEntry, is_manifest: fn(&str) -> bool) -> WalkState {
        self.found.entries += 1;
        if self.found.entries > MOST_ENTRIES {
            self.found.too_many = true;
            return WalkState::Quit;
        }
        let Some(kind) = entry.file_type() else { return WalkState::Continue };
        if kind.is_dir() {
            self.found.too_deep |= entry.depth() == DEEPEST;
        } else if kind.is_file() {
            self.file(root, entry, is_manifest);
        }
        WalkState::Continue
    }

    fn file(&mut self, root: &Path, entry: &DirEntry, is_manifest: fn(&str) -> bool) {
        let name = entry.file_name().to_string_lossy();
        let (python, notebook) = (has_ending(&name, "py"), has_ending(&name, "ipynb"));
        let manifest = is_manifest(&name) || is_in_requirements(entry, &name);
        if !(python || notebook || manifest) {
            return;
        }
        let Some(path) = entry.path().strip_prefix(root).ok().and_then(Path::to_str) else {
            self.found.unnamed += 1;
            return;
        };
        let tree = &mut self.found.tree;
        if python {
            tree.python.push(path.to_owned());
        }
        if notebook {
            tree.notebooks.push(path.to_owned());
        }
        let lies_in = |names: &[&str]| path.split('/').rev().skip(1).any(|folder| names.contains(&folder));
        if manifest && lies_in(&VENDORED) {
            tree.vendored.push(parent(path).to_owned());
        } else if manifest && !lies_in(&NOT_PROJECTS) {
            tree.manifests.push(path.to_owned());
        }
    }
}

impl Drop for Mine<'_> {
    fn drop(&mut self) {
        let found = std::mem::take(&mut self.found);
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.tree.python.extend(found.tree.python);
        all.tree.notebooks.extend(found.tree.notebooks);
        all.tree.manifests.extend(found.tree.manifests);
        all.tree.vendored.extend(found.tree.vendored);
        all.too_many |= found.too_many;
        all.unnamed += found.unnamed;
        all.too_deep |= found.too_deep;
    }
}

impl Found {
    /// The tree, in order, with the notes on what is not in it.
    fn finish(self, folder: &Folder, ignores: bool, odd: usize, is_manifest: fn(&str) -> bool) -> Tree {
        let mut tree = self.tree;
        tree.manifests.extend(folder.list(".").into_iter().filter(|name| is_manifest(name) && folder.has(name)));
        for paths in [&mut tree.python, &mut tree.notebooks, &mut tree.manifests, &mut tree.vendored] {
            paths.sort_unstable();
            paths.dedup();
        }
        let mut note = |message: String| tree.notes.push(Note::warning(message, Origin::file(".", 1)));
        for (paths, what) in [(&mut tree.python, "Python files"), (&mut tree.notebooks, "notebooks")] {
            if paths.len() > MOST_PYTHON {
                note(format!("of {} {what} the first {MOST_PYTHON} are read", paths.len()));
                paths.truncate(MOST_PYTHON);
            }
        }
        if self.too_many {
            note(format!("the folder holds more than {MOST_ENTRIES} entries: not all of them were looked at"));
        }
        if self.too_deep {
            note(format!("folders deeper than {DEEPEST} are not looked into"));
        }
        if self.unnamed > 0 {
            note(format!("{} files are passed over: their names are not UTF-8 text", self.unnamed));
        }
        if odd > 0 {
            note(format!("{odd} folders are passed over: their `.gitignore` or `.ignore` is long, or no regular file"));
        }
        if !ignores {
            note(
                "the `.gitignore` or `.ignore` in the root is not followed: it is long, or no regular file".to_owned(),
            );
        }
        tree
    }
}

/// Whether `path` lies somewhere beneath `folder`.
pub(super) fn is_beneath(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

fn has_ending(name: &str, ending: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case(ending))
}

/// Whether a file lies in the folder `requirements` of the root, whose files need no telling names (`requirements/gpu.txt`).
fn is_in_requirements(entry: &DirEntry, name: &str) -> bool {
    entry.depth() == 2
        && entry.path().parent().and_then(Path::file_name) == Some(OsStr::new("requirements"))
        && (has_ending(name, "txt") || has_ending(name, "in"))
}

/// Whether an entry is looked at, or a folder into.
fn is_entered(entry: &DirEntry, odd: &AtomicUsize) -> bool {
    let name = entry.file_name().to_string_lossy();
    if name.starts_with('.') && name != ".devcontainer" {
        return false;
    }
    if !entry.file_type().is_some_and(|kind| kind.is_dir()) {
        return true;
    }
    if OTHERS.contains(&&*name) || name.ends_with(".egg-info") || name.ends_with(".dist-info") {
        return false;
    }
    let path = entry.path();
    if OUTPUTS.contains(&&*name) && !path.join("__init__.py").is_file() {
        return false;
    }
    if ENVIRONMENTS.iter().any(|mark| path.join(mark).exists()) {
        return false;
    }
    let plain = ignores_are_plain(path);
    odd.fetch_add(usize::from(!plain), Ordering::Relaxed);
    plain
}

/// Whether the files of a folder that say what to pass over are what they seem: to open a pipe would never end.
fn ignores_are_plain(folder: &Path) -> bool {
    [".gitignore", ".ignore"].iter().all(|name| match fs::metadata(folder.join(name)) {
        Ok(metadata) => metadata.is_file() && metadata.len() <= LONGEST_IGNORE,
        Err(_) => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(root: &Path) -> Tree {
        Tree::walk(&Folder::open(root).unwrap(), |name| name == "pyproject.toml" || name.ends_with("requirements.txt"))
    }

    fn write(root: &Path, files: &[&str]) {
        for file in files {
            fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
            fs::write(root.join(file), "").unwrap();
        }
    }

    #[test]
    fn a_tree_is_sorted_and_without_others_files() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        write(
            root,
            &["train.py", "a/z.py", "a/b.py", "n.ipynb", "image.png", "build/lib/x.py", "src/build/__init__.py"],
        );
        write(root, &["env/pyvenv.cfg", "env/x.py", "conda/conda-meta/history", "conda/x.py", "node_modules/x.py"]);
        write(root, &[".git/x.py", ".hidden.py", "x.egg-info/y.py", "wandb/run-1/files/code/train.py"]);
        let tree = walk(root);
        assert_eq!(tree.python, ["a/b.py", "a/z.py", "src/build/__init__.py", "train.py"]);
        assert_eq!(tree.notebooks, ["n.ipynb"]);
        assert_eq!(tree.notes, []);
    }

    #[test]
    fn what_is_kept_out_of_the_repository_is_no_source_and_a_manifest_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        write(root, &["requirements.txt", "out/x.py", "out/pyproject.toml", "a.py", "sub/secret.py"]);
        fs::write(root.join(".gitignore"), "requirements.txt\n/out\n").unwrap();
        fs::write(root.join("sub/.ignore"), "secret.py\n").unwrap();
        let tree = walk(root);
        assert_eq!(tree.python, ["a.py"]);
        assert_eq!(tree.manifests, ["requirements.txt"]);
    }

    #[test]
    fn manifests_of_tests_and_of_others_are_no_projects() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        write(root, &["tests/data/pyproject.toml", "third_party/x/pyproject.toml", "web/requirements.txt"]);
        write(root, &["requirements/gpu.txt", "requirements/deep/gpu.txt", ".devcontainer/requirements.txt"]);
        let manifests = [".devcontainer/requirements.txt", "requirements/gpu.txt", "web/requirements.txt"];
        assert_eq!(walk(root).manifests, manifests);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed_and_pipes_not_opened() {
        use std::os::unix::{ffi::OsStrExt, fs::symlink, net::UnixListener};
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        write(root, &["a/a.py", "b/b.py"]);
        symlink(root, root.join("a/circle")).unwrap();
        let _socket = UnixListener::bind(root.join("b/.gitignore")).unwrap();
        fs::write(root.join(OsStr::from_bytes(b"caf\xe9.py")), "").unwrap();
        let tree = walk(root);
        assert_eq!(tree.python, ["a/a.py"]);
        let notes: Vec<&str> = tree.notes.iter().map(|note| note.message.as_str()).collect();
        assert_eq!(notes.len(), 2, "{notes:?}");
        assert!(notes[0].contains("not UTF-8") && notes[1].contains("no regular file"), "{notes:?}");
    }

    #[test]
    fn depth_has_an_end() {
        let folder = tempfile::tempdir().unwrap();
        let deep = "d/".repeat(DEEPEST + 5);
        write(folder.path(), &[&format!("{deep}x.py"), "top.py"]);
        let tree = walk(folder.path());
        assert_eq!(tree.python, ["top.py"]);
        assert!(tree.notes.iter().any(|note| note.message.contains("deeper")), "{:?}", tree.notes);
    }
}
