//! The limits of the proof.

use std::time::Duration;

use sconce::engine::Gpus;
use sconce::model::{Error, Profile, Result, nearest};

/// Below this not even one compiler fits.
const LEAST_MEMORY: u64 = 256 << 20;

/// A size in bytes, as container engines read it: powers of 1024, `512m`, `4g`, `4GiB`.
pub(super) fn memory(text: &str) -> Result<u64> {
    let wrong = || Error::usage(format!("`{text}` is not a size")).with_hint("as in `512MiB` or `4GiB`");
    let (number, unit) = split(text);
    let shift = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        _ => return Err(wrong()),
    };
    let bytes = number.parse::<u64>().ok().and_then(|number| number.checked_mul(1 << shift)).ok_or_else(wrong)?;
    if bytes < LEAST_MEMORY {
        return Err(Error::usage(format!("`{text}` is less than a compiler needs")).with_hint("at least `256MiB`"));
    }
    Ok(bytes)
}

/// A time span: `90s`, `10m`, `1h`, or plain seconds.
pub(super) fn timeout(text: &str) -> Result<Duration> {
    let wrong = || Error::usage(format!("`{text}` is not a time span")).with_hint("as in `90s`, `10m` or `1h`");
    let (number, unit) = split(text);
    let factor = match unit {
        "" | "s" => 1,
        "m" | "min" => 60,
        "h" => 3600,
        _ => return Err(wrong()),
    };
    let seconds = number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
    seconds.filter(|seconds| *seconds > 0).map(Duration::from_secs).ok_or_else(wrong)
}

/// How much is tried, by its name.
pub(super) fn profile(text: &str) -> Result<Profile> {
    let all = [Profile::Quick, Profile::Standard, Profile::Thorough];
    all.into_iter().find(|profile| profile.name() == text).ok_or_else(|| {
        let names = all.map(Profile::name);
        let meant = nearest(text, names).map(|name| format!("did you mean `{name}`? ")).unwrap_or_default();
        Error::usage(format!("`{}` is no profile", text.escape_debug()))
            .with_hint(format!("{meant}the profiles are `{}`", names.join("`, `")))
    })
}

/// A number of processors, which need not be whole.
pub(super) fn cpus(text: &str) -> Result<f64> {
    let cpus = text.parse::<f64>().ok().filter(|cpus| (0.01..=4096.0).contains(cpus));
    cpus.ok_or_else(|| Error::usage(format!("`{text}` is not a number of processors")).with_hint("as in `1` or `0.5`"))
}

/// A number of processes.
pub(super) fn pids(text: &str) -> Result<u32> {
    let pids = text.parse::<u32>().ok().filter(|pids| (1..=1 << 22).contains(pids));
    pids.ok_or_else(|| Error::usage(format!("`{text}` is not a number of processes")).with_hint("as in `512`"))
}

/// GPUs, as `docker run --gpus` and `--device` name them.
pub(super) fn gpus(text: &str) -> Result<Gpus> {
    let wrong = || {
        Error::usage(format!("`{}` names no GPUs", text.escape_debug()))
            .with_hint("as in `all`, `1`, `device=0,1`, or a CDI name as `nvidia.com/gpu=all`")
    };
    let word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:/=".contains(c));
    let list = |text: &str| text.split(',').map(str::to_owned).collect::<Vec<_>>();
    let gpus = match text.split_once('=') {
        None if text == "all" => Gpus::All,
        None => Gpus::Count(text.parse().ok().filter(|count| *count > 0).ok_or_else(wrong)?),
        Some(("device", ids)) => Gpus::Devices(list(ids)),
        Some((kind, _)) if kind.contains('/') => Gpus::Cdi(list(text)),
        Some(_) => return Err(wrong()),
    };
    match &gpus {
        Gpus::Devices(names) | Gpus::Cdi(names) if !names.iter().all(|name| word(name)) => Err(wrong()),
        _ => Ok(gpus),
    }
}

/// A path in the container, and the options of a file system in memory there.
pub(super) fn tmpfs(text: &str) -> Result<(String, String)> {
    let (path, options) = text.split_once(':').unwrap_or((text, ""));
    if !path.starts_with('/') || path == "/" {
        let what = if path == "/" { "is the root, which holds the image" } else { "is not an absolute path" };
        return Err(
            Error::usage(format!("`{}` {what}", path.escape_debug())).with_hint("as in `/tmp` or `/tmp:exec,size=1g`")
        );
    }
    Ok((path.to_owned(), options.to_owned()))
}

/// A user and, behind a colon, a group, each by name or by number.
pub(super) fn user(text: &str) -> Result<String> {
    let word =
        |word: &str| !word.is_empty() && !word.contains(|c: char| c == ':' || c.is_whitespace() || c.is_control());
    let (user, group) = text.split_once(':').map_or((text, None), |(user, group)| (user, Some(group)));
    if word(user) && group.is_none_or(word) {
        return Ok(text.to_owned());
    }
    Err(Error::usage(format!("`{}` is not a user", text.escape_debug()))
        .with_hint("as in `app`, `1000` or `1000:1000`"))
}

fn split(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (&text[..end], text[end..].trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_powers_of_1024() {
        for text in ["2g", "2G", "2GiB", "2 GiB", "2048m", "2147483648"] {
            assert_eq!(memory(text).unwrap(), 2 << 30, "{text}");
        }
        for wrong in ["", "g", "1.5g", "-1g", "4 gigs", "99999999999g", "1m"] {
            assert!(memory(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn gpus_are_named_as_docker_names_them() {
        assert_eq!(gpus("all").unwrap(), Gpus::All);
        assert_eq!(gpus("2").unwrap(), Gpus::Count(2));
        assert_eq!(gpus("device=0,GPU-3a").unwrap(), Gpus::Devices(vec!["0".into(), "GPU-3a".into()]));
        assert_eq!(gpus("nvidia.com/gpu=all").unwrap(), Gpus::Cdi(vec!["nvidia.com/gpu=all".into()]));
        for wrong in ["", "0", "-1", "some", "device=", "device=a;b", "capabilities=gpu"] {
            assert!(gpus(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_limits_a_container_is_checked() {
        assert_eq!((cpus("1.5").unwrap().to_bits(), pids("20").unwrap()), (1.5_f64.to_bits(), 20));
        for wrong in ["", "0", "-1", "NaN", "inf", "1e9", "one"] {
            assert!(cpus(wrong).is_err() && pids(wrong).is_err(), "{wrong}");
        }
        assert_eq!(tmpfs("/tmp:exec,size=1g").unwrap(), ("/tmp".into(), "exec,size=1g".into()));
        assert_eq!(tmpfs("/x").unwrap(), ("/x".into(), String::new()));
        assert!(tmpfs("tmp").is_err() && tmpfs("/").is_err());
        for (text, good) in
            [("app", true), ("1000:1000", true), (":", false), ("app:", false), ("", false), ("a b", false)]
        {
            assert_eq!(user(text).is_ok(), good, "{text}");
        }
        assert_eq!(profile("quick").unwrap(), Profile::Quick);
        assert!(profile("thorugh").unwrap_err().hint.unwrap().starts_with("did you mean `thorough`?"));
    }

    #[test]
    fn time_spans_have_units() {
        for (text, seconds) in [("90", 90), ("90s", 90), ("10m", 600), ("1h", 3600)] {
            assert_eq!(timeout(text).unwrap(), Duration::from_secs(seconds));
        }
        for wrong in ["", "0", "m", "1d", "-5s"] {
            assert!(timeout(wrong).is_err(), "{wrong}");
        }
    }
}
