//! A package of conda as a fact: a distribution that an installer can be asked for, Python itself, or part of the system.

use pep440_rs::VersionSpecifiers;

use super::super::draft::{Draft, requirement};
use super::super::pep508;
use super::super::text::shown;
use super::spec::Spec;
use super::versions::{pep440, rebuilt};
use crate::catalogue::Packages;
use crate::model::{
    IndexBinding, Note, Origin, PythonConstraint, Requirement, RequirementRole, Source, Strength, SystemHint,
};

/// Whose names they are, in hints.
pub(in crate::inspect) const MANAGER: &str = "conda";

/// Where a specification stands, and when it counts.
#[derive(Debug, Clone)]
pub(in crate::inspect) struct Place {
    pub(in crate::inspect) origin: Origin,
    pub(in crate::inspect) role: RequirementRole,
    /// The groups that it belongs to, each on its own; none of them for what is always asked for.
    pub(in crate::inspect) groups: Vec<Option<String>>,
    pub(in crate::inspect) marker: Option<String>,
}

impl Place {
    /// Where it always counts.
    pub(in crate::inspect) fn always(origin: Origin) -> Self {
        Self { origin, role: RequirementRole::Requirement, groups: vec![None], marker: None }
    }

    /// That `package` is to come from an index, here.
    pub(in crate::inspect) fn binding(&self, package: &str, group: Option<String>) -> IndexBinding {
        let (marker, origin) = (self.marker.clone(), self.origin.clone());
        IndexBinding { package: package.to_owned(), marker, extra: None, group, origin }
    }
}

/// What a package is to a project in Python.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::inspect) enum Kind {
    /// The interpreter.
    Python,
    /// pip, which every environment has.
    Pip,
    /// A distribution, normalized, and the extras that the package stands for.
    Distribution(String, Vec<String>),
    /// No distribution.
    System,
}

impl Kind {
    /// What is known by name comes first, then what the build tells, then what the name looks like.
    pub(in crate::inspect) fn of(spec: &Spec, packages: &Packages) -> Self {
        let normalized = spec.normalized();
        let distribution = |name: &str| pep508::parse_name(name).map(|(name, extras)| Self::Distribution(name, extras));
        match normalized.as_str() {
            "python" => return Self::Python,
            "pip" => return Self::Pip,
            _ => {}
        }
        if let Some(known) = packages.of_conda(&normalized) {
            return distribution(known).unwrap_or(Self::System);
        }
        let system = packages.is_conda_system(&normalized)
            || !spec.is_of_python().unwrap_or_else(|| !packages.seems_conda_system(&normalized));
        if system { Self::System } else { distribution(&normalized).unwrap_or(Self::System) }
    }
}

/// Takes up what a specification asks for; a note where that is no fact.
pub(in crate::inspect) fn take(draft: &mut Draft<'_>, spec: &Spec, place: &Place) -> Option<Note> {
    for other in &spec.others {
        let message = format!("`{}` of `{}` is not followed", shown(other), shown(&spec.name));
        draft.note(Note::info(message, place.origin.clone()));
    }
    match Kind::of(spec, draft.packages) {
        Kind::Pip => {}
        Kind::Python => return python(draft, spec, place),
        Kind::System => {
            let package = spec.brief();
            let hint = SystemHint { package, manager: MANAGER.to_owned(), origin: place.origin.clone() };
            draft.project.system.push(hint);
        }
        Kind::Distribution(name, extras) => distribution(draft, spec, place, (name, extras)),
    }
    None
}

/// The interpreter of the default environment on Linux; of others, only a note speaks.
fn python(draft: &mut Draft<'_>, spec: &Spec, place: &Place) -> Option<Note> {
    let Some(version) = &spec.version else { return None };
    let wanted = format!("Python `{}`", shown(version));
    let elsewhere = place.marker.as_deref().is_some_and(|marker| !marker.contains("'linux'"));
    if elsewhere || !place.groups.contains(&None) || place.role != RequirementRole::Requirement {
        let whose: Vec<String> = place.groups.iter().flatten().map(|group| format!("`{}`", shown(group))).collect();
        let whose = if whose.is_empty() { "another platform".to_owned() } else { whose.join(", ") };
        return Some(Note::info(format!("{wanted} is for {whose} only"), place.origin.clone()));
    }
    match pep440(version) {
        Ok(specifiers) => {
            let (strength, origin) = (Strength::Required, place.origin.clone());
            draft.project.python.push(PythonConstraint { specifiers, strength, origin });
            None
        }
        Err(why) => Some(
            Note::warning(format!("{wanted} is not followed: {why}"), place.origin.clone())
                .with_hint("write a range, such as `python>=3.10,<3.13`"),
        ),
    }
}

