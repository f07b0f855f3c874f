//! Finds out what hangs on a line: which settings, which protocols, which addresses, which models.
//!
//! ```text
//! plan     which settings, protocols and unit ids are tried
//! agenda   what is asked first
//! machine  what is asked next and what the answers mean; knows no line and no clock
//! wild     meters by wild addresses, one by one where several answer at once
//! units    Modbus unit ids
//! hunt     the search for addresses, low digits first
//! guess    which model a device is; values, weigh: what was read speaks for
//! prober   asks: on a line of its own, or through the owner of the bus
//! walk     the machine on a line, as a series of events
//! network  a range of TCP endpoints
//! entry    what was found, as `[[device]]` of the configuration
//! ```
//!
//! It only reads. A bus that the daemon owns is asked through its owner: never two masters.

mod agenda;
mod entry;
mod event;
mod guess;
mod hunt;
mod machine;
mod network;
mod plan;
mod prober;
#[cfg(test)]
mod sim_line;
#[cfg(test)]
mod tests;
mod units;
mod values;
mod walk;
mod weigh;
mod wild;

pub use entry::{Names, entry};
pub use event::{Candidate, FoundDevice, Remark, RemarkKind, ScanEvent, Text};
pub use machine::{Found, Models, Progress, Scan, ScanProbe, Speaks};
pub use network::{BadTargets, NetworkScan, Targets};
pub use plan::{BadOption, Kind, Protocols, ScanOptions, ScanPlan};
pub use prober::{Gone, Prober};
pub use walk::Walk;
