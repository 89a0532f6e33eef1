//! Bad input, format by format: an error or a note that names file and line, soon, and never a panic.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use sconce::catalogue::Packages;
use sconce::inspect::{InspectOptions, inspect};
use sconce::model::{Error, ErrorKind, Origin, Project, Result};

use super::corpus::within;
use super::{project, shown};

const MANIFEST: (&str, &[u8]) =
    ("pyproject.toml", b"[project]\nname = \"x\"\nversion = \"1\"\ndependencies = [\"torch\"]\n");
const POETRY: (&str, &[u8]) =
    ("pyproject.toml", b"[tool.poetry]\nname = \"x\"\n[tool.poetry.dependencies]\ntorch = \"*\"\n");

fn read(root: &Path, from: &[&str]) -> Result<Project> {
    let options = InspectOptions { from: from.iter().map(|&file| file.to_owned()).collect(), name: None };
    let root = root.to_owned();
    within("bad input", move || inspect(&root, &Packages::embedded().unwrap(), &options))
}

fn outcome(files: &[(&str, &[u8])]) -> Result<Project> {
    read(project(files).path(), &[])
}

/// The file and line that an error blames.
fn place(error: &Error) -> (String, usize) {
    match &error.origin {
        Some(Origin::File { file, line }) => (file.clone(), *line),
        other => panic!("{} blames {other:?}", shown(error)),
    }
}

/// Reading fails, and blames this file and line.
#[track_caller]
fn refused(files: &[(&str, &[u8])], file: &str, line: usize) -> Error {
    let error = match outcome(files) {
        Err(error) => error,
        Ok(project) => panic!("{file} is taken: {:#?}", project.notes),
    };
    assert_eq!(error.kind, ErrorKind::Usage, "{}", shown(&error));
    assert_eq!(place(&error), (file.to_owned(), line), "{}", shown(&error));
    error
}

/// Reading succeeds, and a warning stands at this file.
#[track_caller]
fn warned(files: &[(&str, &[u8])], file: &str) -> Project {
    let project = outcome(files).unwrap_or_else(|error| panic!("{file}: {}", shown(&error)));
    let of_file = |origin: &Origin| matches!(origin, Origin::File { file: of, .. } if of == file);
    assert!(project.notes.iter().any(|note| of_file(&note.origin)), "{file}: {:#?}", project.notes);
    project
}

#[test]
fn a_broken_manifest_is_refused_at_its_line() {
    refused(
        &[("pyproject.toml", b"[project]\nname = \"x\"\ndependencies = [\n  \"torch\"\n  \"numpy\"\n]\n")],
        "pyproject.toml",
        5,
    );
    refused(
        &[("pyproject.toml", b"[tool.poetry]\nname = \"x\"\n[tool.poetry.dependencies]\ntorch = \n")],
        "pyproject.toml",
        4,
    );
    refused(&[("Pipfile", b"[packages]\ntorch = \"*\"\nnumpy = *\n")], "Pipfile", 3);
    refused(&[("pixi.toml", b"[workspace]\nname = \"x\"\n\n[dependencies\npytorch = \"*\"\n")], "pixi.toml", 4);
    refused(&[("environment.yml", b"name: x\ndependencies:\n  - pytorch\n - numpy\n")], "environment.yml", 4);
    refused(&[("environment.yml", b"name: x\ndependencies:\n  - \"pytorch\n")], "environment.yml", 3);
    refused(&[("setup.cfg", b"[metadata]\nname = x\n\n[options\ninstall_requires = torch\n")], "setup.cfg", 4);
    refused(&[("setup.py", b"from setuptools import setup\n\nsetup(install_requires=['torch'\n")], "setup.py", 4);
}

#[test]
fn an_entry_that_its_tool_refuses_is_refused_at_its_line() {
    refused(
        &[("pyproject.toml", b"[project]\nname = \"x\"\ndependencies = [\n  \"torch\",\n  \"numpy=>2\",\n]\n")],
        "pyproject.toml",
        5,
    );
    refused(
        &[("pyproject.toml", b"[project]\nname = \"x\"\nrequires-python = \"three\"\ndependencies = [\"torch\"]\n")],
        "pyproject.toml",
        3,
    );
    refused(&[("pyproject.toml", b"[project]\nname = \"x\"\ndependencies = [\"torch\"]\n\n[dependency-groups]\na = [{ include-group = \"b\" }]\nb = [{ include-group = \"a\" }]\n")], "pyproject.toml", 7);
    refused(
        &[("pyproject.toml", b"[tool.poetry]\nname = \"x\"\n[tool.poetry.dependencies]\ntorch = \"^two\"\n")],
        "pyproject.toml",
        4,
    );
    refused(&[("Pipfile", b"[packages]\nnumpy = \"*\"\ntorch = \"=>2\"\n")], "Pipfile", 3);
    refused(&[("requirements.txt", b"torch\n\nnumpy=>2 # x\n")], "requirements.txt", 3);
}

