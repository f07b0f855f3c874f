//! Devices that publish to the field broker.
//!
//! # Invariants
//! - A QoS 1 message is acknowledged only after every batch made of it is durable, in the order of
//!   receipt (MQTT-4.6). The session is persistent: what was not acknowledged comes again.
//! - What comes again while its first copy is still on its way to the disk is not taken twice.
//! - A device can only hurt itself: size, depth and rate of its messages are bounded, and what is
//!   refused is announced by device and topic, at most once a minute.
//! - Memory is bounded: past `MAX_UNACKED` messages on their way, the broker has to wait.
//!
//! # Retained messages
//! A retained message is state of unknown age: it neither makes a device online nor counts as a
//! sign of life (availability topics do, their retained word is the present one). Its values are
//! `uncertain/stale` unless the message carries a time that can be trusted, and it is ignored when
//! it repeats what was last heard on that topic. Messages that the broker kept for us while we
//! were away are not marked by it: their readings carry the time of receipt, and their own time
//! where they have one.

mod acks;
mod config;
mod desk;
mod devices;
mod extract;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod intake;
mod limit;
mod post;
mod purge;
mod routes;
mod session;
mod status;
#[cfg(test)]
mod testing;

pub use config::Config;
pub use devices::MqttDevice;
pub(in crate::driver) use extract::depth;
pub use post::{Post, PostFault};
pub use session::{Driver, Heard, Tap};
pub use status::BrokerStatus;

/// Most messages whose readings are not durable yet.
const MAX_UNACKED: usize = 2000;
