//! The versions of what is around torch: Python, the compilers, CUDA, cuDNN, HIP.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use pep440_rs::Version;
use regex::Regex;

use super::Telling;
use super::gather::Text;
use super::keys::Key;
use crate::catalogue::Layout;
use crate::model::Stated;

pub(super) fn tell(telling: &mut Telling<'_>) {
    python(telling);
    let gcc = telling.text(Key::Gcc);
    let clang = telling.text(Key::Clang);
    let cmake = telling.text(Key::Cmake).map(|cmake| {
        let version = cmake.value.strip_prefix("version").map_or(cmake.value.as_str(), str::trim).to_owned();
        Stated::new(version, cmake.origin)
    });
    let (cuda_runtime, driver) = (telling.word(Key::CudaRuntime), telling.word(Key::Driver));
    let hip_runtime = telling.word(Key::HipRuntime).or_else(|| telling.word(Key::RocmInstalled));
    let miopen = telling.word(Key::Miopen);
    let cudnn = cudnn(telling);
    let environment = &mut telling.section.environment;
    (environment.gcc, environment.clang, environment.cmake) =
        (gcc, clang, cmake.filter(|cmake| !cmake.value.is_empty()));
    (environment.cuda_runtime, environment.driver, environment.cudnn) = (cuda_runtime, driver, cudnn);
    (environment.hip_runtime, environment.miopen) = (hip_runtime, miopen);
}

/// The interpreter: `3.12.3 (main, Jun 11 2024, 15:47:36) [GCC 11.4.0] (64-bit runtime)`, or `3.6 (64-bit runtime)`.
fn python(telling: &mut Telling<'_>) {
    let layout = Layout::collect_env();
    if let Some(text) = telling.gathered.stated(Key::Python) {
        let (word, rest) = text.text.split_once(char::is_whitespace).unwrap_or((&text.text, ""));
        // A build of a branch calls itself `3.12.0+`.
        let version = word.trim_end_matches('+').parse::<Version>();
        let whole = rest.find("(64-bit").or_else(|| rest.find("(32-bit")).map_or(rest, |end| &rest[..end]);
        let build = plain_build(whole);
        let python = version.ok().map(|version| telling.stated(version, text));
        let python_build = Some(telling.stated(build, text)).filter(|build| !build.value.is_empty());
        let installation = layout.installation_of_build(whole).map(|by| telling.stated(by, text));
        let environment = &mut telling.section.environment;
        (environment.python, environment.python_build, environment.installation) = (python, python_build, installation);
    }
    if telling.section.environment.installation.is_none() {
        let told = |path: &Text| Some((layout.installation_of_path(&path.text.replace('\\', "/"))?, path.line));
        let installation = telling.gathered.paths.iter().find_map(told);
        telling.section.environment.installation = installation.map(|(by, line)| Stated::new(by, telling.origin(line)));
    }
}

/// What Python says of its build, without the first bracket and the last: `main, Jun 11 2024, 15:47:36) [GCC 11.4.0`.
fn plain_build(whole: &str) -> String {
    let behind = whole.split_once('(').map_or(whole, |(_, build)| build);
    let words: Vec<&str> = behind.trim().trim_end_matches(']').split_whitespace().collect();
    words.join(" ")
}

/// The version behind the name of a library of cuDNN.
#[expect(clippy::unwrap_used, reason = "the pattern is fixed, and a test uses it")]
static LIBRARY: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"libcudnn(_\w+)?\.so\.(\d+\.\d+[.\d]*\d)").unwrap());

/// Where a path begins.
#[expect(clippy::unwrap_used, reason = "the pattern is fixed, and a test uses it")]
static ROOT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?:^|\s)(/|[A-Za-z]:\\)").unwrap());

/// cuDNN's version, by the names of its libraries; the path of a library where there is only one and its name tells none.
fn cudnn(telling: &mut Telling<'_>) -> Option<Stated<String>> {
    let mut paths = Vec::new();
    for text in telling.gathered.texts(Key::Cudnn) {
        let starts: Vec<usize> =
            ROOT.captures_iter(&text.text).filter_map(|root| root.get(1)).map(|root| root.start()).collect();
        let ends = starts.iter().skip(1).copied().chain([text.text.len()]);
        paths.extend(starts.iter().zip(ends).map(|(start, end)| (text.text[*start..end].trim(), text)));
        if starts.is_empty() && text.text.starts_with(|c: char| c.is_ascii_digit()) {
            paths.push((text.text.as_str(), text));
        }
    }
    let version = |path: &str| LIBRARY.captures(path).map(|library| (library.get(1).is_none(), library[2].to_owned()));
    // `libcudnn.so` itself counts before its parts.
    let mut told: Vec<(bool, String, &Text)> =
        paths.iter().filter_map(|(path, text)| version(path).map(|(whole, version)| (whole, version, *text))).collect();
    if told.iter().any(|(whole, ..)| *whole) {
        told.retain(|(whole, ..)| *whole);
    }
    let versions: BTreeSet<&str> = told.iter().map(|(_, version, _)| version.as_str()).collect();
    match (versions.len(), told.first(), paths.first()) {
        (1, Some((_, version, text)), _) => Some(telling.stated(version.clone(), text)),
        (0, _, Some((path, text))) => Some(telling.stated((*path).to_owned(), text)),
        (0, ..) => None,
        (_, Some((.., text)), _) => {
            let list = versions.iter().take(8).copied().collect::<Vec<_>>().join("`, `");
            telling
                .warn(format!("there are several cuDNN: `{list}`; which of them torch loads is not told"), text.line);
            None
        }
        _ => None,
    }
}
