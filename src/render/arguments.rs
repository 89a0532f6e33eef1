//! The calls of the program that installs.

use std::collections::BTreeSet;
use std::str::FromStr;

use pep508_rs::PackageName;
use serde::Serialize;

use super::written::{CONSTRAINTS, EXCLUDED, OVERRIDES, bound_file, is_bound};
use crate::model::{Installer, ManifestKind, Plan, PlannedLock};

/// The arguments of one call of a program; those that belong together share a line.
pub(super) type Lines = Vec<Vec<String>>;

/// The interpreter that distributions are installed for.
const PYTHON: &str = "/opt/venv/bin/python";

/// The environment, and the workspace that pixi makes it in.
const PREFIX: &str = "/opt/venv";
const WORKSPACE: &str = "/opt/pixi";

/// One call of a program.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Call {
    /// The program, with what says which of its commands.
    words: Vec<String>,
    lines: Lines,
}

impl Call {
    fn new<const N: usize>(words: [&str; N], lines: Lines) -> Self {
        Self { words: line(words), lines }
    }
}

fn line<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(str::to_owned).to_vec()
}

/// `flag` before each of `values`.
fn flagged<'a>(flag: &'a str, values: &'a [String]) -> impl Iterator<Item = Vec<String>> + 'a {
    values.iter().map(move |value| line([flag, value]))
}

/// The calls that install what the project depends on.
pub(super) fn dependencies(plan: &Plan) -> Vec<Call> {
    match (plan.installer.value, plan.lock.as_ref().map(|lock| &lock.value)) {
        (Installer::Micromamba, _) => vec![micromamba(plan)],
        (Installer::Pixi, lock) => pixi(plan, lock),
        (_, Some(lock)) => {
            let mut after = named_indexes(plan, plan.installer.value == Installer::Uv);
            after.push(line([&setuptools(plan)]));
            vec![locked(plan, lock), pip_install(plan, after)]
        }
        (_, None) => unlocked(plan),
    }
}

/// The call that makes an environment of conda's packages; pip is for the project itself.
fn micromamba(plan: &Plan) -> Call {
    let mut lines = Lines::from([line(["--yes", "--quiet", "--prefix", PREFIX])]);
    let manifests = plan.manifests.iter().filter(|manifest| manifest.kind == ManifestKind::Conda);
    lines.extend(manifests.map(|manifest| line(["--file", &manifest.path])));
    lines.push(line([&format!("python={}", plan.python.value), "pip", &setuptools(plan)]));
    Call::new(["micromamba", "create"], lines)
}

/// The calls that make the environment of a pixi workspace. pixi puts it into the workspace, where the source would be copied
/// over it: what it reads has a folder of its own.
fn pixi(plan: &Plan, lock: Option<&PlannedLock>) -> Vec<Call> {
    let mut lines = Lines::from([line(["--manifest-path", WORKSPACE])]);
    lines.extend(lock.map(|_| line(["--frozen"])));
    let environment = format!("{WORKSPACE}/.pixi/envs/default");
    vec![
        Call::new(["cp", "-R", &plan.image.workdir, WORKSPACE], Lines::new()),
        Call::new(["pixi", "install"], lines),
        Call::new(["ln", "-s", &environment, PREFIX], Lines::new()),
        // What torch needs may be missing in the workspace, and so may pip.
        Call::new([PYTHON, "-m", "ensurepip"], Lines::new()),
        Call::new([PYTHON, "-m", "pip", "install"], Lines::from([line([&setuptools(plan)])])),
    ]
}

/// The calls that install the project itself, and other folders of it that come with the source, from a copy in `folder`.
pub(super) fn package(plan: &Plan, folder: &str) -> Vec<Call> {
    if let Some(lock) = uv_lock(plan) {
        let project = match parent(lock) {
            Some(parent) => format!("{folder}/{parent}"),
            None => folder.to_owned(),
        };
        // What the lock does not name, setuptools among it, stays.
        let mut lines = Lines::from([line(["--project", &project]), line(["--frozen", "--inexact", "--no-editable"])]);
        lines.extend(selected(plan));
        return vec![Call::new(["/opt/uv/bin/uv", "sync"], lines)];
    }
    let mut lines = Lines::from([line(["--no-deps"])]);
    lines.extend(indexes(plan));
    lines.push(line([folder]));
    vec![pip_install(plan, lines)]
}

/// The `uv.lock` that is followed.
pub(super) fn uv_lock(plan: &Plan) -> Option<&PlannedLock> {
    plan.lock.as_ref().map(|lock| &lock.value).filter(|lock| lock.kind == ManifestKind::UvLock)
}

