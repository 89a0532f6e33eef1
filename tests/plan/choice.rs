//! Which base and which Python are chosen, out of a small catalogue that has one base of each kind.

use std::sync::LazyLock;

use proptest::prelude::*;
use sconce::catalogue::{Accelerator, Base, BasePython, Catalogue};
use sconce::model::PythonProvider::{self, Conda, Deadsnakes, Distribution, Image, Pixi, Source, Uv};
use sconce::model::{Installer, Plan, Project, Result, Severity, TorchSource};
use sconce::plan::{PlanOptions, plan};

use super::{asked, assert_decisions, project, requirements, shown};

/// A base with these interpreters, each with its provider, and else as the first of the catalogue is.
fn base(id: &str, reference: &str, pythons: &[(&str, PythonProvider)]) -> Base {
    let first = super::CATALOGUE.bases()[0].clone();
    let interpreter = |(version, provider): &(&str, PythonProvider)| BasePython {
        version: version.parse().unwrap(),
        provider: *provider,
        ..first.python[0].clone()
    };
    Base {
        id: id.to_owned(),
        reference: reference.to_owned(),
        suite: None,
        architectures: vec!["amd64".to_owned(), "arm64".to_owned()],
        python: pythons.iter().map(interpreter).collect(),
        torch: None,
        ..first
    }
}

/// The same, taken only where it is asked for.
fn on_request(id: &str, reference: &str, pythons: &[(&str, PythonProvider)]) -> Base {
    Base { on_request: true, ..base(id, reference, pythons) }
}

/// The same, which can be made without a registry.
fn homemade(id: &str, reference: &str, pythons: &[(&str, PythonProvider)]) -> Base {
    Base { suite: Some(id.to_owned()), ..base(id, reference, pythons) }
}

/// The same with the libraries of an accelerator, in these releases.
fn accelerated(kind: &str, reference: &str, releases: &[(&str, &str)]) -> Base {
    let releases = releases.iter().map(|(release, tag)| ((*release).to_owned(), (*tag).to_owned())).collect();
    Base {
        accelerator: Some(Accelerator { kind: kind.to_owned(), compiler: true, releases }),
        ..on_request(kind, reference, &[("3.12.3", Distribution)])
    }
}

fn catalogue() -> Catalogue {
    let all = |provider| ["3.10", "3.11", "3.12", "3.13", "3.14"].map(|version| (version, provider));
    let rows = vec![
        homemade("debian-13", "debian:13", &[("3.13.5", Distribution), ("3.15", Uv)]),
        homemade("debian-12", "debian:12", &[("3.11.2", Distribution), ("3.13", Uv)]),
        base("python-slim", "python:{python}-slim", &all(Image)),
        on_request("ubuntu", "ubuntu:24.04", &[("3.13", Deadsnakes), ("3.12.3", Distribution)]),
        Base { architectures: vec!["amd64".to_owned()], ..on_request("rocky", "rocky:9", &[("3.9.21", Distribution)]) },
        accelerated(
            "cuda",
            "nvidia/cuda:{accelerator}-devel",
            &[("12.4", "12.4.1"), ("12.6", "12.6.3"), ("13.0", "13.0.1")],
        ),
        accelerated("rocm", "rocm/dev:{accelerator}", &[("6.4", "6.4.4")]),
        on_request("micromamba", "mambaorg/micromamba:2", &all(Conda)),
        on_request("pixi", "prefix-dev/pixi:1", &all(Pixi)),
    ];
    super::CATALOGUE.clone().with_bases(rows)
}

/// The rows in the place of those that are embedded.
static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(catalogue);

fn planned(project: &Project, options: &PlanOptions) -> Result<Plan> {
    plan(project, &CATALOGUE, options)
}

