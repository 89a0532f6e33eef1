use crate::model::{Circumstances, Said};

/// What the log says of its machine, in one line: `Debian's Python 3.13, torch in the user's folder, g++`.
pub(super) fn line(found: &Circumstances) -> Option<String> {
    let Circumstances { torch, torch_place, compiler, isa, container, .. } = found;
    let torch = match (value(torch.as_ref()), value(torch_place.as_ref()).map(place)) {
        (Some(version), Some(place)) => Some(format!("torch {version} {place}")),
        (Some(version), None) => Some(format!("torch {version}")),
        (None, place) => place.map(|place| format!("torch {place}")),
    };
    let container = value(container.as_ref()).map(|container| place_of_run(container).to_owned());
    let parts = [
        python(found),
        torch,
        value(compiler.as_ref()).map(str::to_owned),
        value(isa.as_ref()).map(str::to_owned),
        container,
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn place_of_run(container: &str) -> &str {
    match container {
        "cluster" => "on a cluster",
        "colab" => "on Colab",
        "kaggle" => "on Kaggle",
        _ => "in a container",
    }
}

fn value(said: Option<&Said>) -> Option<&str> {
    said.map(|said| said.value.as_str())
}

/// The interpreter and the system that it runs on.
fn python(found: &Circumstances) -> Option<String> {
    let python =
        value(found.python.as_ref()).map_or_else(|| "Python".to_owned(), |version| format!("Python {version}"));
    let system = value(found.system.as_ref()).map(system);
    let on_system = |text: String| match system {
        Some(system) => format!("{text} on {system}"),
        None => text,
    };
    match (value(found.installation.as_ref()), system) {
        (Some("distribution"), Some(system)) => Some(format!("{system}'s {python}")),
        (Some("distribution"), None) => Some(format!("the distribution's {python}")),
        (Some("image"), _) => Some(on_system(format!("{python} below /usr/local"))),
        (Some("brew"), _) => Some(format!("Homebrew's {python}")),
        (Some("framework"), _) => Some(format!("python.org's {python}, on macOS")),
        (Some("deadsnakes"), _) => Some(format!("deadsnakes' {python}")),
        (Some("windows"), _) => Some(format!("{python} on Windows")),
        (Some(manager), _) => Some(on_system(format!("{manager}'s {python}"))),
        (None, Some(_)) if found.python.is_none() => system.map(str::to_owned),
        (None, _) => found.python.is_some().then(|| on_system(python)),
    }
}

fn system(name: &str) -> &str {
    match name {
        "debian" => "Debian",
        "ubuntu" => "Ubuntu",
        "rhel" => "RHEL",
        "fedora" => "Fedora",
        "alpine" => "Alpine",
        "arch" => "Arch",
        "nixos" => "NixOS",
        "suse" => "SUSE",
        "macos" => "macOS",
        "windows" => "Windows",
        "wsl" => "WSL",
        name => name,
    }
}

fn place(name: &str) -> &'static str {
    match name {
        "user" => "in the user's folder",
        "environment" => "in a virtual environment",
        "conda" => "in a conda environment",
        _ => "among the system's packages",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(value: &str) -> Said {
        Said { value: value.to_owned(), line: 1 }
    }

    #[test]
    fn a_machine_is_told_in_one_line() {
        let whole = Circumstances {
            python: Some(said("3.13")),
            installation: Some(said("distribution")),
            torch_place: Some(said("user")),
            torch: Some(said("2.15.0")),
            system: Some(said("debian")),
            compiler: Some(said("g++")),
            isa: Some(said("AVX2")),
            container: Some(said("docker")),
        };
        let told = "Debian's Python 3.13, torch 2.15.0 in the user's folder, g++, AVX2, in a container";
        assert_eq!(line(&whole).as_deref(), Some(told));
        let none = Circumstances::default;
        for (found, expected) in [
            (none(), None),
            (Circumstances { system: Some(said("ubuntu")), ..none() }, Some("Ubuntu")),
            (Circumstances { python: Some(said("3.12")), ..none() }, Some("Python 3.12")),
            (
                Circumstances { python: Some(said("3.12")), system: Some(said("wsl")), ..none() },
                Some("Python 3.12 on WSL"),
            ),
            (Circumstances { installation: Some(said("conda")), ..none() }, Some("conda's Python")),
            (Circumstances { installation: Some(said("distribution")), ..none() }, Some("the distribution's Python")),
            (Circumstances { torch_place: Some(said("system")), ..none() }, Some("torch among the system's packages")),
        ] {
            assert_eq!(line(&found).as_deref(), expected);
        }
    }
}
