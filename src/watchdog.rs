//! Feeds systemd's watchdog, but only while readings and the buffer make progress.

use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::buffer::BufferStatus;
use crate::pipeline::Progress;

/// How often progress is judged.
const EVERY: Duration = Duration::from_secs(5);
/// Readings that wait this long without a commit, although the disk has no fault, mean a hang.
const HANG: Duration = Duration::from_secs(30);

/// What was seen at the last look.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Seen {
    stored: u64,
    commits: u64,
}

/// Judges whether the daemon makes progress. Synchronous; the loop is [`run`].
#[derive(Debug, Default)]
pub struct Judge {
    /// What was seen when the last commit happened.
    at_commit: Seen,
    /// How long readings have been waiting since.
    waiting: Duration,
}

impl Judge {
    /// Looks again, `span` after the last look; whether the daemon is alive.
    pub fn look(&mut self, stored: u64, commits: u64, fault: bool, span: Duration) -> bool {
        let progressed = commits != self.at_commit.commits;
        let nothing_to_do = stored == self.at_commit.stored;
        if progressed || nothing_to_do || fault {
            self.at_commit = Seen { stored, commits };
            self.waiting = Duration::ZERO;
        } else {
            self.waiting += span;
        }
        self.waiting < HANG
    }
}

/// Tells systemd that the daemon is ready, then feeds its watchdog until `stop`.
pub async fn run(
    progress: Progress,
    buffer: watch::Receiver<BufferStatus>,
    stop: CancellationToken,
) {
    notify(&[sd_notify::NotifyState::Ready]);
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
        alive = judge.look(progress.stored(), commits, fault, EVERY);
        if alive {
            notify(&[sd_notify::NotifyState::Watchdog]);
        } else if was {
            tracing::error!("readings wait but nothing is committed; the watchdog is not fed");
        }
    }
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

    #[test]
    fn readings_that_wait_without_a_commit_are_a_hang() {
        let mut judge = Judge::default();
        assert!(judge.look(10, 1, false, SPAN));
        assert!(judge.look(20, 1, false, SPAN));
        assert!(judge.look(30, 1, false, SPAN));
        assert!(!judge.look(30, 1, false, SPAN));
        assert!(judge.look(30, 2, false, SPAN), "a commit ends the hang");
    }

    #[test]
    fn a_quiet_estate_and_a_full_disk_are_no_hang() {
        let mut judge = Judge::default();
        for _ in 0..10 {
            assert!(judge.look(10, 1, false, SPAN));
        }
        for more in 0..10 {
            assert!(judge.look(10 + more, 1, true, SPAN));
        }
    }
}
