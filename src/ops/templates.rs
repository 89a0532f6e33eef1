//! `sconce templates`: the built-in templates for reading and changing, and a folder of a user's own.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::model::{Error, Origin, Result};
use crate::render::{Templates, templates};

/// What explains the templates, in the folder that they are written to.
const README: &str = include_str!("../../docs/templates.md");

/// The most templates that a folder may hold, and the most bytes that each may have: many times what anyone writes.
const MOST: usize = 64;
const LONGEST: u64 = 256 << 10;

/// Writes the built-in templates and their description into `folder`, and returns the files. With `force`, files that are
/// there are written over.
pub fn export(folder: &Path, force: bool) -> Result<Vec<PathBuf>> {
    let failed =
        |path: &Path, error: io::Error| Error::usage(format!("cannot write `{}`: {error}", shown(path))).because(error);
    let files: Vec<(PathBuf, &str)> =
        templates().chain([("README.md", README)]).map(|(name, text)| (folder.join(name), text)).collect();
    // All or nothing: a folder half of which is older would be a puzzle.
    if let Some((path, _)) = files.iter().find(|(path, _)| !force && path.symlink_metadata().is_ok()) {
        return Err(Error::usage(format!("`{}` is there already", shown(path)))
            .with_hint("`--force` writes over it, and over every file that has the name of a template"));
    }
    fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    for (path, text) in &files {
        write(path, text, force).map_err(|error| failed(path, error))?;
    }
    Ok(files.into_iter().map(|(path, _)| path).collect())
}

/// Writes a file that is not there yet; with `force`, one that is there makes room. A link is never followed.
pub(super) fn write(path: &Path, text: &str, force: bool) -> io::Result<()> {
    if force
        && let Err(error) = fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    File::create_new(path)?.write_all(text.as_bytes())
}

/// Reads the templates in `folder`: its files whose names end in `.tera`. They are regular files in it, not links that lead
/// out of it. `origin` says who named the folder.
pub fn load(folder: &Path, origin: &Origin) -> Result<Templates> {
    let failed = |path: &Path, why: &dyn std::fmt::Display| {
        Error::usage(format!("cannot read the templates in `{}`: {why}", shown(path))).at(origin.clone())
    };
    let real = folder.canonicalize().map_err(|error| {
        failed(folder, &error).with_hint("`sconce templates export DIR` makes a folder with the built-in ones")
    })?;
    let mut paths = Vec::new();
    for entry in fs::read_dir(&real).map_err(|error| failed(folder, &error))? {
        let name = entry.map_err(|error| failed(folder, &error))?.file_name();
        if Path::new(&name).extension().is_some_and(|extension| extension == "tera") {
            paths.push(name);
        }
        if paths.len() > MOST {
            return Err(failed(folder, &format!("there are more than {MOST}")));
        }
    }
    let mut files = BTreeMap::new();
    for name in paths {
        let path = folder.join(&name);
        let text = text(&real, &real.join(&name)).map_err(|error| failed(&path, &error))?;
        let name = name.into_string().map_err(|_| failed(&path, &"its name is not UTF-8"))?;
        files.insert(name, text);
    }
    if files.is_empty() {
        return Err(failed(folder, &"there is none, that is, no file whose name ends in `.tera`")
            .with_hint("`sconce templates export DIR` writes the built-in ones"));
    }
    Ok(Templates { folder: folder.display().to_string(), files })
}

/// The text of a regular file in `folder`: a pipe or a device would never end.
fn text(folder: &Path, path: &Path) -> io::Result<String> {
    let refused = |why: String| io::Error::new(io::ErrorKind::InvalidInput, why);
    let real = path.canonicalize()?;
    if !real.starts_with(folder) {
        return Err(refused("it leads out of the folder, through a symbolic link".to_owned()));
    }
    if !fs::metadata(&real)?.is_file() {
        return Err(refused("it is not a regular file".to_owned()));
    }
    let mut bytes = Vec::new();
    File::open(&real)?.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST {
        return Err(refused(format!("it is longer than {} KiB", LONGEST >> 10)));
    }
    String::from_utf8(bytes).map_err(|_| refused("it is not UTF-8 text".to_owned()))
}

fn shown(path: &Path) -> String {
    path.display().to_string().escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_exported_is_read_back() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("docker");
        let written = export(&folder, false).unwrap();
        assert!(written.contains(&folder.join("README.md")));
        let own = load(&folder, &Origin::Default).unwrap();
        let built_in: BTreeMap<String, String> =
            templates().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
        assert_eq!(own.files, built_in);
    }

    #[test]
    fn nothing_is_written_over_unasked() {
        let root = tempfile::tempdir().unwrap();
        let own = root.path().join("Dockerfile.user.tera");
        fs::write(&own, "mine").unwrap();
        let error = export(root.path(), false).unwrap_err();
        assert!(error.message.ends_with("Dockerfile.user.tera` is there already"), "{error}");
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1, "nothing was written");
        export(root.path(), true).unwrap();
        assert_ne!(fs::read_to_string(&own).unwrap(), "mine");
    }

    #[test]
    fn a_link_is_not_written_through() {
        let root = tempfile::tempdir().unwrap();
        let (elsewhere, folder) = (root.path().join("elsewhere"), root.path().join("docker"));
        fs::write(&elsewhere, "mine").unwrap();
        fs::create_dir(&folder).unwrap();
        std::os::unix::fs::symlink(&elsewhere, folder.join("README.md")).unwrap();
        export(&folder, true).unwrap();
        assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "mine");
    }

    #[test]
    fn only_regular_files_of_the_folder_are_read() {
        use std::os::unix::{fs::symlink, net::UnixListener};
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("docker");
        fs::create_dir(&folder).unwrap();
        let own = folder.join("x.tera");
        let refused = |why: &str| {
            let error = load(&folder, &Origin::flag("--templates")).unwrap_err();
            assert!(error.message.contains(why), "{error}");
            assert_eq!(error.origin, Some(Origin::flag("--templates")));
            let _ = fs::remove_file(&own);
        };
        refused("there is none");
        fs::write(root.path().join("secret"), "secret").unwrap();
        symlink("../secret", &own).unwrap();
        refused("through a symbolic link");
        let _socket = UnixListener::bind(&own).unwrap();
        refused("it is not a regular file");
        File::create(&own).unwrap().set_len(LONGEST + 1).unwrap();
        refused("longer than 256 KiB");
        fs::write(&own, b"\xff").unwrap();
        refused("it is not UTF-8 text");
        for n in 0..=MOST {
            fs::write(folder.join(format!("{n}.tera")), "").unwrap();
        }
        refused("more than 64");
    }
}
