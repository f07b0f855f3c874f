//! Devices that announce themselves on the field broker, as proposals for the configuration.
//!
//! ```text
//! home_assistant, components   discovery messages: entities of a device
//! template                     value templates that only pick a value
//! zigbee2mqtt                  the list of devices of a bridge
//! others                       Tasmota, Shelly, ChirpStack: for built-in profiles only
//! book                         what was heard; devices, each once
//! bases                        which part of the topics is the device's own
//! judge                        which profile reads what the device publishes
//! points, units, vocabulary    an announced value as a point of a profile
//! site, examples, write        a profile made from an announcement, proved by its examples
//! proposal, entry              one proposal a device, as `[[device]]`
//! listen                       the session at the broker
//! ```
//!
//! Nothing is added by itself. What comes from the network is bounded and made harmless before
//! anybody sees it: see `bounds`.

mod announced;
mod bases;
mod book;
mod bounds;
mod components;
mod entry;
mod examples;
mod home_assistant;
mod judge;
mod listen;
mod others;
mod points;
mod proposal;
mod site;
mod template;
#[cfg(test)]
mod tests;
mod units;
mod vocabulary;
mod write;
mod zigbee2mqtt;

pub use announced::{Source, Unread};
pub use book::{Book, Where};
pub use entry::entry;
pub use listen::{Listen, Session, Step};
pub use proposal::{Announced, Generated, Known, propose};
