//! Evidence by natural day, in the rule pack's time zone: what each device and the gateway did.
//!
//! # What counts
//!
//! - **Online**: by the age of the last good reading, on the wall clock. A device is online from a
//!   reading until the star's limit after it, whether the gateway runs or not: a meter that is
//!   read daily stays online through a restart, a charger goes offline three minutes into it.
//! - **Completeness**: periods of the star's length with a valid reading, over all such periods
//!   that ended since the device exists. Reading more often fills no gap; time in which the
//!   gateway was down is missing.
//! - **Observed** is time in which the gateway watched with a trusted clock. The link counts as
//!   up only while observed.
//! - **Facts** ([`facts`]): how long deliveries and people took, in histograms whose limits are all
//!   thresholds that a rule pack may use, so that percentiles are decided exactly.
//!
//! # Rules
//!
//! - Everything up to the *frontier* is booked, once: a clock that is set back books nothing until
//!   it passes the frontier again; one that is set forward leaves a gap that nobody observed.
//! - Without a trusted clock nothing is booked. What was heard meanwhile is kept, up to
//!   [`MOST_PENDING`], and booked to its day when the clock becomes trusted.
//! - A day is closed when the frontier has left it: its rows are hashed ([`chain`]) and never
//!   written again.
//! - Days without any observed or online time have no rows and count as missing.

mod alarms;
mod broadcasts;
mod calendar;
mod chain;
mod checks;
mod day;
mod effects;
mod environment;
mod facts;
#[cfg(test)]
mod facts_tests;
mod histogram;
mod keep;
mod latency;
mod seen;
mod sums;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use alarms::Alarms;
use calendar::DAY_MS;
pub(in crate::starlevel) use calendar::{Zone, date, day_named, month_and_day};
pub use chain::{ChainFault, ChainReport, EvidenceChain};
pub(in crate::starlevel) use chain::{ClosedDay, DeviceTally};
use checks::Unmet;
use day::{Day, DeviceDay, PerStar};
pub(in crate::starlevel) use environment::EnvironmentHours;
use facts::FactBook;
pub(in crate::starlevel) use facts::Tally;
pub(in crate::starlevel) use histogram::{Percentile, is_limit, limits};
pub(in crate::starlevel) use keep::KEEP_DAYS;
use keep::{Keeper, Kept};
pub(in crate::starlevel) use latency::Backfill;
pub use latency::METER_CLOCK_S;
pub use seen::{BufferSeen, GatewaySeen};

use super::environment::Recorder;
use super::pack::{RulePack, STARS};
use super::season::Season;
use crate::model::{DeviceIndex, Estate, Moment, Snapshot, WallTime};

/// Hearings that are kept while the clock is not trusted.
const MOST_PENDING: usize = 65_536;
/// A clock that falls back behind what is booked by more than this was far ahead before: days
/// that have not come yet are taken back.
const FAR_AHEAD_MS: i64 = DAY_MS;

/// What is known about one device beside its days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Known {
    /// Since when it exists, milliseconds since 1970.
    since: Option<i64>,
    /// When it last brought a good reading.
    heard: Option<i64>,
    /// The latest of all hearings: its periods are counted already.
    peak: Option<i64>,
}

/// The evidence of the window, and how it gets into the store.
#[derive(Debug)]
pub(super) struct Book {
    estate: Arc<Estate>,
    zone: Zone,
    window_days: u32,
    /// Per device: offline after so many milliseconds; `None` for devices that no star asks for.
    limits: Vec<Option<PerStar>>,
    /// Per device: expected only inside the heating season.
    seasonal: Vec<bool>,
    pub(super) season: Option<Season>,
    /// Per device: milliseconds of one expected reading.
    periods: Vec<Option<PerStar>>,
    known: Vec<Known>,
    days: BTreeMap<u32, Day>,
    /// Days up to this one are hashed and stored, and never changed again.
    closed_until: Option<u32>,
    /// Since when each check does not pass.
    unmet: Unmet,
    /// What is kept beside the days.
    kept: Kept,
    keeper: Option<Keeper>,
    environment: Recorder,
    /// Last look that was booked.
    seen: Moment,
    /// Last good reading and counts at the last look.
    last: Vec<(Option<Moment>, u64, u64)>,
    pending: Vec<(u32, Moment)>,
    pending_lost: bool,
    now: GatewaySeen,
    /// The look whose counts are booked.
    counted: GatewaySeen,
    facts: FactBook,
}

