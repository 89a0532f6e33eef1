use std::collections::BTreeMap;

use pep440_rs::Version;
use serde::{Deserialize, Serialize};

use super::{BaseImage, Builder, Choice, Environment, Network, Note, PlannedIndex, TorchPlace, Variant};

/// How an environment that somebody reported is built again.
#[derive(Debug, Clone, Serialize)]
pub struct Replica {
    /// The image to start from, the nearest to the reporter's system.
    pub base: Choice<BaseImage>,
    /// The interpreter's version; `X.Y.Z` where its provider can be asked for exactly that, else `X.Y`.
    pub python: Choice<Version>,
    /// The system packages that bring the interpreter, without its headers, and torch where it is the distribution's, each
    /// with its reason.
    pub interpreter: Vec<Choice<String>>,
    /// The system packages that fetch the interpreter, in a stage of their own.
    pub tools: Vec<Choice<String>>,
    /// Where torch is installed.
    pub place: Choice<TorchPlace>,
    /// The torch that is installed.
    pub torch: Choice<ReplicaTorch>,
    /// The other distributions, as PEP 508 writes them with one version each, in order.
    pub requirements: Vec<Choice<String>>,
    /// The system packages that compiling needs, the interpreter's headers among them, each with its reason; without those
    /// that the defect leaves out.
    pub toolchain: Vec<Choice<String>>,
    /// The architecture of the image as engines name it.
    pub architecture: Choice<String>,
    /// What the Dockerfile may use.
    pub builder: Builder,
    /// The variables of the reporter that matter to torch, and those that the replica itself needs.
    pub env: BTreeMap<String, String>,
    /// The user of the image: a name (`reporter`), `root`, or `UID:GID`.
    pub user: String,
    /// The defect, where one is to be reproduced.
    pub defect: Option<Defect>,
    /// Package indexes besides the primary one.
    pub indexes: Vec<PlannedIndex>,
    /// What the build needs of the network, by name only.
    pub network: Network,
    /// The environment that the image will probably have: what it is compared with before it is built.
    pub predicted: Environment,
    /// What cannot be the same, and why: by the name of the field of [`Environment`], or `package NAME`.
    pub reasons: BTreeMap<String, String>,
    /// What a reader should know.
    pub notes: Vec<Note>,
}

impl Replica {
    /// The interpreter that has torch, as a path or as the command that starts it.
    pub fn python_path(&self) -> &str {
        self.place.value.interpreter(&self.base.value.interpreter)
    }
}

/// The torch of a replica.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReplicaTorch {
    /// Its version, without a local part where the index has it without; `None` where the newest is taken, or the
    /// distribution decides.
    pub version: Option<Version>,
    /// What it is to be built for.
    pub variant: Variant,
    /// The build as torch's own index and uv name it (`cu126`, `cpu`, `rocm6.4`), where the primary index has another one:
    /// uv fetches it from there.
    pub index: Option<String>,
}

/// What is broken in an environment, and how it is mended: a row of `images/defects.toml`, filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Defect {
    /// The failure that it makes: an id of `images/failures.toml`.
    pub failure: String,
    /// What is wrong: a clause in lower case, such as `the interpreter's headers are not installed`.
    pub title: String,
    /// The system packages that are left out.
    pub without: Vec<String>,
    /// The system packages that are there in place of those.
    pub instead: Vec<String>,
    /// Shell commands that break it, run as root.
    pub breaks: Vec<String>,
    /// Variables that break it.
    pub env: BTreeMap<String, String>,
    /// How containers have to be run for it to show.
    pub run: RunAs,
    /// How it is mended.
    pub fix: DefectFix,
}

/// How a defect is mended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DefectFix {
    /// What is done: a clause in lower case, such as `install the headers of Python 3.13`.
    pub title: String,
    /// System packages that are installed.
    pub packages: Vec<String>,
    /// Shell commands, run as root.
    pub commands: Vec<String>,
    /// Arguments of `pip install`, as a requirement each.
    pub pip: Vec<String>,
    /// Variables.
    pub env: BTreeMap<String, String>,
    /// How containers are to be run instead.
    pub run: RunAs,
}

/// How containers are run, where it matters to a defect.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RunAs {
    /// The user in place of the image's own.
    pub user: Option<String>,
    /// Whether the root file system is read-only.
    pub read_only: bool,
    /// File systems in memory: the options by the path, as `docker run --tmpfs` has them.
    pub tmpfs: BTreeMap<String, String>,
    /// The memory in MiB.
    pub memory_mib: Option<u64>,
}
