//! `sconce build`: from a project's folder to a proven image. The tag moves last.

use std::collections::BTreeMap;
use std::fs::{self, DirEntry};
use std::io;
use std::path::Path;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use super::base::{self, ReadyBase};
use super::network::{self, NetworkInputs};
use super::proofs::{Grounds, OWN_TRIAL, ProofStore, ProvenImage};
use super::render::{Rendered, rendered};
use super::sources::Apart;
use super::{attest, diagnoses, report};
use crate::catalogue::Catalogue;
use crate::diagnose::diagnose;
use crate::engine::{
    BuildOutcome, BuildRequest, Engine, Event, Owner, PROVEN_REPOSITORY, Progress, UNPROVEN_REPOSITORY,
};
use crate::inspect::InspectOptions;
use crate::model::{
    BaseOrigin, Builder, BuiltBy, Error, Image, Note, Origin, Outcome, Profile, Report, Result, Verification,
};
use crate::plan::{Asked, PlanOptions};
use crate::render::Templates;
use crate::verify::{Conditions, Expectation, Question, Script, compiles, own_check, verify};

/// How to build.
#[derive(Debug, Clone)]
pub struct BuildOptions {
    /// How to plan.
    pub plan: PlanOptions,
    /// How to read the project.
    pub inspect: InspectOptions,
    /// Templates over the built-in ones.
    pub templates: Templates,
    /// The tag that a proven image gets.
    pub tag: String,
    /// Whether to ignore the engine's build cache.
    pub no_cache: bool,
    /// Whose the image is until it is proven.
    pub owner: Owner,
    /// What the network needs.
    pub network: NetworkInputs,
    /// How containers of the proof are run.
    pub conditions: Conditions,
    /// How much the proof tries.
    pub profile: Profile,
    /// The user's own check.
    pub smoke: Option<Script>,
    /// Whether to ask a registry for the base even where it is on the engine.
    pub pull: bool,
    /// Where proofs are remembered; `None` proves every image anew.
    pub proofs: Option<ProofStore>,
    /// Whether to prove also an image whose proof is remembered.
    pub reverify: bool,
}

/// Builds the project in `root`, proves the image, and only then moves the tag.
pub async fn build<E: Engine>(
    engine: &E,
    root: &Path,
    options: &BuildOptions,
    progress: &dyn Progress,
) -> Result<Report> {
    let started = Instant::now();
    let catalogue = Catalogue::embedded()?;
    let project = crate::inspect::inspect(root, catalogue.packages(), &options.inspect)?;
    let mut plan_options = options.plan.clone();
    check_architecture(&plan_options, engine)?;
    plan_options.builder.get_or_insert(if engine.info().buildkit { Builder::Buildkit } else { Builder::Classic });
    plan_options
        .architecture
        .get_or_insert_with(|| Asked { value: engine.info().architecture.clone(), origin: Origin::Engine });
    let rendered = rendered(project, &catalogue, &plan_options, &options.network, &options.templates)?;
    let network = network::values(&rendered.project, &options.network)?;
    engine.sweep().await?;

    let mut notes = [rendered.project.notes.clone(), rendered.plan.notes.clone(), network.notes.clone()].concat();
    let base = base::ensure(engine, &rendered.plan.base.value, options.pull, progress).await?;
    if base.origin == BaseOrigin::Bootstrapped {
        notes.push(bootstrapped_note(&rendered, &base));
    }

    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let attempt = Attempt { engine, options, rendered, base, network, progress, now };
    let outcome = attempt.outcome(root).await;
    // Whatever happened, the temporary tags go; the images behind them stay only where the report speaks of them. The labelled
    // one is first: with some builders, the other is below it.
    let labelled = engine.untag(&proven(&options.owner), outcome.is_err()).await;
    let cleaned = engine.untag(&unproven(&options.owner), outcome.is_err()).await.and(labelled);
    let mut outcome = outcome?;
    cleaned?;
    let diagnoses = match &mut outcome {
        Outcome::BuildFailed { failure, .. } => {
            diagnose(&catalogue, &format!("{}\n{}", failure.log.join("\n"), failure.message))
        }
        Outcome::Unproven { verification, .. } => diagnoses(&catalogue, verification),
        Outcome::Built { .. } | Outcome::FileFailed { .. } | Outcome::Verified { .. } => Vec::new(),
    };
    Ok(report(outcome, diagnoses, notes, started))
}

