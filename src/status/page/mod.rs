//! The pages, one function each.

mod alarm;
mod alarms;
mod around;
mod attestations;
mod broadcast;
mod bus;
mod buses;
mod clock;
mod delivery;
mod device;
mod devices;
mod environment;
mod history;
mod overview;
mod plan;
mod risk;
mod stars;
mod urgent;

pub(super) use alarm::alarm;
pub(super) use alarms::alarms;
pub(super) use broadcast::{Draft, broadcast, one as one_warning, preview};
pub(super) use bus::bus;
pub(super) use buses::buses;
pub(super) use clock::section as clock_section;
pub(super) use delivery::delivery;
pub(super) use device::device;
pub(super) use devices::devices;
pub(super) use history::{as_table, history};
pub(super) use overview::overview;
pub(super) use stars::stars;
