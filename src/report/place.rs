use std::path::Path;

use crate::model::{Origin, Plan, Project, Report};

/// A line of the project's files that a failure can be shown at.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The file, with `/`, relative to the folder of the run where it lies in it, else to the project.
    pub(super) file: String,
    /// The line, counted from 1.
    pub(super) line: usize,
}

/// Where to show what failed: at the line that asks for torch, else at the top of the first file that was followed.
pub(super) fn of(report: &Report, folder: Option<&Path>) -> Option<Place> {
    let (project, plan) = report.outcome.planned()?;
    let (file, line) = asks_for_torch(project, plan).or_else(|| Some((&plan.manifests.first()?.path, 1)))?;
    Some(located(project, file, line, folder))
}

/// Where a note speaks of a line.
pub(super) fn of_origin(report: &Report, origin: &Origin, folder: Option<&Path>) -> Option<Place> {
    let (project, _) = report.outcome.planned()?;
    let Origin::File { file, line } = origin else { return None };
    Some(located(project, file, *line, folder))
}

fn asks_for_torch<'a>(project: &'a Project, plan: &'a Plan) -> Option<(&'a String, usize)> {
    let torch = project.requirements.iter().filter(|asked| asked.name.as_deref() == Some("torch"));
    let origins = std::iter::once(&plan.torch.requested).chain(torch.map(|asked| &asked.origin));
    origins.into_iter().find_map(|origin| match origin {
        Origin::File { file, line } => Some((file, *line)),
        _ => None,
    })
}

fn located(project: &Project, file: &str, line: usize, folder: Option<&Path>) -> Place {
    let path = project.root.join(file);
    let inside = folder.and_then(|folder| path.strip_prefix(folder).ok()).and_then(Path::to_str);
    Place { file: inside.unwrap_or(file).to_owned(), line: line.max(1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_from_the_folder_of_the_run() {
        let project = Project { root: "/checkout/train".into(), ..Project::default() };
        let at = |folder: Option<&str>| located(&project, "requirements.txt", 0, folder.map(Path::new));
        assert_eq!(at(Some("/checkout")), Place { file: "train/requirements.txt".to_owned(), line: 1 });
        assert_eq!(at(Some("/elsewhere")).file, "requirements.txt");
        assert_eq!(at(None).file, "requirements.txt");
    }
}