/// The names at the top of the project; `None` where they cannot be told.
fn names(root: &Path) -> Option<Vec<String>> {
    let name = |entry: io::Result<DirEntry>| entry.ok()?.file_name().into_string().ok();
    fs::read_dir(root).ok()?.map(name).collect()
}

/// The tag that the image has until it is proven.
fn unproven(owner: &Owner) -> String {
    format!("{UNPROVEN_REPOSITORY}:{owner}")
}

/// The tag that the labelled image has until it gets its own.
fn proven(owner: &Owner) -> String {
    format!("{PROVEN_REPOSITORY}:{owner}")
}

/// What the engine cannot run cannot be proven. (An engine that emulates other processors does not say so.)
fn check_architecture<E: Engine>(options: &PlanOptions, engine: &E) -> Result<()> {
    let own = &engine.info().architecture;
    let other = options.architecture.as_ref().filter(|asked| asked.value != *own);
    other.map_or(Ok(()), |asked| {
        let message = format!(
            "the image is to be for `linux/{}`, and the engine runs `linux/{own}`: what it cannot run, it cannot prove",
            asked.value
        );
        Err(Error::no(message).at(asked.origin.clone()).with_hint(
            "build on an engine of that architecture (`DOCKER_HOST`, `docker context use`), or take the Dockerfile alone: \
             `sconce render`",
        ))
    })
}

fn bootstrapped_note(rendered: &Rendered, base: &ReadyBase) -> Note {
    let wanted = &rendered.plan.base.value;
    let suite = wanted.suite.as_deref().unwrap_or(&wanted.id);
    Note::info(
        format!(
            "the base `{}` is bootstrapped from the packages of {suite}: `{}` was neither on the engine nor to be pulled",
            base.reference, wanted.reference
        ),
        Origin::Catalogue { row: wanted.id.clone() },
    )
    .with_hint(format!("`sconce images bootstrap {}` makes it anew with today's packages", wanted.id))
}

/// One attempt at an image, with all that it needs.
struct Attempt<'a, E> {
    engine: &'a E,
    options: &'a BuildOptions,
    rendered: Rendered,
    base: ReadyBase,
    network: network::BuildNetwork,
    progress: &'a dyn Progress,
    /// When the run began, in seconds since 1970.
    now: u64,
}