/// A choice as a reader sees it, with the notes that the planner adds of its own.
fn choice(project: &Project, options: &PlanOptions) -> String {
    let plan = match planned(project, options) {
        Ok(plan) => plan,
        Err(error) => return format!("{:?} {}", error.kind, shown(&error)),
    };
    let (base, python) = (&plan.base, &plan.python);
    let mut lines = vec![
        format!("{} because {} ({})", base.value.reference, base.because, base.requested),
        format!("Python {} because {} ({})", python.value, python.because, python.requested),
    ];
    // What is said of torch's variants and of what is not followed has its own tests.
    let others = ["torch from the package index", "is not followed: versions", "nothing asks for torch"];
    let notes = plan.notes.iter().filter(|note| !others.iter().any(|other| note.message.contains(other)));
    for note in notes {
        let lead = if note.severity == Severity::Warning { "warning" } else { "note" };
        lines.push(format!("{lead}: {} ({})", note.message, note.origin));
        lines.extend(note.hint.iter().map(|hint| format!("  hint: {hint}")));
    }
    lines.join("\n")
}

fn pyproject(python: &str, dependencies: &str) -> Project {
    let text = format!("[project]\nname = \"demo\"\nversion = \"1\"\nrequires-python = \"{python}\"\n");
    project(&[("pyproject.toml", &format!("{text}dependencies = [{dependencies}]\n"))])
}

fn package(python: &str, dependencies: &str) -> Project {
    let system = "[build-system]\nrequires = [\"hatchling\"]\nbuild-backend = \"hatchling.build\"\n";
    let text = format!("{system}[project]\nname = \"demo\"\nversion = \"1\"\nrequires-python = \"{python}\"\n");
    project(&[("pyproject.toml", &format!("{text}dependencies = [{dependencies}]\n"))])
}

fn python(version: &str) -> PlanOptions {
    PlanOptions { python: asked(version.parse().unwrap(), "--python"), ..PlanOptions::default() }
}

fn on(id: &str) -> PlanOptions {
    PlanOptions { base: asked(id.to_owned(), "--base"), ..PlanOptions::default() }
}

fn platform(architecture: &str) -> PlanOptions {
    PlanOptions { architecture: asked(architecture.to_owned(), "--platform"), ..PlanOptions::default() }
}

fn variant(name: &str) -> Option<sconce::plan::Asked<String>> {
    asked(name.to_owned(), "--variant")
}

