use std::fs;

use proptest::prelude::*;

use super::super::pep508;
use super::super::testing::drafted;
use super::*;
use crate::model::{IndexRole, Project, SelectableKind};

/// Files of a project, by name.
type Files<'a> = &'a [(&'a str, &'a str)];

fn project(files: Files<'_>) -> Result<Project> {
    run(files, |draft| take(draft, FILE, None))
}

fn run(files: Files<'_>, read: impl FnOnce(&mut Draft<'_>) -> Result<()>) -> Result<Project> {
    let ((), project) = drafted(files, read)?;
    for requirement in &project.requirements {
        assert!(pep508::parse(&requirement.text).is_ok(), "{}", requirement.text);
    }
    Ok(project)
}

/// The requirements as text with line, extra and group.
fn said(project: &Project) -> Vec<String> {
    let one = |requirement: &Requirement| {
        let Origin::File { line, .. } = &requirement.origin else { return String::new() };
        let of =
            |name: &str, value: &Option<String>| value.as_ref().map(|v| format!(" {name}={v}")).unwrap_or_default();
        let (extra, group) = (of("extra", &requirement.extra), of("group", &requirement.group));
        format!("{line}: {}{extra}{group}", requirement.text)
    };
    project.requirements.iter().map(one).collect()
}

fn notes(project: &Project) -> String {
    project.notes.iter().map(|note| note.message.clone()).collect::<Vec<_>>().join("\n")
}

const WHOLE: &str = r#"[tool.poetry]
name = "My.Project"
package-mode = false

[tool.poetry.dependencies]
python = "~3.9 || ~3.11"
torch = {version = "2.1.0+cu118", source = "pytorch"}
numpy = "^1.24"
Pillow = { version = "*", extras = ["a", "b"], optional = true }
uvloop = {version = "^0.19", platform = "linux || darwin", python = "^3.10"}
diffusers = { git = "https://github.com/huggingface/diffusers.git", rev = "abc", subdirectory = "src/x" }
wheel-of = { url = "https://files.example.org/wheel_of-1.0-py3-none-any.whl" }
lib = { path = "libs/lib", develop = true }
lonely = { version = "1", optional = true }
triton = [
  { version = "^2.0", markers = "sys_platform == 'linux' or os_name == 'x'", python = "<3.11" },
  { version = "^3.0", python = ">=3.11", source = "PyPI" },
]

[tool.poetry.dependencies.scipy]
version = ">=1.9,<1.11 || >=1.12"
allow-prereleases = true

[tool.poetry.extras]
images = ["pillow", "nothing"]
All_Of = ["Pillow"]

[tool.poetry.group.test]
optional = true
include-groups = ["lint"]

[tool.poetry.group.test.dependencies]
pytest = "^7"
gone = { path = "../gone" }

[tool.poetry.group.lint.dependencies]
ruff = "*"

[tool.poetry.dev-dependencies]
black = "^23.1"

[[tool.poetry.source]]
name = "pytorch"
url = "https://me:secret@download.example.org/whl/cu118"
priority = "explicit"

[[tool.poetry.source]]
name = "PyPI"

[build-system]
requires = ["poetry-core"]
build-backend = "poetry.core.masonry.api"
"#;

