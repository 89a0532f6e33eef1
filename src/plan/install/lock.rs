//! Who installs, and the lock that says what.

use super::super::applies::Environment;
use super::super::target::Target;
use super::super::{Asked, PlanOptions};
use super::environment::environment;
use crate::model::{
    Choice, Error, IndexRole, Installer, Lock, ManifestKind, Note, Origin, PlannedLock, Project, Result, Source,
    TorchFact, TorchSource, TorchVia,
};

/// Who installs, and from which lock.
#[derive(Debug)]
pub(in crate::plan) struct Installation {
    pub(in crate::plan) installer: Choice<Installer>,
    pub(in crate::plan) lock: Option<Choice<PlannedLock>>,
    /// Locks that are not followed, and why.
    pub(in crate::plan) notes: Vec<Note>,
}

/// Who installs: the program whose lock the project has, else uv, unless something here is beyond it.
pub(in crate::plan) fn installation(project: &Project, target: &Target, options: &PlanOptions) -> Result<Installation> {
    if let Some(installation) = environment(project, target, options) {
        return Ok(installation);
    }
    let mut notes = Vec::new();
    for lock in &project.locks {
        match obstacle(project, Some(&target.environment), options, lock) {
            None => return Ok(from_lock(project, options, lock, notes)),
            Some(obstacle) => notes.extend(obstacle.note(lock)),
        }
    }
    let installer = without_lock(project, target, options, &notes)?;
    Ok(Installation { installer, lock: None, notes })
}

fn from_lock(project: &Project, options: &PlanOptions, lock: &Lock, mut notes: Vec<Note>) -> Installation {
    let origin = Origin::file(&lock.path, 1);
    let installer = match (&options.installer, reader(lock.kind)) {
        (Some(asked), _) => Choice::new(asked.value, asked.origin.clone(), "it was asked for"),
        (None, reader) => {
            let because = format!("it follows `{}` as it is", lock.path);
            Choice::new(reader.unwrap_or(Installer::Uv), origin.clone(), because)
        }
    };
    let because = if project.manifests.iter().any(|manifest| manifest.path == lock.path) {
        "it is what the project is installed from"
    } else {
        "it stands beside the manifest that counts"
    };
    let is_local = |source: &Source| matches!(source, Source::Path { .. });
    let local = lock.packages.iter().any(|package| is_local(&package.source));
    if let Some(asked) = options.indexes.first() {
        let message =
            format!("`{}` says where everything in it comes from, and this index does not change it", lock.path);
        notes.push(Note::info(message, asked.origin.clone()));
    }
    let lock = PlannedLock { path: lock.path.clone(), kind: lock.kind, local };
    Installation { installer, lock: Some(Choice::new(lock, origin, because)), notes }
}

/// The lock that is followed; without an `environment`, whichever build of torch it holds.
pub(in crate::plan) fn followed<'a>(
    project: &'a Project,
    options: &PlanOptions,
    environment: Option<&Environment>,
) -> Option<&'a Lock> {
    project.locks.iter().find(|lock| obstacle(project, environment, options, lock).is_none())
}

/// Who installs from a lock as it is.
fn reader(kind: ManifestKind) -> Option<Installer> {
    match kind {
        ManifestKind::UvLock | ManifestKind::Pylock => Some(Installer::Uv),
        ManifestKind::PoetryLock => Some(Installer::Poetry),
        ManifestKind::PdmLock => Some(Installer::Pdm),
        ManifestKind::PipfileLock => Some(Installer::Pipenv),
        _ => None,
    }
}

/// Why a lock is not followed.
enum Obstacle {
    /// It stands in place of a manifest, so that all that it pins is asked for one by one.
    Alone,
    /// For this reason: a clause.
    Because(String),
    /// The command line asks for another build of torch than it holds; an extra that brings that one, where one does.
    Build { asked: Asked<String>, extra: Option<String> },
}

impl Obstacle {
    fn note(self, lock: &Lock) -> Option<Note> {
        let not_followed =
            format!("`{}` is not followed, and versions that the project leaves open are chosen anew", lock.path);
        match self {
            Self::Alone => None,
            Self::Because(because) => {
                Some(Note::info(format!("{not_followed}: {because}"), Origin::file(&lock.path, 1)))
            }
            Self::Build { asked, extra } => {
                let note = Note::warning(
                    format!("{not_followed}: it holds another torch than `{}`", asked.value),
                    asked.origin,
                );
                Some(match extra {
                    Some(extra) => note.with_hint(format!("`--extra {extra}` takes that one from the lock")),
                    None => note.with_hint("without the variant, what is locked is installed"),
                })
            }
        }
    }
}

