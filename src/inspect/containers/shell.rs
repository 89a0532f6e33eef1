//! The words of shell commands, each with its place: enough of a shell's grammar to tell packages from options
//! (<https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html>).

/// A word, free of its quotes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Word {
    pub(super) text: String,
    /// The place of its first byte.
    pub(super) at: usize,
    /// Whether it holds something that is known only when it runs: a command, or a variable without a value.
    pub(super) open: bool,
}

/// The simple commands of a script; `value` tells what a variable is worth.
pub(super) fn commands(script: &str, value: &dyn Fn(&str) -> Option<String>) -> Vec<Vec<Word>> {
    let mut reader = Reader { script, at: 0, value, commands: Vec::new(), command: Vec::new(), word: None };
    reader.read();
    reader.commands
}

struct Reader<'s> {
    script: &'s str,
    at: usize,
    value: &'s dyn Fn(&str) -> Option<String>,
    commands: Vec<Vec<Word>>,
    command: Vec<Word>,
    word: Option<Word>,
}

impl<'s> Reader<'s> {
    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn rest(&self) -> &'s str {
        self.script.get(self.at..).unwrap_or_default()
    }

    fn word(&mut self, at: usize) -> &mut Word {
        self.word.get_or_insert_with(|| Word { at, ..Word::default() })
    }

    fn push(&mut self, at: usize, c: char) {
        self.word(at).text.push(c);
    }

    fn end_word(&mut self) {
        self.command.extend(self.word.take());
    }

    fn end_command(&mut self) {
        self.end_word();
        if !self.command.is_empty() {
            self.commands.push(std::mem::take(&mut self.command));
        }
    }

    fn read(&mut self) {
        while let Some(c) = self.next() {
            let at = self.at - c.len_utf8();
            match c {
                '\\' => self.escaped(at),
                '\'' => self.quoted(at, '\''),
                '"' => self.quoted(at, '"'),
                '$' => self.variable(at),
                '#' if self.word.is_none() => self.skip_line(),
                '\n' | ';' | '&' | '|' | '(' | ')' | '`' => self.end_command(),
                c if c.is_whitespace() => self.end_word(),
                c => self.push(at, c),
            }
        }
        self.end_command();
    }

    /// A backslash: a line goes on, without comment lines, which the builder takes out.
    fn escaped(&mut self, at: usize) {
        let blank = self.rest().len() - self.rest().trim_start_matches([' ', '\t', '\r']).len();
        if self.rest().get(blank..).is_some_and(|rest| rest.starts_with('\n')) {
            self.at += blank + 1;
            while self.rest().trim_start_matches([' ', '\t']).starts_with('#') {
                self.skip_line();
                self.next();
            }
            return;
        }
        if let Some(c) = self.next() {
            self.push(at, c);
        }
    }

    fn skip_line(&mut self) {
        self.at += self.rest().find('\n').unwrap_or(self.rest().len());
    }

    fn quoted(&mut self, at: usize, quote: char) {
        self.word(at);
        while let Some(c) = self.next() {
            match c {
                c if c == quote => return,
                '\\' if quote == '"' && self.peek() == Some('\n') => {
                    self.next();
                }
                '\\' if quote == '"' => {
                    if let Some(c) = self.next() {
                        self.push(at, c);
                    }
                }
                '$' if quote == '"' => self.variable(at),
                c => self.push(at, c),
            }
        }
    }

    /// `$NAME` and `${NAME}`, and what else begins with `$`, which is not known.
    fn variable(&mut self, at: usize) {
        let rest = self.rest();
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let (name, length) = if let Some(inner) = rest.strip_prefix('{') {
            let end = inner.find('}').unwrap_or(inner.len());
            (inner.get(..end).unwrap_or_default(), end + 2)
        } else {
            let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
            (rest.get(..end).unwrap_or_default(), end)
        };
        let value = expanded(name, self.value);
        let length = length.min(rest.len());
        self.at += length;
        let word = self.word(at);
        match value {
            Some(value) if word.text.len() < 4096 => word.text.push_str(&value),
            _ => {
                word.text.push('$');
                word.text.push_str(name);
                word.open = true;
            }
        }
    }
}

/// What `NAME`, `NAME:-default` or `NAME:+other` is worth
/// (<https://docs.docker.com/reference/dockerfile/#environment-replacement>).
pub(super) fn expanded(name: &str, value: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let end = name.find([':', '-', '+']).unwrap_or(name.len());
    let (name, operator) = name.split_at(end);
    let known = value(name).filter(|known| !known.is_empty() || operator.is_empty());
    let operator = operator.strip_prefix(':').unwrap_or(operator);
    if let Some(default) = operator.strip_prefix('-') {
        return known.or_else(|| Some(default.to_owned()).filter(|default| !default.contains('$')));
    }
    match operator.strip_prefix('+') {
        Some(other) => Some(known.map(|_| other.to_owned()).unwrap_or_default()),
        None if operator.is_empty() => known,
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(script: &str) -> Vec<Vec<String>> {
        let value = |name: &str| (name == "V").then(|| "3.11".to_owned());
        let words = |command: Vec<Word>| command.into_iter().map(|word| word.text).collect();
        commands(script, &value).into_iter().map(words).collect()
    }

    #[test]
    fn commands_end_where_a_shell_ends_them() {
        let script = "a b && c;d | e || (f g)\nh 'i && j' \"k;$V\" l\\ m # n && o\np";
        let expected: [&[&str]; 8] =
            [&["a", "b"], &["c"], &["d"], &["e"], &["f", "g"], &["h", "i && j", "k;3.11", "l m"], &["p"], &[]];
        assert_eq!(words(script), expected[..7]);
    }

    #[test]
    fn lines_go_on_over_comments() {
        let script = "apt-get install \\\n  # why\n\n  # and\n  git \\  \n  curl\nx";
        let found = commands("a \\\n  # why\n  git \\  \n  curl\nx", &|_| None);
        assert_eq!(found[0].iter().map(|word| word.at).collect::<Vec<_>>(), [0, 14, 24]);
        assert_eq!(found.len(), 2);
        assert_eq!(words(script)[0], ["apt-get", "install"]);
    }

    #[test]
    fn variables_have_their_values_or_are_open() {
        let found = commands("a$V ${V}b ${W:-2}c ${W}d $(e) ${V:+f}", &|name| (name == "V").then(|| "1".to_owned()));
        let texts: Vec<(&str, bool)> = found.iter().flatten().map(|word| (word.text.as_str(), word.open)).collect();
        let expected =
            [("a1", false), ("1b", false), ("2c", false), ("$Wd", true), ("$", true), ("e", false), ("f", false)];
        assert_eq!(texts, expected);
    }

    proptest! {
        #[test]
        fn no_script_ends_the_reader(script in "[a$\\\\'\"{}:+;&|()#\n \t`é-]{0,40}") {
            let found = commands(&script, &|_| Some("x".to_owned()));
            prop_assert!(found.iter().flatten().all(|word| script.is_char_boundary(word.at)));
        }
    }
}
