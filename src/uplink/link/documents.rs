//! What a link says about itself: birth, inventory, farewell.

use rumqttc::{Event, EventLoop, Outgoing};
use tokio::time::Instant;

use super::super::Topic;
use super::super::flow::Flow;
use super::super::message::{Inventory, Status, compress, encode};
use super::super::session::Context;
use super::super::store::Store;
use super::super::window::Item;
use super::{Desk, FAREWELL};
use crate::model::Seq;

impl<S: Store> Desk<'_, S> {
    /// The broker took the session: birth, inventory, assessment, then blocks.
    pub(super) fn begin(&mut self) {
        let next = self.context.store.next_seq();
        self.context.connected(next);
        let now = self.context.clock.now();
        let context = &*self.context;
        self.opened = now;
        let config = &context.config;
        self.flow = Some(Flow::new(next, config.late_rate, config.hold_unstamped, now));
        let signing_key = context.signing_key.clone();
        let inventory = Inventory { signing_key, ..Inventory::new(&context.estate) };
        self.birth(next);
        self.document(Topic::Inventory, compress(encode(&inventory)));
        self.assessment_due = true;
        self.begin_commands();
        self.begin_warnings();
        self.begin_time();
    }

    /// Says that the gateway is there; blocks below `next` are late.
    pub(super) fn birth(&mut self, next: Seq) {
        let Context { estate, store, clock, .. } = &*self.context;
        let birth = Status::online(estate, store.epoch(), clock, self.opened, next);
        self.unstamped = birth.since.is_none().then_some(next);
        self.document(Topic::Status, encode(&birth));
    }

    pub(super) fn document(&mut self, topic: Topic, payload: Vec<u8>) {
        let now = self.context.clock.now();
        if self.publish(&topic, payload.into()) {
            self.window.push(Item::Document(topic), now);
        }
    }

    /// Tells the platform that the stop is meant, and takes the last acknowledgements.
    pub(super) async fn farewell(&mut self, events: &mut EventLoop) {
        if self.flow.take().is_none() {
            return;
        }
        let bye = Status::offline(
            &self.context.estate,
            self.context.store.epoch(),
            &self.context.clock,
            true,
        );
        self.document(Topic::Status, encode(&bye));
        self.part(events).await;
    }

    /// Takes the last acknowledgements and says good-bye to the broker.
    pub(super) async fn part(&mut self, events: &mut EventLoop) {
        let until = Instant::now() + FAREWELL;
        while self.window.open() > 0 {
            match tokio::time::timeout_at(until, events.poll()).await {
                Ok(event) => {
                    if self.take(event).is_err() {
                        return;
                    }
                }
                Err(_) => break,
            }
        }
        if self.client.try_disconnect().is_err() {
            return;
        }
        while let Ok(Ok(event)) = tokio::time::timeout_at(until, events.poll()).await {
            if matches!(event, Event::Outgoing(Outgoing::Disconnect)) {
                return;
            }
        }
    }
}
