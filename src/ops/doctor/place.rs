//! Where a remedy has to work: the system's packages, and where the interpreter came from.

use crate::model::{Finding, Remedy};

/// What the remedies have to fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The system's own package manager, by the name that remedies have for it.
    manager: Option<&'static str>,
    /// What installed the interpreter, where that was not the system's package manager.
    installer: Option<&'static str>,
    /// Whether the interpreter's headers and packages are the system's own.
    distribution: bool,
    /// Whether its packages are kept by uv.
    uv: bool,
    /// Whether it is an image's.
    image: bool,
}

impl Place {
    /// The place of the interpreter that `findings` are of; `path` is where it is on this machine.
    pub(super) fn of(findings: &[Finding], path: Option<&str>) -> Self {
        let python = findings.iter().find(|finding| finding.id == "python");
        let fact = |name: &str| python.and_then(|finding| finding.facts.get(name));
        let text = |name: &str| fact(name).and_then(|value| value.as_str()).unwrap_or_default();
        let is = |name: &str| fact(name).and_then(serde_json::Value::as_bool).unwrap_or(false);
        let base = text("base_prefix");
        Self {
            manager: if text("system").is_empty() && path.is_some() { own_manager() } else { manager(text("system")) },
            installer: if is("conda") { Some("conda") } else { installer(base) },
            distribution: base == "/usr" && !is("virtual"),
            uv: is("uv"),
            image: path.is_none(),
        }
    }

    /// This machine, where it has no interpreter that could be asked.
    pub(super) fn of_machine() -> Self {
        Self { manager: own_manager(), installer: None, distribution: false, uv: false, image: false }
    }

    /// The remedies that fit here for the finding `id`, the best first; all of them where none fits.
    pub(super) fn fitting(&self, id: &str, remedies: &[Remedy]) -> Vec<Remedy> {
        let order = self.order(id);
        let rank = |remedy: &Remedy| order.iter().position(|platform| *platform == remedy.platform);
        let mut fitting: Vec<&Remedy> = remedies.iter().filter(|remedy| rank(remedy).is_some()).collect();
        fitting.sort_by_key(|remedy| rank(remedy));
        if fitting.is_empty() { remedies.to_vec() } else { fitting.into_iter().cloned().collect() }
    }

    /// The platforms of remedies that fit for the finding `id`.
    fn order(&self, id: &str) -> Vec<&'static str> {
        let image = self.image.then_some("docker");
        let uv = self.uv.then_some("uv");
        let conda = self.installer.filter(|installer| *installer == "conda");
        // Where the system keeps Python itself, its packages are the system's, too.
        let own = self.manager.filter(|_| self.distribution);
        match id {
            "torch" | "setuptools" | "single" => [conda, uv, Some("any"), image, own].into_iter().flatten().collect(),
            // The system's headers are those of the system's Python only.
            "headers" => {
                let manager = self.manager.filter(|_| self.installer.is_none());
                [self.installer, image, manager, Some("any")].into_iter().flatten().collect()
            }
            _ => [image, conda, self.manager, Some("any")].into_iter().flatten().collect(),
        }
    }
}

/// The manager of a system that `ids` name, as `ubuntu debian`.
fn manager(ids: &str) -> Option<&'static str> {
    ids.split_whitespace().find_map(|id| match id {
        "debian" | "ubuntu" => Some("apt"),
        "fedora" | "rhel" | "centos" | "rocky" | "almalinux" | "amzn" => Some("dnf"),
        "darwin" => Some("brew"),
        _ => None,
    })
}

/// That of this machine.
fn own_manager() -> Option<&'static str> {
    if cfg!(target_os = "macos") {
        return Some("brew");
    }
    let text = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    let ids = ["ID", "ID_LIKE"].into_iter().filter_map(value).map(|value| value.trim_matches(['"', '\'']));
    manager(&ids.collect::<Vec<_>>().join(" "))
}

/// What installs interpreters into folders such as this one.
fn installer(base: &str) -> Option<&'static str> {
    [("/pyenv/", "pyenv"), ("/.pyenv/", "pyenv"), ("/uv/python/", "uv"), ("/Cellar/", "brew"), ("/homebrew/", "brew")]
        .into_iter()
        .find_map(|(part, installer)| base.contains(part).then_some(installer))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::FindingOutcome;

    fn place(facts: &serde_json::Value, image: bool) -> Place {
        let mut python = Finding::new("python", "", FindingOutcome::Ok, "");
        python.facts = facts.as_object().unwrap().clone().into_iter().collect();
        Place::of(&[python], (!image).then_some("/usr/bin/python3"))
    }

    #[test]
    fn the_remedy_is_that_of_the_system_and_of_the_interpreter() {
        let system = place(&json!({ "system": "ubuntu debian", "base_prefix": "/usr" }), false);
        assert_eq!(system.order("headers"), ["apt", "any"]);
        assert_eq!(system.order("setuptools"), ["any", "apt"]);
        let pyenv = place(&json!({ "system": "debian", "base_prefix": "/home/me/.pyenv/versions/3.12.1" }), false);
        assert_eq!((pyenv.order("headers"), pyenv.order("compiler")), (vec!["pyenv", "any"], vec!["apt", "any"]));
        let uv = json!({ "system": "fedora", "base_prefix": "/root/.local/share/uv/python/cpython-3.13", "uv": true });
        let uv = place(&uv, false);
        assert_eq!((uv.order("headers"), uv.order("torch")), (vec!["uv", "any"], vec!["uv", "any"]));
        let conda = place(&json!({ "system": "darwin", "base_prefix": "/opt/conda", "conda": true }), false);
        assert_eq!(
            (conda.order("compiler"), conda.order("torch")),
            (vec!["conda", "brew", "any"], vec!["conda", "any"])
        );
        let image = place(&json!({ "system": "rocky rhel centos fedora", "base_prefix": "/usr" }), true);
        assert_eq!(image.order("openssl"), ["docker", "dnf", "any"]);
    }

    #[test]
    fn a_remedy_that_fits_nowhere_is_better_than_none() {
        let remedy = |platform: &str| Remedy {
            platform: platform.into(),
            note: None,
            commands: vec!["x".into()],
            fits: Vec::new(),
        };
        let unknown = place(&json!({ "system": "gentoo", "base_prefix": "/usr" }), false);
        assert_eq!(unknown.fitting("compiler", &[remedy("apt"), remedy("dnf")]).len(), 2);
        assert_eq!(unknown.fitting("compiler", &[remedy("apt"), remedy("any")]), [remedy("any")]);
    }
}
