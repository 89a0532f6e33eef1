//! The proof on the real engine: a good image is proven, and a sabotaged one fails on exactly the checks that it should.
//!
//! Debian's own torch keeps the images small. Each is one layer on the good one, made by the cache when run again.

use std::sync::LazyLock;
use std::time::Duration;

use sconce::catalogue::Catalogue;
use sconce::diagnose::diagnose;
use sconce::engine::docker::Docker;
use sconce::engine::{BuildOutcome, BuildRequest, Engine as _, Gpus, Redactor, RunRequest, Silent};
use sconce::model::{CheckOutcome, CompileForm, CompileUse, Origin, Profile, Result, Variant, Verification};
use sconce::verify::{Conditions, Expectation, Question, Script, compiles, own_check, verify};
use tokio::sync::{OnceCell, Semaphore};

use crate::support::{base_image, connect};

/// What compiling takes. The kernels call SLEEF, but Debian's torch, unlike a wheel, does not bring it into them.
const GOOD: &str = "\
RUN apt-get update \\
 && apt-get install -y --no-install-recommends \\
    python3-torch g++ python3-setuptools libtorch-dev libsleef-dev python3-dev openssl \\
 && rm -rf /var/lib/apt/lists/* \\
 && useradd --create-home app
ENV LD_PRELOAD=libsleef.so.3
USER app
";

/// A proof takes a processor and a gigabyte; more at once would only wait for each other.
pub(crate) static TURNS: Semaphore = Semaphore::const_new(2);

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::embedded().unwrap());

fn any() -> Expectation {
    Expectation { variant: Variant::Any, torch: "".parse().unwrap(), python: None }
}

fn question(expectation: &Expectation) -> Question {
    Question {
        expectation: expectation.clone(),
        conditions: Conditions { timeout: Duration::from_mins(10), ..Conditions::default() },
        profile: Profile::Standard,
        compiles: vec![],
        smoke: None,
    }
}

/// The id of an image: what a proof is bound to.
async fn id(engine: &Docker, reference: &str) -> String {
    engine.find_image(reference).await.unwrap().expect("the image").id
}

/// Builds `lines` on top of the good image, or of the bare base, and tags the result `tag`.
pub(crate) async fn build(engine: &Docker, from: &str, lines: &str, tag: &str) {
    let context = tempfile::tempdir().unwrap();
    let request = BuildRequest {
        dockerfile: format!("FROM {from}\n{lines}"),
        context: Some(context.path().to_owned()),
        args: [].into(),
        secrets: [].into(),
        labels: [].into(),
        tag: tag.to_owned(),
        target: None,
        platform: None,
        no_cache: false,
        host_network: false,
        redactor: Redactor::default(),
    };
    let outcome = engine.build(&request, &Silent).await.unwrap();
    assert!(matches!(outcome, BuildOutcome::Built { .. }), "{outcome:?}");
}

/// The good image's tag; the first test to come builds it.
pub(crate) async fn good_image(engine: &Docker) -> &'static str {
    static GOOD_TAG: OnceCell<String> = OnceCell::const_new();
    let make = async || {
        let tag = "localhost/sconce-test-proof:good".to_owned();
        let base = base_image(engine).await;
        build(engine, base, GOOD, &tag).await;
        tag
    };
    GOOD_TAG.get_or_init(make).await
}

/// The proof of the good image with `lines` on top.
async fn sabotaged(name: &str, lines: &str, expectation: &Expectation) -> Result<Verification> {
    let engine = connect().await;
    let _turn = TURNS.acquire().await.unwrap();
    let good = good_image(&engine).await;
    let tag = format!("localhost/sconce-test-proof:{name}-{}", std::process::id());
    build(&engine, good, &format!("USER root\n{lines}\nUSER app\n"), &tag).await;
    let verification = verify(&engine, &id(&engine, &tag).await, &question(expectation)).await;
    engine.untag(&tag, true).await.unwrap();
    verification
}

/// Holds a sabotaged image against the checks that have to fail and the causes that have to be found.
async fn fails(name: &str, lines: &str, checks: &[&str], causes: &[&str]) {
    let verification = sabotaged(name, lines, &any()).await.unwrap();
    hold(&verification, checks, causes);
}

fn hold(verification: &Verification, checks: &[&str], causes: &[&str]) {
    let failed: Vec<_> = verification.failed().map(|check| check.id.as_str()).collect();
    assert_eq!(failed, checks, "{verification:#?}");
    assert!(!verification.proven());
    let said: Vec<_> = verification.failed().map(|check| format!("{}\n{}", check.evidence, check.error)).collect();
    let mut found: Vec<_> = diagnose(&CATALOGUE, &said.join("\n")).into_iter().map(|diagnosis| diagnosis.id).collect();
    found.sort();
    assert_eq!(found, causes, "{said:#?}");
}

#[tokio::test]
async fn a_good_image_is_proven() {
    let cpu = Expectation { variant: Variant::Cpu, torch: "~=2.6.0".parse().unwrap(), python: None };
    let verification = sabotaged("good", "", &cpu).await.unwrap();
    assert!(verification.proven(), "{verification:#?}");
    assert!(verification.checks().all(|check| check.outcome == CheckOutcome::Pass), "{verification:#?}");
    let fact = |id: &str, name: &str| {
        verification.checks().find(|check| check.id == id).unwrap().facts[name].as_u64().unwrap()
    };
    assert_eq!((fact("compile", "graphs"), fact("dynamic", "graphs"), fact("warm", "misses")), (1, 1, 0));
    assert!(
        fact("compile", "compiler_runs") >= 2 && fact("kernels", "generated") >= 2 && fact("openmp", "kernels") >= 1
    );
    let environment = verification.environment();
    assert_eq!((environment.python.as_str(), environment.variant.as_str()), ("3.13.5", "cpu"));
    assert!(environment.user.ends_with("(app)"), "{environment:?}");
}

#[tokio::test]
async fn without_python_h() {
    fails("header", "RUN rm /usr/include/python3.13/Python.h", &["headers", "compile"], &["PYTHON_H_MISSING"]).await;
}

#[tokio::test]
async fn without_a_compiler() {
    fails("compiler", "RUN rm /usr/bin/g++", &["compiler", "compile", "openmp"], &["NO_CXX_COMPILER"]).await;
}

#[tokio::test]
async fn without_omp_h() {
    fails("omp", "RUN rm $(find /usr/lib/gcc -name omp.h)", &["compile", "openmp"], &["OMP_H_MISSING"]).await;
}

#[tokio::test]
async fn without_the_link_name_of_openmp() {
    fails("gomp", "RUN rm $(find /usr/lib/gcc -name libgomp.so)", &["compile", "openmp"], &["OPENMP_LINK"]).await;
}

#[tokio::test]
async fn without_the_runtime_of_openmp() {
    fails("runtime", "RUN rm /usr/lib/*/libgomp.so.1*", &["torch"], &["OPENMP_RUNTIME_MISSING"]).await;
}

