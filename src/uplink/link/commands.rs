//! Commands on a link: who may send them is the broker's business, what becomes of them the desk's.
//!
//! The session is a clean one: what the platform orders while the gateway is away never arrives, and
//! the platform sees by `status` that it is away. A command is acknowledged when it is kept, in the
//! order in which they came; what became of it is published, and not again on the next link: the
//! event is the record.

use futures_util::FutureExt;
use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use rumqttc::{
    ConnectionError, Event, Packet, Publish, QoS, StateError, SubAck, SubscribeReasonCode,
};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::oneshot;

use super::super::Topic;
use super::super::message::encode;
use super::super::port::{CommandMessage, CommandPort};
use super::super::store::Store;
use super::{Desk, PROVEN_AFTER};
use crate::model::{CommandId, CommandOutcome, CommandReport, CommandResult, Refusal};

/// After so many connections that ended on the subscription, or on a message that came by it,
/// commands are not subscribed any more: the readings go first.
pub(super) const STRIKES: u8 = 3;
/// With so many publishes open no results are added; far below the client's packet ids.
const MOST_OPEN: u32 = 128;

/// What was subscribed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// Commands.
    Commands,
    /// Warnings.
    Warnings,
    /// Answers to the question for the time.
    Time,
}

/// Commands that are not kept yet; each gives the packet id to acknowledge, or none when nobody
/// kept it.
pub(super) type Keeping =
    FuturesOrdered<std::pin::Pin<Box<dyn Future<Output = Option<u16>> + Send>>>;

/// The next command that is kept; never when there is none.
pub(super) async fn next_kept(keeping: &mut Keeping) -> Option<u16> {
    match keeping.next().await {
        Some(id) => id,
        None => std::future::pending().await,
    }
}

/// The next result; never when nobody has any.
pub(super) async fn next_result(port: &mut Option<CommandPort>) -> CommandResult {
    let result = match port {
        Some(port) => port.results.recv().await,
        None => None,
    };
    match result {
        Some(result) => result,
        None => std::future::pending().await,
    }
}

impl<S: Store> Desk<'_, S> {
    /// The session began: subscribes, if commands are taken.
    pub(super) fn begin_commands(&mut self) {
        if self.context.commands.is_none() || self.context.command_strikes >= STRIKES {
            return;
        }
        let topic = self.topics.print(&Topic::Command("+".into()));
        let asked = self.client.subscribe(topic, QoS::AtLeastOnce).now_or_never();
        if matches!(asked, Some(Ok(()))) {
            self.asked.push_back(Asked::Commands);
        }
    }

    /// What concerns neither the session nor its blocks.
    pub(super) fn beside(&mut self, event: &Event) {
        match event {
            Event::Incoming(Packet::SubAck(ack)) => self.granted(ack),
            Event::Incoming(Packet::Publish(publish)) => self.heard(publish),
            other => self.time_event(other),
        }
    }

    /// A subscription was answered: brokers do that in order.
    fn granted(&mut self, ack: &SubAck) {
        let refused = ack.return_codes.contains(&SubscribeReasonCode::Failure);
        match self.asked.pop_front() {
            Some(Asked::Time) => self.time_granted(ack),
            Some(Asked::Commands) if refused => {
                tracing::warn!("the broker does not let us hear the platform's commands");
            }
            Some(Asked::Warnings) if refused => {
                tracing::warn!("the broker does not let us hear the platform's warnings");
            }
            Some(Asked::Commands | Asked::Warnings) | None => {}
        }
    }

    /// Something came: a command, a warning, or the time.
    fn heard(&mut self, publish: &Publish) {
        match self.topics.parse(&publish.topic) {
            Some(Topic::Command(id)) => self.command(id, publish),
            Some(Topic::Broadcast(name)) => self.warned(name, publish),
            _ => self.time_answered(publish),
        }
    }

    fn command(&mut self, id: String, publish: &Publish) {
        let Some(port) = &self.context.commands else { return };
        let (kept, told) = oneshot::channel();
        let packet = publish.pkid;
        let message = CommandMessage {
            id: id.clone(),
            payload: publish.payload.to_vec(),
            retained: publish.retain,
            kept,
        };
        match port.messages.try_send(message) {
            Ok(()) if publish.qos == QoS::AtMostOnce => {}
            Ok(()) => {
                let told = async move { told.await.is_ok().then_some(packet) };
                self.keeping.push_back(Box::pin(told));
            }
            Err(TrySendError::Full(_)) => {
                tracing::warn!(id, "commands come faster than they are taken: one is refused");
                if let Ok(id) = CommandId::new(&id) {
                    self.busy(id);
                }
                if publish.qos != QoS::AtMostOnce {
                    self.acknowledge(Some(packet));
                }
            }
            // The daemon is stopping.
            Err(TrySendError::Closed(_)) => {}
        }
    }

    fn busy(&mut self, id: CommandId) {
        if !self.may_tell() {
            return;
        }
        let outcome = CommandOutcome::refused(Refusal::Busy);
        let now = self.context.clock.now();
        self.result(&CommandResult {
            v: 1,
            gateway: self.context.estate.gateway.as_str().into(),
            device: String::new(),
            at_ms: self.context.clock.wall(now).map(|wall| wall.unix_ms),
            report: CommandReport::unread(id, outcome),
        });
    }

    /// The broker may forget the command.
    pub(super) fn acknowledge(&mut self, id: Option<u16>) {
        let Some(id) = id else { return };
        let mut receipt = Publish::new("", QoS::AtLeastOnce, Vec::new());
        receipt.pkid = id;
        if self.client.try_ack(&receipt).is_err() {
            tracing::info!("no room to acknowledge a command: it may come again, under its id");
        }
    }

    /// Whether there is room for a result.
    pub(super) fn may_tell(&self) -> bool {
        self.window.open() < MOST_OPEN
    }

    /// Tells the platform what became of a command.
    pub(super) fn result(&mut self, result: &CommandResult) {
        let topic = Topic::CommandResult(result.report.id.to_string());
        self.document(topic, encode(result));
    }

    /// The link ended: whether on the subscription, or on what came by it.
    pub(super) fn end_commands(&mut self) {
        let lasted = self.context.clock.now().since(self.opened) >= PROVEN_AFTER;
        let subscribed = |asked| self.asked.contains(&asked);
        if subscribed(Asked::Commands) || subscribed(Asked::Warnings) || self.unreadable {
            self.context.command_strikes = self.context.command_strikes.saturating_add(1);
            if self.context.command_strikes == STRIKES {
                tracing::error!(
                    "connections end when commands and warnings are subscribed, or on a message that cannot be \
                     read: not subscribed until linli is started again"
                );
            }
        } else if lasted {
            self.context.command_strikes = 0;
        }
    }
}

/// Whether the connection ended on a packet that cannot be read, e.g. one that is too large.
pub(super) fn is_unreadable(error: &ConnectionError) -> bool {
    matches!(
        error,
        ConnectionError::MqttState(StateError::Deserialization(error))
            if !matches!(error, rumqttc::mqttbytes::Error::Io(_))
    )
}
