//! What can be typed of a look.

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// The interpreter, a path or a name [default: the active virtual environment's, `python3` or `python`]
    ///
    /// With `--image`, its path in the image.
    #[arg(long, value_name = "PYTHON", conflicts_with = "engine")]
    pub(crate) python: Option<String>,

    /// Look at this image in place of this machine, in a container of its own user and without network
    #[arg(long, value_name = "IMAGE", conflicts_with = "engine")]
    pub(crate) image: Option<String>,

    /// Look at the engine alone
    #[arg(long)]
    pub(crate) engine: bool,

    /// Show the commands that would mend what is no good, and run those that install something, after asking
    ///
    /// Each command is shown and asked for on the terminal. What is to be filled in, or is a setting of your own shell, is
    /// shown and not run. Afterwards everything is looked at again.
    #[arg(long)]
    pub(crate) fix: bool,

    /// Run the commands of `--fix` without asking
    #[arg(long, requires = "fix")]
    pub(crate) yes: bool,

    /// The time that looking at an interpreter may take, as `90s` or `5m`
    #[arg(long, value_name = "TIME", default_value = "5m")]
    pub(crate) timeout: String,
}
