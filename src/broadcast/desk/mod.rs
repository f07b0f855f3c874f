//! The desk of the broadcast: takes messages, decides what plays where, and keeps the receipts.
//!
//! ```text
//!  message, staff, rule, calendar ─► accept ─► entry ─► one share for each terminal and screen
//!                                      │                  │ ordered → playing → pausing → … finished
//!                                      └► refused         └ interrupted, failed, cancelled, missed
//! ```
//! For each device the desk plays the most urgent of what addresses it: what is meant goes before
//! drills, then by level, then in the order of arrival. A red one interrupts lower ones, and what is
//! meant interrupts drills; all others wait until the device is free. A screen changes to the higher
//! level at once, and of equals to the newer. What was interrupted goes on
//! afterwards while it is still valid.
//!
//! Pure: [`Desk::apply`] takes what happened and says what to do; the task around it does it.

mod accept;
mod answer;
mod entry;
mod keep;
mod latency;
mod over;
mod post;
mod refused;
mod turn;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::message::envelope::Key;
use super::texts::Texts;
use super::zones::Zones;
use crate::model::{FactKind, Moment, Warning, WarningId, WarningNews, WarningRefusal};

#[cfg(feature = "schema")]
pub use answer::WarningAnswer;
pub use entry::{Entry, Life};
pub use keep::{Change, Row};
pub use latency::Latencies;
use post::Post;
pub use refused::Evidence;

/// Warnings that are on or waiting at the same time, at most.
pub const MOST_OPEN: usize = 32;
/// Warnings that are remembered with their receipts.
pub const MOST_KEPT: usize = 200;
/// A message that was sent longer ago is not taken.
const TOO_OLD: Duration = Duration::from_secs(24 * 3600);
/// A warning without an end is over after this time.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// A terminal says within this time that it plays, else it is ordered again.
const WORD_WITHIN: Duration = Duration::from_secs(6);
/// Between a refusal and the next order; doubled each time.
const ORDER_AGAIN: Duration = Duration::from_secs(2);
/// Orders that are given again before a device counts as failed.
const MOST_RETRIES: u16 = 5;
/// Terminal that something else cut off: when it is tried again.
const CUT_OFF: Duration = Duration::from_secs(30);
/// A text stays on a screen at least so long.
const SHOWN_AT_LEAST: Duration = Duration::from_secs(60);
/// The platform has the receipts within this time, or they count as not returned.
const RETURNED_WITHIN: Duration = Duration::from_secs(24 * 3600);
/// Cancelled before they came: so many are remembered.
const MOST_FORESEEN: usize = 64;

/// When something happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// On the monotonic clock.
    pub at: Moment,
    /// By the best knowledge of the wall clock, milliseconds since 1970.
    pub wall_ms: i64,
    /// Whether that is trusted: only then a message can be too late.
    pub trusted: bool,
}

impl Now {
    /// The wall time of a moment not after now.
    fn wall_of(&self, moment: Moment) -> i64 {
        let ago = i64::try_from(self.at.since(moment).as_millis()).unwrap_or(i64::MAX);
        self.wall_ms.saturating_sub(ago)
    }

    fn wall_plus(&self, span: Duration) -> i64 {
        self.wall_ms.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX))
    }
}

/// What a terminal or screen says of itself. What it did not say is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Said {
    /// When.
    pub at: Moment,
    /// It plays.
    pub playing: Option<bool>,
    /// The message that plays or played last.
    pub message: Option<String>,
    /// What a screen shows.
    pub text: Option<String>,
    /// It could not be heard or seen as it should.
    pub fault: bool,
}

/// What happened.
#[derive(Debug)]
pub enum Input<'a> {
    /// A message came, under this name.
    Message {
        /// What the sender's topic calls it.
        name: &'a str,
        /// As it came.
        payload: &'a [u8],
    },
    /// Somebody at this gateway warns; the identifier is given by the desk.
    Compose(Box<Warning>),
    /// Somebody at this gateway cancels.
    Cancel {
        /// Which.
        id: &'a WarningId,
        /// Who.
        by: &'a str,
    },
    /// A device said something.
    Said {
        /// Which of the targets.
        target: usize,
        /// What.
        said: Said,
    },
    /// What became of an order.
    Outcome {
        /// The device that was ordered.
        target: usize,
        /// Which order.
        ticket: u64,
        /// Whether it was followed.
        done: bool,
    },
    /// The platform acknowledged the receipts of a warning.
    Returned(u64),
    /// Time passed.
    Tick,
}

/// What a device is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderKind {
    /// Keep this message: `<id> <level> <text>`.
    Message(String),
    /// Play the message.
    Play(WarningId),
    /// Be silent.
    Stop,
    /// Show the text.
    Text(String),
}

impl OrderKind {
    /// The command of the profile.
    pub fn command(&self) -> &'static str {
        match self {
            Self::Message(_) => "message",
            Self::Play(_) => "play",
            Self::Stop => "stop",
            Self::Text(_) => "text",
        }
    }

    /// Its value; none for a trigger.
    pub fn value(&self) -> Option<&str> {
        match self {
            Self::Message(text) | Self::Text(text) => Some(text),
            Self::Play(id) => Some(id.as_str()),
            Self::Stop => None,
        }
    }
}

