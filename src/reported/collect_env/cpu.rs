//! The processor: what lscpu writes on Linux in the reader's language, the properties of `Win32_Processor` on Windows, a
//! name alone on macOS.

use std::sync::LazyLock;

use regex::Regex;

use super::Telling;
use super::gather::Text;
use crate::catalogue::Layout;
use crate::model::{Stated, SystemFamily};

/// The longest list of flags that is read.
const LONGEST: usize = 32 * 1024;

/// What a line of lscpu tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Architecture,
    Model,
    Count,
    Flags,
    Other,
}

/// A name of lscpu with its colon, anywhere in a line: lines may be fused. The longer names come first.
#[expect(clippy::unwrap_used, reason = "the names are fixed, and a test reads them")]
static NAME: LazyLock<Regex> = LazyLock::new(|| {
    let words = &Layout::collect_env().processor;
    let all = [&words.architecture, &words.model, &words.count, &words.flags, &words.other];
    let mut names: Vec<String> = all.into_iter().flatten().map(|name| regex::escape(name)).collect();
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    let several = r"NUMA node\d+ CPU\(s\)|Vulnerability [A-Z][A-Za-z0-9 ]{1,40}";
    Regex::new(&format!(r"({several}|{})[ \x{{a0}}]*[:：]", names.join("|"))).unwrap()
});

/// A property of `Win32_Processor`: `Name=…` by wmic, `Name: …` by PowerShell.
#[expect(clippy::unwrap_used, reason = "the pattern is fixed, and a test uses it")]
static PROPERTY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(Name|Manufacturer|Family|Architecture|ProcessorType|DeviceID|CurrentClockSpeed|MaxClockSpeed|L2CacheSize|",
        r"L2CacheSpeed|Revision)(?:=|:\s)"
    ))
    .unwrap()
});

/// How the name of a processor begins where it stands alone.
#[expect(clippy::unwrap_used, reason = "the pattern is fixed, and a test uses it")]
static ALONE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^(?:Apple |VirtualApple|Intel\(R\) |AMD |Genuine Intel)[^:]*$").unwrap());

/// What was read of the processor.
#[derive(Default)]
struct Processor {
    architecture: Option<Stated<String>>,
    model: Option<Stated<String>>,
    count: Option<Stated<u32>>,
    flags: Option<(String, usize)>,
}

pub(super) fn tell(telling: &mut Telling<'_>) {
    let family = telling.section.environment.system.as_ref().map(|system| system.value.family);
    let properties =
        telling.gathered.processor.iter().any(|text| {
            ["Manufacturer", "ProcessorType", "CurrentClockSpeed"].iter().any(|name| text.text.contains(name))
        });
    let on_windows = properties || family == Some(SystemFamily::Windows);
    let processor = if on_windows { windows(telling) } else { lscpu(telling) };
    let model = processor.model.as_ref().map_or("", |model| model.value.as_str());
    let isa = processor.flags.as_ref().and_then(|(flags, line)| {
        let flags: Vec<&str> = flags.split_whitespace().collect();
        let isa = Layout::collect_env().isa(&flags, model)?;
        Some(Stated::new(isa.to_owned(), telling.origin(*line)))
    });
    let environment = &mut telling.section.environment;
    environment.architecture = environment.architecture.take().or(processor.architecture);
    (environment.cpu, environment.cpus, environment.isa) = (processor.model, processor.count, isa);
}

fn lscpu(telling: &Telling<'_>) -> Processor {
    let mut processor = Processor::default();
    let mut open = None;
    for text in &telling.gathered.processor {
        let marks: Vec<_> = marks(&text.text);
        let first = marks.first().map_or(text.text.len(), |(start, ..)| *start);
        go_on(&mut processor, open, text.text[..first].trim());
        let goes_on = open == Some(Word::Flags) && !text.text.contains(':');
        if marks.is_empty() && !goes_on {
            if processor.model.is_none() && ALONE.is_match(&text.text) {
                processor.model = Some(telling.stated(text.text.trim().to_owned(), text));
            }
            // A name of another language, which ends the flags before it.
            open = open.filter(|_| !text.text.contains([':', '：']));
        }
        for (at, (_, end, word)) in marks.iter().enumerate() {
            let until = marks.get(at + 1).map_or(text.text.len(), |(start, ..)| *start);
            tell_word(telling, &mut processor, *word, text.text[*end..until].trim(), text);
            open = Some(*word);
        }
    }
    processor
}

