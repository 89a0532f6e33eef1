//! What `sconce reproduce` was asked.

use std::str::FromStr;

use clap::ArgMatches;
use pep440_rs::Version;
use sconce::engine::Owner;
use sconce::model::{Error, Origin, Result};
use sconce::ops::reproduce::{ProgramChoice, ReproduceOptions, Sides};

use super::layer::{self, asked, understood};
use super::{environment, file, proof, value};
use crate::args::Reproduce;
use crate::reference;

/// What `sconce reproduce` was asked. Besides the command the user's own file speaks.
pub(crate) fn reproduce(args: &Reproduce, matches: &ArgMatches, owner: Owner) -> Result<ReproduceOptions> {
    let typed = proof::layer(&args.proof, matches).over(layer::network(&args.network, matches));
    let layer = typed.over(file::user_layer()?);
    let one = |id: &str, name: &str, value: &Option<String>| asked(matches, id, name, value.as_ref());
    Ok(ReproduceOptions {
        report: args.report,
        failure: one("failure", "--failure", &args.failure),
        sides: sides(args),
        program: program(args)?,
        base: one("base", "--base", &args.base),
        python: understood(one("python", "--python", &args.python).as_ref(), value::python)?,
        torch: understood(one("torch", "--torch", &args.torch).as_ref(), version)?,
        variant: one("variant", "--variant", &args.variant),
        all_packages: args.all_packages,
        repository: repository(&args.tag)?,
        network: layer.network(environment())?,
        conditions: layer.proof.conditions()?,
        profile: layer.proof.profile()?,
        smoke: layer.proof.script()?,
        no_cache: args.no_cache,
        pull: args.pull,
        owner,
    })
}

fn sides(args: &Reproduce) -> Sides {
    match (args.faithful, args.both) {
        (true, _) => Sides::Faithful,
        (_, true) => Sides::Both,
        _ => Sides::Fixed,
    }
}

fn program(args: &Reproduce) -> Result<ProgramChoice> {
    match (&args.script, args.run_reported) {
        (Some(path), _) => Ok(ProgramChoice::File(sconce::ops::verify::script(path, &Origin::flag("--script"))?)),
        (None, Some(number)) => Ok(ProgramChoice::Reported(number)),
        (None, None) => Ok(ProgramChoice::Own),
    }
}

fn version(text: &str) -> Result<Version> {
    Version::from_str(text).map_err(|_| {
        Error::usage(format!("`{}` is not a version of torch", text.escape_debug())).with_hint("as in `2.9.1`")
    })
}

/// The name of a repository, which gets tags of sconce's own.
fn repository(text: &str) -> Result<String> {
    let at = |error: Error| error.at(Origin::flag("--tag"));
    let reference = reference::tag(text).map_err(at)?.to_string();
    match reference.strip_suffix(":latest").filter(|name| *name == text) {
        Some(name) => Ok(name.to_owned()),
        None => Err(at(Error::usage(format!("`{text}` has a tag, and both images get one of their own"))
            .with_hint("name the repository alone, as in `--tag team/issue-123`"))),
    }
}
