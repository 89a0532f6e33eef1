//! `devcontainer.json`: hints, which nothing follows blindly, and which stop nothing where they cannot be read.
//! <https://containers.dev/implementors/json_reference/>

use std::str::FromStr;

use jsonc_parser::ast::ObjectProp;
use pep440_rs::VersionSpecifiers;

use super::containers::without_userinfo;
use super::draft::Draft;
use super::folder::{leads_out, parent};
use super::image_variant;
use super::json_file::{Dialect, JsonFile, Value, as_str, elements, get};
use super::text::shown;
use crate::model::{BaseHint, Note, Origin, PythonConstraint, Result, Strength, SystemHint};

/// Where the file stands, besides in a folder of its own beneath `.devcontainer`.
const FILES: [&str; 2] = [".devcontainer/devcontainer.json", ".devcontainer.json"];

/// More configurations of one project mean nothing.
const MOST_FILES: usize = 20;

/// Commands that run in the container, and may install anything.
const COMMANDS: [&str; 5] =
    ["onCreateCommand", "updateContentCommand", "postCreateCommand", "postStartCommand", "postAttachCommand"];

/// Takes up what the files tell.
#[expect(clippy::unnecessary_wraps, reason = "as the other facts")]
pub(super) fn facts(draft: &mut Draft<'_>) -> Result<()> {
    for file in files(draft) {
        if let Err(error) = read(draft, &file) {
            let origin = error.origin.clone().unwrap_or_else(|| Origin::file(&file, 1));
            draft.note(Note::warning(format!("`{}` is passed over: {}", shown(&file), error.message), origin));
        }
    }
    Ok(())
}

fn files(draft: &Draft<'_>) -> Vec<String> {
    let folders = draft.folder.list(".devcontainer").into_iter();
    let nested = folders.map(|folder| format!(".devcontainer/{folder}/devcontainer.json"));
    let all = FILES.iter().map(|file| (*file).to_owned()).chain(nested);
    all.filter(|file| draft.folder.has(file)).take(MOST_FILES).collect()
}

fn read(draft: &mut Draft<'_>, file: &str) -> Result<()> {
    draft.folder.locate(".", file)?;
    let text = draft.folder.read_utf8(file)?;
    let json = JsonFile::parse(file, &text, Dialect::WithComments)?;
    json.root()?;
    // Understood before any of it is taken up: a file counts as a whole.
    let told: Vec<Told> = [image, build, features, needs, commands].iter().flat_map(|reader| reader(&json)).collect();
    draft.account(file, told.len());
    for told in told {
        let note = match told {
            Told::Image(hint, secret) => {
                if secret {
                    draft.warn_of_credential(&hint.origin);
                }
                if let Some(specifiers) = image_variant::python(&hint.image) {
                    python(draft, specifiers, hint.origin.clone());
                }
                draft.project.bases.push(hint);
                None
            }
            Told::Python(specifiers, origin) => {
                python(draft, specifiers, origin);
                None
            }
            Told::System(hints) => {
                draft.project.system.extend(hints);
                None
            }
            Told::Note(note) => Some(note),
        };
        match note {
            Some(note) => draft.noted(file, note),
            None => draft.fact(file),
        }
    }
    Ok(())
}

fn python(draft: &mut Draft<'_>, specifiers: VersionSpecifiers, origin: Origin) {
    draft.project.python.push(PythonConstraint { specifiers, strength: Strength::Hint, origin });
}

/// What one entry tells.
enum Told {
    /// An image, and whether a password stood before its registry.
    Image(BaseHint, bool),
    Python(VersionSpecifiers, Origin),
    System(Vec<SystemHint>),
    Note(Note),
}

fn image(json: &JsonFile<'_>) -> Vec<Told> {
    let Some(value) = json.get(&["image"]) else { return Vec::new() };
    let origin = json.origin(value);
    let Some(image) = as_str(value).map(str::trim).filter(|image| is_reference(image)) else {
        return vec![Told::Note(Note::warning("`image` is no reference of an image, and is not followed", origin))];
    };
    let (image, secret) = without_userinfo(image);
    let variant = image_variant::variant(&image);
    vec![Told::Image(BaseHint { image: image.into_owned(), variant, origin }, secret)]
}

/// Whether text holds only what a reference does, or a variable of the format.
fn is_reference(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_./:@${}".contains(c);
    !text.is_empty() && text.len() <= 512 && text.chars().all(allowed)
}

