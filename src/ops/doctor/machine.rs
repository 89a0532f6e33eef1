//! This machine's interpreter: found as a shell would, and asked to look around.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::{AccessFlags, Pid, access};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

use super::DoctorOptions;
use crate::catalogue::Catalogue;
use crate::engine::RunOutput;
use crate::model::{Error, Finding, FindingOutcome, Origin, Result, Trial, seconds_since_1970};
use crate::report::date;
use crate::verify::Look;

/// The names that a shell knows interpreters by, the likely one first.
const NAMES: [&str; 2] = ["python3", "python"];

/// The most bytes that are kept of what an interpreter writes.
const LONGEST: u64 = 8 << 20;

/// How long the look has to remove what it made, once it is asked to end.
const CLEAN_UP: Duration = Duration::from_secs(5);

/// An interpreter.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) path: String,
    /// How it was found.
    because: String,
}

/// The interpreter to ask, or the finding that there is none.
pub(super) fn interpreter(options: &DoctorOptions) -> Result<Result<Found, Finding>> {
    let path = options.environment.get("PATH").map_or("", String::as_str);
    if let Some(asked) = &options.python {
        let found = if asked.contains('/') { executable(Path::new(asked)) } else { on_path(asked, path) };
        let found = found.ok_or_else(|| {
            Error::usage(format!("there is no interpreter `{asked}`"))
                .at(Origin::flag("--python"))
                .with_hint("a path such as `/opt/venv/bin/python`, or a name that is on the PATH")
        })?;
        return Ok(Ok(Found { path: found, because: "as `--python` says".to_owned() }));
    }
    let active = options.environment.get("VIRTUAL_ENV").filter(|folder| !folder.is_empty());
    if let Some(path) = active.and_then(|folder| executable(&Path::new(folder).join("bin/python"))) {
        return Ok(Ok(Found { path, because: "of the active virtual environment".to_owned() }));
    }
    let named = NAMES.into_iter().find_map(|name| Some((name, on_path(name, path)?)));
    Ok(named
        .map(|(name, path)| Found { path, because: format!("`{name}` on the PATH") })
        .ok_or_else(|| absent(path.is_empty())))
}

fn absent(no_path: bool) -> Finding {
    let why = if no_path { "the PATH is empty" } else { "neither `python3` nor `python` is on the PATH" };
    let evidence = format!("no Python 3.8 or newer: {why}");
    Finding::new("python", "a Python interpreter runs", FindingOutcome::Fail, evidence)
}

/// The first program of that name in the folders of `path`.
pub(super) fn on_path(name: &str, path: &str) -> Option<String> {
    std::env::split_paths(path).filter(|folder| folder.is_absolute()).find_map(|folder| executable(&folder.join(name)))
}

fn executable(path: &Path) -> Option<String> {
    let runs = path.is_file() && access(path, AccessFlags::X_OK).is_ok();
    let path: PathBuf = std::path::absolute(path).ok()?;
    runs.then(|| path.to_str().map(str::to_owned)).flatten()
}

/// Says in the finding on the interpreter how it was found.
pub(super) fn say_where(findings: &mut [Finding], found: &Found) {
    for python in findings.iter_mut().filter(|finding| finding.id == "python") {
        python.evidence = format!("{}, {}", python.evidence, found.because);
        python.facts.insert("found".to_owned(), found.path.clone().into());
    }
}

/// Has the interpreter look around. Whatever it does is an answer, as long as it can be started.
pub(super) async fn look(found: &Found, options: &DoctorOptions, stop: &CancellationToken) -> Result<Trial> {
    let look = Look::at_machine(options.timeout);
    let started = Instant::now();
    let mut child = Command::new("/bin/sh")
        .args(look.arguments(&found.path))
        .env_clear()
        .envs(&options.environment)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| Error::try_again(format!("cannot start `{}`: {error}", found.path)))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let ended = async {
        let (stdout, stderr, status) = tokio::join!(read(stdout), read(stderr), child.wait());
        (stdout, stderr, status.ok())
    };
    let output = tokio::select! {
        () = stop.cancelled() => None,
        ended = tokio::time::timeout(options.timeout, ended) => Some(ended),
    };
    let output = match output {
        Some(Ok((stdout, stderr, status))) => RunOutput {
            exit_code: status.and_then(|status| status.code()).map(i64::from),
            stdout,
            stderr,
            ..RunOutput::default()
        },
        late => {
            end(&mut child).await;
            if late.is_none() {
                return Err(Error::interrupted());
            }
            RunOutput { timed_out: true, ..RunOutput::default() }
        }
    };
    let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(look.judge(&RunOutput { milliseconds, ..output }))
}

