//! Project folders, read; and those that must be refused.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod accounting;
mod bad;
mod corpus;
mod projects;
mod schema;

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use sconce::catalogue::Packages;
use sconce::inspect::{InspectOptions, inspect};
use sconce::model::{Error, ErrorKind, Project, Result};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/projects").join(name)
}

fn read(name: &str, from: &[&str]) -> Result<Project> {
    inspect(
        &folder(name),
        &Packages::embedded().unwrap(),
        &InspectOptions { from: from.iter().map(|&file| file.to_owned()).collect(), name: None },
    )
}

/// A project of these files, each a path and its bytes.
fn project(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (file, bytes) in files {
        let path = root.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    root
}

fn read_requirements(content: &str) -> Result<Project> {
    let root = project(&[("requirements.txt", content.as_bytes())]);
    inspect(root.path(), &Packages::embedded().unwrap(), &InspectOptions::default())
}

/// An error as a person sees it.
fn shown(error: &Error) -> String {
    let hint = error.hint.as_ref().map(|hint| format!("\nhint: {hint}"));
    let lines: Vec<String> = std::iter::once(error.to_string()).chain(error.log.iter().cloned()).collect();
    format!("{}{}", lines.join("\n    "), hint.unwrap_or_default())
}

#[test]
fn bad_projects_are_refused() {
    let mut seen = 0;
    for entry in fs::read_dir(folder("bad")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let error = read(&format!("bad/{name}"), &[]).expect_err(&name);
        let text = shown(&error);
        assert_eq!(error.kind, ErrorKind::Usage, "{text}");
        assert!(text.lines().count() <= 24 && text.lines().all(|line| line.chars().count() <= 240), "{text}");
        assert!(!text.contains(|c: char| c.is_control() && c != '\n' || c == '\u{202e}'), "{text:?}");
        assert!(!text.contains("hunt") && !text.contains("er22"), "{text}");
        let mut settings = insta::Settings::clone_current();
        settings.add_filter(&regex::escape(env!("CARGO_MANIFEST_DIR")), "[repository]");
        settings.bind(|| insta::assert_snapshot!(format!("refused-{name}"), text));
        seen += 1;
    }
    assert_eq!(seen, 13);
}

#[test]
fn a_root_that_is_no_folder_is_refused() {
    for (name, message) in [("none", "does not exist"), ("README.md", "is a file, not a project folder")] {
        let error = read(name, &[]).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Usage);
        assert!(error.message.contains(message), "{error}");
    }
}

#[test]
fn a_named_file_must_be_there_and_known() {
    for (file, message) in [
        ("none.txt", "--from: `none.txt` does not exist"),
        ("../csm/requirements.txt", "--from: `../csm/requirements.txt` leads out of the project folder"),
        ("generate.py", "--from: the format of `generate.py` is not known by its name"),
    ] {
        assert_eq!(read("gpt-fast", &[file]).unwrap_err().to_string(), message);
    }
}

#[test]
fn links_out_of_the_project_are_not_followed() {
    let elsewhere = project(&[("secret.txt", b"torch")]);
    let root = project(&[("requirements.txt", b"-r link.txt")]);
    std::os::unix::fs::symlink(elsewhere.path().join("secret.txt"), root.path().join("link.txt")).unwrap();
    let error = inspect(root.path(), &Packages::embedded().unwrap(), &InspectOptions::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "requirements.txt:1: `link.txt` leads out of the project folder, through a symbolic link"
    );
}

#[test]
fn a_manifest_that_is_a_link_out_is_not_followed() {
    let elsewhere = project(&[("secret.txt", b"torch")]);
    for name in ["requirements.txt", "pyproject.toml", ".python-version"] {
        let root = project(&[("deps.txt", b"torch")]);
        std::os::unix::fs::symlink(elsewhere.path().join("secret.txt"), root.path().join(name)).unwrap();
        let from = if name == "requirements.txt" { vec![] } else { vec!["deps.txt".to_owned()] };
        let error =
            inspect(root.path(), &Packages::embedded().unwrap(), &InspectOptions { from, name: None }).unwrap_err();
        assert!(error.message.contains("through a symbolic link"), "{name}: {error}");
    }
}

