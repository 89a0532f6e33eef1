//! What an expression of a script is worth, as far as that is known before it runs.

use ruff_python_ast::{ExprLambda, StmtFunctionDef};

use super::super::requirement::{Entry, Sure, What, When, entries};

/// A value. Mutable ones are copied where Python would share them: scripts of this kind do not depend on that.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::inspect::setuptools) enum Value<'a> {
    Text(Text),
    /// A number, as written.
    Number(String),
    Bool(bool),
    None,
    /// A list, tuple, set or generator.
    List(Vec<Item<'a>>),
    Dict(Vec<(String, Item<'a>)>),
    /// One of several values, each under its condition.
    Choice(Vec<Item<'a>>),
    /// A file that is open, its text or its lines: relative to the folder of the script.
    File(String),
    /// A line of such a file, or something made of it.
    Line(String),
    /// A path, relative to the folder of the script.
    Path(String),
    /// Something of the machine that a marker names, too (PEP 508).
    Platform(&'static str),
    /// A question that a marker asks, and its negation.
    Test {
        yes: String,
        no: String,
    },
    Function(Callable<'a>),
    /// An environment: `os.environ`.
    Environment,
    /// Not known; the line of the expression.
    Unknown(usize),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::inspect::setuptools) struct Text {
    pub(in crate::inspect::setuptools) content: String,
    /// The number of the line on which it begins.
    pub(in crate::inspect::setuptools) line: usize,
    /// Whether each line of it stands on a line of its own in the script.
    pub(in crate::inspect::setuptools) block: bool,
}

/// An element of a list, or the value of a key.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::inspect::setuptools) struct Item<'a> {
    pub(in crate::inspect::setuptools) value: Value<'a>,
    pub(in crate::inspect::setuptools) when: When,
}

/// A function of the script.
#[derive(Debug, Clone, Copy)]
pub(in crate::inspect::setuptools) enum Callable<'a> {
    Named(&'a StmtFunctionDef),
    Lambda(&'a ExprLambda),
}

impl PartialEq for Callable<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Named(a), Self::Named(b)) => std::ptr::eq(*a, *b),
            (Self::Lambda(a), Self::Lambda(b)) => std::ptr::eq(*a, *b),
            _ => false,
        }
    }
}

impl<'a> From<Value<'a>> for Item<'a> {
    fn from(value: Value<'a>) -> Self {
        Self { value, when: When::default() }
    }
}

impl<'a> Value<'a> {
    /// A text of one line.
    pub(in crate::inspect::setuptools) fn text(text: impl Into<String>, line: usize) -> Self {
        Self::Text(Text { content: text.into(), line, block: false })
    }

    /// A list whose elements are sure.
    pub(in crate::inspect::setuptools) fn list(values: impl IntoIterator<Item = Value<'a>>) -> Self {
        Self::List(values.into_iter().map(Item::from).collect())
    }

    pub(in crate::inspect::setuptools) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(&text.content),
            _ => None,
        }
    }

    /// The path that it names, where it may name one.
    pub(in crate::inspect::setuptools) fn as_path(&self) -> Option<&str> {
        match self {
            Self::Text(Text { content: path, .. }) | Self::Path(path) => Some(path),
            _ => None,
        }
    }

    /// The file that it comes from.
    pub(in crate::inspect::setuptools) fn source(&self) -> Option<&str> {
        match self {
            Self::File(file) | Self::Line(file) => Some(file),
            _ => None,
        }
    }

    /// How much memory it takes, about: one for each value in it, more for long texts.
    pub(in crate::inspect::setuptools) fn weight(&self) -> usize {
        let items = |items: &[Item<'_>]| items.iter().map(|item| item.value.weight()).sum::<usize>();
        1 + match self {
            Self::Text(text) => text.content.len() / 64,
            Self::List(list) | Self::Choice(list) => items(list),
            Self::Dict(dict) => dict.iter().map(|(key, item)| 1 + key.len() / 64 + item.value.weight()).sum(),
            _ => 0,
        }
    }

    /// The requirements that it is, as setuptools takes strings and lists of them.
    pub(in crate::inspect::setuptools) fn entries(&self, line: usize) -> Vec<Entry> {
        let mut all = Vec::new();
        self.collect(line, &When::default(), &mut all);
        all
    }

    fn collect(&self, line: usize, when: &When, all: &mut Vec<Entry>) {
        match self {
            Self::Text(text) => {
                let found = entries(text.lines());
                all.extend(found.into_iter().map(|entry| Entry { when: when.clone(), ..entry }));
            }
            Self::List(items) | Self::Choice(items) => {
                for item in items {
                    item.value.collect(line, &when.and(&item.when), all);
                }
            }
            Self::File(file) | Self::Line(file) => {
                let what = What::File(file.clone());
                if !all.iter().any(|known| known.what == what) {
                    all.push(Entry { what, line, when: when.clone() });
                }
            }
            Self::None | Self::Bool(false) => {}
            Self::Unknown(line) => all.push(Entry { what: What::Computed, line: *line, when: when.clone() }),
            _ => all.push(Entry { what: What::Computed, line, when: when.clone() }),
        }
    }
}