#[tokio::test]
async fn without_setuptools() {
    let lines = "RUN rm -r /usr/lib/python3/dist-packages/setuptools";
    fails("setuptools", lines, &["setuptools", "compile"], &["SETUPTOOLS_MISSING"]).await;
}

#[tokio::test]
async fn without_vector_instructions() {
    if !std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default().contains(" avx2 ") {
        eprintln!("skipped: this processor has no AVX2, so scalar code is all that it can run");
        return;
    }
    fails("scalar", "ENV LD_PRELOAD=", &["kernels"], &["SLEEF_MISSING"]).await;
}

#[tokio::test]
async fn switched_off() {
    fails("disabled", "ENV TORCHDYNAMO_DISABLE=1", &["enabled"], &["COMPILE_DISABLED"]).await;
}

/// With suppression on, the failed compile returns the right values: only the proof notices.
#[tokio::test]
async fn errors_suppressed_and_a_header_missing() {
    let lines = "ENV TORCHDYNAMO_SUPPRESS_ERRORS=1\nRUN rm /usr/include/python3.13/Python.h";
    fails("suppressed", lines, &["enabled", "headers", "compile"], &["ERRORS_SUPPRESSED", "PYTHON_H_MISSING"]).await;
}

#[tokio::test]
async fn torch_compile_replaced_by_nothing() {
    let lines = "RUN printf 'import torch\\ntorch.compile = lambda function=None, **options: \
                 function or (lambda function: function)\\n' > /usr/lib/python3.13/sitecustomize.py";
    fails("identity", lines, &["enabled", "compile"], &["COMPILE_DISABLED"]).await;
}

