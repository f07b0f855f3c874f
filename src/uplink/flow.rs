//! Which block goes next. No I/O of its own, no timer: the session asks with `now`.
//!
//! Order: events; then readings committed in this session (live); then what was there before it
//! (late), paced by a rate and by half the window, so that it never delays live data. Blocks whose
//! times count from boot wait aside for a trusted clock and block nobody; only their positions are
//! kept in memory, they are read again when their turn comes.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use super::store::Store;
use crate::buffer::{Block, Lane, ReadError};
use crate::model::{Moment, Seq};

/// Blocks read ahead at once.
const PAGE: usize = 32;
/// Most blocks of one kind whose positions wait for a trusted clock.
const MAX_HELD: usize = 4096;
/// How often the clock is asked while blocks wait for it.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// What a block is to this session; decides its topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// Events.
    Event,
    /// Readings committed in this session.
    Live,
    /// Readings that were there before it.
    Late,
}

/// A block whose turn it is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Departure {
    /// What it is.
    pub kind: Kind,
    /// The block.
    pub block: Block,
    /// What to publish: the block's payload, or the one with wall times.
    pub payload: Bytes,
}

/// The moment, as far as decisions need it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    /// On the monotonic clock.
    pub at: Moment,
    /// Whether the wall clock is trusted.
    pub trusted: bool,
}

/// Decides which block goes next.
#[derive(Debug)]
pub(super) struct Flow {
    urgent: Cursor,
    live: Cursor,
    late: Cursor,
    pacer: Pacer,
}

#[derive(Debug)]
struct Cursor {
    kind: Kind,
    after: Option<Seq>,
    /// First position that is not this cursor's.
    end: Option<Seq>,
    page: VecDeque<Block>,
    /// Nothing to read until the next commit.
    dry: bool,
    /// The last read failed.
    failed: bool,
    hold: Duration,
    /// Positions that wait for a trusted clock, and until when.
    held: VecDeque<(Seq, Moment)>,
}

/// Lets bytes through at a rate; the last block may overdraw.
#[derive(Debug)]
struct Pacer {
    /// Bytes a second.
    rate: f64,
    burst: f64,
    tokens: f64,
    at: Moment,
}

impl Flow {
    /// A session begins: blocks below `next` are late. `late_rate` in bytes a second; `hold` is
    /// how long blocks without wall time wait for a trusted clock.
    pub fn new(next: Seq, late_rate: u64, hold: Duration, now: Moment) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "a rate needs no 53 bits")]
        let rate = late_rate.max(1) as f64;
        let cursor = |kind, after, end| Cursor {
            kind,
            after,
            end,
            page: VecDeque::new(),
            dry: false,
            failed: false,
            hold,
            held: VecDeque::new(),
        };
        let before = Seq(next.0.saturating_sub(1));
        Self {
            urgent: cursor(Kind::Event, None, None),
            live: cursor(Kind::Live, Some(before), None),
            late: cursor(Kind::Late, None, Some(next)),
            pacer: Pacer { rate, burst: rate / 4.0, tokens: rate / 4.0, at: now },
        }
    }

    /// Something was committed: look again.
    pub fn poke(&mut self) {
        self.urgent.dry = false;
        self.live.dry = false;
        // Its end is fixed; only a read that failed left it dry too early.
        self.late.dry &= !self.late.failed;
    }

    /// The next block, if any may go now. `late` says whether the window has room for a late one.
    ///
    /// # Errors
    /// The store cannot be read; it is asked again after the next commit.
    pub fn next(
        &mut self,
        store: &impl Store,
        now: Now,
        late: bool,
    ) -> Result<Option<Departure>, ReadError> {
        if let Some(departure) = self.urgent.next(store, now)? {
            return Ok(Some(departure));
        }
        if let Some(departure) = self.live.next(store, now)? {
            return Ok(Some(departure));
        }
        if !late || !self.pacer.open(now.at) {
            return Ok(None);
        }
        let departure = self.late.next(store, now)?;
        if let Some(departure) = &departure {
            self.pacer.take(departure.payload.len());
        }
        Ok(departure)
    }

    /// When `next` may answer differently without a commit or an acknowledgement.
    pub fn wake_at(&self, now: Moment) -> Option<Moment> {
        let paced = (!self.late.idle()).then(|| self.pacer.opens_at(now)).flatten();
        let held = [&self.urgent, &self.live, &self.late]
            .iter()
            .any(|cursor| !cursor.held.is_empty())
            .then(|| now.plus(LOOK_AGAIN));
        paced.into_iter().chain(held).min()
    }
}

