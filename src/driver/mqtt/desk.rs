//! What one connection sends: subscriptions and acknowledgements, never waiting for room.

use std::collections::VecDeque;

use rumqttc::mqttbytes::v4::SubscribeFilter;
use rumqttc::{AsyncClient, Publish, QoS};
use tokio::time::Instant;

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
        }
    }

    /// Hands acknowledgements and subscriptions to the client, as far as its channel has room;
    /// the rest follows when it has sent some.
    pub fn push(&mut self, book: &mut AckBook) {
        push_acks(&self.client, book);
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

/// Hands the acknowledgements that are due to the client, as far as its channel has room.
pub(super) fn push_acks(client: &AsyncClient, book: &mut AckBook) {
    while let Some(id) = book.next() {
        let mut receipt = Publish::new("", QoS::AtLeastOnce, Vec::new());
        receipt.pkid = id;
        if client.try_ack(&receipt).is_err() {
            return;
        }
        book.acknowledged();
    }
}
