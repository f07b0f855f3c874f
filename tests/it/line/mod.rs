//! The RS-485 bus on a simulated line: the daemon's own bus and the daemon itself, slaves with
//! faults to order.

mod daemon;
mod doctor;
mod lessons;
mod mixed;
mod orders;
mod replay;
mod scan;
mod setup;
mod site;
mod slaves;
