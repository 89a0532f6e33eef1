//! One page that holds all: no network, no script, and a policy that would allow neither.
//!
//! askama rather than maud: the page is text, and text stands in `templates/`, where whoever changes its look finds it; both
//! check it when they are compiled. Bars are SVG, whose sizes need no style that the policy would have to allow.

use std::fmt;
use std::io::{self, Write};

use askama::Template;
use askama::filters::{Escaper, Html};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::advice::platform;
use super::error::causes;
use super::facts::facts;
use super::failure::in_order;
use super::literal::pieces;
use super::step::{recorded_step, step_name};
use super::units::{bytes, seconds, short_id};
use super::verdict::{mark, recalled, tally, timing, tried, verdict, word};
use crate::model::{
    Answer, Answers, BuildFailure, Check, CheckOutcome, Error, Layer, Note, Outcome, Report, Severity, Trial,
    Verification, plain,
};

const STYLE: &str = include_str!("../../templates/report.css");

/// The layers that have a bar of their own.
const LAYERS: usize = 10;

/// Writes the answers as one page.
pub(super) fn answers(answers: &Answers, out: &mut dyn Write) -> io::Result<()> {
    let page = Page::of(answers).render().map_err(io::Error::other)?;
    out.write_all(page.as_bytes())
}

/// What is written into the page: no markup, and nothing that is obeyed rather than shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inert;

impl Escaper for Inert {
    fn write_escaped_str<W: fmt::Write>(&self, to: W, text: &str) -> fmt::Result {
        Html.write_escaped_str(to, &plain(text))
    }
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    title: String,
    ok: bool,
    style: &'static str,
    policy: String,
    columns: Vec<&'a str>,
    images: Vec<ImageView<'a>>,
    version: &'static str,
}

impl<'a> Page<'a> {
    fn of(answers: &'a Answers) -> Self {
        let columns = columns(answers);
        let images: Vec<_> =
            answers.list.iter().enumerate().map(|(index, answer)| ImageView::of(index, answer)).collect();
        let title = match images.as_slice() {
            [only] => format!("{}: {}", only.verdict, only.name),
            several => {
                let proven = several.iter().filter(|image| image.ok).count();
                format!("{proven} of {} images verified", several.len())
            }
        };
        // The one style is allowed by its digest: a style that a text smuggled in would not be.
        let digest = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
        let policy = format!("default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'");
        Self { title, ok: answers.ok(), style: STYLE, policy, columns, images, version: env!("CARGO_PKG_VERSION") }
    }
}

/// The ways of running an image that were tried, or left out, on any of them.
fn columns(answers: &Answers) -> Vec<&str> {
    let proofs = || answers.reports().filter_map(|report| report.outcome.verification());
    let tried = proofs().flat_map(|proof| &proof.trials).map(|trial| trial.id.as_str());
    let left = proofs().flat_map(|proof| &proof.untried).map(|untried| untried.id.as_str());
    let mut columns = Vec::new();
    for id in tried.chain(left) {
        if !columns.contains(&id) {
            columns.push(id);
        }
    }
    columns
}

/// One image: its row in the matrix, and its part of the page.
struct ImageView<'a> {
    anchor: String,
    name: &'a str,
    ok: bool,
    verdict: &'static str,
    result: Result<Told<'a>, &'a Error>,
}

impl<'a> ImageView<'a> {
    fn of(index: usize, answer: &'a Answer) -> Self {
        let result = answer.result.as_ref().map(Told::of);
        let verdict = match &answer.result {
            Ok(report) => verdict(&report.outcome),
            Err(_) => "no answer",
        };
        Self { anchor: format!("image-{}", index + 1), name: &answer.reference, ok: answer.ok(), verdict, result }
    }

    /// What came of one way of running it.
    fn cell(&self, column: &str) -> Sign {
        let proof = self.result.as_ref().ok().and_then(|told| told.report.outcome.verification());
        let tried = proof.and_then(|proof| proof.trials.iter().find(|trial| trial.id == column));
        match tried.map(Trial::outcome) {
            Some(outcome) => shown(outcome),
            None => Sign { class: "none", mark: "·", word: "not tried" },
        }
    }
}

/// What came of something: for the eye, and for those who do not see it.
struct Sign {
    class: &'static str,
    mark: &'static str,
    word: &'static str,
}

/// A report, ready to be shown.
struct Told<'a> {
    report: &'a Report,
    facts: Vec<Fact>,
    trials: Vec<TrialView<'a>>,
}

