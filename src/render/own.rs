//! Templates of a user's own, over the built-in ones.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;
use tera::{Context, Tera};

use super::{BUILT_IN, LONGEST, TEMPLATES};
use crate::model::{Error, Origin, Result, nearest};

/// Templates of a user's own. One that has the name of a built-in template stands in its place; the built-in one is still
/// there, as `sconce/NAME`, to be extended or included.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Templates {
    /// Their folder, as messages name it.
    pub folder: String,
    /// Their texts, by file name.
    pub files: BTreeMap<String, String>,
}

/// What opens a tag, up to what closes it; comments are matched to be passed over.
static TAG: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?s)\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}"));
static TEXT: LazyLock<Regex> = LazyLock::new(|| pattern(r#""[^"]*"|'[^']*'|`[^`]*`"#));
/// A name that a template gives itself: `set` may be read by a template that is included, `for` may not.
static BOUND: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b(set|set_global|for)\s+(\w+)(?:\s*,\s*(\w+))?"));
static FIELD: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?:^|[^\w.])([a-z_]\w*)\.([a-z_]\w*)"));

#[expect(clippy::unwrap_used, reason = "the patterns are fixed")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).unwrap()
}

impl Templates {
    /// Fails where a template uses a name that it is not given. Tera does so itself where such a name is written, but takes it
    /// for false in a condition.
    pub(super) fn check(&self, tera: &Tera, given: &serde_json::Map<String, serde_json::Value>) -> Result<()> {
        let set: BTreeSet<String> = TEMPLATES
            .iter()
            .map(|(_, text)| *text)
            .chain(self.files.values().map(String::as_str))
            .flat_map(set)
            .collect();
        for (file, text) in &self.files {
            self.check_use(file)?;
            let used = tera.get_template_variables(file).map_err(|error| self.error(&error))?;
            let unknown = |name: &&&str| !given.contains_key(**name) && !set.contains(**name);
            // In order, so that of several the same is told every time.
            let unknown: BTreeSet<&str> = used.iter().filter(unknown).copied().collect();
            let here = unknown.into_iter().find_map(|name| Some((name, line_of(text, name)?)));
            if let Some((name, line)) = here {
                let error = self.unknown(file, line, &format!("there is no variable `{name}`"));
                return Err(suggested(error, name, given.keys().map(String::as_str)));
            }
            self.check_fields(file, text, given)?;
        }
        Ok(())
    }

    /// A file that nothing uses was probably meant to stand in place of another.
    fn check_use(&self, file: &str) -> Result<()> {
        let names = || TEMPLATES.iter().map(|(name, _)| *name);
        if names().any(|name| name == file) || self.files.values().any(|text| text.contains(file)) {
            return Ok(());
        }
        let error = Error::usage(format!("no template uses `{file}`")).at(self.origin(file, 1));
        Err(suggested(error, file, names()))
    }

    fn check_fields(&self, file: &str, text: &str, given: &serde_json::Map<String, serde_json::Value>) -> Result<()> {
        let own: BTreeSet<String> = bound(text).map(|(_, name)| name).collect();
        for (offset, tag) in tags(text) {
            for captures in FIELD.captures_iter(&tag) {
                let [name, field] = [&captures[1], &captures[2]];
                let Some(fields) = given.get(name).and_then(serde_json::Value::as_object) else { continue };
                if !own.contains(name) && !fields.contains_key(field) {
                    let line = line(text, offset + captures.get(2).map_or(0, |field| field.start()));
                    let error = self.unknown(file, line, &format!("`{name}` has no field `{field}`"));
                    return Err(suggested(error, field, fields.keys().map(String::as_str)));
                }
            }
        }
        Ok(())
    }

    fn unknown(&self, file: &str, line: usize, message: &str) -> Error {
        Error::usage(format!("the template `{file}` cannot be used: {message}")).at(self.origin(file, line))
    }

    fn origin(&self, file: &str, line: usize) -> Origin {
        let slash = if self.folder.is_empty() || self.folder.ends_with('/') { "" } else { "/" };
        Origin::file(format!("{}{slash}{file}", self.folder), line)
    }

    /// What Tera says of the templates, with the template and the line that it says it of.
    pub(super) fn error(&self, error: &tera::Error) -> Error {
        match error.kind() {
            tera::ErrorKind::SyntaxError(report) | tera::ErrorKind::RenderingError(report) => {
                self.reported(report.message(), report.filename(), report.span().start_line)
            }
            // A report of what is missing comes as text.
            tera::ErrorKind::Msg(text) => match located(text) {
                Some((message, file, line)) => self.reported(message, file, line),
                None => Error::usage(format!("the templates cannot be used: {text}")),
            },
            tera::ErrorKind::MissingParent { current, parent } => {
                let error =
                    self.unknown(current, self.line_of_extends(current), &format!("there is no template `{parent}`"));
                suggested(error, parent, qualified().iter().map(String::as_str))
            }
            tera::ErrorKind::CircularExtend { tpl, .. } => self
                .unknown(tpl, self.line_of_extends(tpl), "it extends itself")
                .with_hint(format!("the built-in one is `{BUILT_IN}{tpl}`")),
            tera::ErrorKind::CircularInclude { tpl, .. } => {
                self.unknown(tpl, 1, "it includes itself").with_hint(format!("the built-in one is `{BUILT_IN}{tpl}`"))
            }
            _ => Error::usage(format!("the templates cannot be used: {error}")),
        }
    }