#[test]
fn a_broken_lock_is_refused_at_its_line() {
    refused(
        &[MANIFEST, ("uv.lock", b"version = 1\n\n[[package]]\nname = \"torch\nversion = \"2.9.1\"\n")],
        "uv.lock",
        4,
    );
    refused(&[MANIFEST, ("uv.lock", b"version = 1\n\n[[package]]\nname = \"torch\"\nversion = \"2.9")], "uv.lock", 5);
    refused(&[MANIFEST, ("pylock.toml", b"lock-version = \"1.0\"\n[[packages]]\nname = \n")], "pylock.toml", 3);
    refused(&[MANIFEST, ("pdm.lock", b"[metadata]\nlock_version = \"4.5.0\n")], "pdm.lock", 2);
    refused(
        &[POETRY, ("poetry.lock", b"[[package]]\nname = \"torch\"\nversion = \"2.4.1\"\nfiles = [\n  {file = \"x\"\n")],
        "poetry.lock",
        5,
    );
    refused(
        &[
            ("Pipfile", b"[packages]\ntorch = \"*\"\n"),
            ("Pipfile.lock", b"{\n  \"_meta\": {},\n  \"default\": {\n    \"torch\": {\"version\""),
        ],
        "Pipfile.lock",
        4,
    );
    refused(
        &[
            ("pixi.toml", b"[workspace]\nchannels = []\nplatforms = []\n[dependencies]\npytorch = \"*\"\n"),
            ("pixi.lock", b"version: 6\nenvironments:\n  default: [\n"),
        ],
        "pixi.lock",
        4,
    );
}

