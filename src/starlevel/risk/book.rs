//! The grades over time. A grade rises at once and falls only after its points were low for a
//! while; who rises to medium or worse, or falls back to low, is an event; so is the estate each day.

use std::sync::Arc;

use super::facts::{DeviceAlarms, findings};
use super::grade::{Graded, grade};
use super::keep::Keeper;
use super::rules::RiskRules;
use super::storm::Storm;
use super::table::{DeviceRisk, EstateGrade, RiskTable};
use super::words;
use crate::model::{
    BusTable, DeviceIndex, Estate, EstateRisk, Event, EventKind, Moment, RiskCause, RiskCounts,
    RiskDevice, RiskGrade, Snapshot, WallTime,
};
use crate::starlevel::evidence::{Book, date};
use crate::starlevel::pack::RulePack;

/// What one device's grade is and was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct State {
    pub(super) grade: Option<RiskGrade>,
    pub(super) since_ms: Option<i64>,
    /// Since when its points are too low for its grade, and the worst grade that they gave since.
    below: Option<(Moment, RiskGrade)>,
    pub(super) unsaved: bool,
}

impl State {
    /// Takes the grade of a look; `Some` with the grade before when it changed.
    fn step(
        &mut self,
        seen: RiskGrade,
        now: Moment,
        wall: Option<WallTime>,
        hold: std::time::Duration,
    ) -> Option<Option<RiskGrade>> {
        let before = self.grade;
        let next = match before {
            Some(held) if seen < held => {
                let (since, worst) = self.below.unwrap_or((now, seen));
                let worst = worst.max(seen);
                if now.since(since) < hold {
                    self.below = Some((since, worst));
                    return None;
                }
                worst
            }
            _ => seen,
        };
        self.below = None;
        if before == Some(next) {
            return None;
        }
        self.grade = Some(next);
        self.since_ms = wall.map(|wall| wall.unix_ms);
        self.unsaved = true;
        Some(before)
    }
}

/// Whether a change is worth an event.
fn is_told(before: Option<RiskGrade>, now: RiskGrade) -> bool {
    match now {
        RiskGrade::Low => before.is_some_and(|before| before > RiskGrade::Low),
        _ => before.is_none_or(|before| now > before),
    }
}

/// The grades of all devices.
#[derive(Debug)]
pub(in crate::starlevel) struct RiskBook {
    pub(super) rules: RiskRules,
    pub(super) estate: Arc<Estate>,
    /// The star by whose definition a device is online: the estate's target.
    pub(super) star: u8,
    pub(super) started: Moment,
    pub(super) states: Vec<State>,
    /// Per device; empty where nothing counts alarms.
    pub(in crate::starlevel) alarms: Vec<DeviceAlarms>,
    pub(super) keeper: Option<Keeper>,
    /// The grade of the estate that was told last.
    pub(super) told: Option<RiskGrade>,
    storm: Storm,
    table: RiskTable,
    /// Milliseconds after midnight at which the day is graded.
    daily_at_ms: i64,
}

impl RiskBook {
    pub(in crate::starlevel) fn new(
        pack: &RulePack,
        estate: &Arc<Estate>,
        started: Moment,
    ) -> Self {
        Self {
            rules: RiskRules::built_in(),
            estate: Arc::clone(estate),
            star: pack.target(estate.kind),
            started,
            states: vec![State::default(); estate.devices().len()],
            alarms: Vec::new(),
            keeper: None,
            told: None,
            storm: Storm::default(),
            table: RiskTable::default(),
            daily_at_ms: time_of_day(&pack.evaluation().run_daily_at).unwrap_or(0),
        }
    }

    pub(in crate::starlevel) fn table(&self) -> &RiskTable {
        &self.table
    }

    pub(in crate::starlevel) fn rules(&self) -> &RiskRules {
        &self.rules
    }

    pub(super) fn settled(&self, now: Moment) -> bool {
        now.since(self.started) >= self.rules.settle()
    }

    /// Grades every device by what is seen now; what changed becomes events.
    pub(in crate::starlevel) fn look(
        &mut self,
        snapshot: &Snapshot,
        buses: Option<&BusTable>,
        evidence: &mut Book,
        pack: &RulePack,
        (now, wall): (Moment, Option<WallTime>),
        events: &mut Vec<Event>,
    ) {
        self.storm.roll(now);
        let found = findings(buses, snapshot);
        let mut rows = Vec::with_capacity(found.len());
        for (index, finding) in (0u32..).map(DeviceIndex).zip(found) {
            let inputs = self.facts(index, snapshot, evidence, pack, finding, now);
            let category = self.estate.device(index).category;
            let seen = inputs.as_ref().map(|inputs| {
                let graded = grade(&self.rules, category, inputs);
                let causes = graded.explain(inputs);
                (graded, causes)
            });
            rows.push(self.device(index, seen, now, wall, events));
        }
        let estate = self.estate_grade();
        let visits = self.visits(&rows);
        self.table.set(rows, estate, visits);
        if self.storm.estate()
            && let Some(event) = self.estate_event(None, now)
        {
            events.push(event);
        }
        self.daily(evidence, now, wall, events);
    }

