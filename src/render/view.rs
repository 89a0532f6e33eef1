use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::arguments::{Command, dependencies, named_indexes, package};
use crate::model::{Builder, Choice, Installer, Origin, PackageManager, Plan, TorchSource};

/// The folder that a package is built in: a copy, so that what its back end leaves behind goes with it.
const BUILD_FOLDER: &str = "/tmp/source";

/// What the templates see: every name that they use, and no other. Conditions use top-level names only, because a
/// template engine takes a misspelt field in a condition for false.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a condition of the templates")]
pub(super) struct View {
    project: String,
    base: Base,
    python: Reason,
    interpreter: String,
    torch: Reason,
    package_manager: PackageManager,
    system: Vec<Reason>,
    user: String,
    /// Whether `RUN --mount` may be used.
    buildkit: bool,
    /// Whether extra certificate authorities come as a secret.
    ca_bundle: bool,
    /// The variables that come as a secret.
    secret_env: Vec<String>,
    /// Whether the environment also sees the distribution's own packages.
    system_site_packages: bool,
    installer: Reason,
    uses_uv: bool,
    /// The arguments with which pip fetches uv.
    uv_source: Command,
    /// Who named an extra index; empty where nobody did.
    extra_index: String,
    /// Who gave each index.
    indexes: Vec<Reason>,
    hashed: bool,
    /// The files that the installer reads, folder by folder. A list, as all is here: Tera keeps no order in maps.
    files: Vec<Folder>,
    folders: Vec<Reason>,
    /// Whether a requirement needs the whole project, so that its source comes before everything else.
    source_first: bool,
    dependencies: Vec<Command>,
    has_package: bool,
    package: Vec<Command>,
    package_why: String,
    build_folder: String,
    env: Vec<Variable>,
    run: Vec<String>,
    version: String,
}

#[derive(Debug, Serialize)]
struct Base {
    id: String,
    reference: String,
    suite: String,
    why: String,
}

/// Files of one folder.
#[derive(Debug, Serialize)]
struct Folder {
    /// The folder, relative to the root: empty, or with a `/` at its end.
    name: String,
    files: Vec<String>,
}

/// An environment variable.
#[derive(Debug, Serialize)]
struct Variable {
    name: String,
    value: String,
}

/// A thing and why it is there.
#[derive(Debug, Serialize)]
struct Reason {
    name: String,
    why: String,
}

impl Reason {
    fn new<T>(choice: &Choice<T>, name: &impl ToString) -> Self {
        Self { name: name.to_string(), why: why(&choice.because, &choice.requested) }
    }
}

/// A reason, with the file or flag that gave it; sconce's own defaults and facts need no address.
fn why(because: &str, requested: &Origin) -> String {
    match requested {
        Origin::Default | Origin::Catalogue { .. } => because.to_owned(),
        asked => format!("{because} ({asked})"),
    }
}

impl View {
    pub(super) fn new(plan: &Plan) -> Self {
        let base = &plan.base.value;
        let origin_of_index = |index: &crate::model::PlannedIndex| {
            let name = if index.secret { "an index that is not named here".to_owned() } else { index.url.clone() };
            Reason { name, why: index.origin.to_string() }
        };
        Self {
            project: plan.project.clone(),
            base: Base {
                id: base.id.clone(),
                reference: base.reference.clone(),
                suite: base.suite.clone(),
                why: why(&plan.base.because, &plan.base.requested),
            },
            python: Reason::new(&plan.python, &plan.python.value),
            interpreter: base.interpreter.clone(),
            torch: Reason::new(&plan.torch, &plan.torch.value.variant),
            package_manager: base.package_manager,
            system: plan.system.iter().map(|package| Reason::new(package, &package.value)).collect(),
            user: plan.user.clone(),
            buildkit: plan.builder == Builder::Buildkit,
            ca_bundle: plan.network.ca_bundle,
            secret_env: plan.network.secret_env.clone(),
            system_site_packages: plan.torch.value.source == TorchSource::Distribution,
            installer: Reason::new(&plan.installer, &plan.installer.value),
            uses_uv: plan.installer.value == Installer::Uv,
            uv_source: named_indexes(plan, false),
            extra_index: plan.extra_index.as_ref().map(ToString::to_string).unwrap_or_default(),
            indexes: plan.indexes.iter().map(origin_of_index).collect(),
            hashed: plan.hashed,
            files: by_folder(&plan.files),
            folders: plan.folders.iter().map(|folder| Reason::new(folder, &folder.value)).collect(),
            source_first: plan.folders.iter().any(|folder| folder.value == "."),
            dependencies: dependencies(plan),
            has_package: plan.package.is_some(),
            package: package(plan, BUILD_FOLDER),
            package_why: plan.package.as_ref().map(|p| format!("{} ({})", p.backend, p.origin)).unwrap_or_default(),
            build_folder: BUILD_FOLDER.to_owned(),
            env: plan.env.iter().map(|(name, value)| Variable { name: name.clone(), value: value.clone() }).collect(),
            run: plan.run.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

fn by_folder(files: &[String]) -> Vec<Folder> {
    let mut folders: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in files.iter().collect::<BTreeSet<_>>() {
        let folder = file.rsplit_once('/').map(|(folder, _)| format!("{folder}/")).unwrap_or_default();
        folders.entry(folder).or_default().push(file.clone());
    }
    folders.into_iter().map(|(name, files)| Folder { name, files }).collect()
}