/// Four faults that have nothing to do with each other: none hides another, and all else passes.
#[tokio::test]
async fn four_faults_at_once() {
    let lines = "ENV TORCHDYNAMO_SUPPRESS_ERRORS=0 TORCHINDUCTOR_CACHE_DIR=/var/cache/torchinductor\n\
                 RUN mkdir /var/cache/torchinductor \\\n \
                 && sed -i 's/\"3.13.5\"/\"3.12.9\"/' /usr/include/python3.13/patchlevel.h";
    let version = Some("13.2".to_owned());
    let planned = Expectation { variant: Variant::Cuda { version }, ..any() };
    let verification = sabotaged("four", lines, &planned).await.unwrap();
    hold(
        &verification,
        &["variant", "cache", "enabled", "headers"],
        &["CACHE_NOT_WRITABLE", "ERRORS_SUPPRESSED", "OTHER_TORCH_BUILD", "PYTHON_H_MISMATCH"],
    );
    let others: Vec<_> = verification.checks().filter(|check| check.outcome == CheckOutcome::Skip).collect();
    // Into a cache directory that is of no use there is no look.
    assert_eq!(others.iter().map(|check| check.id.as_str()).collect::<Vec<_>>(), ["baked"], "{verification:#?}");
}

#[tokio::test]
async fn without_torch() {
    fails("torch", "RUN rm -r /usr/lib/python3/dist-packages/torch", &["torch"], &["TORCH_MISSING"]).await;
}

#[tokio::test]
async fn out_of_time_and_out_of_memory() {
    let engine = connect().await;
    let _turn = TURNS.acquire().await.unwrap();
    let good = good_image(&engine).await;
    let good = id(&engine, good).await;
    let mut short = question(&any());
    short.conditions.timeout = Duration::from_secs(3);
    let verification = verify(&engine, &good, &short).await.unwrap();
    assert!(!verification.proven());
    let said: Vec<_> = verification.failed().map(|check| check.evidence.as_str()).collect();
    assert!(said.iter().any(|said| said.contains("time was up") || said.contains("was stopped")), "{said:?}");

    let mut small = question(&any());
    small.conditions.memory = 200 << 20;
    let verification = verify(&engine, &good, &small).await.unwrap();
    assert!(!verification.proven());
    let completed = verification.failed().find(|check| check.id == "completed").unwrap();
    assert!(completed.evidence.starts_with("it ran out of memory at 200 MiB"), "{completed:?}");
}

#[tokio::test]
async fn images_without_python_or_without_a_shell() {
    let engine = connect().await;
    let base = base_image(&engine).await;
    let verification = verify(&engine, &id(&engine, base).await, &question(&any())).await.unwrap();
    hold(&verification, &["python"], &["PYTHON_MISSING"]);

    let tag = format!("localhost/sconce-test-proof:empty-{}", std::process::id());
    build(&engine, "scratch", "ENV EMPTY=1\n", &tag).await;
    let verification = verify(&engine, &id(&engine, &tag).await, &question(&any())).await.unwrap();
    engine.untag(&tag, true).await.unwrap();
    hold(&verification, &["python"], &["PYTHON_MISSING"]);
}

