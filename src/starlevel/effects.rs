//! What the engine sets off beside the assessment: risk grades, charging orders, and their events.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Outcome;
use super::assessment::Bilingual;
use super::charging::ChargeBook;
use super::engine::Engine;
use super::pack::RulePack;
use super::risk::{DeviceAlarms, RiskBook, RiskTable};
use crate::model::{
    BusTable, Estate, Event, Moment, RiskCause, RiskCounts, RiskGrade, Snapshot, WallTime,
};
use crate::selftest;
use crate::store::{Store, StoreError};

/// Least time between two saves of what goes on.
const SAVE_EVERY: Duration = Duration::from_secs(600);
/// Most events that wait to be taken.
const MOST_EVENTS: usize = 4096;

/// A device that is to be visited.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RiskVisit {
    /// The device's identifier.
    pub device: String,
    /// What people call it.
    pub name: String,
    /// Its grade: medium or high.
    pub grade: RiskGrade,
    /// Since when, milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_ms: Option<i64>,
    /// Why, the weightiest first; empty while a grade is only held.
    pub causes: Vec<RiskCause>,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<Bilingual>,
}

/// The equipment risk (5.1.1.2): from medium on, a device is to be visited.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RiskReport {
    /// By which rules.
    pub rules: String,
    /// Grade of the estate.
    pub grade: RiskGrade,
    /// Devices by grade.
    pub counts: RiskCounts,
    /// Devices to be visited, worst first.
    pub devices: Vec<RiskVisit>,
    /// Further such devices that are not listed.
    pub more: u32,
}

/// One item of the security self-test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SelfTestItem {
    /// Its word, e.g. `platform_tls`.
    pub id: String,
    /// What is tested.
    pub title: Bilingual,
    /// Met, not met, or unknown.
    pub outcome: Outcome,
    /// What was seen.
    pub seen: Bilingual,
    /// What to do, unless it is met.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub todo: Option<Bilingual>,
}

/// What runs beside the assessment.
#[derive(Debug)]
pub(super) struct Effects {
    pub(super) risk: RiskBook,
    pub(super) charging: ChargeBook,
    pub(super) self_test: Option<selftest::Report>,
    buses: Option<BusTable>,
    events: Vec<Event>,
    saved: Option<Moment>,
}

impl Effects {
    pub(super) fn new(pack: &RulePack, estate: &Arc<Estate>, started: Moment) -> Self {
        Self {
            risk: RiskBook::new(pack, estate, started),
            charging: ChargeBook::new(estate),
            self_test: None,
            buses: None,
            events: Vec::new(),
            saved: None,
        }
    }

    /// Hands to the store what is due; what changed at once goes at once.
    pub(super) fn save(&mut self, now: Moment, all: bool) -> Result<(), StoreError> {
        let due = all || self.saved.is_none_or(|saved| now.since(saved) >= SAVE_EVERY);
        self.risk.save()?;
        self.charging.save(due)?;
        if due {
            self.saved = Some(now);
        }
        Ok(())
    }
}

impl Engine {
    /// Goes on with the risk grades and charging sessions of a store, and keeps them there.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn keep_effects(&mut self, store: &Store) -> Result<(), StoreError> {
        self.effects.risk.attach(store)?;
        self.effects.charging.attach(store, &self.estate)
    }

    /// The buses, whose findings count for the risk of their devices.
    pub fn watch_buses(&mut self, buses: BusTable) {
        self.effects.buses = Some(buses);
    }

    /// Takes how many alarms each device has, in the order of the estate; without, there are none.
    pub fn set_alarms(&mut self, alarms: Vec<DeviceAlarms>) {
        self.effects.risk.alarms = alarms;
    }

    /// Takes what the self-test found.
    pub fn set_self_test(&mut self, report: selftest::Report) {
        self.effects.self_test = Some(report);
    }

    /// Handle on the present risk grades.
    pub fn risk_table(&self) -> RiskTable {
        self.effects.risk.table().clone()
    }

    /// What happened since the last call and is to be told to the platform.
    pub fn take_events(&mut self) -> Vec<Event> {
        let mut events = std::mem::take(&mut self.effects.events);
        events.extend(self.book.take_events());
        events
    }

    /// Grades the devices and follows the charging sessions.
    pub(super) fn follow(&mut self, snapshot: &Snapshot, now: Moment, wall: Option<WallTime>) {
        let Effects { risk, charging, buses, events, .. } = &mut self.effects;
        let time = (now, wall);
        risk.look(snapshot, buses.as_ref(), &mut self.book, &self.pack, time, events);
        charging.look(snapshot, &mut self.book, time, events);
        // Only where nobody takes them, as in a test.
        let surplus = events.len().saturating_sub(MOST_EVENTS);
        events.drain(..surplus);
    }

    /// The risk as it stands in the assessment.
    pub(super) fn risk_report(&self) -> Option<RiskReport> {
        let table = self.effects.risk.table();
        let estate = table.estate();
        let rules = self.effects.risk.rules();
        let visits = table.visits();
        let more = visits.len().saturating_sub(rules.most_listed());
        let devices = visits.iter().take(rules.most_listed()).filter_map(|&index| {
            let device = self.estate.device(index);
            let row = table.device(index)?;
            Some(RiskVisit {
                device: device.id.as_str().to_owned(),
                name: device.title().to_owned(),
                grade: row.grade?,
                since_ms: row.since_ms,
                causes: row.causes,
                advice: row.advice,
            })
        });
        Some(RiskReport {
            rules: rules.title(),
            grade: estate.grade?,
            counts: estate.counts,
            devices: devices.collect(),
            more: u32::try_from(more).unwrap_or(u32::MAX),
        })
    }

    /// The self-test as it stands in the assessment, worst first.
    pub(super) fn self_test_items(&self) -> Vec<SelfTestItem> {
        let Some(report) = &self.effects.self_test else { return Vec::new() };
        let both = |words: &crate::model::Words| Bilingual::new(&words.zh, &words.en);
        let mut items: Vec<SelfTestItem> = report
            .items
            .iter()
            .map(|item| SelfTestItem {
                id: item.id.to_owned(),
                title: both(&item.title),
                outcome: match item.outcome {
                    selftest::Outcome::Pass => Outcome::Met,
                    selftest::Outcome::Fail => Outcome::NotMet,
                    selftest::Outcome::Unknown => Outcome::Unknown,
                },
                seen: both(&item.seen),
                todo: item.todo.as_ref().map(both),
            })
            .collect();
        items.sort_by_key(|item| match item.outcome {
            Outcome::NotMet => 0,
            Outcome::Unknown => 1,
            Outcome::Met | Outcome::NotApplicable => 2,
        });
        items
    }
}
