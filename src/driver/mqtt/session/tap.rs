//! Listening in: the messages of the devices as they came, for those who look at a device.

use rumqttc::Publish;
use tokio::sync::mpsc;

use super::Driver;

/// A message as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Its topic.
    pub topic: String,
    /// Its payload.
    pub payload: Vec<u8>,
}

/// Where messages are told. What does not fit is left out: the readings go first.
#[derive(Debug, Clone)]
pub struct Tap(mpsc::Sender<Heard>);

impl Tap {
    /// A tap and its end; so many messages wait there at most.
    pub fn new(room: usize) -> (Self, mpsc::Receiver<Heard>) {
        let (sender, heard) = mpsc::channel(room);
        (Self(sender), heard)
    }
}

impl Driver {
    /// Lets somebody hear every message as it came. Who only looks at a device leaves no session
    /// behind at the broker.
    pub fn listen_in(&mut self, tap: Tap) {
        self.tap = Some(tap);
    }

    /// Tells whoever listens in.
    pub(super) fn tell(&self, publish: &Publish) {
        let Some(Tap(tap)) = &self.tap else { return };
        let heard = Heard { topic: publish.topic.clone(), payload: publish.payload.to_vec() };
        if tap.try_send(heard).is_err() {
            tracing::debug!(topic = publish.topic, "whoever listens in has no room");
        }
    }
}
