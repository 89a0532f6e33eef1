//! The Python sources: what they import, and how they compile.
//!
//! Every file is looked at by itself, several at a time ([`scan`]): its imports ([`imports`]), its uses of `torch.compile`
//! ([`compile`]) and the devices that it names ([`devices`]). What all of them import together is concluded in [`ask`].

mod ask;
mod compile;
mod devices;
mod imports;
mod lenient;
mod lines;
mod local;
mod notebook;
mod place;
mod scan;
mod script;
mod syntax;

use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::available_parallelism;

use self::scan::{Scanned, scan};
use super::draft::Draft;
use super::folder::{Folder, parent};
use super::python_file::on_big_stack;
use super::text::shown;
use super::tree::{Tree, is_beneath};
use crate::model::{Note, Origin, Project};

/// How many files of one thread make a second one worth its start.
const FILES_A_THREAD: usize = 8;
/// More threads than this take memory rather than time.
const MOST_THREADS: usize = 4;
/// How many files that cannot be read are named one by one.
const NAMED: usize = 10;
/// How many uses of `torch.compile` are listed; no project that a person wrote has more.
const MOST_USES: usize = 10_000;
/// How many files are looked at for an import of torch where no file asks for it.
const MOST_LOOKED_AT: usize = 5_000;

/// Takes up what the sources tell; where `imports` is set, what they import is asked for.
pub(super) fn read(draft: &mut Draft<'_>, tree: &Tree, imports: bool) {
    draft.project.notes.extend(tree.notes.iter().cloned());
    draft.project.sources.files = tree.python.len() + tree.notebooks.len();
    let files: Vec<&str> = tree.python.iter().chain(&tree.notebooks).map(String::as_str).collect();
    let others = tree.others_sources();
    let asks = |file: &str| imports && !others.iter().any(|folder| is_beneath(file, folder));
    let mut scanned = scan_all(draft.folder, &files, asks);
    if imports {
        note_others(draft, &files, &others);
    }
    unread(draft, &mut scanned);
    for (file, scanned) in &mut scanned {
        note_executed(draft, file, &scanned.executed);
        draft.project.notes.extend(scanned.script.iter().map(|script| script.note.clone()));
        draft.project.sources.compiles.append(&mut scanned.compiles);
        draft.project.sources.devices.append(&mut scanned.devices);
        draft.project.notes.append(&mut scanned.notes);
    }
    too_many_uses(draft);
    if imports {
        scanned.retain(|(file, _)| asks(file));
        ask::ask(draft, tree, &scanned);
    }
}

/// What each of `files` tells, in their order.
fn scan_all<'a>(folder: &Folder, files: &[&'a str], imports: impl Fn(&str) -> bool + Sync) -> Vec<(&'a str, Scanned)> {
    let cores = available_parallelism().map_or(1, NonZero::get);
    let threads = files.len().div_ceil(FILES_A_THREAD).min(cores).min(MOST_THREADS);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut found = Vec::new();
        while let Some((at, file)) =
            Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, *files.get(at)?)))
        {
            found.push((at, scan(folder, file, imports(file))));
        }
        found
    };
    let mut found: Vec<(usize, Scanned)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(|| on_big_stack(work).unwrap_or_default())).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
    });
    found.sort_unstable_by_key(|(at, _)| *at);
    found.into_iter().filter_map(|(at, scanned)| Some((*files.get(at)?, scanned))).collect()
}

/// Says whose imports are not those of this project.
fn note_others(draft: &mut Draft<'_>, files: &[&str], others: &[&str]) {
    let mut with_sources = others.iter().filter(|folder| files.iter().any(|file| is_beneath(file, folder)));
    let Some(first) = with_sources.next() else { return };
    let mut names = vec![format!("`{}`", shown(first))];
    names.extend(with_sources.by_ref().take(NAMED).map(|folder| format!("`{}`", shown(folder))));
    names.extend(with_sources.next().map(|_| "others".to_owned()));
    let message = format!("the imports beneath {} are not asked for: files there say what they need", names.join(", "));
    draft.note(Note::info(message, Origin::file(*first, 1)));
}

