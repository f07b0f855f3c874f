//! Reading the clocks of DL/T 645-2007 meters: once a day each, to compare it with ours; every
//! hour the one that gives the time when nothing better does.

use std::time::Duration;

use jiff::civil::DateTime;
use tokio::time::Instant;

use super::ask::Ask;
use super::owner::Bus;
use super::session::{Answer, Session};
use super::unit::{Unit, refused_code};
use crate::clock::{Sample, Source};
use crate::driver::schedule::Next;
use crate::model::Health;
use crate::profile::Binding;
use crate::protocol::MeterTime;
use crate::protocol::dlt645::{self, DataId, Edition, ItemValue};

/// Date and day of the week.
const DATE: DataId = DataId(0x0400_0101);
/// Time of day.
const TIME: DataId = DataId(0x0400_0102);
const DAY: Duration = Duration::from_secs(86_400);
/// After the start the values come first; then one meter after the other.
const FIRST: Duration = Duration::from_secs(300);
const SPREAD: Duration = Duration::from_secs(10);
/// The meter that gives the time is read this often, and this soon after the start.
const SOURCE_EVERY: Duration = Duration::from_secs(3600);
const SOURCE_FIRST: Duration = Duration::from_secs(3);
/// After a meter did not answer, or while there is nothing to compare with.
const AGAIN: Duration = Duration::from_secs(600);
/// While the time is needed.
const NEEDED: Duration = Duration::from_secs(60);
/// One that does not tell is asked this rarely.
const RARELY: Duration = Duration::from_secs(7 * 86_400);
/// A clock waits so long for a gap between the polls; then a poll waits for it.
const PATIENCE: Duration = Duration::from_secs(600);
/// What a meter thinks, at the most of those that answer.
const THINKS: Duration = Duration::from_millis(500);
/// A meter shows whole seconds: on average it is half a second further.
const HALF_MS: i64 = 500;
/// How well a meter itself keeps the time, milliseconds: nobody knows when it was set last.
const METER_MS: u64 = 2000;

/// When each meter's clock is read.
#[derive(Debug)]
pub(super) struct Comparison {
    /// By the place of the unit; `None`: it has no clock that can be read.
    due: Vec<Option<Instant>>,
}

impl Comparison {
    pub(super) fn new(units: &[Unit], source: Option<&crate::model::DeviceId>) -> Self {
        let now = Instant::now();
        let mut place = 0;
        let due = units.iter().map(|unit| {
            let edition = match &unit.profile.binding {
                Binding::Dlt645(model) => model.edition,
                _ => return None,
            };
            let after = if source == Some(&unit.id) {
                SOURCE_FIRST
            } else {
                place += 1;
                FIRST + SPREAD * place
            };
            (edition == Edition::V2007).then(|| now + after)
        });
        Self { due: due.collect() }
    }

    /// The one that waits longest.
    fn next(&self, now: Instant) -> Option<(usize, Instant)> {
        let due = self.due.iter().enumerate().filter_map(|(slot, due)| Some((slot, (*due)?)));
        due.filter(|(_, due)| *due <= now).min_by_key(|(_, due)| *due)
    }

    fn after(&mut self, slot: usize, span: Duration) {
        self.due[slot] = Some(Instant::now() + span);
    }
}

/// What a meter said about its clock.
enum Said {
    /// What it shows, and how long the answer took.
    Time(MeterTime, Duration),
    /// It refuses, or shows nothing that is a time.
    Nothing,
    /// No answer, or one at a bad moment.
    Later,
}

impl Bus {
    /// Reads the clock of a meter that is due, when the polls leave a gap or it waited long.
    /// Returns whether the line was used.
    pub(super) async fn compare_clocks(&mut self, session: &mut Session, next: Next) -> bool {
        let Some((slot, due)) = self.comparison.next(Instant::now()) else { return false };
        if session.awaits_late_answer() {
            return false;
        }
        let unit = &self.units[slot];
        let gives_time = self.clock.source_meter() == Some(&unit.id);
        let trusted = self.clock.trusted();
        if unit.tracker.health() != Health::Online || !(gives_time || trusted) {
            self.comparison.after(slot, if gives_time || !trusted { NEEDED } else { AGAIN });
            return false;
        }
        let ask = unit.clock_ask(TIME);
        let wire = ask.request_chars() + ask.answer_chars();
        let need = (unit.manners.line.time_of(wire) + THINKS) * 2;
        let free = match next {
            Next::Run(_) => false,
            Next::Wait(until) => until.saturating_sub(self.start.elapsed()) >= need,
            Next::Nothing => true,
        };
        let urgent = gives_time && !trusted;
        if !free && !urgent && due.elapsed() < PATIENCE {
            return false;
        }
        let said = self.read_clock(session, slot).await;
        self.book_clock(slot, gives_time, said);
        true
    }

