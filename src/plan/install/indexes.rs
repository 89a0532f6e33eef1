//! Where distributions come from, and what of the network that takes.

use std::collections::BTreeSet;

use super::super::PlanOptions;
use super::super::target::Target;
use crate::model::{
    Builder, Choice, Error, Index, IndexRole, Installer, ManifestKind, Network, Origin, PlannedIndex, PlannedLock,
    Project, Result,
};

/// The indexes that the installer is given on top of those that it reads in requirements files: those that other files
/// of the project name, as far as they apply, and those that were asked for. A lock says itself where all in it comes
/// from; then they serve what it does not have.
pub(in crate::plan) fn indexes(
    project: &Project,
    target: &Target,
    options: &PlanOptions,
    (installer, lock): (Installer, Option<&PlannedLock>),
) -> Vec<PlannedIndex> {
    let named = project.indexes.iter().filter(|index| !reads_itself(project, index) && applies(index, target));
    let counts = |index: &&Index| lock.is_none() || (index.role == IndexRole::Primary && !index.explicit);
    let binds = |index: &Index| installer == Installer::Uv && lock.is_none() && !index.bindings.is_empty();
    // What was asked for stands in place of the project's own primary index.
    let asked = options.indexes.iter().any(|index| index.primary);
    let mut indexes = Vec::new();
    for index in named.filter(counts).filter(|index| !overruled(index, options)) {
        let primary = index.role == IndexRole::Primary;
        if !(primary || index.role == IndexRole::Extra) {
            continue;
        }
        let planned = |packages| PlannedIndex {
            url: index.url.clone(),
            primary,
            secret: false,
            name: index.name.clone(),
            packages,
            origin: index.origin.clone(),
        };
        if binds(index) {
            let bound = index.bindings.iter().filter(|binding| target.environment.binds(binding));
            let bound: BTreeSet<String> = bound.map(|binding| binding.package.clone()).collect();
            indexes.extend((!bound.is_empty()).then(|| planned(bound.into_iter().collect())));
        }
        if !(asked && primary || binds(index) && index.explicit) {
            indexes.push(planned(Vec::new()));
        }
    }
    indexes.extend(options.indexes.iter().cloned());
    indexes
}

/// Whether an index has torch in a build, while the command line asks for another.
pub(in crate::plan) fn overruled(index: &Index, options: &PlanOptions) -> bool {
    options.variant.is_some() && index.explicit && index.bindings.iter().any(|binding| binding.package == "torch")
}

/// The pages and folders of archives that stand in no file that the installer reads.
pub(in crate::plan) fn find_links(
    project: &Project,
    target: &Target,
    lock: Option<&PlannedLock>,
) -> Vec<Choice<String>> {
    let pages = project.indexes.iter().filter(|index| index.role == IndexRole::FindLinks && lock.is_none());
    let pages = pages.filter(|index| !reads_itself(project, index) && applies(index, target));
    pages.map(|index| Choice::new(index.url.clone(), index.origin.clone(), "archives are looked for there")).collect()
}

/// Whether an index stands in a file that the installer itself reads.
fn reads_itself(project: &Project, index: &Index) -> bool {
    let Origin::File { file, .. } = &index.origin else { return false };
    let others = project.manifests.iter().any(|m| m.kind != ManifestKind::Requirements && m.path == *file);
    !others && project.manifests.iter().any(|m| m.kind == ManifestKind::Requirements)
}

/// Whether an index serves anything that is asked for.
fn applies(index: &Index, target: &Target) -> bool {
    !index.explicit || index.bindings.iter().any(|binding| target.environment.binds(binding))
}

/// Who first named an index besides the primary one from which any distribution may come.
pub(in crate::plan) fn extra_index(project: &Project, indexes: &[PlannedIndex]) -> Option<Origin> {
    let read = project.indexes.iter().filter(|index| index.role == IndexRole::Extra && reads_itself(project, index));
    let given = indexes.iter().filter(|index| !index.primary && index.packages.is_empty());
    read.map(|index| &index.origin).chain(given.map(|index| &index.origin)).next().cloned()
}

/// What the build needs of the network, as it was given; the classic builder can keep no secret.
pub(in crate::plan) fn network(options: &PlanOptions) -> Result<Network> {
    let network = options.network.clone();
    let credentials = network.secret_env.first().map(|name| format!("`{name}`"));
    let secret = credentials.or(network.ca_bundle.then(|| "the CA bundle".to_owned()));
    match secret.filter(|_| options.builder == Some(Builder::Classic)) {
        None => Ok(network),
        Some(secret) => Err(Error::no(format!("the classic builder cannot keep {secret} out of the image"))
            .with_hint("use an engine with BuildKit (Docker 20.10 or later, without `DOCKER_BUILDKIT=0`)")),
    }
}

/// The grammar of a variable's name (POSIX, "Name").
pub(in crate::plan) fn check_variable(name: &str, origin: &Origin) -> Result<()> {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if starts && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Ok(());
    }
    Err(Error::usage(format!("`{}` is not the name of a variable", name.escape_debug())).at(origin.clone()))
}
