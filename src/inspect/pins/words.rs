//! Files of plain lines: `.python-version`, `runtime.txt` and `.tool-versions`.

/// The versions that `.python-version` names: each line one, besides comments
/// (<https://docs.astral.sh/uv/concepts/python-versions/#python-version-files>, and pyenv, which takes several words).
pub(super) fn python_version(text: &str) -> Vec<(&str, usize)> {
    words(text).collect()
}

/// The version of Heroku's file, `python-3.11.4`
/// (<https://devcenter.heroku.com/articles/python-runtimes>); Binder has `r-4.1` there, too.
pub(super) fn runtime(text: &str) -> Vec<(&str, usize)> {
    words(text).collect()
}

/// The versions that asdf's file names for `python`, the first that is there being used
/// (<https://asdf-vm.com/manage/configuration.html#tool-versions>).
pub(super) fn tool_versions(text: &str) -> Vec<(&str, usize)> {
    let mut named = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        if matches!(words.next(), Some("python")) {
            named.extend(words.map(|word| (word.strip_prefix("latest:").unwrap_or(word), number)));
        }
    }
    named
}

fn words(text: &str) -> impl Iterator<Item = (&str, usize)> {
    text.lines().zip(1..).flat_map(|(line, number)| {
        let line = line.split('#').next().unwrap_or_default();
        // A range holds spaces: `>=3.11, <3.13`.
        let parts: Vec<&str> =
            if line.contains(['<', '>', '=', '~']) { vec![line.trim()] } else { line.split_whitespace().collect() };
        parts.into_iter().filter(|part| !part.is_empty()).map(move |part| (part, number))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_their_lines() {
        let text = "# pyenv\n\n3.11.4 my-env # why\n>=3.10, <4\r\npython-3.9\n";
        assert_eq!(python_version(text), [("3.11.4", 3), ("my-env", 3), (">=3.10, <4", 4), ("python-3.9", 5)]);
    }

    #[test]
    fn only_lines_of_python_count() {
        let text = "nodejs 20.1\npython 3.12.1 3.11.9 system # c\n# python 2\npython-build 1\npython latest:3.13\n";
        assert_eq!(tool_versions(text), [("3.12.1", 2), ("3.11.9", 2), ("system", 2), ("3.13", 5)]);
    }
}
