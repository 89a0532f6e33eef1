//! Small questions to Python's syntax.

use ruff_python_ast::{Expr, FStringPart, InterpolatedStringElement};

/// The value of a string constant.
pub(super) fn string(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::StringLiteral(literal) => Some(literal.value.to_str()),
        _ => None,
    }
}

/// What an f-string begins with, before its first hole.
pub(super) fn beginning(expr: &Expr) -> Option<&str> {
    let Expr::FString(f_string) = expr else { return None };
    match f_string.value.as_slice().first()? {
        FStringPart::Literal(literal) => Some(&literal.value),
        FStringPart::FString(part) => match part.elements.first()? {
            InterpolatedStringElement::Literal(literal) => Some(&literal.value),
            InterpolatedStringElement::Interpolation(_) => None,
        },
    }
}

/// The value of `True` or `False`.
pub(super) fn boolean(expr: &Expr) -> Option<bool> {
    match expr {
        Expr::BooleanLiteral(literal) => Some(literal.value),
        _ => None,
    }
}

/// The last part of a name: `c` of `a.b.c`.
pub(super) fn last_name(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Name(name) => Some(&name.id),
        Expr::Attribute(attribute) => Some(&attribute.attr),
        _ => None,
    }
}

/// A dotted name: `a.b.c`. Longer chains than any that means something are none.
pub(super) fn dotted(expr: &Expr) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    let mut expr = expr;
    while let Expr::Attribute(attribute) = expr {
        parts.push(&attribute.attr);
        expr = &attribute.value;
        if parts.len() > 8 {
            return None;
        }
    }
    let Expr::Name(name) = expr else { return None };
    parts.push(&name.id);
    parts.reverse();
    Some(parts.join("."))
}
