//! Mending: only with consent, and looked at again.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use insta::assert_snapshot;

use super::{desk, fails, healthy, program, python, told, with};
use crate::cli::Desk;

/// A machine without a compiler, whose `apt-get` brings one.
fn broken() -> Desk {
    let desk = desk();
    let mut seen = healthy();
    fails(
        &mut seen,
        "compiler",
        "the C++ compiler `g++` is not there",
        "InvalidCxxCompiler: No working C++ compiler found in torch._inductor.config.cpp.cxx: (None, 'g++')",
    );
    python(&desk, &seen);
    let mended = desk.write("mended.json", &healthy().to_string());
    let (log, document) = (desk.path("apt.log"), desk.path("document.json"));
    let script = format!(
        "echo \"$@\" >> {}\necho installing\nexec /bin/cp {} {}",
        log.display(),
        mended.display(),
        document.display()
    );
    program(&desk, "apt-get", &script);
    program(&desk, "sudo", "exec \"$@\"");
    desk
}

/// What `apt-get` was asked, line by line.
fn asked(desk: &Desk) -> String {
    fs::read_to_string(desk.path("apt.log")).unwrap_or_default()
}

/// As a user who is not root is told it, so that it is the same for both.
fn without_sudo(text: &str) -> String {
    text.replace("sudo apt-get", "apt-get")
}

#[test]
fn without_a_terminal_and_consent_nothing_is_run() {
    let desk = broken();
    let shown = told(&desk, &mut with(&desk, &["--fix"]));
    assert_eq!(asked(&desk), "");
    assert!(shown.starts_with("exit code 1\n") && shown.contains("nothing was run: there is no terminal"), "{shown}");
    assert_snapshot!(without_sudo(&shown));
}

#[test]
fn with_consent_it_is_mended_and_looked_at_again() {
    let desk = broken();
    let shown = told(&desk, &mut with(&desk, &["--fix", "--yes"]));
    assert_eq!(asked(&desk), "install -y --no-install-recommends g++\n");
    let (out, err) = shown.split_once("--- stderr\n").unwrap();
    assert!(out.starts_with("exit code 0\n--- stdout\n✓ fit"), "the answer is that of the second look: {out}");
    for line in ["running: ", "installing\n", "done: ", "looking again\n"] {
        assert!(err.contains(line), "{err}");
    }
}

#[test]
fn a_command_that_fails_is_told_and_looked_at_again() {
    let desk = broken();
    program(&desk, "apt-get", "exit 100");
    let shown = told(&desk, &mut with(&desk, &["--fix", "--yes"]));
    assert!(shown.starts_with("exit code 1\n--- stdout\n✗ not fit"), "{shown}");
    assert!(shown.contains("failed with exit status: 100: "), "{shown}");
}

/// `sconce doctor --fix` on a terminal, with this typed.
fn on_a_terminal(desk: &Desk, typed: &str) -> String {
    let plain = with(desk, &["--fix"]);
    let mut command = Command::new("/usr/bin/script");
    let line = format!("{} doctor --fix", plain.get_program().to_str().unwrap());
    command.args(["--quiet", "--return", "--command", &line, "/dev/null"]).env_clear().current_dir(desk.path(""));
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?)))).env("SHELL", "/bin/sh");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("`script`, of util-linux");
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(typed.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    drop(stdin);
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn on_a_terminal_only_a_clear_yes_is_one() {
    for (typed, ran) in [("n\n", false), ("\n", false), ("yes please\n", false), ("y\n", true)] {
        let desk = broken();
        let shown = on_a_terminal(&desk, typed);
        assert!(shown.contains("? [y/N]") && shown.contains("install -y --no-install-recommends g++"), "{shown}");
        assert_eq!(!asked(&desk).is_empty(), ran, "{typed:?}: {shown}");
        assert_eq!(shown.contains("nothing was run"), !ran, "{typed:?}: {shown}");
    }
}

#[test]
fn a_machine_that_is_fit_needs_no_mending() {
    let desk = broken();
    python(&desk, &healthy());
    let shown = told(&desk, &mut with(&desk, &["--fix", "--yes"]));
    assert!(shown.contains("there is no command that would mend anything here"), "{shown}");
    assert_eq!(asked(&desk), "");
}
