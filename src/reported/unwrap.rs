//! Takes off what a text is wrapped in: the marks of terminals, quotes of mail and Markdown, fences, HTML.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use super::html;
use crate::model::plain;

/// A row of a document: a line, or what `<br>` and carriage returns make of one.
#[derive(Debug)]
pub(super) struct Row<'a> {
    /// The number of its line, counted from 1.
    pub(super) number: usize,
    /// The block of code that it stands in, an index into [`Document::languages`].
    pub(super) block: Option<usize>,
    pub(super) text: Cow<'a, str>,
}

impl Row<'_> {
    pub(super) fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }
}

/// A text without what it was wrapped in.
#[derive(Debug, Default)]
pub(super) struct Document<'a> {
    pub(super) rows: Vec<Row<'a>>,
    /// The languages that the blocks of code name, in lower case; empty where they name none.
    pub(super) languages: Vec<String>,
}

/// A fence of Markdown that is open.
#[derive(Clone, Copy)]
struct Fence {
    mark: char,
    length: usize,
    /// How deep the quote is that it stands in.
    quotes: usize,
}

/// The headings of the forms for issues: no fence goes on behind one, for whoever forgot to close it.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static FORM: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)^#{2,4} (?:\W{1,4} ?)?(?:describe the (?:bug|issue)|error logs?|minified repro(?:duction)?|versions|your (?:current )?environment|environment|to reproduce|steps to reproduce|reproduction|expected behaviou?r|additional context|alternatives|model input dumps|before submitting a new issue\b.*)\s*$",
    )
    .unwrap()
});

/// The rows of `text`.
pub(super) fn unwrap(text: &str) -> Document<'_> {
    let mut unwrapper = Unwrapper::default();
    for (index, line) in text.strip_prefix('\u{feff}').unwrap_or(text).split('\n').enumerate() {
        match cleaned(line.strip_suffix('\r').unwrap_or(line)) {
            Cow::Borrowed(line) => unwrapper.line(index + 1, Cow::Borrowed(line)),
            Cow::Owned(lines) => {
                for line in lines.split('\n') {
                    unwrapper.line(index + 1, Cow::Owned(line.to_owned()));
                }
            }
        }
    }
    unwrapper.document
}

/// A line without the marks of terminals, and with plain spaces.
fn cleaned(line: &str) -> Cow<'_, str> {
    if line.bytes().all(|byte| (b' '..0x7f).contains(&byte) || byte == b'\t') {
        return Cow::Borrowed(line);
    }
    let wide = |c: char| c == '\u{a0}' || c == '\u{3000}' || ('\u{2000}'..='\u{200a}').contains(&c) || c == '\u{202f}';
    Cow::Owned(plain(line).replace(wide, " "))
}

#[derive(Default)]
struct Unwrapper<'a> {
    document: Document<'a>,
    fence: Option<Fence>,
    /// The block that is open, of a fence or of `<pre>`.
    block: Option<usize>,
}

impl<'a> Unwrapper<'a> {
    fn line(&mut self, number: usize, line: Cow<'a, str>) {
        let most = self.fence.map_or(usize::MAX, |fence| fence.quotes);
        let (mut quotes, mut at) = quoted(&line, most);
        if let Some(fence) = self.fence
            && quotes < fence.quotes
            && !line.trim().is_empty()
        {
            // The quote is over, and its fence with it.
            self.close();
            (quotes, at) = quoted(&line, usize::MAX);
        }
        let line = behind(line, at);
        if self.fence.is_some() && FORM.is_match(&line) {
            self.close();
        }
        match self.fence {
            Some(fence) => self.in_fence(number, line, fence),
            None => self.outside(number, line, quotes),
        }
    }

    /// A line of a fence: its end, glued to a line of the code perhaps, or code.
    fn in_fence(&mut self, number: usize, line: Cow<'a, str>, fence: Fence) {
        let trimmed = line.trim();
        let marks = trimmed.len() - trimmed.trim_start_matches(fence.mark).len();
        let rest = trimmed[marks..].trim();
        if marks >= fence.length && rest.is_empty() {
            return self.close();
        }
        if marks == fence.length && is_language(rest) {
            // The fence before was never closed.
            let language = rest.to_owned();
            self.close();
            return self.open(fence, &language);
        }
        let glued = trimmed.strip_suffix("```").filter(|before| fence.mark == '`' && !before.contains('`'));
        if let Some(before) = glued.filter(|_| fence.length == 3) {
            let end = line.len() - line.trim_start().len() + before.len();
            let before = Cow::Owned(line[..end].to_owned());
            self.push(number, before);
            return self.close();
        }
        self.push(number, line);
    }

