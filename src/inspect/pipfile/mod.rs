//! `Pipfile`, the manifest of Pipenv. <https://pipenv.pypa.io/en/latest/pipfile.html>

#[cfg(test)]
mod tests;

use std::str::FromStr;
use std::sync::LazyLock;

use pep440_rs::VersionSpecifiers;
use regex::Regex;
use toml::de::DeValue;

use super::draft::Draft;
use super::pep508::parse_name;
use super::problems::Problems;
use super::tabled::{self, Tabled, Wanted, is_remote};
use super::text::shown;
use super::toml_file::{TomlFile, Value};
use super::url::{check, variables, without_credentials};
use super::{Format, pyproject};
use crate::model::{
    ArchiveName, Error, Index, IndexBinding, IndexRole, ManifestKind, Note, Origin, PythonConstraint, Requirement,
    Result, Selectable, SelectableKind, Source, Strength, VariableUse,
};

/// Tables that are no category of packages.
const OTHER_TABLES: [&str; 4] = ["source", "requires", "scripts", "pipenv"];

/// Keys of a package that are markers (PEP 508), whose value is an operator and a string: `sys_platform = "== 'linux'"`.
pub(super) const MARKERS: [&str; 11] = [
    "implementation_name",
    "implementation_version",
    "os_name",
    "platform_machine",
    "platform_python_implementation",
    "platform_release",
    "platform_system",
    "platform_version",
    "python_full_version",
    "python_version",
    "sys_platform",
];

/// The keys of a package by which it comes from a repository.
pub(super) const REPOSITORIES: [&str; 4] = ["git", "hg", "svn", "bzr"];

/// Further keys of a package that are followed.
const KEYS: [&str; 11] =
    ["version", "extras", "markers", "index", "ref", "subdirectory", "path", "file", "url", "uri", "editable"];

/// `$NAME`, which Pipenv expands as a shell does, and pip only in braces.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static BARE_VARIABLE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\$([A-Za-z_][A-Za-z0-9_]*)").unwrap());

/// The format.
pub(in crate::inspect) const FORMAT: Format = Format {
    kind: ManifestKind::Pipfile,
    files: &["Pipfile"],
    looked_for: "`Pipfile`",
    recognizes: |name| name == "Pipfile",
    declares: |_, _| Ok(true),
    read,
};

fn read(draft: &mut Draft<'_>, file: &str) -> Result<()> {
    let located = draft.folder.locate(".", file)?;
    draft.file(&located);
    let text = draft.folder.read_utf8(file)?;
    let toml = TomlFile::parse(file, &text)?;
    let mut reader = Reader { draft, toml: &toml, names: Vec::new(), first: 0 };
    let mut problems = Problems::default();
    problems.note(reader.sources());
    problems.note(reader.requires());
    reader.settings();
    for (table, value) in toml.root_entries() {
        if !OTHER_TABLES.contains(&table) {
            problems.note(reader.category(table, value));
        }
    }
    reader.restrict();
    problems.finish()
}

struct Reader<'d, 'f, 't> {
    draft: &'d mut Draft<'f>,
    toml: &'d TomlFile<'t>,
    /// The names and URLs of the sources, in the order of their indexes in the draft.
    names: Vec<(String, String)>,
    /// The place of the first of them among the indexes of the draft.
    first: usize,
}

