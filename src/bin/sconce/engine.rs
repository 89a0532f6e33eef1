//! Work that needs an engine: a runtime, progress, signals and a connection around it.

use std::sync::Arc;
use std::time::Duration;

use sconce::engine::docker::ConnectOptions;
use sconce::engine::{AnyEngine, Owner, Progress};
use sconce::model::{Error, Result};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::progress::Reporter;
use crate::terminal::Terminal;
use crate::{settings, signals};

/// How long a task may go on that did not notice that all is over, such as a look-up of a host's name.
const PATIENCE: Duration = Duration::from_millis(500);

/// Connects to the engine and does `work` with it; what is made belongs to `owner`.
pub(crate) fn with_engine<T>(
    terminal: &Terminal,
    owner: Owner,
    work: impl AsyncFnOnce(&AnyEngine, &dyn Progress) -> Result<T>,
) -> Result<T> {
    with_engine_or_error(terminal, owner, async |engine, progress, _| work(&engine?, progress).await)
}

/// Does `work` with the engine, or with the reason why there is none; `work` has to notice by itself that it is stopped.
pub(crate) fn with_engine_or_error<T>(
    terminal: &Terminal,
    owner: Owner,
    work: impl AsyncFnOnce(Result<AnyEngine>, &dyn Progress, CancellationToken) -> Result<T>,
) -> Result<T> {
    let runtime = runtime()?;
    let reporter = Arc::new(Reporter::new(terminal));
    let result = runtime.block_on(async {
        let cancel = CancellationToken::new();
        signals::watch(cancel.clone(), Arc::clone(&reporter))?;
        let (environment, home) = (settings::environment(), settings::home());
        let options = ConnectOptions { environment, home, owner, cancel: cancel.clone() };
        work(AnyEngine::connect(options).await, reporter.as_ref(), cancel).await
    });
    reporter.finish();
    runtime.shutdown_timeout(PATIENCE);
    result
}

/// Waits for work that turns out to need no engine.
pub(crate) fn without_engine<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    runtime()?.block_on(work)
}

fn runtime() -> Result<Runtime> {
    let failed = |error| Error::try_again("cannot start the threads of the program").because(error);
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(failed)
}
