use pep440_rs::Version;
use pep508_rs::{MarkerEnvironment, MarkerEnvironmentBuilder};

use super::{Error, Result};

/// What markers (PEP 508) are held against: `CPython` `python` (`X.Y.Z`) on Linux; `architecture` as engines name it
/// (`amd64`, `arm64`).
pub fn marker_environment(python: &Version, architecture: &str) -> Result<MarkerEnvironment> {
    let full = python.to_string();
    let minor = full.rsplit_once('.').map_or(full.as_str(), |(minor, _)| minor);
    let machine = match architecture {
        "amd64" => "x86_64",
        "arm64" => "aarch64",
        other => other,
    };
    MarkerEnvironment::try_from(MarkerEnvironmentBuilder {
        implementation_name: "cpython",
        implementation_version: &full,
        os_name: "posix",
        platform_machine: machine,
        platform_python_implementation: "CPython",
        platform_release: "",
        platform_system: "Linux",
        platform_version: "",
        python_full_version: &full,
        python_version: minor,
        sys_platform: "linux",
    })
    .map_err(|error| Error::usage(format!("`{full}` is not a Python version")).because(error))
}
