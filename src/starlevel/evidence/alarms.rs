//! Alarms from being raised to being closed, against the clocks of their level in the rule pack.
//!
//! # Rules
//!
//! - An alarm counts for a check once, on the day on which that check was decided: acknowledged or
//!   closed, or the clock ran out. While a clock runs, the alarm does not count.
//! - Closing acknowledges: whoever closes an alarm with a result has responded.
//! - An alarm is overdue when its first clock ran out. It counts as escalated when that happened
//!   within [`ESCALATE`] after, and before somebody closed it.
//! - Open alarms are kept in the store, so that what was decided before a restart is not decided
//!   again.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::facts::Tally;
use crate::model::AlarmLife;
use crate::starlevel::pack::Severity;

/// Open alarms that are kept.
const MOST_ALARMS: usize = 1024;
/// So long after an alarm is overdue its escalation must have happened, milliseconds.
const ESCALATE: i64 = 3_600_000;

/// Which check of an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aspect {
    Acknowledged,
    Closed,
    Escalated,
}

/// What was decided about an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    aspect: Aspect,
    good: bool,
    /// When it was decided, wall milliseconds.
    pub(super) at: i64,
}

/// Alarms decided on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::starlevel) struct AlarmsDay {
    /// Alarms, and those acknowledged in time.
    #[serde(skip_serializing_if = "Tally::is_empty")]
    pub(in crate::starlevel) acknowledged: Tally,
    /// Alarms, and those closed in time.
    #[serde(skip_serializing_if = "Tally::is_empty")]
    pub(in crate::starlevel) closed: Tally,
    /// Overdue alarms, and those that were escalated.
    #[serde(skip_serializing_if = "Tally::is_empty")]
    pub(in crate::starlevel) escalated: Tally,
}

impl AlarmsDay {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn add(&mut self, verdict: &Verdict) {
        let tally = match verdict.aspect {
            Aspect::Acknowledged => &mut self.acknowledged,
            Aspect::Closed => &mut self.closed,
            Aspect::Escalated => &mut self.escalated,
        };
        tally.add(1, verdict.good);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.acknowledged.merge(other.acknowledged);
        self.closed.merge(other.closed);
        self.escalated.merge(other.escalated);
    }
}

/// An alarm that is not closed, or not decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OpenAlarm {
    level: u8,
    /// When it was raised, wall milliseconds.
    raised: i64,
    /// Milliseconds after that.
    acknowledged: Option<i64>,
    closed: Option<i64>,
    escalated: Option<i64>,
    /// What is decided and booked: a bit for each aspect.
    booked: u8,
}

/// The clocks of one level, milliseconds.
#[derive(Debug, Clone, Copy)]
struct Clocks {
    level: u8,
    acknowledge: i64,
    close: i64,
}

/// The open alarms.
#[derive(Debug, Default)]
pub(super) struct Alarms {
    clocks: Vec<Clocks>,
    open: BTreeMap<String, OpenAlarm>,
    /// Not open any more, and still in the store.
    pub(super) gone: Vec<String>,
}

impl Alarms {
    pub(super) fn by(severities: &[Severity]) -> Self {
        let ms = |seconds: u64| i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000);
        let clocks = severities.iter().map(|severity| Clocks {
            level: severity.ebm,
            acknowledge: ms(severity.ack_s),
            close: ms(severity.close_s),
        });
        Self { clocks: clocks.collect(), ..Self::default() }
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = (&String, &OpenAlarm)> {
        self.open.iter()
    }

    pub(super) fn restore(&mut self, id: &str, alarm: OpenAlarm) {
        self.open.insert(id.to_owned(), alarm);
    }

    /// After a clock that was far ahead.
    pub(super) fn take_back(&mut self, to: i64) {
        self.open.values_mut().for_each(|alarm| alarm.raised = alarm.raised.min(to));
    }

    /// Notes how an alarm stands.
    pub(super) fn take(&mut self, life: &AlarmLife, raised: i64) {
        if !self.clocks.iter().any(|clocks| clocks.level == life.level) {
            return;
        }
        let ms = |span: Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        let alarm = OpenAlarm {
            level: life.level,
            raised,
            acknowledged: life.acknowledged_after.or(life.closed_after).map(ms),
            closed: life.closed_after.map(ms),
            escalated: life.escalated_after.map(ms),
            booked: 0,
        };
        if let Some(known) = self.open.get_mut(&life.id) {
            // What is booked stays; when it was raised does not move.
            *known = OpenAlarm { booked: known.booked, raised: known.raised, ..alarm };
            return;
        }
        self.open.insert(life.id.clone(), alarm);
        if self.open.len() > MOST_ALARMS
            && let Some(oldest) =
                self.open.iter().min_by_key(|(_, a)| (a.booked & 3 != 3, a.raised))
        {
            let id = oldest.0.clone();
            // One that counts already, if there is one.
            tracing::warn!(id, "too many open alarms for the star level: the oldest leaves it");
            self.open.remove(&id);
            self.gone.push(id);
        }
    }

    /// What is decided by `now` and was not before; closed alarms leave.
    pub(super) fn judge(&mut self, now: i64) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        let clocks = &self.clocks;
        let gone = &mut self.gone;
        self.open.retain(|id, alarm| {
            let Some(clocks) = clocks.iter().find(|clocks| clocks.level == alarm.level) else {
                gone.push(id.clone());
                return false;
            };
            for verdict in alarm.decided(clocks, now).into_iter().flatten() {
                let bit = 1u8 << (verdict.aspect as u8);
                if alarm.booked & bit == 0 {
                    alarm.booked |= bit;
                    verdicts.push(verdict);
                }
            }
            if alarm.closed.is_some() {
                gone.push(id.clone());
            }
            alarm.closed.is_none()
        });
        verdicts
    }
}

