use std::fmt::Write as _;

use proptest::prelude::*;

use super::super::testing::drafted;
use super::*;
use crate::model::{IndexRole, Project, Source};

fn project(text: &str) -> Result<Project> {
    in_file(FILE, text)
}

fn in_file(file: &str, text: &str) -> Result<Project> {
    Ok(drafted(&[(file, text), ("own/setup.py", "")], |draft| read(draft, file))?.1)
}

/// Each requirement with its group.
fn asked(project: &Project) -> Vec<(&str, Option<&str>)> {
    project.requirements.iter().map(|asked| (asked.text.as_str(), asked.group.as_deref())).collect()
}

const WORKSPACE: &str = r#"
[workspace]
name = "demo"
channels = ["conda-forge", { channel = "pytorch", priority = 1 }]
platforms = ["linux-64", "win-64"]

[system-requirements]
cuda = "12.0"
archspec = "x"

[dependencies]
python = "3.12.*"
pytorch = ">=2.8.0,<3"
curl = ">=8"
numpy = { version = "=1.26", channel = "https://c.example.org/own", build = "*mkl*", license = "BSD" }

[target.linux-64.dependencies]
pytorch-gpu = "2.8.* *cuda12*"

[target.win.dependencies]
python = "3.11.*"

[feature.cuda.dependencies]
pytorch-cuda = "12.1.*"
triton = "*"

[feature.cuda.pypi-dependencies]
flash-attn = "==2.5"

[feature.lonely.dependencies]
rich = "*"

[environments]
gpu = ["cuda"]
big = { features = ["cuda"], no-default-feature = true }

[activation]
scripts = ["x.sh"]
"#;

#[test]
fn a_workspace_is_read() {
    let project = project(WORKSPACE).unwrap();
    assert_eq!(project.name, "demo");
    assert_eq!(
        asked(&project),
        [
            ("torch>=2.8.0,<3", None),
            ("numpy==1.26.*", None),
            ("torch==2.8.* ; sys_platform == 'linux' and platform_machine == 'x86_64'", None),
            ("triton", Some("gpu")),
            ("triton", Some("big")),
            ("flash-attn==2.5", Some("gpu")),
            ("flash-attn==2.5", Some("big")),
            ("rich", Some("lonely")),
        ]
    );
    let gpu = &project.requirements[2];
    assert!(matches!(&gpu.source, Source::Conda { package, build: Some(build), .. }
        if package == "pytorch-gpu" && build == "*cuda12*"));
    assert_eq!(gpu.origin, Origin::file("pixi.toml", 18));
    assert_eq!(project.python.len(), 1);
    assert_eq!(project.python[0].specifiers.to_string(), "==3.12.*");
    let hints: Vec<&str> = project.system.iter().map(|hint| hint.package.as_str()).collect();
    assert_eq!(hints, ["curl>=8", "__cuda>=12.0", "pytorch-cuda=12.1.*"]);
    let selectable: Vec<&str> = project.selectable.iter().map(|group| group.name.as_str()).collect();
    assert_eq!(selectable, ["gpu", "big", "lonely"]);
    let channels: Vec<&str> = project.indexes.iter().map(|index| index.url.as_str()).collect();
    assert_eq!(channels, ["conda-forge", "pytorch", "https://c.example.org/own"]);
    assert_eq!(project.indexes[2].bindings[0].package, "numpy");
}

#[test]
fn what_is_not_followed_is_noted() {
    let project = project(WORKSPACE).unwrap();
    let notes: Vec<&str> = project.notes.iter().map(|note| note.message.as_str()).collect();
    for note in [
        "the environment `big` leaves out what is not of its features; here it comes with it",
        "`license` of `numpy` is not followed",
        "the system requirement `archspec` is not followed",
        "`activation` is not followed",
        "Python `3.11.*` is for another platform only",
        "the feature `lonely` is in no environment; `--group lonely` takes it",
    ] {
        assert!(notes.contains(&note), "{note} is not in {notes:#?}");
    }
}

