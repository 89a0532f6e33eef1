use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

use super::super::errors::printable;
use crate::engine::Event;
use crate::model::Error;

/// The id of what is sent to the engine, among the ids of the engine's own steps.
const CONTEXT: &str = "context";

/// What the tasks that send the context have to tell the build: how far they are, and what stopped them. The engine only
/// learns that they stopped, so what is found here explains more than its error.
#[derive(Debug, Clone)]
pub(super) struct Outbound {
    events: mpsc::UnboundedSender<Event>,
    sent: Arc<AtomicU64>,
    fault: Arc<Mutex<Option<Error>>>,
}

impl Outbound {
    /// With the end at which the events come out.
    pub(super) fn new() -> (Self, mpsc::UnboundedReceiver<Event>) {
        let (events, out) = mpsc::unbounded_channel();
        (Self { events, sent: Arc::default(), fault: Arc::default() }, out)
    }

    /// So many more bytes of files were sent.
    pub(super) fn sent(&self, bytes: usize) {
        let current = self.sent.fetch_add(bytes as u64, Ordering::Relaxed) + bytes as u64;
        self.transfer(current, None);
    }

    /// All was sent that the engine wanted.
    pub(super) fn complete(&self) {
        let current = self.sent.load(Ordering::Relaxed);
        self.transfer(current, Some(current));
    }

    /// The socket, pipe or device `path` is left out.
    pub(super) fn left_out(&self, path: &str) {
        let line = format!("left out `{}`: a socket, pipe or device cannot be sent", printable(path));
        self.tell(Event::Log { id: CONTEXT.to_owned(), line });
    }

    /// This stopped the sending.
    pub(super) fn failed(&self, error: Error) {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }

    /// What stopped the sending first, if anything did.
    pub(super) fn fault(&self) -> Option<Error> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn transfer(&self, current: u64, total: Option<u64>) {
        self.tell(Event::Transfer { id: CONTEXT.to_owned(), name: "sending context".to_owned(), current, total });
    }

    fn tell(&self, event: Event) {
        // Nobody listens any more once the build is over; then there is nothing to tell.
        let _ = self.events.send(event);
    }
}
