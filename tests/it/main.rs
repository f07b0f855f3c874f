//! Integration tests: one module per theme. `tests/run` installs what they need.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod access;
mod air_quality;
mod alarms;
#[cfg(feature = "fuzzing")]
mod allocation;
mod api;
mod broadcast;
mod browser;
mod buffer_faults;
mod certificates;
mod charge_orders;
#[cfg(feature = "fuzzing")]
#[path = "../fuzz/checks/mod.rs"]
mod checks;
mod commands;
mod conventions;
#[cfg(feature = "fuzzing")]
mod corpus;
mod decode;
mod demo;
mod discovery;
mod doctor;
#[cfg(feature = "fuzzing")]
#[path = "../fuzz/checks/reply_finder.rs"]
mod driver;
mod end_to_end;
mod evidence;
mod field_broker;
mod formats;
mod handover;
mod hostile;
mod layout;
mod line;
mod migrate;
mod normal_run;
mod orders;
mod package;
mod parts;
mod power;
mod reload;
mod rs485;
mod scorecards;
mod second_parsers;
mod setup;
mod setup_page;
mod soak;
mod star_delivery;
mod star_history;
mod star_report;
mod supply;
mod try_it;
mod twins;
mod two_machines;
mod wrong_profiles;

// The checks of the corpus name the codecs as the fuzz targets do.
#[cfg(feature = "fuzzing")]
use linli::protocol;
