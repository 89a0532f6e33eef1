//! The build context: what of a folder goes to the engine, in the order that the engine wants it in.

use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::ops::ControlFlow;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::pattern::{Inherited, Patterns};
use crate::model::{Error, Result};

/// What to take of a folder.
#[derive(Debug, Clone, Default)]
pub(super) struct Filter {
    /// What is taken; with no patterns, everything.
    pub(super) include: Patterns,
    /// What of that is left out.
    pub(super) exclude: Patterns,
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    /// Part of the context.
    Entry(Entry),
    /// The path of a socket, pipe or device: these cannot be part of an image's source.
    Special(String),
}

/// A part of the context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Relative to the context, with `/`.
    pub(super) path: String,
    /// What it is.
    pub(super) kind: Kind,
    /// Its permission bits, with set-user-id, set-group-id and sticky.
    pub(super) mode: u32,
    /// When it was changed, in nanoseconds since 1970.
    pub(super) modified: i64,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Folder,
    File {
        /// In bytes.
        size: u64,
    },
    Link {
        /// Where it points, as it stands there.
        target: String,
    },
}

/// Shows `visit` what `filter` takes of the folder `root`, each folder before what it holds, names in the order of their
/// bytes. Symbolic links are not followed. Stops when `visit` breaks.
pub(super) fn walk(root: &Path, filter: &Filter, visit: &mut dyn FnMut(Item) -> ControlFlow<()>) -> Result<()> {
    if !root.is_dir() {
        let shown = root.display().to_string();
        return Err(Error::usage(format!("the build context `{}` is not a folder", shown.escape_debug())));
    }
    Walker { filter, visit, folders: Vec::new() }.folder("", root, true).map(drop)
}

struct Walker<'a> {
    filter: &'a Filter,
    visit: &'a mut dyn FnMut(Item) -> ControlFlow<()>,
    /// The folders that lead to where we are.
    folders: Vec<Folder>,
}

struct Folder {
    /// Until it was shown: a folder that is left out is shown all the same once something in it is taken.
    entry: Option<Entry>,
    include: Inherited,
    exclude: Inherited,
}

