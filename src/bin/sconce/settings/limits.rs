//! The limits of the proof.

use std::time::Duration;

use sconce::model::{Error, Result};

/// Enough for two compilers at once beside torch itself.
pub(super) const MEMORY: u64 = 4 << 30;
/// Many times what the proof takes on a slow machine with two processors.
pub(super) const TIMEOUT: Duration = Duration::from_mins(15);

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
    fn time_spans_have_units() {
        for (text, seconds) in [("90", 90), ("90s", 90), ("10m", 600), ("1h", 3600)] {
            assert_eq!(timeout(text).unwrap(), Duration::from_secs(seconds));
        }
        for wrong in ["", "0", "m", "1d", "-5s"] {
            assert!(timeout(wrong).is_err(), "{wrong}");
        }
    }
}
