//! Who installs, from which lock, and how.

use sconce::model::{Builder, Installer, Note, Origin, Severity, TorchSource};
use sconce::plan::PlanOptions;

use super::{asked, assert_dockerfile, dockerfile, planned, project, requirements, shown};

const PYPROJECT: &str = "[project]\nname = 'demo'\nversion = '1'\nrequires-python = '>=3.11'\ndependencies = ['torch']\n\
    [project.optional-dependencies]\ncpu = ['torch']\n[dependency-groups]\nserve = ['h11']\n";

/// A lock of uv with two builds of torch, of which an extra chooses one.
const UV_LOCK: &str = r#"version = 1
revision = 3
requires-python = ">=3.11"
conflicts = []

[[package]]
name = "demo"
version = "1"
source = { virtual = "." }
dependencies = [{ name = "torch", version = "2.9.1", source = { registry = "https://pypi.example.org/simple" } }]

[package.optional-dependencies]
cpu = [{ name = "torch", version = "2.9.1+cpu", source = { registry = "https://download.example.org/cpu" } }]

[package.dev-dependencies]
serve = [{ name = "h11" }]

[[package]]
name = "h11"
version = "0.16.0"
source = { registry = "https://pypi.example.org/simple" }

[[package]]
name = "torch"
version = "2.9.1"
source = { registry = "https://pypi.example.org/simple" }

[[package]]
name = "torch"
version = "2.9.1+cpu"
source = { registry = "https://download.example.org/cpu" }
"#;

const PIPFILE: &str = "[packages]\ntorch = '*'\n[dev-packages]\npytest = '*'\n[docs]\nsphinx = '*'\n";
const PIPFILE_LOCK: &str = r#"{"_meta": {"hash": {"sha256": "00"}, "pipfile-spec": 6, "requires": {}, "sources": []},
"default": {"torch": {"version": "==2.9.1", "hashes": ["sha256:11"]}},
"develop": {"pytest": {"version": "==9"}}, "docs": {"sphinx": {"version": "==9"}}}"#;

fn with_extra(extra: &str) -> PlanOptions {
    PlanOptions { extras: vec![extra.to_owned()], ..PlanOptions::default() }
}

fn said<'n>(notes: &'n [Note], text: &str) -> &'n Note {
    notes.iter().find(|note| note.message.contains(text)).unwrap_or_else(|| panic!("`{text}` is not in {notes:#?}"))
}

#[test]
fn locks_become_dockerfiles() {
    let locked = project(&[("pyproject.toml", PYPROJECT), ("uv.lock", UV_LOCK)]);
    let options = PlanOptions { groups: vec!["serve".to_owned()], ..with_extra("cpu") };
    assert_dockerfile("uv-lock-extra-group", &locked, &options);
    let classic = PlanOptions { builder: Some(Builder::Classic), ..PlanOptions::default() };
    assert_dockerfile("uv-lock-classic", &locked, &classic);
    let pipenv = project(&[("Pipfile", PIPFILE), ("Pipfile.lock", PIPFILE_LOCK)]);
    let groups = PlanOptions { groups: vec!["dev".to_owned(), "docs".to_owned()], ..PlanOptions::default() };
    assert_dockerfile("pipenv-groups", &pipenv, &groups);
}

#[test]
fn another_build_than_the_locked_one_wins_over_the_lock() {
    let locked = project(&[("pyproject.toml", PYPROJECT), ("uv.lock", UV_LOCK)]);
    let cpu = PlanOptions { variant: asked("cpu".to_owned(), "--variant"), ..PlanOptions::default() };
    let plan = planned(&locked, &cpu).unwrap();
    assert_eq!((plan.lock, plan.installer.value), (None, Installer::Uv));
    let note = said(&plan.notes, "it holds another torch than `cpu`");
    assert_eq!(note.severity, Severity::Warning);
    assert_eq!(note.hint.as_deref(), Some("`--extra cpu` takes that one from the lock"));

    let with_extra = PlanOptions { extras: vec!["cpu".to_owned()], ..cpu };
    assert_eq!(planned(&locked, &with_extra).unwrap().lock.unwrap().value.path, "uv.lock");
}

#[test]
fn a_lock_is_left_to_those_who_read_it() {
    let locked = project(&[("pyproject.toml", PYPROJECT), ("uv.lock", UV_LOCK)]);
    let pip = PlanOptions { installer: asked(Installer::Pip, "--installer"), ..PlanOptions::default() };
    let plan = planned(&locked, &pip).unwrap();
    assert_eq!((plan.lock, plan.installer.value), (None, Installer::Pip));
    said(
        &plan.notes,
        "`uv.lock` is not followed, and versions that the project leaves open are chosen anew: pip does not",
    );

    let debian =
        PlanOptions { torch_source: asked(TorchSource::Distribution, "--torch-source"), ..PlanOptions::default() };
    said(&planned(&locked, &debian).unwrap().notes, "it knows nothing of the distribution's own torch");

    let poetry = PlanOptions { installer: asked(Installer::Poetry, "--installer"), ..PlanOptions::default() };
    let error = shown(&planned(&locked, &poetry).unwrap_err());
    assert!(error.starts_with("--installer: Poetry installs from its lock only: `uv.lock` is not followed"), "{error}");
    let error = shown(&planned(&requirements("torch"), &poetry).unwrap_err());
    assert!(error.contains("the project has none that it reads") && error.contains("hint: uv and pip"), "{error}");
}

