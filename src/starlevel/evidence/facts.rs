//! The facts of a day, and what is kept of facts beside the days.
//!
//! Facts that come while the clock is not trusted wait, at most [`MOST_WAITING`]; beyond that,
//! deliveries are added up with the worst of their times, so that no bad one gets lost.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Book;
use super::alarms::{Alarms, AlarmsDay};
use super::broadcasts::BroadcastsDay;
use super::histogram::Histogram;
use crate::model::{Delivered, Fact, FactKind, Moment, WallTime};

/// Facts that wait for a trusted clock.
const MOST_WAITING: usize = 16_384;
/// So long after the link came back a record of the outage must have arrived (check Q6), and
/// after it ended a charging order (check V2).
const IN_TIME: Duration = Duration::from_secs(86_400);
/// A fact that lies further ahead of what is booked waits for the next look, which judges clocks.
const AHEAD_MS: i64 = 3_600_000;

/// How many there were, and how many were good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "(u64, u64)", into = "(u64, u64)")]
pub(in crate::starlevel) struct Tally {
    pub(in crate::starlevel) all: u64,
    pub(in crate::starlevel) good: u64,
}

impl Tally {
    pub(super) fn add(&mut self, count: u64, good: bool) {
        self.all = self.all.saturating_add(count);
        self.good = self.good.saturating_add(if good { count } else { 0 });
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.all = self.all.saturating_add(other.all);
        self.good = self.good.saturating_add(other.good);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all == 0
    }
}

impl From<(u64, u64)> for Tally {
    fn from((all, good): (u64, u64)) -> Self {
        Self { all, good }
    }
}

impl From<Tally> for (u64, u64) {
    fn from(tally: Tally) -> Self {
        (tally.all, tally.good)
    }
}

/// The facts of one day, in the gateway's row.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct FactsDay {
    /// Age of readings at the acknowledgement, those of outages left out.
    #[serde(skip_serializing_if = "Histogram::is_empty")]
    pub(super) telemetry: Histogram,
    /// Age of events.
    #[serde(skip_serializing_if = "Histogram::is_empty")]
    pub(super) events: Histogram,
    /// Age of connector status changes.
    #[serde(skip_serializing_if = "Histogram::is_empty")]
    pub(super) connectors: Histogram,
    /// Lag of hourly values of the environment.
    #[serde(skip_serializing_if = "Histogram::is_empty")]
    pub(super) hours: Histogram,
    /// From publishing to a screen to its showing.
    #[serde(skip_serializing_if = "Histogram::is_empty")]
    pub(super) screens: Histogram,
    /// Offset of the gateway's clock, either way.
    #[serde(skip_serializing_if = "Histogram::is_empty")]
    pub(super) clock: Histogram,
    /// Records of outages, and those that arrived in time.
    #[serde(skip_serializing_if = "Tally::is_empty")]
    pub(super) outage: Tally,
    /// Charging orders, and those that arrived complete and in time.
    #[serde(skip_serializing_if = "Tally::is_empty")]
    pub(super) orders: Tally,
    /// Days whose risk grade arrived on this day.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) grades: Vec<u32>,
    #[serde(skip_serializing_if = "AlarmsDay::is_empty")]
    pub(super) alarms: AlarmsDay,
    #[serde(skip_serializing_if = "BroadcastsDay::is_empty")]
    pub(super) broadcasts: BroadcastsDay,
}

impl FactsDay {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Books a delivery; `created` is the day of the records, when known.
    fn delivered(
        &mut self,
        what: Delivered,
        age: Duration,
        count: u32,
        after_outage: Option<Duration>,
        created: Option<u32>,
    ) {
        let many = u64::from(count);
        match what {
            Delivered::Telemetry if after_outage.is_some() => {}
            Delivered::Telemetry => self.telemetry.add(age, many),
            Delivered::Event => self.events.add(age, many),
            Delivered::ConnectorStatus => self.connectors.add(age, many),
            Delivered::EnvironmentHour => self.hours.add(age, many),
            Delivered::RiskGrade => {
                if let Some(day) = created.filter(|day| !self.grades.contains(day)) {
                    self.grades.push(day);
                }
            }
            Delivered::ChargeOrder { complete } => {
                self.orders.add(many, complete && age <= IN_TIME)
            }
        }
        // The other kinds are told beside the records that hold them.
        if let (Delivered::Telemetry | Delivered::Event, Some(up)) = (what, after_outage) {
            self.outage.add(many, up <= IN_TIME);
        }
    }
}

