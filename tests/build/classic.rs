//! Docker's classic builder.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::time::Duration;

use sconce::engine::{BuildOutcome, Engine as _};
use sconce::model::ErrorKind;

use super::bench::{Bench, Builder, Told, counts, with, with_secret};
use crate::support::{ask, unique};

async fn bench() -> Bench {
    Bench::new(with(Builder::Classic)).await
}

#[tokio::test]
async fn builds_the_same_and_caches() {
    let bench = bench().await;
    for path in ["keep.py", "with space", "new\nline", "ünï", "drop.log", "logs/keep.log", "run"] {
        bench.write(path, path);
    }
    fs::create_dir(bench.path().join("empty")).unwrap();
    symlink("keep.py", bench.path().join("link")).unwrap();
    fs::set_permissions(bench.path().join("run"), fs::Permissions::from_mode(0o700)).unwrap();
    bench.write(".dockerignore", "**/*.log\n!logs/keep.log\n.dockerignore\n");
    let proxy = format!("http://{}.example.org", unique());
    let dockerfile =
        "FROM BASE\nARG GREETING\nCOPY . /src/\nRUN echo $GREETING; printf %s $HTTP_PROXY | wc -c > /length\n";
    let mut request = bench.request(dockerfile);
    let greeting = format!("hello {}", unique());
    request.args = [("HTTP_PROXY".to_owned(), proxy.clone()), ("GREETING".to_owned(), greeting.clone())].into();
    let (first, told) = bench.run(&request).await;
    // Arguments and labels are steps of their own; the base is none.
    assert_eq!(counts(&first).1, 4, "{:?}", told.steps());
    assert!(told.steps()[3].starts_with("[4/5] RUN echo"), "{:?}", told.steps());
    assert_eq!(told.log(), [greeting]);
    let (second, _) = bench.run(&request).await;
    assert_eq!(counts(&second), (4, 4));
    let (uncached, _) = bench.run(&sconce::engine::BuildRequest { no_cache: true, ..request.clone() }).await;
    assert_eq!(counts(&uncached), (0, 4));

    let listed = bench.output("cat /length; cd /src && find . -printf '%y %m %P>%l\\0' | sort -z | tr '\\0' '|'").await;
    assert_eq!(
        listed,
        "51\nd 755 >|d 755 empty>|d 755 logs>|f 644 keep.py>|f 644 logs/keep.log>|f 644 new\nline>|f 644 with space>|\
         f 644 ünï>|f 755 run>|l 777 link>keep.py|"
    );
    let image = bench.engine.find_image(&bench.tag).await.unwrap().unwrap();
    for page in ["json", "history"] {
        let (_, document) = ask(&bench.engine, "GET", &format!("/images/{}/{page}", image.id), "").await;
        assert!(!document.to_string().contains(&proxy), "{document}");
    }
}

#[tokio::test]
async fn a_secret_is_refused_before_anything_starts() {
    let bench = bench().await;
    let request = with_secret(bench.request("FROM BASE\nRUN true\n"), "token", "hunter22");
    let (outcome, told) = bench.run(&request).await;
    let error = outcome.unwrap_err();
    assert!(error.message.contains("cannot keep a secret"), "{error}");
    assert!(error.hint.unwrap().contains("DOCKER_BUILDKIT"));
    assert!(told.events().is_empty());
    assert!(bench.images().is_empty());
}

#[tokio::test]
async fn a_step_that_fails_is_an_outcome_with_its_log() {
    let bench = bench().await;
    let (outcome, _) = bench.build("FROM BASE\nRUN echo out; echo bad >&2; exit 3\n").await;
    let BuildOutcome::Failed(failure) = outcome.unwrap() else { panic!("built") };
    assert!(failure.step.starts_with("[2/3] RUN echo out"), "{}", failure.step);
    assert!(failure.message.contains("non-zero code: 3"), "{}", failure.message);
    assert!(failure.log.contains(&"out".to_owned()) && failure.log.contains(&"bad".to_owned()), "{:?}", failure.log);
}

#[tokio::test]
async fn what_is_not_a_steps_fault_is_an_error() {
    let bench = bench().await;
    let error = bench.build("FROM BASE\nRUNN x\n").await.0.unwrap_err();
    assert_eq!(error.kind, ErrorKind::No);
    assert!(error.message.contains("RUNN"), "{error}");
    let error = bench.build("FROM localhost:1/no/base\nRUN x\n").await.0.unwrap_err();
    assert_eq!(error.kind, ErrorKind::TryAgain, "{error}");
    bench.write(".dockerignore", "a\n[bad\n");
    let error = bench.build("FROM BASE\nCOPY . /\n").await.0.unwrap_err();
    assert_eq!(error.to_string(), ".dockerignore:2: `[bad` is not a valid pattern");
}

#[tokio::test]
async fn an_interrupt_stops_the_step_and_leaves_no_container() {
    let options = with(Builder::Classic);
    let cancel = options.cancel.clone();
    let bench = Bench::new(options).await;
    let seconds = format!("600.{}", u128::from_str_radix(&unique(), 16).unwrap());
    let told = Told::on("started", move || cancel.cancel());
    let request = bench.request(&format!("FROM BASE\nRUN echo started; sleep {seconds}\n"));
    let error = bench.engine.build(&request, &told).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Interrupted);
    while ask(&bench.engine, "GET", "/containers/json?all=1", "").await.1.to_string().contains(&seconds) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(bench.images().is_empty());
}
