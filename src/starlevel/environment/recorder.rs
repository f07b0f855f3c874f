//! Follows the stations: takes readings over, closes hours and days, says what to publish.
//!
//! - An hour is published once, at the first look after its end; a reading that comes later, or
//!   that a clock set back puts there, corrects the day but never the published hour.
//! - An hour without any reading is not published: there is nothing to say; it counts as missing.
//! - Without a trusted clock readings wait, up to [`MOST_PENDING`], and go to their hours when the
//!   clock becomes trusted. Hours that ended meanwhile are then published late.
//! - A clock that was far ahead is taken back: hours that have not come yet are forgotten. The
//!   hours that it made seem old are lost, which counts as missing.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::noise::NoiseZone;
use super::parameter::{PARAMETERS, Parameter};
use super::station::Station;
use super::table::Table;
use crate::model::{
    Category, DeviceIndex, EnvironmentDay, EnvironmentHour, Estate, Event, EventKind, Moment,
    Snapshot,
};
use crate::starlevel::evidence::{EnvironmentHours, Zone, date};

/// Readings that are kept while the clock is not trusted.
const MOST_PENDING: usize = 16_384;
/// Events that wait to be taken.
const MOST_EVENTS: usize = 4096;
/// Hours that are kept before the present day: yesterday, and the night before it from 22:00.
const KEEP_HOURS: u32 = 26;
/// A clock that falls back behind the last published hour by more hours was far ahead before.
const FAR_AHEAD_HOURS: u32 = 24;

/// Sets of parameters that check E1 ranks, the first for star 3.
const FIRST: [Parameter; 4] =
    [Parameter::Pm25, Parameter::Laeq, Parameter::Temperature, Parameter::RelativeHumidity];
const SECOND: Parameter = Parameter::Pm10;
const THIRD: [Parameter; 5] =
    [Parameter::O3, Parameter::No2, Parameter::So2, Parameter::Co, Parameter::WindSpeed];

/// How many parameters of each rank of check E1 `has` names; the highest rank that is complete.
pub(in crate::starlevel) fn rank(has: impl Fn(Parameter) -> bool) -> Rank {
    let missing: Vec<Parameter> = FIRST.into_iter().filter(|parameter| !has(*parameter)).collect();
    let more = THIRD.into_iter().filter(|parameter| has(*parameter)).count();
    let (rank, wanted) = match (missing.is_empty(), has(SECOND), more) {
        (false, ..) => (0, missing),
        (true, false, _) => (1, vec![SECOND]),
        (true, true, 0 | 1) => (2, THIRD.to_vec()),
        (true, true, _) => (3, Vec::new()),
    };
    Rank { rank, wanted }
}

/// The highest rank of check E1 that is complete, and what the next one lacks: at rank 2 any two
/// altogether of the third set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::starlevel) struct Rank {
    pub(in crate::starlevel) rank: u8,
    pub(in crate::starlevel) wanted: Vec<Parameter>,
}

/// A reading that waits for a trusted clock: station, input, when, value.
type Pending = (usize, usize, Moment, f64);

/// All stations of the estate.
#[derive(Debug)]
pub(in crate::starlevel) struct Recorder {
    estate: Arc<Estate>,
    pub(super) zone: Zone,
    pub(super) table: &'static Table,
    pub(super) noise_zone: Option<NoiseZone>,
    pub(super) stations: Vec<Station>,
    /// Every hour up to this one is published.
    pub(super) closed: Option<u32>,
    pending: Vec<Pending>,
    pending_lost: bool,
    events: Vec<Event>,
    /// Something was published since the last save.
    pub(super) published: bool,
    /// The present day.
    pub(super) today: u32,
}

impl Recorder {
    /// Nothing heard yet.
    pub(in crate::starlevel) fn new(estate: &Arc<Estate>, zone: Zone) -> Self {
        let table = Table::built_in();
        let sensors =
            estate.indexed().filter(|(_, device)| device.category == Category::EnvironmentSensor);
        let stations: Vec<Station> =
            sensors.filter_map(|(index, device)| Station::of(device, index, table)).collect();
        Self {
            estate: Arc::clone(estate),
            zone,
            table,
            noise_zone: None,
            stations,
            closed: None,
            pending: Vec::new(),
            pending_lost: false,
            events: Vec::new(),
            published: false,
            today: 0,
        }
    }

