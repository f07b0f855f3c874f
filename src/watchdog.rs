//! Feeds systemd's watchdog, but only while readings and the buffer make progress.

use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::buffer::BufferStatus;
use crate::pipeline::Progress;

/// How often progress is judged.
const EVERY: Duration = Duration::from_secs(5);
/// Readings that wait this long without a commit, although the disk has no fault, mean a hang.
const HANG: Duration = Duration::from_secs(30);

/// What was seen at the last look.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Messages that the pipeline handled.
    pub turns: u64,
    /// Readings that it found worth storing.
    pub stored: u64,
    /// Commits of the buffer.
    pub commits: u64,
}

/// Judges whether the daemon makes progress. Synchronous; the loop is [`run`].
#[derive(Debug, Default)]
pub struct Judge {
    /// What was seen when the last commit happened.
    at_commit: Seen,
    /// How long readings have been waiting since.
    waiting: Duration,
    /// Messages handled at the last look.
    turns: u64,
    /// How long messages have been waiting for the pipeline.
    idle: Duration,
}

impl Judge {
    /// Looks again, `span` after the last look; whether the daemon is alive. `queued` says that
    /// messages of the drivers wait for the pipeline, `fault` that the disk takes nothing, so that
    /// everybody has to wait.
    pub fn look(&mut self, seen: Seen, queued: bool, fault: bool, span: Duration) -> bool {
        let progressed = seen.commits != self.at_commit.commits;
        let nothing_to_do = seen.stored == self.at_commit.stored;
        if progressed || nothing_to_do || fault {
            self.at_commit = seen;
            self.waiting = Duration::ZERO;
        } else {
            self.waiting += span;
        }
        if seen.turns != self.turns || !queued || fault {
            self.turns = seen.turns;
            self.idle = Duration::ZERO;
        } else {
            self.idle += span;
        }
        self.waiting < HANG && self.idle < HANG
    }
}

/// Whether messages wait in the channel. Nobody is kept from closing it.
fn waits<T>(field: &mpsc::WeakSender<T>) -> bool {
    field.upgrade().is_some_and(|field| field.capacity() < field.max_capacity())
}

/// Tells systemd that the daemon is ready, then feeds its watchdog until `stop`.
pub async fn run<T>(
    progress: Progress,
    field: mpsc::WeakSender<T>,
    buffer: watch::Receiver<BufferStatus>,
    stop: CancellationToken,
) {
    ready("running");
    let mut judge = Judge::default();
    let mut alive = true;
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = ticks.tick() => {}
        }
        let (commits, fault) = {
            let status = buffer.borrow();
            (status.commits, status.fault.is_some())
        };
        let was = alive;
        let seen = Seen { turns: progress.turns(), stored: progress.stored(), commits };
        alive = judge.look(seen, waits(&field), fault, EVERY);
        if alive {
            notify(&[sd_notify::NotifyState::Watchdog]);
        } else if was {
            tracing::error!("readings wait but nothing moves; the watchdog is not fed");
        }
    }
}

/// Tells systemd that a new configuration is being looked at; [`ready`] or a new start ends that.
pub fn reloading() {
    match sd_notify::NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[sd_notify::NotifyState::Reloading, now]),
        Err(error) => tracing::debug!(%error, "systemd was not told"),
    }
}

/// Tells systemd that the daemon works, and in a few words how.
pub fn ready(words: &str) {
    notify(&[sd_notify::NotifyState::Ready, sd_notify::NotifyState::Status(words)]);
}

/// Tells systemd that the daemon stops on request.
pub fn stopping() {
    notify(&[sd_notify::NotifyState::Stopping]);
}

/// Without systemd there is nobody to tell.
fn notify(state: &[sd_notify::NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "systemd was not told");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: Duration = Duration::from_secs(10);

    fn seen(stored: u64, commits: u64) -> Seen {
        Seen { turns: stored, stored, commits }
    }

    #[test]
    fn readings_that_wait_without_a_commit_are_a_hang() {
        let mut judge = Judge::default();
        assert!(judge.look(seen(10, 1), false, false, SPAN));
        assert!(judge.look(seen(20, 1), false, false, SPAN));
        assert!(judge.look(seen(30, 1), false, false, SPAN));
        assert!(!judge.look(seen(30, 1), false, false, SPAN));
        assert!(judge.look(seen(30, 2), false, false, SPAN), "a commit ends the hang");
    }

    #[test]
    fn messages_that_nobody_takes_are_a_hang_although_nothing_waits_for_a_commit() {
        let mut judge = Judge::default();
        for _ in 0..3 {
            assert!(judge.look(seen(10, 1), true, false, SPAN));
        }
        assert!(!judge.look(seen(10, 1), true, false, SPAN));
        assert!(judge.look(Seen { turns: 11, ..seen(10, 1) }, true, false, SPAN));
    }

    #[test]
    fn a_quiet_estate_and_a_full_disk_are_no_hang() {
        let mut judge = Judge::default();
        for _ in 0..10 {
            assert!(judge.look(seen(10, 1), false, false, SPAN));
        }
        for more in 0..10 {
            assert!(judge.look(Seen { turns: 10, ..seen(10 + more, 1) }, true, true, SPAN));
        }
    }

    #[tokio::test]
    async fn a_look_at_the_channel_does_not_keep_it_open() {
        let (field, mut out) = mpsc::channel::<()>(1);
        let weak = field.downgrade();
        assert!(!waits(&weak));
        let permit = field.reserve().await.unwrap();
        assert!(waits(&weak));
        drop(permit);
        drop(field);
        assert!(out.recv().await.is_none() && !waits(&weak));
    }
}
