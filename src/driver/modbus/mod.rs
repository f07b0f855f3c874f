//! Modbus on a bus: TCP, RTU on a serial line, RTU framing over TCP.
//!
//! ```text
//! plan     which registers are read together
//! frame    where a reply begins and ends
//! split    a refused read in two parts
//! ```

pub(super) mod frame;
pub(super) mod plan;
pub(super) mod split;