/// A program that prints a whole document proves nothing: it cannot have the image's id in it.
#[tokio::test]
async fn a_document_that_the_image_brings_is_no_proof() {
    let engine = connect().await;
    let base = base_image(&engine).await;
    let tag = format!("localhost/sconce-test-proof:forged-{}", std::process::id());
    let titles = sconce::verify::SMOKE_TEST.split_once("\nTITLES = {\n").unwrap().1.split_once("\n}\n").unwrap().0;
    let ids = titles.lines().filter_map(|line| line.split('"').nth(1));
    let pass = |id| format!(r#"{{"id":"{id}","title":"t","outcome":"pass","evidence":"fine","facts":{{}}}}"#);
    let checks: Vec<_> = ids.filter(|id| !id.starts_with("gpu") && *id != "smoke").map(pass).collect();
    let document = format!(
        r#"{{"schema":2,"image":"sha256:{}","checks":[{}],"environment":{{"torch":"2.15.0","variant":"cpu"}}}}"#,
        "a".repeat(64),
        checks.join(",")
    );
    // As the probe it says that it has torch; as the proof it writes the document, where the real one would.
    let lines = format!(
        "RUN printf '%s\\n' '#!/bin/sh' 'case \"$*\" in *version_info*) exit 0;; esac' \
         'cat /document >&3' > /usr/bin/python3 && chmod 755 /usr/bin/python3 && echo '{document}' > /document\n"
    );
    build(&engine, base, &lines, &tag).await;
    let verification = verify(&engine, &id(&engine, &tag).await, &question(&any())).await.unwrap();
    engine.untag(&tag, true).await.unwrap();
    let failed: Vec<_> = verification.failed().map(|check| (check.id.as_str(), check.evidence.as_str())).collect();
    assert_eq!(failed, [("completed", "a document that speaks of another image")]);
}

/// torch.compile needs no shell, and neither does its proof; a GPU that is not there is skipped, and has not passed.
#[tokio::test]
async fn without_a_shell_and_without_a_gpu() {
    let engine = connect().await;
    let _turn = TURNS.acquire().await.unwrap();
    let good = good_image(&engine).await;
    let tag = format!("localhost/sconce-test-proof:no-shell-{}", std::process::id());
    let lines = "USER root\nRUN rm -f /bin/sh /usr/bin/dash /usr/bin/bash\nUSER app\n";
    build(&engine, good, lines, &tag).await;
    let mut question = Question { profile: Profile::Quick, ..question(&any()) };
    question.conditions.gpus = Some(Gpus::All);
    let verification = verify(&engine, &id(&engine, &tag).await, &question).await.unwrap();
    engine.untag(&tag, true).await.unwrap();
    assert!(verification.proven(), "{verification:#?}");
    let gpu = &verification.trials[1];
    assert_eq!(gpu.id, "gpu");
    let kernel = gpu.checks.iter().find(|check| check.id == "gpu-kernel").unwrap();
    match gpu.outcome() {
        CheckOutcome::Skip => assert_eq!(kernel.outcome, CheckOutcome::Skip, "{gpu:#?}"),
        outcome => assert_eq!((outcome, kernel.outcome), (CheckOutcome::Pass, CheckOutcome::Pass), "{gpu:#?}"),
    }
    let untried: Vec<_> = verification.untried.iter().map(|item| item.id.as_str()).collect();
    assert_eq!(untried, ["dynamic", "warm", "unknown-uid", "read-only", "one-cpu", "small-memory"]);
}

/// The project's own calls of torch.compile, and its own check: one that passes in one question, one that fails in another.
#[tokio::test]
async fn what_a_project_brings_of_its_own() {
    let engine = connect().await;
    let _turn = TURNS.acquire().await.unwrap();
    let good = good_image(&engine).await;
    let good = id(&engine, good).await;
    let call = |backend: &str, mode: Option<&str>| CompileUse {
        form: CompileForm::Call,
        backend: Some(backend.to_owned()),
        mode: mode.map(str::to_owned),
        dynamic: None,
        fullgraph: None,
        computed: vec![],
        origin: Origin::file("train.py", 7),
    };
    let calls = [call("inductor", Some("reduce-overhead")), call("of_the_project", None), call("aot_eager", None)];
    let script = |text: &str| Some(Script { name: "check.py".to_owned(), text: text.to_owned() });
    let mut question = question(&any());
    question.compiles = compiles(&calls);
    question.smoke =
        script("import os, torch\nprint(os.getcwd(), torch.compile(lambda x: x + 1)(torch.ones(2)).sum().item())\n");
    let verification = verify(&engine, &good, &question).await.unwrap();
    assert!(verification.proven(), "{verification:#?}");
    let outcome = |id: &str| verification.checks().find(|check| check.id == id).map(|check| check.outcome);
    assert_eq!(outcome("compile:mode=reduce-overhead"), Some(CheckOutcome::Pass));
    assert_eq!(outcome("compile:backend=aot_eager"), Some(CheckOutcome::Pass));
    assert_eq!(outcome("compile:backend=of_the_project"), Some(CheckOutcome::Skip));
    let own = verification.trials.iter().find(|trial| trial.id == "smoke").unwrap();
    assert_eq!(own.checks[2].evidence, "it ended with status 0: / 4.0");

    question.smoke = script("raise SystemExit('fatal error: Python.h: No such file or directory')\n");
    let own = own_check(&engine, &good, &question).await.unwrap().unwrap();
    assert_eq!((own.outcome(), own.checks[2].outcome), (CheckOutcome::Fail, CheckOutcome::Fail), "{own:#?}");
    let found = diagnose(&CATALOGUE, &own.checks[2].error);
    assert_eq!(found.iter().map(|diagnosis| diagnosis.id.as_str()).collect::<Vec<_>>(), ["PYTHON_H_MISSING"]);
}

/// What compares the values, with values that are wrong in each tensor in turn.
const WRONG_NUMBERS: &str = r#"
import sys
smoke = {"__name__": "smoke"}
exec(compile(sys.argv[1], "smoke.py", "exec"), smoke)
smoke["import_torch"]()
import torch
right, exact = smoke["eager"](torch.float32), smoke["eager"](torch.float64)

def refused(values, expected=right, exact=exact, tolerance=1e-4):
    try:
        smoke["compare"]({}, values, expected, exact, tolerance)
    except smoke["Failed"]:
        return True
    return False

assert not refused(right) and not refused(right, tolerance=1e-2)
for place in range(len(right)):
    def spoilt(change, of=right):
        values = [tensor.clone() for tensor in of]
        change(values[place])
        return values
    assert refused(spoilt(lambda tensor: tensor.mul_(1.01))), ("1 % off", place)
    assert refused(spoilt(lambda tensor: tensor.mul_(1.1)), tolerance=1e-2), ("10 % off", place)
    assert refused(spoilt(lambda tensor: tensor.zero_()), tolerance=1e-2), ("nothing", place)
    for wrong in (float("nan"), float("inf"), 1e3):
        assert refused(spoilt(lambda tensor: tensor.view(-1)[7:8].fill_(wrong))), (wrong, place)
        both = spoilt(lambda tensor: tensor.view(-1)[7:8].fill_(wrong))
        assert refused(both, expected=both), ("eager mode too", wrong, place)
print("seen")
"#;

#[tokio::test]
async fn wrong_numbers_are_seen_in_every_tensor() {
    let engine = connect().await;
    let _turn = TURNS.acquire().await.unwrap();
    let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
    let request = RunRequest {
        image: good_image(&engine).await.to_owned(),
        entrypoint: words(&["python3"]),
        args: words(&["-c", WRONG_NUMBERS, sconce::verify::SMOKE_TEST]),
        memory: 2 << 30,
        pids: 512,
        timeout: Duration::from_mins(5),
        ..RunRequest::default()
    };
    let output = engine.run(&request).await.unwrap();
    assert_eq!((output.exit_code, output.stdout.as_str()), (Some(0), "seen\n"), "{}", output.stderr);
}
