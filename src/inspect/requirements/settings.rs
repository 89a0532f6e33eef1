//! Lines that set something for the whole installation.

use super::super::draft::{Answer, Draft};
use super::super::folder::{join, parent};
use super::super::text::shown;
use super::super::url::{check, has_variable, is_url, scheme};
use super::Place;
use super::options::{Given, Meaning};
use crate::model::{Error, Index, IndexRole, Note, PipOption, Result, is_archive};

/// Takes up the settings of a line.
pub(super) fn read(draft: &mut Draft<'_>, options: &[Given], place: &Place<'_>) -> Result<Answer> {
    let mut answer = Answer::Note;
    for given in options {
        let taken = take(draft, given, place)?;
        answer = if taken == Answer::Fact { taken } else { answer };
    }
    Ok(answer)
}

fn take(draft: &mut Draft<'_>, given: &Given, place: &Place<'_>) -> Result<Answer> {
    match given.meaning {
        Meaning::IndexUrl => index(draft, &given.value, IndexRole::Primary, place)?,
        Meaning::ExtraIndexUrl => index(draft, &given.value, IndexRole::Extra, place)?,
        Meaning::NoIndex => push(draft, String::new(), IndexRole::None, place),
        Meaning::FindLinks => return find_links(draft, &given.value, place),
        Meaning::RequireHashes => draft.project.hashed = true,
        Meaning::Format => {
            let message = format!("`{}` is left to the installer", text(given));
            draft.note(Note::info(message, place.origin.clone()));
            return Ok(Answer::Note);
        }
        Meaning::OfPip => {
            draft.project.pip_options.push(PipOption { text: text(given), origin: place.origin.clone() });
        }
        // Found ineffective, or read, before.
        Meaning::Requirement | Meaning::Constraint | Meaning::Editable | Meaning::Hash | Meaning::OfRequirement => {
            return Ok(Answer::Note);
        }
    }
    Ok(Answer::Fact)
}

/// The option as given, safe to show.
fn text(given: &Given) -> String {
    if given.value.is_empty() { given.name.to_owned() } else { format!("{} {}", given.name, shown(&given.value)) }
}

fn push(draft: &mut Draft<'_>, url: String, role: IndexRole, place: &Place<'_>) {
    let origin = place.origin.clone();
    draft.project.indexes.push(Index { url, role, name: None, explicit: false, bindings: Vec::new(), origin });
}

fn index(draft: &mut Draft<'_>, url: &str, role: IndexRole, place: &Place<'_>) -> Result<()> {
    check(url)?;
    if scheme(url).as_deref() == Some("file") {
        return Err(on_this_machine(url));
    }
    push(draft, url.to_owned(), role, place);
    Ok(())
}

fn on_this_machine(url: &str) -> Error {
    Error::usage(format!("`{}` is a place on this machine, not in the image", shown(url)))
        .with_hint("name a folder of the project with `--find-links`, by a relative path")
}

/// A page, or a folder or file of the project: relative to the file that names it if it is there, else to the root.
fn find_links(draft: &mut Draft<'_>, value: &str, place: &Place<'_>) -> Result<Answer> {
    if is_url(value) || has_variable(value) {
        return index(draft, value, IndexRole::FindLinks, place).map(|()| Answer::Fact);
    }
    if ![parent(place.file), "."].into_iter().any(|base| draft.folder.holds(base, value)) {
        let message = format!("`{}` does not exist, and pip ignores it", shown(value));
        draft.note(Note::warning(message, place.origin.clone()));
        return Ok(Answer::Note);
    }
    let near = draft.folder.locate(parent(place.file), value);
    let located = near.or_else(|_| draft.folder.locate(".", value))?;
    if draft.folder.is_dir(&located.path) {
        for name in draft.folder.list(&located.path).into_iter().filter(|name| is_archive(name)) {
            let archive = draft.folder.locate(".", &join(&located.path, &name))?;
            draft.file(&archive);
        }
    } else {
        draft.file(&located);
    }
    push(draft, located.path, IndexRole::FindLinks, place);
    Ok(Answer::Fact)
}
