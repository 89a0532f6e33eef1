//! Every project of `tests/projects`, through the program: exit code, document and messages; and what must be in them,
//! said sharply where a snapshot would let a mistake pass.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::process::{Command, Stdio};
use std::str::FromStr;

use pep440_rs::Version;
use sconce::model::{CompileForm, ManifestKind, Project, SelectableKind, Strength, TorchFact, TorchVia};
use serde_json::Value;

use super::{folder, read, shown};

/// Every folder of `tests/projects`, except `bad`; the arguments are for `sconce inspect`.
const PROJECTS: [(&str, &[&str]); 46] = [
    ("conda-cuda", &[]),
    ("conda-export", &[]),
    ("cosyvoice", &[]),
    ("csm", &[]),
    ("debian-torch", &[]),
    ("devcontainer", &[]),
    ("dinov2", &[]),
    ("dinov2", &["--from", "conda.yaml"]),
    ("dockerfile-only", &[]),
    ("dynamic", &[]),
    ("flow-forecasting", &[]),
    ("gpt-fast", &[]),
    ("groups", &[]),
    ("hatch", &[]),
    ("mmpretrain", &[]),
    ("monorepo", &[]),
    ("nanochat", &[]),
    ("nested", &[]),
    ("no-project-table", &[]),
    ("pdm", &[]),
    ("pins", &[]),
    ("pip-compile", &[]),
    ("pipenv", &[]),
    ("pixi-example", &[]),
    ("pixi-features", &[]),
    ("pixi-pyproject", &[]),
    ("poetry-torch", &[]),
    ("poetry2", &[]),
    ("pylock", &[]),
    ("requirements-folder", &[]),
    ("requirements-variants", &[]),
    ("requirements-variants", &["--from", "requirements-gpu.txt"]),
    ("research", &[]),
    ("setup-cfg", &[]),
    ("setup-py", &[]),
    ("stable-diffusion", &[]),
    ("tabbyapi", &[]),
    ("through-a-package", &[]),
    ("utf16", &[]),
    ("uv-extras", &[]),
    ("uv-workspace", &[]),
    ("wan2.1", &[]),
    ("wheels", &[]),
    ("whisper", &[]),
    ("whisper", &["--from", "pyproject.toml"]),
    ("yolov7", &[]),
];

/// The names of [`PROJECTS`], each once.
pub(super) fn names() -> BTreeSet<&'static str> {
    PROJECTS.iter().map(|(name, _)| *name).collect()
}

/// What `sconce inspect --json` has to say: exit code, standard output and standard error.
pub(super) fn told(name: &str, args: &[&str]) -> (Option<i32>, String, String) {
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_sconce"))
        .args(["inspect", "--json"])
        .args(args)
        .arg(folder(name))
        .env_clear()
        .env("HOME", home.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replace(env!("CARGO_MANIFEST_DIR"), "[repository]");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// A document with one fact a line, for review: without what is null or empty, which the schema knows to be there.
fn laid_out(value: &Value, indent: usize, out: &mut String) {
    let holds_objects = |value: &Value| value.as_array().is_some_and(|items| items.iter().any(Value::is_object));
    match value {
        Value::Object(fields) if indent == 0 || fields.values().any(holds_objects) || fields.contains_key("root") => {
            for (key, value) in fields.iter().filter(|(_, value)| says_something(value)) {
                let _ = write!(out, "\n{:indent$}{key}: ", "");
                laid_out(value, indent + 2, out);
            }
        }
        Value::Array(items) if holds_objects(value) => {
            for item in items {
                let _ = write!(out, "\n{:indent$}- ", "");
                laid_out(item, indent + 2, out);
            }
        }
        value => out.push_str(&without_nothing(value).to_string()),
    }
}

fn says_something(value: &Value) -> bool {
    !value.is_null() && value.as_array().is_none_or(|items| !items.is_empty())
}

fn without_nothing(value: &Value) -> Value {
    match value {
        // A place reads best as people write it.
        Value::Object(fields)
            if fields.get("kind").is_some_and(|kind| kind == "file") && fields.contains_key("line") =>
        {
            format!("{}:{}", fields["file"].as_str().unwrap(), fields["line"]).into()
        }
        Value::Object(fields) => fields
            .iter()
            .filter(|(_, value)| says_something(value))
            .map(|(key, value)| (key.clone(), without_nothing(value)))
            .collect(),
        Value::Array(items) => items.iter().map(without_nothing).collect(),
        value => value.clone(),
    }
}

#[test]
fn every_project_is_read() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    let _bound = settings.bind_to_scope();
    for (name, args) in PROJECTS {
        let (code, out, err) = told(name, args);
        let document = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{name}: {error}: {out}{err}"));
        let mut text = format!("exit code {}\n--- stdout", code.unwrap());
        laid_out(&document, 0, &mut text);
        let _ = write!(text, "\n--- stderr\n{err}");
        let file = args.last().map(|file| format!("-from-{file}")).unwrap_or_default();
        insta::assert_snapshot!(format!("project-{name}{file}"), text);
        assert_eq!(code, Some(0), "{name}: {out}{err}");
    }
}

#[test]
fn every_folder_is_in_the_list() {
    let folders = fs::read_dir(folder("")).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_dir());
    let folders: BTreeSet<String> = folders.map(|entry| entry.file_name().into_string().unwrap()).collect();
    let listed = names().into_iter().chain(["bad"]).map(str::to_owned).collect();
    assert_eq!(folders, listed);
}

