//! What a command installs.

use super::shell::Word;

/// What a word of a command names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Named<'w> {
    /// A package, without its version.
    Package { manager: &'static str, name: &'w str, version: &'w str, word: &'w Word },
    /// Something that is no plain name: a file, a variable, a group.
    Unclear(&'w Word),
}

/// A package manager.
struct Manager {
    name: &'static str,
    programs: &'static [&'static str],
    commands: &'static [&'static str],
    /// Options whose value is the next word.
    valued: &'static [&'static str],
    /// What ends the name of a package.
    ends: &'static [char],
}

/// The managers that images commonly bring.
const MANAGERS: [Manager; 6] = [
    Manager {
        name: "apt",
        programs: &["apt-get", "apt", "aptitude", "apt-fast"],
        commands: &["install"],
        valued: &["-o", "--option", "-t", "--target-release", "--default-release", "-c", "--config-file"],
        ends: &['=', '/', ':'],
    },
    Manager {
        name: "dnf",
        programs: &["dnf", "yum", "microdnf", "tdnf"],
        commands: &["install"],
        valued: &["-c", "--config", "--enablerepo", "--disablerepo", "--repo", "--releasever", "-x", "--exclude"],
        ends: &[],
    },
    Manager {
        name: "apk",
        programs: &["apk"],
        commands: &["add"],
        valued: &["-t", "--virtual", "-X", "--repository", "-p", "--root"],
        ends: &['=', '<', '>', '~', '@'],
    },
    Manager {
        name: "zypper",
        programs: &["zypper"],
        commands: &["install", "in"],
        valued: &[],
        ends: &['=', '<', '>'],
    },
    Manager {
        name: "conda",
        programs: &["conda", "mamba", "micromamba"],
        commands: &["install", "create"],
        valued: &["-c", "--channel", "-n", "--name", "-p", "--prefix", "-f", "--file", "-r", "--root-prefix"],
        ends: &['=', '<', '>', '!', '~', ' '],
    },
    Manager { name: "brew", programs: &["brew"], commands: &["install"], valued: &[], ends: &['@'] },
];

/// Words that begin a command without being one.
const LEADS: [&str; 14] =
    ["sudo", "env", "exec", "time", "then", "do", "else", "if", "while", "{", "!", "eval", "command", "yes"];

/// The program of a command, and its arguments.
fn program(command: &[Word]) -> Option<(&str, &[Word])> {
    let is_lead = |word: &&Word| {
        let sets = word
            .text
            .split_once('=')
            .is_some_and(|(name, _)| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
        sets || LEADS.contains(&word.text.as_str()) || (word.text.starts_with('-') && word.text.len() < 3)
    };
    let leads = command.iter().take_while(is_lead).count();
    let (first, arguments) = command.get(leads..)?.split_first()?;
    Some((first.text.rsplit('/').next().unwrap_or_default(), arguments))
}

/// The packages of the system, or of conda, that a command installs.
pub(super) fn packages(command: &[Word]) -> Vec<Named<'_>> {
    let Some((program, arguments)) = program(command) else { return Vec::new() };
    let Some(manager) = MANAGERS.iter().find(|manager| manager.programs.contains(&program)) else { return Vec::new() };
    let mut named = Vec::new();
    let (mut installs, mut skip) = (false, false);
    for word in arguments {
        let text = word.text.as_str();
        if std::mem::take(&mut skip) {
            continue;
        }
        if text.contains(['<', '>']) && is_redirection(text) {
            skip = text.ends_with(['<', '>']);
        } else if text.starts_with('-') {
            skip = manager.valued.contains(&text);
        } else if !installs {
            installs = manager.commands.contains(&text);
            if !installs && !word.open {
                // Another command, such as `update`, or one of several words, such as `conda env create`.
                return Vec::new();
            }
        } else if !text.is_empty() {
            named.push(package(manager, word));
        }
    }
    named
}

/// `2>&1`, `>/dev/null`, `<<EOF`: what stands before is nothing or a number.
fn is_redirection(text: &str) -> bool {
    text.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with(['<', '>'])
}

