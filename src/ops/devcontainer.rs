use std::path::{Path, PathBuf};

use super::render::Rendered;
use super::templates::write;
use crate::model::{Error, Result};
use crate::render::devcontainer;

/// The files of a development container in the folder `.devcontainer` of the project in `root`, with their texts:
/// `devcontainer.json` and its Dockerfile.
pub fn devcontainer_files(root: &Path, rendered: &Rendered) -> [(PathBuf, String); 2] {
    let folder = root.join(".devcontainer");
    [
        (folder.join("devcontainer.json"), devcontainer(&rendered.plan)),
        (folder.join("Dockerfile"), rendered.dockerfile.clone()),
    ]
}

/// Writes the [`devcontainer_files`], and returns them. With `force`, files that are there are written over.
pub fn write_devcontainer(root: &Path, rendered: &Rendered, force: bool) -> Result<Vec<PathBuf>> {
    let folder = root.join(".devcontainer");
    let failed = |path: &Path, error: std::io::Error| {
        Error::usage(format!("cannot write `{}`: {error}", path.display())).because(error)
    };
    let files = devcontainer_files(root, rendered);
    if let Some((path, _)) = files.iter().find(|(path, _)| !force && path.symlink_metadata().is_ok()) {
        return Err(
            Error::usage(format!("`{}` is there already", path.display())).with_hint("`--force` writes over it")
        );
    }
    // A link in its place could lead out of the project.
    if folder.is_symlink() {
        return Err(Error::usage(format!("`{}` is a symbolic link", folder.display())));
    }
    std::fs::create_dir_all(&folder).map_err(|error| failed(&folder, error))?;
    for (path, text) in &files {
        write(path, text, force).map_err(|error| failed(path, error))?;
    }
    Ok(files.map(|(path, _)| path).to_vec())
}
