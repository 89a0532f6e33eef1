use std::collections::BTreeMap;

use pep440_rs::Version;
use serde::{Deserialize, Serialize};

use super::{Origin, Variant};

/// A fact, and where it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stated<T> {
    /// The fact.
    pub value: T,
    /// Where it was read.
    pub origin: Origin,
}

impl<T> Stated<T> {
    /// A fact, and where it was read.
    pub fn new(value: T, origin: Origin) -> Self {
        Self { value, origin }
    }
}

/// What a program with torch ran in, as somebody reported it or as an image has it. What nobody said is `None`: it is
/// missing, not guessed.
///
/// Written as JSON it is an environment file (`docs/environment.schema.json`), which can be read back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Environment {
    /// The operating system and its release.
    pub system: Option<Stated<System>>,
    /// The architecture as engines name it: `amd64`, `arm64`, `ppc64le`, …
    pub architecture: Option<Stated<String>>,
    /// The release of the kernel, such as `6.8.0-45-generic`.
    pub kernel: Option<Stated<String>>,
    /// The C library, such as `glibc 2.35`.
    pub libc: Option<Stated<String>>,
    /// The interpreter's version, as exact as it is known: `3.12.3`, or `3.12`.
    pub python: Option<Stated<Version>>,
    /// What the interpreter says of its build, such as `main, Jun 11 2024, 15:47:36) [GCC 11.4.0`.
    pub python_build: Option<Stated<String>>,
    /// How the interpreter was installed.
    pub installation: Option<Stated<Installation>>,
    /// Where torch lies.
    pub place: Option<Stated<TorchPlace>>,
    /// torch's version with its local part, as `torch.__version__` has it.
    pub torch: Option<Stated<Version>>,
    /// What torch is built for.
    pub variant: Option<Stated<Variant>>,
    /// Whether torch is a debug build.
    pub debug: Option<Stated<bool>>,
    /// Whether torch saw a GPU of CUDA or ROCm.
    pub gpu_available: Option<Stated<bool>>,
    /// The version of the CUDA that is installed beside torch, as `12.4.131`.
    pub cuda_runtime: Option<Stated<String>>,
    /// The version of cuDNN, as `9.1.0`, or the path of the library that tells it.
    pub cudnn: Option<Stated<String>>,
    /// The version of the HIP runtime.
    pub hip_runtime: Option<Stated<String>>,
    /// The version of `MIOpen`.
    pub miopen: Option<Stated<String>>,
    /// The version of NVIDIA's driver.
    pub driver: Option<Stated<String>>,
    /// The GPUs, as their driver names them.
    pub gpus: Vec<Stated<String>>,
    /// The version of GCC as it is written, such as `(Ubuntu 11.4.0-1ubuntu1~22.04) 11.4.0`.
    pub gcc: Option<Stated<String>>,
    /// The version of clang.
    pub clang: Option<Stated<String>>,
    /// The version of `CMake`.
    pub cmake: Option<Stated<String>>,
    /// The processor's model.
    pub cpu: Option<Stated<String>>,
    /// The processors.
    pub cpus: Option<Stated<u32>>,
    /// The widest vector instructions that kernels are compiled for: `AVX512`, `AVX2`, `NEON`, `SVE256`, …
    pub isa: Option<Stated<String>>,
    /// The distributions and packages, in the order in which they were read.
    pub packages: Vec<Installed>,
    /// The environment variables, in the order in which they were read.
    pub variables: Vec<EnvironmentVariable>,
    /// What compiling needs, and whether it is there, by its name ([`Need`]); only looking tells.
    pub needs: BTreeMap<Need, Stated<NeedState>>,
}

/// An operating system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct System {
    /// Its kind.
    pub family: SystemFamily,
    /// The `ID` of the distribution as `/etc/os-release` has it (`ubuntu`, `rhel`, `opensuse-leap`), where it is Linux.
    pub distribution: Option<String>,
    /// Its release, such as `22.04`, `9.4`, `14.5` or `11`.
    pub release: Option<String>,
    /// Whether it runs in the Windows Subsystem for Linux.
    pub wsl: bool,
    /// How it was written, such as `Ubuntu 22.04.4 LTS (x86_64)`.
    pub text: String,
}

/// A kind of operating system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SystemFamily {
    /// Linux.
    Linux,
    /// macOS.
    Macos,
    /// Windows.
    Windows,
    /// Another, or none that could be told.
    Other,
}

/// How an interpreter was installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Installation {
    /// As a package of the distribution.
    Distribution,
    /// From deadsnakes, below `/usr` as well.
    Deadsnakes,
    /// From source below `/usr/local`, as the `python:` images have it.
    Image,
    /// By conda, from whichever channel.
    Conda,
    /// By pyenv.
    Pyenv,
    /// By uv (python-build-standalone).
    Uv,
    /// By Homebrew.
    Brew,
    /// By python.org's installer for macOS.
    Framework,
    /// By an installer for Windows.
    Windows,
}

