//! What pixi takes from a package index (<https://pixi.sh/latest/reference/pixi_manifest/#pypi-dependencies>).

use std::str::FromStr;

use pep440_rs::VersionSpecifiers;
use toml::de::DeValue;

use super::super::conda::{Place, text};
use super::super::draft::requirement;
use super::super::folder::parent;
use super::super::pep508;
use super::super::text::{is_hidden, shown};
use super::super::toml_file::Value;
use super::super::url::{check, without_credentials};
use super::super::{pyproject, source};
use super::{Reader, Scope};
use crate::model::{Error, Index, IndexRole, Note, Origin, Requirement, RequirementRole, Result, Source};

/// The keys of a table that say where it comes from and which versions are wanted.
const FOLLOWED: [&str; 13] = [
    "version",
    "extras",
    "index",
    "url",
    "git",
    "branch",
    "tag",
    "rev",
    "subdirectory",
    "path",
    "editable",
    "env-markers",
    "marker",
];

impl<'t> Reader<'_, '_, 't> {
    pub(super) fn pypi(&mut self, scope: &Scope<'t>, key: &'t str, role: RequirementRole) -> Result<()> {
        self.each(scope, key, |reader, name, value| {
            reader.wanted(scope, name, value, role)?;
            reader.draft.fact(reader.toml.file);
            Ok(())
        })
    }

    fn wanted(&mut self, scope: &Scope<'t>, name: &str, value: &Value<'_>, role: RequirementRole) -> Result<()> {
        let origin = self.toml.origin(value.span());
        let Some((name, _)) = pep508::parse_name(name).filter(|(_, extras)| extras.is_empty()) else {
            return Err(Error::usage(format!("`{}` is not the name of a distribution", shown(name))));
        };
        let table = Table { value };
        if !matches!(value.get_ref(), DeValue::String(_) | DeValue::Table(_)) {
            return Err(self.mistyped(value, &[&name], "a version or a table"));
        }
        for key in table.others() {
            let message = format!("`{}` of `{name}` is not followed", shown(&key));
            self.draft.note(Note::info(message, origin.clone()));
        }
        let extras = table.extras();
        let specifiers = versions(&name, value.get_ref().as_str().or_else(|| table.text("version")))?;
        let marker = joined(scope.marker.as_deref(), table.text("env-markers").or_else(|| table.text("marker")));
        let (source, reference) = self.source(&table, &specifiers, &origin)?;
        let text = match reference {
            None => text(&name, &extras, &specifiers, marker.as_deref()),
            Some(url) => {
                let head = text(&name, &extras, &VersionSpecifiers::default(), None);
                let tail = marker.as_ref().map(|marker| format!(" ; {marker}")).unwrap_or_default();
                format!("{head} @ {url}{tail}")
            }
        };
        pep508::parse(&text)?;
        if let Some(index) = table.text("index") {
            let place = Place { marker: marker.clone(), ..scope.place(origin.clone(), role) };
            self.index(index, &name, &place)?;
        }
        let folder = match &source {
            Source::Path { path } if self.draft.folder.is_dir(path) => Some(path.clone()),
            _ => None,
        };
        for group in &scope.groups {
            self.draft.project.requirements.push(Requirement {
                name: Some(name.clone()),
                extras: extras.clone(),
                marker: marker.clone(),
                editable: table.flag("editable"),
                group: group.clone(),
                ..requirement(&text, source.clone(), role, origin.clone())
            });
        }
        match folder {
            Some(folder) if scope.groups.contains(&None) => pyproject::follow(self.draft, &folder, &extras),
            _ => Ok(()),
        }
    }

