//! Alarms: rules as data say when somebody is called; the book says what becomes of it.
//!
//! ```text
//!  readings, events ─► Detector ─► signals ─► Desk ─► Book ─► Keep (store) ─► events, facts, Board
//!                      in the pipeline         ▲
//!                                     page, API, the time
//! ```
//! The detector runs on every reading and tells only changes. The desk is the one owner of the
//! book: what follows is kept first, then told.

mod board;
mod book;
mod config;
mod desk;
mod detector;
mod entry;
mod history;
mod keep;
mod lapse;
mod plan;
mod rehearse;
mod rule;
mod rules;
#[cfg(test)]
mod testing;
mod timeline;
mod window;

pub use board::{AlarmCounts, Board};
pub use book::{ActFault, Book, Clocks, Effects, Kept, MOST_OPEN, Manner, Plans, Totals};
pub use config::{Changed, Config, Flapping, Grouping, LONGEST_NAME, china_time, read_changes};
pub use desk::{Act, Desk, DeskEnds, DeskHandle};
pub use detector::Detector;
pub use entry::{Alarm, Entry, Key, Said};
pub use history::{Filter, History, Page};
pub use keep::Keep;
pub use lapse::Lapse;
pub use plan::Plan;
pub use rehearse::{Rehearsal, Rehearsed, Sample};
pub use rule::{Change, Kind, Of, Rule};
pub use rules::{RuleFault, Rules};
pub use timeline::{Anchor, Now, Timeline};
pub use window::{Scope, Window};
