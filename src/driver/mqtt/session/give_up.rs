//! Giving up what cannot be read.

use rumqttc::{ConnectionError, MqttOptions};

use super::super::purge::purge;
use super::Driver;
use crate::model::{Event, EventKind, FieldMessage};

impl Driver {
    /// Gives the broker's queue up, and every topic that cannot be heard.
    pub(super) async fn give_up(&mut self, options: MqttOptions) -> Result<(), ConnectionError> {
        let network = self.config.broker.network();
        self.deaf = purge(options, network, &self.intake.filters()).await?;
        self.unreadable = 0;
        let fault = "a message in the broker's queue cannot be read; the queue was given up";
        self.announce("#", fault);
        for filter in self.deaf.clone() {
            let fault = "a retained message cannot be read: not heard until it is removed and \
                         linli is started again";
            self.announce(&filter, fault);
        }
        Ok(())
    }

    fn announce(&mut self, topic: &str, fault: &str) {
        tracing::error!(broker = self.config.broker.title(), topic, fault, "messages lost");
        let kind = EventKind::PayloadRejected { topic: topic.into(), fault: fault.into() };
        let at = self.clock.now();
        self.pending.push_back(FieldMessage::Event(Event { at, device: None, kind }));
    }
}
