use pep440_rs::VersionSpecifiers;

use crate::catalogue::Catalogue;
use crate::model::{
    Error, Installer, Lock, LockedPackage, ManifestKind, Origin, PlannedLock, Project, Result, Source, TorchBuild,
    Variant,
};
use crate::plan::applies::Selection;
use crate::plan::{Asked, PlanOptions, target};

use super::{Question, torch};

const LOCK: &str = "uv.lock";

/// A package of a lock: its name and version, the index that it comes from, and where it applies.
fn package(name: &str, version: &str, index: Option<&str>, marker: Option<&str>) -> LockedPackage {
    LockedPackage {
        name: name.to_owned(),
        version: version.parse().ok(),
        source: Source::Index { specifiers: VersionSpecifiers::empty() },
        index: index.map(str::to_owned),
        marker: marker.map(str::to_owned),
        extras: Vec::new(),
        groups: Vec::new(),
        hashes: 0,
        origin: Origin::file(LOCK, 7),
    }
}

/// The torch that comes by a lock of these packages, followed or not.
fn locked(packages: Vec<LockedPackage>, followed: bool, options: &PlanOptions) -> Result<TorchBuild> {
    let lock = Lock { path: LOCK.to_owned(), kind: ManifestKind::UvLock, format: None, packages };
    let project = Project { locks: vec![lock], ..Project::default() };
    let catalogue = Catalogue::embedded()?;
    let target = target::choose(&project, &catalogue, options, &Selection::default())?.target;
    let followed = followed.then(|| PlannedLock { path: LOCK.to_owned(), kind: ManifestKind::UvLock, local: false });
    let question = Question {
        project: &project,
        target: &target,
        catalogue: &catalogue,
        options,
        installer: Installer::Uv,
        lock: followed.as_ref(),
    };
    torch(question).map(|(choice, _)| choice.value)
}

fn cuda(version: &str) -> Variant {
    Variant::Cuda { version: Some(version.to_owned()) }
}

#[test]
fn a_lock_that_is_followed_says_it_exactly() {
    let pypi = Some("https://pypi.example.org/simple");
    let linux = Some("sys_platform == 'linux' and platform_machine == 'x86_64'");
    let mac = Some("sys_platform == 'darwin'");
    let cu128 = Some("https://download.example.org/whl/cu128");
    for (packages, version, certain, probable) in [
        (vec![package("torch", "2.7.1+cu128", cu128, None)], "==2.7.1+cu128", cuda("12.8"), cuda("12.8")),
        (vec![package("torch", "2.7.1", cu128, None)], "==2.7.1", cuda("12.8"), cuda("12.8")),
        (
            vec![package("torch", "2.7.1", pypi, None), package("nvidia-cuda-runtime-cu12", "12.6.77", pypi, linux)],
            "==2.7.1",
            cuda("12.6"),
            cuda("12.6"),
        ),
        (
            vec![package("torch", "2.14.1", pypi, None), package("cuda-toolkit", "13.0.3", pypi, linux)],
            "==2.14.1",
            cuda("13.0"),
            cuda("13.0"),
        ),
        // CUDA that something else brings is not torch's.
        (
            vec![package("torch", "2.7.1", pypi, None), package("nvidia-cuda-runtime-cu12", "12.9.1", pypi, linux)],
            "==2.7.1",
            Variant::Any,
            cuda("12.6"),
        ),
        (vec![package("torch", "2.7.1", pypi, None)], "==2.7.1", Variant::Any, cuda("12.6")),
        (
            vec![package("torch", "2.7.1", pypi, mac), package("torch", "2.7.1+cpu", pypi, linux)],
            "==2.7.1+cpu",
            Variant::Cpu,
            Variant::Cpu,
        ),
    ] {
        let build = locked(packages, true, &PlanOptions::default()).unwrap();
        assert_eq!(build.specifiers.to_string(), version);
        assert_eq!((&build.variant, &build.prediction.variant), (&certain, &probable), "{version}");
        let exact = build.prediction.version.unwrap().to_string();
        assert!(version.contains(&exact) && !exact.contains('+'), "{exact}");
    }
}

#[test]
fn a_lock_that_is_not_followed_says_nothing() {
    let packages = vec![package("torch", "2.7.1+cu128", None, None)];
    let build = locked(packages, false, &PlanOptions::default()).unwrap();
    assert!(build.specifiers.is_empty() && build.variant == Variant::Any && build.prediction.is_empty(), "{build:?}");
}

#[test]
fn an_extra_of_a_lock_brings_its_torch_only_where_it_is_asked_for() {
    let gpu = LockedPackage { extras: vec!["gpu".to_owned()], ..package("torch", "2.7.1+cu128", None, None) };
    let build = locked(vec![gpu], true, &PlanOptions::default()).unwrap();
    assert!(build.specifiers.is_empty() && build.prediction.is_empty(), "{build:?}");
}

#[test]
fn nothing_asked_for_changes_a_lock() {
    let ask = |name: &str| PlanOptions {
        variant: Some(Asked { value: name.to_owned(), origin: Origin::flag("--variant") }),
        ..PlanOptions::default()
    };
    let packages = || vec![package("torch", "2.7.1+cu128", None, None)];
    assert_eq!(locked(packages(), true, &ask("cu128")).unwrap().variant, cuda("12.8"));
    let error: Error = locked(packages(), true, &ask("cpu")).unwrap_err();
    assert_eq!(error.to_string(), "--variant: `cpu` cannot be had: `uv.lock` pins torch 2.7.1+cu128 (uv.lock:7)");
    assert!(error.hint.unwrap().contains("lock the project again for `cpu`"));
}
