//! The options of a line of a requirements file, split and looked up as pip's `optparse` parser does.

/// What an option means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    IndexUrl,
    ExtraIndexUrl,
    NoIndex,
    Requirement,
    Constraint,
    Editable,
    FindLinks,
    RequireHashes,
    Hash,
    /// It belongs to the requirement on its line, and is the installer's affair.
    OfRequirement,
    /// It is the installer's affair, and may also stand behind a requirement.
    Format,
    /// It is pip's affair: uv passes over it with a warning.
    OfPip,
}

struct Known {
    names: &'static [&'static str],
    takes_value: bool,
    meaning: Meaning,
}

const fn known(names: &'static [&'static str], takes_value: bool, meaning: Meaning) -> Known {
    Known { names, takes_value, meaning }
}

/// What pip takes in a file: its own table of 26.3, and `--global-option`, which went after 25.
/// <https://pip.pypa.io/en/stable/reference/requirements-file-format/#supported-options>
const KNOWN: [Known; 20] = [
    known(&["-i", "--index-url", "--pypi-url"], true, Meaning::IndexUrl),
    known(&["--extra-index-url"], true, Meaning::ExtraIndexUrl),
    known(&["--no-index"], false, Meaning::NoIndex),
    known(&["-c", "--constraint"], true, Meaning::Constraint),
    known(&["-r", "--requirement"], true, Meaning::Requirement),
    known(&["-e", "--editable"], true, Meaning::Editable),
    known(&["-f", "--find-links"], true, Meaning::FindLinks),
    known(&["--no-binary"], true, Meaning::Format),
    known(&["--only-binary"], true, Meaning::Format),
    known(&["--prefer-binary"], false, Meaning::OfPip),
    known(&["--require-hashes"], false, Meaning::RequireHashes),
    known(&["--no-require-hashes"], false, Meaning::OfPip),
    known(&["--pre"], false, Meaning::OfPip),
    known(&["--all-releases"], true, Meaning::OfPip),
    known(&["--only-final"], true, Meaning::OfPip),
    known(&["--trusted-host"], true, Meaning::OfPip),
    known(&["--use-feature"], true, Meaning::OfPip),
    known(&["--hash"], true, Meaning::Hash),
    known(&["-C", "--config-setting", "--config-settings"], true, Meaning::OfRequirement),
    known(&["--global-option"], true, Meaning::OfRequirement),
];

/// An option as given.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) meaning: Meaning,
    /// Its long name.
    pub(super) name: &'static str,
    /// Empty where it takes none.
    pub(super) value: String,
}

/// A line taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    /// The requirement, or nothing.
    pub(super) requirement: String,
    pub(super) options: Vec<Given>,
    /// Words behind an option that belong to none; pip ignores them.
    pub(super) strays: Vec<String>,
}

/// Takes a line apart: the requirement ends before the first word that begins with a dash. The error says what is wrong.
pub(super) fn take(line: &str) -> Result<Taken, String> {
    let mut at = 0;
    let split = line.split(' ').find_map(|token| {
        let start = at;
        at += token.len() + 1;
        token.starts_with('-').then_some(start)
    });
    let (requirement, options) = line.split_at(split.unwrap_or(line.len()));
    let mut taken = Taken { requirement: requirement.trim().to_owned(), ..Taken::default() };
    let mut words = words(options)?.into_iter();
    while let Some(word) = words.next() {
        if word == "--" {
            taken.strays.extend(words.by_ref());
        } else if word.len() > 1 && word.starts_with('-') {
            taken.options.push(option(&word, &mut words)?);
        } else {
            taken.strays.push(word);
        }
    }
    Ok(taken)
}

fn option(word: &str, words: &mut impl Iterator<Item = String>) -> Result<Given, String> {
    let (name, attached) = match word.split_once('=') {
        Some((name, value)) if word.starts_with("--") => (name, Some(value)),
        _ if word.starts_with("--") => (word, None),
        // `-rfile`: one dash, one letter, and all the rest is the value.
        _ => {
            let end = word.char_indices().nth(2).map_or(word.len(), |(at, _)| at);
            (&word[..end], Some(&word[end..]).filter(|value| !value.is_empty()))
        }
    };
    let known = look_up(name)?;
    let long = known.names.iter().copied().find(|name| name.starts_with("--")).unwrap_or_default();
    let value = match (known.takes_value, attached) {
        (true, Some(value)) => value.to_owned(),
        (true, None) => words.next().ok_or_else(|| format!("`{long}` lacks its value"))?,
        (false, Some(_)) => return Err(format!("`{long}` takes no value")),
        (false, None) => String::new(),
    };
    Ok(Given { meaning: known.meaning, name: long, value })
}

/// The option of this name, or the only one whose long name begins so.
fn look_up(name: &str) -> Result<&'static Known, String> {
    let shown = super::shown(name);
    if let Some(exact) = KNOWN.iter().find(|known| known.names.contains(&name)) {
        return Ok(exact);
    }
    let mut begun = KNOWN.iter().filter(|known| {
        name.len() > 2 && name.starts_with("--") && known.names.iter().any(|known| known.starts_with(name))
    });
    match (begun.next(), begun.next()) {
        (Some(known), None) => Ok(known),
        (Some(_), Some(_)) => Err(format!("`{shown}` may be more than one option")),
        (None, _) => Err(format!("`{shown}` is not an option that pip takes in a file")),
    }
}

/// Splits words as Python's `shlex.split` does: quotes and backslashes, no comments.
fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '\'' | '"' => quoted(c, &mut characters, word.get_or_insert_default())?,
            '\\' => {
                let escaped = characters.next().ok_or("the line ends in a backslash")?;
                word.get_or_insert_default().push(escaped);
            }
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

fn quoted(quote: char, characters: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), String> {
    let unclosed = || format!("a quote (`{quote}`) is not closed");
    loop {
        match characters.next().ok_or_else(unclosed)? {
            c if c == quote => return Ok(()),
            '\\' if quote == '"' => {
                let escaped = characters.next().ok_or_else(unclosed)?;
                if !matches!(escaped, '"' | '\\') {
                    word.push('\\');
                }
                word.push(escaped);
            }
            c => word.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(line: &str) -> Vec<(Meaning, String)> {
        take(line).unwrap().options.into_iter().map(|given| (given.meaning, given.value)).collect()
    }

    #[test]
    fn every_way_to_give_a_value() {
        for line in ["-rx y", "-r x", "--requirement=x", "--requirement x", "--requirem 'x'"] {
            assert_eq!(given(line)[0], (Meaning::Requirement, "x".to_owned()), "{line}");
        }
        assert_eq!(given("-r=x"), [(Meaning::Requirement, "=x".to_owned())]);
        assert_eq!(given("--find-links \"a b\\\"\" --no-index").len(), 2);
    }

    #[test]
    fn the_requirement_ends_at_the_first_dash() {
        let taken = take("torch==2; os_name == 'a'  --hash=sha256:00 --hash sha256:11 stray").unwrap();
        assert_eq!(taken.requirement, "torch==2; os_name == 'a'");
        assert_eq!(taken.options.len(), 2);
        assert_eq!(taken.strays, ["stray"]);
        assert_eq!(take("torch-vision").unwrap().requirement, "torch-vision");
    }

    #[test]
    fn what_pip_does_not_take_is_an_error() {
        for line in ["--no-build-isolation", "--require x", "-z", "-r", "--pre=1", "--x 'a", "--hash a\\", "-é"] {
            assert!(take(line).is_err(), "{line}");
        }
    }
}
