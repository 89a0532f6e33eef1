//! Which versions of Python all constraints together allow.

use pep440_rs::{Version, VersionSpecifier, VersionSpecifiers};
use pep508_rs::{MarkerTree, VerbatimUrl};

use super::text::shown;
use crate::model::{
    Note, Origin, Project, PythonConstraint, Requirement, RequirementRole, Source, Strength, marker_environment,
    wheel_python,
};

/// The minor versions that are tried: those that there are, and a few that will be.
const MINORS: std::ops::RangeInclusive<u64> = 6..=16;
/// No release has had more patches.
const PATCHES: u64 = 30;

/// Fills in what wheels and markers imply and `python_allows`, and says where constraints contradict each other.
pub(super) fn conclude(project: &mut Project) {
    let implied: Vec<PythonConstraint> = wheels(project).chain(markers(project)).collect();
    project.python.extend(implied);
    let binding: Vec<&PythonConstraint> = project.python.iter().filter(|c| c.strength != Strength::Hint).collect();
    project.python_allows = minors().filter(|minor| allowed(&binding, minor)).collect();
    // What old metadata allows besides says nothing: torch has left Python 2 behind.
    if project.python_allows.len() > 1 {
        project.python_allows.retain(|minor| minor.release().first() != Some(&2));
    }
    if project.python_allows.is_empty() {
        let note = contradiction(&binding);
        project.notes.extend(note);
    }
}

fn minors() -> impl Iterator<Item = Version> {
    std::iter::once(Version::new([2, 7])).chain(MINORS.map(|minor| Version::new([3, minor])))
}

/// Whether some patch release of `minor` satisfies every constraint.
fn allowed(constraints: &[&PythonConstraint], minor: &Version) -> bool {
    let patch = |patch| Version::new(minor.release().iter().copied().chain([patch]));
    (0..=PATCHES).map(patch).any(|version| constraints.iter().all(|c| c.specifiers.contains(&version)))
}

/// Two constraints that no version satisfies together, or one that none does.
fn contradiction(constraints: &[&PythonConstraint]) -> Option<Note> {
    let said = |c: &PythonConstraint| format!("`{}` ({})", shown(&c.specifiers.to_string()), c.origin);
    let clash = |these: &[&PythonConstraint]| !minors().any(|minor| allowed(these, &minor));
    let hint = "change one of them, or decide with `--python`";
    if let Some(alone) = constraints.iter().find(|alone| clash(&[alone])) {
        let message = format!("no version of Python satisfies {}", said(alone));
        return Some(Note::warning(message, alone.origin.clone()).with_hint(hint));
    }
    for (at, second) in constraints.iter().enumerate() {
        if let Some(first) = constraints[..at].iter().find(|first| clash(&[first, second])) {
            let message = format!("Python {} and {} contradict each other", said(first), said(second));
            return Some(Note::warning(message, second.origin.clone()).with_hint(hint));
        }
    }
    let all: Vec<String> = constraints.iter().map(|c| said(c)).collect();
    let message = format!("no version of Python satisfies all of {}", all.join(", "));
    constraints.last().map(|last| Note::warning(message, last.origin.clone()).with_hint(hint))
}

/// The requirements that hold whatever is chosen.
fn unconditional(project: &Project) -> impl Iterator<Item = &Requirement> {
    let asked = project.requirements.iter().filter(|r| r.role == RequirementRole::Requirement);
    asked.filter(|r| r.extra.is_none() && r.group.is_none())
}

/// What wheels imply that are for one interpreter, where no marker chooses among several.
fn wheels(project: &Project) -> impl Iterator<Item = PythonConstraint> {
    unconditional(project).filter(|asked| asked.marker.is_none()).filter_map(|asked| {
        let (Source::Url { url: place } | Source::Path { path: place }) = &asked.source else { return None };
        let specifiers = VersionSpecifier::equals_star_version(wheel_python(place)?).into();
        Some(implied(specifiers, asked.origin.clone()))
    })
}

fn implied(specifiers: VersionSpecifiers, origin: Origin) -> PythonConstraint {
    PythonConstraint { specifiers, strength: Strength::Implied, origin }
}

