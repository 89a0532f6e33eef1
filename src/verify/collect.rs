//! What the environment of an image is, as its own interpreter tells it.

use std::collections::BTreeMap;
use std::str::FromStr as _;
use std::sync::LazyLock;
use std::time::Duration;

use pep440_rs::Version;
use serde::{Deserialize, Serialize};

use super::document::line;
use super::judge::{NO_PYTHON, installed_variant, tail};
use super::look::LOOK;
use super::request::{FIND_PYTHON, INTERPRETERS, usual_interpreters};
use super::{Conditions, is_absent};
use crate::catalogue::{Collecting, FactRelevance, Layout};
use crate::engine::{Engine, RunOutput, RunRequest};
use crate::model::{
    Environment, EnvironmentVariable, Error, Installation, Installed, Manager, Need, NeedState, Origin, Result, Stated,
    System, SystemFamily, TorchPlace, sha256_hex,
};

/// What is told of an environment.
const COLLECT: &str = include_str!("../../templates/collect.py");

/// The version of the document that this program reads.
const SCHEMA: u32 = 1;

/// The most packages, and the most variables, of one environment.
const MOST: usize = 20_000;

/// The most characters of a variable's value: some hold whole programs.
const LONGEST_VALUE: usize = 4000;

/// The look, without its last lines, and what tells of an environment.
static PROGRAM: LazyLock<String> = LazyLock::new(|| {
    let (look, _) = LOOK.rsplit_once("\nif __name__ ==").unwrap_or((LOOK.as_str(), ""));
    format!("{look}{COLLECT}")
});

/// What the program is told; `templates/collect.py` says what each part means.
#[derive(Serialize)]
struct Brief<'a> {
    image: &'a str,
    marker: &'a str,
    document: u8,
    seconds: u64,
    #[serde(flatten)]
    told: &'a Collecting,
    secret: &'a [String],
    harmless: &'a [String],
}

/// Has the interpreter of `image` (the id of an image that is on the engine) tell of its environment, in a container of its
/// own user, without network. `python` is the interpreter to ask; otherwise the one with torch is looked for, as for a proof.
///
/// # Errors
///
/// The answer is no where nothing can be told: there is no interpreter, or it wrote no document. Otherwise as
/// [`super::verify`].
pub async fn collect<E: Engine>(
    engine: &E,
    image: &str,
    python: Option<&str>,
    timeout: Duration,
) -> Result<Environment> {
    collect_as(engine, image, image, python, timeout).await
}

/// The same of the image that its reader knows as `name`, which is the origin of every fact.
///
/// # Errors
///
/// As [`collect`].
pub async fn collect_as<E: Engine>(
    engine: &E,
    image: &str,
    name: &str,
    python: Option<&str>,
    timeout: Duration,
) -> Result<Environment> {
    let relevance = FactRelevance::embedded()?;
    let asked = Asked { image, name, marker: marker(image), told: relevance.collecting(), timeout };
    if let Some(python) = python {
        return asked.read(&engine.run(&asked.direct(python)).await?);
    }
    let by_shell = engine.run(&asked.by_shell()).await?;
    if by_shell.not_started.as_deref().is_none_or(|why| !is_absent(why)) {
        return asked.read(&by_shell);
    }
    // Without a shell, those in the usual places are asked one by one; the first that has torch tells.
    let mut without_torch = None;
    for python in usual_interpreters() {
        let output = engine.run(&asked.direct(python)).await?;
        if output.not_started.is_some() {
            continue;
        }
        match asked.read(&output) {
            Ok(environment) if environment.torch.is_some() => return Ok(environment),
            told => without_torch = without_torch.or(told.ok()),
        }
    }
    without_torch.map_or_else(|| asked.read(&by_shell), Ok)
}

/// What the document stands between. An id is a digest of all that is in an image, so nothing in it can know its own: a text
/// that waits there to be taken for the document has another marker.
fn marker(image: &str) -> String {
    format!("sconce-{}", &sha256_hex([b"collect ".as_slice(), image.as_bytes()])[..24])
}

