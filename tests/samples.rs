//! Values as a run makes them, for tests of what is made of them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;

use pep440_rs::{Version, VersionSpecifiers};
use sconce::model::{
    Answer, Answers, BaseImage, BaseOrigin, BasePythons, BaseRow, BuildFailure, Builder, BuiltBy, Check, CheckOutcome,
    Choice, Confidence, Content, Diagnosis, Error, Evidence, Image, ImageConfig, Index, IndexRole, Installer, Layer,
    Manifest, ManifestKind, Network, Note, Origin, Outcome, Package, PackageManager, Plan, Prediction, Profile,
    Project, PythonConstraint, PythonProvider, Recalled, Remedy, Report, Requirement, RequirementRole, SCHEMA, Same,
    Source, Strength, TorchBuild, TorchSource, Trial, TrialEnvironment, Untried, VariableUse, Variant, Verification,
};

const NEW: &str = "sha256:4f1c7a9d20b35e6688c0d1f2a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6";
const OLD: &str = "sha256:9b07e3d4411aa2c35f6b78901c2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f7a8b9c0d";

fn specifiers(text: &str) -> VersionSpecifiers {
    VersionSpecifiers::from_str(text).unwrap()
}

fn requirement(text: &str, name: &str, versions: &str, origin: Origin) -> Requirement {
    Requirement {
        name: Some(name.to_owned()),
        extras: Vec::new(),
        source: Source::Index { specifiers: specifiers(versions) },
        marker: None,
        hashes: Vec::new(),
        editable: false,
        role: RequirementRole::Requirement,
        extra: None,
        group: None,
        text: text.to_owned(),
        origin,
    }
}

pub(crate) fn project() -> Project {
    let lines = |line| Origin::file("requirements.txt", line);
    let pytest = Requirement {
        extra: Some("dev".to_owned()),
        hashes: vec!["sha256:aa".to_owned(), "sha256:bb".to_owned()],
        ..requirement("pytest>=8", "pytest", ">=8", Origin::file("pyproject.toml", 14))
    };
    let numpy = Requirement {
        role: RequirementRole::Constraint,
        marker: Some("python_version >= \"3.12\"".to_owned()),
        ..requirement("numpy<3 ; python_version >= \"3.12\"", "numpy", "<3", Origin::file("constraints/base.txt", 2))
    };
    Project {
        root: PathBuf::from("/projects/gpt-fast"),
        name: "gpt-fast".to_owned(),
        pip_options: vec![],
        python: vec![PythonConstraint {
            specifiers: specifiers(">=3.10"),
            strength: Strength::Required,
            origin: Origin::file("pyproject.toml", 4),
        }],
        manifests: vec![
            Manifest { path: "requirements.txt".to_owned(), kind: ManifestKind::Requirements },
            Manifest { path: "pyproject.toml".to_owned(), kind: ManifestKind::Pyproject },
        ],
        requirements: vec![
            requirement("torch>=2.5", "torch", ">=2.5", lines(2)),
            requirement("sentencepiece", "sentencepiece", "", lines(3)),
            numpy,
            pytest,
        ],
        indexes: vec![Index {
            url: "https://pypi.example.org/team/simple".to_owned(),
            role: IndexRole::Extra,
            name: None,
            explicit: false,
            bindings: vec![],
            origin: lines(1),
        }],
        variables: vec![VariableUse { name: "INDEX_TOKEN".to_owned(), origin: lines(1) }],
        files: vec!["constraints/base.txt".to_owned(), "pyproject.toml".to_owned(), "requirements.txt".to_owned()],
        hashed: false,
        package: Some(Package { backend: "hatchling.build".to_owned(), origin: Origin::file("pyproject.toml", 1) }),
        notes: vec![Note::warning(
            "`torchvision` is imported in `generate.py` but nothing asks for it",
            Origin::file("generate.py", 7),
        )],
        ..Project::default()
    }
}

