//! Ctrl-C and SIGTERM: the first asks, the second insists.

use std::sync::Arc;

use sconce::model::{Error, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::errors::INTERRUPTED;
use crate::progress::Reporter;

/// Fires `cancel` at the first signal and says so; at the second the program ends at once, and what it leaves behind is
/// swept by the next run.
pub(crate) fn watch(cancel: CancellationToken, reporter: Arc<Reporter>) -> Result<()> {
    let catch = |kind| signal(kind).map_err(|error| Error::try_again("cannot catch signals").because(error));
    let (mut interrupt, mut terminate) = (catch(SignalKind::interrupt())?, catch(SignalKind::terminate())?);
    tokio::spawn(async move {
        either(&mut interrupt, &mut terminate).await;
        reporter.say("interrupted: stopping and cleaning up; once more to leave at once");
        cancel.cancel();
        either(&mut interrupt, &mut terminate).await;
        #[allow(clippy::exit, reason = "whoever insists does not want to wait for destructors")]
        std::process::exit(i32::from(INTERRUPTED));
    });
    Ok(())
}

async fn either(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