struct Asked<'a> {
    image: &'a str,
    /// What its reader calls it.
    name: &'a str,
    marker: String,
    told: &'a Collecting,
    timeout: Duration,
}

impl Asked<'_> {
    fn brief(&self, document: u8) -> String {
        // It ends a little before it would be stopped, so that what it found by then is not lost.
        let seconds = self.timeout.mul_f64(0.9).as_secs();
        let Layout { secret, harmless, .. } = Layout::collect_env();
        let (image, marker, told) = (self.image, self.marker.as_str(), self.told);
        let brief = Brief { image, marker, document, seconds, told, secret, harmless };
        serde_json::to_string(&brief).unwrap_or_default()
    }

    fn by_shell(&self) -> RunRequest {
        self.request("/bin/sh", &["-c", FIND_PYTHON, "sconce", &PROGRAM, &self.brief(3), INTERPRETERS])
    }

    fn direct(&self, python: &str) -> RunRequest {
        self.request(python, &["-c", &PROGRAM, &self.brief(1)])
    }

    fn request(&self, program: &str, args: &[&str]) -> RunRequest {
        let conditions = Conditions { timeout: self.timeout, ..Conditions::default() };
        conditions.request(self.image, program, args)
    }

    /// The environment that a run told of, or why there is none.
    fn read(&self, output: &RunOutput) -> Result<Environment> {
        let log = tail(&output.stderr);
        let refused = |why: String, log: Vec<String>| {
            let error = Error::no(format!("the environment of the image `{}` cannot be told: {why}", self.name));
            error.with_log(log)
        };
        if let Some(why) = &output.not_started {
            return Err(refused(line(why), log));
        }
        if output.exit_code == Some(NO_PYTHON) {
            let hint = "`--python` names an interpreter that is elsewhere in the image";
            return Err(refused("it has no Python 3.8 or newer".to_owned(), log).with_hint(hint));
        }
        let document = self.document(&output.stdout).map_err(|why| {
            let why =
                if output.timed_out { format!("it did not end within {} s", self.timeout.as_secs()) } else { why };
            let why = if output.out_of_memory { "it ran out of memory".to_owned() } else { why };
            refused(why, log)
        })?;
        Ok(document.environment.stated(&Origin::Image { image: self.name.to_owned() }))
    }

    /// The one document between the markers, whatever stands around it.
    fn document(&self, text: &str) -> Result<Document, String> {
        let begin = format!("\n{} begin\n", self.marker);
        let end = format!("\n{} end\n", self.marker);
        let mut documents = text.split(begin.as_str()).skip(1);
        let (document, after) = documents
            .next()
            .ok_or_else(|| "its interpreter wrote no document".to_owned())?
            .split_once(end.as_str())
            .ok_or_else(|| "its interpreter's document is cut off".to_owned())?;
        if documents.next().is_some() || after.contains(&end) {
            return Err("there is more than one document".to_owned());
        }
        let document: Document =
            serde_json::from_str(document).map_err(|error| format!("no whole document: {error}"))?;
        if document.schema != SCHEMA || document.image != self.image {
            return Err("a document that speaks of another image, or in another version".to_owned());
        }
        if document.environment.packages.len().max(document.environment.variables.len()) > MOST {
            return Err(format!("it names more than {MOST} packages or variables"));
        }
        Ok(document)
    }
}

