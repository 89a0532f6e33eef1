//! The distributions beside torch.

use std::collections::BTreeSet;
use std::str::FromStr;

use pep440_rs::Version;
use pep508_rs::PackageName;

use super::Draft;
use super::torch::ChosenTorch;
use crate::model::{Choice, Installed, Manager, Note, Origin, TorchPlace};

/// The most that are installed: a list that is longer is none of one environment.
const MOST: usize = 2000;

/// The requirements, with one version each, in the order of the report.
pub(super) fn requirements(draft: &mut Draft, torch: &ChosenTorch, place: TorchPlace) -> Vec<Choice<String>> {
    let environment = draft.environment;
    let (mut found, mut seen, mut left) = (Vec::new(), BTreeSet::new(), 0_usize);
    for package in &environment.packages {
        let Some(name) = distribution(draft, package) else { continue };
        if name == "torch" || name == "pip" || !seen.insert(name.clone()) {
            continue;
        }
        if goes_with_torch(draft, &name, package, torch) {
            draft.differs(format!("package {name}"), "torch brings it, in the version that it asks for".to_owned());
            continue;
        }
        let replicas = draft.catalogue.replicas();
        if !(draft.options.all_packages || replicas.keeps(&name)) || found.len() == MOST {
            left += 1;
            continue;
        }
        match pinned(&name, package, place) {
            Ok(text) => found.push(Choice::new(text, package.origin.clone(), "the report lists it")),
            Err(reason) => draft.differs(format!("package {name}"), reason),
        }
    }
    if left > 0 {
        let message = format!("reported packages that do not matter to torch.compile are left out: {left} of them");
        let note = Note::info(message, Origin::Default);
        draft.notes.push(note.with_hint("`--all-packages` installs them, too"));
    }
    if place != TorchPlace::Distribution && !seen.contains("setuptools") {
        let because = "torch imports it on every compile, and reports do not always list it";
        found.push(Choice::new(setuptools(torch), Origin::Default, because));
    }
    found
}

/// What torch needs of setuptools.
pub(super) fn setuptools(torch: &ChosenTorch) -> String {
    let specifiers = torch.release.map(|release| release.setuptools.clone()).unwrap_or_default();
    format!("setuptools{specifiers}")
}

/// The name of a distribution, normalized; `None` for packages of a system, and for what is no name.
fn distribution(draft: &mut Draft, package: &Installed) -> Option<String> {
    let catalogue = draft.catalogue.packages();
    let Ok(name) = PackageName::from_str(&package.name) else {
        if package.manager == Manager::Pip {
            let message = format!("`{}` is not the name of a distribution", shown(&package.name));
            draft.notes.push(Note::warning(message, package.origin.clone()));
        }
        return None;
    };
    let name = name.to_string();
    match package.manager {
        Manager::Pip => Some(name),
        Manager::System => None,
        Manager::Conda if catalogue.is_conda_system(&name) || catalogue.seems_conda_system(&name) => None,
        Manager::Conda => {
            let known = catalogue.of_conda(&name).unwrap_or(&name);
            Some(known.split('[').next().unwrap_or(known).to_owned())
        }
    }
}

/// What comes with torch's wheel is left to it: Triton in the version that the release asks for, and only in that one.
fn goes_with_torch(draft: &Draft, name: &str, package: &Installed, torch: &ChosenTorch) -> bool {
    if !draft.catalogue.replicas().comes_with_torch(name) {
        return false;
    }
    let other = |version: &Version| torch.release.is_some_and(|release| !release.triton.contains(version));
    let is_release = |version: &Version| !version.is_dev() && !version.is_pre();
    let version = package.version.parse::<Version>().ok().map(Version::without_local);
    !(name == "triton" && package.manager == Manager::Pip && version.is_some_and(|v| is_release(&v) && other(&v)))
}

/// A requirement on the reported version, or why there is none.
fn pinned(name: &str, package: &Installed, place: TorchPlace) -> Result<String, String> {
    if place == TorchPlace::Distribution {
        return Err("torch is the distribution's own here, with the packages that it asks for".to_owned());
    }
    if package.source.is_some() {
        return Err("it comes from a folder or a repository of the reporter's".to_owned());
    }
    let version: Version =
        package.version.parse().map_err(|_| format!("`{}` is no version", shown(&package.version)))?;
    if version.is_dev() {
        return Err("it is a nightly build, which is not kept".to_owned());
    }
    Ok(format!("{name}=={}", version.without_local()))
}

/// Hostile text, short and without what moves a cursor.
fn shown(text: &str) -> String {
    let short: String = text.chars().take(60).collect();
    short.escape_debug().to_string()
}