/// What is kept of facts beside the days.
#[derive(Debug, Default)]
pub(super) struct FactBook {
    waiting: VecDeque<Fact>,
    pub(super) alarms: Alarms,
    /// Days with broadcasts, also those that are older than the window.
    pub(super) broadcasts: BTreeMap<u32, BroadcastsDay>,
    /// Per device: when its clock was last read, and its offset then, seconds.
    pub(super) clocks: Vec<Option<(i64, i64)>>,
    /// Something was booked that nobody tells again: to be saved at once.
    pub(super) hasty: bool,
}

impl FactBook {
    pub(super) fn of(devices: usize, alarms: Alarms) -> Self {
        Self { clocks: vec![None; devices], alarms, ..Self::default() }
    }

    /// After a clock that was far ahead: what has not come yet is taken back.
    pub(super) fn take_back(&mut self, today: u32, to: i64) {
        self.alarms.take_back(to);
        self.broadcasts.retain(|day, _| *day <= today);
        for clock in &mut self.clocks {
            *clock = clock.filter(|(at, _)| *at <= to);
        }
    }

    fn wait(&mut self, fact: Fact) {
        if self.waiting.len() < MOST_WAITING {
            return self.waiting.push_back(fact);
        }
        if !self.waiting.iter_mut().rev().any(|other| other.absorb(&fact)) {
            tracing::warn!(?fact, "the clock was not trusted for long: a fact is not booked");
        }
    }
}

impl Book {
    /// Takes a fact, told or noticed at `fact.at`, at `now`.
    pub(in crate::starlevel) fn take(&mut self, fact: Fact, now: Moment, wall: Option<WallTime>) {
        // A clock that was set is judged by the next look; what comes before it waits.
        let near = |to: i64, frontier: i64| (to - frontier).abs() <= AHEAD_MS;
        match (wall, self.kept.frontier) {
            (Some(wall), Some(frontier)) if near(wall.unix_ms, frontier) => {
                self.book_waiting(now, wall.unix_ms);
                self.book(fact, now, wall.unix_ms);
            }
            _ => self.facts.wait(fact),
        }
    }

    /// Books what waited, and the alarms whose clocks ran out until `to`.
    pub(super) fn book_waiting(&mut self, now: Moment, to: i64) {
        for fact in std::mem::take(&mut self.facts.waiting) {
            self.book(fact, now, to);
        }
    }

    fn book(&mut self, fact: Fact, now: Moment, to: i64) {
        let ms = |span: Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        let at = to.saturating_sub(ms(now.since(fact.at)));
        match fact.kind {
            FactKind::Delivered { what, age, count, after_outage } => {
                let known = age != Duration::MAX;
                // Told once a day: it must not wait for the next save.
                self.facts.hasty |= what == Delivered::RiskGrade;
                let created = known.then(|| self.zone.day(at.saturating_sub(ms(age))));
                if let Some(row) = self.facts_row(at) {
                    row.delivered(what, age, count, after_outage, created);
                }
            }
            FactKind::Alarm(life) => {
                let raised = at.saturating_sub(ms(life.age));
                self.facts.alarms.take(&life, raised);
                self.facts.hasty = true;
                // As of its telling: of what waited, the acknowledgement comes after the alarm.
                self.judge_alarms(at);
            }
            FactKind::Broadcast(life) => {
                self.facts.hasty = true;
                if let Some(row) = self.facts_row(at) {
                    row.broadcasts.add(&life);
                }
            }
            FactKind::BroadcastProof(proof) => {
                self.facts.hasty = true;
                if let Some(row) = self.facts_row(at) {
                    row.broadcasts.show(proof);
                }
            }
            FactKind::ScreenShown { after } => {
                if let Some(row) = self.facts_row(at) {
                    row.screens.add(after, 1);
                }
            }
            FactKind::GatewayClock { offset_ms, .. } => {
                if let Some(row) = self.facts_row(at) {
                    row.clock.add(Duration::from_millis(offset_ms.unsigned_abs()), 1);
                }
            }
            FactKind::MeterClock { device, offset_s } => match self.estate.find(&device) {
                Some(index) => self.facts.clocks[index.slot()] = Some((at, offset_s)),
                None => tracing::debug!(%device, "a clock of a device that is not configured"),
            },
        }
    }

    /// Books the alarms whose clocks ran out until `to`.
    pub(super) fn judge_alarms(&mut self, to: i64) {
        for verdict in self.facts.alarms.judge(to) {
            self.facts.hasty = true;
            if let Some(row) = self.facts_row(verdict.at) {
                row.alarms.add(&verdict);
            }
        }
    }

    fn facts_row(&mut self, at: i64) -> Option<&mut FactsDay> {
        let day = self.open_day(at);
        self.open_row(day).map(|row| &mut row.gateway.facts)
    }
}
