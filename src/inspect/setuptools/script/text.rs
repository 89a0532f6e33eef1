//! Texts that are put together.

use ruff_python_ast::{ExprFString, FStringPart, InterpolatedStringElement};

use super::Machine;
use super::value::{Text, Value};

impl<'a> Machine<'a, '_> {
    /// An f-string.
    pub(super) fn formatted(&mut self, string: &'a ExprFString, line: usize) -> Value<'a> {
        let mut text = String::new();
        let mut source = None;
        for part in &string.value {
            match part {
                FStringPart::Literal(literal) => text.push_str(&literal.value),
                FStringPart::FString(inner) => {
                    for element in &inner.elements {
                        match element {
                            InterpolatedStringElement::Literal(literal) => text.push_str(&literal.value),
                            InterpolatedStringElement::Interpolation(field) => {
                                let value = self.eval(&field.expression);
                                match plain(&value) {
                                    _ if field.format_spec.is_some() || field.debug_text.is_some() => {
                                        return Value::Unknown(line);
                                    }
                                    Some(known) => text.push_str(known),
                                    None => match value {
                                        Value::Line(file) => source = Some(file),
                                        _ => return Value::Unknown(line),
                                    },
                                }
                            }
                        }
                    }
                }
            }
        }
        source.map_or_else(|| Value::text(text, line), Value::Line)
    }
}

/// What `str` makes of a value.
pub(super) fn plain<'v>(value: &'v Value<'_>) -> Option<&'v str> {
    match value {
        Value::Text(text) => Some(&text.content),
        Value::Number(number) => Some(number),
        _ => None,
    }
}

/// `template % values`, of `%s` and `%d` alone.
pub(super) fn percent<'a>(template: &Text, values: Value<'a>, line: usize) -> Value<'a> {
    let values = match values {
        Value::List(items) => items.into_iter().map(|item| item.value).collect(),
        value => vec![value],
    };
    let mut values = values.iter();
    let mut pieces = template.content.split('%');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    let mut escaped = false;
    for piece in pieces {
        if std::mem::take(&mut escaped) {
            text.push_str(piece);
        } else if piece.is_empty() {
            text.push('%');
            escaped = true;
        } else {
            match (piece.strip_prefix(['s', 'd']), values.next().and_then(plain)) {
                (Some(rest), Some(value)) => {
                    text.push_str(value);
                    text.push_str(rest);
                }
                _ => return Value::Unknown(line),
            }
        }
    }
    Value::Text(Text { content: text, line: template.line, block: false })
}

/// `template.format(…)`, of `{}`, `{0}` and `{name}` alone.
pub(super) fn format<'a>(
    template: &Text,
    positional: &[Value<'a>],
    named: &[(String, Value<'a>)],
    line: usize,
) -> Value<'a> {
    let known = put_together(&template.content, |field, next| {
        let value = match field.parse::<usize>() {
            _ if field.is_empty() => positional.get(next),
            Ok(index) => positional.get(index),
            Err(_) => named.iter().find(|(name, _)| name == field).map(|(_, value)| value),
        };
        value.and_then(plain).map(str::to_owned)
    });
    known.map_or(Value::Unknown(line), |text| Value::Text(Text { content: text, line: template.line, block: false }))
}

/// The template with its fields replaced, each by its name and its number among those without one.
fn put_together(template: &str, value: impl Fn(&str, usize) -> Option<String>) -> Option<String> {
    let (mut text, mut rest, mut next) = (String::new(), template, 0);
    while let Some(at) = rest.find(['{', '}']) {
        let (before, behind) = rest.split_at(at);
        text.push_str(before);
        if let Some(escaped) = behind.strip_prefix("{{").or_else(|| behind.strip_prefix("}}")) {
            text.push_str(behind.get(..1)?);
            rest = escaped;
            continue;
        }
        let (field, after) = behind.strip_prefix('{')?.split_once('}')?;
        text.push_str(&value(field, next)?);
        next += usize::from(field.is_empty());
        rest = after;
        // Fields of a hostile template repeat a long value.
        if text.len() > 1 << 16 {
            return None;
        }
    }
    text.push_str(rest);
    Some(text)
}
