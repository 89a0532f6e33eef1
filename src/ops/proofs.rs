//! Proofs that held, remembered: what is certain to come out as before need not be tried again.
//!
//! An image's id is a digest of its layers and configuration, so the same id is the same image. Of an image whose sources
//! stand apart ([`super::sources`]) the proof is remembered a second time, for all images that differ in them only. A proof
//! also speaks of the processor it was made on (vector instructions, `-march=native`), hence the engine is a part of the key.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::Serialize;

use crate::engine::EngineInfo;
use crate::model::{Profile, Recalled, Same, Variant, Verification, sha256_hex};
use crate::verify::{Conditions, Expectation, JUDGES, PROGRAMS, Question, Script};

/// How many proofs are kept: of those, the ones that were made last.
const KEPT: usize = 500;

/// No proof is longer, in bytes.
const LONGEST: u64 = 4 << 20;

/// The id of the trial that runs the user's own script. It runs the sources, so it holds for the very same image only.
pub(super) const OWN_TRIAL: &str = "smoke";

/// A folder of proofs, one file each. Losing it costs time, nothing else, so no failure of it is an error.
#[derive(Debug, Clone)]
pub struct ProofStore {
    folder: PathBuf,
}

/// What was proven.
#[derive(Debug, Clone, Copy)]
pub(super) struct ProvenImage<'a> {
    /// The image's id.
    pub(super) id: &'a str,
    /// The digest of the image without its sources, where they stand apart.
    pub(super) environment: Option<&'a str>,
}

