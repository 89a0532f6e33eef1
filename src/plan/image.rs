//! How containers of the image run, as far as a Dockerfile can say it
//! (<https://github.com/opencontainers/image-spec/blob/main/config.md>).

use std::collections::BTreeMap;

use super::{Asked, ImageOptions};
use crate::model::{Error, ImageConfig, Note, Origin, Result};

/// The user that images run as: not root, and known by name, since torch up to 2.12 asks for the name.
const USER: &str = "app";

/// Where the project goes.
const WORKDIR: &str = "/app";

/// Folders that belong to the system: none of them can become the project's.
const SYSTEM: [&str; 18] = [
    "/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/media", "/mnt", "/opt", "/proc", "/root",
    "/run", "/sbin", "/sys", "/usr", "/var",
];

/// Folders below which nothing of the project's can stand: the kernel's, those that are emptied, and the environment.
const RESERVED: [&str; 7] = ["/dev", "/proc", "/run", "/sys", "/tmp", "/opt/venv", "/opt/uv"];

/// How containers run, as it was asked for, and what a reader should know of it.
pub(super) fn image(options: &ImageOptions) -> Result<(ImageConfig, Vec<Note>)> {
    let config = ImageConfig {
        user: checked(options.user.as_ref(), |text| user(text))?.unwrap_or_else(|| USER.to_owned()),
        workdir: checked(options.workdir.as_ref(), |text| workdir(text))?.unwrap_or_else(|| WORKDIR.to_owned()),
        entrypoint: checked(options.entrypoint.as_ref(), |list| words(list))?.unwrap_or_default(),
        command: checked(options.command.as_ref(), |list| words(list))?.unwrap_or_default(),
        ports: ports(&options.ports)?,
        labels: labels(&options.labels)?,
        healthcheck: checked(options.healthcheck.as_ref(), |text| healthcheck(text))?,
    };
    let notes = options.user.iter().filter(|asked| is_root(&asked.value)).map(|asked| root(&asked.origin)).collect();
    Ok((config, notes))
}

/// What was asked for, once `check` has understood it; an error is located where it was asked.
fn checked<T, U>(asked: Option<&Asked<T>>, check: impl Fn(&T) -> Result<U>) -> Result<Option<U>> {
    asked.map(|asked| check(&asked.value).map_err(|error| error.at(asked.origin.clone()))).transpose()
}

fn is_root(user: &str) -> bool {
    user == "root" || user.split(':').next().is_some_and(|uid| !uid.is_empty() && uid.bytes().all(|b| b == b'0'))
}

fn root(origin: &Origin) -> Note {
    Note::warning("containers of the image run as root", origin.clone())
        .with_hint("without `--user` they run as a user of their own, who needs no rights to compile")
}

/// A name as `useradd` takes it (<https://manpages.debian.org/trixie/passwd/useradd.8.en.html#CAVEATS>), or numbers, which
/// are written as the kernel counts them, so that nothing else can mean the same user.
fn user(text: &str) -> Result<String> {
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        // The largest number means "no user" to the kernel.
        digits.then(|| text.parse::<u32>().ok()).flatten().filter(|number| *number < u32::MAX)
    };
    let is_name = |text: &str| {
        text.len() <= 32
            && text.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
            && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-')
    };
    match text.split_once(':') {
        _ if is_name(text) => Ok(text.to_owned()),
        None if number(text).is_some() => Ok(number(text).map_or_else(String::new, |uid| uid.to_string())),
        Some((uid, gid)) if number(uid).is_some() && number(gid).is_some() => {
            Ok(format!("{}:{}", number(uid).unwrap_or_default(), number(gid).unwrap_or_default()))
        }
        _ => Err(Error::usage(format!("`{}` is not a user", text.escape_debug())).with_hint(
            "a name of at most 32 lower-case letters, digits, `_` and `-`, or `UID`, or `UID:GID`, as in `app` or `1000:0`",
        )),
    }
}

