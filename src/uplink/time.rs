//! Asks the platform for the time, over the same connection and beside the blocks.
//!
//! ```text
//! gateway  -> <prefix>/time/request  {"v":1,"gateway":"estate-1","id":"5f0c…","boot":"…","boot_ms":61234}
//! platform -> <prefix>/time          {"v":1,"id":"5f0c…","unix_ms":1793900000123}
//! ```
//! Both with QoS 0: what comes late is worth nothing. The platform's time belongs to the middle of
//! the round trip. No I/O and no timer of its own: the link asks with `now`.

use std::time::Duration;

use super::message::MESSAGE_VERSION;
use crate::clock::{Clock, Sample, Source};
use crate::model::{Estate, Moment, TimeAnswer, TimeRequest};

/// A longer round trip says too little.
const LONGEST: Duration = Duration::from_secs(2);
/// Requests of one round; the quickest answer counts.
const ROUND: u8 = 4;
/// Between two requests of a round.
const SPACING: Duration = Duration::from_secs(1);
/// Between two rounds that were answered.
const EVERY: Duration = Duration::from_secs(15 * 60);
/// Between two rounds that nobody answers: soon while the time is needed.
const NEEDED: Duration = Duration::from_secs(5 * 60);
const NOT_NEEDED: Duration = Duration::from_secs(60 * 60);
/// How well the platform itself knows the time, milliseconds.
const PLATFORM_MS: u64 = 50;

#[derive(Debug)]
struct Open {
    id: String,
    asked: Moment,
    /// When it left; until then it may wait behind others.
    sent: Option<Moment>,
}

/// Asks, on one connection.
#[derive(Debug)]
pub(super) struct Asker {
    granted: bool,
    open: Option<Open>,
    next: Moment,
    /// Requests left in this round.
    left: u8,
    /// The quickest answer of this round.
    best: Option<Duration>,
}

impl Asker {
    /// The connection was made, and the answers subscribed to.
    pub fn new(now: Moment) -> Self {
        Self { granted: false, open: None, next: now, left: ROUND, best: None }
    }

    /// The broker granted the subscription, or did not: then nobody is asked.
    pub fn granted(&mut self, granted: bool) {
        self.granted = granted;
    }

    /// Whether something is not answered yet: a broker that ends the connection now may do so
    /// because of the question.
    pub fn waits(&self) -> bool {
        self.open.is_some()
    }

    /// The next question, when it is due.
    pub fn due(&mut self, now: Moment, estate: &Estate, clock: &Clock) -> Option<TimeRequest> {
        if self.open.as_ref().is_some_and(|open| now.since(open.since()) >= LONGEST) {
            self.open = None;
        }
        if !self.granted || self.open.is_some() || now < self.next {
            return None;
        }
        if self.left == 0 {
            (self.left, self.best) = (ROUND, None);
        }
        let Ok(id) = getrandom::u64() else {
            tracing::warn!("no random number: the platform is not asked for the time");
            self.granted = false;
            return None;
        };
        self.left -= 1;
        self.next = now.plus(match (self.left, self.best) {
            (1.., _) => SPACING,
            (0, Some(_)) => EVERY,
            (0, None) if clock.trusted() => NOT_NEEDED,
            (0, None) => NEEDED,
        });
        let id = format!("{id:016x}");
        self.open = Some(Open { id: id.clone(), asked: now, sent: None });
        Some(TimeRequest {
            v: MESSAGE_VERSION,
            gateway: estate.gateway.as_str().into(),
            id,
            boot: clock.boot().to_string(),
            boot_ms: now.boot_ms,
        })
    }

    /// A message without an acknowledgement left: there is no other than the question.
    pub fn sent(&mut self, now: Moment) {
        if let Some(open) = &mut self.open {
            open.sent.get_or_insert(now);
        }
    }

    /// A message came under `time`. What it says about the clock, if it is the quickest answer of
    /// its round.
    pub fn answer(&mut self, payload: &[u8], now: Moment) -> Option<Sample> {
        let answer: TimeAnswer = serde_json::from_slice(payload).ok()?;
        let open = self.open.take_if(|open| open.id == answer.id)?;
        let trip = now.since(open.since());
        if answer.v != MESSAGE_VERSION || trip >= LONGEST {
            return None;
        }
        if self.left == 0 && self.best.is_none() {
            self.next = now.plus(EVERY);
        }
        if self.best.is_some_and(|best| best <= trip) {
            return None;
        }
        self.best = Some(trip);
        let half = u64::try_from(trip.as_millis() / 2).unwrap_or(u64::MAX);
        let signed = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
        let theirs = answer.unix_ms.saturating_add(signed(half));
        Some(Sample {
            source: Source::Platform,
            offset_ms: theirs.saturating_sub(signed(now.boot_ms)),
            uncertainty_ms: half + PLATFORM_MS,
        })
    }

    /// When it wants to be asked again.
    pub fn wake_at(&self) -> Option<Moment> {
        let gives_up = self.open.as_ref().map(|open| open.since().plus(LONGEST));
        self.granted.then(|| gives_up.unwrap_or(self.next))
    }
}

impl Open {
    fn since(&self) -> Moment {
        self.sent.unwrap_or(self.asked)
    }
}

#[cfg(test)]
#[path = "time_tests.rs"]
mod tests;