type Row = (&'static str, Project, PlanOptions);

fn assert_choices(name: &str, rows: &[Row]) {
    let rows = rows.iter().map(|(what, project, options)| ((*what).to_owned(), choice(project, options)));
    assert_decisions(name, rows);
}

#[test]
fn the_project_decides_then_what_compiles_then_the_default() {
    let none = PlanOptions::default;
    let pinned = |version: &str, torch: &str| project(&[("requirements.txt", torch), (".python-version", version)]);
    let rows = vec![
        ("torch", requirements("torch\n"), none()),
        ("torch==2.5.1", requirements("torch==2.5.1\n"), none()),
        ("torch==2.4.*", requirements("torch==2.4.*\n"), none()),
        ("torch==2.9.1", requirements("torch==2.9.1\n"), none()),
        ("torch==2.0.1", requirements("torch==2.0.1\n"), none()),
        ("torch below 3.12 only", requirements("torch; python_version < '3.12'\n"), none()),
        (">=3.14", pyproject(">=3.14", "\"torch\""), none()),
        (">=3.15", pyproject(">=3.15", "\"torch\""), none()),
        (">=3.10,<3.12", pyproject(">=3.10,<3.12", "\"torch\""), none()),
        (">=3.11.4,<3.12", pyproject(">=3.11.4,<3.12", "\"torch\""), none()),
        ("<3.13, torch==2.3.1", pyproject("<3.13", "\"torch==2.3.1\""), none()),
        (".python-version 3.12", pinned("3.12\n", "torch\n"), none()),
        (".python-version 3.13", pinned("3.13\n", "torch\n"), none()),
        (".python-version 3.13.2", pinned("3.13.2\n", "torch\n"), none()),
        (".python-version 3.12.4", pinned("3.12.4\n", "torch\n"), none()),
    ];
    assert_choices("defaults", &rows);
}

#[test]
fn what_is_asked_for_beats_the_project_and_a_warning_says_so() {
    let pinned = || project(&[("requirements.txt", "torch\n"), (".python-version", "3.12\n")]);
    let distribution =
        PlanOptions { torch_source: asked(TorchSource::Distribution, "--torch-source"), ..PlanOptions::default() };
    let rows = vec![
        ("--python 3.11", requirements("torch\n"), python("3.11")),
        ("--python 3.13 over .python-version 3.12", pinned(), python("3.13")),
        ("--python 3.13 over <3.13", pyproject("<3.13", "\"torch\""), python("3.13")),
        ("--python 3.13 over <3.13 of a package", package("<3.13", "\"torch\""), python("3.13")),
        ("--python 3.13 over torch==2.5.1", requirements("torch==2.5.1\n"), python("3.13")),
        ("--base debian-12", requirements("torch\n"), on("debian-12")),
        ("--base debian-12 over .python-version 3.12", pinned(), on("debian-12")),
        ("--base debian-12 over >=3.12", pyproject(">=3.12,<3.13", "\"torch\""), on("debian-12")),
        ("--base debian-12 and >=3.12 of a package", package(">=3.12", "\"torch\""), on("debian-12")),
        ("--base ubuntu", requirements("torch\n"), on("ubuntu")),
        (
            "--base ubuntu --python 3.13",
            requirements("torch\n"),
            PlanOptions { python: python("3.13").python, ..on("ubuntu") },
        ),
        ("--base rocky", requirements("torch\n"), on("rocky")),
        (
            "--base debian-13 --python 3.12",
            requirements("torch\n"),
            PlanOptions { python: python("3.12").python, ..on("debian-13") },
        ),
        ("--base nowhere", requirements("torch\n"), on("nowhere")),
        ("--torch-source distribution", pinned(), distribution),
        (
            "--installer micromamba",
            requirements("torch\n"),
            PlanOptions { installer: asked(Installer::Micromamba, "--installer"), ..PlanOptions::default() },
        ),
    ];
    assert_choices("asked", &rows);
}

#[test]
fn a_clash_names_both_places_and_the_nearest_change() {
    let none = PlanOptions::default;
    let both = project(&[
        ("requirements.txt", "torch==2.15.0\n"),
        (".python-version", "3.10\n"),
        ("Dockerfile", "FROM python:3.10\n"),
    ]);
    let three = PlanOptions { base: on("debian-12").base, ..python("3.11") };
    let rows = vec![
        ("torch==2.5.1 and >=3.13", pyproject(">=3.13", "\"torch==2.5.1\""), none()),
        ("torch==2.5.1 and >=3.13 of a package", package(">=3.13", "\"torch==2.5.1\""), none()),
        ("torch==2.15.0 and .python-version 3.10", both, none()),
        (
            "two files",
            project(&[
                (
                    "pyproject.toml",
                    "[project]\nname = \"demo\"\nversion = \"1\"\nrequires-python = \">=3.12\"\ndependencies = [\"torch\"]\n",
                ),
                (".python-version", "3.11\n"),
            ]),
            none(),
        ),
        ("torch>=2.5,<2.4", requirements("torch>=2.5,<2.4\n"), none()),
        ("torch>=2.5 and torch<2.4", requirements("numpy\ntorch>=2.1\ntorch>=2.5\ntorch<2.4\ntorch!=2.0.1\n"), none()),
        ("torch<2", requirements("torch<2\n"), none()),
        (
            "torch<2 and .python-version 3.7",
            project(&[("requirements.txt", "torch<2\n"), (".python-version", "3.7\n")]),
            none(),
        ),
        (
            "a wheel of Python 3.12 and --python 3.13",
            requirements("torch @ https://files.example.org/torch-2.6.0%2Bcpu-cp312-cp312-linux_x86_64.whl\n"),
            python("3.13"),
        ),
        ("--python 3.7", requirements("torch\n"), python("3.7")),
        ("--python 3.9", requirements("torch\n"), python("3.9")),
        ("--python 3.16", requirements("torch\n"), python("3.16")),
        ("--python 3.15 and torch==2.14.*", requirements("torch==2.14.*\n"), python("3.15")),
        ("--python 3.10 and torch>=2.15", requirements("torch>=2.15\n"), python("3.10")),
        (".python-version 3.8", project(&[("requirements.txt", "torch\n"), (".python-version", "3.8\n")]), none()),
        (">=3.17", pyproject(">=3.17", "\"torch\""), none()),
        ("==3.9.*", pyproject("==3.9.*", "\"torch\""), none()),
        ("--base rocky and torch==2.15.0", requirements("torch==2.15.0\n"), on("rocky")),
        ("--base debian-12 --python 3.11 and torch==2.0.1", requirements("torch==2.0.1\n"), three),
        (
            "--base debian-12 --installer pixi",
            requirements("torch\n"),
            PlanOptions { installer: asked(Installer::Pixi, "--installer"), ..on("debian-12") },
        ),
    ];
    assert_choices("clashes", &rows);
}

#[test]
fn a_torch_that_nobody_has_heard_of_is_the_index_s_to_refuse() {
    let lines = [
        "torch==2.99.1\n",
        "torch==2.5.9\n",
        "torch>=2.5.2,<2.6\n",
        "torch==2.15.7\n",
        "torch==2.14.0rc1\n",
        "torch==2.5.1+cu121\n",
        "torch==2.5.9+cu121\n",
        "torch!=2.5.9\n",
    ];
    assert_choices("unlisted", &lines.map(|line| (line.trim(), requirements(line), PlanOptions::default())));
}

#[test]
fn an_accelerator_s_base_has_the_release_that_torch_is_built_for() {
    let with = |base: &str, name: &str| PlanOptions { variant: variant(name), ..on(base) };
    let rows = vec![
        ("--base cuda", requirements("torch==2.7.1\n"), on("cuda")),
        ("--base cuda, several releases", requirements("torch>=2.6,<2.8\n"), on("cuda")),
        ("--base cuda --variant cu128", requirements("torch\n"), with("cuda", "cu128")),
        ("--base cuda --variant cu132", requirements("torch\n"), with("cuda", "cu132")),
        ("--base cuda --variant cu118", requirements("torch\n"), with("cuda", "cu118")),
        ("--base cuda --variant cpu", requirements("torch\n"), with("cuda", "cpu")),
        ("--base rocm --variant rocm6.4", requirements("torch\n"), with("rocm", "rocm6.4")),
        ("--base rocm --variant rocm7.2", requirements("torch\n"), with("rocm", "rocm7.2")),
        ("--base rocm", requirements("torch\n"), on("rocm")),
    ];
    assert_choices("accelerators", &rows);
}

#[test]
fn an_image_is_planned_for_an_architecture_that_there_is() {
    let rows = vec![
        ("arm64", requirements("torch\n"), platform("arm64")),
        ("riscv64", requirements("torch\n"), platform("riscv64")),
        ("rocky on arm64", requirements("torch\n"), PlanOptions { base: on("rocky").base, ..platform("arm64") }),
        (
            "markers",
            requirements("torch==2.5.1; platform_machine == 'x86_64'\ntorch==2.7.1; platform_machine == 'aarch64'\n"),
            platform("arm64"),
        ),
        ("a line break", requirements("torch\n"), platform("arm\n64")),
    ];
    assert_choices("architectures", &rows);
}

#[test]
fn what_only_conda_installs_is_planned_on_a_base_that_has_it() {
    let conda = |python: &str, torch: &str| {
        let text = format!("channels: [conda-forge]\ndependencies:\n  - python{python}\n  - {torch}\n  - numpy\n");
        project(&[("environment.yml", &text)])
    };
    let pixi = || {
        let text = "[workspace]\nname = \"demo\"\nchannels = [\"conda-forge\"]\nplatforms = [\"linux-64\"]\n\
                    [dependencies]\npython = \">=3.11\"\npytorch = \">=2.6\"\n";
        project(&[("pixi.toml", text)])
    };
    let uv = PlanOptions { installer: asked(Installer::Uv, "--installer"), ..PlanOptions::default() };
    let cpu = PlanOptions { variant: variant("cpu"), ..PlanOptions::default() };
    let none = PlanOptions::default;
    let rows = vec![
        ("conda", conda("", "pytorch"), none()),
        ("conda, torch 2.5", conda("", "pytorch=2.5"), none()),
        ("conda, python 3.11", conda("=3.11", "pytorch"), none()),
        ("conda, python 3.13 and torch 2.5", conda("=3.13", "pytorch=2.5"), none()),
        ("conda --base debian-13", conda("", "pytorch"), on("debian-13")),
        ("conda --installer uv", conda("", "pytorch"), uv),
        ("conda --variant cpu", conda("", "pytorch"), cpu),
        ("conda, python 3.11, --python 3.12", conda("=3.11", "pytorch"), python("3.12")),
        ("pixi", pixi(), none()),
    ];
    assert_choices("conda", &rows);

    let row = base("debian-13", "debian:13", &[("3.13.5", Distribution)]);
    let without = super::CATALOGUE.clone().with_bases(vec![row]);
    let plan = plan(&conda("", "pytorch"), &without, &none()).unwrap();
    assert_eq!(plan.base.value.id, "debian-13", "a catalogue without such a base does without");
}

#[test]
fn the_project_s_own_image_is_a_hint() {
    let from = |image: &str| {
        project(&[("requirements.txt", "torch\n"), ("Dockerfile", &format!("FROM {image}\nRUN pip install torch\n"))])
    };
    let none = PlanOptions::default;
    let rows = vec![
        ("python", from("docker.io/library/python:3.12-bookworm"), none()),
        ("cuda", from("nvidia/cuda:12.4.1-devel-ubuntu22.04"), none()),
        ("debian", from("debian:12"), none()),
        ("unknown", from("registry.example.org/team/base:1"), none()),
        ("asked", from("nvidia/cuda:12.4.1-devel-ubuntu22.04"), on("debian-12")),
    ];
    assert_choices("hints", &rows);
}

#[test]
fn a_followed_lock_settles_torch() {
    let manifest =
        "[project]\nname = \"demo\"\nversion = \"1\"\nrequires-python = \">=3.10\"\ndependencies = [\"torch\"]\n";
    let lock = "version = 1\nrequires-python = \">=3.10\"\n\n[[package]]\nname = \"demo\"\nversion = \"1\"\n\
                source = { virtual = \".\" }\ndependencies = [{ name = \"torch\" }]\n\n[[package]]\nname = \"torch\"\n\
                version = \"2.5.1\"\nsource = { registry = \"https://pypi.example.org/simple\" }\n";
    let project = project(&[("pyproject.toml", manifest), ("uv.lock", lock)]);
    let pip = PlanOptions { installer: asked(Installer::Pip, "--installer"), ..PlanOptions::default() };
    let python = |options: &PlanOptions| planned(&project, options).unwrap().python.value.to_string();
    assert_eq!(python(&PlanOptions::default()), "3.12", "2.5.1 compiles up to there");
    assert_eq!(python(&pip), "3.13", "pip chooses anew");
}

#[test]
fn an_override_stands_in_place_of_what_it_overrides() {
    let text = "[project]\nname = \"demo\"\nversion = \"1\"\ndependencies = [\"torch<2\"]\n[tool.uv]\noverride-dependencies = [\"torch==2.5.1\"]\n";
    let plan = planned(&project(&[("pyproject.toml", text)]), &PlanOptions::default()).unwrap();
    assert_eq!(plan.python.value.to_string(), "3.12");
    assert_eq!(plan.torch.value.specifiers.to_string(), "==2.5.1");
}

#[test]
fn a_refusal_fits_one_screen_whatever_the_catalogue_holds() {
    let pythons = [("3.11", Image), ("3.12", Uv), ("3.13", Source)];
    let rows = (0..60).map(|at| base(&format!("base-{at}"), "example", &pythons)).collect();
    let catalogue = super::CATALOGUE.clone().with_bases(rows);
    let refused = |text: &str, options: &PlanOptions| {
        let said = shown(&plan(&requirements(text), &catalogue, options).unwrap_err());
        assert!(said.lines().count() <= 6 && said.len() < 600, "{said}");
    };
    refused("torch==2.0.1\n", &PlanOptions::default());
    refused("torch==2.5.1\n", &python("3.13"));
    refused("torch\n", &python("3.7"));
    refused("torch==2.0.1\n", &PlanOptions { base: on("base-7").base, ..python("3.13") });
}

/// One of these, or nothing.
fn maybe(choices: &'static [&'static str]) -> impl Strategy<Value = Option<&'static str>> {
    prop::option::of(prop::sample::select(choices))
}

