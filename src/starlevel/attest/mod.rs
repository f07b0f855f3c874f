//! Attestations: what only a person can say, by name, with a date and an expiry. And beside them
//! what scans found that is not registered, because it speaks against a short inventory.
//!
//! ```text
//!  attestations.toml ─► file ─┐
//!  page ─► desk ◄─► store     ├─► Attested ─► engine: the current ones, each with its validity
//!  scan of a bus ─► desk ─────┘
//! ```
//!
//! - One holds from the begin of the day `on` through the end of the day `until`, natural days of
//!   the rule pack's zone. Outside, or while the clock is not trusted, it counts as missing.
//! - Of several with the same subject the one with the latest `on` that has begun counts, on a tie
//!   the page's. What is dated ahead waits behind one that holds.
//! - Whoever says that a category does not apply is contradicted by a device of the category.

mod day;
mod desk;
mod discovered;
mod file;
mod keep;
mod rules;
mod subject;
#[cfg(test)]
mod tests;
mod validity;

pub use day::Day;
pub(in crate::starlevel) use desk::today;
pub use desk::{AttestationDesk, Attested, DeskError};
pub use discovered::{Discovered, MOST_DISCOVERED};
pub use file::read_attestations;
pub use keep::{Deed, MOST_DEEDS};
pub use rules::{LONGEST_NAME, LONGEST_TEXT, MOST_DEVICES_ATTESTED, person, sentence, whole};
pub use subject::{Attestation, Subject};
pub use validity::{AttestationResult, AttestationSource, Standing};
