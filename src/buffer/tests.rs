//! Tests of the buffer, by kind of risk.

mod damage;
mod deliveries;
mod encoding;
mod limits;
mod model;
mod promises;
mod support;
mod time;
