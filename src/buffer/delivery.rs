//! Tells the star level what reached the platform, how old it was then, and what is lost.
//!
//! # Rules
//!
//! - The age of a block's records counts from its oldest one, on the monotonic clock as long as it
//!   is of this boot: a wall clock that jumps makes nothing late.
//! - A block belongs to an outage when the link was down at any time between its being cut and its
//!   delivery; so do all blocks that an earlier run left. Its 24 hours count while the link is up.
//! - A block that is evicted or damaged never arrives. Of blocks that are thinned, the readings
//!   that are left out never arrive; those that are left count when the thinned block arrives,
//!   unless they were told as lost before. One that is still here when its 24 hours
//!   are over is told as lost then, and not again when it arrives.
//! - Nobody waits for the star level: what it cannot take now is added up and told later.

use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::clock::Clock;
use crate::model::{Delivered, Fact, FactKind, Moment, Seq, WallTime};
use crate::store::{StoreError, Tree};

use super::block::{Lane, Sealed, key, parse_key};
use super::contents::{Contents, Since};

/// Blocks of this run whose contents are remembered; those of others are read again.
const MOST_RECENT: usize = 4096;
/// Sessions of the link that are remembered one by one.
const MOST_SESSIONS: usize = 256;
/// So long the link may be up before a record of an outage is lost (check Q6).
const MUST_ARRIVE: Duration = Duration::from_secs(86_400);
/// How often blocks are looked for that should have arrived.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// Most of them that are told at once.
const AT_ONCE: usize = 1024;

/// What is to be told, and what that takes.
#[derive(Debug, Default)]
pub(super) struct Deliveries {
    out: Option<mpsc::Sender<Fact>>,
    /// What the channel could not take, added up by kind.
    untold: VecDeque<Fact>,
    recent: BTreeMap<Seq, Contents>,
    /// When the link was up, from and until; the last one may still be.
    sessions: VecDeque<(Moment, Option<Moment>)>,
    /// Per lane: blocks up to this position are told as lost.
    given_up: [Seq; 2],
    looked: Moment,
}

impl Deliveries {
    pub fn tell(&mut self, out: mpsc::Sender<Fact>) {
        self.out = Some(out);
    }

    /// Blocks of a lane up to this position were told as lost.
    pub fn given_up(&self, lane: Lane) -> Seq {
        self.given_up[slot(lane)]
    }

    /// The link came up or went down.
    pub fn link(&mut self, up: bool, now: Moment) {
        match (self.sessions.back_mut(), up) {
            (Some((_, until @ None)), false) => *until = Some(now),
            (None | Some((_, Some(_))), true) => self.sessions.push_back((now, None)),
            _ => {}
        }
        if self.sessions.len() > MOST_SESSIONS
            && let Some((from, _)) = self.sessions.pop_front()
            && let Some(next) = self.sessions.front_mut()
        {
            // As if the link had been up between them: that makes no record in time.
            next.0 = from;
        }
    }

    /// These blocks are durable.
    pub fn stored(&mut self, blocks: &[Sealed]) {
        if self.out.is_none() {
            return;
        }
        for block in blocks {
            self.recent.insert(block.seq, block.contents.clone());
        }
        while self.recent.len() > MOST_RECENT {
            self.recent.pop_first();
        }
    }

    /// The platform has a block.
    pub fn arrived(&mut self, lane: Lane, seq: Seq, queue: &Tree, clock: &Clock) {
        if self.out.is_none() {
            return;
        }
        let contents = self.recent.remove(&seq).or_else(|| {
            // A block of an earlier run, or of a long outage. It is still stored; if it was
            // evicted meanwhile, it was told as lost.
            let key = key(lane, seq);
            let value = queue.get(&key).ok().flatten()?;
            Contents::read(&key, &value, clock.boot())
        });
        let Some(contents) = contents.filter(|_| seq > self.given_up[slot(lane)]) else { return };
        let contents = contents.by_boot(clock);
        let now = clock.now();
        let up = self.after_outage(&contents, now);
        self.tell_block(&contents, now, clock.wall(now), up);
    }

