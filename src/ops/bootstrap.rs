//! A base image without a registry: `mmdebstrap` makes the root file system from the distribution's own packages, piped
//! straight into the engine's import.

use std::pin::pin;
use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio_util::io::ReaderStream;

use crate::engine::{Archive, Engine, Event, Progress};
use crate::model::{Error, ErrorKind, Image, Result};

/// The program, of Debian's package of the same name.
const PROGRAM: &str = "mmdebstrap";
/// How many lines of the program's log an error shows.
const LOG_LINES: usize = 12;
/// How long the program has to remove what it made, once it is asked to end.
const CLEAN_UP: Duration = Duration::from_secs(20);
/// The id of the one step that the progress shows.
const STEP: &str = "bootstrap";

/// What to make.
pub(super) struct Recipe<'a> {
    /// The id of the catalogue's row.
    pub(super) id: &'a str,
    /// The distribution's suite.
    pub(super) suite: &'a str,
    /// The reference that the image gets.
    pub(super) reference: &'a str,
    /// Whether an index of packages that has expired is taken all the same; its signature is checked as ever.
    pub(super) expired: bool,
}

/// Makes a base from packages and imports it.
pub(super) async fn bootstrap<E: Engine>(engine: &E, base: &Recipe<'_>, progress: &dyn Progress) -> Result<Image> {
    let mut child = spawn(base, &engine.info().architecture)?;
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(Error::no(format!("`{PROGRAM}` gave no output")));
    };
    progress.event(Event::Step { id: STEP.to_owned(), name: format!("{PROGRAM} {}", base.suite) });
    let (exit, exited) = tokio::sync::oneshot::channel();
    let changes = [
        r#"CMD ["bash"]"#.to_owned(),
        "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned(),
        format!("LABEL dev.sconce.bootstrapped={}", base.id),
    ];
    let archive = ended_by(ReaderStream::with_capacity(stdout, 256 * 1024), exited);
    let import = engine.import(archive, base.reference, &changes, progress);
    let (log_sender, log) = tokio::sync::watch::channel(Vec::new());
    // The log is read while the archive flows: a full pipe would stop the program.
    let watch = async {
        let mut lines = BufReader::new(stderr).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            progress.event(Event::Log { id: STEP.to_owned(), line: line.clone() });
            log_sender.send_modify(|log| log.push(line));
        }
        let succeeded = child.wait().await.is_ok_and(|status| status.success());
        // The import may have given up first; then nobody is listening, and its own error tells why.
        let _ = exit.send(succeeded);
        succeeded
    };
    let (imported, succeeded) = together(import, watch).await;
    end(&mut child).await;
    let log = log.borrow().clone();
    let failure = (!succeeded).then(|| format!("`{PROGRAM}` could not make `{}`", base.suite));
    progress.event(Event::Done { id: STEP.to_owned(), cached: false, error: failure.clone() });
    match failure {
        // Checked before the import's own result, which only echoes it.
        Some(message) if imported.as_ref().is_err_and(|error| error.kind != ErrorKind::Interrupted) => {
            let tail = log[log.len().saturating_sub(LOG_LINES)..].to_vec();
            let hint = hint(&tail, base.id);
            Err(Error::try_again(message).with_log(tail).with_hint(hint))
        }
        _ => imported,
    }
}

/// Both to their ends, unless the import fails: then nobody reads what the program writes, and it would wait for ever.
async fn together(
    import: impl Future<Output = Result<Image>>,
    watch: impl Future<Output = bool>,
) -> (Result<Image>, bool) {
    let (mut import, mut watch) = (pin!(import), pin!(watch));
    tokio::select! {
        imported = &mut import => {
            let succeeded = if imported.is_ok() { watch.await } else { true };
            (imported, succeeded)
        }
        succeeded = &mut watch => (import.await, succeeded),
    }
}

/// Ends the program if it still runs, and lets it unmount and remove what it made: it does so when asked, not when killed.
async fn end(child: &mut Child) {
    let Some(id) = child.id().and_then(|id| i32::try_from(id).ok()) else { return };
    // The whole group, as a terminal does it: what the program has started would otherwise hold its mounts.
    let _ = killpg(Pid::from_raw(id), Signal::SIGTERM);
    let _ = tokio::time::timeout(CLEAN_UP, child.wait()).await;
}

/// What to do about it, by what the program's log says last.
fn hint(log: &[String], id: &str) -> String {
    let says = |words: &str| log.iter().any(|line| line.contains(words));
    if says("is expired") {
        return format!(
            "the mirror's index of packages is older than it says it may be: the mirror lags, or is a snapshot; \
             `sconce images bootstrap {id} --allow-expired` takes it all the same, its signature checked as ever"
        );
    }
    if says("NO_PUBKEY") || says("keyring") {
        return "the distribution's keys must be on this machine: `apt-get install ubuntu-keyring` (for Ubuntu)"
            .to_owned();
    }
    "the distribution's package mirror must be reachable from this machine".to_owned()
}

fn spawn(base: &Recipe, architecture: &str) -> Result<Child> {
    Command::new(PROGRAM)
        .arg("--variant=minbase")
        .arg(format!("--architectures={architecture}"))
        .args(base.expired.then_some("--aptopt=Acquire::Check-Valid-Until \"false\""))
        .args(["--format=tar", base.suite, "-"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A signal to the terminal's group would make it die before the engine is told; dropping it is enough.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| {
            Error::no(format!("`{PROGRAM}` cannot be started"))
                .with_hint(format!("install it: `apt-get install {PROGRAM}` (Debian, Ubuntu)"))
                .because(error)
        })
}

/// `stream`, which ends in an error where its producer failed: a program that dies early otherwise looks like the end of the
/// archive, and a torso would be imported.
fn ended_by(
    stream: ReaderStream<tokio::process::ChildStdout>,
    exited: tokio::sync::oneshot::Receiver<bool>,
) -> Archive {
    let end = futures_util::stream::once(async move {
        match exited.await {
            Ok(true) => Ok(Bytes::new()),
            Ok(false) | Err(_) => Err(std::io::Error::other(format!("`{PROGRAM}` failed"))),
        }
    });
    Box::pin(stream.chain(end))
}
