//! The project's folder: what is in it can be read, and nothing else.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use super::text::{Undecodable, decode, decode_utf8, is_hidden, shown};
use super::url::has_variable;
use crate::model::{Error, Origin, Result};

/// The longest file that is read, in bytes.
const LONGEST: u64 = 64 << 20;
/// The longest requirements file: each of its lines becomes a hundred times as much.
const LONGEST_REQUIREMENTS: u64 = 4 << 20;

/// A project's folder.
#[derive(Debug)]
pub(super) struct Folder {
    /// Absolute, without symbolic links.
    root: PathBuf,
}

/// Something in the folder. Both paths are relative to the root, with `/`; the root itself is `.`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Located {
    /// As it was named.
    pub(super) path: String,
    /// What it is after all symbolic links.
    pub(super) real: String,
}

impl Folder {
    /// The folder at `root`.
    pub(super) fn open(root: &Path) -> Result<Self> {
        let name = shown(&root.to_string_lossy());
        let canonical = fs::canonicalize(root).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::usage(format!("the project folder `{name}` does not exist")),
            _ => Error::usage(format!("the project folder `{name}` cannot be opened: {error}")).because(error),
        })?;
        if !canonical.is_dir() {
            return Err(Error::usage(format!("`{name}` is a file, not a project folder"))
                .with_hint("give the folder that holds it, and name the file with `--from`"));
        }
        if canonical.to_str().is_none() {
            return Err(Error::usage(format!("the path of the project folder `{name}` is not UTF-8 text")));
        }
        Ok(Self { root: canonical })
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Whether the root holds the regular file `file`.
    pub(super) fn has(&self, file: &str) -> bool {
        self.root.join(file).is_file()
    }

    /// The names of what the folder `path` holds, sorted.
    pub(super) fn list(&self, path: &str) -> Vec<String> {
        let entries = fs::read_dir(self.root.join(path)).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        names
    }

    /// Whether `given`, relative to `base`, is something; a path out of the root counts, so that it is not passed over.
    pub(super) fn holds(&self, base: &str, given: &str) -> bool {
        lexical(base, given).is_none_or(|path| self.root.join(path).exists())
    }

    pub(super) fn is_dir(&self, path: &str) -> bool {
        self.root.join(path).is_dir()
    }

    /// What `given`, relative to the folder `base`, names. Only what is in the project can be in an image, so a path out
    /// of it is an error, be it absolute, by `..` or by a symbolic link.
    pub(super) fn locate(&self, base: &str, given: &str) -> Result<Located> {
        let name = shown(given);
        if given.is_empty() || given.contains(is_hidden) {
            return Err(Error::usage(format!("`{name}` is not a path: it is empty or holds a control character")));
        }
        if has_variable(given) {
            return Err(Error::usage(format!("the path `{name}` holds a variable, whose value is not known here"))
                .with_hint("write the path out, relative to the project"));
        }
        let path = lexical(base, given).ok_or_else(|| outside(&name, ""))?;
        let real = fs::canonicalize(self.root.join(&path)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::usage(format!("`{name}` does not exist")),
            _ => Error::usage(format!("`{name}` cannot be opened: {error}")).because(error),
        })?;
        let real = real.strip_prefix(&self.root).map_err(|_| outside(&name, ", through a symbolic link"))?;
        let real = real.to_str().ok_or_else(|| Error::usage(format!("the path `{name}` is not UTF-8 text")))?;
        Ok(Located { path, real: if real.is_empty() { ".".to_owned() } else { real.to_owned() } })
    }

    /// The bytes of a regular file that is no longer than `longest`.
    fn read(&self, file: &str, longest: u64) -> Result<Vec<u8>> {
        let path = self.root.join(file);
        let refused = |why: &str| Error::usage(format!("`{}` {why}", shown(file))).at(Origin::file(file, 1));
        let unreadable = |error: io::Error| {
            refused(&format!("cannot be read: {error}")).with_hint("check its permissions").because(error)
        };
        // Also of a file that is only looked at: a message would quote what is in it.
        if !fs::canonicalize(&path).map_err(unreadable)?.starts_with(&self.root) {
            return Err(outside(&shown(file), ", through a symbolic link").at(Origin::file(file, 1)));
        }
        // A pipe or a device would never end.
        let metadata = fs::metadata(&path).map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(refused("is not a regular file").with_hint("put a file with text there, or take it away"));
        }
        let too_long = || {
            let size =
                if longest < 1 << 20 { format!("{} KiB", longest >> 10) } else { format!("{} MiB", longest >> 20) };
            refused(&format!("is longer than {size}")).with_hint("no such file is: see what is in it, or take it away")
        };
        if metadata.len() > longest {
            return Err(too_long());
        }
        let mut bytes = Vec::new();
        // It may grow meanwhile.
        fs::File::open(&path).and_then(|file| file.take(longest + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
        if bytes.len() as u64 > longest { Err(too_long()) } else { Ok(bytes) }
    }

    /// The text of a requirements file, decoded as pip decodes it.
    pub(super) fn read_requirements(&self, file: &str) -> Result<String> {
        decode(&self.read(file, LONGEST_REQUIREMENTS)?).map_err(|undecodable| {
            let message = format!("`{}` {}", shown(file), undecodable.message);
            Error::usage(message)
                .at(Origin::file(file, undecodable.line))
                .with_hint("save it as UTF-8; a comment counts, too")
        })
    }

    /// The text of a Python file, decoded as PEP 263 says. Where that fails, what is wrong, and the text all the same:
    /// names and keywords are ASCII in nearly all encodings.
    pub(super) fn read_source(&self, file: &str) -> Result<(String, Option<Undecodable>)> {
        let bytes = self.read(file, LONGEST)?;
        Ok(match decode(&bytes) {
            Ok(text) => (text, None),
            Err(undecodable) => (String::from_utf8_lossy(&bytes).into_owned(), Some(undecodable)),
        })
    }

    /// The text of a file that must be UTF-8.
    pub(super) fn read_utf8(&self, file: &str) -> Result<String> {
        self.read_short(file, LONGEST)
    }

    /// The same, of a file that is no longer than `longest` bytes.
    pub(super) fn read_short(&self, file: &str, longest: u64) -> Result<String> {
        decode_utf8(self.read(file, longest)?).map_err(|undecodable| {
            let message = format!("`{}` {}", shown(file), undecodable.message);
            Error::usage(message).at(Origin::file(file, undecodable.line)).with_hint("save it as UTF-8")
        })
    }
}