/// What a project and its user may say, in combinations that nobody thought of.
fn wishes() -> impl Strategy<Value = (Project, PlanOptions)> {
    let torch = maybe(&[
        "torch",
        "torch==2.5.1",
        "torch>=2.6",
        "torch<2.4",
        "torch==2.0.*",
        "torch==99",
        "torch==2.5.9",
        "torch<1",
        "torch==2.7.1+cu128",
        "torch>=2.10,<2.13",
        "torch==2.15.0; python_version >= '3.12'",
        "torch @ https://files.example.org/torch-2.6.0-cp312-cp312-linux_x86_64.whl",
    ]);
    let bounds =
        maybe(&[">=3.10", ">=3.14", "<3.12", "==3.12.*", "==3.13.2", ">=3.11,<3.13", "<3", "==3.9.*", "~=3.11.4"]);
    let pin = maybe(&["3.12", "3.13.1", "3.10", "3.7", "3.15"]);
    let python = maybe(&["3.11", "3.13", "3.15", "3.7", "3.99"]);
    let base = maybe(&["debian-12", "debian-13", "python-slim", "rocky", "cuda", "rocm", "micromamba"]);
    let variant = maybe(&["cpu", "cu126", "rocm6.4"]);
    let platform = maybe(&["amd64", "arm64", "s390x"]);
    (torch, bounds, any::<bool>(), pin, python, base, variant, platform).prop_map(
        |(torch, bounds, is_package, pin, python, base, variant, platform)| {
            let torch = torch.map(|torch| format!(", \"{torch}\"")).unwrap_or_default();
            let torch = format!("\"numpy\"{torch}");
            let declared = if is_package { package } else { pyproject };
            let mut project = declared(bounds.unwrap_or(">=3"), &torch);
            if let Some(pin) = pin {
                let file = super::project(&[(".python-version", pin), ("requirements.txt", "torch")]);
                project.python.extend(file.python);
            }
            let asked = |value: Option<&str>, flag| value.and_then(|value| asked(value.to_owned(), flag));
            let options = PlanOptions {
                python: python.and_then(|version| super::asked(version.parse().unwrap(), "--python")),
                base: asked(base, "--base"),
                variant: asked(variant, "--variant"),
                architecture: asked(platform, "--platform"),
                ..PlanOptions::default()
            };
            (project, options)
        },
    )
}