impl Reader<'_, '_, '_> {
    fn sources(&mut self) -> Result<()> {
        self.first = self.draft.project.indexes.len();
        let Some(value) = self.toml.get(&["source"]) else { return Ok(()) };
        let Some(tables) = value.get_ref().as_array() else {
            let error = Error::usage("`source` must be an array of tables, `[[source]]`");
            return Err(error.at(self.toml.origin(value.span())));
        };
        self.draft.account(self.toml.file, tables.len());
        for table in tables {
            let origin = self.toml.origin(table.span());
            self.source(table, &origin).map_err(|error| error.at(origin))?;
        }
        Ok(())
    }

    /// The first source takes the place of the default index; the others stand beside it
    /// (<https://pipenv.pypa.io/en/latest/indexes.html>).
    fn source(&mut self, table: &Value<'_>, origin: &Origin) -> Result<()> {
        let url = string(table, "url")?.ok_or_else(|| Error::usage("a `[[source]]` lacks its `url`"))?;
        let name = string(table, "name")?.map(str::to_owned);
        let braced = BARE_VARIABLE.replace_all(url.trim(), "$${$1}");
        for name in variables(&braced) {
            self.draft.project.variables.push(VariableUse { name, origin: origin.clone() });
        }
        let stripped = without_credentials(&braced);
        if stripped.literal {
            self.draft.warn_of_credential(origin);
        }
        check(&stripped.text)?;
        if is(table, "verify_ssl") == Some(false) {
            let message =
                format!("the certificate of `{}` is not to be checked, which no build does", shown(&stripped.text));
            let note = Note::warning(message, origin.clone());
            self.draft.note(note.with_hint("give the build the CA bundle of that index instead"));
        }
        let role = if self.names.is_empty() { IndexRole::Primary } else { IndexRole::Extra };
        self.names.push((name.clone().unwrap_or_default(), stripped.text.clone()));
        let (url, origin) = (stripped.text, origin.clone());
        let index = Index { url, role, name, explicit: false, bindings: Vec::new(), origin };
        self.draft.project.indexes.push(index);
        self.draft.fact(self.toml.file);
        Ok(())
    }

    /// Since Pipenv 2022.3.23 a source besides the first serves only what names it, unless all are to be searched
    /// (<https://pipenv.pypa.io/en/latest/indexes.html#index-restricted-packages>). One that nothing names is from
    /// before that, or would serve nothing.
    fn restrict(&mut self) {
        let all = self.toml.get(&["pipenv", "install_search_all_sources"]);
        if all.and_then(|value| value.get_ref().as_bool()) == Some(true) {
            return;
        }
        for index in self.draft.project.indexes.iter_mut().skip(self.first) {
            index.explicit = index.role == IndexRole::Extra && !index.bindings.is_empty();
        }
    }

    fn requires(&mut self) -> Result<()> {
        for key in ["python_version", "python_full_version"] {
            let Some((text, origin)) = self.toml.string(&["requires", key])? else { continue };
            required_python(self.draft, self.toml.file, text, origin);
        }
        Ok(())
    }

    fn settings(&mut self) {
        let Some(value) = self.toml.get(&["pipenv", "allow_prereleases"]) else { return };
        if value.get_ref().as_bool() == Some(true) {
            let message = "pre-releases of every package count too, which a requirement cannot say";
            let note = Note::warning(message, self.toml.origin(value.span()));
            self.draft.note(note.with_hint("name a pre-release in the versions, such as `>=2.0.0rc1`"));
        }
    }

    /// `packages` are those of the project itself, every other table is a category of its own
    /// (<https://pipenv.pypa.io/en/latest/pipfile.html#package-category-groups>).
    fn category(&mut self, table: &str, value: &Value<'_>) -> Result<()> {
        let origin = self.toml.origin(value.span());
        if value.get_ref().as_table().is_none() {
            let message = format!("`{}` is no table of packages, and is not followed", shown(table));
            self.draft.note(Note::warning(message, origin));
            return Ok(());
        }
        let group = match table {
            "packages" => None,
            "dev-packages" => Some("dev".to_owned()),
            other => Some(group_name(other).map_err(|error| error.at(origin.clone()))?),
        };
        let entries = self.toml.entries(value, &[table])?;
        if let Some(name) = group.clone().filter(|_| !entries.is_empty()) {
            let kind = SelectableKind::Group;
            self.draft.project.selectable.push(Selectable { kind, name, default: false, origin });
        }
        self.draft.account(self.toml.file, entries.len());
        let mut problems = Problems::default();
        for (name, value) in entries {
            let origin = self.toml.origin(value.span());
            problems.note(self.package(name, value, group.as_deref(), &origin).map_err(|error| error.or_at(&origin)));
        }
        problems.finish()
    }

    fn package(&mut self, name: &str, value: &Value<'_>, group: Option<&str>, origin: &Origin) -> Result<()> {
        let version = match value.get_ref() {
            DeValue::String(version) => Some(version.as_ref()),
            DeValue::Table(_) => string(value, "version")?,
            _ => return Err(Error::usage(format!("the package `{}` must be a version or a table", shown(name)))),
        };
        self.note_keys(name, value, origin);
        let mut markers: Vec<String> = string(value, "markers")?.map(str::to_owned).into_iter().collect();
        for key in MARKERS {
            markers.extend(string(value, key)?.map(|condition| format!("{key} {condition}")));
        }
        let wanted = match wanted(value)? {
            Some(wanted) => wanted,
            None => Wanted::Versions(versions(version.unwrap_or("*"))?),
        };
        let name = self.true_name(name, &wanted).unwrap_or_else(|| name.to_owned());
        let editable = is(value, "editable") == Some(true);
        let tabled = Tabled { name: &name, extras: strings(value, "extras")?, wanted, markers, editable };
        let read = tabled::requirement_of(self.draft, self.toml.file, &tabled, origin)?;
        let requirement = Requirement { group: group.map(str::to_owned), ..read };
        if let Some(index) = string(value, "index")? {
            self.bind(index, &requirement);
        }
        let folder = match &requirement.source {
            Source::Path { path } if group.is_none() && self.draft.folder.is_dir(path) => Some(path.clone()),
            _ => None,
        };
        let extras = requirement.extras.clone();
        self.draft.project.requirements.push(requirement);
        self.draft.fact(self.toml.file);
        folder.map_or(Ok(()), |folder| pyproject::follow(self.draft, &folder, &extras))
    }

    /// The name that a folder or archive declares: Pipenv may have written a piece of a hash in its place.
    fn true_name(&mut self, written: &str, wanted: &Wanted<'_>) -> Option<String> {
        let is_hash = written.len() == 7 && written.bytes().all(|byte| byte.is_ascii_hexdigit());
        match wanted {
            Wanted::Path(path) if is_hash => tabled::at_path(self.draft, self.toml.file, path).ok()?.name,
            Wanted::Url { url, .. } if is_hash => ArchiveName::of(url).map(|archive| archive.name),
            _ => None,
        }
    }

    /// Binds a package to the source that it names, by name or URL.
    fn bind(&mut self, index: &str, bound: &Requirement) {
        let place = self.names.iter().position(|(name, url)| name == index || url == index);
        let found = place.and_then(|place| self.draft.project.indexes.get_mut(self.first + place));
        let (Some(found), Some(package)) = (found, &bound.name) else {
            let message =
                format!("`{}` is not among `[[source]]`, and is not followed", shown(&without_credentials(index).text));
            self.draft.note(Note::warning(message, bound.origin.clone()));
            return;
        };
        found.bindings.push(IndexBinding {
            package: package.clone(),
            marker: bound.marker.clone(),
            extra: None,
            group: bound.group.clone(),
            origin: bound.origin.clone(),
        });
    }

    fn note_keys(&mut self, name: &str, value: &Value<'_>, origin: &Origin) {
        let keys = value.get_ref().as_table().into_iter().flat_map(|table| table.keys());
        let known = |key: &str| KEYS.contains(&key) || MARKERS.contains(&key) || REPOSITORIES.contains(&key);
        let unknown = keys.map(|key| key.get_ref().as_ref()).filter(|key| !known(key));
        for key in unknown {
            let message = format!("`{}` of `{}` is not a key that is followed", shown(key), shown(name));
            self.draft.note(Note::warning(message, origin.clone()));
        }
    }
}

