//! `action.yml` and `.pre-commit-hooks.yaml`: what GitHub and pre-commit would run is run here by the same shell, with inputs
//! that a stranger could have chosen. GitHub itself is not here.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::cli::{Desk, UNKNOWN, image, proof, recording};
use crate::support::yaml::yaml;

fn committed(name: &str) -> Value {
    yaml(&fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap())
}

/// The steps of the action that are scripts.
fn scripts(action: &Value) -> impl Iterator<Item = &Value> {
    action["runs"]["steps"].as_array().unwrap().iter().filter(|step| step["run"].is_string())
}

/// The step of that name.
fn step(name: &str) -> Value {
    let action = committed("action.yml");
    scripts(&action).find(|step| step["name"] == name).unwrap_or_else(|| panic!("no step `{name}`")).clone()
}

/// A runner's workplace.
struct Runner {
    desk: Desk,
}

impl Runner {
    fn new() -> Self {
        let runner = Self { desk: Desk::new() };
        for folder in ["temp", "action"] {
            fs::create_dir(runner.desk.path(folder)).unwrap();
        }
        runner
    }

    /// A program that writes down its arguments, says `words` and ends with `code`.
    fn program(&self, name: &str, words: &str, code: u8) -> PathBuf {
        let arguments = self.desk.path("arguments");
        let said = self.desk.write("said", words);
        let text = format!(
            "#!/bin/sh\nprintf '%s\\0' \"$@\" >'{}'\ncat '{}'\nexit {code}\n",
            arguments.display(),
            said.display()
        );
        let path = self.desk.write(name, &text);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// The arguments of the last such program.
    fn arguments(&self) -> Vec<String> {
        let text = fs::read_to_string(self.desk.path("arguments")).unwrap();
        text.split_terminator('\0').map(str::to_owned).collect()
    }

    /// The script of a step, as a runner starts it, on a desk whose command `command` is.
    fn start(&self, step: &Value, mut command: Command, inputs: &[(&str, &str)]) -> Output {
        let script = self.desk.write("script.sh", step["run"].as_str().unwrap());
        let told = command.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
        let environment: Vec<_> = told.collect();
        command = Command::new("bash");
        command.args(["--noprofile", "--norc", "-eo", "pipefail"]).arg(script);
        command.env_clear().envs(environment).current_dir(self.desk.path(""));
        for name in step["env"].as_object().unwrap().keys() {
            command.env(name, inputs.iter().find(|(input, _)| input == name).map_or("", |(_, value)| value));
        }
        command.env("RUNNER_TEMP", self.desk.path("temp")).env("GITHUB_OUTPUT", self.desk.path("output"));
        command.env("GITHUB_STEP_SUMMARY", self.desk.path("summary"));
        let _ = fs::remove_file(self.desk.path("output"));
        command.output().unwrap()
    }

    /// Runs sconce, or what stands for it, with `inputs`.
    fn run(&self, inputs: &[(&str, &str)]) -> Output {
        self.start(&step("Run sconce"), self.desk.command(&[]), inputs)
    }

    /// The outputs, as a runner reads them.
    fn outputs(&self) -> BTreeMap<String, String> {
        let text = fs::read_to_string(self.desk.path("output")).unwrap_or_default();
        let mut lines = text.lines();
        let mut outputs = BTreeMap::new();
        while let Some(line) = lines.next() {
            let (name, value) = match (line.split_once('='), line.split_once("<<")) {
                (_, Some((name, end))) if !name.contains('=') => {
                    let value: Vec<&str> = lines.by_ref().take_while(|line| *line != end).collect();
                    (name, value.join("\n"))
                }
                (Some((name, value)), _) => (name, value.to_owned()),
                _ => panic!("the runner refuses the line `{line}`"),
            };
            assert_eq!(outputs.insert(name.to_owned(), value), None, "`{name}` is set twice");
        }
        outputs
    }
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn said(output: &Output) -> String {
    [output.stdout.as_slice(), &output.stderr].map(String::from_utf8_lossy).concat()
}

/// An expression in a script would be replaced before the shell reads it, whatever it holds.
#[test]
fn no_input_is_part_of_a_script() {
    let action = committed("action.yml");
    let inputs = action["inputs"].as_object().unwrap();
    let mut named = Vec::new();
    for step in scripts(&action) {
        assert_eq!(step["shell"], "bash");
        let script = step["run"].as_str().unwrap();
        assert!(!script.contains("${{") && script.starts_with("set -euo pipefail\n"), "{script}");
        for (variable, value) in step["env"].as_object().unwrap() {
            assert!(
                script.contains(&format!("${variable}")) || script.contains(&format!("${{{variable}:")),
                "{variable}"
            );
            let value = value.as_str().unwrap().strip_prefix("${{ ").and_then(|rest| rest.strip_suffix(" }}")).unwrap();
            named.extend(value.strip_prefix("inputs.").map(str::to_owned));
        }
    }
    named.sort();
    named.dedup();
    assert_eq!(
        named,
        inputs.keys().cloned().collect::<Vec<_>>(),
        "each input is used, and each that is used is declared"
    );
}

#[test]
fn what_a_stranger_chose_stays_what_it_is() {
    let runner = Runner::new();
    let sconce = runner.program("sconce", "", 0);
    let output = runner.run(&[
        ("SCONCE", sconce.to_str().unwrap()),
        ("MODE", "build"),
        ("PROJECT", "--output=x; touch pwned"),
        ("TAG", "--no-cache $(touch pwned)"),
        ("ARGS", "--label\na.b=`touch pwned` \"'\r\n\n--run\n  echo ${HOME} && x\\"),
        ("REPORTS", "re ports\nverdict=yes"),
        ("CA_BUNDLE", "a b"),
    ]);
    assert_eq!(code(&output), 0, "{}", said(&output));
    let folder = "re ports\nverdict=yes";
    assert_eq!(
        runner.arguments(),
        [
            "build",
            "--report=github",
            &format!("--report=html={folder}/report.html"),
            &format!("--report=json={folder}/report.json"),
            &format!("--report=junit={folder}/report.xml"),
            &format!("--report=sarif={folder}/report.sarif"),
            "--tag=--no-cache $(touch pwned)",
            "--label",
            "a.b=`touch pwned` \"'",
            "--run",
            "  echo ${HOME} && x\\",
            "--",
            "--output=x; touch pwned",
        ]
    );
    assert!(!runner.desk.path("pwned").exists());
    let outputs = runner.outputs();
    assert_eq!((outputs["reports"].as_str(), outputs["verdict"].as_str()), (folder, "yes"));
    assert!(!outputs.contains_key("sarif"), "no such file was written: {outputs:?}");
}

#[test]
fn several_images_are_arguments_of_their_own() {
    let runner = Runner::new();
    let sconce = runner.program("sconce", "", 1);
    let inputs =
        [("SCONCE", sconce.to_str().unwrap()), ("MODE", "verify"), ("IMAGE", "a:1\n--pull\n"), ("TAG", "unused")];
    assert_eq!(code(&runner.run(&inputs)), 1);
    let arguments = runner.arguments();
    assert_eq!(arguments[arguments.len() - 3..], ["--", "a:1", "--pull"], "{arguments:?}");
    // What is put to the proof may also be named by `args`.
    let inputs = [("SCONCE", sconce.to_str().unwrap()), ("MODE", "verify"), ("ARGS", "--container\nweb")];
    assert_eq!(code(&runner.run(&inputs)), 1);
    let arguments = runner.arguments();
    assert_eq!(arguments[arguments.len() - 2..], ["--container", "web"], "{arguments:?}");
}

#[test]
fn the_exit_code_is_sconce_s_and_the_verdict_says_what_it_means() {
    let runner = Runner::new();
    for (status, verdict) in [(0, "yes"), (1, "no"), (2, "error"), (75, "retry"), (130, "error")] {
        let sconce = runner.program("sconce", "", status);
        let output = runner.run(&[("SCONCE", sconce.to_str().unwrap()), ("MODE", "check"), ("PROJECT", ".")]);
        let outputs = runner.outputs();
        assert_eq!((code(&output), outputs["verdict"].as_str()), (i32::from(status), verdict));
        assert_eq!(outputs["exit-code"], status.to_string());
        assert_eq!(outputs.len(), 2, "a check writes no reports: {outputs:?}");
    }
    let output = runner.run(&[("SCONCE", "true"), ("MODE", "prove")]);
    assert_eq!((code(&output), runner.outputs().len()), (2, 0), "{}", said(&output));
}

/// A step's output is obeyed by the runner; what an image writes is not.
#[test]
fn nothing_that_is_quoted_commands_the_runner() {
    let runner = Runner::new();
    let words = "::error title=sconce::it failed\n  ::add-mask::e\n\t::stop-commands::x\nx ##[add-mask]e \u{85}\n";
    let sconce = runner.program("sconce", words, 0);
    let output = runner.run(&[("SCONCE", sconce.to_str().unwrap()), ("MODE", "check")]);
    let said = said(&output);
    assert_eq!(
        said,
        "::error title=sconce::it failed\n  : :add-mask::e\n\t: :stop-commands::x\nx # [add-mask]e \u{85}\n"
    );
}

#[test]
fn a_report_of_an_earlier_step_does_not_pass_for_this_one_s() {
    let runner = Runner::new();
    let id = format!("sha256:{}", "a".repeat(64));
    let old = format!("{{\n  \"outcome\": {{\n    \"image\": {{\n      \"id\": \"{id}\"\n    }}\n  }}\n}}\n");
    runner.desk.write("temp/sconce-reports/report.json", &old);
    let sconce = runner.program("sconce", "", 75);
    runner.run(&[("SCONCE", sconce.to_str().unwrap()), ("MODE", "verify"), ("IMAGE", "app")]);
    assert!(!runner.outputs().contains_key("image"), "{:?}", runner.outputs());
}

#[test]
fn sconce_itself_checks_a_dockerfile() {
    let runner = Runner::new();
    let inputs = [
        ("SCONCE", env!("CARGO_BIN_EXE_sconce")),
        ("MODE", "check"),
        ("PROJECT", "project"),
        ("ARGS", "--variant\ncpu"),
    ];
    let output = runner.run(&inputs);
    assert_eq!((code(&output), runner.outputs()["verdict"].as_str()), (1, "no"));
    assert!(said(&output).contains("hint: sconce render --variant cpu --output project/Dockerfile project\n"));
    let written = runner.desk.command(&["render", "--variant", "cpu", "--output", "project/Dockerfile", "project"]);
    assert!({ written }.output().unwrap().status.success());
    assert_eq!(code(&runner.run(&inputs)), 0);
}

/// On an engine that does as it is told.
#[test]
fn sconce_itself_proves_an_image() {
    let runner = Runner::new();
    let inputs = [("SCONCE", env!("CARGO_BIN_EXE_sconce")), ("MODE", "verify"), ("IMAGE", "team/app:1.4")];
    for (failing, status) in [(None, 0), (Some(("headers", UNKNOWN)), 1)] {
        let engine = recording(&[image("team/app:1.4", "a")], &[proof(failing)]);
        let command = runner.desk.with(&engine, &[]);
        let output = runner.start(&step("Run sconce"), command, &inputs);
        assert_eq!(code(&output), status, "{}", said(&output));
        let outputs = runner.outputs();
        assert_eq!(outputs["image"], format!("sha256:{}", "a".repeat(64)));
        for name in ["html", "json", "junit", "sarif"] {
            assert!(fs::metadata(&outputs[name]).unwrap().len() > 0, "{name}");
        }
        assert!(fs::read_to_string(runner.desk.path("summary")).unwrap().contains("team/app:1.4"));
        assert!(said(&output).contains("\n::"), "an annotation: {}", said(&output));
    }
    let output = runner.run(&inputs);
    assert_eq!((code(&output), runner.outputs()["verdict"].as_str()), (75, "retry"), "without an engine");
}

/// Built again exactly where what it is built from changed.
#[test]
fn a_revision_is_named_by_what_it_is_built_from() {
    let runner = Runner::new();
    let folder = runner.desk.path("action");
    for file in ["Cargo.toml", "src/main.rs", "images/a b.toml", "tests/main.rs"] {
        runner.desk.write(&format!("action/{file}"), file);
    }
    let sum = || {
        let output = runner.start(
            &step("Name this revision of sconce"),
            runner.desk.command(&[]),
            &[("ACTION", folder.to_str().unwrap())],
        );
        assert_eq!(code(&output), 0, "{}", said(&output));
        runner.outputs()["sum"].clone()
    };
    let first = sum();
    assert!(first.len() == 64 && first.bytes().all(|b| b.is_ascii_hexdigit()), "{first}");
    runner.desk.write("action/tests/main.rs", "other");
    assert_eq!(sum(), first);
    runner.desk.write("action/images/a b.toml", "other");
    assert_ne!(sum(), first);
}

#[test]
fn the_action_builds_its_own_revision() {
    let runner = Runner::new();
    let path = format!("{}:{}", runner.desk.path("bin").display(), std::env::var("PATH").unwrap());
    runner.program("bin/cargo", "", 0);
    let mut command = runner.desk.command(&[]);
    command.env("PATH", path);
    let output = runner.start(&step("Build sconce"), command, &[("ACTION", "the action")]);
    assert_eq!(code(&output), 0, "{}", said(&output));
    let root = runner.desk.path("temp/sconce-program");
    let expected =
        ["install", "--quiet", "--locked", "--no-track", "--path", "the action", "--root", root.to_str().unwrap()];
    assert_eq!(runner.arguments(), expected);
}

/// Each hook's command is one that sconce takes, and it answers.
#[test]
fn the_hooks_check_the_dockerfile_of_the_repository() {
    let hooks = committed(".pre-commit-hooks.yaml");
    let languages: Vec<&Value> = hooks.as_array().unwrap().iter().map(|hook| &hook["language"]).collect();
    assert_eq!(languages, ["rust", "system"]);
    for hook in hooks.as_array().unwrap() {
        assert_eq!((&hook["pass_filenames"], &hook["always_run"]), (&json!(false), &json!(true)));
        let words = shlex::split(hook["entry"].as_str().unwrap()).unwrap();
        assert_eq!(words[0], "sconce");
        let desk = Desk::new();
        let words: Vec<&str> = words[1..].iter().map(String::as_str).collect();
        let run = |words: &[&str]| {
            let mut command = desk.command(words);
            code(&command.current_dir(desk.path("project")).output().unwrap())
        };
        assert_eq!(run(&words), 1);
        assert_eq!(run(&["render", "--quiet", "--output", "Dockerfile"]), 0);
        assert_eq!(run(&words), 0);
    }
}
