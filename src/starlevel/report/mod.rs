//! The report: the assessment with everything that it stands on, in one signed file.
//!
//! A report is a page to print (HTML) or a document for machines (JSON). Both hold the same
//! [`Report`], the page in an element of its own, and both end in a signature over every byte
//! before it (`seal`). Whoever has the file can recompute the days from the rows, and the chain
//! over the rows, without the gateway and without a network ([`verify`]).
//!
//! The key is made on the box ([`SigningKey`]). A signature proves that the file is as that box
//! wrote it; that the key is that box's, only a comparison proves: the gateway publishes it in its
//! retained inventory.

mod build;
mod chain;
mod days;
mod document;
mod key;
mod maker;
mod page;
mod seal;
#[cfg(test)]
mod tests;
mod verify;
mod words;

pub use document::{
    ChainDay, DayCategory, REPORT_VERSION, Report, ReportCategory, ReportChain, ReportDay,
    ReportDevice, ReportEstate, ReportPeriod, Thresholds,
};
pub use key::{KEY_FILE, KeyFault, SigningKey, fingerprint, parse_public_key};
pub use maker::{ReportFault, Reporter};
pub use seal::{Form, SealFault};
pub use verify::{Verified, verify};
