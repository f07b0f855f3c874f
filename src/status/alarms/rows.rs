//! Alarms as JSON.

use serde::Serialize;

use crate::alarm::{Alarm, Board, Entry, Now, Page, Said, Window};
use crate::model::{AlarmLevel, AlarmState, Value, WarningId};
use crate::status::view::View;

/// One alarm.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(in crate::status) struct AlarmRow {
    id: String,
    rule: String,
    level: AlarmLevel,
    state: AlarmState,
    /// Whether its condition holds.
    active: bool,
    title: Said,
    /// What to do.
    todo: Said,
    /// The device; `null` for the gateway itself and for a group.
    device: Option<String>,
    name: Option<String>,
    place: Option<String>,
    point: Option<String>,
    /// What else it is about: a bus, a certificate.
    about: String,
    value: Option<Value>,
    limit: Option<f64>,
    /// How long it is there, or was when it was closed.
    age_s: u64,
    raised_ms: Option<i64>,
    acknowledged_ms: Option<i64>,
    acknowledged_by: Option<String>,
    cleared_ms: Option<i64>,
    closed_ms: Option<i64>,
    closed_by: Option<String>,
    reason: Option<String>,
    /// Until it must be acknowledged or, when it is, closed; negative when overdue.
    left_s: Option<i64>,
    escalations: u32,
    /// How often its condition began.
    times: u32,
    /// It comes and goes: single changes are not told.
    flapping: bool,
    /// Members, of a group alarm.
    members: Option<u32>,
    /// The group alarm that it belongs to.
    group: Option<String>,
    /// The maintenance window that silences it.
    silenced: Option<String>,
    /// The warning that it started.
    warning: Option<String>,
}

/// The warning that an alarm started, as far as the broadcast still knows it.
pub(in crate::status) fn started(view: &View, alarm: &Alarm) -> Option<WarningId> {
    let (desk, id) = (view.broadcast.as_ref()?, WarningId::from(alarm.id));
    desk.view().warnings.iter().any(|row| row.id == id).then_some(id)
}

impl AlarmRow {
    pub(super) fn of(view: &View, board: &Board, alarm: &Alarm, now: &Now) -> Self {
        let device = alarm.key.device.as_ref().and_then(|id| view.estate.find(id));
        let device = device.map(|index| view.estate.device(index));
        let wall = |t: u64| now.trusted.then(|| board.line.wall_ms(t, now));
        let age = match alarm.closed {
            Some(closed) => closed.saturating_sub(alarm.raised),
            None => board.age_ms(alarm, now),
        };
        Self {
            id: alarm.id.to_string(),
            rule: alarm.key.rule.clone(),
            level: alarm.level,
            state: alarm.state,
            active: alarm.active,
            title: alarm.title.clone(),
            todo: alarm.todo.clone(),
            device: alarm.key.device.as_ref().map(|id| id.as_str().to_owned()),
            name: device.map(|device| device.title().to_owned()),
            place: device.map(|device| device.place.clone()),
            point: alarm.key.point.clone(),
            about: alarm.key.about.clone(),
            value: alarm.value.clone(),
            limit: alarm.limit,
            age_s: age / 1000,
            raised_ms: wall(alarm.raised),
            acknowledged_ms: alarm.acknowledged.and_then(wall),
            acknowledged_by: alarm.acknowledged_by.clone(),
            cleared_ms: alarm.cleared.and_then(wall),
            closed_ms: alarm.closed.and_then(wall),
            closed_by: alarm.closed_by.clone(),
            reason: alarm.reason.clone(),
            left_s: board.left_ms(alarm, now).map(|ms| ms.div_euclid(1000)),
            escalations: alarm.escalations,
            times: alarm.times,
            flapping: alarm.flapping,
            members: alarm.members,
            group: alarm.group.map(|id| id.to_string()),
            silenced: alarm.silenced.clone(),
            warning: started(view, alarm).map(|id| id.to_string()),
        }
    }
}

/// How many are open, by level.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(in crate::status) struct Counts {
    red: u64,
    orange: u64,
    yellow: u64,
    blue: u64,
    silenced: u64,
}

/// Alarms: open ones worst first, closed ones newest first.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(in crate::status) struct AlarmRows {
    /// All that are open.
    open: Counts,
    alarms: Vec<AlarmRow>,
    /// For `before` of the next page; `null` at the end.
    next: Option<u64>,
    /// Whom to call.
    contact: String,
}

impl AlarmRows {
    pub(super) fn of(view: &View, board: &Board, page: &Page, now: &Now) -> Self {
        let [red, orange, yellow, blue] = board.counts.open;
        let silenced = board.counts.silenced;
        Self {
            open: Counts { red, orange, yellow, blue, silenced },
            alarms: page.alarms.iter().map(|one| AlarmRow::of(view, board, one, now)).collect(),
            next: page.next,
            contact: board.contact.to_string(),
        }
    }
}

/// One alarm with its history.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(in crate::status) struct AlarmDetail {
    #[serde(flatten)]
    pub(super) alarm: AlarmRow,
    /// What happened to it, in order.
    pub(super) ledger: Vec<Entry>,
    /// Members of an open group alarm.
    #[serde(rename = "member_alarms")]
    pub(super) members: Vec<AlarmRow>,
}

/// A maintenance window.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(in crate::status) struct WindowRow {
    #[serde(flatten)]
    window: Window,
    /// Whether it is open now.
    open: bool,
}

impl WindowRow {
    pub(super) fn of(window: &Window, now: &Now) -> Self {
        Self { window: window.clone(), open: window.is_open(now.wall_ms) }
    }
}
