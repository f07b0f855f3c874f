//! The local page, its API (`/api/v1/…`), `/metrics`, `/healthz` and `/readyz`.
//!
//! Rendered on the server, Chinese and English, no internet, readable without JavaScript. It reads
//! the others' states; what it can do is to record what a person did or vouches for (a meter
//! exchange, an attestation for the star level), and to change the configuration.
//! the others' states; what it can do is to order what the configuration allows of a device, and to
//! record what a person did or vouches for: a meter
//! exchange, an attestation for the star level; and to warn people.

mod access;
mod alarms;
mod api;
mod assets;
mod attest;
mod clock;
mod commands;
mod config;
mod exchange;
mod fetch;
mod finding;
mod frames;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod headers;
mod history;
mod layout;
mod limits;
mod listener;
mod metrics;
#[cfg(feature = "schema")]
mod openapi;
mod page;
pub mod promises;
mod report;
#[cfg(any(test, feature = "fuzzing"))]
mod sample;
mod scan;
#[cfg(test)]
mod scan_tests;
mod server;
mod settings;
mod setup;
mod show;
mod squeeze;
mod support;
#[cfg(test)]
mod tests;
mod text;
mod tls;
mod trouble;
mod view;
mod warn;

pub use access::{Access, KeptSessions};
pub use config::{AccessBy, Config, Protection};
pub use fetch::{Lines, Page, fetch, fetch_within};
pub use history::Desk as HistoryDesk;
#[cfg(feature = "schema")]
pub use openapi::document as openapi;
pub use scan::ScanDesk;
pub use server::serve;
pub use settings::{Files, HandedOver, Writing};
pub use setup::{SetupDesk, SetupForm, serve_setup};
pub use support::{Bundle, Support};
pub use text::Lang;
pub use tls::{Certificate, PageTls, TlsFault, fingerprint_of};
pub use view::{BusLine, View};
