//! M-Bus (EN 13757-2 and -3), wired, for looking at captured bytes only; nothing here polls a bus.
//! Own code: link layer, the headers of CI 72H, 7AH and 78H, selection by secondary address, and
//! records of the primary VIF table with the commonest extensions. Not read, and said so where they
//! come: encrypted telegrams, the fixed structure of CI 73H, wireless frames.
//!
//! ```text
//! E5                                     acknowledged
//! 10 C A CS 16                           short
//! 68 L L 68 C A CI data CS 16            long; L counts from C to the byte before CS
//! ```

mod describe;
mod link;
mod records;
#[cfg(test)]
mod tests;

pub use describe::{describe, medium_names};
pub use link::{Frame, LinkFault, parse};
pub use records::{Amount, Header, Record, RecordFault, records};