/// The folder of a lock, where that is not the project's root.
fn parent(lock: &PlannedLock) -> Option<&str> {
    lock.path.rsplit_once('/').map(|(parent, _)| parent)
}

/// The call that installs what a lock says.
fn locked(plan: &Plan, lock: &PlannedLock) -> Call {
    let mut lines: Lines = parent(lock).map(|parent| line(["--project", parent])).into_iter().collect();
    match lock.kind {
        ManifestKind::UvLock => {
            lines.push(line(["--frozen", "--no-install-local"]));
            lines.extend(selected(plan));
            Call::new(["/opt/uv/bin/uv", "sync"], lines)
        }
        ManifestKind::PoetryLock => {
            let groups: Vec<&str> = ["main"].into_iter().chain(plan.groups.iter().map(String::as_str)).collect();
            lines.extend([
                line(["--no-interaction", "--no-ansi", "--compile"]),
                line(["--no-root", "--only", &groups.join(",")]),
            ]);
            lines.extend(flagged("--extras", &plan.extras));
            Call::new(["/opt/poetry/bin/poetry", "install"], lines)
        }
        ManifestKind::PdmLock => {
            lines.push(line(["--no-self", "--no-editable"]));
            // Groups are for developers to PDM, which takes all of them unless it is told which.
            lines.push(line([if plan.groups.is_empty() { "--prod" } else { "--dev" }]));
            lines.extend(flagged("--group", &plan.extras).chain(flagged("--group", &plan.groups)));
            Call::new(["/opt/pdm/bin/pdm", "sync"], lines)
        }
        ManifestKind::PipfileLock => pipenv(plan, lock),
        _ => {
            let mut lines = Lines::from([line(["-r", &lock.path])]);
            lines.extend(flagged("--extra", &plan.extras).chain(flagged("--group", &plan.groups)));
            Call::new(["/opt/uv/bin/uv", "pip", "install"], lines)
        }
    }
}

fn pipenv(plan: &Plan, lock: &PlannedLock) -> Call {
    let category = |group: &String| if group == "dev" { "dev-packages".to_owned() } else { group.clone() };
    let categories: Vec<String> = ["packages".to_owned()].into_iter().chain(plan.groups.iter().map(category)).collect();
    let lines = if plan.groups.is_empty() { Lines::new() } else { vec![line(["--categories", &categories.join(" ")])] };
    match parent(lock) {
        None => Call::new(["/opt/pipenv/bin/pipenv", "sync"], lines),
        Some(parent) => {
            let pipfile = format!("PIPENV_PIPFILE={parent}/Pipfile");
            Call::new(["env", &pipfile, "/opt/pipenv/bin/pipenv", "sync"], lines)
        }
    }
}

/// What uv is to take of a project besides its dependencies.
fn selected(plan: &Plan) -> Lines {
    let groups = flagged("--group", &plan.groups);
    [line(["--no-default-groups"])].into_iter().chain(flagged("--extra", &plan.extras)).chain(groups).collect()
}

fn setuptools(plan: &Plan) -> String {
    format!("setuptools{}", plan.setuptools)
}

fn unlocked(plan: &Plan) -> Vec<Call> {
    let uv = plan.installer.value == Installer::Uv;
    let read: Lines = requirements_files(plan);
    let asked = || plan.dependencies.iter().filter(|text| !(uv && is_bound(plan, text)));
    let besides: Lines = [setuptools(plan)].iter().chain(&plan.build_needs).map(|text| line([text])).collect();
    let mut main = rules(plan);
    main.extend(read.clone());
    if let Some(file) = bound_file(plan) {
        main.push(line(["-r", file]));
        // The tables that have uv bind the one would have it look for the workspaces of the others, too.
        let folders = plan.dependencies.iter().filter(|text| text.contains("@ file:")).filter_map(|text| name_of(text));
        let names: BTreeSet<String> = folders.collect();
        main.extend(names.iter().map(|name| line(["--no-sources-package", name])));
    }
    main.extend(asked().map(|requirement| line([requirement])));
    let mut calls = Vec::new();
    if plan.hashed {
        // Among hashed requirements one without a hash would be refused.
        let mut apart: Lines = indexes(plan);
        apart.extend(besides);
        calls.extend([pip_install(plan, main), pip_install(plan, apart)]);
    } else if !uv && !plan.unisolated.is_empty() && !read.is_empty() {
        // pip cannot leave out what a file names, so torch comes first, and the file after it.
        let mut first: Lines = indexes(plan);
        first.push(line([&format!("torch{}", plan.torch.value.specifiers)]));
        first.extend(besides);
        main.push(line(["--no-build-isolation"]));
        return vec![pip_install(plan, first), pip_install(plan, main)];
    } else {
        // In one call with the rest, so that the indexes that the files name serve it too, and a conflict is seen.
        main.extend(besides);
        calls.push(pip_install(plan, main));
    }
    calls.extend(unisolated(plan, read));
    calls
}

