//! A [`Replica`], written as a Dockerfile: broken as the reporter's environment was, or mended.

use std::collections::BTreeMap;

use serde::Serialize;
use tera::{Context, Tera};

use super::account::Account;
use super::reason::{Base, Reason, Variable, why};
use super::{Bounded, Dockerfile, TEMPLATES, quote};
use crate::model::{Builder, Defect, Error, ImageSetting, PackageManager, PythonProvider, Replica, Result, TorchPlace};

/// The template of replicas.
const TEMPLATE: &str = "Dockerfile.replica.tera";

/// The templates that only replicas have.
const OWN: [(&str, &str); 2] = [
    (TEMPLATE, include_str!("../../templates/Dockerfile.replica.tera")),
    ("Dockerfile.replica.pip.tera", include_str!("../../templates/Dockerfile.replica.pip.tera")),
];

/// The templates of images that replicas have parts of.
const SHARED: [&str; 6] = [
    "Dockerfile.apt.tera",
    "Dockerfile.dnf.tera",
    "Dockerfile.stage.tera",
    "Dockerfile.reset.tera",
    "Dockerfile.mounts.tera",
    "Dockerfile.trust.tera",
];

/// The folder of what installs where torch's place has no pip of its own; it goes with the step.
const HELPER: &str = "/tmp/sconce";

/// What replicas have of their own.
const FOLDER: &str = "/opt/sconce";

/// Which of its two images a replica is rendered for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// As the reporter's environment was, with its defect.
    Faithful,
    /// With the remedy.
    Fixed,
}

/// Renders the Dockerfile of one side of `replica`.
///
/// # Errors
///
/// A name or value that no quoting can carry into a Dockerfile, such as one with a newline in it, is wrong usage.
pub fn replica(replica: &Replica, side: Side) -> Result<Dockerfile> {
    let broken = |error: &tera::Error| {
        let message = format!("the Dockerfile of the replica cannot be written: {}", innermost(error));
        Error::usage(message)
    };
    let tera = engine().map_err(|error| broken(&error))?;
    let context = Context::from_serialize(&View::new(replica, side)).map_err(|error| broken(&error))?;
    let mut text = Bounded(Vec::new());
    tera.render_to(TEMPLATE, &context, &mut text).map_err(|error| broken(&error))?;
    let text = String::from_utf8(text.0).map_err(|error| Error::usage("the templates write no text").because(error))?;
    Ok(Dockerfile { text })
}

