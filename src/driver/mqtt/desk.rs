//! What one connection sends: subscriptions and acknowledgements, never waiting for room.

use std::collections::VecDeque;

use rumqttc::mqttbytes::v4::SubscribeFilter;
use rumqttc::{AsyncClient, Publish, QoS};
use tokio::time::Instant;

use super::MAX_UNACKED;
use super::acks::AckBook;

/// Filters in one SUBSCRIBE.
const FILTERS: usize = 64;

/// What one connection has to send beside what it receives.
pub(super) struct Desk {
    pub client: AsyncClient,
    pub filters: VecDeque<Vec<String>>,
    /// Filters of the SUBSCRIBEs whose answer is open, in order.
    pub asked: VecDeque<Vec<String>>,
    pub refused: Vec<String>,
    pub proven: bool,
    /// When the broker will be taken to wait for us.
    pub stall_at: Option<Instant>,
    /// Acknowledgements in the client's channel that are not sent yet.
    handed: usize,
}

impl Desk {
    /// A connection that is to subscribe these filters.
    pub fn new(client: AsyncClient, filters: Vec<String>) -> Self {
        Self {
            client,
            filters: filters.chunks(FILTERS).map(<[String]>::to_vec).collect(),
            asked: VecDeque::new(),
            refused: Vec::new(),
            proven: false,
            stall_at: None,
            handed: 0,
        }
    }

    /// Whether the connection may be served, which brings more messages. With a full book it waits
    /// for the disk, unless acknowledgements wait for it: only a served connection sends them, and
    /// only they make room. The broker's window, 65,535 packet ids at most, bounds what comes then.
    pub fn may_serve(&self, book: &AckBook) -> bool {
        book.len() < MAX_UNACKED || self.handed > 0
    }

    /// An acknowledgement was sent.
    pub fn acknowledged(&mut self) {
        self.proven = true;
        self.handed = self.handed.saturating_sub(1);
    }

    /// Hands acknowledgements and subscriptions to the client, as far as its channel has room;
    /// the rest follows when it has sent some.
    pub fn push(&mut self, book: &mut AckBook) {
        self.handed += push_acks(&self.client, book);
        while let Some(filters) = self.filters.front() {
            let request =
                filters.iter().map(|filter| SubscribeFilter::new(filter.clone(), QoS::AtLeastOnce));
            if self.client.try_subscribe_many(request).is_err() {
                return;
            }
            self.asked.extend(self.filters.pop_front());
        }
    }
}

/// Hands the acknowledgements that are due to the client, as far as its channel has room; returns
/// how many.
pub(super) fn push_acks(client: &AsyncClient, book: &mut AckBook) -> usize {
    let mut handed = 0;
    while let Some(id) = book.next() {
        let mut receipt = Publish::new("", QoS::AtLeastOnce, Vec::new());
        receipt.pkid = id;
        if client.try_ack(&receipt).is_err() {
            break;
        }
        book.acknowledged();
        handed += 1;
    }
    handed
}