fn package<'w>(manager: &Manager, word: &'w Word) -> Named<'w> {
    // conda: `channel::name`.
    let text = match word.text.rsplit_once("::") {
        Some((_, name)) if manager.name == "conda" => name,
        _ => word.text.as_str(),
    };
    let (name, version) = text.split_at(text.find(manager.ends).unwrap_or(text.len()));
    let version = version.trim_start_matches(['=', ' ']);
    let is_name = |c: char| c.is_ascii_alphanumeric() || "+-._".contains(c);
    let is_file = [".deb", ".rpm", ".apk"].iter().any(|ending| text.ends_with(ending)) || text.contains("://");
    let plain = name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') && name.chars().all(is_name);
    if plain && !is_file && !(word.open && name.contains('$')) && name.len() <= 100 {
        Named::Package { manager: manager.name, name, version, word }
    } else {
        Named::Unclear(word)
    }
}

/// Whether a command gives pip or uv a torch, or an index to take it from.
pub(super) fn concerns_torch(command: &[Word]) -> bool {
    let Some((program, arguments)) = program(command) else { return false };
    let is_pip = |text: &str| text == "pip" || text.starts_with("pip3") || text == "pip2";
    let of_pip = match program {
        "uv" | "pipx" => true,
        _ if program.starts_with("python") => arguments.iter().take(3).any(|word| is_pip(&word.text)),
        _ => is_pip(program),
    };
    let installs = arguments.iter().any(|word| matches!(word.text.as_str(), "install" | "add" | "sync"));
    let torch = |word: &Word| word.text.trim_start_matches(['\'', '"']).to_ascii_lowercase().starts_with("torch");
    let index = |word: &Word| {
        let option = word.text.split('=').next().unwrap_or_default();
        let options = ["-i", "--index-url", "--extra-index-url", "--index", "--default-index", "-f", "--find-links"];
        options.contains(&option) || word.text.contains("://")
    };
    of_pip && installs && arguments.iter().any(|word| torch(word) || index(word))
}

#[cfg(test)]
mod tests {
    use super::super::shell::commands;
    use super::*;

    fn names(script: &str) -> Vec<String> {
        let all = commands(script, &|_| None);
        let one = |named: Named<'_>| match named {
            Named::Package { manager, name, .. } => format!("{manager}:{name}"),
            Named::Unclear(word) => format!("?{}", word.text),
        };
        all.iter().flat_map(|command| packages(command)).map(one).collect()
    }

    #[test]
    fn packages_are_told_from_options_and_versions() {
        for (script, expected) in [
            (
                "apt-get update && apt-get install -y --no-install-recommends git=1:2.3 libgl1:amd64",
                "apt:git apt:libgl1",
            ),
            (
                "sudo DEBIAN_FRONTEND=noninteractive apt-get -qq -o A=b install g++ python3.11-dev >/dev/null 2>&1",
                "apt:g++ apt:python3.11-dev",
            ),
            ("if true; then apt install -t sid ffmpeg; fi", "apt:ffmpeg"),
            ("apt-get install ./x.deb linux-headers-$(uname -r)", "?./x.deb ?linux-headers-$"),
            ("dnf -y install gcc @development && yum install -y make", "dnf:gcc ?@development dnf:make"),
            ("microdnf install --nodocs tar", "dnf:tar"),
            ("apk add --no-cache --virtual .build gcc~=12 'musl-dev>1'", "apk:gcc apk:musl-dev"),
            (
                "conda install -y -c pytorch -c nvidia pytorch::pytorch=2.1 'python>=3.9' pytorch-cuda=12.1",
                "conda:pytorch conda:python conda:pytorch-cuda",
            ),
            ("/opt/conda/bin/mamba create -n x python=3.10", "conda:python"),
            ("conda env create -f environment.yml", ""),
            ("apt-get remove git; apt-cache search install x; echo apt-get install y", ""),
        ] {
            assert_eq!(names(script).join(" "), expected, "{script}");
        }
    }

    #[test]
    fn torch_and_indexes_are_noticed() {
        for (script, expected) in [
            ("pip install torch==2.1", true),
            ("pip3 install --no-cache-dir --extra-index-url=https://x/whl a", true),
            ("python3.11 -m pip install 'torchvision'", true),
            ("uv pip install --index-url https://x/whl a", true),
            ("pip install -r requirements.txt", false),
            ("pip download torch", false),
            ("echo pip install torch", false),
        ] {
            assert!(commands(script, &|_| None).iter().all(|command| concerns_torch(command) == expected), "{script}");
        }
    }
}
