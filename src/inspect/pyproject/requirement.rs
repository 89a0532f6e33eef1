//! One requirement of a `pyproject.toml`, from the place that uv's sources give it.

use pep440_rs::VersionSpecifiers;

use super::super::draft::requirement;
use super::super::pep508::{self, Parsed, Rest, Wanted};
use super::super::source;
use super::super::text::{is_hidden, shown};
use super::super::url::{is_url, without_credentials};
use super::sources::Reference;
use super::{Asked, Reader, follow_as, parent};
use crate::model::{Error, Note, Origin, Requirement, RequirementRole, Result, Source};

/// The list that a requirement stands in.
#[derive(Debug, Clone, Default)]
pub(super) struct Section {
    /// The extra, normalized.
    pub(super) extra: Option<String>,
    /// The group, normalized.
    pub(super) group: Option<String>,
    /// Whether the extra was asked for with the folder, so that its requirements count as those of no extra.
    pub(super) own: bool,
    /// Whether it constrains or overrides only.
    pub(super) role: Option<RequirementRole>,
    /// Whether the requirement is installed editable, which only PDM's own tables can say.
    pub(super) editable: bool,
}

impl Section {
    fn role(&self) -> RequirementRole {
        self.role.unwrap_or(RequirementRole::Requirement)
    }

    /// The extra with which its requirements are asked for.
    fn asked_with(&self) -> Option<&str> {
        self.extra.as_deref().filter(|_| !self.own)
    }
}

/// Where a requirement comes from, and where it applies.
struct Place {
    source: Source,
    /// In the words of PEP 508.
    text: String,
    marker: Option<String>,
    editable: bool,
}

/// A requirement as it stands in the file, without credentials.
pub(super) struct Stated {
    text: String,
    parsed: Parsed,
    origin: Origin,
}

impl Stated {
    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// As it is written, from `source`.
    fn at(&self, source: Source, editable: bool) -> Place {
        Place { source, text: self.text.clone(), marker: self.parsed.marker.clone(), editable }
    }
}

