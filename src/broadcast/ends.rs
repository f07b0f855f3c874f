//! What the task is connected with.

use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::desk::{Order, Said};
use crate::model::{DeviceIndex, DeviceState, Fact, FieldMessage, PointIndex, Value};

/// Asks that wait for the task.
pub const ASKS: usize = 16;
/// Messages of the platform that wait for the task.
pub const MESSAGES: usize = 16;
/// Answers that wait for the link.
pub const ANSWERS: usize = 64;

/// What becomes of an order, when it is known.
pub type Outcome = Pin<Box<dyn Future<Output = bool> + Send>>;

/// The way to the devices: whoever carries orders out.
pub trait Orders: Send + Sync + 'static {
    /// Orders the device; the outcome says whether it was followed, by the order's deadline.
    fn order(&self, device: DeviceIndex, order: &Order) -> Outcome;
}

/// A message of the platform.
#[derive(Debug)]
pub struct BroadcastMessage {
    /// The last level of its topic.
    pub name: String,
    /// As it came.
    pub payload: Vec<u8>,
    /// Told when what came of it is kept: then the broker gets its acknowledgement.
    pub kept: oneshot::Sender<()>,
}

/// What its sender is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BroadcastAnswer {
    /// The last level of the topic of the message.
    pub name: String,
    /// JSON, or XML for a packet.
    pub text: String,
}

/// How far the urgent lane is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivered {
    /// The next block's position.
    pub next: u64,
    /// The oldest block of the urgent lane that the platform does not have.
    pub oldest: Option<u64>,
    /// Commits so far.
    pub commits: u64,
    /// Everything up to now is durable.
    pub sound: bool,
}

/// Where a target says what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Points {
    /// Its place in the estate.
    pub device: DeviceIndex,
    /// `playing`.
    pub playing: Option<PointIndex>,
    /// `lastMessageId`.
    pub message: Option<PointIndex>,
    /// `text`.
    pub text: Option<PointIndex>,
    /// `fault`.
    pub fault: Option<PointIndex>,
}

impl Points {
    /// What a device says by its last values.
    pub(super) fn said(&self, state: &DeviceState) -> Said {
        let point = |index: Option<PointIndex>| index.map(|index| state.point(index));
        let text = |index| match point(index).and_then(|point| point.value.as_ref()) {
            Some(Value::Text(text)) => Some(text.to_string()),
            _ => None,
        };
        let flag = |index| match point(index).and_then(|point| point.value.as_ref()) {
            Some(Value::Flag(flag)) => Some(*flag),
            _ => None,
        };
        let at = [self.playing, self.message, self.text]
            .into_iter()
            .filter_map(|index| point(index)?.good_at)
            .max();
        Said {
            at: at.unwrap_or_default(),
            playing: flag(self.playing),
            message: text(self.message),
            text: text(self.text),
            fault: flag(self.fault) == Some(true),
        }
    }
}

/// What the task is connected with.
pub struct Ends {
    /// The way to the devices.
    pub orders: Arc<dyn Orders>,
    /// Messages of the platform.
    pub messages: mpsc::Receiver<BroadcastMessage>,
    /// To their senders.
    pub answers: mpsc::Sender<BroadcastAnswer>,
    /// Events, in the flow.
    pub field: mpsc::Sender<FieldMessage>,
    /// To the star level.
    pub facts: mpsc::Sender<Fact>,
    /// How far the urgent lane is; `None` without a platform.
    pub delivered: Box<dyn Fn() -> Option<Delivered> + Send>,
    /// Where each target says what it does, in the order of the zones' targets.
    pub points: Vec<Points>,
}
