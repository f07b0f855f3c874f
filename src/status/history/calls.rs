//! What a stream tells of alarms and warnings: those that changed since the last look.

use std::collections::BTreeMap;

use serde::Serialize;

use super::live::event;
use crate::alarm::{Alarm, Said};
use crate::broadcast::WarningRow;
use crate::model::{
    AlarmId, AlarmLevel, AlarmState, DeviceId, ReceiptCounts, Severity, WarningId, WarningStatus,
};
use crate::status::view::View;

/// An alarm that changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(in crate::status) struct LiveAlarm {
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    id: AlarmId,
    rule: String,
    level: AlarmLevel,
    state: AlarmState,
    /// Whether its condition holds.
    active: bool,
    escalations: u32,
    /// The device; nothing for the gateway itself and for a group.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    device: Option<DeviceId>,
    title: Said,
    /// The maintenance window that silences it.
    silenced: Option<String>,
}

impl LiveAlarm {
    fn of(alarm: &Alarm) -> Self {
        Self {
            id: alarm.id,
            rule: alarm.key.rule.clone(),
            level: alarm.level,
            state: alarm.state,
            active: alarm.active,
            escalations: alarm.escalations,
            device: alarm.key.device.clone(),
            title: alarm.title.clone(),
            silenced: alarm.silenced.clone(),
        }
    }
}

/// A warning that changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(in crate::status) struct LiveWarning {
    id: WarningId,
    severity: Severity,
    status: WarningStatus,
    /// When it was over, milliseconds since 1970.
    over_ms: Option<i64>,
    cancelled_by: String,
    counts: ReceiptCounts,
}

impl LiveWarning {
    fn of(row: &WarningRow) -> Self {
        Self {
            id: row.id.clone(),
            severity: row.severity,
            status: row.status,
            over_ms: row.over_ms,
            cancelled_by: row.cancelled_by.clone(),
            counts: row.counts,
        }
    }
}

/// What was told.
#[derive(Debug, Default)]
pub(in crate::status) struct Calls {
    alarms: BTreeMap<AlarmId, LiveAlarm>,
    warnings: BTreeMap<WarningId, LiveWarning>,
}

impl Calls {
    /// Events of what changed; what is no longer open is told once as closed.
    pub(in crate::status) fn look(&mut self, view: &View) -> Option<String> {
        let told = [self.alarms(view), self.warnings(view)];
        let told: String = told.into_iter().flatten().collect();
        (!told.is_empty()).then_some(told)
    }

    fn alarms(&mut self, view: &View) -> Option<String> {
        let board = view.alarms.as_ref()?.board();
        let mut rows = Vec::new();
        self.alarms.retain(|id, told| {
            let open = board.find(*id).is_some();
            if !open {
                let closed = LiveAlarm { state: AlarmState::Closed, active: false, ..told.clone() };
                rows.push(closed);
            }
            open
        });
        for alarm in &board.open {
            let row = LiveAlarm::of(alarm);
            if self.alarms.get(&alarm.id) != Some(&row) {
                rows.push(row.clone());
                self.alarms.insert(alarm.id, row);
            }
        }
        (!rows.is_empty()).then(|| event("alarms", &rows))
    }

    fn warnings(&mut self, view: &View) -> Option<String> {
        let seen = view.broadcast.as_ref()?.view();
        let mut rows = Vec::new();
        self.warnings.retain(|id, _| seen.warnings.iter().any(|row| row.id == *id));
        for warning in &seen.warnings {
            let row = LiveWarning::of(warning);
            if self.warnings.get(&warning.id) != Some(&row) {
                rows.push(row.clone());
                self.warnings.insert(warning.id.clone(), row);
            }
        }
        (!rows.is_empty()).then(|| event("warnings", &rows))
    }
}
