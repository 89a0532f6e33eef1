//! Dependency groups: `[dependency-groups]` (PEP 735,
//! <https://packaging.python.org/en/latest/specifications/dependency-groups/>), and the tables of tools that came before.

use std::collections::{BTreeMap, BTreeSet};

use super::super::pep508;
use super::super::problems::Problems;
use super::super::text::shown;
use super::super::toml_file::Value;
use super::requirement::{Section, Stated};
use super::settings::Settings;
use super::{Reader, join, parent, pdm};
use crate::model::{Error, Origin, Result, SelectableKind};

/// Where groups stand.
pub(super) const TABLES: [&[&str]; 3] =
    [&["dependency-groups"], &["tool", "uv", "dev-dependencies"], &["tool", "pdm", "dev-dependencies"]];

/// No groups that mean something include each other deeper.
const DEEPEST: usize = 50;

/// No groups that mean something come to more requirements, with all that they include.
const MOST: usize = 20_000;

/// A group; the two tables of a tool may add to it.
struct Group {
    origin: Origin,
    /// Whether PDM's own table has it: PDM installs such groups always.
    of_pdm: bool,
    items: Vec<Item>,
}

enum Item {
    Requirement { stated: Stated, editable: bool },
    Include { name: String, origin: Origin },
}

type Groups = BTreeMap<String, Group>;

/// The groups that uv takes without being asked: <https://docs.astral.sh/uv/concepts/projects/dependencies/#default-groups>
enum Defaults {
    All,
    These(Vec<String>),
}

impl Reader<'_, '_, '_> {
    /// Takes up every group, with all that it includes.
    pub(super) fn groups(&mut self, settings: &Settings<'_, '_>) -> Result<()> {
        let groups = self.collect()?;
        let defaults = self.defaults(settings, &groups)?;
        let mut problems = Problems::default();
        let mut count = 0;
        for (name, group) in &groups {
            let default = group.of_pdm
                || match &defaults {
                    Defaults::All => true,
                    Defaults::These(names) => names.contains(name),
                };
            self.selectable(SelectableKind::Group, name, default, &group.origin);
            let expansion = Expansion::of(&groups, name)?;
            count += expansion.requirements.len() + expansion.seen.len();
            if count > MOST {
                let error = Error::usage(format!("groups that include each other come to over {MOST} requirements"));
                return Err(error.at(group.origin.clone()));
            }
            for (stated, editable) in expansion.requirements {
                let section = Section { group: Some(name.clone()), editable, ..Section::default() };
                problems.note(self.place(stated, &section).map_err(|error| error.or_at(stated.origin())));
            }
        }
        problems.finish()
    }

    fn collect(&mut self) -> Result<Groups> {
        let mut groups = Groups::new();
        let mut problems = Problems::default();
        let toml = self.toml;
        if let Some(table) = toml.get(TABLES[0]) {
            let mut spelt = BTreeMap::new();
            for (key, value) in toml.entries(table, TABLES[0])? {
                let origin = toml.origin(value.span());
                problems.note(normalized(key, &origin).and_then(|name| {
                    if let Some(other) = spelt.insert(name.clone(), key) {
                        let message =
                            format!("the groups `{}` and `{}` are one, by their names", shown(other), shown(key));
                        return Err(Error::usage(message).at(origin).with_hint("give one of them another name"));
                    }
                    self.items(&mut groups, &name, value, false)
                }));
            }
        }
        if let Some(value) = toml.get(TABLES[1]) {
            problems.note(self.items(&mut groups, "dev", value, false));
        }
        if let Some(table) = toml.get(TABLES[2]) {
            for (key, value) in toml.entries(table, TABLES[2])? {
                let name = normalized(key, &toml.origin(value.span()));
                problems.note(name.and_then(|name| self.items(&mut groups, &name, value, true)));
            }
        }
        problems.finish().map(|()| groups)
    }

    /// Reads the items of the group `name` in `value`.
    fn items(&mut self, groups: &mut Groups, name: &str, value: &Value<'_>, of_pdm: bool) -> Result<()> {
        let toml = self.toml;
        let Some(items) = value.get_ref().as_array() else {
            return Err(toml.mistyped(value, &["dependency-groups", name], "an array"));
        };
        self.draft.account(toml.file, items.len());
        let origin = toml.origin(value.span());
        let group = groups.entry(name.to_owned()).or_insert(Group { origin, of_pdm, items: Vec::new() });
        let mut problems = Problems::default();
        for item in items {
            let origin = toml.origin(item.span());
            match self.item(item, &origin, of_pdm) {
                Ok(item) => group.items.push(item),
                Err(error) => problems.note(Err(error.or_at(&origin))),
            }
            self.draft.fact(toml.file);
        }
        problems.finish()
    }

    fn item(&mut self, item: &Value<'_>, origin: &Origin, of_pdm: bool) -> Result<Item> {
        if let Some(text) = item.get_ref().as_str() {
            let editable = text.trim().strip_prefix("-e ").filter(|_| of_pdm);
            let text = editable.map_or_else(|| Ok(text.to_owned()), |text| pdm::editable(self, text))?;
            return Ok(Item::Requirement { stated: self.stated(&text, origin)?, editable: editable.is_some() });
        }
        let keys = self.toml.entries(item, &["dependency-groups"])?;
        match keys.as_slice() {
            [("include-group", value)] if value.get_ref().as_str().is_some() => {
                let name = normalized(value.get_ref().as_str().unwrap_or_default(), origin)?;
                Ok(Item::Include { name, origin: origin.clone() })
            }
            _ => Err(Error::usage("this item of a group is neither a requirement nor an `include-group`")
                .with_hint("write `{ include-group = \"name\" }`")),
        }
    }

    /// uv names `dev` where nothing is said; whether uv is who installs, only its own files tell.
    fn defaults(&self, settings: &Settings<'_, '_>, groups: &Groups) -> Result<Defaults> {
        let Some(setting) = settings.of_project("default-groups") else {
            let folder = parent(self.toml.file);
            let has = |file: &str| self.draft.folder.has(&join(folder, file));
            if has("pdm.lock") && !has("uv.lock") {
                return Ok(Defaults::All);
            }
            let of_uv = self.toml.get(&["tool", "uv"]).is_some() || has("uv.lock") || settings.uv_toml.is_some();
            return Ok(Defaults::These(if of_uv { vec!["dev".to_owned()] } else { Vec::new() }));
        };
        if setting.value.get_ref().as_str() == Some("all") {
            return Ok(Defaults::All);
        }
        let mut names = Vec::new();
        for (name, origin) in setting.strings()? {
            let name = normalized(name, &origin)?;
            if !groups.contains_key(&name) && name != "dev" {
                return Err(Error::usage(format!("there is no group `{name}` to be taken by default")).at(origin));
            }
            names.push(name);
        }
        Ok(Defaults::These(names))
    }
}

