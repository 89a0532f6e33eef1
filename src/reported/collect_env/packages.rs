//! `Versions of relevant libraries:`, and the packages that other lines tell of.

use std::collections::BTreeSet;

use pep440_rs::Version;
use pep508_rs::PackageName;

use super::gather::Text;
use super::keys::Key;
use super::{Telling, is_nothing};
use crate::model::{Installation, Installed, Manager, Stated, TorchPlace};

/// What conda writes for a build or a channel where pip installed.
const PIP: [&str; 3] = ["pypi", "<pip>", "<develop>"];

pub(super) fn tell(telling: &mut Telling<'_>) {
    let gathered = telling.gathered;
    let listed =
        gathered.packages.iter().filter_map(|(manager, text)| Some((*manager, package(telling, *manager, text)?)));
    let listed: Vec<(Manager, Installed)> = listed.collect();
    place(telling, &listed);
    let listed = listed.into_iter().map(|(_, package)| package);
    let all: Vec<Installed> = vllm(telling).into_iter().chain(listed).chain(drivers(telling)).collect();
    // conda lists what pip installed, too.
    let mut seen: BTreeSet<(String, String, Manager)> = BTreeSet::new();
    let mut is_new = |of: &Installed| seen.insert((of.name.clone(), of.version.clone(), of.manager));
    telling.section.environment.packages = all.into_iter().filter(|package| is_new(package)).collect();
}

/// `name==version` and its older forms `name (version)` and `name version`; of conda, `name version build channel`.
fn package(telling: &Telling<'_>, manager: Manager, text: &Text) -> Option<Installed> {
    if is_nothing(&text.text) {
        return None;
    }
    let equal = text.text.split_once("===").or_else(|| text.text.split_once("=="));
    let mut words = match equal {
        Some((name, rest)) => [name].into_iter().chain(rest.split_whitespace()).collect::<Vec<_>>(),
        None => text.text.split_whitespace().collect(),
    }
    .into_iter();
    let name = words.next()?.trim();
    let version = words.next()?.trim_matches(['(', ')', ',']);
    if !is_name(name) || !version.starts_with(|c: char| c.is_ascii_digit() || c == 'v') {
        return None;
    }
    let (build, channel) = match manager {
        Manager::Conda => (words.next().map(str::to_owned), words.next().map(str::to_owned)),
        _ => (None, None),
    };
    let pip = [&build, &channel].into_iter().flatten().any(|word| PIP.contains(&word.as_str()));
    let by_pip = manager == Manager::Pip || pip;
    let (manager, name) = if by_pip { (Manager::Pip, normalized(name)) } else { (manager, name.to_owned()) };
    let (build, channel) = if by_pip { (None, None) } else { (build, channel) };
    Some(Installed { build, channel, ..Installed::new(name, version, manager, telling.origin(text.line)) })
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

fn normalized(name: &str) -> String {
    PackageName::new(name.to_owned()).map_or_else(|_| name.to_owned(), |name| name.to_string())
}

/// vLLM: `0.8.5.post1`, `0.5.4@4db5176d97`, `0.9.0 (git sha: 1a2b3c4)`, `N/A (dev)`.
fn vllm(telling: &Telling<'_>) -> Option<Installed> {
    let text = telling.gathered.stated(Key::Vllm)?;
    let version = text.text.split(['@', ' ', '(']).next().filter(|version| version.parse::<Version>().is_ok())?;
    Some(plain("vllm", version, Manager::Pip, telling, text))
}

/// Intel's drivers, which are packages of the system: `* libze1: 1.24.0.0-1146~24.04`.
fn drivers(telling: &Telling<'_>) -> Vec<Installed> {
    let texts = telling.gathered.texts(Key::IntelDriver).iter();
    let parts = texts.flat_map(|text| text.text.split("* ").map(move |part| (part.trim(), text)));
    let drivers = parts.filter_map(|(part, text)| {
        let (name, version) = part.split_once(':')?;
        let version = version.split_whitespace().next()?;
        is_name(name).then(|| plain(name, version, Manager::System, telling, text))
    });
    drivers.collect()
}

fn plain(name: &str, version: &str, manager: Manager, telling: &Telling<'_>, text: &Text) -> Installed {
    Installed::new(name, version, manager, telling.origin(text.line))
}

/// Where torch lies, and with it how Python was installed: the environment of conda that lists the very torch which the
/// report was made with. Another torch there tells that the report was made outside of it.
fn place(telling: &mut Telling<'_>, listed: &[(Manager, Installed)]) {
    let environment = &mut telling.section.environment;
    let is_torch = |(by, package): &&(Manager, Installed)| {
        let named = matches!(package.name.as_str(), "torch" | "pytorch" | "pytorch-gpu" | "pytorch-cpu");
        let same = || environment.torch.as_ref().is_none_or(|torch| is_same(&torch.value, &package.version));
        *by == Manager::Conda && named && same()
    };
    let Some((_, torch)) = listed.iter().find(is_torch) else { return };
    let origin = torch.origin.clone();
    environment.place = Some(Stated::new(TorchPlace::Conda, origin.clone()));
    environment.installation.get_or_insert(Stated::new(Installation::Conda, origin));
}

/// Whether two versions are the same release: conda writes none of the tags.
fn is_same(torch: &Version, listed: &str) -> bool {
    let Ok(listed) = listed.parse::<Version>() else { return false };
    let plain = |version: &Version| version.clone().without_local();
    plain(torch) == plain(&listed)
}
