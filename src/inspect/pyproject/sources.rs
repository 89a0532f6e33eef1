//! `[tool.uv.sources]`: where uv takes a requirement from, instead of an index.
//! <https://docs.astral.sh/uv/concepts/projects/dependencies/#dependency-sources>

use std::cell::Cell;
use std::collections::BTreeMap;

use super::super::draft::Draft;
use super::super::folder::{join, parent};
use super::super::pep508;
use super::super::problems::Problems;
use super::super::source;
use super::super::text::shown;
use super::super::toml_file::{TomlFile, Value};
use super::alternative::Alternative;
use super::requirement::Section;
use super::workspace::Workspace;
use super::{FILE, indexes};
use crate::model::{Error, Note, Origin, Result, Source};

pub(super) const TABLE: [&str; 3] = ["tool", "uv", "sources"];

/// The sources of a file, by the normalized names of the distributions.
#[derive(Default)]
pub(super) struct Sources {
    references: BTreeMap<String, Vec<Reference>>,
}

/// A place that is no index.
pub(super) struct Reference {
    /// What stands behind the `@` of the requirement.
    pub(super) target: String,
    /// The path that `target` spells, where it is one.
    path: Option<String>,
    pub(super) editable: bool,
    pub(super) marker: Option<String>,
    extra: Option<String>,
    group: Option<String>,
    pub(super) origin: Origin,
    used: Cell<bool>,
}

impl Reference {
    pub(super) fn source(&self, draft: &mut Draft<'_>) -> Result<Source> {
        let found = match &self.path {
            Some(path) => source::at_path(draft, path)?,
            None => source::at_url(draft, &self.target)?,
        };
        Ok(found.source)
    }
}

impl Sources {
    /// The sources of the project, and of the root of its workspace where that is another; those that name an index are
    /// bound to it.
    pub(super) fn read(draft: &mut Draft<'_>, toml: &TomlFile<'_>) -> Result<Self> {
        let mut sources = Self::default();
        sources.add(draft, toml, true)?;
        sources.inherit(draft, toml)?;
        Ok(sources)
    }

    /// The sources of a folder that something asks for.
    pub(super) fn read_for_requirement(draft: &mut Draft<'_>, toml: &TomlFile<'_>) -> Result<Self> {
        let mut sources = Self::default();
        sources.add(draft, toml, false)?;
        sources.inherit(draft, toml)?;
        Ok(sources)
    }

    /// Those of the places of `name` that count for a requirement in `section`.
    pub(super) fn of(&self, name: &str, section: &Section) -> Vec<&Reference> {
        let counts = |reference: &&Reference| {
            let holds = |of: &Option<String>, here: &Option<String>| of.is_none() || of == here;
            holds(&reference.extra, &section.extra) && holds(&reference.group, &section.group)
        };
        let found: Vec<&Reference> = self.references.get(name).into_iter().flatten().filter(counts).collect();
        for reference in &found {
            reference.used.set(true);
        }
        found
    }

    /// Answers for the sources of `toml` once all requirements are known: what nothing asks for is passed over.
    pub(super) fn account(&self, draft: &mut Draft<'_>, toml: &TomlFile<'_>) {
        for (name, references) in &self.references {
            let here =
                |reference: &&Reference| matches!(&reference.origin, Origin::File { file, .. } if file == toml.file);
            for reference in references.iter().filter(here) {
                if reference.used.get() {
                    draft.fact(toml.file);
                } else {
                    let message = format!("`{name}` has a source here, and nothing in this file asks for it");
                    draft.noted(toml.file, Note::info(message, reference.origin.clone()));
                }
            }
        }
        let file = toml.file.to_owned();
        let bindings = draft.project.indexes.iter().flat_map(|index| &index.bindings);
        let here = bindings.filter(|binding| matches!(&binding.origin, Origin::File { file: at, .. } if *at == file));
        let unused: Vec<Note> = here
            // PDM binds what others ask for, too.
            .filter(|_| toml.get(&["tool", "uv"]).is_some())
            .filter(|binding| draft.project.bearing_on(&binding.package).next().is_none())
            .map(|binding| {
                let message =
                    format!("uv binds only what the project itself asks for to an index: not `{}`", binding.package);
                let hint = "name it among the dependencies, too";
                if binding.package.starts_with("torch") {
                    Note::warning(message, binding.origin.clone()).with_hint(hint)
                } else {
                    Note::info(message, binding.origin.clone()).with_hint(hint)
                }
            })
            .collect();
        draft.project.notes.extend(unused);
    }

