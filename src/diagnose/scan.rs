//! One pass over the lines of a log. What is kept is bounded: of each row the line that shows it, of each fact the line that
//! says it, and a handful of lines that look decisive.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use regex::Captures;

use super::decisive::Decisive;
use super::quoted::{Kind, Quoted};
use super::{signs, unfold};
use crate::catalogue::{Failures, Landmark, Role};
use crate::model::{Evidence, plain};

/// The longest evidence, in characters.
const LONGEST: usize = 400;

/// A row that was seen so often is not looked for any more.
const OFTEN: usize = 1000;

/// Values by their names.
pub(super) type Values = BTreeMap<String, String>;

/// How a line says what it shows; of two lines of a row the better one is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Manner {
    /// It is what happened.
    Said,
    /// It is quoted, as mail does: `> …`.
    Quoted,
    /// It gives a variable its value.
    Set,
    /// It only speaks of it.
    Mentioned,
}

/// A row, and the line that shows it.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    /// The row's index.
    pub(super) row: usize,
    pub(super) evidence: Evidence,
    /// What the evidence says, and the nearest lines that say more.
    pub(super) values: Values,
    /// Whether no line shows it but warnings.
    pub(super) mild: bool,
    pub(super) manner: Manner,
    /// The last line that shows it.
    pub(super) seen: usize,
    /// How much ordinary output stood before the first line that shows it, and the last.
    pub(super) first: usize,
    pub(super) last: usize,
    count: usize,
}

/// What was read so far.
pub(super) struct Scan<'a> {
    failures: &'a Failures,
    /// Whether each pattern is still looked for.
    live: Vec<bool>,
    /// The patterns whose texts are in the line at hand.
    hits: BTreeSet<usize>,
    /// By the row's index.
    findings: BTreeMap<usize, Finding>,
    /// What the last line that matches a pattern of context says.
    contexts: BTreeMap<usize, Values>,
    topics: BTreeSet<usize>,
    signs: signs::Told<'a>,
    quoted: Quoted,
    decisive: Decisive,
    /// The lines that are nothing but output.
    ordinary: usize,
}

/// What a log holds.
pub(super) struct Scanned {
    /// In the order of the log.
    pub(super) findings: Vec<Finding>,
    pub(super) topics: BTreeSet<usize>,
    pub(super) circumstances: crate::model::Circumstances,
    /// The lines that look decisive, and how much ordinary output stood before each.
    pub(super) decisive: Vec<(Evidence, usize)>,
    /// How much ordinary output stood before the last exception or death.
    pub(super) ended: Option<usize>,
    /// How much ordinary output there is.
    pub(super) ordinary: usize,
}

/// A line, without what stands before the message.
struct Line<'a> {
    number: usize,
    /// The message, with its indentation.
    text: &'a str,
    mild: bool,
    /// Whether it is quoted, as mail does.
    quoted: bool,
}

impl<'a> Scan<'a> {
    pub(super) fn new(failures: &'a Failures) -> Self {
        Self {
            failures,
            live: vec![true; failures.marks().roles().len()],
            hits: BTreeSet::new(),
            findings: BTreeMap::new(),
            contexts: BTreeMap::new(),
            topics: BTreeSet::new(),
            signs: signs::Told::new(failures.marks()),
            quoted: Quoted::default(),
            decisive: Decisive::default(),
            ordinary: 0,
        }
    }

    /// Reads a line of the file; it may hold several of the log.
    pub(super) fn line(&mut self, number: usize, line: &[u8]) {
        match unfold::entry(line) {
            Some(entry) => entry.text.lines().for_each(|line| self.unfolded(number, line.as_bytes(), entry.mild)),
            None => self.unfolded(number, line, false),
        }
    }

    fn unfolded(&mut self, number: usize, line: &[u8], mild: bool) {
        let is_control = |byte: &u8| (*byte < 0x20 && *byte != b'\t') || *byte == 0x7f;
        let line = match line.iter().filter(|byte| is_control(byte)).count() {
            0 => Cow::Borrowed(line),
            _ => Cow::Owned(plain(&String::from_utf8_lossy(line)).into_bytes()),
        };
        self.look(&line);
        if self.hits.is_empty() && !self.quoted.open() {
            // Nearly every line of a log.
            self.ordinary += usize::from(!line.trim_ascii().is_empty());
            return;
        }
        let text = String::from_utf8_lossy(&line);
        let text = if text.is_ascii() { text } else { Cow::Owned(plain(&text)) };
        match unfold::literal(&text) {
            Some(text) => text.lines().for_each(|line| {
                self.look(line.as_bytes());
                self.read(number, line, mild);
            }),
            None => self.whole(number, &text, mild),
        }
    }

