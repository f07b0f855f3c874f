//! What the page, the API and the metrics see of the alarms: replaced as a whole at each change.

use std::sync::Arc;

use super::book::{Book, Manner, Totals, worst_first};
use super::entry::Alarm;
use super::plan::Plan;
use super::rule::Kind;
use super::timeline::{Now, Timeline};
use super::window::Window;
use crate::model::{AlarmId, AlarmState};

/// Open alarms by level, the gravest first; members of groups and silenced ones do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AlarmCounts {
    /// Not cleared, by level.
    pub active: [u64; 4],
    /// All that are not closed, by level.
    pub open: [u64; 4],
    /// Silenced by a maintenance window.
    pub silenced: u64,
}

impl AlarmCounts {
    /// All that are not closed.
    pub fn total(&self) -> u64 {
        self.open.iter().sum()
    }
}

/// The alarms as they stand.
#[derive(Debug, Clone)]
pub struct Board {
    /// Every open alarm, worst first; members of groups and silenced ones too.
    pub open: Vec<Arc<Alarm>>,
    /// Maintenance windows, the oldest first.
    pub windows: Vec<Window>,
    /// How many.
    pub counts: AlarmCounts,
    /// Counters since the start.
    pub totals: Totals,
    /// The time by which their clocks run.
    pub line: Timeline,
    /// How they are judged.
    pub manner: Manner,
    /// Whom to call; may be empty.
    pub contact: Arc<str>,
    /// The rules.
    pub plan: Arc<Plan>,
}

impl Board {
    /// What a book holds now; `contact` is whom to call.
    pub fn of(book: &Book, contact: &Arc<str>) -> Self {
        let mut open: Vec<Arc<Alarm>> = book.open().cloned().collect();
        worst_first(&mut open);
        let mut counts = AlarmCounts::default();
        for alarm in &open {
            if alarm.is_called() {
                counts.open[alarm.level as usize] += 1;
                counts.active[alarm.level as usize] += u64::from(alarm.active);
            }
            counts.silenced += u64::from(alarm.silenced.is_some());
        }
        Self {
            open,
            windows: book.windows().to_vec(),
            counts,
            totals: book.totals(),
            line: book.line().clone(),
            manner: *book.manner(),
            contact: Arc::clone(contact),
            plan: Arc::clone(book.plan()),
        }
    }

    /// The open alarm of that identifier.
    pub fn find(&self, id: AlarmId) -> Option<&Arc<Alarm>> {
        self.open.iter().find(|alarm| alarm.id == id)
    }

    /// What people are called for, worst first.
    pub fn called(&self) -> impl Iterator<Item = &Arc<Alarm>> {
        self.open.iter().filter(|alarm| alarm.is_called())
    }

    /// The members of a group alarm.
    pub fn members(&self, group: AlarmId) -> impl Iterator<Item = &Arc<Alarm>> {
        self.open.iter().filter(move |alarm| alarm.group == Some(group))
    }

    /// Milliseconds left until the clock of an alarm runs out, for being acknowledged or, when it
    /// is, closed: below 0 it is overdue. `None` for a level without clocks.
    pub fn left_ms(&self, alarm: &Alarm, now: &Now) -> Option<i64> {
        let clocks = self.manner.clocks(alarm.level).filter(|_| alarm.is_called())?;
        let span = match alarm.acknowledged {
            None => clocks.acknowledge,
            Some(_) => clocks.close,
        };
        let span = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        let age = self.line.at(now.moment).saturating_sub(alarm.raised);
        Some(span.saturating_sub(i64::try_from(age).unwrap_or(i64::MAX)))
    }

    /// Since when an alarm is there, milliseconds.
    pub fn age_ms(&self, alarm: &Alarm, now: &Now) -> u64 {
        self.line.at(now.moment).saturating_sub(alarm.raised)
    }

    /// Per device, in the order of the estate, how many are open by level, for its risk. Left out is
    /// what the risk looks at by itself, and the alarm about the risk, which would feed itself.
    pub fn per_device(&self) -> Vec<[u32; 4]> {
        let estate = self.plan.estate();
        let mut counts = vec![[0u32; 4]; estate.devices().len()];
        for alarm in &self.open {
            let Some(index) = alarm.key.device.as_ref().and_then(|id| estate.find(id)) else {
                continue;
            };
            let known = self.plan.rule_of(&alarm.key).is_none_or(|rule| {
                matches!(rule.kind, Kind::Risk | Kind::Offline | Kind::NoData | Kind::Counter)
            });
            if !known && alarm.state != AlarmState::Closed && alarm.silenced.is_none() {
                counts[index.slot()][alarm.level as usize] += 1;
            }
        }
        counts
    }
}
