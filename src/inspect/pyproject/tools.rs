//! The tables of a `pyproject.toml` that other tools read, where another file is the manifest: said to be there, not
//! followed.

use toml::de::DeValue;

use super::super::draft::Draft;
use super::super::toml_file::{TomlFile, Value};
use crate::model::{Note, Origin};

/// The keys, beneath `tool`, that change what a tool installs.
const TABLES: [(&str, &[&str]); 4] = [
    (
        "uv",
        &[
            "sources",
            "index",
            "index-url",
            "extra-index-url",
            "find-links",
            "constraint-dependencies",
            "override-dependencies",
            "no-build-isolation-package",
        ],
    ),
    ("poetry", &["dependencies", "group", "source"]),
    ("pdm", &["source", "resolution"]),
    ("pixi", &["dependencies", "pypi-dependencies", "feature"]),
];

/// How deep a value is looked through.
const DEEPEST: usize = 16;

/// Notes each tool that is configured here; with a warning where it bears on torch, and no lock says where that comes
/// from.
pub(super) fn note(draft: &mut Draft<'_>, toml: &TomlFile<'_>) {
    let locks = &draft.project.locks;
    let locked = draft.project.manifests.iter().any(|manifest| locks.iter().any(|lock| lock.path == manifest.path));
    for (tool, keys) in TABLES {
        let tables = || keys.iter().filter_map(|key| Some((*key, toml.get(&["tool", tool, key])?)));
        let on_torch = tables().filter(|_| !locked).find_map(|(key, value)| Some((key, mention(toml, value)?)));
        if let Some((key, origin)) = on_torch {
            let message = format!(
                "`tool.{tool}.{key}` speaks of torch, and is not followed: torch comes from where pip takes it"
            );
            let hint = "name the index of torch in a requirements file, or with `--index-url`; or read this file, with `--from pyproject.toml`";
            draft.note(Note::warning(message, origin).with_hint(hint));
        } else if let Some((key, value)) = tables().next() {
            let because = if locked { ": the lock says what comes from where" } else { "" };
            let message = format!("`tool.{tool}.{key}` is not followed{because}");
            draft.note(Note::info(message, toml.origin(value.span())));
        }
    }
}

/// Where a key or string in `value` first speaks of torch.
pub(super) fn mention(toml: &TomlFile<'_>, value: &Value<'_>) -> Option<Origin> {
    mention_within(toml, value, DEEPEST)
}

fn mention_within(toml: &TomlFile<'_>, value: &Value<'_>, depth: usize) -> Option<Origin> {
    let speaks = |text: &str| text.to_ascii_lowercase().contains("torch");
    let within = |value| mention_within(toml, value, depth.checked_sub(1)?);
    match value.get_ref() {
        DeValue::String(text) => speaks(text).then(|| toml.origin(value.span())),
        DeValue::Array(items) => items.iter().find_map(within),
        DeValue::Table(table) => {
            let mut entries: Vec<_> = table.iter().collect();
            entries.sort_by_key(|(key, _)| key.span().start);
            entries.into_iter().find_map(|(key, value)| {
                if speaks(key.get_ref()) { Some(toml.origin(key.span())) } else { within(value) }
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::drafted;
    use super::super::{FILE, facts};
    use super::*;
    use crate::model::{Lock, Manifest, ManifestKind};

    #[test]
    fn a_lock_says_where_torch_comes_from() {
        let said = |locked: bool| {
            let files = [(FILE, "[tool.uv.sources]\ntorch = { index = 'cpu' }")];
            let read = |draft: &mut Draft<'_>| {
                let (path, kind) = ("uv.lock".to_owned(), ManifestKind::UvLock);
                draft.project.manifests.push(Manifest { path: path.clone(), kind });
                if locked {
                    draft.project.locks.push(Lock { path, kind, format: None, packages: Vec::new() });
                }
                facts(draft)
            };
            let ((), project) = drafted(&files, read).unwrap();
            project.notes.iter().map(|note| note.message.clone()).collect::<Vec<_>>()
        };
        assert_eq!(said(true), ["`tool.uv.sources` is not followed: the lock says what comes from where"]);
        assert!(said(false)[0].contains("torch comes from where pip takes it"));
    }
}
