//! One file a command: each sequences the stages, and does nothing else.

mod base;
mod bootstrap;
pub mod build;
mod devcontainer;
pub mod images;
mod inspect;
pub mod network;
mod proofs;
mod render;
pub mod templates;
pub mod verify;

pub use devcontainer::write_devcontainer;
pub use inspect::inspect;
pub use proofs::ProofStore;
pub use render::{Rendered, render};

use crate::catalogue::Catalogue;
use crate::diagnose::diagnose;
use crate::model::{Diagnosis, Note, Outcome, Report, SCHEMA, Verification};

/// What the failed checks of a proof mean. They are read together: of two causes, one may be the other's.
fn diagnoses(catalogue: &Catalogue, verification: &Verification) -> Vec<Diagnosis> {
    let texts: Vec<&str> =
        verification.failed().flat_map(|check| [check.error.as_str(), check.evidence.as_str()]).collect();
    diagnose(catalogue, &texts.join("\n"))
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