pub(crate) fn plan() -> Plan {
    let because = "`g++` compiles the kernels and brings OpenMP";
    Plan {
        project: "gpt-fast".to_owned(),
        base: Choice::new(
            BaseImage {
                id: "debian-13".to_owned(),
                reference: "debian:trixie-slim".to_owned(),
                bootstrapped: Some("localhost/sconce/debian:trixie".to_owned()),
                suite: Some("trixie".to_owned()),
                package_manager: PackageManager::Apt,
                provider: PythonProvider::Distribution,
                interpreter: "python3.13".to_owned(),
                sets: Vec::new(),
            },
            Origin::Default,
            "it has Python 3.13",
        ),
        python: Choice::new(
            Version::from_str("3.13").unwrap(),
            Origin::file("pyproject.toml", 4),
            "it is the default and satisfies `>=3.10`",
        ),
        torch: Choice::new(
            TorchBuild {
                source: TorchSource::Index,
                backend: None,
                specifiers: specifiers(">=2.5"),
                variant: Variant::Cuda { version: None },
                prediction: Prediction {
                    version: Some(Version::from_str("2.15").unwrap()),
                    variant: Variant::Cuda { version: Some("13.2".to_owned()) },
                    installed_gb: Some(5.7),
                    driver: Some("580.65.06".to_owned()),
                    full_driver: Some("595.45.04".to_owned()),
                },
            },
            Origin::file("requirements.txt", 2),
            "no variant was asked for, and the index has CUDA builds by default",
        ),
        installer: Choice::new(Installer::Uv, Origin::Default, "it is the faster one"),
        builder: Builder::Buildkit,
        architecture: Choice::new("amd64".to_owned(), Origin::Default, "it is the engine's own"),
        lock: None,
        unisolated: Vec::new(),
        build_needs: Vec::new(),
        constraints: Vec::new(),
        overrides: Vec::new(),
        groups: Vec::new(),
        system: vec![
            Choice::new("g++".to_owned(), Origin::Default, because),
            Choice::new("ffmpeg".to_owned(), Origin::flag("--system-package"), "it was asked for"),
        ],
        tools: Vec::new(),
        manifests: project().manifests,
        dependencies: Vec::new(),
        hashed: false,
        files: project().files,
        folders: Vec::new(),
        extras: Vec::new(),
        setuptools: specifiers("<82"),
        package: project().package,
        indexes: Vec::new(),
        find_links: Vec::new(),
        extra_index: None,
        network: Network::default(),
        env: std::collections::BTreeMap::new(),
        run: Vec::new(),
        image: ImageConfig { user: "app".to_owned(), workdir: "/app".to_owned(), ..ImageConfig::default() },
        notes: vec![cuda_note()],
    }
}

fn cuda_note() -> Note {
    Note::info(
        "torch comes with the CUDA libraries, which are about 5 GB of the image; on machines without an NVIDIA GPU they \
         are never used",
        Origin::file("requirements.txt", 2),
    )
    .with_hint("`--variant cpu` makes the image about 5 GB smaller")
}

fn built_by() -> BuiltBy {
    BuiltBy {
        engine: "Docker 20.10.24 (API 1.41, BuildKit)".to_owned(),
        base: BaseOrigin::Bootstrapped,
        base_id: OLD.to_owned(),
        seconds: 83.2,
        cached_steps: (7, 12),
    }
}

fn layer(size: u64, created_by: &str) -> Layer {
    Layer { size, created_by: created_by.to_owned() }
}

fn image(tags: &[&str]) -> Image {
    Image {
        id: NEW.to_owned(),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        size: 6_170_000_000,
        user: "app".to_owned(),
        architecture: "amd64".to_owned(),
        layers: vec![
            layer(21_000, "COPY . . # buildkit"),
            layer(
                5_660_000_000,
                "RUN /bin/sh -c uv pip install --requirements requirements.txt --constraints constraints/base.txt # buildkit",
            ),
            layer(
                350_000_000,
                "|1 DEBIAN_FRONTEND=noninteractive /bin/sh -c apt-get update && apt-get install --yes g++",
            ),
            layer(120_000_000, "/bin/sh -c #(nop) ADD file:0f1e in / "),
        ],
        content: Content::default(),
        labels: BTreeMap::new(),
    }
}

fn environment() -> TrialEnvironment {
    TrialEnvironment {
        executable: "/opt/venv/bin/python".to_owned(),
        others: Vec::new(),
        python: "3.13.5".to_owned(),
        torch: "2.15.0+cu132".to_owned(),
        variant: "cuda 13.2".to_owned(),
        user: "1000:1000 (app)".to_owned(),
        cpu: "AMD EPYC 9R14".to_owned(),
        cpus: 2,
        libc: "glibc 2.41".to_owned(),
    }
}

fn check(id: &str, title: &str, outcome: CheckOutcome, evidence: &str, seconds: f64) -> Check {
    Check {
        id: id.to_owned(),
        title: title.to_owned(),
        outcome,
        evidence: evidence.to_owned(),
        facts: std::collections::BTreeMap::new(),
        error: String::new(),
        causes: Vec::new(),
        seconds,
    }
}