/// What `templates/collect.py` writes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    schema: u32,
    image: String,
    environment: Told,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Told {
    system: Option<ToldSystem>,
    machine: Option<String>,
    kernel: Option<String>,
    libc: Option<String>,
    python: Option<String>,
    python_build: Option<String>,
    installation: Option<Installation>,
    place: Option<TorchPlace>,
    torch: Option<String>,
    variant: Option<String>,
    debug: Option<bool>,
    gpu_available: Option<bool>,
    cuda_runtime: Option<String>,
    cudnn: Option<String>,
    hip_runtime: Option<String>,
    gcc: Option<String>,
    clang: Option<String>,
    cmake: Option<String>,
    cpu: Option<String>,
    cpus: Option<u32>,
    isa: Option<String>,
    packages: Vec<ToldPackage>,
    variables: Vec<ToldVariable>,
    needs: BTreeMap<Need, NeedState>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ToldSystem {
    distribution: Option<String>,
    release: Option<String>,
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ToldPackage {
    name: String,
    version: String,
    manager: Manager,
    build: Option<String>,
    channel: Option<String>,
    source: Option<String>,
    hash: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ToldVariable {
    name: String,
    value: Option<String>,
}

impl Told {
    /// The environment, each fact read in `origin`, and its text safe to print.
    fn stated(self, origin: &Origin) -> Environment {
        let text = |fact: Option<String>| clean(fact).map(|fact| Stated::new(fact, origin.clone()));
        let version = |fact: Option<String>| {
            let version = Version::from_str(&clean(fact)?).ok()?;
            Some(Stated::new(version, origin.clone()))
        };
        Environment {
            system: self.system.map(|system| Stated::new(system.stated(), origin.clone())),
            architecture: text(self.machine.map(|machine| architecture(&machine).to_owned())),
            kernel: text(self.kernel),
            libc: text(self.libc),
            python: version(self.python),
            python_build: text(self.python_build),
            installation: stated(self.installation, origin),
            place: stated(self.place, origin),
            torch: version(self.torch),
            variant: stated(clean(self.variant).map(|variant| installed_variant(&variant)), origin),
            debug: stated(self.debug, origin),
            gpu_available: stated(self.gpu_available, origin),
            cuda_runtime: text(self.cuda_runtime),
            cudnn: text(self.cudnn),
            hip_runtime: text(self.hip_runtime),
            miopen: None,
            driver: None,
            gpus: Vec::new(),
            gcc: text(self.gcc),
            clang: text(self.clang),
            cmake: text(self.cmake),
            cpu: text(self.cpu),
            cpus: stated(self.cpus, origin),
            isa: text(self.isa),
            packages: self.packages.into_iter().map(|package| package.stated(origin)).collect(),
            variables: self.variables.into_iter().map(|variable| variable.stated(origin)).collect(),
            needs: self.needs.into_iter().map(|(need, state)| (need, need_of(state, origin))).collect(),
        }
    }
}

fn stated<T>(fact: Option<T>, origin: &Origin) -> Option<Stated<T>> {
    fact.map(|fact| Stated::new(fact, origin.clone()))
}

fn clean(fact: Option<String>) -> Option<String> {
    fact.map(|fact| line(&fact)).filter(|fact| !fact.is_empty())
}

fn need_of(NeedState { met, seen }: NeedState, origin: &Origin) -> Stated<NeedState> {
    Stated::new(NeedState { met, seen: line(&seen) }, origin.clone())
}

impl ToldSystem {
    /// Containers that sconce can run are of Linux.
    fn stated(self) -> System {
        System {
            family: SystemFamily::Linux,
            distribution: clean(self.distribution),
            release: clean(self.release),
            wsl: false,
            text: line(&self.text),
        }
    }
}

impl ToldPackage {
    fn stated(self, origin: &Origin) -> Installed {
        Installed {
            name: line(&self.name),
            version: line(&self.version),
            manager: self.manager,
            build: clean(self.build),
            channel: clean(self.channel),
            source: clean(self.source),
            hash: clean(self.hash),
            origin: origin.clone(),
        }
    }
}

impl ToldVariable {
    /// A value may have several lines, which are part of it.
    fn stated(self, origin: &Origin) -> EnvironmentVariable {
        let value = self.value.map(|value| crate::model::plain(&value).chars().take(LONGEST_VALUE).collect());
        EnvironmentVariable { name: line(&self.name), value, origin: origin.clone() }
    }
}

/// The architecture as engines name it, of what `uname` says.
fn architecture(machine: &str) -> &str {
    match machine {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// An argument of a program may have 128 KiB on Linux (`MAX_ARG_STRLEN`, execve(2)).
    #[test]
    fn it_is_one_program_that_starts_once() {
        assert!(PROGRAM.len() < 128 << 10, "{}", PROGRAM.len());
        assert_eq!(PROGRAM.matches("\nif __name__ ==").count(), 1);
        assert!(PROGRAM.trim_end().ends_with("collect(json.loads(sys.argv[1]))"));
        for need in Need::ALL {
            assert!(COLLECT.contains(&format!("need(stage, \"{}\"", need.name())), "{need:?}");
        }
    }

    fn told() -> Value {
        json!({ "schema": 1, "image": "sha256:1", "environment": {
            "system": { "distribution": "debian", "release": "13", "text": "Debian\u{1b}[2J 13" },
            "machine": "x86_64", "python": "3.13.5", "installation": "distribution", "place": "environment",
            "torch": "2.6.0+cu124", "variant": "cuda 12.4",
            "packages": [{ "name": "numpy", "version": "2.2.4", "manager": "pip", "hash": "sha256:1" }],
            "variables": [{ "name": "TOKEN", "value": null }, { "name": "CXX", "value": "g++" }],
            "needs": { "python_headers": { "met": false, "seen": "Python.h is\nnot there" } },
        } })
    }

    fn read(stdout: &str) -> Result<Environment> {
        let relevance = FactRelevance::embedded().unwrap();
        let told = relevance.collecting();
        let timeout = Duration::from_mins(1);
        let asked = Asked { image: "sha256:1", name: "app", marker: marker("sha256:1"), told, timeout };
        let output = RunOutput {
            exit_code: Some(0),
            not_started: None,
            timed_out: false,
            out_of_memory: false,
            stdout: stdout.to_owned(),
            stderr: String::new(),
            milliseconds: 1,
        };
        asked.read(&output)
    }

    fn marked(text: &str) -> String {
        let marker = marker("sha256:1");
        format!("\n{marker} begin\n{text}\n{marker} end\n")
    }

    #[test]
    fn a_document_is_read_whatever_stands_around_it() {
        let environment = read(&format!("noise {{\n{}more noise", marked(&told().to_string()))).unwrap();
        let origin = Origin::Image { image: "app".to_owned() };
        assert_eq!(environment.architecture, Some(Stated::new("amd64".to_owned(), origin)));
        assert_eq!(environment.torch.unwrap().value.to_string(), "2.6.0+cu124");
        assert_eq!(environment.variant.unwrap().value.to_string(), "CUDA 12.4");
        assert_eq!(environment.system.unwrap().value.text, "Debian 13");
        assert_eq!(environment.variables[0].value, None);
        assert_eq!(environment.needs[&Need::PythonHeaders].value.seen, "Python.h is not there");
    }

    #[test]
    fn nothing_else_is_taken_for_it() {
        let whole = told().to_string();
        let with = |pointer: &str, value: Value| {
            let mut document = told();
            *document.pointer_mut(pointer).unwrap() = value;
            marked(&document.to_string())
        };
        let mut surprising = told();
        surprising["environment"]["surprise"] = json!(1);
        for (text, expected) in [
            (String::new(), "no document"),
            (whole.clone(), "no document"),
            (marked(&whole).replace("sconce-", "sconce-0"), "no document"),
            (marked(&whole).replace(" end", ""), "cut off"),
            (marked(&whole).repeat(2), "more than one"),
            (marked(&whole[..whole.len() / 2]), "no whole document"),
            (marked(&surprising.to_string()), "no whole document"),
            (with("/schema", json!(2)), "another version"),
            (with("/image", json!("sha256:2")), "another image"),
            (with("/environment/torch", json!(["2.6"])), "no whole document"),
        ] {
            let error = read(&text).unwrap_err();
            assert!(error.message.contains(expected), "{expected}: {}", error.message);
        }
    }

    #[test]
    fn what_is_no_version_is_not_told() {
        let mut odd = told();
        odd["environment"]["torch"] = json!("unknown");
        assert_eq!(read(&marked(&odd.to_string())).unwrap().torch, None);
    }
}