    /// What went wrong while a Dockerfile was written. Of what no filter quoted Tera does not know where it stands: it is the
    /// tag that is refused by itself, too.
    pub(super) fn writing_error(&self, error: &tera::Error, tera: &Tera, context: &Context) -> Error {
        let tera::ErrorKind::Io(kind) = error.kind() else { return self.error(error) };
        if *kind == std::io::ErrorKind::FileTooLarge {
            return Error::usage(format!("the templates write more than {} MiB", LONGEST >> 20));
        }
        let refused = |tag: &str| {
            let written = tera.render_str(tag, context, true);
            written.is_err_and(|error| matches!(error.kind(), tera::ErrorKind::Io(_)))
        };
        let place = self.written().find(|(_, _, tag)| refused(tag)).or_else(|| self.only_unquoted());
        let why = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
        match place {
            Some((file, line, _)) => self.unknown(file, line, &why),
            None => Error::usage(format!("the plan cannot be written as a Dockerfile: {why}")),
        }
        .with_hint(
            "a filter quotes it: `sh` in `RUN`, `docker` in `ENV` and `LABEL`, `exec` in `CMD`, `comment` in a comment",
        )
    }

    /// Where a template writes a value: the file, the line and the tag.
    fn written(&self) -> impl Iterator<Item = (&str, usize, &str)> {
        self.files.iter().flat_map(|(file, text)| {
            let tags = TAG.find_iter(text).filter(|tag| tag.as_str().starts_with("{{"));
            tags.map(move |tag| (file.as_str(), line(text, tag.start()), tag.as_str()))
        })
    }

    /// The one place that writes a name of a loop's without a filter, which cannot be tried by itself; `None` of several.
    fn only_unquoted(&self) -> Option<(&str, usize, &str)> {
        let bound: BTreeSet<String> = self.files.values().flat_map(|text| bound(text)).map(|(_, name)| name).collect();
        let mut places = self.written().filter(|(_, _, tag)| {
            let expression = tag.trim_matches(['{', '}', '-', ' ']);
            !expression.contains('|') && bound.contains(expression.split(['.', '[']).next().unwrap_or_default())
        });
        places.next().filter(|_| places.next().is_none())
    }

    /// A report of Tera's. The built-in templates are right: there it is a value of the plan that they could not write.
    fn reported(&self, message: &str, file: &str, line: usize) -> Error {
        let message = message.replace('\n', ", ");
        if !self.files.contains_key(file) {
            return Error::usage(format!("the plan cannot be written as a Dockerfile: {message}"));
        }
        // Our messages begin in lower case.
        let mut rest = message.trim_end_matches('.').chars();
        let message: String = rest.next().into_iter().flat_map(char::to_lowercase).chain(rest).collect();
        let error = self.unknown(file, line, &message);
        if message.starts_with("unknown filter") {
            return error
                .with_hint("the filters that quote are `sh`, `docker`, `exec`, `copy_from`, `copy_to` and `comment`");
        }
        error
    }

    fn line_of_extends(&self, file: &str) -> usize {
        let text = self.files.get(file).map(String::as_str).unwrap_or_default();
        line_of(text, "extends").unwrap_or(1)
    }
}

/// The names by which the built-in templates can be extended.
fn qualified() -> Vec<String> {
    TEMPLATES.iter().map(|(name, _)| format!("{BUILT_IN}{name}")).collect()
}

/// `error: MESSAGE`, and below it ` --> TEMPLATE:LINE:COLUMN`.
fn located(text: &str) -> Option<(&str, &str, usize)> {
    let (message, rest) = text.strip_prefix("error: ")?.split_once('\n')?;
    let place = rest.trim_start().strip_prefix("--> ")?.lines().next()?;
    let mut parts = place.rsplitn(3, ':');
    let (_, line, file) = (parts.next()?, parts.next()?, parts.next()?);
    Some((message, file, line.parse().ok()?))
}

fn suggested<'a>(error: Error, wanted: &str, among: impl Iterator<Item = &'a str>) -> Error {
    match nearest(wanted, among) {
        Some(name) => error.with_hint(format!("did you mean `{name}`?")),
        None => {
            error.with_hint("docs/templates.md lists what there is; so does the README of `sconce templates export`")
        }
    }
}

/// The tags of a template with their offsets; texts in them are blanked.
fn tags(text: &str) -> impl Iterator<Item = (usize, String)> {
    let tags = TAG.find_iter(text).filter(|tag| !tag.as_str().starts_with("{#"));
    tags.map(|tag| {
        let blank = |captures: &regex::Captures<'_>| " ".repeat(captures[0].len());
        (tag.start(), TEXT.replace_all(tag.as_str(), blank).into_owned())
    })
}

fn bound(text: &str) -> impl Iterator<Item = (bool, String)> {
    let names = |(_, tag): (usize, String)| {
        let captures = BOUND.captures_iter(&tag);
        let names = captures.flat_map(|captures| {
            let lasts = &captures[1] != "for";
            [2, 3].map(|group| Some((lasts, captures.get(group)?.as_str().to_owned()))).into_iter().flatten()
        });
        names.collect::<Vec<_>>()
    };
    tags(text).flat_map(names)
}

/// The names that a template sets.
pub(super) fn set(text: &str) -> Vec<String> {
    bound(text).filter(|(lasts, _)| *lasts).map(|(_, name)| name).collect()
}

/// The line where a template first uses `name`.
fn line_of(text: &str, name: &str) -> Option<usize> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    tags(text).find_map(|(offset, tag)| {
        let mut places = tag.match_indices(name);
        let whole = |at: &usize| {
            let before = tag[..*at].chars().next_back();
            let after = tag[*at + name.len()..].chars().next();
            !before.is_some_and(|c| is_part(c) || c == '.') && !after.is_some_and(is_part)
        };
        places.find_map(|(at, _)| whole(&at).then(|| line(text, offset + at)))
    })
}

fn line(text: &str, offset: usize) -> usize {
    1 + text[..offset].matches('\n').count()
}
