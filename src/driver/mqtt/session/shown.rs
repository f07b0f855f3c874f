//! What the page is told of the session; and who may send through it.

use tokio::sync::mpsc;

use super::super::post::Post;
use super::super::status::refusal;
use super::Driver;

impl Driver {
    /// Sends what commands have for the devices.
    pub fn attend(&mut self, posts: mpsc::Receiver<Post>) {
        self.posts.attend(posts);
    }

    /// Once a second: silence, held back events, counters. Whether to connect anew.
    pub(super) fn second(&mut self) -> bool {
        self.intake.tick(self.clock.now(), &mut self.pending);
        let unacked = u32::try_from(self.book.len()).unwrap_or(u32::MAX);
        let (messages, rejected) = (self.messages, self.rejected);
        self.status.send_if_modified(|status| {
            let before = (status.messages, status.rejected, status.unacked);
            (status.messages, status.rejected, status.unacked) = (messages, rejected, unacked);
            before != (messages, rejected, unacked)
        });
        self.renewed()
    }

    pub(super) fn connected(&mut self) {
        let now = self.clock.now();
        self.intake.broker_back(now, &mut self.pending);
        let deaf = self.deaf.join(", ");
        let deaf = (!deaf.is_empty()).then(|| {
            (
                format!("a retained message cannot be read: {deaf}"),
                format!("保留消息无法解读：{deaf}"),
            )
                .into()
        });
        self.status.send_modify(|status| {
            status.connected = true;
            status.since = now;
            status.fault = deaf;
        });
        self.posts.connected();
        tracing::info!(broker = self.config.broker.title(), "field broker connected");
    }

    pub(super) fn refused(&self, filters: &[String]) {
        let fault = refusal(filters);
        tracing::error!(broker = self.config.broker.title(), %fault, "subscription refused");
        self.status.send_modify(|status| status.fault = Some(fault));
    }
}
