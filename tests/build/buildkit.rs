//! BuildKit, over a session of our own.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use sconce::engine::docker::Docker;
use sconce::engine::{BuildOutcome, Engine as _, Event};
use sconce::model::{ErrorKind, Result};
use tokio::net::{UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;

use super::bench::{Bench, Builder, Told, counts, with, with_secret};
use crate::support::{ask, at, socket, unique};

async fn bench() -> Bench {
    Bench::new(with(Builder::BuildKit)).await
}

#[tokio::test]
async fn copies_runs_and_keeps_secrets_and_proxies_out_of_the_image() {
    let bench = bench().await;
    bench.write("app/main.py", "print()");
    let (secret, proxy) = (format!("secret-{}", unique()), format!("http://u:{}@proxy.example.org", unique()));
    let dockerfile = "FROM BASE\n\
        ARG GREETING\n\
        COPY . /src/\n\
        RUN --mount=type=secret,id=token --mount=type=cache,target=/cache set -e; \
          wc -c < /run/secrets/token > /length; cat /run/secrets/token; echo; \
          printf %s \"$HTTP_PROXY\" | wc -c >> /length; echo \"$HTTP_PROXY\"; date >> /cache/dates; echo $GREETING\n\
        ENV FOUND=1\n";
    // Neither a secret nor a proxy makes a step another one; this does.
    let greeting = format!("hello {}", unique());
    let mut request = with_secret(bench.request(dockerfile), "token", &secret);
    request.args = [("HTTP_PROXY".to_owned(), proxy.clone()), ("GREETING".to_owned(), greeting.clone())].into();
    request.redactor = sconce::engine::Redactor::new([secret.clone(), proxy.clone()]);
    let (outcome, told) = bench.run(&request).await;
    assert_eq!(counts(&outcome).1, 2, "{:?}", told.steps());
    assert!(told.log().contains(&greeting), "{:?}", told.log());
    assert_eq!(told.log().iter().filter(|line| *line == "***").count(), 2);
    assert!(!format!("{:?}", told.events()).contains(&secret));
    assert_eq!(bench.output("cat /length /src/app/main.py; ls /cache").await, "39\n59\nprint()");

    let image = bench.engine.find_image(&bench.tag).await.unwrap().unwrap();
    assert!(matches!(outcome, Ok(BuildOutcome::Built { id, .. }) if id == image.id));
    for page in ["json", "history"] {
        let (_, document) = ask(&bench.engine, "GET", &format!("/images/{}/{page}", image.id), "").await;
        let text = document.to_string();
        assert!(text.contains("FOUND"), "{text}");
        assert!(!text.contains(&secret) && !text.contains(&proxy), "{text}");
    }
    let search =
        format!("grep -rlF -e {secret} -e {proxy} --exclude-dir=proc --exclude-dir=sys / 2> /dev/null || true");
    assert_eq!(bench.output(&search).await, "");
}

#[tokio::test]
async fn an_unchanged_context_sends_nothing_and_a_changed_file_only_itself() {
    let bench = bench().await;
    for number in 0..50 {
        bench.write(&format!("folder-{number}/file"), format!("{number}").repeat(1000));
    }
    bench.write("folder-0/new", unique());
    symlink("folder-1", bench.path().join("link")).unwrap();
    let dockerfile = "FROM BASE\nCOPY . /src/\nRUN cat /src/*/file | sha256sum > /sum\n";
    let (first, told) = bench.build(dockerfile).await;
    assert_eq!(told.sent(), 90_032);
    assert_eq!(counts(&first), (0, 2));
    let (second, told) = bench.build(dockerfile).await;
    assert_eq!(told.sent(), 0);
    assert_eq!(counts(&second), (2, 2));
    assert_eq!(id(&first), id(&second));

    bench.write("folder-7/file", "another");
    let (third, told) = bench.build(dockerfile).await;
    assert_eq!(told.sent(), 7);
    assert_eq!(counts(&third), (0, 2));
    assert_eq!(bench.output("cat /src/folder-7/file").await, "another");
}

fn id(outcome: &Result<BuildOutcome>) -> Option<&str> {
    match outcome {
        Ok(BuildOutcome::Built { id, .. }) => Some(id),
        _ => None,
    }
}

#[tokio::test]
async fn a_dockerfile_of_the_same_length_is_not_mistaken_for_the_last() {
    let bench = bench().await;
    for word in ["one", "two"] {
        bench.build(&format!("FROM BASE\nRUN echo {word} > /word\n")).await.0.unwrap();
        assert_eq!(bench.output("cat /word").await.trim(), word);
    }
}

#[tokio::test]
async fn a_context_of_thousands_of_files_arrives_whole() {
    let bench = bench().await;
    for number in 0..3000 {
        bench.write(&format!("d{}/f{number}", number % 60), number.to_string());
    }
    bench.write("big", vec![b'x'; 20 << 20]);
    let (outcome, told) = bench.build("FROM BASE\nCOPY . /src/\n").await;
    counts(&outcome);
    assert_eq!(told.sent(), (20 << 20) + (0..3000).map(|number: u32| number.to_string().len() as u64).sum::<u64>());
    let script = "find /src -type f | wc -l; cat /src/d*/f* | wc -c; wc -c < /src/big";
    assert_eq!(bench.output(script).await, "3001\n10890\n20971520\n");
}

#[tokio::test]
async fn links_empty_folders_modes_times_and_odd_names_arrive_intact() {
    let bench = bench().await;
    for name in ["with space", "new\nline", "ünï✓", "-dash", "quo'te\"", "back\\slash", "[a]", "$HOME", "deep/er/file"]
    {
        bench.write(name, name);
    }
    fs::create_dir(bench.path().join("empty")).unwrap();
    symlink("with space", bench.path().join("link")).unwrap();
    symlink("/not/there", bench.path().join("broken")).unwrap();
    let script = bench.path().join("script");
    fs::write(&script, "").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o750)).unwrap();
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    fs::File::options().write(true).open(&script).unwrap().set_modified(time).unwrap();
    let (outcome, _) = bench.build("FROM BASE\nCOPY . /src/\nCOPY with*space new?line ünï✓ /again/\n").await;
    counts(&outcome);
    let listed = bench.output("cd /src && find . -printf '%y %P>%l\\0' | sort -z | tr '\\0' '|'").await;
    assert_eq!(
        listed,
        "d >|d deep/er>|d deep>|d empty>|f $HOME>|f -dash>|f [a]>|f back\\slash>|f deep/er/file>|f new\nline>|f quo'te\">|\
         f script>|f with space>|f ünï✓>|l broken>/not/there|l link>with space|"
    );
    assert_eq!(bench.output("stat -c '%a %u %g %Y' /src/script").await, "750 0 0 1000000000\n");
    assert_eq!(
        bench.output("cd /src; for f in w* n* ü* \\$*; do cat \"$f\"; done").await,
        "with spacenew\nlineünï✓$HOME"
    );
    assert_eq!(bench.output("ls /again | wc -l").await, "4\n");
}

