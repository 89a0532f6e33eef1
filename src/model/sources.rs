use serde::Serialize;

use super::Origin;

/// What the Python sources of a project tell.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Sources {
    /// How many Python files there are, notebooks included.
    pub files: usize,
    /// The distributions that the sources import, each once, at its first import; only where no manifest says more.
    pub imports: Vec<Import>,
    /// Every use of `torch.compile`.
    pub compiles: Vec<CompileUse>,
    /// The devices that the sources name, each once per file.
    pub devices: Vec<DeviceUse>,
}

/// A module of a distribution that is imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Import {
    /// As much of the module's name as tells the distribution: `cv2`, `google.protobuf`.
    pub module: String,
    /// The distribution that brings it, normalized: `opencv-python`.
    pub distribution: String,
    /// Whether that is known, or only guessed from the module's name.
    pub known: bool,
    /// Whether every import of it stands in a `try` that catches its absence.
    pub optional: bool,
    /// Its first import.
    pub origin: Origin,
}

/// A use of `torch.compile`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CompileUse {
    /// How it is used.
    pub form: CompileForm,
    /// The back end, where it is a constant: `inductor` where none is given.
    pub backend: Option<String>,
    /// The mode, where one is given as a constant: `max-autotune`.
    pub mode: Option<String>,
    /// The value of `dynamic`, where one is given as a constant.
    pub dynamic: Option<bool>,
    /// The value of `fullgraph`, where one is given as a constant.
    pub fullgraph: Option<bool>,
    /// The arguments that are no constants, so that their values are known at run time only.
    pub computed: Vec<String>,
    /// Where it stands.
    pub origin: Origin,
}

/// How `torch.compile` is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CompileForm {
    /// `torch.compile(…)`.
    Call,
    /// `@torch.compile`.
    Decorator,
    /// `module.compile(…)` of `torch.nn.Module`.
    Method,
    /// An argument of another library that turns it on, such as `torch_compile=True`.
    Argument,
}

/// A device that the sources name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeviceUse {
    /// `cpu`, `cuda`, `mps`, `xpu`, …, without an index.
    pub device: String,
    /// Where it is named first in a file.
    pub origin: Origin,
}
