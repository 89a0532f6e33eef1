//! What can be typed. Values stay text here: [`crate::settings`] gives them their meaning, together with those from the
//! environment and from files.

use std::path::PathBuf;

use clap::builder::Resettable;
use clap::builder::styling::{AnsiColor, Styles};
use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use sconce::model::{Error, Origin};

mod diff;
mod doctor;
mod explain;
mod proof;
mod reproduce;

pub(crate) use diff::{Diff, DiffFormat};
pub(crate) use doctor::Doctor;
pub(crate) use explain::{Explain, ExplainFormat};
pub(crate) use proof::{Proof, Reports, RunAs, Subject, Verify};
pub(crate) use reproduce::{Reproduce, ReproduceFormat};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const CONFIGURATION: &str = "\
Configuration:
  What the flags of `build` say can also stand in `[tool.sconce]` of the project's
  pyproject.toml, in `sconce.toml` beside it, in the user's `sconce/config.toml` (below
  $XDG_CONFIG_HOME or ~/.config), and in the variables that are named with the flags.
  The command line wins over the environment, the environment over the project's files,
  and those over the user's.";

const EXIT_CODES: &str = "\
Exit codes:
  0    done and, where there was something to prove, proven
  1    the answer is no: it cannot be planned, built, proven or explained
  2    wrong usage, configuration or input
  75   try again: the engine or the network is not available
  130  interrupted";

/// What stands below a command's flags.
fn examples(lines: &[&str]) -> String {
    format!("Examples:\n  {}\n\n{EXIT_CODES}", lines.join("\n  "))
}

/// Container images in which torch.compile is proven to work.
#[derive(Debug, Parser)]
#[command(name = "sconce", version, styles = STYLES, max_term_width = 100)]
#[command(arg_required_else_help = true, subcommand_required = true)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{CONFIGURATION}\n\n{EXIT_CODES}"))]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) global: Global,
}

/// Parses the command line: what it says, and the matches of the subcommand, which know where a value came from.
pub(crate) fn parse() -> Result<(Cli, ArgMatches), clap::Error> {
    let matches = deaf_to_empty(Cli::command()).try_get_matches()?;
    let mut cli = Cli::from_arg_matches(&matches)?;
    // Errors are documents, too, however JSON was asked for.
    cli.global.json |= match &cli.command {
        Command::Explain(explain) => explain.format == ExplainFormat::Json,
        Command::Reproduce(reproduce) => reproduce.format == ReproduceFormat::Json,
        Command::Diff(diff) => diff.format == DiffFormat::Json,
        _ => false,
    };
    let subcommand = matches.subcommand().map(|(_, matches)| matches.clone());
    Ok((cli, subcommand.unwrap_or_default()))
}

/// The form of an answer: the one that `--format` says, or `document` where a document was asked for and no other form.
pub(crate) fn format<T: PartialEq>(said: T, document: T, matches: &ArgMatches, json: bool) -> Result<T, Error> {
    if !json {
        return Ok(said);
    }
    let typed = matches.value_source("format") == Some(ValueSource::CommandLine);
    if typed && said != document {
        return Err(Error::usage("`--json` is a format of its own").at(Origin::flag("--format")));
    }
    Ok(document)
}

