//! Slaves of several protocols on one simulated serial line, with the pace of its baud rate and
//! with faults to order.
//!
//! ```text
//! serve     the thread that owns a line: port <-> engine, with sleeps finer than a millisecond
//! port      a pseudo terminal, a device file, or a TCP listener as a serial server
//! engine    what happens on the wire: requests end, slaves answer, transmissions overlap
//! wire      characters on their way to the master, merged where they overlap
//! station   a slave on the line and what is wrong with it
//! dlt645    electricity meters            cjt188, body   water, gas and heat meters
//! modeled   meters of a profile           replay         a recorded line again
//! log       what happened, so that a test can compute how well the line was used
//! ```
//!
//! The engine is driven by time as a parameter and does no I/O. A pseudo terminal shows the
//! settings that the master tunes it to; a slave with other settings does not understand what is
//! sent. Linux drops the parity bit of pseudo terminals: whether there is parity is told by what
//! a master sets beside it (`INPCK`, `IGNPAR`), and a master that sets neither is believed to have
//! the right parity.

mod blocks;
mod body;
mod cjt188;
mod clock;
mod dlt645;
mod engine;
mod log;
mod modeled;
mod port;
mod replay;
mod serve;
mod station;
mod wire;

#[cfg(test)]
mod tests;

pub use body::{HeatLayout, heat_body, volume_body};
pub use cjt188::Cjt188Meter;
pub use dlt645::Dlt645Meter;
pub use engine::{Foreign, Tuning};
pub use log::{Entry, Log, Summary};
pub use serve::{Handle, Line, LineBuilder, Serving};
pub use station::{Fault, Slave};