    /// Reads a line of its own, and the exception that it prints as Python's `repr` does.
    fn whole(&mut self, number: usize, line: &str, mild: bool) {
        let Some(exception) = unfold::exception(line) else { return self.read(number, line, mild) };
        let failures = self.failures;
        let (prefix, text) = failures.split(line);
        let mild = mild || failures.is_mild(prefix, text.trim_start());
        let quoted = self.quoted.open();
        self.read(number, line, mild);
        // Code that raises it is none; and source follows a frame.
        if !quoted && !text.contains("raise ") {
            self.look(exception.as_bytes());
            self.read(number, &exception, mild);
        }
    }

    /// Looks for the texts of the patterns.
    fn look(&mut self, line: &[u8]) {
        self.hits.clear();
        let Self { live, hits, failures, .. } = self;
        failures.marks().patterns().candidates(line, |index| {
            if live[index] {
                hits.insert(index);
            }
        });
        // That a line would be source is of no interest where it holds nothing else.
        let roles = failures.marks().roles();
        if hits.iter().all(|index| roles[*index] == Role::Landmark(Landmark::Source)) {
            hits.clear();
        }
    }

    /// Reads a line whose texts are found.
    fn read(&mut self, number: usize, whole: &str, mild: bool) {
        let failures = self.failures;
        let (prefix, text) = failures.split(whole);
        let message = text.trim();
        let mut landmarks: Vec<Landmark> = Vec::new();
        let mut matches: Vec<(Role, usize, Captures<'_>)> = Vec::new();
        for index in &self.hits {
            let Some(pattern) = failures.marks().patterns().get(*index) else { continue };
            match failures.marks().roles()[*index] {
                Role::Landmark(landmark) => landmarks.extend(pattern.is_match(message).then_some(landmark)),
                // What torch wraps a failure in says that it is torch's.
                role @ Role::Topic(_) => matches.extend(pattern.captures(whole).map(|found| (role, *index, found))),
                role => matches.extend(pattern.captures(message).map(|found| (role, *index, found))),
            }
        }
        let is = |landmark| landmarks.contains(&landmark);
        let said = prefix.ends_with("E   ");
        // A warning that is raised has no place in front, and a frame before it.
        let raised = said || self.quoted.open();
        let kind = self.quoted.see(text, said, is);
        let mild = mild || failures.is_mild(prefix, if raised { "" } else { message });
        let line = Line { number, text, mild, quoted: prefix.trim_end().ends_with('>') && !prefix.contains('=') };
        // What a line is about is read first: its evidence takes values from it.
        for (role, index, captures) in &matches {
            match role {
                Role::Context(row) if kind != Kind::Source => self.context(*row, *index, captures),
                Role::Topic(topic) => self.topic(*topic),
                Role::Sign(sign) if kind != Kind::Source => self.signs.see(*sign, captures, number, &mut self.live),
                _ => {}
            }
        }
        let unsaid = kind == Kind::Message && !matches.is_empty() && failures.is_unsaid(message);
        for (role, index, captures) in matches.iter().filter(|_| !unsaid) {
            match (role, kind) {
                (Role::Evidence(row), Kind::Message) | (Role::Source(row), Kind::Source) => {
                    self.sight(*row, *index, captures, &line);
                }
                _ => {}
            }
        }
        if kind == Kind::Message {
            self.weigh(&line, is);
        }
    }

    /// Counts a message as output, unless it tells something.
    fn weigh(&mut self, line: &Line<'_>, is: impl Fn(Landmark) -> bool) {
        let told =
            self.findings.values().any(|finding| finding.last == self.ordinary && finding.evidence.line == line.number);
        let message = line.text.trim();
        let decisive = self.decisive.see(line.number, message, line.mild, self.ordinary, is);
        self.ordinary += usize::from(!told && !decisive && !message.is_empty());
    }

    fn context(&mut self, row: usize, index: usize, captures: &Captures<'_>) {
        let values = self.named(row, captures);
        if let Some(finding) = self.findings.get_mut(&row) {
            for (name, value) in &values {
                finding.values.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
        self.contexts.insert(index, values);
    }

    fn topic(&mut self, topic: usize) {
        self.topics.insert(topic);
        self.forget(|role| *role == Role::Topic(topic));
    }

    fn forget(&mut self, which: impl Fn(&Role) -> bool) {
        for (live, role) in self.live.iter_mut().zip(self.failures.marks().roles()) {
            *live &= !which(role);
        }
    }

    /// Takes the line for evidence of the row.
    fn sight(&mut self, row: usize, index: usize, captures: &Captures<'_>, line: &Line<'_>) {
        let mut values = self.named(row, captures);
        let (found, manner) = self.manner(captures, line);
        let ordinary = self.ordinary;
        let (mut first, last) = (ordinary, ordinary);
        if let Some(known) = self.findings.get_mut(&row) {
            known.count += 1;
            known.seen = line.number;
            if (manner, line.mild) <= (known.manner, known.mild) {
                known.last = ordinary;
            }
            if known.evidence.line == line.number {
                values.append(&mut known.values);
                known.values = values;
                return;
            }
            if known.count > OFTEN {
                return self.forget(|role| matches!(role, Role::Evidence(of) | Role::Source(of) if *of == row));
            }
            if (known.manner, known.mild) <= (manner, line.mild) {
                return;
            }
            first = if known.manner == Manner::Quoted { known.first } else { first };
        }
        let around = self.contexts.iter().filter(|(context, _)| {
            **context != index && self.failures.marks().roles()[**context] == Role::Context(row)
        });
        for (name, value) in around.flat_map(|(_, values)| values) {
            values.entry(name.clone()).or_insert_with(|| value.clone());
        }
        let evidence = Evidence { line: line.number, text: excerpt(line.text.trim(), found) };
        let mild = line.mild;
        self.findings
            .insert(row, Finding { row, evidence, values, mild, manner, seen: line.number, first, last, count: 1 });
    }

    /// Where the message says it, and how.
    fn manner(&self, captures: &Captures<'_>, line: &Line<'_>) -> (usize, Manner) {
        let Some(found) = captures.get(0) else { return (0, Manner::Said) };
        let before = &line.text.trim()[..found.start()];
        let manner = match () {
            () if self.failures.is_mention(before) => Manner::Mentioned,
            () if is_assignment(&line.text.trim()[found.start()..]) => Manner::Set,
            () if line.quoted => Manner::Quoted,
            () => Manner::Said,
        };
        (found.start(), manner)
    }

    /// The groups of the row that matched.
    fn named(&self, row: usize, captures: &Captures<'_>) -> Values {
        let names = self.failures.rows()[row].defaults.keys();
        let value = |name: &String| captures.name(name).map(|found| found.as_str()).filter(|value| is_harmless(value));
        names.filter_map(|name| Some((name.clone(), value(name)?.to_owned()))).collect()
    }

    /// What was found.
    pub(super) fn end(self) -> Scanned {
        let mut findings: Vec<Finding> = self.findings.into_values().collect();
        findings.sort_by_key(|finding| (finding.evidence.line, finding.row));
        Scanned {
            ended: self.decisive.ended(),
            ordinary: self.ordinary,
            findings,
            topics: self.topics,
            circumstances: self.signs.circumstances(),
            decisive: self.decisive.lines(),
        }
    }
}

/// A log may hold anything, and the values stand in commands: what a shell would read as more than a word is left out.
pub(super) fn is_harmless(value: &str) -> bool {
    value.len() <= LONGEST && value.chars().all(|c| c.is_ascii_alphanumeric() || "._+-/: ".contains(c))
}

/// Whether a variable of the environment gets its value there.
fn is_assignment(text: &str) -> bool {
    let name = text.split('=').next().unwrap_or_default();
    name.len() < text.len()
        && name.len() > 1
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// The line, or where it is long the part around the byte `found`.
pub(super) fn excerpt(line: &str, found: usize) -> String {
    let before = line[..found].chars().count();
    let skipped = if line.chars().count() <= LONGEST { 0 } else { before.saturating_sub(LONGEST / 4) };
    line.chars().skip(skipped).take(LONGEST).collect()
}
