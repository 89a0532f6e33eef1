use pep440_rs::Version;

use super::target::Target;
use crate::catalogue::TorchRelease;
use crate::model::{Error, Origin};

/// Something that narrows the choice of a target.
#[derive(Debug)]
pub(super) struct Demand {
    /// Who demands it.
    pub(super) origin: Origin,
    /// For each target, the clause that says why it is ruled out, where it is.
    pub(super) refusals: Vec<Option<String>>,
    kind: Kind,
}

/// What can be done about a demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It can be left out or changed where it stands.
    Plain,
    /// The project's torch: another version may do.
    Torch,
    /// A wish for a Python that nothing enforces: `--python` overrules it.
    Preference,
}

impl Demand {
    /// What `origin` demands, with its refusal of each target.
    pub(super) fn new<'a>(
        kind: Kind,
        origin: Origin,
        targets: &[Target<'a>],
        refusal: impl Fn(&Target<'a>) -> Option<String>,
    ) -> Self {
        Self { origin, refusals: targets.iter().map(refusal).collect(), kind }
    }

    fn allows(&self, at: usize) -> bool {
        self.refusals[at].is_none()
    }

    fn refuses_all(&self) -> bool {
        self.refusals.iter().all(Option::is_some)
    }
}

/// The error for demands that no target meets: the ones that clash, and the nearest change that would work.
pub(super) fn clash(demands: &[Demand], targets: &[Target], torch: &[TorchRelease]) -> Error {
    let (first, second) = culprits(demands, targets.len());
    let others = |at: usize| demands.iter().filter(|d| !std::ptr::eq(*d, first)).all(|d| d.allows(at));
    let seen = (0..targets.len()).find(|at| others(*at) && !first.allows(*at)).unwrap_or(0);
    let says = first.refusals[seen].clone().or_else(|| first.refusals.iter().flatten().next().cloned());
    let says = says.unwrap_or_default();
    let message = match second {
        Some(second) => {
            let left: Vec<_> = (0..targets.len()).filter(|at| first.allows(*at)).map(|at| name(&targets[at])).collect();
            let because = (0..targets.len()).filter(|at| first.allows(*at)).find_map(|at| second.refusals[at].clone());
            let because = because.unwrap_or_default();
            format!("{says}; {} would do, but {because} ({})", left.join(" or "), second.origin)
        }
        None => format!("{says}, and no base fits that"),
    };
    let hint = hint(demands, targets, torch).unwrap_or_else(|| {
        let known: Vec<_> = targets.iter().map(name).collect();
        format!("the bases are {}", known.join(" and "))
    });
    let error = Error::no(message).with_hint(hint);
    error.at(first.origin.clone())
}

/// The demand that nothing meets, or two that exclude each other; torch's is named first.
fn culprits(demands: &[Demand], targets: usize) -> (&Demand, Option<&Demand>) {
    if let Some(alone) = demands.iter().find(|d| d.refuses_all()) {
        return (alone, None);
    }
    for first in demands.iter().rev() {
        let against = |d: &&Demand| (0..targets).all(|at| !(first.allows(at) && d.allows(at)));
        if let Some(second) = demands.iter().find(against) {
            return (first, Some(second));
        }
    }
    // More than two together leave nothing: the last one closes the door on what the others leave.
    (&demands[demands.len() - 1], demands.first())
}

fn name(target: &Target) -> String {
    format!("{} with Python {}", target.base.id, target.python.minor())
}

/// The nearest change that would work: another torch, or one demand less.
fn hint(demands: &[Demand], targets: &[Target], torch: &[TorchRelease]) -> Option<String> {
    let without = |left_out: &Demand| {
        let rest = |at: &usize| demands.iter().filter(|d| !std::ptr::eq(*d, left_out)).all(|d| d.allows(*at));
        (0..targets.len()).find(rest).map(|at| &targets[at])
    };
    let mut hints = Vec::new();
    for demand in demands.iter().filter(|d| d.refusals.iter().any(Option::is_some)) {
        let Some(target) = without(demand) else { continue };
        let (python, name) = (target.python.minor(), name(target));
        hints.push(match demand.kind {
            Kind::Torch => format!("`torch>={}` would work with {name}", first_that_compiles(torch, &python)?),
            Kind::Preference => format!("`--python {python}` would overrule {} and take {name}", demand.origin),
            Kind::Plain => format!("without {} it would be {name}", demand.origin),
        });
    }
    (!hints.is_empty()).then(|| hints.join("\n"))
}

/// The first release that compiles on `python` (`X.Y`).
pub(super) fn first_that_compiles<'c>(torch: &'c [TorchRelease], python: &Version) -> Option<&'c Version> {
    torch.iter().find(|release| release.compiles(python)).map(|release| &release.release)
}
