//! `Pipfile.lock`. <https://pipenv.pypa.io/en/latest/pipfile.html#pipfile-lock>

use std::str::FromStr;

use jsonc_parser::ast::ObjectProp;
use pep440_rs::{Version, VersionSpecifiers};

use super::super::draft::Draft;
use super::super::json_file::{Dialect, JsonFile, Value, as_str, elements, get};
use super::super::pep508::{self, parse_name};
use super::super::pipfile::{MARKERS, REPOSITORIES, group_name, required_python};
use super::super::problems::Problems;
use super::super::tabled::{at_path, conjunction, is_remote, repository_url};
use super::super::text::shown;
use super::super::url::{check, repository, without_credentials};
use super::LockFormat;
use crate::model::{Error, Lock, LockedPackage, ManifestKind, Note, Origin, Result, Source};

/// The version of the format that Pipenv writes since 2018.
const KNOWN: &str = "6";

/// The format.
pub(super) const FORMAT: LockFormat = LockFormat {
    kind: ManifestKind::PipfileLock,
    file: "Pipfile.lock",
    of: &[ManifestKind::Pipfile],
    refresh: "`pipenv lock` brings it up to date",
    recognizes: |name| name == "Pipfile.lock",
    read,
};

fn read(draft: &mut Draft<'_>, file: &str) -> Result<Option<Lock>> {
    let text = draft.folder.read_utf8(file)?;
    let json = JsonFile::parse(file, &text, Dialect::Json)?;
    let format = format(draft, &json);
    requires(draft, &json)?;
    let sources = sources(draft, &json);
    let mut reader = Reader { draft, json: &json, sources, packages: Vec::new() };
    let mut problems = Problems::default();
    for category in json.root()?.properties.iter().filter(|category| category.name.as_str() != "_meta") {
        problems.note(reader.category(category));
    }
    let packages = reader.packages;
    problems.finish()?;
    Ok(Some(Lock { path: file.to_owned(), kind: ManifestKind::PipfileLock, format, packages }))
}

fn format(draft: &mut Draft<'_>, json: &JsonFile<'_>) -> Option<String> {
    let value = json.get(&["_meta", "pipfile-spec"])?;
    let format = as_str(value).or_else(|| value.as_number_lit().map(|number| number.value))?;
    if format != KNOWN {
        let message = format!("the version `{}` of the format is not known; it is read as `{KNOWN}`", shown(format));
        draft.note(Note::warning(message, json.origin(value)));
    }
    Some(format.to_owned())
}

fn requires(draft: &mut Draft<'_>, json: &JsonFile<'_>) -> Result<()> {
    for key in ["python_version", "python_full_version"] {
        let Some(value) = json.get(&["_meta", "requires", key]) else { continue };
        let (text, origin) = (json.string(value, key)?, json.origin(value));
        required_python(draft, json.file, text, origin);
    }
    Ok(())
}

/// The indexes by name, without credentials.
fn sources(draft: &mut Draft<'_>, json: &JsonFile<'_>) -> Vec<(String, String)> {
    let mut sources = Vec::new();
    for source in json.get(&["_meta", "sources"]).map(elements).unwrap_or_default() {
        let (Some(name), Some(url)) = (get(source, "name").and_then(as_str), get(source, "url").and_then(as_str))
        else {
            continue;
        };
        let stripped = without_credentials(url);
        if stripped.literal {
            draft.warn_of_credential(&json.origin(source));
        }
        sources.push((name.to_owned(), stripped.text));
    }
    sources
}

struct Reader<'d, 'f, 't> {
    draft: &'d mut Draft<'f>,
    json: &'d JsonFile<'t>,
    sources: Vec<(String, String)>,
    packages: Vec<LockedPackage>,
}

