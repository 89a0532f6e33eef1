//! What differs between two environments, and how true a replica is to one. Pure.

mod facts;
mod fidelity;
mod same;

use crate::catalogue::{Catalogue, FactRelevance};
use crate::model::{Comparison, Difference, Fact, Relevance, Side};

use facts::{Facts, Told};
use same::Likeness;

pub use fidelity::fidelity;

/// What differs between `left` and `right`, the most relevant to `torch.compile` first: needs that one of them does not
/// meet, then everything by the rows of `images/relevance.toml`. What only one of them can tell is no difference.
pub fn compare(catalogue: &Catalogue, left: Side, right: Side) -> Comparison {
    let relevance = catalogue.relevance();
    let (mut differences, mut untold, mut same) = (Vec::new(), Vec::new(), 0);
    {
        let (one, other) = (Facts::of(&left.environment, relevance), Facts::of(&right.environment, relevance));
        for name in one.names_with(&other) {
            let (here, there) = (one.get(&name), other.get(&name));
            match likeness(&name, here, there, &one, &other) {
                Likeness::Same => same += 1,
                Likeness::Unknown => untold.push(name),
                Likeness::Other => differences.push(difference(relevance, &name, here, there)),
            }
        }
    }
    differences.sort_by_cached_key(|difference| place(relevance, difference));
    untold.sort_by_cached_key(|name| (relevance.of(name).order, name.clone()));
    Comparison { left, right, differences, same, untold }
}

/// Whether a fact is the same on both sides. What one side does not tell is another only where that side would tell it.
fn likeness(
    name: &str,
    here: Option<&Told<'_>>,
    there: Option<&Told<'_>>,
    one: &Facts<'_>,
    other: &Facts<'_>,
) -> Likeness {
    match (here, there) {
        (Some(here), Some(there)) => here.value.likeness(&there.value),
        (Some(told), None) if other.would_tell(name, &told.value) => Likeness::Other,
        (None, Some(told)) if one.would_tell(name, &told.value) => Likeness::Other,
        _ => Likeness::Unknown,
    }
}

fn difference(relevance: &FactRelevance, name: &str, here: Option<&Told<'_>>, there: Option<&Told<'_>>) -> Difference {
    let known = relevance.of(name);
    let detail = here.zip(there).is_some_and(|(here, there)| here.value.differs_in_detail(&there.value));
    let fact = |told: Option<&Told<'_>>| {
        told.map(|told| Fact { value: told.value.shown(detail), origin: told.origin.clone() })
    };
    Difference {
        name: name.to_owned(),
        title: known.title(name),
        left: fact(here),
        right: fact(there),
        relevance: if detail { Relevance::Minor } else { known.relevance },
        because: if detail { String::new() } else { known.because().to_owned() },
    }
}

/// The place of a difference among the others.
fn place(relevance: &FactRelevance, difference: &Difference) -> (bool, Relevance, usize, String) {
    let is_need = difference.name.starts_with("need ");
    (!is_need, difference.relevance, relevance.of(&difference.name).order, difference.name.clone())
}

#[cfg(test)]
mod tests;