/// Notes the files that a source runs as Python although they are not called so.
fn note_executed(draft: &mut Draft<'_>, file: &str, executed: &[(String, usize)]) {
    for (opened, line) in executed
        .iter()
        .filter(|(opened, _)| Path::new(opened).extension().is_none_or(|ending| ending != "py"))
        .take(NAMED)
    {
        let located = [parent(file), "."].into_iter().find_map(|base| draft.folder.locate(base, opened).ok());
        if let Some(located) = located {
            let message = format!(
                "`{}` is run by `exec`, and what it imports is not read: it is no `.py` file",
                shown(&located.path)
            );
            draft.note(Note::info(message, Origin::file(file, *line)));
        }
    }
}

/// Where the sources first import torch for sure, tests and other projects aside.
pub(super) fn imports_torch(folder: &Folder, tree: &Tree) -> Option<Origin> {
    let others = tree.others_sources();
    let own = |file: &&String| !others.iter().any(|folder| is_beneath(file, folder));
    tree.python.iter().filter(own).take(MOST_LOOKED_AT).find_map(|file| {
        let (text, _) = folder
            .read_source(file)
            .ok()
            .filter(|(text, _)| text.contains("import torch") || text.contains("from torch"))?;
        let scanned = on_big_stack(|| scan::imports_of(file, &text)).ok()?;
        if place::place(file, scanned.iter().map(|import| import.path.as_str())) != place::Place::Source {
            return None;
        }
        let counts = |import: &&imports::Imported| !(import.optional || import.typing || import.foreign);
        let torch = |import: &&imports::Imported| import.path.split('.').next() == Some("torch");
        scanned.iter().filter(counts).find(torch).map(|import| Origin::file(file, import.line))
    })
}

/// A warning where the sources import torch, and nothing of the project asks for it.
pub(super) fn unasked_torch(project: &Project, folder: &Folder, tree: &Tree) -> Option<Note> {
    let origin = project.torch.is_empty().then(|| imports_torch(folder, tree))??;
    let message = format!("the sources import `torch` ({origin}), and no file asks for it");
    Some(Note::warning(message, origin).with_hint("list `torch` and its version among the project's requirements"))
}

/// Notes the files that cannot be read, the first of them one by one.
fn unread(draft: &mut Draft<'_>, scanned: &mut [(&str, Scanned)]) {
    let unread: Vec<_> =
        scanned.iter_mut().filter_map(|(file, scanned)| Some((*file, scanned.unread.take()?))).collect();
    for (file, unread) in unread.iter().take(NAMED) {
        let message = format!("`{}` is not read as Python: {}", shown(file), shown(&unread.message));
        draft.note(Note::info(message, Origin::file(*file, unread.line)));
    }
    if let Some((file, _)) = unread.get(NAMED) {
        let message = format!("and {} files more are not read as Python", unread.len() - NAMED);
        draft.note(Note::info(message, Origin::file(*file, 1)));
    }
}

