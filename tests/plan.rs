//! From a project to its plan and its Dockerfile.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "plan/bases.rs"]
mod bases;
#[path = "plan/choice.rs"]
mod choice;
#[path = "plan/decisions.rs"]
mod decisions;
#[path = "plan/hostile.rs"]
mod hostile;
#[path = "plan/installers.rs"]
mod installers;
#[path = "plan/variants.rs"]
mod variants;

use std::path::Path;
use std::sync::LazyLock;

use sconce::catalogue::Catalogue;
use sconce::inspect::{InspectOptions, inspect};
use sconce::model::{Builder, Error, Installer, Network, Origin, Plan, PlannedIndex, Project, Result, TorchSource};
use sconce::plan::{Asked, PlanOptions, plan};
use sconce::render::render;
use sconce::report::{self, Page};

use crate::report::plain;

/// Read once: it takes longer than everything that is tested here.
static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::embedded().unwrap());

/// A project of these files, each a path and its text.
fn project(files: &[(&str, &str)]) -> Project {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("demo");
    for (file, text) in files {
        let path = folder.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    inspect(&folder, CATALOGUE.packages(), &InspectOptions::default()).unwrap()
}

fn requirements(text: &str) -> Project {
    project(&[("requirements.txt", text)])
}

#[expect(clippy::unnecessary_wraps, reason = "options are optional")]
fn asked<T>(value: T, flag: &str) -> Option<Asked<T>> {
    Some(Asked { value, origin: Origin::flag(flag) })
}

fn planned(project: &Project, options: &PlanOptions) -> Result<Plan> {
    plan(project, &CATALOGUE, options)
}

/// An error as a person sees it.
fn shown(error: &Error) -> String {
    let hint = error.hint.as_ref().map(|hint| format!("\nhint: {hint}"));
    format!("{error}{}", hint.unwrap_or_default())
}

fn dockerfile(project: &Project, options: &PlanOptions) -> String {
    let plan = planned(project, options).unwrap_or_else(|error| panic!("{}", shown(&error)));
    render(&plan).unwrap().text
}

fn assert_dockerfile(name: &str, project: &Project, options: &PlanOptions) {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r#"dev\.sconce\.version="[^"]+""#, r#"dev.sconce.version="VERSION""#);
    // A project that asks for what no base has is refused with the reason.
    let (choices, answer) = match planned(project, options) {
        Ok(plan) => (choices(&plan), render(&plan).unwrap().text),
        Err(error) => (String::new(), format!("{:?}: {}", error.kind, shown(&error))),
    };
    settings.bind(|| insta::assert_snapshot!(format!("dockerfile-{name}"), answer));
    if !choices.is_empty() {
        insta::assert_snapshot!(format!("plan-{name}"), choices);
    }
}

/// What was chosen and said, as a person sees it.
fn choices(plan: &Plan) -> String {
    let page = Page { width: 118, ascii: false };
    plain(|out| {
        report::choices(plan, page, out)?;
        report::notes(&plan.notes, page, out)
    })
}

/// Holds a table of decisions, one question with its answer a row, against the one that was reviewed.
fn assert_decisions(name: &str, rows: impl Iterator<Item = (String, String)>) {
    let table: Vec<_> = rows.map(|row| format!("{}\n{}", row.0, row.1).replace('\n', "\n    ")).collect();
    insta::assert_snapshot!(format!("decisions-{name}"), table.join("\n"));
}

/// Holds steps of a Dockerfile, or an answer, against those that were reviewed.
fn assert_reviewed(name: &str, text: &str) {
    insta::assert_snapshot!(name, text);
}

#[test]
fn projects_become_dockerfiles() {
    let projects = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/projects");
    for entry in std::fs::read_dir(projects).unwrap() {
        let folder = entry.unwrap().path();
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        if !folder.is_dir() || name == "bad" {
            continue;
        }
        let project = inspect(&folder, CATALOGUE.packages(), &InspectOptions::default()).unwrap();
        let options = PlanOptions { network: variables_of(&project), ..PlanOptions::default() };
        assert_dockerfile(&name, &project, &options);
    }
}

/// What the build's secrets carry for a project whose files use variables.
fn variables_of(project: &Project) -> Network {
    let names = project.variables.iter().map(|variable| variable.name.clone());
    Network { ca_bundle: false, secret_env: names.collect() }
}

#[test]
fn options_become_dockerfiles() {
    let simple = requirements("torch>=2.6\nnumpy\n");
    let classic = PlanOptions { builder: Some(Builder::Classic), ..PlanOptions::default() };
    assert_dockerfile("classic-uv", &simple, &classic);
    assert_dockerfile(
        "classic-pip",
        &simple,
        &PlanOptions { installer: asked(Installer::Pip, "--installer"), ..classic },
    );

    let distribution = asked(TorchSource::Distribution, "--torch-source");
    assert_dockerfile("distribution", &simple, &PlanOptions { torch_source: distribution, ..PlanOptions::default() });

    let cpu = PlanOptions { variant: asked("cpu".to_owned(), "--variant"), ..PlanOptions::default() };
    assert_dockerfile("cpu", &simple, &cpu);
    assert_dockerfile("company", &simple, &company());
}

/// A company's network and wishes, all at once.
fn company() -> PlanOptions {
    let index = |url: &str, primary, secret, flag: &str| PlannedIndex {
        url: url.to_owned(),
        primary,
        secret,
        name: None,
        packages: Vec::new(),
        origin: Origin::flag(flag),
    };
    PlanOptions {
        indexes: vec![
            index("https://pypi.example.org/simple", true, true, "--index-url"),
            index("https://files.example.org/team/simple", false, false, "--extra-index-url"),
        ],
        network: Network {
            ca_bundle: true,
            secret_env: vec!["PIP_INDEX_URL".to_owned(), "UV_DEFAULT_INDEX".to_owned()],
        },
        env: [("GREETING".to_owned(), r#"a "quoted" $HOME \ 'value'"#.to_owned())].into(),
        system: vec![Asked { value: "ffmpeg".to_owned(), origin: Origin::flag("--system-package") }],
        run: vec!["echo \"it's done\" > /etc/greeting".to_owned()],
        ..PlanOptions::default()
    }
}

#[test]
fn a_dockerfile_names_nothing_secret() {
    let text = dockerfile(&requirements("torch>=2.6\nnumpy\n"), &company());
    assert!(!text.contains("pypi.example.org"), "an index with credentials is not named");
}

#[test]
fn the_same_plan_is_the_same_dockerfile() {
    let nested = ["a/1.txt", "b/2.txt", "c/3.txt", "d/4.txt", "e/5.txt"];
    let lines = nested.map(|file| format!("-r {file}\n")).concat();
    let mut files: Vec<_> = nested.iter().map(|file| (*file, "torch\n")).collect();
    files.push(("requirements.txt", &lines));
    let project = project(&files);
    let env = ["A", "B", "C", "D", "E"].map(|name| (name.to_owned(), name.to_owned())).into();
    let options = PlanOptions { env, ..company() };
    let first = dockerfile(&project, &options);
    for _ in 0..16 {
        assert_eq!(dockerfile(&project, &options), first);
    }
}

#[test]
fn the_oldest_engine_understands_the_dockerfile() {
    for options in [PlanOptions::default(), company()] {
        let text = dockerfile(&requirements("torch"), &options);
        assert!(!text.contains("syntax=") && !text.contains("<<"), "{text}");
    }
    let classic = PlanOptions { builder: Some(Builder::Classic), ..PlanOptions::default() };
    assert!(!dockerfile(&requirements("torch"), &classic).contains("--mount"));
}
