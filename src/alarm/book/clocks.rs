//! What time brings: escalation, rest after flapping, the end of windows, alarms that close by
//! themselves.

use std::sync::Arc;
use std::time::Duration;

use super::tell::More;
use super::{Book, MOST_WINDOWS, PAST_WINDOWS};
use crate::alarm::entry::{Alarm, Key};
use crate::alarm::timeline::Now;
use crate::alarm::window::Window;
use crate::model::{AlarmState, AlarmStep};

/// Longest time between two escalations, milliseconds.
const LONGEST_REPEAT: u64 = 86_400_000;
/// Shortest one.
const SHORTEST_REPEAT: u64 = 60_000;

const NOT_ACKNOWLEDGED: &str = "超时未确认 / not acknowledged in time";
const NOT_CLOSED: &str = "超时未关闭 / not closed in time";
const OVER: &str = "已恢复，自动关闭 / over, closed by itself";

fn ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

impl Book {
    /// When the first clock of an alarm runs out.
    pub(super) fn first_clock(&self, alarm: &Alarm) -> Option<u64> {
        let clocks = self.manner.clocks(alarm.level)?;
        Some(alarm.raised.saturating_add(ms(clocks.acknowledge)))
    }

    /// When the clock for closing runs out.
    pub(super) fn last_clock(&self, alarm: &Alarm) -> Option<u64> {
        let clocks = self.manner.clocks(alarm.level)?;
        Some(alarm.raised.saturating_add(ms(clocks.close)))
    }

    pub(super) fn run_clocks(&mut self, now: &Now) {
        let t = self.time(now);
        let within = ms(self.manner.flapping.within);
        let rests = |alarm: &Alarm| {
            alarm.flapping && alarm.changes.back().is_none_or(|last| t - t.min(*last) >= within)
        };
        let overdue = |alarm: &Alarm| alarm.is_called() && alarm.next.is_some_and(|at| t >= at);
        let mut due: Vec<(u64, bool, bool)> = Vec::new();
        let mut over: Vec<u64> = Vec::new();
        for (number, alarm) in &self.open {
            if rests(alarm) || overdue(alarm) {
                due.push((*number, rests(alarm), overdue(alarm)));
            }
            if self.closes(alarm, t) {
                over.push(*number);
            }
        }
        for (number, rests, overdue) in due {
            if rests && let Some(mut alarm) = self.get(number) {
                alarm.flapping = false;
                self.step(&mut alarm, AlarmStep::Steady, now, &More::default());
                self.put(alarm, now);
            }
            if overdue && let Some(alarm) = self.get(number) {
                self.escalate(alarm, t, now);
            }
        }
        for number in over {
            if let Some(alarm) = self.get(number) {
                self.close_itself(alarm, OVER, now);
            }
        }
    }

    fn escalate(&mut self, mut alarm: Alarm, t: u64, now: &Now) {
        let Some(clocks) = self.manner.clocks(alarm.level) else { return };
        alarm.escalations = alarm.escalations.saturating_add(1);
        alarm.escalated.get_or_insert(t);
        self.totals.escalated[alarm.level as usize] += 1;
        let acknowledged = alarm.acknowledged.is_some();
        let base = ms(clocks.acknowledge).max(SHORTEST_REPEAT);
        let factor = 1u64.checked_shl(alarm.escalations.min(20)).unwrap_or(u64::MAX);
        let mut next = t.saturating_add(base.saturating_mul(factor).min(LONGEST_REPEAT));
        if let Some(close) = self.last_clock(&alarm).filter(|close| *close > t) {
            next = next.min(close);
        }
        alarm.next = Some(next);
        let reason = if acknowledged { NOT_CLOSED } else { NOT_ACKNOWLEDGED };
        let more = More { reason: Some(reason), ..More::default() };
        self.step(&mut alarm, AlarmStep::Escalated, now, &more);
        let (group, at) = (alarm.is_group().then_some(alarm.id.number), alarm.escalated);
        self.put(alarm, now);
        for number in group.map(|group| self.members(group)).unwrap_or_default() {
            // What the star level knows of a member is what became of the group.
            if let Some(mut member) = self.get(number).filter(|member| member.counted) {
                member.escalated = member.escalated.or(at);
                self.put(member, now);
            }
        }
    }

    /// Whether an alarm that is over closes by itself now.
    fn closes(&self, alarm: &Alarm, t: u64) -> bool {
        let Some(cleared) = alarm.cleared.filter(|_| alarm.state == AlarmState::Cleared) else {
            return false;
        };
        if alarm.flapping || alarm.group.is_some() {
            return false;
        }
        let rule = match self.plan.place(&alarm.key) {
            Some((at, ..)) => Some(self.plan.rule(at)),
            // A group is about no device of its own.
            None => self.members(alarm.id.number).first().and_then(|member| {
                let (at, ..) = self.plan.place(&self.open.get(member)?.key)?;
                Some(self.plan.rule(at))
            }),
        };
        let after = rule.and_then(|rule| rule.closes_itself);
        after.is_some_and(|after| t.saturating_sub(cleared) >= ms(after))
    }