fn distribution(draft: &mut Draft<'_>, spec: &Spec, place: &Place, (name, extras): (String, Vec<String>)) {
    let specifiers = specifiers(draft, spec, place);
    let specifiers = if draft.packages.is_conda_rebuilt(&name) { rebuilt(&specifiers) } else { specifiers };
    let text = text(&name, &extras, &specifiers, place.marker.as_deref());
    let source = Source::Conda {
        package: spec.name.clone(),
        channel: spec.channel.clone(),
        specifiers,
        build: spec.build.clone(),
    };
    for group in &place.groups {
        draft.project.requirements.push(Requirement {
            name: Some(name.clone()),
            extras: extras.clone(),
            marker: place.marker.clone(),
            group: group.clone(),
            ..requirement(&text, source.clone(), place.role, place.origin.clone())
        });
    }
}

/// The versions; any, with a warning, where PEP 440 cannot say them.
fn specifiers(draft: &mut Draft<'_>, spec: &Spec, place: &Place) -> VersionSpecifiers {
    let Some(version) = &spec.version else { return VersionSpecifiers::default() };
    pep440(version).unwrap_or_else(|why| {
        let message = format!("any version of `{}` is taken, not `{}`: {why}", shown(&spec.name), shown(version));
        let note = Note::warning(message, place.origin.clone());
        draft.note(note.with_hint("write the versions with `,` and the operators of PEP 440"));
        VersionSpecifiers::default()
    })
}

/// A requirement in the words of PEP 508.
pub(in crate::inspect) fn text(
    name: &str,
    extras: &[String],
    specifiers: &VersionSpecifiers,
    marker: Option<&str>,
) -> String {
    let extras = if extras.is_empty() { String::new() } else { format!("[{}]", extras.join(",")) };
    let versions: Vec<String> = specifiers.iter().map(ToString::to_string).collect();
    let marker = marker.map(|marker| format!(" ; {marker}")).unwrap_or_default();
    format!("{name}{extras}{}{marker}", versions.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> Kind {
        Kind::of(&Spec::parse(text).unwrap(), &Packages::embedded().unwrap())
    }

    fn distribution(name: &str) -> Kind {
        Kind::Distribution(name.to_owned(), Vec::new())
    }

    #[test]
    fn names_are_those_of_distributions() {
        assert_eq!(kind("pytorch::pytorch-gpu"), distribution("torch"));
        assert_eq!(kind("PyYAML"), distribution("pyyaml"));
        assert_eq!(kind("ruamel.yaml=0.17"), distribution("ruamel-yaml"));
        assert_eq!(kind("librosa"), distribution("librosa"));
        assert_eq!(kind("cuda-python"), distribution("cuda-python"));
        assert_eq!(kind("ninja=1.10.2=hff7bd54_1"), distribution("ninja"));
        assert_eq!(kind("ray-tune"), Kind::Distribution("ray".to_owned(), vec!["tune".to_owned()]));
    }

    #[test]
    fn what_is_no_distribution_is_of_the_system() {
        for text in
            ["_libgcc_mutex=0.1=main", "libgcc-ng", "gxx_linux-64", "cudatoolkit=11.3", "cuda-nvcc", "ffmpeg", "r-base"]
        {
            assert_eq!(kind(text), Kind::System, "{text}");
        }
        // Of what nobody knows, the build tells.
        assert_eq!(kind("frobnicate=1.0=h7b6447c_1"), Kind::System);
        assert_eq!(kind("frobnicate=1.0=py39h7b6447c_1"), distribution("frobnicate"));
        assert_eq!(kind("libfrob=1.0=py39h7b6447c_1"), distribution("libfrob"));
        assert_eq!((kind("python=3.9"), kind("pip")), (Kind::Python, Kind::Pip));
    }

    #[test]
    fn the_text_is_pep_508() {
        let text = text("ray", &["tune".to_owned()], &pep440(">=2,<3").unwrap(), Some("sys_platform == 'linux'"));
        assert_eq!(text, "ray[tune]>=2,<3 ; sys_platform == 'linux'");
        assert!(pep508::parse(&text).is_ok());
    }
}
