//! The user's registry credentials, as `docker login` keeps them.

use std::fs::File;
use std::path::{Path, PathBuf};

use bollard::auth::DockerCredentials;
use docker_credential::{DockerCredential, get_credential_from_reader};

/// The key under which Docker keeps the credentials of its own registry.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

/// The credentials for a registry's host; `None` where there are none or they cannot be read: a public image needs none,
/// and for any other the registry says so.
pub(super) async fn for_registry(config: Option<PathBuf>, host: &str) -> Option<DockerCredentials> {
    let server = if host == "docker.io" { DOCKER_HUB } else { host }.to_owned();
    // Credential helpers are programs, and are waited for.
    tokio::task::spawn_blocking(move || read(&config?.join("config.json"), server)).await.ok().flatten()
}

fn read(file: &Path, server: String) -> Option<DockerCredentials> {
    let credential = get_credential_from_reader(File::open(file).ok()?, &server).ok()?;
    let mut credentials = DockerCredentials { serveraddress: Some(server), ..DockerCredentials::default() };
    match credential {
        DockerCredential::IdentityToken(token) => credentials.identitytoken = Some(token),
        DockerCredential::UsernamePassword(user, password) => {
            credentials.username = Some(user);
            credentials.password = Some(password);
        }
    }
    Some(credentials)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_found_under_its_registry() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.json");
        // `me:p?s>w~d` in base64.
        std::fs::write(&file, r#"{"auths": {"https://registry.example.org/v2/": {"auth": "bWU6cD9zPnd+ZA=="}}}"#)
            .unwrap();
        let found = read(&file, "registry.example.org".to_owned()).unwrap();
        assert_eq!((found.username.as_deref(), found.password.as_deref()), (Some("me"), Some("p?s>w~d")));
        assert_eq!(read(&file, "other.example.org".to_owned()), None);
    }
}