struct Fact {
    label: String,
    value: String,
    detail: String,
}

struct TrialView<'a> {
    trial: &'a Trial,
    first: bool,
    /// The longest that anything took, which the bars are measured by.
    longest: f64,
}

struct LayerView<'a> {
    step: &'a str,
    size: u64,
    bar: Bar,
}

/// The length of a bar, in percent.
struct Bar(f64);

impl Bar {
    fn of(part: f64, whole: f64) -> Self {
        let share = if whole > 0.0 { part / whole * 100.0 } else { 0.0 };
        Self(if share.is_finite() { share.clamp(0.0, 100.0) } else { 0.0 })
    }
}

impl fmt::Display for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1}", self.0)
    }
}

impl<'a> Told<'a> {
    fn of(report: &'a Report) -> Self {
        let trials = report.outcome.verification().map(|proof| proof.trials.as_slice()).unwrap_or_default();
        let times = trials.iter().flat_map(|trial| &trial.checks).map(|check| check.seconds);
        let longest = times.fold(0.0, f64::max);
        let trials = trials.iter().enumerate().map(|(index, trial)| TrialView { trial, first: index == 0, longest });
        Self { report, facts: told_facts(&report.outcome), trials: trials.collect() }
    }

    fn proof(&self) -> Option<&'a Verification> {
        self.report.outcome.verification()
    }

    fn failure(&self) -> Option<&'a BuildFailure> {
        match &self.report.outcome {
            Outcome::BuildFailed { failure, .. } | Outcome::FileFailed { failure, .. } => Some(failure),
            _ => None,
        }
    }

    /// The largest layers, the largest first.
    fn layers(&self) -> Vec<LayerView<'a>> {
        let mut layers: Vec<_> =
            self.report.outcome.image().map(|image| image.layers.iter().collect()).unwrap_or_default();
        layers.retain(|layer: &&Layer| layer.size > 0);
        layers.sort_by_key(|layer| std::cmp::Reverse(layer.size));
        let largest = layers.first().map_or(0, |layer| layer.size);
        #[allow(clippy::cast_precision_loss, reason = "a length on a screen")]
        let bar = |size| Bar::of(size as f64, largest as f64);
        let shown = layers.into_iter().take(LAYERS);
        shown
            .map(|layer| LayerView { step: named(&layer.created_by), size: layer.size, bar: bar(layer.size) })
            .collect()
    }

    /// The notes, the warnings first.
    fn notes(&self) -> Vec<&'a Note> {
        let mut notes: Vec<&Note> = self.report.notes.iter().collect();
        notes.sort_by_key(|note| std::cmp::Reverse(note.severity));
        notes
    }

    /// Whether something failed that nothing explains.
    fn is_unexplained(&self) -> bool {
        !self.report.outcome.ok() && self.report.diagnoses.is_empty()
    }
}

/// What the text has, but for the layers, which have bars here.
fn told_facts(outcome: &Outcome) -> Vec<Fact> {
    let rows = facts(outcome).into_iter().filter_map(|row| {
        let [label, value] = row.as_slice() else { return None };
        let label: String = label.spans.iter().map(|span| span.text.as_str()).collect();
        let dim = |span: &&super::styled::Span| span.style == super::styled::DIM;
        let (details, values): (Vec<_>, Vec<_>) = value.spans.iter().partition(dim);
        let joined = |spans: Vec<&super::styled::Span>| spans.iter().map(|span| span.text.trim()).collect::<String>();
        (!label.is_empty()).then(|| Fact { label, value: joined(values), detail: joined(details) })
    });
    rows.collect()
}

fn named(created_by: &str) -> &str {
    match recorded_step(created_by) {
        "" => "(no step is recorded)",
        step => step,
    }
}

impl TrialView<'_> {
    /// Whether it is open when the page is: the image as it is, and what failed.
    fn is_open(&self) -> bool {
        self.first || self.trial.outcome() == CheckOutcome::Fail
    }

    fn bar(&self, check: &Check) -> Option<Bar> {
        // As in the text: what takes no time to speak of has none.
        (check.seconds >= 0.05).then(|| Bar::of(check.seconds, self.longest))
    }
}

fn shown(outcome: CheckOutcome) -> Sign {
    let class = match outcome {
        CheckOutcome::Pass => "pass",
        CheckOutcome::Fail => "fail",
        CheckOutcome::Skip => "skip",
    };
    Sign { class, mark: mark(outcome), word: word(outcome) }
}

fn is_warning(note: &Note) -> bool {
    note.severity == Severity::Warning
}
