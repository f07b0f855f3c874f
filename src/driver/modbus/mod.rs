//! Modbus: TCP, RTU on a serial line, RTU framing over TCP.
//!
//! ```text
//! bus      the owner of the line: schedule -> session -> readings and health to the pipeline
//! plan     which points are read together
//! device   blocks of a device; answers become readings
//! session  one request: pauses, time limit, checks
//! wire     the transport under tokio-modbus: whole frames only, no late replies
//! frame    where a reply begins and ends
//! open     sockets and serial ports
//! split    a refused read in two parts
//! row      counters and load for pages and metrics
//! ```

mod bus;
mod device;
#[cfg(test)]
mod fake;
mod frame;
mod open;
mod plan;
mod row;
mod session;
mod split;
mod wire;

pub use bus::Bus;
pub use device::ModbusDevice;