fn checks() -> Vec<Check> {
    use CheckOutcome::{Pass, Skip};
    vec![
        check("import", "torch can be imported", Pass, "torch 2.15.0+cu132 from /opt/venv", 3.1),
        check("variant", "the variant is the planned one", Pass, "planned CUDA, installed CUDA 13.2", 0.0),
        check("headers", "`Python.h` is where the interpreter looks", Pass, "/usr/include/python3.13/Python.h", 0.0),
        check(
            "compiler",
            "a C++ compiler runs",
            Pass,
            "g++ 14.2.0 at /usr/bin/g++, ran 14 times on a fresh cache",
            0.2,
        ),
        check(
            "kernels",
            "kernels are generated and vectorised",
            Pass,
            "3 kernels, 3 of them vectorised for AVX-512; the probe for the instruction set compiled and loaded its library",
            21.4,
        ),
        check("openmp", "the kernels run in parallel", Pass, "GOMP_parallel is imported by c7x2….so", 0.1),
        check("backward", "gradients agree with eager mode", Pass, "largest difference 4.8e-7", 12.9),
        check("gpu", "CUDA kernels run", Skip, "the container has no GPU", 0.0),
        check("warm", "a second process uses the cache", Pass, "2 hits, no compiler run", 8.8),
    ]
}

fn verification(checks: Vec<Check>, environment: TrialEnvironment, log: &[&str]) -> Verification {
    let trial = Trial {
        id: "as-is".to_owned(),
        title: "as the image is, by its own user".to_owned(),
        checks,
        environment,
        log: log.iter().map(|&line| line.to_owned()).collect(),
        seconds: 47.5,
    };
    Verification { profile: Profile::Standard, trials: vec![trial], untried: Vec::new(), recalled: None }
}

fn report(outcome: Outcome, diagnoses: Vec<Diagnosis>, notes: Vec<Note>) -> Report {
    Report { schema: SCHEMA, sconce: "0.1.0".to_owned(), outcome, diagnoses, notes, seconds: 131.7 }
}

/// A build that went well, over a tag that named another image before.
pub(crate) fn built() -> Report {
    let outcome = Outcome::Built {
        project: Box::new(project()),
        plan: Box::new(plan()),
        built_by: built_by(),
        image: image(&["gpt-fast:latest"]),
        tag: "gpt-fast:latest".to_owned(),
        replaced: Some(OLD.to_owned()),
        verification: verification(checks(), environment(), &[]),
    };
    let bootstrapped = Note::info(
        "the base `debian:trixie-slim` was neither on the engine nor to be pulled; it was made from Debian's packages",
        Origin::Catalogue { row: "debian-13".to_owned() },
    );
    report(outcome, Vec::new(), vec![cuda_note(), bootstrapped, project().notes.remove(0)])
}

fn missing_headers() -> Diagnosis {
    Diagnosis {
        id: "python-headers-missing".to_owned(),
        title: "the headers are missing".to_owned(),
        stage: "compile".to_owned(),
        confidence: Confidence::Certain,
        doubt: None,
        cause:
            "the headers of the interpreter that runs are not installed: every kernel includes `Python.h`, and it is \
                looked for where this interpreter's `sysconfig` says"
                .to_owned(),
        evidence: Evidence {
            line: 41,
            text: "/tmp/torchinductor/main.cpp:4:10: fatal error: Python.h: No such file or directory".to_owned(),
        },
        remedies: [
            ("conda", "conda install python-devel"),
            ("apt", "sudo apt-get install python3.13-dev"),
            ("docker", "RUN apt-get update && apt-get install --yes --no-install-recommends python3.13-dev"),
        ]
        .map(|(platform, command)| Remedy {
            platform: platform.to_owned(),
            note: None,
            commands: vec![command.to_owned()],
            fits: Vec::new(),
        })
        .to_vec(),
        check: vec!["python -c 'import sysconfig'".to_owned()],
        further: vec!["Headers of another version do not help.".to_owned()],
        references: vec!["https://docs.python.org/3/extending/building.html".to_owned()],
    }
}

