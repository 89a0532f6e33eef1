//! Tools that make the whole environment, its interpreter included, from a manifest of their own.

use super::super::PlanOptions;
use super::super::target::Target;
use super::Installation;
use crate::model::{Choice, Installer, Manifest, ManifestKind, Origin, PlannedLock, Project, PythonProvider};

/// What such a tool installs: where the base has one, the project a manifest for it, and nobody asks for another.
pub(super) fn environment(project: &Project, target: &Target, options: &PlanOptions) -> Option<Installation> {
    let (installer, kind) = match target.python.provider {
        PythonProvider::Conda => (Installer::Micromamba, ManifestKind::Conda),
        PythonProvider::Pixi => (Installer::Pixi, ManifestKind::Pixi),
        _ => return None,
    };
    let manifest = project.manifests.iter().find(|manifest| manifest.kind == kind)?;
    let choice = match &options.installer {
        Some(asked) if asked.value != installer => return None,
        Some(asked) => Choice::new(installer, asked.origin.clone(), "it was asked for"),
        None => {
            let because = format!("it makes what `{}` describes", manifest.path);
            Choice::new(installer, Origin::file(&manifest.path, 1), because)
        }
    };
    Some(Installation { installer: choice, lock: lock(project, installer, manifest), notes: Vec::new() })
}

/// The lock of pixi, which stands beside its manifest; conda has none.
fn lock(project: &Project, installer: Installer, manifest: &Manifest) -> Option<Choice<PlannedLock>> {
    let lock = project.locks.iter().find(|lock| lock.kind == ManifestKind::PixiLock)?;
    let because = format!("it stands beside `{}`", manifest.path);
    let planned = PlannedLock { path: lock.path.clone(), kind: lock.kind, local: false };
    (installer == Installer::Pixi).then(|| Choice::new(planned, Origin::file(&lock.path, 1), because))
}

/// Whether an installer makes the environment itself.
pub(in crate::plan) fn makes_environment(installer: Installer) -> bool {
    matches!(installer, Installer::Micromamba | Installer::Pixi)
}
