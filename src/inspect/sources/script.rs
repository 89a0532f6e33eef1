//! What a script says of itself: the `# /// script` block of PEP 723
//! (<https://packaging.python.org/en/latest/specifications/inline-script-metadata/>).

use std::collections::BTreeMap;

use pep440_rs::VersionSpecifiers;

use super::super::pep508::{self, Wanted};
use super::super::text::shown;
use super::super::toml_file::TomlFile;
use super::super::url::without_credentials;
use crate::model::{Note, Origin, Result};

/// How many requirements a note lists.
const LISTED: usize = 20;

/// What scripts allow, by distribution.
pub(super) type Versions = BTreeMap<String, VersionSpecifiers>;

/// The metadata of one script.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) note: Note,
    /// The versions of what it needs of an index whatever the environment.
    versions: Vec<(String, VersionSpecifiers)>,
}

/// The metadata of `file`, if it has any.
pub(super) fn of(file: &str, text: &str) -> Option<Script> {
    let (line, toml) = block(text)?;
    let origin = Origin::file(file, line);
    let broken = |what: &str| Script {
        note: Note::warning(format!("the metadata of `{}` (PEP 723) is not read: {what}", shown(file)), origin.clone()),
        versions: Vec::new(),
    };
    let Ok(parsed) = TomlFile::parse(file, &toml) else { return Some(broken("it is not TOML")) };
    let Ok(dependencies) = listed(&parsed) else {
        return Some(broken("`dependencies` is no list of strings"));
    };
    let mut versions = Vec::new();
    let mut asks: Vec<String> = Vec::new();
    for (text, _) in &dependencies {
        asks.push(format!("`{}`", shown(&without_credentials(text).text)));
        if let Ok(parsed) = pep508::parse(text)
            && let (Wanted::Versions(specifiers), None) = (parsed.wanted, parsed.marker)
        {
            versions.push((parsed.name, specifiers));
        }
    }
    if let Some(more) = asks.len().checked_sub(LISTED + 1) {
        asks.truncate(LISTED);
        asks.push(format!("{} more", more + 1));
    }
    if let Ok(Some((python, _))) = parsed.string(&["requires-python"]) {
        asks.push(format!("Python `{}`", shown(python)));
    }
    let what = if asks.is_empty() { "nothing".to_owned() } else { asks.join(", ") };
    let message = format!("`{}` asks for {what} in its own metadata (PEP 723)", shown(file));
    Some(Script { note: Note::info(message, origin), versions })
}

fn listed<'v>(parsed: &'v TomlFile<'_>) -> Result<Vec<(&'v str, Origin)>> {
    let path = ["dependencies"];
    parsed.get(&path).map_or_else(|| Ok(Vec::new()), |value| parsed.strings(value, &path, false))
}

/// The first block of the type `script`, with the line that opens it; without one that closes it, it is none.
fn block(text: &str) -> Option<(usize, String)> {
    let mut lines = text.lines().zip(1..).skip_while(|(line, _)| line.trim_end() != "# /// script");
    let (_, opened) = lines.next()?;
    let mut toml = String::new();
    let mut closed = None;
    for (line, _) in lines {
        let line = line.trim_end();
        if line == "# ///" {
            closed = Some(toml.len());
        }
        match line.strip_prefix("# ").or((line == "#").then_some("")) {
            Some(line) => toml.extend([line, "\n"]),
            None => break,
        }
    }
    toml.truncate(closed?);
    Some((opened, toml))
}

/// The versions that all scripts together allow.
pub(super) fn versions<'a>(scripts: impl Iterator<Item = &'a Script>) -> Versions {
    let mut all = Versions::new();
    for (name, specifiers) in scripts.flat_map(|script| &script.versions) {
        let known = all.entry(name.clone()).or_default();
        let more: Vec<_> = specifiers.iter().filter(|one| !known.iter().any(|known| known == *one)).cloned().collect();
        *known = known.iter().cloned().chain(more).collect();
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = "#!/usr/bin/env python\n# /// script\n# requires-python = \">=3.11\"\n# dependencies = [\n\
        #   \"rich==13.0\",\n#   \"tomli ; python_version < '3.11'\",\n# ]\n# ///\nimport rich\n";

    #[test]
    fn what_a_script_says_of_itself_is_noted_and_its_versions_count() {
        let script = of("run.py", SCRIPT).unwrap();
        let expected = "`run.py` asks for `rich==13.0`, `tomli ; python_version < '3.11'`, Python `>=3.11` in its own \
            metadata (PEP 723)";
        assert_eq!((script.note.message.as_str(), script.note.origin), (expected, Origin::file("run.py", 2)));
        assert_eq!(script.versions, [("rich".to_owned(), "==13.0".parse().unwrap())]);
    }

    #[test]
    fn blocks_that_are_open_or_broken() {
        assert!(of("a.py", "# /// script\n# dependencies = []\nimport x\n").is_none());
        assert!(of("a.py", "import x\n").is_none());
        let broken = of("a.py", "# /// script\n# dependencies = [\n# ///\n").unwrap();
        assert!(broken.note.message.contains("is not TOML"), "{}", broken.note.message);
    }
}