/// The command without the variables that are set to nothing: a script that writes `SCONCE_TAG= sconce …` means none.
fn deaf_to_empty(command: clap::Command) -> clap::Command {
    let is_empty = |arg: &clap::Arg| arg.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
    command.mut_args(|arg| if is_empty(&arg) { arg.env(Resettable::Reset) } else { arg }).mut_subcommands(deaf_to_empty)
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct Global {
    /// Write one JSON document on standard output instead of text
    ///
    /// Its content is that of the text, and its schema is versioned. An error is a document too. Progress and messages
    /// still go to standard error.
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Colour what is written
    ///
    /// `auto` colours on a terminal, unless NO_COLOR is set; CLICOLOR_FORCE colours everywhere.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorChoice,

    /// Show no progress
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// Show every line that the engine's steps write, and the engine's own steps
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal
    Auto,
    /// Everywhere
    Always,
    /// Nowhere
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what a project asks for, each fact with its file and line
    ///
    /// Reads requirements files and `pyproject.toml` as pip and uv would. Nothing is installed and no engine is needed.
    #[command(after_help = examples(&["sconce inspect", "sconce inspect path/to/project --json"]))]
    Inspect(Inspect),

    /// Write the Dockerfile that would be built, each choice explained in a comment
    ///
    /// The same input gives the same bytes on every machine; no engine and no network are needed. The Dockerfile is
    /// written on standard output, or to a file with `--output`.
    #[command(after_help = examples(&[
        "sconce render > Dockerfile",
        "sconce render --variant cpu --python 3.12",
        "sconce render --builder classic --output Dockerfile path/to/project",
        "sconce render --devcontainer",
        "sconce render --check",
    ]))]
    Render(Box<Render>),

    /// Build an image for a project, prove that torch.compile works in it, and only then move the tag
    ///
    /// The image is built under a temporary name and put to the proof: models are compiled and run in it, as its own
    /// user and without network. The tag moves only if every check holds. If one does not, the tag stays where it was,
    /// the image is kept without a name for a look, and the report says why and what to do.
    #[command(after_help = examples(&[
        "sconce build",
        "sconce build path/to/project --tag registry.example.org/team/app:1.4",
        "sconce build --variant cpu --system-package ffmpeg --env OMP_NUM_THREADS=4",
    ]))]
    Build(Box<Build>),

    /// Prove whether torch.compile works in an image, whoever built it
    ///
    /// The checks run in a new container of the image, as its own user and without network; the image is not changed.
    #[command(override_usage = "sconce verify [OPTIONS] <IMAGE | --file DOCKERFILE | --container CONTAINER>")]
    #[command(after_help = examples(&[
        "sconce verify registry.example.org/team/app:1.4",
        "sconce verify app --python /opt/conda/bin/python --profile thorough",
        "sconce verify app --user 12345 --read-only --tmpfs /tmp:exec --memory 2GiB",
        "sconce verify --file docker/Dockerfile --context . --build-arg PYTHON=3.12",
        "sconce verify --container web",
        "sconce verify app:cpu app:cuda --report html=proof.html --report junit=proof.xml",
    ]))]
    Verify(Box<Verify>),

    /// Say what a log's failure comes from, and what to do about it
    ///
    /// Reads what a program, a compiler, an installer or a build wrote, finds the line that matters, and names the cause and the
    /// fix for the machine that the log speaks of. Nothing is run and nothing is fetched. Where no known cause fits it says
    /// so, shows the lines that look decisive, and the exit code is 1.
    #[command(after_help = examples(&[
        "sconce explain train.log",
        "docker logs app 2>&1 | sconce explain",
        "sconce explain train.log --format markdown",
        "sconce explain PYTHON_H_MISSING",
        "sconce explain --catalogue",
    ]))]
    Explain(Explain),

    /// Look whether torch.compile would work on this machine or in an image, and whether the engine is fit
    ///
    /// Each need is tried: a library with OpenMP is compiled, linked and loaded where torch would keep it. torch itself
    /// compiles nothing, so that a look takes seconds; `sconce verify` is the proof.
    #[command(after_help = examples(&[
        "sconce doctor",
        "sconce doctor --python .venv/bin/python --fix",
        "sconce doctor --image registry.example.org/team/app:1.4",
        "sconce doctor --engine",
    ]))]
    Doctor(Doctor),

    /// Build a reporter's environment again, with its failure or with the remedy
    ///
    /// Reads what was pasted: the output of `collect_env`, lists of packages, a log, or a whole issue with all of these. Builds
    /// the nearest environment that a container can have, and says item by item how near it is. With `--faithful` it has the
    /// defect that the log shows, and a real run has to fail for the same reason; without, it has the remedy, which is proven.
    #[command(
        override_usage = "sconce reproduce [OPTIONS] <FILE>\n       sconce reproduce [OPTIONS] --from-image <IMAGE>"
    )]
    #[command(after_help = examples(&[
        "sconce reproduce issue.md --both",
        "python -m torch.utils.collect_env | sconce reproduce - --plan",
        "sconce reproduce issue.md --faithful --script repro.py --base debian-13",
        "sconce reproduce --from-image app:1.4 > environment.json",
    ]))]
    Reproduce(Box<Reproduce>),

    /// Show what differs between two environments, the most relevant to torch.compile first
    ///
    /// Each side is an image, whose own interpreter tells of it in a container without network; or a file: one that
    /// `sconce reproduce --from-image` wrote, or what a reporter pasted. What only one side can tell is no difference. The exit
    /// code is 0 whether they differ or not, unless `--exit-code` is given.
    #[command(after_help = examples(&[
        "sconce diff app:works app:broken",
        "sconce diff report.txt app:latest --format markdown",
        "python -m torch.utils.collect_env | sconce diff - app:latest --all",
        "sconce diff app:before app:after --exit-code",
    ]))]
    Diff(Diff),

    /// List the base images, or make one without a registry
    #[command(after_help = examples(&["sconce images", "sconce images bootstrap debian-13"]))]
    #[command(args_conflicts_with_subcommands = true)]
    Images {
        #[command(subcommand)]
        command: Option<Images>,
    },

    /// Write the templates of Dockerfiles into a folder, to read and to change
    ///
    /// What is changed there is used with `--templates DIR`. Of the files, only those that are changed need to stay.
    #[command(after_help = examples(&["sconce templates export docker", "sconce render --templates docker"]))]
    #[command(arg_required_else_help = true, subcommand_required = true)]
    Templates {
        #[command(subcommand)]
        command: Templates,
    },

    /// Write a completion script for a shell on standard output
    #[command(after_help = examples(&[
        "sconce completions bash > ~/.local/share/bash-completion/completions/sconce",
        "sconce completions fish > ~/.config/fish/completions/sconce.fish",
    ]))]
    Completions {
        /// The shell
        shell: Shell,
    },

    /// Write the manual: its first page on standard output, or all pages into a folder
    #[command(after_help = examples(&["sconce man | man -l -", "sconce man ~/.local/share/man/man1"]))]
    Man {
        /// The folder to write all pages into
        #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
        folder: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Images {
    /// List the base images, and which of them the engine has
    List,

    /// Check that the facts about the base images agree, without any network
    Check,

    /// Make a base image from its distribution's packages, without a registry
    ///
    /// Needs `mmdebstrap` on this machine, and the distribution's package mirror. A build does this by itself where no
    /// registry can be reached.
    Bootstrap {
        /// The base's name, as `sconce images` lists it
        name: String,

        /// Take an index of packages that has expired, as of a mirror that lags or of a snapshot
        ///
        /// Its signature is checked all the same. The image that is made takes such an index, too.
        #[arg(long)]
        allow_expired: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Templates {
    /// Write the built-in templates, and a README that describes them
    Export {
        /// The folder to write them into
        #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
        folder: PathBuf,

        /// Write over files that are there
        #[arg(long)]
        force: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Project {
    /// The project's folder
    #[arg(value_name = "PROJECT", default_value = ".", value_hint = ValueHint::DirPath)]
    pub(crate) root: PathBuf,

    /// Read this file of the project instead of those found; may be repeated
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) from: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Inspect {
    #[command(flatten)]
    pub(crate) project: Project,
}

#[derive(Debug, Args)]
pub(crate) struct Render {
    #[command(flatten)]
    pub(crate) project: Project,

    /// Write the Dockerfile to this file, and the choices on standard output
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,

    /// Write a development container into the project's folder `.devcontainer`, and the choices on standard output
    ///
    /// `devcontainer.json` and the Dockerfile beside it are what editors and `devcontainer up` open. A GPU is used where the
    /// machine has one.
    #[arg(long, conflicts_with = "output")]
    pub(crate) devcontainer: bool,

    /// Write over a development container that is there
    #[arg(long, requires = "devcontainer")]
    pub(crate) force: bool,

    /// Write nothing, and check that what is on disk is what would be written
    ///
    /// FILE is `Dockerfile` in the project's folder where it is not named; with `--devcontainer` the files of the development
    /// container are checked. Where one differs or is missing, the difference and the command that writes it anew are
    /// shown, and the exit code is 1. That another version of sconce wrote it is no difference.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "output")]
    #[arg(num_args = 0..=1, require_equals = true)]
    #[expect(clippy::option_option, reason = "absent, alone, or with a file")]
    pub(crate) check: Option<Option<PathBuf>>,

    /// The builder that is to run it
    ///
    /// `buildkit` uses cache and secret mounts; `classic` does without, for builders that have none.
    #[arg(long, value_name = "BUILDER", default_value = "buildkit", value_parser = ["buildkit", "classic"])]
    pub(crate) builder: String,

    #[command(flatten)]
    pub(crate) plan: Plan,
}

#[derive(Debug, Args)]
pub(crate) struct Build {
    #[command(flatten)]
    pub(crate) project: Project,

    /// The tag that the image gets once it is proven [default: the project's name]
    #[arg(long, short, env = "SCONCE_TAG", hide_env_values = true, value_name = "TAG")]
    pub(crate) tag: Option<String>,

    /// Run every step anew instead of taking it from the engine's cache
    #[arg(long)]
    pub(crate) no_cache: bool,

    /// Prove the image even where an earlier run proved the very same one
    #[arg(long)]
    pub(crate) reverify: bool,

    /// Ask the registry for the base image even where the engine has it
    #[arg(long)]
    pub(crate) pull: bool,

    #[command(flatten)]
    pub(crate) plan: Plan,

    #[command(flatten)]
    pub(crate) proof: Proof,

    #[command(flatten)]
    pub(crate) reports: Reports,
}

/// The flags that describe an image: shared by `render` and `build`, so that the one shows what the other does.
#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// The Python version, as `3.13`
    #[arg(long, env = "SCONCE_PYTHON", hide_env_values = true, value_name = "X.Y", help_heading = "Image")]
    pub(crate) python: Option<String>,

    /// The base image, by its name in `sconce images`
    #[arg(long, env = "SCONCE_BASE", hide_env_values = true, value_name = "NAME", help_heading = "Image")]
    pub(crate) base: Option<String>,

    /// What torch is built for: `cpu`, `cu128`, `rocm6.4`, …
    ///
    /// Without it torch comes as pip would take it, which on Linux is a CUDA build of several gigabytes.
    #[arg(long, env = "SCONCE_VARIANT", hide_env_values = true, value_name = "VARIANT", help_heading = "Image")]
    pub(crate) variant: Option<String>,

    /// Where torch comes from: the package index, or the distribution's own package
    #[arg(long, env = "SCONCE_TORCH_SOURCE", hide_env_values = true, value_name = "SOURCE", help_heading = "Image")]
    #[arg(value_parser = ["index", "distribution"])]
    pub(crate) torch_source: Option<String>,

    /// The program that installs the requirements
    ///
    /// Without it, the one whose lock the project has, else uv. Poetry, PDM and Pipenv install from their locks only.
    #[arg(long, env = "SCONCE_INSTALLER", hide_env_values = true, value_name = "PROGRAM", help_heading = "Image")]
    #[arg(value_parser = ["uv", "pip", "poetry", "pdm", "pipenv"])]
    pub(crate) installer: Option<String>,

    /// Install this extra of the project too; may be repeated
    #[arg(long = "extra", value_name = "EXTRA", help_heading = "Image")]
    pub(crate) extras: Vec<String>,

    /// Install this dependency group of the project too; may be repeated
    #[arg(long = "group", value_name = "GROUP", help_heading = "Image")]
    pub(crate) groups: Vec<String>,

    /// Install this package of the base's distribution too; may be repeated
    #[arg(long = "system-package", value_name = "PACKAGE", help_heading = "Image")]
    pub(crate) system_packages: Vec<String>,

    /// Set an environment variable in the image; may be repeated
    #[arg(long, value_name = "NAME=VALUE", help_heading = "Image")]
    pub(crate) env: Vec<String>,

    /// The platform of the image: `linux/amd64` or `linux/arm64` [default: the engine's, and `linux/amd64` without one]
    #[arg(long, env = "SCONCE_PLATFORM", hide_env_values = true, value_name = "PLATFORM", help_heading = "Image")]
    #[arg(value_parser = ["linux/amd64", "linux/arm64"], hide_possible_values = true)]
    pub(crate) platform: Option<String>,

    /// Templates of the Dockerfile over the built-in ones
    ///
    /// A file in this folder stands in place of the built-in template of its name, or changes a part of it; `sconce templates
    /// export` writes the built-in ones.
    #[arg(long, env = "SCONCE_TEMPLATES", hide_env_values = true, value_name = "DIR", help_heading = "Image")]
    #[arg(value_hint = ValueHint::DirPath)]
    pub(crate) templates: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) container: Container,

    /// Run a shell command as root once everything is installed; may be repeated
    #[arg(long, value_name = "COMMAND", help_heading = "Image")]
    pub(crate) run: Vec<String>,

    #[command(flatten)]
    pub(crate) network: Network,
}

/// The flags that say how a build reaches the network: shared by all that build.
#[derive(Debug, Args)]
#[expect(clippy::struct_field_names, reason = "fields are named as their flags")]
pub(crate) struct Network {
    /// The network that the build's steps see
    ///
    /// `host` is the network of the engine's host, for a proxy or an index on its loopback address.
    #[arg(
        long,
        env = "SCONCE_BUILD_NETWORK",
        hide_env_values = true,
        value_name = "NETWORK",
        help_heading = "Network"
    )]
    #[arg(value_parser = ["default", "host"])]
    pub(crate) build_network: Option<String>,

    /// Trust the certificate authorities in this file (PEM) while building; it does not stay in the image
    #[arg(long, env = "SCONCE_CA_BUNDLE", hide_env_values = true, value_name = "FILE", help_heading = "Network")]
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) ca_bundle: Option<PathBuf>,

    /// The package index in place of the default one
    ///
    /// `${NAME}` stands for a variable of the environment. Credentials are used while building only: they reach no
    /// layer, no label and no log.
    #[arg(long, env = "SCONCE_INDEX_URL", hide_env_values = true, value_name = "URL", help_heading = "Network")]
    pub(crate) index_url: Option<String>,

    /// A package index besides it; may be repeated
    #[arg(long = "extra-index-url", env = "SCONCE_EXTRA_INDEX_URL", hide_env_values = true, value_delimiter = ' ')]
    #[arg(value_name = "URL", help_heading = "Network", action = ArgAction::Append)]
    pub(crate) extra_index_urls: Vec<String>,
}

