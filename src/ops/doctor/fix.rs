//! The commands that would mend what is no good, in order.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Checkup, CheckupSubject, Finding, FindingOutcome, Fix, Remedy};

/// Programs that install what a remedy names, and whether that takes an administrator. What else stands in a remedy is for
/// people: it may be a choice to make, or a setting of their own shell.
const INSTALLERS: [(&str, bool); 12] = [
    ("apt-get", true),
    ("apt", true),
    ("dnf", true),
    ("yum", true),
    ("brew", false),
    ("conda", false),
    ("mamba", false),
    ("pyenv", false),
    ("uv", false),
    ("pip", false),
    ("python", false),
    ("xcode-select", false),
];

/// What runs commands as an administrator.
const SUDO: &str = "sudo";

/// The commands of the first remedy of each bad finding, each once. `environment` has the `PATH`; an administrator needs no
/// `sudo`.
pub fn fixes(checkup: &Checkup, environment: &BTreeMap<String, String>, administrator: bool) -> Vec<Fix> {
    let mut seen = BTreeSet::new();
    let mut fixes = Vec::new();
    let of = |outcome| checkup.findings.iter().filter(move |finding| finding.outcome == outcome);
    for finding in of(FindingOutcome::Fail).chain(of(FindingOutcome::Warn)) {
        for remedy in first(finding) {
            for command in &remedy.commands {
                let fix = fix(checkup, finding, remedy, command, environment, administrator);
                if seen.insert(fix.command.clone()) {
                    fixes.push(fix);
                }
            }
        }
    }
    fixes
}

/// Of each cause the best remedy that has commands: those after it are for other circumstances.
fn first(finding: &Finding) -> impl Iterator<Item = &Remedy> {
    finding.remedies.iter().find(|remedy| !remedy.commands.is_empty()).into_iter()
}

fn fix(
    checkup: &Checkup,
    finding: &Finding,
    remedy: &Remedy,
    command: &str,
    environment: &BTreeMap<String, String>,
    administrator: bool,
) -> Fix {
    let (mut command, mut left) = (command.to_owned(), left(checkup, finding, remedy, command));
    if left.is_none() {
        command = by_the_interpreter(&command, &checkup.environment.executable);
        let program = command.split_whitespace().next().unwrap_or_default();
        if INSTALLERS.contains(&(program, true)) && !administrator {
            let path = environment.get("PATH").map_or("", String::as_str);
            if super::machine::on_path(SUDO, path).is_none() {
                left = Some("it takes an administrator, and there is no `sudo`");
            }
            command = format!("{SUDO} {command}");
        }
    }
    Fix { finding: finding.id.clone(), note: remedy.note.clone(), command, left }
}

/// Why a command is not to be run.
fn left(checkup: &Checkup, finding: &Finding, remedy: &Remedy, command: &str) -> Option<&'static str> {
    if matches!(checkup.subject, CheckupSubject::Image { .. }) {
        return Some("it is for the Dockerfile of the image");
    }
    if remedy.platform == "docker" {
        return Some("it is for a Dockerfile, or for the command that starts a container");
    }
    if finding.id == "torch" {
        return Some("choose the build first: the usual one is for CUDA, and takes several gigabytes");
    }
    // A name to fill in, or a word for people in parentheses.
    let open = ["…", "<", " ("].iter().any(|sign| command.contains(sign));
    let program = command.split_whitespace().next().unwrap_or_default();
    let known = INSTALLERS.iter().any(|(name, _)| *name == program);
    match (known, open) {
        (true, false) => None,
        (true, true) => Some("something in it is to be filled in or chosen"),
        (false, _) if ["export", "unset"].contains(&program) => Some("it is a setting of your own shell"),
        (false, _) => Some("it is to be done by hand"),
    }
}

/// The command with the interpreter that was looked at, in place of whichever comes first.
fn by_the_interpreter(command: &str, executable: &str) -> String {
    // A shell would take such a path apart.
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._+-".contains(c);
    if executable.is_empty() || !executable.chars().all(plain) {
        return command.to_owned();
    }
    let module = |rest: &str| format!("{executable} -m pip {rest}");
    command
        .strip_prefix("pip ")
        .or_else(|| command.strip_prefix("python -m pip "))
        .map(module)
        .or_else(|| Some(format!("{executable} {}", command.strip_prefix("python ")?)))
        .or_else(|| Some(format!("uv pip install --python {executable} {}", command.strip_prefix("uv pip install ")?)))
        .unwrap_or_else(|| command.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TrialEnvironment;

    fn checkup(platform: &str, commands: &[&str], subject: CheckupSubject) -> Checkup {
        let mut finding = Finding::new("compiler", "", FindingOutcome::Fail, "");
        let commands = commands.iter().map(|&command| command.to_owned()).collect();
        finding.remedies = vec![Remedy { platform: platform.to_owned(), note: None, commands, fits: Vec::new() }];
        let environment = TrialEnvironment { executable: "/opt/venv/bin/python".into(), ..TrialEnvironment::default() };
        let findings = vec![finding.clone(), finding];
        Checkup { subject, findings, diagnoses: vec![], environment, seconds: 0.0 }
    }

    fn told(checkup: &Checkup, path: &str, administrator: bool) -> Vec<(String, bool)> {
        let environment = BTreeMap::from([("PATH".to_owned(), path.to_owned())]);
        let fixes = fixes(checkup, &environment, administrator);
        fixes.into_iter().map(|fix| (fix.command, fix.left.is_none())).collect()
    }

    #[test]
    fn only_what_is_known_to_install_is_run() {
        for (command, expected, runs) in [
            ("apt-get install -y g++", "apt-get install -y g++", true),
            ("python -m pip install torch", "/opt/venv/bin/python -m pip install torch", true),
            ("pip install torch", "/opt/venv/bin/python -m pip install torch", true),
            ("uv pip install setuptools", "uv pip install --python /opt/venv/bin/python setuptools", true),
            ("uv pip install --torch-backend=… torch", "uv pip install --torch-backend=… torch", false),
            ("dnf install -y libomp-devel (clang)", "dnf install -y libomp-devel (clang)", false),
            ("unset CXX", "unset CXX", false),
            ("rm -rf /tmp/cache", "rm -rf /tmp/cache", false),
            ("delete the cache directory", "delete the cache directory", false),
        ] {
            let checkup = checkup("any", &[command], CheckupSubject::Machine);
            assert_eq!(told(&checkup, "", true), [(expected.to_owned(), runs)], "once, though two findings have it");
        }
    }

    #[test]
    fn an_image_is_mended_in_its_dockerfile() {
        let subject = CheckupSubject::Image { reference: "app".into(), id: "sha256:1".into() };
        assert!(!told(&checkup("apt", &["apt-get install -y g++"], subject), "", true)[0].1);
        assert!(!told(&checkup("docker", &["RUN true"], CheckupSubject::Machine), "", true)[0].1);
    }

    #[test]
    fn a_user_needs_sudo_where_an_administrator_does_not() {
        let checkup = checkup("apt", &["apt-get install -y g++"], CheckupSubject::Machine);
        assert_eq!(told(&checkup, "/nowhere", false), [("sudo apt-get install -y g++".to_owned(), false)]);
    }
}
