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

/// The remedies with those for this machine first, those that cannot work on it last, and otherwise as they stand.
pub(super) fn ordered(mut remedies: Vec<Remedy>, environment: bool, circumstances: &Circumstances) -> Vec<Remedy> {
    let preferred = if environment { of_environment(circumstances) } else { of_system(circumstances) };
    remedies.sort_by_key(|remedy| rank(remedy, &preferred, circumstances));
    remedies
}

/// How well a remedy fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// It is for what the log says, and for nothing else.
    Exact,
    /// Who reads the log of an image's build mends the Dockerfile.
    Build,
    /// Its place among the platforms of this machine.
    Preferred(usize),
    Open,
    /// It is of another installation than the one in the log.
    Foreign,
    /// It is for other machines alone.
    Other,
    /// The log says that it cannot work.
    Excluded,
}

fn rank(remedy: &Remedy, preferred: &[&str], circumstances: &Circumstances) -> Rank {
    let Circumstances { installation, system, container, .. } = circumstances;
    let said: Vec<&str> =
        [installation, system, container].into_iter().filter_map(|said| value(said.as_ref())).collect();
    let fits = said.iter().any(|said| remedy.fits.iter().any(|fits| fits == said));
    let builds = said.contains(&"build");
    let place = preferred.iter().position(|platform| *platform == remedy.platform);
    match remedy.platform.as_str() {
        _ if fits => Rank::Exact,
        _ if is_excluded(remedy, &said) => Rank::Excluded,
        _ if !remedy.fits.is_empty() && !said.is_empty() => Rank::Other,
        "docker" if builds && remedy.commands.first().is_some_and(|command| is_instruction(command)) => Rank::Build,
        "conda" | "pyenv" if place.is_none() && !said.is_empty() => Rank::Foreign,
        _ => place.map_or(Rank::Open, Rank::Preferred),
    }
}

/// Whether a line is one of a Dockerfile, and no command.
fn is_instruction(line: &str) -> bool {
    let word = line.split(' ').next().unwrap_or_default();
    !word.is_empty() && word.chars().all(|letter| letter.is_ascii_uppercase())
}

/// Whether what the log says rules the remedy out, by its platform or by the package manager that it calls.
fn is_excluded(remedy: &Remedy, said: &[&str]) -> bool {
    let calls = |manager: &str| remedy.commands.iter().any(|line| line.split_whitespace().any(|word| word == manager));
    let is_for = |platform: &str| remedy.platform == platform;
    let among = |values: &[&str]| values.iter().any(|value| said.contains(value));
    let debian = among(&["debian", "ubuntu", "wsl", "colab", "kaggle"]);
    let red_hat = among(&["rhel", "fedora"]);
    let desktop = among(&["macos", "windows"]);
    let other = desktop || among(&["alpine", "arch", "nixos", "suse"]);
    // Nobody is root on a cluster, and a notebook is no image of its user's.
    let cluster = among(&["cluster"]);
    match () {
        () if is_for("apt") || calls("apt-get") => red_hat || other || cluster,
        () if is_for("dnf") || calls("dnf") => debian || other || cluster,
        () if is_for("brew") => debian || red_hat || cluster || (other && !among(&["macos"])),
        () if is_for("windows") => debian || red_hat || cluster || (other && !among(&["windows"])),
        () if is_for("pyenv") => among(&["windows"]),
        () if is_for("docker") => desktop || cluster || among(&["colab", "kaggle"]),
        () => false,
    }
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
        // What holds anywhere is better than what is for a system that this is not.
        Some(_) => &["any"],
        None => &[],
    };
    [by_installation, by_system].concat()
}

