//! One file, read and looked through.

use std::sync::LazyLock;

use regex::Regex;
use ruff_python_ast::ModModule;

use super::super::folder::Folder;
use super::super::python_file::{Unreadable, parse_on_this_thread};
use super::super::text::Undecodable;
use super::imports::{self, Imported};
use super::lines::Lines;
use super::{compile, devices, lenient, notebook};
use crate::model::{CompileUse, DeviceUse, Note};

/// What one file tells.
#[derive(Debug, Default)]
pub(super) struct Scanned {
    pub(super) imports: Vec<Imported>,
    /// The folders that it adds to `sys.path`.
    pub(super) folders: Vec<String>,
    pub(super) compiles: Vec<CompileUse>,
    pub(super) devices: Vec<DeviceUse>,
    pub(super) notes: Vec<Note>,
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
    if !is_worth_parsing(text, imports) && !text.contains("pip install") {
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
        Some(Ok(found)) => Scanned { imports: found.imports, folders: found.folders, ..unread(why) },
        _ => unread(why),
    }
}

fn all(file: &str, module: &ModModule, lines: &Lines) -> Scanned {
    let found = imports::of(module, lines);
    Scanned {
        compiles: compile::uses(file, module, lines),
        devices: devices::named(file, module, lines),
        imports: found.imports,
        folders: found.folders,
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
