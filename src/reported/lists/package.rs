//! What all lists have in common: what a package is, and what packages tell of the environment.

use std::str::FromStr;
use std::sync::LazyLock;

use pep440_rs::Version;
use pep508_rs::PackageName;
use regex::Regex;
use url::Url;

use crate::model::{Environment, Installation, Installed, Manager, Origin, Stated, TorchPlace, Variant, printable};

/// No name, version or build of a package is longer, in bytes.
const LONGEST: usize = 200;

/// A package, as a list writes it.
pub(super) struct Entry<'a> {
    pub(super) name: &'a str,
    pub(super) version: &'a str,
    pub(super) manager: Manager,
    pub(super) origin: Origin,
}

/// The package; `None` where its name or its version is none.
pub(super) fn package(entry: Entry<'_>) -> Option<Installed> {
    let Entry { name, version, manager, origin } = entry;
    let name = match manager {
        Manager::Pip => PackageName::new(name.to_owned()).ok().filter(|_| name.len() <= LONGEST)?.to_string(),
        _ => Some(name).filter(|name| is_word(name))?.to_owned(),
    };
    let is_known = version.is_empty() || (is_word(version) && version.contains(|c: char| c.is_ascii_alphanumeric()));
    let version = Some(version).filter(|_| is_known)?.to_owned();
    Some(Installed::new(name, version, manager, origin))
}

/// Whether it can be a name, a version or a build of conda's.
pub(super) fn is_word(word: &str) -> bool {
    !word.is_empty()
        && word.len() <= LONGEST
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-+!*".contains(&byte))
}

/// A URL or a folder without credentials: neither a user with a password, nor a token in the query or of conda's channels. The
/// user of an SSH URL is part of its address.
pub(super) fn without_credentials(source: &str) -> String {
    #[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
    static USER: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?i)([\w+.-]*://)[^/?#]*@").unwrap());
    #[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
    static TOKEN: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?i)(://[^/?#\s]+)/t/[\w-]+").unwrap());
    let source = printable(source);
    let (scheme, rest) = source.split_once('+').filter(|(vcs, _)| vcs.len() <= 4).unwrap_or(("", &source));
    let is_ssh = rest.starts_with("ssh://");
    let mut text = match Url::parse(rest) {
        Ok(mut url) if url.has_host() => {
            // They fail where the URL has no host, which it has.
            let _ = url.set_password(None);
            if !is_ssh {
                let _ = url.set_username("");
            }
            url.set_query(None);
            let clean = url.to_string();
            let slash = clean.ends_with('/') && !rest.ends_with('/');
            if slash { clean[..clean.len() - 1].to_owned() } else { clean }
        }
        _ => USER.replace_all(rest, "$1").into_owned(),
    };
    if scheme.is_empty() {
        text = TOKEN.replace_all(&text, "$1").into_owned();
    }
    if scheme.is_empty() { text } else { format!("{scheme}+{text}") }
}

/// What the packages of a list tell: torch, what it is built for and where it lies, and the interpreter of conda.
pub(super) fn conclude(environment: &mut Environment) {
    let conda = |name: &str, all: &[Installed]| {
        all.iter().find(|package| package.manager == Manager::Conda && package.name == name).cloned()
    };
    let python = conda("python", &environment.packages);
    if let Some(python) = &python {
        let version = Version::from_str(&python.version).ok();
        let stated = version.map(|version| Stated::new(version, python.origin.clone()));
        environment.python = environment.python.take().or(stated);
        let installation = Stated::new(Installation::Conda, python.origin.clone());
        environment.installation = environment.installation.take().or(Some(installation));
    }
    let torch = environment.packages.iter().find(|package| package.name == "torch");
    let Some(torch) = torch.cloned().or_else(|| conda("pytorch", &environment.packages)) else { return };
    if torch.manager == Manager::Conda || python.is_some() {
        environment.place = environment.place.take().or(Some(Stated::new(TorchPlace::Conda, torch.origin.clone())));
    }
    let Ok(version) = Version::from_str(&torch.version) else { return };
    let variant = variant(&torch, &version).map(|variant| Stated::new(variant, torch.origin.clone()));
    environment.variant = environment.variant.take().or(variant);
    environment.torch = environment.torch.take().or(Some(Stated::new(version, torch.origin)));
}

/// What torch is built for, as its local version or the build of its package of conda says.
fn variant(torch: &Installed, version: &Version) -> Option<Variant> {
    #[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
    static CUDA: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?:^|_)cuda(\d+)\.?(\d)(?:_|$|\.)").unwrap());
    if !version.local().is_empty() {
        return torch.version.split_once('+').and_then(|(_, local)| Variant::named(local));
    }
    let build = torch.build.as_deref()?;
    if let Some(cuda) = CUDA.captures(build) {
        return Some(Variant::Cuda { version: Some(format!("{}.{}", &cuda[1], &cuda[2])) });
    }
    let is_cpu = build.split('_').any(|word| word == "cpu");
    is_cpu.then_some(Variant::Cpu)
}
