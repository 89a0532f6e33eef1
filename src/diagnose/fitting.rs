//! What fits the machine that a log was written on: the values of a text, and the order of the remedies.

use super::scan::is_harmless;
use crate::model::{Circumstances, Remedy, Said};

/// What the circumstances say of a value. A package is named by a version's first two numbers, and `2.12 or newer` is none.
pub(super) fn known(name: &str, circumstances: &Circumstances) -> Option<String> {
    let value = match name {
        "python" => minor(value(circumstances.python.as_ref())?),
        "torch" => Some(value(circumstances.torch.as_ref())?.to_owned()).filter(|version| !version.contains(' ')),
        "compiler" => Some(value(circumstances.compiler.as_ref())?.to_owned()),
        "isa" => Some(value(circumstances.isa.as_ref())?.to_owned()),
        _ => None,
    };
    value.filter(|value| is_harmless(value))
}

fn minor(version: &str) -> Option<String> {
    let (major, rest) = version.split_once('.')?;
    Some(format!("{major}.{}", rest.split('.').next()?))
}

fn value(said: Option<&Said>) -> Option<&str> {
    said.map(|said| said.value.as_str())
}

/// The remedies with those of this machine first, and otherwise as they stand.
pub(super) fn ordered(mut remedies: Vec<Remedy>, environment: bool, circumstances: &Circumstances) -> Vec<Remedy> {
    let preferred = if environment { of_environment(circumstances) } else { of_system(circumstances) };
    let place = |remedy: &Remedy| preferred.iter().position(|platform| *platform == remedy.platform);
    remedies.sort_by_key(|remedy| place(remedy).unwrap_or(preferred.len()));
    // Who reads the log of an image's build mends the Dockerfile.
    let builds = value(circumstances.container.as_ref()) == Some("build");
    let docker = remedies.iter().position(|remedy| remedy.platform == "docker");
    if let Some(docker) = docker.filter(|docker| builds && *docker > 1) {
        remedies[1..=docker].rotate_right(1);
    }
    remedies
}

/// The platforms of what is missing on the system.
fn of_system(circumstances: &Circumstances) -> Vec<&'static str> {
    let by_installation: &[_] = match value(circumstances.installation.as_ref()) {
        Some("conda") => &["conda"],
        Some("pyenv") => &["pyenv"],
        Some("uv") => &["uv"],
        Some("brew" | "framework") => &["brew"],
        Some("windows") => &["windows"],
        Some("image") => &["docker"],
        _ => &[],
    };
    let by_system: &[_] = match value(circumstances.system.as_ref()) {
        Some("debian" | "ubuntu" | "wsl") => &["apt"],
        Some("rhel" | "fedora") => &["dnf"],
        Some("macos") => &["brew"],
        Some("windows") => &["windows"],
        _ => &[],
    };
    [by_installation, by_system].concat()
}

/// The platforms of what is missing beside torch.
fn of_environment(circumstances: &Circumstances) -> Vec<&'static str> {
    let installation = value(circumstances.installation.as_ref());
    match (value(circumstances.torch_place.as_ref()), installation) {
        (Some("conda"), _) | (None, Some("conda")) => vec!["conda"],
        (Some("system"), Some("distribution")) => of_system(circumstances),
        (_, Some("uv")) => vec!["uv"],
        (Some(_), _) => vec!["any", "uv"],
        (None, _) => Vec::new(),
    }
}
