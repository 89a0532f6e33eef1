use serde::Serialize;

use super::{Environment, Origin};

/// What differs between two environments.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The one, as its reader knows it: an image or a file.
    pub left: Side,
    /// The other.
    pub right: Side,
    /// What differs, the most relevant to `torch.compile` first.
    pub differences: Vec<Difference>,
    /// How many facts are the same.
    pub same: usize,
    /// The facts that only one of them tells, without saying that the other lacks them, by name.
    pub untold: Vec<String>,
}

/// One of the two.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Side {
    /// Its name.
    pub name: String,
    /// What it is.
    pub environment: Environment,
}

/// A fact that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What it is of: the name of a field of [`Environment`], `need NAME`, `package NAME` or `variable NAME`.
    pub name: String,
    /// How it is called in a sentence: `the interpreter's headers`, `torch`, `$CXX`.
    pub title: String,
    /// What the left one has; `None` where it lacks it.
    pub left: Option<Fact>,
    /// What the right one has.
    pub right: Option<Fact>,
    /// How much it matters to `torch.compile`: the first matters most.
    pub relevance: Relevance,
    /// Why it matters: a sentence; empty where nothing particular is known.
    pub because: String,
}

/// A fact as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// The fact.
    pub value: String,
    /// Where it was read.
    pub origin: Origin,
}

/// How much a difference matters to `torch.compile`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relevance {
    /// It decides whether anything compiles at all.
    Decisive,
    /// It changes what is compiled, or how.
    Relevant,
    /// It is worth knowing.
    Minor,
}

/// How true a replica is to what was reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fidelity {
    /// Item by item, in the order of relevance.
    pub items: Vec<FidelityItem>,
    /// The share of what was reported and can be had in a container that is the same, in percent; the items count by their
    /// relevance.
    pub score: u8,
    /// Whether the items were read in the image that was built, and not only planned.
    pub measured: bool,
}

/// One fact of a report, and what the replica makes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FidelityItem {
    /// As [`Difference::name`].
    pub name: String,
    /// As [`Difference::title`].
    pub title: String,
    /// What was reported, and where.
    pub reported: Fact,
    /// What the replica has; `None` where it has nothing of it.
    pub replica: Option<String>,
    /// How true that is.
    pub grade: Grade,
    /// Why it is not the same: a clause; empty where it is.
    pub because: String,
    /// How much it matters.
    pub relevance: Relevance,
}

/// How true a replica is in one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// The same.
    Same,
    /// As near as can be had.
    Nearest,
    /// Left out: it could be had, and does not matter.
    LeftOut,
    /// It cannot be had in a container: a driver, a GPU, a kernel.
    Impossible,
}
