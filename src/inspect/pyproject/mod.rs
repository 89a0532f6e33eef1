//! `pyproject.toml`: what it asks for (PEP 621, PEP 735), where that comes from (`[tool.uv]`, `[tool.pdm]`), and how it
//! is built (PEP 517, PEP 518). <https://packaging.python.org/en/latest/specifications/pyproject-toml/>

mod alternative;
mod build;
mod dynamic;
mod groups;
mod hatch;
mod indexes;
pub(super) mod itself;
mod pdm;
mod project;
mod requirement;
mod settings;
mod sources;
mod tools;
mod uv;
mod workspace;

use super::draft::Draft;
use super::folder::{Folder, join, parent};
use super::problems::Problems;
use super::text::shown;
use super::toml_file::TomlFile;
use super::{Format, pixi, poetry, setuptools};
use crate::model::{Error, ManifestKind, Origin, Result};
use settings::Settings;
use sources::Sources;

pub(super) use project::classified;

const FILE: &str = "pyproject.toml";

/// More folders of a project do not install each other.
const MOST_FOLLOWED: usize = 100;

/// The format.
pub(super) const FORMAT: Format = Format {
    kind: ManifestKind::Pyproject,
    files: &[FILE],
    looked_for: "`pyproject.toml` with a `[project]` table",
    recognizes: |name| name == FILE,
    declares,
    read: |draft, file| take(draft, file, &Asked::EVERYTHING),
};

/// What is wanted of a file.
#[derive(Clone, Copy)]
struct Asked<'a> {
    /// The extras to take as the project's own; `None` for all extras and groups as such.
    extras: Option<&'a [String]>,
    /// The extra, group and marker of the requirement that leads here, in words.
    behalf: &'a str,
    /// Whether the tables of uv and PDM count: not where pip's own files lead here.
    tools: bool,
}

impl Asked<'_> {
    const EVERYTHING: Asked<'static> = Asked { extras: None, behalf: "", tools: true };
}

/// A file that is being read.
struct Reader<'r, 'f, 't> {
    draft: &'r mut Draft<'f>,
    toml: &'r TomlFile<'t>,
    sources: &'r Sources,
    asked: Asked<'r>,
}

/// A table of some tool alone, or a `[project]` that only gives a name, asks for nothing.
fn declares(folder: &Folder, file: &str) -> Result<bool> {
    let text = folder.read_utf8(file)?;
    let toml = TomlFile::parse(file, &text)?;
    let has = |path: &[&str]| toml.get(path).is_some();
    let dynamic = toml.get(&["project", "dynamic"]).and_then(|value| value.get_ref().as_array());
    let computed = dynamic.is_some_and(|fields| {
        fields.iter().any(|field| matches!(field.get_ref().as_str(), Some("dependencies" | "optional-dependencies")))
    });
    let of_other_tool = has(&["tool", "poetry"]) || has(&["tool", "pixi"]);
    let states = has(&["project", "dependencies"]) || has(&["project", "optional-dependencies"]) || computed;
    let has_groups = groups::TABLES.iter().any(|path| has(path));
    if has(&["project"]) {
        return Ok(states || has_groups || of_other_tool);
    }
    // Without a `[project]` the readers of those tools take the file up.
    Ok(has_groups && !of_other_tool)
}

/// The normalized name that `file` declares, if it is there and does.
pub(super) fn declared_name(folder: &Folder, file: &str) -> Result<Option<String>> {
    if !folder.has(file) {
        return Ok(None);
    }
    let text = folder.read_utf8(file)?;
    let toml = TomlFile::parse(file, &text)?;
    Ok(project::name(&toml)?.map(|(_, normalized)| normalized))
}

/// Takes up what the root's `pyproject.toml` tells besides dependencies.
pub(super) fn facts(draft: &mut Draft<'_>) -> Result<()> {
    if !draft.folder.has(FILE) {
        return Ok(());
    }
    let located = draft.folder.locate(".", FILE).map_err(|error| error.at(Origin::file(FILE, 1)))?;
    let text = draft.folder.read_utf8(&located.path)?;
    let toml = TomlFile::parse(FILE, &text)?;
    // A file of tools' settings alone says neither, and leaves what `setup.py` says.
    draft.name = project::name(&toml)?.map(|(name, _)| name).or(draft.name.take());
    draft.project.package = build::package(draft, &toml)?.or(draft.project.package.take());
    poetry::facts(draft, &toml)?;
    build::note(draft, &toml)?;
    if !draft.followed.iter().any(|(file, _)| file == FILE) {
        project::python(draft, &toml)?;
        project::note_unlisted(draft, &toml)?;
    }
    if !draft.project.manifests.iter().any(|manifest| manifest.path == FILE) {
        tools::note(draft, &toml);
    }
    Ok(())
}