    /// Sets the zone of GB 3096 that the city's zoning gives the estate.
    pub(in crate::starlevel) fn set_noise_zone(&mut self, zone: Option<NoiseZone>) {
        self.noise_zone = zone;
    }

    /// The stations' devices.
    pub(in crate::starlevel) fn devices(&self) -> impl Iterator<Item = DeviceIndex> {
        self.stations.iter().map(|station| station.device)
    }

    /// The stations' names, in their order.
    pub(super) fn names(&self) -> Vec<String> {
        let device = |index| self.estate.device(index).id.as_str().to_owned();
        self.devices().map(device).collect()
    }

    /// What to publish since this was asked last.
    pub(in crate::starlevel) fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Takes over what came since the last look; `wall` is milliseconds since 1970, when trusted.
    /// Returns the days whose sums changed.
    pub(in crate::starlevel) fn look(
        &mut self,
        snapshot: &Snapshot,
        now: Moment,
        wall: Option<i64>,
    ) -> BTreeSet<u32> {
        let mut days = BTreeSet::new();
        for (slot, station) in self.stations.iter_mut().enumerate() {
            let fresh = snapshot.with(station.device, |state| station.fresh(state));
            for (input, at, value) in fresh {
                if self.pending.len() < MOST_PENDING {
                    self.pending.push((slot, input, at, value));
                } else {
                    self.pending_lost = true;
                }
            }
        }
        let Some(to) = wall else { return days };
        if self.stations.is_empty() {
            return days;
        }
        if std::mem::take(&mut self.pending_lost) {
            tracing::warn!("the clock was not trusted for long: environment readings were lost");
        }
        self.today = self.zone.day(to);
        self.take_back(to);
        let pending = std::mem::take(&mut self.pending);
        let minute_of = |at: Moment| {
            let age = i64::try_from(now.since(at).as_millis()).unwrap_or(i64::MAX);
            self.zone.minute(to.saturating_sub(age))
        };
        let minutes: Vec<i64> = pending.iter().map(|(.., at, _)| minute_of(*at)).collect();
        let present = self.zone.hour(to);
        let oldest = minutes.iter().filter_map(|minute| super::hour::hour_of(*minute)).min();
        let begin = oldest.unwrap_or(present).min(present);
        let closed = *self.closed.get_or_insert(begin.saturating_sub(1));
        for ((station, input, _, value), minute) in pending.into_iter().zip(minutes) {
            if let Some(hour) = super::hour::hour_of(minute).filter(|hour| *hour <= closed) {
                days.extend(self.days_of(hour));
            }
            self.stations[station].read(input, minute, value);
        }
        let until = self.zone.minute(to);
        self.stations.iter_mut().for_each(|station| station.settle(until));
        self.forget();
        self.close(present, now, to, &mut days);
        days
    }

    /// The days whose rows an hour bears on: its own, and for the night the next.
    fn days_of(&self, hour: u32) -> [u32; 2] {
        let own = hour / 24;
        [own, ((hour + 2) / 24).min(self.today).max(own)]
    }

    /// Publishes the hours that ended, and the days with them.
    fn close(&mut self, present: u32, now: Moment, to: i64, days: &mut BTreeSet<u32>) {
        let Some(closed) = self.closed else { return };
        if present <= closed + 1 {
            return;
        }
        let ended: BTreeSet<u32> = self
            .stations
            .iter()
            .flat_map(|station| station.hours.range(closed + 1..present).map(|(hour, _)| *hour))
            .collect();
        for hour in ended {
            days.extend(self.days_of(hour));
            self.publish_hour(hour, now, to);
        }
        for day in (closed + 1) / 24..present / 24 {
            if day + 2 > self.today {
                self.publish_day(day, now, to);
            }
        }
        self.closed = Some(present - 1);
        self.published = true;
    }

