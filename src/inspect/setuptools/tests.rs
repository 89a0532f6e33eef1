//! Whole files, after what projects have.

mod edges;

use std::fs;

use super::super::draft::Draft;
use super::super::folder::join;
use super::super::testing::drafted;
use super::*;
use crate::model::{Project, Severity};

/// What reading `file`, among `files`, gives.
fn read_file(file: &str, files: &[(&str, &str)]) -> Result<Project> {
    Ok(drafted(files, |draft| read_manifest(draft, file))?.1)
}

fn script(text: &str) -> Project {
    read_file(SCRIPT, &[(SCRIPT, text)]).unwrap()
}

/// Each requirement, as `file:line extra text`.
fn asked(project: &Project) -> Vec<String> {
    let one = |requirement: &crate::model::Requirement| {
        let extra = requirement.extra.as_ref().map(|extra| format!("[{extra}] ")).unwrap_or_default();
        format!("{} {extra}{}", requirement.origin, requirement.text)
    };
    project.requirements.iter().map(one).collect()
}

fn warnings(project: &Project) -> Vec<String> {
    let notes = project.notes.iter().filter(|note| note.severity == Severity::Warning);
    notes.map(|note| format!("{}: {}", note.origin, note.message)).collect()
}

fn python(project: &Project) -> Vec<String> {
    project.python.iter().map(|c| format!("{} {:?} {}", c.origin, c.strength, c.specifiers)).collect()
}

#[test]
fn a_configuration_has_lines_files_and_extras() {
    let cfg = "\
[metadata]
name = my_model
classifiers =
    Programming Language :: Python :: 3
    Programming Language :: Python :: 3.11

[options]
python_requires = >=3.9
setup-requires = numpy
install_requires =
    torch>=2.1  # the point
    # a comment
    numpy; python_version < '3.12'

    importlib_metadata @ https://u:p@files.example.org/importlib_metadata-1.0.zip

[options.extras_require]
dev = pytest; black
docs = file: docs/requirements.txt
";
    let files = [
        ("setup.cfg", cfg),
        ("docs/requirements.txt", "sphinx\n"),
        (SCRIPT, "from setuptools import setup\nsetup()\n"),
    ];
    let project = read_file(CONFIGURATION, &files).unwrap();
    assert_eq!(
        asked(&project),
        [
            "setup.cfg:11 torch>=2.1",
            "setup.cfg:13 numpy; python_version < '3.12'",
            "setup.cfg:15 importlib_metadata @ https://files.example.org/importlib_metadata-1.0.zip",
            "setup.cfg:18 [dev] pytest",
            "setup.cfg:18 [dev] black",
            "docs/requirements.txt:1 [docs] sphinx",
        ]
    );
    assert_eq!(python(&project), ["setup.cfg:8 Required >=3.9", "setup.cfg:5 Hint >=3.11, <3.12"]);
    assert_eq!(project.name, "my_model");
    assert_eq!(project.package.as_ref().map(|package| package.origin.clone()), Some(Origin::file(SCRIPT, 1)));
    assert_eq!(warnings(&project).len(), 1, "{:?}", project.notes);
    assert!(project.notes.iter().any(|note| note.message.contains("`numpy`, of `setup_requires`")));
}

#[test]
fn only_a_configuration_that_asks_is_a_manifest() {
    let root = tempfile::tempdir().unwrap();
    let folder = Folder::open(root.path()).unwrap();
    for (text, expected) in [
        ("[flake8]\nmax-line-length = 100\n", false),
        ("[metadata]\nname = x\n[options]\npython_requires = >=3\n", false),
        ("[options]\ninstall_requires =\n", false),
        ("[options]\ninstall_requires = torch\n", true),
        ("[options.extras_require]\na = torch\n", true),
        ("install_requires = torch\n", true),
        ("[options]\npackages = find:\noops\n", true),
        ("[flake8]\noops\n", false),
    ] {
        fs::write(root.path().join(CONFIGURATION), text).unwrap();
        assert_eq!((cfg::FORMAT.declares)(&folder, CONFIGURATION).unwrap(), expected, "{text}");
    }
    for (text, expected) in [
        ("from setuptools import setup\nsetup()\n", false),
        ("setup(name='x', install_requires=[])", false),
        ("setup(name='x', install_requires=['torch'])", true),
        ("setup(name='x', install_requires=f())", true),
        ("print 'install_requires'", true),
        ("setup(dependency_links=['a'] oops)", true),
        ("setup(name='x', name='y')", true),
    ] {
        fs::write(root.path().join(SCRIPT), text).unwrap();
        assert_eq!((py::FORMAT.declares)(&folder, SCRIPT).unwrap(), expected, "{text}");
    }
}