impl Book {
    /// Begins with no history at `started`.
    pub(super) fn new(pack: &RulePack, estate: &Arc<Estate>, started: Moment) -> Self {
        let per_star = |value: &dyn Fn(u8) -> Option<std::time::Duration>| {
            let mut all = PerStar::default();
            for (star, slot) in (1..=STARS).zip(&mut all) {
                *slot = u64::try_from(value(star)?.as_millis()).unwrap_or(u64::MAX);
            }
            Some(all)
        };
        let devices = estate.devices();
        let count = devices.len();
        let zone = pack.zone();
        Self {
            estate: Arc::clone(estate),
            zone,
            window_days: pack.evaluation().window_days,
            limits: devices
                .iter()
                .map(|d| per_star(&|star| pack.offline_after(d.category, star)))
                .collect(),
            seasonal: devices.iter().map(|d| pack.is_seasonal(d.category)).collect(),
            season: None,
            periods: devices
                .iter()
                .map(|d| per_star(&|star| pack.reading_every(d.category, star)))
                .collect(),
            known: vec![Known::default(); count],
            days: BTreeMap::new(),
            closed_until: None,
            unmet: Unmet::new(),
            kept: Kept::default(),
            keeper: None,
            environment: Recorder::new(estate, zone),
            seen: started,
            last: vec![(None, 0, 0); count],
            pending: Vec::new(),
            pending_lost: false,
            now: GatewaySeen::default(),
            counted: GatewaySeen::default(),
            facts: FactBook::of(count, Alarms::by(pack.severities())),
        }
    }

    /// Books the time since the last look.
    pub(super) fn observe(
        &mut self,
        snapshot: &Snapshot,
        now: Moment,
        wall: Option<WallTime>,
        gateway: &GatewaySeen,
    ) {
        if now <= self.seen {
            return;
        }
        self.now = *gateway;
        let days = self.environment.look(snapshot, now, wall.map(|wall| wall.unix_ms));
        let Some(wall) = wall else {
            self.note_pending(snapshot);
            return;
        };
        let to = wall.unix_ms;
        let span = i64::try_from(now.boot_ms - self.seen.boot_ms).unwrap_or(i64::MAX);
        let watched = to.saturating_sub(span);
        self.take_back(to);
        let frontier = self.begin(to, watched);
        let from = watched.max(frontier);
        for known in &mut self.known {
            known.since.get_or_insert(from);
        }
        let pending = std::mem::take(&mut self.pending);
        let at = |moment: Moment| {
            let age = i64::try_from(now.since(moment).as_millis()).unwrap_or(i64::MAX);
            to.saturating_sub(age)
        };
        let mut cursors: Vec<i64> =
            self.known.iter().map(|k| k.since.unwrap_or(from).max(frontier)).collect();
        for (slot, moment) in pending {
            self.hear(slot as usize, &mut cursors[slot as usize], at(moment));
        }
        for (slot, cursor) in cursors.iter_mut().enumerate() {
            self.look(snapshot, slot, cursor, at, to);
        }
        if to > frontier {
            self.watch(from, to, gateway.link_up);
            self.kept.frontier = Some(to);
        }
        self.count();
        self.book_waiting(now, to);
        self.judge_alarms(to);
        self.book_environment(days);
        self.seen = now;
        if std::mem::take(&mut self.pending_lost) {
            tracing::warn!("the clock was not trusted for long: a part of that time is not booked");
        }
    }

    /// Where booking goes on; the very first look begins the history.
    fn begin(&mut self, to: i64, watched: i64) -> i64 {
        let begin = watched.min(to);
        self.kept.since.get_or_insert(begin);
        *self.kept.frontier.get_or_insert(begin)
    }

    fn note_pending(&mut self, snapshot: &Snapshot) {
        for (index, slot) in (0u32..).zip(0..self.last.len()) {
            let heard = snapshot.with(DeviceIndex(index), |state| state.heard_at);
            if let Some(moment) = heard
                && heard != self.last[slot].0
            {
                self.last[slot].0 = heard;
                if self.pending.len() < MOST_PENDING {
                    self.pending.push((index, moment));
                } else {
                    self.pending_lost = true;
                }
            }
        }
    }

    /// One device: its counts, its last reading, its time until `to`.
    fn look(
        &mut self,
        snapshot: &Snapshot,
        slot: usize,
        cursor: &mut i64,
        at: impl Fn(Moment) -> i64,
        to: i64,
    ) {
        let index = DeviceIndex(u32::try_from(slot).unwrap_or(u32::MAX));
        let (heard, readings, not_good) =
            snapshot.with(index, |state| (state.heard_at, state.readings, state.not_good));
        let last = std::mem::replace(&mut self.last[slot], (heard, readings, not_good));
        let fresh = heard.filter(|_| heard != last.0).map(at);
        if let Some(heard) = fresh {
            self.hear(slot, cursor, heard);
        }
        let read = readings.saturating_sub(last.1);
        if read > 0 {
            let bad = not_good.saturating_sub(last.2).min(read);
            let day = self.open_day(fresh.unwrap_or(to));
            if let Some(row) = self.row(day, slot) {
                row.readings += read;
                row.valid += read - bad;
            }
        }
        self.advance(slot, cursor, to);
    }