impl Reader<'_, '_, '_> {
    /// Parses the requirement `text`.
    pub(super) fn stated(&mut self, text: &str, origin: &Origin) -> Result<Stated> {
        if text.contains(is_hidden) {
            return Err(Error::usage(format!("`{}` holds a character that does not show", shown(text))));
        }
        let stripped = without_credentials(text.trim());
        if stripped.literal {
            self.draft.warn_of_credential(origin);
        }
        let text = in_project(&stripped.text, parent(self.toml.file));
        let parsed = pep508::parse(&text)?;
        if parsed.stray_comma {
            let message =
                format!("pip passes over the comma at the end of `{}`, other installers refuse it", shown(&text));
            self.draft.note(Note::warning(message, origin.clone()).with_hint("take it out"));
        }
        let text = pep508::without_stray_comma(&text).map_or(text, |text| text.trim_end().to_owned());
        Ok(Stated { text, parsed, origin: origin.clone() })
    }

    /// Takes up a requirement as one of `section`.
    pub(super) fn place(&mut self, stated: &Stated, section: &Section) -> Result<()> {
        let references = self.sources.of(&stated.parsed.name, section);
        match &stated.parsed.wanted {
            Wanted::Url(url) if references.is_empty() => {
                if !is_url(url) {
                    let message = format!("behind the `@` of `{}` stands no URL", shown(&stated.text));
                    return Err(Error::usage(message).with_hint("write `name @ https://…`, or `name @ file:./folder`"));
                }
                let source = source::at_url(self.draft, url)?.source;
                self.push(stated, section, stated.at(source, section.editable))
            }
            // <https://docs.astral.sh/uv/concepts/projects/dependencies/#dependency-sources>
            Wanted::Url(_) => {
                let message =
                    format!("`{}` has a URL here, and another source in `tool.uv.sources`", stated.parsed.name);
                Err(Error::usage(message).with_hint("take out one of them"))
            }
            Wanted::UnknownVersions => {
                let text = shown(&stated.text);
                let message = format!("`{text}` holds a variable; installers expand those of requirements files only");
                Err(Error::usage(message))
            }
            Wanted::Versions(specifiers) if references.is_empty() => {
                let source = Source::Index { specifiers: specifiers.clone() };
                self.push(stated, section, stated.at(source, false))
            }
            Wanted::Versions(specifiers) => self.place_by_references(stated, specifiers, &references, section),
        }
    }

    /// A requirement that comes from elsewhere than an index: from each of `references` where its marker holds, and from
    /// an index where none does (<https://docs.astral.sh/uv/concepts/projects/dependencies/#platform-specific-sources>).
    fn place_by_references(
        &mut self,
        stated: &Stated,
        specifiers: &VersionSpecifiers,
        references: &[&Reference],
        section: &Section,
    ) -> Result<()> {
        let own = stated.parsed.marker.as_deref();
        let name = with_extras(&stated.parsed);
        for reference in references {
            let theirs = reference.marker.as_deref();
            if matches!((own, theirs), (Some(own), Some(theirs)) if pep508::exclude_each_other(own, theirs)) {
                continue;
            }
            let source = reference.source(self.draft).map_err(|error| error.or_at(&reference.origin))?;
            let marker = pep508::both(own, theirs);
            let text = with_marker(&format!("{name} @ {}", reference.target), marker.as_deref());
            pep508::parse(&text).map_err(|error| error.or_at(&reference.origin))?;
            self.push(stated, section, Place { source, text, marker, editable: reference.editable })?;
        }
        if !specifiers.is_empty() {
            let message = format!(
                "the versions of `{}` (`{specifiers}`) do not count where `tool.uv.sources` says where it comes from",
                stated.parsed.name
            );
            self.draft.note(Note::info(message, stated.origin.clone()));
        }
        let markers: Vec<Option<&str>> = references.iter().map(|reference| reference.marker.as_deref()).collect();
        let marker = match pep508::rest(own, &markers)? {
            Rest::Nothing => return Ok(()),
            Rest::All => None,
            Rest::Where(marker) => Some(marker),
        };
        let text = with_marker(&format!("{name}{specifiers}"), marker.as_deref());
        let source = Source::Index { specifiers: specifiers.clone() };
        self.push(stated, section, Place { source, text, marker, editable: false })
    }

    /// Takes up a requirement, and what the folder asks for that it names.
    fn push(&mut self, stated: &Stated, section: &Section, place: Place) -> Result<()> {
        let folder = match &place.source {
            Source::Path { path } if self.draft.folder.is_dir(path) => Some(path.clone()),
            _ => None,
        };
        let marker = place.marker.clone();
        self.draft.project.requirements.push(Requirement {
            name: Some(stated.parsed.name.clone()),
            extras: stated.parsed.extras.clone(),
            marker: place.marker,
            editable: place.editable,
            extra: section.asked_with().map(str::to_owned),
            group: section.group.clone(),
            ..requirement(&place.text, place.source, section.role(), stated.origin.clone())
        });
        match folder {
            Some(folder) if section.role() == RequirementRole::Requirement => {
                self.follow(&folder, &stated.parsed.extras, marker.as_deref(), section)
            }
            _ => Ok(()),
        }
    }

    /// Takes up what a folder asks for, under the conditions under which it is asked for itself.
    fn follow(&mut self, folder: &str, extras: &[String], marker: Option<&str>, section: &Section) -> Result<()> {
        let conditions = [
            section.asked_with().map(|extra| format!("--extra {extra}")),
            section.group.as_ref().map(|group| format!("--group {group}")),
            marker.map(|marker| format!("; {marker}")),
        ];
        let behalf = conditions.iter().flatten().cloned().collect::<Vec<_>>().join(" ");
        let before = self.draft.project.requirements.len();
        let asked = Asked { extras: Some(extras), behalf: &behalf, tools: self.asked.tools };
        follow_as(self.draft, folder, &asked)?;
        for requirement in self.draft.project.requirements.iter_mut().skip(before) {
            if requirement.extra.is_none() && requirement.group.is_none() {
                requirement.extra = section.asked_with().map(str::to_owned);
                requirement.group.clone_from(&section.group);
            }
            narrow(requirement, marker)?;
        }
        Ok(())
    }
}

/// Restricts a requirement to where `marker` holds.
fn narrow(requirement: &mut Requirement, marker: Option<&str>) -> Result<()> {
    if marker.is_none() {
        return Ok(());
    }
    let own = requirement.marker.take();
    let without = own.as_ref().and_then(|own| requirement.text.trim_end().strip_suffix(own.as_str()));
    let body = without.map_or(requirement.text.as_str(), |text| text.trim_end().trim_end_matches(';'));
    requirement.marker = pep508::both(own.as_deref(), marker);
    requirement.text = with_marker(body.trim_end(), requirement.marker.as_deref());
    let mut marker = requirement.marker.iter();
    marker.try_for_each(|marker| match pep508::parse(&format!("a ; {marker}")) {
        Ok(_) => Ok(()),
        Err(error) => Err(error.or_at(&requirement.origin)),
    })
}

/// `body ; marker`.
pub(super) fn with_marker(body: &str, marker: Option<&str>) -> String {
    marker.map_or_else(|| body.to_owned(), |marker| format!("{body} ; {marker}"))
}

/// `name[extra]`.
fn with_extras(parsed: &Parsed) -> String {
    match parsed.extras.as_slice() {
        [] => parsed.name.clone(),
        extras => format!("{}[{}]", parsed.name, extras.join(",")),
    }
}

/// `text` with the project's own folder, as build back ends spell it, as the relative path `base`: pdm-backend's
/// `file:///${PROJECT_ROOT}` (<https://backend.pdm-project.org/metadata/#dependencies>) and hatchling's `{root:uri}`
/// (<https://hatch.pypa.io/latest/config/dependency/#local>).
pub(super) fn in_project(text: &str, base: &str) -> String {
    let root = if base == "." { "file:.".to_owned() } else { format!("file:./{base}") };
    text.replace("file:///${PROJECT_ROOT}", &root).replace("{root:uri}", &root)
}