/// All that a proof depends on besides the image.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Grounds<'a> {
    engine: &'a EngineInfo,
    variant: &'a Variant,
    torch: String,
    python: Option<&'a str>,
    conditions: &'a Conditions,
    profile: Profile,
    compiles: Vec<&'a str>,
    /// The user's own script: of the proof of an environment it is no part.
    own: Option<&'a Script>,
    processor: String,
    programs: [&'static str; 3],
    judges: [&'static str; 4],
    apart: &'static str,
    sconce: &'static str,
}

impl<'a> Grounds<'a> {
    pub(super) fn new(engine: &'a EngineInfo, question: &'a Question) -> Self {
        let Question { expectation, conditions, profile, compiles, smoke } = question;
        let Expectation { variant, torch, python } = expectation;
        Self {
            engine,
            variant,
            torch: torch.to_string(),
            python: python.as_deref(),
            conditions,
            profile: *profile,
            compiles: compiles.iter().map(|compile| compile.id.as_str()).collect(),
            own: smoke.as_ref(),
            processor: processor(&engine.endpoint),
            programs: PROGRAMS,
            judges: JUDGES,
            apart: include_str!("sources.rs"),
            sconce: env!("CARGO_PKG_VERSION"),
        }
    }

    fn of(&self, same: Same) -> Self {
        let own = self.own.filter(|_| same == Same::Image);
        Self { own, ..self.clone() }
    }
}

/// What the processor is and can, where the engine is on this machine: its disk may have moved to another.
fn processor(endpoint: &str) -> String {
    let text = if endpoint.starts_with("unix:") {
        fs::read_to_string("/proc/cpuinfo").unwrap_or_default()
    } else {
        String::new()
    };
    let names = ["model name", "flags", "Features", "CPU part"];
    let told = |name: &&str| text.lines().find(|line| line.starts_with(*name));
    names.iter().filter_map(told).collect::<Vec<_>>().join("\n")
}

impl ProofStore {
    /// The store in `folder`, which need not exist.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The proof of `image` on these `grounds`, if one is remembered; it says when it was made, and of what. That of an
    /// environment is without the trial of the user's own script.
    pub(super) fn recall(&self, image: ProvenImage<'_>, grounds: &Grounds<'_>) -> Option<Verification> {
        let environment = || read(&self.file(Same::Environment, image.environment?, grounds));
        read(&self.file(Same::Image, image.id, grounds)).or_else(environment)
    }

    /// Remembers a proof that held and was made at `at`, in seconds since 1970. One that was recalled stays what it was.
    pub(super) fn remember(&self, image: ProvenImage<'_>, grounds: &Grounds<'_>, proof: &Verification, at: u64) {
        let recalled = |same| proof.recalled.clone().or(Some(Recalled { at, same }));
        let of_image = Verification { recalled: recalled(Same::Image), ..proof.clone() };
        self.write(&self.file(Same::Image, image.id, grounds), &of_image);
        if let (Some(environment), None) = (image.environment, &proof.recalled) {
            let mut of_environment = Verification { recalled: recalled(Same::Environment), ..proof.clone() };
            of_environment.trials.retain(|trial| trial.id != OWN_TRIAL);
            self.write(&self.file(Same::Environment, environment, grounds), &of_environment);
        }
        let _ = self.forget_the_oldest();
    }

    fn file(&self, same: Same, subject: &str, grounds: &Grounds<'_>) -> PathBuf {
        let key = serde_json::to_vec(&(same, subject, grounds.of(same))).unwrap_or_default();
        self.folder.join(format!("{}.json", sha256_hex([key.as_slice()])))
    }

    /// Writes `proof` beside `file` and renames: a reader sees all or nothing.
    fn write(&self, file: &Path, proof: &Verification) {
        let beside = self.folder.join(format!("{}.tmp", uuid::Uuid::new_v4().simple()));
        let written = serde_json::to_vec(proof).map_err(io::Error::other).and_then(|bytes| {
            fs::create_dir_all(&self.folder)?;
            fs::write(&beside, bytes)?;
            fs::rename(&beside, file)
        });
        if written.is_err() {
            let _ = fs::remove_file(&beside);
        }
    }

    fn forget_the_oldest(&self) -> io::Result<()> {
        let ours = |name: &Path| name.extension().is_some_and(|extension| extension == "json" || extension == "tmp");
        let mut files: Vec<(SystemTime, PathBuf)> = fs::read_dir(&self.folder)?
            .filter_map(|entry| Some((entry.as_ref().ok()?.metadata().ok()?.modified().ok()?, entry.ok()?.path())))
            .filter(|(_, path)| ours(path))
            .collect();
        files.sort_unstable_by(|one, other| other.cmp(one));
        files.iter().skip(KEPT).try_for_each(|(_, path)| fs::remove_file(path))
    }
}

fn read(file: &Path) -> Option<Verification> {
    let mut bytes = Vec::new();
    File::open(file).ok()?.take(LONGEST).read_to_end(&mut bytes).ok()?;
    let proof: Verification = serde_json::from_slice(&bytes).ok()?;
    // In this order: of a proof without trials nothing may be asked.
    (!proof.trials.is_empty() && proof.recalled.is_some() && proof.proven()).then_some(proof)
}

#[cfg(test)]
mod tests {
    use pep440_rs::VersionSpecifiers;

    use super::*;
    use crate::model::{Check, CheckOutcome, Trial, TrialEnvironment};

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

    fn question(variant: Variant) -> Question {
        let expectation = Expectation { variant, torch: VersionSpecifiers::empty(), python: None };
        let smoke = Some(Script { name: "check.py".into(), text: "pass".into() });
        let (conditions, profile) = (Conditions::default(), Profile::Standard);
        Question { expectation, conditions, profile, compiles: vec![], smoke }
    }

    fn trial(id: &str, outcome: CheckOutcome) -> Trial {
        let check = Check {
            id: "compile".into(),
            title: "it compiles".into(),
            outcome,
            evidence: "1 graph".into(),
            facts: std::collections::BTreeMap::new(),
            error: String::new(),
            causes: Vec::new(),
            seconds: 1.0,
        };
        Trial {
            id: id.into(),
            title: "as the image is".into(),
            checks: vec![check],
            environment: TrialEnvironment::default(),
            log: vec![],
            seconds: 1.0,
        }
    }

    fn proof(outcome: CheckOutcome) -> Verification {
        let trials = vec![trial("as-is", outcome), trial("smoke", outcome)];
        Verification { profile: Profile::Standard, trials, untried: vec![], recalled: None }
    }

    /// A store with a proof of the image `a`, whose environment is `e`.
    fn store(outcome: CheckOutcome) -> (tempfile::TempDir, ProofStore) {
        let folder = tempfile::tempdir().unwrap();
        let store = ProofStore::new(folder.path().join("new"));
        let (engine, cpu) = (engine(), question(Variant::Cpu));
        store.remember(image("a", Some("e")), &Grounds::new(&engine, &cpu), &proof(outcome), 77);
        (folder, store)
    }

    fn image<'a>(id: &'a str, environment: Option<&'a str>) -> ProvenImage<'a> {
        ProvenImage { id, environment }
    }

    fn recalled(store: &ProofStore, image: ProvenImage<'_>) -> Option<(Recalled, usize)> {
        let (engine, cpu) = (engine(), question(Variant::Cpu));
        let proof = store.recall(image, &Grounds::new(&engine, &cpu))?;
        Some((proof.recalled.clone()?, proof.trials.len()))
    }

    #[test]
    fn only_the_same_question_recalls_a_proof() {
        let (_folder, store) = store(CheckOutcome::Pass);
        let asked = |engine: &EngineInfo, question: &Question| {
            store.recall(image("a", Some("e")), &Grounds::new(engine, question)).is_some()
        };
        let cpu = question(Variant::Cpu);
        assert!(asked(&engine(), &cpu));
        assert!(!asked(&engine(), &question(Variant::Any)), "another expectation");
        let little = Conditions { memory: 1 << 30, ..Conditions::default() };
        assert!(!asked(&engine(), &Question { conditions: little, ..cpu.clone() }), "less memory");
        assert!(!asked(&engine(), &Question { profile: Profile::Thorough, ..cpu.clone() }), "another profile");
        let elsewhere = EngineInfo { endpoint: "tcp://elsewhere:2376".into(), ..engine() };
        assert!(!asked(&elsewhere, &cpu), "another engine");
        let other = Some(Script { name: "check.py".into(), text: "raise".into() });
        let of_image =
            store.recall(image("a", None), &Grounds::new(&engine(), &Question { smoke: other, ..cpu.clone() }));
        assert!(of_image.is_none(), "another script of the user's own");
    }

    #[test]
    fn the_proof_of_an_environment_is_without_the_user_s_own_script() {
        let (_folder, store) = store(CheckOutcome::Pass);
        let (of_image, of_environment) =
            (Recalled { at: 77, same: Same::Image }, Recalled { at: 77, same: Same::Environment });
        assert_eq!(recalled(&store, image("a", Some("e"))), Some((of_image.clone(), 2)));
        assert_eq!(recalled(&store, image("a", None)), Some((of_image, 2)));
        assert_eq!(recalled(&store, image("b", Some("e"))), Some((of_environment, 1)));
        assert_eq!(recalled(&store, image("b", None)), None, "its sources have a part in the proof");
        assert_eq!(recalled(&store, image("b", Some("f"))), None, "another environment");
        assert_eq!(recalled(&store, image("e", Some("a"))), None, "an image is no environment");
    }

    /// What was completed by the user's own script is the proof of that image from then on, and still of the first one's time.
    #[test]
    fn a_recalled_proof_is_remembered_as_what_it_was() {
        let (_folder, store) = store(CheckOutcome::Pass);
        let (engine, cpu) = (engine(), question(Variant::Cpu));
        let grounds = Grounds::new(&engine, &cpu);
        let mut completed = store.recall(image("b", Some("e")), &grounds).unwrap();
        completed.trials.push(trial("smoke", CheckOutcome::Pass));
        store.remember(image("b", Some("e")), &grounds, &completed, 99);
        let same = Recalled { at: 77, same: Same::Environment };
        assert_eq!(recalled(&store, image("b", Some("e"))), Some((same.clone(), 2)));
        assert_eq!(recalled(&store, image("c", Some("e"))), Some((same, 1)));
    }

    #[test]
    fn a_failed_proof_is_never_recalled() {
        let (_folder, store) = store(CheckOutcome::Fail);
        assert_eq!(recalled(&store, image("a", Some("e"))), None);
    }

    #[test]
    fn a_broken_store_is_an_empty_one() {
        let (folder, store) = store(CheckOutcome::Pass);
        let files: Vec<PathBuf> =
            fs::read_dir(folder.path().join("new")).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files.len(), 2);
        for text in
            ["", "{", "null", r#"{"profile":"standard","trials":[],"untried":[],"recalled":{"at":1,"same":"image"}}"#]
        {
            for file in &files {
                fs::write(file, text).unwrap();
            }
            assert_eq!(recalled(&store, image("a", Some("e"))), None, "{text}");
        }
        // A file where the folder should be.
        let nowhere = ProofStore::new(files[0].clone());
        let (engine, cpu) = (engine(), question(Variant::Cpu));
        nowhere.remember(image("a", None), &Grounds::new(&engine, &cpu), &proof(CheckOutcome::Pass), 1);
        assert_eq!(recalled(&nowhere, image("a", None)), None);
    }

    #[test]
    fn the_store_keeps_the_newest_and_what_is_not_its_own() {
        let (_folder, store) = store(CheckOutcome::Pass);
        let old = SystemTime::UNIX_EPOCH;
        for name in (0..KEPT).map(|number| format!("{number}.json")).chain(["notes.txt".to_owned()]) {
            let file = File::create(store.folder.join(name)).unwrap();
            file.set_modified(old).unwrap();
        }
        store.forget_the_oldest().unwrap();
        let left = fs::read_dir(&store.folder).unwrap().count();
        assert_eq!(left, KEPT + 1);
        assert!(store.folder.join("notes.txt").exists());
        assert!(recalled(&store, image("a", Some("e"))).is_some());
    }
}
