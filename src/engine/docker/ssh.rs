//! The engine of another machine, over the standard input and output of `ssh … docker system dial-stdio`.

use std::io;
use std::pin::Pin;
use std::process::Stdio;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;

use super::endpoint::SshTarget;
use super::errors::printable;

/// As much of what `ssh` complains as an error shows.
const COMPLAINT: u64 = 4096;

/// A connection through a child process, which ends with it.
pub(super) struct SshStream {
    _child: Child,
    stdin: ChildStdin,
    stdout: ChildStdout,
    /// What the child said on standard error, until the first byte arrives: then the connection stands.
    complaint: Option<JoinHandle<String>>,
}

/// Starts `ssh`. That it cannot log in shows at the first read.
pub(super) fn dial(target: &SshTarget) -> io::Result<SshStream> {
    let mut child = Command::new("ssh")
        .args(arguments(target))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| io::Error::new(error.kind(), format!("`ssh` cannot be started: {error}")))?;
    let gone = || io::Error::other("`ssh` has no standard streams");
    let stdin = child.stdin.take().ok_or_else(gone)?;
    let stdout = child.stdout.take().ok_or_else(gone)?;
    let stderr = child.stderr.take().ok_or_else(gone)?;
    Ok(SshStream { _child: child, stdin, stdout, complaint: Some(tokio::spawn(listen(stderr))) })
}

fn arguments(target: &SshTarget) -> Vec<String> {
    let mut arguments: Vec<String> = ["-T", "-o", "ConnectTimeout=30"].map(str::to_owned).into();
    if let Some(user) = &target.user {
        arguments.extend(["-l".to_owned(), user.clone()]);
    }
    if let Some(port) = target.port {
        arguments.extend(["-p".to_owned(), port.to_string()]);
    }
    arguments.extend(["--".to_owned(), target.host.clone(), "docker".to_owned()]);
    if let Some(socket) = &target.socket {
        arguments.extend(["--host".to_owned(), format!("unix://{socket}")]);
    }
    arguments.extend(["system".to_owned(), "dial-stdio".to_owned()]);
    arguments
}

/// The first of what the child complains; the rest is read too, so that the child never blocks on it.
async fn listen(mut stderr: ChildStderr) -> String {
    let mut first = Vec::new();
    let _ = (&mut stderr).take(COMPLAINT).read_to_end(&mut first).await;
    let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
    printable(&String::from_utf8_lossy(&first))
}

impl AsyncRead for SshStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stdout).poll_read(cx, buf))?;
        if buf.filled().len() > before {
            self.complaint = None;
        } else if let Some(complaint) = &mut self.complaint {
            let text = ready!(Pin::new(complaint).poll(cx)).unwrap_or_default();
            self.complaint = None;
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::NotConnected, format!("`ssh` ended: {text}"))));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for SshStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stdin).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stdin).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stdin).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_never_an_option() {
        let target =
            SshTarget { user: Some("me".into()), host: "build".into(), port: Some(2222), socket: Some("/s".into()) };
        assert_eq!(
            arguments(&target).join(" "),
            "-T -o ConnectTimeout=30 -l me -p 2222 -- build docker --host unix:///s system dial-stdio"
        );
    }
}
