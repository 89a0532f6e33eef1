//! The examples in the documentation: each is YAML that parses and shell that parses, and asks the action for what it has.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use regex::Regex;
use serde_json::Value;

use crate::support::yaml::yaml;

/// The blocks of code in that language, with the page that they stand in.
fn blocks(language: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = docs.chain([root.join("README.md")]).filter(|path| path.extension().is_some_and(|end| end == "md"));
    let mut blocks = Vec::new();
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        let mut block = None;
        for line in text.lines() {
            match (&mut block, line.trim_start().strip_prefix("```")) {
                (None, Some(name)) => block = Some((name == language, String::new())),
                (Some(_), Some(_)) => {
                    let done = block.take().filter(|(wanted, _)| *wanted);
                    blocks.extend(done.map(|(_, text)| (page.display().to_string(), text)));
                }
                (Some((_, text)), None) => text.extend([line, "\n"]),
                (None, None) => {}
            }
        }
        assert!(block.is_none(), "{}: a block has no end", page.display());
    }
    blocks
}

fn parses_as_shell(script: &str, place: &str) {
    let mut bash = Command::new("bash").arg("-n").stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    bash.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = bash.wait_with_output().unwrap();
    assert!(output.status.success(), "{place}: {}\n{script}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn scripts_parse() {
    let scripts = blocks("sh");
    assert!(!scripts.is_empty());
    for (page, script) in scripts {
        parses_as_shell(&script, &page);
    }
}

/// Every value of the keys that hold shell, wherever they stand.
fn shell_of(node: &Value, scripts: &mut Vec<String>) {
    match node {
        Value::Object(entries) => {
            for (key, value) in entries {
                match (key.as_str(), value) {
                    ("run" | "script" | "before_script", Value::String(script)) => scripts.push(script.clone()),
                    ("script" | "before_script", Value::Array(lines)) => {
                        scripts.extend(lines.iter().map(|line| line.as_str().unwrap().to_owned()));
                    }
                    _ => shell_of(value, scripts),
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                shell_of(item, scripts);
            }
        }
        _ => {}
    }
}

#[test]
fn examples_for_ci_parse_and_ask_for_what_there_is() {
    let action = yaml(&fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("action.yml")).unwrap());
    let output = Regex::new(r"steps\.sconce\.outputs\.([a-z-]+)").unwrap();
    let (mut steps, mut scripts) = (0, Vec::new());
    let examples = blocks("yaml");
    assert!(examples.len() >= 4);
    for (page, text) in examples {
        let example = yaml(&text);
        shell_of(&example, &mut scripts);
        for found in output.captures_iter(&text) {
            assert!(action["outputs"][&found[1]].is_object(), "{page}: the action has no output `{}`", &found[1]);
        }
        let jobs = example["jobs"].as_object().into_iter().flatten();
        for step in jobs.flat_map(|(_, job)| job["steps"].as_array().unwrap()) {
            // An expression in a script is replaced before the shell reads it.
            assert!(!step["run"].as_str().is_some_and(|script| script.contains("${{")), "{page}: {step:#}");
            if step["uses"].as_str().is_none_or(|uses| !uses.contains("/sconce@")) {
                continue;
            }
            steps += 1;
            for input in step["with"].as_object().into_iter().flatten().map(|(name, _)| name) {
                assert!(action["inputs"][input].is_object(), "{page}: the action has no input `{input}`");
            }
        }
    }
    assert!(steps >= 4 && scripts.len() >= 5, "{steps} steps, {scripts:?}");
    for script in scripts {
        parses_as_shell(&script, "an example");
    }
}
