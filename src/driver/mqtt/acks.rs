//! Which messages may be acknowledged: those whose readings are durable, in order of receipt.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::Notify;

use crate::model::Receipt;

/// What the recorder's threads tell: tokens of receipts, and whether they were kept.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    settled: Mutex<Vec<(u64, bool)>>,
    wake: Notify,
}

impl Mailbox {
    /// Waits until a receipt was confirmed or dropped.
    pub async fn told(&self) {
        self.wake.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(u64, bool)>> {
        match self.settled.lock() {
            Ok(guard) => guard,
            Err(poisoned) => poisoned.into_inner(),
        }
    }
}

/// Tells the mailbox once, also when it is dropped unconfirmed.
struct Promise {
    token: u64,
    kept: bool,
    mailbox: Arc<Mailbox>,
}

impl Promise {
    fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        // Bounded by the open messages and their receipts.
        self.mailbox.lock().push((self.token, self.kept));
        self.mailbox.wake.notify_one();
    }
}

#[derive(Debug)]
struct Slot {
    /// Packet id in the present connection; `None` when the message came in an earlier one and
    /// was not delivered again yet.
    id: Option<u16>,
    /// What the message looks like.
    print: Print,
    /// Receipts not confirmed yet.
    open: usize,
    /// All receipts are given out.
    sealed: bool,
}

/// Packet id and hash of topic and payload: by these a message is known again.
type Print = (u16, u64);

/// Messages on their way to the disk.
#[derive(Debug, Default)]
pub(super) struct AckBook {
    slots: HashMap<u64, Slot>,
    /// Tokens of the present connection's messages, in order of receipt.
    order: VecDeque<u64>,
    /// Messages of the connection before that were not acknowledged.
    orphans: HashMap<Print, u64>,
    next_token: u64,
    hasher: RandomState,
    mailbox: Arc<Mailbox>,
    broken: bool,
}

/// What to do with a message that came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// New: take it, then say [`AckBook::sealed`].
    New(u64),
    /// The same message again, the first copy is on its way (or on the disk): do not take it.
    Again,
}

impl AckBook {
    /// Messages of this connection that are not acknowledged.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// A QoS 1 message came. `again` is its DUP flag.
    pub fn arrived(&mut self, id: u16, topic: &str, payload: &[u8], again: bool) -> Arrival {
        let print = (id, self.hasher.hash_one((topic, payload)));
        let known = if again { self.orphans.remove(&print) } else { None };
        if let Some(token) = known
            && let Some(slot) = self.slots.get_mut(&token)
        {
            slot.id = Some(id);
            self.order.push_back(token);
            return Arrival::Again;
        }
        let token = self.next_token;
        self.next_token += 1;
        self.slots.insert(token, Slot { id: Some(id), print, open: 0, sealed: false });
        self.order.push_back(token);
        Arrival::New(token)
    }

    /// A receipt for one batch of the message.
    pub fn receipt(&mut self, token: u64) -> Receipt {
        if let Some(slot) = self.slots.get_mut(&token) {
            slot.open += 1;
        }
        let promise = Promise { token, kept: false, mailbox: Arc::clone(&self.mailbox) };
        // Told when the closure ends, or when it is dropped without having run.
        Receipt::new(move || promise.keep())
    }

    /// All batches of the message have their receipts.
    pub fn sealed(&mut self, token: u64) {
        if let Some(slot) = self.slots.get_mut(&token) {
            slot.sealed = true;
        }
    }

    /// Where receipts are told, for a wait that does not borrow the book.
    pub fn mailbox(&self) -> Arc<Mailbox> {
        Arc::clone(&self.mailbox)
    }

    /// Takes over what the recorder told. False when readings were dropped before they were
    /// durable: the connection must be made anew, so that the broker delivers them again.
    pub fn settle(&mut self) -> bool {
        let told = std::mem::take(&mut *self.mailbox.lock());
        for (token, kept) in told {
            let Some(slot) = self.slots.get_mut(&token) else { continue };
            if kept {
                slot.open -= 1;
            } else if slot.id.is_some() {
                self.broken = true;
            } else {
                // When it comes again it is taken as new.
                self.orphans.remove(&slot.print);
                self.slots.remove(&token);
            }
        }
        !self.broken
    }

