//! Warnings of the platform on a link. A message is acknowledged when what came of it is kept; its
//! answer is published, and not again on the next link: the event is the record. A message that the
//! broker kept is taken like any other: it comes at each connection, and does nothing twice.

use futures_util::FutureExt;
use rumqttc::{Publish, QoS};
use tokio::sync::oneshot;

use super::super::Topic;
use super::super::port::BroadcastPort;
use super::super::store::Store;
use super::Desk;
use super::commands::{Asked, STRIKES};
use crate::broadcast::{BroadcastAnswer, BroadcastMessage};

/// The next answer; never when nobody has any.
pub(super) async fn next_answer(port: &mut Option<BroadcastPort>) -> BroadcastAnswer {
    let answer = match port {
        Some(port) => port.answers.recv().await,
        None => None,
    };
    match answer {
        Some(answer) => answer,
        None => std::future::pending().await,
    }
}

impl<S: Store> Desk<'_, S> {
    /// The session began: subscribes, if there is anything to warn with.
    pub(super) fn begin_warnings(&mut self) {
        if self.context.warnings.is_none() || self.context.command_strikes >= STRIKES {
            return;
        }
        let topic = self.topics.print(&Topic::Broadcast("+".into()));
        let asked = self.client.subscribe(topic, QoS::AtLeastOnce).now_or_never();
        if matches!(asked, Some(Ok(()))) {
            self.asked.push_back(Asked::Warnings);
        }
    }

    /// A warning came.
    pub(super) fn warned(&mut self, name: String, publish: &Publish) {
        let Some(port) = &self.context.warnings else { return };
        let (kept, told) = oneshot::channel();
        let (packet, payload) = (publish.pkid, publish.payload.to_vec());
        if port.messages.try_send(BroadcastMessage { name, payload, kept }).is_err() {
            // Without an acknowledgement the broker brings it again at the next connection.
            return tracing::warn!(
                "warnings come faster than they are taken: one waits at the broker"
            );
        }
        if publish.qos != QoS::AtMostOnce {
            let told = async move { told.await.is_ok().then_some(packet) };
            self.keeping.push_back(Box::pin(told));
        }
    }

    /// Tells the sender of a message what came of it.
    pub(super) fn answered(&mut self, answer: BroadcastAnswer) {
        let BroadcastAnswer { name, text } = answer;
        self.document(Topic::BroadcastResult(name), text.into_bytes());
    }
}
