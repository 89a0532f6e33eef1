//! One package of a lock in TOML, and what all formats of those have in common.

use std::collections::BTreeSet;
use std::str::FromStr;

use pep440_rs::{Version, VersionSpecifier, VersionSpecifiers};
use pep508_rs::PackageName;
use toml::de::DeValue;

use super::super::draft::Draft;
use super::super::folder::{join, parent};
use super::super::pep508;
use super::super::problems::Problems;
use super::super::source;
use super::super::text::shown;
use super::super::toml_file::{TomlFile, Value};
use super::super::url::{check, without_credentials};
use super::marker::{Choice, ChoiceKind, Marker};
use crate::model::{Error, LockedPackage, Note, Origin, PythonConstraint, Result, Source, Strength};

/// A marker that fits into a requirement, in bytes.
const LONGEST_MARKER: usize = 8000;

/// A table of an array of tables.
#[derive(Clone, Copy)]
pub(super) struct Entry<'v, 't> {
    pub(super) toml: &'v TomlFile<'t>,
    pub(super) table: &'v Value<'t>,
}

/// What became of an entry.
pub(super) enum Taken {
    Package(Box<LockedPackage>),
    /// A fact that is told elsewhere: the project itself, or one more entry on the same package.
    Known,
    /// Left out, for the reason in the note.
    Left(Note),
}

/// The tables of the array `key`; none where there is no such array.
pub(super) fn tables<'v, 't>(toml: &'v TomlFile<'t>, key: &str) -> Result<Vec<Entry<'v, 't>>> {
    let Some(value) = toml.get(&[key]) else { return Ok(Vec::new()) };
    let mistyped = |value| toml.mistyped(value, &[key], "an array of tables");
    let items = value.get_ref().as_array().ok_or_else(|| mistyped(value))?;
    let entry = |table: &'v Value<'t>| match table.get_ref() {
        DeValue::Table(_) => Ok(Entry { toml, table }),
        _ => Err(mistyped(table)),
    };
    items.iter().map(entry).collect()
}

/// Takes up each of the entries, and accounts for it.
pub(super) fn take<'v, 't>(
    draft: &mut Draft<'_>,
    file: &str,
    entries: &[Entry<'v, 't>],
    mut one: impl FnMut(&mut Draft<'_>, usize, Entry<'v, 't>) -> Result<Taken>,
) -> Result<Vec<LockedPackage>> {
    draft.account(file, entries.len());
    let mut packages = Vec::new();
    let mut problems = Problems::default();
    for (index, entry) in entries.iter().enumerate() {
        match one(draft, index, *entry) {
            Ok(Taken::Left(note)) => draft.noted(file, note),
            Ok(Taken::Known) => draft.fact(file),
            Ok(Taken::Package(package)) => {
                draft.fact(file);
                packages.push(*package);
            }
            Err(error) => problems.note(Err(error.or_at(&entry.origin()))),
        }
    }
    problems.finish()?;
    Ok(packages)
}

impl<'v, 't> Entry<'v, 't> {
    pub(super) fn get(&self, key: &str) -> Option<&'v Value<'t>> {
        self.table.get_ref().get(key)
    }

    /// The table `key` of it.
    pub(super) fn sub(&self, key: &str) -> Result<Option<Self>> {
        let Some(table) = self.get(key) else { return Ok(None) };
        match table.get_ref() {
            DeValue::Table(_) => Ok(Some(Self { toml: self.toml, table })),
            _ => Err(self.toml.mistyped(table, &[key], "a table")),
        }
    }

    pub(super) fn string(&self, key: &str) -> Result<Option<&'v str>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        value.get_ref().as_str().map(Some).ok_or_else(|| self.toml.mistyped(value, &[key], "a string"))
    }

    /// The strings of the array `key`; of nothing, none.
    pub(super) fn strings(&self, key: &str) -> Result<Vec<&'v str>> {
        let Some(value) = self.get(key) else { return Ok(Vec::new()) };
        Ok(self.toml.strings(value, &[key], false)?.into_iter().map(|(string, _)| string).collect())
    }

    /// The tables of the array `key`; of nothing, none.
    pub(super) fn tables(&self, key: &str) -> Vec<Self> {
        let items = self.get(key).and_then(|value| value.get_ref().as_array());
        items.into_iter().flat_map(|items| items.iter()).map(|table| Self { toml: self.toml, table }).collect()
    }

    pub(super) fn is_true(&self, key: &str) -> bool {
        self.get(key).and_then(|value| value.get_ref().as_bool()).unwrap_or_default()
    }

    /// Where it stands: where its name does.
    pub(super) fn origin(&self) -> Origin {
        self.toml.origin(self.get("name").unwrap_or(self.table).span())
    }

    /// Its name, normalized.
    pub(super) fn name(&self) -> Result<String> {
        let name = self.string("name")?.ok_or_else(|| Error::usage("a package without a `name`").at(self.origin()))?;
        let normalized = PackageName::new(name.to_owned());
        let error = || Error::usage(format!("`{}` is not the name of a package", shown(name)));
        normalized.map(|name| name.to_string()).map_err(|_| error().at(self.origin()))
    }

    pub(super) fn version(&self) -> Result<Option<Version>> {
        let Some(version) = self.string("version")? else { return Ok(None) };
        let error = || Error::usage(format!("`{}` is not a version", shown(version))).at(self.origin());
        Version::from_str(version).map(Some).map_err(|_| error())
    }

    /// Its version, which what comes from an index has in every lock that is whole.
    pub(super) fn settled(&self) -> Result<Version> {
        let name = self.name()?;
        self.version()?.ok_or_else(|| Error::usage(format!("`{name}` has no `version`")).at(self.origin()))
    }

    /// The marker in the string `key`; `Always` where there is none.
    pub(super) fn marker(&self, key: &str) -> Result<Marker> {
        self.string(key)?.map_or(Ok(Marker::Always), |text| parse_marker(text, &self.origin()))
    }

    /// A package that comes from `source`, brought as `brought` says.
    pub(super) fn package(
        &self,
        draft: &mut Draft<'_>,
        source: Source,
        brought: &Brought,
        hashes: usize,
    ) -> Result<LockedPackage> {
        let version = self.version()?;
        let mut marker = brought.marker.text();
        if marker.as_ref().is_some_and(|marker| marker.len() > LONGEST_MARKER) {
            let message = format!("where `{}` applies is too long to tell: it is taken to apply always", self.name()?);
            draft.note(Note::warning(message, self.origin()));
            marker = None;
        }
        if let Some(marker) = &marker {
            // The marker alone, in a requirement that holds nothing else to refuse.
            pep508::parse(&format!("a; {marker}")).map_err(|error| error.at(self.origin()))?;
        }
        let of = |kind| brought.choices.iter().filter(move |c| c.kind == kind).map(|c| normalized(&c.name)).collect();
        Ok(LockedPackage {
            name: self.name()?,
            version,
            source,
            index: None,
            marker,
            extras: of(ChoiceKind::Extra),
            groups: of(ChoiceKind::Group),
            hashes,
            origin: self.origin(),
        })
    }
}

