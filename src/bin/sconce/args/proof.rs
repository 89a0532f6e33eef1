//! What can be typed of the proof.

use std::path::PathBuf;

use clap::{Args, ValueHint};

#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) subject: Subject,

    /// The interpreter in the image; looked for where not given
    #[arg(long, value_name = "PATH")]
    pub(crate) python: Option<String>,

    /// The variant that torch must be built for: `cpu`, `cuda`, `cu128`, `rocm`, `rocm6.4`, …
    #[arg(long, value_name = "VARIANT")]
    pub(crate) variant: Option<String>,

    /// The versions of torch that it must be one of, as `>=2.5,<2.12`
    #[arg(long, value_name = "SPECIFIERS")]
    pub(crate) torch: Option<String>,

    /// Try how this project calls `torch.compile`, and run its own check, too
    #[arg(long, value_name = "PROJECT", value_hint = ValueHint::DirPath)]
    pub(crate) project: Option<PathBuf>,

    /// Start no container: say whether the image is one that a build of sconce proved, by its own label
    ///
    /// The label names the content that was proven, and that is compared with what the image is. Nobody signed it.
    #[arg(long, help_heading = "Attestation", conflicts_with_all = ["file", "container"])]
    pub(crate) check_attestation: bool,

    /// Hold the in-toto statement in this file against the image, in place of its label
    #[arg(long, value_name = "FILE", requires = "check_attestation", help_heading = "Attestation")]
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) attestation: Option<PathBuf>,

    /// Pull the image where the engine does not have it
    #[arg(long, conflicts_with_all = ["file", "container"])]
    pub(crate) pull: bool,

    #[command(flatten)]
    pub(crate) proof: Proof,

    #[command(flatten)]
    pub(crate) run: RunAs,

    #[command(flatten)]
    pub(crate) reports: Reports,
}

/// The flags that say how the image will be run, as `docker run` has them.
#[derive(Debug, Args)]
#[command(next_help_heading = "As it will be run")]
pub(crate) struct RunAs {
    /// The user in place of the image's own, as `1000:1000`
    #[arg(long, value_name = "USER")]
    pub(crate) user: Option<String>,

    /// Set an environment variable; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) env: Vec<String>,

    /// Make the root file system read-only
    #[arg(long)]
    pub(crate) read_only: bool,

    /// Put a file system in memory at this path, as `/tmp:exec,size=1g`; may be repeated
    ///
    /// As `docker run` has it, nothing on it can be executed unless `exec` says so.
    #[arg(long, value_name = "PATH[:OPTIONS]")]
    pub(crate) tmpfs: Vec<String>,
}

/// The heading of the flags that name something else than an image.
const INSTEAD: &str = "Instead of an image";

/// What is put to the proof: exactly one of an image, a Dockerfile and a container.
#[derive(Debug, Args)]
pub(crate) struct Subject {
    /// The images, each a tag, a digest or an id; one after the other is put to the proof
    #[arg(value_name = "IMAGE", required_unless_present_any = ["file", "container"])]
    #[arg(conflicts_with_all = ["file", "container"])]
    pub(crate) images: Vec<String>,

    /// Build this Dockerfile, and put its image to the proof
    ///
    /// The image gets no name of yours, and is removed afterwards. Its failed step is explained like a failed check.
    #[arg(long, value_name = "DOCKERFILE", value_hint = ValueHint::FilePath, conflicts_with = "container")]
    #[arg(help_heading = INSTEAD)]
    pub(crate) file: Option<PathBuf>,

    /// The build context of the Dockerfile [default: its folder]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = INSTEAD)]
    #[arg(requires = "file", conflicts_with_all = ["images", "container"])]
    pub(crate) context: Option<PathBuf>,

    /// The stage of the Dockerfile to build [default: the last one]
    #[arg(long, value_name = "STAGE", help_heading = INSTEAD)]
    #[arg(requires = "file", conflicts_with_all = ["images", "container"])]
    pub(crate) target: Option<String>,