    async fn read_clock(&mut self, session: &mut Session, slot: usize) -> Said {
        let manners = self.units[slot].manners;
        let mut parts = Vec::with_capacity(2);
        let mut took = Duration::ZERO;
        for id in [DATE, TIME] {
            let ask = self.units[slot].clock_ask(id);
            let exchange = session.exchange(&manners, &ask).await;
            self.beside(Some(manners.address), &exchange);
            took = exchange.took;
            match exchange.outcome {
                Ok(answer) if refused_code(&answer).is_some() => return Said::Nothing,
                Ok(Answer::Dlt645 { reply: dlt645::Reply::Data { value, .. }, .. }) => {
                    let item = dlt645::item(Edition::V2007, id);
                    let values = item.and_then(|item| dlt645::values(&item, &value).ok());
                    match values.and_then(|values| values.into_iter().next().flatten()) {
                        Some(part) => parts.push(part),
                        None => return Said::Nothing,
                    }
                }
                _ => return Said::Later,
            }
        }
        match parts[..] {
            [
                ItemValue::Date { year, month, day, .. },
                ItemValue::Time { hour, minute, second },
            ] => {
                // Around midnight the date may be that of the other day.
                if matches!((hour, minute), (23, 59) | (0, 0)) {
                    return Said::Later;
                }
                Said::Time(MeterTime { year, month, day, hour, minute, second }, took)
            }
            _ => Said::Nothing,
        }
    }

    fn book_clock(&mut self, slot: usize, gives_time: bool, said: Said) {
        let id = self.units[slot].id.clone();
        let now = self.clock.now();
        let shown = match said {
            Said::Later => return self.comparison.after(slot, AGAIN),
            Said::Nothing => None,
            Said::Time(time, took) => unix_ms(time, self.config.meter_zone).map(|ms| (ms, took)),
        };
        let Some((shown_ms, took)) = shown else {
            if gives_time {
                tracing::warn!(device = %id, "the meter that is to give the time does not tell it");
            }
            self.clock.meter_read(&id, None);
            return self.comparison.after(slot, RARELY);
        };
        // It looked at its clock somewhere between the request and the end of the answer.
        let half = u64::try_from(took.as_millis() / 2).unwrap_or(u64::MAX);
        let then = i64::try_from(now.boot_ms.saturating_sub(half)).unwrap_or(i64::MAX);
        let offset_ms = shown_ms.saturating_add(HALF_MS).saturating_sub(then);
        let ours = self.clock.wall(now).map(|wall| {
            wall.unix_ms.saturating_sub(i64::try_from(now.boot_ms).unwrap_or(i64::MAX))
        });
        if gives_time {
            let source = Source::Meter(id.clone());
            self.clock.hear(&Sample { source, offset_ms, uncertainty_ms: METER_MS + half });
        }
        // The clock that is followed is not compared with itself.
        let followed = self.clock.status().source == Some(Source::Meter(id.clone()));
        if let Some(ours) = ours.filter(|_| !followed) {
            let off = offset_ms.saturating_sub(ours);
            self.clock.meter_read(&id, Some((off + off.signum() * HALF_MS) / 1000));
        }
        self.comparison.after(slot, if gives_time { SOURCE_EVERY } else { DAY });
    }
}

impl Unit {
    /// The request for one part of its clock.
    fn clock_ask(&self, id: DataId) -> Ask {
        let read = super::plan::Read::Item { id, block: false };
        super::unit::ask_for(read, self.manners.address, &self.profile, self.order.0, 0)
    }
}

/// A meter's local time as milliseconds since 1970; `None` when the calendar does not have it.
fn unix_ms(time: MeterTime, zone: Duration) -> Option<i64> {
    let small = |number: u8| i8::try_from(number).ok();
    let local = DateTime::new(
        i16::try_from(time.year).ok()?,
        small(time.month)?,
        small(time.day)?,
        small(time.hour)?,
        small(time.minute)?,
        small(time.second)?,
        0,
    );
    let utc = local.ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond();
    utc.checked_sub(i64::try_from(zone.as_millis()).ok()?)
}