    pub(super) fn close_itself(&mut self, mut alarm: Alarm, reason: &str, now: &Now) {
        let t = self.time(now);
        let members = if alarm.is_group() { self.members(alarm.id.number) } else { Vec::new() };
        alarm.closed = Some(t);
        alarm.reason = Some(reason.to_owned());
        let more = More { reason: Some(reason), ..More::default() };
        self.step(&mut alarm, AlarmStep::Closed, now, &more);
        self.put(alarm, now);
        self.close_members(&members, None, reason, now);
    }

    /// The members of a group that was closed are closed with it.
    pub(super) fn close_members(
        &mut self,
        members: &[u64],
        by: Option<&str>,
        reason: &str,
        now: &Now,
    ) {
        let t = self.time(now);
        for number in members {
            let Some(mut member) = self.get(*number) else { continue };
            member.closed = Some(t);
            member.closed_by = by.map(str::to_owned);
            member.reason = Some(reason.to_owned());
            if member.active && self.muted.insert(member.key.clone()) {
                self.out.muted.push((member.key.clone(), true));
            }
            let more = More { by, reason: Some(reason), quiet: true, ..More::default() };
            self.step(&mut member, AlarmStep::Closed, now, &more);
            self.put(member, now);
        }
    }

    /// The name of an open window that covers what the key is about.
    pub(super) fn window_over(&self, key: &Key, now: &Now) -> Option<String> {
        let estate = self.plan.estate();
        let device = key.device.as_ref().and_then(|id| estate.find(id));
        let device = device.map(|index| estate.device(index));
        let covers = |window: &&Window| {
            let own = key.device.is_none() || device.is_some();
            own && window.is_open(now.wall_ms) && window.scope.covers(device)
        };
        self.windows.iter().find(covers).map(|window| window.name.clone())
    }

    /// Notes which windows are over, and calls what they silenced and still holds.
    pub(super) fn turn_windows(&mut self, now: &Now) {
        let mut ended = false;
        for window in &mut self.windows {
            if !window.over && window.to_ms <= now.wall_ms {
                (window.over, ended) = (true, true);
                self.out.windows.push(window.clone());
            }
        }
        if ended {
            self.forget_windows();
        }
        let silenced: Vec<u64> = self
            .open
            .values()
            .filter(|alarm| alarm.silenced.is_some())
            .filter(|alarm| self.window_over(&alarm.key, now).is_none())
            .map(|alarm| alarm.id.number)
            .collect();
        for number in silenced {
            let Some(mut alarm) = self.get(number) else { continue };
            alarm.silenced = None;
            alarm.raised = self.time(now);
            match self.group_for(&alarm.key.rule, alarm.raised) {
                Some(group) => self.join(alarm, group, now),
                None => self.call(alarm, now),
            }
        }
    }

    /// Takes the windows of the configuration in.
    pub(super) fn configure(&mut self, configured: &[Window]) {
        let stays = |window: &Window| {
            !window.configured || configured.iter().any(|other| other.is_same(window))
        };
        let gone: Vec<u32> =
            self.windows.iter().filter(|w| !stays(w)).map(|window| window.number).collect();
        self.windows.retain(stays);
        self.out.forgotten.extend(gone);
        for window in configured {
            if let Some(known) = self.windows.iter_mut().find(|other| other.is_same(window)) {
                if known.scope != window.scope || known.by != window.by {
                    (known.scope, known.by) = (window.scope.clone(), window.by.clone());
                    self.out.windows.push(known.clone());
                }
                continue;
            }
            let window = Window { number: self.next_window(), ..window.clone() };
            self.windows.push(window.clone());
            self.out.windows.push(window);
        }
    }

    pub(super) fn next_window(&self) -> u32 {
        self.windows.iter().map(|window| window.number).max().unwrap_or(0) + 1
    }

    pub(super) fn has_room_for_window(&self) -> bool {
        self.windows.iter().filter(|window| !window.over).count() < MOST_WINDOWS
    }

    /// Only so many that are over are remembered; those of the configuration as long as it has them.
    pub(super) fn forget_windows(&mut self) {
        let over = self.windows.iter().filter(|window| window.over && !window.configured);
        let surplus = over.clone().count().saturating_sub(PAST_WINDOWS);
        let gone: Vec<u32> = over.take(surplus).map(|window| window.number).collect();
        self.windows.retain(|window| !gone.contains(&window.number));
        self.out.forgotten.extend(gone);
    }

    /// Where the alarms stand that an earlier run left: for tests of restarts.
    #[cfg(test)]
    pub(super) fn kept(&self, now: &Now) -> super::Kept {
        super::Kept {
            next: self.next,
            open: self.open.values().map(|alarm| Alarm::clone(alarm)).collect(),
            muted: self.muted.clone(),
            windows: self.windows.clone(),
            anchor: Some(self.line.anchor(now)),
        }
    }
}

/// The open alarms of a board come worst first.
pub(in crate::alarm) fn worst_first(alarms: &mut [Arc<Alarm>]) {
    alarms.sort_by_key(|alarm| {
        let rank = match alarm.state {
            AlarmState::Raised => 0,
            AlarmState::Acknowledged => 1,
            AlarmState::Cleared => 2,
            AlarmState::Closed => 3,
        };
        (alarm.level, rank, alarm.raised, alarm.id)
    });
}
