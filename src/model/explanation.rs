use serde::Serialize;

use super::{Diagnosis, Evidence};

/// What a log says of a failure, whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The log's lines, as they were read.
    pub lines: usize,
    /// The root causes, the most certain first; empty where no row fits.
    pub diagnoses: Vec<Diagnosis>,
    /// What the log says of the machine that it was written on.
    pub circumstances: Circumstances,
    /// Where no cause of what ended the program is known, the lines that look decisive, in the order of the log; at most
    /// three.
    pub decisive: Vec<Evidence>,
    /// What could not be read, or was left out: sentences.
    pub notes: Vec<String>,
}

impl Explanation {
    /// Whether a root cause is known. A warning, or what the program survived, is none where something else looks decisive.
    pub fn known(&self) -> bool {
        !self.diagnoses.is_empty() && self.decisive.is_empty()
    }
}

/// What a log says of the machine that it was written on. What it does not say is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Circumstances {
    /// The interpreter's version, `3.13` or as exact as the log has it.
    pub python: Option<Said>,
    /// How the interpreter was installed: `distribution`, `image` (a `python:` image or an installation from source below
    /// `/usr/local`), `conda`, `pyenv`, `uv`, `brew`, `framework` (python.org on macOS), `deadsnakes` or `windows`.
    pub installation: Option<Said>,
    /// Where torch lies: `user` (`pip install --user`), `environment` (a virtual environment), `system` or `conda`.
    pub torch_place: Option<Said>,
    /// torch's version, or what the log says of it, such as `2.12 or newer`.
    pub torch: Option<Said>,
    /// The operating system: `debian`, `ubuntu`, `rhel`, `fedora`, `alpine`, `arch`, `nixos`, `suse`, `macos`, `windows` or `wsl`.
    pub system: Option<Said>,
    /// The compiler that was called.
    pub compiler: Option<Said>,
    /// The vector instructions that kernels are compiled for, such as `AVX512`.
    pub isa: Option<Said>,
    /// Where it ran, if not on a machine of the user's own: in a container (`build` of an image, or `run`), on a `cluster`, or in a
    /// notebook of `colab` or `kaggle`.
    pub container: Option<Said>,
}

/// A fact, and the line of the log that says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Said {
    /// The fact.
    pub value: String,
    /// The line's number, counted from 1.
    pub line: usize,
}