/// The platforms of what is missing beside torch. Where nothing says how packages are installed, it is pip that can.
fn of_environment(circumstances: &Circumstances) -> Vec<&'static str> {
    let installation = value(circumstances.installation.as_ref());
    match (value(circumstances.torch_place.as_ref()), installation) {
        (Some("conda"), _) | (None, Some("conda")) => vec!["conda", "any"],
        (Some("system"), Some("distribution")) => of_system(circumstances),
        (_, Some("uv")) => vec!["uv", "any"],
        _ => vec!["any", "uv"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remedy(name: &str, command: &str, fits: &[&str]) -> Remedy {
        Remedy {
            platform: name.to_owned(),
            note: None,
            commands: vec![command.to_owned()],
            fits: fits.iter().map(|value| (*value).to_owned()).collect(),
        }
    }

    fn circumstances(installation: Option<&str>, system: Option<&str>, container: Option<&str>) -> Circumstances {
        let said = |value: Option<&str>| value.map(|value| Said { value: value.to_owned(), line: 1 });
        Circumstances {
            installation: said(installation),
            system: said(system),
            container: said(container),
            ..Circumstances::default()
        }
    }

    fn order(remedies: &[Remedy], environment: bool, here: &Circumstances) -> Vec<String> {
        ordered(remedies.to_vec(), environment, here).into_iter().map(|remedy| remedy.platform).collect()
    }

    #[test]
    fn what_the_log_rules_out_never_comes_first() {
        let all = ["apt", "dnf", "brew", "conda", "docker", "windows", "any"].map(|name| match name {
            "docker" => remedy(name, "RUN apt-get install -y g++", &[]),
            _ => remedy(name, "x", &[]),
        });
        for (system, first) in [
            ("debian", "apt"),
            ("wsl", "apt"),
            ("fedora", "dnf"),
            ("alpine", "any"),
            ("arch", "any"),
            ("suse", "any"),
            ("nixos", "any"),
            ("macos", "brew"),
            ("windows", "windows"),
        ] {
            assert_eq!(order(&all, false, &circumstances(None, Some(system), None))[0], first, "{system}");
        }
        // Without a remedy of its own, too.
        let lent = [remedy("docker", "FROM x", &[]), remedy("apt", "x", &[]), remedy("uv", "x", &[])];
        assert_eq!(order(&lent, false, &circumstances(None, Some("windows"), None)), ["uv", "docker", "apt"]);
        assert_eq!(order(&lent, false, &circumstances(None, Some("rhel"), Some("cluster")))[0], "uv");
        assert_eq!(order(&lent, false, &circumstances(None, None, Some("colab"))), ["apt", "uv", "docker"]);
    }

    #[test]
    fn what_is_for_this_machine_alone_comes_first() {
        let some = [
            remedy("docker", "RUN apt-get install -y python3-dev", &[]),
            remedy("docker", "COPY --from=python:3.13-slim / /", &["image"]),
            remedy("any", "x", &[]),
        ];
        let first = |here: &Circumstances| ordered(some.to_vec(), false, here)[0].commands[0].clone();
        assert!(first(&circumstances(Some("image"), None, None)).starts_with("COPY"));
        assert!(first(&Circumstances::default()).starts_with("RUN"));
        let elsewhere = ordered(some.to_vec(), false, &circumstances(Some("distribution"), None, None));
        assert!(elsewhere[2].commands[0].starts_with("COPY"), "{elsewhere:?}");
    }

    #[test]
    fn who_builds_an_image_mends_the_dockerfile() {
        let some = [
            remedy("apt", "apt-get install g++", &[]),
            remedy("docker", "docker run --shm-size 8g IMAGE", &[]),
            remedy("docker", "RUN apt-get install -y g++", &[]),
        ];
        let first = |system| ordered(some.to_vec(), false, &circumstances(None, Some(system), Some("build"))).remove(0);
        assert_eq!(first("debian").commands[0], "RUN apt-get install -y g++");
        assert_eq!(first("alpine").commands[0], "docker run --shm-size 8g IMAGE");
    }

    #[test]
    fn packages_are_installed_by_what_installed_the_others() {
        let some = ["uv", "any", "conda", "apt"].map(|name| remedy(name, "x", &[]));
        for (installation, first) in [
            (None, "any"),
            (Some("uv"), "uv"),
            (Some("conda"), "conda"),
            (Some("pyenv"), "any"),
            (Some("image"), "any"),
        ] {
            assert_eq!(order(&some, true, &circumstances(installation, None, None))[0], first, "{installation:?}");
        }
        let mut user = circumstances(Some("distribution"), Some("debian"), None);
        user.torch_place = Some(Said { value: "user".to_owned(), line: 1 });
        assert_eq!(order(&some, true, &user)[0], "any");
    }
}
