use clap::{Args, ValueEnum, ValueHint};

#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// An image, an environment file, what `python -m torch.utils.collect_env` printed, or `-` for standard input
    ///
    /// A path that exists is a file; anything else is an image on the engine. Where a file holds several reports, `FILE#2` is
    /// the second.
    #[arg(value_name = "A", value_hint = ValueHint::FilePath)]
    pub(crate) left: String,

    /// The other, named in the same way
    #[arg(value_name = "B", value_hint = ValueHint::FilePath)]
    pub(crate) right: String,

    /// Show every difference, each with its reason, and the names of what could not be compared
    #[arg(long)]
    pub(crate) all: bool,

    /// Give the exit code 1 where they differ, as `git diff` does
    #[arg(long)]
    pub(crate) exit_code: bool,

    /// Pull an image that is not on the engine
    #[arg(long)]
    pub(crate) pull: bool,

    /// The interpreter to ask, its path in the image [default: the one that has torch]
    #[arg(long, value_name = "PYTHON")]
    pub(crate) python: Option<String>,

    /// The time that looking at an image may take, as `90s` or `5m`
    #[arg(long, value_name = "TIME", default_value = "5m")]
    pub(crate) timeout: String,

    /// How the answer is written
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Output")]
    pub(crate) format: DiffFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DiffFormat {
    /// For a terminal
    Text,
    /// One JSON document, as with `--json`
    Json,
    /// To paste into an issue
    Markdown,
}
