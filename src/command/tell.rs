//! Who hears of a command: the platform, the flow, the trail, whoever waits.

use std::time::Duration;

use super::desk::Desk;
use super::input::Told;
use crate::audit::{self, Action, Deed};
use crate::model::{
    CommandOutcome, CommandResult, CommandSource, DeviceId, Event, EventKind, FieldMessage,
};

/// Refusals in a minute that anybody who reaches the broker can cause, in trail and events.
const MOST_SPARED: u32 = 10;
const MINUTE: Duration = Duration::from_secs(60);

impl Desk {
    /// Tells the platform, on its topic.
    pub(super) fn result(&self, told: &Told) {
        let at_ms = self.clock.wall(self.clock.now()).map(|wall| wall.unix_ms);
        let result = CommandResult {
            v: 1,
            gateway: self.core.gateway.clone(),
            device: told.device.clone(),
            at_ms,
            report: told.report.clone(),
        };
        if self.ends.results.try_send(result).is_err() {
            tracing::debug!(id = %told.report.id, "the result is told by its event alone");
        }
    }

    pub(super) async fn tell(&mut self, told: Told) {
        let report = &told.report;
        self.counts.count(&report.outcome);
        if told.late {
            if report.source == CommandSource::Platform {
                self.result(&told);
            }
            for waiting in self.ends_of.remove(&report.id).unwrap_or_default() {
                // Who does not wait any more looks it up.
                drop(waiting.send(report.clone()));
            }
        }
        let (device, outcome) = (&told.device, report.outcome.words().en);
        if report.source == CommandSource::Broadcast {
            // A warning of two hundred terminals is hundreds of orders: what became of each stands
            // in its receipt, for the platform and for the page.
            tracing::debug!(id = %report.id, device, command = report.command, outcome, "command");
            return;
        }
        tracing::info!(
            id = %report.id, device, command = report.command, by = report.by,
            source = report.source.word(), outcome, "command"
        );
        if told.spared && !self.may_note() {
            return;
        }
        if let Some(audit) = &self.ends.audit
            && audit.note_soon(deed(&told))
        {
            audit.settle().await;
        }
        let device = DeviceId::new(&told.device).ok();
        let event = Event { at: self.clock.now(), device, kind: EventKind::Command(told.report) };
        if self.ends.field.send(FieldMessage::Event(event)).await.is_err() {
            tracing::warn!("the flow is gone: the outcome of a command is in the log alone");
        }
    }

    /// Whether another refusal that anybody can cause is noted in this minute.
    fn may_note(&mut self) -> bool {
        let now = self.clock.now();
        if self.spared.1 == 0 || now.since(self.spared.0) >= MINUTE {
            self.spared = (now, 0);
        }
        self.spared.1 += 1;
        self.spared.1 <= MOST_SPARED
    }
}

/// The line of the trail.
fn deed(told: &Told) -> Deed {
    let report = &told.report;
    let value = report.value.as_ref().map_or_else(String::new, |value| format!(" = {value}"));
    let about = format!("{} {}{value}", told.device, report.command);
    let outcome = match &report.outcome {
        CommandOutcome::Accepted | CommandOutcome::Done { .. } => audit::Outcome::Done,
        CommandOutcome::Refused { .. } | CommandOutcome::Expired => audit::Outcome::Refused,
        CommandOutcome::Unconfirmed { .. } | CommandOutcome::Unknown => audit::Outcome::Failed,
    };
    let read = match &report.outcome {
        CommandOutcome::Done { read_back: Some(read) }
        | CommandOutcome::Unconfirmed { read_back: Some(read) } => format!(", read back {read}"),
        _ => String::new(),
    };
    let words = report.outcome.words().en;
    let taken = report.takes_back.as_ref().map_or_else(String::new, |id| format!(", ends {id}"));
    let who = if report.by.is_empty() { "-" } else { &report.by };
    Deed::done(who, report.source.word(), Action::Command, about.trim())
        .ended(outcome, &format!("{}: {words}{read}{taken}", report.id))
}
