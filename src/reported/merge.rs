//! Makes one environment of what the parts say.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use pep440_rs::Version;

use super::Section;
use crate::model::{Environment, Installed, Manager, Note, Origin, Stated};

/// Fills what `section` does not say from `other`. Of two versions the more exact counts; where they contradict each other, the
/// one that stands in `section`, and a note tells.
pub(super) fn merge(section: &mut Section, other: Section) {
    let Section { environment, notes } = section;
    let Section { environment: mut more, notes: others } = other;
    notes.extend(others);
    version("torch", &mut environment.torch, more.torch.take(), notes);
    version("Python", &mut environment.python, more.python.take(), notes);
    packages(environment, std::mem::take(&mut more.packages), notes);
    fill(environment, more);
}

/// Fills what is missing.
fn fill(environment: &mut Environment, mut more: Environment) {
    macro_rules! fill {
        ($($fact:ident)*) => { $(environment.$fact = environment.$fact.take().or(more.$fact.take());)* };
    }
    fill!(system architecture kernel libc python_build installation place variant debug gpu_available);
    fill!(cuda_runtime cudnn hip_runtime miopen driver gcc clang cmake cpu cpus isa);
    if environment.gpus.is_empty() {
        environment.gpus = more.gpus;
    }
    let known: BTreeSet<String> = environment.variables.iter().map(|variable| variable.name.clone()).collect();
    environment.variables.extend(more.variables.into_iter().filter(|variable| !known.contains(&variable.name)));
    for (need, state) in more.needs {
        environment.needs.entry(need).or_insert(state);
    }
}

fn version(what: &str, known: &mut Option<Stated<Version>>, other: Option<Stated<Version>>, notes: &mut Vec<Note>) {
    let Some(other) = other else { return };
    let Some(stated) = known else { return *known = Some(other) };
    match better(&stated.value.to_string(), &other.value.to_string()) {
        Some(true) => *stated = other,
        Some(false) => {}
        None => notes.push(contradiction(what, (&stated.value, &stated.origin), (&other.value, &other.origin))),
    }
}

/// Whether `other` says more than `known`; `None` where they contradict each other.
fn better(known: &str, other: &str) -> Option<bool> {
    let extends = |long: &str, short: &str| {
        long.strip_prefix(short).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '+']))
    };
    match () {
        () if known == other || extends(known, other) || other.is_empty() => Some(false),
        () if extends(other, known) || known.is_empty() => Some(true),
        () => (Version::from_str(known).ok()? == Version::from_str(other).ok()?).then_some(false),
    }
}

fn packages(environment: &mut Environment, more: Vec<Installed>, notes: &mut Vec<Note>) {
    let all = &mut environment.packages;
    let mut places: BTreeMap<(String, Manager), usize> = BTreeMap::new();
    for (index, package) in all.iter().enumerate() {
        places.entry((package.name.clone(), package.manager)).or_insert(index);
    }
    for package in more {
        let Some(index) = places.get(&(package.name.clone(), package.manager)) else {
            places.insert((package.name.clone(), package.manager), all.len());
            all.push(package);
            continue;
        };
        let known = &mut all[*index];
        match better(&known.version, &package.version) {
            None => {
                let (first, second) = ((&known.version, &known.origin), (&package.version, &package.origin));
                // Of torch and the interpreter, their versions tell.
                if package.name != "torch" && !(package.name == "python" && package.manager == Manager::Conda) {
                    notes.push(contradiction(&format!("`{}`", package.name), first, second));
                }
            }
            Some(says_more) => {
                if says_more {
                    known.version.clone_from(&package.version);
                    known.origin = package.origin;
                }
                known.build = known.build.take().or(package.build);
                known.channel = known.channel.take().or(package.channel);
                known.source = known.source.take().or(package.source);
                known.hash = known.hash.take().or(package.hash);
            }
        }
    }
}

fn contradiction<T: std::fmt::Display>(what: &str, first: (&T, &Origin), second: (&T, &Origin)) -> Note {
    let message = format!("{what} is `{}` here and `{}` at {}: the first counts", first.0, second.0, second.1);
    Note::warning(message, first.1.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_versions_the_more_exact_counts() {
        for (known, other, expected) in [
            ("2.6.0", "2.6.0+cu124", Some(true)),
            ("2.6.0+cu124", "2.6.0", Some(false)),
            ("3.12", "3.12.3", Some(true)),
            ("3.1", "3.12", None),
            ("2.6", "2.6.0", Some(true)),
            ("1.0rc1", "1.0.rc1", Some(false)),
            ("2.6.0+cpu", "2.6.0+cu124", None),
            ("", "1", Some(true)),
        ] {
            assert_eq!(better(known, other), expected, "{known} {other}");
        }
    }
}