/// The Dockerfile or Compose file that it is built from; both had older names.
fn build(json: &JsonFile<'_>) -> Vec<Told> {
    let dockerfiles = [&["build", "dockerfile"][..], &["build", "dockerFile"], &["dockerFile"]];
    let dockerfile = dockerfiles.iter().find_map(|path| json.get(path)).map(|value| {
        let file = as_str(value).unwrap_or_default();
        let place = beside(json.file, file);
        if leads_out(parent(json.file), file) {
            let message = format!("the devcontainer is built from `{place}`, which leads out of the project folder");
            return Note::warning(message, json.origin(value));
        }
        Note::info(format!("the devcontainer is built from the Dockerfile `{place}`"), json.origin(value))
    });
    let compose = json.get(&["dockerComposeFile"]).map(|value| {
        let first = as_str(value).or_else(|| elements(value).first().and_then(as_str)).unwrap_or_default();
        let message =
            format!("the devcontainer comes from the Compose file `{}`, which is not read", beside(json.file, first));
        Note::info(message, json.origin(value))
    });
    dockerfile.into_iter().chain(compose).map(Told::Note).collect()
}

/// A path that stands in `file`, for a person to find.
fn beside(file: &str, path: &str) -> String {
    shown(&format!("{}/{path}", parent(file)))
}

/// Features are scripts that install something, with options
/// (<https://containers.dev/implementors/features/#devcontainer-json-properties>).
fn features(json: &JsonFile<'_>) -> Vec<Told> {
    let Some(value) = json.get(&["features"]) else { return Vec::new() };
    match json.entries(value, "features") {
        Ok(entries) => entries.iter().map(|entry| feature(json, entry)).collect(),
        Err(error) => vec![Told::Note(Note::warning(error.message, json.origin(value)))],
    }
}

fn feature(json: &JsonFile<'_>, entry: &ObjectProp<'_>) -> Told {
    let written = entry.name.as_str();
    let origin = json.origin(entry);
    let address = written.split('@').next().unwrap_or_default();
    let last = address.rsplit('/').next().unwrap_or_default();
    let name = last.split(':').next().unwrap_or_default().to_ascii_lowercase();
    match name.as_str() {
        "python" => {
            let version = as_str(&entry.value).or_else(|| get(&entry.value, "version").and_then(as_str));
            let version = version.unwrap_or("latest");
            let unknown = || {
                let message =
                    format!("the devcontainer takes Python `{}`, which names no minor version", shown(version));
                Told::Note(Note::info(message, origin.clone()))
            };
            minor(version).map_or_else(unknown, |specifiers| Told::Python(specifiers, origin.clone()))
        }
        "apt-packages" | "apt-get-packages" | "apt" => system(&entry.value, &origin).unwrap_or_else(|| {
            Told::Note(Note::warning(format!("`{}` names no packages", shown(written)), origin.clone()))
        }),
        "nvidia-cuda" => {
            let version =
                get(&entry.value, "cudaVersion").and_then(as_str).map(|version| format!(" {}", shown(version)));
            let message = format!("the devcontainer installs CUDA{}", version.unwrap_or_default());
            Told::Note(Note::info(message, origin))
        }
        _ => Told::Note(Note::info(format!("the feature `{}` is not followed", shown(written)), origin)),
    }
}

/// `3.11` and `3.11.4` are any 3.11.
fn minor(version: &str) -> Option<VersionSpecifiers> {
    let mut numbers = version.trim().split('.');
    let (major, minor) = (numbers.next()?.parse::<u8>().ok()?, numbers.next()?.parse::<u8>().ok()?);
    VersionSpecifiers::from_str(&format!("=={major}.{minor}.*")).ok()
}

/// The packages of a feature that installs those of the distribution, divided by commas or spaces
/// (<https://github.com/rocker-org/devcontainer-features/tree/main/src/apt-packages>).
fn system(value: &Value<'_>, origin: &Origin) -> Option<Told> {
    let packages = as_str(value).or_else(|| get(value, "packages").and_then(as_str))?;
    let is_name = |name: &&str| name.chars().all(|c| c.is_ascii_alphanumeric() || "+-.:=~*".contains(c));
    let names = packages.split(|c: char| c == ',' || c.is_whitespace()).filter(|name| !name.is_empty());
    let hint = |name: &str| SystemHint { package: name.to_owned(), manager: "apt".to_owned(), origin: origin.clone() };
    let hints: Vec<SystemHint> = names.filter(is_name).map(hint).collect();
    (!hints.is_empty()).then_some(Told::System(hints))
}

/// What it needs of a GPU.
fn needs(json: &JsonFile<'_>) -> Vec<Told> {
    let gpu = json.get(&["hostRequirements", "gpu"]).filter(|value| value.as_boolean_lit().is_none_or(|gpu| gpu.value));
    let gpu = gpu.map(|value| match as_str(value) {
        Some("optional") => Note::info("the devcontainer takes a GPU where there is one", json.origin(value)),
        _ => Note::info("the devcontainer needs a GPU", json.origin(value)),
    });
    let arguments = json.get(&["runArgs"]).map(elements).unwrap_or_default();
    let mut arguments = arguments.iter().filter(|value| as_str(value).is_some_and(|text| text.starts_with("--gpus")));
    let run = arguments.next().map(|value| Note::info("the devcontainer is run with `--gpus`", json.origin(value)));
    gpu.into_iter().chain(run).map(Told::Note).collect()
}

