use std::str::FromStr as _;

use toml::value::{Datetime, Offset};

/// The seconds since 1970 of a time in the form of RFC 3339
/// (the algorithm: <https://howardhinnant.github.io/date_algorithms.html#days_from_civil>).
pub fn seconds_since_1970(text: &str) -> Option<u64> {
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
        assert_eq!(seconds_since_1970("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(seconds_since_1970("2026-11-23T01:02:03.123456789Z"), Some(1_795_395_723));
        assert_eq!(seconds_since_1970("2024-02-29T02:00:00+02:00"), Some(1_709_164_800));
        assert_eq!(seconds_since_1970("2000-03-01T00:00:00-01:00"), Some(951_872_400));
        assert_eq!(seconds_since_1970("yesterday"), None);
    }
}
