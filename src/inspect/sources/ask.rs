//! What the imports of all sources together ask for.

use std::collections::{BTreeMap, BTreeSet};

use ruff_python_stdlib::sys::is_known_standard_library;

use super::super::draft::{Answer, Draft, requirement};
use super::super::pep508;
use super::super::text::shown;
use super::super::tree::Tree;
use super::imports::Imported;
use super::local::Local;
use super::place::{Place, place};
use super::scan::Scanned;
use super::script::{self, Versions};
use crate::catalogue::{Module, Packages};
use crate::model::{Import, Manifest, ManifestKind, Note, Origin, Requirement, RequirementRole, Source};

/// The minor versions of Python 3 whose standard libraries count: a module that one of them has needs no distribution in
/// an image that the project was made for.
const MINORS: std::ops::RangeInclusive<u8> = 7..=14;
/// How many folders that sources add to `sys.path` are searched.
const MOST_FOLDERS: usize = 64;
/// How many names one note lists.
const LISTED: usize = 40;

/// Why a module is not asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Left {
    /// Where it comes from is known, and no index has it.
    Elsewhere,
    /// Its absence is caught, and to ask for it may fail.
    Optional,
    Notebook,
    Test,
    Typing,
    Foreign,
    Python2,
    /// A tool writes it before the project runs.
    Generated,
    /// Projects have modules of this name, and this one has not.
    Missing,
    /// Its name is none of a distribution: an extension that the project builds.
    Private,
}

/// What becomes of a module.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    Distribution(String),
    /// A module without one.
    Module(String),
}

/// All imports of one distribution, or of one module that has none.
struct Group<'a> {
    module: String,
    known: bool,
    /// What it is, where no index has it.
    elsewhere: Option<&'a str>,
    /// Why no distribution can be asked for, whoever imports it.
    never: Option<Left>,
    imports: Vec<At<'a>>,
}

/// An import in its file.
#[derive(Clone, Copy)]
struct At<'a> {
    file: &'a str,
    place: Place,
    import: &'a Imported,
    /// Whether the import asks for this distribution besides the one that it is accounted for with.
    besides: bool,
}

impl At<'_> {
    fn origin(&self) -> Origin {
        Origin::file(self.file, self.import.line)
    }

    /// Why this import alone asks for nothing.
    fn left(&self) -> Option<Left> {
        match self.place {
            _ if self.import.foreign => Some(Left::Foreign),
            _ if self.import.typing => Some(Left::Typing),
            Place::Test => Some(Left::Test),
            Place::Notebook => Some(Left::Notebook),
            Place::Source => None,
        }
    }
}

impl Group<'_> {
    /// Whether every import that would ask stands where its failure is caught.
    fn is_optional(&self) -> bool {
        let mut asking = self.imports.iter().filter(|at| at.left().is_none()).peekable();
        asking.peek().is_some() && asking.all(|at| at.import.optional)
    }

    /// Why it is not asked for, if it is not.
    fn left(&self, packages: &Packages, target: &Target) -> Option<Left> {
        if let Some(least) = self.imports.iter().map(At::left).min().flatten() {
            return Some(least);
        }
        let is_risky = match target {
            Target::Distribution(name) => !self.known || packages.is_compiled(name),
            Target::Module(_) => false,
        };
        self.never.or((is_risky && self.is_optional()).then_some(Left::Optional))
    }

    /// The marker of the Pythons that import it, where all that ask stand behind the same test of the version.
    fn marker(&self) -> Option<String> {
        let mut asking = self.imports.iter().filter(|at| at.left().is_none());
        let bound = asking.next()?.import.python?;
        asking.all(|at| at.import.python == Some(bound)).then(|| bound.marker())
    }

    /// The first import that counts.
    fn first(&self) -> Option<&At<'_>> {
        self.imports.iter().find(|at| at.left().is_none()).or(self.imports.first())
    }
}

/// Asks for what the sources import.
pub(super) fn ask(draft: &mut Draft<'_>, tree: &Tree, scanned: &[(&str, Scanned)]) {
    let packages = draft.packages;
    let groups = groups(draft, tree, packages, scanned);
    let versions = script::versions(scanned.iter().filter_map(|(_, scanned)| scanned.script.as_ref()));
    let mut left: BTreeMap<Left, Vec<&Group<'_>>> = BTreeMap::new();
    let mut guessed = Vec::new();
    for (target, group) in &groups {
        let accounted = || group.imports.iter().filter(|at| !at.besides);
        for at in accounted() {
            draft.account(at.file, 1);
        }
        match (target, group.left(packages, target)) {
            (Target::Distribution(name), None) => {
                accounted().for_each(|at| draft.fact(at.file));
                if !group.known {
                    guessed.push(group);
                }
                take(draft, name, group, &versions);
            }
            (_, why) => {
                accounted().for_each(|at| draft.answered(at.file, Answer::Note));
                left.entry(why.unwrap_or(Left::Private)).or_default().push(group);
            }
        }
    }
    for (why, groups) in &left {
        note_left(draft, *why, groups);
    }
    if !guessed.is_empty() {
        note_guesses(draft, &guessed);
    }
    if !draft.project.sources.imports.is_empty() {
        draft.project.manifests.push(Manifest { path: ".".to_owned(), kind: ManifestKind::PythonSources });
        note_versions(draft, tree);
    }
}

