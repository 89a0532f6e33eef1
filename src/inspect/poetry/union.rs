//! Several ranges of versions as one list of PEP 440, which knows no "or": what lies between them is excluded where it
//! can be, and else allowed.

use std::cmp::Ordering;

use pep440_rs::{Operator, Version, VersionSpecifier, VersionSpecifiers};

/// More exclusions than this read like noise.
const MOST_EXCLUDED: u64 = 40;

/// Whose versions they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Distribution,
    /// Of which 2.7 was the last of 2, so that no gap lies before 3.0.
    Python,
}

/// The versions that at least one alternative allows.
#[derive(Debug)]
pub(super) struct Joined {
    pub(super) specifiers: VersionSpecifiers,
    /// Whether these are all: else some more are allowed.
    pub(super) exact: bool,
}

/// A version, and whether it belongs to the range that it ends.
type Bound = (Version, bool);

/// All versions between two bounds.
#[derive(Debug, Clone, Default)]
struct Range {
    low: Option<Bound>,
    high: Option<Bound>,
}

/// The alternatives as one; each is a list of specifiers that must all hold.
pub(super) fn join(alternatives: Vec<Vec<VersionSpecifier>>, of: Of) -> Joined {
    if alternatives.len() < 2 {
        return Joined { specifiers: alternatives.into_iter().flatten().collect(), exact: true };
    }
    let ranges: Vec<Range> = alternatives.iter().map(|specifiers| range(specifiers)).collect();
    let mut exclusions = kept_exclusions(&alternatives, &ranges);
    let mut ordered: Vec<Range> = ranges.into_iter().filter(|range| !range.is_empty()).collect();
    ordered.sort_by(|a, b| lower(a.low.as_ref(), b.low.as_ref()));
    let mut exact = true;
    let mut ordered = ordered.into_iter();
    let Some(mut whole) = ordered.next() else {
        return Joined { specifiers: alternatives.into_iter().flatten().collect(), exact: true };
    };
    for next in ordered {
        if let (Some(end), Some(begin)) = (&whole.high, &next.low)
            && !touches(end, begin)
        {
            match gap(end, begin, of) {
                Some(excluded) => exclusions.extend(excluded),
                None => exact = false,
            }
        }
        if upper(next.high.as_ref(), whole.high.as_ref()) == Ordering::Greater {
            whole.high = next.high;
        }
    }
    Joined { specifiers: whole.specifiers().into_iter().chain(exclusions).collect(), exact }
}

impl Range {
    fn is_empty(&self) -> bool {
        matches!((&self.low, &self.high), (Some((low, at_low)), Some((high, at_high)))
            if low > high || (low == high && !(*at_low && *at_high)))
    }

    fn overlaps(&self, other: &Self) -> bool {
        let mut both = self.clone();
        both.narrow(other.clone());
        !both.is_empty()
    }

    fn narrow(&mut self, other: Self) {
        if other.low.is_some() && lower(other.low.as_ref(), self.low.as_ref()) == Ordering::Greater {
            self.low = other.low;
        }
        if other.high.is_some() && upper(other.high.as_ref(), self.high.as_ref()) == Ordering::Less {
            self.high = other.high;
        }
    }

    fn specifiers(&self) -> Vec<VersionSpecifier> {
        let specifier = |(version, at): &Bound, with: Operator, without: Operator| {
            let operator = if *at { with } else { without };
            VersionSpecifier::from_version(operator, version.clone().without_local()).ok()
        };
        let low = self.low.as_ref().and_then(|low| specifier(low, Operator::GreaterThanEqual, Operator::GreaterThan));
        let high = self.high.as_ref().and_then(|high| specifier(high, Operator::LessThanEqual, Operator::LessThan));
        low.into_iter().chain(high).collect()
    }
}

