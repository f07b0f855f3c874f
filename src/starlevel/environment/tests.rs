//! The index at every breakpoint, the table's faults, hours and days at their limits.

mod index;
mod stations;
mod table;