#[test]
fn a_whole_file() {
    let lib = "[tool.poetry]\nname = \"lib\"\n[tool.poetry.dependencies]\neinops = \"^0.6\"\n";
    let project = project(&[(FILE, WHOLE), ("libs/lib/pyproject.toml", lib)]).unwrap();
    let said = said(&project);
    let expected = [
        "7: torch==2.1.0+cu118",
        "8: numpy>=1.24,<2.0",
        "9: Pillow[a,b] extra=images",
        "9: Pillow[a,b] extra=all-of",
        "10: uvloop>=0.19,<0.20 ; python_version >= \"3.10\" and python_version < \"4.0\" and (sys_platform == \"linux\" or sys_platform == \"darwin\")",
        "11: diffusers @ git+https://github.com/huggingface/diffusers.git@abc#subdirectory=src/x",
        "12: wheel-of @ https://files.example.org/wheel_of-1.0-py3-none-any.whl",
        "13: lib @ file:./libs/lib",
        "16: triton>=2.0,<3.0 ; (sys_platform == 'linux' or os_name == 'x') and python_version < \"3.11\"",
        "17: triton>=3.0,<4.0 ; python_version >= \"3.11\"",
        "20: scipy>=1.9,!=1.11.*",
        "33: pytest>=7,<8 group=test",
        "37: ruff group=lint",
        "40: black>=23.1,<24.0 group=dev",
        "37: ruff group=test",
    ];
    for line in expected {
        assert!(said.iter().any(|said| said == line), "{line}\n{said:#?}");
    }
    let followed = said.iter().filter(|line| line.ends_with("einops>=0.6,<0.7")).count();
    assert_eq!(said.len(), expected.len() + followed, "{said:#?}");
    assert_eq!(project.name, "My.Project");
    assert_eq!(project.python[0].specifiers.to_string(), ">=3.9, !=3.10.*, <3.12");
    assert!(project.requirements.iter().any(|r| r.name.as_deref() == Some("lib") && r.editable));
}

#[test]
fn sources_groups_and_notes_of_a_whole_file() {
    let project = project(&[(FILE, WHOLE), ("libs/lib/pyproject.toml", "[tool.poetry]\nname = \"lib\"\n")]).unwrap();
    let [index] = &project.indexes[..] else { panic!("{:?}", project.indexes) };
    assert_eq!(index.url, "https://download.example.org/whl/cu118");
    assert_eq!((index.role, index.explicit, index.name.as_deref()), (IndexRole::Extra, true, Some("pytorch")));
    assert_eq!(index.bindings.len(), 1);
    assert_eq!((index.bindings[0].package.as_str(), &index.bindings[0].origin), ("torch", &Origin::file(FILE, 7)));
    let group = |name: &str| {
        let found = project.selectable.iter().find(|s| s.kind == SelectableKind::Group && s.name == name);
        found.map(|group| group.default)
    };
    assert_eq!((group("test"), group("lint"), group("dev")), (Some(false), Some(true), Some(true)));
    let extras = project.selectable.iter().filter(|s| s.kind == SelectableKind::Extra);
    assert_eq!(extras.map(|s| s.name.as_str()).collect::<Vec<_>>(), ["images", "all-of"]);
    let notes = notes(&project);
    for part in [
        "`nothing` is not among",
        "`lonely` is optional",
        "pre-releases of `scipy`",
        "`../gone`",
        "in the open",
        "`PyPI` is the default",
    ] {
        assert!(notes.contains(part), "{part}\n{notes}");
    }
    assert!(!format!("{project:?}").contains("secret"));
}

#[test]
fn old_flags_of_sources_have_their_parts() {
    let text = r#"[tool.poetry.dependencies]
a = "1"
[[tool.poetry.source]]
name = "main"
url = "https://pypi.example.org/simple"
default = true
[[tool.poetry.source]]
name = "more"
url = "https://${TOKEN}@files.example.org/simple"
secondary = true
"#;
    let project = project(&[(FILE, text)]).unwrap();
    let roles: Vec<_> = project.indexes.iter().map(|index| (index.role, index.explicit)).collect();
    assert_eq!(roles, [(IndexRole::Primary, false), (IndexRole::Extra, false)]);
    assert_eq!(project.indexes[1].url, "https://files.example.org/simple");
    assert_eq!(project.variables[0].name, "TOKEN");
}

