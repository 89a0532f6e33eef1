//! `pixi.toml`, and `[tool.pixi]` of a `pyproject.toml` (<https://pixi.sh/latest/reference/pixi_manifest/>).

mod environments;
mod options;
mod platform;
mod pypi;

use std::collections::BTreeMap;

use toml::de::DeValue;

use super::conda::{self, Channel, Place, Spec, of_archive};
use super::draft::Draft;
use super::folder::Folder;
use super::problems::Problems;
use super::text::{is_hidden, shown};
use super::toml_file::{TomlFile, Value};
use super::url::without_credentials;
use super::{Format, pep508, pyproject};
use crate::model::{Error, ManifestKind, Note, Origin, RequirementRole, Result, SystemHint};

const FILE: &str = "pixi.toml";
const PYPROJECT: &str = "pyproject.toml";

/// No project asks for more; a few features in many environments could ask for millions.
const MOST_REQUIREMENTS: usize = 20_000;

/// The format.
pub(in crate::inspect) const FORMAT: Format = Format {
    kind: ManifestKind::Pixi,
    files: &[FILE, PYPROJECT],
    looked_for: "`pixi.toml`",
    recognizes: |name| name == FILE || name == PYPROJECT,
    declares,
    read,
};

fn is_pyproject(file: &str) -> bool {
    file.rsplit('/').next() == Some(PYPROJECT)
}

/// The keys that lead to pixi's own tables.
fn base(file: &str) -> &'static [&'static str] {
    if is_pyproject(file) { &["tool", "pixi"] } else { &[] }
}

/// Whether it has a workspace, which was called a project before
/// (<https://pixi.sh/latest/reference/pixi_manifest/#the-workspace-table>).
fn declares(folder: &Folder, file: &str) -> Result<bool> {
    let text = folder.read_utf8(file)?;
    let toml = TomlFile::parse(file, &text)?;
    Ok(["workspace", "project"].iter().any(|key| toml.get(&[base(file), &[*key]].concat()).is_some()))
}

fn read(draft: &mut Draft<'_>, file: &str) -> Result<()> {
    let located = draft.folder.locate(".", file)?;
    draft.file(&located);
    let text = draft.folder.read_utf8(file)?;
    let toml = TomlFile::parse(file, &text)?;
    if is_pyproject(file) && toml.get(&["project"]).is_some() {
        // pixi installs what `[project]` asks for, too.
        (pyproject::FORMAT.read)(draft, file)?;
    }
    enrich(draft, &toml)
}

/// Takes up pixi's own tables, once per file.
pub(in crate::inspect) fn enrich(draft: &mut Draft<'_>, toml: &TomlFile<'_>) -> Result<()> {
    let base = base(toml.file);
    let present = base.is_empty() || toml.get(base).is_some();
    if !present || !draft.followed.insert((format!("{}#pixi", toml.file), Vec::new())) {
        return Ok(());
    }
    Reader { draft, toml, base }.file()
}

/// A table that asks for something: the file's own, a feature's, or that of one platform in them.
struct Scope<'t> {
    /// The keys that lead to it.
    path: Vec<&'t str>,
    groups: Vec<Option<String>>,
    marker: Option<String>,
}

impl Scope<'_> {
    fn place(&self, origin: Origin, role: RequirementRole) -> Place {
        Place { origin, role, groups: self.groups.clone(), marker: self.marker.clone() }
    }
}

struct Reader<'d, 'f, 't> {
    draft: &'d mut Draft<'f>,
    toml: &'t TomlFile<'t>,
    base: &'static [&'static str],
}

