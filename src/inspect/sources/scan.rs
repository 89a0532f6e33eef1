//! One file, read and looked through.

use std::sync::LazyLock;

use regex::Regex;
use ruff_python_ast::ModModule;

use super::super::folder::Folder;
use super::super::python_file::{Unreadable, parse_on_this_thread};
use super::super::text::{Undecodable, shown};
use super::imports::{self, Imported, Imports};
use super::lines::Lines;
use super::script::{self, Script};
use super::{compile, devices, lenient, notebook};
use crate::model::{CompileUse, DeviceUse, Note, Origin};

/// What one file tells.
#[derive(Debug, Default)]
pub(super) struct Scanned {
    pub(super) imports: Vec<Imported>,
    /// The folders that it adds to `sys.path`.
    pub(super) folders: Vec<String>,
    pub(super) compiles: Vec<CompileUse>,
    pub(super) devices: Vec<DeviceUse>,
    pub(super) notes: Vec<Note>,
    /// What it says of itself (PEP 723).
    pub(super) script: Option<Script>,
    /// The files that it runs by `exec`, each with its line.
    pub(super) executed: Vec<(String, usize)>,
    /// Why it is not read, or not as Python.
    pub(super) unread: Option<Unreadable>,
}

/// What a file holds that is worth parsing for: a use of `torch.compile` in any spelling, or a device. Most files of a
/// project hold neither, and to parse them would be most of the work.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static WORTH_PARSING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"compile|dynamo|cuda|xpu|torch\.device|["'](?:cpu|mps|hpu|npu|xla|mtia)["':]"#).unwrap()
});

/// Looks through a file; its imports matter where `imports` is set.
pub(super) fn scan(folder: &Folder, file: &str, imports: bool) -> Scanned {
    let (text, undecodable) = match folder.read_source(file) {
        Ok(read) => read,
        Err(error) => return unread(Unreadable { message: error.message, line: 1 }),
    };
    let mut scanned = if file.to_ascii_lowercase().ends_with(".ipynb") {
        scan_notebook(file, &text, imports)
    } else if is_worth_parsing(&text, imports) {
        look(file, &text, &Lines::of(&text), imports)
    } else {
        Scanned::default()
    };
    scanned.script = script::of(file, &text);
    if let Some(Undecodable { message, line }) = undecodable {
        scanned.unread = Some(Unreadable { message: format!("it {message}"), line });
    }
    scanned
}

fn unread(why: Unreadable) -> Scanned {
    Scanned { unread: Some(why), ..Scanned::default() }
}

fn is_worth_parsing(text: &str, imports: bool) -> bool {
    (imports && text.contains("import")) || WORTH_PARSING.is_match(text)
}

fn scan_notebook(file: &str, text: &str, imports: bool) -> Scanned {
    if !imports && !is_worth_parsing(text, imports) && !text.contains("pip install") {
        return Scanned::default();
    }
    match notebook::read(text) {
        Ok(notebook) => {
            let mut scanned = look(file, &notebook.text, &notebook.lines, imports);
            scanned.notes.extend(notebook.installs(file));
            scanned
        }
        Err(why) => unread(why),
    }
}

/// Looks through Python text. What does not parse still shows its imports, line by line.
fn look(file: &str, text: &str, lines: &Lines, imports: bool) -> Scanned {
    let at = |module: &ModModule| all(file, module, lines);
    let why = match parse_on_this_thread(text, at) {
        Ok(scanned) => return scanned,
        Err(why) => why,
    };
    let found =
        imports.then(|| parse_on_this_thread(&lenient::imports_only(text), |module| imports::of(module, lines)));
    match found {
        Some(Ok(found)) => Scanned { unread: Some(why), ..with_imports(file, found) },
        _ => unread(why),
    }
}

fn all(file: &str, module: &ModModule, lines: &Lines) -> Scanned {
    Scanned {
        compiles: compile::uses(file, module, lines),
        devices: devices::named(file, module, lines),
        ..with_imports(file, imports::of(module, lines))
    }
}

/// The imports of Python text; for a thread that `on_big_stack` made.
pub(super) fn imports_of(file: &str, text: &str) -> Vec<Imported> {
    look(file, text, &Lines::of(text), true).imports
}

fn with_imports(file: &str, found: Imports) -> Scanned {
    let more = (found.more > 0).then(|| {
        let message = format!("of the imports of `{}` the last {} are not looked at", shown(file), found.more);
        Note::warning(message, Origin::file(file, 1))
    });
    Scanned {
        imports: found.modules,
        folders: found.folders,
        executed: found.executed,
        notes: more.into_iter().collect(),
        ..Scanned::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_says_nothing_is_not_parsed() {
        assert!(!is_worth_parsing("import os\nprint('cpus')", false));
        assert!(is_worth_parsing("import os", true));
        for text in ["torch.compile(m)", "x.cuda()", "d = \"mps\"", "d = 'cpu'", "TrainingArguments(dynamo_backend=x)"]
        {
            assert!(is_worth_parsing(text, false), "{text}");
        }
    }
}