#[test]
fn what_poetry_refuses_is_an_error_with_its_line() {
    let head = "[tool.poetry.dependencies]\n";
    for (text, line, part) in [
        ("a = \"latest\"\nb = \"^^2\"", 2, "not a version constraint"),
        ("a = 1", 2, "must be a version or a table"),
        ("\na = {version = \"1\", source = \"nowhere\"}", 3, "`nowhere` is not among"),
        ("a = {git = \"../a\"}", 2, "lies on this machine"),
        ("a = {version = \"1\", markers = \"os = 'x'\"}", 2, "is not a requirement"),
        ("a = {path = \"../a\"}", 2, "leads out of the project folder"),
        ("a = {version = 1}", 2, "must be a string"),
        ("\"a b\" = \"1\"", 2, "is not a requirement"),
        ("a = \"1\"\n[[tool.poetry.source]]\nname = \"x\"", 3, "lacks its `url`"),
        (
            "a = \"1\"\n[[tool.poetry.source]]\nname = \"x\"\nurl = \"https://h/\"\npriority = \"first\"",
            3,
            "not a priority",
        ),
        ("a = \"1\"\n[tool.poetry.group.x]\ninclude-groups = [\"y\"]", 4, "includes `y`"),
    ] {
        let error = project(&[(FILE, &format!("{head}{text}\n"))]).unwrap_err();
        assert!(error.message.contains(part), "{text}: {error}");
        assert_eq!(error.origin, Some(Origin::file(FILE, line)), "{text}");
    }
}

#[test]
fn groups_that_include_each_other_end() {
    let text = r#"[tool.poetry.group.a]
include-groups = ["b"]
[tool.poetry.group.a.dependencies]
x = "*"
[tool.poetry.group.b]
include-groups = ["a"]
[tool.poetry.group.b.dependencies]
y = "*"
"#;
    let mut said = said(&project(&[(FILE, text)]).unwrap());
    said.sort();
    assert_eq!(said, ["4: x group=a", "4: x group=b", "8: y group=a", "8: y group=b"]);
}

/// What the reader of `[project]` takes up, in short.
fn enriched(text: &str, own: &[(&str, Option<&str>)]) -> Result<Project> {
    run(&[(FILE, text)], |draft| {
        for (written, extra) in own {
            let parsed = pep508::parse(written)?;
            let pep508::Wanted::Versions(specifiers) = parsed.wanted else { panic!("{written}") };
            let role = crate::model::RequirementRole::Requirement;
            draft.project.requirements.push(Requirement {
                name: Some(parsed.name),
                extras: parsed.extras,
                marker: parsed.marker,
                extra: extra.map(str::to_owned),
                ..super::super::draft::requirement(written, Source::Index { specifiers }, role, Origin::file(FILE, 1))
            });
        }
        let toml = TomlFile::parse(FILE, text)?;
        enrich(draft, &toml)
    })
}

#[test]
fn beside_project_the_table_enriches() {
    let text = r#"[project]
name = "a"
dependencies = ["numpy[x]>=1 ; os_name == 'posix'", "other"]
[project.optional-dependencies]
cpu = ["torch"]
cuda = ["torch"]
[tool.poetry.dependencies]
torch = [
  { markers = "extra == 'cpu' and extra != 'cuda'", source = "cpu" },
  { markers = "extra == 'cuda' and extra != 'cpu'", source = "cuda" },
]
numpy = { git = "https://git.example.org/numpy.git", markers = "python_version < '3.12'" }
absent = "^1"
[tool.poetry.extras]
old = ["absent"]
[[tool.poetry.source]]
name = "cpu"
url = "https://download.example.org/whl/cpu"
priority = "explicit"
[[tool.poetry.source]]
name = "cuda"
url = "https://download.example.org/whl/cu126"
priority = "explicit"
"#;
    let own =
        [("numpy[x]>=1 ; os_name == 'posix'", None), ("torch", Some("cpu")), ("torch", Some("cuda")), ("other", None)];
    let project = enriched(text, &own).unwrap();
    let texts: Vec<&str> = project.requirements.iter().map(|r| r.text.as_str()).collect();
    let numpy = "numpy[x] @ git+https://git.example.org/numpy.git ; os_name == 'posix' and python_version < '3.12'";
    assert_eq!(texts, [numpy, "torch", "torch", "other"]);
    let bound: Vec<_> = project.indexes.iter().map(|i| (i.bindings.len(), i.bindings[0].extra.as_deref())).collect();
    assert_eq!(bound, [(1, Some("cpu")), (1, Some("cuda"))]);
    assert_eq!(project.indexes[0].bindings[0].marker, None);
    assert_eq!(project.conflicts.len(), 1);
    assert_eq!(project.conflicts[0].members, ["--extra cpu", "--extra cuda"]);
    assert!(notes(&project).contains("`absent` is not among the dependencies of `[project]`"));
    assert!(notes(&project).contains("ignores its extra `old`"));
}

