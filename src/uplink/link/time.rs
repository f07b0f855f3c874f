//! The question for the time on a link: who is asked, what the answer does.

use futures_util::FutureExt;
use rumqttc::{Event, Outgoing, Publish, QoS, SubAck, SubscribeReasonCode};

use super::super::Topic;
use super::super::message::encode;
use super::super::store::Store;
use super::super::time::Asker;
use super::Desk;
use super::commands::Asked;

/// A broker that ended so many connections in a row on a question is not asked any more.
const STRIKES: u8 = 3;

impl<S: Store> Desk<'_, S> {
    /// The session began: subscribes to the answers, if the platform may be asked.
    pub(super) fn begin_time(&mut self) {
        let tls = self.context.config.broker.tls.is_some();
        if !self.context.clock.asks_platform(tls) || self.context.time_strikes >= STRIKES {
            return;
        }
        let topic = self.topics.print(&Topic::Time);
        let asked = self.client.subscribe(topic, QoS::AtMostOnce).now_or_never();
        if matches!(asked, Some(Ok(()))) {
            self.asked.push_back(Asked::Time);
            self.time = Some(Asker::new(self.context.clock.now()));
        }
    }

    /// What concerns the question: it left.
    pub(super) fn time_event(&mut self, event: &Event) {
        // Only what nobody acknowledges has no packet id, and there is no other such message.
        if matches!(event, Event::Outgoing(Outgoing::Publish(0))) {
            let now = self.context.clock.now();
            self.time.iter_mut().for_each(|asker| asker.sent(now));
        }
    }

    pub(super) fn time_granted(&mut self, ack: &SubAck) {
        let granted = !ack.return_codes.contains(&SubscribeReasonCode::Failure);
        if !granted {
            tracing::info!("the broker does not let us hear the platform's time");
        }
        if let Some(asker) = &mut self.time {
            asker.granted(granted);
        }
    }

    /// Asks, when it is due. The request goes through the same channel as the blocks; it takes no
    /// packet id and gets no acknowledgement, so the order of those is not touched.
    pub(super) fn ask_time(&mut self) {
        let (clock, estate) = (&self.context.clock, &self.context.estate);
        let asker = self.time.as_mut();
        let Some(request) = asker.and_then(|asker| asker.due(clock.now(), estate, clock)) else {
            return;
        };
        let name = self.topics.print(&Topic::TimeRequest);
        let sent = self.client.publish_bytes(name, QoS::AtMostOnce, false, encode(&request).into());
        if !matches!(sent.now_or_never(), Some(Ok(()))) {
            tracing::debug!("no room for the question for the time");
        }
    }

    pub(super) fn time_answered(&mut self, publish: &Publish) {
        // One that the broker kept is an old one.
        if publish.retain || publish.topic != self.topics.print(&Topic::Time) {
            return;
        }
        let now = self.context.clock.now();
        let Some(asker) = &mut self.time else { return };
        if let Some(sample) = asker.answer(&publish.payload, now) {
            self.context.time_strikes = 0;
            self.context.clock.hear(&sample);
        }
    }

    /// The link ended: whether on a question.
    pub(super) fn end_time(&mut self) {
        if self.time.take().is_some_and(|asker| asker.waits()) {
            self.context.time_strikes += 1;
            if self.context.time_strikes == STRIKES {
                tracing::warn!(
                    "the broker ends the connection when it is asked for the time: not asked any more"
                );
            }
        }
    }
}
