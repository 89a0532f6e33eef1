//! One entry of a table of dependencies.
//! <https://python-poetry.org/docs/dependency-specification/>

use pep440_rs::VersionSpecifiers;
use toml::de::DeValue;

use super::super::draft::Draft;
use super::super::tabled::{self, Tabled, Wanted, is_remote};
use super::super::text::shown;
use super::super::toml_file::{TomlFile, Value};
use super::condition::{self, ByExtra};
use super::constraint;
use super::sources::Sources;
use crate::model::{Conflict, Error, IndexBinding, Note, Origin, Requirement, Result, Source};

/// The keys of a dependency that are followed.
const KEYS: [&str; 16] = [
    "version",
    "extras",
    "markers",
    "python",
    "platform",
    "optional",
    "source",
    "git",
    "branch",
    "tag",
    "rev",
    "subdirectory",
    "url",
    "path",
    "file",
    "develop",
];

/// Who asks for a dependency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose<'a> {
    /// The project, as its own.
    Project,
    Group(&'a str),
}

/// An entry: one dependency, or one of several for the same name.
pub(super) struct Entry<'v, 't> {
    /// As written.
    pub(super) name: &'v str,
    pub(super) value: &'v Value<'t>,
    pub(super) origin: Origin,
}

/// What an entry asks for.
pub(super) struct Asked {
    pub(super) requirement: Requirement,
    pub(super) optional: bool,
    /// The extra with which alone it applies, by its marker.
    pub(super) extra: Option<String>,
    pub(super) source: Option<String>,
}

/// The entries of a table of dependencies: each name once, or as often as it has alternatives.
pub(super) fn entries<'v, 't>(toml: &TomlFile<'t>, table: &'v Value<'t>, path: &[&str]) -> Result<Vec<Entry<'v, 't>>> {
    let mut entries = Vec::new();
    for (name, value) in toml.entries(table, path)? {
        let values: Vec<&Value<'t>> = match value.get_ref() {
            DeValue::Array(items) if !items.is_empty() => items.iter().collect(),
            _ => vec![value],
        };
        entries.extend(values.into_iter().map(|value| Entry { name, value, origin: toml.origin(value.span()) }));
    }
    Ok(entries)
}

/// Understands an entry. The error has no origin yet.
pub(super) fn read(draft: &mut Draft<'_>, file: &str, entry: &Entry<'_, '_>) -> Result<Asked> {
    let table = Table(entry.value);
    let version = match entry.value.get_ref() {
        DeValue::String(version) => Some(version.as_ref()),
        DeValue::Table(_) => table.string("version")?,
        _ => {
            let message = format!("the dependency `{}` must be a version or a table", shown(entry.name));
            return Err(Error::usage(message).with_hint("write `name = \"^1.2\"`, or `name = { version = \"^1.2\" }`"));
        }
    };
    note_keys(draft, entry, &table);
    let mut by_extra = ByExtra::default();
    let mut markers = Vec::new();
    if let Some(written) = table.string("markers")? {
        by_extra = condition::by_extra(written);
        markers.push(by_extra.rest.clone());
    }
    if let Some(python) = table.string("python")? {
        let allowed = constraint::python(python)?;
        remark(draft, allowed.remark, &entry.origin);
        markers.push(condition::python(&allowed.specifiers));
    }
    if let Some(platform) = table.string("platform")? {
        markers.push(condition::platform(platform)?);
    }
    let wanted = match wanted(&table)? {
        Some(wanted) => wanted,
        None => Wanted::Versions(versions(draft, version, &entry.origin)?),
    };
    let tabled =
        Tabled { name: entry.name, extras: table.strings("extras")?, wanted, markers, editable: table.is("develop") };
    let requirement = tabled::requirement_of(draft, file, &tabled, &entry.origin)?;
    exclude(draft, &by_extra, &entry.origin);
    Ok(Asked {
        requirement,
        optional: table.is("optional"),
        extra: by_extra.with,
        source: table.string("source")?.map(str::to_owned),
    })
}

fn versions(draft: &mut Draft<'_>, text: Option<&str>, origin: &Origin) -> Result<VersionSpecifiers> {
    let Some(text) = text else { return Ok(VersionSpecifiers::empty()) };
    let allowed = constraint::versions(text)?;
    remark(draft, allowed.remark, origin);
    Ok(allowed.specifiers)
}

