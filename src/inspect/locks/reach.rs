//! What brings each package of a lock: the graph of its dependencies, walked from the project itself, once without and
//! once with each of its extras and groups.
//!
//! `uv export` does the same, with exact markers (<https://docs.astral.sh/uv/concepts/projects/export/>). Here a package
//! applies where the last condition on any way to it holds: never too narrow, and of bounded size.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use super::marker::{Choice, Marker};

/// More conditions on one package are taken as none.
const MOST_CONDITIONS: usize = 16;
/// So many terms of markers are looked at in all; in a real lock it is some hundred thousand.
const MOST_STEPS: usize = 20_000_000;

/// Which dependencies of a package.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Part {
    Own,
    Extra(String),
    Group(String),
}

/// A dependency.
#[derive(Debug)]
pub(super) struct Edge {
    pub(super) package: usize,
    pub(super) extras: Vec<String>,
    pub(super) marker: Rc<Marker>,
}

/// The dependencies of the packages, each known by its place in the lock.
#[derive(Debug, Default)]
pub(super) struct Graph {
    parts: HashMap<(usize, Part), Vec<Edge>>,
    /// The packages that are the project itself.
    roots: Vec<usize>,
}

/// How a part of a package is reached.
#[derive(Debug, Clone, Default)]
struct Reached {
    always: bool,
    conditions: BTreeSet<Marker>,
}

impl Reached {
    /// Takes up more ways; whether they change anything.
    fn widen(&mut self, other: &Self) -> bool {
        if self.always || (!other.always && other.conditions.is_subset(&self.conditions)) {
            return false;
        }
        self.conditions.extend(other.conditions.iter().cloned());
        self.always = other.always || self.conditions.len() > MOST_CONDITIONS;
        true
    }

    fn marker(self) -> Marker {
        if self.always { Marker::Always } else { Marker::any(self.conditions) }
    }
}

impl Graph {
    pub(super) fn root(&mut self, package: usize) {
        self.roots.push(package);
    }

    pub(super) fn roots(&self) -> &[usize] {
        &self.roots
    }

    pub(super) fn add(&mut self, package: usize, part: Part, edge: Edge) {
        self.parts.entry((package, part)).or_default().push(edge);
    }

    /// The extras and groups of the project itself.
    pub(super) fn choices(&self) -> BTreeSet<Choice> {
        let of_root = self.parts.keys().filter(|(package, _)| self.roots.contains(package));
        let choices = of_root.filter_map(|(_, part)| match part {
            Part::Own => None,
            Part::Extra(name) => Some(Choice::extra(name)),
            Part::Group(name) => Some(Choice::group(name)),
        });
        choices.collect()
    }

    /// The packages that are brought where `part` of the project is chosen, each with where it applies; `None` where
    /// that is more work than any lock is worth. `steps` counts over all calls.
    pub(super) fn reach(
        &self,
        part: &Part,
        chosen: &dyn Fn(&Choice) -> Option<bool>,
        steps: &mut usize,
    ) -> Option<HashMap<usize, Marker>> {
        let mut reached: HashMap<(usize, Part), Reached> = HashMap::new();
        let mut todo: Vec<(usize, Part)> = Vec::new();
        for root in &self.roots {
            todo.extend([(*root, Part::Own), (*root, part.clone())]);
        }
        for start in &todo {
            reached.insert(start.clone(), Reached { always: true, conditions: BTreeSet::new() });
        }
        while let Some(place) = todo.pop() {
            let Some(edges) = self.parts.get(&place) else { continue };
            let here = reached.get(&place).cloned().unwrap_or_default();
            *steps += edges.iter().map(|edge| 1 + edge.marker.terms()).sum::<usize>();
            if *steps > MOST_STEPS {
                return None;
            }
            for edge in edges {
                let ways = match edge.marker.given(chosen) {
                    Marker::Never => continue,
                    Marker::Always => here.clone(),
                    condition => Reached { always: false, conditions: BTreeSet::from([condition]) },
                };
                let extras = edge.extras.iter().map(|extra| Part::Extra(extra.clone()));
                for part in [Part::Own].into_iter().chain(extras) {
                    let place = (edge.package, part);
                    if reached.entry(place.clone()).or_default().widen(&ways) {
                        todo.push(place);
                    }
                }
            }
        }
        let packages = reached.into_iter().filter(|((_, part), _)| *part == Part::Own);
        Some(packages.map(|((package, _), ways)| (package, ways.marker())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(package: usize, marker: &str) -> Edge {
        let marker = if marker.is_empty() { Marker::Always } else { Marker::parse(marker).unwrap() };
        Edge { package, extras: Vec::new(), marker: Rc::new(marker) }
    }

    fn reach(graph: &Graph, part: &Part, choice: Option<&Choice>) -> Vec<(usize, Option<String>)> {
        let chosen = |asked: &Choice| Some(choice == Some(asked));
        let mut found: Vec<_> =
            graph.reach(part, &chosen, &mut 0).unwrap().into_iter().map(|(at, marker)| (at, marker.text())).collect();
        found.sort();
        found
    }

    #[test]
    fn conditions_are_handed_on() {
        let mut graph = Graph::default();
        graph.root(0);
        graph.add(0, Part::Own, edge(1, "sys_platform == 'win32'"));
        graph.add(1, Part::Own, edge(2, ""));
        graph.add(2, Part::Own, edge(1, ""));
        graph.add(0, Part::Extra("x".to_owned()), edge(2, ""));
        let win = Some("sys_platform == 'win32'".to_owned());
        assert_eq!(reach(&graph, &Part::Own, None), [(0, None), (1, win.clone()), (2, win)]);
        assert_eq!(reach(&graph, &Part::Extra("x".to_owned()), None), [(0, None), (1, None), (2, None)]);
    }

    #[test]
    fn an_extra_of_a_dependency_brings_its_own() {
        let mut graph = Graph::default();
        graph.root(0);
        graph.add(0, Part::Own, Edge { extras: vec!["e".to_owned()], ..edge(1, "") });
        graph.add(1, Part::Extra("e".to_owned()), edge(2, ""));
        graph.add(1, Part::Extra("f".to_owned()), edge(3, ""));
        assert_eq!(reach(&graph, &Part::Own, None), [(0, None), (1, None), (2, None)]);
    }

    #[test]
    fn edges_may_ask_what_is_chosen() {
        let mut graph = Graph::default();
        graph.root(0);
        graph.add(0, Part::Own, edge(1, "extra != 'cpu'"));
        graph.add(0, Part::Own, edge(2, "extra == 'cpu'"));
        assert_eq!(reach(&graph, &Part::Own, None), [(0, None), (1, None)]);
        assert_eq!(reach(&graph, &Part::Extra("cpu".to_owned()), Some(&Choice::extra("cpu"))), [(0, None), (2, None)]);
    }
}