/// The commands, which are not shown: people put tokens there.
fn commands(json: &JsonFile<'_>) -> Vec<Told> {
    let Ok(root) = json.root() else { return Vec::new() };
    let entries = root.properties.iter().filter(|entry| COMMANDS.contains(&entry.name.as_str()));
    let note = |entry: &ObjectProp<'_>| {
        let message = format!("`{}` runs in the devcontainer only, and is not followed", entry.name.as_str());
        Told::Note(Note::info(message, json.origin(entry)))
    };
    entries.map(note).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::drafted;
    use super::*;
    use crate::model::Project;

    fn project(files: &[(&str, &str)]) -> Project {
        drafted(files, facts).unwrap().1
    }

    const WHOLE: &str = r#"// For VS Code
{
  "name": "x",
  "image": "pytorch/pytorch:2.4.0-cuda12.4-cudnn9-devel", // the base
  "features": {
    "ghcr.io/devcontainers/features/python:1": { "version": "3.11.4" },
    "ghcr.io/rocker-org/devcontainer-features/apt-packages:1": { "packages": "ffmpeg,libgl1 git;rm" },
    "ghcr.io/devcontainers/features/nvidia-cuda:1": { "cudaVersion": "12.4" },
    "ghcr.io/devcontainers/features/git-lfs:1": {},
  },
  "hostRequirements": { "gpu": "optional" },
  "runArgs": ["--gpus", "all"],
  "postCreateCommand": "pip install -r x.txt --token secret",
}
"#;

    #[test]
    fn a_whole_file() {
        let project = project(&[(FILES[0], WHOLE)]);
        let [base] = &project.bases[..] else { panic!("{:?}", project.bases) };
        assert_eq!((base.variant.as_deref(), &base.origin), (Some("cu124"), &Origin::file(FILES[0], 4)));
        let [python] = &project.python[..] else { panic!("{:?}", project.python) };
        assert_eq!((python.specifiers.to_string().as_str(), python.strength), ("==3.11.*", Strength::Hint));
        assert_eq!(python.origin, Origin::file(FILES[0], 6));
        let system: Vec<&str> = project.system.iter().map(|hint| hint.package.as_str()).collect();
        assert_eq!(system, ["ffmpeg", "libgl1"]);
        let notes: Vec<String> = project.notes.iter().map(|note| note.message.clone()).collect();
        for part in ["CUDA 12.4", "git-lfs", "takes a GPU where", "`--gpus`", "`postCreateCommand`"] {
            assert!(notes.iter().any(|note| note.contains(part)), "{part}: {notes:?}");
        }
        assert!(!notes.join(" ").contains("secret"));
        assert_eq!((project.read[0].entries, project.read[0].facts), (8, 3));
    }

    #[test]
    fn every_place_is_looked_at() {
        let project = project(&[
            (".devcontainer.json", "{\"image\": \"python:3.12\"}"),
            (".devcontainer/gpu/devcontainer.json", "{\"build\": {\"dockerfile\": \"Dockerfile\"}}"),
            (".devcontainer/notes.txt", ""),
        ]);
        assert_eq!(project.bases.len(), 1);
        assert_eq!(project.python[0].specifiers.to_string(), "==3.12.*");
        assert!(project.notes[0].message.contains("`.devcontainer/gpu/Dockerfile`"), "{:?}", project.notes);
    }

    #[test]
    fn a_password_and_a_path_that_leads_out_are_said() {
        let text = r#"{"image": "u:SECRET@reg.example.org/x", "build": {"dockerfile": "../../x/Dockerfile"}}"#;
        let project = project(&[(FILES[0], text)]);
        assert_eq!(project.bases[0].image, "reg.example.org/x");
        assert!(!format!("{project:?}").contains("SECRET"));
        let notes: Vec<&str> = project.notes.iter().map(|note| note.message.as_str()).collect();
        assert!(notes.iter().any(|note| note.contains("a password or token")), "{notes:?}");
        assert!(notes.iter().any(|note| note.contains("leads out of the project folder")), "{notes:?}");
    }

    #[test]
    fn a_broken_file_is_a_note_with_its_line() {
        for (text, line) in [("{\n \"image\": \n}", 3), ("[]", 1), ("", 1), ("{\"image\": 1}", 1)] {
            let project = project(&[(FILES[0], text)]);
            assert_eq!(project.notes[0].origin, Origin::file(FILES[0], line), "{text}: {:?}", project.notes);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_value_ends_the_reader(
            key in "(image|build|features|hostRequirements|runArgs|dockerComposeFile)",
            value in r#"("[ -!#-\[\]-~é]{0,10}"|\[("a")?\]|1|null|\{"(python|gpu|dockerfile|apt-packages)": ("[ -!#-\[\]-~]{0,6}"|1|\{"(version|packages)": "[a-z0-9., ]{0,6}"\})\})"#,
        ) {
            project(&[(FILES[0], &format!("{{\"{key}\": {value}}}"))]);
        }
    }
}
