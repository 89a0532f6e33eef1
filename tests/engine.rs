//! The engine, against a real one.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use sconce::engine::docker::{ConnectOptions, Docker};
use sconce::engine::{
    Archive, Engine as _, Owner, PROVEN_REPOSITORY, RunOutput, RunRequest, Silent, UNPROVEN_REPOSITORY,
};
use sconce::model::{Error, ErrorKind, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::{ask, at, base_image, connect, containers, images, options, socket, stranger, unique};

const MIB: u64 = 1024 * 1024;

/// A tar with one file, unlike any other, so that tests do not share layers.
fn tiny_tar() -> Bytes {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(6);
    header.set_mode(0o644);
    builder.append_data(&mut header, unique(), &b"hello\n"[..]).unwrap();
    builder.into_inner().unwrap().into()
}

fn archive(chunks: Vec<io::Result<Bytes>>) -> Archive {
    Box::pin(stream::iter(chunks))
}

/// A new image with one file, and its label.
async fn tiny_image(engine: &Docker, reference: &str) -> (String, String) {
    let label = format!("test={}", unique());
    let changes = [format!("LABEL {label}"), "USER nobody".to_owned()];
    let image = engine.import(archive(vec![Ok(tiny_tar())]), reference, &changes, &Silent).await.unwrap();
    (image.id, label)
}

fn new_tag() -> String {
    format!("localhost/sconce-test:{}", unique())
}

/// A request to run a shell script in the base image.
fn script(text: &str) -> RunRequest {
    RunRequest {
        image: crate::support::BASE.to_owned(),
        entrypoint: vec!["/bin/sh".to_owned()],
        args: vec!["-c".to_owned(), text.to_owned()],
        env: [("GREETING".to_owned(), "hello $HOME".to_owned())].into(),
        memory: 256 * MIB,
        pids: 64,
        timeout: Duration::from_mins(2),
        ..RunRequest::default()
    }
}

async fn run(request: RunRequest) -> Result<RunOutput> {
    let owner = stranger();
    let engine = Docker::connect(ConnectOptions { owner: owner.clone(), ..options() }).await.unwrap();
    base_image(&engine).await;
    let output = engine.run(&request).await;
    assert_eq!(containers(&engine, &owner).await, [""; 0], "a container is left over");
    output
}

/// Waits until the owner has a container that runs.
async fn running(engine: &Docker, owner: &Owner) {
    loop {
        if let [id] = containers(engine, owner).await.as_slice() {
            let (_, state) = ask(engine, "GET", &format!("/containers/{id}/json"), "").await;
            if state["State"]["Running"] == true {
                return;
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn the_engine_says_what_it_is() {
    let info = connect().await.info().clone();
    assert!(matches!(info.name.as_str(), "Docker" | "Podman"), "{info:?}");
    assert!(info.api.starts_with("1.") && info.cpus > 0 && info.memory > MIB, "{info:?}");
    assert_eq!(info.buildkit, info.name == "Docker", "{info:?}");
    assert!(!info.architecture.is_empty() && info.endpoint.contains("://"), "{info:?}");
}

#[tokio::test]
async fn the_classic_builder_can_be_asked_for() {
    let mut options = options();
    options.environment.insert("DOCKER_BUILDKIT".to_owned(), "0".to_owned());
    assert!(!Docker::connect(options).await.unwrap().info().buildkit);
}

#[tokio::test]
async fn an_absent_engine_says_where_it_was_looked_for() {
    let home = tempfile::tempdir().unwrap();
    let missing = home.path().join("docker.sock");
    let mut options = ConnectOptions { home: Some(home.path().to_owned()), ..options() };
    options.environment = [("DOCKER_HOST".to_owned(), format!("unix://{}", missing.display()))].into();
    let error = Docker::connect(options.clone()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::TryAgain);
    assert!(error.message.contains("`DOCKER_HOST`") && error.message.contains("docker.sock"), "{error}");
    options.cancel.cancel();
    assert_eq!(Docker::connect(options).await.unwrap_err().kind, ErrorKind::Interrupted);
}

#[tokio::test]
async fn an_import_is_an_image_with_its_changes() {
    let engine = connect().await;
    let tag = new_tag();
    let (id, _) = tiny_image(&engine, &tag).await;
    let image = engine.find_image(&tag).await.unwrap().unwrap();
    assert_eq!((image.id.as_str(), image.user.as_str()), (id.as_str(), "nobody"));
    assert_eq!((image.tags, image.layers.len()), (vec![tag.clone()], 1));
    assert_eq!(image.architecture, engine.info().architecture);
    engine.untag(&tag, true).await.unwrap();
    assert!(engine.find_image(&id).await.unwrap().is_none(), "the image went with its tag");
}

#[tokio::test]
async fn an_archive_that_breaks_off_leaves_no_image() {
    let engine = connect().await;
    let relay = Relay::start(socket(&engine));
    let relayed = Docker::connect(at(&relay.path)).await.unwrap();
    let (tag, label) = (new_tag(), format!("test={}", unique()));
    let broken = archive(vec![Ok(tiny_tar().slice(..700)), Err(io::Error::other("the mirror is away"))]);
    let error = relayed.import(broken, &tag, &[format!("LABEL {label}")], &Silent).await.unwrap_err();
    assert!(error.message.ends_with("broke off: the mirror is away"), "{error}");
    let garbage = archive(vec![Ok(Bytes::from(vec![b'x'; 4096]))]);
    let error = relayed.import(garbage, &tag, &[format!("LABEL {label}")], &Silent).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::No, "{error}");
    relay.settle().await;
    assert!(engine.find_image(&tag).await.unwrap().is_none());
    assert_eq!(images(&engine, &label).await, [""; 0]);
}

#[tokio::test]
async fn an_import_that_is_interrupted_leaves_no_image() {
    let engine = connect().await;
    let relay = Relay::start(socket(&engine));
    let options = at(&relay.path);
    let relayed = Docker::connect(options.clone()).await.unwrap();
    let (tag, label) = (new_tag(), format!("test={}", unique()));
    let endless: Archive = Box::pin(stream::iter([Ok(tiny_tar().slice(..700))]).chain(stream::pending()));
    let changes = [format!("LABEL {label}")];
    let import = relayed.import(endless, &tag, &changes, &Silent);
    let (imported, ()) = tokio::join!(import, async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        options.cancel.cancel();
    });
    assert_eq!(imported.unwrap_err().kind, ErrorKind::Interrupted);
    relay.settle().await;
    assert_eq!(images(&engine, &label).await, [""; 0]);
}

#[tokio::test]
async fn an_import_that_is_interrupted_at_its_end_leaves_no_image() {
    let engine = connect().await;
    let relay = Relay::start(socket(&engine));
    let relayed = Docker::connect(ConnectOptions { cancel: relay.ended.clone(), ..at(&relay.path) }).await.unwrap();
    let (tag, label) = (new_tag(), format!("test={}", unique()));
    // The relay stops us when the archive is whole: the engine makes an image of it regardless.
    let imported = relayed.import(archive(vec![Ok(tiny_tar())]), &tag, &[format!("LABEL {label}")], &Silent).await;
    assert_eq!(imported.unwrap_err().kind, ErrorKind::Interrupted);
    relay.settle().await;
    assert_eq!(images(&engine, &label).await, [""; 0]);
}

#[tokio::test]
async fn a_tag_moves_and_goes_and_the_image_stays_unless_pruned() {
    let engine = connect().await;
    let (one, two) = (new_tag(), new_tag());
    let (first, label) = tiny_image(&engine, &one).await;
    engine.tag(&first, &two).await.unwrap();
    engine.untag(&one, true).await.unwrap();
    assert!(engine.find_image(&one).await.unwrap().is_none());
    assert_eq!(engine.find_image(&two).await.unwrap().unwrap().id, first, "another tag keeps the image");

    engine.untag(&two, false).await.unwrap();
    assert!(engine.find_image(&two).await.unwrap().is_none());
    let kept = engine.find_image(&first).await.unwrap().unwrap();
    assert_eq!((kept.tags, images(&engine, &label).await.len()), (vec![], 1), "the image is kept without a name");

    engine.tag(&first, &two).await.unwrap();
    engine.untag(&two, true).await.unwrap();
    assert_eq!(images(&engine, &label).await, [""; 0]);
    engine.untag(&two, true).await.unwrap();
    assert_eq!(engine.tag(&first, &two).await.unwrap_err().kind, ErrorKind::No);
}

#[tokio::test]
async fn a_tag_goes_though_a_container_uses_its_image() {
    let engine = connect().await;
    let tag = new_tag();
    let (id, _) = tiny_image(&engine, &tag).await;
    let create = format!(r#"{{"Image": "{tag}", "Cmd": ["none"]}}"#);
    let (_, container) = ask(&engine, "POST", "/containers/create", &create).await;
    engine.untag(&tag, true).await.unwrap();
    assert!(engine.find_image(&tag).await.unwrap().is_none());
    assert!(engine.find_image(&id).await.unwrap().is_some(), "what is in use stays");
    ask(&engine, "DELETE", &format!("/containers/{}", container["Id"].as_str().unwrap()), "").await;
    ask(&engine, "DELETE", &format!("/images/{id}"), "").await;
}

#[tokio::test]
async fn what_is_no_reference_never_reaches_the_engine() {
    let engine = connect().await;
    for reference in ["a\nb", "../containers", "a?all=1", "$(id)", ""] {
        assert_eq!(engine.find_image(reference).await.unwrap_err().kind, ErrorKind::Usage, "{reference:?}");
        assert_eq!(engine.tag("sha256:00", reference).await.unwrap_err().kind, ErrorKind::Usage, "{reference:?}");
    }
    assert_eq!(engine.find_image("UPPER/case").await.unwrap_err().kind, ErrorKind::Usage);
}

#[tokio::test]
async fn a_registry_that_does_not_exist_can_be_tried_again() {
    let error = connect().await.pull("registry.invalid/app:1", &Silent).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::TryAgain, "{error}");
    assert!(error.message.contains("registry.invalid"), "{error}");
}

#[tokio::test]
async fn a_run_gives_both_outputs_and_the_exit_code() {
    let output = run(script("echo \"$GREETING\"; echo problem >&2; id -u; exit 3")).await.unwrap();
    assert_eq!(output.exit_code, Some(3));
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("hello $HOME\n0\n", "problem\n"));
    assert!(!output.timed_out && !output.out_of_memory);
}

#[tokio::test]
async fn a_run_is_as_the_user_that_is_asked_for() {
    let request = RunRequest { user: Some("65534:65534".to_owned()), ..script("id -u; echo \"end\" | tee /x") };
    let output = run(request).await.unwrap();
    assert!(output.stdout.starts_with("65534\n") && output.stderr.contains("denied"), "{output:?}");
}

#[tokio::test]
async fn a_run_has_no_network_and_no_capabilities() {
    let look = "ls /sys/class/net; grep -E 'CapEff|CapBnd|NoNewPrivs' /proc/self/status";
    let output = run(script(look)).await.unwrap();
    let lines: Vec<&str> = output.stdout.split_whitespace().collect();
    assert_eq!(lines, ["lo", "CapEff:", "0000000000000000", "CapBnd:", "0000000000000000", "NoNewPrivs:", "1"]);
}

#[tokio::test]
async fn a_run_that_takes_too_long_is_stopped() {
    let request = RunRequest { timeout: Duration::from_secs(2), ..script("echo started; sleep 600") };
    let output = run(request).await.unwrap();
    assert_eq!((output.exit_code, output.timed_out, output.stdout.as_str()), (None, true, "started\n"));
}

#[tokio::test]
async fn a_run_that_takes_too_much_memory_says_so() {
    let request = RunRequest { memory: 64 * MIB, ..script("head -c 400m /dev/zero | tail > /dev/null") };
    let output = run(request).await.unwrap();
    assert!(output.out_of_memory && output.exit_code != Some(0), "{output:?}");
}

#[tokio::test]
async fn a_run_keeps_the_end_of_a_long_output() {
    let output = run(script("head -c 20m /dev/zero | tr '\\0' x; echo end")).await.unwrap();
    assert_eq!(output.stdout.len(), 8 * 1024 * 1024);
    assert!(output.stdout.ends_with("xend\n"));
}

#[tokio::test]
async fn a_command_that_is_not_there_is_named() {
    let request = RunRequest { entrypoint: vec!["/usr/bin/python9".to_owned()], ..script("") };
    let output = run(request).await.unwrap();
    assert!(output.not_started.as_deref().unwrap().contains("cannot run `/usr/bin/python9`"), "{output:?}");
    let error = run(RunRequest { image: new_tag(), ..script("") }).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::No);
    assert!(error.message.contains("no image"), "{error}");
    let error = run(RunRequest { user: Some("nosuchuser".to_owned()), ..script("") }).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::No);
    assert!(error.message.contains("nosuchuser"), "{error}");
}

