//! Commands: from the platform by MQTT, from the page, from the gateway itself, to one device.
//!
//! # Invariants
//! - An id is done at most once, across restarts: what is accepted is durable before it is written
//!   to the device. After a crash in between nobody knows whether it was done; that is told, and it
//!   is not done again.
//! - Only what the device's profile describes and the configuration allows for that very device,
//!   within its range, before it expires, and never behind a device that does not answer.
//! - An id is only forgotten when its command has expired, so that no replay can be done.
//! - What a profile gives a safe value returns to it when the platform that ordered is silent, or
//!   the order's time is over; the order to return is kept with the command itself.
//!
//! ```text
//! core      what is decided, without I/O; input: what it is told and what follows;
//!           check: in which order; safe: orders that hold
//! book      what is remembered across restarts; hold: orders that hold; silence: of the platform
//! target    a device as commands see it
//! router    handle for everybody who orders
//! desk      the task around the core; tell: who hears of it; way: how a device is reached
//! ```
//! # Who else orders
//!
//! [`Router::order`] takes any request; [`Router::order_all`] many at once, to devices side by
//! side, and gives back what became of each. Sources inside the gateway order as
//! [`CommandSource::Gateway`](crate::model::CommandSource) or `Broadcast`: they need no signature and no trusted
//! clock, all other checks hold.

mod book;
mod check;
mod config;
mod core;
#[cfg(test)]
mod core_tests;
mod desk;
#[cfg(test)]
mod desk_tests;
mod hold;
mod input;
#[cfg(test)]
mod rig;
mod router;
mod safe;
#[cfg(test)]
mod safe_tests;
mod signature;
mod silence;
mod target;
mod tell;
mod way;

pub use book::Row;
pub use check::LONGEST_LIFE;
pub use config::{Config, safe_range};
pub use desk::{ASKS, Desk, Ends};
pub use router::{Ordered, Router, Stopping};
pub use signature::PublicKey;
pub use target::{Known, Target, What};
pub use way::Way;
