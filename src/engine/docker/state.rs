//! What the engine says of itself.

use std::str::FromStr as _;

use bollard::models::SystemInfo;
use toml::value::{Datetime, Offset};

use super::Docker;
use super::errors::{Doing as _, printable};
use crate::engine::EngineState;
use crate::model::Result;

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
        time: info.system_time.as_deref().and_then(seconds),
    }
}

/// The seconds since 1970 of a time as engines write it (RFC 3339)
/// (the algorithm: <https://howardhinnant.github.io/date_algorithms.html#days_from_civil>).
fn seconds(text: &str) -> Option<u64> {
    let Datetime { date: Some(date), time: Some(time), offset } = Datetime::from_str(text).ok()? else { return None };
    let (month, day) = (i64::from(date.month), i64::from(date.day));
    // Years begin in March here, so that the leap day is the last.
    let year = i64::from(date.year) - i64::from(month <= 2);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468;
    let minutes = match offset {
        Some(Offset::Custom { minutes }) => i64::from(minutes),
        _ => 0,
    };
    let clock = i64::from(time.hour) * 3600 + i64::from(time.minute) * 60 + i64::from(time.second.unwrap_or(0));
    u64::try_from(days * 86_400 + clock - minutes * 60).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        assert_eq!(seconds("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(seconds("2026-11-23T01:02:03.123456789Z"), Some(1_795_395_723));
        assert_eq!(seconds("2024-02-29T02:00:00+02:00"), Some(1_709_164_800));
        assert_eq!(seconds("2000-03-01T00:00:00-01:00"), Some(951_872_400));
        assert_eq!(seconds("yesterday"), None);
    }

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
