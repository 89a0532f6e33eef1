//! Every known failure, by logs that really show it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use sconce::catalogue::Catalogue;
use sconce::diagnose::diagnose;

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

#[test]
fn a_log_that_shows_nothing_known_has_no_diagnosis() {
    let catalogue = Catalogue::embedded().unwrap();
    let log = "Traceback (most recent call last):\n  File \"main.py\", line 1, in <module>\nZeroDivisionError: division by zero\n";
    assert!(diagnose(&catalogue, log).is_empty());
}

/// Rows name packages by the Python that the log speaks of.
#[test]
fn a_diagnosis_says_what_to_do_on_each_platform() {
    let catalogue = Catalogue::embedded().unwrap();
    let log = fs::read_to_string(&logs()["PYTHON_H_MISSING"][0]).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&diagnose(&catalogue, &log)[0]).unwrap());
}
