//! pip's requirements files, as pip reads them (<https://pip.pypa.io/en/stable/reference/requirements-file-format/>).

mod lines;
mod options;
mod requirement;
mod settings;

use std::collections::HashSet;

use self::lines::Line;
use self::options::{Given, Meaning, Taken};
use super::draft::{Answer, Draft};
use super::folder::{Folder, Located, parent};
use super::problems::Problems;
use super::text::{excerpt, is_hidden, shown};
use super::url::{is_url, variables, without_credentials};
use super::{Format, conda, pyproject};
use crate::model::{Error, ManifestKind, Note, Origin, RequirementRole, Result, VariableUse};

/// A chain of files longer than this is a mistake, and each holds a file in memory.
const DEEPEST: usize = 50;

/// No requirements file that means something has more lines; one of them takes kilobytes of memory.
const MOST_LINES: usize = 20_000;
/// No line that means something is longer, in bytes: it would hold thousands of hashes.
const LONGEST_LINE: usize = 256 << 10;

/// The format.
pub(super) const FORMAT: Format = Format {
    kind: ManifestKind::Requirements,
    files: &["requirements.txt"],
    looked_for: "`requirements.txt`",
    recognizes: |name| {
        let (_, ending) = name.rsplit_once('.').unwrap_or(("", ""));
        matches!(ending, "" | "txt" | "in" | "pip") && name != "Pipfile"
    },
    declares: |_: &Folder, _| Ok(true),
    read,
};

/// Whether a file of this name is one by custom, such as `requirements-gpu.txt`.
pub(super) fn is_named_so(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let ending = lower.rsplit_once('.').map_or("", |(_, ending)| ending);
    matches!(ending, "txt" | "in" | "pip") && (lower.contains("requirements") || lower.starts_with("reqs"))
}

fn read(draft: &mut Draft<'_>, file: &str) -> Result<()> {
    Reader::new(draft, None).start(file)
}

/// Takes up the requirements of `file` as those of the extra `extra`, or of no extra.
pub(super) fn read_for(draft: &mut Draft<'_>, file: &str, extra: Option<&str>) -> Result<()> {
    Reader::new(draft, extra).start(file)
}

/// Takes up one line of `file` that another format hands to pip as a line of a requirements file.
pub(super) fn read_line(draft: &mut Draft<'_>, file: &str, number: usize, text: &str) -> Result<()> {
    let mut reader = Reader::new(draft, None);
    for line in lines::logical(text) {
        let place = Place { file, origin: Origin::file(file, number), role: RequirementRole::Requirement };
        reader.line(&line, &place).map_err(|error| error.or_at(&place.origin))?;
    }
    Ok(())
}

/// Refuses more lines, or a longer one, than anything means.
fn refuse_excess(file: &str, lines: &[Line]) -> Result<()> {
    let refused = |line: &Line, why: String| {
        Err(Error::usage(format!("`{}` {why}", shown(file)))
            .at(Origin::file(file, line.number))
            .with_hint("see what is in it; a file of requirements has a line for each distribution"))
    };
    if let Some(line) = lines.get(MOST_LINES) {
        return refused(line, format!("has more than {MOST_LINES} lines with something on them"));
    }
    match lines.iter().find(|line| line.text.len() > LONGEST_LINE) {
        Some(line) => refused(line, format!("has a line that is longer than {} KiB", LONGEST_LINE >> 10)),
        None => Ok(()),
    }
}

/// Reads a file and those that it names.
struct Reader<'d, 'f> {
    draft: &'d mut Draft<'f>,
    extra: Option<String>,
    /// The files that are being read, each named by the one before it.
    chain: Vec<Located>,
    /// What is read already: once more would say nothing new, and a few lines could ask for millions of readings.
    seen: HashSet<(String, RequirementRole)>,
}

/// Where a line stands.
struct Place<'a> {
    file: &'a str,
    origin: Origin,
    role: RequirementRole,
}

impl<'d, 'f> Reader<'d, 'f> {
    fn new(draft: &'d mut Draft<'f>, extra: Option<&str>) -> Self {
        Self { draft, extra: extra.map(str::to_owned), chain: Vec::new(), seen: HashSet::new() }
    }

    fn start(mut self, file: &str) -> Result<()> {
        let located = self.draft.folder.locate(".", file)?;
        self.file(&located, RequirementRole::Requirement)
    }

    fn file(&mut self, located: &Located, role: RequirementRole) -> Result<()> {
        let content = self.draft.folder.read_requirements(&located.path)?;
        conda::refuse_list(&located.path, &content)?;
        self.draft.file(located);
        self.seen.insert((located.real.clone(), role));
        self.chain.push(located.clone());
        let lines = lines::logical(&content);
        refuse_excess(&located.path, &lines)?;
        // A file may be read as requirements, as constraints and for several extras; its lines are the same.
        let accounted = self.draft.has_account(&located.path);
        if !accounted {
            self.draft.account(&located.path, lines.len());
        }
        let mut problems = Problems::default();
        for line in lines {
            let place = Place { file: &located.path, origin: Origin::file(&located.path, line.number), role };
            let read = self.line(&line, &place).map(|answer| {
                if !accounted {
                    self.draft.answered(&located.path, answer);
                }
            });
            problems.note(read.map_err(|error| error.or_at(&place.origin)));
        }
        self.chain.pop();
        problems.finish()
    }

