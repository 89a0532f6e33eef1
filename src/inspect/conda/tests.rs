use proptest::prelude::*;

use super::super::testing::drafted;
use super::*;
use crate::model::{IndexRole, Project, Source};

fn project(text: &str) -> Result<Project> {
    in_folder("environment.yml", text, &[])
}

fn in_folder(file: &str, text: &str, others: &[(&str, &str)]) -> Result<Project> {
    let files = [others, &[(file, text)]].concat();
    Ok(drafted(&files, |draft| read(draft, file))?.1)
}

fn texts(project: &Project) -> Vec<&str> {
    project.requirements.iter().map(|requirement| requirement.text.as_str()).collect()
}

const LDM: &str = "\
name: ldm
channels:
  - pytorch
  - defaults
dependencies:
  - python=3.8.5
  - pip=20.3
  - cudatoolkit=11.3
  - pytorch=1.11.0
  - conda-forge::numpy=1.19.2
  - pip:
    - albumentations==0.4.3
    - --extra-index-url https://pypi.example.org/simple
    - -e git+https://git.example.org/taming.git@master#egg=taming
";

#[test]
fn an_environment_is_read() {
    let project = project(LDM).unwrap();
    assert_eq!(project.name, "ldm");
    assert_eq!(
        texts(&project),
        [
            "torch==1.11.0.*",
            "numpy==1.19.2.*",
            "albumentations==0.4.3",
            "git+https://git.example.org/taming.git@master#egg=taming"
        ]
    );
    let torch = &project.requirements[0];
    assert_eq!(torch.origin, Origin::file("environment.yml", 9));
    assert!(matches!(&torch.source, Source::Conda { package, channel: None, .. } if package == "pytorch"));
    let of_forge = &project.requirements[1].source;
    assert!(matches!(of_forge, Source::Conda { channel: Some(channel), .. } if channel == "conda-forge"));
    assert_eq!(project.requirements[2].origin, Origin::file("environment.yml", 12));
    assert_eq!(project.python[0].specifiers.to_string(), "==3.8.5.*");
    assert_eq!(project.system[0].package, "cudatoolkit=11.3");
    let indexes: Vec<_> = project.indexes.iter().map(|index| (index.url.as_str(), index.role)).collect();
    assert_eq!(
        indexes,
        [
            ("pytorch", IndexRole::Channel),
            ("defaults", IndexRole::Channel),
            ("https://pypi.example.org/simple", IndexRole::Extra)
        ]
    );
    // Two channels, five packages and three lines of pip.
    assert_eq!((project.read[0].entries, project.read[0].facts), (10, 10));
}

#[test]
fn a_full_export_is_read() {
    let text = "name: x\ndependencies:\n  - _libgcc_mutex=0.1=main\n  - python=3.9.7=h12debd9_1\n  - blas=1.0=mkl\n  - \
                x264=1!157.20191217=h7b6447c_0\n  - six=1.16.0=pyhd3eb1b0_1\n  - opencv=4.5.1=py39h4c4bda8_0\n  - \
                pytorch=1.12.1=py3.9_cuda11.3_cudnn8.3.2_0\nprefix: /home/me/x\n";
    let project = project(text).unwrap();
    assert_eq!(texts(&project), ["six==1.16.0", "opencv-python==4.5.1.*", "torch==1.12.1"]);
    assert_eq!(project.python[0].specifiers.to_string(), "==3.9.7");
    let hints: Vec<&str> = project.system.iter().map(|hint| hint.package.as_str()).collect();
    assert_eq!(hints, ["_libgcc_mutex=0.1", "blas=1.0", "x264=1!157.20191217"]);
    let torch = &project.requirements[2].source;
    assert!(matches!(torch, Source::Conda { build: Some(build), .. } if build == "py3.9_cuda11.3_cudnn8.3.2_0"));
    assert!(project.notes.is_empty(), "{:?}", project.notes);
}

