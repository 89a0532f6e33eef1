//! What the reference of an image tells by its words.

use std::str::FromStr;
use std::sync::LazyLock;

use pep440_rs::VersionSpecifiers;
use regex::{Captures, Regex};

/// `cuda:12.4.1-devel`, `2.4.0-cuda12.4-cudnn9`, `cuda-11.8`: the versions of CUDA have one or two digits before the dot.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static CUDA: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?:^|[^a-z])cuda(?:gl)?[-_:]?v?(\d{1,2})\.(\d)(?:\D|$)").unwrap());

/// `cu124`, `cuda124`, `cu1281`: without dots, and perhaps with the patch release.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static CUDA_DIGITS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?:^|[^a-z])cu(?:da)?-?(\d{2})(\d)\d?(?:\D|$)").unwrap());

/// `rocm6.2_ubuntu22.04`, and AMD's own images, whose tag is the version: `rocm/dev-ubuntu-22.04:6.2-complete`.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static ROCM: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:^|[^a-z])rocm(?:[-_:]?v?|/(?:dev-|rocm-terminal)[^:]*:)(\d{1,2})\.(\d+)").unwrap()
});

/// `cpu` as a word of the tag.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static CPU: LazyLock<Regex> = LazyLock::new(|| Regex::new(r":(?:[^:/]*[-_.])?cpu(?:[-_.]|$)").unwrap());

/// `python:3.12-slim`, `devcontainers/python:1-3.11-bookworm`, `2.4.0-py3.11-cuda12.4`.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static PYTHON: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?:python:(?:[0-9.]+-)?|[-_:](?:py|python)-?)3\.(\d{1,2})(?:[^0-9]|$)").unwrap());

/// The build of torch that the image `image` speaks of, as uv names torch back ends: `cpu`, `cu128`, `rocm6.4`.
pub(super) fn variant(image: &str) -> Option<String> {
    let image = address(image);
    let cuda = |found: Captures<'_>| format!("cu{}{}", &found[1], &found[2]);
    CUDA.captures(&image)
        .map(cuda)
        .or_else(|| CUDA_DIGITS.captures(&image).map(cuda))
        .or_else(|| ROCM.captures(&image).map(|found| format!("rocm{}.{}", &found[1], &found[2])))
        .or_else(|| CPU.is_match(&image).then(|| "cpu".to_owned()))
}

/// The minor version of Python that the image `image` speaks of.
pub(super) fn python(image: &str) -> Option<VersionSpecifiers> {
    let image = address(image);
    let minor = PYTHON.captures(&image)?.get(1)?.as_str();
    VersionSpecifiers::from_str(&format!("==3.{minor}.*")).ok()
}

/// The reference in lower case, without its digest, whose digits mean nothing.
fn address(image: &str) -> String {
    image.split('@').next().unwrap_or_default().trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_variant_stands_in_name_or_tag() {
        for (image, expected) in [
            ("nvidia/cuda:12.4.1-cudnn-devel-ubuntu22.04", "cu124"),
            ("registry.example.org:5000/nvidia/cuda:11.8.0-base@sha256:cu126", "cu118"),
            ("nvidia/cuda:10.2-base", "cu102"),
            ("nvidia/cudagl:11.4.2-devel", "cu114"),
            ("pytorch/pytorch:2.4.0-cuda12.4-cudnn9-runtime", "cu124"),
            ("runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404", "cu128"),
            ("pytorch/manylinux-cuda124", "cu124"),
            ("x/training:2.3.0-gpu-py311-cu121-ubuntu20.04", "cu121"),
            ("rocm/pytorch:rocm6.2.4_ubuntu22.04_py3.10_pytorch_release_2.3.0", "rocm6.2"),
            ("rocm/dev-ubuntu-22.04:6.3-complete", "rocm6.3"),
            ("ghcr.io/x/torch:2.6-cpu", "cpu"),
            ("x/y:cpu", "cpu"),
        ] {
            assert_eq!(variant(image).as_deref(), Some(expected), "{image}");
        }
    }

    #[test]
    fn other_images_tell_none() {
        for image in [
            "python:3.12-slim",
            "nvidia/cuda",
            "nvidia/cuda:latest",
            "nvidia/cuda:${CUDA_VERSION}-devel",
            "rocm/pytorch:latest",
            "rocm/dev-ubuntu-22.04",
            "nvcr.io/nvidia/pytorch:24.05-py3",
            "x/cpu-tools:1",
            "x/barracuda:12.4",
            "",
        ] {
            assert_eq!(variant(image), None, "{image}");
        }
    }

    #[test]
    fn python_stands_in_the_tag() {
        for (image, expected) in [
            ("python:3.12-slim", Some("==3.12.*")),
            ("mcr.microsoft.com/devcontainers/python:1-3.11-bookworm", Some("==3.11.*")),
            ("mcr.microsoft.com/vscode/devcontainers/python:0-3.9", Some("==3.9.*")),
            ("runpod/pytorch:2.4.0-py3.11-cuda12.4.1-devel", Some("==3.11.*")),
            ("ubuntu:22.04", None),
            ("python:3", None),
        ] {
            assert_eq!(python(image).map(|s| s.to_string()).as_deref(), expected, "{image}");
        }
    }

    proptest! {
        #[test]
        fn no_reference_ends_the_reader(image in ".{0,60}") {
            let _ = (variant(&image), python(&image));
        }
    }
}