#[tokio::test]
async fn an_interrupted_run_is_removed() {
    let owner = stranger();
    let options = ConnectOptions { owner: owner.clone(), ..options() };
    let engine = Docker::connect(options.clone()).await.unwrap();
    base_image(&engine).await;
    let request = script("trap '' TERM INT; sleep 600");
    let (output, ()) = tokio::join!(engine.run(&request), async {
        running(&engine, &owner).await;
        options.cancel.cancel();
    });
    assert_eq!(output.unwrap_err().kind, ErrorKind::Interrupted);
    assert_eq!(containers(&engine, &owner).await, [""; 0]);
}

#[tokio::test]
async fn a_run_that_is_dropped_is_removed() {
    let owner = stranger();
    let engine = Docker::connect(ConnectOptions { owner: owner.clone(), ..options() }).await.unwrap();
    base_image(&engine).await;
    let request = script("sleep 600");
    tokio::select! {
        _ = engine.run(&request) => panic!("it sleeps"),
        () = running(&engine, &owner) => {}
    }
    while !containers(&engine, &owner).await.is_empty() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_sweep_takes_what_dead_runs_left_and_nothing_else() {
    let engine = connect().await;
    base_image(&engine).await;
    let alive = Owner::current();
    // The same process number, at a time when no process with it started.
    let dead = Owner::parse(&format!("{alive}{}", rand_digits())).unwrap();
    let mut made = Vec::new();
    for owner in [&alive, &dead] {
        for repository in [UNPROVEN_REPOSITORY, PROVEN_REPOSITORY] {
            engine.tag(crate::support::BASE, &format!("{repository}:{owner}")).await.unwrap();
        }
        let body = format!(
            r#"{{"Image": "{}", "Cmd": ["true"], "Labels": {{"dev.sconce.owner": "{owner}"}}}}"#,
            crate::support::BASE
        );
        made.push(ask(&engine, "POST", "/containers/create", &body).await.1["Id"].as_str().unwrap().to_owned());
    }
    let swept = engine.sweep().await.unwrap();
    assert!(swept.containers > 0 && swept.images > 0, "{swept:?}");
    assert_eq!(containers(&engine, &dead).await, [""; 0]);
    for repository in [UNPROVEN_REPOSITORY, PROVEN_REPOSITORY] {
        assert!(engine.find_image(&format!("{repository}:{dead}")).await.unwrap().is_none());
        let kept = format!("{repository}:{alive}");
        assert!(engine.find_image(&kept).await.unwrap().is_some(), "a running owner's image stays");
        engine.untag(&kept, true).await.unwrap();
    }
    assert!(containers(&engine, &alive).await.contains(&made[0]), "a running owner's container stays");
    assert!(engine.find_image(crate::support::BASE).await.unwrap().is_some(), "another name keeps the image");
    ask(&engine, "DELETE", &format!("/containers/{}", made[0]), "").await;
}

fn rand_digits() -> u32 {
    100 + uuid::Uuid::new_v4().as_fields().0 % 900
}

/// A relay to the engine's socket.
struct Relay {
    path: PathBuf,
    /// Cuts the connections that stand.
    cut: CancellationToken,
    /// Fires when a request's streamed body has ended, just before the engine sees it.
    ended: CancellationToken,
    connections: Arc<Mutex<Vec<JoinHandle<Option<()>>>>>,
    _folder: tempfile::TempDir,
}

impl Relay {
    fn start(engine: PathBuf) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("relay.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let (cut, ended) = (CancellationToken::new(), CancellationToken::new());
        let tokens = (cut.clone(), ended.clone());
        let connections = Arc::<Mutex<Vec<_>>>::default();
        let all = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (cut, ended) = tokens.clone();
                // Only a connection that stands can be cut.
                let cut = if cut.is_cancelled() { CancellationToken::new() } else { cut };
                let engine = UnixStream::connect(&engine).await.unwrap();
                let relay = tokio::spawn(async move { cut.run_until_cancelled(relay(client, engine, ended)).await });
                all.lock().unwrap().push(relay);
            }
        });
        Self { path, cut, ended, connections, _folder: folder }
    }

    /// Waits until the engine is done with all requests.
    async fn settle(&self) {
        let connections = std::mem::take(&mut *self.connections.lock().unwrap());
        for connection in connections {
            connection.await.unwrap();
        }
    }
}