    /// The packet id to acknowledge next; [`AckBook::acknowledged`] takes it off.
    pub fn next(&self) -> Option<u16> {
        let slot = self.slots.get(self.order.front()?)?;
        if slot.sealed && slot.open == 0 { slot.id } else { None }
    }

    /// The acknowledgement of [`AckBook::next`] is on its way.
    pub fn acknowledged(&mut self) {
        if let Some(token) = self.order.pop_front() {
            self.slots.remove(&token);
        }
    }

    /// The connection is gone: its packet ids mean nothing any more, its messages come again.
    /// When readings were dropped on the way, all are taken anew.
    pub fn disconnected(&mut self) {
        self.order.clear();
        self.orphans.clear();
        // What the broker did not deliver again in a whole connection it does not have any more.
        self.slots.retain(|_, slot| slot.id.is_some());
        if std::mem::take(&mut self.broken) {
            self.slots.clear();
        }
        for (token, slot) in &mut self.slots {
            slot.id = None;
            self.orphans.insert(slot.print, *token);
        }
    }

    /// The broker has no session of ours: nothing comes again.
    pub fn forget(&mut self) {
        self.slots.retain(|_, slot| slot.id.is_some());
        self.orphans.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(book: &mut AckBook, id: u16) -> Receipt {
        let Arrival::New(token) = book.arrived(id, "t", &id.to_be_bytes(), false) else {
            panic!("a new message is new");
        };
        let receipt = book.receipt(token);
        book.sealed(token);
        receipt
    }

    #[test]
    fn messages_are_acknowledged_in_order_of_receipt_and_only_when_durable() {
        let mut book = AckBook::default();
        let (first, second) = (take(&mut book, 5), take(&mut book, 6));
        assert_eq!(book.next(), None);
        second.confirm();
        assert!(book.settle());
        assert_eq!(book.next(), None, "the first is not durable");
        first.confirm();
        assert!(book.settle());
        assert_eq!(book.next(), Some(5));
        book.acknowledged();
        assert_eq!(book.next(), Some(6));
        book.acknowledged();
        assert_eq!((book.next(), book.len()), (None, 0));
    }

    #[test]
    fn a_message_for_several_devices_needs_all_its_receipts() {
        let mut book = AckBook::default();
        let Arrival::New(token) = book.arrived(1, "t", b"", false) else { panic!("new") };
        let receipts = [book.receipt(token), book.receipt(token)];
        book.sealed(token);
        for receipt in receipts {
            assert_eq!(book.next(), None);
            receipt.confirm();
            assert!(book.settle());
        }
        assert_eq!(book.next(), Some(1));
    }

    #[test]
    fn a_message_that_comes_again_while_its_first_copy_is_on_its_way_is_not_taken_twice() {
        let mut book = AckBook::default();
        let receipt = take(&mut book, 3);
        book.disconnected();
        assert_eq!(book.arrived(3, "t", &3u16.to_be_bytes(), true), Arrival::Again);
        assert_eq!(book.next(), None);
        receipt.confirm();
        assert!(book.settle());
        assert_eq!(book.next(), Some(3));
    }

    #[test]
    fn a_message_confirmed_between_two_connections_is_acknowledged_when_it_comes_again() {
        let mut book = AckBook::default();
        let receipt = take(&mut book, 3);
        book.disconnected();
        receipt.confirm();
        assert!(book.settle());
        assert_eq!(book.next(), None, "its packet id means nothing before it comes again");
        assert_eq!(book.arrived(3, "t", &3u16.to_be_bytes(), true), Arrival::Again);
        assert_eq!(book.next(), Some(3));
    }

    #[test]
    fn another_message_under_the_same_packet_id_is_new() {
        let mut book = AckBook::default();
        let _receipt = take(&mut book, 3);
        book.disconnected();
        assert!(matches!(book.arrived(3, "t", b"other", true), Arrival::New(_)));
    }

    #[test]
    fn readings_dropped_before_they_were_durable_break_the_connection() {
        let mut book = AckBook::default();
        drop(take(&mut book, 3));
        assert!(!book.settle());
        assert_eq!(book.next(), None);
        book.disconnected();
        assert!(book.settle());
        assert!(matches!(book.arrived(3, "t", &3u16.to_be_bytes(), true), Arrival::New(_)));
    }
}