/// The range that specifiers leave, exclusions aside.
fn range(specifiers: &[VersionSpecifier]) -> Range {
    let mut whole = Range::default();
    for specifier in specifiers {
        let version = specifier.version().clone();
        let (low, high) = match specifier.operator() {
            Operator::Equal | Operator::ExactEqual => (Some((version.clone(), true)), Some((version, true))),
            Operator::EqualStar => {
                let end = after(&version, version.release().len());
                (Some((version, true)), Some((end, false)))
            }
            Operator::TildeEqual => {
                let end = after(&version, version.release().len().saturating_sub(1));
                (Some((version, true)), Some((end, false)))
            }
            Operator::GreaterThanEqual => (Some((version, true)), None),
            Operator::GreaterThan => (Some((version, false)), None),
            Operator::LessThanEqual => (None, Some((version, true))),
            Operator::LessThan => (None, Some((version, false))),
            Operator::NotEqual | Operator::NotEqualStar => (None, None),
        };
        whole.narrow(Range { low, high });
    }
    whole
}

/// The first release after all that begin with the first `count` numbers of `version`.
fn after(version: &Version, count: usize) -> Version {
    let mut numbers: Vec<u64> = version.release().iter().take(count.max(1)).copied().collect();
    if let Some(last) = numbers.last_mut() {
        *last = last.saturating_add(1);
    }
    Version::new(numbers).with_epoch(version.epoch())
}

/// What an alternative excludes, and no other allows.
fn kept_exclusions(alternatives: &[Vec<VersionSpecifier>], ranges: &[Range]) -> Vec<VersionSpecifier> {
    let mut kept: Vec<VersionSpecifier> = Vec::new();
    for (place, specifiers) in alternatives.iter().enumerate() {
        for excluded in specifiers {
            let Some(left_out) = left_out(excluded) else { continue };
            let mut others = alternatives.iter().zip(ranges).enumerate().filter(|(other, _)| *other != place);
            let allowed =
                others.any(|(_, (specifiers, range))| range.overlaps(&left_out) && !specifiers.contains(excluded));
            if !allowed && !kept.contains(excluded) {
                kept.push(excluded.clone());
            }
        }
    }
    kept
}

/// The range that an exclusion leaves out.
fn left_out(excluded: &VersionSpecifier) -> Option<Range> {
    let version = excluded.version().clone();
    match excluded.operator() {
        Operator::NotEqual => Some(range(&[VersionSpecifier::equals_version(version)])),
        Operator::NotEqualStar => Some(range(&[VersionSpecifier::equals_star_version(version)])),
        _ => None,
    }
}

/// Whether nothing lies between the end of a range and the beginning of the next.
fn touches((end, at_end): &Bound, (begin, at_begin): &Bound) -> bool {
    begin < end || (begin == end && (*at_end || *at_begin))
}

/// Exclusions for all that lies between the end of a range and the beginning of the next.
fn gap((end, at_end): &Bound, (begin, at_begin): &Bound, of: Of) -> Option<Vec<VersionSpecifier>> {
    if end == begin {
        return Some(vec![VersionSpecifier::not_equals_version(end.clone())]);
    }
    let is_plain = |version: &Version| version.is_stable() && !version.is_post() && !version.is_local();
    if *at_end || !*at_begin || !is_plain(end) || !is_plain(begin) || end.epoch() != begin.epoch() {
        return None;
    }
    let mut from = end.release().to_vec();
    if of == Of::Python && from.first() == Some(&2) && begin.release().first() == Some(&3) {
        from = vec![3, 0];
    }
    let mut to = begin.release().to_vec();
    for numbers in [&mut from, &mut to] {
        while numbers.len() > 1 && numbers.last() == Some(&0) {
            numbers.pop();
        }
    }
    let length = from.len().max(to.len());
    from.resize(length, 0);
    to.resize(length, 0);
    let ((first, head), (last, same)) = (from.split_last()?, to.split_last()?);
    if head != same || last.saturating_sub(*first) > MOST_EXCLUDED {
        return None;
    }
    let excluded = |number| {
        let release: Vec<u64> = head.iter().copied().chain([number]).collect();
        VersionSpecifier::not_equals_star_version(Version::new(release).with_epoch(end.epoch()))
    };
    Some((*first..*last).map(excluded).collect())
}