fn project(name: &str) -> Project {
    read(name, &[]).unwrap_or_else(|error| panic!("{name}: {}", shown(&error)))
}

fn version(text: &str) -> Version {
    Version::from_str(text).unwrap()
}

fn said(project: &Project) -> Vec<&str> {
    project.notes.iter().map(|note| note.message.as_str()).collect()
}

/// Exactly one fact on torch is so.
#[track_caller]
fn one(project: &Project, is_so: impl Fn(&TorchFact) -> bool) -> &TorchFact {
    let mut found = project.torch.iter().filter(|fact| is_so(fact));
    let first = found.next().unwrap_or_else(|| panic!("none is so: {:#?}", project.torch));
    assert!(found.next().is_none(), "more than one is so: {:#?}", project.torch);
    first
}

/// Variant, index, version with local tag.
fn build(fact: &TorchFact) -> (Option<&str>, Option<&str>, Option<String>) {
    let local = fact.local.as_ref().map(|local| format!("+{local}")).unwrap_or_default();
    let version = fact.version.as_ref().map(|version| format!("{version}{local}"));
    (fact.variant.as_deref(), fact.index.as_deref(), version)
}

const CPU: &str = "https://download.example.org/whl/cpu";
const CU124: &str = "https://download.example.org/whl/cu124";
const CU128: &str = "https://download.example.org/whl/cu128";

/// The project of research code as it comes: exactly these distributions, and both uses of `torch.compile`.
#[test]
fn research_code_is_understood_from_its_sources() {
    let project = project("research");
    let expected = ["datasets", "numpy", "opencv-python", "tiktoken", "torch", "tqdm", "transformers", "wandb"];
    let mut asked: Vec<&str> = project.requirements.iter().filter_map(|asked| asked.name.as_deref()).collect();
    asked.sort_unstable();
    assert_eq!(asked, expected);
    let mut imported: Vec<&str> = project.sources.imports.iter().map(|i| i.distribution.as_str()).collect();
    imported.sort_unstable();
    assert_eq!(imported, expected);
    assert!(project.sources.imports.iter().all(|import| import.known), "{:#?}", project.sources.imports);
    let optional: Vec<&str> =
        project.sources.imports.iter().filter(|i| i.optional).map(|i| i.module.as_str()).collect();
    assert_eq!(optional, ["cv2"]);
    assert_eq!(project.sources.files, 11);

    let mut compiles: Vec<_> = project
        .sources
        .compiles
        .iter()
        .map(|c| (c.origin.to_string(), c.form, c.backend.as_deref(), c.mode.as_deref()))
        .collect();
    compiles.sort_by(|a, b| a.0.cmp(&b.0));
    let expected = [
        ("model.py:17".to_owned(), CompileForm::Decorator, Some("inductor"), None),
        ("train.py:67".to_owned(), CompileForm::Call, Some("inductor"), Some("max-autotune-no-cudagraphs")),
    ];
    assert_eq!(compiles, expected);
    let devices: BTreeSet<&str> = project.sources.devices.iter().map(|device| device.device.as_str()).collect();
    assert_eq!(devices, BTreeSet::from(["cpu", "cuda"]));
    assert!(matches!(project.torch.first(), Some(TorchFact { via: TorchVia::Import, .. })), "{:#?}", project.torch);
    assert!(said(&project).iter().any(|note| note.contains("pin")), "{:?}", said(&project));
    // What only a notebook wants is said, and not asked for; what Python brings is not spoken of.
    let notebook = said(&project).into_iter().find(|note| note.contains("notebook")).unwrap();
    assert!(notebook.contains("`matplotlib`") && notebook.contains("`pandas`"), "{notebook}");
    assert!(!said(&project).iter().any(|note| note.contains("__future__")), "{:?}", said(&project));
}

