//! What a log says of the machine that it was written on, by the rows of `images/circumstances.toml`.

use std::collections::BTreeMap;

use regex::Captures;

use super::scan::is_harmless;
use crate::catalogue::{Fact, Marks, Role};
use crate::model::{Circumstances, Said};

/// What was said so far.
pub(super) struct Told<'a> {
    marks: &'a Marks,
    /// Each fact, with the index of the sign that says it: a lower one is more to be believed.
    facts: BTreeMap<Fact, (usize, Said)>,
}

impl<'a> Told<'a> {
    pub(super) fn new(marks: &'a Marks) -> Self {
        Self { marks, facts: BTreeMap::new() }
    }

    /// Takes in what a line says that matches the sign; patterns that can say nothing better are taken from `live`.
    pub(super) fn see(&mut self, sign: usize, captures: &Captures<'_>, number: usize, live: &mut [bool]) {
        let constant = self.marks.signs()[sign].says.iter().map(|(fact, value)| (*fact, value.clone()));
        let named = Fact::ALL.iter().filter_map(|(fact, name)| Some((*fact, captures.name(name)?.as_str().to_owned())));
        let mut better = false;
        for (fact, value) in constant.chain(named).filter(|(_, value)| is_harmless(value)) {
            if self.facts.get(&fact).is_none_or(|(known, _)| *known > sign) {
                self.facts.insert(fact, (sign, Said { value, line: number }));
                better = true;
            }
        }
        if better {
            self.forget(live);
        }
    }

    fn forget(&self, live: &mut [bool]) {
        for (index, role) in self.marks.roles().iter().enumerate() {
            if let Role::Sign(sign) = role {
                let known = |fact| self.facts.get(fact).is_some_and(|(known, _)| known <= sign);
                live[index] &= !self.marks.signs()[*sign].facts.iter().all(known);
            }
        }
    }

    pub(super) fn circumstances(mut self) -> Circumstances {
        let mut take = |fact| self.facts.remove(&fact).map(|(_, said)| said);
        Circumstances {
            python: take(Fact::Python),
            installation: take(Fact::Installation),
            torch_place: take(Fact::TorchPlace),
            torch: take(Fact::Torch),
            system: take(Fact::System),
            compiler: take(Fact::Compiler),
            isa: take(Fact::Isa),
            container: take(Fact::Container),
        }
    }
}