#[test]
fn the_script_goes_before_the_configuration() {
    let cfg = "[metadata]\nname = b\n[options]\npython_requires = >=3.8\ninstall_requires = a\n";
    let project = read_file(
        CONFIGURATION,
        &[(CONFIGURATION, cfg), (SCRIPT, "import setuptools\nsetuptools.setup(name='a', install_requires=['b'])\n")],
    )
    .unwrap();
    assert_eq!(asked(&project), ["setup.py:2 b"]);
    assert_eq!(python(&project), ["setup.cfg:4 Required >=3.8"]);
    assert_eq!(project.name, "a");
    assert!(project.notes.iter().any(|note| note.message.contains("gives way")));
}

#[test]
fn constants_have_their_lines() {
    let project = script(
        r#"
from setuptools import setup, find_packages
TORCH = "2.1"
REQUIRED = [
    "numpy",
    f"torch>={TORCH}",
    "tqdm>=%s" % "4", "a" "b",
]
EXTRAS = {"dev": ["pytest"], "gpu:sys_platform=='linux'": "triton", ":python_version<'3.8'": ["dataclasses"]}
EXTRAS["all"] = EXTRAS["dev"] + ["x>={}".format(1)]
if __name__ == "__main__":
    setup(
        name="pkg",
        python_requires=">={}.{}".format(3, 8),
        packages=find_packages(),
        install_requires=REQUIRED + ["scipy"],
        extras_require=EXTRAS,
        tests_require="""
            pytest
            mock  # for 2
        """,
        classifiers=["Programming Language :: Python :: 3.9", "Programming Language :: Python :: 3 :: Only"],
    )
"#,
    );
    assert_eq!(
        asked(&project),
        [
            "setup.py:5 numpy",
            "setup.py:6 torch>=2.1",
            "setup.py:7 tqdm>=4",
            "setup.py:7 ab",
            "setup.py:16 scipy",
            "setup.py:9 [dev] pytest",
            "setup.py:9 [gpu] triton ; sys_platform=='linux'",
            "setup.py:9 dataclasses ; python_version<'3.8'",
            "setup.py:9 [all] pytest",
            "setup.py:10 [all] x>=1",
        ]
    );
    assert_eq!(python(&project), ["setup.py:14 Required >=3.8", "setup.py:22 Hint >=3.9, <3.10"]);
    assert_eq!(warnings(&project), Vec::<String>::new());
    let mock = project.notes.iter().find(|note| note.message.starts_with("`mock`")).unwrap();
    assert_eq!(mock.origin, Origin::file(SCRIPT, 20));
    let extras: Vec<&str> = project.selectable.iter().map(|extra| extra.name.as_str()).collect();
    assert_eq!(extras, ["dev", "gpu", "all"]);
}