    /// A good reading at `at`.
    fn hear(&mut self, slot: usize, cursor: &mut i64, at: i64) {
        self.advance(slot, cursor, at);
        let Known { since, peak, .. } = self.known[slot];
        self.known[slot].heard = Some(at);
        if peak.is_some_and(|peak| at <= peak) {
            return;
        }
        self.known[slot].peak = Some(at);
        let (Some(periods), Some(since)) = (self.periods[slot], since) else { return };
        let day = self.zone.day(at);
        let begin = self.zone.begin(day);
        // A period in which the device appeared is no whole one and does not count.
        let fresh = periods.map(|period| {
            let period = i64::try_from(period).unwrap_or(i64::MAX);
            let start = begin + (at - begin) / period * period;
            start >= since && peak.is_none_or(|peak| peak < start)
        });
        if let Some(row) = self.row(day, slot) {
            for (covered, fresh) in row.covered.iter_mut().zip(fresh) {
                *covered += u64::from(fresh);
            }
        }
    }

    /// Books the online time of a device from its cursor until `to`.
    fn advance(&mut self, slot: usize, cursor: &mut i64, to: i64) {
        let from = *cursor;
        if to <= from {
            return;
        }
        *cursor = to;
        let (Some(limits), Some(heard)) = (self.limits[slot], self.known[slot].heard) else {
            return;
        };
        for (star, limit) in limits.into_iter().enumerate() {
            let end = heard.saturating_add(i64::try_from(limit).unwrap_or(i64::MAX)).min(to);
            self.pieces(from.max(heard), end, |row, ms| row.devices[slot].online_ms[star] += ms);
        }
    }

    /// Books time in which the gateway watched.
    fn watch(&mut self, from: i64, to: i64, link_up: bool) {
        let sinces: Vec<i64> = self.known.iter().map(|k| k.since.unwrap_or(to)).collect();
        self.pieces(from, to, |row, ms| {
            row.gateway.observed_ms += ms;
            row.gateway.link_ms += if link_up { ms } else { 0 };
            for (device, since) in row.devices.iter_mut().zip(&sinces) {
                device.observed_ms += if *since <= from { ms } else { 0 };
            }
        });
    }

    /// Splits a span at midnight; closed days take nothing.
    fn pieces(&mut self, from: i64, to: i64, mut add: impl FnMut(&mut Day, u64)) {
        let mut at = from;
        while at < to {
            let day = self.zone.day(at);
            let end = self.zone.begin(day + 1).min(to);
            if let Some(row) = self.open_row(day) {
                add(row, u64::try_from(end - at).unwrap_or(0));
            }
            at = end;
        }
    }

    /// The day of a time, or the oldest one that is still open.
    fn open_day(&self, at: i64) -> u32 {
        let frontier = self.kept.frontier.unwrap_or(at);
        self.zone.day(at).max(self.zone.day(frontier))
    }

    /// The row of a day; `None` when the day is closed.
    fn open_row(&mut self, day: u32) -> Option<&mut Day> {
        let count = self.known.len();
        let open = self.closed_until < Some(day);
        open.then(|| self.days.entry(day).or_insert_with(|| Day::of(count)))
    }

    fn row(&mut self, day: u32, slot: usize) -> Option<&mut DeviceDay> {
        self.open_row(day).map(|row| &mut row.devices[slot])
    }

    /// Counts of the buffer and the uplink since they were last counted.
    fn count(&mut self) {
        let Some(frontier) = self.kept.frontier else { return };
        let now = self.now;
        let Some(buffer) = now.buffer else { return };
        let before = std::mem::replace(&mut self.counted, now);
        let (created, lost) = self.kept.since_mark(&buffer);
        let readings = before.buffer.map_or(0, |b| b.readings);
        // The frontier stands at the end of the look: at midnight that is the new day.
        let day = self.zone.day(frontier);
        if let Some(row) = self.open_row(day) {
            row.gateway.stored += buffer.readings.saturating_sub(readings);
            row.gateway.acknowledged += now.acknowledged.saturating_sub(before.acknowledged);
            row.gateway.created += created;
            row.gateway.lost += lost;
        }
    }

    /// After a clock that was far ahead: removes the days that have not come yet. The present day
    /// stays as it is, and booking goes on after it.
    fn take_back(&mut self, to: i64) {
        let Some(frontier) = self.kept.frontier else { return };
        if frontier.saturating_sub(to) <= FAR_AHEAD_MS {
            return;
        }
        let today = self.zone.day(to);
        tracing::warn!(
            until = calendar::date(today),
            "the clock was ahead: days that have not come yet are taken out of the evidence"
        );
        self.days.retain(|day, _| *day <= today);
        self.closed_until = self.closed_until.map(|day| day.min(today));
        if let Some(keeper) = &mut self.keeper {
            keeper.take_back(today);
        }
        let end = self.zone.begin(today + 1);
        self.kept.frontier = Some(end);
        self.kept.since = self.kept.since.map(|since| since.min(to));
        for known in &mut self.known {
            known.since = known.since.map(|since| since.min(to));
            known.heard = known.heard.filter(|heard| *heard <= to);
            known.peak = known.peak.filter(|peak| *peak < end);
        }
        self.facts.take_back(today, to);
    }
}
