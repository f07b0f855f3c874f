//! From the buffer to the platform's broker: pull, publish, delete only after PUBACK.
//!
//! # Invariants
//! - The buffer is the only queue. Nothing is published that is not durable, and nothing is
//!   deleted before the platform's PUBACK. After any disconnect the client is thrown away and
//!   everything unacknowledged is read from the buffer again.
//! - A block may arrive twice, never with another content: `(gateway, epoch, seq)` names it.
//! - At most [`Config::window`] publishes are open, late ones at most half of that.
//! - Retained documents tell the present state and are never queued.

#[cfg(test)]
mod command_tests;
mod config;
#[cfg(test)]
mod delivery_tests;
mod flow;
mod link;
mod message;
mod port;
mod session;
mod status;
mod store;
#[cfg(test)]
mod testing;
mod time;
mod topic;
mod window;

pub use config::Config;
pub use message::{
    Inventory, InventoryDevice, InventoryLabel, InventoryModel, InventoryPoint, MESSAGE_VERSION,
    Presence, Status,
};
pub use port::{BroadcastPort, CommandMessage, CommandPort};
pub use session::Session;
pub use status::UplinkStatus;
pub use store::Store;
pub use topic::{PrefixError, Topic, Topics};
