//! Branches: both ways are followed where a condition is not known, and what comes of them is joined.

use std::collections::BTreeMap;

use ruff_python_ast::{ElifElseClause, Stmt, StmtIf, Suite};

use super::condition::Truth;
use super::value::{Value, merge};
use super::{DEEPEST, Flow, Machine, Scope};
use crate::inspect::setuptools::requirement::When;

/// What comes of an `if`.
pub(super) enum Branched<'a> {
    /// How it ends, whichever way it goes.
    One(Flow<'a>),
    /// One way leaves the block so, with these names, under this marker; the other goes on.
    Left { left: Vec<Scope<'a>>, flow: Flow<'a>, marker: Option<(String, String)> },
}

impl<'a> Machine<'a, '_> {
    pub(super) fn branch(&mut self, branch: &'a StmtIf) -> Branched<'a> {
        let truth = self.truth(&branch.test);
        let unknown = truth == Truth::Unknown;
        let ways = self.ways(truth, &branch.body, &branch.elif_else_clauses, self.line_of(&*branch.test));
        if unknown && matches!(ways, Branched::Left { flow: Flow::Skip, .. }) {
            self.leaves_out(None, &branch.test);
        }
        ways
    }

    fn ways(&mut self, truth: Truth, body: &'a Suite, others: &'a [ElifElseClause], line: usize) -> Branched<'a> {
        let marker = match truth {
            Truth::Yes => return Branched::One(self.block(body)),
            Truth::No => return self.otherwise(others),
            Truth::Marker { yes, no } => Some((yes, no)),
            Truth::Unknown => None,
        };
        let before = self.scopes.clone();
        let cost = before.iter().flat_map(BTreeMap::values).map(Value::weight).sum();
        if !self.charge(cost) {
            return Branched::One(Flow::Next);
        }
        let taken = self.block(body);
        let left = std::mem::replace(&mut self.scopes, before);
        let other = match self.otherwise(others) {
            Branched::One(flow) => flow,
            // One way of a deeper branch leaves: what follows is taken to be the other.
            Branched::Left { .. } => Flow::Next,
        };
        let words = marker.as_ref().map(|(yes, no)| (yes.as_str(), no.as_str()));
        match (taken, other) {
            (Flow::Raise, other) => Branched::One(other),
            (taken, Flow::Raise) => {
                self.scopes = left;
                Branched::One(taken)
            }
            (Flow::Return(yes), Flow::Return(no)) => Branched::One(Flow::Return(self.merged(yes, no, words, line))),
            (Flow::Next, Flow::Next) | (Flow::Skip, Flow::Skip) => {
                self.join(left, words, line);
                Branched::One(Flow::Next)
            }
            (Flow::Next, flow) => {
                let there = std::mem::replace(&mut self.scopes, left);
                Branched::Left { left: there, flow, marker: marker.map(|(yes, no)| (no, yes)) }
            }
            (flow, _) => Branched::Left { left, flow, marker },
        }
    }

    fn otherwise(&mut self, others: &'a [ElifElseClause]) -> Branched<'a> {
        let Some((first, rest)) = others.split_first() else { return Branched::One(Flow::Next) };
        let Some(test) = &first.test else { return Branched::One(self.block(&first.body)) };
        if self.depth >= DEEPEST {
            return Branched::One(Flow::Next);
        }
        self.depth += 1;
        let truth = self.truth(test);
        let line = self.line_of(test);
        let ways = self.ways(truth, &first.body, rest, line);
        self.depth -= 1;
        ways
    }

    /// The rest of a block, which one way has left.
    pub(super) fn without(
        &mut self,
        left: Vec<Scope<'a>>,
        flow: Flow<'a>,
        marker: Option<&(String, String)>,
        rest: &'a [Stmt],
    ) -> Flow<'a> {
        let words = marker.map(|(yes, no)| (yes.as_str(), no.as_str()));
        let line = rest.first().map_or(1, |statement| self.line_of(statement));
        let there = self.block(rest);
        match (flow, there) {
            (Flow::Return(yes), Flow::Return(no)) => Flow::Return(self.merged(yes, no, words, line)),
            (Flow::Return(yes), Flow::Raise) => Flow::Return(yes),
            (Flow::Return(yes), _) => Flow::Return(self.merged(yes, Value::None, words, line)),
            (_, there) => {
                self.join(left, words, line);
                there
            }
        }
    }

    /// What is joined of two values, unless that is too much to compare.
    pub(super) fn merged(
        &mut self,
        yes: Value<'a>,
        no: Value<'a>,
        marker: Option<(&str, &str)>,
        line: usize,
    ) -> Value<'a> {
        let cost = yes.weight().saturating_mul(no.weight()) / 16;
        if self.charge(cost) { merge(yes, no, marker, line) } else { Value::Unknown(line) }
    }

    /// Joins what was before a round of a loop that may not take place with what is after it.
    pub(super) fn rejoin(&mut self, before: Vec<Scope<'a>>, when: &When, line: usize) {
        let marker = when.marker.as_deref().map(|marker| (marker, "python_version < '0'"));
        let after = std::mem::replace(&mut self.scopes, before);
        self.join(after, marker, line);
    }

    /// Joins the names of `taken`, where a condition holds, with those that are there, where it does not.
    fn join(&mut self, taken: Vec<Scope<'a>>, marker: Option<(&str, &str)>, line: usize) {
        for (scope, taken) in self.scopes.iter_mut().zip(taken) {
            let mut cost = 0;
            for (name, value) in taken {
                let other = scope.remove(name);
                cost += 1 + value.weight();
                let merged = match other {
                    Some(other) if other == value => value,
                    Some(other) => {
                        cost += value.weight().saturating_mul(other.weight()) / 16;
                        if cost > self.budget { Value::Unknown(line) } else { merge(value, other, marker, line) }
                    }
                    None => merge(value, Value::None, marker, line),
                };
                scope.insert(name, merged);
            }
            self.budget = self.budget.saturating_sub(cost);
        }
    }
}
