//! Comprehensions.

use ruff_python_ast::{Comprehension, Expr, ExprDictComp};

use super::condition::Truth;
use super::expression::{push, set};
use super::value::{Item, Value};
use super::{ANY, HEAVIEST, Machine};
use crate::inspect::setuptools::requirement::{Sure, When};

impl<'a> Machine<'a, '_> {
    pub(super) fn comprehend(&mut self, element: &'a Expr, generators: &'a [Comprehension], line: usize) -> Value<'a> {
        let mut items = Vec::new();
        self.rounds(generators, &When::default(), &mut |machine, when| {
            let value = machine.eval(element);
            push(&mut items, value, when);
        });
        if items.len() > HEAVIEST { Value::Unknown(line) } else { Value::List(items) }
    }

    /// Calls `round` for each round of the loops of a comprehension.
    fn rounds(&mut self, generators: &'a [Comprehension], when: &When, round: &mut dyn FnMut(&mut Self, &When)) {
        let Some((first, rest)) = generators.split_first() else { return round(self, when) };
        if !self.deeper() {
            return;
        }
        let line = self.line_of(&first.iter);
        let over = self.eval(&first.iter);
        let items = over.items().unwrap_or_else(|| vec![Value::Unknown(line).into()]);
        for item in items {
            if !self.charge(1) {
                break;
            }
            let file = item.value.source().map(str::to_owned);
            self.bind(&first.target, item.value);
            let mut when = when.and(&item.when);
            let mut truth = Truth::Yes;
            for test in &first.ifs {
                truth = truth.and(self.truth(test));
                if let Some(file) = &file {
                    self.leaves_out(Some(file), test);
                }
            }
            match truth {
                Truth::No => continue,
                Truth::Marker { yes, .. } => when = when.and(&When::marked(&yes)),
                Truth::Unknown if file.is_none() => when = when.and(&When::unsure(Sure::Maybe)),
                Truth::Yes | Truth::Unknown => {}
            }
            self.rounds(rest, &when, round);
        }
        self.depth -= 1;
    }

    pub(super) fn comprehend_dict(&mut self, comprehension: &'a ExprDictComp) -> Value<'a> {
        let mut entries = Vec::new();
        let pair = Pair { key: comprehension.key.as_deref(), value: &comprehension.value };
        self.rounds(&comprehension.generators, &When::default(), &mut |machine, when| {
            machine.pair(pair, when, &mut entries);
        });
        Value::Dict(entries)
    }

    fn pair(&mut self, pair: Pair<'a>, when: &When, entries: &mut Vec<(String, Item<'a>)>) {
        let value = self.eval(pair.value);
        let line = self.line_of(pair.value);
        match pair.key.map(|key| self.eval(key)) {
            Some(Value::Text(key)) => set(entries, key.content, Item { value, when: when.clone() }),
            _ => set(entries, ANY.to_owned(), Value::Unknown(line).into()),
        }
    }
}

/// The key and value of a comprehension.
#[derive(Clone, Copy)]
struct Pair<'a> {
    key: Option<&'a Expr>,
    value: &'a Expr,
}
