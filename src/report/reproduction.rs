//! What was reported, how it is built again, and what came of it: for people and as Markdown.

mod markdown;
mod text;

pub use markdown::reproduction as markdown;
pub use text::{reconstruction, reproduction};

use crate::model::{
    Attempt, Environment, Fidelity, FidelityItem, Fixed, Grade, Installation, Part, Reported, ReproductionVerdict,
};

/// What was found in the document: `output of collect_env (lines 3-61), a log (lines 70-102)`.
fn parts(reported: &Reported) -> String {
    let part = |part: &Part| match part.lines {
        0 | 1 => format!("{} (line {})", part.kind.named(), part.line),
        lines => format!("{} (lines {}-{})", part.kind.named(), part.line, part.line + lines - 1),
    };
    reported.parts.iter().map(part).collect::<Vec<_>>().join(", ")
}

/// The environment in one line: `Ubuntu 22.04.4 LTS, the distribution's Python 3.10.12, torch 2.5.1+cu124 in the user's own folder`.
fn environment(told: &Environment) -> String {
    let system = told.system.as_ref().map(|system| {
        let text = if system.value.text.is_empty() { "an unknown system" } else { &system.value.text };
        if system.value.wsl { format!("{text} in WSL") } else { text.to_owned() }
    });
    let python = told.python.as_ref().map(|python| match told.installation.as_ref() {
        Some(installation) => format!("{} Python {}", whose(installation.value), python.value),
        None => format!("Python {}", python.value),
    });
    let torch = told.torch.as_ref().map(|torch| match told.place.as_ref() {
        Some(place) => format!("torch {} {}", torch.value, place.value.words()),
        None => format!("torch {}", torch.value),
    });
    let said: Vec<String> = [system, python, torch].into_iter().flatten().collect();
    if said.is_empty() { "nothing about the environment".to_owned() } else { said.join(", ") }
}

fn whose(installation: Installation) -> &'static str {
    match installation {
        Installation::Distribution => "the distribution's",
        Installation::Deadsnakes => "deadsnakes'",
        Installation::Image => "/usr/local's",
        Installation::Conda => "conda's",
        Installation::Pyenv => "pyenv's",
        Installation::Uv => "uv's",
        Installation::Brew => "Homebrew's",
        Installation::Framework => "python.org's",
        Installation::Windows => "Windows'",
    }
}

/// What is said of a failure that was looked for, without a mark.
fn verdict(verdict: &ReproductionVerdict, failure: Option<&str>) -> String {
    let failure = failure.map(|id| format!("`{id}`")).unwrap_or_default();
    match verdict {
        ReproductionVerdict::Reproduced => format!("reproduced: the same failure, {failure}, from a real run"),
        ReproductionVerdict::ReproducedByProof { check } => {
            format!("reproduced: the program notices nothing, and the check `{check}` of the proof finds {failure}")
        }
        ReproductionVerdict::Different { shown } if shown.is_empty() => {
            format!("not reproduced: the program failed for a reason that is not known, and not by {failure}")
        }
        ReproductionVerdict::Different { shown } => {
            format!("not reproduced: it failed by {}, and not by {failure}", listed(shown))
        }
        ReproductionVerdict::NotReproduced => format!("not reproduced: the program ran, and nothing shows {failure}"),
        ReproductionVerdict::NotBuilt => "not reproduced: the image could not be built".to_owned(),
        ReproductionVerdict::NothingToCompare { shown } if shown.is_empty() => {
            "nothing to compare with: the report names no failure that is known".to_owned()
        }
        ReproductionVerdict::NothingToCompare { shown } => {
            format!("nothing to compare with: the report names no failure that is known; here it was {}", listed(shown))
        }
    }
}

fn listed(ids: &[String]) -> String {
    ids.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ")
}

/// What is said of the remedy, without a mark.
fn fixed(fixed: &Fixed) -> String {
    let Attempt { image, run, verification, .. } = &fixed.attempt;
    if fixed.proven {
        return "proven: the program runs, and torch.compile works".to_owned();
    }
    let ran = run.as_ref().is_some_and(crate::model::ProgramRun::ok);
    let holds = verification.as_ref().is_some_and(crate::model::Verification::proven);
    match (image, ran, holds) {
        (None, ..) => "not proven: the image could not be built",
        (_, false, true) => "not proven: torch.compile works, but the program failed",
        (_, true, false) => "not proven: the program ran, but a check of the proof failed",
        _ => "not proven: the program failed, and so did a check of the proof",
    }
    .to_owned()
}

/// The score with what it means.
fn score(fidelity: &Fidelity) -> String {
    let told = if fidelity.measured { "read in the image" } else { "as planned" };
    format!("{} % of what can be had in a container is the same, {told}", fidelity.score)
}

fn grade(grade: Grade) -> &'static str {
    match grade {
        Grade::Same => "same",
        Grade::Nearest => "nearest",
        Grade::LeftOut => "left out",
        Grade::Impossible => "impossible",
    }
}

/// One item, without its grade: what was reported, what there is instead, and why.
fn item(item: &FidelityItem) -> String {
    let mut said = item.reported.value.clone();
    if let Some(replica) = item.replica.as_ref().filter(|replica| item.grade != Grade::Same && **replica != said) {
        said = format!("{said} -> {replica}");
    }
    if item.because.is_empty() { said } else { format!("{said}: {}", item.because) }
}
