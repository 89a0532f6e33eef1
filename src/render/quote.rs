use std::fmt::Write as _;
use std::io;

use tera::{Kwargs, State, Tera, TeraResult, Value};

/// The width at which a comment is broken.
const WIDTH: usize = 118;

/// Teaches `tera` the languages that meet in a Dockerfile. What no filter has quoted may hold harmless characters only:
/// a filter that was forgotten is an error, not a hole.
pub(super) fn register(tera: &mut Tera) {
    tera.autoescape_on([""]);
    tera.set_escape_fn(harmless);
    tera.register_filter("sh", |text: &str, _: Kwargs, _: &State| quoted(shell(text)));
    tera.register_filter("docker", |text: &str, _: Kwargs, _: &State| quoted(dockerfile(text)));
    tera.register_filter("copy_from", |text: &str, _: Kwargs, _: &State| quoted(copy_word(text, true)));
    tera.register_filter("copy_to", |text: &str, _: Kwargs, _: &State| quoted(copy_word(text, false)));
    tera.register_filter("exec", |words: Vec<String>, _: Kwargs, _: &State| quoted(exec(&words)));
    tera.register_filter("comment", |text: &str, _: Kwargs, _: &State| Value::safe_string(&comment(text)));
}

fn quoted(text: Result<String, String>) -> TeraResult<Value> {
    text.map(|text| Value::safe_string(&text)).map_err(tera::Error::message)
}

fn harmless(text: &str, out: &mut dyn io::Write) -> io::Result<()> {
    match text.chars().find(|c| !is_plain(*c)) {
        None => out.write_all(text.as_bytes()),
        Some(_) => Err(io::Error::other(format!("`{}` stands unquoted in a template", text.escape_debug()))),
    }
}

/// Characters that mean nothing but themselves to a shell and in every place of a Dockerfile.
fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_./:@%+,-".contains(c)
}

fn refuse_controls(text: &str) -> Result<(), String> {
    if text.chars().any(char::is_control) {
        return Err(format!("`{}` holds a control character", text.escape_debug()));
    }
    Ok(())
}

/// `text` as one word of a POSIX shell
/// (<https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_02>).
fn shell(text: &str) -> Result<String, String> {
    refuse_controls(text)?;
    if !text.is_empty() && text.chars().all(|c| is_plain(c) || c == '=') && !text.starts_with('=') {
        return Ok(text.to_owned());
    }
    Ok(format!("'{}'", text.replace('\'', r"'\''")))
}

