//! What was published and not yet acknowledged.
//!
//! The client does not say which packet id a publish got; it says `Outgoing::Publish(id)` in the
//! order of publishing. So slots are kept in that order, get their id when it is told, and leave
//! when they are acknowledged *and* everything before them is. A broker that acknowledges out of
//! order therefore can never make packet ids wrap into one that is still open: the client's range
//! of ids is wider than this window.

use std::collections::VecDeque;

use super::flow::Kind;
use super::topic::Topic;
use crate::buffer::Block;
use crate::model::{Moment, Seq};

/// What was published.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Item {
    /// A retained document.
    Document(Topic),
    /// A block; its payload is not kept.
    Block {
        /// Its topic.
        kind: Kind,
        /// Its position.
        seq: Seq,
        /// Readings in it.
        readings: u32,
        /// Bytes published.
        bytes: usize,
        /// When it was committed.
        created: Moment,
    },
}

#[derive(Debug)]
struct Slot {
    item: Item,
    id: Option<u16>,
    sent: Moment,
    acknowledged: bool,
}

/// Publishes in flight, in order.
#[derive(Debug)]
pub(super) struct Window {
    size: usize,
    slots: VecDeque<Slot>,
    late: usize,
    open: u32,
}

impl Window {
    /// `size` is the most publishes in flight, counted from the oldest that is open.
    pub fn new(size: u16) -> Self {
        let size = usize::from(size.max(1));
        Self { size, slots: VecDeque::with_capacity(size), late: 0, open: 0 }
    }

    /// Whether another block may go.
    pub fn has_room(&self) -> bool {
        self.slots.len() < self.size
    }

    /// Whether another late block may go: they have half of the window.
    pub fn has_late_room(&self) -> bool {
        self.late < (self.size / 2).max(1)
    }

    /// Publishes not yet acknowledged.
    pub fn open(&self) -> u32 {
        self.open
    }

    /// Whether a document on this topic is in flight.
    pub fn holds(&self, topic: &Topic) -> bool {
        self.slots
            .iter()
            .any(|slot| matches!(&slot.item, Item::Document(t) if t == topic && !slot.acknowledged))
    }

    /// Something was handed to the client.
    pub fn push(&mut self, item: Item, now: Moment) {
        self.late += usize::from(matches!(item, Item::Block { kind: Kind::Late, .. }));
        self.open += 1;
        self.slots.push_back(Slot { item, id: None, sent: now, acknowledged: false });
    }

    /// The client gave the next publish this packet id.
    pub fn sent(&mut self, id: u16) {
        if let Some(slot) = self.slots.iter_mut().find(|slot| slot.id.is_none()) {
            slot.id = Some(id);
        }
    }

    /// The broker acknowledged this packet id. `None` when nothing open has it.
    pub fn acknowledged(&mut self, id: u16) -> Option<Item> {
        let slot = self.slots.iter_mut().find(|slot| slot.id == Some(id) && !slot.acknowledged)?;
        slot.acknowledged = true;
        let item = slot.item.clone();
        self.late -= usize::from(matches!(item, Item::Block { kind: Kind::Late, .. }));
        self.open -= 1;
        while self.slots.front().is_some_and(|slot| slot.acknowledged) {
            self.slots.pop_front();
        }
        Some(item)
    }

    /// When the oldest open publish was handed over.
    pub fn oldest(&self) -> Option<Moment> {
        self.slots.front().map(|slot| slot.sent)
    }
}

/// What the window keeps of a block.
pub(super) fn item(kind: Kind, block: &Block, bytes: usize) -> Item {
    Item::Block { kind, seq: block.seq, readings: block.readings, bytes, created: block.created }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(seq: u64, kind: Kind) -> Item {
        Item::Block { kind, seq: Seq(seq), readings: 1, bytes: 1, created: Moment::default() }
    }

    #[test]
    fn acknowledgements_find_their_block_in_whatever_order_they_come() {
        let mut window = Window::new(4);
        for seq in 1..=3 {
            window.push(block(seq, Kind::Live), Moment::default());
        }
        for id in [7, 8, 9] {
            window.sent(id);
        }
        assert_eq!(window.acknowledged(9), Some(block(3, Kind::Live)));
        assert_eq!(window.acknowledged(9), None, "an id counts once");
        assert_eq!(window.acknowledged(7), Some(block(1, Kind::Live)));
        assert_eq!(window.acknowledged(99), None);
        assert_eq!(window.open(), 1);
    }

    #[test]
    fn one_publish_without_acknowledgement_stops_the_window_instead_of_wrapping_ids() {
        let mut window = Window::new(3);
        for seq in 1..=3 {
            window.push(block(seq, Kind::Live), Moment::default());
            window.sent(u16::try_from(seq).unwrap());
        }
        assert!(window.acknowledged(2).is_some() && window.acknowledged(3).is_some());
        assert!(!window.has_room());
        assert!(window.acknowledged(1).is_some());
        assert!(window.has_room() && window.oldest().is_none());
    }

    #[test]
    fn late_blocks_have_half_of_the_window() {
        let mut window = Window::new(4);
        window.push(block(1, Kind::Late), Moment::default());
        assert!(window.has_late_room());
        window.push(block(2, Kind::Late), Moment::default());
        assert!(!window.has_late_room() && window.has_room());
    }
}
