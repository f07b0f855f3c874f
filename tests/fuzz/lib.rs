//! What is demanded of everything that reads what others wrote, and the counting of memory.

pub use linli::protocol;

pub mod allocation;
pub mod checks;
#[path = "checks/reply_finder.rs"]
mod driver;