    fn device(
        &mut self,
        index: DeviceIndex,
        seen: Option<(Graded, Vec<RiskCause>)>,
        now: Moment,
        wall: Option<WallTime>,
        events: &mut Vec<Event>,
    ) -> DeviceRisk {
        let hold = self.rules.down_after();
        let state = &mut self.states[index.slot()];
        let (graded, causes) = seen.unzip();
        let causes = causes.unwrap_or_default();
        if let Some(graded) = &graded
            && let Some(before) = state.step(graded.grade, now, wall, hold)
            && let Some(grade) = state.grade
            && is_told(before, grade)
            && self.storm.single(self.rules.single_per_hour())
        {
            let kind = EventKind::RiskGrade { grade, before, causes: causes.clone(), estate: None };
            let device = Some(self.estate.device(index).id.clone());
            events.push(Event { at: now, device, kind });
        }
        DeviceRisk {
            grade: state.grade,
            since_ms: state.since_ms,
            advice: causes.first().map(|cause| words::advice(&cause.code)),
            causes,
            points: graded.map_or(0.0, |graded| graded.points),
        }
    }

    /// The grade of the estate by the rules' section `[estate]`.
    fn estate_grade(&self) -> EstateGrade {
        let rule = self.rules.estate();
        let mut counts = RiskCounts::default();
        let mut safety = None;
        for (state, device) in self.states.iter().zip(self.estate.devices()) {
            counts.add(state.grade);
            if rule.safety.contains(&device.category) {
                safety = safety.max(state.grade);
            }
        }
        let graded = counts.graded();
        let share = |part: u32| f64::from(part) / f64::from(graded.max(1));
        let high = counts.high;
        let worse = counts.high + counts.medium;
        let grade =
            if safety == Some(RiskGrade::High) || (high > 0 && share(high) >= rule.high_share) {
                RiskGrade::High
            } else if high > 0
                || safety == Some(RiskGrade::Medium)
                || (worse > 0 && share(worse) >= rule.medium_share)
            {
                RiskGrade::Medium
            } else {
                RiskGrade::Low
            };
        EstateGrade { grade: (graded > 0).then_some(grade), counts }
    }

    /// Devices of medium and high grade: the worst first, of one grade by their points.
    fn visits(&self, rows: &[DeviceRisk]) -> Vec<DeviceIndex> {
        let worse = (0u32..).map(DeviceIndex).zip(rows);
        let mut worse: Vec<_> = worse.filter(|(_, row)| row.grade > Some(RiskGrade::Low)).collect();
        worse.sort_by(|(_, a), (_, b)| b.grade.cmp(&a.grade).then(b.points.total_cmp(&a.points)));
        worse.into_iter().map(|(index, _)| index).collect()
    }

    /// What is told about the whole estate; `None` before any device has a grade.
    fn estate_event(&mut self, day: Option<u32>, now: Moment) -> Option<Event> {
        let EstateGrade { grade, counts } = self.table.estate();
        let grade = grade?;
        let visits = self.table.visits();
        let more = visits.len().saturating_sub(self.rules.most_listed());
        let devices = visits.iter().take(self.rules.most_listed()).filter_map(|index| {
            let row = self.table.device(*index)?;
            Some(RiskDevice {
                device: self.estate.device(*index).id.clone(),
                grade: row.grade?,
                causes: row.causes.into_iter().map(|cause| cause.code).collect(),
            })
        });
        let RiskCounts { low, medium, high, unknown } = counts;
        let cause = RiskCause {
            code: "devices".into(),
            zh: format!("高 {high} 台，中 {medium} 台，低 {low} 台，未评 {unknown} 台"),
            en: format!("{high} high, {medium} medium, {low} low, {unknown} not graded"),
        };
        let estate = EstateRisk {
            day: day.map(date),
            counts,
            devices: devices.collect(),
            more: u32::try_from(more).unwrap_or(u32::MAX),
        };
        let before = self.told.replace(grade);
        let kind =
            EventKind::RiskGrade { grade, before, causes: vec![cause], estate: Some(estate) };
        Some(Event { at: now, device: None, kind })
    }

    /// Once per natural day, from the hour of the rule pack on; after a start only when it is
    /// known which devices are there. The evidence of the day says that it was done.
    fn daily(
        &mut self,
        evidence: &mut Book,
        now: Moment,
        wall: Option<WallTime>,
        events: &mut Vec<Event>,
    ) {
        let Some(wall) = wall else { return };
        let (day, begin) = evidence.day_at(wall.unix_ms);
        let early = wall.unix_ms - begin < self.daily_at_ms || !self.settled(now);
        if early || self.table.estate().grade.is_none() || !evidence.book_risk(day) {
            return;
        }
        events.extend(self.estate_event(Some(day), now));
    }
}

/// Milliseconds after midnight of `HH:MM`.
pub(in crate::starlevel) fn time_of_day(text: &str) -> Option<i64> {
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    let right = (0..24).contains(&hours) && (0..60).contains(&minutes);
    right.then_some((hours * 60 + minutes) * 60_000)
}
