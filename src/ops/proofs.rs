//! Proofs that held, remembered: an image that is bit for bit the one that was proven need not be proven again.
//!
//! An image's id is a digest of its layers and configuration, so the same id is the same image. A proof also speaks of the
//! processor it was made on (vector instructions, `-march=native`), hence the engine is a part of the key.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::engine::EngineInfo;
use crate::model::{Verification, sha256_hex};
use crate::verify::{Expectation, SMOKE_TEST};

/// A folder of proofs, one file each. Losing it costs time, nothing else, so no failure of it is an error.
#[derive(Debug, Clone)]
pub struct ProofStore {
    folder: PathBuf,
}

/// All that a proof depends on.
#[derive(Serialize)]
struct Key<'a> {
    image: &'a str,
    engine: &'a EngineInfo,
    variant: String,
    torch: String,
    smoke_test: &'a str,
    sconce: &'a str,
}

impl ProofStore {
    /// The store in `folder`, which need not exist.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The proof of `image` against `expectation` on this engine, if one is remembered; it says when it was made.
    pub(super) fn recall(&self, image: &str, engine: &EngineInfo, expectation: &Expectation) -> Option<Verification> {
        let bytes = fs::read(self.file(image, engine, expectation)).ok()?;
        let proof: Verification = serde_json::from_slice(&bytes).ok()?;
        (proof.proven() && proof.made_before.is_some()).then_some(proof)
    }

    /// Remembers a proof that held.
    pub(super) fn remember(&self, image: &str, engine: &EngineInfo, expectation: &Expectation, proof: &Verification) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        let proof = Verification { made_before: Some(now), ..proof.clone() };
        let file = self.file(image, engine, expectation);
        let _ = serde_json::to_vec(&proof).map_err(std::io::Error::other).and_then(|bytes| replace(&file, &bytes));
    }

    fn file(&self, image: &str, engine: &EngineInfo, expectation: &Expectation) -> PathBuf {
        let key = Key {
            image,
            engine,
            variant: expectation.variant.to_string(),
            torch: expectation.torch.to_string(),
            smoke_test: SMOKE_TEST,
            sconce: env!("CARGO_PKG_VERSION"),
        };
        let key = serde_json::to_vec(&key).unwrap_or_default();
        self.folder.join(format!("{}.json", sha256_hex([key.as_slice()])))
    }
}

/// Writes `bytes` beside `file` and renames: a reader sees all or nothing.
fn replace(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let beside = file.with_extension(format!("{}.tmp", std::process::id()));
    fs::write(&beside, bytes)?;
    fs::rename(&beside, file)
}

#[cfg(test)]
mod tests {
    use pep440_rs::VersionSpecifiers;

    use super::*;
    use crate::model::{Check, CheckOutcome, Environment, Variant};

    fn engine() -> EngineInfo {
        EngineInfo {
            id: "AAAA".into(),
            name: "Docker".into(),
            version: "20.10.24".into(),
            api: "1.41".into(),
            buildkit: true,
            endpoint: "unix:///var/run/docker.sock".into(),
            architecture: "amd64".into(),
            cpus: 2,
            memory: 1 << 34,
        }
    }

    fn expectation(variant: Variant) -> Expectation {
        Expectation { variant, torch: VersionSpecifiers::empty(), python: None }
    }

    fn proof(outcome: CheckOutcome) -> Verification {
        let check = Check {
            id: "compile".into(),
            title: "it compiles".into(),
            outcome,
            evidence: "1 graph".into(),
            facts: std::collections::BTreeMap::new(),
            error: String::new(),
            seconds: 1.0,
        };
        Verification { checks: vec![check], environment: Environment::default(), log: vec![], made_before: None }
    }

    #[test]
    fn only_the_same_question_recalls_a_proof() {
        let folder = tempfile::tempdir().unwrap();
        let store = ProofStore::new(folder.path().join("new"));
        let cpu = expectation(Variant::Cpu);
        store.remember("sha256:a", &engine(), &cpu, &proof(CheckOutcome::Pass));
        assert!(store.recall("sha256:a", &engine(), &cpu).is_some_and(|proof| proof.made_before.is_some()));
        assert!(store.recall("sha256:b", &engine(), &cpu).is_none(), "another image");
        assert!(store.recall("sha256:a", &engine(), &expectation(Variant::Any)).is_none(), "another expectation");
        let elsewhere = EngineInfo { endpoint: "tcp://elsewhere:2376".into(), ..engine() };
        assert!(store.recall("sha256:a", &elsewhere, &cpu).is_none(), "another engine");
    }

    #[test]
    fn a_failed_proof_is_never_recalled() {
        let folder = tempfile::tempdir().unwrap();
        let store = ProofStore::new(folder.path());
        let cpu = expectation(Variant::Cpu);
        store.remember("sha256:a", &engine(), &cpu, &proof(CheckOutcome::Fail));
        assert!(store.recall("sha256:a", &engine(), &cpu).is_none());
    }
}
