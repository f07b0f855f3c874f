//! Group alarms: after a power failure nobody wants to close two thousand alarms.

use std::sync::Arc;
use std::time::Duration;

use super::Book;
use super::tell::More;
use crate::alarm::entry::{Alarm, Key, Said};
use crate::alarm::rule::Kind;
use crate::alarm::timeline::Now;
use crate::model::{AlarmState, AlarmStep};

/// So many are enough right after the start.
const AT_START: u32 = 3;

fn ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

impl Book {
    /// The group alarm that takes a further member of the rule now.
    pub(super) fn group_for(&self, rule: &str, t: u64) -> Option<u64> {
        let (number, last) = self.groups.get(rule).copied()?;
        let young = t.saturating_sub(last) <= ms(self.manner.grouping.within);
        let group = self.open.get(&number)?;
        (group.active && (young || self.is_starting(t))).then_some(number)
    }

    fn is_starting(&self, t: u64) -> bool {
        t.saturating_sub(self.started) <= ms(self.manner.grouping.after_start)
    }

    /// Makes a new alarm a member.
    pub(super) fn join(&mut self, mut alarm: Alarm, number: u64, now: &Now) {
        let Some(mut group) = self.get(number) else { return self.call(alarm, now) };
        let t = alarm.raised;
        alarm.group = Some(group.id);
        self.step(&mut alarm, AlarmStep::Grouped, now, &More::default());
        group.members = Some(group.members.unwrap_or(0).saturating_add(1));
        group.level = group.level.min(alarm.level);
        self.groups.insert(alarm.key.rule.clone(), (number, t));
        self.put(alarm, now);
        self.put(group, now);
    }

    /// Notes that an alarm was raised; when there were too many of its rule, they become a group.
    pub(super) fn gather(&mut self, rule: &str, number: u64, t: u64, now: &Now) {
        let grouping = self.manner.grouping;
        let kind = self.open.get(&number).and_then(|alarm| {
            let (at, ..) = self.plan.place(&alarm.key)?;
            Some(self.plan.rule(at).kind)
        });
        let missing = matches!(kind, Some(Kind::Offline | Kind::NoData));
        let size = if missing && self.is_starting(t) {
            grouping.size.min(AT_START)
        } else {
            grouping.size
        };
        let within = ms(grouping.within);
        let recent = self.recent.entry(rule.to_owned()).or_default();
        recent.push_back((t, number));
        while recent.front().is_some_and(|(first, _)| t.saturating_sub(*first) > within) {
            recent.pop_front();
        }
        if recent.len() < size as usize {
            return;
        }
        let numbers: Vec<u64> = recent.drain(..).map(|(_, number)| number).collect();
        let open = |number: &u64| self.open.get(number).is_some_and(|alarm| alarm.is_called());
        let members: Vec<u64> = numbers.into_iter().filter(open).collect();
        if members.len() >= size as usize {
            self.unite(rule, &members, t, now);
        }
    }

    fn unite(&mut self, rule: &str, members: &[u64], t: u64, now: &Now) {
        let alarms: Vec<Alarm> = members.iter().filter_map(|number| self.get(*number)).collect();
        let Some(first) = alarms.iter().min_by_key(|alarm| alarm.raised).cloned() else { return };
        let id = self.take_id();
        let level = alarms.iter().map(|alarm| alarm.level).min().unwrap_or(first.level);
        let about = format!("group {}", id.number);
        let mut group = Alarm {
            id,
            key: Key { rule: rule.to_owned(), device: None, point: None, about },
            level,
            state: AlarmState::Raised,
            active: true,
            title: Said {
                zh: format!("多台设备：{}", first.title.zh),
                en: format!("Several devices: {}", first.title.en),
            },
            value: None,
            limit: None,
            members: u32::try_from(alarms.len()).ok(),
            steps: 0,
            escalations: 0,
            escalated: None,
            acknowledged: None,
            acknowledged_by: None,
            flapping: false,
            changes: std::iter::once(t).collect(),
            times: 1,
            counted: true,
            ..first
        };
        group.next = self.first_clock(&group);
        self.totals.raised[level as usize] += 1;
        self.step(&mut group, AlarmStep::Raised, now, &More::default());
        self.put(group, now);
        for mut alarm in alarms {
            alarm.group = Some(id);
            alarm.next = None;
            self.step(&mut alarm, AlarmStep::Grouped, now, &More::default());
            self.put(alarm, now);
        }
        self.groups.insert(rule.to_owned(), (id.number, t));
        self.follow_members(id.number, now);
    }

    /// The members of a group.
    pub(super) fn members(&self, group: u64) -> Vec<u64> {
        let is_member = |alarm: &&Arc<Alarm>| alarm.group.is_some_and(|of| of.number == group);
        self.open.values().filter(is_member).map(|alarm| alarm.id.number).collect()
    }

    /// The condition of a group holds as long as that of a member does.
    pub(super) fn follow_members(&mut self, number: u64, now: &Now) {
        let Some(mut group) = self.get(number) else { return };
        let active = self
            .open
            .values()
            .any(|alarm| alarm.active && alarm.group.is_some_and(|of| of.number == number));
        if active == group.active {
            return;
        }
        group.active = active;
        group.cleared = (!active).then(|| self.time(now));
        let step = if active { AlarmStep::Raised } else { AlarmStep::Cleared };
        self.step(&mut group, step, now, &More::default());
        self.put(group, now);
    }
}
