//! Which modules are the project's own.
//!
//! A module is looked for where Python would (<https://docs.python.org/3/library/sys_path_init.html>): in the folder of the
//! script, in folders that sources add to `sys.path`, and in those from which people start scripts or that they install:
//! the root, `src`, `lib`, `python`, and those above the script. A folder without `__init__.py` is a module, too, but one
//! that yields to an installed package of the same name (<https://peps.python.org/pep-0420/#specification>).

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs;

use super::super::folder::{Folder, join, parent};
use super::super::tree::Tree;

/// Folders of the root that hold packages, as projects are laid out.
const LAYOUTS: [&str; 4] = [".", "src", "lib", "python"];
/// How many entries of a folder are looked at; no folder of sources has more.
const MOST_ENTRIES: usize = 10_000;
/// How deep a folder is searched for Python files.
const DEEPEST: usize = 2;
/// And how many folders of each.
const MOST_FOLDERS: usize = 16;

/// What a folder holds.
#[derive(Default)]
struct Held {
    /// The names of its Python files and compiled extensions.
    modules: HashSet<String>,
    folders: HashSet<String>,
}

impl Held {
    fn of(folder: &Folder, path: &str) -> Self {
        let mut held = Self::default();
        for entry in fs::read_dir(folder.root().join(path)).into_iter().flatten().flatten().take(MOST_ENTRIES) {
            let Ok(name) = entry.file_name().into_string() else { continue };
            if let Some(module) = module_of(&name) {
                held.modules.insert(module.to_owned());
            } else if !name.contains('.') && entry.path().is_dir() {
                held.folders.insert(name);
            }
        }
        held
    }
}

/// The module that a file is, by its name: `x` for `x.py` and for `x.cpython-312-x86_64-linux-gnu.so`
/// (<https://docs.python.org/3/library/importlib.html#importlib.machinery.all_suffixes>), and for the `x.pyx` of which
/// a build makes one.
fn module_of(name: &str) -> Option<&str> {
    let (stem, _) = name.split_once('.')?;
    let ending = name.rsplit('.').next()?;
    (!stem.is_empty() && matches!(ending, "py" | "pyx" | "so" | "pyd")).then_some(stem)
}

/// The modules of a project.
pub(super) struct Local<'a> {
    folder: &'a Folder,
    /// Python files, without their ending.
    files: HashSet<&'a str>,
    /// Folders with an `__init__.py`.
    packages: HashSet<&'a str>,
    /// Folders with Python files somewhere beneath.
    holding: HashSet<&'a str>,
    /// The names of all of these: somewhere in the project there is such a module.
    names: HashSet<&'a str>,
    /// Where modules are looked for besides the folder of the script and those above.
    roots: BTreeSet<String>,
    /// What folders hold, whether the walk looked at it or not: what a build writes, and what is kept out of the
    /// repository, is the project's own all the same.
    held: HashMap<String, Held>,
    /// What was found for a name in the folder of a script.
    known: HashMap<(String, String), bool>,
}