/// A newer tool wrote it: what is understood is read, and a warning says so.
#[test]
fn an_unknown_version_of_a_lock_is_warned_of() {
    let uv: &[u8] = b"version = 99\n\n[[package]]\nname = \"torch\"\nversion = \"2.9.1\"\nsource = { registry = \"https://pypi.example.org/simple\" }\n";
    warned(&[MANIFEST, ("uv.lock", uv)], "uv.lock");
    warned(
        &[
            MANIFEST,
            (
                "pylock.toml",
                b"lock-version = \"9.0\"\ncreated-by = \"x\"\n[[packages]]\nname = \"torch\"\nversion = \"2.9.1\"\n",
            ),
        ],
        "pylock.toml",
    );
    warned(
        &[
            MANIFEST,
            ("pdm.lock", b"[metadata]\nlock_version = \"99.0\"\n[[package]]\nname = \"torch\"\nversion = \"2.9.1\"\n"),
        ],
        "pdm.lock",
    );
    warned(
        &[
            POETRY,
            (
                "poetry.lock",
                b"[[package]]\nname = \"torch\"\nversion = \"2.9.1\"\n[metadata]\nlock-version = \"99.0\"\n",
            ),
        ],
        "poetry.lock",
    );
    warned(
        &[
            ("Pipfile", b"[packages]\ntorch = \"*\"\n"),
            ("Pipfile.lock", br#"{"_meta": {"pipfile-spec": 99}, "default": {"torch": {"version": "==2.9.1"}}}"#),
        ],
        "Pipfile.lock",
    );
    warned(
        &[
            ("pixi.toml", b"[workspace]\nchannels = []\nplatforms = []\n[dependencies]\npytorch = \"*\"\n"),
            ("pixi.lock", b"version: 99\nenvironments: {}\npackages: []\n"),
        ],
        "pixi.lock",
    );
}

#[test]
fn what_is_not_utf8_is_refused_at_its_line() {
    refused(&[("pyproject.toml", b"[project]\nname = \"x\"\n# caf\xe9\n")], "pyproject.toml", 3);
    refused(&[MANIFEST, ("uv.lock", b"version = 1\n\xff\n")], "uv.lock", 2);
    refused(&[("environment.yml", b"name: x\n# \xff\ndependencies: [pytorch]\n")], "environment.yml", 2);
    refused(&[("Pipfile", b"[packages]\n# \xff\n")], "Pipfile", 2);
    refused(&[("setup.cfg", b"[options]\ninstall_requires =\n  \xff\n")], "setup.cfg", 3);
    refused(&[("requirements.txt", b"torch\n# caf\xe9\n")], "requirements.txt", 2);
}

/// A hint that cannot be read stops nothing.
#[test]
fn a_bad_hint_is_only_warned_of() {
    let torch: (&str, &[u8]) = ("requirements.txt", b"torch\n");
    warned(&[torch, ("Dockerfile", b"FROM\nRUN \xff\n")], "Dockerfile");
    warned(&[torch, (".devcontainer/devcontainer.json", b"{ \"image\": [\n")], ".devcontainer/devcontainer.json");
    warned(&[torch, ("train.py", b"import torch\ntorch.compile(f)\ndef f(:\n")], "train.py");
    warned(&[torch, ("curves.ipynb", b"{ \"cells\": [\n\"torch.compile(f)\"")], "curves.ipynb");
}

#[test]
fn a_source_that_cannot_be_read_hides_no_other() {
    let project = warned(&[("a.py", b"import numpy\ndef f(:\n"), ("b.py", b"import torch\n")], "a.py");
    assert_eq!(project.requirements_on("torch").count(), 1);
}

#[test]
fn sources_of_python_2_are_named_and_their_imports_read() {
    let project = warned(&[("old.py", b"import torch\nprint 'x'\n")], "old.py");
    assert_eq!(project.requirements_on("torch").count(), 1);
}

/// A billion of nodes from a few lines: none of them is made.
#[test]
fn yaml_does_not_explode() {
    let mut bomb = String::from("name: x\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for n in 1..12 {
        let before = format!("*a{}", n - 1);
        writeln!(bomb, "a{n}: &a{n} [{}]", vec![before; 10].join(", ")).unwrap();
    }
    bomb.push_str("dependencies: *a11\n");
    match outcome(&[("environment.yml", bomb.as_bytes())]) {
        Ok(project) => assert!(project.requirements.len() < 10_000),
        Err(error) => assert_eq!(place(&error).0, "environment.yml"),
    }
}

#[test]
fn deep_nesting_is_refused() {
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(20_000), close.repeat(20_000));
    let toml = format!("[project]\nname = \"x\"\na = {}\n", deep("[", "]"));
    refused(&[("pyproject.toml", toml.as_bytes())], "pyproject.toml", 3);
    let yaml = format!("name: x\ndependencies: {}\n", deep("[", "]"));
    refused(&[("environment.yml", yaml.as_bytes())], "environment.yml", 2);
    let json = format!("{{\n\"default\": {}}}\n", deep("{\"a\": ", "}"));
    refused(&[("Pipfile", b"[packages]\ntorch = \"*\"\n"), ("Pipfile.lock", json.as_bytes())], "Pipfile.lock", 2);
    let python = format!("import torch\ntorch.compile(f)\nx = {}\n", deep("(", ")"));
    let setup = format!("from setuptools import setup\nsetup(install_requires={})\n", deep("(", ")"));
    let error = refused(&[("setup.py", setup.as_bytes())], "setup.py", 2);
    assert!(error.message.contains("deep"), "{}", shown(&error));
    warned(&[("requirements.txt", b"torch\n"), ("deep.py", python.as_bytes())], "deep.py");
}

/// A pipe never ends, and nobody writes to it: it is not opened, and said to be none of the files that are read.
#[test]
fn a_pipe_is_not_read() {
    for name in
        ["requirements.txt", "pyproject.toml", "uv.lock", "environment.yml", "Dockerfile", ".python-version", "x.py"]
    {
        let root = project(&[("deps.txt", b"torch\n")]);
        let made = Command::new("mkfifo").arg(root.path().join(name)).status().unwrap();
        assert!(made.success());
        let named = read(root.path(), &[name]).unwrap_err();
        assert_eq!(named.kind, ErrorKind::Usage, "{}", shown(&named));
        // Beside another manifest it stops nothing.
        read(root.path(), &["deps.txt"]).unwrap_or_else(|error| panic!("{name}: {}", shown(&error)));
        let _ = read(root.path(), &[]);
    }
}