impl Text {
    /// Its lines, each with its number.
    pub(in crate::inspect::setuptools) fn lines(&self) -> impl Iterator<Item = (&str, usize)> {
        self.content.lines().enumerate().map(|(index, text)| (text, self.line + if self.block { index } else { 0 }))
    }

    /// It without what `strip` takes off: where lines go in front, it begins further down.
    pub(in crate::inspect::setuptools) fn stripped(&self, strip: impl Fn(&str) -> &str) -> Self {
        let text = strip(&self.content);
        let before = text.as_ptr() as usize - self.content.as_ptr() as usize;
        let skipped = self.content.get(..before).unwrap_or_default().matches('\n').count();
        Self { content: text.to_owned(), line: self.line + if self.block { skipped } else { 0 }, block: self.block }
    }
}

/// What a name is worth behind a branch: `yes` where it was taken, `no` where not; `marker` where the condition is one.
pub(in crate::inspect::setuptools) fn merge<'a>(
    yes: Value<'a>,
    no: Value<'a>,
    marker: Option<(&str, &str)>,
    line: usize,
) -> Value<'a> {
    if yes == no {
        return yes;
    }
    match (yes, no) {
        (Value::List(yes), Value::List(no)) => Value::List(merge_lists(yes, no, marker)),
        (Value::List(yes), Value::None) => Value::List(merge_lists(yes, Vec::new(), marker)),
        (Value::None, Value::List(no)) => Value::List(merge_lists(Vec::new(), no, marker)),
        (Value::Dict(yes), Value::Dict(no)) => Value::Dict(merge_dicts(yes, no, marker, line)),
        (yes @ (Value::Function(_) | Value::Environment), _) => yes,
        (yes, no) => {
            let (on, off) = conditions(marker, yes != Value::None && no != Value::None);
            let weighed = [(yes, on), (no, off)].into_iter().filter(|(value, _)| *value != Value::None);
            Value::Choice(weighed.flat_map(|(value, when)| items_of(value, &when)).collect())
        }
    }
}

/// The conditions of the two branches: markers, else whether one of them only adds, or they exclude each other.
fn conditions(marker: Option<(&str, &str)>, exclusive: bool) -> (When, When) {
    if let Some((yes, no)) = marker {
        return (When::marked(yes), When::marked(no));
    }
    let sure = if exclusive { Sure::Either } else { Sure::Maybe };
    (When::unsure(sure), When::unsure(sure))
}

fn items_of<'a>(value: Value<'a>, when: &When) -> Vec<Item<'a>> {
    match value {
        Value::Choice(items) => {
            items.into_iter().map(|item| Item { when: item.when.and(when), value: item.value }).collect()
        }
        value => vec![Item { value, when: when.clone() }],
    }
}

/// What both lists hold is sure; the rest depends.
fn merge_lists<'a>(yes: Vec<Item<'a>>, no: Vec<Item<'a>>, marker: Option<(&str, &str)>) -> Vec<Item<'a>> {
    let common = yes.iter().zip(&no).take_while(|(a, b)| a == b).count();
    let (mut both, mut only_yes) = (Vec::new(), Vec::new());
    let mut rest: Vec<Option<Item<'a>>> = no.into_iter().skip(common).map(Some).collect();
    for (index, item) in yes.into_iter().enumerate() {
        let same = |other: &&mut Option<Item<'a>>| other.as_ref() == Some(&item);
        if index < common || rest.iter_mut().find(same).map(Option::take).is_some() {
            both.push(item);
        } else {
            only_yes.push(item);
        }
    }
    let only_no: Vec<Item<'a>> = rest.into_iter().flatten().collect();
    let (on, off) = conditions(marker, !only_yes.is_empty() && !only_no.is_empty());
    let weigh = |items: Vec<Item<'a>>, when: When| {
        items.into_iter().map(move |item| Item { when: item.when.and(&when), value: item.value })
    };
    both.extend(weigh(only_yes, on));
    both.extend(weigh(only_no, off));
    both
}

fn merge_dicts<'a>(
    yes: Vec<(String, Item<'a>)>,
    no: Vec<(String, Item<'a>)>,
    marker: Option<(&str, &str)>,
    line: usize,
) -> Vec<(String, Item<'a>)> {
    let mut rest = no;
    let mut merged: Vec<(String, Item<'a>)> = Vec::new();
    for (key, item) in yes {
        let other = rest.iter().position(|(known, _)| *known == key).map(|at| rest.remove(at).1.value);
        let value = merge(item.value, other.unwrap_or(Value::None), marker, line);
        merged.push((key, Item { value, when: item.when }));
    }
    for (key, item) in rest {
        let value = merge(Value::None, item.value, marker, line);
        merged.push((key, Item { value, when: item.when }));
    }
    merged
}
