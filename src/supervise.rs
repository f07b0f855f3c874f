//! One supervisor joins every task. Nothing runs detached, and who does not stop is named.
//!
//! Shutdown follows the flow. First the sources are told to stop; the stages behind them end
//! because their channels close; when the last stage is done the outlets are told to stop too.

use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use tokio::task::{AbortHandle, Id, JoinSet};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

/// Which part of the flow a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Told to stop first: drivers, simulators.
    Source,
    /// Ends when its channels close: pipeline, recorder.
    Stage,
    /// Told to stop when sources and stages are done: uplink, page, watchers.
    Outlet,
}

/// How a task ended.
type Outcome = Result<(), String>;

/// Why the daemon ended other than by being told to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// A task failed; its words.
    #[error("task `{task}` failed: {why}")]
    Failed {
        /// Which task.
        task: String,
        /// Its words.
        why: String,
    },
    /// A task ended although nobody told it to.
    #[error("task `{0}` ended by itself")]
    Ended(String),
    /// A task panicked.
    #[error("task `{0}` panicked")]
    Panicked(String),
    /// Tasks that did not stop in time and were aborted.
    #[error("did not stop within the grace period: {}", .0.join(", "))]
    Stuck(Vec<String>),
}

struct Entry {
    name: String,
    part: Part,
    abort: AbortHandle,
}

/// Owner of all tasks.
pub struct Supervisor {
    tasks: JoinSet<Outcome>,
    entries: HashMap<Id, Entry>,
    stop_sources: CancellationToken,
    stop_outlets: CancellationToken,
}

impl Default for Supervisor {
    fn default() -> Self {
        Self::new()
    }
}

impl Supervisor {
    /// Without any task.
    pub fn new() -> Self {
        Self {
            tasks: JoinSet::new(),
            entries: HashMap::new(),
            stop_sources: CancellationToken::new(),
            stop_outlets: CancellationToken::new(),
        }
    }

    /// The token that tells tasks of a part to stop.
    pub fn token(&self, part: Part) -> CancellationToken {
        match part {
            Part::Source => self.stop_sources.clone(),
            // A stage stops when its channels close; the token is there for what it waits on.
            Part::Stage | Part::Outlet => self.stop_outlets.clone(),
        }
    }

    /// Starts a task that cannot fail.
    pub fn spawn(
        &mut self,
        part: Part,
        name: impl Into<String>,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        self.spawn_fallible(part, name, async move {
            task.await;
            Ok::<(), std::convert::Infallible>(())
        });
    }

    /// Starts a task that may fail; its failure ends the daemon.
    pub fn spawn_fallible<E: std::fmt::Display>(
        &mut self,
        part: Part,
        name: impl Into<String>,
        task: impl Future<Output = Result<(), E>> + Send + 'static,
    ) {
        let abort = self.tasks.spawn(async move { task.await.map_err(|error| error.to_string()) });
        self.entries.insert(abort.id(), Entry { name: name.into(), part, abort });
    }

    /// Runs until `stop` completes or a task ends, then shuts down along the flow.
    ///
    /// # Errors
    /// [`Failure`] when a task ended before it was told to, or did not stop within `grace`.
    pub async fn run(
        mut self,
        stop: impl Future<Output = ()>,
        grace: Duration,
    ) -> Result<(), Failure> {
        tokio::pin!(stop);
        let first = tokio::select! {
            () = &mut stop => None,
            failure = self.next_end(true) => failure,
        };
        if let Some(failure) = &first {
            tracing::error!(%failure, "shutting down");
        }
        let deadline = Instant::now() + grace;
        self.stop_sources.cancel();
        let drained = self.drain(deadline, &[Part::Source, Part::Stage]).await;
        self.stop_outlets.cancel();
        // The outlets get a moment of their own even when the stages used all of the grace.
        let last = deadline.max(Instant::now() + grace / 4);
        let ended = self.drain(last, &[Part::Source, Part::Stage, Part::Outlet]).await;
        let stuck = self.abort_rest();
        match (first.or(drained).or(ended), stuck.is_empty()) {
            (Some(failure), _) => Err(failure),
            (None, false) => Err(Failure::Stuck(stuck)),
            (None, true) => Ok(()),
        }
    }

