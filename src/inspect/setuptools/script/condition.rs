//! Conditions, as far as they are known before the script runs: constants, and questions that markers ask, too (PEP 508).

use ruff_python_ast::{BoolOp, CmpOp, Expr, ExprCompare, UnaryOp};

use super::value::{Item, Value};
use super::{Machine, call};
use crate::inspect::setuptools::requirement::When;

/// Whether a condition holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Truth {
    Yes,
    No,
    /// Where this marker holds, and where this one does, not.
    Marker {
        yes: String,
        no: String,
    },
    Unknown,
}

impl Truth {
    pub(super) fn of(value: &Value<'_>) -> Self {
        match value {
            Value::Text(text) => Self::from(!text.content.is_empty()),
            Value::Number(number) => Self::from(!number.trim_matches(['0', '.']).is_empty()),
            Value::Bool(known) => Self::from(*known),
            Value::None => Self::No,
            Value::List(items) if items.is_empty() => Self::No,
            Value::List(items) if items.iter().any(|item| item.when == When::default()) => Self::Yes,
            Value::Dict(entries) => Self::from(!entries.is_empty()),
            Value::Test { yes, no } => Self::Marker { yes: yes.clone(), no: no.clone() },
            Value::Path(_) => Self::Yes,
            _ => Self::Unknown,
        }
    }

    fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Marker { yes, no } => Self::Marker { yes: no, no: yes },
            Self::Unknown => Self::Unknown,
        }
    }

    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, other) | (other, Self::Yes) => other,
            (Self::Marker { yes: a, no: c }, Self::Marker { yes: b, no: d }) => {
                Self::Marker { yes: format!("({a}) and ({b})"), no: format!("({c}) or ({d})") }
            }
            _ => Self::Unknown,
        }
    }

    fn or(self, other: Self) -> Self {
        self.not().and(other.not()).not()
    }

    pub(super) fn value<'a>(self, line: usize) -> Value<'a> {
        match self {
            Self::Yes => Value::Bool(true),
            Self::No => Value::Bool(false),
            Self::Marker { yes, no } => Value::Test { yes, no },
            Self::Unknown => Value::Unknown(line),
        }
    }
}

impl From<bool> for Truth {
    fn from(known: bool) -> Self {
        if known { Self::Yes } else { Self::No }
    }
}

impl<'a> Machine<'a, '_> {
    /// Whether an expression holds.
    pub(super) fn truth(&mut self, expression: &'a Expr) -> Truth {
        if !self.deeper() {
            return Truth::Unknown;
        }
        let truth = match expression {
            Expr::UnaryOp(not) if not.op == UnaryOp::Not => self.truth(&not.operand).not(),
            Expr::BoolOp(both) => {
                let (mut truth, join): (_, fn(Truth, Truth) -> Truth) = match both.op {
                    BoolOp::And => (Truth::Yes, Truth::and),
                    BoolOp::Or => (Truth::No, Truth::or),
                };
                for value in &both.values {
                    // Markers grow as they are joined.
                    if !self.charge(1 + both.values.len()) {
                        return self.shallower(Truth::Unknown);
                    }
                    truth = join(truth, self.truth(value));
                }
                truth
            }
            Expr::Compare(compare) => self.compare(compare),
            // Whoever runs the script, runs it.
            _ if is_main(expression) => Truth::Yes,
            other => {
                let value = self.eval(other);
                Truth::of(&value)
            }
        };
        let truth = match truth {
            Truth::Marker { yes, no } if yes.len() + no.len() > 2000 => Truth::Unknown,
            truth => truth,
        };
        self.shallower(truth)
    }

    fn compare(&mut self, compare: &'a ExprCompare) -> Truth {
        let ([op], [right]) = (&*compare.ops, &*compare.comparators) else { return Truth::Unknown };
        if is_name(&compare.left) {
            return Truth::Yes;
        }
        let (left, right) = (self.eval(&compare.left), self.eval(right));
        match (&left, &right) {
            (Value::Platform(what), _) => asked(what, *op, &right),
            (_, Value::Platform(what)) => turned(*op).map_or(Truth::Unknown, |op| asked(what, op, &left)),
            (Value::Text(_), Value::Environment) => {
                self.reads(left.as_text());
                match op {
                    _ if !self.around.unset => Truth::Unknown,
                    CmpOp::In => Truth::No,
                    CmpOp::NotIn => Truth::Yes,
                    _ => Truth::Unknown,
                }
            }
            _ => compared(&left, *op, &right),
        }
    }

    /// Notes that the script reads an environment variable.
    pub(super) fn reads(&mut self, variable: Option<&str>) {
        if let Some(variable) = variable
            && self.script.variables.len() < 100
        {
            self.script.variables.insert(variable.to_owned());
        }
    }
}

/// `__name__ == "__main__"`.
fn is_main(expression: &Expr) -> bool {
    matches!(expression, Expr::Compare(compare) if is_name(&compare.left))
}

fn is_name(expression: &Expr) -> bool {
    call::dotted(expression).as_deref() == Some("__name__")
}