/// What is written there, up to a limit; the rest is read and forgotten, since a full pipe would stop the program.
async fn read(from: Option<impl AsyncRead + Unpin>) -> String {
    let Some(mut from) = from else { return String::new() };
    let mut kept = Vec::new();
    // What was read until it broke off is all that there is.
    let _ = (&mut from).take(LONGEST).read_to_end(&mut kept).await;
    let _ = tokio::io::copy(&mut from, &mut tokio::io::sink()).await;
    String::from_utf8_lossy(&kept).into_owned()
}

/// Ends the look: it removes what it made when it is asked, and not when it is killed.
async fn end(child: &mut Child) {
    let Some(group) = child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw) else { return };
    let _ = killpg(group, Signal::SIGTERM);
    if tokio::time::timeout(CLEAN_UP, child.wait()).await.is_err() {
        let _ = killpg(group, Signal::SIGKILL);
        let _ = child.wait().await;
    }
}

/// Whether this machine's clock is later than the day that the catalogue's facts are of: what it shows before that is wrong.
pub(super) fn clock(catalogue: &Catalogue) -> Finding {
    let title = "the clock is right";
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let midnight =
        |row: &crate::catalogue::TorchRelease| seconds_since_1970(&format!("{}T00:00:00Z", row.checked.date?));
    let known = catalogue.torch().iter().filter_map(midnight).max().unwrap_or(0);
    // Whoever wrote that day down may have been ahead of this machine by their time zone.
    if now + 86_400 >= known {
        return Finding::new("clock", title, FindingOutcome::Ok, format!("{} (UTC)", date(now)));
    }
    let days = (known - now) / 86_400;
    let evidence = format!("the clock says {}, which is off by {days} days at least", date(now));
    Finding::new("clock", title, FindingOutcome::Fail, evidence)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn program(folder: &Path, name: &str, mode: u32) -> String {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "#!/bin/sh\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn found(variables: &[(&str, &str)], python: Option<&str>) -> Result<Result<Found, Finding>> {
        let environment = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        interpreter(&DoctorOptions { environment, python: python.map(str::to_owned), timeout: Duration::from_mins(1) })
    }

    #[test]
    fn the_interpreter_is_the_one_that_a_shell_takes() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        program(folder.path(), "first/python3", 0o644);
        let second = program(folder.path(), "second/python", 0o755);
        let third = program(folder.path(), "third/python3", 0o755);
        let venv = program(folder.path(), "venv/bin/python", 0o755);
        let path = [at("first"), at("second"), at("third")].join(":");
        let taken = |variables: &[(&str, &str)], python| found(variables, python).unwrap().unwrap().path;
        assert_eq!(
            taken(&[("PATH", &path)], None),
            third,
            "what cannot be run is passed over, and `python3` comes first"
        );
        assert_eq!(taken(&[("PATH", &at("second"))], None), second);
        assert_eq!(taken(&[("PATH", &path), ("VIRTUAL_ENV", &at("venv"))], None), venv);
        assert_eq!(taken(&[("PATH", &path), ("VIRTUAL_ENV", &at("gone"))], None), third, "a stale variable");
        assert_eq!(taken(&[("PATH", &path)], Some("python")), second);
        assert_eq!(taken(&[], Some(&venv)), venv);
        let absent = found(&[("PATH", &at("first"))], None).unwrap().unwrap_err();
        assert!(absent.evidence.starts_with("no Python 3.8 or newer"), "{}", absent.evidence);
        assert!(found(&[], None).unwrap().unwrap_err().evidence.ends_with("the PATH is empty"));
        for asked in ["python9", &at("first/python3")] {
            assert_eq!(found(&[("PATH", &path)], Some(asked)).unwrap_err().kind, crate::model::ErrorKind::Usage);
        }
    }
}