#[tokio::test]
async fn what_dockerignore_names_stays_here() {
    let bench = bench().await;
    for path in ["keep.py", "drop.log", "logs/a.log", "logs/keep.log", "ünï/x", "node/deep/x"] {
        bench.write(path, path);
    }
    bench.write(".dockerignore", "\u{feff}# all logs\n**/*.log\n!logs/keep.log\nünï\n/node\n");
    let (outcome, _) = bench.build("FROM BASE\nCOPY . /src/\n").await;
    counts(&outcome);
    let listed = bench.output("cd /src && find . -type f | sort").await;
    assert_eq!(listed, "./.dockerignore\n./keep.py\n./logs/keep.log\n");
}

#[tokio::test]
async fn only_what_the_steps_copy_is_sent_links_followed() {
    let bench = bench().await;
    bench.write("unused/big", vec![b'x'; 1 << 20]);
    bench.write("real/wanted", "wanted");
    symlink("real/wanted", bench.path().join("link")).unwrap();
    let (outcome, told) = bench.build("FROM BASE\nCOPY link /copied\n").await;
    counts(&outcome);
    assert_eq!(told.sent(), 6);
    assert_eq!(bench.output("cat /copied").await, "wanted");
}

#[tokio::test]
async fn a_step_that_fails_is_an_outcome_with_its_log() {
    let bench = bench().await;
    // On one stream: between two there is no order.
    let dockerfile =
        "FROM BASE\nRUN echo fine\nRUN for i in $(seq 100); do echo line $i; done; printf '\\033[31mbad\\n'; exit 3\n";
    let (outcome, _) = bench.build(dockerfile).await;
    let BuildOutcome::Failed(failure) = outcome.unwrap() else { panic!("built") };
    assert!(failure.step.starts_with("[3/3] RUN for i in"), "{}", failure.step);
    assert!(failure.message.contains("exit code: 3"), "{}", failure.message);
    assert_eq!(failure.log.len(), 60);
    assert!(
        failure.log.contains(&"bad".to_owned()) && failure.log.contains(&"line 100".to_owned()),
        "{:?}",
        failure.log
    );
    assert!(bench.images().is_empty());

    let (outcome, _) = bench.build("FROM BASE\nCOPY missing /x\n").await;
    let BuildOutcome::Failed(failure) = outcome.unwrap() else { panic!("built") };
    assert!(failure.step.starts_with("[2/2] COPY missing"), "{}", failure.step);
    assert!(failure.message.contains("missing"), "{}", failure.message);
}