fn obstacle(
    project: &Project,
    environment: Option<&Environment>,
    options: &PlanOptions,
    lock: &Lock,
) -> Option<Obstacle> {
    let because = |text: String| Some(Obstacle::Because(text));
    let alone = project.manifests.iter().any(|manifest| manifest.path == lock.path);
    if alone && lock.kind != ManifestKind::Pylock {
        // Its tool does not read it without the manifest.
        return Some(Obstacle::Alone);
    }
    let Some(reader) = reader(lock.kind) else { return because("no installer here reads it".to_owned()) };
    if options.torch_source.as_ref().is_some_and(|asked| asked.value == TorchSource::Distribution) {
        return because("it knows nothing of the distribution's own torch".to_owned());
    }
    if let Some(asked) = options.installer.as_ref().filter(|asked| asked.value != reader) {
        return because(format!("{} does not read it", asked.value));
    }
    if project.manifests.len() > 1 {
        return because("more than one file is installed from".to_owned());
    }
    if let Some(index) = project.indexes.iter().find(|index| index.role == IndexRole::None) {
        return because(format!("no index may be used ({}), and {reader} itself would come from one", index.origin));
    }
    environment.and_then(|environment| other_build(project, environment, options, lock))
}

/// Whether the command line asks for another build of torch than the lock holds.
fn other_build(project: &Project, environment: &Environment, options: &PlanOptions, lock: &Lock) -> Option<Obstacle> {
    let asked = options.variant.as_ref()?;
    let here = |fact: &&TorchFact| {
        let of_lock = matches!(&fact.origin, Origin::File { file, .. } if *file == lock.path);
        fact.via == TorchVia::Lock && of_lock
    };
    let locked: Vec<&TorchFact> = project.torch.iter().filter(here).collect();
    let is_asked = |fact: &&&TorchFact| fact.variant.as_ref() == Some(&asked.value);
    if locked.is_empty() || locked.iter().filter(is_asked).any(|fact| environment.brings(fact)) {
        return None;
    }
    let extra = locked.iter().filter(is_asked).find_map(|fact| fact.extra.clone());
    Some(Obstacle::Build { asked: asked.clone(), extra })
}

fn without_lock(
    project: &Project,
    target: &Target,
    options: &PlanOptions,
    notes: &[Note],
) -> Result<Choice<Installer>> {
    let beyond = beyond_uv(project, target, options);
    match (&options.installer, beyond) {
        (Some(Asked { value: Installer::Uv, origin }), Some((_, because))) => {
            Err(Error::usage(format!("uv cannot do it: {because}")).at(origin.clone()).with_hint("use pip"))
        }
        (Some(Asked { value: installer, origin }), _) if !matches!(installer, Installer::Uv | Installer::Pip) => {
            let why = notes.first().map_or("the project has none that it reads", |note| &note.message);
            let message = format!("{installer} installs from its lock only: {why}");
            Err(Error::usage(message).at(origin.clone()).with_hint("uv and pip do without a lock"))
        }
        (Some(asked), _) => Ok(Choice::new(asked.value, asked.origin.clone(), "it was asked for")),
        (None, Some((origin, because))) => Ok(Choice::new(Installer::Pip, origin, because)),
        (None, None) => {
            Ok(Choice::new(Installer::Uv, Origin::Default, "it is the fastest, and does not stay in the image"))
        }
    }
}

/// What keeps uv from doing the job.
fn beyond_uv(project: &Project, target: &Target, options: &PlanOptions) -> Option<(Origin, String)> {
    if let Some(asked) = options.torch_source.as_ref().filter(|asked| asked.value == TorchSource::Distribution) {
        return Some((
            asked.origin.clone(),
            "uv does not see the distribution's own packages, torch among them".to_owned(),
        ));
    }
    if let Some(index) = project.indexes.iter().find(|index| index.role == IndexRole::None) {
        return Some((index.origin.clone(), "no index may be used, and uv itself would come from one".to_owned()));
    }
    if let Some(option) = project.pip_options.first() {
        return Some((option.origin.clone(), format!("uv passes over `{}`", option.text)));
    }
    let mut repositories = project.requirements.iter().filter_map(|r| match &r.source {
        Source::Vcs { vcs, .. } if target.environment.applies(r) => Some((r, vcs)),
        _ => None,
    });
    repositories.find_map(|(requirement, vcs)| {
        let because = match (vcs.as_str(), requirement.editable) {
            ("git", false) => return None,
            ("git", true) => format!("uv installs no repository editable, as `{}` is to be", requirement.text),
            _ => format!("uv reads git repositories only, which `{}` is not", requirement.text),
        };
        Some((requirement.origin.clone(), because))
    })
}
