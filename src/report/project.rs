use std::io::{self, Write};

use super::notes::write as write_notes;
use super::sheet::{Page, Sheet};
use super::styled::{BOLD, DIM, Text};
use crate::model::{
    Conflict, Index, IndexRole, Lock, ManifestKind, Origin, Project, PythonConstraint, Requirement, RequirementRole,
    Selectable, SelectableKind, Strength, TorchFact, TorchVia,
};

/// The rows of a table: what kind of fact, what it says, and where it stands.
type Rows = Vec<Vec<Text>>;

/// Writes what a project asks for: every fact with the file and line it came from.
pub fn project(project: &Project, page: Page, out: &mut dyn Write) -> io::Result<()> {
    let sheet = &mut Sheet::new(page, out);
    sheet.line(0, &Text::new(BOLD, &project.name).and(DIM, format!("  {}", project.root.display())))?;
    let sections =
        [files(project), interpreter(project), torch(project), requirements(project), places(project), hints(project)];
    // One table, so that its columns stand under each other, with an empty row before each section.
    let empty = || vec![Text::default(); 3];
    let sections = sections.into_iter().filter(|rows| !rows.is_empty());
    let rows: Rows = sections.flat_map(|rows| std::iter::once(empty()).chain(rows)).collect();
    sheet.table(&rows, None)?;
    write_notes(sheet, &project.notes)?;
    accounts(sheet, project)
}

fn fact(kind: &str, what: &str, place: &str) -> Vec<Text> {
    vec![Text::new(DIM, kind), Text::plain(what), Text::new(DIM, place)]
}

fn located(kind: &str, what: &str, origin: &Origin) -> Vec<Text> {
    fact(kind, what, &origin.to_string())
}

fn files(project: &Project) -> Rows {
    let manifests = project.manifests.iter().map(|manifest| fact("reads", format_name(manifest.kind), &manifest.path));
    let locks = project.locks.iter().map(lock);
    let package = project.package.iter().map(|package| located("builds", &package.backend, &package.origin));
    let beneath = project.subprojects.iter().map(|sub| fact("beneath", &sub.manifests.join(", "), &sub.path));
    manifests.chain(locks).chain(package).chain(beneath).collect()
}

fn lock(lock: &Lock) -> Vec<Text> {
    fact(
        "lock",
        &format!("{}, {}", format_name(lock.kind), counted(lock.packages.len(), "package", "packages")),
        &lock.path,
    )
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn format_name(kind: ManifestKind) -> &'static str {
    match kind {
        ManifestKind::Requirements => "requirements file",
        ManifestKind::Pyproject => "project table",
        ManifestKind::Poetry => "Poetry's table",
        ManifestKind::Pipfile => "Pipfile",
        ManifestKind::Pixi => "pixi manifest",
        ManifestKind::Conda => "conda environment",
        ManifestKind::SetupCfg | ManifestKind::SetupPy => "setuptools",
        ManifestKind::Pylock => "lock (PEP 751)",
        ManifestKind::UvLock => "lock of uv",
        ManifestKind::PoetryLock => "lock of Poetry",
        ManifestKind::PdmLock => "lock of PDM",
        ManifestKind::PipfileLock => "lock of Pipenv",
        ManifestKind::PixiLock => "lock of pixi",
        ManifestKind::PythonSources => "imports of the sources",
    }
}

fn interpreter(project: &Project) -> Rows {
    let mut rows: Rows = project.python.iter().map(constraint).collect();
    if let (Some(first), Some(last), false) =
        (project.python_allows.first(), project.python_allows.last(), project.python.iter().all(is_hint))
    {
        let all: Vec<String> = project.python_allows.iter().map(ToString::to_string).collect();
        let shown = if all.len() > 6 { format!("{first} to {last}") } else { all.join(", ") };
        rows.push(fact("", &format!("so it may be {shown}"), ""));
    }
    rows
}

fn is_hint(python: &PythonConstraint) -> bool {
    python.strength == Strength::Hint
}

fn constraint(python: &PythonConstraint) -> Vec<Text> {
    let how = match python.strength {
        Strength::Required => "",
        Strength::Pinned => "  pinned",
        Strength::Implied => "  implied",
        Strength::Hint => "  a hint",
    };
    located("python", &format!("{}{how}", python.specifiers), &python.origin)
}