#[test]
fn a_lock_alone_is_spelt_out() {
    let alone = project(&[("uv.lock", UV_LOCK)]);
    let plan = planned(&alone, &PlanOptions::default()).unwrap();
    assert_eq!(plan.lock, None);
    assert_eq!(plan.dependencies, ["torch==2.9.1"]);
}

/// Everything that stands in no requirements file, and for which there is no lock.
const RULES: &str = "[project]\nname = 'demo'\nversion = '1'\ndependencies = ['torch>=2.6', 'flash-attn', 'mine', 'xformers']\n\
    [tool.uv]\nconstraint-dependencies = ['numpy<3', \"a ; sys_platform == 'win32'\"]\noverride-dependencies = ['fsspec==2025.3.0']\n\
    no-build-isolation-package = ['mine']\nfind-links = ['https://files.example.org/archives']\n\
    [tool.uv.sources]\ntorch = { index = 'builds' }\n\
    [[tool.uv.index]]\nname = 'builds'\nurl = 'https://download.example.org/cu126'\nexplicit = true\n";

#[test]
fn rules_become_dockerfiles() {
    let rules = project(&[("pyproject.toml", RULES)]);
    assert_dockerfile("rules", &rules, &PlanOptions::default());
    let pip = PlanOptions { installer: asked(Installer::Pip, "--installer"), ..PlanOptions::default() };
    assert_dockerfile("rules-pip", &rules, &pip);
    let notes = planned(&rules, &pip).unwrap().notes;
    said(&notes, "pip knows no overrides, and these are not followed: `fsspec==2025.3.0`");
    said(&notes, "pip binds nothing to one index, and takes the best version of all: `torch`");
    let hint = said(&notes, "built against torch while the image is built: `flash-attn`, `mine`").hint.clone();
    assert!(hint.unwrap().contains("nvcc"));
}

#[test]
fn a_variant_wins_over_a_bound_index() {
    let rules = project(&[("pyproject.toml", RULES)]);
    let cpu = PlanOptions { variant: asked("cpu".to_owned(), "--variant"), ..PlanOptions::default() };
    said(
        &planned(&rules, &cpu).unwrap().notes,
        "nothing comes from `https://download.example.org/cu126`: --variant `cpu` wins",
    );
    let text = dockerfile(&rules, &cpu);
    assert!(text.contains("--torch-backend cpu") && !text.contains("cu126"), "{text}");
}

#[test]
fn what_a_file_names_is_built_after_the_rest_of_it() {
    let hash = "--hash=sha256:0000000000000000000000000000000000000000000000000000000000000000";
    let hashed = requirements(&format!("torch==2.6.0 {hash}\nflash_attn==2.7.4 {hash}\n"));
    assert_dockerfile("unisolated-hashed", &hashed, &PlanOptions::default());
    let pip = PlanOptions { installer: asked(Installer::Pip, "--installer"), ..PlanOptions::default() };
    assert_dockerfile("unisolated-pip", &requirements("torch==2.6.0\nflash_attn\n"), &pip);
    // A wheel is not built, and an index has wheels of xformers.
    let wheel = requirements(
        "torch\nxformers\nflash-attn @ https://files.example.org/flash_attn-2.7.4-cp313-cp313-linux_x86_64.whl\n",
    );
    assert!(planned(&wheel, &PlanOptions::default()).unwrap().unisolated.is_empty());
}

#[test]
fn what_uv_cannot_fetch_is_told() {
    let editable = requirements("torch\n-e git+https://git.example.org/me/lib.git@main#egg=lib\n");
    let plan = planned(&editable, &PlanOptions::default()).unwrap();
    assert_eq!(
        (plan.installer.value, &plan.installer.requested),
        (Installer::Pip, &Origin::file("requirements.txt", 2))
    );

    let keyed = requirements("torch\nlib @ git+ssh://git@git.example.org/me/lib.git\n");
    let plan = planned(&keyed, &PlanOptions::default()).unwrap();
    let note = said(&plan.notes, "comes over SSH, and the build has no key");
    assert_eq!((note.severity, &note.origin), (Severity::Warning, &Origin::file("requirements.txt", 2)));
}

/// A build of torch that its index has up to some release only decides which Python there can be.
#[test]
fn a_variant_decides_which_releases_there_are() {
    let torch = requirements("torch\n");
    let python_for = |variant: &str| {
        let options = PlanOptions { variant: asked(variant.to_owned(), "--variant"), ..PlanOptions::default() };
        planned(&torch, &options).unwrap().python.value.to_string()
    };
    assert_eq!(["cpu", "cu121", "cu117", "cu999"].map(python_for), ["3.13", "3.12", "3.10", "3.13"]);

    let python = asked("3.13".parse().unwrap(), "--python");
    let options = PlanOptions { python, variant: asked("cu121".to_owned(), "--variant"), ..PlanOptions::default() };
    let error = shown(&planned(&torch, &options).unwrap_err());
    assert!(error.contains("torch up to 2.5 for `cu121` compiles on Python up to 3.12"), "{error}");

    let index = requirements("--index-url https://download.example.org/whl/cu121\ntorch\n");
    assert_eq!(planned(&index, &PlanOptions::default()).unwrap().python.value.to_string(), "3.12");
}
