//! `sconce build`: from a project's folder to a proven image. The tag moves last.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use super::base::{self, ReadyBase};
use super::network::{self, NetworkInputs};
use super::proofs::ProofStore;
use super::render::{Rendered, rendered};
use super::{diagnoses, report};
use crate::catalogue::Catalogue;
use crate::diagnose::diagnose;
use crate::engine::{BuildOutcome, BuildRequest, Engine, Event, Owner, Progress, UNPROVEN_REPOSITORY};
use crate::inspect::InspectOptions;
use crate::model::{BaseOrigin, Builder, BuiltBy, Error, Image, Note, Origin, Outcome, Report, Result, Verification};
use crate::plan::{Asked, PlanOptions};
use crate::render::Templates;
use crate::verify::{Expectation, Limits, verify};

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
    /// The limits of the smoke test.
    pub limits: Limits,
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

    let attempt = Attempt { engine, options, rendered, base, network, progress };
    let unproven = format!("{UNPROVEN_REPOSITORY}:{}", options.owner);
    let outcome = attempt.outcome(root, &unproven).await;
    // Whatever happened, the temporary tag goes; the image behind it stays only where the report speaks of it.
    let cleaned = engine.untag(&unproven, outcome.is_err()).await;
    let outcome = outcome?;
    cleaned?;
    let diagnoses = match &outcome {
        Outcome::BuildFailed { failure, .. } => {
            diagnose(&catalogue, &format!("{}\n{}", failure.log.join("\n"), failure.message))
        }
        Outcome::Unproven { verification, .. } => diagnoses(&catalogue, verification),
        Outcome::Built { .. } | Outcome::Verified { .. } => Vec::new(),
    };
    Ok(report(outcome, diagnoses, notes, started))
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
}

impl<E: Engine> Attempt<'_, E> {
    async fn outcome(self, root: &Path, unproven: &str) -> Result<Outcome> {
        let started = Instant::now();
        let tag = self.options.tag.clone();
        self.stage(format!("building {tag} with {}", self.engine.info()));
        let built = self.engine.build(&self.request(root, unproven), self.progress).await?;
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
        let verification = self.prove(&id).await?;
        if verification.proven() {
            self.move_tag(&id, unproven, built_by, verification).await
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

    fn request(&self, root: &Path, unproven: &str) -> BuildRequest {
        let mut args = self.network.args.clone();
        args.insert("BASE".to_owned(), self.base.reference.clone());
        BuildRequest {
            dockerfile: self.rendered.dockerfile.clone(),
            context: root.to_owned(),
            args,
            secrets: self.network.secrets.clone(),
            labels: BTreeMap::new(),
            tag: unproven.to_owned(),
            platform: self.options.plan.architecture.as_ref().map(|asked| format!("linux/{}", asked.value)),
            no_cache: self.options.no_cache,
            host_network: self.options.network.host_network,
            redactor: self.network.redactor.clone(),
        }
    }

    async fn prove(&self, id: &str) -> Result<Verification> {
        let expectation = Expectation::of(&self.rendered.plan.torch.value);
        let info = self.engine.info();
        if let Some(store) = &self.options.proofs
            && !self.options.reverify
            && let Some(proof) = store.recall(id, info, &expectation)
        {
            return Ok(proof);
        }
        self.stage(format!(
            "verifying {}: compiling in a container of it, which takes a minute or two",
            self.options.tag
        ));
        let proof = verify(self.engine, id, &expectation, &self.options.limits).await?;
        if let Some(store) = &self.options.proofs {
            store.remember(id, info, &expectation, &proof);
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

    /// The proof holds: the tag moves, and only now.
    async fn move_tag(
        self,
        id: &str,
        unproven: &str,
        built_by: BuiltBy,
        verification: Verification,
    ) -> Result<Outcome> {
        let tag = self.options.tag.clone();
        let former = self.tagged().await?;
        self.engine.tag(id, &tag).await?;
        self.engine.untag(unproven, false).await?;
        let image = self.found(id).await?;
        let replaced = former.filter(|former| *former != image.id);
        let Rendered { project, plan, .. } = self.rendered;
        let (project, plan) = (project.into(), plan.into());
        Ok(Outcome::Built { project, plan, built_by, image, tag, replaced, verification })
    }
}
