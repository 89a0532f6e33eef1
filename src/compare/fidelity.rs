use super::facts::{Facts, Told, Value};
use super::same::Likeness;
use crate::catalogue::{Catalogue, Known};
use crate::model::{Environment, Fact, Fidelity, FidelityItem, Grade, Relevance, Replica, SystemFamily};

/// How true `replica` is to what was `reported`: each fact is held against what was `measured` in the image that was built,
/// else against what is predicted of it. A fact that a prediction says nothing of, and gives no reason for, is left out until
/// it is measured.
pub fn fidelity(
    catalogue: &Catalogue,
    reported: &Environment,
    replica: &Replica,
    measured: Option<&Environment>,
) -> Fidelity {
    let relevance = catalogue.relevance();
    let facts = Facts::of(reported, relevance);
    let here = Facts::of(measured.unwrap_or(&replica.predicted), relevance);
    let mut items: Vec<(usize, FidelityItem)> = Vec::new();
    for (name, told) in facts.iter() {
        // A value that the reporter kept back cannot be had.
        if matches!(told.value, Value::Variable(None)) {
            continue;
        }
        let known = relevance.of(name);
        let reason = replica.reasons.get(name);
        let there = here.get(name);
        if there.is_none() && reason.is_none() && !would_be_told(&known, &told.value, measured.is_some()) {
            continue;
        }
        items.push((known.order, item(name, told, there, known, reason)));
    }
    items.sort_by_cached_key(|(order, item)| (item.relevance, *order, item.name.clone()));
    let items: Vec<FidelityItem> = items.into_iter().map(|(_, item)| item).collect();
    Fidelity { score: score(&items), items, measured: measured.is_some() }
}

/// Whether it says something that the replica has nothing of a fact. A plan names all that it installs and sets; of most
/// else it knows nothing, and of the needs only what was built can tell.
fn would_be_told(known: &Known<'_>, value: &Value<'_>, measured: bool) -> bool {
    let impossible = known.row.is_some_and(|row| row.impossible.is_some());
    measured || impossible || matches!(value, Value::Package(_) | Value::Variable(_))
}

fn item(
    name: &str,
    told: &Told<'_>,
    there: Option<&Told<'_>>,
    known: Known<'_>,
    reason: Option<&String>,
) -> FidelityItem {
    let likeness = there.map(|there| told.value.likeness(&there.value));
    let detail = there.is_some_and(|there| told.value.differs_in_detail(&there.value));
    let impossible = known.row.and_then(|row| row.impossible.as_deref()).filter(|_| beyond_containers(&told.value));
    let grade = match (likeness, impossible) {
        (Some(Likeness::Same), _) => Grade::Same,
        (_, Some(_)) => Grade::Impossible,
        (Some(_), None) => Grade::Nearest,
        (None, None) => Grade::LeftOut,
    };
    let because = match grade {
        Grade::Same => "",
        Grade::Impossible => reason.map(String::as_str).or(impossible).unwrap_or_default(),
        Grade::Nearest => reason.map_or("the nearest that can be had", String::as_str),
        Grade::LeftOut => reason.map_or_else(|| left_out(known.relevance), String::as_str),
    };
    FidelityItem {
        name: name.to_owned(),
        title: known.title(name),
        reported: Fact { value: told.value.shown(detail), origin: told.origin.clone() },
        replica: there.map(|there| there.value.shown(detail)),
        grade,
        because: because.to_owned(),
        relevance: if detail { Relevance::Minor } else { known.relevance },
    }
}

/// Of systems, those that are not Linux; of all else that a row calls impossible, everything.
fn beyond_containers(value: &Value<'_>) -> bool {
    match value {
        Value::System(system) => system.family != SystemFamily::Linux,
        _ => true,
    }
}

fn left_out(relevance: Relevance) -> &'static str {
    match relevance {
        Relevance::Minor => "it does not matter to `torch.compile`",
        Relevance::Decisive | Relevance::Relevant => "the replica has nothing of it",
    }
}

/// The share of what can be had that is the same, in percent. It is 100 only where all of it is; and 0 where nothing was
/// reported that could be had.
fn score(items: &[FidelityItem]) -> u8 {
    let weight = |item: &FidelityItem| match item.relevance {
        Relevance::Decisive => 20_u64,
        Relevance::Relevant => 5,
        Relevance::Minor => 1,
    };
    let possible = || items.iter().filter(|item| item.grade != Grade::Impossible);
    let all: u64 = possible().map(weight).sum();
    let same: u64 = possible().filter(|item| item.grade == Grade::Same).map(weight).sum();
    u8::try_from((same * 100).checked_div(all).unwrap_or(0)).unwrap_or(100)
}
