use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

#[derive(Debug, Args)]
#[command(override_usage = "sconce explain [OPTIONS] [FILE|ID]\n       sconce explain [OPTIONS] --catalogue")]
pub(crate) struct Explain {
    /// The log of a failure, `-` for standard input, or the id of a known failure, such as `PYTHON_H_MISSING`
    ///
    /// Without it, standard input is read where something is piped in. A file wins over an id of its name. Logs may be text or
    /// gzip, coloured, and with the prefixes of containers, ranks and CI.
    #[arg(value_name = "FILE|ID", value_hint = ValueHint::FilePath)]
    pub(crate) subject: Option<PathBuf>,

    /// List the failures that are known; as Markdown or JSON, each in full
    #[arg(long, conflicts_with_all = ["subject", "all"])]
    pub(crate) catalogue: bool,

    /// Show the fixes for every platform, what else to know, and where to read more
    #[arg(long)]
    pub(crate) all: bool,

    /// How the answer is written
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Output")]
    pub(crate) format: ExplainFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExplainFormat {
    /// For a terminal, on one screen
    Text,
    /// One JSON document, as with `--json`
    Json,
    /// To paste into an issue
    Markdown,
    /// SARIF 2.1.0, for code scanning: a result at the line of the log
    Sarif,
    /// Annotations for a step of a GitHub workflow; the step's summary, where there is one, gets the Markdown
    Github,
}
