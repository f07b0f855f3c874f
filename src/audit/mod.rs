//! The audit trail: who did what, when, from where, and what became of it.
//!
//! It stands in the tree `audit` of the store: eight bytes of the entry's number, the highest
//! first, lead to a row of JSON. Each row holds a digest over the row before and itself, so that a
//! row that was changed, left out or put in later shows. The newest [`MOST`] entries of a year are
//! kept; numbers never begin anew, so that what was dropped can be counted.
//!
//! What a person did is durable before the answer ([`Audit::note`]). What anybody on the network
//! can cause at will, such as refused logins, rides along with the next commit
//! ([`Audit::note_soon`]): it must not wear the flash.

mod entry;
#[cfg(test)]
mod tests;
mod trail;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use entry::{Action, Deed, Entry, Outcome};
pub use trail::{Filter, Page, Trail, Verified};

use crate::clock::Clock;
use crate::store::{Changes, Store, StoreError};

/// Most entries that are kept, the newest.
pub const MOST: u64 = 10_000;
/// Longest time that an entry is kept, in days.
pub const DAYS: i64 = 366;

/// Entries that wait for a commit which is known to have held; above this one is made.
const MOST_WAITING: usize = 64;
/// Entries that wait while the store cannot be written; above this the oldest is given up, and the
/// gap in the numbers says so.
const MOST_HELD: usize = 512;
/// Old entries that are looked at whenever one is noted.
const AT_ONCE: usize = 16;
const DAY_MS: i64 = 86_400_000;

/// Handle on the trail; clones share it.
#[derive(Clone)]
pub struct Audit(Arc<Inner>);

struct Inner {
    store: Store,
    trail: Trail,
    clock: Clock,
    keep: Mutex<Keep>,
}

/// Where the trail goes on.
struct Keep {
    next: u64,
    chain: String,
    /// Applied, or still to be; not known to be durable. Applied once more with the next one: after
    /// a failed commit nobody knows what is in the store.
    waiting: Vec<(u64, Vec<u8>)>,
}

impl std::fmt::Debug for Audit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Audit(next {})", self.keep().next)
    }
}

impl Audit {
    /// Goes on where the trail in the store ends.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn open(store: &Store, clock: Clock) -> Result<Self, StoreError> {
        let trail = Trail::of(store);
        let (next, chain) = trail.end()?;
        let keep = Mutex::new(Keep { next, chain, waiting: Vec::new() });
        Ok(Self(Arc::new(Inner { store: store.clone(), trail, clock, keep })))
    }

    /// Notes a deed; durable when this returns. What cannot be kept is told in the log, and tried
    /// again with the next entry: the deed itself was done.
    pub async fn note(&self, deed: Deed) {
        let this = self.clone();
        let noted = tokio::task::spawn_blocking(move || this.note_blocking(deed)).await;
        match noted {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "an entry of the audit trail is not durable"),
            Err(error) => tracing::warn!(%error, "an entry of the audit trail is not durable"),
        }
    }

    /// Notes a deed; durable when this returns. Blocks as long as the flash takes.
    ///
    /// # Errors
    /// The store refused; the entry waits and is written with the next one.
    pub fn note_blocking(&self, deed: Deed) -> Result<(), StoreError> {
        let number = self.apply(deed)?;
        self.0.store.commit()?;
        self.keep().waiting.retain(|(waiting, _)| *waiting > number);
        Ok(())
    }

    /// Notes a deed that becomes durable with somebody's next commit, or with the next entry that
    /// is. Returns whether so many wait that a commit is due: then [`settle`](Self::settle).
    pub fn note_soon(&self, deed: Deed) -> bool {
        if let Err(error) = self.apply(deed) {
            tracing::info!(%error, "an entry of the audit trail waits for the store");
        }
        self.keep().waiting.len() >= MOST_WAITING
    }

    /// Makes everything durable that waits.
    pub async fn settle(&self) {
        let this = self.clone();
        let work = move || -> Result<(), StoreError> {
            let last = this.write(&mut this.keep())?;
            this.0.store.commit()?;
            this.keep().waiting.retain(|(waiting, _)| *waiting > last);
            Ok(())
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the audit trail is not durable"),
            Err(error) => tracing::warn!(%error, "the audit trail is not durable"),
        }
    }

    /// What is kept, to be read.
    pub fn trail(&self) -> &Trail {
        &self.0.trail
    }

    /// Writes the entry; its number.
    fn apply(&self, deed: Deed) -> Result<u64, StoreError> {
        let clock = &self.0.clock;
        let now = clock.now();
        let mut keep = self.keep();
        let entry = Entry::new(
            keep.next,
            deed,
            (clock.boot(), now),
            (clock.best_wall(now), clock.trusted()),
            &keep.chain,
        );
        keep.next += 1;
        keep.chain.clone_from(&entry.chain);
        keep.waiting.push((entry.number, entry.row()));
        if keep.waiting.len() > MOST_HELD {
            keep.waiting.remove(0);
            tracing::warn!("an entry of the audit trail is lost: the store cannot be written");
        }
        self.write(&mut keep)
    }

    /// Applies what waits, and drops what is too old; the last number.
    fn write(&self, keep: &mut Keep) -> Result<u64, StoreError> {
        let mut changes = Changes::default();
        for (number, row) in &keep.waiting {
            changes.insert(&number.to_be_bytes(), row);
        }
        let now = self.0.clock.wall(self.0.clock.now());
        let oldest_day = now.map(|now| now.unix_ms - DAYS * DAY_MS);
        for number in self.0.trail.surplus(keep.next, oldest_day, AT_ONCE)? {
            changes.remove(&number.to_be_bytes());
        }
        self.0.trail.apply(changes)?;
        Ok(keep.next - 1)
    }

    // Nothing that holds it panics half-way through a change.
    fn keep(&self) -> MutexGuard<'_, Keep> {
        self.0.keep.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