/// The imports that are neither of the standard library nor of the project, by what brings them.
fn groups<'a>(
    draft: &Draft<'_>,
    tree: &Tree,
    packages: &'a Packages,
    scanned: &'a [(&'a str, Scanned)],
) -> BTreeMap<Target, Group<'a>> {
    let added = scanned.iter().flat_map(|(file, scanned)| scanned.folders.iter().map(move |to| (*file, to.as_str())));
    let mut local = Local::new(draft.folder, tree, added.take(MOST_FOLDERS));
    let mut groups: BTreeMap<Target, Group<'a>> = BTreeMap::new();
    for (file, scanned) in scanned {
        let place = place(file, scanned.imports.iter().map(|import| import.path.as_str()));
        for import in &scanned.imports {
            let first = import.path.split('.').next().unwrap_or_default();
            if MINORS.into_iter().any(|minor| is_known_standard_library(minor, first))
                || matches!(first, "__main__" | "__future__")
            {
                continue;
            }
            let module = packages.module(&import.path);
            if local.is_local(file, &import.path, !matches!(module, Module::Unknown | Module::Local)) {
                continue;
            }
            let (target, new) = group(first, module);
            groups.entry(target).or_insert(new).imports.push(At { file, place, import, besides: false });
            if let Some((module, distribution)) = packages.besides(&import.path) {
                let target = Target::Distribution(distribution.to_owned());
                let at = At { file, place, import, besides: true };
                groups.entry(target).or_insert_with(|| known(module)).imports.push(at);
            }
        }
    }
    only_notebooks(&mut groups);
    groups
}

fn group<'a>(first: &str, module: Module<'a>) -> (Target, Group<'a>) {
    let group = known;
    match module {
        Module::Of { module, distribution } => (Target::Distribution(distribution), group(module)),
        Module::Elsewhere { module, what } => {
            let group = Group { elsewhere: Some(what), never: Some(Left::Elsewhere), ..group(module) };
            (Target::Module(module.to_owned()), group)
        }
        Module::Python2 => (Target::Module(first.to_owned()), Group { never: Some(Left::Python2), ..group(first) }),
        Module::Local => (Target::Module(first.to_owned()), Group { never: Some(Left::Missing), ..group(first) }),
        // What protoc writes: https://protobuf.dev/reference/python/python-generated/#invocation.
        Module::Unknown if first.ends_with("_pb2") || first.ends_with("_pb2_grpc") => {
            (Target::Module(first.to_owned()), Group { never: Some(Left::Generated), ..group(first) })
        }
        // A private name is that of an extension which the project builds.
        Module::Unknown => match pep508::parse_name(first).filter(|_| !first.starts_with('_')) {
            Some((name, _)) => (Target::Distribution(name), Group { known: false, ..group(first) }),
            None => (Target::Module(first.to_owned()), Group { never: Some(Left::Private), ..group(first) }),
        },
    }
}

fn known<'a>(module: &str) -> Group<'a> {
    Group { module: module.to_owned(), known: true, elsewhere: None, never: None, imports: Vec::new() }
}

/// Where nothing but notebooks imports anything, these are the project.
fn only_notebooks(groups: &mut BTreeMap<Target, Group<'_>>) {
    let imports = || groups.values().flat_map(|group| &group.imports);
    if imports().any(|at| at.place == Place::Source) {
        return;
    }
    for at in groups.values_mut().flat_map(|group| &mut group.imports).filter(|at| at.place == Place::Notebook) {
        at.place = Place::Source;
    }
}

fn take(draft: &mut Draft<'_>, name: &str, group: &Group<'_>, versions: &Versions) {
    let Some(origin) = group.first().map(At::origin) else { return };
    let specifiers = versions.get(name).cloned().unwrap_or_default();
    let marker = group.marker();
    let condition = marker.as_ref().map(|marker| format!(" ; {marker}")).unwrap_or_default();
    let text = format!("{name}{specifiers}{condition}");
    let mut asked = requirement(&text, Source::Index { specifiers }, RequirementRole::Requirement, origin.clone());
    asked.name = Some(name.to_owned());
    asked.marker = marker;
    draft.project.requirements.push(asked);
    draft.project.sources.imports.push(Import {
        module: group.module.clone(),
        distribution: name.to_owned(),
        known: group.known,
        optional: group.is_optional(),
        origin,
    });
}