#[test]
fn extras_that_conflict_bring_their_own_builds() {
    for (name, gpu, locked) in [("nanochat", "gpu", "2.9.1"), ("uv-extras", "cu128", "2.7.1")] {
        let project = project(name);
        assert_eq!(project.conflicts.len(), 1, "{name}");
        assert_eq!(project.conflicts[0].members, ["--extra cpu".to_owned(), format!("--extra {gpu}")], "{name}");
        let asked = |extra: &str| {
            let extra = extra.to_owned();
            move |fact: &TorchFact| fact.via == TorchVia::Requirement && fact.extra.as_deref() == Some(&extra)
        };
        assert_eq!(build(one(&project, asked("cpu"))), (Some("cpu"), Some(CPU), Some(locked.to_owned())), "{name}");
        assert_eq!(build(one(&project, asked(gpu))), (Some("cu128"), Some(CU128), Some(locked.to_owned())), "{name}");
        let pinned = |tag: &'static str| {
            move |fact: &TorchFact| fact.via == TorchVia::Lock && fact.local.as_deref() == Some(tag)
        };
        assert_eq!(build(one(&project, pinned("cpu"))).1, Some(CPU), "{name}");
        assert_eq!(build(one(&project, pinned("cu128"))).1, Some(CU128), "{name}");
        let extras = project.selectable.iter().filter(|s| s.kind == SelectableKind::Extra && !s.default);
        assert_eq!(extras.map(|s| s.name.as_str()).collect::<Vec<_>>(), ["cpu", gpu], "{name}");
    }
}

#[test]
fn wheels_tell_their_torch_and_python() {
    let project = project("wheels");
    let torch = one(&project, |fact| fact.via == TorchVia::Archive);
    assert_eq!(build(torch), (Some("cu121"), None, Some("2.1.0+cu121".to_owned())));
    let flash = TorchVia::BuiltFor { package: "flash-attn".to_owned() };
    let flash = one(&project, |fact| fact.via == flash);
    assert!(flash.specifiers.contains(&version("2.3.1")) && !flash.specifiers.contains(&version("2.1.0")), "{flash:?}");
    assert_eq!(flash.variant.as_deref(), Some("cu122"));
    let implied = project.python.iter().filter(|python| python.strength == Strength::Implied);
    assert!(implied.count() >= 3, "{:#?}", project.python);
    assert_eq!(project.python_allows, [version("3.10")]);
}

#[test]
fn conda_brings_torch_under_other_names() {
    for (name, expected, variant) in
        [("conda-cuda", "2.3.1", "cu121"), ("conda-export", "1.12.1", "cu113"), ("stable-diffusion", "1.11.0", "cu113")]
    {
        let project = project(name);
        let pytorch = TorchVia::Conda { package: "pytorch".to_owned() };
        let torch = one(&project, |fact| fact.via == pytorch);
        assert_eq!(torch.version, Some(version(expected)), "{name}");
        assert_eq!(torch.variant.as_deref(), Some(variant), "{name}");
    }
}

#[test]
fn torch_comes_through_packages_that_need_it() {
    for (name, package) in [("through-a-package", "lightning"), ("pdm", "sentence-transformers")] {
        let project = project(name);
        let via = TorchVia::Package { package: package.to_owned() };
        one(&project, |fact| fact.via == via);
    }
    let pdm = project("pdm");
    let locked = one(&pdm, |fact| fact.via == TorchVia::Lock);
    assert_eq!((locked.variant.as_deref(), locked.local.as_deref()), (Some("cpu"), Some("cpu")));
}

#[test]
fn poetry_s_carets_and_sources_are_followed() {
    let project = project("poetry-torch");
    assert_eq!(project.manifests[0].kind, ManifestKind::Poetry);
    let torch = one(&project, |fact| fact.via == TorchVia::Requirement);
    assert!(torch.specifiers.contains(&version("2.4.1")) && !torch.specifiers.contains(&version("3.0")), "{torch:?}");
    assert!(!torch.specifiers.contains(&version("2.3.1")), "{torch:?}");
    assert_eq!((torch.variant.as_deref(), torch.index.as_deref()), (Some("cu124"), Some(CU124)));
    let locked = one(&project, |fact| fact.via == TorchVia::Lock);
    assert_eq!(build(locked), (Some("cu124"), Some(CU124), Some("2.4.1+cu124".to_owned())));
    let vision = project.requirements_on("torchvision").next().unwrap().specifiers();
    assert!(vision.contains(&version("0.19.5")) && !vision.contains(&version("0.20.0")), "{vision}");
    assert_eq!(project.requirements_on("numpy").filter(|numpy| numpy.marker.is_some()).count(), 2);
    assert_eq!(project.requirements_on("flash-attn").next().unwrap().extra.as_deref(), Some("fast"));
    let allowed: Vec<String> = project.python_allows.iter().map(ToString::to_string).collect();
    assert_eq!(allowed, ["3.10", "3.11", "3.12"]);
}