/// The names in a line: where each begins, where its value begins, and what it tells. Within a line a name counts only
/// where a word begins.
fn marks(text: &str) -> Vec<(usize, usize, Word)> {
    let known = &Layout::collect_env().processor;
    let mut marks = Vec::new();
    for captures in NAME.captures_iter(text) {
        let (Some(whole), Some(name)) = (captures.get(0), captures.get(1)) else { continue };
        let before = text[..whole.start()].chars().next_back();
        let long = name.as_str().contains(' ') || name.as_str().ends_with(')');
        // A name of several words is one behind a letter, too: newlines get lost without a space in their place.
        let begins = |c: char| c.is_whitespace() || c.is_ascii_digit() || (long && c.is_alphanumeric());
        if !before.is_none_or(begins) {
            continue;
        }
        let is = |names: &[String]| names.iter().any(|known| known == name.as_str());
        let word = if is(&known.count) && before.is_none_or(char::is_whitespace) {
            Word::Count
        } else if is(&known.architecture) {
            Word::Architecture
        } else if is(&known.model) {
            Word::Model
        } else if is(&known.flags) {
            Word::Flags
        } else {
            Word::Other
        };
        marks.push((whole.start(), whole.end(), word));
    }
    marks
}

/// Takes up what a line says. The first word on each counts: a machine with two kinds of cores tells of both.
fn tell_word(telling: &Telling<'_>, processor: &mut Processor, word: Word, value: &str, text: &Text) {
    let layout = Layout::collect_env();
    if layout.is_nothing(value) {
        return;
    }
    match word {
        Word::Architecture if processor.architecture.is_none() => {
            let machine = layout.architecture(value);
            processor.architecture = machine.map(|machine| telling.stated(machine.to_owned(), text));
        }
        Word::Model if processor.model.is_none() => {
            processor.model = Some(telling.stated(value.to_owned(), text));
        }
        Word::Count if processor.count.is_none() => {
            processor.count = value.parse().ok().map(|count| telling.stated(count, text));
        }
        Word::Flags if processor.flags.is_none() => processor.flags = Some((value.to_owned(), text.line)),
        _ => {}
    }
}

/// The rest of a line that was broken.
fn go_on(processor: &mut Processor, open: Option<Word>, rest: &str) {
    if rest.is_empty() || rest.contains([':', '：']) {
        return;
    }
    match (open, &mut processor.flags, &mut processor.model) {
        (Some(Word::Flags), Some((flags, _)), _) if flags.len() + rest.len() < LONGEST => {
            flags.push(' ');
            flags.push_str(rest);
        }
        (Some(Word::Model), _, Some(model)) if model.value.len() < 200 && rest.len() < 200 => {
            model.value.push(' ');
            model.value.push_str(rest);
        }
        _ => {}
    }
}

fn windows(telling: &Telling<'_>) -> Processor {
    let layout = Layout::collect_env();
    let mut processor = Processor::default();
    for text in &telling.gathered.processor {
        let marks: Vec<_> =
            PROPERTY.captures_iter(&text.text).filter_map(|found| Some((found.get(0)?, found.get(1)?))).collect();
        for (at, (mark, name)) in marks.iter().enumerate() {
            let end = marks.get(at + 1).map_or(text.text.len(), |(next, _)| next.start());
            let value = text.text[mark.end()..end].trim();
            match name.as_str() {
                "Name" if processor.model.is_none() && !value.is_empty() => {
                    processor.model = Some(telling.stated(value.to_owned(), text));
                }
                "Architecture" if processor.architecture.is_none() => {
                    let machine = layout.windows_architecture(value);
                    processor.architecture = machine.map(|machine| telling.stated(machine.to_owned(), text));
                }
                _ => {}
            }
        }
    }
    processor
}