/// A category's name as that of a group.
pub(super) fn group_name(category: &str) -> Result<String> {
    parse_name(category)
        .map(|(name, _)| name)
        .ok_or_else(|| Error::usage(format!("`{}` is not a name for a category of packages", shown(category))))
}

/// Takes up the version of Python that a Pipfile, or its lock, requires.
pub(super) fn required_python(draft: &mut Draft<'_>, file: &str, text: &str, origin: Origin) {
    draft.account(file, 1);
    if let Some(specifiers) = python(text) {
        draft.project.python.push(PythonConstraint { specifiers, strength: Strength::Required, origin });
        draft.fact(file);
    } else {
        let message = format!("`{}` is not a version of CPython, and is not followed", shown(text));
        draft.noted(file, Note::warning(message, origin));
    }
}

/// `3.9` is any 3.9, and so is `3.9.6`: which patch release there is, the image decides.
fn python(text: &str) -> Option<VersionSpecifiers> {
    let text = text.trim();
    let plain = text.trim_start_matches('=').trim_start();
    let numbers: Vec<&str> = plain.split('.').collect();
    let is_version = numbers.iter().all(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()));
    let text = match &numbers[..] {
        _ if text == "*" => String::new(),
        [major, minor, ..] if is_version => format!("=={major}.{minor}.*"),
        [major] if is_version => format!("=={major}.*"),
        _ => text.to_owned(),
    };
    VersionSpecifiers::from_str(&text).ok()
}

