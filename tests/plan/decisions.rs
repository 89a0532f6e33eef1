//! What is chosen, and what is refused with which words.

use sconce::catalogue::Catalogue;
use sconce::model::{Builder, Installer, Network, Origin, Project, TorchSource, Variant};
use sconce::plan::{Asked, PlanOptions, plan};

use super::{asked, assert_decisions, planned, project, requirements, shown};

fn pyproject(python: &str, dependencies: &str, more: &str) -> Project {
    let text = format!("[project]\nname = \"demo\"\nversion = \"1\"\nrequires-python = \"{python}\"\n");
    project(&[("pyproject.toml", &format!("{text}dependencies = [{dependencies}]\n{more}"))])
}

const BUILD_SYSTEM: &str = "[build-system]\nrequires = [\"hatchling\"]\nbuild-backend = \"hatchling.build\"\n";

/// The chosen base and Python with who asked for it, or the refusal.
fn target(project: &Project, options: &PlanOptions) -> String {
    match planned(project, options) {
        Ok(plan) => {
            format!("{} {} ({}: {})", plan.base.value.id, plan.python.value, plan.python.requested, plan.python.because)
        }
        Err(error) => format!("{:?} {}", error.kind, shown(&error)),
    }
}

#[test]
fn requirements_decide_the_python() {
    let lines = [
        "torch",
        "numpy",
        "torch==2.5.1",
        "torch>=2.5",
        "torch<2.6",
        "torch==2.1.*",
        "torch==2.0.1",
        "torch==2.4.0+cu121",
        "torch==99",
        "torch~=2.99.0",
        "torch==2.16.0.dev20261101",
        "torch==1.13.1",
        "torch<2",
        "torch>=2.5,<2.4",
        "torch>=2.5\ntorch<2.4",
        "torch==2.5.1; python_version < '3.13'\ntorch==2.7.1; python_version >= '3.13'",
        "torch==2.4.1; sys_platform == 'darwin'\ntorch",
        "torch @ https://files.example.org/torch-2.5.1%2Bcpu-cp311-cp311-linux_x86_64.whl",
        "torch @ https://files.example.org/torch-2.6.0%2Bcpu-cp312-cp312-linux_x86_64.whl",
        "torch @ git+https://git.example.org/pytorch.git",
    ];
    let none = PlanOptions::default();
    assert_decisions("torch", lines.iter().map(|text| ((*text).to_owned(), target(&requirements(text), &none))));
}