    fn outside(&mut self, number: usize, line: Cow<'a, str>, quotes: usize) {
        let Some((before, fence, info)) = opened(&line, quotes) else { return self.html(number, line) };
        let (before, info) = (before.to_owned(), info.to_owned());
        if !before.is_empty() {
            self.html(number, Cow::Owned(before));
        }
        if let Some(code) = info.strip_suffix("```") {
            // All of it on one line.
            self.open(fence, "");
            self.push(number, Cow::Owned(code.to_owned()));
            return self.close();
        }
        let language = info.split([' ', ',', '{']).next().unwrap_or_default();
        let is_code = info.contains(' ') && !info.contains(['{', '=']);
        self.open(fence, if is_code { "" } else { language });
        if is_code {
            self.push(number, Cow::Owned(info));
        }
    }

    /// A line in which HTML counts.
    fn html(&mut self, number: usize, line: Cow<'a, str>) {
        if !html::is_marked_up(&line) {
            return self.push(number, line);
        }
        for piece in html::pieces(&line) {
            match piece {
                html::Piece::Text(text) => {
                    let at = quoted(&text, usize::MAX).1;
                    self.push(number, Cow::Owned(text[at..].to_owned()));
                }
                html::Piece::Code(language) => self.begin(&language),
                html::Piece::EndOfCode => self.block = None,
            }
        }
    }

    fn push(&mut self, number: usize, text: Cow<'a, str>) {
        self.document.rows.push(Row { number, block: self.block, text });
    }

    fn begin(&mut self, language: &str) {
        self.block = Some(self.document.languages.len());
        self.document.languages.push(language.to_lowercase());
    }

    fn open(&mut self, fence: Fence, language: &str) {
        self.fence = Some(fence);
        self.begin(language);
    }

    fn close(&mut self) {
        (self.fence, self.block) = (None, None);
    }
}

/// What opens a fence in a line: what stands before, the fence, and what stands behind.
fn opened(line: &str, quotes: usize) -> Option<(&str, Fence, &str)> {
    let item = line.trim_start();
    let trimmed = ["- ", "* ", "+ "].iter().find_map(|bullet| item.strip_prefix(bullet)).unwrap_or(item).trim();
    let mark = trimmed.chars().next().filter(|mark| matches!(mark, '`' | '~'));
    if let Some(mark) = mark {
        let info = trimmed.trim_start_matches(mark);
        let length = trimmed.len() - info.len();
        let inner = info.strip_suffix("```").unwrap_or(info);
        if length >= 3 && (mark == '~' || !inner.contains('`')) {
            return Some(("", Fence { mark, length, quotes }, info.trim()));
        }
    }
    // `The output: ```` is no fence to Markdown, but to who wrote it.
    let before = line.trim_end().strip_suffix("```").filter(|before| !before.contains('`'))?;
    Some((before, Fence { mark: '`', length: 3, quotes }, ""))
}

fn is_language(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphabetic())
        && word.len() <= 20
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-#_.".contains(&byte))
}

/// How deep a line is quoted, `most` levels at most, and where what is quoted begins. `>>> ` is the prompt of Python.
fn quoted(line: &str, most: usize) -> (usize, usize) {
    let (mut levels, mut at) = (0, 0);
    while levels < most {
        let rest = line[at..].trim_start_matches(' ');
        let marks = rest.len() - rest.trim_start_matches('>').len();
        let behind = &rest[marks..];
        if marks == 0 || (marks == 3 && is_prompt(behind)) {
            break;
        }
        let taken = marks.min(most - levels);
        levels += taken;
        at = line.len() - rest.len() + taken;
        at += usize::from(line[at..].starts_with(' '));
    }
    (levels, at)
}

