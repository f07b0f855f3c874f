//! Simulated MQTT devices: one real connection each, with a last will where the model has one.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use rumqttc::{AsyncClient, EventLoop, LastWill, MqttOptions, Packet, Publish, QoS};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};
use tokio_util::sync::CancellationToken;

use super::orders::of_message;
use super::payload::availability;
use super::{Device, messages};
use crate::backoff::Backoff;
use crate::broker::MAX_PACKET;
use crate::profile::Target;

/// Messages that wait for the connection at most; a device that cannot send drops what is new.
const QUEUE: usize = 64;

/// Whether a device is there; a device that goes leaves without a word, and its will speaks.
pub type Presence = watch::Sender<bool>;

/// A device and where it publishes.
#[derive(Debug, Clone)]
pub struct MqttDevice {
    /// Its state, shared with whoever moves it.
    device: Arc<Mutex<Device>>,
    base: String,
    every: Duration,
    present: watch::Receiver<bool>,
}

impl MqttDevice {
    /// A device that publishes below `base` about every `every`, and the switch that takes it off.
    pub fn new(device: Device, base: &str, every: Duration) -> (Self, Presence) {
        let (switch, present) = watch::channel(true);
        let device = Arc::new(Mutex::new(device));
        (Self { device, base: base.to_owned(), every, present }, switch)
    }

    /// Reads or changes the device's state; keep it short.
    pub fn with<R>(&self, work: impl FnOnce(&mut Device) -> R) -> R {
        work(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Device> {
        match self.device.lock() {
            Ok(guard) => guard,
            Err(poisoned) => poisoned.into_inner(),
        }
    }
}

/// Devices of one broker.
#[derive(Debug, Clone)]
pub struct MqttFleet {
    /// Broker.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The devices.
    pub devices: Vec<MqttDevice>,
}

impl MqttFleet {
    /// Publishes until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let all: FuturesUnordered<_> =
            self.devices.iter().map(|device| self.live(device)).collect();
        tokio::select! {
            () = stop.cancelled() => {}
            () = all.for_each(|()| std::future::ready(())) => {}
        }
    }

    async fn live(&self, device: &MqttDevice) {
        let mut present = device.present.clone();
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
        loop {
            if turned(&mut present, true).await.is_err() {
                return;
            }
            let (client, mut events) = AsyncClient::new(self.options(device), QUEUE);
            tokio::select! {
                error = publish(device, &client, &mut events, &mut backoff) => {
                    tracing::debug!(base = device.base, %error, "simulated device lost its broker");
                    sleep(backoff.delay()).await;
                }
                // Dropping the connection unannounced makes the broker publish the will.
                gone = turned(&mut present, false) => if gone.is_err() {
                    return;
                },
            }
        }
    }

    fn options(&self, device: &MqttDevice) -> MqttOptions {
        let id: String =
            device.base.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let mut options = MqttOptions::new(format!("sim-{id}"), &self.host, self.port);
        options.set_keep_alive(Duration::from_secs(10));
        // The state of a cabinet with 200 cells is larger than the client's own limit of 10 KiB.
        options.set_max_packet_size(MAX_PACKET, MAX_PACKET);
        if let Some(will) = availability(&device.lock(), &device.base, false) {
            options.set_last_will(LastWill::new(will.topic, will.payload, QoS::AtLeastOnce, true));
        }
        options
    }
}

/// Until it is there, or not there any more.
async fn turned(
    present: &mut watch::Receiver<bool>,
    wanted: bool,
) -> Result<(), watch::error::RecvError> {
    present.wait_for(|present| *present == wanted).await.map(drop)
}

/// Until the connection is lost.
async fn publish(
    device: &MqttDevice,
    client: &AsyncClient,
    events: &mut EventLoop,
    backoff: &mut Backoff,
) -> rumqttc::ConnectionError {
    let mut tick = interval_at(Instant::now() + device.every, device.every);
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut connected = false;
    loop {
        tokio::select! {
            event = events.poll() => match event {
                Ok(rumqttc::Event::Incoming(Packet::ConnAck(_))) => {
                    connected = true;
                    backoff.reset();
                    listen(device, client);
                    announce(device, client);
                    send_state(device, client);
                }
                Ok(rumqttc::Event::Incoming(Packet::Publish(publish))) => {
                    if told(device, &publish) {
                        send_state(device, client);
                    }
                }
                Ok(_) => {}
                Err(error) => return error,
            },
            // Not before the connection stands: a tick would cancel the attempt.
            _ = tick.tick(), if connected => send_state(device, client),
        }
    }
}

/// Subscribes to what the device can be told.
fn listen(device: &MqttDevice, client: &AsyncClient) {
    let mut topics: Vec<String> = {
        let state = device.lock();
        let commands = state.profile().commands.iter();
        let topic = |command: &crate::profile::Command| match &command.target {
            Target::Message { topic, .. } => Some(topic.replace("{base}", &device.base)),
            Target::Registers { .. } => None,
        };
        commands.filter_map(topic).collect()
    };
    topics.sort_unstable();
    topics.dedup();
    for topic in topics {
        if client.try_subscribe(topic, QoS::AtLeastOnce).is_err() {
            tracing::debug!(base = device.base, "simulated device could not subscribe");
        }
    }
}

/// Whether a message was an order that the device follows.
fn told(device: &MqttDevice, publish: &Publish) -> bool {
    let Ok(payload) = std::str::from_utf8(&publish.payload) else { return false };
    let mut state = device.lock();
    let message = (publish.topic.as_str(), payload);
    let order = of_message(state.profile(), state.params(), &device.base, message);
    if let Some(order) = &order {
        state.obey(order);
    }
    order.is_some()
}

fn announce(device: &MqttDevice, client: &AsyncClient) {
    if let Some(birth) = availability(&device.lock(), &device.base, true)
        && client.try_publish(birth.topic, QoS::AtLeastOnce, true, birth.payload).is_err()
    {
        tracing::debug!(base = device.base, "simulated device could not announce itself");
    }
}

fn send_state(device: &MqttDevice, client: &AsyncClient) {
    let now = jiff::Timestamp::now();
    device.lock().stamp(now);
    for message in messages(&device.lock(), &device.base, now.as_millisecond()) {
        if client.try_publish(message.topic, QoS::AtLeastOnce, false, message.payload).is_err() {
            tracing::debug!(base = device.base, "simulated device dropped a message");
            return;
        }
    }
}
