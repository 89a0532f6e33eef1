//! Containers that others made: only looked at.

use super::Docker;
use super::errors::{self, Doing, printable};
use crate::model::{Error, Result};

/// The id of the image that the container `name` was made from, if there is such a container.
pub(super) async fn image(docker: &Docker, name: &str) -> Result<Option<String>> {
    if !is_name(name) {
        return Err(Error::usage(format!("`{}` is not the name or id of a container", printable(name)))
            .with_hint("`docker ps --all` lists what is there"));
    }
    match docker.api.inspect_container(name, None).await {
        Err(error) if errors::is_missing(&error) => Ok(None),
        answer => Ok(answer.doing(|| format!("looking up the container `{name}`"))?.image),
    }
}

/// Whether it may stand in a URL's path (<https://github.com/moby/moby/blob/master/daemon/names/names.go>).
fn is_name(text: &str) -> bool {
    let begins = text.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric());
    begins && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_in_its_place_in_the_path() {
        for name in ["web", "3f4d", "team_web.1-b"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "../images", "a/b", "a?size=1", "-a", "a b", "ä", ".."] {
            assert!(!is_name(name), "{name}");
        }
    }
}