/// What an error is about, without the templates that it went through.
fn innermost(error: &tera::Error) -> String {
    let mut error: &dyn std::error::Error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

fn engine() -> tera::TeraResult<Tera> {
    let mut tera = Tera::new();
    quote::register(&mut tera);
    let shared = TEMPLATES.into_iter().filter(|(name, _)| SHARED.contains(name));
    tera.add_raw_templates(shared.chain(OWN).collect::<Vec<_>>())?;
    Ok(tera)
}

/// What the templates see.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a condition of the templates")]
struct View {
    base: Base,
    python: Reason,
    /// The command that starts the interpreter that the base or its provider brings.
    base_interpreter: String,
    provider: PythonProvider,
    package_manager: PackageManager,
    /// Whether the interpreter is a package of conda.
    in_prefix: bool,
    /// Whether torch is in a virtual environment.
    in_environment: bool,
    /// Whether torch is in the user's own folder.
    in_user_site: bool,
    /// The folder of programs of what is installed, where it is not among the usual ones.
    path: String,
    interpreter_packages: Vec<Reason>,
    tools: Vec<Reason>,
    toolchain: Vec<Reason>,
    sets_user: bool,
    sets_shell: bool,
    sets_entrypoint: bool,
    #[serde(flatten)]
    account: Shown,
    buildkit: bool,
    ca_bundle: bool,
    secret_env: Vec<String>,
    program_source: Vec<Vec<String>>,
    /// What installs: `pip` or `uv` in a folder of its own, or nothing where torch's place has pip.
    helper: &'static str,
    helper_folder: &'static str,
    own_folder: &'static str,
    /// The words of a command that installs, without what.
    install: Vec<String>,
    /// The requirement on torch; empty where the distribution brings it.
    torch: String,
    torch_why: String,
    place_why: String,
    requirements: Vec<Reason>,
    faithful: bool,
    /// What is wrong, and the failure that it makes; empty where nothing is.
    defect: String,
    failure: String,
    breaks: Vec<String>,
    fix: String,
    fix_packages: Vec<Reason>,
    fix_commands: Vec<String>,
    fix_pip: Vec<String>,
    env: Vec<Variable>,
    command: Vec<String>,
    version: &'static str,
    by_hand: String,
}

/// The user, as far as replicas need it.
#[derive(Debug, Serialize)]
struct Shown {
    user: String,
    owner: String,
    /// The account to make; empty where there is none to make.
    account: String,
    home: String,
}

impl View {
    fn new(replica: &Replica, side: Side) -> Self {
        let base = &replica.base.value;
        let place = replica.place.value;
        let defect = replica.defect.as_ref();
        let fix = defect.filter(|_| side == Side::Fixed).map(|defect| &defect.fix);
        let interpreter = replica.python_path().to_owned();
        let account = Account::of(&replica.user).shown();
        Self {
            base: Base::new(&replica.base),
            python: Reason::new(&replica.python, &replica.python.value),
            provider: base.provider,
            package_manager: base.package_manager,
            in_prefix: base.provider == PythonProvider::Conda,
            in_user_site: place == TorchPlace::User,
            in_environment: place == TorchPlace::Environment && base.provider != PythonProvider::Conda,
            path: path(replica, &account.home),
            interpreter_packages: Reason::all(&replica.interpreter),
            tools: Reason::all(&replica.tools),
            toolchain: Reason::all(&replica.toolchain),
            sets_user: base.sets.contains(&ImageSetting::User),
            sets_shell: base.sets.contains(&ImageSetting::Shell),
            sets_entrypoint: base.sets.contains(&ImageSetting::Entrypoint),
            buildkit: replica.builder == Builder::Buildkit,
            ca_bundle: replica.network.ca_bundle,
            secret_env: replica.network.secret_env.clone(),
            program_source: indexes(replica, false),
            helper: helper(replica),
            helper_folder: HELPER,
            own_folder: FOLDER,
            install: install(replica, &interpreter, &account.home),
            torch: torch(replica),
            torch_why: why(&replica.torch.because, &replica.torch.requested),
            place_why: why(&replica.place.because, &replica.place.requested),
            requirements: Reason::all(&replica.requirements),
            faithful: side == Side::Faithful,
            defect: defect.map(|defect| defect.title.clone()).unwrap_or_default(),
            failure: defect.map(|defect| defect.failure.clone()).unwrap_or_default(),
            breaks: defect.map(|defect| defect.breaks.clone()).unwrap_or_default(),
            fix: fix.map(|fix| fix.title.clone()).unwrap_or_default(),
            fix_packages: fix.map(|fix| fix_packages(fix.packages.as_slice())).unwrap_or_default(),
            fix_commands: fix.map(|fix| fix.commands.clone()).unwrap_or_default(),
            fix_pip: fix.map(|fix| fix.pip.clone()).unwrap_or_default(),
            env: env(replica, defect, side),
            base_interpreter: base.interpreter.clone(),
            command: vec![interpreter],
            version: env!("CARGO_PKG_VERSION"),
            by_hand: by_hand(replica),
            account,
        }
    }
}

fn fix_packages(packages: &[String]) -> Vec<Reason> {
    packages.iter().map(|name| Reason { name: name.clone(), why: "it was missing".to_owned() }).collect()
}

impl Account {
    fn shown(self) -> Shown {
        let owner = if self.made.is_empty() { self.owner } else { "1000:1000".to_owned() };
        Shown { user: self.user, owner, account: self.made, home: self.home }
    }
}

/// The interpreter with its folder: pip takes no bare name for another's.
fn in_full(interpreter: &str, provider: PythonProvider) -> String {
    match provider {
        _ if interpreter.starts_with('/') => interpreter.to_owned(),
        PythonProvider::Image => format!("/usr/local/bin/{interpreter}"),
        _ => format!("/usr/bin/{interpreter}"),
    }
}

fn path(replica: &Replica, home: &str) -> String {
    let uv = replica.base.value.provider == PythonProvider::Uv;
    match replica.place.value {
        TorchPlace::Environment | TorchPlace::Conda => "/opt/venv/bin".to_owned(),
        TorchPlace::User if uv => format!("{home}/.local/bin:/opt/python/bin"),
        TorchPlace::User => format!("{home}/.local/bin"),
        TorchPlace::System if uv => "/opt/python/bin".to_owned(),
        TorchPlace::System | TorchPlace::Distribution => String::new(),
    }
}

/// What installs, and is fetched for that: uv for a build that the primary index does not have, since it knows where that is;
/// pip where torch's place has none, or an old one.
fn helper(replica: &Replica) -> &'static str {
    match replica.place.value {
        TorchPlace::Distribution => "",
        _ if replica.torch.value.index.is_some() => "uv",
        TorchPlace::Environment | TorchPlace::Conda => "",
        TorchPlace::User | TorchPlace::System => "pip",
    }
}

