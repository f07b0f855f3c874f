//! One serial line or TCP endpoint with its devices, whatever protocols they speak.
//!
//! ```text
//! owner    the only one that talks on the line: schedule -> session -> readings and health
//! digest   what an answer means for the device, the schedule, the pipeline
//! errands  what others ask of the line: reads again, commands, the scan
//! writes   writes of registers
//! clocks   setting the clocks of the meters
//! compare  reading the clocks of the meters
//! unit     a device: its reads, how their answers become readings, what each last said
//! readings what an answer says about the device's points
//! plan     which points are read together; learn: what a model refuses
//! budget   what the polls will cost, before they are made; weight: who costs most, what to change
//! session  one exchange: retuning, pauses, time limit, checks
//! ask      what is asked, and which bytes are its answer
//! doubt    whether an answer is that to an older request
//! wire     the transport: whole frames only, no late replies
//! open     sockets and serial ports
//! own      a line opened for asking alone, by the scan
//! row      counters, load and times for pages and metrics
//! ```

pub(in crate::driver) mod ask;
mod budget;
mod clocks;
mod compare;
mod digest;
mod doubt;
mod errands;
#[cfg(test)]
mod fake;
mod learn;
pub(in crate::driver) mod lessons;
mod open;
mod own;
mod owner;
pub(in crate::driver) mod plan;
mod readings;
#[cfg(test)]
mod rig;
mod row;
mod session;
mod unit;
mod weight;
mod wire;
mod writes;

pub use ask::Ask;
pub use budget::{Polled, budget};
pub use errands::{BusRequest, Control, ControlRefused, Heard, Probe, RelayKey};
pub use lessons::{LessonBook, Lessons};
pub use own::OwnLine;
pub use owner::{Bus, Ports};
pub use session::{Answer, Fault};
pub use unit::BusDevice;
pub(in crate::driver) use unit::ask_for;
pub use weight::{Consumer, Remedy, Weight, weigh};
pub use writes::RegisterWrite;
