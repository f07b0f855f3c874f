//! Judges what the sources of time say. Synchronous, no I/O: told with the moment, answers with
//! effects.
//!
//! # Rules
//!
//! - The offset between the monotonic clock and wall time is ours; the system's clock is never set.
//! - Of the sources heard lately the first of [`Source`]'s order is followed. Another that
//!   disagrees is told by name, once.
//! - A difference below [`STEP_MS`] is slewed: wall time never runs backwards for it. A larger one
//!   is a step, and told. A source that is itself coarse moves the clock only when it differs by
//!   more than its own uncertainty.
//! - A lost source means holdover: the uncertainty grows by [`DRIFT_PPM`] until the bound; then
//!   the clock is not trusted any more. A worse source may confirm it meanwhile; it moves the clock
//!   once it knows the time better than that.
//! - What lies before the floor is not believed, unless two independent sources agree on it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::effect::{Disagreement, Effect};
use super::source::{Sample, Source, TrustState};
use crate::model::Moment;

/// From this difference on the clock steps, milliseconds.
pub const STEP_MS: i64 = 500;
/// What a cheap crystal is off between -10 and 60 °C, with room to spare, parts per million.
pub const DRIFT_PPM: u64 = 50;
/// How fast a small difference is made up for, parts per million; slower than time, so that wall
/// time never runs backwards.
const SLEW_PPM: i64 = 500;
/// Two sources may differ by this beside what they admit, milliseconds.
const MARGIN_MS: u64 = 1000;
/// A difference this near to whole hours is a wrong time zone, milliseconds.
const ZONE_MS: i64 = 60_000;
const HOUR_MS: i64 = 3_600_000;
/// Latest sensible time after the floor: twenty years.
const AHEAD_MS: i64 = 20 * 365 * 24 * HOUR_MS;

/// Wall time less boot time over the moments: constant, or on its way to a new value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line {
    from_ms: i64,
    to_ms: i64,
    since: Moment,
}

impl Line {
    fn at(&self, moment: Moment) -> i64 {
        let passed = i64::try_from(moment.since(self.since).as_millis()).unwrap_or(i64::MAX);
        let most = passed.saturating_mul(SLEW_PPM) / 1_000_000;
        self.from_ms + (self.to_ms - self.from_ms).clamp(-most, most)
    }
}

/// What a source said last.
#[derive(Debug, Clone, Copy)]
struct Heard {
    offset_ms: i64,
    uncertainty_ms: u64,
    at: Moment,
}

impl Heard {
    fn uncertainty(&self, now: Moment) -> u64 {
        self.uncertainty_ms.saturating_add(drift(now.since(self.at)))
    }
}

/// The judge.
#[derive(Debug)]
pub(super) struct Judge {
    holdover_ms: u64,
    floor_ms: i64,
    state: TrustState,
    line: Line,
    /// The line is more than a guess.
    known: bool,
    source: Option<Source>,
    /// At `synced`.
    uncertainty_ms: u64,
    synced: Option<Moment>,
    /// Our clock less the source that is followed, when they were last compared.
    residual_ms: Option<i64>,
    heard: BTreeMap<Source, Heard>,
    refused: BTreeMap<Source, Heard>,
    disagreements: BTreeMap<Source, Disagreement>,
}

impl Judge {
    /// Nothing is trusted; what lies before `floor_ms` never will be.
    pub fn new(holdover: Duration, floor_ms: i64) -> Self {
        Self {
            holdover_ms: u64::try_from(holdover.as_millis()).unwrap_or(u64::MAX),
            floor_ms,
            state: TrustState::Untrusted,
            line: Line { from_ms: 0, to_ms: 0, since: Moment::default() },
            known: false,
            source: None,
            uncertainty_ms: 0,
            synced: None,
            residual_ms: None,
            heard: BTreeMap::new(),
            refused: BTreeMap::new(),
            disagreements: BTreeMap::new(),
        }
    }

    pub fn state(&self) -> TrustState {
        self.state
    }

    pub fn source(&self) -> Option<&Source> {
        self.source.as_ref()
    }

    pub fn synced(&self) -> Option<Moment> {
        self.synced
    }

    pub fn residual_ms(&self) -> Option<i64> {
        self.residual_ms
    }

    pub fn disagreements(&self) -> impl Iterator<Item = &Disagreement> {
        self.disagreements.values()
    }

    pub fn refused(&self) -> impl Iterator<Item = &Source> {
        self.refused.keys()
    }

    /// Nothing before this is believed.
    pub fn raise_floor(&mut self, floor_ms: i64) {
        self.floor_ms = self.floor_ms.max(floor_ms);
    }

