use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::account::Account;
use super::arguments::{Call, Lines, dependencies, named_indexes, package, uv_lock};
use super::reason::{Base, Reason, Variable};
use super::written::{FOLDER, Written, bound_file, files};
use crate::model::{
    Builder, Choice, ImageSetting, Installer, Origin, PackageManager, Plan, PythonProvider, TorchBuild, TorchSource,
    Variant,
};

/// The folder that a package is built in: a copy, so that what its back end leaves behind goes with it.
const BUILD_FOLDER: &str = "/tmp/sconce/source";

/// The annotation that names the image an image was made from
/// (<https://github.com/opencontainers/image-spec/blob/main/annotations.md>).
const BASE_NAME: &str = "org.opencontainers.image.base.name";

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
    /// What the stage that fetches the interpreter needs; empty where there is none.
    tools: Vec<Reason>,
    provider: PythonProvider,
    /// Whether the interpreter is a package of conda, in a prefix that is no virtual environment.
    in_prefix: bool,
    /// Whether the installer makes the environment, with its interpreter.
    environment_by_installer: bool,
    sets_user: bool,
    sets_shell: bool,
    sets_entrypoint: bool,
    /// What containers run as, and all that a Dockerfile needs to know of it.
    #[serde(flatten)]
    account: Account,
    workdir: String,
    entrypoint: Vec<String>,
    command: Vec<String>,
    ports: Vec<String>,
    /// The labels, sconce's own among them; the base's name comes besides, where none of them has its key.
    labels: Vec<Variable>,
    names_base: bool,
    /// The words of the health check; empty for none.
    healthcheck: Vec<String>,
    /// The command that builds the Dockerfile without sconce.
    by_hand: String,
    architecture: String,
    /// Whether `RUN --mount` may be used.
    buildkit: bool,
    /// Whether extra certificate authorities come as a secret.
    ca_bundle: bool,
    /// The variables that come as a secret.
    secret_env: Vec<String>,
    /// Whether the environment also sees the distribution's own packages.
    system_site_packages: bool,
    installer: Reason,
    /// The installer as its command is called.
    program: &'static str,
    /// What pip installs to have it; empty for pip itself.
    program_distribution: &'static str,
    /// The arguments with which pip fetches it.
    program_source: Lines,
    /// The folder of a step's temporary files.
    step_folder: &'static str,
    /// The lock that is followed; empty where there is none.
    lock: String,
    /// Why it is.
    lock_why: String,
    /// Whether that is uv's own.
    follows_uv_lock: bool,
    /// The files that are written for the installer.
    files_written: Vec<Written>,
    /// Whether requirements are bound to one index each.
    has_bound: bool,
    /// What is built without isolation.
    unisolated: Vec<Reason>,
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
    dependencies: Vec<Call>,
    /// Whether a second call installs what comes with the source.
    installs_source: bool,
    package: Vec<Call>,
    package_why: String,
    build_folder: String,
    env: Vec<Variable>,
    run: Vec<String>,
}

/// Files of one folder.
#[derive(Debug, Serialize)]
struct Folder {
    /// The folder, relative to the root: empty, or with a `/` at its end.
    name: String,
    files: Vec<String>,
}

/// What torch will be built for, with what it needs.
fn torch(choice: &Choice<TorchBuild>) -> Reason {
    let TorchBuild { variant, prediction, .. } = &choice.value;
    let variant = if prediction.variant == Variant::Any { variant } else { &prediction.variant };
    let needs = prediction.needs();
    let name = if needs.is_empty() { variant.to_string() } else { format!("{variant} ({needs})") };
    Reason::new(choice, &name)
}