    /// A block was deleted before the platform had it, or found damaged.
    pub fn lost(&mut self, seq: Seq, contents: &Contents, now: Moment) {
        self.recent.remove(&seq);
        if self.out.is_some() && seq > self.given_up[slot(contents.lane)] {
            self.tell_lost(contents, now);
        }
    }

    /// Looks for blocks that should have arrived. Reads the oldest blocks, mostly one of a lane.
    pub fn look(&mut self, queue: &Tree, clock: &Clock) -> Result<(), StoreError> {
        let now = clock.now();
        self.flush();
        if self.out.is_none() || now.since(self.looked) < LOOK_EVERY {
            return Ok(());
        }
        self.looked = now;
        for lane in Lane::ALL {
            let mut late = Vec::new();
            let from = key(lane, self.given_up[slot(lane)].next());
            queue.scan(&from, &key(lane, Seq(u64::MAX)), |key, value| {
                let contents = Contents::counts(key, value, clock.boot());
                let (Some(contents), Some((_, seq))) = (contents, parse_key(key)) else {
                    return ControlFlow::Continue(());
                };
                let up = self.after_outage(&contents, now);
                if up.is_none_or(|up| up <= MUST_ARRIVE) || late.len() == AT_ONCE {
                    return ControlFlow::Break(());
                }
                late.push((seq, contents));
                ControlFlow::Continue(())
            })?;
            for (seq, contents) in late {
                self.recent.remove(&seq);
                self.given_up[slot(lane)] = seq;
                self.tell_lost(&contents, now);
            }
        }
        Ok(())
    }

    /// For a block of an outage: how long the link has been up since it was cut.
    fn after_outage(&self, contents: &Contents, now: Moment) -> Option<Duration> {
        let whole = match (self.sessions.back(), contents.created) {
            (Some((from, None)), Some(created)) => created > *from,
            _ => false,
        };
        if whole {
            return None;
        }
        let created = contents.created.unwrap_or_default();
        let up = self
            .sessions
            .iter()
            .map(|(from, until)| until.unwrap_or(now).since(created.max(*from)));
        Some(up.sum())
    }

    fn tell_lost(&mut self, contents: &Contents, now: Moment) {
        let outage = self.after_outage(contents, now).map(|_| Duration::MAX);
        let never = Contents { oldest: Since::Unknown, ..contents.clone() };
        self.tell_block(&never, now, None, outage);
    }

    fn tell_block(
        &mut self,
        contents: &Contents,
        now: Moment,
        wall: Option<WallTime>,
        after_outage: Option<Duration>,
    ) {
        let age = match (contents.oldest, wall) {
            (Since::Boot(oldest), _) => now.since(oldest),
            (Since::Wall(oldest), Some(wall)) => {
                let ms = wall.unix_ms.saturating_sub(oldest);
                Duration::from_millis(u64::try_from(ms).unwrap_or(0))
            }
            _ => Duration::MAX,
        };
        let what = match contents.lane {
            Lane::Urgent => Delivered::Event,
            Lane::Telemetry => Delivered::Telemetry,
        };
        let all = (contents.count > 0).then_some((what, contents.count, Duration::ZERO));
        let special = contents.special.iter().map(|s| (s.what, s.count, s.due));
        for (what, count, due) in all.into_iter().chain(special) {
            let age = age.saturating_add(due);
            let kind = FactKind::Delivered { what, age, count, after_outage };
            self.say(Fact { at: now, kind });
        }
    }

    fn say(&mut self, fact: Fact) {
        match self.untold.iter_mut().find_map(|other| other.absorb(&fact).then_some(())) {
            Some(()) => {}
            None => self.untold.push_back(fact),
        }
        self.flush();
    }

    fn flush(&mut self) {
        let Some(out) = &self.out else { return self.untold.clear() };
        while let Some(fact) = self.untold.pop_front() {
            match out.try_send(fact) {
                Ok(()) => {}
                Err(TrySendError::Full(fact)) => return self.untold.push_front(fact),
                // The daemon is stopping: the evidence was handed to the store.
                Err(TrySendError::Closed(_)) => {
                    self.out = None;
                    return self.untold.clear();
                }
            }
        }
    }
}

fn slot(lane: Lane) -> usize {
    match lane {
        Lane::Urgent => 0,
        Lane::Telemetry => 1,
    }
}
