//! Finds the parts of a document: region by region (a block of code, or what stands between two), line by line.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::lists::{self, Lists};
use super::span::{self, Span};
use super::unwrap::{Document, Row};
use super::{Line, Section, collect_env, log, script};
use crate::model::{Error, Excerpt, Part, PartKind};

/// A part of a document, and what it says.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) part: Part,
    pub(super) content: Content,
}

/// What a part says.
#[derive(Debug)]
pub(super) enum Content {
    /// A report of `collect_env`.
    Report(Span, Section),
    /// A list, or an environment file.
    List(Section),
    /// A log.
    Log(Excerpt),
    /// A program.
    Script(Excerpt),
}

/// The parts of a document, and why something is none though it looks like one.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) found: Vec<Found>,
    pub(super) errors: Vec<Error>,
}

/// The languages of blocks that are neither logs nor lists, whatever they say.
const OTHER_LANGUAGES: [&str; 10] =
    ["diff", "patch", "toml", "ini", "dockerfile", "makefile", "cmake", "mermaid", "html", "css"];

/// The languages of generated code: a log only where a line leaves no doubt.
const COMPILED: [&str; 8] = ["c", "cpp", "c++", "cuda", "llvm", "mlir", "asm", "triton"];

/// Finds the parts of `document`, which is the file `file`.
pub(super) fn find(document: &Document<'_>, file: &str) -> Parts {
    let mut parts = Parts::default();
    let is_plain = document.languages.is_empty() && !document.rows.iter().any(|row| is_heading(&row.text));
    for rows in document.rows.chunk_by(|a, b| a.block == b.block) {
        let language = rows[0].block.map(|block| document.languages[block].as_str());
        Region { rows, lines: lines(rows), file, language, is_plain }.find(&mut parts);
    }
    parts.found.sort_by_key(|found| found.part.line);
    parts
}

/// The lines of rows, without the indentation that all of them have.
fn lines<'a>(rows: &'a [Row<'_>]) -> Vec<Line<'a>> {
    let indentation = |row: &Row<'_>| row.text.len() - row.text.trim_start_matches([' ', '\t']).len();
    let common = rows.iter().filter(|row| !row.is_blank()).map(indentation).min().unwrap_or(0);
    let line = |row: &'a Row<'_>| Line { number: row.number, text: row.text.get(common..).unwrap_or("") };
    rows.iter().map(line).collect()
}

fn is_heading(text: &str) -> bool {
    let marks = text.len() - text.trim_start_matches('#').len();
    (2..=6).contains(&marks) && text[marks..].starts_with(' ') && !text[marks..].starts_with(" !!")
}

/// A block of code, or what stands between two.
struct Region<'a> {
    rows: &'a [Row<'a>],
    lines: Vec<Line<'a>>,
    file: &'a str,
    /// The language of a block; `None` where it is none.
    language: Option<&'a str>,
    /// Whether the document is this text alone, without headings.
    is_plain: bool,
}