#[test]
fn where_project_leaves_them_dynamic_the_table_supplies() {
    let text = r#"[project]
name = "a"
dynamic = ["dependencies"]
[tool.poetry.dependencies]
python = "^3.10"
torch = "^2.4"
[tool.poetry.group.dev.dependencies]
pytest = "*"
"#;
    let project = enriched(text, &[]).unwrap();
    assert_eq!(said(&project), ["6: torch>=2.4,<3.0", "8: pytest group=dev"]);
    assert_eq!(project.python.len(), 1);
    assert!(supplies(&TomlFile::parse(FILE, text).unwrap()));
}

#[test]
fn a_file_declares_by_its_tables() {
    for (text, expected) in [
        ("[tool.poetry.dependencies]\na = \"1\"", true),
        ("[tool.poetry.group.x.dependencies]\na = \"1\"", true),
        ("[tool.poetry]\nname = \"a\"", false),
        ("[project]\nname = \"a\"\n[tool.poetry.dependencies]\na = \"1\"", false),
        ("[tool.black]", false),
    ] {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join(FILE), text).unwrap();
        assert_eq!(declares(&Folder::open(root.path()).unwrap(), FILE).unwrap(), expected, "{text}");
    }
}

#[test]
fn alternatives_are_bound_where_they_apply() {
    let text = r#"[tool.poetry.dependencies]
torch = [
  { version = "^2.6", source = "PyPI", markers = "sys_platform == 'linux'" },
  { version = "^2.6", source = "cu118", markers = "sys_platform == 'win32'" },
]
[[tool.poetry.source]]
name = "cu118"
url = "https://download.example.org/whl/cu118"
priority = "explicit"
"#;
    let project = project(&[(FILE, text)]).unwrap();
    assert_eq!(project.requirements.len(), 2);
    let bindings = &project.indexes[0].bindings;
    let found: Vec<_> = bindings.iter().map(|b| (b.package.as_str(), b.marker.as_deref(), &b.origin)).collect();
    assert_eq!(found, [("torch", Some("sys_platform == 'win32'"), &Origin::file(FILE, 4))]);
    // A requirement and its binding have the same marker, so that one can be told to be of the other.
    assert_eq!(project.requirements[1].marker, bindings[0].marker);
}

#[test]
fn a_url_is_no_version() {
    for url in
        ["git+https://u:SECRET@git.example.org/x.git", "https://u:SEC,RE|T SECRET@h.example.org/x", "https:u:SECRET@h"]
    {
        let text = format!("[tool.poetry.dependencies]\nfoo = \"{url}\"\n");
        let error = project(&[(FILE, &text)]).unwrap_err();
        assert!(error.message.ends_with("is a URL, not a version"), "{error}");
        assert_eq!(error.message.matches("example.org").count(), usize::from(url.contains("example")), "{error}");
        assert!(!format!("{error:?}").contains(":SEC"), "{error:?}");
        assert!(error.hint.unwrap().contains("{ git = "));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_entry_ends_the_reader(
        key in "[a-z._ -]{1,6}",
        value in r#"("[ -~é]{0,10}"|\{ ?(version|git|path|url|markers|python|platform|source|extras|rev) = ("[ -~]{0,12}"|\[\]|1) ?\}|\[[0-9"a]{0,4}\])"#,
    ) {
        let text = format!("[tool.poetry.dependencies]\n\"{key}\" = {value}\n[tool.poetry.extras]\n\"{key}\" = [\"{key}\"]\n");
        let _ = project(&[(FILE, &text)]);
    }
}
