/// How alike two words must be, from 0 to 1, for the one to be taken for a slip of the other.
const ALIKE: f64 = 0.8;

/// Of the words `among`, the one that `wanted` was probably meant to be; `None` where nothing is alike.
pub fn nearest<'a>(wanted: &str, among: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // `max_by` takes the last of equals: which one is a matter of order, not of chance.
    among
        .into_iter()
        .map(|word| (strsim::jaro_winkler(wanted, word), word))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_is_recognized_and_another_word_is_not() {
        let among = ["variant", "python", "extras", "env"];
        for (wanted, meant) in [("vairant", "variant"), ("pyhton", "python"), ("extra", "extras")] {
            assert_eq!(nearest(wanted, among), Some(meant));
        }
        for other in ["", "colour", "memory"] {
            assert_eq!(nearest(other, among), None, "{other}");
        }
    }
}