/// The flags that say how containers of the image run.
#[derive(Debug, Args)]
#[command(next_help_heading = "Container")]
pub(crate) struct Container {
    /// The user that containers run as: a name, UID or UID:GID [default: app]
    ///
    /// A name gets an account with the number 1000. Numbers get none, as an orchestrator would run them.
    #[arg(long, env = "SCONCE_USER", hide_env_values = true, value_name = "USER")]
    pub(crate) user: Option<String>,

    /// The folder of the project in the image, where containers start [default: /app]
    #[arg(long, env = "SCONCE_WORKDIR", hide_env_values = true, value_name = "DIR")]
    pub(crate) workdir: Option<String>,

    /// The program that containers always run, in words as a shell reads them
    #[arg(long, value_name = "COMMAND")]
    pub(crate) entrypoint: Option<String>,

    /// The command that containers run where no other is given, in words as a shell reads them [default: python]
    ///
    /// With an entry point, its default arguments.
    #[arg(long = "cmd", value_name = "COMMAND", allow_hyphen_values = true)]
    pub(crate) command: Option<String>,

    /// Say that containers listen on this port, as `8000` or `53/udp`; may be repeated
    #[arg(long = "expose", value_name = "PORT")]
    pub(crate) ports: Vec<String>,

    /// Put a label on the image, as `org.opencontainers.image.source=URL`; may be repeated
    #[arg(long = "label", value_name = "KEY=VALUE")]
    pub(crate) labels: Vec<String>,

    /// The shell command that tells whether a container is well
    #[arg(long, value_name = "COMMAND")]
    pub(crate) healthcheck: Option<String>,
}
