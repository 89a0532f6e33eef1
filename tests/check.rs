//! `sconce render --check`: what of a Dockerfile on disk makes it stale, and what does not.

use std::fs;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::cli::Desk;

/// A desk whose project has its Dockerfile.
fn desk() -> Desk {
    let desk = Desk::new();
    written(&desk, &["render", "project", "--output", "project/Dockerfile", "--quiet"]);
    desk
}

fn written(desk: &Desk, args: &[&str]) {
    let told = desk.run(args);
    assert!(told.starts_with("exit code 0\n"), "{told}");
}

/// Replaces `old` in the Dockerfile of the desk's project.
fn edit(desk: &Desk, old: &str, new: &str) {
    let path = desk.path("project/Dockerfile");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(old), "{text}");
    fs::write(path, text.replace(old, new)).unwrap();
}

#[test]
fn what_was_just_written_is_up_to_date() {
    let desk = desk();
    assert_snapshot!(desk.run(&["render", "project", "--check"]));
    written(&desk, &["render", "project", "--output", "elsewhere", "--variant", "cpu", "--cmd", "serve"]);
    written(&desk, &["render", "project", "--check=elsewhere", "--variant", "cpu", "--cmd", "serve"]);
    written(&desk, &["render", "project", "--devcontainer"]);
    written(&desk, &["render", "project", "--devcontainer", "--check"]);
    // Nothing was written by the checks, and the Dockerfile itself says nothing of the project.
    assert_eq!(desk.run(&["render", "project", "--check"]), desk.run(&["render", "--check", "project"]));
}

#[test]
fn a_stale_dockerfile_is_shown_with_what_would_change() {
    let desk = desk();
    edit(&desk, "\nUSER app\n", "\nUSER root\n");
    let told = desk.run(&["render", "project", "--check"]);
    assert_snapshot!("stale", told.replace(env!("CARGO_PKG_VERSION"), "VERSION"));
    desk.write("project/requirements.txt", "torch>=2.5\nnumpy\nscipy\n");
    let mut command =
        desk.command(&["render", "--check", "project", "--extra-index-url", "https://x:y@pypi.example.org"]);
    command.args(["--cmd", "serve 'two words'"]).env("SCONCE_VARIANT", "cpu");
    let told = desk.told(&command.output().unwrap());
    let (_, hint) = told.split_once("\nhint: ").unwrap();
    assert_snapshot!("hint", hint);
}

#[test]
fn the_hint_is_the_command_that_makes_it_fresh() {
    let desk = desk();
    let args = ["render", "--check", "--json", "project", "--label", "a.b=it's", "--env", "A=1", "--env", "B=2"];
    let answer = || {
        let output = desk.command(&args).output().unwrap();
        serde_json::from_slice::<Value>(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
    };
    let stale = answer();
    assert_eq!((&stale["ok"], &stale["files"][0]["state"]), (&json!(false), &json!("stale")));
    let refresh = shlex::split(stale["refresh"]["command"].as_str().unwrap()).unwrap();
    assert_eq!(refresh[0], "sconce");
    let refresh: Vec<&str> = refresh[1..].iter().map(String::as_str).collect();
    written(&desk, &refresh);
    let fresh = answer();
    assert_eq!(fresh["ok"], json!(true), "{fresh:#}");
    assert_eq!(
        fresh["files"][0],
        json!({
            "path": "project/Dockerfile", "state": "fresh", "written_by": null, "diff": "", "omitted": 0
        })
    );
}

#[test]
fn a_missing_file_is_stale() {
    let desk = Desk::new();
    assert_snapshot!("missing", desk.run(&["render", "project", "--check"]));
    assert_snapshot!("missing_devcontainer", desk.run(&["render", "project", "--check", "--devcontainer"]));
    written(&desk, &["render", "project", "--devcontainer"]);
    fs::remove_file(desk.path("project/.devcontainer/devcontainer.json")).unwrap();
    assert_snapshot!("half_a_devcontainer", desk.run(&["render", "project", "--check", "--devcontainer"]));
}

/// What differs from machine to machine and from release to release, and is nobody's work to commit.
#[test]
fn neither_a_checkout_s_name_nor_another_version_makes_it_stale() {
    let desk = desk();
    fs::rename(desk.path("project"), desk.path("checkout-17")).unwrap();
    written(&desk, &["render", "checkout-17", "--check"]);
    fs::rename(desk.path("checkout-17"), desk.path("project")).unwrap();
    let label = format!("dev.sconce.version=\"{}\"", env!("CARGO_PKG_VERSION"));
    edit(&desk, &label, "dev.sconce.version=\"0.0.1\"");
    assert_snapshot!("another_version", desk.run(&["render", "project", "--check"]));
}

/// A terminal shows what differs, and obeys none of it.
#[test]
fn what_is_hidden_in_a_line_is_spelt_out() {
    let desk = desk();
    edit(&desk, "\nUSER app\n", "\nUSER app\r\n# \u{1b}[2J\u{202e}\u{7}\n");
    let told = desk.run(&["render", "project", "--check", "--color", "always"]);
    assert!(told.contains("-USER app\\r") && told.contains("-# \\u{1b}[2J\\u{202e}\\u{7}"), "{told}");
    assert!(!told.contains(['\r', '\u{7}', '\u{202e}']) && !told.contains("\u{1b}[2J"), "{told}");
}

#[test]
fn what_cannot_be_checked_is_an_error() {
    let desk = desk();
    assert_snapshot!("with_a_file_and_devcontainer", desk.run(&["render", "project", "--devcontainer", "--check=x"]));
    assert_snapshot!("with_output", desk.run(&["render", "project", "--output", "x", "--check"]));
    assert_snapshot!("a_folder", desk.run(&["render", "project", "--check=project"]));
    fs::remove_file(desk.path("project/Dockerfile")).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", desk.path("project/Dockerfile")).unwrap();
    assert_snapshot!("a_link", desk.run(&["render", "project", "--check"]));
}
