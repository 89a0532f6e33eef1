//! Requirements as setuptools takes them, from strings of one or more lines
//! (<https://github.com/pypa/setuptools/blob/main/setuptools/_reqs.py>).

use std::collections::BTreeSet;

use super::super::draft::{Draft, requirement};
use super::super::folder::parent;
use super::super::pep508::{self, Wanted};
use super::super::problems::Problems;
use super::super::text::{is_hidden, shown};
use super::super::url::{is_url, without_credentials};
use super::super::{pyproject, requirements, source};
use super::script::ANY;
use crate::model::{Error, Note, Origin, Requirement, RequirementRole, Result, Source};

/// One thing that a list of requirements holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) what: What,
    /// The number of its line, from 1.
    pub(super) line: usize,
    pub(super) when: When,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    /// A requirement.
    Text(String),
    /// The lines of a file, relative to the folder of the file that names it.
    File(String),
    /// Something that is known only when the file runs.
    Computed,
}

/// When an entry counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct When {
    /// Where it applies (PEP 508).
    pub(super) marker: Option<String>,
    pub(super) sure: Sure,
}

/// How sure it is that an entry counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum Sure {
    #[default]
    Yes,
    /// It is added under a condition that is known only when the file runs.
    Maybe,
    /// It is one of several that exclude each other, under such a condition.
    Either,
}

impl When {
    pub(super) fn marked(marker: &str) -> Self {
        Self { marker: Some(marker.to_owned()), sure: Sure::Yes }
    }

    pub(super) fn unsure(sure: Sure) -> Self {
        Self { marker: None, sure }
    }

    /// When both hold.
    pub(super) fn and(&self, other: &Self) -> Self {
        let marker = match (&self.marker, &other.marker) {
            (Some(a), Some(b)) if a == b => Some(a.clone()),
            (Some(a), Some(b)) => Some(format!("({a}) and ({b})")),
            (a, b) => a.clone().or_else(|| b.clone()),
        };
        Self { marker, sure: self.sure.max(other.sure) }
    }
}

impl Entry {
    pub(super) fn text(text: impl Into<String>, line: usize) -> Self {
        Self { what: What::Text(text.into()), line, when: When::default() }
    }

    /// It, for a message.
    pub(super) fn words(&self) -> String {
        match &self.what {
            What::Text(text) => format!("`{}`", shown(&without_credentials(text).text)),
            What::File(file) => format!("what `{}` asks for", shown(file)),
            What::Computed => "what is computed here".to_owned(),
        }
    }

    /// The file whose lines it stands for.
    pub(super) fn file(&self) -> Option<&str> {
        match &self.what {
            What::File(file) => Some(file),
            _ => None,
        }
    }
}

/// The requirements that stand on `lines`: without comments and blank lines, and joined where a line ends in `\`
/// (`yield_lines`, `drop_comment` and `join_continuation` of
/// <https://github.com/jaraco/jaraco.text/blob/main/jaraco/text/__init__.py>).
pub(super) fn entries<'t>(lines: impl Iterator<Item = (&'t str, usize)>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut begun: Option<(String, usize)> = None;
    for (line, number) in lines {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.split(" #").next().unwrap_or_default().trim();
        let (mut text, number) = begun.take().unwrap_or((String::new(), number));
        if let Some(continued) = line.strip_suffix('\\') {
            text.push_str(continued.trim_end());
            begun = Some((text, number));
        } else {
            text.push_str(line);
            entries.push(Entry::text(text, number));
        }
    }
    entries.extend(begun.map(|(text, number)| Entry::text(text, number)));
    entries
}

/// The list that entries stand in.
pub(super) struct List<'a> {
    /// The file, relative to the root.
    pub(super) file: &'a str,
    /// Its key, such as `install_requires`.
    pub(super) field: &'a str,
    /// The extra that they belong to.
    pub(super) extra: Option<&'a str>,
}

/// What is not known of lists, gathered so that one note tells it of all of them.
#[derive(Default)]
pub(super) struct Unsure {
    /// The lines of what is computed, and the extras that it stands in.
    computed: Vec<(usize, Option<String>)>,
}

