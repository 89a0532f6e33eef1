//! One file a command: each sequences the stages, and does nothing else.

pub mod attest;
mod base;
mod bootstrap;
pub mod build;
pub mod collect;
mod devcontainer;
pub mod diff;
pub mod doctor;
pub mod explain;
mod freshness;
pub mod images;
mod inspect;
pub mod network;
mod proofs;
mod render;
pub mod reproduce;
mod sources;
mod subject;
pub mod templates;
pub mod verify;

pub use devcontainer::{devcontainer_files, write_devcontainer};
pub use freshness::{check_files, named};
pub use inspect::inspect;
pub use proofs::ProofStore;
pub use render::{Rendered, render};
pub use subject::{Dockerfile, Subject};

use crate::catalogue::Catalogue;
use crate::diagnose::diagnose;
use crate::model::{BuildFailure, Check, CheckOutcome, Diagnosis, Note, Outcome, Report, SCHEMA, Verification};

/// What the failed checks of a proof mean; each is told which of it is its own. They are read together: of two causes, one
/// may be the other's.
fn diagnoses(catalogue: &Catalogue, verification: &mut Verification) -> Vec<Diagnosis> {
    let said = |check: &Check| format!("{}\n{}", check.error, check.evidence);
    let all: Vec<String> = verification.failed().map(said).collect();
    let diagnoses = diagnose(catalogue, &all.join("\n"));
    let checks = verification.trials.iter_mut().flat_map(|trial| &mut trial.checks);
    for check in checks.filter(|check| check.outcome == CheckOutcome::Fail) {
        let own = diagnose(catalogue, &said(check)).into_iter().map(|diagnosis| diagnosis.id);
        check.causes = own.filter(|id| diagnoses.iter().any(|known| known.id == *id)).collect();
    }
    diagnoses
}

/// What a failed build means.
fn build_diagnoses(catalogue: &Catalogue, failure: &BuildFailure) -> Vec<Diagnosis> {
    diagnose(catalogue, &format!("{}\n{}", failure.log.join("\n"), failure.message))
}

fn report(outcome: Outcome, diagnoses: Vec<Diagnosis>, notes: Vec<Note>, started: std::time::Instant) -> Report {
    Report {
        schema: SCHEMA,
        sconce: env!("CARGO_PKG_VERSION").to_owned(),
        outcome,
        diagnoses,
        notes,
        seconds: started.elapsed().as_secs_f64(),
    }
}
