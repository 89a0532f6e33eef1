//! Notebooks: the Python of their code cells.
//!
//! Format: <https://nbformat.readthedocs.io/en/latest/format_description.html>. What `IPython` alone understands, the magics
//! (<https://ipython.readthedocs.io/en/stable/interactive/magics.html>), is taken out.

use std::collections::HashMap;
use std::mem::take;

use serde::Deserialize;

use super::super::python_file::{Unreadable, parse_on_this_thread};
use super::super::text::shown;
use super::lenient;
use super::lines::Lines;
use crate::model::{Note, Origin};

/// The Python of a notebook.
pub(super) struct Notebook {
    pub(super) text: String,
    pub(super) lines: Lines,
    /// What it installs itself, by `!pip install` and `%pip install`, each with its line.
    installs: Vec<(usize, String)>,
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    cells: Vec<Cell>,
    /// Where the cells of version 3 are.
    #[serde(default)]
    worksheets: Vec<Worksheet>,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Worksheet {
    #[serde(default)]
    cells: Vec<Cell>,
}

#[derive(Deserialize)]
struct Cell {
    #[serde(default)]
    cell_type: String,
    #[serde(default, alias = "input")]
    source: Source,
}

/// One string, or one for each line.
#[derive(Deserialize)]
#[serde(untagged)]
enum Source {
    Whole(String),
    Lines(Vec<String>),
}

impl Default for Source {
    fn default() -> Self {
        Self::Lines(Vec::new())
    }
}

#[derive(Deserialize, Default)]
struct Metadata {
    kernelspec: Option<Kernel>,
}

#[derive(Deserialize)]
struct Kernel {
    language: Option<String>,
}

/// Reads a notebook. One for another language has no text.
pub(super) fn read(text: &str) -> Result<Notebook, Unreadable> {
    let file: File = serde_json::from_str(text)
        .map_err(|error| Unreadable { message: format!("it is no notebook: {error}"), line: error.line().max(1) })?;
    let language = file.metadata.kernelspec.and_then(|kernel| kernel.language);
    let mut reader = Reader { places: Places::of(text), ..Reader::default() };
    if language.is_none_or(|language| language.eq_ignore_ascii_case("python")) {
        let cells = file.cells.into_iter().chain(file.worksheets.into_iter().flat_map(|sheet| sheet.cells));
        cells.filter(|cell| cell.cell_type == "code").for_each(|cell| reader.cell(&cell.source));
    }
    Ok(Notebook { lines: Lines::mapped(&reader.text, reader.map), text: reader.text, installs: reader.installs })
}

impl Notebook {
    /// A note on what the notebook installs itself.
    pub(super) fn installs(&self, file: &str) -> Option<Note> {
        let (line, _) = self.installs.first()?;
        let installs: Vec<String> = self.installs.iter().map(|(_, what)| format!("`{}`", shown(what))).collect();
        let message = format!("`{}` installs for itself, when it runs: {}", shown(file), installs.join(", "));
        Some(Note::info(message, Origin::file(file, *line)).with_hint("list it among the project's requirements"))
    }
}

#[derive(Default)]
struct Reader {
    places: Places,
    text: String,
    /// The line in the file of each line of `text`.
    map: Vec<usize>,
    installs: Vec<(usize, String)>,
}

impl Reader {
    fn cell(&mut self, source: &Source) {
        let lines: Vec<(usize, &str)> = match source {
            // All of it stands on one line of the file.
            Source::Whole(text) => {
                let line = self.places.next(text);
                text.lines().map(|text| (line, text)).collect()
            }
            Source::Lines(lines) => lines
                .iter()
                .flat_map(|text| {
                    let line = self.places.next(text);
                    text.lines().map(move |text| (line, text))
                })
                .collect(),
        };
        if lines.iter().map(|(_, line)| line.trim()).find(|line| !line.is_empty()).is_some_and(is_of_another_language) {
            return;
        }
        let mut python = String::new();
        for (line, text) in &lines {
            self.installs.extend(installed(text).map(|what| (*line, what.to_owned())));
            python.push_str(&without_magic(text));
            python.push('\n');
            self.map.push(*line);
        }
        // One broken cell must not hide the others.
        if parse_on_this_thread(&python, |_| ()).is_err() {
            python = lenient::imports_only(&python);
        }
        self.text.push_str(&python);
    }
}

/// Whether a cell that begins with `line` holds another language, by its cell magic.
fn is_of_another_language(line: &str) -> bool {
    let Some(magic) = line.strip_prefix("%%") else { return false };
    let name = magic.split_whitespace().next().unwrap_or_default();
    !matches!(name, "time" | "timeit" | "capture" | "prun" | "python" | "python3" | "pypy" | "writefile" | "file" | "")
}

/// A line of a cell as Python: a magic does nothing, and what it is assigned to holds nothing.
fn without_magic(line: &str) -> String {
    let code = line.trim_start();
    let indent = line.get(..line.len() - code.len()).unwrap_or_default();
    if code.starts_with(['%', '!', '?']) || (code.ends_with('?') && !code.contains('#')) {
        return format!("{indent}pass");
    }
    match code.split_once('=') {
        Some((target, value)) if value.trim_start().starts_with(['!', '%']) => format!("{indent}{target}= None"),
        _ => line.to_owned(),
    }
}

/// What a line installs: all behind `pip install`.
fn installed(line: &str) -> Option<&str> {
    let command = line.trim_start().strip_prefix(['!', '%'])?;
    let (before, what) = command.split_once("pip install").or_else(|| command.split_once("pip3 install"))?;
    // Options that do not change what is asked for.
    let mut what = what.trim();
    while let Some((option, rest)) = what.split_once(char::is_whitespace) {
        if !matches!(option, "-q" | "-qq" | "-qqq" | "--quiet" | "-U" | "--upgrade" | "-v" | "-y") {
            break;
        }
        what = rest.trim_start();
    }
    (before.len() < 64 && !what.is_empty()).then_some(what)
}

/// Where the strings of a notebook's sources stand, where the file has each on a line of its own, as Jupyter writes it.
#[derive(Default)]
struct Places {
    /// The lines of each string, the last first.
    lines: HashMap<String, Vec<usize>>,
    /// The line of the string before.
    before: usize,
}

impl Places {
    fn of(text: &str) -> Self {
        let mut lines: HashMap<String, Vec<usize>> = HashMap::new();
        for (line, number) in text.lines().zip(1..) {
            let line = line.trim().trim_end_matches(',');
            let value = line.strip_prefix("\"source\":").map_or(line, str::trim);
            let value = value.strip_prefix('[').map_or(value, |rest| rest.trim_end_matches(']').trim());
            if value.starts_with('"')
                && let Ok(value) = serde_json::from_str::<String>(value)
            {
                lines.entry(value).or_default().push(number);
            }
        }
        for numbers in lines.values_mut() {
            numbers.reverse();
        }
        Self { lines, before: 0 }
    }

