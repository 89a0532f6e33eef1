use std::str::FromStr;

use pep440_rs::Version;
use pep508_rs::PackageName;

/// The endings of the archives that installers take
/// (<https://github.com/pypa/pip/blob/main/src/pip/_internal/utils/filetypes.py>).
const ENDINGS: [&str; 12] =
    [".whl", ".zip", ".tar.gz", ".tgz", ".tar", ".tar.bz2", ".tbz", ".tar.xz", ".txz", ".tlz", ".tar.lz", ".tar.lzma"];

/// Whether `path` (or a URL without a fragment) ends as an archive of a distribution does.
pub fn is_archive(path: &str) -> bool {
    ending(path).is_some()
}

fn ending(path: &str) -> Option<&'static str> {
    let path = path.to_ascii_lowercase();
    ENDINGS.into_iter().find(|ending| path.ends_with(ending))
}

/// What the file name of an archive tells about the distribution in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveName {
    /// The distribution's name, normalized (PEP 503).
    pub name: String,
    /// Its version.
    pub version: Version,
}

impl ArchiveName {
    /// What the last part of a path or URL tells: wheels by the binary distribution format, source archives by
    /// `name-version.ending` (<https://packaging.python.org/en/latest/specifications/>). `None` where it tells nothing.
    pub fn of(path_or_url: &str) -> Option<Self> {
        let path = path_or_url.split(['#', '?']).next()?;
        let file = unquote(path.rsplit('/').next()?);
        let ending = ending(&file)?;
        let stem = &file[..file.len() - ending.len()];
        if ending == ".whl" { Self::of_wheel(stem) } else { Self::of_source(stem) }
    }

    fn of_wheel(stem: &str) -> Option<Self> {
        let parts: Vec<&str> = stem.split('-').collect();
        if matches!(parts.len(), 5 | 6) { Self::new(parts[0], parts[1]) } else { None }
    }

    fn of_source(stem: &str) -> Option<Self> {
        let (name, version) = stem.rsplit_once('-')?;
        // `v1.2-3.zip` is a tag of a forge, not a distribution.
        let tag = name.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        if tag { None } else { Self::new(name, version) }
    }

    fn new(name: &str, version: &str) -> Option<Self> {
        let name = PackageName::new(name.to_owned()).ok()?.to_string();
        Some(Self { name, version: Version::from_str(version).ok()? })
    }
}

/// The interpreter (`X.Y`) that a wheel is for, by its file name
/// (<https://packaging.python.org/en/latest/specifications/binary-distribution-format/>).
pub fn wheel_python(path_or_url: &str) -> Option<Version> {
    let stem = path_or_url.split(['?', '#']).next()?.strip_suffix(".whl")?;
    let mut tags = stem.rsplit('-').skip(1);
    let (abi, python) = (tags.next()?, tags.next()?);
    // A wheel for the stable ABI works on every later interpreter too.
    let minor = python.strip_prefix("cp3").filter(|_| abi != "abi3")?;
    format!("3.{minor}").parse().ok()
}

/// Decodes `%2B` and the like; what is not a valid escape stands as it is.
fn unquote(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escape = rest.get(1..3).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match escape {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &rest[3..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(path: &str) -> Option<String> {
        ArchiveName::of(path).map(|archive| format!("{} {}", archive.name, archive.version))
    }

    #[test]
    fn wheels_and_source_archives_tell_name_and_version() {
        let wheel = "https://files.example.org/torch-2.9.0%2Bcu128-cp313-cp313-manylinux_2_28_x86_64.whl#sha256=00";
        assert_eq!(told(wheel).as_deref(), Some("torch 2.9.0+cu128"));
        assert_eq!(told("wheels/Flash_Attn-2.5-1-py3-none-any.whl").as_deref(), Some("flash-attn 2.5"));
        assert_eq!(told("dist/my.tool-1.0rc1.tar.gz").as_deref(), Some("my-tool 1.0rc1"));
    }

    #[test]
    fn other_names_tell_nothing() {
        for path in ["main.zip", "v0.15-1.zip", "torch-2.0.whl", "a/b", "", "%-1.zip", "%zz%2", "é-1-a-b-c.whl"] {
            assert_eq!(told(path), None, "{path}");
        }
    }
}
