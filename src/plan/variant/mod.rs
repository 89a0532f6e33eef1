//! What torch will be: what is certain of it beforehand, which the proof is held against, and what is probable, of which
//! people are told.

mod arrival;
mod guard;
mod prediction;
#[cfg(test)]
mod tests;

use super::PlanOptions;
use super::target::Target;
use crate::catalogue::Catalogue;
use crate::model::{
    Choice, Installer, Note, PlannedLock, Prediction, Project, Result, TorchBuild, TorchFact, TorchSource, TorchVia,
};
use arrival::Arrival;

/// What decides which torch comes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) project: &'a Project,
    pub(super) target: &'a Target<'a>,
    pub(super) catalogue: &'a Catalogue,
    pub(super) options: &'a PlanOptions,
    pub(super) installer: Installer,
    /// The lock that the installer follows.
    pub(super) lock: Option<&'a PlannedLock>,
}

impl<'a> Question<'a> {
    fn source(&self) -> TorchSource {
        self.options.torch_source.as_ref().map_or(TorchSource::Index, |asked| asked.value)
    }

    /// The ways in which torch arrives in this image, the most certain first.
    fn facts(&self) -> impl Iterator<Item = &'a TorchFact> {
        let environment = &self.target.environment;
        let holds =
            |fact: &&TorchFact| environment.holds(fact.extra.as_deref(), fact.group.as_deref(), fact.marker.as_deref());
        self.project.torch.iter().filter(|fact| fact.via != TorchVia::Lock).filter(holds)
    }

    /// Whether packages come from conda's channels.
    fn is_conda(&self) -> bool {
        matches!(self.installer, Installer::Micromamba | Installer::Pixi)
    }
}

/// The torch that will be installed, and what a reader should know of it.
pub(super) fn torch(question: Question) -> Result<(Choice<TorchBuild>, Vec<Note>)> {
    let arrival = arrival::arrival(question)?;
    let prediction = prediction::prediction(question, &arrival);
    let notes = guard::notes(question, &arrival, &prediction);
    Ok((choice(question, arrival, prediction), notes))
}

fn choice(question: Question, arrival: Arrival, prediction: Prediction) -> Choice<TorchBuild> {
    let build = TorchBuild {
        source: question.source(),
        specifiers: arrival.specifiers,
        variant: arrival.certain,
        backend: arrival.backend,
        prediction,
    };
    Choice::new(build, arrival.requested, arrival.because)
}