/// Where torch lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TorchPlace {
    /// In a virtual environment.
    Environment,
    /// In the user's own folder (`pip install --user`).
    User,
    /// In the interpreter's own folder, by its pip.
    System,
    /// In the distribution's folder, as its package.
    Distribution,
    /// In an environment of conda.
    Conda,
}

impl TorchPlace {
    /// The interpreter that has a replica's torch: in an environment the environment's, else `base`, that of the base.
    pub fn interpreter(self, base: &str) -> &str {
        match self {
            Self::Environment | Self::Conda => "/opt/venv/bin/python",
            Self::User | Self::System | Self::Distribution => base,
        }
    }

    /// Where that is, in words: `in the user's own folder`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Environment => "in a virtual environment",
            Self::User => "in the user's own folder",
            Self::System => "in the interpreter's own folder",
            Self::Distribution => "in the distribution's folder",
            Self::Conda => "in an environment of conda",
        }
    }
}

/// A distribution or package that is installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installed {
    /// Its name: normalized (PEP 503) where pip or uv installed it, else as it is written.
    pub name: String,
    /// Its version, as it is written.
    pub version: String,
    /// Who installed it.
    pub manager: Manager,
    /// The build string, where conda names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
    /// The channel, where conda names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// The URL or folder that it comes from, where it is not from an index; without credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The digest of the list of its files and their hashes (`RECORD`), as `sha256:…`, where an image was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// Where it was read.
    pub origin: Origin,
}

impl Installed {
    /// A package of which nothing else is known.
    pub fn new(name: impl Into<String>, version: impl Into<String>, manager: Manager, origin: Origin) -> Self {
        let (name, version) = (name.into(), version.into());
        Self { name, version, manager, build: None, channel: None, source: None, hash: None, origin }
    }
}

/// Who installs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Manager {
    /// pip, uv and whoever else installs wheels.
    Pip,
    /// conda, mamba, pixi.
    Conda,
    /// The system's own package manager.
    System,
}

/// An environment variable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentVariable {
    /// Its name.
    pub name: String,
    /// Its value; `None` where it is set and its value is nobody's business.
    pub value: Option<String>,
    /// Where it was read.
    pub origin: Origin,
}

/// What `torch.compile` needs of an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// torch itself, which can be imported.
    TorchImport,
    /// The interpreter's headers.
    PythonHeaders,
    /// A C++ compiler that compiles.
    CxxCompiler,
    /// A C compiler, which Triton needs.
    CCompiler,
    /// The assembler and the linker.
    Binutils,
    /// The C library's headers.
    LibcHeaders,
    /// OpenMP's header.
    OpenmpHeader,
    /// OpenMP's library, to link with.
    OpenmpLink,
    /// OpenMP's library, at run time.
    OpenmpRuntime,
    /// torch's own headers.
    TorchHeaders,
    /// setuptools, which torch imports when it compiles.
    Setuptools,
    /// The `openssl` program, which torch 2.8 and later name precompiled headers with.
    Openssl,
    /// A cache folder that can be written, and run from.
    Cache,
    /// A name of the user, which torch up to 2.12 asks for.
    UserName,
    /// `ldconfig`, with which Triton looks for the driver's library.
    Ldconfig,
}

/// Whether a need is met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NeedState {
    /// Whether it is.
    pub met: bool,
    /// What was seen: `/usr/include/python3.13/Python.h (3.13.5)`, `g++ (Debian 14.2.0-19) 14.2.0`, or what is missing.
    pub seen: String,
}

impl Need {
    /// Each of them.
    pub const ALL: [Self; 15] = [
        Self::TorchImport,
        Self::PythonHeaders,
        Self::CxxCompiler,
        Self::CCompiler,
        Self::Binutils,
        Self::LibcHeaders,
        Self::OpenmpHeader,
        Self::OpenmpLink,
        Self::OpenmpRuntime,
        Self::TorchHeaders,
        Self::Setuptools,
        Self::Openssl,
        Self::Cache,
        Self::UserName,
        Self::Ldconfig,
    ];

    /// Its name, as environment files have it: `python_headers`.
    pub fn name(self) -> &'static str {
        match self {
            Self::TorchImport => "torch_import",
            Self::PythonHeaders => "python_headers",
            Self::CxxCompiler => "cxx_compiler",
            Self::CCompiler => "c_compiler",
            Self::Binutils => "binutils",
            Self::LibcHeaders => "libc_headers",
            Self::OpenmpHeader => "openmp_header",
            Self::OpenmpLink => "openmp_link",
            Self::OpenmpRuntime => "openmp_runtime",
            Self::TorchHeaders => "torch_headers",
            Self::Setuptools => "setuptools",
            Self::Openssl => "openssl",
            Self::Cache => "cache",
            Self::UserName => "user_name",
            Self::Ldconfig => "ldconfig",
        }
    }
}

impl Environment {
    /// The package `name` (normalized, PEP 503), by whomever installed.
    pub fn package(&self, name: &str) -> Option<&Installed> {
        self.packages.iter().find(|package| package.name == name)
    }

    /// Whether nothing at all is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_need_is_called_as_it_is_written() {
        for need in Need::ALL {
            assert_eq!(serde_json::to_value(need).unwrap(), need.name());
        }
    }
}
