//! What can be typed of a reproduction.

use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueEnum, ValueHint};

use super::{Network, Proof};

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
#[command(group = ArgGroup::new("sides").args(["faithful", "fixed", "both", "plan"]))]
pub(crate) struct Reproduce {
    /// What was pasted, `-` for standard input
    ///
    /// The output of `python -m torch.utils.collect_env` or of vLLM's, of `pip freeze`, `pip list`, `pip inspect`, `uv pip
    /// list`, `conda list` or `conda env export`, the log of a failure, an environment file, or an issue with any of these.
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(required_unless_present = "from_image", conflicts_with = "from_image")]
    pub(crate) file: Option<PathBuf>,

    /// Which report is meant, where the document holds several: 1 is the first
    #[arg(long, value_name = "NUMBER", conflicts_with = "from_image")]
    pub(crate) report: Option<usize>,

    /// Build the environment with its defect, and look whether a real run fails for the same reason
    #[arg(long)]
    pub(crate) faithful: bool,

    /// Build it with the remedy, and prove that it works; this is what is done where nothing is said
    #[arg(long)]
    pub(crate) fixed: bool,

    /// Do both, one after the other
    #[arg(long)]
    pub(crate) both: bool,

    /// Build nothing: say what was read, what would be built, and how near that is
    #[arg(long)]
    pub(crate) plan: bool,

    /// The failure to look for, in place of the one that the report's log shows
    #[arg(long, value_name = "ID", conflicts_with = "from_image")]
    pub(crate) failure: Option<String>,

    /// Run this Python program in the environments, in place of sconce's own small one
    ///
    /// It runs without network and with nothing of this machine, within the limits of the proof.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "run_reported")]
    pub(crate) script: Option<PathBuf>,

    /// Run the program in the report; with several, say which: `--run-reported=2`
    ///
    /// Saying so is the consent to run what a stranger wrote. It runs as with `--script`.
    #[arg(long, value_name = "NUMBER", num_args = 0..=1, require_equals = true)]
    #[expect(clippy::option_option, reason = "absent, alone, or with a number")]
    pub(crate) run_reported: Option<Option<usize>>,

    /// Write the environment file of this image: its versions, hashes and variables
    #[arg(long, value_name = "IMAGE", conflicts_with_all = ["sides", "script", "run_reported", "write"])]
    pub(crate) from_image: Option<String>,

    /// Write the Dockerfiles, the environment file, the program and the report into this folder, too
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) write: Option<PathBuf>,

    /// The repository of the images' tags: `NAME:faithful` and `NAME:fixed`
    #[arg(long, short, value_name = "NAME", default_value = "sconce-reproduction")]
    pub(crate) tag: String,

    /// Start from this base, by its name in `sconce images`, and not from the one that is nearest
    #[arg(long, env = "SCONCE_BASE", hide_env_values = true, value_name = "NAME", help_heading = "Environment")]
    pub(crate) base: Option<String>,

    /// The Python version, in place of the reporter's
    #[arg(long, value_name = "X.Y", help_heading = "Environment")]
    pub(crate) python: Option<String>,

    /// The version of torch, in place of the reporter's
    #[arg(long, value_name = "VERSION", help_heading = "Environment")]
    pub(crate) torch: Option<String>,

    /// What torch is built for, in place of the reporter's build: `cpu`, `cu128`, …
    #[arg(long, value_name = "VARIANT", help_heading = "Environment")]
    pub(crate) variant: Option<String>,

    /// Install all packages of the report, and not only those that matter to torch.compile
    #[arg(long, help_heading = "Environment")]
    pub(crate) all_packages: bool,

    /// Run every step anew instead of taking it from the engine's cache
    #[arg(long)]
    pub(crate) no_cache: bool,

    /// Ask a registry for the base, or for the image of `--from-image`, even where the engine has it
    #[arg(long)]
    pub(crate) pull: bool,

    /// List also what is the same, and what is of no matter
    #[arg(long, help_heading = "Output")]
    pub(crate) all: bool,

    /// How the answer is written
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Output")]
    pub(crate) format: ReproduceFormat,

    #[command(flatten)]
    pub(crate) network: Network,

    #[command(flatten)]
    pub(crate) proof: Proof,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReproduceFormat {
    /// For a terminal
    Text,
    /// One JSON document, as with `--json`
    Json,
    /// To paste into an issue
    Markdown,
}
