//! The durable queue of blocks between the pipeline and the uplink.
//!
//! - Records go in through [`Recorder`], which cuts them into blocks of up to 4 KiB, encoded once,
//!   and commits them in groups. Nothing is confirmed before the fsync.
//! - Blocks come out through [`Buffer`]: read, publish, acknowledge. They are deleted with the
//!   next commit after the platform acknowledged them.
//! - The files stay within a budget. When it is used up the oldest readings are thinned, then
//!   dropped; which ones is announced in the stream, in the same atomic batch.
//!
//! The format of a stored block is drawn in `block.rs`.

mod block;
mod budget;
mod columns;
mod config;
mod contents;
mod delivery;
mod evict;
mod fault;
mod flight;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod inspect;
mod json;
mod ledger;
mod mark;
mod meta;
mod open;
mod pace;
mod queue;
mod rate;
mod recorder;
mod report;
mod sealer;
mod status;
#[cfg(test)]
mod tests;
mod thin;
mod wear;

pub use block::{Block, Lane, MAX_PAYLOAD};
pub use config::{Config, Medium};
pub use fault::RecorderError;
pub use inspect::{
    DamagedBlock, InspectError, Inspection, LaneInspection, documents, export, inspect,
};
pub use open::{MIN_BUDGET, OpenError, open};
pub use queue::{Buffer, ReadError};
pub use recorder::Recorder;
pub use status::{BufferStatus, WearStatus};