/// Takes up what installing the folder `folder` with `extras` asks for, where its file says so.
pub(super) fn follow(draft: &mut Draft<'_>, folder: &str, extras: &[String]) -> Result<()> {
    follow_as(draft, folder, &Asked { extras: Some(extras), behalf: "", tools: false })?;
    poetry::follow(draft, folder, extras)?;
    setuptools::follow(draft, folder, extras)?;
    Ok(())
}

fn follow_as(draft: &mut Draft<'_>, folder: &str, asked: &Asked<'_>) -> Result<()> {
    let file = join(folder, FILE);
    if draft.folder.has(&file) && has_project(draft.folder, &file)? {
        take(draft, &file, asked)?;
    }
    Ok(())
}

fn has_project(folder: &Folder, file: &str) -> Result<bool> {
    let text = folder.read_utf8(file)?;
    Ok(TomlFile::parse(file, &text)?.get(&["project"]).is_some())
}

/// Takes up `file`.
fn take(draft: &mut Draft<'_>, file: &str, asked: &Asked<'_>) -> Result<()> {
    let located = draft.folder.locate(".", file)?;
    if draft.followed.len() >= MOST_FOLLOWED {
        return Err(
            Error::usage(format!("more than {MOST_FOLLOWED} folders install each other")).at(Origin::file(file, 1))
        );
    }
    let mut reading = asked.extras.unwrap_or_default().to_vec();
    reading.extend(Some(asked.behalf).filter(|behalf| !behalf.is_empty()).map(str::to_owned));
    if !draft.followed.insert((located.real.clone(), reading)) {
        return Ok(());
    }
    draft.file(&located);
    let text = draft.folder.read_utf8(file)?;
    let toml = TomlFile::parse(file, &text)?;
    if toml.get(&["project"]).is_none() && !groups::TABLES.iter().any(|path| toml.get(path).is_some()) {
        return Err(Error::usage(format!("`{}` has no `[project]` table", shown(file))).at(Origin::file(file, 1)));
    }
    match asked.extras {
        None => everything(draft, &toml, asked),
        Some(_) => as_a_requirement(draft, &toml, asked),
    }
}

/// The project itself: all of its tables, and the settings of its tools.
fn everything(draft: &mut Draft<'_>, toml: &TomlFile<'_>, asked: &Asked<'_>) -> Result<()> {
    let mut problems = Problems::default();
    let beside = join(parent(toml.file), settings::UV_TOML);
    let text = draft.folder.has(&beside).then(|| draft.folder.read_utf8(&beside)).transpose()?;
    let uv_toml = text.as_ref().map(|text| TomlFile::parse(&beside, text)).transpose()?;
    let settings = Settings::of(toml, uv_toml.as_ref());
    if uv_toml.is_some() {
        let located = draft.folder.locate(".", &beside)?;
        draft.file(&located);
    }
    problems.note(project::python(draft, toml));
    problems.note(indexes::read(draft, &settings));
    problems.note(pdm::sources(draft, toml));
    let sources = Sources::read(draft, toml).unwrap_or_else(|error| {
        problems.note(Err(error));
        Sources::default()
    });
    let mut reader = Reader { draft, toml, sources: &sources, asked: *asked };
    problems.note(reader.dependencies());
    problems.note(reader.optional());
    problems.note(reader.dynamic());
    problems.note(reader.groups(&settings));
    problems.note(uv::resolution(&mut reader, &settings));
    problems.note(pdm::resolution(&mut reader));
    problems.note(hatch::note(reader.draft, toml));
    if toml.get(&["tool", "poetry"]).is_some() {
        problems.note(poetry::enrich(reader.draft, toml));
    }
    if toml.get(&["tool", "pixi"]).is_some() {
        problems.note(pixi::enrich(reader.draft, toml));
    }
    sources.account(draft, toml);
    problems.finish()
}

