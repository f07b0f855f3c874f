//! The handle of everybody who orders, or looks at what was ordered.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::join_all;
use tokio::sync::{mpsc, oneshot};

use super::book::Row;
use super::target::Target;
use crate::model::{CommandId, CommandOutcome, CommandReport, CommandRequest, DeviceIndex};

/// The gateway is stopping: nobody takes commands any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the gateway is stopping")]
pub struct Stopping;

/// What is asked of the desk.
#[derive(Debug)]
pub(super) enum Ask {
    Order { request: Box<CommandRequest>, reply: oneshot::Sender<Ordered> },
    Recent { before: Option<u64>, device: Option<String>, most: usize, reply: Rows },
    One { id: CommandId, reply: oneshot::Sender<Option<Row>> },
}

type Rows = oneshot::Sender<Vec<Row>>;

/// How often each outcome came, since the start.
#[derive(Debug, Default)]
pub(super) struct Counts([AtomicU64; CommandOutcome::WORDS.len()]);

impl Counts {
    pub fn count(&self, outcome: &CommandOutcome) {
        let place = CommandOutcome::WORDS.iter().position(|word| *word == outcome.word());
        if let Some(count) = place.and_then(|place| self.0.get(place)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A command that was taken or not.
#[derive(Debug)]
pub struct Ordered {
    /// Whether: accepted, refused, expired; or, for an id that is known, what became of it.
    pub decision: CommandReport,
    pub(super) end: Option<oneshot::Receiver<CommandReport>>,
}

impl Ordered {
    /// What became of it, when it has come to its end: at the latest when its time and that of its
    /// read-back are over.
    ///
    /// # Errors
    /// The gateway stopped before.
    pub async fn end(self) -> Result<CommandReport, Stopping> {
        match self.end {
            Some(end) => end.await.map_err(|_gone| Stopping),
            None => Ok(self.decision),
        }
    }
}

/// Takes commands to the desk; clones share it.
#[derive(Debug, Clone)]
pub struct Router {
    pub(super) asks: mpsc::Sender<Ask>,
    pub(super) targets: Arc<[Target]>,
    pub(super) counts: Arc<Counts>,
}

impl Router {
    /// Orders; returns once that is decided, and what was accepted is durable.
    ///
    /// # Errors
    /// The gateway is stopping.
    pub async fn order(&self, request: CommandRequest) -> Result<Ordered, Stopping> {
        let (reply, answer) = oneshot::channel();
        let ask = Ask::Order { request: Box::new(request), reply };
        self.asks.send(ask).await.map_err(|_gone| Stopping)?;
        answer.await.map_err(|_gone| Stopping)
    }

    /// Orders of many devices at once, and waits for the end of each; in the order of the requests.
    /// Devices do not wait for each other.
    pub async fn order_all(
        &self,
        requests: impl IntoIterator<Item = CommandRequest>,
    ) -> Vec<Result<CommandReport, Stopping>> {
        let each = |request| async move { self.order(request).await?.end().await };
        join_all(requests.into_iter().map(each)).await
    }

    /// The newest commands, newest first: before a number, of one device or of all.
    ///
    /// # Errors
    /// The gateway is stopping.
    pub async fn recent(
        &self,
        before: Option<u64>,
        device: Option<String>,
        most: usize,
    ) -> Result<Vec<Row>, Stopping> {
        let (reply, answer) = oneshot::channel();
        let ask = Ask::Recent { before, device, most, reply };
        self.asks.send(ask).await.map_err(|_gone| Stopping)?;
        answer.await.map_err(|_gone| Stopping)
    }

    /// A command that is remembered.
    ///
    /// # Errors
    /// The gateway is stopping.
    pub async fn find(&self, id: CommandId) -> Result<Option<Row>, Stopping> {
        let (reply, answer) = oneshot::channel();
        self.asks.send(Ask::One { id, reply }).await.map_err(|_gone| Stopping)?;
        answer.await.map_err(|_gone| Stopping)
    }

    /// A device as commands see it.
    pub fn target(&self, device: DeviceIndex) -> Option<&Target> {
        self.targets.get(device.slot())
    }

    /// Outcomes since the start: the word, and how often.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = self.counts.0.iter().map(|count| count.load(Ordering::Relaxed));
        CommandOutcome::WORDS.into_iter().zip(counts)
    }
}
