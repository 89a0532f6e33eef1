use std::path::Path;

use serde::Serialize;

use super::network::{self, NetworkInputs};
use crate::catalogue::Catalogue;
use crate::inspect::InspectOptions;
use crate::model::{Plan, Project, Result};
use crate::plan::{PlanOptions, plan};
use crate::render::{Templates, render_with};

/// A Dockerfile with everything that led to it.
#[derive(Debug, Clone, Serialize)]
pub struct Rendered {
    /// What the project asks for.
    pub project: Project,
    /// What was planned, and why.
    pub plan: Plan,
    /// The text of the Dockerfile.
    pub dockerfile: String,
}

/// What would be built for the project in `root`, with a user's own `templates` over the built-in ones?
pub fn render(
    root: &Path,
    inspect: &InspectOptions,
    options: &PlanOptions,
    network: &NetworkInputs,
    templates: &Templates,
) -> Result<Rendered> {
    let catalogue = Catalogue::embedded()?;
    let project = crate::inspect::inspect(root, catalogue.packages(), inspect)?;
    rendered(project, &catalogue, options, network, templates)
}

/// The back half of [`render`], which building shares.
pub(super) fn rendered(
    project: Project,
    catalogue: &Catalogue,
    options: &PlanOptions,
    inputs: &NetworkInputs,
    templates: &Templates,
) -> Result<Rendered> {
    let (indexes, network) = network::planned(&project, inputs)?;
    let options = PlanOptions { indexes, network, ..options.clone() };
    let plan = plan(&project, catalogue, &options)?;
    let dockerfile = render_with(&plan, templates)?.text;
    Ok(Rendered { project, plan, dockerfile })
}
