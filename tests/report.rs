//! What the reports look like. Snapshots for people are without colours, save one.

mod browser;
pub(crate) mod formats;
pub(crate) mod schema;

use std::io::{self, Write};

use insta::assert_snapshot;
use sconce::model::{BaseCheck, CheckOutcome, Error, Origin, Outcome};
use sconce::report::{self, Page, json};

use crate::samples;

const PAGE: Page = Page { width: 100, ascii: false };

fn written(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> String {
    let mut out = Vec::new();
    write(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

pub(crate) fn plain(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> String {
    let text = anstream::adapter::strip_str(&written(write)).to_string();
    assert!(text.lines().all(|line| line.trim_end() == line), "a line ends with blanks");
    text
}

#[test]
fn a_proven_image() {
    assert_snapshot!(plain(|out| report::text(&samples::built(), PAGE, out)));
}

#[test]
fn a_proven_image_on_a_narrow_ascii_terminal() {
    let page = Page { width: 64, ascii: true };
    let text = plain(|out| report::text(&samples::built(), page, out));
    let wide: Vec<_> = text.lines().filter(|line| line.chars().count() > 64).collect();
    assert_eq!(wide, [""; 0]);
    assert_snapshot!(text);
}

#[test]
fn an_unproven_image() {
    assert_snapshot!(plain(|out| report::text(&samples::unproven(), PAGE, out)));
}

#[test]
fn a_failed_build() {
    assert_snapshot!(plain(|out| report::text(&samples::build_failed(), PAGE, out)));
}

#[test]
fn an_image_without_torch() {
    assert_snapshot!(plain(|out| report::text(&samples::foreign(), PAGE, out)));
}

#[test]
fn an_image_tried_in_several_ways() {
    assert_snapshot!(plain(|out| report::text(&samples::thorough(), PAGE, out)));
}

#[test]
fn an_image_that_fails_in_one_way() {
    assert_snapshot!(plain(|out| report::text(&samples::fails_read_only(), PAGE, out)));
}

#[test]
fn what_a_check_says_is_not_said_again_as_the_log() {
    let mut report = samples::foreign();
    let Outcome::Verified { verification, .. } = &mut report.outcome else { panic!("an image that was verified") };
    let trial = &mut verification.trials[0];
    trial.checks[0].outcome = CheckOutcome::Fail;
    trial.checks[0].evidence.clone_from(&trial.log[0]);
    let text = plain(|out| report::text(&report, PAGE, out));
    assert_eq!(text.matches("no python3 in PATH").count(), 1, "{text}");
}

#[test]
fn a_project_s_facts() {
    assert_snapshot!(plain(|out| report::project(&samples::project(), PAGE, out)));
}

#[test]
fn a_plan_s_choices() {
    assert_snapshot!(plain(|out| report::choices(&samples::plan(), PAGE, out)));
}

#[test]
fn the_bases() {
    assert_snapshot!(plain(|out| report::bases(&samples::bases(), PAGE, out)));
}

#[test]
fn the_catalogue_s_bases_fit_the_page() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let rows = runtime.block_on(sconce::ops::images::list(None::<&sconce::engine::AnyEngine>)).unwrap();
    for width in [80, 120, 140] {
        let text = plain(|out| report::bases(&rows, Page { width, ascii: false }, out));
        let wide: Vec<_> = text.lines().filter(|line| line.chars().count() > width).collect();
        assert_eq!(wide, [""; 0]);
        assert_snapshot!(format!("bases_{width}"), text);
    }
}

#[test]
fn bases_whose_facts_do_not_hold() {
    let check = |id: &str, problems: &[&str]| BaseCheck {
        id: id.to_owned(),
        interpreters: 8,
        packages: 7,
        images: 1,
        checked: "2026-11-22".to_owned(),
        problems: problems.iter().map(|text| (*text).to_owned()).collect(),
    };
    let checks = [check("debian-13", &[]), check("debian-12", &["no interpreter", "`source` is not a URL"])];
    assert_snapshot!(plain(|out| report::base_checks(&checks, PAGE, out)));
}

fn error() -> Error {
    Error::usage("`torch>=2.99` cannot be satisfied")
        .at(Origin::file("requirements.txt", 3))
        .because(io::Error::other("the newest release is 2.15.0"))
        .with_log(vec!["  × No solution found".to_owned(), "\u{1b}[31mred\u{1b}[0m herring".to_owned()])
        .with_hint("loosen the specifier\nor give an index that has it: `--extra-index-url URL`")
}

#[test]
fn an_error_in_colour() {
    let text = written(|out| report::error(&error(), PAGE, out));
    assert_snapshot!(text.replace('\u{1b}', "ESC"));
}

#[test]
fn an_error_as_json() {
    assert_snapshot!(written(|out| json::error(&error(), out)));
}

#[test]
fn every_outcome_as_json() {
    assert_snapshot!("built.json", written(|out| json::report(&samples::built(), out)));
    assert_snapshot!("unproven.json", written(|out| json::report(&samples::unproven(), out)));
    assert_snapshot!("build_failed.json", written(|out| json::report(&samples::build_failed(), out)));
    assert_snapshot!("verified.json", written(|out| json::report(&samples::foreign(), out)));
    assert_snapshot!("several.json", written(|out| json::answers(&samples::matrix(), out)));
}

#[test]
fn other_answers_as_json() {
    assert_snapshot!("bases.json", written(|out| json::bases(&samples::bases(), out)));
    assert_snapshot!("project.json", written(|out| json::project(&samples::project(), out)));
}

/// Everything that a stranger may have written reaches the page without its control characters.
#[test]
fn nothing_that_is_reported_reaches_the_terminal_raw() {
    let evil = "\u{1b}[2J\u{7}\nevil";
    let mut project = samples::project();
    evil.clone_into(&mut project.name);
    evil.clone_into(&mut project.requirements[0].text);
    project.notes[0].message.push_str(evil);
    project.indexes[0].origin = Origin::file(evil, 1);
    let text = plain(|out| report::project(&project, PAGE, out));
    assert!(!text.contains(['\u{1b}', '\u{7}', '\r']), "{text:?}");
    assert_eq!(text.matches("\\nevil").count(), 4, "{text}");
}
