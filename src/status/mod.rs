//! The local page, its API (`/api/v1/…`), `/metrics`, `/healthz` and `/readyz`.
//!
//! Rendered on the server, Chinese and English, no internet, readable without JavaScript. It reads
//! the others' states; what it can do is to record what a person did or vouches for: a meter
//! exchange, an attestation for the star level.

mod access;
mod api;
mod assets;
mod attest;
mod clock;
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
mod setup;
mod show;
#[cfg(test)]
mod tests;
mod text;
mod tls;
mod trouble;
mod view;

pub use access::Access;
pub use config::{AccessBy, Config, Protection};
pub use fetch::{Lines, Page, fetch, fetch_within};
pub use history::Desk as HistoryDesk;
#[cfg(feature = "schema")]
pub use openapi::document as openapi;
pub use scan::ScanDesk;
pub use server::serve;
pub use setup::{SetupDesk, SetupForm, serve_setup};
pub use text::Lang;
pub use tls::{Certificate, PageTls, TlsFault, fingerprint_of};
pub use view::{BusLine, View};