/// The words of a command that installs into torch's place. Nothing is built from source: what that would need is not there
/// yet, and it may take hours.
fn install(replica: &Replica, interpreter: &str, home: &str) -> Vec<String> {
    let place = replica.place.value;
    let uv = helper(replica) == "uv";
    let program = format!("{HELPER}/bin/{}", helper(replica));
    let interpreter = &in_full(interpreter, replica.base.value.provider);
    let mut words: Vec<&str> = match helper(replica) {
        "uv" => vec![&program, "pip", "install", "--python", interpreter],
        "pip" => vec![&program, "--python", interpreter, "install"],
        _ => vec![interpreter, "-m", "pip", "install"],
    };
    let prefix = format!("{home}/.local");
    match place {
        TorchPlace::User if uv => words.extend(["--prefix", &prefix]),
        TorchPlace::User => words.extend(["--user", "--break-system-packages"]),
        TorchPlace::System => words.extend(["--break-system-packages"]),
        TorchPlace::Environment | TorchPlace::Conda | TorchPlace::Distribution => {}
    }
    words.extend(["--only-binary", ":all:"]);
    let named = indexes(replica, uv);
    words.extend(named.iter().flatten().map(String::as_str));
    words.extend(replica.torch.value.index.iter().flat_map(|name| ["--torch-backend", name]));
    words.into_iter().map(str::to_owned).collect()
}

/// The indexes whose URLs may be seen.
fn indexes(replica: &Replica, uv: bool) -> Vec<Vec<String>> {
    let [primary, extra] = if uv { ["--default-index", "--index"] } else { ["--index-url", "--extra-index-url"] };
    let open = replica.indexes.iter().filter(|index| !index.secret && index.packages.is_empty());
    open.map(|index| [if index.primary { primary } else { extra }, &index.url].map(str::to_owned).to_vec()).collect()
}

fn torch(replica: &Replica) -> String {
    if replica.place.value == TorchPlace::Distribution {
        return String::new();
    }
    match &replica.torch.value.version {
        Some(version) => format!("torch=={version}"),
        None => "torch".to_owned(),
    }
}

/// The variables: the replica's, over them those that break it, and over all those that mend it.
fn env(replica: &Replica, defect: Option<&Defect>, side: Side) -> Vec<Variable> {
    let mut env: BTreeMap<String, String> = replica.env.clone();
    if let Some(defect) = defect {
        env.extend(defect.env.clone());
        if side == Side::Fixed {
            env.extend(defect.fix.env.clone());
        }
    }
    env.into_iter().map(|(name, value)| Variable { name, value }).collect()
}

fn by_hand(replica: &Replica) -> String {
    let ca = replica.network.ca_bundle.then_some("--secret id=sconce-ca,src=CA.pem");
    let env = (!replica.network.secret_env.is_empty()).then_some("--secret id=sconce-env,src=VARIABLES.sh");
    ["docker build"].into_iter().chain(ca).chain(env).chain(["- < Dockerfile"]).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::own;
    use super::*;

    /// A misspelt name in a condition is silently false in Tera, so the names are held against each other.
    #[test]
    fn templates_use_every_name_that_they_are_given_and_no_other() {
        let tera = engine().unwrap();
        let mut used: BTreeSet<String> = BTreeSet::new();
        let mut names: Vec<&str> = OWN.iter().map(|(name, _)| *name).collect();
        names.extend(SHARED);
        for name in names {
            used.extend(tera.get_template_variables(name).unwrap().into_iter().map(ToOwned::to_owned));
        }
        for name in OWN.iter().flat_map(|(_, text)| own::set(text)) {
            used.remove(&name);
        }
        let given = serde_json::to_value(View::new(&super::super::tests::replica(), Side::Fixed)).unwrap();
        let given: BTreeSet<String> = given.as_object().unwrap().keys().cloned().collect();
        assert_eq!(used, given);
    }

    #[test]
    fn a_value_with_a_newline_is_refused() {
        let good = super::super::tests::replica();
        assert!(replica(&good, Side::Faithful).is_ok());
        let hostile = || "x\nRUN id".to_owned();
        for set in [
            (|one: &mut Replica, text: String| one.env = BTreeMap::from([("A".to_owned(), text)]))
                as fn(&mut Replica, String),
            |one, text| one.env = BTreeMap::from([(text, "a".to_owned())]),
            |one, text| one.user = text,
            |one, text| one.base.value.reference = text,
            |one, text| one.toolchain[0].value = text,
            |one, text| one.requirements[0].value = text,
        ] {
            let mut one = good.clone();
            set(&mut one, hostile());
            assert!(replica(&one, Side::Faithful).is_err());
        }
    }
}
