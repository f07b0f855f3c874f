//! The joints of the alarms: the rules compiled for the estate, the desk, what it hears and tells.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::mpsc;

use super::{ALARM_ACTS, Joints, SIGNALS};
use crate::alarm::{
    Book, Clocks, Desk, DeskEnds, DeskHandle, Detector, Keep, Lapse, Manner, Now, Plan,
};
use crate::buffer::Buffer;
use crate::config::Settings;
use crate::model::{AlarmEyes, AlarmLevel, AlarmSignals, Estate, Fact, Record};
use crate::starlevel::RulePack;
use crate::supervise::Part;

/// The rules of the settings, compiled for their estate.
pub fn alarm_plan(settings: &Settings, estate: &Arc<Estate>) -> Plan {
    let own: Vec<&[crate::alarm::Changed]> =
        settings.devices.iter().map(|device| device.alarms.as_slice()).collect();
    Plan::new(&settings.alarms, estate, &own)
}

/// How alarms are judged; the clocks are those of the rule pack.
pub fn alarm_manner(settings: &Settings, pack: &RulePack) -> Manner {
    let clocks = |level: &AlarmLevel| {
        let severity = pack.severities().iter().find(|one| one.ebm == level.number())?;
        Some(Clocks {
            acknowledge: Duration::from_secs(severity.ack_s),
            close: Duration::from_secs(severity.close_s),
        })
    };
    let mut all = [None; 4];
    for (slot, level) in all.iter_mut().zip(AlarmLevel::ALL) {
        *slot = clocks(level);
    }
    Manner { clocks: all, flapping: settings.alarms.flapping, grouping: settings.alarms.grouping }
}

/// What the pipeline gets of the alarms.
pub(super) struct Watcher {
    /// Sees the conditions.
    pub(super) eyes: Box<dyn AlarmEyes>,
    /// Where what they see goes.
    pub(super) out: mpsc::Sender<AlarmSignals>,
}

impl Joints {
    /// Starts the desk of the alarms. Called before the first commit.
    ///
    /// # Errors
    /// What was kept of the alarms cannot be read.
    pub(super) fn alarms(
        &mut self,
        settings: &Settings,
        pack: &RulePack,
        buffer: &Buffer,
        (records, facts): (mpsc::Sender<Record>, mpsc::Sender<Fact>),
    ) -> anyhow::Result<(Watcher, DeskHandle)> {
        let plan = Arc::new(alarm_plan(settings, &self.estate));
        let (keep, kept) =
            Keep::open(buffer.store().tree("alarms")).context("what was kept of the alarms")?;
        let moment = self.clock.now();
        let wall_ms = self.clock.best_wall(moment).unix_ms;
        let now = Now { moment, wall_ms, trusted: self.clock.trusted() };
        let status = buffer.status();
        let epoch = status.borrow().epoch;
        let boot = self.clock.boot().to_string();
        let book = Book::new(
            Arc::clone(&plan),
            alarm_manner(settings, pack),
            (epoch, &boot),
            kept,
            &settings.alarms.windows,
            &now,
        );
        let active = book.active();
        let eyes = Box::new(Detector::new(Arc::clone(&plan), &active));
        let lapse = Lapse::new(plan, moment, &active);
        let (out, signals) = mpsc::channel(SIGNALS);
        let stored = Box::new(move || {
            let status = status.borrow();
            (status.commits, status.fault.is_some())
        });
        let ends = DeskEnds { signals, records, facts, stored };
        let seen = (self.snapshot.clone(), self.clock.clone());
        let contact = &settings.alarms.contact;
        let (desk, handle) = Desk::new(book, keep, seen, lapse, contact, ends, ALARM_ACTS);
        // It ends with the pipeline, and the recorder with it.
        self.supervisor.spawn(Part::Stage, "alarms", desk.run());
        Ok((Watcher { eyes, out }, handle))
    }
}