impl Unsure {
    /// Tells what was gathered of the lists `field` of `file`.
    pub(super) fn tell(self, draft: &mut Draft<'_>, file: &str, field: &str) {
        let Some((line, _)) = self.computed.first() else { return };
        let mut extras: Vec<String> = Vec::new();
        for extra in self.computed.iter().filter_map(|(_, extra)| extra.as_deref().filter(|extra| *extra != ANY)) {
            let extra = format!("`{}`", shown(extra));
            if !extras.contains(&extra) {
                extras.push(extra);
            }
        }
        let of = if extras.is_empty() { String::new() } else { format!(" for {}", shortened(&extras)) };
        let message = format!("`{field}` is computed{of} when `{}` runs, so it is not known here", shown(file));
        let note = Note::warning(message, Origin::file(file, *line)).with_hint(WRITE_OUT);
        draft.noted_together(file, self.computed.len(), note);
    }
}

const WRITE_OUT: &str = "write what is asked for as plain strings, or name a requirements file with `--from`";

/// The first of many words.
fn shortened(words: &[String]) -> String {
    const MOST: usize = 10;
    let first = words.iter().take(MOST).cloned().collect::<Vec<_>>().join(", ");
    if words.len() > MOST { format!("{first} and {} more", words.len() - MOST) } else { first }
}

/// Takes up the entries of a list.
pub(super) fn take(draft: &mut Draft<'_>, list: &List<'_>, entries: &[Entry], unsure: &mut Unsure) -> Result<()> {
    draft.account(list.file, entries.len());
    let (either, entries): (Vec<&Entry>, Vec<&Entry>) =
        entries.iter().partition(|entry| entry.when.sure == Sure::Either);
    choices(draft, list, &either);
    let (computed, entries): (Vec<&Entry>, Vec<&Entry>) =
        entries.into_iter().partition(|entry| entry.what == What::Computed);
    draft.computed |= list.extra.is_none() && !computed.is_empty();
    unsure.computed.extend(computed.iter().map(|entry| (entry.line, list.extra.map(str::to_owned))));
    let mut problems = Problems::default();
    for entry in &entries {
        let origin = Origin::file(list.file, entry.line);
        problems.note(one(draft, list, entry, &origin).map_err(|error| error.or_at(&origin)));
    }
    conditions(draft, list, &entries);
    problems.finish()
}

/// Tells between what a script chooses: none of it is read.
fn choices(draft: &mut Draft<'_>, list: &List<'_>, either: &[&Entry]) {
    let Some(first) = either.first() else { return };
    draft.computed |= list.extra.is_none();
    let words: Vec<String> = either.iter().map(|entry| format!("{} (line {})", entry.words(), entry.line)).collect();
    let of = list.extra.map(|extra| format!(" of `{}`", shown(extra))).unwrap_or_default();
    let message = format!(
        "`{}`{of} is one of several choices, made only when `{}` runs: {}",
        list.field,
        shown(list.file),
        shortened(&words)
    );
    let located = either.iter().filter_map(|entry| draft.folder.locate(parent(list.file), entry.file()?).ok());
    let files: BTreeSet<String> = located.map(|file| format!("`--from {}`", shown(&file.path))).collect();
    let files: Vec<String> = files.into_iter().collect();
    let hint = match files.as_slice() {
        [] => WRITE_OUT.to_owned(),
        files => format!("choose one with {}", files.join(" or ")),
    };
    let note = Note::warning(message, Origin::file(list.file, first.line)).with_hint(hint);
    draft.noted_together(list.file, either.len(), note);
}

/// Names what counts only under a condition that is not known.
fn conditions(draft: &mut Draft<'_>, list: &List<'_>, entries: &[&Entry]) {
    let maybe: Vec<&&Entry> = entries.iter().filter(|entry| entry.when.sure == Sure::Maybe).collect();
    let Some(first) = maybe.first() else { return };
    let words: Vec<String> = maybe.iter().map(|entry| entry.words()).collect();
    let message = format!(
        "`{}` holds {} under a condition that is known only when `{}` runs",
        list.field,
        shortened(&words),
        shown(list.file)
    );
    draft.note(Note::info(message, Origin::file(list.file, first.line)));
}

fn one(draft: &mut Draft<'_>, list: &List<'_>, entry: &Entry, origin: &Origin) -> Result<()> {
    match &entry.what {
        What::Text(text) => {
            take_text(draft, list, text, entry, origin)?;
            draft.fact(list.file);
        }
        What::File(file) => take_file(draft, list, file, origin)?,
        What::Computed => {}
    }
    Ok(())
}

