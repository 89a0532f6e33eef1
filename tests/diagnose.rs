//! Every known failure, by logs that really show it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use sconce::catalogue::Catalogue;
use sconce::diagnose::diagnose;
use sconce::model::Confidence;

/// The logs by the id of the row that they show: `BINUTILS_MISSING-ld.log` shows `BINUTILS_MISSING`. Those in `reported` are
/// written after reports of others.
fn logs() -> BTreeMap<String, Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/logs");
    let mut logs: BTreeMap<_, Vec<_>> = BTreeMap::new();
    let entries = [folder.clone(), folder.join("reported")].map(|folder| fs::read_dir(folder).unwrap());
    for entry in entries.into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "log") {
            let stem = path.file_stem().unwrap().to_str().unwrap();
            let id = stem.split('-').next().unwrap().to_owned();
            logs.entry(id).or_default().push(path);
        }
    }
    logs
}

#[test]
fn every_failure_has_a_log_and_every_log_a_failure() {
    let catalogue = Catalogue::embedded().unwrap();
    let mut ids: Vec<_> = catalogue.failures().rows().iter().map(|row| row.id.clone()).collect();
    ids.sort();
    assert_eq!(logs().into_keys().collect::<Vec<_>>(), ids);
}

#[test]
fn every_log_shows_its_failure_and_no_other() {
    let catalogue = Catalogue::embedded().unwrap();
    let mut wrong = Vec::new();
    for (id, paths) in logs() {
        for path in paths {
            let found = diagnose(&catalogue, &fs::read_to_string(&path).unwrap());
            if found.len() != 1 || found[0].id != id {
                let shown: Vec<_> = found.into_iter().map(|found| (found.id, found.evidence)).collect();
                wrong.push((path, shown));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What a log in `tests/logs/none` may be taken for: nothing, but for those that hold the words of a failure by themselves.
const LIKELY: [(&str, &str); 4] = [
    ("docker-build-of-a-web-page", "OUT_OF_MEMORY"),
    ("gcc-embedded-python", "PYTHON_H_MISSING"),
    ("pip-extension-without-headers", "PYTHON_H_MISSING"),
    ("python-pool", "WORKER_DIED"),
];

#[test]
fn a_log_of_something_else_is_not_taken_for_a_failure_of_torch() {
    let catalogue = Catalogue::embedded().unwrap();
    let mut names = Vec::new();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/logs/none")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let found = diagnose(&catalogue, &fs::read_to_string(&path).unwrap());
        let ids: Vec<_> = found.iter().map(|found| found.id.as_str()).collect();
        let expected: Vec<_> = LIKELY.iter().filter(|(log, _)| *log == name).map(|(_, id)| *id).collect();
        assert_eq!(ids, expected, "{name}: {found:#?}");
        assert!(found.iter().all(|found| found.confidence != Confidence::Certain), "{name}: {found:#?}");
        names.push(name);
    }
    assert!(LIKELY.iter().all(|(log, _)| names.iter().any(|name| name == log)), "{names:?}");
}

/// What a person is told to type has no prose, and nothing that is left open.
#[test]
fn commands_can_be_pasted() {
    let catalogue = Catalogue::embedded().unwrap();
    for row in catalogue.failures().rows() {
        let commands = row.remedies.iter().flat_map(|remedy| &remedy.commands).chain(&row.check);
        for command in commands {
            let open = command.contains('…') || command.contains('`');
            let first = command.split([' ', '=']).next().unwrap_or_default();
            let prose = ["look", "use", "copy", "choose", "remove", "delete", "check", "install", "give", "name"];
            assert!(
                !open && !prose.contains(&first) && !command.replace("(x86)", "").contains(" ("),
                "{}: {command}",
                row.id
            );
        }
    }
}

/// A value that no log has named is a word, and not a sentence in the middle of a command.
#[test]
fn no_command_holds_prose_for_a_value() {
    let catalogue = Catalogue::embedded().unwrap();
    for row in catalogue.failures().rows() {
        for (name, _) in row.defaults.iter().filter(|(_, value)| value.contains(' ')) {
            let open = format!("{{{name}}}");
            let mut commands = row.remedies.iter().flat_map(|remedy| &remedy.commands).chain(&row.check);
            assert!(!commands.any(|command| command.contains(&open)), "{}: {name}", row.id);
        }
    }
}

/// Who uses pip is not sent to uv: what belongs beside torch is said for both, pip's way first, and the row says that it does.
#[test]
fn what_belongs_beside_torch_is_said_for_pip_and_for_uv() {
    let catalogue = Catalogue::embedded().unwrap();
    for row in catalogue.failures().rows() {
        let first = |platform: &str, tool: &str| {
            row.remedies.iter().position(|remedy| {
                remedy.platform == platform && remedy.commands.iter().any(|command| command.contains(tool))
            })
        };
        if let (Some(uv), Some(pip)) = (first("uv", "uv pip install"), first("any", "python -m pip install")) {
            assert!(row.environment || uv > 0, "{}: `environment` is not set, and uv comes first", row.id);
            assert!(!row.environment || pip < uv, "{}: uv before pip", row.id);
        }
    }
}

/// Rows name packages by the Python that the log speaks of.
#[test]
fn a_diagnosis_says_what_to_do_on_each_platform() {
    let catalogue = Catalogue::embedded().unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/logs/PYTHON_H_MISSING-user-site.log");
    let log = fs::read_to_string(path).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&diagnose(&catalogue, &log)[0]).unwrap());
}
