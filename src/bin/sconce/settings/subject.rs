//! What `sconce verify` is to put to the proof.

use std::collections::BTreeMap;

use clap::ArgMatches;
use sconce::engine::Owner;
use sconce::model::{Error, Result};
use sconce::ops::{Dockerfile, Subject};

use super::layer::{Layer, asked, flag};
use super::{environment, file};
use crate::{args, reference};

/// The image, Dockerfile or container of the command line. What a build makes belongs to `owner`.
pub(crate) fn subjects(args: &args::Subject, matches: &ArgMatches, owner: &Owner) -> Result<Vec<Subject>> {
    if let Some(dockerfile) = &args.file {
        let typed = Layer {
            ca_bundle: asked(matches, "ca_bundle", "--ca-bundle", args.ca_bundle.as_ref()),
            build_network: asked(matches, "build_network", "--build-network", args.build_network.as_ref()),
            ..Layer::default()
        };
        let user = file::user_layer()?;
        // Of the user's file, what speaks of package indexes is for sconce's own Dockerfiles.
        let user = Layer { ca_bundle: user.ca_bundle, build_network: user.build_network, ..Layer::default() };
        return Ok(vec![Subject::Dockerfile(Box::new(Dockerfile {
            file: dockerfile.clone(),
            context: args.context.clone(),
            target: args.target.clone(),
            args: args.build_args.iter().map(|pair| build_arg(pair)).collect::<Result<BTreeMap<_, _>>>()?,
            keep: args.keep,
            owner: owner.clone(),
            network: typed.over(user).network(environment())?,
        }))]);
    }
    if let Some(container) = &args.container {
        return Ok(vec![Subject::Container(container.clone())]);
    }
    args.images.iter().map(|image| reference::existing(image).map(|()| Subject::Image(image.clone()))).collect()
}

fn build_arg(pair: &str) -> Result<(String, String)> {
    let (name, value) = pair.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(|| {
        Error::usage(format!("`{}` is not NAME=VALUE", pair.escape_debug()))
            .at(flag("--build-arg"))
            .with_hint("as in `--build-arg PYTHON=3.12`")
    })?;
    Ok((name.to_owned(), value.to_owned()))
}