/// Copies both ways until the engine closes, whether or not the client still listens.
async fn relay(client: UnixStream, engine: UnixStream, ended: CancellationToken) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_engine, mut to_engine) = engine.into_split();
    let forward = tokio::spawn(async move {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = from_client.read(&mut buffer).await {
            if buffer[..length].ends_with(b"0\r\n\r\n") {
                ended.cancel();
            }
            if to_engine.write_all(&buffer[..length]).await.is_err() {
                break;
            }
        }
    });
    if tokio::io::copy(&mut from_engine, &mut to_client).await.is_err() {
        let _ = tokio::io::copy(&mut from_engine, &mut tokio::io::sink()).await;
    }
    forward.abort();
}

fn assert_went_away(error: &Error) {
    assert_eq!(error.kind, ErrorKind::TryAgain, "{error}");
    assert!(error.message.starts_with("the engine went away while"), "{error}");
}

#[tokio::test]
async fn an_engine_that_dies_midway_can_be_tried_again_and_nothing_is_left() {
    let (engine, owner) = (connect().await, stranger());
    base_image(&engine).await;
    let relay = Relay::start(socket(&engine));
    let relayed = Docker::connect(ConnectOptions { owner: owner.clone(), ..at(&relay.path) }).await.unwrap();
    let request = script("sleep 600");
    let (output, ()) = tokio::join!(relayed.run(&request), async {
        running(&engine, &owner).await;
        // The container runs before the answer to its start has come back, and the wait begins after it.
        tokio::time::sleep(Duration::from_millis(500)).await;
        relay.cut.cancel();
    });
    assert_went_away(&output.unwrap_err());
    assert_eq!(containers(&engine, &owner).await, [""; 0]);
}

