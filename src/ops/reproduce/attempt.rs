//! One environment: built, run, and put to the proof.

use std::collections::BTreeMap;
use std::time::Duration;

use pep440_rs::VersionSpecifiers;

use super::ReproduceOptions;
use crate::catalogue::{Catalogue, Failures};
use crate::diagnose;
use crate::engine::{BuildOutcome, BuildRequest, Engine, Event, Progress, RunOutput, UNPROVEN_REPOSITORY};
use crate::model::{
    Attempt, Confidence, Environment, Error, ErrorKind, Evidence, Profile, Program, ProgramRun, Reconstruction, Result,
    RunAs, Variant, Verification, plain,
};
use crate::ops::network::BuildNetwork;
use crate::ops::{build_diagnoses, diagnoses};
use crate::verify::{Conditions, Expectation, Question, Script, collect, run_program, verify};

/// The lines of a program's output that are kept.
const TAIL: usize = 60;

/// What all attempts have in common.
pub(super) struct Workbench<'a, E> {
    pub(super) engine: &'a E,
    pub(super) options: &'a ReproduceOptions,
    pub(super) catalogue: &'a Catalogue,
    /// The base, as it is named on the engine.
    pub(super) base: &'a str,
    pub(super) network: &'a BuildNetwork,
    pub(super) progress: &'a dyn Progress,
}

/// What one attempt is to do.
pub(super) struct Run<'a> {
    /// The last part of the tag.
    side: &'static str,
    dockerfile: &'a str,
    /// How containers are run for it.
    conditions: RunAs,
    program: &'a Program,
    python: &'a str,
    /// Whether the proof is made also where the program worked, and how much of it.
    proof: Proof,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    /// Only where the program did not show what is looked for, and the quick one.
    IfSilent,
    /// The one that was asked for.
    Full,
}

/// What came of an attempt.
pub(super) struct Attempted {
    pub(super) outcome: Attempt,
    /// The ids of what the program's own output shows, the most certain first.
    pub(super) shown: Vec<String>,
}

impl<'a> Run<'a> {
    pub(super) fn faithful(reconstruction: &'a Reconstruction) -> Self {
        let defect = reconstruction.replica.defect.as_ref();
        Self {
            side: "faithful",
            dockerfile: &reconstruction.faithful_dockerfile,
            conditions: defect.map(|defect| defect.run.clone()).unwrap_or_default(),
            program: &reconstruction.program,
            python: reconstruction.replica.python_path(),
            proof: Proof::IfSilent,
        }
    }

    pub(super) fn fixed(reconstruction: &'a Reconstruction) -> Self {
        let defect = reconstruction.replica.defect.as_ref();
        Self {
            side: "fixed",
            dockerfile: &reconstruction.fixed_dockerfile,
            conditions: defect.map(|defect| defect.fix.run.clone()).unwrap_or_default(),
            program: &reconstruction.program,
            python: reconstruction.replica.python_path(),
            proof: Proof::Full,
        }
    }

    fn conditions(&self, asked: &Conditions) -> Conditions {
        let RunAs { user, read_only, tmpfs, memory_mib } = self.conditions.clone();
        let memory = memory_mib.map_or(asked.memory, |memory| (memory << 20).min(asked.memory));
        Conditions { user, memory, read_only, tmpfs, ..asked.clone() }
    }
}

