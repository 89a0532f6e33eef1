//! What the engine says of itself.

use bollard::models::SystemInfo;

use super::Docker;
use super::errors::{Doing as _, printable};
use crate::engine::EngineState;
use crate::model::{Result, seconds_since_1970};

pub(super) async fn state(engine: &Docker) -> Result<EngineState> {
    let info = engine.api.info().await.doing(|| "asking what the engine is".to_owned())?;
    Ok(told(info))
}

fn told(info: SystemInfo) -> EngineState {
    let text = |value: Option<String>| printable(&value.unwrap_or_default());
    let mut runtimes: Vec<String> =
        info.runtimes.unwrap_or_default().into_keys().map(|name| printable(&name)).collect();
    runtimes.sort();
    let devices = info.discovered_devices.unwrap_or_default().into_iter().filter_map(|device| device.id);
    // `name=seccomp,profile=default`
    let security = info.security_options.unwrap_or_default();
    let security = security.iter().map(|option| {
        let first = option.split(',').next().unwrap_or_default();
        printable(first.strip_prefix("name=").unwrap_or(first))
    });
    let proxies = [info.http_proxy, info.https_proxy].into_iter().map(text).filter(|proxy| !proxy.is_empty());
    EngineState {
        host: text(info.name),
        system: text(info.operating_system),
        root: text(info.docker_root_dir),
        driver: text(info.driver),
        images: info.images.and_then(|count| u64::try_from(count).ok()).unwrap_or(0),
        runtimes,
        devices: devices.map(|id| printable(&id)).collect(),
        security: security.collect(),
        proxies: proxies.collect(),
        memory_limit: info.memory_limit.unwrap_or(true),
        time: info.system_time.as_deref().and_then(seconds_since_1970),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_docker_says_is_put_in_our_words() {
        let info = serde_json::json!({
            "Name": "desk", "Driver": "overlay2", "Images": 3, "Runtimes": { "runc": {}, "nvidia": {} },
            "SecurityOptions": ["name=seccomp,profile=default", "name=rootless"], "HttpProxy": "", "MemoryLimit": false,
        });
        let state = told(serde_json::from_value(info).unwrap());
        assert_eq!((state.host.as_str(), state.images, state.memory_limit), ("desk", 3, false));
        assert_eq!(state.runtimes, ["nvidia", "runc"]);
        assert_eq!(state.security, ["seccomp", "rootless"]);
        assert_eq!((state.proxies.len(), state.time), (0, None));
    }
}