impl Reader<'_, '_, '_> {
    fn category(&mut self, category: &ObjectProp<'_>) -> Result<()> {
        let name = category.name.as_str();
        let groups = match name {
            "default" => Vec::new(),
            "develop" => vec!["dev".to_owned()],
            other => vec![group_name(other).map_err(|error| error.at(self.json.origin(category)))?],
        };
        let entries = self.json.entries(&category.value, name)?;
        self.draft.account(self.json.file, entries.len());
        let mut problems = Problems::default();
        for entry in entries {
            let origin = self.json.origin(entry);
            problems.note(self.entry(entry, &groups, &origin).map_err(|error| error.or_at(&origin)));
        }
        problems.finish()
    }

    fn entry(&mut self, entry: &ObjectProp<'_>, groups: &[String], origin: &Origin) -> Result<()> {
        let (name, value) = (entry.name.as_str(), &entry.value);
        self.json.entries(value, name)?;
        let Some((name, _)) = parse_name(name).filter(|(_, extras)| extras.is_empty()) else {
            return Err(Error::usage(format!("`{}` is not a name for a package", shown(name))));
        };
        match self.package(&name, value, groups, origin) {
            Ok(package) => {
                self.packages.push(package);
                self.draft.fact(self.json.file);
            }
            Err(error) => {
                let message = format!("`{name}` is left out: {}", error.message);
                let note = Note::warning(message, origin.clone());
                self.draft.noted(self.json.file, error.hint.into_iter().fold(note, Note::with_hint));
            }
        }
        Ok(())
    }

    fn package(&mut self, name: &str, value: &Value<'_>, groups: &[String], origin: &Origin) -> Result<LockedPackage> {
        let version = get(value, "version").and_then(as_str).map(version).transpose()?;
        let source = match self.place(value, origin)? {
            Some(source) => source,
            None if version.is_none() => return Err(Error::usage("it has neither a version nor a place to come from")),
            None => Source::Index { specifiers: version.clone().map(exactly).unwrap_or_default() },
        };
        let index = get(value, "index").and_then(as_str).and_then(|index| self.index(index, origin));
        Ok(LockedPackage {
            name: name.to_owned(),
            version,
            source,
            index,
            marker: marker(value)?,
            extras: Vec::new(),
            groups: groups.to_vec(),
            hashes: get(value, "hashes").map_or(0, |hashes| elements(hashes).len()),
            origin: origin.clone(),
        })
    }

    /// Where a package comes from, where that is no index.
    fn place(&mut self, value: &Value<'_>, origin: &Origin) -> Result<Option<Source>> {
        let text = |key| get(value, key).and_then(as_str);
        for vcs in REPOSITORIES {
            let Some(address) = text(vcs) else { continue };
            let mut url = repository_url(vcs, &self.open(address, origin))?;
            for (sign, part) in [("@", text("ref")), ("#subdirectory=", text("subdirectory"))] {
                url.extend(part.map(|part| format!("{sign}{part}")));
            }
            return repository(&url).map(Some);
        }
        let Some(place) = ["path", "file", "url", "uri"].into_iter().find_map(text) else { return Ok(None) };
        if is_remote(place) {
            let url = self.open(place, origin);
            check(&url)?;
            return Ok(Some(Source::Url { url }));
        }
        at_path(self.draft, self.json.file, place).map(|found| Some(found.source))
    }

    /// An address without its credentials, of which it warns.
    fn open(&mut self, address: &str, origin: &Origin) -> String {
        let stripped = without_credentials(address.trim());
        if stripped.literal {
            self.draft.warn_of_credential(origin);
        }
        stripped.text
    }

    /// The URL of the index that a package names, by name or URL.
    fn index(&mut self, index: &str, origin: &Origin) -> Option<String> {
        let index = without_credentials(index).text;
        let found = self.sources.iter().find(|(name, url)| *name == index || *url == index);
        if found.is_none() {
            let message = format!("the index `{}` is not among the sources of the lock", shown(&index));
            self.draft.note(Note::warning(message, origin.clone()));
        }
        found.map(|(_, url)| url.clone())
    }
}

fn version(text: &str) -> Result<Version> {
    let plain = text.trim().trim_start_matches('=').trim_start();
    Version::from_str(plain).map_err(|_| Error::usage(format!("`{}` is not a version", shown(text))))
}

fn exactly(version: Version) -> VersionSpecifiers {
    pep440_rs::VersionSpecifier::equals_version(version).into()
}