/// A folder that something asks for: its own dependencies, those of the extras asked for among them.
fn as_a_requirement(draft: &mut Draft<'_>, toml: &TomlFile<'_>, asked: &Asked<'_>) -> Result<()> {
    let mut problems = Problems::default();
    problems.note(project::python(draft, toml));
    let sources = if asked.tools { Sources::read_for_requirement(draft, toml)? } else { Sources::default() };
    let mut reader = Reader { draft, toml, sources: &sources, asked: *asked };
    problems.note(reader.dependencies());
    problems.note(reader.optional());
    problems.note(reader.dynamic());
    problems.finish()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::super::testing::drafted;
    use super::*;
    use crate::model::{IndexRole, Manifest, Project, Requirement};

    /// What is read from a `pyproject.toml` among `files`.
    pub(super) fn read(files: &[(&str, &str)]) -> Result<Project> {
        let read = |draft: &mut Draft<'_>| {
            draft.project.manifests.push(Manifest { path: FILE.to_owned(), kind: ManifestKind::Pyproject });
            take(draft, FILE, &Asked::EVERYTHING)?;
            facts(draft)
        };
        Ok(drafted(files, read)?.1)
    }

    /// The same of one file.
    pub(super) fn toml(text: &str) -> Project {
        read(&[(FILE, text)]).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The error of one file.
    pub(super) fn refused(text: &str) -> String {
        read(&[(FILE, text)]).unwrap_err().to_string()
    }

    pub(super) fn notes(project: &Project) -> Vec<&str> {
        project.notes.iter().map(|note| note.message.as_str()).collect()
    }

    /// The requirements in short: with what they are asked for, their texts, and their lines.
    pub(super) fn short(project: &Project) -> Vec<String> {
        let one = |r: &Requirement| {
            let extra = r.extra.iter().map(|extra| format!("+{extra} "));
            let group = r.group.iter().map(|group| format!("@{group} "));
            let line = r.origin.to_string().rsplit(':').next().unwrap_or_default().to_owned();
            format!("{}{} :{line}", extra.chain(group).collect::<String>(), r.text)
        };
        project.requirements.iter().map(one).collect()
    }

    /// The indexes in short.
    pub(super) fn indexes(project: &Project) -> Vec<(IndexRole, &str, Option<&str>, bool)> {
        project.indexes.iter().map(|i| (i.role, i.url.as_str(), i.name.as_deref(), i.explicit)).collect()
    }

    fn declares_text(text: &str) -> bool {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join(FILE), text).unwrap();
        declares(&Folder::open(root.path()).unwrap(), FILE).unwrap()
    }

    #[test]
    fn a_file_that_asks_for_nothing_is_no_manifest() {
        for text in [
            "[tool.black]",
            "[project]\nname = 'x'",
            "[project]\ndynamic = ['version']",
            "[tool.poetry.dependencies]\na = '*'",
        ] {
            assert!(!declares_text(text), "{text}");
        }
        for text in [
            "[project]\ndependencies = []",
            "[project]\noptional-dependencies.a = []",
            "[project]\ndynamic = ['dependencies']",
            "[project]\nname = 'x'\n[tool.poetry.dependencies]\na = '*'",
            "[dependency-groups]\ndev = ['a']",
            "[tool.uv]\ndev-dependencies = ['a']",
            "[tool.pdm.dev-dependencies]\ndev = ['a']",
        ] {
            assert!(declares_text(text), "{text}");
        }
    }

    #[test]
    fn what_a_folder_asks_for_counts_where_the_folder_is_asked_for() {
        let files = [
            (
                FILE,
                "[project]\nname = 'x'\ndependencies = [\n'b @ file:./b ; os_name == \"posix\"',\n]\n[project.optional-dependencies]\ne = ['b[y] @ file:./b']\n[dependency-groups]\ng = ['b @ file:./b']",
            ),
            (
                "b/pyproject.toml",
                "[project]\nname = 'b'\ndependencies = ['torch ; python_version < \"3.9\" or os_name == \"nt\"']\noptional-dependencies.y = ['einops']\n[dependency-groups]\nno = ['pytest']",
            ),
        ];
        let torch = "torch ; (python_version < \"3.9\" or os_name == \"nt\")";
        assert_eq!(
            short(&read(&files).unwrap()),
            [
                "b @ file:./b ; os_name == \"posix\" :4".to_owned(),
                format!("{torch} and os_name == \"posix\" :3"),
                "+e b[y] @ file:./b :7".to_owned(),
                "+e torch ; python_version < \"3.9\" or os_name == \"nt\" :3".to_owned(),
                "+e einops :4".to_owned(),
                "@g b @ file:./b :9".to_owned(),
                "@g torch ; python_version < \"3.9\" or os_name == \"nt\" :3".to_owned(),
            ]
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn no_text_is_a_panic(text in r"(\[?\[(project|dependency-groups|tool\.uv|tool\.uv\.sources|tool\.uv\.index|tool\.pdm\.source)\]\]?\n((a|name|url|dependencies|sources|index|conflicts|default-groups|dynamic) = ?['\[{]{0,2}[a-z=>'\[\]{}:/@. ]{0,30}['\]}]{0,2}\n){0,3}){1,3}") {
            let _ = read(&[(FILE, &text)]);
        }

        #[test]
        fn no_source_is_a_panic(source in r"\{ ?((git|url|path|index|workspace|marker|extra|group|rev|subdirectory) = ('[ -&(-~é]{0,12}'|true),? ?){0,3}\}") {
            let text = format!("[project]\nname = 'x'\ndependencies = ['a>=1 ; os_name == \"b\"']\n[tool.uv.sources]\na = {source}\n");
            if let Ok(project) = read(&[(FILE, &text)]) {
                for requirement in &project.requirements {
                    prop_assert!(super::super::pep508::parse(&requirement.text).is_ok(), "{}", requirement.text);
                }
            }
        }
    }
}