impl Region<'_> {
    fn find(&self, parts: &mut Parts) {
        if self.language.is_some_and(|language| OTHER_LANGUAGES.contains(&language)) {
            return;
        }
        let mut rest = Vec::new();
        let (mut at, mut free) = (0, 0);
        let mut lists = Lists::default();
        let mut json_is_open = true;
        while at < self.lines.len() {
            match self.facts(at, &mut lists, &mut json_is_open, parts) {
                Some(taken) => {
                    rest.push(free..at);
                    at += taken.max(1);
                    free = at;
                }
                None => at += 1,
            }
        }
        rest.push(free..at);
        for rest in rest {
            self.rest(rest, parts);
        }
    }

    /// The report or the list that begins at `at`, and how many lines it takes up.
    fn facts(&self, at: usize, lists: &mut Lists, json_is_open: &mut bool, parts: &mut Parts) -> Option<usize> {
        let lines = &self.lines[at..];
        if lines[0].text.trim().is_empty() {
            return None;
        }
        if let Some(span) = span::report(lines) {
            let taken = span.lines;
            let section = reported(&dedented(&lines[..taken]), self.file);
            parts.found.push(self.found(span.kind, at..at + taken, Content::Report(span, section)));
            return Some(taken);
        }
        // One JSON a region: where none is, none is looked for again.
        if *json_is_open && lines[0].text.trim_start().starts_with(['{', '[']) {
            let read = lists::read_json(lines, self.file);
            *json_is_open = matches!(read, Some(Ok(_)));
            match read {
                Some(Ok(list)) => {
                    parts.found.push(self.found(list.kind, at..at + list.lines, Content::List(list.section)));
                    return Some(list.lines);
                }
                Some(Err(error)) => parts.errors.push(error),
                None => {}
            }
        }
        let alone = self.language.is_some() || self.is_plain;
        let list = lists.read(&self.lines, at, self.file, alone)?;
        let taken = list.lines;
        parts.found.push(self.found(list.kind, at..at + taken, Content::List(list.section)));
        Some(taken)
    }

    /// What neither a report nor a list is: programs and logs.
    fn rest(&self, rest: Range<usize>, parts: &mut Parts) {
        let rest = self.trimmed(rest);
        // A command alone made the list or the report that follows.
        if rest.is_empty() || (rest.len() == 1 && log::is_command(self.lines[rest.start].text)) {
            return;
        }
        match self.language {
            Some(language) => self.block(language, rest, parts),
            None => self.prose(rest, parts),
        }
    }

    /// A block of code: a session at the prompt, a program and what it wrote, or a log.
    fn block(&self, language: &str, rest: Range<usize>, parts: &mut Parts) {
        let texts = || self.lines[rest.clone()].iter().map(|line| line.text);
        if texts().any(script::is_prompt) {
            let begin = rest.start + texts().position(script::is_prompt).unwrap_or(0);
            return self.session(begin..rest.end, parts);
        }
        let failure = texts().position(log::begins).map_or(rest.end, |at| rest.start + at);
        let (program, output) = (self.trimmed(rest.start..failure), self.trimmed(failure..rest.end));
        let is_python = matches!(language, "python" | "py" | "python3" | "py3" | "ipython" | "pycon");
        let texts = || self.lines[program.clone()].iter().map(|line| line.text);
        let is_program = !program.is_empty()
            && if is_python && output.is_empty() {
                !texts().any(log::is_sure) || script::is_program(texts())
            } else {
                script::is_program(texts())
            };
        if is_program {
            parts.found.push(self.excerpt(PartKind::Script, program));
            if !output.is_empty() {
                parts.found.push(self.excerpt(PartKind::Log, output));
            }
        } else if self.tells(language, rest.clone()) {
            parts.found.push(self.excerpt(PartKind::Log, rest));
        }
    }

    fn tells(&self, language: &str, rest: Range<usize>) -> bool {
        let is_log = if COMPILED.contains(&language) { log::is_sure } else { log::is_likely };
        self.lines[rest].iter().any(|line| is_log(line.text))
    }

    fn session(&self, rest: Range<usize>, parts: &mut Parts) {
        let texts = self.lines[rest.clone()].iter().map(|line| line.text);
        let (text, length) = script::session(texts);
        let part = self.part(PartKind::Script, rest.start..rest.start + length);
        parts.found.push(Found { part, content: Content::Script(Excerpt { line: part.line, text }) });
        let output = rest.clone().find(|at| {
            let text = self.lines[*at].text;
            log::is_likely(text) && !script::is_prompt(text) && !text.starts_with("...")
        });
        if let Some(output) = output {
            parts.found.push(self.excerpt(PartKind::Log, output..rest.end));
        }
    }

    /// Text between blocks: all of it is a log where the document is nothing else; otherwise its programs are taken out, and of
    /// each section what lies between the first and the last paragraph of a log.
    fn prose(&self, rest: Range<usize>, parts: &mut Parts) {
        let paragraphs = self.paragraphs(rest.clone());
        let mut at = 0;
        let (mut none_before, mut has_program) = (0, false);
        let mut logs: Option<Range<usize>> = None;
        while at < paragraphs.len() {
            let paragraph = paragraphs[at].clone();
            let texts = || self.lines[paragraph.clone()].iter().map(|line| line.text);
            if is_heading(self.lines[paragraph.start].text) {
                self.end_log(&mut logs, parts);
            }
            if texts().next().is_some_and(script::is_prompt) {
                self.end_log(&mut logs, parts);
                let last = paragraphs[at..]
                    .iter()
                    .take_while(|it| {
                        self.lines[(*it).clone()]
                            .iter()
                            .any(|line| script::is_prompt(line.text) || log::is_likely(line.text))
                    })
                    .count();
                self.session(paragraph.start..paragraphs[at + last - 1].end, parts);
                has_program = true;
                at += last;
                continue;
            }
            if at >= none_before {
                let (taken, is_program) =
                    self.indented(&paragraphs[at..]).unwrap_or_else(|| self.program(&paragraphs[at..]));
                if is_program {
                    self.end_log(&mut logs, parts);
                    parts.found.push(self.excerpt(PartKind::Script, paragraph.start..paragraphs[at + taken - 1].end));
                    has_program = true;
                    at += taken;
                    continue;
                }
                none_before = at + taken;
            }
            if texts().any(log::is_sure) {
                let start = logs.map_or(paragraph.start, |logs| logs.start);
                logs = Some(start..paragraph.end);
            }
            at += 1;
        }
        if logs.is_some() && self.is_plain && !has_program {
            logs = Some(rest);
        }
        self.end_log(&mut logs, parts);
    }

    fn end_log(&self, log: &mut Option<Range<usize>>, parts: &mut Parts) {
        parts.found.extend(log.take().map(|log| self.excerpt(PartKind::Log, log)));
    }

    /// How many of the paragraphs may be a program that stands in the text without a fence, and whether they are.
    fn program(&self, paragraphs: &[Range<usize>]) -> (usize, bool) {
        let texts = |range: &Range<usize>| self.lines[range.clone()].iter().map(|line| line.text);
        let is_code = |range: &Range<usize>| {
            !texts(range).any(|text| log::begins(text) || is_heading(text)) && texts(range).all(script::is_code)
        };
        let first = &paragraphs[0];
        let begins = texts(first).any(script::imports) || texts(first).all(|text| text.starts_with('#'));
        if !begins || !is_code(first) {
            return (1, false);
        }
        let length = paragraphs.iter().take_while(|paragraph| is_code(paragraph)).count();
        let whole = first.start..paragraphs[length - 1].end;
        let is_of_torch = texts(&whole).any(script::imports) && texts(&whole).any(script::is_of_torch);
        (length, is_of_torch && whole.len() >= 3)
    }

    /// As [`Self::program`], for a program that Markdown takes for code because it is indented.
    fn indented(&self, paragraphs: &[Range<usize>]) -> Option<(usize, bool)> {
        let is_indented =
            |range: &Range<usize>| self.lines[range.clone()].iter().all(|line| line.text.starts_with([' ', '\t']));
        let length = paragraphs.iter().take_while(|paragraph| is_indented(paragraph)).count();
        let last = paragraphs[..length].last()?;
        let lines = dedented(&self.lines[paragraphs[0].start..last.end]);
        let texts = || lines.iter().map(|line| line.text);
        Some((length, texts().any(script::imports) && script::is_program(texts()) && !texts().any(log::begins)))
    }

    /// The ranges of lines between blank ones; a heading is one of its own.
    fn paragraphs(&self, rest: Range<usize>) -> Vec<Range<usize>> {
        let mut paragraphs: Vec<Range<usize>> = Vec::new();
        let mut joins = false;
        for at in rest {
            let text = self.lines[at].text;
            if text.trim().is_empty() {
                joins = false;
                continue;
            }
            // `## ` also stands at the beginning of lines of logs.
            let may_be = !joins || text.starts_with("###");
            let is_heading = self.language.is_none() && !self.is_plain && may_be && is_heading(text);
            match paragraphs.last_mut().filter(|_| joins && !is_heading) {
                Some(last) => last.end = at + 1,
                None => paragraphs.push(at..at + 1),
            }
            joins = !is_heading;
        }
        paragraphs
    }

    /// Without blank lines at its ends.
    fn trimmed(&self, range: Range<usize>) -> Range<usize> {
        let is_text = |at: &usize| !self.lines[*at].text.trim().is_empty();
        let Some(start) = range.clone().find(is_text) else { return range.start..range.start };
        let end = range.rev().find(is_text).map_or(start, |last| last + 1);
        start..end
    }

    fn part(&self, kind: PartKind, range: Range<usize>) -> Part {
        let line = self.rows[range.start].number;
        let last = self.rows[range.end.max(range.start + 1) - 1].number;
        Part { kind, line, lines: last - line + 1 }
    }

    fn found(&self, kind: PartKind, range: Range<usize>, content: Content) -> Found {
        Found { part: self.part(kind, range), content }
    }

    fn excerpt(&self, kind: PartKind, range: Range<usize>) -> Found {
        let part = self.part(kind, range.clone());
        let text = dedented(&self.lines[range]).iter().map(|line| line.text).collect::<Vec<_>>().join("\n");
        let excerpt = Excerpt { line: part.line, text };
        let content = if kind == PartKind::Script { Content::Script(excerpt) } else { Content::Log(excerpt) };
        Found { part, content }
    }
}