#[tokio::test]
async fn an_import_whose_engine_dies_leaves_no_image() {
    let engine = connect().await;
    let relay = Relay::start(socket(&engine));
    let relayed = Docker::connect(at(&relay.path)).await.unwrap();
    let (tag, label) = (new_tag(), format!("test={}", unique()));
    let endless: Archive = Box::pin(stream::iter([Ok(tiny_tar().slice(..700))]).chain(stream::pending()));
    let changes = [format!("LABEL {label}")];
    let (imported, ()) = tokio::join!(relayed.import(endless, &tag, &changes, &Silent), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        relay.cut.cancel();
    });
    assert_went_away(&imported.unwrap_err());
    assert_eq!(images(&engine, &label).await, [""; 0]);
}

/// Stands in for `ssh`: joins its standard streams to the engine's socket, after a look at its arguments.
const FAKE_SSH: &str = r#"#!/usr/bin/perl
use IO::Socket::UNIX; use IO::Select;
if ("@ARGV" !~ /-l me -- build docker system dial-stdio$/) { print STDERR "me\@build: Permission denied\e[2J\n"; exit 255 }
my $engine = IO::Socket::UNIX->new(Peer => $ENV{SCONCE_TEST_SOCKET}) or die;
my $select = IO::Select->new($engine, \*STDIN);
while (my @ready = $select->can_read) {
    for my $from (@ready) {
        sysread($from, my $bytes, 65536) or exit;
        syswrite($from == $engine ? \*STDOUT : $engine, $bytes);
    }
}
"#;