/// The marker, put together from `markers` and the keys that are markers by themselves.
fn marker(value: &Value<'_>) -> Result<Option<String>> {
    let mut markers: Vec<String> = get(value, "markers").and_then(as_str).map(str::to_owned).into_iter().collect();
    for key in MARKERS {
        markers.extend(get(value, key).and_then(as_str).map(|condition| format!("{key} {condition}")));
    }
    let Some(marker) = conjunction(&markers) else { return Ok(None) };
    pep508::parse(&format!("a ; {marker}"))
        .map_err(|_| Error::usage(format!("`{}` is not a marker", shown(&marker))))?;
    Ok(Some(marker))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::testing::drafted;
    use super::*;
    use crate::model::Project;

    fn lock(text: &str) -> Result<(Lock, Project)> {
        drafted(&[(FORMAT.file, text)], |draft| Ok(read(draft, FORMAT.file)?.unwrap()))
    }

    const WHOLE: &str = r#"{
    "_meta": {
        "hash": {"sha256": "00"},
        "pipfile-spec": 6,
        "requires": {"python_version": "3.8.12"},
        "sources": [
            {"name": "pypi", "url": "https://me:secret@pypi.example.org/simple", "verify_ssl": true},
            {"name": "torch", "url": "https://download.example.org/whl/cu113/"}
        ]
    },
    "default": {
        "torch": {
            "hashes": ["sha256:00", "sha256:11"],
            "index": "torch",
            "version": "==1.11.0+cu113"
        },
        "Torch_Scatter": {
            "file": "https://data.example.org/torch_scatter-2.0.9-cp38-cp38-linux_x86_64.whl"
        },
        "colorama": {
            "markers": "python_version >= '3.6' or os_name == 'nt'",
            "sys_platform": "== 'win32'",
            "version": "==0.4.4"
        },
        "lib": {
            "git": "git@git.example.org:a/lib.git",
            "ref": "abc"
        },
        "gone": {"editable": true, "path": "./gone"},
        "odd": {"version": "==latest"}
    },
    "develop": {"black": {"version": "==22.3.0", "index": "nowhere"}},
    "docs": {"sphinx": {"version": "==5"}}
}
"#;

    #[test]
    fn a_whole_lock() {
        let (lock, project) = lock(WHOLE).unwrap();
        assert_eq!(lock.format.as_deref(), Some("6"));
        let said = |package: &LockedPackage| {
            let Origin::File { line, .. } = &package.origin else { return String::new() };
            let version = package.version.as_ref().map(|v| format!("=={v}")).unwrap_or_default();
            let marker = package.marker.as_ref().map(|m| format!(" ; {m}")).unwrap_or_default();
            format!("{line} {}{version}{marker} {:?} {}", package.name, package.groups, package.hashes)
        };
        let packages: Vec<String> = lock.packages.iter().map(said).collect();
        let expected = [
            "12 torch==1.11.0+cu113 [] 2",
            "17 torch-scatter [] 0",
            "20 colorama==0.4.4 ; (python_version >= '3.6' or os_name == 'nt') and sys_platform == 'win32' [] 0",
            "25 lib [] 0",
            "32 black==22.3.0 [\"dev\"] 0",
            "33 sphinx==5 [\"docs\"] 0",
        ];
        assert_eq!(packages, expected);
        assert_eq!(lock.packages[0].index.as_deref(), Some("https://download.example.org/whl/cu113/"));
        assert!(matches!(&lock.packages[1].source, Source::Url { url } if url.starts_with("https://data.")));
        let Source::Vcs { url, reference, .. } = &lock.packages[3].source else { panic!("{:?}", lock.packages[3]) };
        assert_eq!((url.as_str(), reference.as_deref()), ("ssh://git@git.example.org/a/lib.git", Some("abc")));
        assert_eq!(project.python[0].specifiers.to_string(), "==3.8.*");
        assert_eq!((project.read[0].entries, project.read[0].noted), (9, 2));
        let notes: Vec<&str> = project.notes.iter().map(|note| note.message.as_str()).collect();
        for part in ["`gone` is left out", "`odd` is left out", "`nowhere`", "in the open"] {
            assert!(notes.iter().any(|note| note.contains(part)), "{part}: {notes:?}");
        }
        assert!(!format!("{lock:?}{notes:?}").contains("secret"));
    }

    #[test]
    fn a_broken_lock_is_an_error_with_its_line() {
        for (text, line) in [
            ("{\n  \"default\": {\n", 2),
            ("[]", 1),
            ("", 1),
            ("{\"default\": []}", 1),
            ("{\n\"default\": {\n\"a\": 1}}", 3),
            ("{\n\"default\": {\n\"a b\": {}}}", 3),
        ] {
            let error = lock(text).map(|_| ()).unwrap_err();
            assert_eq!(error.origin, Some(Origin::file(FORMAT.file, line)), "{text}: {error}");
        }
    }

    #[test]
    fn another_version_of_the_format_is_read_with_a_warning() {
        let text = r#"{"_meta": {"pipfile-spec": 7}, "default": {"a": {"version": "==1"}}}"#;
        let (lock, project) = lock(text).unwrap();
        assert_eq!((lock.format.as_deref(), lock.packages.len()), (Some("7"), 1));
        assert!(project.notes[0].message.contains("`7`"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_package_ends_the_reader(
            name in "[a-z._ -]{1,5}",
            key in "(version|markers|git|path|file|index|hashes|sys_platform)",
            value in r#"("[ -!#-\[\]-~é]{0,12}"|\[\]|1|null|\{\})"#,
        ) {
            let _ = lock(&format!("{{\"default\": {{\"{name}\": {{\"{key}\": {value}}}}}}}"));
        }
    }
}
