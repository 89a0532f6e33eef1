//! Extras and groups that name the project itself: `all = ["p[cu]"]` brings what `cu` does.
//! <https://packaging.python.org/en/latest/specifications/pyproject-toml/#dependencies-optional-dependencies>

use std::collections::{BTreeSet, HashMap};

use super::super::locks::normalized;
use super::super::pep508;
use crate::model::{Project, TorchFact};

/// More of them mean nothing.
const MOST: usize = 1000;

/// An extra or group that asks for an extra of the project itself.
struct Way<'p> {
    extra: Option<&'p str>,
    group: Option<&'p str>,
    marker: Option<&'p str>,
}

/// Adds to the ways in which torch arrives those by extras and groups that only name another extra. A lock that tells
/// them already is not told twice.
pub(in crate::inspect) fn conclude(project: &mut Project) {
    let name = normalized(&project.name);
    let mut ways: HashMap<&str, Vec<Way<'_>>> = HashMap::new();
    for asked in project.requirements_on(&name).filter(|r| r.extra.is_some() || r.group.is_some()).take(MOST) {
        for extra in asked.extras.iter().take(MOST) {
            let (outer, group) = (asked.extra.as_deref(), asked.group.as_deref());
            let way = Way { extra: outer, group, marker: asked.marker.as_deref() };
            ways.entry(extra).or_default().push(way);
        }
    }
    let key = |fact: &TorchFact| (fact.extra.clone(), fact.group.clone(), fact.origin.to_string());
    let mut known: BTreeSet<_> = project.torch.iter().map(key).collect();
    let mut facts = Vec::with_capacity(project.torch.len());
    for fact in &project.torch {
        let first = facts.len();
        facts.push(fact.clone());
        // Each fact is followed in turn; one that is known already is not, so that a circle ends.
        let mut at = first;
        while let Some(fact) = facts.get(at).cloned() {
            let inner = fact.extra.as_deref().filter(|_| known.len() < MOST && fact.group.is_none());
            for way in inner.and_then(|extra| ways.get(extra)).into_iter().flatten() {
                let outer = TorchFact {
                    extra: way.extra.map(str::to_owned),
                    group: way.group.map(str::to_owned),
                    marker: pep508::both(fact.marker.as_deref(), way.marker),
                    ..fact.clone()
                };
                if known.insert(key(&outer)) {
                    facts.push(outer);
                }
            }
            at += 1;
        }
    }
    project.torch = facts;
}

#[cfg(test)]
mod tests {
    use super::super::tests::toml;
    use super::*;
    use crate::catalogue::Packages;
    use crate::inspect::torch;

    fn torch_of(text: &str) -> Vec<String> {
        let mut project = toml(text);
        torch::conclude(&mut project, &Packages::default());
        let one = |fact: &TorchFact| {
            let extra = fact.extra.iter().map(|extra| format!("+{extra}"));
            let group = fact.group.iter().map(|group| format!("@{group}"));
            let marker = fact.marker.iter().map(|marker| format!(" ; {marker}"));
            format!("{}{} :{}", extra.chain(group).collect::<String>(), marker.collect::<String>(), fact.origin)
        };
        project.torch.iter().map(one).collect()
    }

    #[test]
    fn an_extra_that_names_others_brings_their_torch() {
        let text = "[project]\nname = 'P_kg'\n[project.optional-dependencies]\ncu = ['torch==2.8.0']\n\
                    all = ['p-kg[cu,docs]']\nmost = ['p-kg[all] ; os_name == \"posix\"']\ndocs = ['sphinx']\n\
                    [dependency-groups]\ndev = ['p-kg[cu]']\n";
        let line = "pyproject.toml:4";
        assert_eq!(
            torch_of(text),
            [
                format!("+cu :{line}"),
                format!("+all :{line}"),
                format!("@dev :{line}"),
                format!("+most ; os_name == \"posix\" :{line}"),
            ]
        );
    }

    #[test]
    fn a_circle_of_extras_ends() {
        let text = "[project]\nname = 'p'\n[project.optional-dependencies]\na = ['p[b]', 'torch']\nb = ['p[a,b]']\n";
        assert_eq!(torch_of(text), ["+a :pyproject.toml:4", "+b :pyproject.toml:4"]);
    }
}