impl Walker<'_> {
    fn folder(&mut self, path: &str, disk: &Path, taken: bool) -> Result<ControlFlow<()>> {
        for name in names(path, disk, taken)? {
            let name_text = name.to_string_lossy();
            let below = if path.is_empty() { name_text.to_string() } else { format!("{path}/{name_text}") };
            if self.entry(below, &disk.join(&name), name.to_str().is_some())?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn entry(&mut self, path: String, disk: &Path, utf8: bool) -> Result<ControlFlow<()>> {
        let metadata = match fs::symlink_metadata(disk) {
            Ok(metadata) => metadata,
            // Gone since its folder was listed.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(ControlFlow::Continue(())),
            Err(error) => return Err(unreadable(&path, error)),
        };
        let folder = self.folders.last();
        let (included, include) = self.filter.include.matches(&path, folder.map(|folder| &folder.include));
        let (excluded, exclude) = self.filter.exclude.matches(&path, folder.map(|folder| &folder.exclude));
        let included = included || self.filter.include.is_empty();
        let taken = included && !excluded;
        if taken && !utf8 {
            return Err(not_utf8(&path));
        }
        if !metadata.is_dir() {
            return if taken { self.leaf(path, disk, &metadata) } else { Ok(ControlFlow::Continue(())) };
        }
        let enter = (included || self.filter.include.may_include_below(&path))
            && (!excluded || self.filter.exclude.may_except_below(&path));
        if !enter {
            return Ok(ControlFlow::Continue(()));
        }
        let entry = Entry::new(path.clone(), Kind::Folder, &metadata);
        self.folders.push(Folder { entry: Some(entry), include, exclude });
        let flow = if taken { self.show_folders() } else { ControlFlow::Continue(()) };
        let flow = if flow.is_break() { flow } else { self.folder(&path, disk, taken)? };
        self.folders.pop();
        Ok(flow)
    }

    /// Something that is not a folder.
    fn leaf(&mut self, path: String, disk: &Path, metadata: &Metadata) -> Result<ControlFlow<()>> {
        let kind = match metadata.file_type() {
            kind if kind.is_file() => Kind::File { size: metadata.len() },
            kind if kind.is_symlink() => Kind::Link { target: link_target(&path, disk)? },
            _ => return Ok((self.visit)(Item::Special(path))),
        };
        if self.show_folders().is_break() {
            return Ok(ControlFlow::Break(()));
        }
        Ok((self.visit)(Item::Entry(Entry::new(path, kind, metadata))))
    }

    fn show_folders(&mut self) -> ControlFlow<()> {
        for folder in &mut self.folders {
            if let Some(entry) = folder.entry.take() {
                (self.visit)(Item::Entry(entry))?;
            }
        }
        ControlFlow::Continue(())
    }
}

impl Entry {
    fn new(path: String, kind: Kind, metadata: &Metadata) -> Self {
        let modified = metadata.mtime().saturating_mul(1_000_000_000).saturating_add(metadata.mtime_nsec());
        Self { path, kind, mode: metadata.mode() & 0o7777, modified }
    }
}

/// The names in a folder, sorted by their bytes.
fn names(path: &str, disk: &Path, taken: bool) -> Result<Vec<OsString>> {
    let listed = fs::read_dir(disk).and_then(|names| names.map(|name| Ok(name?.file_name())).collect());
    let mut names: Vec<OsString> = match listed {
        Ok(names) => names,
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        // Nobody asked for what is in a folder that is left out.
        Err(error) if error.kind() == ErrorKind::PermissionDenied && !taken => Vec::new(),
        Err(error) => return Err(unreadable(path, error)),
    };
    names.sort_by(|a, b| a.as_encoded_bytes().cmp(b.as_encoded_bytes()));
    Ok(names)
}

fn link_target(path: &str, disk: &Path) -> Result<String> {
    let target = fs::read_link(disk).map_err(|error| unreadable(path, error))?;
    target.into_os_string().into_string().map_err(|_| not_utf8(path))
}

fn unreadable(path: &str, error: io::Error) -> Error {
    Error::usage(format!("`{}` of the build context cannot be read: {error}", path.escape_debug()))
        .with_hint("make it readable, or leave it out with a line in `.dockerignore`")
        .because(error)
}

fn not_utf8(path: &str) -> Error {
    Error::usage(format!("`{}` of the build context has a name or a target that is not UTF-8", path.escape_debug()))
        .with_hint("rename it, or leave it out with a line in `.dockerignore`")
}

/// A file of the context, read as exactly as many bytes as it was said to have, whoever writes to it meanwhile.
#[derive(Debug)]
pub(super) struct ExactFile {
    path: String,
    file: File,
    left: u64,
}

impl ExactFile {
    /// Opens the file `path` of the context `root`, of which `size` bytes are wanted.
    pub(super) fn open(root: &Path, path: &str, size: u64) -> Result<Self> {
        let file = File::open(root.join(path)).map_err(|error| unreadable(path, error))?;
        Ok(Self { path: path.to_owned(), file, left: size })
    }

    /// Reads on; 0 at the end.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let wanted = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if wanted == 0 {
            return Ok(0);
        }
        let count = loop {
            match self.file.read(&mut buffer[..wanted]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => break result.map_err(|error| unreadable(&self.path, error))?,
            }
        };
        if count == 0 {
            let message = format!("`{}` became shorter while it was sent to the engine", self.path.escape_debug());
            return Err(Error::try_again(message).with_hint("try again when nothing writes to it"));
        }
        self.left -= count as u64;
        Ok(count)
    }
}

