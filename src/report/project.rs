use std::io::{self, Write};

use super::notes::write as write_notes;
use super::sheet::{Page, Sheet};
use super::styled::{BOLD, DIM, Text};
use crate::model::{Index, IndexRole, ManifestKind, Origin, Project, Requirement, RequirementRole};

/// Writes what a project asks for: every fact with the file and line it came from.
pub fn project(project: &Project, page: Page, out: &mut dyn Write) -> io::Result<()> {
    let sheet = &mut Sheet::new(page, out);
    sheet.line(0, &Text::new(BOLD, &project.name).and(DIM, format!("  {}", project.root.display())))?;
    let mut rows = Vec::new();
    for manifest in &project.manifests {
        let kind = match manifest.kind {
            ManifestKind::Requirements => "requirements file",
            ManifestKind::Pyproject => "project table",
        };
        rows.push(fact("reads", kind, &manifest.path));
    }
    rows.extend(project.package.iter().map(|package| located("builds", &package.backend, &package.origin)));
    rows.extend(project.python.iter().map(|python| located("python", &python.specifiers.to_string(), &python.origin)));
    rows.extend(project.requirements.iter().map(requirement));
    rows.extend(project.indexes.iter().map(|index| located("index", &described(index), &index.origin)));
    rows.extend(project.variables.iter().map(|used| located("variable", &format!("${{{}}}", used.name), &used.origin)));
    if !rows.is_empty() {
        sheet.blank()?;
        sheet.table(&rows, None)?;
    }
    write_notes(sheet, &project.notes)
}

fn fact(kind: &str, what: &str, place: &str) -> Vec<Text> {
    vec![Text::new(DIM, kind), Text::plain(what), Text::new(DIM, place)]
}

fn located(kind: &str, what: &str, origin: &Origin) -> Vec<Text> {
    fact(kind, what, &origin.to_string())
}

fn requirement(requirement: &Requirement) -> Vec<Text> {
    let kind = match (requirement.role, &requirement.extra) {
        (RequirementRole::Constraint, _) => "constrains".to_owned(),
        (RequirementRole::Requirement, Some(extra)) => format!("extra {extra}"),
        (RequirementRole::Requirement, None) => "requires".to_owned(),
    };
    let editable = if requirement.editable { "editable " } else { "" };
    let hashes = match requirement.hashes.len() {
        0 => String::new(),
        1 => "  (1 hash)".to_owned(),
        many => format!("  ({many} hashes)"),
    };
    located(&kind, &format!("{editable}{}{hashes}", requirement.text), &requirement.origin)
}

fn described(index: &Index) -> String {
    match index.role {
        IndexRole::Primary => format!("{}  in place of the default one", index.url),
        IndexRole::Extra => format!("{}  besides", index.url),
        IndexRole::FindLinks => format!("{}  a page of archives", index.url),
        IndexRole::None => "none".to_owned(),
    }
}
