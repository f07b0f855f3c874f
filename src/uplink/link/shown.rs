//! What the page is told of a link's counters: once for many changes.

use std::time::Duration;

use super::super::store::Store;
use super::Desk;
use crate::model::Moment;

/// Least time between two updates of the counters on the status.
const STATUS_EVERY: Duration = Duration::from_millis(250);

impl<S: Store> Desk<'_, S> {
    /// The counters changed: readers are woken a little later, once for many changes.
    pub(super) fn touch(&mut self, now: Moment) {
        self.show_at.get_or_insert(now.plus(STATUS_EVERY));
    }

    pub(super) fn show(&mut self) {
        self.show_at = None;
        let open = self.window.open();
        self.context.status.send_modify(|status| status.in_flight = open);
    }
}