/// A folder that may stand in every place of a Dockerfile without quotes.
fn workdir(text: &str) -> Result<String> {
    let shown = text.escape_debug();
    let error = |why: &str| {
        Err(Error::usage(format!("`{shown}` cannot be the working directory: {why}"))
            .with_hint("a folder of its own, such as `/app` or `/srv/app`"))
    };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._@+-".contains(c);
    let folder = text.trim_end_matches('/');
    if !text.starts_with('/') {
        return error("it is not absolute");
    }
    if text.split('/').any(|part| part == ".." || part == ".") || folder.contains("//") {
        return error("it holds `.`, `..` or `//`");
    }
    if !text.chars().all(is_plain) {
        return error("it holds other characters than letters, digits, `/`, `.`, `_`, `@`, `+` and `-`");
    }
    let below = |reserved: &str| folder == reserved || folder.starts_with(&format!("{reserved}/"));
    if folder.is_empty() || SYSTEM.contains(&folder) || RESERVED.into_iter().any(below) {
        return error("the system, or what is installed, is there");
    }
    Ok(folder.to_owned())
}

/// The words of a command; the first of them is a program.
fn words(words: &[String]) -> Result<Vec<String>> {
    if words.first().is_none_or(String::is_empty) {
        return Err(Error::usage("the command names no program").with_hint("as in `--cmd 'python -m server'`"));
    }
    words.iter().try_for_each(|word| clean("a word of the command", word))?;
    Ok(words.to_vec())
}

fn healthcheck(command: &str) -> Result<String> {
    if command.trim().is_empty() {
        return Err(Error::usage("the health check is empty").with_hint("as in `--healthcheck 'python -m health'`"));
    }
    clean("the health check", command)?;
    Ok(command.to_owned())
}

fn ports(asked: &[Asked<String>]) -> Result<Vec<String>> {
    let ports = asked.iter().map(|asked| port(&asked.value).map_err(|error| error.at(asked.origin.clone())));
    let mut ports = ports.collect::<Result<Vec<_>>>()?;
    ports.sort_unstable();
    ports.dedup();
    Ok(ports.into_iter().map(|(number, protocol)| format!("{number}/{protocol}")).collect())
}