    /// A build argument of the Dockerfile; may be repeated
    #[arg(long = "build-arg", value_name = "NAME=VALUE", help_heading = INSTEAD)]
    #[arg(requires = "file", conflicts_with_all = ["images", "container"])]
    pub(crate) build_args: Vec<String>,

    /// Leave the image of the Dockerfile on the engine, without a name
    #[arg(long, help_heading = INSTEAD)]
    #[arg(requires = "file", conflicts_with_all = ["images", "container"])]
    pub(crate) keep: bool,

    /// The network that the Dockerfile's steps see: `default`, or `host`, that of the engine's host
    #[arg(long, env = "SCONCE_BUILD_NETWORK", hide_env_values = true, value_name = "NETWORK")]
    #[arg(value_parser = ["default", "host"], hide_possible_values = true, help_heading = INSTEAD)]
    pub(crate) build_network: Option<String>,

    /// The certificate authorities (PEM) that a Dockerfile gets which sconce rendered for them: its secret `sconce-ca`
    #[arg(long, env = "SCONCE_CA_BUNDLE", hide_env_values = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(help_heading = INSTEAD)]
    pub(crate) ca_bundle: Option<PathBuf>,

    /// Put the image to the proof that this container, running or not, was made from
    #[arg(long, value_name = "CONTAINER", help_heading = INSTEAD)]
    pub(crate) container: Option<String>,
}

/// The flags of the proof: shared by `build` and `verify`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Proof")]
pub(crate) struct Proof {
    /// How much is tried: `quick`, `standard` or `thorough` [default: standard]
    ///
    /// `quick` makes one cold compile. `standard` makes every check, on the image as it is. `thorough` makes them again as a
    /// user without a name, with a read-only root, on one processor and with little memory. What was not tried is listed.
    #[arg(long, env = "SCONCE_PROFILE", hide_env_values = true, value_name = "PROFILE")]
    pub(crate) profile: Option<String>,

    /// Run this Python program in the image, too: it has to end with status 0
    ///
    /// It runs as the image's user, in its working directory and environment, without network.
    #[arg(long, env = "SCONCE_SMOKE", hide_env_values = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) smoke: Option<PathBuf>,

    /// Prove the path of Triton, too, with these GPUs: `all`, a number, `device=0,1`, or a CDI name as `nvidia.com/gpu=all`
    #[arg(long, env = "SCONCE_GPUS", hide_env_values = true, value_name = "GPUS")]
    pub(crate) gpus: Option<String>,

    /// The memory that a container of the proof may use, as `6GiB` [default: 4GiB]
    #[arg(long, env = "SCONCE_MEMORY", hide_env_values = true, value_name = "SIZE")]
    pub(crate) memory: Option<String>,

    /// The processors that it may use, as `1.5` [default: all]
    #[arg(long, env = "SCONCE_CPUS", hide_env_values = true, value_name = "NUMBER")]
    pub(crate) cpus: Option<String>,

    /// The processes and threads that it may have [default: 2048]
    #[arg(long, env = "SCONCE_PIDS", hide_env_values = true, value_name = "NUMBER")]
    pub(crate) pids: Option<String>,

    /// The time that it may take, as `90s` or `10m` [default: 15m]
    #[arg(long, env = "SCONCE_TIMEOUT", hide_env_values = true, value_name = "TIME")]
    pub(crate) timeout: Option<String>,
}

/// The reports besides the answer: shared by `build` and `verify`.
#[derive(Debug, Args)]
pub(crate) struct Reports {
    /// Write a report to a file, too, whatever the answer; may be repeated
    ///
    /// FORMAT is `text`, `json`, `junit`, `sarif`, `markdown`, `html` or `in-toto`. `--report github`, without a file, is for steps of
    /// GitHub workflows: it adds to the step's summary, and annotates what failed.
    #[arg(long = "report", value_name = "FORMAT=FILE", help_heading = "Output")]
    pub(crate) files: Vec<String>,
}