/// What the lines of a report say; where they are the items of a list, as forms have it, without what makes them one.
fn reported(lines: &[Line<'_>], file: &str) -> Section {
    #[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
    static ITEM: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^\s*[-*+] \**([A-Za-z][\w /]*?)\**(?: \([^()]*\))?\**:\**\s*(.*)$").unwrap());
    let plain = |line: &Line<'_>| ITEM.captures(line.text).map(|item| format!("{}: {}", &item[1], &item[2]));
    let items: Vec<Option<String>> = lines.iter().map(plain).collect();
    let lines: Vec<Line<'_>> = lines
        .iter()
        .zip(&items)
        .map(|(line, item)| Line { number: line.number, text: item.as_deref().unwrap_or(line.text) })
        .collect();
    collect_env::read(&lines, file)
}

/// The lines without the indentation that all of them have.
fn dedented<'a>(lines: &[Line<'a>]) -> Vec<Line<'a>> {
    let indentation = |line: &Line<'_>| line.text.len() - line.text.trim_start_matches([' ', '\t']).len();
    let common = lines.iter().filter(|line| !line.text.trim().is_empty()).map(indentation).min().unwrap_or(0);
    lines.iter().map(|line| Line { number: line.number, text: line.text.get(common..).unwrap_or("") }).collect()
}
