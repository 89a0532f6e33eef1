//! Attributes and methods of values that are known.

use super::condition::{self, Truth};
use super::text::{format, plain};
use super::value::{Item, Text, Value};
use crate::inspect::setuptools::requirement::When;

/// The arguments of a call.
pub(super) struct Given<'a> {
    pub(super) positional: Vec<Value<'a>>,
    pub(super) named: Vec<(String, Value<'a>)>,
    /// Whether some of them are not known.
    pub(super) more: bool,
}

impl<'a> Given<'a> {
    /// An argument, by place or name.
    pub(super) fn get(&self, place: usize, name: &str) -> Option<&Value<'a>> {
        self.positional.get(place).or_else(|| self.named.iter().find(|(known, _)| known == name).map(|(_, v)| v))
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Value<'a>> {
        self.positional.iter().chain(self.named.iter().map(|(_, value)| value))
    }
}

/// `path` and, behind it, `more`; without `.`.
pub(super) fn join(path: &str, more: &str) -> String {
    let more = more.strip_prefix("./").unwrap_or(more);
    match (path, more) {
        (path, "" | ".") => path.to_owned(),
        ("." | "", more) => more.to_owned(),
        (path, more) => format!("{}/{more}", path.trim_end_matches('/')),
    }
}

/// The folder that a path lies in.
pub(super) fn folder(path: &str) -> String {
    match path.rsplit_once('/') {
        Some((folder, _)) => folder.to_owned(),
        None if path == "." => "..".to_owned(),
        None => ".".to_owned(),
    }
}

pub(super) fn attribute<'a>(base: Value<'a>, name: &str, line: usize) -> Value<'a> {
    match (base, name) {
        (line @ Value::Line(_), _) => line,
        (Value::Path(path), "parent") => Value::Path(folder(&path)),
        _ => Value::Unknown(line),
    }
}

/// A method that changes nothing; none where it is not known.
pub(super) fn call<'a>(base: &Value<'a>, name: &str, given: &Given<'a>, line: usize) -> Option<Value<'a>> {
    match base {
        Value::Text(text) => of_text(text, name, given, line),
        Value::Dict(entries) => of_dict(entries, name, given, line),
        Value::List(_) if matches!(name, "copy" | "tolist") => Some(base.clone()),
        Value::List(items) if name == "union" => {
            let mut items = items.clone();
            items.extend(given.positional.iter().flat_map(|other| super::expression::spread(other.clone(), line)));
            Some(Value::List(items))
        }
        Value::File(_) | Value::Line(_) => Some(base.clone()),
        Value::Path(path) => of_path(path, name, given, line),
        Value::Platform(what) if name == "startswith" => {
            let prefix = given.positional.first()?.as_text()?;
            Some(condition::begins(what, prefix).value(line))
        }
        _ => None,
    }
}

fn of_text<'a>(text: &Text, name: &str, given: &Given<'a>, line: usize) -> Option<Value<'a>> {
    let argument = |place| given.positional.get(place).map(Value::as_text);
    let letters: Vec<char> = match argument(0) {
        Some(Some(letters)) => letters.chars().collect(),
        _ => Vec::new(),
    };
    let is_letter = |c: char| if letters.is_empty() { c.is_whitespace() } else { letters.contains(&c) };
    let with = |text: String, old: &Text| Value::Text(Text { content: text, line: old.line, block: false });
    Some(match name {
        "strip" => Value::Text(text.stripped(|text| text.trim_matches(is_letter))),
        "lstrip" => Value::Text(text.stripped(|text| text.trim_start_matches(is_letter))),
        "rstrip" => Value::Text(text.stripped(|text| text.trim_end_matches(is_letter))),
        "lower" => with(text.content.to_lowercase(), text),
        "upper" => with(text.content.to_uppercase(), text),
        "splitlines" => lines(text),
        "split" => match argument(0) {
            None => Value::list(text.content.split_whitespace().map(|word| Value::text(word, text.line))),
            Some(Some("\n")) => lines(text),
            Some(Some("") | None) => return None,
            Some(Some(separator)) => {
                let most = given.positional.get(1).and_then(plain).and_then(|most| most.parse::<usize>().ok());
                let parts = text.content.splitn(most.map_or(usize::MAX, |most| most.saturating_add(1)), separator);
                Value::list(parts.map(|part| Value::text(part, text.line)))
            }
        },
        "replace" => match (argument(0), argument(1)) {
            (Some(Some(old)), Some(Some(new))) if !old.is_empty() && new.len() <= old.len() + 64 => {
                with(text.content.replace(old, new), text)
            }
            _ => return None,
        },
        "startswith" => Truth::from(text.content.starts_with(argument(0)??)).value(line),
        "endswith" => Truth::from(text.content.ends_with(argument(0)??)).value(line),
        "format" if !given.more => format(text, &given.positional, &given.named, line),
        "join" => joined(&text.content, given.positional.first()?, line),
        _ => return None,
    })
}

/// The lines of a text, each with its own.
fn lines<'a>(text: &Text) -> Value<'a> {
    Value::list(text.lines().map(|(line, number)| Value::text(line, number)))
}

fn joined<'a>(separator: &str, parts: &Value<'a>, line: usize) -> Value<'a> {
    match parts {
        Value::File(_) | Value::Line(_) => parts.clone(),
        Value::List(items) if items.len().saturating_mul(separator.len()) < 1 << 16 => {
            let words: Option<Vec<&str>> =
                items.iter().map(|item| if item.when == When::default() { plain(&item.value) } else { None }).collect();
            words.map_or(Value::Unknown(line), |words| Value::text(words.join(separator), line))
        }
        _ => Value::Unknown(line),
    }
}

fn of_dict<'a>(entries: &[(String, Item<'a>)], name: &str, given: &Given<'a>, line: usize) -> Option<Value<'a>> {
    let pair = |(key, item): &(String, Item<'a>)| Item {
        value: Value::List(vec![Value::text(key.clone(), line).into(), item.value.clone().into()]),
        when: item.when.clone(),
    };
    Some(match name {
        "keys" => Value::list(entries.iter().map(|(key, _)| Value::text(key.clone(), line))),
        "values" => Value::List(entries.iter().map(|(_, item)| item.clone()).collect()),
        "items" => Value::List(entries.iter().map(pair).collect()),
        "copy" => Value::Dict(entries.to_vec()),
        "get" | "pop" => {
            let key = given.positional.first()?.as_text()?;
            match entries.iter().find(|(known, _)| known == key) {
                Some((_, item)) => item.value.clone(),
                None => given.positional.get(1).cloned().unwrap_or(Value::None),
            }
        }
        _ => return None,
    })
}

fn of_path<'a>(path: &str, name: &str, given: &Given<'a>, line: usize) -> Option<Value<'a>> {
    Some(match name {
        "open" | "read_text" | "read_bytes" => Value::File(path.to_owned()),
        "joinpath" => {
            let parts: Option<Vec<&str>> = given.positional.iter().map(Value::as_path).collect();
            parts.map_or(Value::Unknown(line), |parts| {
                Value::Path(parts.into_iter().fold(path.to_owned(), |path, part| join(&path, part)))
            })
        }
        "resolve" | "absolute" | "as_posix" | "expanduser" => Value::Path(path.to_owned()),
        "with_name" => Value::Path(join(&folder(path), given.positional.first()?.as_text()?)),
        _ => return None,
    })
}