    /// Where it comes from; and the URL that names it in PEP 508, where it is not an index.
    fn source(
        &mut self,
        table: &Table<'_, '_>,
        specifiers: &VersionSpecifiers,
        origin: &Origin,
    ) -> Result<(Source, Option<String>)> {
        let mut plain = |text: &str| {
            let stripped = without_credentials(text);
            if stripped.literal {
                self.draft.warn_of_credential(origin);
            }
            stripped.text
        };
        if let Some(git) = table.text("git") {
            let reference = ["rev", "tag", "branch"].into_iter().find_map(|key| table.text(key));
            let reference = reference.map(|reference| format!("@{reference}")).unwrap_or_default();
            let folder = table.text("subdirectory").map(|folder| format!("#subdirectory={folder}")).unwrap_or_default();
            let git = plain(git);
            let url = format!("git+{}{reference}{folder}", git.strip_prefix("git+").unwrap_or(&git));
            return Ok((source::at_url(self.draft, &url)?.source, Some(url)));
        }
        if let Some(url) = table.text("url") {
            let url = plain(url);
            check(&url)?;
            return Ok((source::at_url(self.draft, &url)?.source, Some(url)));
        }
        if let Some(path) = table.text("path") {
            let located = self.draft.folder.locate(parent(self.toml.file), path)?;
            let runs_in = std::mem::replace(&mut self.draft.runs_in, ".".to_owned());
            let found = source::at_path(self.draft, &located.path);
            self.draft.runs_in = runs_in;
            let url = if located.path == "." { "file:.".to_owned() } else { format!("file:./{}", located.path) };
            return Ok((found?.source, Some(url)));
        }
        Ok((Source::Index { specifiers: specifiers.clone() }, None))
    }

    /// An index that serves one distribution.
    fn index(&mut self, url: &str, package: &str, place: &Place) -> Result<()> {
        let stripped = without_credentials(url);
        if stripped.literal {
            self.draft.warn_of_credential(&place.origin);
        }
        check(&stripped.text)?;
        let bindings = place.groups.iter().map(|group| place.binding(package, group.clone()));
        let known = |index: &&mut Index| index.explicit && index.url == stripped.text;
        if let Some(index) = self.draft.project.indexes.iter_mut().find(known) {
            index.bindings.extend(bindings);
            return Ok(());
        }
        self.draft.project.indexes.push(Index {
            bindings: bindings.collect(),
            url: stripped.text,
            role: IndexRole::Extra,
            name: None,
            explicit: true,
            origin: place.origin.clone(),
        });
        Ok(())
    }
}

/// A requirement as a table describes it, or a version alone.
struct Table<'v, 't> {
    value: &'v Value<'t>,
}

impl Table<'_, '_> {
    fn text(&self, key: &str) -> Option<&str> {
        self.value.get_ref().get(key).and_then(|value| value.get_ref().as_str())
    }

    fn flag(&self, key: &str) -> bool {
        self.value.get_ref().get(key).and_then(|value| value.get_ref().as_bool()) == Some(true)
    }

    fn extras(&self) -> Vec<String> {
        let listed = self.value.get_ref().get("extras").and_then(|value| value.get_ref().as_array());
        let names = listed.into_iter().flat_map(|listed| listed.iter()).filter_map(|item| item.get_ref().as_str());
        names.filter_map(|name| Some(pep508::parse_name(name)?.0)).collect()
    }

    fn others(&self) -> Vec<String> {
        let keys = self.value.get_ref().as_table().into_iter().flat_map(|table| table.keys());
        keys.map(|key| key.get_ref().to_string()).filter(|key| !FOLLOWED.contains(&key.as_str())).collect()
    }
}

/// PEP 440, or a star for any.
fn versions(name: &str, written: Option<&str>) -> Result<VersionSpecifiers> {
    let written = written.map_or("*", str::trim);
    if matches!(written, "*" | "") {
        return Ok(VersionSpecifiers::default());
    }
    VersionSpecifiers::from_str(written).map_err(|_| {
        Error::usage(format!("`{}` is not a version of `{name}`", shown(written)))
            .with_hint("write `\"*\"`, `\"==1.2.3\"` or `\">=1.2,<2\"`")
    })
}

/// Both markers; one that holds a hidden character is refused with the requirement that it ends up in.
fn joined(target: Option<&str>, own: Option<&str>) -> Option<String> {
    let own = own.map(str::trim).filter(|own| !own.is_empty() && !own.contains(is_hidden));
    match (target, own) {
        (Some(target), Some(own)) => Some(format!("{target} and ({own})")),
        (target, own) => target.or(own).map(str::to_owned),
    }
}