    /// The sources of the root count for all members that have none of their own for the name.
    fn inherit(&mut self, draft: &mut Draft<'_>, toml: &TomlFile<'_>) -> Result<()> {
        let Some(workspace) = Workspace::of(draft.folder, toml.file)? else { return Ok(()) };
        let file = join(&workspace.root, FILE);
        if file == toml.file || !workspace.members.iter().any(|member| member == parent(toml.file)) {
            return Ok(());
        }
        let text = draft.folder.read_utf8(&file)?;
        let mut of_root = Self::default();
        of_root.add(draft, &TomlFile::parse(&file, &text)?, false)?;
        for (name, references) in of_root.references {
            self.references.entry(name).or_insert(references);
        }
        Ok(())
    }

    /// Reads the table of `toml`; as the project's own, it is accounted for.
    fn add(&mut self, draft: &mut Draft<'_>, toml: &TomlFile<'_>, own: bool) -> Result<()> {
        let Some(table) = toml.get(&TABLE) else { return Ok(()) };
        let off = toml.get(&["tool", "uv", "no-sources"]).filter(|value| value.get_ref().as_bool() == Some(true));
        let mut problems = Problems::default();
        for (key, value) in toml.entries(table, &TABLE)? {
            let origin = toml.origin(value.span());
            let alternatives: Vec<&Value<'_>> = match value.get_ref().as_array() {
                Some(items) => items.iter().collect(),
                None => vec![value],
            };
            if own {
                draft.account(toml.file, alternatives.len());
            }
            let Some((name, _)) = pep508::parse_name(key) else {
                problems
                    .note(Err(Error::usage(format!("`{}` is not the name of a distribution", shown(key))).at(origin)));
                continue;
            };
            for value in alternatives {
                if off.is_some() {
                    let message = format!("the source of `{name}` does not count: `tool.uv.no-sources` is on");
                    answer(draft, toml, own, Some(Note::info(message, toml.origin(value.span()))));
                    continue;
                }
                let alternative = Alternative::read(toml, &name, value);
                problems.note(alternative.and_then(|alternative| self.alternative(draft, &alternative, own)));
            }
        }
        problems.finish()
    }

    fn alternative(&mut self, draft: &mut Draft<'_>, alternative: &Alternative<'_, '_>, own: bool) -> Result<()> {
        let Alternative { toml, name, origin, .. } = alternative;
        let at = |error: Error| error.or_at(origin);
        if let Some(index) = alternative.string("index")? {
            indexes::bind(draft, toml, index, alternative.binding()?).map_err(at)?;
            answer(draft, toml, own, None);
            return Ok(());
        }
        match alternative.target(draft).map_err(at)? {
            Ok((target, path)) => {
                let reference = Reference {
                    target,
                    path,
                    editable: alternative.editable(),
                    marker: alternative.marker()?,
                    extra: alternative.normalized("extra")?,
                    group: alternative.normalized("group")?,
                    origin: origin.clone(),
                    used: Cell::new(false),
                };
                self.references.entry(name.clone()).or_default().push(reference);
            }
            Err(note) => answer(draft, toml, own, Some(note)),
        }
        Ok(())
    }
}