/// Each way to read a requirements file.
#[test]
fn requirements_files_are_read_as_such() {
    let requirements = "torch==2.1\n# no\nnumpy\n";
    for reading in [
        "open('requirements.txt').read().splitlines()",
        "open('requirements.txt').readlines()",
        "open(\"requirements.txt\").read()",
        "Path('requirements.txt').read_text().split('\\n')",
        "(Path(__file__).parent / 'requirements.txt').read_text().splitlines()",
        "pathlib.Path(__file__).resolve().parent.joinpath('requirements.txt').open().readlines()",
        "[l.strip() for l in open('requirements.txt') if l and not l.startswith('#')]",
        "list(filter(None, open('requirements.txt').read().split('\\n')))",
        "[str(r) for r in pkg_resources.parse_requirements(open(os.path.join(os.path.dirname(__file__), 'requirements.txt')))]",
        "[str(ir.req) for ir in parse_requirements('requirements.txt', session=False)]",
        "read_requirements('requirements.txt')",
        "load(os.path.join(HERE, 'requirements.txt'))",
        "lines('requirements.txt')",
        "gathered()",
        "generated()",
        "gathered()[0:]",
        "list(map(str.strip, open('requirements.txt')))",
        "with_open",
    ] {
        let text = format!(
            r#"
import os, pathlib, pkg_resources
from pathlib import Path
from setuptools import setup
HERE = os.path.abspath(os.path.dirname(__file__))
def lines(name):
    with open(os.path.join(HERE, name), encoding="utf-8") as f:
        return [line for line in f.read().split("\n") if line.strip()]
def gathered(path: str = Path(HERE) / "requirements.txt"):
    found = []
    with open(path) as f:
        for line in f.readlines():
            line = line.rstrip("\r\n")
            if line.startswith("--extra-index-url "):
                continue
            found.append(line)
    return found
def generated(fname="requirements.txt"):
    def parse():
        if exists(fname):
            for line in open(fname):
                yield {{"line": line}}
    return list(parse())
with open("requirements.txt") as f:
    with_open = f.read().strip().split("\n")
setup(install_requires={reading})
"#
        );
        let project = read_file(SCRIPT, &[(SCRIPT, &text), ("requirements.txt", requirements)]).unwrap();
        assert_eq!(asked(&project), ["requirements.txt:1 torch==2.1", "requirements.txt:3 numpy"], "{reading}");
        assert_eq!(warnings(&project), Vec::<String>::new(), "{reading}");
        assert!(project.files.contains(&"requirements.txt".to_owned()));
    }
}

#[test]
fn a_file_that_is_filtered_or_not_there_is_said() {
    let reads = "setup(install_requires=[l for l in open('r.txt') if 'git+' not in l])";
    let project = read_file(SCRIPT, &[(SCRIPT, reads), ("r.txt", "a\n")]).unwrap();
    assert_eq!(asked(&project), ["r.txt:1 a"]);
    assert!(warnings(&project)[0].contains("leaves out some lines of `r.txt`"), "{:?}", project.notes);
    let (none, out) = ("does not exist", "leads out of the project folder");
    for (missing, why) in [("r.txt", none), ("../r.txt", out), ("/etc/passwd", out)] {
        let project = script(&format!("setup(install_requires=open('{missing}').readlines())"));
        assert!(warnings(&project)[0].ends_with(&format!("`{missing}` {why}")), "{:?}", project.notes);
        let cfg = format!("[options]\ninstall_requires = file: {missing}\n");
        let project = read_file(CONFIGURATION, &[(CONFIGURATION, &cfg)]).unwrap();
        assert!(warnings(&project)[0].ends_with(&format!("`{missing}` {why}")), "{:?}", project.notes);
    }
}

#[test]
fn a_project_that_reads_its_own_requirements_ends() {
    let files = [
        (SCRIPT, "setup(install_requires=open('requirements.txt').readlines())"),
        ("requirements.txt", "-e .\ntorch\n"),
    ];
    let project = read_file(SCRIPT, &files).unwrap();
    assert_eq!(project.requirements.iter().filter(|r| r.text == "torch").count(), 1);
}