impl<'t> Reader<'_, '_, 't> {
    fn at(&self, keys: &[&'t str]) -> Vec<&'t str> {
        [self.base, keys].concat()
    }

    fn file(&mut self) -> Result<()> {
        let mut problems = Problems::default();
        for workspace in ["workspace", "project"] {
            problems.note(self.workspace(workspace));
        }
        let groups = self.environments()?;
        problems.note(self.scope(&Scope { path: self.base.to_vec(), groups: vec![None], marker: None }));
        let features = self.at(&["feature"]);
        if let Some(table) = self.toml.get(&features) {
            for (feature, value) in self.toml.entries(table, &features)? {
                let path = [features.as_slice(), &[feature]].concat();
                let default = (feature == environments::DEFAULT).then(|| vec![None]);
                let groups = groups.get(feature).cloned().or(default);
                let groups = groups.unwrap_or_else(|| self.feature_alone(feature, self.toml.origin(value.span())));
                problems.note(self.scope(&Scope { path, groups, marker: None }));
            }
        }
        self.unfollowed("package", "how pixi builds the project is not followed");
        problems.finish()
    }

    /// Notes a table of the file that is not followed.
    fn unfollowed(&mut self, key: &'t str, why: &str) {
        if let Some(value) = self.toml.get(&self.at(&[key])) {
            let origin = self.toml.origin(value.span());
            self.draft.account(self.toml.file, 1);
            self.draft.noted(self.toml.file, Note::info(format!("`[{key}]`: {why}"), origin));
        }
    }

    fn workspace(&mut self, key: &'t str) -> Result<()> {
        // In `pixi.toml`, `[project]` is the workspace; in `pyproject.toml` it is `[tool.pixi.project]`.
        let path = self.at(&[key]);
        if self.toml.get(&path).is_none() {
            return Ok(());
        }
        let name = self.toml.string(&[path.as_slice(), &["name"]].concat())?;
        let name = name.filter(|(name, _)| pep508::parse_name(name).is_some());
        if self.draft.name.is_none() {
            self.draft.name = name.map(|(name, _)| name.to_owned());
        }
        self.channels(&path)?;
        self.platforms(&path);
        self.options(&Scope { path, groups: vec![None], marker: None })
    }

    fn channels(&mut self, path: &[&'t str]) -> Result<()> {
        let path = [path, &["channels"]].concat();
        let Some(value) = self.toml.get(&path) else { return Ok(()) };
        let items = value.get_ref().as_array().ok_or_else(|| self.mistyped(value, &path, "a list of channels"))?;
        self.draft.account(self.toml.file, items.len());
        for item in items {
            let named = item.get_ref().get("channel").unwrap_or(item);
            let name = named.get_ref().as_str().ok_or_else(|| self.mistyped(item, &path, "a list of channels"))?;
            let origin = self.toml.origin(item.span());
            conda::channel(self.draft, &Channel { name, bindings: Vec::new(), origin });
            self.draft.fact(self.toml.file);
        }
        Ok(())
    }

    fn platforms(&mut self, path: &[&'t str]) {
        let path = [path, &["platforms"]].concat();
        let Some(value) = self.toml.get(&path) else { return };
        let strings = self.toml.strings(value, &path, false).unwrap_or_default();
        if !strings.is_empty() && !strings.iter().any(|(platform, _)| platform.starts_with("linux")) {
            let note = Note::warning("the workspace is not made for Linux", self.toml.origin(value.span()));
            self.draft.note(note.with_hint("add `linux-64` to `platforms`"));
        }
    }

    fn mistyped(&self, value: &Value<'_>, path: &[&str], wanted: &str) -> Error {
        let message = format!("`{}` must be {wanted}, not {}", shown(&path.join(".")), value.get_ref().type_str());
        Error::usage(message).at(self.toml.origin(value.span()))
    }

    /// Takes up what a table asks for, and its tables for single platforms.
    fn scope(&mut self, scope: &Scope<'t>) -> Result<()> {
        let mut problems = Problems::default();
        for key in ["dependencies", "host-dependencies", "build-dependencies"] {
            problems.note(self.conda(scope, key, RequirementRole::Requirement));
        }
        problems.note(self.conda(scope, "constraints", RequirementRole::Constraint));
        problems.note(self.pypi(scope, "pypi-dependencies", RequirementRole::Requirement));
        problems.note(self.options(scope));
        problems.note(self.system(scope));
        if scope.path.len() > self.base.len() {
            problems.note(self.channels(&scope.path));
        }
        for key in ["activation", "dev"] {
            let path = [scope.path.as_slice(), &[key]].concat();
            if let Some(value) = self.toml.get(&path) {
                let message = format!("`{}` is not followed", shown(&path.join(".")));
                self.draft.account(self.toml.file, 1);
                self.draft.noted(self.toml.file, Note::info(message, self.toml.origin(value.span())));
            }
        }
        problems.note(self.targets(scope));
        problems.finish()
    }

    fn targets(&mut self, scope: &Scope<'t>) -> Result<()> {
        let path = [scope.path.as_slice(), &["target"]].concat();
        let (None, Some(table)) = (&scope.marker, self.toml.get(&path)) else { return Ok(()) };
        let mut problems = Problems::default();
        for (target, value) in self.toml.entries(table, &path)? {
            let Some(marker) = platform::marker(target) else {
                let message = format!("`{}` is no platform that is known, and not followed", shown(target));
                self.draft.note(Note::warning(message, self.toml.origin(value.span())));
                continue;
            };
            let path = [path.as_slice(), &[target]].concat();
            problems.note(self.scope(&Scope { path, groups: scope.groups.clone(), marker: Some(marker.to_owned()) }));
        }
        problems.finish()
    }

    fn conda(&mut self, scope: &Scope<'t>, key: &'t str, role: RequirementRole) -> Result<()> {
        self.each(scope, key, |reader, name, value| {
            let origin = reader.toml.origin(value.span());
            reader.package(name, value, &scope.place(origin, role))
        })
    }

    /// Takes up each entry of the table `key` of a scope.
    fn each(
        &mut self,
        scope: &Scope<'t>,
        key: &'t str,
        mut take: impl FnMut(&mut Self, &'t str, &'t Value<'t>) -> Result<()>,
    ) -> Result<()> {
        let path = [scope.path.as_slice(), &[key]].concat();
        let toml = self.toml;
        let Some(table) = toml.get(&path) else { return Ok(()) };
        let entries = toml.entries(table, &path)?;
        self.draft.account(toml.file, entries.len());
        let mut problems = Problems::default();
        for (name, value) in entries {
            let read = self.room(scope).and_then(|()| take(self, name, value));
            problems.note(read.map_err(|error| error.or_at(&toml.origin(value.span()))));
        }
        problems.finish()
    }

    /// Whether there is room for one more of a scope.
    fn room(&self, scope: &Scope<'_>) -> Result<()> {
        if self.draft.project.requirements.len() + scope.groups.len() > MOST_REQUIREMENTS {
            return Err(Error::usage(format!("the project asks for more than {MOST_REQUIREMENTS} packages in all")));
        }
        Ok(())
    }

    fn package(&mut self, name: &str, value: &Value<'_>, place: &Place) -> Result<()> {
        let spec = match value.get_ref() {
            DeValue::String(version) => matched(name, version)?,
            DeValue::Table(_) => {
                let Some(spec) = detailed(name, value)? else {
                    let message = format!("`{}` is built by pixi from sources, and not followed", shown(name));
                    self.draft.noted(self.toml.file, Note::warning(message, place.origin.clone()));
                    return Ok(());
                };
                spec
            }
            _ => return Err(self.mistyped(value, &[name], "a version or a table")),
        };
        if let Some(channel) = &spec.channel {
            let distribution = match conda::Kind::of(&spec, self.draft.packages) {
                conda::Kind::Distribution(name, _) => Some(name),
                _ => None,
            };
            let binding = |package| place.groups.iter().map(move |group| place.binding(package, group.clone()));
            let bindings = distribution.iter().flat_map(|name| binding(name)).collect();
            conda::channel(self.draft, &Channel { name: channel, bindings, origin: place.origin.clone() });
        }
        match conda::take(self.draft, &spec, place) {
            None => self.draft.fact(self.toml.file),
            Some(note) => self.draft.noted(self.toml.file, note),
        }
        Ok(())
    }

    /// What the machine must have, as virtual packages of conda
    /// (<https://pixi.sh/latest/workspace/system_requirements/>).
    fn system(&mut self, scope: &Scope<'t>) -> Result<()> {
        let path = [scope.path.as_slice(), &["system-requirements"]].concat();
        let Some(table) = self.toml.get(&path) else { return Ok(()) };
        let entries = self.toml.entries(table, &path)?;
        self.draft.account(self.toml.file, entries.len());
        for (name, value) in entries {
            let origin = self.toml.origin(value.span());
            let version = value.get_ref().get("version").unwrap_or(value).get_ref().as_str();
            let package = match name {
                "cuda" => "__cuda",
                "libc" => "__glibc",
                "linux" => "__linux",
                _ => "",
            };
            if let Some(version) = version.filter(|_| !package.is_empty()) {
                let package = shown(&format!("{package}>={version}"));
                self.draft.project.system.push(SystemHint { package, manager: conda::MANAGER.to_owned(), origin });
                self.draft.fact(self.toml.file);
            } else {
                let message = format!("the system requirement `{}` is not followed", shown(name));
                self.draft.noted(self.toml.file, Note::info(message, origin));
            }
        }
        Ok(())
    }
}

/// A package and its version in conda's words, where pixi writes them apart.
fn matched(name: &str, version: &str) -> Result<Spec> {
    let stripped = without_credentials(version).text;
    let refused = |why: &str| {
        Error::usage(format!("`{}` is not a version of `{}`: {why}", shown(&stripped), shown(name)))
            .with_hint("write `\"*\"`, `\"1.2.*\"` or `\">=1.2,<2\"`")
    };
    if name.contains([' ', '=', '<', '>', '!', '~', ':', '[']) || format!("{name}{stripped}").contains(is_hidden) {
        return Err(refused("the name or version holds what does not belong there"));
    }
    Spec::parse(&format!("{name} {stripped}")).map_err(|why| refused(&why))
}

/// A package as a table describes it; nothing where it is built from sources.
fn detailed(name: &str, value: &Value<'_>) -> Result<Option<Spec>> {
    let text = |key: &str| value.get_ref().get(key).and_then(|value| value.get_ref().as_str());
    if let Some(url) = text("url") {
        return Ok(of_archive(&without_credentials(url).text));
    }
    if ["path", "git"].iter().any(|key| value.get_ref().get(*key).is_some()) {
        return Ok(None);
    }
    let mut spec = matched(name, text("version").unwrap_or("*"))?;
    spec.build = text("build").map(str::to_owned).or(spec.build);
    spec.channel = text("channel").map(|channel| without_credentials(channel).text);
    let known = ["version", "build", "channel", "subdir"];
    let keys = value.get_ref().as_table().into_iter().flat_map(|table| table.keys());
    let others = keys.map(|key| key.get_ref().to_string()).filter(|key| !known.contains(&key.as_str()));
    spec.others.extend(others);
    Ok(Some(spec))
}

/// The groups of each feature.
type Groups = BTreeMap<String, Vec<Option<String>>>;

#[cfg(test)]
mod tests;