impl OpenAlarm {
    fn decided(&self, clocks: &Clocks, now: i64) -> [Option<Verdict>; 3] {
        let age = now.saturating_sub(self.raised);
        let timed = |aspect, after: Option<i64>, limit: i64| {
            let good = after.is_some_and(|after| after <= limit);
            let decided = after.is_some() || age > limit;
            let at = self.raised.saturating_add(after.map_or(limit, |after| after.min(limit)));
            decided.then_some(Verdict { aspect, good, at })
        };
        let acknowledged = timed(Aspect::Acknowledged, self.acknowledged, clocks.acknowledge);
        let closed = timed(Aspect::Closed, self.closed, clocks.close);
        let late = |verdict: Option<Verdict>| verdict.filter(|verdict| !verdict.good);
        let overdue = [late(acknowledged), late(closed)].into_iter().flatten();
        let escalated = overdue.map(|verdict| verdict.at).min().and_then(|at| {
            let after = self.escalated.map(|after| self.raised.saturating_add(after));
            let until = at.saturating_add(ESCALATE);
            let decided = after.is_some() || self.closed.is_some() || now > until;
            let good = after.is_some_and(|after| after <= until);
            decided.then_some(Verdict { aspect: Aspect::Escalated, good, at })
        });
        [acknowledged, closed, escalated]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Red: acknowledged within 10 s, closed within 100 s.
    fn alarms() -> Alarms {
        let clocks = vec![Clocks { level: 1, acknowledge: 10_000, close: 100_000 }];
        Alarms { clocks, ..Alarms::default() }
    }

    fn life(acknowledged: Option<u64>, closed: Option<u64>, escalated: Option<u64>) -> AlarmLife {
        AlarmLife {
            id: "a".into(),
            level: 1,
            age: Duration::ZERO,
            acknowledged_after: acknowledged.map(Duration::from_millis),
            closed_after: closed.map(Duration::from_millis),
            escalated_after: escalated.map(Duration::from_millis),
        }
    }

    fn sum(alarms: &mut Alarms, now: i64) -> [(u64, u64); 3] {
        let mut day = AlarmsDay::default();
        alarms.judge(now).iter().for_each(|verdict| day.add(verdict));
        [day.acknowledged.into(), day.closed.into(), day.escalated.into()]
    }

    #[test]
    fn an_alarm_in_time_to_the_millisecond_is_good_and_one_later_is_not() {
        let mut list = alarms();
        list.take(&life(Some(10_000), Some(100_000), None), 0);
        assert_eq!(sum(&mut list, 100_000), [(1, 1), (1, 1), (0, 0)]);
        let mut list = alarms();
        list.take(&life(Some(10_001), Some(100_001), None), 0);
        assert_eq!(sum(&mut list, 100_001), [(1, 0), (1, 0), (1, 0)]);
        assert_eq!(list.gone, ["a"]);
    }

    #[test]
    fn an_alarm_counts_only_when_its_clock_ran_out_and_never_twice() {
        let mut list = alarms();
        list.take(&life(None, None, None), 0);
        assert_eq!(sum(&mut list, 10_000), [(0, 0); 3], "the clock still runs");
        assert_eq!(sum(&mut list, 10_001), [(1, 0), (0, 0), (0, 0)]);
        list.take(&life(None, None, None), 0);
        assert_eq!(sum(&mut list, 100_001), [(0, 0), (1, 0), (0, 0)]);
        assert_eq!(sum(&mut list, 10_000 + ESCALATE), [(0, 0); 3], "it may still be escalated");
        assert_eq!(sum(&mut list, 10_001 + ESCALATE), [(0, 0), (0, 0), (1, 0)]);
        list.take(&life(Some(20_000), Some(200_000), Some(1)), 0);
        assert_eq!(sum(&mut list, i64::MAX), [(0, 0); 3], "all was decided before");
        assert_eq!(list.rows().count(), 0);
    }

    #[test]
    fn an_overdue_alarm_is_escalated_before_it_is_closed_or_counts_against() {
        let mut list = alarms();
        list.take(&life(None, None, Some(10_500)), 0);
        assert_eq!(sum(&mut list, 11_000), [(1, 0), (0, 0), (1, 1)]);
        let mut list = alarms();
        list.take(&life(None, Some(20_000), None), 0);
        assert_eq!(sum(&mut list, 20_000), [(1, 0), (1, 1), (1, 0)]);
    }

    #[test]
    fn a_level_without_clocks_does_not_count_and_too_many_open_alarms_push_out_the_oldest() {
        let mut list = alarms();
        list.take(&AlarmLife { level: 15, ..life(None, None, None) }, 0);
        assert_eq!(sum(&mut list, i64::MAX), [(0, 0); 3]);
        for n in 0..=i64::try_from(MOST_ALARMS).unwrap() {
            list.take(&AlarmLife { id: n.to_string(), ..life(None, None, None) }, n);
        }
        assert_eq!((list.rows().count(), list.gone.clone()), (MOST_ALARMS, vec!["0".to_owned()]));
    }
}