/// The call that builds against what the others installed.
fn unisolated(plan: &Plan, read: Lines) -> Option<Call> {
    if plan.unisolated.is_empty() {
        return None;
    }
    let mut lines = Lines::from([line(["--no-build-isolation"])]);
    if plan.hashed {
        // With the hashes that stand in the files only; the rest of them is there already.
        lines.extend([line(["--require-hashes"])]);
        lines.extend(indexes(plan));
        lines.extend(read);
    } else {
        lines.extend(indexes(plan));
        lines.extend(constraints(plan));
        lines.extend(plan.unisolated.iter().map(|requirement| line([&requirement.value])));
    }
    Some(pip_install(plan, lines))
}

fn requirements_files(plan: &Plan) -> Lines {
    let read = plan.manifests.iter().filter(|manifest| manifest.kind == ManifestKind::Requirements);
    read.map(|manifest| line(["-r", &manifest.path])).collect()
}

/// What holds for all that is installed: hashes, indexes, constraints, overrides, and what is left for later.
fn rules(plan: &Plan) -> Lines {
    let mut lines = Lines::new();
    let uv = plan.installer.value == Installer::Uv;
    if plan.hashed && uv {
        lines.push(line(["--require-hashes"]));
    }
    lines.extend(indexes(plan));
    lines.extend(constraints(plan));
    if uv && !plan.overrides.is_empty() {
        lines.push(line(["--override", OVERRIDES]));
    }
    if uv && !plan.unisolated.is_empty() && !requirements_files(plan).is_empty() {
        lines.push(line(["--excludes", EXCLUDED]));
    }
    lines
}

fn constraints(plan: &Plan) -> Option<Vec<String>> {
    (!plan.constraints.is_empty()).then(|| line(["--constraint", CONSTRAINTS]))
}

/// A call that installs as pip does, into the environment. Those who have a lock are fetched with a pip of their own, so
/// that none stays in the image.
fn pip_install(plan: &Plan, lines: Lines) -> Call {
    match plan.installer.value {
        Installer::Uv => Call::new(["/opt/uv/bin/uv", "pip", "install"], lines),
        Installer::Poetry => Call::new(["/opt/poetry/bin/pip", "--python", PYTHON, "install"], lines),
        Installer::Pdm => Call::new(["/opt/pdm/bin/pip", "--python", PYTHON, "install"], lines),
        Installer::Pipenv => Call::new(["/opt/pipenv/bin/pip", "--python", PYTHON, "install"], lines),
        Installer::Pip | Installer::Micromamba | Installer::Pixi => Call::new(["/opt/venv/bin/pip", "install"], lines),
    }
}

/// Where distributions come from, besides what the files name. An index with credentials is not named here: it comes in
/// variables, with the secrets.
fn indexes(plan: &Plan) -> Lines {
    let uv = plan.installer.value == Installer::Uv;
    let mut lines = named_indexes(plan, uv);
    lines.extend(plan.find_links.iter().map(|page| line(["--find-links", &page.value])));
    if uv {
        lines.extend(plan.extra_index.is_some().then(|| line(["--index-strategy", "unsafe-best-match"])));
        lines.extend(plan.torch.value.backend.iter().map(|backend| line(["--torch-backend", backend])));
    }
    lines
}

/// The indexes whose URLs may be seen and from which anything may come, as uv or pip wants them.
pub(super) fn named_indexes(plan: &Plan, uv: bool) -> Lines {
    let [primary, extra] = if uv { ["--default-index", "--index"] } else { ["--index-url", "--extra-index-url"] };
    let open = plan.indexes.iter().filter(|index| !index.secret && index.packages.is_empty());
    open.map(|index| line([if index.primary { primary } else { extra }, &index.url])).collect()
}

/// The distribution that a requirement names, normalized.
pub(super) fn name_of(requirement: &str) -> Option<String> {
    let end = requirement.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)));
    PackageName::from_str(&requirement[..end.unwrap_or(requirement.len())]).ok().map(|name| name.to_string())
}