impl<E: Engine> Workbench<'_, E> {
    /// Builds, runs, and proves. The image has its temporary name afterwards, and none of the user's.
    pub(super) async fn attempt(&self, run: &Run<'_>) -> Result<Attempted> {
        self.stage(format!("building the {} environment with {}", run.side, self.engine.info()));
        let built = self.engine.build(&self.request(run), self.progress).await?;
        let id = match built {
            BuildOutcome::Built { id, .. } => id,
            BuildOutcome::Failed(failure) => {
                let diagnoses = build_diagnoses(self.catalogue, &failure);
                let shown = diagnoses.iter().map(|known| known.id.clone()).collect();
                let outcome = Attempt { build_failure: Some(failure), diagnoses, ..nothing() };
                return Ok(Attempted { outcome, shown });
            }
        };
        self.examine(run, &id).await
    }

    /// Does `work`; where it ends in an error, takes the temporary name and the image away and tells that error.
    pub(super) async fn cleared<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let done = work.await;
        if done.is_err() {
            // What went wrong first is what matters.
            let _ = self.engine.untag(&self.temporary(), true).await;
        }
        done
    }

    async fn examine(&self, run: &Run<'_>, id: &str) -> Result<Attempted> {
        let gone = || Error::try_again(format!("the image `{id}` is gone from the engine"));
        let image = self.engine.find_image(id).await?.ok_or_else(gone)?;
        let conditions = run.conditions(&self.options.conditions);
        self.stage(format!("running {} in it", run.program.title));
        let script = Script { name: run.program.name.clone(), text: run.program.text.clone() };
        let output = run_program(self.engine, id, run.python, &script, &conditions).await?;
        let log =
            format!("{}\n{}\n{}", output.stdout, output.stderr, output.not_started.as_deref().unwrap_or_default());
        let explained = diagnose::explain(Failures::embedded(), log.as_bytes())
            .map_err(|error| Error::no("what the program wrote cannot be read").because(error))?;
        let worked = output.exit_code == Some(0);
        // Of what a program that worked wrote, only warnings are about it.
        let mut found = explained.diagnoses;
        found.retain(|known| !worked || known.confidence == Confidence::Warning);
        let shown: Vec<String> = found.iter().map(|known| known.id.clone()).collect();
        let evidence = found.first().map(|known| known.evidence.clone());
        let ran = program_run(run, &conditions, &output, evidence, &self.tag(run));
        let verification = match run.proof {
            Proof::Full => Some(self.prove(run, id, &conditions, self.options.profile).await?),
            Proof::IfSilent if shown.is_empty() => Some(self.prove(run, id, &conditions, Profile::Quick).await?),
            Proof::IfSilent => None,
        };
        let verification = verification.map(|mut verification| {
            let more = diagnoses(self.catalogue, &mut verification);
            found.extend(more.into_iter().filter(|known| !shown.contains(&known.id)));
            verification
        });
        let outcome = Attempt { image: Some(image), run: Some(ran), verification, diagnoses: found, ..nothing() };
        Ok(Attempted { outcome, shown })
    }

    async fn prove(&self, run: &Run<'_>, id: &str, conditions: &Conditions, profile: Profile) -> Result<Verification> {
        self.stage(crate::ops::verify::stage(&self.tag(run), profile));
        let python = Some(run.python.to_owned());
        let expectation = Expectation { variant: Variant::Any, torch: VersionSpecifiers::empty(), python };
        let smoke = self.options.smoke.clone().filter(|_| run.proof == Proof::Full);
        let question = Question { expectation, conditions: conditions.clone(), profile, compiles: Vec::new(), smoke };
        verify(self.engine, id, &question).await
    }

    /// What the image is, as it was built; `None` where there is none, or where it cannot tell.
    pub(super) async fn collect(&self, run: &Run<'_>, attempt: &Attempt) -> Result<Option<Environment>> {
        let Some(image) = &attempt.image else { return Ok(None) };
        match collect(self.engine, &image.id, Some(run.python), self.options.conditions.timeout).await {
            Ok(environment) => Ok(Some(environment)),
            // A broken image that cannot tell what it is can still have shown its failure.
            Err(error) if error.kind == ErrorKind::No => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Gives the image its tag where it `holds`, and takes the temporary one away.
    pub(super) async fn settle(&self, run: &Run<'_>, mut attempt: Attempt, holds: bool) -> Result<Attempt> {
        if let Some(image) = attempt.image.as_ref().filter(|_| holds) {
            self.engine.tag(&image.id, &self.tag(run)).await?;
            attempt.tag = Some(self.tag(run));
        }
        self.engine.untag(&self.temporary(), false).await?;
        attempt.image = match attempt.image.take() {
            Some(image) => Some(self.engine.find_image(&image.id).await?.unwrap_or(image)),
            None => None,
        };
        Ok(attempt)
    }

    fn request(&self, run: &Run<'_>) -> BuildRequest {
        let mut args: BTreeMap<String, String> = self.network.args.clone();
        args.insert("BASE".to_owned(), self.base.to_owned());
        BuildRequest {
            dockerfile: run.dockerfile.to_owned(),
            args,
            secrets: self.network.secrets.clone(),
            tag: self.temporary(),
            no_cache: self.options.no_cache,
            host_network: self.options.network.host_network,
            redactor: self.network.redactor.clone(),
            ..BuildRequest::default()
        }
    }

    fn temporary(&self) -> String {
        format!("{UNPROVEN_REPOSITORY}:{}", self.options.owner)
    }

    fn tag(&self, run: &Run<'_>) -> String {
        format!("{}:{}", self.options.repository, run.side)
    }

    fn stage(&self, message: String) {
        self.progress.event(Event::Stage { message });
    }
}

/// An attempt of which nothing is known yet.
fn nothing() -> Attempt {
    Attempt { image: None, tag: None, build_failure: None, run: None, verification: None, diagnoses: Vec::new() }
}

fn program_run(
    run: &Run<'_>,
    conditions: &Conditions,
    output: &RunOutput,
    evidence: Option<Evidence>,
    tag: &str,
) -> ProgramRun {
    // What matters comes last: of a program that worked its answer, of another its error.
    let (first, last) =
        if output.exit_code == Some(0) { (&output.stderr, &output.stdout) } else { (&output.stdout, &output.stderr) };
    let lines: Vec<&str> = first.lines().chain(last.lines()).collect();
    let tail = lines[lines.len().saturating_sub(TAIL)..].iter().map(|line| plain(line));
    ProgramRun {
        command: by_hand(run, conditions, tag),
        exit_code: output.exit_code,
        timed_out: output.timed_out,
        out_of_memory: output.out_of_memory,
        tail: tail.chain(output.not_started.clone()).collect(),
        evidence,
        seconds: Duration::from_millis(output.milliseconds).as_secs_f64(),
    }
}

/// The command that does the same without sconce, with the program on standard input.
fn by_hand(run: &Run<'_>, conditions: &Conditions, tag: &str) -> String {
    let mut words = vec!["docker run --rm --interactive --network none".to_owned()];
    words.extend(conditions.user.iter().map(|user| format!("--user {user}")));
    words.extend(conditions.read_only.then(|| "--read-only".to_owned()));
    words.extend(conditions.tmpfs.iter().map(|(path, options)| format!("--tmpfs {path}:{options}")));
    if run.conditions.memory_mib.is_some() {
        words.push(format!("--memory {}m", conditions.memory >> 20));
    }
    words.push(format!("{tag} {} - < {}", run.python, run.program.name));
    words.join(" ")
}
