//! The codecs of `src/`, included by path, what is demanded of them, and the counting of memory.

#[path = "../../src/protocol/mod.rs"]
pub mod protocol;

pub mod allocation;
pub mod checks;
#[path = "checks/reply_finder.rs"]
mod driver;
