//! The clock: moments always, wall time once a source is trusted.
//!
//! ```text
//! source   who gives the time, and how good it is
//! system   the system's clock, and whether a time service keeps it
//! judge    which source is followed; steps, slewing, holdover, what cannot be
//! kept     what the last boots knew, across restarts
//! effect   what it tells: what happened, how it stands
//! handle   what everybody else holds
//! ```
//! The platform is asked by the uplink, a meter by its bus; both tell [`Clock::hear`].

mod config;
mod effect;
mod handle;
mod judge;
mod kept;
mod source;
mod system;

pub use config::{AskPlatform, Config, Trust};
pub use effect::{ClockStatus, Disagreement, Effect, MeterSeen};
pub use handle::{Clock, WRITTEN_MS};
pub use judge::{DRIFT_PPM, STEP_MS};
pub use source::{Sample, Source, TrustState};
pub use system::is_synchronised;