fn failing_verification() -> Verification {
    let mut checks = checks();
    checks.truncate(5);
    for (index, error) in [
        (2, "FileNotFoundError: /usr/include/python3.13/Python.h"),
        (
            4,
            "Traceback (most recent call last):\n  File \"/opt/sconce/smoke.py\", line 210, in kernels\n\
             torch._inductor.exc.InductorError: CppCompileError: C++ compile error\n\nOutput:\n\
             /tmp/torchinductor/main.cpp:4:10: fatal error: Python.h: No such file or directory\n    4 | #include <Python.h>\n      |          ^~~~~~~~~~\n\
             \u{1b}[1mcompilation terminated.\u{1b}[0m",
        ),
    ] {
        checks[index].outcome = CheckOutcome::Fail;
        error.clone_into(&mut checks[index].error);
    }
    "/usr/include/python3.13 has no Python.h".clone_into(&mut checks[2].evidence);
    "the compiler said no".clone_into(&mut checks[4].evidence);
    verification(checks, environment(), &[])
}

/// A build whose image does not compile, over a tag that stays.
pub(crate) fn unproven() -> Report {
    let outcome = Outcome::Unproven {
        project: Box::new(project()),
        plan: Box::new(plan()),
        built_by: BuiltBy { base: BaseOrigin::Pulled, ..built_by() },
        image: image(&[]),
        tag: "gpt-fast:latest".to_owned(),
        unchanged: Some(OLD.to_owned()),
        verification: failing_verification(),
    };
    report(outcome, vec![missing_headers()], vec![cuda_note()])
}

/// A build whose installer found nothing to install.
pub(crate) fn build_failed() -> Report {
    let outcome = Outcome::BuildFailed {
        project: Box::new(project()),
        plan: Box::new(plan()),
        failure: BuildFailure {
            step: "[5/9] RUN --mount=type=cache,target=/root/.cache/uv uv pip install --requirements requirements.txt"
                .to_owned(),
            message: "process \"/bin/sh -c uv pip install\" did not complete successfully: exit code: 1".to_owned(),
            log: (1..=14)
                .map(|line| format!("Resolved line {line}"))
                .chain(["  × No solution found when resolving dependencies:".to_owned()])
                .collect(),
        },
        tag: "gpt-fast:latest".to_owned(),
        unchanged: None,
    };
    report(outcome, Vec::new(), Vec::new())
}

/// An image that someone else made, in which nothing could even begin.
pub(crate) fn foreign() -> Report {
    let outcome = Outcome::Verified {
        image: Image { user: String::new(), size: 124_000_000, ..image(&["debian:trixie"]) },
        reference: "debian:trixie".to_owned(),
        verification: verification(
            vec![check("import", "torch can be imported", CheckOutcome::Skip, "no interpreter with torch", 0.0)],
            TrialEnvironment::default(),
            &["smoke: no python3 in PATH"],
        ),
    };
    report(outcome, Vec::new(), Vec::new())
}

fn trial(id: &str, title: &str, checks: Vec<Check>, seconds: f64) -> Trial {
    Trial { id: id.to_owned(), title: title.to_owned(), checks, environment: environment(), log: Vec::new(), seconds }
}

/// A proof in several ways of running the image: the first remembered, one without a GPU to use, and one not tried.
fn thorough_verification() -> Verification {
    let gpu = check("triton", "a Triton kernel runs", CheckOutcome::Skip, "the engine has no GPU to give", 0.0);
    let mut proof = verification(checks(), environment(), &[]);
    proof.profile = Profile::Thorough;
    proof.recalled = Some(Recalled { at: 1_767_225_599, same: Same::Environment });
    proof.trials.extend([
        trial("unknown-uid", "as a user without a name", checks(), 52.1),
        trial("read-only", "on a read-only root", checks(), 49.8),
        trial("gpu", "with a GPU", vec![gpu], 0.0),
    ]);
    proof.untried = vec![Untried {
        id: "small-memory".to_owned(),
        title: "in little memory".to_owned(),
        reason: "the engine cannot limit memory".to_owned(),
    }];
    proof
}

fn verified(reference: &str, verification: Verification, diagnoses: Vec<Diagnosis>) -> Report {
    let image = Image { tags: vec![reference.to_owned()], ..image(&[]) };
    report(Outcome::Verified { image, reference: reference.to_owned(), verification }, diagnoses, Vec::new())
}

/// An image that was proven in every way that could be tried.
pub(crate) fn thorough() -> Report {
    verified("team/app:1.4", thorough_verification(), Vec::new())
}

/// An image that works as it is, but not on a read-only root, for a reason that is known.
pub(crate) fn fails_read_only() -> Report {
    let known = Diagnosis { id: "cache-not-writable".to_owned(), ..missing_headers() };
    let mut proof = thorough_verification();
    proof.recalled = None;
    let broken = &mut proof.trials[2];
    broken.log = vec!["OSError: [Errno 30] Read-only file system".to_owned()];
    for index in [4, 6] {
        let check = &mut broken.checks[index];
        check.outcome = CheckOutcome::Fail;
        "there is no folder to write to".clone_into(&mut check.evidence);
        "OSError: [Errno 30] Read-only file system: '/var/cache/torchinductor'".clone_into(&mut check.error);
        check.causes = vec![known.id.clone()];
    }
    verified("registry.example.org:5000/team/broken:1.4", proof, vec![known])
}