impl Cursor {
    fn idle(&self) -> bool {
        self.dry && self.page.is_empty()
    }

    fn lane(&self) -> Lane {
        if self.kind == Kind::Event { Lane::Urgent } else { Lane::Telemetry }
    }

    fn next(&mut self, store: &impl Store, now: Now) -> Result<Option<Departure>, ReadError> {
        while let Some(&(seq, until)) = self.held.front() {
            if !now.trusted && now.at < until {
                break;
            }
            let before = Some(Seq(seq.0.saturating_sub(1)));
            let found = store.read(self.lane(), before, 1)?.into_iter().next();
            self.held.pop_front();
            // Evicted meanwhile: the buffer has announced that.
            if let Some(block) = found.filter(|block| block.seq == seq) {
                return Ok(Some(self.depart(store, block, now)));
            }
        }
        loop {
            let Some(block) = self.page.pop_front() else {
                if self.dry || !self.turn_page(store)? {
                    return Ok(None);
                }
                continue;
            };
            if block.stamped || now.trusted {
                return Ok(Some(self.depart(store, block, now)));
            }
            // A block of an earlier boot waits from the begin of this one: a clock that is trusted
            // now says at least that it was before.
            let from = if block.this_boot { block.created } else { Moment::default() };
            let until = from.plus(self.hold);
            if until <= now.at {
                return Ok(Some(self.depart(store, block, now)));
            }
            if self.held.len() == MAX_HELD {
                self.page.push_front(block);
                return Ok(None);
            }
            self.held.push_back((block.seq, until));
        }
    }

    fn depart(&self, store: &impl Store, block: Block, now: Now) -> Departure {
        // Also of an earlier boot, and after the wait: whatever is known by now.
        let ask = !block.stamped && (now.trusted || !block.this_boot);
        let stamped = if ask { store.stamp(&block).map(Bytes::from) } else { None };
        let payload = stamped.unwrap_or_else(|| block.payload.clone());
        // What was thinned is old, whenever it was committed.
        let late = block.thinned && self.kind == Kind::Live;
        Departure { kind: if late { Kind::Late } else { self.kind }, block, payload }
    }

    /// Reads ahead; says whether there is something.
    fn turn_page(&mut self, store: &impl Store) -> Result<bool, ReadError> {
        // Dry first: a store that cannot be read is asked again after the next commit only.
        self.dry = true;
        self.failed = true;
        let mut page: VecDeque<Block> = store.read(self.lane(), self.after, PAGE)?.into();
        self.failed = false;
        if let Some(end) = self.end {
            page.retain(|block| block.seq < end);
        }
        let Some(last) = page.back() else { return Ok(false) };
        self.after = Some(last.seq);
        self.dry = false;
        self.page = page;
        Ok(true)
    }
}

impl Pacer {
    fn refill(&self, now: Moment) -> f64 {
        (self.tokens + self.rate * now.since(self.at).as_secs_f64()).min(self.burst)
    }

    fn open(&mut self, now: Moment) -> bool {
        self.tokens = self.refill(now);
        self.at = now;
        self.tokens > 0.0
    }

    #[expect(clippy::cast_precision_loss, reason = "a block has at most a few KiB")]
    fn take(&mut self, bytes: usize) {
        self.tokens -= bytes as f64;
    }

    /// `None` when it is open.
    fn opens_at(&self, now: Moment) -> Option<Moment> {
        let tokens = self.refill(now);
        (tokens <= 0.0).then(|| {
            now.plus(Duration::from_secs_f64(-tokens / self.rate) + Duration::from_millis(1))
        })
    }
}

#[cfg(test)]
#[path = "flow_tests.rs"]
mod tests;