/// Says why modules are not asked for.
fn note_left(draft: &mut Draft<'_>, why: Left, groups: &[&Group<'_>]) {
    let Some(origin) = groups.first().and_then(|group| group.first()).map(At::origin) else { return };
    let names = listed(groups.iter().map(|group| group.module.as_str()));
    let one = groups.len() == 1;
    let are = |one_is: &'static str, many_are: &'static str| if one { one_is } else { many_are };
    let message = match why {
        Left::Elsewhere => return groups.iter().for_each(|group| note_elsewhere(draft, group)),
        Left::Optional => {
            format!("{names} may be absent, as the sources say, and may be hard to install: not asked for")
        }
        Left::Notebook => format!("only notebooks import {names}: not asked for"),
        Left::Test => format!("only tests, documentation and packaging import {names}: not asked for"),
        Left::Typing => format!("only type checkers follow the imports of {names}: not asked for"),
        Left::Foreign => format!("only other platforms than Linux import {names}: not asked for"),
        Left::Python2 => {
            format!("{names} {} of Python 2, which Python 3 does not have", are("is a module", "are modules"))
        }
        Left::Generated => {
            format!(
                "{names} {} from a `.proto` file and not there: not asked for",
                are("is generated", "are generated")
            )
        }
        Left::Missing => {
            let they = are(
                "is a name that projects give to a module of their own",
                "are names that projects give to \
                modules of their own",
            );
            format!("{names} {they}, and this one has none of that name: not asked for")
        }
        Left::Private => {
            let what = are("is no name of a distribution", "are no names of distributions");
            let them = are("it", "them");
            format!("{names} {what}: the project has to build {them} itself")
        }
    };
    let note = match why {
        Left::Python2 | Left::Private => Note::info(message, origin),
        Left::Generated => Note::info(message, origin).with_hint("run `protoc` before the image is built"),
        Left::Missing => Note::warning(message, origin)
            .with_hint("add what is missing, or list the distribution that is meant in a `requirements.txt`"),
        _ => Note::info(message, origin).with_hint("list what the image needs of them in a `requirements.txt`"),
    };
    draft.note(note);
}

fn note_elsewhere(draft: &mut Draft<'_>, group: &Group<'_>) {
    let (Some(at), Some(what)) = (group.first(), group.elsewhere) else { return };
    let message = format!("`{}` is imported and not asked for: {what}", shown(&group.module));
    let note = if group.is_optional() { Note::info(message, at.origin()) } else { Note::warning(message, at.origin()) };
    draft.note(note);
}

/// A name that is only guessed may be a stranger's.
fn note_guesses(draft: &mut Draft<'_>, guessed: &[&Group<'_>]) {
    let Some(origin) = guessed.first().and_then(|group| group.first()).map(At::origin) else { return };
    let names = listed(guessed.iter().map(|group| group.module.as_str()));
    let those = if guessed.len() == 1 { "the one of the same name is" } else { "those of the same names are" };
    let message = format!("which distributions bring {names} is not known: {those} asked for");
    let hint = "check that they are the ones that are meant, and list them in a `requirements.txt`";
    draft.note(Note::warning(message, origin).with_hint(hint));
}

fn note_versions(draft: &mut Draft<'_>, tree: &Tree) {
    let imports = &draft.project.sources.imports;
    let Some(first) = imports.first() else { return };
    let any = |asked: &&Requirement| matches!(&asked.source, Source::Index { specifiers } if specifiers.is_empty());
    let open = draft.project.requirements.iter().filter(any).count();
    let asked = match imports.len() {
        1 => "1 is asked for, since the sources import it".to_owned(),
        many => format!("{many} are asked for, since the sources import them"),
    };
    let versions = match (imports.len(), open) {
        (_, 0) => String::new(),
        (1, _) => ", in a version that nothing pins".to_owned(),
        (all, open) if all == open => ", in versions that nothing pins".to_owned(),
        (_, open) => format!(", {open} of them in versions that nothing pins"),
    };
    let message = format!("no file says which distributions the project needs: {asked}{versions}");
    let lines = listed(imports.iter().map(|import| import.distribution.as_str()));
    let beneath =
        tree.files_beneath().map(|files| format!("`--from FILE` reads one of {files}; or ")).unwrap_or_default();
    let note = Note::warning(message, first.origin.clone())
        .with_hint(format!("{beneath}write a `requirements.txt` with a line for each, and its version: {lines}"));
    draft.note(note);
}

/// Names for a message, each in backticks, the first of many.
fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: BTreeSet<&str> = names.collect();
    let mut listed: Vec<String> = names.iter().take(LISTED).map(|name| format!("`{}`", shown(name))).collect();
    if names.len() > LISTED {
        listed.push(format!("and {} more", names.len() - LISTED));
    }
    listed.join(", ")
}