/// The variable with which the test of `ssh` calls itself, with a `PATH` on which its own `ssh` is the first.
const FAKE_SSH_HOST: &str = "SCONCE_TEST_SSH_HOST";

#[tokio::test]
async fn another_machines_engine_is_reached_over_ssh() {
    if let Ok(host) = std::env::var(FAKE_SSH_HOST) {
        return over_ssh(&host).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let ssh = folder.path().join("ssh");
    std::fs::write(&ssh, FAKE_SSH).unwrap();
    std::fs::set_permissions(&ssh, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    for host in ["ssh://me@build", "ssh://build"] {
        let output = tokio::process::Command::new(std::env::current_exe().unwrap())
            .args(["another_machines_engine_is_reached_over_ssh", "--nocapture"])
            .env("PATH", &path)
            .env(FAKE_SSH_HOST, host)
            .env("SCONCE_TEST_SOCKET", socket(&connect().await))
            .output()
            .await
            .unwrap();
        assert!(output.status.success(), "{host}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

async fn over_ssh(host: &str) {
    let mut options = options();
    options.environment.insert("DOCKER_HOST".to_owned(), host.to_owned());
    let connected = Docker::connect(options).await;
    if host == "ssh://me@build" {
        let engine = connected.unwrap();
        assert_eq!(engine.info().endpoint, host);
        assert!(engine.find_image(&new_tag()).await.unwrap().is_none());
    } else {
        let error = connected.unwrap_err();
        assert_eq!(error.kind, ErrorKind::TryAgain);
        assert!(error.message.ends_with("`ssh` ended: me@build: Permission denied"), "{error}");
    }
}

/// Writes a certificate authority and what it signed into `folder`, as Docker names them, and serves the engine's socket
/// over TLS to clients with its certificate. Gives the port.
async fn serve_tls(folder: &Path, engine: PathBuf) -> u16 {
    let key = || rcgen::KeyPair::generate().unwrap();
    let mut authority = rcgen::CertificateParams::default();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let (ca_key, server_key, client_key) = (key(), key(), key());
    let ca = authority.self_signed(&ca_key).unwrap();
    let issuer = rcgen::Issuer::new(authority, ca_key);
    let leaf = |name: &str| rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
    let server = leaf("localhost").signed_by(&server_key, &issuer).unwrap();
    let client = leaf("client").signed_by(&client_key, &issuer).unwrap();
    for (name, text) in [("ca.pem", ca.pem()), ("cert.pem", client.pem()), ("key.pem", client_key.serialize_pem())] {
        std::fs::write(folder.join(name), text).unwrap();
    }
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(ca.der().clone()).unwrap();
    let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(vec![server.der().clone()], server_key.serialize_der().try_into().unwrap())
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (acceptor, engine) = (acceptor.clone(), engine.clone());
            tokio::spawn(async move {
                let Ok(mut client) = acceptor.accept(client).await else { return };
                let mut engine = UnixStream::connect(engine).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut client, &mut engine).await;
            });
        }
    });
    port
}

#[tokio::test]
async fn an_engine_behind_tls_is_held_to_its_authority() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let engine = socket(&connect().await);
    let port = serve_tls(folder.path(), engine.clone()).await;
    serve_tls(other.path(), engine).await;
    let connect = |folder: &Path, verify: &str| {
        let mut options = options();
        options.environment.insert("DOCKER_HOST".to_owned(), format!("tcp://localhost:{port}"));
        options.environment.insert("DOCKER_CERT_PATH".to_owned(), folder.display().to_string());
        options.environment.insert(verify.to_owned(), "1".to_owned());
        Docker::connect(options)
    };
    let trusted = connect(folder.path(), "DOCKER_TLS_VERIFY").await.unwrap();
    assert!(trusted.find_image(&new_tag()).await.unwrap().is_none());
    let error = connect(other.path(), "DOCKER_TLS_VERIFY").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::TryAgain);
    assert!(error.message.contains("certificate"), "{error}");
    std::fs::write(folder.path().join("ca.pem"), "").unwrap();
    connect(folder.path(), "DOCKER_TLS").await.unwrap();
}