#[test]
fn distributions_come_from_many_places() {
    let text = r#"
[workspace]
channels = []
[pypi-dependencies]
a = "*"
b = { version = ">=1", extras = ["X_y"], index = "https://me:secret@pypi.example.org/simple" }
c = { git = "https://git.example.org/c.git", rev = "abc", subdirectory = "sub" }
d = { url = "https://files.example.org/d-1.0-py3-none-any.whl" }
own = { path = "own", editable = true }
e = { version = "*", env-markers = "python_version < '3.12'" }
[pypi-options]
index-url = "https://pypi.example.org/main"
extra-index-urls = ["https://pypi.example.org/extra"]
find-links = [{ path = "own" }, { url = "https://files.example.org/links" }]
no-build-isolation = ["Flash_attn"]
index-strategy = "first-index"
[pypi-options.dependency-overrides]
numpy = ">=2"
"#;
    let project = project(text).unwrap();
    let texts: Vec<&str> = asked(&project).into_iter().map(|(text, _)| text).collect();
    assert_eq!(
        texts,
        [
            "a",
            "b[x-y]>=1",
            "c @ git+https://git.example.org/c.git@abc#subdirectory=sub",
            "d @ https://files.example.org/d-1.0-py3-none-any.whl",
            "own @ file:./own",
            "e ; python_version < '3.12'",
            "numpy>=2",
        ]
    );
    assert!(project.requirements[4].editable);
    assert!(matches!(&project.requirements[4].source, Source::Path { path } if path == "own"));
    assert_eq!(project.requirements[6].role, RequirementRole::Override);
    assert!(!format!("{project:?}").contains("secret"));
    let roles: Vec<IndexRole> = project.indexes.iter().map(|index| index.role).collect();
    assert_eq!(
        roles,
        [IndexRole::Extra, IndexRole::Primary, IndexRole::Extra, IndexRole::FindLinks, IndexRole::FindLinks]
    );
    assert!(project.indexes[0].explicit && project.indexes[0].bindings[0].package == "b");
    assert_eq!(project.isolation_exempt[0].package.as_deref(), Some("flash-attn"));
}

#[test]
fn the_default_environment_is_no_group() {
    let text = "[workspace]\nchannels=[]\n[feature.cuda.dependencies]\npytorch='*'\n[environments]\ndefault=['cuda']\n\
                gpu={features=['cuda'],solve-group='x'}\n";
    assert_eq!(asked(&project(text).unwrap()), [("torch", None)]);
}

#[test]
fn tables_of_a_pyproject_are_read_once() {
    let text = "[tool.pixi.workspace]\nchannels = ['conda-forge']\n[tool.pixi.dependencies]\npytorch = '2.5.*'\n";
    let alone = in_file(PYPROJECT, text).unwrap();
    assert_eq!(asked(&alone), [("torch==2.5.*", None)]);
    let both = in_file(PYPROJECT, &format!("[project]\nname='x'\ndependencies=['einops']\n{text}")).unwrap();
    assert_eq!(both.requirements.len(), 2);
    assert_eq!(asked(&in_file(PYPROJECT, "[tool.other]\nx=1\n").unwrap()), []);
}

#[test]
fn errors_have_their_lines() {
    let line = |text: &str| match project(text).unwrap_err().origin {
        Some(Origin::File { line, .. }) => line,
        other => panic!("{other:?}"),
    };
    assert_eq!(line("[dependencies]\na = '*'\nb = 1\n"), 3);
    assert_eq!(line("[dependencies]\n'a b' = '*'\n"), 2);
    assert_eq!(line("[pypi-dependencies]\na = '1.0'\n"), 2);
    assert_eq!(line("[pypi-dependencies]\na = { path = '../b' }\n"), 2);
    assert_eq!(line("[pypi-dependencies]\na = { url = 'x' }\n"), 2);
    assert_eq!(line("[environments]\na = 1\n"), 2);
    assert_eq!(line("[workspace]\nchannels = 1\n"), 2);
}

#[test]
fn many_features_in_many_environments_end() {
    let mut text = "[feature.a.dependencies]\n".to_owned();
    for number in 0..300 {
        let _ = writeln!(text, "p{number} = '*'");
    }
    text.push_str("[environments]\n");
    for number in 0..300 {
        let _ = writeln!(text, "e{number} = ['a']");
    }
    assert!(project(&text).unwrap_err().message.contains("more than"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_value_ends_it(name in "[a-z._-]{1,6}", version in r"[a-c0-9=<>!~|,.*@:/\[\] -]{0,16}", key in "(version|git|url|path|index|channel|build|env-markers|tag)") {
        for table in ["dependencies", "pypi-dependencies"] {
            let _ = project(&format!("[{table}]\n\"{name}\" = '{version}'\n"));
            let _ = project(&format!("[{table}]\n\"{name}\" = {{ {key} = '{version}' }}\n"));
        }
    }
}
