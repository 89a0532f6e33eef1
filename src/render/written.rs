//! Files that a build writes for its installer and removes again: what has no place on a command line.

use std::collections::BTreeSet;

use serde::Serialize;

use super::arguments::name_of;
use crate::model::{Installer, ManifestKind, Plan, PlannedIndex};

/// The folder of one step for whatever it leaves behind, so that it goes with it.
pub(super) const FOLDER: &str = "/tmp/sconce";
pub(super) const CONSTRAINTS: &str = "/tmp/sconce/constraints.txt";
pub(super) const OVERRIDES: &str = "/tmp/sconce/overrides.txt";
/// The distributions that a requirements file names and that are installed later.
pub(super) const EXCLUDED: &str = "/tmp/sconce/later.txt";
/// The requirements that come from one index each. No flag says that, but a table of uv's in a `pyproject.toml`
/// (<https://docs.astral.sh/uv/concepts/indexes/#pinning-a-package-to-an-index>); the project's own would have to be built
/// where its dependencies are dynamic, and has sources that are not there yet.
const BOUND: &str = "/tmp/sconce/pyproject.toml";

/// A file with its lines.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Written {
    path: String,
    lines: Vec<String>,
}

/// The files that installing dependencies needs.
pub(super) fn files(plan: &Plan) -> Vec<Written> {
    if plan.lock.is_some() {
        return Vec::new();
    }
    let uv = plan.installer.value == Installer::Uv;
    let reads = plan.manifests.iter().any(|manifest| manifest.kind == ManifestKind::Requirements);
    let later = plan.unisolated.iter().filter(|_| uv && reads).filter_map(|requirement| name_of(&requirement.value));
    let files = [
        (CONSTRAINTS, plan.constraints.clone()),
        (OVERRIDES, if uv { plan.overrides.clone() } else { Vec::new() }),
        (EXCLUDED, later.collect()),
        (BOUND, bound(plan)),
    ];
    let files = files.into_iter().filter(|(_, lines)| !lines.is_empty());
    files.map(|(path, lines)| Written { path: path.to_owned(), lines }).collect()
}

/// The file of what is bound to an index, where anything is.
pub(super) fn bound_file(plan: &Plan) -> Option<&'static str> {
    (!bound(plan).is_empty()).then_some(BOUND)
}

/// Whether a requirement's distribution comes from one index alone.
pub(super) fn is_bound(plan: &Plan, requirement: &str) -> bool {
    name_of(requirement).is_some_and(|name| index_of(plan, &name).is_some())
}

fn index_of<'p>(plan: &'p Plan, name: &str) -> Option<(usize, &'p PlannedIndex)> {
    plan.indexes.iter().enumerate().find(|(_, index)| index.packages.iter().any(|package| package == name))
}

fn bound(plan: &Plan) -> Vec<String> {
    if plan.installer.value != Installer::Uv {
        return Vec::new();
    }
    let requirements: Vec<&String> = plan.dependencies.iter().filter(|text| is_bound(plan, text)).collect();
    if requirements.is_empty() {
        return Vec::new();
    }
    let texts: Vec<String> = requirements.iter().map(|text| quoted(text)).collect();
    let mut lines = vec!["[project]".to_owned(), "name = \"bound\"".to_owned(), "version = \"0\"".to_owned()];
    lines.push(format!("dependencies = [{}]", texts.join(", ")));
    lines.push("[tool.uv.sources]".to_owned());
    let names: BTreeSet<String> = requirements.iter().filter_map(|text| name_of(text)).collect();
    let mut used = BTreeSet::new();
    for name in names {
        let Some((at, index)) = index_of(plan, &name) else { continue };
        used.insert(at);
        lines.push(format!("{} = {{ index = {} }}", quoted(&name), quoted(&called(at, index))));
    }
    for at in used {
        let index = &plan.indexes[at];
        lines.push("[[tool.uv.index]]".to_owned());
        lines.push(format!("name = {}", quoted(&called(at, index))));
        lines.push(format!("url = {}", quoted(&place(plan, &index.url))));
        lines.push("explicit = true".to_owned());
    }
    lines
}

/// An index's name: uv looks for credentials by it, so that the project's own counts.
fn called(at: usize, index: &PlannedIndex) -> String {
    index.name.clone().unwrap_or_else(|| format!("index-{at}"))
}

/// Where an index is, seen from another folder than the project's.
fn place(plan: &Plan, url: &str) -> String {
    if url.contains(':') { url.to_owned() } else { format!("{}/{url}", plan.image.workdir) }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
