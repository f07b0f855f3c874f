//! Keeps a power failure from becoming thousands of events: so many single changes are told per
//! hour, then one event of the estate with counts; what came after that is told when the hour ends.

use std::time::Duration;

use crate::model::Moment;

const HOUR: Duration = Duration::from_secs(3600);

#[derive(Debug, Default)]
pub(super) struct Storm {
    begin: Option<Moment>,
    singles: u32,
    /// Changes that no event told yet.
    held: u32,
    /// The estate was told in this hour.
    told: bool,
    due: bool,
}

impl Storm {
    /// Begins a new hour when the last one is over.
    pub(super) fn roll(&mut self, now: Moment) {
        if self.begin.is_none_or(|begin| now.since(begin) >= HOUR) {
            self.due = self.held > 0;
            *self = Self { begin: Some(now), due: self.due, held: self.held, ..Self::default() };
        }
    }

    /// Whether a single change may be told.
    pub(super) fn single(&mut self, most: u32) -> bool {
        if self.singles < most {
            self.singles += 1;
            return true;
        }
        self.held += 1;
        false
    }

    /// Whether the estate is to be told now, at the end of a look; then everything held is told.
    pub(super) fn estate(&mut self) -> bool {
        let due = self.due || (self.held > 0 && !self.told);
        if due {
            self.told = true;
            self.due = false;
            self.held = 0;
        }
        due
    }
}