fn too_many_uses(draft: &mut Draft<'_>) {
    let uses = &mut draft.project.sources.compiles;
    let Some(last) = uses.get(MOST_USES) else { return };
    let message = format!("of {} uses of `torch.compile` the first {MOST_USES} are listed", uses.len());
    let note = Note::warning(message, last.origin.clone());
    uses.truncate(MOST_USES);
    draft.note(note);
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::super::testing::folder_of;
    use super::*;
    use crate::catalogue::Packages;
    use crate::inspect::{InspectOptions, inspect};
    use crate::model::{CompileForm, ManifestKind, Result};

    fn project(files: &[(&str, &str)]) -> Result<Project> {
        let root = folder_of(files);
        inspect(root.path(), &Packages::embedded().unwrap(), &InspectOptions::default())
    }

    fn asked(project: &Project) -> Vec<&str> {
        project.requirements.iter().map(|requirement| requirement.text.as_str()).collect()
    }

    fn messages(project: &Project) -> String {
        format!("{:?}", project.notes)
    }

    const TRAIN: &str = "\"\"\"\n$ torchrun --nproc_per_node=4 train.py\n\"\"\"\n\nimport os\nimport time\nimport math\nimport pickle\n\
        from contextlib import nullcontext\n\nimport numpy as np\nimport torch\n\
        from torch.nn.parallel import DistributedDataParallel as DDP\n\nfrom model import GPTConfig, GPT\n\n\
        device = 'cuda' # examples: 'cpu', 'cuda', 'cuda:0', or 'mps'\ncompile = True\n\
        exec(open('configurator.py').read())\nif ddp:\n    device = f'cuda:{ddp_local_rank}'\n\
        if compile:\n    unoptimized_model = model\n    model = torch.compile(model)\n\
        if wandb_log and master_process:\n    import wandb\n    wandb.init()\n";
    const MODEL: &str = "import math\nimport inspect\nfrom dataclasses import dataclass\n\nimport torch\nimport torch.nn as nn\n\n\
        class GPT(nn.Module):\n    @classmethod\n    def from_pretrained(cls, model_type):\n        \
        from transformers import GPT2LMHeadModel\n        return GPT2LMHeadModel\n";
    const PREPARE: &str = "import os\nfrom tqdm import tqdm\nimport numpy as np\nimport tiktoken\n\
        from datasets import load_dataset # huggingface datasets\n";
    const NOTEBOOK: &str = "{\"cells\": [{\"cell_type\": \"code\", \"source\": [\n\"import matplotlib.pyplot as plt\\n\",\n\
        \"import pandas as pd\\n\",\n\"%matplotlib inline\"\n]}], \"metadata\": {}, \"nbformat\": 4}";

    fn research() -> Project {
        project(&[
            ("train.py", TRAIN),
            ("model.py", MODEL),
            ("configurator.py", "import sys\nfrom ast import literal_eval\nfor arg in sys.argv[1:]:\n    exec(open(arg).read())\n"),
            ("data/openwebtext/prepare.py", PREPARE),
            ("data/shakespeare/prepare.py", "import os\nimport requests_like_local\nimport tiktoken\nimport numpy as np\n"),
            ("data/shakespeare/requests_like_local.py", "import json\n"),
            ("sample.py", "import os\nimport pickle\nimport torch\nimport tiktoken\nfrom model import GPT\nmodel = torch.compile(model) # requires PyTorch 2.0\n"),
            ("bench.py", "import numpy as np\nimport torch\nfrom model import GPT\ncompile = True\nif compile:\n    model = torch.compile(model, mode='max-autotune')\n"),
            ("render.py", "try:\n    import cv2\nexcept ImportError:\n    cv2 = None\n"),
            ("config/train_gpt2.py", "wandb_log = True\n"),
            ("scaling_laws.ipynb", NOTEBOOK),
        ])
        .unwrap()
    }

    #[test]
    fn a_project_as_research_code_comes() {
        let project = research();
        let expected = ["datasets", "numpy", "opencv-python", "tiktoken", "torch", "tqdm", "transformers", "wandb"];
        assert_eq!(asked(&project), expected);
        assert!(project.sources.imports.iter().all(|import| import.known));
        let optional: Vec<_> = project.sources.imports.iter().filter(|import| import.optional).collect();
        assert!(matches!(&optional[..], [cv2] if cv2.module == "cv2" && cv2.origin == Origin::file("render.py", 2)));
        assert_eq!(project.manifests.len(), 1);
        assert_eq!((project.manifests[0].path.as_str(), project.manifests[0].kind), (".", ManifestKind::PythonSources));
        let notes = messages(&project);
        assert!(notes.contains("only notebooks import `matplotlib`, `pandas`"), "{notes}");
        assert!(
            notes.contains("8 are asked for, since the sources import them, in versions that nothing pins"),
            "{notes}"
        );
        assert!(notes.contains("with a line for each, and its version: `datasets`, `numpy`"), "{notes}");
        assert_eq!(project.sources.files, 11);
    }

    #[test]
    fn its_compile_uses_and_devices_are_found() {
        let sources = research().sources;
        let uses: Vec<_> = sources
            .compiles
            .iter()
            .map(|found| (found.origin.to_string(), found.form, found.mode.as_deref()))
            .collect();
        assert_eq!(
            uses,
            [
                ("bench.py:6".to_owned(), CompileForm::Call, Some("max-autotune")),
                ("sample.py:6".to_owned(), CompileForm::Call, None),
                ("train.py:24".to_owned(), CompileForm::Call, None)
            ]
        );
        let devices: Vec<_> =
            sources.devices.iter().map(|found| format!("{} {}", found.device, found.origin)).collect();
        assert_eq!(devices, ["cuda train.py:17"]);
    }

    #[test]
    fn each_import_is_accounted_for() {
        let project = research();
        let read: Vec<_> =
            project.read.iter().map(|read| (read.path.as_str(), read.entries, read.facts, read.noted)).collect();
        let expected = [
            ("bench.py", 2, 2, 0),
            ("data/openwebtext/prepare.py", 4, 4, 0),
            ("data/shakespeare/prepare.py", 2, 2, 0),
            ("model.py", 3, 3, 0),
            ("render.py", 1, 1, 0),
            ("sample.py", 2, 2, 0),
            ("scaling_laws.ipynb", 2, 0, 2),
            ("train.py", 4, 4, 0),
        ];
        assert_eq!(read, expected);
    }

    #[test]
    fn where_a_manifest_asks_only_uses_are_read() {
        let project = project(&[
            ("requirements.txt", "torch\n"),
            ("a.py", "import numpy, torch\n@torch.compile\ndef f(): pass\n"),
        ])
        .unwrap();
        assert_eq!(asked(&project), ["torch"]);
        assert_eq!(project.sources.compiles.len(), 1);
        assert!(project.sources.imports.is_empty());
    }

    #[test]
    fn what_is_not_asked_for_is_said() {
        let train = "import torch\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pandas\n\
            if sys.platform == 'win32':\n    import colorama\ntry:\n    from flash_attn import flash_attn_func\n    import unheard_of\n\
            except ImportError:\n    pass\nimport clip\nimport utils.x, net_pb2, net_pb2_grpc\nimport urllib2\nimport _C\nimport mystery_module.sub\n\
            import tomllib, distutils\nfrom . import x\n__import__('einops')\nimport importlib\nimportlib.import_module('timm.models')\n";
        let project = project(&[
            ("train.py", train),
            ("tests/helper.py", "import hypothesis_like\n"),
            ("setup.py", "import pybind11\n"),
            ("docs/conf.py", "import sphinx_rtd_theme\n"),
            ("old.py", "import wandb\nprint 'two'\n"),
        ])
        .unwrap();
        assert_eq!(asked(&project), ["einops", "mystery-module", "timm", "torch", "wandb"]);
        let notes = messages(&project);
        for expected in [
            "only type checkers follow the imports of `pandas`",
            "only other platforms than Linux import `colorama`",
            "`flash_attn`, `unheard_of` may be absent",
            "`clip` is imported and not asked for: it is OpenAI's CLIP",
            "`urllib2` is a module of Python 2",
            "`_C` is no name of a distribution",
            "`utils` is a name that projects give to a module of their own",
            "`net_pb2`, `net_pb2_grpc` are generated",
            "which distributions bring `mystery_module` is not known",
            "only tests, documentation and packaging import `hypothesis_like`, `pybind11`, `sphinx_rtd_theme`",
            "`old.py` is not read as Python",
        ] {
            assert!(notes.contains(expected), "{expected}: {notes}");
        }
        assert!(project.read.iter().all(|read| read.entries == read.facts + read.noted), "{:?}", project.read);
        assert!(!notes.contains("defect"), "{notes}");
    }

    #[test]
    fn submodules_versions_and_scripts_say_what_is_asked_for() {
        let script = "# /// script\n# dependencies = [\"rich==13.0\"]\n# ///\nimport rich\n";
        let train = "import sys, torch\nfrom torch.utils.tensorboard import SummaryWriter\n\
            if sys.version_info < (3, 11):\n    import tomli as tomllib\nelse:\n    import tomllib\n\
            exec(open('conf/override.txt').read())\n";
        let project =
            project(&[("train.py", train), ("run.py", script), ("conf/override.txt", "x = 1"), ("empty.ipynb", "")])
                .unwrap();
        let expected = ["rich==13.0", "tensorboard", "tomli ; python_version < \"3.11\"", "torch"];
        assert_eq!(asked(&project), expected);
        assert_eq!(project.requirements[2].marker.as_deref(), Some("python_version < \"3.11\""));
        assert!(project.read.iter().any(|read| read.path == "train.py" && read.entries == 3), "{:?}", project.read);
        let notes = messages(&project);
        for expected in [
            "`run.py` asks for `rich==13.0` in its own metadata",
            "4 are asked for, since the sources import them, 3 of them in versions that nothing pins",
            "`conf/override.txt` is run by `exec`",
            "`empty.ipynb` is not read as Python",
        ] {
            assert!(notes.contains(expected), "{expected}: {notes}");
        }
    }

    #[test]
    fn other_projects_imports_are_theirs() {
        let files = [
            ("train.py", "import torch, sub"),
            ("sub/pyproject.toml", "[project]\nname = 'sub'\nversion = '1'"),
            ("sub/sub/__init__.py", "import pandas"),
            ("third_party/foo/setup.py", "import pybind11"),
            ("third_party/foo/foo.py", "import scipy"),
            ("requirements/full/requirements.txt", "numpy"),
        ];
        let found = project(&files).unwrap();
        assert_eq!(asked(&found), ["torch"]);
        let notes = messages(&found);
        assert!(notes.contains("the imports beneath `sub`, `third_party/foo` are not asked for"), "{notes}");
        assert!(
            notes.contains("`--from FILE` reads one of `requirements/full/requirements.txt`, `sub/pyproject.toml`")
        );
        let error = project(&files[1..3]).unwrap_err();
        let hint = error.hint.unwrap();
        assert!(hint.contains("projects beneath: `sub` (pyproject.toml): give its path"), "{hint}");
    }

    #[test]
    fn torch_that_no_file_asks_for_is_said() {
        let asks = |requirements, source| {
            let found =
                project(&[("requirements.txt", requirements), ("tests/a.py", "import torch"), ("p.py", source)]);
            messages(&found.unwrap()).contains("the sources import `torch` (p.py:2), and no file asks for it")
        };
        assert!(asks("numpy", "import os\nfrom torch import nn"));
        assert!(!asks("timm", "import os\nfrom torch import nn"));
        assert!(!asks("numpy", "import os\ntry:\n    import torch\nexcept ImportError: pass"));
    }

    #[test]
    fn imports_without_end_have_one() {
        let many = (0..6_000).map(|n| format!("import numpy.m{n}\n")).collect::<Vec<_>>().concat();
        let project = project(&[("a.py", &many)]).unwrap();
        assert_eq!(asked(&project), ["numpy"]);
        assert!(messages(&project).contains("of the imports of `a.py` the last 1000 are not looked at"));
    }

    #[test]
    fn notebooks_alone_are_the_project() {
        let project = project(&[("a.ipynb", NOTEBOOK)]).unwrap();
        assert_eq!(asked(&project), ["matplotlib", "pandas"]);
        assert_eq!(project.sources.imports[0].origin, Origin::file("a.ipynb", 2));
    }

    #[test]
    fn other_encodings_still_show_their_imports() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("a.py"), b"# -*- coding: gbk -*-\n# \xc4\xe3\nimport torch\n").unwrap();
        let project = inspect(root.path(), &Packages::embedded().unwrap(), &InspectOptions::default()).unwrap();
        assert_eq!(asked(&project), ["torch"]);
        assert!(messages(&project).contains("the encoding `gbk`, which is not read"));
    }

    proptest! {
        // Each case reads two folders.
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn random_sources_never_panic(text in r"(import |from |torch|\.compile|\(|\)|@|try:|\n|    |if |'|=|x|,|\*|not |#|%|!){0,60}") {
            let _ = project(&[("a.py", &text), ("requirements.txt", "torch")]);
            let _ = project(&[("a.py", &text)]);
            let _ = notebook::read(&text);
        }

        #[test]
        fn random_cells_never_panic(text in r"\PC{0,80}") {
            let cell = serde_json::json!({"cells": [{"cell_type": "code", "source": [text.clone()]}]}).to_string();
            let _ = notebook::read(&cell);
            let _ = notebook::read(&text);
            let _ = lenient::imports_only(&text);
        }
    }
}
