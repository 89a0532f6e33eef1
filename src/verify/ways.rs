//! The ways of running an image that a proof tries, and the checks that it makes in each.

use std::collections::BTreeMap;

use super::{Conditions, Question, SMOKE_TEST};
use crate::model::{AS_BUILT, Check, CheckOutcome, Error, ErrorKind, Profile, Trial, TrialEnvironment, Untried};

/// A user id that no image has a name for, as orchestrators assign them: `OpenShift` by default, Kubernetes by `runAsUser`.
const UNKNOWN_USER: &str = "61234:61234";

/// The memory of the trial with little of it: two compilers fit, and torch.
const LITTLE_MEMORY: u64 = 2 << 30;

/// What a file system in memory has to allow, for caches of libraries that are loaded.
const EXECUTABLE: &str = "rw,exec,mode=1777,size=2g";

/// One way of running the image.
#[derive(Debug, Clone)]
pub(super) struct Way {
    pub(super) id: &'static str,
    pub(super) title: String,
    pub(super) conditions: Conditions,
    pub(super) checks: Vec<&'static str>,
    /// Whether the project's own uses of `torch.compile` are tried, too.
    pub(super) with_compiles: bool,
}

impl Way {
    /// The image as it is, by its own user, or as the caller says that it will be run.
    pub(super) fn as_is(question: &Question) -> Self {
        let quick = question.profile == Profile::Quick;
        let left_out = |id: &&str| quick && QUICK_LEAVES_OUT.iter().any(|(left, _)| left == id);
        Self {
            id: "as-is",
            title: title(&question.conditions),
            // The GPU has a trial of its own: whether a container gets one must not decide about the rest.
            conditions: Conditions { gpus: None, ..question.conditions.clone() },
            checks: common().filter(|id| !left_out(id)).collect(),
            with_compiles: !quick,
        }
    }

    /// That it was not tried, and why.
    pub(super) fn left_out(&self, reason: &str) -> Untried {
        Untried { id: self.id.to_owned(), title: self.title.clone(), reason: reason.to_owned() }
    }

    /// Whether the engine says that it cannot run containers so: that is no fault of the image, nor of the run.
    pub(super) fn may_be_refused(&self, error: &Error) -> bool {
        let words: &[&str] = match self.id {
            "gpu" => &["device driver", "gpu", "cdi", "nvidia"],
            "one-cpu" => &["cpu"],
            _ => &[],
        };
        let said = error.message.to_ascii_lowercase();
        error.kind == ErrorKind::No && words.iter().any(|word| said.contains(word))
    }

    /// The trial that the engine would not run, as it cannot limit a container so or has no GPU for it: each of its checks
    /// is skipped, and none has passed.
    pub(super) fn refused(&self, error: &Error) -> Trial {
        let reason = super::document::line(&format!("the engine cannot run it: {}", error.message));
        let check = |id: &&str| Check {
            id: (*id).to_owned(),
            title: titles().find(|(known, _)| known == id).map_or(*id, |(_, title)| title).to_owned(),
            outcome: CheckOutcome::Skip,
            evidence: reason.clone(),
            facts: BTreeMap::new(),
            error: String::new(),
            causes: Vec::new(),
            seconds: 0.0,
        };
        Trial {
            id: self.id.to_owned(),
            title: self.title.clone(),
            checks: self.checks.iter().map(check).collect(),
            environment: TrialEnvironment::default(),
            log: Vec::new(),
            seconds: 0.0,
        }
    }

    /// The user's own check, where there is one.
    pub(super) fn own_check(question: &Question) -> Option<Self> {
        question.smoke.as_ref()?;
        let checks = vec!["python", "torch", "smoke"];
        let title = "the project's own check".to_owned();
        Some(Self { id: "smoke", title, checks, with_compiles: false, ..Self::as_is(question) })
    }

    fn again(question: &Question, id: &'static str, title: String, change: impl FnOnce(&mut Conditions)) -> Self {
        let mut conditions = Conditions { gpus: None, ..question.conditions.clone() };
        change(&mut conditions);
        Self { id, title, conditions, checks: common().collect(), with_compiles: false }
    }
}

/// How the image is run where nothing else is tried; of variables the names, since a value may be secret.
fn title(conditions: &Conditions) -> String {
    if conditions.is_as_built() {
        return AS_BUILT.to_owned();
    }
    let user = conditions.user.iter().map(|user| format!("`--user {user}`"));
    let env = conditions.env.keys().map(|name| format!("`--env {name}`"));
    let read_only = conditions.read_only.then(|| "`--read-only`".to_owned());
    let tmpfs = conditions.tmpfs.keys().map(|path| format!("`--tmpfs {path}`"));
    let flags: Vec<_> = user.chain(env).chain(read_only).chain(tmpfs).collect();
    super::document::line(&format!("with {}", flags.join(", ")))
}

/// What the quick profile leaves out.
const QUICK_LEAVES_OUT: [(&str, &str); 2] =
    [("dynamic", "one dynamic graph for several sizes"), ("warm", "a second process with the same cache")];