fn normalized(name: &str, origin: &Origin) -> Result<String> {
    match pep508::parse_name(name) {
        Some((name, extras)) if extras.is_empty() => Ok(name),
        _ => Err(Error::usage(format!("`{}` is not a name for a group", shown(name))).at(origin.clone())),
    }
}

/// A group with all that it includes, each group once.
struct Expansion<'g> {
    groups: &'g Groups,
    /// The groups that are being read, each included by the one before it.
    chain: Vec<&'g str>,
    seen: BTreeSet<&'g str>,
    requirements: Vec<(&'g Stated, bool)>,
}

impl<'g> Expansion<'g> {
    fn of(groups: &'g Groups, name: &'g str) -> Result<Self> {
        let mut expansion = Self { groups, chain: Vec::new(), seen: BTreeSet::new(), requirements: Vec::new() };
        expansion.add(name)?;
        Ok(expansion)
    }

    fn add(&mut self, name: &'g str) -> Result<()> {
        let Some(group) = self.groups.get(name) else { return Ok(()) };
        self.chain.push(name);
        self.seen.insert(name);
        for item in &group.items {
            match item {
                Item::Requirement { stated, editable } => self.requirements.push((stated, *editable)),
                Item::Include { name, origin } => {
                    check(self.groups, name, &self.chain).map_err(|error| error.at(origin.clone()))?;
                    if !self.seen.contains(name.as_str()) {
                        self.add(name)?;
                    }
                }
            }
        }
        self.chain.pop();
        Ok(())
    }
}