#[tokio::test]
async fn what_is_not_a_steps_fault_is_an_error() {
    let bench = bench().await;
    let error = bench.build("FROM BASE\nRUNN x\n").await.0.unwrap_err();
    assert_eq!(error.kind, ErrorKind::No);
    assert!(error.message.contains("unknown instruction: RUNN"), "{error}");

    let error = bench.build("FROM localhost:1/no/base\nRUN x\n").await.0.unwrap_err();
    assert_eq!(error.kind, ErrorKind::TryAgain);
    assert!(error.message.contains("cannot fetch a base image"), "{error}");

    bench.write(".dockerignore", "a\n[bad\n");
    let error = bench.build("FROM BASE\nCOPY . /\n").await.0.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Usage);
    assert_eq!(error.to_string(), ".dockerignore:2: `[bad` is not a valid pattern");
    assert!(bench.images().is_empty());
}

#[tokio::test]
async fn an_interrupt_stops_the_step() {
    let options = with(Builder::BuildKit);
    let cancel = options.cancel.clone();
    let bench = Bench::new(options).await;
    // A command line that no other process has.
    let seconds = format!("600.{}", u128::from_str_radix(&unique(), 16).unwrap());
    let told = Told::on("started", move || cancel.cancel());
    let request = bench.request(&format!("FROM BASE\nRUN echo started; sleep {seconds}\n"));
    let error = bench.engine.build(&request, &told).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Interrupted);
    assert!(
        !told.events().iter().any(|event| matches!(event, Event::Done { id, .. } if told.steps().last() == Some(id)))
    );
    while runs(&seconds) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(bench.images().is_empty());
}

#[tokio::test]
async fn an_engine_that_goes_away_is_an_error_and_its_step_ends() {
    let bench = bench().await;
    let cut = CancellationToken::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    tokio::spawn(relay(UnixListener::bind(&path).unwrap(), socket(&bench.engine), cut.clone()));
    let engine = Docker::connect(at(&path)).await.unwrap();
    let seconds = format!("600.{}", u128::from_str_radix(&unique(), 16).unwrap());
    let told = Told::on("started", move || cut.cancel());
    let request = bench.request(&format!("FROM BASE\nRUN echo started; sleep {seconds}\n"));
    let error = engine.build(&request, &told).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::TryAgain);
    assert!(error.message.starts_with("the engine went away while building"), "{error}");
    while runs(&seconds) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Passes connections on to the engine until they are `cut`.
async fn relay(listener: UnixListener, engine: PathBuf, cut: CancellationToken) {
    while let Some(Ok((mut client, _))) = cut.run_until_cancelled(listener.accept()).await {
        let (engine, cut) = (engine.clone(), cut.clone());
        tokio::spawn(async move {
            let mut engine = UnixStream::connect(engine).await.unwrap();
            cut.run_until_cancelled(tokio::io::copy_bidirectional(&mut client, &mut engine)).await
        });
    }
}

/// Whether a process of this machine has `argument`.
fn runs(argument: &str) -> bool {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|process| fs::read(process.path().join("cmdline")).ok())
        .any(|line| line.split(|&byte| byte == 0).any(|part| part == argument.as_bytes()))
}
