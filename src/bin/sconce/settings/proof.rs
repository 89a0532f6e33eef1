//! What is said of the proof: how much is tried, and how the image is run for it.

use std::path::PathBuf;

use clap::ArgMatches;
use sconce::model::{Profile, Result};
use sconce::plan::Asked;
use sconce::verify::{Conditions, Script};

use super::layer::{Layer, asked, flag, understood, variable};
use super::limits;
use crate::args;

/// What one source says of the proof.
#[derive(Debug, Clone, Default)]
pub(super) struct Proof {
    pub(super) profile: Option<Asked<String>>,
    pub(super) smoke: Option<Asked<PathBuf>>,
    pub(super) gpus: Option<Asked<String>>,
    pub(super) memory: Option<Asked<String>>,
    pub(super) cpus: Option<Asked<String>>,
    pub(super) pids: Option<Asked<String>>,
    pub(super) timeout: Option<Asked<String>>,
}

impl Proof {
    pub(super) fn over(self, below: Self) -> Self {
        Self {
            profile: self.profile.or(below.profile),
            smoke: self.smoke.or(below.smoke),
            gpus: self.gpus.or(below.gpus),
            memory: self.memory.or(below.memory),
            cpus: self.cpus.or(below.cpus),
            pids: self.pids.or(below.pids),
            timeout: self.timeout.or(below.timeout),
        }
    }

    pub(super) fn profile(&self) -> Result<Profile> {
        Ok(understood(self.profile.as_ref(), limits::profile)?.map_or(Profile::default(), |asked| asked.value))
    }

    /// The user's own check, read.
    pub(super) fn script(&self) -> Result<Option<Script>> {
        self.smoke.as_ref().map(|asked| sconce::ops::verify::script(&asked.value, &asked.origin)).transpose()
    }

    pub(super) fn conditions(&self) -> Result<Conditions> {
        let memory = understood(self.memory.as_ref(), limits::memory)?;
        let timeout = understood(self.timeout.as_ref(), limits::timeout)?;
        let pids = understood(self.pids.as_ref(), limits::pids)?;
        let usual = Conditions::default();
        Ok(Conditions {
            memory: memory.map_or(usual.memory, |asked| asked.value),
            cpus: understood(self.cpus.as_ref(), limits::cpus)?.map(|asked| asked.value),
            pids: pids.map_or(usual.pids, |asked| asked.value),
            gpus: understood(self.gpus.as_ref(), limits::gpus)?.map(|asked| asked.value),
            timeout: timeout.map_or(usual.timeout, |asked| asked.value),
            ..usual
        })
    }
}

/// The layer of the flags of the proof.
pub(super) fn layer(args: &args::Proof, matches: &ArgMatches) -> Layer {
    let one = |id: &str, name: &str, value: &Option<String>| asked(matches, id, name, value.as_ref());
    let proof = Proof {
        profile: one("profile", "--profile", &args.profile),
        smoke: asked(matches, "smoke", "--smoke", args.smoke.as_ref()),
        gpus: one("gpus", "--gpus", &args.gpus),
        memory: one("memory", "--memory", &args.memory),
        cpus: one("cpus", "--cpus", &args.cpus),
        pids: one("pids", "--pids", &args.pids),
        timeout: one("timeout", "--timeout", &args.timeout),
    };
    Layer { proof, ..Layer::default() }
}

/// `conditions` with what the flags say of how the image will be run.
pub(super) fn run_as(conditions: Conditions, args: &args::RunAs) -> Result<Conditions> {
    let env = args.env.iter().map(|pair| variable(pair).map_err(|error| error.at(flag("--env"))));
    let tmpfs = args.tmpfs.iter().map(|text| limits::tmpfs(text).map_err(|error| error.at(flag("--tmpfs"))));
    let user = args.user.as_deref().map(|text| limits::user(text).map_err(|error| error.at(flag("--user"))));
    Ok(Conditions {
        user: user.transpose()?,
        env: env.collect::<Result<_>>()?,
        read_only: args.read_only,
        tmpfs: tmpfs.collect::<Result<_>>()?,
        ..conditions
    })
}