fn check(groups: &Groups, name: &str, chain: &[&str]) -> Result<()> {
    if !groups.contains_key(name) {
        return Err(Error::usage(format!("there is no group `{name}` to include")));
    }
    if let Some(begin) = chain.iter().position(|known| *known == name) {
        let circle: Vec<String> = chain.iter().skip(begin).chain([&name]).map(|name| format!("`{name}`")).collect();
        return Err(Error::usage(format!("groups include each other in a circle: {}", circle.join(" → ")))
            .with_hint("take out one of these"));
    }
    if chain.len() >= DEEPEST {
        return Err(Error::usage(format!("groups include each other more than {DEEPEST} deep")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::super::FILE;
    use super::super::tests::{read, refused, short, toml};

    #[test]
    fn a_group_has_all_that_it_includes() {
        let project = toml(
            "[dependency-groups]\nTest_A = [\n'pytest',\n'torch']\ndev = [\n{include-group = 'test-a'},\n'ruff',\n{include-group = 'all'}]\nall = [{include-group = 'Test.A'}, 'einops']",
        );
        assert_eq!(
            short(&project),
            [
                "@all pytest :3",
                "@all torch :4",
                "@all einops :9",
                "@dev pytest :3",
                "@dev torch :4",
                "@dev ruff :7",
                "@dev einops :9",
                "@test-a pytest :3",
                "@test-a torch :4",
            ]
        );
        assert_eq!(project.read[0].entries, 7);
        let names: Vec<&str> = project.selectable.iter().map(|group| group.name.as_str()).collect();
        assert_eq!(names, ["all", "dev", "test-a"]);
        assert_eq!(project.selectable[1].origin.to_string(), "pyproject.toml:5");
    }

    #[test]
    fn groups_that_cannot_be_are_refused() {
        for (text, why) in [
            (
                "a = [{include-group = 'b'}]\nb = [\n{include-group = 'a'}]",
                "pyproject.toml:4: groups include each other in a circle: `a` → `b` → `a`",
            ),
            ("a = [{include-group = 'a'}]", "pyproject.toml:2: groups include each other in a circle: `a` → `a`"),
            ("a = [{include-group = 'b'}]", "pyproject.toml:2: there is no group `b` to include"),
            ("a_b = []\nA-B = []", "pyproject.toml:3: the groups `a_b` and `A-B` are one, by their names"),
            (
                "a = [{path = '.'}]",
                "pyproject.toml:2: this item of a group is neither a requirement nor an `include-group`",
            ),
            ("a = [1]", "pyproject.toml:2: `dependency-groups` must be a table, not integer"),
            ("a = 'torch'", "pyproject.toml:2: `dependency-groups.a` must be an array, not string"),
        ] {
            assert_eq!(refused(&format!("[dependency-groups]\n{text}")), why);
        }
    }

    #[test]
    fn groups_that_grow_without_end_are_refused() {
        let mut text = "[dependency-groups]\ng0 = ['a']\n".to_owned();
        for n in 1..200 {
            writeln!(text, "g{n} = [{{include-group = 'g{}'}}]", n - 1).unwrap();
        }
        assert!(refused(&text).contains("more than 50 deep"));
        let items = "'a',".repeat(2000);
        let mut text = format!("[dependency-groups]\nx = [{items}]\n");
        for n in 0..20 {
            writeln!(text, "g{n} = [{{include-group = 'x'}}]").unwrap();
        }
        assert!(refused(&text).contains("over 20000 requirements"));
    }

    #[test]
    fn default_groups_are_those_of_the_tool() {
        let defaults = |more: &str, files: &[(&str, &str)]| {
            let text = format!("[dependency-groups]\ndev = ['a']\ndocs = ['b']\n{more}");
            let files: Vec<(&str, &str)> = [(FILE, text.as_str())].into_iter().chain(files.iter().copied()).collect();
            let project = read(&files).unwrap();
            let default = project.selectable.iter().filter(|group| group.default).map(|group| group.name.clone());
            default.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(defaults("", &[]), "");
        assert_eq!(defaults("", &[("uv.lock", "")]), "dev");
        assert_eq!(defaults("[tool.uv]", &[]), "dev");
        assert_eq!(defaults("[tool.uv]\ndefault-groups = []", &[]), "");
        assert_eq!(defaults("[tool.uv]\ndefault-groups = ['docs']", &[]), "docs");
        assert_eq!(defaults("[tool.uv]\ndefault-groups = 'all'", &[]), "dev docs");
        assert_eq!(defaults("", &[("pdm.lock", "")]), "dev docs");
        assert!(refused("[tool.uv]\ndev-dependencies = []\ndefault-groups = ['x']").contains("no group `x`"));
    }

    #[test]
    fn the_tables_of_old_add_to_the_groups() {
        let project = toml(
            "[dependency-groups]\ndev = ['a']\n[tool.uv]\ndev-dependencies = ['b']\n[tool.pdm.dev-dependencies]\nDev = ['c']\nlint = ['-e git+https://git.example.org/r@v1#egg=d']",
        );
        assert_eq!(
            short(&project),
            ["@dev a :2", "@dev b :4", "@dev c :6", "@lint d @ git+https://git.example.org/r@v1#egg=d :7",]
        );
        assert!(project.requirements[3].editable && project.selectable[1].default);
    }
}
