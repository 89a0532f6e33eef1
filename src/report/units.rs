/// Bytes for people, in the decimal units that container engines show: `6.2 GB`.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut unit = 0;
    #[allow(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut value = count as f64;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    let decimals = usize::from(unit > 0 && value < 9.95);
    format!("{value:.decimals$} {}", UNITS[unit])
}

/// A time span for people: `0.4s`, `83s`, `2m 05s`.
pub fn seconds(span: f64) -> String {
    let span = if span.is_finite() { span.max(0.0) } else { 0.0 };
    if span < 59.95 {
        return format!("{span:.1}s");
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounded, and not negative")]
    let whole = span.round() as u64;
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, minutes, seconds) => format!("{minutes}m {seconds:02}s"),
        (hours, minutes, _) => format!("{hours}h {minutes:02}m"),
    }
}

/// An image id as engines shorten it: the first twelve hexadecimal digits, which every engine's command takes.
pub(super) fn short_id(id: &str) -> &str {
    let digits = id.strip_prefix("sha256:").unwrap_or(id);
    digits.get(..12).unwrap_or(digits)
}

/// The date of a time in seconds since 1970 (UTC), as `2026-01-31`
/// (the algorithm: <https://howardhinnant.github.io/date_algorithms.html#civil_from_days>).
pub fn date(time: u64) -> String {
    let days = time / 86_400 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // Years begin in March here, so that the leap day is the last.
    let months = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * months + 2) / 5 + 1;
    let month = if months < 10 { months + 3 } else { months - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// `1 check`, `2 checks`.
pub(super) fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_two_or_three_digits() {
        for (count, expected) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (350_400_000, "350 MB"),
            (999_600_000, "1.0 GB"),
            (6_170_000_000, "6.2 GB"),
            (u64::MAX, "18446744 TB"),
        ] {
            assert_eq!(bytes(count), expected);
        }
    }

    #[test]
    fn time_spans_grow_coarser() {
        for (span, expected) in [
            (0.04, "0.0s"),
            (83.0, "1m 23s"),
            (59.99, "1m 00s"),
            (3723.0, "1h 02m"),
            (f64::NAN, "0.0s"),
            (-1.0, "0.0s"),
        ] {
            assert_eq!(seconds(span), expected);
        }
    }

    #[test]
    fn dates_know_leap_years() {
        for (time, expected) in [(0, "1970-01-01"), (951_782_400, "2000-02-29"), (1_767_225_599, "2025-12-31")] {
            assert_eq!(date(time), expected);
        }
    }

    #[test]
    fn an_id_is_shortened_as_engines_do() {
        assert_eq!(short_id("sha256:0123456789abcdef"), "0123456789ab");
        assert_eq!(short_id("short"), "short");
    }
}
