//! What a text means, whoever wrote it.

use std::str::FromStr;

use pep440_rs::{Version, VersionSpecifiers};
use sconce::model::{Error, Installer, Result, TorchSource, Variant};

pub(super) fn python(text: &str) -> Result<Version> {
    let wrong = || Error::usage(format!("`{text}` is not a Python version")).with_hint("as in `3.13`");
    // What PEP 440 allows besides (epochs, pre-releases, leading zeros) names no Python that a base could have.
    if let Some(usual) = text.strip_suffix('t').filter(|usual| python(usual).is_ok()) {
        let message = format!("`{text}` is a free-threaded build of Python, and sconce plans the usual builds only");
        return Err(Error::usage(message).with_hint(format!("`{usual}` is the usual build")));
    }
    if let Some((minor, _)) = text.rsplit_once('.').filter(|(minor, patch)| python(minor).is_ok() && is_number(patch)) {
        let message = format!("`{text}` names a patch version, and which one comes is for the base to say");
        return Err(Error::usage(message).with_hint(format!("ask for `{minor}`")));
    }
    match text.split_once('.').map(|(major, minor)| (major.parse::<u8>(), minor.parse::<u8>())) {
        Some((Ok(major), Ok(minor))) if format!("{major}.{minor}") == text => {
            Version::from_str(text).map_err(|_| wrong())
        }
        _ => Err(wrong()),
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

pub(super) fn torch_source(text: &str) -> Result<TorchSource> {
    match text {
        "index" => Ok(TorchSource::Index),
        "distribution" => Ok(TorchSource::Distribution),
        _ => Err(not_one_of(text, "a source of torch", "`index` or `distribution`")),
    }
}

pub(super) fn installer(text: &str) -> Result<Installer> {
    match text {
        "uv" => Ok(Installer::Uv),
        "pip" => Ok(Installer::Pip),
        "poetry" => Ok(Installer::Poetry),
        "pdm" => Ok(Installer::Pdm),
        "pipenv" => Ok(Installer::Pipenv),
        _ => Err(not_one_of(text, "an installer", "`uv`, `pip`, `poetry`, `pdm` or `pipenv`")),
    }
}

/// Whether the build sees the host's network.
pub(super) fn host_network(text: &str) -> Result<bool> {
    match text {
        "default" => Ok(false),
        "host" => Ok(true),
        _ => Err(not_one_of(text, "a network for the build", "`default` or `host`")),
    }
}

/// The architecture of a platform, as engines name it.
pub(super) fn architecture(text: &str) -> Result<String> {
    match text {
        "linux/amd64" | "linux/arm64" => Ok(text["linux/".len()..].to_owned()),
        _ => Err(not_one_of(text, "a platform that torch is built for", "`linux/amd64` or `linux/arm64`")),
    }
}

/// The words of a command: a list in JSON, as Dockerfiles have it, or words as a POSIX shell reads them. Nothing is expanded.
pub(super) fn words(text: &str) -> Result<Vec<String>> {
    if let Ok(words) = serde_json::from_str(text) {
        return Ok(words);
    }
    shlex::split(text).ok_or_else(|| {
        Error::usage(format!("`{}` ends within quotes, or in a backslash", text.escape_debug()))
            .with_hint("as in `--cmd 'python -m server --port 8000'`")
    })
}

fn not_one_of(text: &str, what: &str, choices: &str) -> Error {
    Error::usage(format!("`{text}` is not {what}")).with_hint(format!("it is {choices}"))
}

/// A variant of torch, in the names of uv's torch back ends.
pub(super) fn variant(text: &str) -> Result<Variant> {
    let wrong = || not_one_of(text, "a variant of torch", "`cpu`, `cuda`, `cu128`, `rocm`, `rocm6.4` or alike");
    match text {
        "any" => return Ok(Variant::Any),
        "cpu" => return Ok(Variant::Cpu),
        "cuda" => return Ok(Variant::Cuda { version: None }),
        "rocm" => return Ok(Variant::Rocm { version: None }),
        _ => {}
    }
    Variant::named(text).ok_or_else(wrong)
}

/// Versions, as a requirement has them behind its name (PEP 440).
pub(super) fn specifiers(text: &str) -> Result<VersionSpecifiers> {
    text.parse().map_err(|_| {
        Error::usage(format!("`{}` is no version specifier (PEP 440)", text.escape_debug()))
            .with_hint("as in `>=2.5,<2.12` or `==2.15.*`")
    })
}

/// A name that every shell can set (POSIX, *Environment Variable Definition*).
pub(super) fn variable_name(name: &str) -> Result<()> {
    let mut bytes = name.bytes();
    let first = bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    if first && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Ok(());
    }
    Err(Error::usage(format!("`{name}` is not the name of a variable"))
        .with_hint("letters, digits and underscores, not beginning with a digit"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_python_is_two_numbers() {
        assert_eq!(python("3.13").unwrap().to_string(), "3.13");
        for wrong in ["3", "3.13.5", "3.13rc1", "v3.13", "", "3.013", "latest"] {
            assert!(python(wrong).is_err(), "{wrong}");
        }
        assert_eq!(python("3.13.5").unwrap_err().hint.as_deref(), Some("ask for `3.13`"));
        let error = python("3.13t").unwrap_err();
        assert!(error.message.contains("free-threaded") && error.hint.unwrap().contains("`3.13`"));
        assert!(!python("3.13tt").unwrap_err().message.contains("free-threaded"));
    }

    #[test]
    fn a_command_is_read_as_a_shell_does() {
        assert_eq!(words("python -c 'print(\"$HOME\")' a\\ b").unwrap(), ["python", "-c", "print(\"$HOME\")", "a b"]);
        assert_eq!(words(r#"["python", "-c", "a b"]"#).unwrap(), ["python", "-c", "a b"]);
        for wrong in ["'", "a \"b", "a\\"] {
            assert!(words(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_platform_is_one_that_torch_has() {
        assert_eq!(architecture("linux/arm64").unwrap(), "arm64");
        for wrong in ["", "amd64", "linux/arm/v7", "windows/amd64"] {
            assert!(architecture(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn variants_have_the_names_that_uv_gives_them() {
        let cuda = |version: &str| Variant::Cuda { version: Some(version.to_owned()) };
        assert_eq!(variant("cu128").unwrap(), cuda("12.8"));
        assert_eq!(variant("cu92").unwrap(), cuda("9.2"));
        assert_eq!(variant("cu130").unwrap(), cuda("13.0"));
        assert_eq!(variant("rocm6.4").unwrap(), Variant::Rocm { version: Some("6.4".to_owned()) });
        for wrong in ["", "cu", "cuda12", "rocm6.", "gpu", "cu12 8", "CPU"] {
            assert!(variant(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_variable_has_a_name_that_a_shell_can_set() {
        assert!(variable_name("OMP_NUM_THREADS").is_ok());
        for wrong in ["", "1A", "A-B", "A B", "A\nB", "Ä"] {
            assert!(variable_name(wrong).is_err(), "{wrong:?}");
        }
    }
}
