//! Reads what is kept: alarms that are over, and the ledger of each.

use std::ops::ControlFlow;

use super::entry::{Alarm, Entry};
use super::keep::{closed_key, open_key, read, step_key};
use crate::model::{AlarmId, AlarmLevel};
use crate::store::{StoreError, Tree};

/// Rows that are looked at for one page, at most.
const MOST_LOOKED: usize = 5000;

/// Which alarms are wanted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    /// Only those with a smaller number.
    pub before: Option<u64>,
    /// Only of this level.
    pub level: Option<AlarmLevel>,
    /// Only of this device.
    pub device: Option<String>,
    /// Only of this rule.
    pub rule: Option<String>,
}

impl Filter {
    /// Whether an alarm is wanted, its number apart.
    pub fn wants(&self, alarm: &Alarm) -> bool {
        let device = alarm.key.device.as_ref().map(|id| id.as_str());
        self.level.is_none_or(|level| level == alarm.level)
            && self.device.as_deref().is_none_or(|id| device == Some(id))
            && self.rule.as_deref().is_none_or(|rule| rule == alarm.key.rule)
    }
}

/// Alarms that are over, the newest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    /// The alarms.
    pub alarms: Vec<Alarm>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<u64>,
}

/// Reads the store; clones share it. All calls block.
#[derive(Clone)]
pub struct History(Tree);

impl std::fmt::Debug for History {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("History")
    }
}

impl History {
    /// What is kept in this tree.
    pub fn new(tree: Tree) -> Self {
        Self(tree)
    }

    /// Alarms that are over.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn page(&self, filter: &Filter, limit: usize) -> Result<Page, StoreError> {
        let from = match filter.before {
            Some(0) => return Ok(Page::default()),
            Some(before) => closed_key(before - 1),
            None => b"h".to_vec(),
        };
        let mut page = Page::default();
        let mut looked = 0;
        self.0.scan(&from, b"i", |_, bytes| {
            looked += 1;
            if let Some(alarm) = read::<Alarm>(bytes) {
                let last = page.alarms.last().map(|last: &Alarm| last.id.number);
                if page.alarms.len() == limit || looked > MOST_LOOKED {
                    page.next = last.or(Some(alarm.id.number));
                    return ControlFlow::Break(());
                }
                if filter.wants(&alarm) {
                    page.alarms.push(alarm);
                }
            }
            ControlFlow::Continue(())
        })?;
        Ok(page)
    }

    /// One alarm, open or over.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn find(&self, id: AlarmId) -> Result<Option<Alarm>, StoreError> {
        let row = match self.0.get(&open_key(id.number))? {
            Some(row) => Some(row),
            None => self.0.get(&closed_key(id.number))?,
        };
        Ok(row.and_then(|row| read::<Alarm>(&row)).filter(|alarm| alarm.id == id))
    }

    /// The steps of an alarm, in order.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn ledger(&self, id: AlarmId) -> Result<Vec<Entry>, StoreError> {
        let mut entries = Vec::new();
        let (from, to) = (step_key(id.number, 0), step_key(id.number, u32::MAX));
        self.0.scan(&from, &to, |_, bytes| {
            entries.extend(read::<Entry>(bytes));
            ControlFlow::Continue(())
        })?;
        Ok(entries)
    }
}
