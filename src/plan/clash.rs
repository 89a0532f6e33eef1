use std::collections::BTreeSet;

use pep440_rs::Version;

use super::demand::{Demand, Kind, allows, minors};
use super::target::Target;
use super::wish::Verdict;
use crate::catalogue::TorchRelease;
use crate::model::{Error, Origin};

/// The error for demands that no target meets: the ones that clash, and the nearest change that would work.
pub(super) fn clash(demands: &[Demand], targets: &[Target], torch: &[TorchRelease]) -> Error {
    let culprits = culprits(&demands.iter().collect::<Vec<_>>(), targets.len());
    let message = match culprits.as_slice() {
        [] => "the catalogue has no bases".to_owned(),
        [alone] => on_its_own(alone, demands, targets, torch),
        [first, others @ ..] => {
            let says = |demand| says(demand, &culprits, targets);
            let first = says(first);
            let others: Vec<_> = others.iter().map(|other| placed(other, &also(says(other), &first))).collect();
            format!("{first}, but {}", others.join(" and "))
        }
    };
    let error = Error::no(message);
    let error = match culprits.first().map(|demand| &demand.origin) {
        None | Some(Origin::Default) => error,
        Some(origin) => error.at(origin.clone()),
    };
    let hints: Vec<_> = culprits.iter().filter_map(|left_out| hint(left_out, demands, targets, torch)).collect();
    match if hints.is_empty() { together(demands, targets, torch) } else { Some(hints.join("\n")) } {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

/// The fewest demands that exclude each other. That bases are held back is named only where nothing else explains it.
fn culprits<'d>(demands: &[&'d Demand], targets: usize) -> Vec<&'d Demand> {
    let free: Vec<&Demand> = demands.iter().copied().filter(|demand| demand.kind != Kind::OnRequest).collect();
    let among = if excluded(&free, targets) { free } else { demands.to_vec() };
    if targets == 0 || !excluded(&among, targets) {
        return Vec::new();
    }
    if let Some(alone) = among.iter().find(|demand| excluded(&[demand], targets)) {
        return vec![alone];
    }
    for (at, first) in among.iter().enumerate() {
        if let Some(second) = among[at + 1..].iter().find(|second| excluded(&[first, second], targets)) {
            return vec![first, second];
        }
    }
    // More than two together: each is left out that changes nothing.
    let mut left = among.clone();
    for demand in among.iter().rev() {
        let without: Vec<_> = left.iter().copied().filter(|other| !std::ptr::eq(*other, *demand)).collect();
        if excluded(&without, targets) {
            left = without;
        }
    }
    left
}

/// Whether no target meets all of these.
fn excluded(demands: &[&Demand], targets: usize) -> bool {
    !(0..targets).any(|at| demands.iter().all(|demand| demand.allows(at)))
}

/// What a demand says against the best target that the other culprits leave.
fn says(demand: &Demand, culprits: &[&Demand], targets: &[Target]) -> String {
    if let (Kind::Base, Some(brings)) = (demand.kind, brings(demand, targets)) {
        return brings;
    }
    let others = |at: &usize| culprits.iter().all(|other| std::ptr::eq(*other, demand) || other.allows(*at));
    let best = (0..targets.len()).find(|at| others(at) && !demand.allows(*at));
    let clause = best.and_then(|at| demand.refusals[at].clone());
    clause.or_else(|| demand.refusals.iter().flatten().next().cloned()).unwrap_or_default()
}

/// The base that is asked for, with its interpreters.
fn brings(demand: &Demand, targets: &[Target]) -> Option<String> {
    let of_base: Vec<&Target> = (0..targets.len()).filter(|at| demand.allows(*at)).map(|at| &targets[at]).collect();
    let pythons: BTreeSet<Version> = of_base.iter().map(|target| target.python.minor()).collect();
    let pythons: Vec<String> = pythons.iter().map(ToString::to_string).collect();
    Some(format!("`{}` is asked for, which brings Python {}", of_base.first()?.base.id, pythons.join(", ")))
}

/// A clause that has the same subject as the first.
fn also(says: String, first: &str) -> String {
    const PROJECT: &str = "the project ";
    match says.strip_prefix(PROJECT).filter(|_| first.starts_with(PROJECT)) {
        Some(rest) => format!("it also {rest}"),
        None => says,
    }
}

/// A clause with the place that it speaks of.
fn placed(demand: &Demand, says: &str) -> String {
    match &demand.origin {
        Origin::Default => says.to_owned(),
        origin => format!("{says} ({origin})"),
    }
}

/// The message for a demand that nothing meets, whatever else is asked for.
fn on_its_own(demand: &Demand, demands: &[Demand], targets: &[Target], torch: &[TorchRelease]) -> String {
    let all: Vec<&Demand> = demands.iter().collect();
    match demand.kind {
        Kind::Torch if targets.iter().all(|target| matches!(target.verdict, Verdict::Never(..))) => {
            says(demand, &all, targets)
        }
        Kind::Asked => most_telling(demand, targets),
        _ => {
            let says = says(demand, &all, targets);
            let wheels = demand.python.as_ref().and_then(|python| {
                let has = |minor: &Version| torch.iter().any(|release| release.has_wheel(minor));
                (!minors().filter(has).any(|minor| allows(python, &minor))).then(|| wheels(torch)).flatten()
            });
            format!("{says}, and {}", wheels.unwrap_or_else(|| "no base has that".to_owned()))
        }
    }
}

