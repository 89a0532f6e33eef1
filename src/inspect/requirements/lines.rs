//! Lines of a requirements file, joined and without comments, as pip's `preprocess` makes them
//! (<https://github.com/pypa/pip/blob/main/src/pip/_internal/req/req_file.py>).

/// A logical line: never blank, without its comment.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// The number, from 1, of the first line of the file that it is made of.
    pub(super) number: usize,
    pub(super) text: String,
}

/// The logical lines of a file.
pub(super) fn logical(content: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut begun: Option<Line> = None;
    for (number, piece) in physical(content) {
        let is_comment = piece.trim_start_matches(is_space).starts_with('#');
        let mut line = begun.take().unwrap_or(Line { number, text: String::new() });
        if piece.ends_with('\\') && !is_comment {
            line.text.push_str(piece.trim_matches('\\'));
            begun = Some(line);
            continue;
        }
        if is_comment {
            // The space lets the `#` begin a comment, also behind a line that it continues.
            line.text.push(' ');
        }
        line.text.push_str(piece);
        lines.push(line);
    }
    lines.extend(begun);
    lines.iter().filter_map(without_comment).collect()
}

fn without_comment(line: &Line) -> Option<Line> {
    let hash = line.text.match_indices('#').find(|(at, _)| *at == 0 || line.text[..*at].ends_with(is_space));
    let text = hash.map_or(line.text.as_str(), |(at, _)| &line.text[..at]).trim_matches(is_space);
    (!text.is_empty()).then(|| Line { number: line.number, text: text.to_owned() })
}

/// The lines that Python's `splitlines` sees, numbered as editors number them: a form feed ends a line for pip, but does
/// not count.
fn physical(content: &str) -> Vec<(usize, &str)> {
    let mut lines = Vec::new();
    let (mut number, mut start) = (1, 0);
    let mut characters = content.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        if !ends_line(c) {
            continue;
        }
        lines.push((number, &content[start..at]));
        start = at + c.len_utf8();
        if c == '\r' && characters.next_if(|(_, next)| *next == '\n').is_some() {
            start += 1;
        }
        if matches!(c, '\r' | '\n') {
            number += 1;
        }
    }
    lines.push((number, &content[start..]));
    lines
}

fn ends_line(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// What Python calls white space.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(content: &str) -> Vec<(usize, String)> {
        logical(content).into_iter().map(|line| (line.number, line.text)).collect()
    }

    #[test]
    fn comments_begin_after_a_space_only() {
        let content = "a # b\n#c\nd#egg=e\n  # f\ng\t#h\n";
        assert_eq!(texts(content), [(1, "a".into()), (3, "d#egg=e".into()), (5, "g".into())]);
    }

    #[test]
    fn a_backslash_joins_and_a_comment_ends_the_line() {
        assert_eq!(
            texts("a \\\n  --hash=x \\\n  --hash=y\nb"),
            [(1, "a   --hash=x   --hash=y".into()), (4, "b".into())]
        );
        assert_eq!(texts("a \\\n# b \\\nc"), [(1, "a".into()), (3, "c".into())]);
        assert_eq!(texts("a\\"), [(1, "a".into())]);
        assert_eq!(texts("a # b\\\nc"), [(1, "a".into())]);
    }

    #[test]
    fn lines_end_where_python_ends_them() {
        assert_eq!(
            texts("a\r\nb\rc\u{c}d\ne"),
            [(1, "a".into()), (2, "b".into()), (3, "c".into()), (3, "d".into()), (4, "e".into())]
        );
    }

    proptest! {
        #[test]
        fn every_word_outside_of_comments_is_accounted_for(content in "[a-c# \\\\\n\r\u{c}]{0,60}") {
            let words = |text: &str| text.chars().filter(char::is_ascii_lowercase).count();
            let commented: usize = physical(&content).iter().filter(|(_, line)| line.contains('#')).map(|(_, line)| words(line)).sum();
            let kept: usize = logical(&content).iter().map(|line| words(&line.text)).sum();
            let joined = content.contains('\\') && content.contains('#');
            prop_assert!(kept <= words(&content));
            prop_assert!(joined || kept + commented >= words(&content));
        }
    }
}
