use std::path::Path;

use crate::catalogue::Packages;
use crate::inspect::InspectOptions;
use crate::model::{Project, Result};

/// What does the project in `root` ask for?
pub fn inspect(root: &Path, options: &InspectOptions) -> Result<Project> {
    crate::inspect::inspect(root, &Packages::embedded()?, options)
}
