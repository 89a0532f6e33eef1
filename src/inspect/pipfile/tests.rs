use proptest::prelude::*;

use super::super::pep508;
use super::super::testing::drafted;
use super::*;
use crate::model::Project;

fn project(text: &str) -> Result<Project> {
    let lib = "[project]\nname = \"My_Lib\"\ndependencies = [\"einops\"]\n";
    let files = [("Pipfile", text), ("lib/pyproject.toml", lib)];
    let ((), project) = drafted(&files, |draft| read(draft, "Pipfile"))?;
    for requirement in &project.requirements {
        assert!(pep508::parse(&requirement.text).is_ok(), "{}", requirement.text);
    }
    Ok(project)
}

const WHOLE: &str = r#"[[source]]
url = "https://$USER:${PASS}@pypi.example.org/simple"
verify_ssl = false
name = "pypi"

[[source]]
url = "https://download.example.org/whl/cu113/"
name = "torch"

[[source]]
url = "https://more.example.org/simple"
name = "more"

[packages]
torch = {index="torch", version="==1.11.0+cu113"}
wandb = "*"
bare = "2.0"
uvicorn = {extras = ["standard"], version = ">=0.2,<1"}
torch-scatter = {file = "https://data.example.org/torch-1.11.0%2Bcu113/torch_scatter-2.0.9-cp38-cp38-linux_x86_64.whl"}
pywin32 = {version = "*", sys_platform = "== 'win32'", markers = "python_version > '3.6' or os_name == 'nt'", odd = 1}
lib = {git = "https://git.example.org/lib.git", ref = "v1", editable = true, subdirectory = "src"}
e1839a8 = {path = "./lib", editable = true}

[dev-packages]
pytest = "~=7.0"

[My_Docs]
sphinx = "*"

[requires]
python_version = "3.8.12"

[pipenv]
allow_prereleases = true

[scripts]
start = "python app.py"
"#;

#[test]
fn a_whole_file() {
    let project = project(WHOLE).unwrap();
    let said = |requirement: &Requirement| {
        let Origin::File { line, .. } = &requirement.origin else { return String::new() };
        let group = requirement.group.as_ref().map(|group| format!(" group={group}")).unwrap_or_default();
        format!("{line}: {}{group}", requirement.text)
    };
    let mut requirements: Vec<String> = project.requirements.iter().map(said).collect();
    requirements.retain(|requirement| !requirement.ends_with("einops"));
    let expected = [
        "15: torch==1.11.0+cu113",
        "16: wandb",
        "17: bare==2.0",
        "18: uvicorn[standard]>=0.2,<1",
        "19: torch-scatter @ https://data.example.org/torch-1.11.0%2Bcu113/torch_scatter-2.0.9-cp38-cp38-linux_x86_64.whl",
        "20: pywin32 ; (python_version > '3.6' or os_name == 'nt') and sys_platform == 'win32'",
        "21: lib @ git+https://git.example.org/lib.git@v1#subdirectory=src",
        "22: my-lib @ file:./lib",
        "25: pytest~=7.0 group=dev",
        "28: sphinx group=my-docs",
    ];
    assert_eq!(requirements, expected);
    assert_eq!(project.python[0].specifiers.to_string(), "==3.8.*");
    let selectable: Vec<&str> = project.selectable.iter().map(|group| group.name.as_str()).collect();
    assert_eq!(selectable, ["dev", "my-docs"]);
    let editable = project.requirements.iter().filter(|requirement| requirement.editable);
    assert_eq!(editable.count(), 2);
    let notes: Vec<&str> = project.notes.iter().map(|note| note.message.as_str()).collect();
    for part in ["`odd` of `pywin32`", "the certificate of", "pre-releases"] {
        assert!(notes.iter().any(|note| note.contains(part)), "{part}: {notes:?}");
    }
}

#[test]
fn the_first_source_is_the_default_and_the_others_serve_what_names_them() {
    let project = project(WHOLE).unwrap();
    let indexes: Vec<_> =
        project.indexes.iter().map(|i| (i.url.as_str(), i.role, i.explicit, i.bindings.len())).collect();
    let expected = [
        ("https://pypi.example.org/simple", IndexRole::Primary, false, 0),
        ("https://download.example.org/whl/cu113/", IndexRole::Extra, true, 1),
        ("https://more.example.org/simple", IndexRole::Extra, false, 0),
    ];
    assert_eq!(indexes, expected);
    let variables: Vec<&str> = project.variables.iter().map(|variable| variable.name.as_str()).collect();
    assert_eq!(variables, ["USER", "PASS"]);
    assert!(!project.notes.iter().any(|note| note.message.contains("in the open")));
}

#[test]
fn what_pipenv_refuses_is_an_error_with_its_line() {
    for (text, line, part) in [
        ("[packages]\na = \"^1.0\"", 2, "not a version"),
        ("[packages]\na = 1", 2, "must be a version"),
        ("[packages]\n\"a b\" = \"*\"", 2, "is not a requirement"),
        ("[packages]\na = {version = \"*\", markers = \"x\"}", 2, "is not a requirement"),
        ("[packages]\na = {path = \"/srv/a\"}", 2, "leads out"),
        ("[[source]]\nname = \"a\"", 1, "lacks its `url`"),
        ("[packages]\na = ", 2, "not TOML"),
    ] {
        let error = project(text).unwrap_err();
        assert!(error.message.contains(part), "{text}: {error}");
        assert_eq!(error.origin, Some(Origin::file("Pipfile", line)), "{text}");
    }
}

#[test]
fn versions_of_python() {
    for (text, expected) in [
        ("3.9", "==3.9.*"),
        ("3.9.6", "==3.9.*"),
        ("3", "==3.*"),
        (">=3.8", ">=3.8"),
        ("==3.10", "==3.10.*"),
        ("*", ""),
    ] {
        assert_eq!(python(text).map(|s| s.to_string()).as_deref(), Some(expected), "{text}");
    }
    assert_eq!(python("pypy3"), None);
}

#[test]
fn bindings_apply_where_their_entries_do() {
    let text = "[[source]]\nname = \"a\"\nurl = \"https://pypi.example.org/simple\"\n[[source]]\nname = \"cu118\"\nurl = \"https://download.example.org/whl/cu118\"\n\
                [packages]\ntorch = {version = \"*\", index = \"cu118\", sys_platform = \"== 'win32'\"}\n";
    let project = project(text).unwrap();
    assert_eq!(project.indexes[1].bindings[0].marker.as_deref(), Some("sys_platform == 'win32'"));
    assert_eq!(project.requirements[0].marker, project.indexes[1].bindings[0].marker);
}

#[test]
fn a_url_is_no_version() {
    let error = project("[packages]\nfoo = \"git+https://u:SECRET@git.example.org/x.git\"\n").unwrap_err();
    assert_eq!(error.message, "`git+https://git.example.org/x.git` is a URL, not a version");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_package_ends_the_reader(
        key in "[a-z._ -]{1,6}",
        value in r#"("[ -!#-\[\]-~é]{0,10}"|\{ ?(version|git|path|file|markers|index|os_name|ref|extras) = ("[ -!#-\[\]-~]{0,12}"|\[\]|1) ?\}|\[\])"#,
    ) {
        let _ = project(&format!("[packages]\n\"{key}\" = {value}\n[\"{key}\"]\na = {value}\n"));
    }
}
