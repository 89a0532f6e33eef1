use super::step::recorded_step;
use super::styled::{DIM, Text};
use super::units::{bytes, count};
use crate::model::{BaseOrigin, Choice, Image, Origin, Outcome, Plan, TorchSource, TrialEnvironment, Verification};

/// The layers that are named are at least this part of their image.
const LARGE_LAYER: f64 = 0.05;

/// A label and what it labels.
pub(super) type Row = Vec<Text>;

pub(super) fn row(label: &str, value: Text) -> Row {
    vec![Text::new(DIM, label), value]
}

/// What the outcome is about: one row a fact, the empty ones left out.
pub(super) fn facts(outcome: &Outcome) -> Vec<Row> {
    match outcome {
        Outcome::Built { plan, built_by, image, verification, .. }
        | Outcome::Unproven { plan, built_by, image, verification, .. } => {
            let mut rows = software(verification, Some(plan));
            rows.push(row("base", base(plan, built_by.base)));
            rows.extend(hardware(image, verification));
            rows.push(row("engine", Text::plain(&built_by.engine)));
            rows
        }
        Outcome::Verified { image, verification, .. } => {
            let mut rows = software(verification, None);
            rows.extend(hardware(image, verification));
            rows
        }
        Outcome::FileFailed { .. } => Vec::new(),
        Outcome::BuildFailed { plan, .. } => vec![
            row("python", chosen(&plan.python.value.to_string(), &plan.python)),
            row("torch", chosen(&super::plan::torch(&plan.torch.value), &plan.torch)),
            row("base", chosen(&plan.base.value.id, &plan.base)),
        ],
    }
}

fn software(verification: &Verification, plan: Option<&Plan>) -> Vec<Row> {
    let found = verification.environment();
    let python = if found.python.is_empty() { "none with torch was found" } else { &found.python };
    let torch = if found.torch.is_empty() { "could not be imported".to_owned() } else { torch(found, plan) };
    let Some(plan) = plan else {
        let python = Text::plain(python).and(DIM, located(&found.executable));
        return vec![row("python", python), row("torch", Text::plain(torch))];
    };
    vec![row("python", chosen(python, &plan.python)), row("torch", chosen(&torch, &plan.torch))]
}

fn torch(found: &TrialEnvironment, plan: Option<&Plan>) -> String {
    let packaged = plan.is_some_and(|plan| plan.torch.value.source == TorchSource::Distribution);
    let source = if packaged { ", the distribution's package" } else { "" };
    format!("{} for {}{source}", found.torch, found.variant)
}

fn located(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!("  {path}") }
}

/// A value with who asked for it and why it won.
fn chosen<T>(value: &str, choice: &Choice<T>) -> Text {
    Text::plain(format!("{value}  ")).and(DIM, reason(choice))
}

/// Why a choice won, to be read after its value.
pub(super) fn reason<T>(choice: &Choice<T>) -> String {
    match &choice.requested {
        Origin::Default | Origin::Catalogue { .. } => choice.because.clone(),
        origin => format!("asked for by {origin}, because {}", choice.because),
    }
}

fn base(plan: &Plan, origin: BaseOrigin) -> Text {
    let base = &plan.base.value;
    let (reference, came) = match origin {
        BaseOrigin::Local => (&base.reference, "already on the engine"),
        BaseOrigin::Pulled => (&base.reference, "pulled from its registry"),
        BaseOrigin::Bootstrapped => (
            base.bootstrapped.as_ref().unwrap_or(&base.reference),
            "bootstrapped here from the distribution's packages, not pulled from a registry",
        ),
    };
    Text::plain(format!("{} as {reference}, {came}", base.id))
}

fn hardware(image: &Image, verification: &Verification) -> Vec<Row> {
    let found = verification.environment();
    let user = match (found.user.is_empty(), image.user.is_empty()) {
        (false, _) => &found.user,
        (true, false) => &image.user,
        (true, true) => "root",
    };
    let mut rows = vec![row("user", Text::plain(user)), row("size", size(image))];
    rows.extend(large_layers(image));
    if found.cpus > 0 {
        let libc = if found.libc.is_empty() { String::new() } else { format!(", {}", found.libc) };
        rows.push(row("tried on", Text::plain(format!("{} × {}{libc}", found.cpus, found.cpu))));
    }
    rows
}

fn size(image: &Image) -> Text {
    Text::plain(bytes(image.size)).and(DIM, format!("  {}", count(image.layers.len(), "layer")))
}

/// The three largest layers with the steps that made them.
fn large_layers(image: &Image) -> impl Iterator<Item = Row> {
    #[allow(clippy::cast_precision_loss, reason = "a threshold")]
    let is_large = |size: u64| size as f64 >= image.size as f64 * LARGE_LAYER;
    let mut layers: Vec<_> = image.layers.iter().filter(|layer| layer.size > 0 && is_large(layer.size)).collect();
    layers.sort_by_key(|layer| std::cmp::Reverse(layer.size));
    layers.into_iter().take(3).map(|layer| {
        let step = match recorded_step(&layer.created_by) {
            "" => "(no step is recorded)",
            step => step,
        };
        let text = format!("{:>7}  {}", bytes(layer.size), shortened(step, 60));
        row("", Text::new(DIM, text))
    })
}

fn shortened(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}