    /// Wall time less boot time at a moment, milliseconds.
    pub fn offset_ms(&self, moment: Moment) -> i64 {
        self.line.at(moment)
    }

    /// How far the clock may be off, milliseconds; `None` when it is not trusted.
    pub fn uncertainty_ms(&self, now: Moment) -> Option<u64> {
        (self.state != TrustState::Untrusted).then(|| self.grown(now))
    }

    fn grown(&self, now: Moment) -> u64 {
        let since = self.synced.map_or(Duration::MAX, |synced| now.since(synced));
        let slewing = (self.line.to_ms - self.line.at(now)).unsigned_abs();
        self.uncertainty_ms.saturating_add(drift(since)).saturating_add(slewing)
    }

    /// The offset that pages show while nothing is trusted.
    pub fn guess(&mut self, offset_ms: i64, now: Moment) {
        if !self.known {
            self.line = Line { from_ms: offset_ms, to_ms: offset_ms, since: now };
        }
    }

    /// An earlier run of the daemon in this boot knew the time: it goes on from there.
    pub fn resume(&mut self, sample: &Sample, synced: Moment, now: Moment) -> Vec<Effect> {
        if self.known || self.implausible(sample.offset_ms, now) {
            return Vec::new();
        }
        self.settle(sample.offset_ms, now);
        self.source = Some(sample.source.clone());
        self.uncertainty_ms = sample.uncertainty_ms;
        self.synced = Some(synced);
        if self.grown(now) > self.holdover_ms {
            return Vec::new();
        }
        self.enter(TrustState::Holdover, now).into_iter().collect()
    }

    /// A source said something.
    pub fn hear(&mut self, sample: &Sample, now: Moment) -> Vec<Effect> {
        let mut effects = self.tick(now);
        let heard =
            Heard { offset_ms: sample.offset_ms, uncertainty_ms: sample.uncertainty_ms, at: now };
        if self.implausible(sample.offset_ms, now) && !self.confirmed(&sample.source, &heard, now) {
            self.heard.remove(&sample.source);
            if self.refused.insert(sample.source.clone(), heard).is_none() {
                effects.push(Effect::Refused {
                    source: sample.source.clone(),
                    said_ms: now_ms(now).saturating_add(sample.offset_ms),
                    not_before_ms: self.floor_ms,
                });
            }
            return effects;
        }
        self.refused.remove(&sample.source);
        self.heard.insert(sample.source.clone(), heard);
        if self.heard.keys().next() == Some(&sample.source)
            && self.may_follow(&sample.source, &heard, now)
        {
            self.follow(&sample.source, heard, now, &mut effects);
        }
        self.compare(now, &mut effects);
        effects
    }

    /// Time passed.
    pub fn tick(&mut self, now: Moment) -> Vec<Effect> {
        let mut effects = Vec::new();
        let fresh = |source: &Source, heard: &mut Heard| now.since(heard.at) <= source.keeps();
        self.heard.retain(fresh);
        self.refused.retain(fresh);
        self.disagreements.retain(|source, _| self.heard.contains_key(source));
        let lost = self.source.as_ref().is_some_and(|source| !self.heard.contains_key(source));
        if lost && self.state == TrustState::Synchronised {
            match self.heard.first_key_value().map(|(source, heard)| (source.clone(), *heard)) {
                Some((source, heard)) if self.may_follow(&source, &heard, now) => {
                    self.follow(&source, heard, now, &mut effects);
                }
                _ => effects.extend(self.enter(TrustState::Holdover, now)),
            }
        }
        if self.state == TrustState::Holdover && self.grown(now) > self.holdover_ms {
            effects.extend(self.enter(TrustState::Untrusted, now));
        }
        effects
    }

    /// Whether a worse source knows the time less well than the better one that was lost.
    fn is_outranked(&self, source: &Source, heard: &Heard, now: Moment) -> bool {
        let better = self.source.as_ref().is_some_and(|before| before < source);
        better && self.uncertainty_ms(now).is_some_and(|ours| ours < heard.uncertainty(now))
    }

    /// A source that is outranked may confirm the clock, not move it.
    fn may_follow(&self, source: &Source, heard: &Heard, now: Moment) -> bool {
        let apart = heard.offset_ms.saturating_sub(self.line.at(now)).unsigned_abs();
        !self.is_outranked(source, heard, now) || apart <= heard.uncertainty(now)
    }

