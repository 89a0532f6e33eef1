use super::PlanOptions;
use super::demand::allows;
use crate::catalogue::Catalogue;
use crate::model::{Installer, ManifestKind, Origin, Project, PythonProvider, Strength, TorchSource};

/// The provider of Python that goes with the tool that the project, or somebody, wants to install with.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) provider: PythonProvider,
    /// The tool.
    pub(super) installer: Installer,
    /// Who wants it.
    pub(super) origin: Origin,
    /// Why: a clause.
    pub(super) because: String,
    /// Whether it was asked for; a project's own wish is given up where it cannot come true.
    pub(super) asked: bool,
}

impl Wanted {
    /// The provider that is wanted, where one is and the catalogue has a base with it.
    pub(super) fn new(project: &Project, catalogue: &Catalogue, options: &PlanOptions) -> Option<Self> {
        if let Some(asked) = &options.installer {
            let provider = provider(asked.value)?;
            let because = format!("it has {}, which was asked for", asked.value);
            let (installer, origin) = (asked.value, asked.origin.clone());
            return Some(Self { provider, installer, origin, because, asked: true });
        }
        let manifest = project.manifests.iter().find(|manifest| tool(manifest.kind).is_some())?;
        let installer = tool(manifest.kind)?;
        let provider = provider(installer)?;
        let known = catalogue.bases().iter().flat_map(|base| &base.python).any(|python| python.provider == provider);
        let because = format!("it has {installer}, which installs what `{}` asks for", manifest.path);
        let origin = Origin::file(&manifest.path, 1);
        (known && !contradicted(project, options)).then_some(Self {
            provider,
            installer,
            origin,
            because,
            asked: false,
        })
    }
}

/// The tool that installs what a manifest asks for, where no other does.
fn tool(kind: ManifestKind) -> Option<Installer> {
    match kind {
        ManifestKind::Conda => Some(Installer::Micromamba),
        ManifestKind::Pixi | ManifestKind::PixiLock => Some(Installer::Pixi),
        _ => None,
    }
}

/// The provider of the interpreters that a tool installs for.
fn provider(installer: Installer) -> Option<PythonProvider> {
    match installer {
        Installer::Micromamba => Some(PythonProvider::Conda),
        Installer::Pixi => Some(PythonProvider::Pixi),
        Installer::Uv | Installer::Pip | Installer::Poetry | Installer::Pdm | Installer::Pipenv => None,
    }
}

/// Whether something is asked for that a project's own conda environment does not have: another base, torch from the
/// distribution, a build that uv chooses, or another Python than the one it names.
fn contradicted(project: &Project, options: &PlanOptions) -> bool {
    let distribution = options.torch_source.as_ref().is_some_and(|asked| asked.value == TorchSource::Distribution);
    let binding = || project.python.iter().filter(|constraint| constraint.strength != Strength::Hint);
    let other_python = options
        .python
        .as_ref()
        .is_some_and(|asked| binding().any(|constraint| !allows(&constraint.specifiers, &asked.value)));
    options.base.is_some() || options.variant.is_some() || distribution || other_python
}
