//! Expressions.

use ruff_python_ast::{Expr, ExprDict, ExprSubscript, Number, Operator, UnaryOp};

use super::call::dotted;
use super::condition::Truth;
use super::value::{Callable, Item, Text, Value};
use super::{ANY, DEEPEST, Machine};
use crate::inspect::setuptools::requirement::When;

/// No dictionary that a person wrote has more keys; a new one is looked for among them.
const MOST_KEYS: usize = 1000;

impl<'a> Machine<'a, '_> {
    /// One level deeper; false where that is too deep, or the budget is used up.
    pub(super) fn deeper(&mut self) -> bool {
        let fits = self.depth < DEEPEST && self.charge(1);
        self.depth += usize::from(fits);
        fits
    }

    pub(super) fn shallower<T>(&mut self, value: T) -> T {
        self.depth -= 1;
        value
    }

    /// What an expression is worth.
    pub(super) fn eval(&mut self, expression: &'a Expr) -> Value<'a> {
        let line = self.line_of(expression);
        if !self.deeper() {
            return Value::Unknown(line);
        }
        let value = self.expression(expression, line);
        let value = self.kept(value, line);
        self.shallower(value)
    }

    fn expression(&mut self, expression: &'a Expr, line: usize) -> Value<'a> {
        match expression {
            Expr::StringLiteral(string) => self.literal(string, line),
            Expr::FString(string) => self.formatted(string, line),
            Expr::NumberLiteral(number) => match &number.value {
                Number::Int(int) => Value::Number(int.to_string()),
                Number::Float(float) => Value::Number(float.to_string()),
                Number::Complex { .. } => Value::Unknown(line),
            },
            Expr::BooleanLiteral(boolean) => Value::Bool(boolean.value),
            Expr::NoneLiteral(_) => Value::None,
            Expr::List(list) => self.display(&list.elts),
            Expr::Tuple(tuple) => self.display(&tuple.elts),
            Expr::Set(set) => self.display(&set.elts),
            Expr::Dict(dict) => self.dict(dict, line),
            Expr::Name(name) => match name.id.as_str() {
                "__file__" => Value::Path("setup.py".to_owned()),
                id => self.lookup(id).cloned().unwrap_or(Value::Unknown(line)),
            },
            Expr::Attribute(attribute) => {
                let known = dotted(expression).and_then(|name| platform(&name));
                known.unwrap_or_else(|| {
                    let base = self.eval(&attribute.value);
                    super::method::attribute(base, attribute.attr.as_str(), line)
                })
            }
            Expr::Subscript(subscript) => self.subscript(subscript, line),
            Expr::Call(call) => self.call(call, line),
            Expr::BinOp(both) => {
                let (left, right) = (self.eval(&both.left), self.eval(&both.right));
                binary(left, both.op, right, line)
            }
            Expr::BoolOp(_) | Expr::Compare(_) => self.boolean(expression, line),
            Expr::UnaryOp(unary) => match unary.op {
                UnaryOp::Not => self.truth(expression).value(line),
                UnaryOp::USub => match self.eval(&unary.operand) {
                    Value::Number(number) => Value::Number(format!("-{number}")),
                    _ => Value::Unknown(line),
                },
                _ => Value::Unknown(line),
            },
            Expr::If(branch) => self.ternary(&branch.test, &branch.body, &branch.orelse, line),
            Expr::ListComp(comprehension) => self.comprehend(&comprehension.elt, &comprehension.generators, line),
            Expr::SetComp(comprehension) => self.comprehend(&comprehension.elt, &comprehension.generators, line),
            Expr::Generator(comprehension) => self.comprehend(&comprehension.elt, &comprehension.generators, line),
            Expr::DictComp(comprehension) => self.comprehend_dict(comprehension),
            Expr::Lambda(lambda) => Value::Function(Callable::Lambda(lambda)),
            Expr::Named(named) => {
                let value = self.eval(&named.value);
                self.bind(&named.target, value.clone());
                value
            }
            _ => Value::Unknown(line),
        }
    }

    /// `a or b` is one of its values, not a truth.
    fn boolean(&mut self, expression: &'a Expr, line: usize) -> Value<'a> {
        if let Expr::BoolOp(either) = expression
            && let [first, second] = either.values.as_slice()
            && either.op == ruff_python_ast::BoolOp::Or
        {
            let first = self.eval(first);
            return match Truth::of(&first) {
                Truth::No => self.eval(second),
                Truth::Marker { .. } => self.truth(expression).value(line),
                _ => first,
            };
        }
        self.truth(expression).value(line)
    }

    fn ternary(&mut self, test: &'a Expr, body: &'a Expr, orelse: &'a Expr, line: usize) -> Value<'a> {
        match self.truth(test) {
            Truth::Yes => self.eval(body),
            Truth::No => self.eval(orelse),
            Truth::Marker { yes, no } => {
                let (body, orelse) = (self.eval(body), self.eval(orelse));
                self.merged(body, orelse, Some((&yes, &no)), line)
            }
            Truth::Unknown => {
                let (body, orelse) = (self.eval(body), self.eval(orelse));
                self.merged(body, orelse, None, line)
            }
        }
    }

    fn literal(&self, string: &'a ruff_python_ast::ExprStringLiteral, line: usize) -> Value<'a> {
        use ruff_text_size::Ranged;
        let text: String = string.value.iter().map(|part| &*part.value).collect();
        let (start, end) = (string.start().to_usize(), string.end().to_usize());
        let source = self.text.get(start..end).unwrap_or_default();
        let (breaks, kept) = (source.matches('\n').count(), text.matches('\n').count());
        let single = string.value.iter().count() == 1;
        // A backslash behind the opening quotes hides the first line break.
        let hidden = source.contains("\"\"\"\\\n") || source.contains("'''\\\n");
        let block = single && (breaks == kept || (hidden && breaks == kept + 1));
        Value::Text(Text { content: text, line: line + usize::from(block && hidden), block })
    }

    fn display(&mut self, elements: &'a [Expr]) -> Value<'a> {
        let mut items = Vec::new();
        for element in elements {
            if let Expr::Starred(starred) = element {
                let line = self.line_of(element);
                let inner = self.eval(&starred.value);
                items.extend(spread(inner, line));
            } else {
                push(&mut items, self.eval(element), &When::default());
            }
        }
        Value::List(items)
    }

    fn dict(&mut self, dict: &'a ExprDict, line: usize) -> Value<'a> {
        let mut entries = Vec::new();
        for item in &dict.items {
            let value = self.eval(&item.value);
            let Some(key) = &item.key else {
                match value {
                    Value::Dict(inner) => inner.into_iter().for_each(|(key, item)| set(&mut entries, key, item)),
                    _ => return Value::Unknown(line),
                }
                continue;
            };
            match self.eval(key) {
                Value::Text(text) => set(&mut entries, text.content, value.into()),
                Value::Number(_) | Value::None | Value::Bool(_) => {}
                _ => return Value::Unknown(line),
            }
        }
        Value::Dict(entries)
    }

    fn subscript(&mut self, subscript: &'a ExprSubscript, line: usize) -> Value<'a> {
        // A large table is not copied for each look into it.
        if let Expr::Name(name) = &*subscript.value {
            let key = self.eval(&subscript.slice);
            return match (self.lookup(name.id.as_str()), &*subscript.slice) {
                (Some(base), slice) => element(base, slice, &key, line),
                (None, _) => Value::Unknown(line),
            };
        }
        let base = self.eval(&subscript.value);
        let key = if subscript.slice.is_slice_expr() { Value::None } else { self.eval(&subscript.slice) };
        element(&base, &subscript.slice, &key, line)
    }
}

/// Adds `value` to a list; one of several values as each of them.
pub(super) fn push<'a>(items: &mut Vec<Item<'a>>, value: Value<'a>, when: &When) {
    match value {
        Value::Choice(choices) => {
            items.extend(choices.into_iter().map(|item| Item { when: item.when.and(when), value: item.value }));
        }
        value => items.push(Item { value, when: when.clone() }),
    }
}

/// The elements of what stands behind a `*`, or is added to a list.
pub(super) fn spread(value: Value<'_>, line: usize) -> Vec<Item<'_>> {
    match value {
        Value::List(items) => items,
        Value::Dict(entries) => entries.into_iter().map(|(key, _)| Value::text(key, line).into()).collect(),
        Value::None => Vec::new(),
        Value::Choice(choices) => {
            let mut items = Vec::new();
            for choice in choices {
                let when = choice.when;
                for item in spread(choice.value, line) {
                    items.push(Item { when: item.when.and(&when), value: item.value });
                }
            }
            items
        }
        value => vec![value.into()],
    }
}

/// Sets a key.
pub(super) fn set<'a>(entries: &mut Vec<(String, Item<'a>)>, key: String, item: Item<'a>) {
    if let Some((_, old)) = entries.iter_mut().find(|(known, _)| *known == key) {
        *old = item;
    } else if entries.len() < MOST_KEYS {
        entries.push((key, item));
    } else {
        *entries = vec![(ANY.to_owned(), Value::Unknown(1).into())];
    }
}

/// What the platform tells that markers tell, too.
fn platform<'a>(name: &str) -> Option<Value<'a>> {
    Some(match name {
        "sys.platform" => Value::Platform("sys_platform"),
        "os.name" => Value::Platform("os_name"),
        "sys.version_info" => Value::Platform("python_version"),
        "sys.version_info.major" => Value::Number("3".to_owned()),
        "os.environ" => Value::Environment,
        _ => return None,
    })
}

/// An element or a slice.
fn element<'a>(base: &Value<'a>, slice: &Expr, key: &Value<'a>, line: usize) -> Value<'a> {
    match (base, key) {
        (Value::File(_) | Value::Line(_), _) => base.clone(),
        (Value::Dict(entries), Value::Text(key)) => {
            let found = entries.iter().find(|(known, _)| *known == key.content);
            found.map_or(Value::Unknown(line), |(_, item)| item.value.clone())
        }
        (Value::Platform("python_version"), _) if slice.is_slice_expr() => base.clone(),
        (Value::Platform("python_version"), Value::Number(index)) if index == "0" => Value::Number("3".to_owned()),
        (Value::List(items), Value::Number(index)) => {
            let found = place_in(items.len(), index).and_then(|at| items.get(at));
            found.map_or(Value::Unknown(line), |item| item.value.clone())
        }
        (Value::List(items), _) if slice.is_slice_expr() => match items.as_slice() {
            // The lines of a file are one element here.
            [only] if only.value.source().is_some() => base.clone(),
            items => sliced(items, slice).map_or(Value::Unknown(line), |items| Value::List(items.to_vec())),
        },
        _ => Value::Unknown(line),
    }
}

/// The place of a constant index, from the end where it is negative.
fn place_in(length: usize, index: &str) -> Option<usize> {
    let index = index.parse::<isize>().ok()?;
    Some(if index < 0 { length.saturating_add_signed(index) } else { index.unsigned_abs() })
}

/// A part of a list between constant places.
fn sliced<'i, 'a>(items: &'i [Item<'a>], slice: &Expr) -> Option<&'i [Item<'a>]> {
    let Expr::Slice(slice) = slice else { return None };
    let bound = |bound: &Option<Box<Expr>>, open: usize| match bound.as_deref() {
        None => Some(open),
        Some(Expr::NumberLiteral(number)) => number.value.as_int()?.as_usize(),
        Some(Expr::UnaryOp(minus)) if minus.op == UnaryOp::USub => {
            let number = minus.operand.as_number_literal_expr()?;
            Some(items.len().saturating_sub(number.value.as_int()?.as_usize()?))
        }
        Some(_) => None,
    };
    let (from, to) = (bound(&slice.lower, 0)?, bound(&slice.upper, items.len())?);
    let to = to.min(items.len());
    if slice.step.is_some() { None } else { items.get(from.min(to)..to) }
}

pub(super) fn binary<'a>(left: Value<'a>, op: Operator, right: Value<'a>, line: usize) -> Value<'a> {
    match (left, op, right) {
        (Value::Text(left), Operator::Add, Value::Text(right)) => {
            Value::Text(Text { content: left.content + &right.content, line: left.line, block: false })
        }
        (Value::Line(file), _, _) | (_, Operator::Add, Value::Line(file)) => Value::Line(file),
        (Value::Text(left), Operator::Mod, right) => super::text::percent(&left, right, line),
        (Value::Path(left), Operator::Div, right) => {
            right.as_path().map_or(Value::Unknown(line), |right| Value::Path(super::method::join(&left, right)))
        }
        (Value::Dict(mut left), Operator::BitOr, Value::Dict(right)) => {
            for (key, item) in right {
                set(&mut left, key, item);
            }
            Value::Dict(left)
        }
        (left, Operator::Add | Operator::BitOr, right) if is_list(&left) || is_list(&right) => {
            let mut items = spread(left, line);
            items.extend(spread(right, line));
            Value::List(items)
        }
        _ => Value::Unknown(line),
    }
}

fn is_list(value: &Value<'_>) -> bool {
    matches!(value, Value::List(_) | Value::File(_))
}