/// Whether the path `given`, of a file in the folder `base`, leads out of the root by its words alone.
pub(super) fn leads_out(base: &str, given: &str) -> bool {
    lexical(base, given).is_none()
}

fn outside(name: &str, how: &str) -> Error {
    Error::usage(format!("`{name}` leads out of the project folder{how}")).with_hint(
        "an image is built from the project folder alone: move the file into it and name it by a relative path",
    )
}

/// `given` relative to `base`, without `.` and `..`, as pip resolves it; `None` where it leads out of the root.
fn lexical(base: &str, given: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for component in Path::new(base).components().chain(Path::new(given).components()) {
        match component {
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::CurDir => {}
            Component::ParentDir => {
                parts.pop()?;
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(if parts.is_empty() { ".".to_owned() } else { parts.join("/") })
}

/// The folder of a file, both relative to the root; `.` for a file in the root itself.
pub(super) fn parent(file: &str) -> &str {
    file.rsplit_once('/').map_or(".", |(folder, _)| folder)
}

/// `file` in the folder `folder`, both relative to the root.
pub(super) fn join(folder: &str, file: &str) -> String {
    if folder == "." { file.to_owned() } else { format!("{folder}/{file}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_in_the_root() {
        assert_eq!(lexical("a/b", "../c/./d").as_deref(), Some("a/c/d"));
        assert_eq!(lexical("a", "..").as_deref(), Some("."));
        assert_eq!(lexical("a", "../../b"), None);
        assert_eq!(lexical(".", "/etc/passwd"), None);
    }

    #[test]
    fn a_link_out_of_the_root_leads_nowhere() {
        let (inside, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(elsewhere.path().join("secret.txt"), "x").unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), inside.path().join("link")).unwrap();
        let folder = Folder::open(inside.path()).unwrap();
        let error = folder.locate(".", "link/secret.txt").unwrap_err();
        assert!(error.message.contains("leads out of the project folder, through a symbolic link"), "{error}");
    }

    #[test]
    fn a_socket_is_not_read() {
        let inside = tempfile::tempdir().unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(inside.path().join("socket.txt")).unwrap();
        let folder = Folder::open(inside.path()).unwrap();
        let error = folder.read("socket.txt", LONGEST).unwrap_err();
        assert!(error.message.contains("not a regular file"));
        assert!(error.hint.is_some() && error.origin == Some(Origin::file("socket.txt", 1)));
    }

    #[test]
    fn a_long_file_is_not_read() {
        let inside = tempfile::tempdir().unwrap();
        fs::write(inside.path().join("pin"), "x".repeat(1025)).unwrap();
        let folder = Folder::open(inside.path()).unwrap();
        let error = folder.read_short("pin", 1024).unwrap_err();
        assert_eq!(error.to_string(), "pin:1: `pin` is longer than 1 KiB");
        assert!(error.hint.is_some());
        assert_eq!(folder.read_short("pin", 1025).unwrap().len(), 1025);
    }
}