/// An order to one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Names it until its outcome is told.
    pub ticket: u64,
    /// Which of the targets.
    pub target: usize,
    /// What.
    pub kind: OrderKind,
    /// Who is behind it, for the trail: a warning's identifier.
    pub by: String,
    /// After this nobody waits for it.
    pub deadline: Moment,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Order something.
    Order(Order),
    /// Tell the platform.
    Tell(Box<WarningNews>),
    /// The receipts of this warning were told: say when the platform has them.
    Receipts(u64),
    /// Tell the star level.
    Fact(FactKind),
    /// Answer the message of this name.
    Answer {
        /// Its name.
        name: String,
        /// The answer: XML for a packet, else JSON.
        text: String,
    },
}

/// A warning of this gateway was taken, or why not.
pub type Taken = Result<WarningId, WarningRefusal>;

/// What the desk must know of the configuration.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Who hears and sees what.
    pub zones: Zones,
    /// The words.
    pub texts: Arc<Texts>,
    /// Whose messages count.
    pub keys: Vec<Key>,
    /// Messages of the platform must be signed.
    pub require_signature: bool,
    /// Our resource id, 18 digits.
    pub source: Option<String>,
}

/// The desk.
#[derive(Debug)]
pub struct Desk {
    setup: Setup,
    /// By their number; those that are over too.
    entries: BTreeMap<u64, Entry>,
    posts: Vec<Post>,
    refused: VecDeque<Evidence>,
    /// Cancelled before they came.
    foreseen: VecDeque<WarningId>,
    next_number: u64,
    next_refused: u64,
    next_ticket: u64,
    /// Counts our packets.
    sequence: u64,
    /// Which day our own identifiers are counted for, and how many there are.
    own_day: (String, u32),
    dirty: BTreeSet<Row>,
    /// Counts changes of what the page shows.
    version: u64,
    effects: Vec<Effect>,
    /// Accepted to playing of all terminals since the start, milliseconds, ascending.
    latencies: Latencies,
}

impl Desk {
    /// Nothing was ever warned of.
    pub fn new(setup: Setup) -> Self {
        let posts = setup.zones.targets().iter().map(|_| Post::default()).collect();
        Self {
            setup,
            entries: BTreeMap::new(),
            posts,
            refused: VecDeque::new(),
            foreseen: VecDeque::new(),
            next_number: 1,
            next_refused: 1,
            next_ticket: 1,
            sequence: 0,
            own_day: (String::new(), 0),
            dirty: BTreeSet::new(),
            version: 0,
            effects: Vec::new(),
            latencies: Latencies::default(),
        }
    }

    /// Takes what happened; the effects are in [`take_effects`](Self::take_effects).
    ///
    /// # Errors
    /// Of what somebody at this gateway wants: why it is refused. Messages of the platform are
    /// refused by an event.
    pub fn apply(
        &mut self,
        input: Input<'_>,
        now: Now,
    ) -> Result<Option<WarningId>, WarningRefusal> {
        let taken = match input {
            Input::Message { name, payload } => {
                self.message(name, payload, now);
                Ok(None)
            }
            Input::Compose(warning) => self.compose(*warning, now).map(Some),
            Input::Cancel { id, by } => self.cancel_one(id, by, now).map(|()| None),
            // One device: the others need not be looked at.
            Input::Said { target, said } => {
                self.said(target, said, now);
                self.look_at(target, now);
                return Ok(None);
            }
            Input::Outcome { target, ticket, done } => {
                self.outcome(target, ticket, done, now);
                self.look_at(target, now);
                return Ok(None);
            }
            Input::Returned(number) => {
                self.returned(number, true);
                Ok(None)
            }
            Input::Tick => Ok(None),
        };
        self.advance(now);
        taken
    }

    fn look_at(&mut self, target: usize, now: Now) {
        if target < self.posts.len() {
            self.turn(target, now);
            let numbers: Vec<u64> = self.open().map(|entry| entry.number).collect();
            numbers.into_iter().for_each(|number| self.wrap_up(number, now));
        }
    }

    /// What is to be done since the last call, in order.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Whether some warning is not over, so that devices are to be watched.
    pub fn is_busy(&self) -> bool {
        self.open().next().is_some() || self.posts.iter().any(Post::is_busy)
    }

    /// Changes whenever something that the page shows does.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The warnings, the newest first.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values().rev()
    }

    /// The refused messages, the newest first.
    pub fn refused(&self) -> impl Iterator<Item = &Evidence> {
        self.refused.iter().rev()
    }

    /// How long terminals took to play.
    pub fn latencies(&self) -> &Latencies {
        &self.latencies
    }

    /// What the configuration says.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    fn open(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values().filter(|entry| entry.life == Life::Open)
    }

    fn find(&self, id: &WarningId) -> Option<u64> {
        let mut found = self.entries.iter().rev();
        found.find(|(_, entry)| entry.warning.id == *id).map(|(number, _)| *number)
    }

    fn touched(&mut self, row: Row) {
        self.version += 1;
        self.dirty.insert(row);
    }

    fn order(&mut self, target: usize, kind: OrderKind, by: &WarningId, now: Now) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        let (by, deadline) = (by.to_string(), now.at.plus(WORD_WITHIN));
        self.effects.push(Effect::Order(Order { ticket, target, kind, by, deadline }));
        ticket
    }
}
