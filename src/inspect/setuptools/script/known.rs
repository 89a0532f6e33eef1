//! Functions of Python itself.

use super::Machine;
use super::call::update;
use super::condition::Truth;
use super::expression::{push, spread};
use super::method::{Given, folder, join};
use super::value::{Item, Value};
use crate::inspect::setuptools::requirement::{Sure, When};

impl<'a> Machine<'a, '_> {
    /// A variable of the environment; none is set while an image is built.
    pub(super) fn environment(&mut self, given: &Given<'a>) -> Value<'a> {
        self.reads(given.get(0, "key").and_then(Value::as_text));
        if !self.around.unset {
            return Value::Unknown(1);
        }
        given.get(1, "default").cloned().unwrap_or(Value::None)
    }

    /// Functions of Python itself.
    pub(super) fn known_function(
        &mut self,
        name: &str,
        last: &str,
        given: &Given<'a>,
        line: usize,
    ) -> Option<Value<'a>> {
        let first = given.positional.first();
        Some(match last {
            "getenv" => self.environment(given),
            "system" if name == "platform.system" => Value::Platform("platform_system"),
            "machine" if name == "platform.machine" => Value::Platform("platform_machine"),
            "list" | "tuple" | "set" | "frozenset" | "sorted" | "OrderedDict" | "deepcopy" | "copy" => match first {
                None => Value::List(Vec::new()),
                Some(Value::Dict(_)) if matches!(last, "deepcopy" | "copy" | "OrderedDict") => first?.clone(),
                Some(value @ Value::File(_)) => value.clone(),
                Some(value) => Value::List(value.items()?),
            },
            "dict" | "defaultdict" => {
                let mut made = Value::Dict(Vec::new());
                if last == "dict" {
                    update(&mut made, given, line);
                }
                made
            }
            "str" => match first? {
                Value::Number(number) => Value::text(number.clone(), line),
                value => value.clone(),
            },
            "open" => Value::File(given.get(0, "file")?.as_path()?.to_owned()),
            "Path" | "PurePath" | "PosixPath" | "join" => {
                let parts: Option<Vec<&str>> = given.positional.iter().map(Value::as_path).collect();
                Value::Path(parts?.into_iter().fold(".".to_owned(), |path, part| join(&path, part)))
            }
            "dirname" => Value::Path(folder(first?.as_path()?)),
            "abspath" | "realpath" | "normpath" | "fspath" => Value::Path(first?.as_path()?.to_owned()),
            "getcwd" | "cwd" => Value::Path(".".to_owned()),
            "exists" | "isfile" => Value::Bool((self.exists)(first?.as_path()?)),
            "filter" | "map" => self.over(last, given, line)?,
            "sum" | "chain" | "from_iterable" => flattened(last, given, line)?,
            "findall" => found(first?.as_text()?, given.positional.get(1)?)?,
            _ => return None,
        })
    }

    /// `filter(f, list)` and `map(f, list)`.
    fn over(&mut self, which: &str, given: &Given<'a>, line: usize) -> Option<Value<'a>> {
        let [function, over] = given.positional.as_slice() else { return None };
        if over.source().is_some() {
            return Some(over.clone());
        }
        let mut items = Vec::new();
        for item in over.items()? {
            match (which, function) {
                ("filter", Value::None) => {
                    if Truth::of(&item.value) != Truth::No {
                        items.push(item);
                    }
                }
                ("filter", _) => items.push(Item { when: item.when.and(&When::unsure(Sure::Maybe)), ..item }),
                (_, Value::Function(function)) => {
                    let value = self.call_function(*function, &[item.value], &[], line);
                    push(&mut items, value, &item.when);
                }
                // Of the others, `str` and `str.strip` are common, and change no requirement.
                _ => items.push(item),
            }
        }
        Some(Value::List(items))
    }
}

/// Lists of lists, as one.
fn flattened<'a>(last: &str, given: &Given<'a>, line: usize) -> Option<Value<'a>> {
    let lists: Vec<Item<'a>> = match last {
        "chain" => given.positional.iter().cloned().map(Item::from).collect(),
        _ => given.positional.first()?.items()?,
    };
    let mut items = Vec::new();
    for list in lists {
        let inner = spread(list.value, line);
        items.extend(inner.into_iter().map(|item| Item { when: item.when.and(&list.when), value: item.value }));
    }
    Some(Value::List(items))
}

/// `re.findall(pattern, text)`: a table of dependencies is commonly made by it.
fn found<'a>(pattern: &str, text: &Value<'a>) -> Option<Value<'a>> {
    if text.source().is_some() {
        return Some(text.clone());
    }
    let Value::Text(text) = text else { return None };
    let pattern = regex::RegexBuilder::new(pattern).size_limit(1 << 16).build().ok()?;
    let group = |captures: &regex::Captures<'_>, at: usize| {
        Value::text(captures.get(at).map_or("", |found| found.as_str()), text.line)
    };
    let matches = pattern.captures_iter(&text.content).take(1000).map(|captures| match captures.len() {
        1 | 2 => group(&captures, captures.len() - 1),
        many => Value::list((1..many).map(|at| group(&captures, at))),
    });
    Some(Value::list(matches))
}