    fn publish_hour(&mut self, hour: u32, now: Moment, to: i64) {
        let hour_ms = self.zone.begin_of_hour(hour);
        let at = moment_of(self.zone.begin_of_hour(hour + 1), now, to);
        let mut events = Vec::new();
        for station in &mut self.stations {
            if station.hours.contains_key(&hour) {
                let air = station.of_hour(hour, hour / 24, self.table);
                let values = EnvironmentHour { hour_ms, air };
                station.latest = Some(values.clone());
                events.push((station.device, EventKind::EnvironmentHour(values)));
            }
        }
        self.tell(at, events);
    }

    fn publish_day(&mut self, day: u32, now: Moment, to: i64) {
        let at = moment_of(self.zone.begin_of_hour((day + 1) * 24), now, to);
        let hours = day * 24..day * 24 + 24;
        let there = self.stations.iter().filter(|s| s.hours.range(hours.clone()).next().is_some());
        let events: Vec<(DeviceIndex, EventKind)> = there
            .map(|station| (station.device, EventKind::EnvironmentDay(self.day(station, day))))
            .collect();
        self.tell(at, events);
    }

    pub(super) fn day(&self, station: &Station, day: u32) -> EnvironmentDay {
        let dates = (date(day), date(day.saturating_sub(1)));
        station.of_day(day, day * 24, dates, self.noise_zone, self.table)
    }

    fn tell(&mut self, at: Moment, events: Vec<(DeviceIndex, EventKind)>) {
        for (device, kind) in events {
            if self.events.len() >= MOST_EVENTS {
                tracing::warn!("values of the environment are not taken: some are not published");
                return;
            }
            let device = Some(self.estate.device(device).id.clone());
            self.events.push(Event { at, device, kind });
        }
    }

    /// Forgets hours that no day needs any more.
    fn forget(&mut self) {
        let oldest = (self.today * 24).saturating_sub(KEEP_HOURS);
        for station in &mut self.stations {
            station.hours = station.hours.split_off(&oldest);
            station.changed = station.changed.split_off(&oldest);
        }
    }

    pub(super) fn oldest_hour(&self) -> u32 {
        (self.today * 24).saturating_sub(KEEP_HOURS)
    }

    fn take_back(&mut self, to: i64) {
        let present = self.zone.hour(to);
        if self.closed.is_none_or(|closed| closed <= present + FAR_AHEAD_HOURS) {
            return;
        }
        self.closed = Some(present);
        let minute = self.zone.minute(to);
        for station in &mut self.stations {
            station.hours.retain(|hour, _| *hour <= present);
            station.changed.retain(|hour| *hour <= present);
            station.tracks.iter_mut().for_each(|track| track.take_back(minute));
            let ahead = |hour: &EnvironmentHour| hour.hour_ms > to;
            station.latest = station.latest.take().filter(|hour| !ahead(hour));
        }
    }

    /// What a day's hours amount to for the whole estate; `None` without stations.
    pub(in crate::starlevel) fn sums(&self, day: u32) -> Option<EnvironmentHours> {
        if self.stations.is_empty() {
            return None;
        }
        let mut sums = EnvironmentHours::default();
        let until = self.closed.map_or(0, |closed| closed + 1);
        for hour in day * 24..(day * 24 + 24).min(until) {
            let mut has = [false; PARAMETERS];
            for station in &self.stations {
                let means = station.means(self.table);
                for parameter in station.measured() {
                    has[parameter as usize] |= means.value(hour, parameter).is_some();
                }
            }
            let complete = rank(|parameter| has[parameter as usize]).rank;
            sums.add(&has, complete);
        }
        Some(sums)
    }

    /// The rows of a day: each station that measures a pollutant or noise.
    pub(in crate::starlevel) fn rows(&self, day: u32) -> Vec<(DeviceIndex, EnvironmentDay)> {
        let hours = day * 24..day * 24 + 24;
        let there = self.stations.iter().filter(|station| station.is_judged());
        let there = there.filter(|station| station.hours.range(hours.clone()).next().is_some());
        there.map(|station| (station.device, self.day(station, day))).collect()
    }
}

/// The moment of a wall time; the start of the system for what was before.
fn moment_of(wall_ms: i64, now: Moment, to: i64) -> Moment {
    let age = u64::try_from(to.saturating_sub(wall_ms)).unwrap_or(0);
    Moment { boot_ms: now.boot_ms.saturating_sub(age) }
}
