//! The first start of a box, and every later one of its kind: from what an installer answers, or a
//! signed bundle brings, to a configuration that the checker takes.
//!
//! ```text
//!  flags, questions, page ─┐
//!                          ├─► Answers ─► Draft ─► Prepared ─► the configuration, in one rename
//!  bundle ─► signature ────┘      present file ┘      └─ checked; gone again when it is not committed
//! ```
//! Nothing is written before all is known. What must lie there before the configuration can name it
//! (certificates, keys, profiles) goes under names of its own or leaves the old file beside it, so the
//! rename of the configuration is the one moment at which the box changes.

mod answers;
mod bundle;
mod credentials;
mod draft;
mod prepared;
#[cfg(test)]
mod tests;

pub use answers::{Answers, Field, Gateway, Lines, NONE, Page, Platform};
pub use bundle::{BUNDLE_FILE, Bundle, BundleFault, PURPOSE, find as find_bundles};
pub use credentials::{Credential, Credentials, Kind};
pub use draft::Draft;
pub use prepared::{Plan, Prepared, PreparedFault};