/// Takes up a requirements file that a script reads.
fn take_file(draft: &mut Draft<'_>, list: &List<'_>, file: &str, origin: &Origin) -> Result<()> {
    let located = match draft.folder.locate(parent(list.file), file) {
        Ok(located) => located,
        Err(error) => {
            draft.computed |= list.extra.is_none();
            let message = format!("`{}` reads a file that is not read here: {}", shown(list.file), error.message);
            let note = Note::warning(message, origin.clone());
            draft.noted(list.file, error.hint.into_iter().fold(note, Note::with_hint));
            return Ok(());
        }
    };
    draft.fact(list.file);
    let message = format!("`{}` takes its `{}` from `{}`", shown(list.file), list.field, shown(&located.path));
    draft.note(Note::info(message, origin.clone()));
    // A requirements file with `.` in it comes back to itself by way of the `setup.py` that reads it.
    if list.extra.is_none() && draft.has_read(&located.path) {
        return Ok(());
    }
    requirements::read_for(draft, &located.path, list.extra)
}

fn take_text(draft: &mut Draft<'_>, list: &List<'_>, text: &str, entry: &Entry, origin: &Origin) -> Result<()> {
    if text.contains(is_hidden) {
        return Err(Error::usage(format!("`{}` holds a character that does not show", shown(text))));
    }
    let stripped = without_credentials(text.trim());
    if stripped.literal {
        draft.warn_of_credential(origin);
    }
    let text = marked(&stripped.text, entry.when.marker.as_deref())?;
    let parsed = pep508::parse(&text)?;
    let source = match parsed.wanted {
        Wanted::Versions(specifiers) => Source::Index { specifiers },
        Wanted::Url(url) if is_url(&url) => source::at_url(draft, &url)?.source,
        Wanted::Url(_) => {
            let message = format!("behind the `@` of `{}` stands no URL", shown(&text));
            return Err(Error::usage(message).with_hint("write `name @ https://…`"));
        }
        Wanted::UnknownVersions => {
            let message = format!("`{}` holds a variable, which setuptools does not expand", shown(&text));
            return Err(Error::usage(message).with_hint("write the version out"));
        }
    };
    let folder = match &source {
        Source::Path { path } if draft.folder.is_dir(path) => Some((path.clone(), parsed.extras.clone())),
        _ => None,
    };
    draft.project.requirements.push(Requirement {
        name: Some(parsed.name),
        extras: parsed.extras,
        marker: parsed.marker,
        extra: list.extra.map(str::to_owned),
        ..requirement(&text, source, RequirementRole::Requirement, origin.clone())
    });
    let Some((folder, extras)) = folder else { return Ok(()) };
    pyproject::follow(draft, &folder, &extras)?;
    super::follow(draft, &folder, &extras).map(|_| ())
}

/// `text` with one marker more.
fn marked(text: &str, marker: Option<&str>) -> Result<String> {
    let Some(more) = marker else { return Ok(text.to_owned()) };
    let parsed = pep508::parse(text)?;
    Ok(match parsed.marker {
        Some(own) => {
            let body = text.strip_suffix(own.as_str()).unwrap_or(text).trim_end().trim_end_matches(';').trim_end();
            format!("{body} ; ({own}) and ({more})")
        }
        None => format!("{} ; {more}", text.trim_end().trim_end_matches(';').trim_end()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_lose_comments_and_join() {
        let lines = ["", " a>=1  # why", "# no", "b \\", "  >=2", "c#d", "e ; x == '#'"];
        let read: Vec<(String, usize)> = entries(lines.into_iter().zip(1..))
            .into_iter()
            .map(|entry| match entry.what {
                What::Text(text) => (text, entry.line),
                _ => (String::new(), 0),
            })
            .collect();
        let expected = [("a>=1", 2), ("b>=2", 4), ("c#d", 6), ("e ; x == '#'", 7)];
        assert_eq!(read, expected.map(|(text, line)| (text.to_owned(), line)));
    }

    #[test]
    fn a_marker_joins_the_one_that_is_there() {
        let more = Some("sys_platform == 'win32'");
        assert_eq!(marked("a>=1", more).unwrap(), "a>=1 ; sys_platform == 'win32'");
        let both = marked("a @ https://h/x.zip ; os_name == 'nt' or extra == 'y'", more).unwrap();
        assert_eq!(both, "a @ https://h/x.zip ; (os_name == 'nt' or extra == 'y') and (sys_platform == 'win32')");
        assert!(pep508::parse(&both).is_ok());
    }
}
