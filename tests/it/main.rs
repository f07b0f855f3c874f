//! Integration tests: one module per theme. `tests/run` installs what they need.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod commands;
mod decode;
mod demo;
mod end_to_end;
mod layout;
mod normal_run;
mod parts;