fn torch(project: &Project) -> Rows {
    // A wheel for each interpreter and platform is one way to arrive: the first of them stands for all.
    let mut ways: Vec<(String, &TorchFact, usize)> = Vec::new();
    for fact in project.torch.iter().filter(|fact| !matches!(fact.via, TorchVia::Package { .. })) {
        let words = arrival(fact);
        match ways.iter_mut().find(|(known, ..)| *known == words) {
            Some((.., times)) => *times += 1,
            None => ways.push((words, fact, 1)),
        }
    }
    let row = |(words, fact, times): &(String, &TorchFact, usize)| {
        let words = match (times, &fact.marker) {
            (1, Some(marker)) => format!("{words}, where `{marker}`"),
            (1, None) => words.clone(),
            (many, _) => format!("{words}, in {many} entries"),
        };
        located("torch", &words, &fact.origin)
    };
    ways.iter().map(row).chain(needed(project)).collect()
}

/// Who needs torch, in one row for the project itself and one for each extra and group.
fn needed(project: &Project) -> Rows {
    let mut rows: Vec<(&TorchFact, Vec<String>)> = Vec::new();
    for fact in &project.torch {
        let TorchVia::Package { package } = &fact.via else { continue };
        let name = format!("`{package}`");
        match rows.iter_mut().find(|(known, _)| (&known.extra, &known.group) == (&fact.extra, &fact.group)) {
            Some((_, names)) if names.contains(&name) => {}
            Some((_, names)) => names.push(name),
            None => rows.push((fact, vec![name])),
        }
    }
    let row = |(fact, names): &(&TorchFact, Vec<String>)| {
        let mut words = vec![format!("needed by {}", names.join(", "))];
        words.extend(asked_with(fact));
        located("torch", &words.join(", "), &fact.origin)
    };
    rows.iter().map(row).collect()
}

/// What has to be asked for, so that torch arrives this way.
fn asked_with(fact: &TorchFact) -> impl Iterator<Item = String> {
    let extra = fact.extra.iter().map(|extra| format!("with `--extra {extra}`"));
    extra.chain(fact.group.iter().map(|group| format!("with `--group {group}`")))
}

/// How torch arrives, in words, without its marker.
fn arrival(fact: &TorchFact) -> String {
    let versions = if fact.specifiers.is_empty() { "any version".to_owned() } else { fact.specifiers.to_string() };
    let mut words = vec![match &fact.via {
        TorchVia::Requirement => versions,
        TorchVia::Constraint => format!("{versions}, a constraint"),
        TorchVia::Lock => format!("{versions}, locked"),
        TorchVia::Archive => format!("{versions}, one archive"),
        TorchVia::BuiltFor { package } => format!("{versions}, which `{package}` was built for"),
        TorchVia::Package { package } => format!("needed by `{package}`"),
        TorchVia::Conda { package } => format!("{versions}, by conda's `{package}`"),
        TorchVia::Import => "imported".to_owned(),
    }];
    words.extend(fact.variant.iter().map(|variant| format!("the `{variant}` build")));
    words.extend(asked_with(fact));
    words.join(", ")
}

fn requirements(project: &Project) -> Rows {
    let mut rows: Rows = project.requirements.iter().map(requirement).collect();
    rows.extend(project.selectable.iter().map(selectable));
    rows.extend(project.conflicts.iter().map(conflict));
    rows
}

fn requirement(requirement: &Requirement) -> Vec<Text> {
    let kind = match (requirement.role, &requirement.extra, &requirement.group) {
        (RequirementRole::Constraint, ..) => "constrains".to_owned(),
        (RequirementRole::Override, ..) => "overrides".to_owned(),
        (RequirementRole::Requirement, Some(extra), _) => format!("extra {extra}"),
        (RequirementRole::Requirement, None, Some(group)) => format!("group {group}"),
        (RequirementRole::Requirement, None, None) => "requires".to_owned(),
    };
    let editable = if requirement.editable { "editable " } else { "" };
    let hashes = match requirement.hashes.len() {
        0 => String::new(),
        many => format!("  ({})", counted(many, "hash", "hashes")),
    };
    located(&kind, &format!("{editable}{}{hashes}", requirement.text), &requirement.origin)
}

