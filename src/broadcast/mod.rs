//! The emergency broadcast: warnings of the platform, of staff, of alarm rules and of the calendar,
//! played on terminals and shown on screens, with a receipt of each.
//!
//! # Invariants
//! - A message is played once, however often it comes; also across restarts.
//! - What is refused is kept as evidence and reported; nothing of it reaches a device.
//! - Whether the link to the platform is up makes no difference to what plays.
//! - What a screen showed before comes back; what was cancelled is silenced.
//!
//! ```text
//! message   our JSON, CAP 1.2, EBM: one warning; signatures
//! desk      what plays where, without I/O
//! zones     who hears and sees it; texts: in which words
//! calendar  drills
//! task      around the desk; handle: of everybody who warns; view: what the page shows
//! ```

mod calendar;
mod config;
mod desk;
mod ends;
mod handle;
mod kept;
pub mod message;
mod task;
#[cfg(test)]
mod task_tests;
mod texts;
mod view;
mod zones;

pub use config::{Config, KeyFile};
#[cfg(feature = "schema")]
pub use desk::WarningAnswer;
pub use desk::{Order, OrderKind, Setup, Taken};
pub use ends::{
    ANSWERS, ASKS, BroadcastAnswer, BroadcastMessage, Delivered, Ends, MESSAGES, Orders, Outcome,
    Points,
};
pub use handle::{BroadcastDesk, Preview, Stopping};
pub use message::envelope::Key;
#[cfg(feature = "schema")]
pub use message::json::WarningMessage;
pub use task::Broadcast;
pub use texts::{Template, Texts};
pub use view::{BroadcastView, DrillRow, PlayLatency, RefusedRow, WarningRow, ZoneRow};
pub use zones::{Target, TargetKind, Zone, Zones};