/// The checks of the smoke test with their titles, in its order.
fn titles() -> impl Iterator<Item = (&'static str, &'static str)> {
    let titles = SMOKE_TEST.split_once("\nTITLES = {\n").and_then(|(_, rest)| rest.split_once("\n}\n"));
    titles.map_or("", |(titles, _)| titles).lines().filter_map(|line| {
        let mut words = line.split('"');
        Some((words.nth(1)?, words.nth(1)?))
    })
}

fn ids() -> impl Iterator<Item = &'static str> {
    titles().map(|(id, _)| id)
}

/// Those that need neither a GPU nor a script.
fn common() -> impl Iterator<Item = &'static str> {
    ids().filter(|id| !id.starts_with("gpu") && *id != "smoke")
}

/// The ways besides the image as it is.
pub(super) fn further(question: &Question, first: &Trial) -> Vec<Way> {
    let mut ways: Vec<Way> = Way::own_check(question).into_iter().collect();
    if question.conditions.gpus.is_some() {
        ways.push(on_gpu(question));
    }
    if question.profile == Profile::Thorough {
        ways.extend(hard(question, first));
    }
    ways
}

fn on_gpu(question: &Question) -> Way {
    let checks = ["python", "torch"].into_iter().chain(ids().filter(|id| id.starts_with("gpu"))).collect();
    let conditions = question.conditions.clone();
    Way { id: "gpu", title: "with a GPU".to_owned(), conditions, checks, with_compiles: false }
}

/// As orchestrators run images.
fn hard(question: &Question, first: &Trial) -> Vec<Way> {
    let caches = memory_folders(first);
    let read_only = format!("with a read-only root, and memory file systems at {}", quoted(&caches));
    let little = LITTLE_MEMORY.min(question.conditions.memory);
    vec![
        Way::again(question, "unknown-uid", format!("as the user {UNKNOWN_USER}, who has no name"), |conditions| {
            conditions.user = Some(UNKNOWN_USER.to_owned());
        }),
        Way::again(question, "read-only", read_only, |conditions| {
            conditions.read_only = true;
            conditions.tmpfs.extend(caches.iter().map(|folder| (folder.clone(), EXECUTABLE.to_owned())));
        }),
        Way::again(question, "one-cpu", "on one processor".to_owned(), |conditions| {
            conditions.cpuset = Some("0".to_owned());
        }),
        Way::again(question, "small-memory", format!("with {} MiB of memory", little >> 20), |conditions| {
            conditions.memory = little;
        }),
    ]
}

/// The folders that the image wants to write into: for temporary files, and for the cache where that is elsewhere.
fn memory_folders(first: &Trial) -> Vec<String> {
    let cache = first.checks.iter().find(|check| check.id == "cache").and_then(|check| check.facts.get("cache"));
    let cache = cache.and_then(|path| path.as_str()).filter(|path| path.starts_with('/') && !path.starts_with("/tmp/"));
    // A path with a colon or a comma would be read as an option.
    let cache = cache.filter(|path| !path.contains([':', ',']));
    ["/tmp"].into_iter().chain(cache).map(str::to_owned).collect()
}

fn quoted(paths: &[String]) -> String {
    paths.iter().map(|path| format!("`{path}`")).collect::<Vec<_>>().join(" and ")
}

/// What this question leaves out, after the first trial.
pub(super) fn left_out(question: &Question, first: &Trial) -> Vec<Untried> {
    let item = |id: &str, title: &str, reason: &str| Untried {
        id: id.to_owned(),
        title: title.to_owned(),
        reason: reason.to_owned(),
    };
    let mut untried = Vec::new();
    if question.profile == Profile::Quick {
        let reason = "left out by the profile `quick`: `--profile standard` tries it";
        untried.extend(QUICK_LEAVES_OUT.map(|(id, title)| item(id, title, reason)));
        untried.extend(question.compiles.iter().map(|compile| item(&compile.id, &compile.title, reason)));
    }
    if question.profile != Profile::Thorough {
        let reason = "`--profile thorough` tries it";
        untried.extend(hard(question, first).iter().map(|way| way.left_out(reason)));
    }
    let variant = &first.environment.variant;
    if question.conditions.gpus.is_none() && (variant.starts_with("cuda") || variant.starts_with("rocm")) {
        untried.push(on_gpu(question).left_out("`--gpus all` tries it"));
    }
    for other in &first.environment.others {
        let reason = format!("`--python {other}` tries it");
        untried.push(item("interpreter", &format!("the torch of {other}"), &reason));
    }
    untried
}