#[test]
fn an_encoded_file_is_read_as_pip_reads_it() {
    let utf16 = project("utf16");
    let torch = one(&utf16, |fact| fact.via == TorchVia::Requirement);
    assert_eq!((torch.variant.as_deref(), torch.origin.to_string().as_str()), (Some("cu118"), "requirements.txt:2"));
    assert_eq!(utf16.requirements.len(), 4);
}

#[test]
fn contradictions_on_python_are_said() {
    let project = project("pins");
    assert_eq!(project.python_allows, [] as [Version; 0], "{:#?}", project.python);
    let files: BTreeSet<String> = project.python.iter().map(|python| python.origin.to_string()).collect();
    for origin in ["pyproject.toml:4", "runtime.txt:1", ".tool-versions:3", "mise.toml:2", ".python-version:1"] {
        assert!(files.contains(origin), "{origin} is not in {files:?}");
    }
    assert!(said(&project).iter().any(|note| note.contains("contradict")), "{:?}", said(&project));
}

#[test]
fn several_requirements_files_are_named_with_how_to_choose() {
    for (name, picked, others) in [
        ("requirements-folder", "requirements/gpu.txt", &["requirements/dev.txt"][..]),
        ("requirements-variants", "requirements-gpu.txt", &["requirements-cpu.txt", "requirements-dev.txt"]),
    ] {
        let project = project(name);
        assert_eq!(project.manifests[0].path, picked);
        let hints: Vec<&str> = project.notes.iter().filter_map(|note| note.hint.as_deref()).collect();
        for other in others {
            assert!(project.alternatives.iter().any(|a| a.path == *other), "{:#?}", project.alternatives);
            assert!(hints.iter().any(|hint| hint.contains("--from") && hint.contains(other)), "{hints:?}");
        }
    }
}

#[test]
fn projects_beneath_are_listed() {
    let monorepo = project("monorepo");
    let listed = |project: &Project| project.subprojects.iter().map(|s| s.path.clone()).collect::<Vec<_>>();
    assert_eq!(listed(&monorepo), ["libs/common", "services/embed", "services/train"]);
    assert_eq!(listed(&project("cosyvoice")), ["examples/grpo/cosyvoice2", "runtime/triton_trtllm"]);
}

#[test]
fn containers_hint_at_a_base() {
    let docker = project("dockerfile-only");
    let base = docker.bases.iter().find(|base| base.image.starts_with("nvidia/cuda:")).unwrap();
    assert_eq!(base.image, "nvidia/cuda:12.4.1-cudnn-devel-ubuntu22.04");
    assert_eq!(base.variant.as_deref(), Some("cu124"));
    let apt: BTreeSet<&str> = docker.system.iter().map(|hint| hint.package.as_str()).collect();
    for package in ["libgl1", "libglib2.0-0", "ffmpeg", "git", "python3.11"] {
        assert!(apt.contains(package), "{package} is not in {apt:?}");
    }
    assert!(!apt.iter().any(|package| package.starts_with(['-', '#', '&'])), "{apt:?}");
    let devcontainer = project("devcontainer");
    let packages: BTreeSet<&str> = devcontainer.system.iter().map(|hint| hint.package.as_str()).collect();
    assert!(packages.contains("build-essential"), "{packages:?}");
    assert!(!devcontainer.bases.is_empty());
}

#[test]
fn a_setup_py_is_read_without_being_run() {
    let project = project("setup-py");
    let mut names: Vec<&str> =
        project.requirements.iter().filter(|r| r.extra.is_none()).filter_map(|r| r.name.as_deref()).collect();
    names.sort_unstable();
    assert_eq!(names, ["mmcv", "munkres", "scipy", "torch", "torchvision"]);
    let extras: BTreeSet<&str> = project.requirements.iter().filter_map(|r| r.extra.as_deref()).collect();
    assert!(extras.is_superset(&BTreeSet::from(["dev", "export"])), "{extras:?}");
    let allowed: Vec<String> = project.python_allows.iter().map(ToString::to_string).collect();
    assert_eq!(allowed, ["3.8", "3.9", "3.10", "3.11"]);
}

#[test]
fn arguments_that_compile_are_found() {
    let project = project("requirements-folder");
    let compile = &project.sources.compiles[0];
    assert_eq!((compile.form, compile.mode.as_deref()), (CompileForm::Argument, Some("max-autotune")));
}
