//! A step of an alarm: into the ledger, to the platform, to the star level.

use std::time::Duration;

use super::{Book, MOST_STEPS};
use crate::alarm::entry::{Alarm, Entry};
use crate::alarm::timeline::Now;
use crate::model::{AlarmChange, AlarmLife, AlarmStep, Event, EventKind, Value};

/// What more there is to say of a step.
#[derive(Debug, Default)]
pub(super) struct More<'a> {
    pub(super) by: Option<&'a str>,
    pub(super) reason: Option<&'a str>,
    pub(super) value: Option<&'a Value>,
    /// It stands in the ledger alone.
    pub(super) quiet: bool,
}

impl Book {
    /// Notes a step of an alarm that was changed by it.
    pub(super) fn step(&mut self, alarm: &mut Alarm, step: AlarmStep, now: &Now, more: &More<'_>) {
        alarm.settle();
        alarm.steps = alarm.steps.saturating_add(1);
        let escalation = (step == AlarmStep::Escalated).then_some(alarm.escalations);
        if alarm.steps <= MOST_STEPS {
            let entry = Entry {
                number: alarm.steps,
                step,
                state: alarm.state,
                at_ms: now.wall_ms,
                trusted: now.trusted,
                value: more.value.cloned(),
                by: more.by.map(str::to_owned),
                reason: more.reason.map(str::to_owned),
                escalation,
            };
            self.out.ledger.push((alarm.id, entry));
        }
        if more.quiet {
            return;
        }
        let change = AlarmChange {
            id: alarm.id,
            number: alarm.steps,
            step,
            state: alarm.state,
            rule: alarm.key.rule.clone(),
            level: alarm.level,
            point: alarm.key.point.clone(),
            about: Some(alarm.key.about.clone()).filter(|about| !about.is_empty()),
            value: more.value.or(alarm.value.as_ref()).cloned(),
            limit: alarm.limit,
            title: alarm.title.en.clone(),
            title_zh: alarm.title.zh.clone(),
            todo: alarm.todo.en.clone(),
            todo_zh: alarm.todo.zh.clone(),
            by: more.by.map(str::to_owned),
            reason: more.reason.map(str::to_owned),
            escalation: (alarm.escalations > 0).then_some(alarm.escalations),
            group: alarm.group,
            members: alarm.members,
        };
        self.out.events.push(Event {
            at: now.moment,
            device: alarm.key.device.clone(),
            kind: EventKind::Alarm(Box::new(change)),
        });
    }
}

/// How an alarm stands, for the star level.
pub(super) fn life(alarm: &Alarm, t: u64) -> AlarmLife {
    let since = |t: u64| Duration::from_millis(t.saturating_sub(alarm.raised));
    AlarmLife {
        id: alarm.id.to_string(),
        level: alarm.level.number(),
        age: since(t),
        acknowledged_after: alarm.acknowledged.map(since),
        closed_after: alarm.closed.map(since),
        escalated_after: alarm.escalated.map(since),
    }
}
