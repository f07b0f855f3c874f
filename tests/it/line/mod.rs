//! The RS-485 bus on a simulated line: the daemon's own bus and the daemon itself, slaves with
//! faults to order.

mod doctor;
mod mixed;
mod orders;
mod site;
mod slaves;
