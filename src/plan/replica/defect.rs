//! The defect that is reproduced, and its fix.

use std::collections::BTreeMap;

use pep440_rs::Version;

use super::torch::ChosenTorch;
use super::{Draft, Ground, USER, packages};
use crate::catalogue::{Catalogue, DefectRow, TorchRelease};
use crate::model::{Choice, Defect, DefectFix, Note, Origin, PackageManager, TorchPlace};

/// Where programs find torch and what is beside it, as a program of Python's says.
const TORCH: &str = r#"import importlib.util as u; print(*u.find_spec("torch").submodule_search_locations)"#;
const HEADERS: &str = r#"import sysconfig; print(sysconfig.get_path("include"))"#;

/// What the texts of a row may name.
pub(super) struct Texts(BTreeMap<&'static str, String>);

impl Texts {
    pub(super) fn new(ground: &Ground, place: TorchPlace, torch: &ChosenTorch, catalogue: &Catalogue) -> Self {
        let home = format!("/home/{USER}");
        let interpreter = place.interpreter(&ground.python.interpreter).to_owned();
        let python = ground.python.minor();
        let newer = newer(catalogue, &python);
        Self(BTreeMap::from([
            ("{header}", format!("include=\"$({interpreter} -c '{HEADERS}')\"")),
            ("{torch}", format!("\"$(env HOME={home} {interpreter} -c '{TORCH}')\"")),
            ("{interpreter}", interpreter),
            ("{home}", home),
            ("{user}", USER.to_owned()),
            ("{torch_version}", torch.version.as_ref().map(ToString::to_string).unwrap_or_default()),
            ("{newer_torch}", newer.map(ToString::to_string).unwrap_or_default()),
            ("{setuptools}", packages::setuptools(torch)),
            ("{python}", python.to_string()),
        ]))
    }

    fn filled(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }

    fn all(&self, texts: &[String]) -> Vec<String> {
        texts.iter().map(|text| self.filled(text)).collect()
    }

    fn variables(&self, env: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        env.iter().map(|(name, value)| (name.clone(), self.filled(value))).collect()
    }
}

/// The oldest torch that compiles on an interpreter: the last version of that release.
fn newer<'a>(catalogue: &'a Catalogue, python: &Version) -> Option<&'a Version> {
    catalogue.torch().iter().find(|release| release.compiles(python)).and_then(|release| release.versions.last())
}

/// The first row of `failure` whose conditions hold; a note where there is none.
pub(super) fn row<'a>(
    draft: &mut Draft<'a>,
    failure: &str,
    ground: &Ground,
    place: TorchPlace,
    torch: &ChosenTorch,
) -> Option<&'a DefectRow> {
    let mut rows = draft.catalogue.defects().iter().filter(|row| row.failure == failure).peekable();
    let known = rows.peek().is_some();
    let found = rows.find(|row| holds(row, draft.catalogue, ground, place, torch));
    if found.is_none() {
        let shown = failure.escape_debug();
        let message = if known {
            format!("`{shown}` cannot show in this replica: its torch, its interpreter or its base does not have it")
        } else {
            format!(
                "nothing is known of how `{shown}` could be made in a container: the replica has no defect of its own"
            )
        };
        draft.notes.push(Note::warning(message, Origin::Default));
    }
    found
}

fn holds(row: &DefectRow, catalogue: &Catalogue, ground: &Ground, place: TorchPlace, torch: &ChosenTorch) -> bool {
    fn any<T: PartialEq>(list: &[T], one: &T) -> bool {
        list.is_empty() || list.contains(one)
    }
    let python = ground.python.minor();
    let refused = |release: &TorchRelease| release.has_wheel(&python) && !release.compiles(&python);
    any(&row.providers, &ground.python.provider)
        && any(&row.places, &place)
        && any(&row.managers, &ground.base.package_manager)
        && torch.version.as_ref().is_none_or(|version| row.torch.contains(version))
        && (!row.refused_python || torch.release.is_some_and(refused) && newer(catalogue, &python).is_some())
}

/// Fills in a row, and takes out of the toolchain what it leaves out.
pub(super) fn defect(
    row: &DefectRow,
    texts: &Texts,
    manager: PackageManager,
    toolchain: &mut Vec<Choice<String>>,
) -> Defect {
    let missing: Vec<String> =
        toolchain.iter().map(|package| package.value.clone()).filter(|package| row.leaves_out(package)).collect();
    let along = |package: &String| row.leaves_out(package) || row.takes_along(package);
    let without = toolchain.iter().map(|package| package.value.clone()).filter(along).collect();
    toolchain.retain(|package| !along(&package.value));
    let instead = row.instead(manager).to_vec();
    let origin = Origin::Catalogue { row: row.failure.clone() };
    let because = "it is there in place of what is missing";
    toolchain.extend(instead.iter().map(|package| Choice::new(package.clone(), origin.clone(), because)));
    let named = texts.all(row.fix.packages(manager));
    let restores = row.only_leaves_out() && named.is_empty();
    Defect {
        failure: row.failure.clone(),
        title: texts.filled(&row.title),
        without,
        instead,
        breaks: texts.all(&row.breaks),
        env: texts.variables(&row.env),
        run: row.run.clone(),
        fix: DefectFix {
            title: texts.filled(&row.fix.title),
            packages: if restores { missing } else { named },
            commands: texts.all(&row.fix.commands),
            pip: texts.all(&row.fix.pip),
            env: texts.variables(&row.fix.env),
            run: row.fix.run.clone(),
        },
    }
}