/// Answers for an entry, where it is accounted for: with a note, or as a fact.
fn answer(draft: &mut Draft<'_>, toml: &TomlFile<'_>, own: bool, note: Option<Note>) {
    match note {
        Some(note) if own => draft.noted(toml.file, note),
        Some(note) => draft.note(note),
        None if own => draft.fact(toml.file),
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::FILE;
    use super::super::tests::{notes, read, refused, short, toml};
    use crate::model::{Severity, Source};

    const HEAD: &str =
        "[project]\nname = 'x'\ndependencies = ['a[e]>=1', 'b ; os_name == \"posix\"']\n[tool.uv.sources]\n";

    fn with(sources: &str) -> String {
        format!("{HEAD}{sources}")
    }

    #[test]
    fn repositories_and_urls_take_the_place_of_the_index() {
        let project = toml(&with(
            "a = { git = 'https://git.example.org/a', rev = 'v1', subdirectory = 'py' }\nb = { url = 'https://files.example.org/b-1.0.zip', subdirectory = 's' }",
        ));
        assert_eq!(
            short(&project),
            [
                "a[e] @ git+https://git.example.org/a@v1#subdirectory=py :3",
                "b @ https://files.example.org/b-1.0.zip#subdirectory=s ; os_name == \"posix\" :3",
            ]
        );
        let Source::Vcs { reference, subdirectory, .. } = &project.requirements[0].source else { panic!() };
        assert_eq!((reference.as_deref(), subdirectory.as_deref()), (Some("v1"), Some("py")));
        assert_eq!(
            notes(&project),
            ["the versions of `a` (`>=1`) do not count where `tool.uv.sources` says where it comes from"]
        );
        assert_eq!(project.read[0].entries, 4);
    }

    #[test]
    fn where_no_source_holds_the_index_does() {
        let project = toml(&with(
            "b = [\n{ git = 'https://git.example.org/b', tag = 't', marker = \"sys_platform == 'darwin'\" },\n{ url = 'https://files.example.org/b-1.zip', marker = \"os_name == 'nt'\" },\n]",
        ));
        assert_eq!(
            short(&project)[1..],
            [
                "b @ git+https://git.example.org/b@t ; os_name == \"posix\" and sys_platform == 'darwin' :3",
                "b ; os_name == 'posix' and sys_platform != 'darwin' :3",
            ]
        );
    }

    #[test]
    fn a_source_of_an_extra_counts_there_only() {
        let text = "[project]\nname = 'x'\ndependencies = ['a']\noptional-dependencies.g = ['a']\n[dependency-groups]\nd = ['a']\n[tool.uv.sources]\na = [{ url = 'https://files.example.org/a-1.zip', extra = 'g' }, { url = 'https://files.example.org/a-2.zip', group = 'd' }]";
        assert_eq!(
            short(&toml(text)),
            ["a :3", "+g a @ https://files.example.org/a-1.zip :4", "@d a @ https://files.example.org/a-2.zip :6",]
        );
    }

    #[test]
    fn indexes_are_bound() {
        let project = toml(
            "[project]\nname = 'x'\ndependencies = ['torch']\n[[tool.uv.index]]\nname = 'cpu'\nurl = 'https://pypi.example.org/cpu'\nexplicit = true\n[tool.uv.sources]\nTorch = [\n{ index = 'cpu', marker = \"os_name == 'posix'\" }, { index = 'cpu', extra = 'A_b' }]\ntorchvision = { index = 'cpu' }",
        );
        assert_eq!(short(&project), ["torch :3"]);
        let index = &project.indexes[0];
        assert!(index.explicit && index.name.as_deref() == Some("cpu"));
        let bound: Vec<_> = index
            .bindings
            .iter()
            .map(|b| (b.package.as_str(), b.marker.as_deref(), b.extra.as_deref(), b.origin.to_string()))
            .collect();
        assert_eq!(
            bound,
            [
                ("torch", Some("os_name == 'posix'"), None, "pyproject.toml:10".to_owned()),
                ("torch", None, Some("a-b"), "pyproject.toml:10".to_owned()),
                ("torchvision", None, None, "pyproject.toml:11".to_owned()),
            ]
        );
        assert_eq!(notes(&project), ["uv binds only what the project itself asks for to an index: not `torchvision`"]);
        assert_eq!(project.notes[0].severity, Severity::Warning);
    }

    #[test]
    fn paths_and_members_are_followed() {
        let files = [
            (
                FILE,
                "[project]\nname = 'x'\ndependencies = ['a', 'my-b']\n[tool.uv.sources]\na = { path = 'libs/a a', editable = true }\nmy-b = { workspace = true }\n[tool.uv.workspace]\nmembers = ['packages/*']\n",
            ),
            ("libs/a a/pyproject.toml", "[project]\nname = 'a'\ndependencies = ['torch']"),
            (
                "packages/b/pyproject.toml",
                "[project]\nname = 'My_b'\ndependencies = ['a', 'c']\n[tool.uv.sources]\nc = { git = 'https://git.example.org/c' }",
            ),
        ];
        let project = read(&files).unwrap();
        assert_eq!(
            short(&project),
            [
                "a @ file:./libs/a%20a :3",
                "torch :3",
                "my-b @ file:./packages/b :3",
                "a @ file:./libs/a%20a :3",
                "c @ git+https://git.example.org/c :3",
            ]
        );
        assert!(project.requirements[0].editable && project.requirements[2].editable);
        assert_eq!(project.requirements[0].source, Source::Path { path: "libs/a a".to_owned() });
        assert_eq!(notes(&project), ["the workspace has the members `packages/b`"]);
    }

    #[test]
    fn what_is_not_used_is_said() {
        let project = toml(&with("z = { path = '.' }\na = { workspace = true }\nb = { workspace = false }"));
        assert_eq!(short(&project).len(), 2);
        assert_eq!(
            notes(&project),
            [
                "`a` is a member of a workspace whose root is not in this folder",
                "`b` comes from an index, not from the workspace",
                "`z` has a source here, and nothing in this file asks for it",
            ]
        );
        let off = toml(&format!("[tool.uv]\nno-sources = true\n{}", with("a = { git = 'https://git.example.org/a' }")));
        assert_eq!(short(&off)[0], "a[e]>=1 :5");
        assert_eq!(notes(&off), ["the source of `a` does not count: `tool.uv.no-sources` is on"]);
    }

    #[test]
    fn sources_that_cannot_be_are_refused() {
        for (source, why) in [
            ("{ index = 'none' }", "`a` is to come from the index `none`, which is not defined"),
            ("{ git = 'https://h.example.org/a', rev = 'x', tag = 'y' }", "one of `rev`, `tag` and `branch` at most"),
            ("{ git = 'https://h.example.org/a', url = 'x' }", "must be one of"),
            ("{ rev = 'x' }", "must be one of"),
            ("{ git = 'git@h.example.org:a/b' }", "the `git` of `a` is not a URL"),
            ("{ got = 'x' }", "`got` is not a key"),
            ("{ path = '../a' }", "leads out of the project folder"),
            ("{ path = 'none' }", "does not exist"),
            ("{ index = 1 }", "must be a string"),
            ("{ index = 'x', marker = 'nonsense' }", "is not a requirement"),
            ("'x'", "must be a table"),
        ] {
            let error = refused(&with(&format!("a = {source}")));
            assert!(error.starts_with("pyproject.toml:5: ") && error.contains(why), "{error}");
        }
        let both = refused(
            "[project]\nname = 'x'\ndependencies = ['a @ https://h.example.org/a.zip']\n[tool.uv.sources]\na = { url = 'https://h.example.org/b.zip' }",
        );
        assert!(both.contains("another source in `tool.uv.sources`"), "{both}");
    }

    #[test]
    fn no_credential_of_a_source_comes_out() {
        let project = toml(&with(
            "a = { git = 'https://me:hunter22@git.example.org/a' }\nb = { url = 'https://hunter22@files.example.org/b-1.zip' }",
        ));
        assert!(!serde_json::to_string(&project).unwrap().contains("hunter22"));
        assert_eq!(notes(&project).iter().filter(|note| note.starts_with("a password")).count(), 2);
        assert!(!refused(&with("a = { git = 'me:hunter22@git.example.org/a' }")).contains("hunter22"));
    }
}
