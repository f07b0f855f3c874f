//! Tests of the buffer, by kind of risk.

mod cuts;
mod damage;
mod deliveries;
mod encoding;
mod limits;
mod model;
mod promises;
mod support;
mod thinning;
mod thinning_run;
mod time;