/// Whether a check may be skipped although none failed: what it needs may not be there.
pub(super) fn may_be_skipped(check: &Check) -> bool {
    check.id.starts_with("gpu") || check.id.starts_with("compile:")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Script;
    use super::super::tests::question;
    use super::*;
    use crate::engine::Gpus;

    fn first(cache: &str) -> Trial {
        let check = Check {
            id: "cache".into(),
            title: "t".into(),
            outcome: CheckOutcome::Pass,
            evidence: "e".into(),
            facts: BTreeMap::from([("cache".into(), json!(cache))]),
            error: String::new(),
            causes: vec![],
            seconds: 0.0,
        };
        let environment = TrialEnvironment {
            variant: "cuda 13.2".into(),
            others: vec!["/opt/x/bin/python3".into()],
            ..TrialEnvironment::default()
        };
        Trial { id: "as-is".into(), title: "t".into(), checks: vec![check], environment, log: vec![], seconds: 1.0 }
    }

    fn named(untried: &[Untried]) -> Vec<&str> {
        untried.iter().map(|item| item.id.as_str()).collect()
    }

    #[test]
    fn each_profile_says_what_it_leaves_out() {
        let first = first("/var/cache/torchinductor");
        let question = |profile| Question { profile, ..question() };
        let hard = ["unknown-uid", "read-only", "one-cpu", "small-memory"];
        let quick = left_out(&question(Profile::Quick), &first);
        assert_eq!(named(&quick), [&["dynamic", "warm"][..], &hard, &["gpu", "interpreter"]].concat());
        let standard = left_out(&question(Profile::Standard), &first);
        assert_eq!(named(&standard), [&hard[..], &["gpu", "interpreter"]].concat());
        let thorough = question(Profile::Thorough);
        assert_eq!(named(&left_out(&thorough, &first)), ["gpu", "interpreter"]);
        let tried: Vec<_> = further(&thorough, &first).iter().map(|way| way.id).collect();
        assert_eq!(tried, hard);
    }

    #[test]
    fn what_is_left_out_is_not_demanded() {
        let quick = Way::as_is(&Question { profile: Profile::Quick, ..question() });
        let standard = Way::as_is(&question());
        assert!(!quick.checks.contains(&"warm") && standard.checks.contains(&"warm"));
        assert_eq!(quick.checks.len() + 2, standard.checks.len());
        assert!(standard.checks.len() > 15 && !standard.checks.contains(&"gpu"), "{standard:?}");
    }

    #[test]
    fn how_it_is_run_is_said_without_secrets() {
        let mut question = question();
        assert_eq!(Way::as_is(&question).title, "as the image is, by its own user");
        question.conditions.user = Some("0:0".into());
        question.conditions.env = BTreeMap::from([("TOKEN".into(), "secret".into())]);
        question.conditions.read_only = true;
        assert_eq!(Way::as_is(&question).title, "with `--user 0:0`, `--env TOKEN`, `--read-only`");
    }

    #[test]
    fn a_gpu_has_a_trial_of_its_own() {
        let mut question = question();
        question.conditions.gpus = Some(Gpus::All);
        assert_eq!(Way::as_is(&question).conditions.gpus, None);
        let ways = further(&question, &first("/tmp/x"));
        assert_eq!((ways[0].id, &ways[0].conditions.gpus), ("gpu", &Some(Gpus::All)));
        assert!(ways[0].checks.contains(&"gpu-kernel") && !ways[0].checks.contains(&"compile"));
    }

    #[test]
    fn what_the_engine_refuses_is_skipped_and_has_not_passed() {
        let mut question = question();
        question.conditions.gpus = Some(Gpus::All);
        let trial = on_gpu(&question).refused(&Error::no("no device driver\nwith capabilities: [[gpu]]"));
        assert_eq!((trial.outcome(), trial.id.as_str()), (CheckOutcome::Skip, "gpu"));
        assert!(
            trial.checks.iter().all(|check| check.evidence.ends_with("no device driver with capabilities: [[gpu]]"))
        );
        assert_eq!(trial.checks[2].title, "torch computes on a GPU");
        let refused = |id: &str, message: &str| {
            let mut question = Question { profile: Profile::Thorough, ..super::super::tests::question() };
            question.conditions.gpus = Some(Gpus::All);
            question.smoke = Some(Script { name: "x.py".into(), text: String::new() });
            let ways = further(&question, &first("/tmp/x"));
            ways.iter().find(|way| way.id == id).unwrap().may_be_refused(&Error::no(message))
        };
        assert!(refused("gpu", "could not select device driver \"\" with capabilities: [[gpu]]"));
        assert!(refused("one-cpu", "Requested CPUs are not available"));
        for id in ["smoke", "gpu", "unknown-uid", "read-only", "one-cpu", "small-memory"] {
            assert!(!refused(id, "OCI runtime create failed: cannot allocate memory"), "{id}");
        }
    }

    #[test]
    fn a_read_only_root_leaves_the_cache_writable() {
        let question = Question { profile: Profile::Thorough, ..question() };
        let folders = |cache: &str| {
            let ways = further(&question, &first(cache));
            let way = ways.into_iter().find(|way| way.id == "read-only").unwrap();
            way.conditions.tmpfs.into_keys().collect::<Vec<_>>()
        };
        assert_eq!(folders("/tmp/torchinductor_app"), ["/tmp"]);
        assert_eq!(folders("/var/cache/torchinductor"), ["/tmp", "/var/cache/torchinductor"]);
        assert_eq!(folders("/x:noexec"), ["/tmp"]);
    }
}
