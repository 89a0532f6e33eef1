//! What the image will have, as far as that is known before it is built.

use std::str::FromStr;

use pep440_rs::Version;

use super::torch::{self, ChosenTorch};
use super::{Ground, ground};
use crate::catalogue::Replicas;
use crate::model::{
    Environment, EnvironmentVariable, Installed, Manager, Origin, Replica, Stated, System, SystemFamily, TorchPlace,
    Variant,
};

/// The environment of the image, each fact with the row or the choice that says so.
pub(super) fn predicted(replica: &Replica, ground: &Ground, torch: &ChosenTorch, replicas: &Replicas) -> Environment {
    let row = || Origin::Catalogue { row: ground.base.id.clone() };
    let system = replicas.bases.get(&ground.base.id).map(|base| System {
        family: SystemFamily::Linux,
        distribution: Some(base.distribution.clone()),
        release: Some(base.release.clone()),
        wsl: false,
        text: base.text.clone(),
    });
    let python = if replica.python.value.release().len() > 2 { &replica.python.value } else { &ground.python.version };
    Environment {
        system: system.map(|system| Stated::new(system, row())),
        architecture: Some(Stated::new(replica.architecture.value.clone(), replica.architecture.requested.clone())),
        libc: Some(Stated::new(format!("glibc {}", ground.base.glibc), row())),
        python: Some(Stated::new(python.clone(), row())),
        installation: ground::of_provider(ground.python.provider).map(|value| Stated::new(value, row())),
        place: Some(Stated::new(replica.place.value, replica.place.requested.clone())),
        torch: version(replica, torch).map(|version| Stated::new(version, replica.torch.requested.clone())),
        variant: (torch.variant != Variant::Any)
            .then(|| Stated::new(torch.variant.clone(), replica.torch.requested.clone())),
        packages: packages(replica),
        variables: variables(replica),
        ..Environment::default()
    }
}

/// `torch.__version__` as it will be: builds name what they are for, and Debian's its distribution.
fn version(replica: &Replica, torch: &ChosenTorch) -> Option<Version> {
    let version = torch.version.as_ref()?;
    let local = if replica.place.value == TorchPlace::Distribution {
        Some("debian".to_owned())
    } else {
        torch::local(&replica.torch.value)
    };
    let with = local.map(|local| format!("{version}+{local}")).and_then(|text| Version::from_str(&text).ok());
    Some(with.unwrap_or_else(|| version.clone()))
}

fn packages(replica: &Replica) -> Vec<Installed> {
    let pinned = replica.requirements.iter().filter_map(|choice| Some((choice, choice.value.split_once("==")?)));
    pinned
        .map(|(choice, (name, version))| Installed::new(name, version, Manager::Pip, choice.requested.clone()))
        .collect()
}

fn variables(replica: &Replica) -> Vec<EnvironmentVariable> {
    let mut env = replica.env.clone();
    env.extend(replica.defect.iter().flat_map(|defect| defect.env.clone()));
    let variable = |(name, value)| EnvironmentVariable { name, value: Some(value), origin: Origin::Default };
    env.into_iter().map(variable).collect()
}