#[test]
fn both_ends_of_a_link_are_files_of_the_project() {
    let root = project(&[("requirements.txt", b"-r link.txt"), ("deps/real.txt", b"torch")]);
    std::os::unix::fs::symlink("deps/real.txt", root.path().join("link.txt")).unwrap();
    let project = inspect(root.path(), &Packages::embedded().unwrap(), &InspectOptions::default()).unwrap();
    assert_eq!(project.files, ["deps/real.txt", "link.txt", "requirements.txt"]);
}

#[test]
fn a_file_named_by_many_is_read_once() {
    // Each of thirty files names the next one twice: 2^30 readings, if they were not remembered.
    let contents: Vec<(String, String)> = (0..30)
        .map(|n| (format!("r{n}.txt"), format!("-r r{next}.txt\n-r r{next}.txt\n", next = n + 1)))
        .chain([("r30.txt".to_owned(), "torch".to_owned())])
        .collect();
    let files: Vec<(&str, &[u8])> = contents.iter().map(|(file, text)| (file.as_str(), text.as_bytes())).collect();
    let root = project(&files);
    let project = inspect(
        root.path(),
        &Packages::embedded().unwrap(),
        &InspectOptions { from: vec!["r0.txt".to_owned()], name: None },
    )
    .unwrap();
    assert_eq!(project.requirements.len(), 1);
}

#[test]
fn files_do_not_name_each_other_without_end() {
    let contents: Vec<(String, String)> =
        (0..200).map(|n| (format!("r{n}.txt"), format!("-r r{}.txt\n", n + 1))).collect();
    let files: Vec<(&str, &[u8])> = contents.iter().map(|(file, text)| (file.as_str(), text.as_bytes())).collect();
    let root = project(&files);
    let error = inspect(
        root.path(),
        &Packages::embedded().unwrap(),
        &InspectOptions { from: vec!["r0.txt".to_owned()], name: None },
    )
    .unwrap_err();
    assert!(error.message.contains("deep"), "{error}");
}

#[test]
fn a_project_that_installs_itself_asks_for_its_own_dependencies() {
    let pyproject = b"[project]\nname = 'me'\ndependencies = ['torch>=2.6']\noptional-dependencies.x = ['einops']\n\
        optional-dependencies.y = ['scipy']\n";
    let root = project(&[("requirements.txt", b"-e .[x]\n"), ("pyproject.toml", pyproject)]);
    let project = inspect(root.path(), &Packages::embedded().unwrap(), &InspectOptions::default()).unwrap();
    let names: Vec<&str> = project.requirements.iter().filter_map(|read| read.name.as_deref()).collect();
    assert_eq!(names, ["me", "torch", "einops"]);
    assert_eq!(project.files, ["pyproject.toml", "requirements.txt"]);
    assert!(project.notes.is_empty(), "{:?}", project.notes);
}

#[test]
fn no_credential_comes_out() {
    let content = "\
        --index-url https://me:hunter22@pypi.example.org/simple\n\
        --find-links https://hunter22@pypi.example.org/links\n\
        -c https://me:hunter22@pypi.example.org/c.txt\n\
        --trusted-host https://me:hunter22@pypi.example.org\n\
        git+ssh://git:hunter22@git.example.org/a.git@v1#egg=a\n\
        b @ https://me:hunter22@files.example.org/b-1.zip ; os_name == 'posix'\n\
        -e git+https://hunter22:x-oauth-basic@git.example.org/c#egg=c\n\
        torch https://me:hunter22@pypi.example.org\n";
    let good = content.rsplit_once("torch").unwrap().0;
    let project = read_requirements(good).unwrap();
    let json = serde_json::to_string(&project).unwrap();
    assert!(!json.contains("hunter22") && !json.contains("x-oauth"), "{json}");
    let warned = project.notes.iter().filter(|note| note.message.starts_with("a password or token")).count();
    assert_eq!(warned, 7);
    let error = read_requirements(content).unwrap_err();
    assert!(!format!("{error:?}").contains("hunter22"), "{error:?}");
}

