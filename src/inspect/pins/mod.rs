//! Files in which somebody pins the version of Python to work with.

mod mise;
mod version;
mod words;

use super::draft::Draft;
use crate::model::{Error, Note, Origin, Result};

/// Files of plain lines, and which versions of Python they name.
pub(super) const PLAIN: [(&str, Names); 3] = [
    (".python-version", words::python_version),
    ("runtime.txt", words::runtime),
    (".tool-versions", words::tool_versions),
];

/// No file that pins a version is longer, in bytes.
const LONGEST: u64 = 64 << 10;

pub(super) type Names = fn(&str) -> Vec<(&str, usize)>;

/// mise's files for a project, those that are not to be shared left out
/// (<https://mise.jdx.dev/configuration.html#mise-toml>).
pub(super) const MISE: [&str; 6] = [
    "mise.toml",
    ".mise.toml",
    "mise/config.toml",
    ".mise/config.toml",
    ".config/mise.toml",
    ".config/mise/config.toml",
];

/// Takes up the pins of the root. A file that cannot be read pins nothing, and is no reason to stop; one that leads out of
/// the project is.
pub(super) fn facts(draft: &mut Draft<'_>) -> Result<()> {
    for (file, names) in PLAIN {
        take(draft, file, |draft| {
            let text = draft.folder.read_short(file, LONGEST)?;
            version::take(draft, file, &names(&text));
            Ok(())
        })?;
    }
    MISE.iter().try_for_each(|file| take(draft, file, |draft| mise::read(draft, file)))
}

fn take<'a>(draft: &mut Draft<'a>, file: &str, read: impl FnOnce(&mut Draft<'a>) -> Result<()>) -> Result<()> {
    if !draft.folder.has(file) {
        return Ok(());
    }
    draft.folder.locate(".", file).map_err(|error| error.at(Origin::file(file, 1)))?;
    if let Err(Error { message, origin, hint, .. }) = read(draft) {
        let origin = origin.unwrap_or_else(|| Origin::file(file, 1));
        draft.note(Note { hint, ..Note::warning(format!("`{file}` is not followed: {message}"), origin) });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::testing::{drafted_in, folder_of};
    use super::*;
    use crate::model::{Project, Severity, Strength};

    fn read(file: &str, bytes: &[u8]) -> Project {
        let root = folder_of(&[(file, "")]);
        fs::write(root.path().join(file), bytes).unwrap();
        drafted_in(&root, facts).unwrap().1
    }

    fn pins(project: &Project) -> Vec<String> {
        assert!(project.python.iter().all(|pin| pin.strength == Strength::Pinned));
        project.python.iter().map(|pin| format!("{} {}", pin.origin, pin.specifiers)).collect()
    }

    #[test]
    fn the_first_version_counts_and_the_others_are_noted() {
        let project = read(".python-version", b"# c\n3.11.4\n3.10\npypy3.10\n");
        assert_eq!(pins(&project), [".python-version:2 ==3.11.*"]);
        let told: Vec<_> = project.notes.iter().map(|note| (note.severity, note.origin.to_string())).collect();
        let expected = [(Severity::Info, ".python-version:3"), (Severity::Warning, ".python-version:4")];
        assert_eq!(told, expected.map(|(severity, origin)| (severity, origin.to_owned())));
    }

    #[test]
    fn each_tool_has_its_file() {
        for (file, text, pin) in [
            ("runtime.txt", "python-3.11.4\n", "runtime.txt:1 ==3.11.*"),
            (".tool-versions", "nodejs 20\npython 3.12.1 system\n", ".tool-versions:2 ==3.12.*"),
            ("mise.toml", "[tools]\nnode = '20'\npython = '3.12'\n", "mise.toml:3 ==3.12.*"),
            (".mise.toml", "[tools]\npython = [\n '3.13',\n '3.12']\n", ".mise.toml:3 ==3.13.*"),
            (
                ".config/mise.toml",
                "[tools.python]\nvirtualenv = '.venv'\nversion = 'prefix:3.10'\n",
                ".config/mise.toml:3 ==3.10.*",
            ),
            ("mise/config.toml", "[tools]\npython = [{version = '3.9'}]\n", "mise/config.toml:2 ==3.9.*"),
        ] {
            assert_eq!(pins(&read(file, text.as_bytes())), [pin], "{file}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_a_warning() {
        for (file, bytes, line) in [
            (".python-version", &b"3.11\n\xff\xfe"[..], 2),
            ("runtime.txt", b"r-4.1-2023-01-01\n", 1),
            ("mise.toml", b"[tools]\npython = \n", 2),
            ("mise.toml", b"[tools]\npython = '{{ env.PY }}'\n", 2),
            ("mise.toml", b"[tools]\npython = 3\n", 2),
        ] {
            let project = read(file, bytes);
            assert!(project.python.is_empty(), "{file}");
            let [note] = project.notes.as_slice() else { panic!("{:?}", project.notes) };
            assert_eq!((note.severity, note.origin.clone()), (Severity::Warning, Origin::file(file, line)));
        }
        assert!(read("mise.toml", b"tools = 3\n[env]\nX = '1'\n").notes.is_empty());
    }
}