    /// Takes the time from a source.
    fn follow(&mut self, source: &Source, heard: Heard, now: Moment, effects: &mut Vec<Effect>) {
        let theirs = heard.uncertainty(now);
        let ours = self.uncertainty_ms(now);
        let ahead = heard.offset_ms.saturating_sub(self.line.at(now));
        // What was read while the clock was not trusted carries no time of ours yet.
        let offset_ms = if ours.is_some() { ahead.saturating_neg() } else { 0 };
        self.residual_ms = Some(offset_ms);
        effects.push(Effect::Compared { offset_ms, source: source.clone() });
        let exact = source.is_the_systems() && !self.is_outranked(source, &heard, now);
        let agrees = ahead.unsigned_abs() <= theirs && !exact;
        let uncertainty = match ours {
            // Nothing to learn from a coarser source that agrees.
            Some(ours) if agrees => ours.min(theirs),
            Some(_) if ahead.abs() < STEP_MS => {
                self.line = Line { from_ms: self.line.at(now), to_ms: heard.offset_ms, since: now };
                theirs
            }
            _ => {
                self.settle(heard.offset_ms, now);
                if ahead.abs() >= STEP_MS {
                    let step = Effect::Stepped { step_ms: ahead, source: source.clone() };
                    effects.push(step);
                }
                theirs
            }
        };
        self.uncertainty_ms = uncertainty;
        self.synced = Some(now);
        self.source = Some(source.clone());
        effects.extend(self.enter(TrustState::Synchronised, now));
    }

    fn settle(&mut self, offset_ms: i64, now: Moment) {
        self.line = Line { from_ms: offset_ms, to_ms: offset_ms, since: now };
        self.known = true;
    }

    fn enter(&mut self, to: TrustState, now: Moment) -> Option<Effect> {
        let from = std::mem::replace(&mut self.state, to);
        (from != to).then(|| Effect::State {
            from,
            to,
            source: self.source.clone(),
            uncertainty_ms: self.uncertainty_ms(now),
        })
    }

    /// Tells each source that newly disagrees with the one that is followed.
    fn compare(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        let (Some(follows), Some(ours)) = (self.source.clone(), self.uncertainty_ms(now)) else {
            return;
        };
        let offset = self.line.at(now);
        for (source, heard) in self.heard.iter().filter(|(source, _)| **source != follows) {
            let difference_ms = heard.offset_ms.saturating_sub(offset);
            let allowed = ours.saturating_add(heard.uncertainty(now)).saturating_add(MARGIN_MS);
            if difference_ms.unsigned_abs() <= allowed {
                self.disagreements.remove(source);
                continue;
            }
            let new = Disagreement {
                source: source.clone(),
                follows: follows.clone(),
                difference_ms,
                whole_hours: whole_hours(difference_ms),
            };
            let before = self.disagreements.insert(source.clone(), new.clone());
            let told = before.is_some_and(|before| {
                let moved = before.difference_ms.saturating_sub(difference_ms).unsigned_abs();
                before.follows == new.follows && moved <= allowed
            });
            if !told {
                effects.push(Effect::Disagrees(new));
            }
        }
        self.disagreements.remove(&follows);
    }

    fn implausible(&self, offset_ms: i64, now: Moment) -> bool {
        let wall = now_ms(now).saturating_add(offset_ms);
        wall < self.floor_ms || wall > self.floor_ms.saturating_add(AHEAD_MS)
    }

    /// Another source that does not share this one's clock says the same: then the floor is wrong.
    fn confirmed(&mut self, source: &Source, heard: &Heard, now: Moment) -> bool {
        let agrees = |(other, said): (&Source, &Heard)| {
            let apart = said.offset_ms.saturating_sub(heard.offset_ms).unsigned_abs();
            let allowed = said.uncertainty(now) + heard.uncertainty_ms + MARGIN_MS;
            !other.shares_clock_with(source) && apart <= allowed
        };
        let confirmed = self.refused.iter().any(agrees);
        if confirmed {
            // Room for both: they may differ a little.
            self.floor_ms = now_ms(now).saturating_add(heard.offset_ms).saturating_sub(HOUR_MS);
        }
        confirmed
    }
}

fn now_ms(now: Moment) -> i64 {
    i64::try_from(now.boot_ms).unwrap_or(i64::MAX)
}

fn drift(since: Duration) -> u64 {
    let ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    (ms / 1_000_000)
        .saturating_mul(DRIFT_PPM)
        .saturating_add(ms % 1_000_000 * DRIFT_PPM / 1_000_000)
}

/// The whole hours that a difference amounts to, if it does.
fn whole_hours(ms: i64) -> Option<i64> {
    let hours = (ms.saturating_add(ms.signum() * HOUR_MS / 2)) / HOUR_MS;
    let off = ms.saturating_sub(hours.saturating_mul(HOUR_MS)).abs();
    ((1..=14).contains(&hours.abs()) && off <= ZONE_MS).then_some(hours)
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