#[test]
fn a_file_without_end_is_refused_unread() {
    for name in
        ["requirements.txt", "pyproject.toml", "environment.yml", "Pipfile", "setup.py", "setup.cfg", "pylock.toml"]
    {
        let root = project(&[]);
        let file = File::create(root.path().join(name)).unwrap();
        file.set_len(1 << 30).unwrap();
        let error = read(root.path(), &[]).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Usage);
        assert!(error.message.contains(name) && error.message.contains("longer than"), "{}", shown(&error));
    }
    // A source or a hint that long is passed over, and said to be.
    for name in ["big.py", "big.ipynb", "Dockerfile"] {
        let root = project(&[("requirements.txt", b"torch\n")]);
        File::create(root.path().join(name)).unwrap().set_len(1 << 30).unwrap();
        let project = read(root.path(), &[]).unwrap_or_else(|error| panic!("{name}: {}", shown(&error)));
        assert!(
            project.notes.iter().any(|note| note.message.contains(name) || note.origin.to_string().contains(name)),
            "{name}: {:#?}",
            project.notes
        );
    }
}

#[test]
fn links_lead_neither_out_nor_round() {
    let elsewhere = project(&[("secret.py", b"import secret_module\n"), ("requirements.txt", b"secret-package\n")]);
    let root = project(&[("main.py", b"import torch\n"), ("sub/x.py", b"import numpy\n")]);
    symlink(elsewhere.path(), root.path().join("out")).unwrap();
    symlink(elsewhere.path().join("secret.py"), root.path().join("linked.py")).unwrap();
    symlink("..", root.path().join("sub/up")).unwrap();
    symlink("loop", root.path().join("loop")).unwrap();
    symlink("b.py", root.path().join("a.py")).unwrap();
    symlink("a.py", root.path().join("b.py")).unwrap();
    symlink("nowhere.txt", root.path().join("dangling.py")).unwrap();
    let project = read(root.path(), &[]).unwrap_or_else(|error| panic!("{}", shown(&error)));
    let json = serde_json::to_string(&project).unwrap();
    assert!(!json.contains("secret"), "{json}");
    let names: Vec<&str> = project.requirements.iter().filter_map(|r| r.name.as_deref()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(project.subprojects.is_empty(), "{:?}", project.subprojects);
}

/// A manifest that is a link out of the project, of every format: refused where it would have been followed.
#[test]
fn no_manifest_is_followed_out_of_the_project() {
    let content = b"torch\n[project]\nname = 'secret-name'\n";
    let elsewhere = project(&[("secret", content)]);
    for name in [
        "requirements.txt",
        "pyproject.toml",
        "Pipfile",
        "pixi.toml",
        "environment.yml",
        "setup.cfg",
        "setup.py",
        "uv.lock",
        "poetry.lock",
        "pdm.lock",
        "pylock.toml",
        "Pipfile.lock",
        "pixi.lock",
    ] {
        let root = project(&[]);
        symlink(elsewhere.path().join("secret"), root.path().join(name)).unwrap();
        let error = read(root.path(), &[]).expect_err(name);
        assert!(!shown(&error).contains("secret-name"), "{name}: {}", shown(&error));
        assert!(error.message.contains("through a symbolic link"), "{name}: {}", shown(&error));
    }
}

#[test]
fn a_folder_with_the_name_of_a_manifest_is_none() {
    for name in
        ["requirements.txt", "pyproject.toml", "uv.lock", "setup.py", "Dockerfile", "main.py", ".python-version"]
    {
        let root = project(&[("deps.txt", b"torch\n")]);
        fs::create_dir(root.path().join(name)).unwrap();
        read(root.path(), &["deps.txt"]).unwrap_or_else(|error| panic!("{name}: {}", shown(&error)));
        let _ = read(root.path(), &[]);
    }
}

#[test]
fn an_unreadable_folder_stops_nothing() {
    use std::os::unix::fs::PermissionsExt as _;
    let root = project(&[("requirements.txt", b"torch\n"), ("private/x.py", b"import numpy\n")]);
    let private = root.path().join("private");
    fs::set_permissions(&private, fs::Permissions::from_mode(0o000)).unwrap();
    let outcome = read(root.path(), &[]);
    fs::set_permissions(&private, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(outcome.unwrap().requirements.len(), 1);
}
