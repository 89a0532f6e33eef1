//! The proof on the real engine: a good image is proven, and a sabotaged one fails on exactly the checks that it should.
//!
//! Debian's own torch keeps the images small. Each is one layer on the good one, made by the cache when run again.

use std::sync::LazyLock;
use std::time::Duration;

use sconce::catalogue::Catalogue;
use sconce::diagnose::diagnose;
use sconce::engine::docker::Docker;
use sconce::engine::{BuildOutcome, BuildRequest, Engine as _, Redactor, Silent};
use sconce::model::{CheckOutcome, ErrorKind, Result, Variant, Verification};
use sconce::verify::{Expectation, Limits, verify};
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
static TURNS: Semaphore = Semaphore::const_new(2);

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::embedded().unwrap());

fn any() -> Expectation {
    Expectation { variant: Variant::Any, torch: "".parse().unwrap(), python: None }
}

const LIMITS: Limits = Limits { memory: 4 << 30, timeout: Duration::from_mins(10) };

/// Builds `lines` on top of the good image, or of the bare base, and tags the result `tag`.
async fn build(engine: &Docker, from: &str, lines: &str, tag: &str) {
    let context = tempfile::tempdir().unwrap();
    let request = BuildRequest {
        dockerfile: format!("FROM {from}\n{lines}"),
        context: context.path().to_owned(),
        args: [].into(),
        secrets: [].into(),
        labels: [].into(),
        tag: tag.to_owned(),
        platform: None,
        no_cache: false,
        host_network: false,
        redactor: Redactor::default(),
    };
    let outcome = engine.build(&request, &Silent).await.unwrap();
    assert!(matches!(outcome, BuildOutcome::Built { .. }), "{outcome:?}");
}

/// The good image's tag; the first test to come builds it.
async fn good_image(engine: &Docker) -> &'static str {
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
    let verification = verify(&engine, &tag, expectation, &LIMITS).await;
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
    assert!(verification.checks.iter().all(|check| check.outcome == CheckOutcome::Pass), "{verification:#?}");
    let fact = |id: &str, name: &str| {
        verification.checks.iter().find(|check| check.id == id).unwrap().facts[name].as_u64().unwrap()
    };
    assert_eq!((fact("compile", "graphs"), fact("dynamic", "graphs"), fact("warm", "misses")), (1, 1, 0));
    assert!(
        fact("compile", "compiler_runs") >= 2 && fact("kernels", "generated") >= 2 && fact("openmp", "kernels") >= 1
    );
    let environment = &verification.environment;
    assert_eq!((environment.python.as_str(), environment.variant.as_str()), ("3.13.5", "cpu"));
    assert!(environment.user.ends_with("(app)"), "{environment:?}");
}

#[tokio::test]
async fn without_python_h() {
    fails("header", "RUN rm /usr/include/python3.13/Python.h", &["headers", "compile"], &["C03"]).await;
}

#[tokio::test]
async fn without_a_compiler() {
    fails("compiler", "RUN rm /usr/bin/g++", &["compiler", "compile", "openmp"], &["C01"]).await;
}

#[tokio::test]
async fn without_omp_h() {
    fails("omp", "RUN rm $(find /usr/lib/gcc -name omp.h)", &["compile", "openmp"], &["O01"]).await;
}

#[tokio::test]
async fn without_the_link_name_of_openmp() {
    fails("gomp", "RUN rm $(find /usr/lib/gcc -name libgomp.so)", &["compile", "openmp"], &["O03"]).await;
}

#[tokio::test]
async fn without_the_runtime_of_openmp() {
    fails("runtime", "RUN rm /usr/lib/*/libgomp.so.1*", &["torch"], &["O04"]).await;
}

#[tokio::test]
async fn without_setuptools() {
    let lines = "RUN rm -r /usr/lib/python3/dist-packages/setuptools";
    fails("setuptools", lines, &["setuptools", "compile"], &["C13"]).await;
}

#[tokio::test]
async fn without_vector_instructions() {
    if !std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default().contains(" avx2 ") {
        eprintln!("skipped: this processor has no AVX2, so scalar code is all that it can run");
        return;
    }
    fails("scalar", "ENV LD_PRELOAD=", &["kernels"], &["C16"]).await;
}

#[tokio::test]
async fn switched_off() {
    fails("disabled", "ENV TORCHDYNAMO_DISABLE=1", &["enabled"], &["E01"]).await;
}

/// With suppression on, the failed compile returns the right values: only the proof notices.
#[tokio::test]
async fn errors_suppressed_and_a_header_missing() {
    let lines = "ENV TORCHDYNAMO_SUPPRESS_ERRORS=1\nRUN rm /usr/include/python3.13/Python.h";
    fails("suppressed", lines, &["enabled", "headers", "compile"], &["C03", "E02"]).await;
}

#[tokio::test]
async fn torch_compile_replaced_by_nothing() {
    let lines = "RUN printf 'import torch\\ntorch.compile = lambda function=None, **options: \
                 function or (lambda function: function)\\n' > /usr/lib/python3.13/sitecustomize.py";
    fails("identity", lines, &["enabled", "compile"], &["E01"]).await;
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
    hold(&verification, &["variant", "enabled", "cache", "headers"], &["C17", "E02", "F02", "V05"]);
    let passed = verification.checks.iter().filter(|check| check.outcome == CheckOutcome::Pass).count();
    assert_eq!(passed, verification.checks.len() - 4, "{verification:#?}");
}

#[tokio::test]
async fn without_torch() {
    fails("torch", "RUN rm -r /usr/lib/python3/dist-packages/torch", &["torch"], &["V06"]).await;
}

#[tokio::test]
async fn out_of_time_and_out_of_memory() {
    let engine = connect().await;
    let _turn = TURNS.acquire().await.unwrap();
    let good = good_image(&engine).await;
    let short = Limits { timeout: Duration::from_secs(3), ..LIMITS };
    let verification = verify(&engine, good, &any(), &short).await.unwrap();
    assert!(!verification.proven());
    let said: Vec<_> = verification.failed().map(|check| check.evidence.as_str()).collect();
    assert!(said.iter().any(|said| said.contains("time was up") || said.contains("was stopped")), "{said:?}");

    let small = Limits { memory: 200 << 20, ..LIMITS };
    let verification = verify(&engine, good, &any(), &small).await.unwrap();
    assert!(!verification.proven());
    let completed = verification.failed().find(|check| check.id == "completed").unwrap();
    assert!(completed.evidence.starts_with("it ran out of memory at 200 MiB"), "{completed:?}");
}

#[tokio::test]
async fn images_without_python_or_without_a_shell() {
    let engine = connect().await;
    let base = base_image(&engine).await;
    let verification = verify(&engine, base, &any(), &LIMITS).await.unwrap();
    hold(&verification, &["python"], &["V07"]);

    let tag = format!("localhost/sconce-test-proof:empty-{}", std::process::id());
    build(&engine, "scratch", "ENV EMPTY=1\n", &tag).await;
    let error = verify(&engine, &tag, &any(), &LIMITS).await.unwrap_err();
    engine.untag(&tag, true).await.unwrap();
    assert_eq!(error.kind, ErrorKind::No);
    assert!(error.hint.as_deref().is_some_and(|hint| hint.contains("--python")), "{error:?}");
}
