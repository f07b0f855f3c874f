//! From what a driver read to what is worth keeping: plausibility, then report by exception.
//!
//! [`Pipeline::apply`] is synchronous and does no I/O: message in, effects out. [`Pipeline::run`]
//! is the loop around it.
//!
//! Rules, in this order, for every reading:
//! 1. outside the profile's range → bad, `out_of_range`; the value stays visible;
//! 2. an instantaneous value that changed faster than the profile allows → uncertain;
//! 3. a counter that ran backwards or jumped further than the meter can count → held, and read
//!    again at once; if it is still so it is stored as uncertain and announced, and stays so until
//!    it goes on from the last value that was believed, or a person records a meter exchange;
//! 4. stored when it moved by the dead band, when its quality changed, or when the last stored
//!    one is older than `at_least_every`.

mod baseline;
mod normalise;
mod progress;
mod report;
mod stage;

pub use baseline::Baselines;
pub use progress::Progress;
pub use stage::{Act, ActError, Effects, Pipeline};