#[test]
fn what_pip_ignores_on_a_line_is_said() {
    let project = read_requirements("torch --extra-index-url https://pypi.example.org/cpu\n--pre scipy\n").unwrap();
    let notes: Vec<&str> = project.notes.iter().map(|note| note.message.as_str()).collect();
    assert!(notes.contains(&"pip ignores `--extra-index-url` on this line"), "{notes:?}");
    assert!(notes.contains(&"pip ignores `scipy` on this line"), "{notes:?}");
    assert!(project.indexes.is_empty());
    assert_eq!(project.requirements.len(), 1);
}

#[test]
fn an_archive_tells_its_version() {
    let wheel = "https://files.example.org/torch-2.9.0%2Bcu128-cp313-cp313-manylinux_2_28_x86_64.whl";
    let project = read_requirements(&format!("{wheel}\ntorch @ {wheel}\n")).unwrap();
    let versions: Vec<String> = project.requirements_on("torch").map(|torch| torch.specifiers().to_string()).collect();
    assert_eq!(versions, ["==2.9.0+cu128", "==2.9.0+cu128"]);
}

#[test]
fn other_tools_tables_on_torch_are_warned_of() {
    let pyproject = b"[project]\nname = 'x'\ndependencies = ['torch']\n[tool.uv.sources]\ntorch = { index = 'cpu' }\n\
        [[tool.uv.index]]\nname = 'cpu'\nurl = 'https://pypi.example.org/cpu'\n";
    let root = project(&[("requirements.txt", b"torch"), ("pyproject.toml", pyproject)]);
    let project = inspect(root.path(), &Packages::embedded().unwrap(), &InspectOptions::default()).unwrap();
    let note = project.notes.iter().find(|note| note.message.contains("tool.uv.sources")).unwrap();
    assert_eq!(note.severity, sconce::model::Severity::Warning);
    assert_eq!(note.origin.to_string(), "pyproject.toml:5");
    assert!(project.indexes.is_empty());
}

fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,40}",
        r"(torch|a-|x_y)(\[[a-c,.-]{0,4}\]?)?( ?(==|>=|~=|@|;|=>) ?[0-9a-z.*+:/' -]{0,12})?",
        r"(-r|-c|-e|-i|-f|--hash|--pre|--no-index|--index-url|--requirem)[ =]?[a-z./:@${}A-Z#-]{0,16}",
        r"(git\+)?(https?|ssh|file|htp)://[a-z:@${}A-Z/#?=.%\[\]-]{0,24}( ; os_name == 'a')?",
        r"(\./|\.\./|/)?[a-z./\[\]-]{0,12}(\.whl|\.zip)?",
        "\\PC{0,20}\\\\?",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for file in ["requirements.txt", "pyproject.toml", ".python-version"] {
            let root = project(&[("deps.txt", b"torch"), (file, &bytes)]);
            let from = if file == "requirements.txt" { vec![] } else { vec!["deps.txt".to_owned()] };
            let _ = inspect(root.path(), &Packages::embedded().unwrap(), &InspectOptions { from, name: None });
        }
    }

    #[test]
    fn random_lines_never_panic_and_none_is_lost(lines in prop::collection::vec(line(), 1..6)) {
        let content = lines.join("\n");
        let root = project(&[("requirements.txt", content.as_bytes())]);
        match inspect(root.path(), &Packages::embedded().unwrap(), &InspectOptions::default()) {
            Ok(project) => {
                let json = serde_json::to_string(&project).unwrap();
                for (line, number) in lines.iter().zip(1..) {
                    let silent = line.trim().is_empty() || line.trim().starts_with('#') || line.trim() == "\\";
                    let joined = content.contains('\\');
                    let told = json.contains(&format!(r#""file":"requirements.txt","line":{number}}}"#));
                    prop_assert!(silent || joined || told, "line {number} of {content:?} is lost in {json}");
                }
            }
            Err(error) => prop_assert_eq!(error.kind, ErrorKind::Usage),
        }
    }

    #[test]
    fn random_dependencies_never_panic(dependency in line()) {
        let quoted = serde_json::to_string(&dependency).unwrap();
        let text = format!("[project]\nname = 'x'\ndependencies = [{quoted}]\n");
        let root = project(&[("pyproject.toml", text.as_bytes())]);
        let _ = inspect(root.path(), &Packages::embedded().unwrap(), &InspectOptions::default());
    }
}