/// The marker `text`.
pub(super) fn parse_marker(text: &str, origin: &Origin) -> Result<Marker> {
    let error = || Error::usage(format!("`{}` is not a marker", shown(text))).at(origin.clone());
    Marker::parse(text).ok_or_else(error)
}

/// Where a package applies, and what brings it; nothing for what the project always brings.
pub(super) struct Brought {
    pub(super) marker: Marker,
    pub(super) choices: BTreeSet<Choice>,
}

impl Brought {
    /// What a marker that asks about choices says, where `always` are chosen in any case.
    pub(super) fn by(marker: &Marker, always: &dyn Fn(&Choice) -> bool) -> Self {
        let choices: Vec<Choice> = marker.choices().into_iter().filter(|choice| !always(choice)).collect();
        let with = |chosen: &dyn Fn(&Choice) -> bool| marker.given(&|choice| Some(always(choice) || chosen(choice)));
        let alone = with(&|_| false);
        let each = || choices.iter().map(|one| (one, with(&|choice| choice == one)));
        let brought = Self::of(alone, each().map(|(choice, marker)| (choice.clone(), marker)));
        if brought.marker == Marker::Never {
            // Several choices together, or nothing at all.
            return Self { marker: with(&|_| true), choices: choices.into_iter().collect() };
        }
        brought
    }

    /// From the marker without any choice, and that with each choice. What comes in any case may come in more
    /// environments with a choice than without: the wider marker counts, since one too many does no harm.
    pub(super) fn of(alone: Marker, chosen: impl Iterator<Item = (Choice, Marker)>) -> Self {
        let chosen: Vec<_> = chosen.filter(|(_, marker)| *marker != Marker::Never).collect();
        let choices = match alone {
            Marker::Never => chosen.iter().map(|(choice, _)| choice.clone()).collect(),
            _ => BTreeSet::new(),
        };
        Self { marker: Marker::any([alone].into_iter().chain(chosen.into_iter().map(|(_, marker)| marker))), choices }
    }
}