impl Read for ExactFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        ExactFile::read(self, buffer).map_err(io::Error::other)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::os::unix::net::UnixListener;

    use super::*;

    fn tree(paths: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for path in paths {
            let full = folder.path().join(path);
            if path.ends_with('/') {
                fs::create_dir_all(full).unwrap();
            } else {
                fs::create_dir_all(full.parent().unwrap()).unwrap();
                fs::write(full, path).unwrap();
            }
        }
        folder
    }

    fn walked(root: &Path, include: &[&str], exclude: &[&str]) -> Vec<Item> {
        let patterns = |list: &[&str]| Patterns::new(list.iter().copied()).unwrap();
        let filter = Filter { include: patterns(include), exclude: patterns(exclude) };
        let mut items = Vec::new();
        walk(root, &filter, &mut |item| {
            items.push(item);
            ControlFlow::Continue(())
        })
        .unwrap();
        items
    }

    fn paths(root: &Path, include: &[&str], exclude: &[&str]) -> Vec<String> {
        let path = |item| match item {
            Item::Entry(entry) => entry.path,
            Item::Special(path) => format!("special {path}"),
        };
        walked(root, include, exclude).into_iter().map(path).collect()
    }

    #[test]
    fn a_folder_comes_before_what_it_holds_and_before_names_that_sort_between() {
        let folder = tree(&["a/x", "a-b", "a.c", "b", "A"]);
        assert_eq!(paths(folder.path(), &[], &[]), ["A", "a", "a/x", "a-b", "a.c", "b"]);
    }

    #[test]
    fn a_folder_that_is_left_out_is_shown_for_what_is_taken_of_it() {
        let folder = tree(&["a/b/keep", "a/b/drop", "a/c/drop", "d/"]);
        assert_eq!(paths(folder.path(), &[], &["a", "!a/b/keep"]), ["a", "a/b", "a/b/keep", "d"]);
        assert_eq!(paths(folder.path(), &["a/b/keep"], &[]), ["a", "a/b", "a/b/keep"]);
        assert_eq!(paths(folder.path(), &["a"], &["**/drop"]), ["a", "a/b", "a/b/keep", "a/c"]);
        assert_eq!(paths(folder.path(), &[], &["*"]), Vec::<String>::new());
    }

    #[test]
    fn an_ignored_folder_is_not_entered() {
        let folder = tree(&["ignored/x", "kept"]);
        let locked = folder.path().join("ignored");
        fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).unwrap();
        assert_eq!(paths(folder.path(), &[], &["ignored"]), ["kept"]);
        assert_eq!(paths(folder.path(), &[], &["ignored", "!**/never"]), ["kept"]);
        fs::set_permissions(&locked, fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[test]
    fn links_are_shown_and_not_followed_and_sockets_are_named() {
        let folder = tree(&["real/file"]);
        symlink("real", folder.path().join("link")).unwrap();
        symlink("/nowhere", folder.path().join("broken")).unwrap();
        let _socket = UnixListener::bind(folder.path().join("socket")).unwrap();
        assert_eq!(paths(folder.path(), &[], &[]), ["broken", "link", "real", "real/file", "special socket"]);
        let target = |item: &Item| match item {
            Item::Entry(Entry { kind: Kind::Link { target }, .. }) => Some(target.clone()),
            _ => None,
        };
        let targets: Vec<String> = walked(folder.path(), &[], &[]).iter().filter_map(target).collect();
        assert_eq!(targets, ["/nowhere", "real"]);
    }

    #[test]
    fn a_name_that_is_not_utf8_is_an_error_unless_ignored() {
        use std::os::unix::ffi::OsStrExt;
        let folder = tree(&[]);
        fs::write(folder.path().join(std::ffi::OsStr::from_bytes(b"bad\xff\n")), "").unwrap();
        let filter = Filter::default();
        let error = walk(folder.path(), &filter, &mut |_| ControlFlow::Continue(())).unwrap_err();
        assert_eq!(error.message, r"`bad�\n` of the build context has a name or a target that is not UTF-8");
        assert!(paths(folder.path(), &[], &["bad*"]).is_empty());
    }

    #[test]
    fn a_walk_stops_when_told() {
        let folder = tree(&["a/b/c", "d"]);
        let mut count = 0;
        walk(folder.path(), &Filter::default(), &mut |_| {
            count += 1;
            ControlFlow::Break(())
        })
        .unwrap();
        assert_eq!(count, 1);
    }

    #[test]
    fn a_file_that_grows_is_cut_and_one_that_shrinks_is_an_error() {
        let folder = tree(&["file"]);
        let mut all = Vec::new();
        Read::read_to_end(&mut ExactFile::open(folder.path(), "file", 2).unwrap(), &mut all).unwrap();
        assert_eq!(all, b"fi");
        let error = io::copy(&mut ExactFile::open(folder.path(), "file", 9).unwrap(), &mut io::sink()).unwrap_err();
        assert_eq!(error.to_string(), "`file` became shorter while it was sent to the engine");
    }

    #[test]
    fn what_is_not_there_is_an_error_with_its_path() {
        let folder = tree(&[]);
        let error = ExactFile::open(folder.path(), "a\nb", 1).unwrap_err();
        assert!(error.message.starts_with(r"`a\nb` of the build context cannot be read"), "{error}");
        let missing = folder.path().join("missing");
        let error = walk(&missing, &Filter::default(), &mut |_| ControlFlow::Continue(())).unwrap_err();
        assert!(error.message.ends_with("is not a folder"), "{error}");
    }
}
