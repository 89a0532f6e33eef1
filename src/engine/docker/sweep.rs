//! Sweeping: what a killed run left behind goes with the next one.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListImagesOptionsBuilder, RemoveContainerOptionsBuilder,
};

use super::errors::{self, Doing};
use super::{Docker, images};
use crate::engine::{OWNER_LABEL, Owner, PROVEN_REPOSITORY, Swept, UNPROVEN_REPOSITORY};
use crate::model::Result;

/// How long what another machine's run made is left alone: nothing of ours takes longer.
const LONGEST_RUN: Duration = Duration::from_hours(24);

/// Removes what has no running owner; see [`crate::engine::Engine::sweep`].
pub(super) async fn sweep(docker: &Docker) -> Result<Swept> {
    // Containers first: an image that one uses stays.
    let containers = containers(docker).await?;
    // Of an image and the same with a label, the latter may be built upon the former.
    let images = tags(docker, PROVEN_REPOSITORY).await? + tags(docker, UNPROVEN_REPOSITORY).await?;
    Ok(Swept { containers, images })
}

async fn containers(docker: &Docker) -> Result<usize> {
    let filters = HashMap::from([("label", vec![OWNER_LABEL])]);
    let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
    let doing = || "looking for containers that were left over".to_owned();
    let mut removed = 0;
    for container in docker.api.list_containers(Some(options)).await.doing(doing)? {
        let owner = container.labels.as_ref().and_then(|labels| labels.get(OWNER_LABEL));
        let (Some(id), Some(owner)) = (&container.id, owner) else { continue };
        if is_left_over(owner, container.created.unwrap_or(0)) {
            removed += usize::from(remove(docker, id).await?);
        }
    }
    Ok(removed)
}

/// Whether it was ours to remove: another sweep may be at it.
async fn remove(docker: &Docker, id: &str) -> Result<bool> {
    let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
    match docker.api.remove_container(id, Some(options)).await {
        Err(error) if errors::is_missing(&error) || errors::has_status(&error, 409) => Ok(false),
        answer => answer.map(|()| true).doing(|| format!("removing the container `{id}`, which was left over")),
    }
}

async fn tags(docker: &Docker, repository: &str) -> Result<usize> {
    let filters = HashMap::from([("reference", vec![format!("{repository}:*")])]);
    let options = ListImagesOptionsBuilder::default().filters(&filters).build();
    let doing = || "looking for images that were left over".to_owned();
    let mut removed = 0;
    for image in docker.api.list_images(Some(options)).await.doing(doing)? {
        for reference in &image.repo_tags {
            let owner = reference.strip_prefix(repository).and_then(|rest| rest.strip_prefix(':'));
            if owner.is_some_and(|owner| is_left_over(owner, image.created)) {
                images::untag(docker, reference, true).await?;
                removed += 1;
            }
        }
    }
    Ok(removed)
}

/// Whether the owner is gone. Where that cannot be told, it is by its age; `created` is in seconds since 1970.
fn is_left_over(owner: &str, created: i64) -> bool {
    if let Some(alive) = Owner::parse(owner).and_then(|owner| owner.is_alive()) {
        return !alive;
    }
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(created).is_ok_and(|created| now.as_secs().saturating_sub(created) > LONGEST_RUN.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_needs_is_left_over() {
        let now = i64::try_from(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()).unwrap();
        let here = Owner::current();
        let later = format!("{here}7");
        assert!(!is_left_over(here.as_str(), 0), "this process runs");
        assert!(is_left_over(&later, now), "no process started then");
        assert!(!is_left_over("elsewhere.1.2.3", now - 3600));
        assert!(is_left_over("elsewhere.1.2.3", now - 25 * 3600));
        assert!(!is_left_over("anything", now - 3600));
    }
}
