//! `sconce doctor`: would `torch.compile` work here, and is the engine fit? A quick look; the proof is `sconce verify`.

mod engine;
mod findings;
mod fix;
mod machine;
mod place;
mod release;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::catalogue::Catalogue;
use crate::engine::{Engine, Event, Progress};
use crate::model::{Checkup, CheckupSubject, Error, ErrorKind, Finding, Result, TrialEnvironment};
use crate::verify::look_at;

use place::Place;

pub use fix::fixes;

/// How to look.
#[derive(Debug, Clone)]
pub struct DoctorOptions {
    /// The environment: `PATH`, `VIRTUAL_ENV`, the proxies and those that name certificate authorities are looked at, and the
    /// interpreter gets all of it.
    pub environment: BTreeMap<String, String>,
    /// The interpreter, a path or a name; where not given, the one that a shell would take.
    pub python: Option<String>,
    /// The time that looking at an interpreter may take.
    pub timeout: Duration,
}

/// Looks at this machine: the interpreter, and the engine, or why there is none.
pub async fn machine<E: Engine>(
    engine: Result<&E, &Error>,
    options: &DoctorOptions,
    stop: &CancellationToken,
    progress: &dyn Progress,
) -> Result<Checkup> {
    let started = Instant::now();
    let catalogue = Catalogue::embedded()?;
    let (mut findings, environment, place) = match machine::interpreter(options)? {
        Ok(found) => {
            progress.event(Event::Stage { message: format!("looking at {}", found.path) });
            let trial = machine::look(&found, options, stop).await?;
            let mut findings = findings::of_trial(&trial, &catalogue);
            machine::say_where(&mut findings, &found);
            let place = Place::of(&findings, Some(&found.path));
            (findings, trial.environment, place)
        }
        Err(absent) => (vec![absent], TrialEnvironment::default(), Place::of_machine()),
    };
    findings.push(machine::clock(&catalogue));
    let diagnoses = findings::explain(&mut findings, &catalogue, &place);
    findings.extend(engine_findings(engine, false, &catalogue, options).await?);
    let subject = CheckupSubject::Machine;
    Ok(Checkup { subject, findings, diagnoses, environment, seconds: started.elapsed().as_secs_f64() })
}

/// Looks at the engine, or why there is none.
pub async fn engine<E: Engine>(engine: Result<&E, &Error>, options: &DoctorOptions) -> Result<Checkup> {
    let started = Instant::now();
    let catalogue = Catalogue::embedded()?;
    let findings = engine_findings(engine, true, &catalogue, options).await?;
    Ok(Checkup {
        subject: CheckupSubject::Engine,
        findings,
        diagnoses: Vec::new(),
        environment: TrialEnvironment::default(),
        seconds: started.elapsed().as_secs_f64(),
    })
}

/// Looks at the image `reference`, in a container of it.
pub async fn image<E: Engine>(
    engine: &E,
    reference: &str,
    options: &DoctorOptions,
    progress: &dyn Progress,
) -> Result<Checkup> {
    let started = Instant::now();
    let catalogue = Catalogue::embedded()?;
    engine.sweep().await?;
    let image = engine.find_image(reference).await?.ok_or_else(|| {
        Error::no(format!("there is no image `{reference}` on the engine"))
            .with_hint("`docker image ls` lists what is there; `docker pull` asks a registry")
    })?;
    progress.event(Event::Stage { message: format!("looking at {reference} in a container of it") });
    let trial = look_at(engine, &image.id, options.python.as_deref(), options.timeout).await?;
    let mut findings = findings::of_trial(&trial, &catalogue);
    let place = Place::of(&findings, None);
    let diagnoses = findings::explain(&mut findings, &catalogue, &place);
    Ok(Checkup {
        subject: CheckupSubject::Image { reference: reference.to_owned(), id: image.id },
        findings,
        diagnoses,
        environment: trial.environment,
        seconds: started.elapsed().as_secs_f64(),
    })
}

/// What there is to say of the engine. Without one, a machine is fit all the same, unless it was the engine that was asked
/// for.
async fn engine_findings<E: Engine>(
    engine: Result<&E, &Error>,
    asked: bool,
    catalogue: &Catalogue,
    options: &DoctorOptions,
) -> Result<Vec<Finding>> {
    match engine {
        Ok(engine) => engine::findings(engine, catalogue, options).await,
        Err(error) if error.kind == ErrorKind::Interrupted => Err(Error::interrupted()),
        Err(error) => Ok(vec![engine::absent(error, asked)]),
    }
}
