//! Whose answer is it? A Modbus reply on a line without transaction ids names unit, function and
//! length alone. Behind a slow link (a 4G modem) an answer can come later than all patience, and
//! would pass for that to the next request of the same unit, and the answers after it likewise,
//! each one late. So the first answer of a unit after a lost one is looked at twice.

use std::time::Duration;

use tokio::time::Instant;

use super::ask::{Ask, data_bytes, function};
use super::session::Answer;
use crate::driver::modbus::frame::{Found, find_rtu};
use crate::profile::Table;

/// An answer is not expected later than this.
const OVER: Duration = Duration::from_secs(10);

/// A request whose answer was given up.
#[derive(Debug, Clone, Copy)]
struct Lost {
    unit: u8,
    table: Table,
    address: u16,
    quantity: u16,
    sent: Instant,
}

impl Lost {
    /// Whether its answer is among these bytes.
    fn is_in(&self, mut bytes: &[u8]) -> bool {
        let wanted = (self.unit, function(self.table), data_bytes(self.table, self.quantity));
        loop {
            match find_rtu(bytes, wanted, |_| false) {
                Found::Reply(_) => return true,
                Found::Skip(end) | Found::Stray { end, .. } => bytes = &bytes[end..],
                Found::More | Found::Garbage => return false,
            }
        }
    }
}

/// What to do about an answer that may be that to an older request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Doubt {
    /// The older request asked the same: the answer holds whichever it belongs to.
    pub(super) same: bool,
    /// The other answer comes within this time, if at all.
    pub(super) span: Duration,
}

/// Requests without an answer, one of each unit.
#[derive(Debug, Default)]
pub(super) struct Doubts(Vec<Lost>);

impl Doubts {
    /// The answer to a request that was sent then was given up.
    pub(super) fn lost(&mut self, ask: &Ask, sent: Instant) {
        if let Ask::Registers { unit, table, address, quantity } = *ask {
            self.0.retain(|lost| lost.unit != unit && lost.sent + OVER > sent);
            self.0.push(Lost { unit, table, address, quantity, sent });
        }
    }

    /// These bytes came and were nobody's answer: the late ones among them are owed no more. `but`
    /// is who was asked: its answer may be among them.
    pub(super) fn seen(&mut self, bytes: &[u8], but: Option<u8>) {
        if !bytes.is_empty() {
            self.0.retain(|lost| Some(lost.unit) == but || !lost.is_in(bytes));
        }
    }

    /// An answer came to a request that was sent then; whether it may be that to an older one.
    pub(super) fn about(&mut self, ask: &Ask, answer: &Answer, sent: Instant) -> Option<Doubt> {
        let Ask::Registers { unit, table, address, quantity } = *ask else { return None };
        let place = self.0.iter().position(|lost| lost.unit == unit)?;
        let lost = self.0[place];
        if lost.sent + OVER <= sent {
            self.0.swap_remove(place);
            return None;
        }
        // A refusal has no length, but a function.
        let refused = matches!(answer, Answer::Exception(_));
        if lost.table != table || !refused && lost.quantity != quantity {
            return None;
        }
        self.0.swap_remove(place);
        let same = (lost.address, lost.quantity) == (address, quantity);
        let span = sent.saturating_duration_since(lost.sent);
        Some(Doubt { same, span: span + span / 4 })
    }
}