#[test]
fn functions_and_tuples_are_followed() {
    let text = r#"
HERE = Path(__file__).parent
def get_requirements(path: str = HERE / "requirements.txt"):
    requirements = []
    extra_indices = []
    with open(path) as f:
        for line in f.readlines():
            line = line.rstrip("\r\n")
            if line.startswith("--extra-index-url "):
                extra_indices.append(line[18:])
                continue
            requirements.append(line)
    return requirements, extra_indices
requirements, extra_indices = get_requirements()
dev_requirements, _ = get_requirements(HERE / "requirements-dev.txt")
setup(
    install_requires=requirements,
    extras_require={"dev": dev_requirements},
    dependency_links=extra_indices,
)
"#;
    let files = [(SCRIPT, text), ("requirements.txt", "torch\n"), ("requirements-dev.txt", "black\n")];
    let project = read_file(SCRIPT, &files).unwrap();
    assert_eq!(asked(&project), ["requirements.txt:1 torch", "requirements-dev.txt:1 [dev] black"]);
    assert!(project.notes.iter().any(|note| note.message.contains("`dependency_links`, is not followed by pip")));
}

#[test]
fn a_table_of_dependencies_is_looked_up() {
    let project = script(
        r#"
_deps = [
    "torch>=1.4",
    "Pillow",
    "huggingface-hub>=0.13.2",
    "black~=23.1",
]
deps = {b: a for a, b in (re.findall(r"^(([^!=<>~]+)(?:[!=<>~].*)?$)", x)[0] for x in _deps)}
def deps_list(*pkgs):
    return [deps[pkg] for pkg in pkgs]
extras = {}
extras["quality"] = deps_list("black")
extras["torch"] = deps_list("torch")
extras["dev"] = extras["quality"] + extras["torch"]
extras["sum"] = sum(extras.values(), [])
install_requires = [deps["Pillow"], deps["huggingface-hub"]]
setup(install_requires=list(install_requires), extras_require=extras)
"#,
    );
    let expected = [
        "setup.py:4 Pillow",
        "setup.py:5 huggingface-hub>=0.13.2",
        "setup.py:6 [quality] black~=23.1",
        "setup.py:3 [torch] torch>=1.4",
        "setup.py:6 [dev] black~=23.1",
        "setup.py:3 [dev] torch>=1.4",
    ];
    assert_eq!(asked(&project)[..6], expected);
    assert_eq!(project.requirements.iter().filter(|r| r.extra.as_deref() == Some("sum")).count(), 4);
    assert_eq!(warnings(&project), Vec::<String>::new());
}

#[test]
fn conditions_become_markers_or_notes() {
    let project = script(
        r#"
reqs = ["numpy"]
if sys.platform == "win32":
    reqs.append("pywin32")
elif sys.platform.startswith("linux"):
    reqs += ["triton>=2; python_version>'3.8'"]
if sys.version_info < (3, 8):
    reqs.append("dataclasses")
if sys.version_info < (3, 6):
    sys.exit("too old")
if os.environ.get("WITH_APEX", "0") == "1":
    reqs.append("apex")
if "FAST" not in os.environ:
    reqs.append("slow")
if torch_is_there():
    reqs.append("flash-attn")
if has_rocm():
    reqs.append("torch-rocm")
else:
    reqs.append("torch")
reqs.extend(["lion"] if platform.machine() in ("x86_64", "AMD64") else [])
setup(install_requires=reqs)
"#,
    );
    assert_eq!(
        asked(&project),
        [
            "setup.py:2 numpy",
            "setup.py:4 pywin32 ; sys_platform == 'win32'",
            "setup.py:6 triton>=2 ; (python_version>'3.8') and ((sys_platform == 'linux') and (sys_platform != 'win32'))",
            "setup.py:8 dataclasses ; python_version < '3.8'",
            "setup.py:14 slow",
            "setup.py:16 flash-attn",
            "setup.py:21 lion ; (platform_machine == 'x86_64') or (platform_machine == 'AMD64')",
        ]
    );
    let told = warnings(&project);
    let choices = "setup.py:18: `install_requires` is one of several choices, made only when `setup.py` runs: \
                   `torch-rocm` (line 18), `torch` (line 20)";
    assert_eq!(told, [choices]);
    assert!(project.notes.iter().any(|note| note.message.contains("`FAST`, `WITH_APEX`")));
    assert!(project.notes.iter().any(|note| note.message.contains("holds `flash-attn` under a condition")));
}