/// `text` as a value of `ENV`, `LABEL` or `ARG`, where `$` expands and `\` escapes
/// (<https://docs.docker.com/reference/dockerfile/#environment-replacement>).
fn dockerfile(text: &str) -> Result<String, String> {
    refuse_controls(text)?;
    let mut quoted = String::from("\"");
    for c in text.chars() {
        if matches!(c, '\\' | '"' | '$') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    Ok(quoted)
}

/// `text` as a word of the JSON form of `COPY`, where quotes and variables are expanded; a source is a pattern besides
/// (Go's `filepath.Match`).
fn copy_word(text: &str, pattern: bool) -> Result<String, String> {
    refuse_controls(text)?;
    if text.contains('\\') {
        return Err(format!("`{}`: `COPY` takes no path with a backslash", text.escape_debug()));
    }
    let mut word = String::new();
    for c in text.chars() {
        match c {
            '*' | '?' | '[' if pattern => {
                let _ = write!(word, "[{c}]");
            }
            '$' | '"' | '\'' => word.extend(['\\', c]),
            _ => word.push(c),
        }
    }
    Ok(serde_json::Value::String(word).to_string())
}

/// `words` as the JSON form of `CMD` and its like, in which nothing is expanded
/// (<https://docs.docker.com/reference/dockerfile/#shell-and-exec-form>).
fn exec(words: &[String]) -> Result<String, String> {
    words.iter().try_for_each(|word| refuse_controls(word))?;
    let words: Vec<String> = words.iter().map(|word| serde_json::Value::from(word.as_str()).to_string()).collect();
    Ok(format!("[{}]", words.join(", ")))
}

/// `text` as lines of comment: nothing in it can end the comment.
fn comment(text: &str) -> String {
    let mut lines = vec![String::from("#")];
    for word in text.split(' ') {
        let word: String = word.chars().flat_map(visible).collect();
        let last = lines.last_mut().filter(|line| line.chars().count() + word.chars().count() < WIDTH);
        match last {
            Some(line) => {
                line.push(' ');
                line.push_str(&word);
            }
            None => lines.push(format!("# {word}")),
        }
    }
    lines.join("\n")
}

/// A character as it can be seen: controls are spelt out, and so are those that change how a line is read (`U+2028`,
/// the bidirectional overrides).
fn visible(c: char) -> impl Iterator<Item = char> {
    let hidden =
        c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let (escaped, plain) = if hidden { (Some(c.escape_unicode()), None) } else { (None, Some(c)) };
    escaped.into_iter().flatten().chain(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_sees_one_word() {
        for (text, word) in [
            ("torch==2.6.0", "torch==2.6.0"),
            ("", "''"),
            ("=x", "'=x'"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("$(id) `id` ;&|<>#~*?[!", "'$(id) `id` ;&|<>#~*?[!'"),
            ("ends with \\", r"'ends with \'"),
            ("ü", "'ü'"),
        ] {
            assert_eq!(shell(text).unwrap(), word);
        }
    }

    #[test]
    fn a_value_expands_and_escapes_nothing() {
        assert_eq!(dockerfile(r#"a "b" $HOME ${X} \n 'c' #"#).unwrap(), r#""a \"b\" \$HOME \${X} \\n 'c' #""#);
    }

    #[test]
    fn a_path_is_no_pattern() {
        assert_eq!(copy_word("a b/$x['\"*?.txt", true).unwrap(), r#""a b/\\$x[[]\\'\\\"[*][?].txt""#);
        assert_eq!(copy_word("/app/[x]/", false).unwrap(), r#""/app/[x]/""#);
        assert!(copy_word(r"a\b", true).is_err());
    }

    #[test]
    fn a_command_is_its_words() {
        let words = ["sh", "-c", r#"echo "$HOME" 'x' \"#].map(str::to_owned);
        assert_eq!(exec(&words).unwrap(), r#"["sh", "-c", "echo \"$HOME\" 'x' \\"]"#);
        assert!(exec(&["a\nRUN id".to_owned()]).is_err());
    }

    #[test]
    fn no_line_ends_but_those_of_the_templates() {
        for text in ["a\nRUN id", "a\rb", "a\0b", "a\u{85}b"] {
            assert!(shell(text).is_err() && dockerfile(text).is_err() && copy_word(text, true).is_err(), "{text:?}");
            assert!(!comment(text).contains(char::is_control));
        }
        assert_eq!(comment("a\u{202e}b"), r"# a\u{202e}b");
    }

    #[test]
    fn a_comment_is_broken_between_words() {
        let text = comment(&"word ".repeat(60));
        assert!(
            text.lines().count() == 3 && text.lines().all(|line| line.starts_with("# word") && line.len() <= WIDTH)
        );
    }

    #[test]
    fn what_no_filter_quoted_is_refused() {
        let mut tera = Tera::new();
        register(&mut tera);
        tera.add_raw_template("t", "RUN {{ x }}").unwrap();
        let render = |x: &str| {
            let mut context = tera::Context::new();
            context.insert("x", x);
            tera.render("t", &context)
        };
        assert_eq!(render("python3.13").unwrap(), "RUN python3.13");
        for hostile in ["a b", "a;b", "a\nb", "$x", "'", "\\", "#"] {
            assert!(render(hostile).is_err(), "{hostile:?}");
        }
    }
}