impl<E: Engine> Attempt<'_, E> {
    async fn outcome(self, root: &Path) -> Result<Outcome> {
        let started = Instant::now();
        let tag = self.options.tag.clone();
        self.stage(format!("building {tag} with {}", self.engine.info()));
        let built = self.engine.build(&self.request(root), self.progress).await?;
        let (id, cached_steps) = match built {
            BuildOutcome::Built { id, cached_steps, steps } => (id, (cached_steps, steps)),
            BuildOutcome::Failed(failure) => {
                let unchanged = self.tagged().await?;
                let Rendered { project, plan, .. } = self.rendered;
                let (project, plan) = (project.into(), plan.into());
                return Ok(Outcome::BuildFailed { project, plan, failure, tag, unchanged });
            }
        };
        let built_by = BuiltBy {
            engine: self.engine.info().to_string(),
            base: self.base.origin,
            base_id: self.base.image.id.clone(),
            seconds: started.elapsed().as_secs_f64(),
            cached_steps,
        };
        let verification = self.prove(&id, root).await?;
        if verification.proven() {
            self.move_tag(&id, built_by, verification).await
        } else {
            let (image, unchanged) = (self.found(&id).await?, self.tagged().await?);
            let Rendered { project, plan, .. } = self.rendered;
            let (project, plan) = (project.into(), plan.into());
            Ok(Outcome::Unproven { project, plan, built_by, image, tag, unchanged, verification })
        }
    }

    fn stage(&self, message: String) {
        self.progress.event(Event::Stage { message });
    }

    fn request(&self, root: &Path) -> BuildRequest {
        let mut args = self.network.args.clone();
        args.insert("BASE".to_owned(), self.base.reference.clone());
        BuildRequest {
            dockerfile: self.rendered.dockerfile.clone(),
            context: Some(root.to_owned()),
            args,
            secrets: self.network.secrets.clone(),
            labels: BTreeMap::new(),
            tag: unproven(&self.options.owner),
            target: None,
            platform: self.options.plan.architecture.as_ref().map(|asked| format!("linux/{}", asked.value)),
            no_cache: self.options.no_cache,
            host_network: self.options.network.host_network,
            redactor: self.network.redactor.clone(),
        }
    }

    /// The proof of the image `id`: of this run, or of an earlier one where nothing that matters is different.
    async fn prove(&self, id: &str, root: &Path) -> Result<Verification> {
        let question = self.question();
        let grounds = Grounds::new(self.engine.info(), &question);
        let image = self.found(id).await?;
        let folder = &self.rendered.plan.image.workdir;
        // What tells the sources apart looks at the image as it is: run otherwise, they may have a part in the proof.
        let apart = names(root)
            .filter(|_| question.conditions.is_as_built())
            .and_then(|names| Apart::of(&image, &self.rendered.dockerfile, folder, &names));
        let mut proven = ProvenImage { id, environment: apart.as_ref().map(|apart| apart.rest.as_str()) };
        let store = self.options.proofs.as_ref();
        if let Some(proof) = store.filter(|_| !self.options.reverify).and_then(|store| store.recall(proven, &grounds)) {
            let complete = self.with_own_check(id, &question, proof).await?;
            if let Some(store) = store.filter(|_| complete.proven()) {
                store.remember(proven, &grounds, &complete, self.now);
            }
            return Ok(complete);
        }
        self.stage(super::verify::stage(&self.options.tag, self.options.profile));
        let proof = verify(self.engine, id, &question).await?;
        // What was skipped may be there another time.
        if let Some(store) = store.filter(|_| proof.proven() && proof.skipped().next().is_none()) {
            if let Some(apart) = &apart
                && !apart.confirmed(self.engine, id, &proof).await
            {
                proven.environment = None;
            }
            store.remember(proven, &grounds, &proof, self.now);
        }
        Ok(proof)
    }

    fn question(&self) -> Question {
        Question {
            expectation: Expectation::of(&self.rendered.plan.torch.value),
            conditions: self.options.conditions.clone(),
            profile: self.options.profile,
            compiles: compiles(&self.rendered.project.sources.compiles),
            smoke: self.options.smoke.clone(),
        }
    }

    /// A proof that was recalled, with the trial of the user's own check: that runs the sources, and they may differ.
    async fn with_own_check(&self, id: &str, question: &Question, mut proof: Verification) -> Result<Verification> {
        let known = proof.trials.iter().any(|trial| trial.id == OWN_TRIAL);
        if !known && question.smoke.is_some() {
            self.stage(format!("verifying {}: running the project's own check", self.options.tag));
            proof.trials.extend(own_check(self.engine, id, question).await?);
        }
        Ok(proof)
    }

    async fn found(&self, id: &str) -> Result<Image> {
        let gone = || Error::try_again(format!("the image `{id}` is gone from the engine"));
        self.engine.find_image(id).await?.ok_or_else(gone)
    }

    /// The id of the image that the tag names now, if it names any.
    async fn tagged(&self) -> Result<Option<String>> {
        Ok(self.engine.find_image(&self.options.tag).await?.map(|image| image.id))
    }

    /// The proof holds: the image gets the label that says so, and then, and only now, the tag moves.
    async fn move_tag(self, id: &str, built_by: BuiltBy, verification: Verification) -> Result<Outcome> {
        let (tag, owner) = (self.options.tag.clone(), &self.options.owner);
        let former = self.tagged().await?;
        let image = self.found(id).await?;
        let (unproven, proven) = (unproven(owner), proven(owner));
        let labelled = attest::label(self.engine, &unproven, &image, &verification, self.now, &proven).await?;
        let id = labelled.as_deref().unwrap_or(id);
        self.engine.tag(id, &tag).await?;
        self.engine.untag(&proven, false).await?;
        // BuildKit keeps a cache of its own. That of other builders is the images themselves: without this one, all would be
        // built anew.
        self.engine.untag(&unproven, self.engine.info().buildkit).await?;
        let image = self.found(id).await?;
        let replaced = former.filter(|former| *former != image.id);
        let Rendered { project, plan, .. } = self.rendered;
        let (project, plan) = (project.into(), plan.into());
        Ok(Outcome::Built { project, plan, built_by, image, tag, replaced, verification })
    }
}