    fn line(&mut self, line: &Line, place: &Place<'_>) -> Result<Answer> {
        if let Some(at) = line.text.chars().position(is_hidden) {
            return Err(Error::usage(format!("`{}` holds a character that does not show", shown(&line.text)))
                .with_log(excerpt(&without_credentials(&line.text).text, at, 1))
                .with_hint("remove it; it may have come with a copied text"));
        }
        for name in variables(&line.text) {
            self.draft.project.variables.push(VariableUse { name, origin: place.origin.clone() });
        }
        // Nothing after this sees a credential, so that none can come out again.
        let stripped = without_credentials(&line.text);
        if stripped.literal {
            self.draft.warn_of_credential(&place.origin);
        }
        let taken = options::take(&stripped.text).map_err(|why| {
            Error::usage(why).with_hint("the options of pip that a file may hold: https://pip.pypa.io/en/stable/reference/requirements-file-format")
        })?;
        self.taken(&taken, place)
    }

    /// A line is a requirement, or else names another file, or else is settings; pip ignores what else stands on it.
    fn taken(&mut self, taken: &Taken, place: &Place<'_>) -> Result<Answer> {
        let mut firsts: Vec<&Given> = Vec::new();
        for given in &taken.options {
            if !firsts.iter().any(|first| first.meaning == given.meaning) {
                firsts.push(given);
            }
        }
        let first = |meaning| firsts.iter().copied().find(|given| given.meaning == meaning);
        let (editable, nested) = (first(Meaning::Editable), first(Meaning::Requirement).or(first(Meaning::Constraint)));
        if !taken.requirement.is_empty() || editable.is_some() {
            self.ignored(taken, place, |given| match given.meaning {
                Meaning::Hash | Meaning::OfRequirement | Meaning::Format => true,
                Meaning::Editable => editable.is_some_and(|editable| std::ptr::eq(editable, given)),
                _ => false,
            });
            requirement::read(self, taken, editable, place)?;
            return Ok(Answer::Fact);
        }
        if let Some(nested) = nested {
            self.ignored(taken, place, |given| std::ptr::eq(nested, given) || given.meaning == Meaning::Format);
            return self.nested(nested, place);
        }
        self.ignored(taken, place, |given| {
            let is_first = first(given.meaning).is_some_and(|first| std::ptr::eq(first, given));
            let belongs = !matches!(given.meaning, Meaning::Hash | Meaning::OfRequirement);
            belongs && (is_first || given.meaning != Meaning::FindLinks)
        });
        settings::read(self.draft, &taken.options, place)
    }

    /// Says what on a line has no effect.
    fn ignored(&mut self, taken: &Taken, place: &Place<'_>, has_effect: impl Fn(&Given) -> bool) {
        let options = taken.options.iter().filter(|given| !has_effect(given)).map(|given| given.name);
        for word in options.chain(taken.strays.iter().map(String::as_str)) {
            let message = format!("pip ignores `{}` on this line", shown(word));
            let note = Note::warning(message, place.origin.clone()).with_hint("put it on a line of its own");
            self.draft.note(note);
        }
    }

    fn nested(&mut self, given: &Given, place: &Place<'_>) -> Result<Answer> {
        let role = match given.meaning {
            Meaning::Constraint => RequirementRole::Constraint,
            _ => RequirementRole::Requirement,
        };
        if is_url(&given.value) {
            let message = format!(
                "the file at `{}` is not read before the build, so what it asks for is not known",
                shown(&given.value)
            );
            self.draft.note(Note::warning(message, place.origin.clone()).with_hint("keep a copy of it in the project"));
            return Ok(Answer::Note);
        }
        let located = self.draft.folder.locate(parent(place.file), &given.value).map_err(|error| match error.hint {
            None => error.with_hint(format!("`{}` is relative to the folder of `{}`", given.name, shown(place.file))),
            Some(_) => error,
        })?;
        if let Some(begin) = self.chain.iter().position(|file| file.real == located.real) {
            return Err(self.circle(begin, &located));
        }
        if self.chain.len() >= DEEPEST {
            return Err(Error::usage(format!("files name each other more than {DEEPEST} deep")));
        }
        if self.seen.contains(&(located.real.clone(), role)) {
            self.draft.file(&located);
            return Ok(Answer::Fact);
        }
        self.file(&located, role)?;
        Ok(Answer::Fact)
    }

    fn circle(&self, begin: usize, last: &Located) -> Error {
        let chain: Vec<String> =
            self.chain[begin..].iter().chain([last]).map(|file| format!("`{}`", shown(&file.path))).collect();
        Error::usage(format!("requirements files name each other in a circle: {}", chain.join(" → ")))
            .with_hint("take out one of these lines")
    }

    /// Takes up what a folder of the project itself asks for.
    fn follow(&mut self, folder: &str, extras: &[String]) -> Result<()> {
        pyproject::follow(self.draft, folder, extras)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::drafted;
    use super::*;

    #[test]
    fn more_than_anything_means_is_refused() {
        let lines = |count| lines::logical(&"a\n".repeat(count));
        assert!(refuse_excess("r.txt", &lines(MOST_LINES)).is_ok());
        let error = refuse_excess("r.txt", &lines(MOST_LINES + 1)).unwrap_err();
        assert_eq!(error.to_string(), "r.txt:20001: `r.txt` has more than 20000 lines with something on them");
        assert!(error.hint.is_some());
        let long = format!("a\n{}", "b".repeat(LONGEST_LINE + 1));
        let error = refuse_excess("r.txt", &lines::logical(&long)).unwrap_err();
        assert_eq!(error.origin, Some(Origin::file("r.txt", 2)));
    }

    #[test]
    fn a_line_of_very_many_options_is_read() {
        let variables = (0..10_000).map(|n| format!("${{A{n}}}")).collect::<Vec<_>>().join(" ");
        let options = format!("{}{}", "--hash=x ".repeat(10_000), "--pre ".repeat(10_000));
        drafted(&[], |draft| {
            read_line(draft, "r.txt", 1, &options)?;
            assert!(read_line(draft, "r.txt", 2, &variables).is_err());
            Ok(())
        })
        .unwrap();
    }
}
