//! The platform's side of the stream: decode, remove duplicates, find gaps, acknowledge.
//!
//! [`Verifier`] decides and does no I/O; [`run`] feeds it from a broker and acknowledges a block
//! only after the caller has written it out.

mod answer;
mod decode;
mod intervals;
mod ledger;
mod session;
mod summary;
mod thinned;
mod tls;
mod verifier;

pub use decode::{DecodeError, MAX_DOCUMENT, decode};
pub use ledger::Range;
pub use session::{Config, End, Keep, Outcome, ReceiverError, run, run_keeping};
pub use summary::{DeviceCount, GapReport, Summary};
pub use verifier::{Limits, Received, State, StateError, Verifier};

#[cfg(test)]
mod tests;