impl View {
    pub(super) fn new(plan: &Plan) -> Self {
        let base = &plan.base.value;
        let origin_of_index = |index: &crate::model::PlannedIndex| {
            let name = if index.secret { "an index that is not named here".to_owned() } else { index.url.clone() };
            let only = index.packages.join(", ");
            let why = index.origin.to_string();
            Reason { name, why: if only.is_empty() { why } else { format!("{why}, for {only} alone") } }
        };
        Self {
            project: plan.project.clone(),
            base: Base::new(&plan.base),
            python: Reason::new(&plan.python, &plan.python.value),
            interpreter: base.interpreter.clone(),
            torch: torch(&plan.torch),
            package_manager: base.package_manager,
            tools: plan.tools.iter().map(|package| Reason::new(package, &package.value)).collect(),
            provider: base.provider,
            in_prefix: matches!(base.provider, PythonProvider::Conda | PythonProvider::Pixi),
            environment_by_installer: matches!(plan.installer.value, Installer::Micromamba | Installer::Pixi),
            sets_user: base.sets.contains(&ImageSetting::User),
            sets_shell: base.sets.contains(&ImageSetting::Shell),
            sets_entrypoint: base.sets.contains(&ImageSetting::Entrypoint),
            system: plan.system.iter().map(|package| Reason::new(package, &package.value)).collect(),
            account: Account::of(&plan.image.user),
            workdir: plan.image.workdir.clone(),
            entrypoint: plan.image.entrypoint.clone(),
            command: command(plan),
            ports: plan.image.ports.clone(),
            labels: labels(plan),
            names_base: !plan.image.labels.contains_key(BASE_NAME),
            healthcheck: plan.image.healthcheck.iter().flat_map(|text| ["sh", "-c", text].map(str::to_owned)).collect(),
            by_hand: by_hand(plan),
            architecture: plan.architecture.value.clone(),
            buildkit: plan.builder == Builder::Buildkit,
            ca_bundle: plan.network.ca_bundle,
            secret_env: plan.network.secret_env.clone(),
            system_site_packages: plan.torch.value.source == TorchSource::Distribution,
            installer: Reason::new(&plan.installer, &plan.installer.value),
            program: program(plan.installer.value).0,
            program_distribution: program(plan.installer.value).1,
            program_source: named_indexes(plan, false),
            step_folder: FOLDER,
            lock: plan.lock.as_ref().map(|lock| lock.value.path.clone()).unwrap_or_default(),
            lock_why: plan.lock.as_ref().map(|lock| lock.because.clone()).unwrap_or_default(),
            follows_uv_lock: uv_lock(plan).is_some(),
            files_written: files(plan),
            has_bound: plan.lock.is_none() && bound_file(plan).is_some(),
            unisolated: plan
                .unisolated
                .iter()
                .map(|requirement| Reason::new(requirement, &requirement.value))
                .collect(),
            extra_index: plan.extra_index.as_ref().map(ToString::to_string).unwrap_or_default(),
            indexes: plan.indexes.iter().map(origin_of_index).collect(),
            hashed: plan.hashed,
            files: by_folder(&plan.files),
            folders: plan.folders.iter().map(|folder| Reason::new(folder, &folder.value)).collect(),
            source_first: plan.folders.iter().any(|folder| folder.value == "."),
            dependencies: dependencies(plan),
            installs_source: plan.package.is_some() || uv_lock(plan).is_some_and(|lock| lock.local),
            package: package(plan, BUILD_FOLDER),
            package_why: plan.package.as_ref().map(|p| format!("{} ({})", p.backend, p.origin)).unwrap_or_default(),
            build_folder: BUILD_FOLDER.to_owned(),
            env: plan.env.iter().map(|(name, value)| Variable { name: name.clone(), value: value.clone() }).collect(),
            run: plan.run.clone(),
        }
    }
}

/// An installer's command, and the distribution that brings it. PDM comes with the versions that it was tested with: newer
/// ones of what it needs have broken it (<https://pdm-project.org/latest/#installation>).
fn program(installer: Installer) -> (&'static str, &'static str) {
    match installer {
        Installer::Uv => ("uv", "uv"),
        Installer::Poetry => ("poetry", "poetry"),
        Installer::Pdm => ("pdm", "pdm[locked]"),
        Installer::Pipenv => ("pipenv", "pipenv"),
        Installer::Pip | Installer::Micromamba | Installer::Pixi => ("pip", ""),
    }
}

/// The default command: what was asked for, and an interpreter where nothing was. An entry point without a command takes
/// the base's away with it.
fn command(plan: &Plan) -> Vec<String> {
    let nothing = plan.image.command.is_empty() && plan.image.entrypoint.is_empty();
    if nothing { vec!["python".to_owned()] } else { plan.image.command.clone() }
}

/// What is known of the image, and over it what was asked for.
fn labels(plan: &Plan) -> Vec<Variable> {
    let title = ("org.opencontainers.image.title".to_owned(), plan.project.clone());
    let version = ("dev.sconce.version".to_owned(), env!("CARGO_PKG_VERSION").to_owned());
    let mut labels = BTreeMap::from([title, version]);
    labels.extend(plan.image.labels.clone());
    labels.into_iter().map(|(name, value)| Variable { name, value }).collect()
}

fn by_hand(plan: &Plan) -> String {
    let mut words = vec!["docker build".to_owned()];
    if !matches!(plan.architecture.requested, Origin::Default | Origin::Engine) {
        words.push(format!("--platform linux/{}", plan.architecture.value));
    }
    words.extend(plan.network.ca_bundle.then(|| "--secret id=sconce-ca,src=CA.pem".to_owned()));
    words.extend((!plan.network.secret_env.is_empty()).then(|| "--secret id=sconce-env,src=VARIABLES.sh".to_owned()));
    words.push(".".to_owned());
    words.join(" ")
}

fn by_folder(files: &[String]) -> Vec<Folder> {
    let mut folders: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in files.iter().collect::<BTreeSet<_>>() {
        let folder = file.rsplit_once('/').map(|(folder, _)| format!("{folder}/")).unwrap_or_default();
        folders.entry(folder).or_default().push(file.clone());
    }
    folders.into_iter().map(|(name, files)| Folder { name, files }).collect()
}