/// Whether `>>>` with `behind` is a prompt, and no quote of a quote of a quote.
fn is_prompt(behind: &str) -> bool {
    #[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
    static REPORT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^ ?(?:[A-Z][\w ()/]*: |\[(?:pip3?|conda)\] |Collecting environment|\* )").unwrap()
    });
    (behind.is_empty() || behind.starts_with(' ')) && !REPORT.is_match(behind)
}

fn behind(text: Cow<'_, str>, at: usize) -> Cow<'_, str> {
    match text {
        text if at == 0 => text,
        Cow::Borrowed(text) => Cow::Borrowed(&text[at..]),
        Cow::Owned(text) => Cow::Owned(text[at..].to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows as `number|block|text`.
    fn rows(text: &str) -> Vec<String> {
        let document = unwrap(text);
        let block =
            |row: &Row<'_>| row.block.map_or(String::new(), |block| format!("{block}:{}", document.languages[block]));
        document.rows.iter().map(|row| format!("{}|{}|{}", row.number, block(row), row.text)).collect()
    }

    #[test]
    fn what_terminals_and_windows_add_is_taken_off() {
        assert_eq!(
            rows("\u{feff}a\u{a0}b\r\n\u{1b}[31mred\u{1b}[0m\r\n1%\r2%"),
            ["1||a b", "2||red", "3||1%", "3||2%"]
        );
    }

    #[test]
    fn quotes_are_taken_off_and_prompts_stay() {
        let text = "> a\n>> b\n> > c\n>>> import torch\n> >>> x = 1\n>>> OS: Linux\n>>>> d\n>";
        let expected = ["1||a", "2||b", "3||c", "4||>>> import torch", "5||>>> x = 1", "6||OS: Linux", "7||d", "8||"];
        assert_eq!(rows(text), expected);
    }

    #[test]
    fn fences_of_every_form() {
        for (text, expected) in [
            ("```py\na\n```\nb", vec!["2|0:py|a", "4||b"]),
            ("~~~\n```\n~~~~\nb", vec!["2|0:|```", "4||b"]),
            ("````\n```\n````", vec!["2|0:|```"]),
            ("> ```\n> > a\n> ```\nb", vec!["2|0:|> a", "4||b"]),
            ("> ```\n> a\nb", vec!["2|0:|a", "3||b"]),
            ("```\na", vec!["2|0:|a"]),
            ("```\na\n```python\nb\n```", vec!["2|0:|a", "4|1:python|b"]),
            ("```\na\n### Versions\n```\nb\n```", vec!["2|0:|a", "3||### Versions", "5|1:|b"]),
            ("Output: ```\na```\nb", vec!["1||Output: ", "2|0:|a", "3||b"]),
            ("```PyTorch version: 2.6\nb\n```", vec!["1|0:|PyTorch version: 2.6", "2|0:|b"]),
            ("```pip list```\nb", vec!["1|0:|pip list", "2||b"]),
            ("use ```x``` here", vec!["1||use ```x``` here"]),
            ("1\n\n  - ```Shell {.x}\n    a\n    ```", vec!["1||1", "2||", "4|0:shell|    a"]),
        ] {
            assert_eq!(rows(text), expected, "{text:?}");
        }
    }

    #[test]
    fn html_is_read_outside_of_fences_alone() {
        for (text, expected) in [
            ("a<br>b<BR/>c &gt; d", vec!["1||a", "1||b", "1||c > d"]),
            ("<details><summary>x <code>y</code></summary>\nb</details>", vec!["1||x y", "2||b"]),
            ("<pre lang=\"python\">\nimport a &amp;&lt;\n</pre>\nb", vec!["2|0:python|import a &<", "4||b"]),
            ("<pre><code class=\"x\">a\n\nb</code></pre>", vec!["1|0:|a", "2|0:|", "3|0:|b"]),
            ("```\na<br>&gt;\n```", vec!["2|0:|a<br>&gt;"]),
            ("at::vec<float> <module> <stdin>", vec!["1||at::vec<float> <module> <stdin>"]),
            ("&gt; quoted", vec!["1||quoted"]),
        ] {
            assert_eq!(rows(text), expected, "{text:?}");
        }
    }
}
