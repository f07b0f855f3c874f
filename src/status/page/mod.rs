//! The pages, one function each.

mod attestations;
mod bus;
mod buses;
mod clock;
mod delivery;
mod device;
mod devices;
mod environment;
mod history;
mod overview;
mod risk;
mod stars;

pub(super) use bus::bus;
pub(super) use buses::buses;
pub(super) use delivery::delivery;
pub(super) use device::device;
pub(super) use devices::devices;
pub(super) use history::{as_table, history};
pub(super) use overview::overview;
pub(super) use stars::stars;