#[test]
fn constraints_on_python_decide_too() {
    let torch_25 = r#""torch==2.5.1""#;
    let python =
        |version: &str| PlanOptions { python: asked(version.parse().unwrap(), "--python"), ..PlanOptions::default() };
    let base = |id: &str| PlanOptions { base: asked(id.to_owned(), "--base"), ..PlanOptions::default() };
    let none = PlanOptions::default();
    let pinned = || project(&[("requirements.txt", "torch"), (".python-version", "3.12\n")]);
    let rows = vec![
        (">=3.10", target(&pyproject(">=3.10", r#""torch""#, ""), &none)),
        ("<3.13", target(&pyproject("<3.13", r#""torch""#, ""), &none)),
        ("==3.13.2", target(&pyproject("==3.13.2", r#""torch""#, ""), &none)),
        (">=3.11.4,<3.12", target(&pyproject(">=3.11.4,<3.12", r#""torch""#, ""), &none)),
        (">=3.14", target(&pyproject(">=3.14", r#""torch""#, ""), &none)),
        (">=3.12 and torch 2.5.1", target(&pyproject(">=3.12", torch_25, ""), &none)),
        (".python-version 3.12", target(&pinned(), &none)),
        (".python-version 3.12, --python 3.13", target(&pinned(), &python("3.13"))),
        ("--python 3.11", target(&requirements("torch"), &python("3.11"))),
        ("--python 3.12", target(&requirements("torch"), &python("3.12"))),
        ("--python 3.13 and torch 2.5.1", target(&requirements("torch==2.5.1"), &python("3.13"))),
        ("--python 3.13 over <3.13", target(&pyproject("<3.13", r#""torch""#, ""), &python("3.13"))),
        (
            "--python 3.13 over <3.13 of a package",
            target(&pyproject("<3.13", r#""torch""#, BUILD_SYSTEM), &python("3.13")),
        ),
        ("--base debian-12", target(&requirements("torch"), &base("debian-12"))),
        ("--base debian-12 and >=3.12", target(&pyproject(">=3.12", r#""torch""#, ""), &base("debian-12"))),
        ("--base debian-11", target(&requirements("torch"), &base("debian-11"))),
    ];
    assert_decisions("python", rows.into_iter().map(|(what, target)| (what.to_owned(), target)));
}

#[test]
fn a_constraint_file_clashes_by_name() {
    let project = project(&[("requirements.txt", "-c limits.txt\ntorch>=2.5\n"), ("limits.txt", "torch<2.4\n")]);
    let said = target(&project, &PlanOptions::default());
    assert!(said.contains("limits.txt:1") && said.contains("requirements.txt:2"), "{said}");
}

fn variant(project: &Project, options: &PlanOptions) -> String {
    match planned(project, options) {
        Ok(plan) => {
            let notes: Vec<_> = plan.notes.iter().map(|note| format!("\n  note: {}", note.message)).collect();
            let torch = plan.torch;
            format!(
                "{} {:?} ({}: {}){}",
                torch.value.variant,
                torch.value.backend,
                torch.requested,
                torch.because,
                notes.concat()
            )
        }
        Err(error) => format!("{:?} {}", error.kind, shown(&error)),
    }
}

#[test]
fn the_proof_expects_no_more_than_is_certain() {
    let none = PlanOptions::default();
    let ask = |name: &str| PlanOptions { variant: asked(name.to_owned(), "--variant"), ..PlanOptions::default() };
    let pip = |name: &str| PlanOptions { installer: asked(Installer::Pip, "--installer"), ..ask(name) };
    let distribution =
        |name: &str| PlanOptions { torch_source: asked(TorchSource::Distribution, "--torch-source"), ..ask(name) };
    let arm = PlanOptions { architecture: asked("arm64".to_owned(), "--platform"), ..PlanOptions::default() };
    let rows = vec![
        ("torch", none.clone()),
        ("torch==2.15.0", none.clone()),
        ("torch>=2.11,<2.15", none.clone()),
        ("torch>=2.9,<2.15", none.clone()),
        ("torch==2.7.1+cpu", none.clone()),
        ("torch==2.7.1+cu118", none.clone()),
        ("torch==2.7.1+rocm6.3", none.clone()),
        ("--extra-index-url https://pypi.example.org/whl/cpu\ntorch", none.clone()),
        ("torch @ https://files.example.org/torch-2.7.1%2Bcpu-cp313-cp313-linux_x86_64.whl", none.clone()),
        ("numpy", none.clone()),
        ("torch==99", none),
        ("torch", arm),
        ("torch", ask("cpu")),
        ("torch", ask("cu128")),
        ("torch", ask("cu999")),
        ("torch", ask("rocm6.4")),
        ("torch", ask("xpu")),
        ("torch", ask("auto")),
        ("torch", ask("cpu; id")),
        ("torch==2.7.1+cu118", ask("cpu")),
        ("torch @ https://files.example.org/torch-2.7.1%2Bcpu-cp313-cp313-linux_x86_64.whl", ask("cu128")),
        ("torch", pip("cpu")),
        ("torch", distribution("cpu")),
        ("torch>=2.6", distribution("cu128")),
        ("torch>=2.7", distribution("cpu")),
        ("torch==2.5.1", distribution("cpu")),
    ];
    let rows = rows.iter().map(|(text, options)| {
        let asked = options.variant.as_ref().map(|asked| format!(" --variant {:?}", asked.value)).unwrap_or_default();
        let source = options.torch_source.as_ref().map(|_| " --torch-source distribution").unwrap_or_default();
        (format!("{text}{asked}{source}"), variant(&requirements(text), options))
    });
    assert_decisions("variant", rows);
}

#[test]
fn every_release_plans_and_gets_the_setuptools_it_needs() {
    let catalogue = Catalogue::embedded().unwrap();
    for release in catalogue.torch() {
        for version in &release.versions {
            let project = requirements(&format!("torch=={version}"));
            let Ok(plan) = plan(&project, &catalogue, &PlanOptions::default()) else {
                assert_eq!(release.release.to_string(), "2.0", "only 2.0 needs a Python that no base has");
                continue;
            };
            assert!(release.compiles(&plan.python.value), "{version}");
            assert_eq!(plan.setuptools, release.setuptools);
            assert_eq!(plan.torch.value.variant, Variant::Cuda { version: Some(release.cuda.to_string()) });
        }
    }
}

#[test]
fn the_installer_is_uv_unless_it_cannot_do_the_job() {
    let pick = |text: &str, options: &PlanOptions| match planned(&requirements(text), options) {
        Ok(plan) => plan.installer.value.to_string(),
        Err(error) => error.to_string(),
    };
    let none = PlanOptions::default();
    let uv = PlanOptions { installer: asked(Installer::Uv, "--installer"), ..PlanOptions::default() };
    let distribution = PlanOptions { torch_source: asked(TorchSource::Distribution, "--torch-source"), ..uv.clone() };
    assert_eq!(pick("torch", &none), "uv");
    assert_eq!(pick("--no-index\n--find-links ./wheels\ntorch", &none), "pip");
    assert_eq!(pick("torch\nx @ hg+https://hg.example.org/x", &none), "pip");
    assert!(pick("torch\nx @ hg+https://hg.example.org/x", &uv).contains("uv cannot do it"));
    assert!(pick("torch", &distribution).contains("uv cannot do it"));
}

#[test]
fn repositories_bring_their_program() {
    let text = "torch\nx @ git+https://git.example.org/x.git ; sys_platform == 'linux'\ny @ hg+https://hg.example.org/y ; sys_platform == 'darwin'\n";
    let plan = planned(&requirements(text), &PlanOptions::default()).unwrap();
    let git = plan.system.iter().find(|package| package.value == "git").unwrap();
    assert_eq!(git.requested, Origin::file("requirements.txt", 2));
    assert!(!plan.system.iter().any(|package| package.value == "mercurial"), "that requirement does not apply here");
}

#[test]
fn extras_bring_their_requirements_and_each_other() {
    let more = "[project.optional-dependencies]\nplot = [\"matplotlib\"]\nall = [\"demo[plot]\", \"scipy\"]\n";
    let project = pyproject(">=3.10", r#""torch""#, more);
    let with = |extra: &str| PlanOptions { extras: vec![extra.to_owned()], ..PlanOptions::default() };
    let texts = |options: &PlanOptions| planned(&project, options).unwrap().dependencies;
    assert_eq!(texts(&PlanOptions::default()), ["torch"]);
    assert_eq!(texts(&with("All")), ["torch", "matplotlib", "scipy"]);
    for bad in ["nothing", "", "a b", "x\ny"] {
        let error = planned(&project, &with(bad)).unwrap_err();
        assert!(!error.to_string().contains('\n'), "{bad:?}");
    }
}

#[test]
fn a_folder_that_is_a_requirement_comes_whole() {
    let files = [("requirements.txt", "torch\n-e .\n./libs/tools\n"), ("libs/tools/setup.py", ""), ("setup.py", "")];
    let plan = planned(&project(&files), &PlanOptions::default()).unwrap();
    let folders: Vec<_> =
        plan.folders.iter().map(|folder| (folder.value.as_str(), folder.requested.to_string())).collect();
    assert_eq!(folders, [(".", "requirements.txt:2".to_owned()), ("libs/tools", "requirements.txt:3".to_owned())]);
}

#[test]
fn what_cannot_stand_in_a_dockerfile_is_refused() {
    let env = |name: &str, value: &str| PlanOptions {
        env: [(name.to_owned(), value.to_owned())].into(),
        ..PlanOptions::default()
    };
    let run = PlanOptions { run: vec!["true\nUSER root".to_owned()], ..PlanOptions::default() };
    let system = |name: &str| PlanOptions {
        system: vec![Asked { value: name.to_owned(), origin: Origin::flag("--system-package") }],
        ..PlanOptions::default()
    };
    for options in
        [env("A-B", "x"), env("", "x"), env("A\nB", "x"), env("A", "x\ny"), run, system("git; id"), system("-y")]
    {
        let error = planned(&requirements("torch"), &options).unwrap_err();
        assert!(error.origin.is_some() && !error.to_string().contains('\n'), "{error}");
    }
}

#[test]
fn the_classic_builder_is_given_no_secret() {
    let classic = PlanOptions { builder: Some(Builder::Classic), ..super::company() };
    let error = planned(&requirements("torch"), &classic).unwrap_err();
    assert!(error.to_string().contains("`PIP_INDEX_URL`"), "{error}");
    let network = Network { ca_bundle: true, secret_env: Vec::new() };
    let error = planned(&requirements("torch"), &PlanOptions { network, ..classic }).unwrap_err();
    assert_eq!(error.to_string(), "the classic builder cannot keep the CA bundle out of the image");
    assert!(error.hint.unwrap().contains("`DOCKER_BUILDKIT=0`"));
}

#[test]
fn an_extra_that_brings_torch_is_named() {
    let more = "[project.optional-dependencies]\ngpu = [\"torch\"]\ncpu = [\"torch==2.9.1\"]\nplot = [\"matplotlib\"]\nmac = [\"torch; sys_platform == 'darwin'\"]\n";
    let hints = |project: &Project| {
        let notes = planned(project, &PlanOptions::default()).unwrap().notes;
        notes.into_iter().filter_map(|note| note.hint).collect::<Vec<_>>()
    };
    assert_eq!(hints(&pyproject(">=3.10", r#""numpy""#, more)), ["`--extra cpu` or `--extra gpu` asks for it"]);
    assert_eq!(hints(&requirements("numpy")), ["add `torch` to the requirements"]);
}