/// Exactly the version of the entry from an index.
pub(super) fn from_index(version: Option<&Version>) -> Source {
    let specifiers = version.map(|version| VersionSpecifier::equals_version(version.clone()).into());
    Source::Index { specifiers: specifiers.unwrap_or_default() }
}

/// A URL without its credentials.
pub(super) fn clean(draft: &mut Draft<'_>, url: &str, origin: &Origin) -> String {
    let stripped = without_credentials(url);
    if stripped.literal {
        draft.warn_of_credential(origin);
    }
    stripped.text
}

/// An archive at a URL.
pub(super) fn at_url(draft: &mut Draft<'_>, url: &str, origin: &Origin) -> Result<Source> {
    let url = clean(draft, url, origin);
    Ok(source::at_url(draft, &url)?.source)
}

/// A file or folder, relative to that of the lock.
pub(super) fn at_path(draft: &mut Draft<'_>, file: &str, path: &str) -> Result<Source> {
    Ok(source::at_path(draft, &join(parent(file), path))?.source)
}

/// A repository.
pub(super) struct Repository<'a> {
    pub(super) vcs: &'a str,
    pub(super) url: &'a str,
    pub(super) reference: Option<&'a str>,
    pub(super) subdirectory: Option<&'a str>,
}

impl Repository<'_> {
    pub(super) fn source(&self, draft: &mut Draft<'_>, origin: &Origin) -> Result<Source> {
        // What `git clone` takes besides: `git@host:path`.
        let url = match self.url.split_once(':') {
            Some((host, path)) if host.contains('@') && !path.starts_with("//") => format!("ssh://{host}/{path}"),
            _ => self.url.to_owned(),
        };
        let url = clean(draft, &url, origin);
        check(&url)?;
        if url.to_ascii_lowercase().starts_with("file:") {
            let message = format!("the repository `{}` lies on this machine, outside of the image", shown(&url));
            return Err(Error::usage(message));
        }
        Ok(Source::Vcs {
            vcs: self.vcs.to_owned(),
            url,
            reference: self.reference.map(str::to_owned),
            subdirectory: self.subdirectory.map(str::to_owned),
        })
    }
}

/// A note in place of a package that an image cannot have from where the lock says.
pub(super) fn unreachable(name: &str, error: &Error, origin: Origin) -> Taken {
    let note = Note::warning(format!("the lock's `{}` is left out: {}", shown(name), error.message), origin);
    Taken::Left(match &error.hint {
        Some(hint) => note.with_hint(hint.clone()),
        None => note,
    })
}

/// The names in a lock's list of extras or groups, normalized; what is no name stays as it is, for it selects nothing.
pub(in crate::inspect) fn normalized(name: &str) -> String {
    PackageName::new(name.to_owned()).map_or_else(|_| name.to_owned(), |name| name.to_string())
}

/// Fails where a lock lacks the table `metadata`, which its tool always writes.
pub(super) fn check_whole(toml: &TomlFile<'_>) -> Result<()> {
    match toml.get(&["metadata"]) {
        Some(_) => Ok(()),
        None => Err(Error::usage(format!("`{}` is cut off: it has no `[metadata]`", shown(toml.file))).at(toml.end())),
    }
}

/// Takes up the Python versions that a lock is for, where no manifest tells: a lock repeats it.
pub(super) fn python(draft: &mut Draft<'_>, toml: &TomlFile<'_>, path: &[&str]) -> Result<()> {
    toml.string(path)?.map_or(Ok(()), |(text, origin)| {
        allowed(draft, text, &path.join("."), origin);
        Ok(())
    })
}

/// The same of the constraint `text`, the value of `key`.
pub(super) fn allowed(draft: &mut Draft<'_>, text: &str, key: &str, origin: Origin) {
    if draft.project.python.iter().any(|known| known.strength == Strength::Required) || text == "*" {
        return;
    }
    if let Ok(specifiers) = VersionSpecifiers::from_str(text) {
        draft.project.python.push(PythonConstraint { specifiers, strength: Strength::Required, origin });
    } else {
        let message = format!("`{}` of `{}` is no version constraint of PEP 440", shown(text), shown(key));
        draft.note(Note::warning(message, origin));
    }
}

/// The version of a lock's format, with a warning where its first number is none of `known`.
pub(super) fn format(draft: &mut Draft<'_>, stated: Option<(String, Origin)>, known: &[&str]) -> Option<String> {
    let (version, origin) = stated?;
    let major = version.split('.').next().unwrap_or_default();
    if !known.contains(&major) {
        let message = format!(
            "version {} of the lock's format is not known; it is read as far as it is familiar",
            shown(&version)
        );
        draft.note(Note::warning(message, origin));
    }
    Some(version)
}