fn selectable(selectable: &Selectable) -> Vec<Text> {
    let flag = match selectable.kind {
        SelectableKind::Extra => "extra",
        SelectableKind::Group => "group",
    };
    let default = if selectable.default { "  its own tool takes it by default" } else { "" };
    located("on request", &format!("--{flag} {}{default}", selectable.name), &selectable.origin)
}

fn conflict(conflict: &Conflict) -> Vec<Text> {
    located("one of", &conflict.members.join(" | "), &conflict.origin)
}

fn places(project: &Project) -> Rows {
    let indexes = project.indexes.iter().map(|index| located("index", &described(index), &index.origin));
    let variables =
        project.variables.iter().map(|used| located("variable", &format!("${{{}}}", used.name), &used.origin));
    let options = project.pip_options.iter().map(|option| located("option", &option.text, &option.origin));
    let exempt = project.isolation_exempt.iter().map(|exempt| {
        let what = exempt.package.as_deref().unwrap_or("everything");
        located("builds", &format!("{what}  without isolation"), &exempt.origin)
    });
    indexes.chain(variables).chain(options).chain(exempt).collect()
}

fn described(index: &Index) -> String {
    let role = match index.role {
        IndexRole::Primary => "in place of the default one",
        IndexRole::Extra if index.explicit => "only where it is named",
        IndexRole::Extra => "besides",
        IndexRole::FindLinks => "a page of archives",
        IndexRole::None => return "none".to_owned(),
        IndexRole::Channel => "a conda channel",
    };
    let mut bound: Vec<String> = Vec::new();
    for binding in &index.bindings {
        let with = binding.extra.iter().map(|extra| format!(" with `--extra {extra}`"));
        let with: String = with.chain(binding.group.iter().map(|group| format!(" with `--group {group}`"))).collect();
        let text = format!("{}{with}", binding.package);
        if !bound.contains(&text) {
            bound.push(text);
        }
    }
    let bound = if bound.is_empty() { String::new() } else { format!(": {}", bound.join(", ")) };
    format!("{}  {role}{bound}", index.url)
}

fn hints(project: &Project) -> Rows {
    let mut rows: Rows = project.sources.compiles.iter().map(compile).collect();
    rows.extend(project.sources.devices.iter().map(|used| located("device", &used.device, &used.origin)));
    rows.extend(project.bases.iter().map(|base| located("starts from", &base.image, &base.origin)));
    let system = |hint: &crate::model::SystemHint| {
        located("system", &format!("{}  ({})", hint.package, hint.manager), &hint.origin)
    };
    rows.extend(project.system.iter().map(system));
    rows
}

fn compile(used: &crate::model::CompileUse) -> Vec<Text> {
    use crate::model::CompileForm;
    let form = match used.form {
        CompileForm::Call => "torch.compile",
        CompileForm::Decorator => "@torch.compile",
        CompileForm::Method => "module.compile",
        CompileForm::Argument => "by an argument",
    };
    let mut arguments: Vec<String> = Vec::new();
    arguments.extend(used.backend.iter().map(|backend| format!("backend={backend}")));
    arguments.extend(used.mode.iter().map(|mode| format!("mode={mode}")));
    arguments.extend(used.dynamic.iter().map(|dynamic| format!("dynamic={dynamic}")));
    arguments.extend(used.fullgraph.iter().map(|fullgraph| format!("fullgraph={fullgraph}")));
    arguments.extend(used.computed.iter().map(|name| format!("{name}=…")));
    located("compiles", format!("{form} {}", arguments.join(" ")).trim_end(), &used.origin)
}

/// How much was read, and that nothing was dropped.
fn accounts(sheet: &mut Sheet, project: &Project) -> io::Result<()> {
    if project.read.is_empty() {
        return Ok(());
    }
    let sum = |count: fn(&crate::model::FileRead) -> usize| project.read.iter().map(count).sum::<usize>();
    let files = counted(project.read.len(), "file", "files");
    let entries = counted(sum(|read| read.entries), "entry", "entries");
    let text = match sum(|read| read.noted) {
        0 => format!("{entries} read in {files}, and nothing dropped"),
        noted => format!("{entries} read in {files}: {} are facts, {noted} answered by notes", sum(|read| read.facts)),
    };
    sheet.blank()?;
    sheet.paragraph(0, &Text::new(DIM, text))
}
