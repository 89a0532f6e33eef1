//! `sconce images`: which bases are there, whether their facts hold, and one made ahead of time.

use super::bootstrap;
use crate::catalogue::{Base, Catalogue};
use crate::engine::{Engine, Event, Progress};
use crate::model::{BaseCheck, BasePythons, BaseRow, Error, Image, PythonProvider, Result};

/// The bases of the catalogue; with an engine, also which of them it has.
pub async fn list<E: Engine>(engine: Option<&E>) -> Result<Vec<BaseRow>> {
    let catalogue = Catalogue::embedded()?;
    let mut rows = Vec::new();
    for base in catalogue.bases() {
        let present = match engine {
            Some(engine) => Some(present(engine, base).await?),
            None => None,
        };
        rows.push(BaseRow { present, ..row(base) });
    }
    Ok(rows)
}

/// Which of a base's images the engine has.
async fn present<E: Engine>(engine: &E, base: &Base) -> Result<Vec<String>> {
    let mut present = Vec::new();
    for reference in references(base).into_iter().chain(base.bootstrapped()) {
        if engine.find_image(&reference).await?.is_some() {
            present.push(reference);
        }
    }
    Ok(present)
}

/// Every image that the row stands for.
fn references(base: &Base) -> Vec<String> {
    let releases: Vec<Option<&str>> = match &base.accelerator {
        Some(accelerator) => accelerator.in_order().into_iter().map(|release| Some(release.as_str())).collect(),
        None => vec![None],
    };
    // Only images that bring their interpreter come once for each.
    let own = base.python.iter().filter(|python| !python.on_request());
    let pythons = own.take(if base.reference.contains("{python}") { usize::MAX } else { 1 });
    pythons.flat_map(|python| releases.iter().map(|release| base.reference_for(&python.minor(), *release))).collect()
}

fn row(base: &Base) -> BaseRow {
    let mut ways: Vec<BasePythons> = Vec::new();
    for python in &base.python {
        let version = python.minor().to_string();
        match ways.iter_mut().find(|way| way.provider == python.provider) {
            Some(way) => way.versions.push(version),
            None => ways.push(BasePythons { provider: python.provider, versions: vec![version] }),
        }
    }
    let own = ways.iter().filter(|way| way.provider != PythonProvider::Uv);
    BaseRow {
        id: base.id.clone(),
        reference: base.reference.clone(),
        bootstrapped: base.bootstrapped(),
        suite: base.suite.clone(),
        package_manager: base.package_manager,
        architectures: base.architectures.clone(),
        glibc: base.glibc.to_string(),
        size_mb: base.size_mb,
        releases: base.accelerator.iter().flat_map(|one| one.in_order()).cloned().collect(),
        on_request: base.on_request,
        unverified: base.unverified,
        pythons: own.flat_map(|way| way.versions.clone()).collect(),
        ways,
        present: None,
    }
}

/// Holds every row against itself and the releases of torch. Nothing is asked of any network.
pub fn check() -> Result<Vec<BaseCheck>> {
    let catalogue = Catalogue::unchecked()?;
    let check = |base: &Base| BaseCheck {
        id: base.id.clone(),
        interpreters: base.python.len(),
        packages: base.packages.len() + base.python.iter().map(|python| python.packages.len()).sum::<usize>(),
        images: references(base).len(),
        checked: base.checked.to_string(),
        problems: catalogue.problems(base),
    };
    Ok(catalogue.bases().iter().map(check).collect())
}

/// Makes the base `id` from its distribution's packages, without a registry. An older stand-in is replaced. With `expired`,
/// an index of packages that is older than it says it may be is taken all the same, as mirrors that lag and snapshots need
/// it; the stand-in's own apt takes it, too.
pub async fn bootstrap<E: Engine>(engine: &E, id: &str, expired: bool, progress: &dyn Progress) -> Result<Image> {
    let catalogue = Catalogue::embedded()?;
    let base = catalogue.base(id)?;
    let id = &base.id;
    let (Some(suite), Some(reference)) = (&base.suite, base.bootstrapped()) else {
        return Err(Error::usage(format!("the base `{id}` cannot be made without a registry"))
            .with_hint("Debian's bases can: `sconce images bootstrap debian-13`"));
    };
    progress.event(Event::Stage { message: format!("bootstrapping {reference} from the packages of {suite}") });
    engine.sweep().await?;
    bootstrap::bootstrap(engine, &bootstrap::Recipe { id, suite, reference: &reference, expired }, progress).await
}