proptest! {
    // Each case writes a project to disk.
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_plan_meets_what_is_enforced_or_says_why_not((project, options) in wishes()) {
        let catalogue = &*CATALOGUE;
        let planned = planned(&project, &options);
        let again = plan(&project, catalogue, &options);
        match (planned, again) {
            (Ok(planned), Ok(again)) => {
                prop_assert_eq!(format!("{planned:?}"), format!("{again:?}"));
                let row = catalogue.bases().iter().find(|base| base.id == planned.base.value.id).unwrap();
                let python = &planned.python.value;
                prop_assert!(options.base.iter().all(|asked| asked.value == row.id));
                prop_assert!(!row.on_request || options.base.is_some(), "{}", row.id);
                prop_assert!(options.python.iter().all(|asked| asked.value == *python));
                prop_assert!(row.architectures.contains(&planned.architecture.value));
                prop_assert!(row.python.iter().any(|known| known.minor() == *python));
                prop_assert!(!planned.base.value.reference.contains('{'), "{}", planned.base.value.reference);
                // No release that the specifiers allow and pip would take refuses to compile.
                let specifiers = &planned.torch.value.specifiers;
                let allowed = |version: &&pep440_rs::Version| specifiers.contains(version);
                let taken = catalogue.torch().iter().rfind(|r| r.has_wheel(python) && r.versions.iter().any(|v| allowed(&v)));
                prop_assert!(taken.is_none_or(|release| release.compiles(python)), "{specifiers} on {python}");
                if project.package.is_some() {
                    let patch = |patch: u64| pep440_rs::Version::new(python.release().iter().copied().chain([patch]));
                    let own = project.python.iter().filter(|c| c.origin.to_string().starts_with("pyproject.toml"));
                    for constraint in own {
                        prop_assert!((0..100).map(patch).any(|version| constraint.specifiers.contains(&version)));
                    }
                }
            }
            (Err(error), Err(again)) => {
                let said = shown(&error);
                prop_assert_eq!(&said, &shown(&again));
                prop_assert!(said.lines().count() <= 8 && !error.message.contains('\n'), "{said}");
            }
            (one, other) => prop_assert!(false, "{one:?} and then {other:?}"),
        }
    }
}