    /// Waits until no task of these parts is left, or the deadline; the first failure is returned.
    async fn drain(&mut self, deadline: Instant, parts: &[Part]) -> Option<Failure> {
        let mut first = None;
        while self.entries.values().any(|entry| parts.contains(&entry.part)) {
            match timeout_at(deadline, self.next_end(false)).await {
                Ok(failure) => first = first.or(failure),
                Err(_) => break,
            }
        }
        first
    }

    /// Waits for the next task to end. `early` means that none was told to.
    async fn next_end(&mut self, early: bool) -> Option<Failure> {
        let Some(joined) = self.tasks.join_next_with_id().await else {
            // Without tasks there is nothing to wait for; only the stop signal ends the daemon.
            return std::future::pending().await;
        };
        let id = match &joined {
            Ok((id, _)) => *id,
            Err(error) => error.id(),
        };
        let task = self.entries.remove(&id).map_or_else(|| "unknown".into(), |entry| entry.name);
        match joined {
            Ok((_, Ok(()))) if early => Some(Failure::Ended(task)),
            Ok((_, Ok(()))) => {
                tracing::debug!(task, "stopped");
                None
            }
            Ok((_, Err(why))) => Some(Failure::Failed { task, why }),
            Err(error) if error.is_panic() => Some(Failure::Panicked(task)),
            Err(_) => None,
        }
    }

    fn abort_rest(&mut self) -> Vec<String> {
        let mut stuck: Vec<String> = self
            .entries
            .drain()
            .map(|(_, entry)| {
                entry.abort.abort();
                entry.name
            })
            .collect();
        stuck.sort();
        stuck
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    const GRACE: Duration = Duration::from_secs(8);

    #[tokio::test(start_paused = true)]
    async fn shutdown_follows_the_flow_sources_then_stages_then_outlets() {
        let mut supervisor = Supervisor::new();
        let (order, mut seen) = mpsc::channel(8);
        let (data, mut stage_in) = mpsc::channel::<()>(1);
        let stop = supervisor.token(Part::Source);
        let log = order.clone();
        supervisor.spawn(Part::Source, "source", async move {
            stop.cancelled().await;
            log.send("source").await.unwrap();
            drop(data);
        });
        let log = order.clone();
        supervisor.spawn(Part::Stage, "stage", async move {
            while stage_in.recv().await.is_some() {}
            log.send("stage").await.unwrap();
        });
        let stop = supervisor.token(Part::Outlet);
        supervisor.spawn(Part::Outlet, "outlet", async move {
            stop.cancelled().await;
            order.send("outlet").await.unwrap();
        });
        assert_eq!(supervisor.run(std::future::ready(()), GRACE).await, Ok(()));
        for part in ["source", "stage", "outlet"] {
            assert_eq!(seen.recv().await, Some(part));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_does_not_stop_is_named() {
        let mut supervisor = Supervisor::new();
        supervisor.spawn(Part::Outlet, "deaf", std::future::pending());
        let ended = supervisor.run(std::future::ready(()), GRACE).await;
        assert_eq!(ended, Err(Failure::Stuck(vec!["deaf".into()])));
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_fails_ends_ends_by_itself_or_panics_ends_the_daemon_by_name() {
        let mut supervisor = Supervisor::new();
        supervisor.spawn_fallible(Part::Stage, "disk", async { Err("no space") });
        let ended = supervisor.run(std::future::pending(), GRACE).await;
        assert_eq!(ended, Err(Failure::Failed { task: "disk".into(), why: "no space".into() }));

        let mut supervisor = Supervisor::new();
        supervisor.spawn(Part::Stage, "lazy", async {});
        let ended = supervisor.run(std::future::pending(), GRACE).await;
        assert_eq!(ended, Err(Failure::Ended("lazy".into())));

        let mut supervisor = Supervisor::new();
        supervisor.spawn(Part::Stage, "wild", async { panic!("on purpose") });
        let ended = supervisor.run(std::future::pending(), GRACE).await;
        assert_eq!(ended, Err(Failure::Panicked("wild".into())));
    }
}