/// Of what a demand says, what it says of the target that comes closest: a base that has a torch of its own.
fn most_telling(demand: &Demand, targets: &[Target]) -> String {
    let own =
        |at: &usize| targets[*at].base.torch.as_ref().is_some_and(|torch| torch.python == targets[*at].python.minor());
    let best = (0..targets.len()).find(own).or(Some(0)).and_then(|at| demand.refusals[at].clone());
    best.unwrap_or_default()
}

fn wheels(torch: &[TorchRelease]) -> Option<String> {
    let oldest = torch.iter().map(|release| &release.python.from).min()?;
    let newest = torch.iter().map(|release| &release.python.to).max()?;
    let first = &torch.first()?.release;
    Some(format!("torch with `torch.compile` ({first} and later) has wheels for Python {oldest} to {newest} only"))
}

/// The nearest change of `demand` that would work, everything else left as it is.
fn hint(demand: &Demand, demands: &[Demand], targets: &[Target], torch: &[TorchRelease]) -> Option<String> {
    let rest = |at: &usize| demands.iter().all(|other| std::ptr::eq(other, demand) || other.allows(*at));
    let left = (0..targets.len()).filter(rest);
    // Targets are sorted, and of equals the first is taken.
    let target = &targets[left.min_by_key(|at| distance(demand, &targets[*at].python.minor()))?];
    let (base, python) = (&target.base.id, target.python.minor());
    Some(match demand.kind {
        Kind::Torch => format!("`{}` would work on Python {python}", nearest_torch(target, torch)?),
        Kind::Preference => format!("`--python {python}` would overrule {}", demand.origin),
        Kind::Enforced => format!("{} would have to allow Python {python}", demand.origin),
        Kind::Python => format!("`--python {python}` would work, on {base}"),
        Kind::Base | Kind::OnRequest => format!("`--base {base}` would work, with Python {python}"),
        Kind::Asked => format!("without {} it would be {base} with Python {python}", demand.origin),
    })
}

/// The changes that would work together, where none does alone: of each clash one side gives way.
fn together(demands: &[Demand], targets: &[Target], torch: &[TorchRelease]) -> Option<String> {
    let mut kept: Vec<&Demand> = demands.iter().collect();
    let mut gave_way: Vec<&Demand> = Vec::new();
    while let Some(first) = culprits(&kept, targets.len()).first().copied() {
        kept.retain(|demand| !std::ptr::eq(*demand, first));
        gave_way.push(first);
    }
    let left = (0..targets.len()).filter(|at| kept.iter().all(|demand| demand.allows(*at)));
    let far = |at: &usize| gave_way.iter().map(|demand| distance(demand, &targets[*at].python.minor())).sum::<u64>();
    let target = &targets[left.min_by_key(far)?];
    let (base, python) = (&target.base.id, target.python.minor());
    let change = |demand: &&Demand| match demand.kind {
        Kind::Torch => nearest_torch(target, torch).map(|torch| format!("`{torch}`")),
        Kind::Preference | Kind::Python => Some(format!("`--python {python}`")),
        Kind::Base | Kind::OnRequest => Some(format!("`--base {base}`")),
        Kind::Enforced => None,
        Kind::Asked => Some(format!("no {}", demand.origin)),
    };
    let mut changes: Vec<String> = gave_way.iter().filter_map(change).collect();
    changes.dedup();
    // A project may have dozens of wheels that are for one interpreter.
    let enforced: Vec<&Demand> = gave_way.iter().copied().filter(|demand| demand.kind == Kind::Enforced).collect();
    changes.extend(enforced.first().map(|first| match enforced.len() {
        1 => format!("Python {python} allowed at {}", first.origin),
        count => format!("Python {python} allowed at {} and {} more places", first.origin, count - 1),
    }));
    let works = if changes.len() > 1 { "together would work" } else { "would work" };
    Some(format!("{} {works}, on {base}", changes.join(" and ")))
}

/// How far `python` (`X.Y`) is from what a demand allows.
fn distance(demand: &Demand, python: &Version) -> u64 {
    let minor = |version: &Version| version.release().get(1).copied().unwrap_or_default();
    let allowed = demand.python.iter().flat_map(|wanted| minors().filter(|minor| allows(wanted, minor)));
    allowed.map(|version| minor(&version).abs_diff(minor(python))).min().unwrap_or_default()
}

/// The versions of torch that compile on a target, the nearest to those that are wished for.
fn nearest_torch(target: &Target, torch: &[TorchRelease]) -> Option<String> {
    let works = |release: &&TorchRelease| target.wish.works(release, target.base, target.python);
    let first = torch.iter().find(works)?;
    let last = torch.iter().rfind(works)?;
    let after = torch.iter().find(|release| release.release > last.release);
    let oldest_wish = target.wish.oldest(torch);
    Some(match after.filter(|_| oldest_wish.is_some_and(|oldest| oldest.release > last.release)) {
        Some(after) => format!("torch<{}", after.release),
        None => format!("torch>={}", first.release),
    })
}
