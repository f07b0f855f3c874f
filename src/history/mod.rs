//! What the points of the last weeks were, for the people on the box: charts, tables, files.
//!
//! It is comfort and no evidence. Evidence is what the star level keeps, and what the buffer
//! delivers; here a power cut takes what was not written yet, twenty minutes at the most, and a
//! budget takes the oldest days. Nothing that goes wrong here ends or slows the daemon.
//!
//! ```text
//!  pipeline ─► History (open buckets) ─ every 15 min ─► 2026-11-28.log ─ at midnight ─► 2026-11-28.day
//!                    └───────────── series ◄─────────────────┴───────────────────────────────┘
//! ```
//! Of every point that is a number, a flag or a state, five minutes are three numbers: lowest,
//! highest, last; readings that are bad are left out. Files lie in a folder of their own, not in
//! the store: the store's files would grow by them and be rewritten with them.
//!
//! Buckets follow the trusted wall time. While no clock is trusted there is nothing to put them
//! by: those readings are left out here, and counted.
//!
//! | file | holds |
//! | --- | --- |
//! | `bucket`, `columns`, `chunk`, `names` | five minutes; as bytes; in chunks with a sum; whose they are |
//! | `folder`, `log`, `sorted`, `seal`, `archive` | files: of today, of days that are over, from one to the other, reading them |
//! | `live`, `handle`, `writer` | what is not in a file yet; who hears and shows it; who writes it |

mod archive;
mod bucket;
mod chunk;
mod columns;
mod config;
mod folder;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod handle;
mod live;
mod log;
mod names;
mod seal;
mod sorted;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod writer;

pub use archive::{Archive, Device};
pub use bucket::{BUCKET_S, Bucket, Day, OF_A_DAY, Slot};
pub use columns::Column;
pub use config::Config;
pub use handle::{History, HistoryStatus, Series};
pub use log::Wounds;
pub use writer::{Turn, Writer};
