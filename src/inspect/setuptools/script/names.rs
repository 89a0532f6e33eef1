//! Names and what they are bound to.

use ruff_python_ast::visitor::{Visitor, walk_expr};
use ruff_python_ast::{Expr, Operator};

use super::expression::{binary, set};
use super::value::{Item, Value};
use super::{ANY, Machine};
use crate::inspect::setuptools::requirement::When;

impl<'a> Machine<'a, '_> {
    /// Binds the names of a target.
    pub(super) fn bind(&mut self, target: &'a Expr, value: Value<'a>) {
        match target {
            Expr::Name(name) => self.bind_name(name.id.as_str(), value),
            Expr::Tuple(tuple) => self.unpack(&tuple.elts, value),
            Expr::List(list) => self.unpack(&list.elts, value),
            Expr::Subscript(subscript) => {
                let (key, line) = (self.eval(&subscript.slice), self.line_of(target));
                let Some(place) = self.place(&subscript.value) else { return };
                match (place, key) {
                    (Value::Dict(entries), Value::Text(key)) => set(entries, key.content, value.into()),
                    (Value::Dict(entries), _) => set(entries, ANY.to_owned(), Value::Unknown(line).into()),
                    _ => {}
                }
            }
            _ => {}
        }
    }

    pub(super) fn bind_name(&mut self, name: &'a str, value: Value<'a>) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(name, value);
        }
    }

    fn unpack(&mut self, targets: &'a [Expr], value: Value<'a>) {
        let sure = |items: &[Item<'_>]| items.len() == targets.len() && items.iter().all(|i| i.when == When::default());
        let values: Vec<Value<'a>> = match value {
            Value::List(items) if sure(&items) => items.into_iter().map(|item| item.value).collect(),
            Value::File(file) | Value::Line(file) => targets.iter().map(|_| Value::Line(file.clone())).collect(),
            _ => targets.iter().map(|target| Value::Unknown(self.line_of(target))).collect(),
        };
        for (target, value) in targets.iter().zip(values) {
            self.bind(target, value);
        }
    }

    /// Where the value of an expression is kept: a name, or a key of a dictionary.
    pub(super) fn place(&mut self, expression: &'a Expr) -> Option<&mut Value<'a>> {
        match expression {
            Expr::Name(name) => self.lookup_mut(name.id.as_str()),
            Expr::Subscript(subscript) if self.deeper() => {
                let key = self.eval(&subscript.slice);
                self.depth -= 1;
                let (Expr::Name(name), Value::Text(key)) = (&*subscript.value, key) else { return None };
                let Value::Dict(entries) = self.lookup_mut(name.id.as_str())? else { return None };
                if !entries.iter().any(|(known, _)| *known == key.content) {
                    // A `defaultdict`: any other would fail.
                    entries.push((key.content.clone(), Value::List(Vec::new()).into()));
                }
                let found = entries.iter_mut().find(|(known, _)| *known == key.content);
                found.map(|(_, item)| &mut item.value)
            }
            _ => None,
        }
    }

    pub(super) fn augment(&mut self, target: &'a Expr, value: &'a Expr, op: Operator) {
        let (line, value) = (self.line_of(target), self.eval(value));
        if let Some(place) = self.place(target) {
            let before = std::mem::replace(place, Value::None);
            *place = binary(before, op, value, line);
        }
    }

    /// Notes that a condition leaves out lines of `file`, or of the file that it speaks of, other than comments, blank
    /// lines and options.
    pub(super) fn leaves_out(&mut self, file: Option<&str>, test: &Expr) {
        let mut words = Words::default();
        words.visit_expr(test);
        let lines = words.names.iter().filter_map(|name| match self.lookup(name) {
            Some(Value::Line(file)) => Some(file.clone()),
            _ => None,
        });
        let file = file.map(str::to_owned).or_else(|| lines.into_iter().next());
        if words.beyond
            && let Some(file) = file
        {
            self.script.filtered.insert(file);
        }
    }
}

/// The names in a condition, and whether it speaks of more than comments, blank lines and options.
#[derive(Default)]
struct Words<'e> {
    names: Vec<&'e str>,
    beyond: bool,
}

impl<'e> Visitor<'e> for Words<'e> {
    fn visit_expr(&mut self, expression: &'e Expr) {
        match expression {
            Expr::StringLiteral(string) => {
                let word = string.value.to_str().trim();
                self.beyond |= !(word.is_empty() || word.starts_with(['#', '-']));
            }
            Expr::Name(name) => self.names.push(name.id.as_str()),
            _ => {}
        }
        walk_expr(self, expression);
    }
}
