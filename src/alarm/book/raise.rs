//! Conditions that begin and end.

use std::collections::VecDeque;

use super::tell::More;
use super::{Book, MOST_OPEN, Pending};
use crate::alarm::entry::{Alarm, Key};
use crate::alarm::timeline::Now;
use crate::model::{AlarmId, AlarmSignal, AlarmState, AlarmStep, Value};

/// Longest text of a device that is kept, in characters.
const LONGEST_VALUE: usize = 100;

/// Why an alarm ended that nobody looks after any more.
const ORPHAN: &str = "规则或设备已不在配置中 / its rule or device is not configured any more";

impl Book {
    pub(super) fn begins(&mut self, key: Key, signal: &AlarmSignal, now: &Now) {
        if self.muted.contains(&key) {
            return;
        }
        let since = self.line.at(signal.at);
        let open = self.by_key.get(&key).copied();
        if open.and_then(|number| self.open.get(&number)).is_some_and(|alarm| alarm.active) {
            return;
        }
        let value = signal.value.as_ref().map(shorter);
        let hold = self.plan.rule(signal.rule).hold;
        if hold.is_zero() {
            self.holds(key, signal.rule, value, since, now);
        } else {
            let pending = Pending { rule: signal.rule, since, value };
            self.pending.entry(key).or_insert(pending);
        }
    }

    /// The conditions that held for long enough by now.
    pub(super) fn held_long_enough(&mut self, now: &Now) {
        let t = self.time(now);
        let plan = &self.plan;
        let due = |pending: &Pending| {
            let hold = u64::try_from(plan.rule(pending.rule).hold.as_millis()).unwrap_or(u64::MAX);
            t >= pending.since.saturating_add(hold)
        };
        // What would be a new alarm waits where there is no room for it.
        let mut room = MOST_OPEN.saturating_sub(self.open.len());
        let mut fits = |key: &Key| {
            self.by_key.contains_key(key) || {
                let fits = room > 0;
                room = room.saturating_sub(1);
                fits
            }
        };
        let due: Vec<Key> = self
            .pending
            .iter()
            .filter(|(key, pending)| due(pending) && fits(key))
            .map(|(key, _)| key.clone())
            .collect();
        for key in due {
            if let Some(pending) = self.pending.remove(&key) {
                self.holds(key, pending.rule, pending.value, t, now);
            }
        }
    }

    /// A condition counts from `t` on.
    fn holds(&mut self, key: Key, rule: u16, value: Option<Value>, t: u64, now: &Now) {
        if let Some(number) = self.by_key.get(&key).copied() {
            return self.again(number, value.as_ref(), now);
        }
        if self.open.len() >= MOST_OPEN {
            let waits = Pending { rule, since: t, value };
            if self.pending.insert(key, waits).is_none() {
                self.totals.waited += 1;
            }
            return;
        }
        self.first(key, rule, value, t, now);
    }

    /// A new alarm.
    fn first(&mut self, key: Key, at: u16, value: Option<Value>, t: u64, now: &Now) {
        let plan = std::sync::Arc::clone(&self.plan);
        let rule = plan.rule(at);
        let mut alarm = Alarm {
            id: self.take_id(),
            key,
            level: rule.level,
            state: AlarmState::Raised,
            active: true,
            title: (&rule.title).into(),
            todo: (&rule.todo).into(),
            value,
            limit: rule.limit,
            raised: t,
            acknowledged: None,
            acknowledged_by: None,
            cleared: None,
            closed: None,
            closed_by: None,
            reason: None,
            escalations: 0,
            escalated: None,
            next: None,
            times: 1,
            changes: VecDeque::from([t]),
            flapping: false,
            members: None,
            group: None,
            silenced: None,
            steps: 0,
            counted: false,
        };
        if let Some(window) = self.window_over(&alarm.key, now) {
            alarm.silenced = Some(window.clone());
            let more = More { reason: Some(&window), ..More::default() };
            self.step(&mut alarm, AlarmStep::Silenced, now, &more);
            return self.put(alarm, now);
        }
        if let Some(group) = self.group_for(&alarm.key.rule, t) {
            return self.join(alarm, group, now);
        }
        self.call(alarm, now);
    }

    /// Raises an alarm: its clocks begin.
    pub(super) fn call(&mut self, mut alarm: Alarm, now: &Now) {
        alarm.counted = true;
        alarm.next = self.first_clock(&alarm);
        self.totals.raised[alarm.level as usize] += 1;
        self.step(&mut alarm, AlarmStep::Raised, now, &More::default());
        let (rule, number, t) = (alarm.key.rule.clone(), alarm.id.number, alarm.raised);
        self.put(alarm, now);
        self.gather(&rule, number, t, now);
    }