/// Of two lower bounds, which one is higher; none is the lowest.
fn lower(a: Option<&Bound>, b: Option<&Bound>) -> Ordering {
    match (a, b) {
        (Some((a, at_a)), Some((b, at_b))) => a.cmp(b).then(at_b.cmp(at_a)),
        _ => a.is_some().cmp(&b.is_some()),
    }
}

/// Of two upper bounds, which one is higher; none is the highest.
fn upper(a: Option<&Bound>, b: Option<&Bound>) -> Ordering {
    match (a, b) {
        (Some((a, at_a)), Some((b, at_b))) => a.cmp(b).then(at_a.cmp(at_b)),
        _ => a.is_none().cmp(&b.is_none()),
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use proptest::prelude::*;

    use super::*;

    fn joined(alternatives: &[&str]) -> (String, bool) {
        let parse = |text: &&str| VersionSpecifiers::from_str(text).unwrap().iter().cloned().collect();
        let joined = join(alternatives.iter().map(parse).collect(), Of::Distribution);
        (joined.specifiers.to_string(), joined.exact)
    }

    #[test]
    fn what_lies_between_is_excluded() {
        for (alternatives, expected) in [
            (&[">=1.2,<1.4", ">=1.5,<2"][..], ">=1.2, !=1.4.*, <2"),
            (&[">=1.2,<2.0", ">=2.3,<3.0"], ">=1.2, !=2.0.*, !=2.1.*, !=2.2.*, <3.0"),
            (&["<1.5", ">1.5"], "!=1.5"),
            (&[">=2", "==1.*"], ">=1"),
            (&[">=1,<3", ">=2,<4"], ">=1, <4"),
            (&[">=1,!=1.5", ">=1,!=1.5,!=1.6"], ">=1, !=1.5"),
            (&["!=1.5.*", ">=1.5.3"], ""),
            (&["", "==1.0"], ""),
            (&["==1.0", "==1.0"], ">=1.0, <=1.0"),
            (&[">2,<1", ">=3"], ">=3"),
        ] {
            assert_eq!(joined(alternatives), (expected.to_owned(), true), "{alternatives:?}");
        }
    }

    #[test]
    fn else_the_hull_is_taken() {
        assert_eq!(joined(&["==1.0", "==1.4"]), (">=1.0, <=1.4".to_owned(), false));
        assert!(!joined(&["<=1.2", ">=1.4"]).1);
        assert_eq!(joined(&["~=1.2.3", ">=2.5.1"]), (">=1.2.3".to_owned(), false));
    }

    proptest! {
        #[test]
        fn nothing_that_an_alternative_allows_is_lost(
            bounds in prop::collection::vec((0_u64..4, 0_u64..4, 0_u64..4, 0_u64..4), 2..4),
            version in (0_u64..4, 0_u64..5, 0_u64..2),
        ) {
            let texts: Vec<String> = bounds.iter().map(|(a, b, c, d)| format!(">={a}.{b},<{c}.{d}")).collect();
            let parse = |text: &String| VersionSpecifiers::from_str(text).unwrap();
            let each: Vec<VersionSpecifiers> = texts.iter().map(parse).collect();
            let alternatives = each.iter().map(|one| one.iter().cloned().collect()).collect();
            let joined = join(alternatives, Of::Distribution);
            let version = Version::new([version.0, version.1, version.2]);
            let allowed = each.iter().any(|one| one.contains(&version));
            prop_assert!(!allowed || joined.specifiers.contains(&version), "{:?} {}", texts, joined.specifiers);
            prop_assert!(!joined.exact || allowed == joined.specifiers.contains(&version), "{:?} {}", texts, joined.specifiers);
        }
    }
}
