//! What `sconce verify` puts to the proof: an image, the one that a Dockerfile makes, or the one that a container was made
//! from.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::network::{self, NetworkInputs};
use crate::engine::{BuildOutcome, BuildRequest, Engine, Event, Owner, Progress, UNPROVEN_REPOSITORY};
use crate::model::{BuildFailure, Error, Image, Note, Origin, Project, Result};

/// The most bytes of a Dockerfile: no person writes more.
const LONGEST: u64 = 1 << 20;

/// What is put to the proof.
#[derive(Debug, Clone)]
pub enum Subject {
    /// The image of this reference.
    Image(String),
    /// The image that a Dockerfile makes.
    Dockerfile(Box<Dockerfile>),
    /// The image that the container of this name or id was made from.
    Container(String),
}

/// A Dockerfile and how to build it.
#[derive(Debug, Clone)]
pub struct Dockerfile {
    /// The file.
    pub file: PathBuf,
    /// The build context; the file's folder where not given.
    pub context: Option<PathBuf>,
    /// The stage to build; the last one where not given.
    pub target: Option<String>,
    /// The build arguments.
    pub args: BTreeMap<String, String>,
    /// Whether the image stays on the engine, without a name.
    pub keep: bool,
    /// Whose the image is until then.
    pub owner: Owner,
    /// What the network needs; of it, the CA bundle and the proxies are used.
    pub network: NetworkInputs,
}

/// What became of looking for the image.
pub(super) enum Found {
    /// It is there.
    Image(Box<Image>),
    /// A step of the Dockerfile failed.
    Failed(BuildFailure),
}

impl Subject {
    /// What it is called in messages and reports.
    pub fn name(&self) -> String {
        match self {
            Self::Image(name) | Self::Container(name) => name.clone(),
            Self::Dockerfile(dockerfile) => dockerfile.file.display().to_string(),
        }
    }

    /// Finds the image, pulls it or builds it, with what a reader should know. Whatever comes of it, [`Subject::release`]
    /// has to follow.
    pub(super) async fn find<E: Engine>(
        &self,
        engine: &E,
        pull: bool,
        progress: &dyn Progress,
    ) -> Result<(Found, Vec<Note>)> {
        let image = |image| Found::Image(Box::new(image));
        match self {
            Self::Image(reference) => Ok((image(present(engine, reference, pull, progress).await?), Vec::new())),
            Self::Container(name) => {
                let (found, note) = of_container(engine, name).await?;
                Ok((image(found), vec![note]))
            }
            Self::Dockerfile(dockerfile) => dockerfile.build(engine, progress).await,
        }
    }

    /// Takes away what [`Subject::find`] made. The image stays where that was asked for, if `answered`: without an answer,
    /// nobody would know of it.
    pub(super) async fn release<E: Engine>(&self, engine: &E, answered: bool) -> Result<()> {
        let Self::Dockerfile(dockerfile) = self else { return Ok(()) };
        engine.untag(&dockerfile.tag(), !(dockerfile.keep && answered)).await
    }

    /// What became of the image `id`, once it was released.
    pub(super) fn remains(&self, id: &str) -> Option<Note> {
        let Self::Dockerfile(dockerfile) = self else { return None };
        let note = |message: &str| Note::info(message, Origin::Default);
        Some(if dockerfile.keep {
            let digits = id.strip_prefix("sha256:").unwrap_or(id);
            let short = digits.get(..12).unwrap_or(digits);
            note("the image is kept without a tag").with_hint(format!("`docker rmi {short}` removes it"))
        } else {
            note("the image was built for this proof, and is removed").with_hint("`--keep` leaves it")
        })
    }
}

async fn present<E: Engine>(engine: &E, reference: &str, pull: bool, progress: &dyn Progress) -> Result<Image> {
    match engine.find_image(reference).await? {
        Some(image) => Ok(image),
        None if pull => {
            progress.event(Event::Stage { message: format!("pulling {reference}") });
            engine.pull(reference, progress).await
        }
        None => Err(Error::no(format!("there is no image `{reference}` on the engine"))
            .with_hint("`docker image ls` lists what is there; `--pull` asks a registry")),
    }
}

async fn of_container<E: Engine>(engine: &E, name: &str) -> Result<(Image, Note)> {
    let id = engine.container_image(name).await?.ok_or_else(|| {
        Error::no(format!("there is no container `{name}` on the engine"))
            .with_hint("`docker ps --all` lists what is there")
    })?;
    let image = engine.find_image(&id).await?.ok_or_else(|| {
        Error::no(format!("the image `{id}`, which the container `{name}` was made from, is gone from the engine"))
            .with_hint("`docker commit` makes an image of a container")
    })?;
    let message = "the image is put to the proof that the container was made from: what was changed in the container, or set \
                   for it alone, does not count";
    Ok((image, Note::info(message, Origin::flag("--container"))))
}

impl Dockerfile {
    fn tag(&self) -> String {
        format!("{UNPROVEN_REPOSITORY}:{}", self.owner)
    }

    async fn build<E: Engine>(&self, engine: &E, progress: &dyn Progress) -> Result<(Found, Vec<Note>)> {
        let (request, notes) = self.request()?;
        let shown = self.file.display();
        progress.event(Event::Stage { message: format!("building {shown} with {}", engine.info()) });
        let id = match engine.build(&request, progress).await? {
            BuildOutcome::Built { id, .. } => id,
            BuildOutcome::Failed(failure) => return Ok((Found::Failed(failure), notes)),
        };
        let gone = || Error::try_again(format!("the image `{id}` is gone from the engine"));
        let image = engine.find_image(&id).await?.ok_or_else(gone)?;
        Ok((Found::Image(Box::new(image)), notes))
    }

    fn request(&self) -> Result<(BuildRequest, Vec<Note>)> {
        let dockerfile = read(&self.file)?;
        // A Dockerfile alone is no project: all that it can need of the network is the authorities and the proxies.
        let mut network = network::values(&Project::default(), &self.network)?;
        // Builders that can keep no secret refuse one also where nothing asks for it.
        network.secrets.retain(|id, _| dockerfile.contains(id.as_str()));
        let beside = self.file.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
        let mut args = network.args;
        args.extend(self.args.clone());
        let request = BuildRequest {
            dockerfile,
            context: Some(self.context.clone().unwrap_or_else(|| beside.to_owned())),
            args,
            secrets: network.secrets,
            tag: self.tag(),
            target: self.target.clone(),
            host_network: self.network.host_network,
            redactor: network.redactor,
            ..BuildRequest::default()
        };
        Ok((request, network.notes))
    }
}

/// The text of a Dockerfile, of a regular file: a pipe or a device would never end.
fn read(path: &Path) -> Result<String> {
    let refused = |why: &str| {
        Error::usage(format!("cannot read the Dockerfile `{}`: {why}", path.display())).at(Origin::flag("--file"))
    };
    let metadata = fs::metadata(path).map_err(|error| refused(&error.to_string()).because(error))?;
    if !metadata.is_file() {
        return Err(refused("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes));
    read.map_err(|error| refused(&error.to_string()).because(error))?;
    if bytes.len() as u64 > LONGEST {
        return Err(refused(&format!("it is longer than {} KiB", LONGEST >> 10)));
    }
    String::from_utf8(bytes).map_err(|_| refused("it is not UTF-8 text"))
}