fn turned(op: CmpOp) -> Option<CmpOp> {
    Some(match op {
        CmpOp::Eq | CmpOp::NotEq => op,
        CmpOp::Lt => CmpOp::Gt,
        CmpOp::LtE => CmpOp::GtE,
        CmpOp::Gt => CmpOp::Lt,
        CmpOp::GtE => CmpOp::LtE,
        _ => return None,
    })
}

/// What a comparison of constants gives.
fn compared(left: &Value<'_>, op: CmpOp, right: &Value<'_>) -> Truth {
    let plain = |value: &Value<'_>| matches!(value, Value::Text(_) | Value::Number(_) | Value::Bool(_) | Value::None);
    let same = |a: &Value<'_>, b: &Value<'_>| match (a.as_text(), b.as_text()) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    };
    match (op, right) {
        (CmpOp::Eq | CmpOp::Is, _) if plain(left) && plain(right) => same(left, right).into(),
        (CmpOp::NotEq | CmpOp::IsNot, _) if plain(left) && plain(right) => Truth::from(same(left, right)).not(),
        (CmpOp::Is, Value::None) => Truth::from(false).and(known(left)),
        (CmpOp::IsNot, Value::None) => Truth::from(true).and(known(left)),
        (CmpOp::In, _) => within(left, right),
        (CmpOp::NotIn, _) => within(left, right).not(),
        _ => Truth::Unknown,
    }
}

/// `Yes` for what is known to be something.
fn known(value: &Value<'_>) -> Truth {
    match value {
        Value::Unknown(_) | Value::Choice(_) | Value::Line(_) => Truth::Unknown,
        _ => Truth::Yes,
    }
}

fn within(left: &Value<'_>, right: &Value<'_>) -> Truth {
    let Some(text) = left.as_text() else { return Truth::Unknown };
    match right {
        Value::Text(whole) => whole.content.contains(text).into(),
        Value::Dict(entries) => entries.iter().any(|(key, _)| key == text).into(),
        Value::List(items) => {
            let sure = |item: &Item<'_>| item.when == When::default() && item.value.as_text().is_some();
            let found = items.iter().any(|item| item.value.as_text() == Some(text) && sure(item));
            if found {
                Truth::Yes
            } else if items.iter().all(sure) {
                Truth::No
            } else {
                Truth::Unknown
            }
        }
        _ => Truth::Unknown,
    }
}

/// A question about the machine, as a marker.
fn asked(what: &str, op: CmpOp, than: &Value<'_>) -> Truth {
    let (yes, no) = match op {
        CmpOp::Eq => ("==", "!="),
        CmpOp::NotEq => ("!=", "=="),
        CmpOp::Lt => ("<", ">="),
        CmpOp::LtE => ("<=", ">"),
        CmpOp::Gt => (">", "<="),
        CmpOp::GtE => (">=", "<"),
        CmpOp::In | CmpOp::NotIn => return among(what, op == CmpOp::In, than),
        _ => return Truth::Unknown,
    };
    let (what, value) = match than {
        Value::Text(text) if what != "python_version" && is_plain(&text.content) => (what, text.content.clone()),
        Value::List(items) if what == "python_version" => {
            let parts: Option<Vec<&str>> = items
                .iter()
                .map(|item| match &item.value {
                    Value::Number(number) if is_plain(number) => Some(number.as_str()),
                    _ => None,
                })
                .collect();
            let Some(parts) = parts else { return Truth::Unknown };
            // `version_info` is longer than any tuple of two, so that it is never equal to one, nor below its own minor.
            match (parts.as_slice(), op) {
                ([_] | [_, _], CmpOp::Lt | CmpOp::GtE) => ("python_version", parts.join(".")),
                ([_, _, _], CmpOp::Lt | CmpOp::GtE) => ("python_full_version", parts.join(".")),
                _ => return Truth::Unknown,
            }
        }
        _ => return Truth::Unknown,
    };
    Truth::Marker { yes: format!("{what} {yes} '{value}'"), no: format!("{what} {no} '{value}'") }
}

/// Whether it is one of several.
fn among(what: &str, within: bool, list: &Value<'_>) -> Truth {
    let Value::List(items) = list else { return Truth::Unknown };
    let one = |item: &Item<'_>| asked(what, CmpOp::Eq, &item.value);
    let truth = items.iter().take(20).map(one).fold(Truth::No, Truth::or);
    match truth {
        _ if items.len() > 20 => Truth::Unknown,
        truth if within => truth,
        truth => truth.not(),
    }
}

/// `platform.startswith(prefix)`, which is true of one platform each.
pub(super) fn begins(what: &str, prefix: &str) -> Truth {
    let value = match prefix {
        "win" | "win32" => "win32",
        "linux" => "linux",
        "darwin" => "darwin",
        _ => return Truth::Unknown,
    };
    Truth::Marker { yes: format!("{what} == '{value}'"), no: format!("{what} != '{value}'") }
}

/// Whether a text can stand between the quotes of a marker.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.len() < 40 && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}