/// `8000`, `8000/udp`: the number, and the protocol by the name that the image's configuration has for it.
fn port(text: &str) -> Result<(u16, &'static str)> {
    let (number, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let protocol = ["tcp", "udp", "sctp"].into_iter().find(|known| *known == protocol);
    let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    let number = number.parse::<u16>().ok().filter(|number| digits && *number > 0);
    match (number, protocol) {
        (Some(number), Some(protocol)) => Ok((number, protocol)),
        _ => Err(Error::usage(format!("`{}` is not a port", text.escape_debug())).with_hint(
            "a number from 1 to 65535, with `/tcp`, `/udp` or `/sctp` where it is not TCP, as in `8000` or `53/udp`",
        )),
    }
}

fn labels(asked: &[Asked<(String, String)>]) -> Result<BTreeMap<String, String>> {
    let mut labels = BTreeMap::new();
    for Asked { value: (key, value), origin } in asked {
        label(key).map_err(|error| error.at(origin.clone()))?;
        clean(&format!("the label `{key}`"), value).map_err(|error| error.at(origin.clone()))?;
        labels.insert(key.clone(), value.clone());
    }
    Ok(labels)
}

/// A key of a label. The engine takes any text; what is asked for here is what reads well everywhere
/// (<https://docs.docker.com/engine/manage-resources/labels/>), in the characters of annotations besides.
fn label(key: &str) -> Result<()> {
    let is_edge = |c: char| c.is_ascii_alphanumeric();
    if key.starts_with("dev.sconce.") {
        return Err(Error::usage(format!("the label `{}` is sconce's own", key.escape_debug()))
            .with_hint("take a domain of your own, as in `org.example.team`"));
    }
    if key.starts_with(is_edge) && key.ends_with(is_edge) && key.chars().all(|c| is_edge(c) || "._/-".contains(c)) {
        return Ok(());
    }
    Err(Error::usage(format!("`{}` is not the key of a label", key.escape_debug()))
        .with_hint("letters, digits, `.`, `-`, `_` and `/`, as in `org.opencontainers.image.source`"))
}

/// Fails on what no Dockerfile can carry, and no reader sees: a newline, an escape sequence.
fn clean(what: &str, text: &str) -> Result<()> {
    let control = text.chars().find(|c| c.is_control());
    control.map_or(Ok(()), |c| {
        let kind = if c == '\n' { "a newline" } else { "a control character" };
        Err(Error::usage(format!("{what} holds {kind}: `{}`", text.escape_debug()))
            .with_hint("it is one line of text, without tabs and escapes"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked<T>(value: T) -> Asked<T> {
        Asked { value, origin: Origin::flag("--test") }
    }

    #[test]
    fn a_user_is_a_name_or_numbers() {
        for (text, meant) in [("app", "app"), ("_x-1", "_x-1"), ("root", "root"), ("12345", "12345"), ("007:0", "7:0")]
        {
            assert_eq!(user(text).unwrap(), meant);
        }
        let long = "a".repeat(33);
        for wrong in
            ["", "App", "-a", "1a", "a b", "a:b", "app:0", "1000:", ":0", "4294967295", "+5", "a\nUSER b", "ü", &long]
        {
            assert!(user(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn root_is_a_warning_however_it_is_spelt() {
        for (text, notes) in [("root", 1), ("0", 1), ("00:5", 1), ("app", 0), ("1000:0", 0)] {
            let options = ImageOptions { user: Some(asked(text.to_owned())), ..ImageOptions::default() };
            assert_eq!(image(&options).unwrap().1.len(), notes, "{text}");
        }
    }

    #[test]
    fn a_working_directory_is_a_folder_of_its_own() {
        for (text, meant) in [("/app", "/app"), ("/srv/app/", "/srv/app"), ("/usr/src/app", "/usr/src/app")] {
            assert_eq!(workdir(text).unwrap(), meant);
        }
        for wrong in [
            "",
            "app",
            "./app",
            "/",
            "//",
            "/usr",
            "/etc/",
            "/app/..",
            "/a/./b",
            "/a//b",
            "/a b",
            "/$HOME",
            "/a;id",
            "/a\nb",
            "/proc/x",
            "/opt/venv/lib",
            "/tmp",
            "/tmp/source",
        ] {
            assert!(workdir(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_port_has_a_number_and_a_protocol() {
        let ports = |texts: &[&str]| ports(&texts.iter().map(|text| asked((*text).to_owned())).collect::<Vec<_>>());
        assert_eq!(ports(&["8000", "53/udp", "8000/tcp", "9/sctp"]).unwrap(), ["9/sctp", "53/udp", "8000/tcp"]);
        for wrong in ["", "0", "65536", "+80", "80/http", "80/", "8000-8010", "80 81", "$PORT"] {
            assert!(ports(&[wrong]).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_label_is_one_line_and_not_ours() {
        let label = |key: &str, value: &str| labels(&[asked((key.to_owned(), value.to_owned()))]);
        assert!(label("org.opencontainers.image.title", "My $HOME \"x\"").is_ok());
        let error = label("a.b", "one\nRUN id").unwrap_err();
        assert_eq!(error.to_string(), "--test: the label `a.b` holds a newline: `one\\nRUN id`");
        for wrong in ["", ".a", "a.", "a b", "a=b", "a\nb", "\"a\"", "$a", "dev.sconce.version"] {
            assert!(label(wrong, "x").is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_command_begins_with_a_program() {
        let strings = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        assert!(words(&strings(&["python", "-c", "print('$HOME')", ""])).is_ok());
        for wrong in [&[][..], &["", "x"], &["python", "a\nb"], &["python", "a\0b"]] {
            assert!(words(&strings(wrong)).is_err(), "{wrong:?}");
        }
        assert!(healthcheck(" ").is_err() && healthcheck("a\nb").is_err());
    }
}