/// What the markers of torch imply: on a Python on which none of them holds, it would not be installed.
fn markers(project: &Project) -> Option<PythonConstraint> {
    let torch: Vec<&Requirement> = unconditional(project).filter(|r| r.name.as_deref() == Some("torch")).collect();
    let first = torch.first()?;
    let trees: Vec<MarkerTree> = torch
        .iter()
        .map(|r| r.marker.as_deref().map_or(Some(MarkerTree::TRUE), |m| MarkerTree::parse_str::<VerbatimUrl>(m).ok()))
        .collect::<Option<_>>()?;
    let holds = |minor: &Version| trees.iter().any(|tree| holds_on(tree, minor));
    let (good, bad): (Vec<Version>, Vec<Version>) = MINORS.map(|minor| Version::new([3, minor])).partition(holds);
    // A marker that holds nowhere, or everywhere, is not about Python.
    let (least, most) = (good.first()?, good.last()?);
    if bad.is_empty() {
        return None;
    }
    let mut specifiers: Vec<VersionSpecifier> = Vec::new();
    if bad.iter().any(|minor| minor < least) {
        specifiers.push(VersionSpecifier::greater_than_equal_version(least.clone()));
    }
    if bad.iter().any(|minor| minor > most) {
        let after = Version::new([3, most.release().get(1).copied().unwrap_or_default() + 1]);
        specifiers.push(VersionSpecifier::less_than_version(after));
    }
    let gaps = bad.iter().filter(|minor| *minor > least && *minor < most).cloned();
    specifiers.extend(gaps.filter_map(|gap| format!("!={gap}.*").parse().ok()));
    Some(implied(specifiers.into_iter().collect(), first.origin.clone()))
}

/// Whether a marker holds for Linux and `minor`, on any architecture.
fn holds_on(tree: &MarkerTree, minor: &Version) -> bool {
    let patch = Version::new(minor.release().iter().copied().chain([0]));
    let environments = ["amd64", "arm64"].into_iter().filter_map(|machine| marker_environment(&patch, machine).ok());
    environments.into_iter().any(|environment| tree.evaluate(&environment, &[]))
}

/// Whether a marker holds for Linux and some Python; one that does not parse may.
pub(super) fn holds_on_linux(marker: &str) -> bool {
    let tree = MarkerTree::parse_str::<VerbatimUrl>(marker);
    tree.map_or(true, |tree| minors().any(|minor| holds_on(&tree, &minor)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::draft::requirement;

    fn constraint(text: &str, line: usize) -> PythonConstraint {
        let specifiers = text.parse().unwrap();
        PythonConstraint { specifiers, strength: Strength::Required, origin: Origin::file("a", line) }
    }

    fn concluded(python: Vec<PythonConstraint>, requirements: Vec<Requirement>) -> Project {
        let mut project = Project { python, requirements, ..Project::default() };
        conclude(&mut project);
        project
    }

    fn torch(marker: Option<&str>, source: Source) -> Requirement {
        let plain = requirement("torch", source, RequirementRole::Requirement, Origin::file("r", 1));
        Requirement { name: Some("torch".to_owned()), marker: marker.map(str::to_owned), ..plain }
    }

    fn index() -> Source {
        Source::Index { specifiers: VersionSpecifiers::empty() }
    }

    fn allows(project: &Project) -> String {
        project.python_allows.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn constraints_are_intersected() {
        let project = concluded(vec![constraint(">=3.9.5", 1), constraint("<3.12,!=3.10.*", 2)], vec![]);
        assert_eq!(allows(&project), "3.9 3.11");
        assert!(project.notes.is_empty());
    }

    #[test]
    fn a_contradiction_names_both_sides() {
        let python = vec![constraint(">=3.6", 1), constraint(">=3.11", 2), constraint("==3.9.*", 3)];
        let project = concluded(python, vec![]);
        assert_eq!(allows(&project), "");
        assert_eq!(project.notes[0].message, "Python `>=3.11` (a:2) and `==3.9.*` (a:3) contradict each other");
    }

    #[test]
    fn a_hint_binds_nobody() {
        let hint = PythonConstraint { strength: Strength::Hint, ..constraint("==3.7.*", 1) };
        assert_eq!(allows(&concluded(vec![hint, constraint("==3.12.*", 2)], vec![])), "3.12");
    }

    #[test]
    fn a_wheel_and_markers_imply_a_python() {
        let url = "https://files.example.org/torch-2.1.0-cp310-cp310-linux_x86_64.whl".to_owned();
        assert_eq!(allows(&concluded(vec![], vec![torch(None, Source::Url { url })])), "3.10");
        let of = |markers: &[&str]| {
            let project = concluded(vec![], markers.iter().map(|marker| torch(Some(marker), index())).collect());
            project.python.first().map(|implied| implied.specifiers.to_string())
        };
        assert_eq!(of(&["python_version < '3.12'"]).as_deref(), Some("<3.12"));
        assert_eq!(of(&["python_version == '3.9'", "python_version >= '3.11'"]).as_deref(), Some(">=3.9, !=3.10.*"));
        assert_eq!(of(&["python_version < '3.12'", "python_version >= '3.12'"]), None);
        assert_eq!(of(&["sys_platform == 'darwin'"]), None);
        assert_eq!(of(&["sys_platform == 'linux'"]), None);
    }
}
