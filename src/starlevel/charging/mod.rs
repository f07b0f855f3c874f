//! Charging orders from what the chargers show (check V2): a session begins when a connector's
//! state becomes *occupied, charging* (T/CEC 102: 3) and ends when it leaves it.
//!
//! # What can be seen
//!
//! The snapshot is looked at every half minute at most; a session that begins and ends between
//! two looks, or a charge that pauses for less than that, is not seen. Begin and end are known to
//! within the time between two good readings of the state; when that was longer than
//! [`session::longest_gap`], they count as not known and the order is not complete. While the wall
//! clock is not trusted nothing is followed.
//!
//! *Offline* (0) and readings that are not good end no session: what happened is seen when the
//! connector is back.
//!
//! # Stop reason
//!
//! The charger's own word, where its profile has the point `stopReason`; or `fault`, when the state
//! after *charging* is 255: that state says itself that it ended by a fault. *Free* (1) and *occupied,
//! not charging* (2) tell what came after, not why: they stand in the order as inferred and do not
//! make it complete.

mod connector;
mod keep;
mod session;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use connector::Connector;
pub(in crate::starlevel) use keep::Keeper;
use session::Ended;

use crate::model::{Estate, Event, EventKind, Moment, Snapshot, WallTime};
use crate::starlevel::evidence::Book;

/// The connectors of the estate and what charges at them.
#[derive(Debug)]
pub(super) struct ChargeBook {
    connectors: Vec<Connector>,
    keeper: Option<Keeper>,
}

impl ChargeBook {
    pub(super) fn new(estate: &Arc<Estate>) -> Self {
        Self { connectors: connector::all(estate), keeper: None }
    }

    /// Whether any charger shows the state of a connector.
    pub(super) fn has_connectors(&self) -> bool {
        !self.connectors.is_empty()
    }

    /// Follows the sessions; what ended becomes events and stands in the evidence of its day.
    pub(super) fn look(
        &mut self,
        snapshot: &Snapshot,
        evidence: &mut Book,
        (now, wall): (Moment, Option<WallTime>),
        events: &mut Vec<Event>,
    ) {
        let Some(wall) = wall else { return };
        for connector in &mut self.connectors {
            let Some(ended) = connector.look(snapshot, now, wall.unix_ms) else { continue };
            let device = snapshot.estate().device(connector.device).id.clone();
            let order = order(connector.number, ended);
            if let EventKind::ChargeOrder { end_ms, complete, .. } = &order {
                evidence.book_charge(end_ms.unwrap_or(wall.unix_ms), *complete);
            }
            events.push(Event { at: now, device: Some(device), kind: order });
        }
    }
}

fn order(connector: Option<u32>, ended: Ended) -> EventKind {
    let Ended { start_ms, end_ms, energy_kwh, stop_reason, stop_inferred } = ended;
    let complete =
        start_ms.is_some() && end_ms.is_some() && energy_kwh.is_some() && stop_reason.is_some();
    EventKind::ChargeOrder {
        connector,
        start_ms,
        end_ms,
        energy_kwh,
        stop_reason,
        stop_inferred,
        complete,
    }
}