/// `*`, the specifiers of PEP 440, or a version alone, which is the only one.
fn versions(text: &str) -> Result<VersionSpecifiers> {
    tabled::refuse_url(text)?;
    let text = text.trim();
    let bare = text.starts_with(|c: char| c.is_ascii_digit());
    let text = match text {
        "*" => String::new(),
        bare_version if bare => format!("=={bare_version}"),
        other => other.to_owned(),
    };
    VersionSpecifiers::from_str(&text).map_err(|_| {
        Error::usage(format!("`{}` is not a version that Pipenv takes", shown(&text)))
            .with_hint("write `*`, `==1.2.3` or `>=1.2,<2`, for example")
    })
}

/// Where a package comes from, where that is no index.
fn wanted<'v>(value: &'v Value<'_>) -> Result<Option<Wanted<'v>>> {
    let subdirectory = string(value, "subdirectory")?;
    for vcs in REPOSITORIES {
        if let Some(address) = string(value, vcs)? {
            // The reference may stand behind the address, too, as in a URL for pip.
            let reference = string(value, "ref")?;
            return Ok(Some(Wanted::Repository { vcs, address, reference, subdirectory }));
        }
    }
    for key in ["path", "file", "url", "uri"] {
        if let Some(place) = string(value, key)? {
            let remote = is_remote(place);
            return Ok(Some(if remote { Wanted::Url { url: place, subdirectory } } else { Wanted::Path(place) }));
        }
    }
    Ok(None)
}

fn string<'v>(table: &'v Value<'_>, key: &str) -> Result<Option<&'v str>> {
    let Some(value) = table.get_ref().as_table().and_then(|table| table.get(key)) else { return Ok(None) };
    let string = value.get_ref().as_str();
    string.map(Some).ok_or_else(|| Error::usage(format!("`{key}` must be a string")))
}

fn strings<'v>(table: &'v Value<'_>, key: &str) -> Result<Vec<&'v str>> {
    let Some(value) = table.get_ref().as_table().and_then(|table| table.get(key)) else { return Ok(Vec::new()) };
    let items = value.get_ref().as_array().map(|items| items.iter().map(|item| item.get_ref().as_str()));
    let strings: Option<Vec<&str>> = items.and_then(Iterator::collect);
    strings.ok_or_else(|| Error::usage(format!("`{key}` must be an array of strings")))
}

fn is(table: &Value<'_>, key: &str) -> Option<bool> {
    table.get_ref().as_table()?.get(key)?.get_ref().as_bool()
}