#[test]
fn what_is_not_followed_is_noted() {
    let text = "channels: [nodefaults, conda-forge]\ndependencies:\n  - numpy=1.8|1.9\n  - python=3.8|3.9\n  - sel(win): pywin32\n  - \
                sel(linux): inotify\n  - npm:\n    - left-pad\nvariables:\n  A: b\nplatforms: [linux-64]\n";
    let project = project(text).unwrap();
    assert_eq!(texts(&project), ["numpy", "inotify"]);
    assert!(project.python.is_empty());
    let notes: Vec<&str> = project.notes.iter().map(|note| note.message.as_str()).collect();
    assert_eq!(
        notes,
        [
            "`nodefaults`: conda's default channels are not used",
            "any version of `numpy` is taken, not `=1.8|1.9`: PEP 440 has no word for `|`",
            "Python `=3.8|3.9` is not followed: PEP 440 has no word for `|`",
            "`pywin32` is for `sel(win)`, and not followed",
            "`left-pad` is for `npm`, and not followed",
            "the `variables` of the environment are not set in the image",
            "`platforms` is not followed",
        ]
    );
}

#[test]
fn paths_of_pip_start_at_the_environment() {
    let text = "dependencies:\n  - pip:\n    - -r base.txt\n    - -e ..\n";
    let others = [("envs/base.txt", "einops\n"), ("setup.py", "")];
    let project = in_folder("envs/gpu.yml", text, &others).unwrap();
    assert_eq!(texts(&project), ["einops", ".."]);
    assert!(matches!(&project.requirements[1].source, Source::Path { path } if path == "."));
}

#[test]
fn errors_have_their_lines() {
    let line = |text: &str| match project(text).unwrap_err().origin {
        Some(Origin::File { line, .. }) => line,
        other => panic!("{other:?}"),
    };
    assert_eq!(line("dependencies:\n  - numpy\n  - =1.2\n"), 3);
    assert_eq!(line("dependencies:\n  - pip:\n    - a=>1\n"), 3);
    assert_eq!(line("dependencies:\n  - [a]\n"), 2);
    assert_eq!(line("dependencies:\n  - a\n bad\n"), 3);
    assert_eq!(line("dependencies: {a: b}\n"), 1);
    let lock = project("version: 1\nmetadata: {}\npackage: []\n").unwrap_err();
    assert!(lock.hint.unwrap().contains("conda-lock"));
}

#[test]
fn lists_of_conda_are_no_requirements() {
    for list in ["# platform: linux-64\n@EXPLICIT\n", "# x\n# This file may be used to create an environment using:\n"]
    {
        let error = refuse_list("spec.txt", list).unwrap_err();
        assert_eq!(error.origin, Some(Origin::file("spec.txt", 2)));
    }
    assert!(refuse_list("requirements.txt", "torch\n# explicit\n").is_ok());
}

#[test]
fn credentials_are_taken_out() {
    let text = "channels:\n  - https://me:secret@h.example.org/c\n  - https://h.example.org/t/secret/c\n  - \
                https://h.example.org/t/${TOKEN}/d\ndependencies:\n  - https://me:secret@h.example.org/c::numpy\n  - \
                https://h.example.org/t/secret/c::scipy\n";
    let project = project(text).unwrap();
    assert!(!format!("{project:?}").contains("secret"));
    assert_eq!(project.notes.len(), 4);
    let urls: Vec<&str> = project.indexes.iter().map(|index| index.url.as_str()).collect();
    assert_eq!(urls, ["https://h.example.org/c", "https://h.example.org/t/${TOKEN}/d"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_dependency_ends_it(text in r#"[a-c:/=<>!~ \[\]'",.*|#-]{0,24}"#, pip in r"[a-c=<>@:/. -]{0,12}") {
        let _ = project(&format!("dependencies:\n  - {text}\n  - pip:\n    - {pip}\n"));
    }
}