    pub(super) fn take_id(&mut self) -> AlarmId {
        let number = self.next;
        self.next += 1;
        AlarmId { epoch: self.epoch, number }
    }

    /// The condition of an open alarm is back.
    fn again(&mut self, number: u64, value: Option<&Value>, now: &Now) {
        let Some(mut alarm) = self.get(number).filter(|alarm| !alarm.active) else { return };
        let t = self.time(now);
        alarm.active = true;
        alarm.cleared = None;
        alarm.times = alarm.times.saturating_add(1);
        self.changed(alarm, AlarmStep::Raised, value, t, now);
    }

    pub(super) fn ends(&mut self, key: &Key, signal: &AlarmSignal, now: &Now) {
        self.pending.remove(key);
        if self.muted.remove(key) {
            self.out.muted.push((key.clone(), false));
        }
        let Some(number) = self.by_key.get(key).copied() else { return };
        let Some(alarm) = self.get(number).filter(|alarm| alarm.active) else { return };
        let value = signal.value.as_ref().map(shorter);
        self.gone(alarm, value.as_ref(), now);
    }

    fn gone(&mut self, mut alarm: Alarm, value: Option<&Value>, now: &Now) {
        let t = self.time(now);
        alarm.active = false;
        alarm.cleared = Some(t);
        if let Some(window) = alarm.silenced.clone() {
            // Nobody was called, so nobody need close it.
            let reason = format!("维护窗口内已恢复 / over within the window: {window}");
            return self.close_itself(alarm, &reason, now);
        }
        self.changed(alarm, AlarmStep::Cleared, value, t, now);
    }

    /// The condition of an open alarm came or went.
    fn changed(
        &mut self,
        mut alarm: Alarm,
        step: AlarmStep,
        value: Option<&Value>,
        t: u64,
        now: &Now,
    ) {
        let flapping = self.manner.flapping;
        let within = u64::try_from(flapping.within.as_millis()).unwrap_or(u64::MAX);
        alarm.changes.push_back(t);
        while alarm.changes.len() > flapping.changes as usize
            || alarm.changes.front().is_some_and(|first| t.saturating_sub(*first) > within)
        {
            alarm.changes.pop_front();
        }
        let more = More { value, quiet: alarm.group.is_some(), ..More::default() };
        if alarm.flapping {
            alarm.settle();
        } else if alarm.changes.len() >= flapping.changes as usize && alarm.group.is_none() {
            alarm.flapping = true;
            self.step(&mut alarm, AlarmStep::Flapping, now, &more);
        } else {
            self.step(&mut alarm, step, now, &more);
        }
        let group = alarm.group;
        self.put(alarm, now);
        if let Some(group) = group {
            self.follow_members(group.number, now);
        }
    }

    /// Alarms whose rule, device or point is gone end: nobody would ever clear them.
    pub(super) fn orphans(&mut self, now: &Now) {
        let plan = std::sync::Arc::clone(&self.plan);
        let unknown = |alarm: &&std::sync::Arc<Alarm>| {
            !alarm.is_group() && alarm.active && plan.place(&alarm.key).is_none()
        };
        let gone: Vec<u64> =
            self.open.values().filter(unknown).map(|alarm| alarm.id.number).collect();
        for number in gone {
            if let Some(mut alarm) = self.get(number) {
                alarm.active = false;
                alarm.cleared = Some(self.time(now));
                let more = More { reason: Some(ORPHAN), ..More::default() };
                self.step(&mut alarm, AlarmStep::Cleared, now, &more);
                let group = alarm.group;
                self.put(alarm, now);
                if let Some(group) = group {
                    self.follow_members(group.number, now);
                }
            }
        }
        let gone: Vec<Key> =
            self.muted.iter().filter(|key| plan.place(key).is_none()).cloned().collect();
        for key in gone {
            self.muted.remove(&key);
            self.out.muted.push((key, false));
        }
    }
}

/// A text of a device may be long.
fn shorter(value: &Value) -> Value {
    match value {
        Value::Text(text) if text.chars().count() > LONGEST_VALUE => {
            Value::Text(text.chars().take(LONGEST_VALUE).collect::<String>().into())
        }
        other => other.clone(),
    }
}