impl<'a> Local<'a> {
    /// The modules of `tree`, with the folders that sources add to `sys.path`, each with the file that does.
    pub(super) fn new<'b>(folder: &'a Folder, tree: &'a Tree, added: impl Iterator<Item = (&'b str, &'b str)>) -> Self {
        let mut local = Self {
            folder,
            files: HashSet::new(),
            packages: HashSet::new(),
            holding: HashSet::new(),
            names: HashSet::new(),
            roots: LAYOUTS.iter().map(|layout| (*layout).to_owned()).collect(),
            held: HashMap::new(),
            known: HashMap::new(),
        };
        for file in &tree.python {
            local.take(file);
        }
        for (file, added) in added {
            // Scripts are started in their own folder, or in the root.
            for base in [parent(file), "."] {
                local.roots.extend(folder.locate(base, added).ok().map(|located| located.path));
            }
        }
        local
    }

    fn take(&mut self, file: &'a str) {
        let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
        let mut inner = parent(file);
        if stem.rsplit('/').next() == Some("__init__") {
            self.packages.insert(inner);
        } else {
            self.files.insert(stem);
            self.names.extend(stem.rsplit('/').next());
        }
        while inner != "." && self.holding.insert(inner) {
            self.names.extend(inner.rsplit('/').next());
            inner = parent(inner);
        }
    }

    /// Whether the module `path`, imported by `file`, is the project's own; `distributed` tells that a distribution is
    /// known to bring it.
    pub(super) fn is_local(&mut self, file: &str, path: &str, distributed: bool) -> bool {
        // Only a distribution that a folder's module yields to needs more than the first part.
        let path = if distributed { path } else { path.split('.').next().unwrap_or(path) };
        let key = (parent(file).to_owned(), path.to_owned());
        // A module that imports its own name does not mean itself.
        let itself = file.rsplit('/').next().and_then(|name| name.strip_suffix(".py")) == path.split('.').next();
        if let Some(known) = self.known.get(&key).filter(|_| !itself) {
            return *known;
        }
        let found = if distributed { self.shadows(file, path) } else { self.is_anywhere(file, path) };
        if !itself {
            self.known.insert(key, found);
        }
        found
    }

    /// Whether the project's own module hides the one of a distribution.
    fn shadows(&mut self, file: &str, path: &str) -> bool {
        let (name, inner) = path.split_once('.').unwrap_or((path, ""));
        self.search(file, true).iter().any(|folder| {
            let module = join(folder, name);
            let is_file = self.files.contains(module.as_str()) || self.held(folder).modules.contains(name);
            (is_file && file.strip_suffix(".py") != Some(module.as_str()))
                || self.packages.contains(module.as_str())
                || self.yields_not(folder, name, inner)
        })
    }

    /// Whether a folder without `__init__.py` holds what is imported from it, so that no distribution can be meant.
    fn yields_not(&mut self, folder: &str, name: &str, inner: &str) -> bool {
        let module = join(folder, name);
        let Some(first) = inner.split('.').next().filter(|first| !first.is_empty()) else { return false };
        let inside = join(&module, first);
        if self.files.contains(inside.as_str()) || self.packages.contains(inside.as_str()) {
            return true;
        }
        self.held(folder).folders.contains(name) && {
            let held = self.held(&module);
            held.modules.contains("__init__") || held.modules.contains(first)
        }
    }

    /// Whether a module that no distribution is known for is somewhere in the project: rather that than a distribution
    /// of a stranger that happens to have its name.
    fn is_anywhere(&mut self, file: &str, name: &str) -> bool {
        self.names.contains(name)
            || self.search(file, false).iter().any(|folder| {
                let held = self.held(folder);
                held.modules.contains(name)
                    || (held.folders.contains(name) && self.holds_python(&join(folder, name), DEEPEST))
            })
    }

    /// Whether a folder holds Python files somewhere beneath, which are none of an environment.
    fn holds_python(&mut self, path: &str, depth: usize) -> bool {
        if self.folder.has(&join(path, "pyvenv.cfg")) {
            return false;
        }
        let held = self.held(path);
        if !held.modules.is_empty() {
            return true;
        }
        let folders: Vec<String> = held.folders.iter().map(|name| join(path, name)).collect();
        depth > 0 && folders.iter().take(MOST_FOLDERS).any(|folder| self.holds_python(folder, depth - 1))
    }

    fn held(&mut self, path: &str) -> &Held {
        let folder = self.folder;
        self.held.entry(path.to_owned()).or_insert_with(|| Held::of(folder, path))
    }

    /// The folders in which a module is looked for; within a package of the project, in `strict` terms, none is.
    fn search(&self, file: &str, strict: bool) -> Vec<String> {
        let mut folders: Vec<String> = self.roots.iter().cloned().collect();
        let mut folder = parent(file);
        while folder != "." {
            if !strict || !self.packages.contains(folder) {
                folders.push(folder.to_owned());
            }
            folder = parent(folder);
        }
        folders
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn check(files: &[&str], cases: &[(&str, &str, bool, bool)]) {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            fs::create_dir_all(root.path().join(file).parent().unwrap()).unwrap();
            let ignored = if *file == ".gitignore" { "data/\ndatasets\n" } else { "" };
            fs::write(root.path().join(file), ignored).unwrap();
        }
        let folder = Folder::open(root.path()).unwrap();
        let tree = Tree::walk(&folder, |_| false);
        let mut local = Local::new(&folder, &tree, [("tools/run.py", "../vendored")].into_iter());
        for (file, path, distributed, expected) in cases {
            assert_eq!(local.is_local(file, path, *distributed), *expected, "{path} of {file}");
        }
    }

    #[test]
    fn modules_are_looked_for_where_python_would() {
        check(
            &["train.py", "model.py", "tools/run.py", "tools/helper.py", "src/core/__init__.py", "vendored/wandb.py"],
            &[
                ("train.py", "model.Net", false, true),
                ("tools/run.py", "model", true, true),
                ("tools/run.py", "helper", true, true),
                ("train.py", "helper", false, true),
                ("train.py", "core.x", true, true),
                ("train.py", "wandb", true, true),
                ("train.py", "numpy", true, false),
                ("train.py", "nowhere", false, false),
            ],
        );
    }

    #[test]
    fn a_folder_yields_to_a_distribution_unless_it_holds_what_is_meant() {
        check(
            &["train.py", "datasets/coco.py", "data/shakespeare/prepare.py"],
            &[
                ("train.py", "datasets.load_dataset", true, false),
                ("train.py", "datasets", true, false),
                ("train.py", "datasets.coco.Coco", true, true),
                ("train.py", "data.shakespeare", false, true),
                // The folder of the script, which no more than the root is a package.
                ("datasets/coco.py", "coco", false, true),
            ],
        );
    }

    #[test]
    fn what_the_walk_passes_over_is_local_too() {
        check(
            &[
                "train.py",
                ".gitignore",
                "data/q.py",
                "datasets/coco.py",
                "wandb/run/files/x.txt",
                "ext.cpython-310-x86_64-linux-gnu.so",
                "fast.pyx",
                "win.cp310-win_amd64.pyd",
                "env/pyvenv.cfg",
                "env/x.py",
            ],
            &[
                ("train.py", "data.q", false, true),
                ("train.py", "datasets.coco.Coco", true, true),
                ("train.py", "datasets.load_dataset", true, false),
                ("train.py", "ext", false, true),
                ("train.py", "fast", false, true),
                ("train.py", "win", false, true),
                ("train.py", "wandb.init", true, false),
                ("train.py", "env", false, false),
            ],
        );
    }

    #[test]
    fn a_module_of_the_name_of_a_distribution_does_not_mean_itself() {
        check(
            &["loggers/wandb.py", "pkg/__init__.py", "pkg/wandb.py", "pkg/train.py"],
            &[
                ("loggers/wandb.py", "wandb.init", true, false),
                ("pkg/wandb.py", "wandb", true, false),
                ("pkg/train.py", "wandb", true, false),
            ],
        );
    }
}
