//! `linli` (邻里) is the daemon on the gateway box of a smart residential area: it reads the
//! estate's devices, keeps what it read through outages and power cuts, says how far the estate
//! meets the star levels, and delivers everything to the city's smart-property platform.
//!
//! # Flow
//!
//! ```text
//!  devices ─► driver ─► pipeline ─────────────► buffer ─► uplink ─► platform
//!              ▲          │                       │          │
//!              │          └─► snapshot ─► starlevel          │
//!              └ read again       └────── status ◄───────────┘
//! ```
#![forbid(unsafe_code)]

pub mod app;
pub mod backoff;
pub mod broker;
pub mod buffer;
pub mod cli;
pub mod clock;
pub mod config;
pub mod driver;
pub mod model;
pub mod pipeline;
pub mod profile;
#[cfg(feature = "receiver")]
pub mod receiver;
pub mod settings;
pub mod sim;
pub mod starlevel;
pub mod status;
pub mod store;
pub mod supervise;
pub mod uplink;
pub mod watchdog;