pub(super) fn remark(draft: &mut Draft<'_>, remark: Option<String>, origin: &Origin) {
    if let Some(remark) = remark {
        draft.note(Note::warning(remark, origin.clone()));
    }
}

/// Where the dependency comes from, where that is no index; the first of the keys counts, in Poetry's order.
fn wanted<'v>(table: &Table<'v, '_>) -> Result<Option<Wanted<'v>>> {
    let subdirectory = table.string("subdirectory")?;
    if let Some(address) = table.string("git")? {
        let reference = table.string("rev")?.or(table.string("tag")?).or(table.string("branch")?);
        return Ok(Some(Wanted::Repository { vcs: "git", address, reference, subdirectory }));
    }
    if let Some(path) = table.string("file")?.or(table.string("path")?) {
        return Ok(Some(Wanted::Path(path)));
    }
    let url = table.string("url")?;
    Ok(url.map(|url| if is_remote(url) { Wanted::Url { url, subdirectory } } else { Wanted::Path(url) }))
}

/// Says which keys have no effect here.
fn note_keys(draft: &mut Draft<'_>, entry: &Entry<'_, '_>, table: &Table<'_, '_>) {
    for (key, value) in table.entries() {
        let name = shown(entry.name);
        let note = match key {
            "allow-prereleases" | "allows-prereleases" if value.get_ref().as_bool() == Some(false) => continue,
            "allow-prereleases" | "allows-prereleases" => Note::warning(
                format!("pre-releases of `{name}` count too, which a requirement cannot say"),
                entry.origin.clone(),
            )
            .with_hint("name a pre-release in its versions, such as `>=2.0.0rc1`, and installers take them"),
            key if KEYS.contains(&key) => continue,
            key => Note::warning(
                format!("`{}` of `{name}` is not a key that is followed", shown(key)),
                entry.origin.clone(),
            ),
        };
        draft.note(note);
    }
}

/// An extra that is asked for, and one that must not be, exclude each other.
fn exclude(draft: &mut Draft<'_>, by_extra: &ByExtra, origin: &Origin) {
    let Some(with) = &by_extra.with else { return };
    for without in by_extra.without.iter().filter(|without| *without != with) {
        let mut members = vec![format!("--extra {with}"), format!("--extra {without}")];
        members.sort();
        if !draft.project.conflicts.iter().any(|known| known.members == members) {
            draft.project.conflicts.push(Conflict { members, origin: origin.clone() });
        }
    }
}

/// Binds a requirement to the source that it names.
pub(super) fn bind(draft: &mut Draft<'_>, sources: &Sources, source: Option<&str>, bound: &Requirement) -> Result<()> {
    let (Some(source), Some(package), Source::Index { .. }) = (source, &bound.name, &bound.source) else {
        return Ok(());
    };
    let binding = IndexBinding {
        package: package.clone(),
        marker: bound.marker.clone(),
        extra: bound.extra.clone(),
        group: bound.group.clone(),
        origin: bound.origin.clone(),
    };
    sources.bind(draft, source, binding)
}

/// An inline table, or anything else, which has no keys.
struct Table<'v, 't>(&'v Value<'t>);

impl<'v, 't> Table<'v, 't> {
    fn entries(&self) -> Vec<(&'v str, &'v Value<'t>)> {
        let table = self.0.get_ref().as_table();
        let mut entries: Vec<_> = table.into_iter().flat_map(|table| table.iter()).collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        entries.into_iter().map(|(key, value)| (key.get_ref().as_ref(), value)).collect()
    }

    fn get(&self, key: &str) -> Option<&'v Value<'t>> {
        self.0.get_ref().as_table()?.get(key)
    }

    fn string(&self, key: &str) -> Result<Option<&'v str>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let string = value.get_ref().as_str();
        string.map(Some).ok_or_else(|| Error::usage(format!("`{key}` of a dependency must be a string")))
    }

    fn strings(&self, key: &str) -> Result<Vec<&'v str>> {
        let Some(value) = self.get(key) else { return Ok(Vec::new()) };
        let items = value.get_ref().as_array().into_iter().flat_map(|items| items.iter());
        let strings: Option<Vec<&str>> = items.map(|item| item.get_ref().as_str()).collect();
        let strings = strings.filter(|_| value.get_ref().as_array().is_some());
        strings.ok_or_else(|| Error::usage(format!("`{key}` of a dependency must be an array of strings")))
    }

    fn is(&self, key: &str) -> bool {
        self.get(key).and_then(|value| value.get_ref().as_bool()).unwrap_or(false)
    }
}