/// What would be markup, an escape sequence, a workflow command or an end of a block, wherever it were taken for one.
pub(crate) const HOSTILE: &str = "<script>document.title='owned'</script>\"><img src=x onerror=document.title='owned'>\
    \u{1b}[31mred\u{1b}[0m\u{7}\u{202e}gnp.exe\u{2066} ]]> ```` `one &amp; ](https://example.org) | @all\n::error::owned\n# owned";

/// An image that wrote [`HOSTILE`] wherever it could.
pub(crate) fn hostile() -> Report {
    let mut proof = failing_verification();
    let first = &mut proof.trials[0];
    first.log = vec![HOSTILE.to_owned()];
    for field in [&mut first.title, &mut first.environment.torch, &mut first.environment.python] {
        HOSTILE.clone_into(field);
    }
    for check in &mut first.checks {
        for field in [&mut check.title, &mut check.evidence, &mut check.error] {
            HOSTILE.clone_into(field);
        }
    }
    HOSTILE.clone_into(&mut first.checks[0].id);
    first.checks[0].causes = vec![HOSTILE.to_owned()];
    proof.untried = vec![Untried { id: HOSTILE.to_owned(), title: HOSTILE.to_owned(), reason: HOSTILE.to_owned() }];
    let remedy = Remedy {
        platform: HOSTILE.to_owned(),
        note: Some(HOSTILE.to_owned()),
        commands: vec![HOSTILE.to_owned()],
        fits: Vec::new(),
    };
    let known = Diagnosis {
        id: HOSTILE.to_owned(),
        title: HOSTILE.to_owned(),
        stage: HOSTILE.to_owned(),
        confidence: Confidence::Likely,
        doubt: None,
        cause: HOSTILE.to_owned(),
        evidence: Evidence { line: 1, text: HOSTILE.to_owned() },
        remedies: vec![remedy],
        check: vec![HOSTILE.to_owned()],
        further: vec![HOSTILE.to_owned()],
        references: vec![HOSTILE.to_owned()],
    };
    let mut report = verified("team/hostile:1", proof, vec![known]);
    if let Outcome::Verified { image, .. } = &mut report.outcome {
        HOSTILE.clone_into(&mut image.layers[0].created_by);
    }
    report.notes = vec![Note::warning(HOSTILE, Origin::file(HOSTILE, 1)).with_hint(HOSTILE)];
    report
}

/// Answers of a run that was started in the folder above the project.
pub(crate) fn answers(reports: Vec<Report>) -> Answers {
    let list =
        reports.into_iter().map(|report| Answer { reference: report.outcome.name().to_owned(), result: Ok(report) });
    Answers { list: list.collect(), folder: Some(PathBuf::from("/projects")) }
}

/// A pass, a fail with its cause, one in which nothing could begin, and one that was not there.
pub(crate) fn matrix() -> Answers {
    let mut answers = answers(vec![thorough(), fails_read_only(), foreign()]);
    let missing = Error::no("there is no image `team/gone:1` on the engine").with_hint("`--pull` asks a registry");
    answers.list.push(Answer { reference: "team/gone:1".to_owned(), result: Err(missing) });
    answers
}

/// The catalogue's bases.
pub(crate) fn bases() -> Vec<BaseRow> {
    [("debian-13", "trixie", "3.13"), ("debian-12", "bookworm", "3.11")]
        .map(|(id, suite, python)| BaseRow {
            id: id.to_owned(),
            reference: format!("debian:{suite}-slim"),
            bootstrapped: Some(format!("localhost/sconce/debian:{suite}")),
            suite: Some(suite.to_owned()),
            package_manager: PackageManager::Apt,
            architectures: vec!["amd64".to_owned()],
            glibc: "2.41".to_owned(),
            size_mb: Some(120),
            releases: Vec::new(),
            on_request: false,
            unverified: suite == "bookworm",
            pythons: vec![python.to_owned()],
            ways: vec![BasePythons { provider: PythonProvider::Distribution, versions: vec![python.to_owned()] }],
            present: (suite == "trixie").then(|| vec![format!("localhost/sconce/debian:{suite}")]),
        })
        .to_vec()
}