    /// The line of the next source string: the first such behind the one before; where there is none, that one.
    fn next(&mut self, source: &str) -> usize {
        if let Some(numbers) = self.lines.get_mut(source) {
            let mut all = take(numbers);
            while all.last().is_some_and(|number| *number <= self.before) {
                all.pop();
            }
            if let Some(number) = all.pop() {
                self.before = number;
            }
            *numbers = all;
        }
        self.before.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTEBOOK: &str = r#"{
 "cells": [
  {
   "cell_type": "markdown",
   "source": ["import nothing"]
  },
  {
   "cell_type": "code",
   "metadata": {},
   "outputs": [{"text": ["import no_source\n"]}],
   "source": [
    "%matplotlib inline\n",
    "!pip install -q einops 'timm>=1'\n",
    "import torch as th\n",
    "files = !ls\n",
    "model?\n",
    "if True:\n",
    "    %pip install tqdm\n",
    "m = th.compile(m)"
   ]
  },
  {"cell_type": "code", "source": "%%bash\necho import bash"},
  {
   "cell_type": "code",
   "source": [
    "print 'two'\n",
    "import pandas"
   ]
  }
 ],
 "metadata": {"kernelspec": {"language": "python"}}, "nbformat": 4
}"#;

    #[test]
    fn the_python_of_code_cells_is_left() {
        let notebook = read(NOTEBOOK).unwrap();
        let expected = "pass\npass\nimport torch as th\nfiles = None\npass\nif True:\n    pass\nm = th.compile(m)\n\nimport pandas\n";
        assert_eq!(notebook.text, expected);
        assert_eq!(notebook.installs, [(13, "einops 'timm>=1'".to_owned()), (18, "tqdm".to_owned())]);
        let note = notebook.installs("a.ipynb").unwrap();
        assert!(note.message.contains("`einops 'timm>=1'`, `tqdm`"), "{}", note.message);
    }

    #[test]
    fn a_line_is_that_of_the_file() {
        let notebook = read(NOTEBOOK).unwrap();
        let at = |what: &str| {
            let start = u32::try_from(notebook.text.find(what).unwrap()).unwrap();
            notebook.lines.at(ruff_text_size::TextRange::empty(start.into()))
        };
        assert_eq!(at("import torch"), 14);
        assert_eq!(at("m = th"), 19);
        assert_eq!(at("import pandas"), 27);
    }

    #[test]
    fn notebooks_of_other_languages_and_older_versions() {
        let r = r#"{"cells": [{"cell_type": "code", "source": "import x"}], "metadata": {"kernelspec": {"language": "R"}}}"#;
        assert_eq!(read(r).unwrap().text, "");
        let third = r#"{"worksheets": [{"cells": [{"cell_type": "code", "input": ["import x"]}]}]}"#;
        assert_eq!(read(third).unwrap().text, "import x\n");
        assert_eq!(read("{\n\"cells\": [").map(|_| ()).map_err(|e| e.line).unwrap_err(), 2);
    }
}
